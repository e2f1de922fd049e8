//! Whether every step can be reached, and whether every case can end.

use super::read::{Parts, Problems};
use super::tables::{Gap, gap_of};
use crate::model::{Form, Policy, StepKind};

pub fn check(policy: &Policy, parts: &Parts, problems: &mut Problems<'_>) {
    for form in &policy.forms {
        // The place of each step in the files.
        let place_of = |id: &str| {
            let only = policy.forms.len() == 1;
            parts.step.iter().find(|part| {
                let step = part.get();
                step.id.get_ref() == id && step.form.as_ref().map_or(only, |name| *name.get_ref() == form.id)
            })
        };
        let edges: Vec<Vec<usize>> = (0..form.steps.len()).map(|step| edges_of(form, step)).collect();
        let reached = walk(&edges, &[0]);
        let mut back: Vec<Vec<usize>> = vec![Vec::new(); form.steps.len()];
        for (from, to) in
            edges.iter().enumerate().flat_map(|(from, all)| all.iter().map(move |to| (from, *to)))
        {
            back[to].push(from);
        }
        let ends: Vec<usize> = (0..form.steps.len()).filter(|step| is_end(form, *step)).collect();
        let ending = walk(&back, &ends);
        for (number, step) in form.steps.iter().enumerate() {
            let Some(part) = place_of(&step.id) else { continue };
            if !reached[number] {
                problems.add(&part.place(), format!("步骤“{}”（{}）永远走不到", step.title, step.id));
            } else if !ending[number] {
                problems.add(
                    &part.place(),
                    format!("步骤“{}”（{}）走不到结束，单据会永远停在这里", step.title, step.id),
                );
            }
            for action in &step.actions {
                let conditions: Vec<_> = action.next.iter().map(|way| way.when.as_ref()).collect();
                match gap_of(form, &conditions) {
                    Gap::None => {}
                    Gap::Example(example) => problems.add(
                        &part.place(),
                        format!("步骤“{}”的“{}”：{example}时没有去向", step.title, action.title),
                    ),
                    Gap::Unknown => problems.add(
                        &part.place(),
                        format!(
                            "步骤“{}”的“{}”：去向的条件核对不了是否齐全，请在最后写一个没有条件的去向",
                            step.title, action.title
                        ),
                    ),
                }
            }
        }
    }
}

/// An approval without a way for a refusal ends the case.
fn is_end(form: &Form, step: usize) -> bool {
    let step = &form.steps[step];
    step.kind == StepKind::End
}

fn edges_of(form: &Form, step: usize) -> Vec<usize> {
    let step = &form.steps[step];
    let mut edges: Vec<usize> =
        step.actions.iter().flat_map(|action| &action.next).map(|way| way.to).collect();
    edges.extend(step.on.iter().flat_map(|on| &on.next).map(|way| way.to));
    if let Some(approve) = &step.approve {
        edges.extend(approve.reject);
        edges.extend(&approve.back);
    }
    edges
}

fn walk(edges: &[Vec<usize>], from: &[usize]) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut open: Vec<usize> = from.iter().copied().filter(|step| *step < edges.len()).collect();
    while let Some(step) = open.pop() {
        if !std::mem::replace(&mut seen[step], true) {
            open.extend(&edges[step]);
        }
    }
    seen
}
