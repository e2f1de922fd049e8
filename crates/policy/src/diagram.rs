//! The process of a form as a picture for people: an SVG that pages style by class. Steps lie in layers from top to
//! bottom; what goes to the next layer goes straight down, what skips layers runs in lanes on the left, what leads back
//! in lanes on the right, so that no line crosses a box. It has no styles of its own, because pages forbid them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{Form, Step, StepKind, Way};

/// Most steps that are drawn.
const MOST_STEPS: usize = 200;
/// Most arrows that are drawn.
const MOST_EDGES: usize = 1_000;

const TITLE_SIZE: f64 = 14.0;
const SMALL_SIZE: f64 = 12.0;
const BOX_HEIGHT: f64 = 54.0;
const END_HEIGHT: f64 = 36.0;
const NARROWEST: f64 = 132.0;
const WIDEST: f64 = 252.0;
const BETWEEN_BOXES: f64 = 40.0;
const LABEL_LINE: f64 = 20.0;
const TRACK: f64 = 9.0;
const MARGIN: f64 = 14.0;

/// Draws a process. `current` is the step a case is at, `been` those it has been to.
pub fn diagram(form: &Form, current: Option<&str>, been: &[&str]) -> String {
    let title = match current.and_then(|id| form.step(id)) {
        Some(step) => format!("《{}》流程图，当前步骤：{}", form.title, step.title),
        None => format!("《{}》流程图", form.title),
    };
    let id: String = form.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let edges = edges(form);
    if form.steps.is_empty() || form.steps.len() > MOST_STEPS || edges.len() > MOST_EDGES {
        let text = format!("{title}：{} 个步骤，图太大，不画", form.steps.len());
        return format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"diagram\" role=\"img\" viewBox=\"0 0 {w} 40\" width=\"{w}\" \
             height=\"40\"><title>{t}</title><text class=\"diagram-label\" x=\"10\" y=\"25\" font-size=\"14\">{t}</text></svg>",
            w = whole(width(&text, TITLE_SIZE) + 20.0),
            t = escaped(&text)
        );
    }
    let layout = Layout::of(form, edges);
    let (w, h) = (whole(layout.width), whole(layout.height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"diagram\" role=\"img\" aria-labelledby=\"diagram-{id}-title\" \
         viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\"><title id=\"diagram-{id}-title\">{}</title>\
         <defs><marker id=\"diagram-{id}-arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path class=\"diagram-arrow\" d=\"M0 0 8 4 0 8Z\"/></marker></defs>",
        escaped(&title)
    );
    for line in &layout.lines {
        let dashed = if line.leads_back { " diagram-edge-back" } else { "" };
        let _ = write!(
            svg,
            "<path class=\"diagram-edge{dashed}\" fill=\"none\" d=\"{}\" marker-end=\"url(#diagram-{id}-arrow)\"/>",
            line.path
        );
    }
    for (place, step) in form.steps.iter().enumerate() {
        let is_current = current == Some(step.id.as_str());
        let has_been = been.contains(&step.id.as_str());
        draw_step(&mut svg, form, step, &layout.boxes[place], is_current, has_been);
    }
    // Labels come last, so that no line runs through them.
    for (text, x, y) in layout.lines.iter().flat_map(|line| &line.label) {
        let half = width(text, SMALL_SIZE) / 2.0 + 4.0;
        let _ = write!(
            svg,
            "<rect class=\"diagram-label-back\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"17\" rx=\"3\"/>\
             <text class=\"diagram-label\" x=\"{}\" y=\"{}\" font-size=\"{SMALL_SIZE}\" text-anchor=\"middle\">{}</text>",
            whole(x - half),
            whole(y - 12.5),
            whole(2.0 * half),
            whole(*x),
            whole(*y),
            escaped(text)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn draw_step(svg: &mut String, form: &Form, step: &Step, place: &Box, is_current: bool, has_been: bool) {
    let mut class = String::from("diagram-step");
    class.push_str(match step.kind {
        StepKind::Task => "",
        StepKind::Approval => " diagram-step-approval",
        StepKind::Wait => " diagram-step-wait",
        StepKind::End => " diagram-step-end",
    });
    if is_current {
        class.push_str(" diagram-step-current");
    } else if has_been {
        class.push_str(" diagram-step-been");
    }
    let who = acts(form, step);
    let all = if who.is_empty() { step.title.clone() } else { format!("{}：{who}", step.title) };
    let radius = if step.kind == StepKind::End { place.height / 2.0 } else { 8.0 };
    let _ = write!(
        svg,
        "<g class=\"{class}\"><title>{}</title><rect class=\"diagram-box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        escaped(&all),
        whole(place.left()),
        whole(place.top),
        whole(place.width),
        whole(place.height),
        whole(radius)
    );
    let room = place.width - 16.0;
    let first = if who.is_empty() { place.top + place.height / 2.0 + 5.0 } else { place.top + 23.0 };
    let _ = write!(
        svg,
        "<text class=\"diagram-title\" x=\"{}\" y=\"{}\" font-size=\"{TITLE_SIZE}\" text-anchor=\"middle\">{}</text>",
        whole(place.middle),
        whole(first),
        escaped(&fitted(&step.title, TITLE_SIZE, room))
    );
    if !who.is_empty() {
        let _ = write!(
            svg,
            "<text class=\"diagram-who\" x=\"{}\" y=\"{}\" font-size=\"{SMALL_SIZE}\" text-anchor=\"middle\">{}</text>",
            whole(place.middle),
            whole(place.top + 42.0),
            escaped(&fitted(&who, SMALL_SIZE, room))
        );
    }
    svg.push_str("</g>");
}

/// Who acts at a step, in a line.
fn acts(form: &Form, step: &Step) -> String {
    if let Some(by) = &step.by {
        return by.in_chinese(Some(form));
    }
    match (&step.approve, step.kind) {
        (Some(approve), _) if approve.authority.is_some() => "按核决表".into(),
        (Some(approve), _) => {
            let stage = |stage: &crate::model::Stage| {
                if stage.title.is_empty() { stage.by.in_chinese(Some(form)) } else { stage.title.clone() }
            };
            approve.stages.iter().map(stage).collect::<Vec<_>>().join(" → ")
        }
        (None, StepKind::Wait) => "等待".into(),
        _ => String::new(),
    }
}

/// Where steps lead, each pair once, with what stands at the arrow.
fn edges(form: &Form) -> BTreeMap<(usize, usize), Vec<String>> {
    let mut all: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    let mut add = |from: usize, to: usize, label: String| {
        let labels = all.entry((from, to)).or_default();
        if !label.is_empty() && !labels.contains(&label) {
            labels.push(label);
        }
    };
    for (from, step) in form.steps.iter().enumerate() {
        for action in &step.actions {
            // The one action of a step needs no name.
            let name = if step.actions.len() > 1 { action.title.as_str() } else { "" };
            for way in &action.next {
                let when = condition(form, way, action.next.len());
                let label =
                    [name, &when].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":");
                add(from, way.to, label);
            }
        }
        for on in &step.on {
            for way in &on.next {
                let event = match on.event.strip_prefix("deadline:") {
                    Some(id) => format!("逾期：{}", form.deadline(id).map_or(id, |deadline| &deadline.title)),
                    None => on.event.clone(),
                };
                add(from, way.to, event);
            }
        }
        if let Some(approve) = &step.approve {
            if let Some(to) = approve.reject {
                add(from, to, "驳回".into());
            }
            for to in &approve.back {
                add(from, *to, "退回".into());
            }
        }
    }
    all
}

fn condition(form: &Form, way: &Way, of: usize) -> String {
    match &way.when {
        Some(when) => when.in_chinese(Some(form)),
        None if of > 1 => "其余".into(),
        None => String::new(),
    }
}

struct Box {
    layer: usize,
    middle: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Box {
    fn left(&self) -> f64 {
        self.middle - self.width / 2.0
    }
    fn bottom(&self) -> f64 {
        self.top + self.height
    }
    /// The x of one of several lines at its edge.
    fn port(&self, place: usize, of: usize) -> f64 {
        self.left() + self.width * (place + 1) as f64 / (of + 1) as f64
    }
}

struct Line {
    path: String,
    label: Option<(String, f64, f64)>,
    leads_back: bool,
}

/// An arrow on its way to being a line.
struct Edge {
    from: usize,
    to: usize,
    label: String,
    way: Course,
}

#[derive(Clone, Copy, PartialEq)]
enum Course {
    /// To the next layer.
    Down,
    /// Past layers, on the left.
    Skip,
    /// Up or to itself, on the right.
    Back,
}

struct Layout {
    boxes: Vec<Box>,
    lines: Vec<Line>,
    width: f64,
    height: f64,
}

impl Layout {
    fn of(form: &Form, edges: BTreeMap<(usize, usize), Vec<String>>) -> Self {
        let count = form.steps.len();
        let layers = layers(count, edges.keys().copied());
        let mut edges: Vec<Edge> = edges
            .into_iter()
            .map(|((from, to), labels)| {
                let way = match layers[to].checked_sub(layers[from]) {
                    Some(1) => Course::Down,
                    None | Some(0) => Course::Back,
                    Some(_) => Course::Skip,
                };
                Edge { from, to, label: fitted(&labels.join(" / "), SMALL_SIZE, 150.0), way }
            })
            .collect();
        let rows = rows(&layers, &edges);
        let mut boxes: Vec<Box> =
            form.steps.iter().zip(&layers).map(|(step, layer)| sized(form, step, *layer)).collect();
        let widest = rows.iter().map(|row| row_width(row, &boxes)).fold(0.0, f64::max);
        let lanes = |edges: &[Edge], way: Course| {
            let labels =
                edges.iter().filter(|edge| edge.way == way).map(|edge| width(&edge.label, SMALL_SIZE));
            labels.map(|label| (label + 14.0).max(22.0)).collect::<Vec<f64>>()
        };
        let left = lanes(&edges, Course::Skip).iter().sum::<f64>() + MARGIN;
        let right = lanes(&edges, Course::Back).iter().sum::<f64>() + MARGIN;
        for row in &rows {
            let mut x = left + (widest - row_width(row, &boxes)) / 2.0;
            for step in row {
                boxes[*step].middle = x + boxes[*step].width / 2.0;
                x += boxes[*step].width + BETWEEN_BOXES;
            }
        }
        // Lines that lie side by side in the order of where they go do not cross.
        edges.sort_by(|a, b| {
            let key = |edge: &Edge| match edge.way {
                Course::Skip => f64::MIN,
                Course::Down => boxes[edge.to].middle,
                Course::Back => f64::MAX,
            };
            (a.from, key(a)).partial_cmp(&(b.from, key(b))).unwrap_or(std::cmp::Ordering::Equal)
        });
        let gaps = Gaps::of(&rows, &edges, &layers);
        let mut top = MARGIN + gaps.before_first();
        for (layer, row) in rows.iter().enumerate() {
            let tallest = row.iter().map(|step| boxes[*step].height).fold(0.0, f64::max);
            for step in row {
                boxes[*step].top = top + (tallest - boxes[*step].height) / 2.0;
            }
            top += tallest + gaps.below(layer);
        }
        let mut layout =
            Self { boxes, lines: Vec::new(), width: left + widest + right, height: top + MARGIN };
        layout.draw(&edges, &rows, &gaps, left, widest);
        layout
    }

    fn draw(&mut self, edges: &[Edge], rows: &[Vec<usize>], gaps: &Gaps, left: f64, widest: f64) {
        let outgoing = |from: usize| edges.iter().filter(move |edge| edge.from == from);
        // Which of the lines at the edge of a box.
        let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); self.boxes.len()];
        for (number, edge) in edges.iter().enumerate() {
            incoming[edge.to].push(number);
        }
        for all in &mut incoming {
            all.sort_by(|a, b| {
                let key = |number: &usize| match edges[*number].way {
                    Course::Skip => f64::MIN,
                    Course::Down => self.boxes[edges[*number].from].middle,
                    Course::Back => f64::MAX,
                };
                key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        let (mut lane_left, mut lane_right) = (left, left + widest);
        let mut tracks_down = vec![0_usize; rows.len()];
        let mut tracks_up = vec![0_usize; rows.len() + 1];
        let mut labels = vec![0_usize; rows.len()];
        // The shortest way is the innermost lane.
        let mut order: Vec<usize> = (0..edges.len()).collect();
        order.sort_by_key(|number| {
            let edge = &edges[*number];
            (self.boxes[edge.from].layer.abs_diff(self.boxes[edge.to].layer), edge.from, *number)
        });
        for number in order {
            let edge = &edges[number];
            let (from, to) = (&self.boxes[edge.from], &self.boxes[edge.to]);
            let out: Vec<&Edge> = outgoing(edge.from).collect();
            let x0 = from.port(out.iter().position(|other| other.to == edge.to).unwrap_or(0), out.len());
            let into = &incoming[edge.to];
            let x1 = to.port(into.iter().position(|other| *other == number).unwrap_or(0), into.len());
            let (y0, y1) = (from.bottom(), to.top);
            let row_bottom =
                rows[from.layer].iter().map(|step| self.boxes[*step].bottom()).fold(0.0, f64::max);
            let row_top = rows[to.layer].iter().map(|step| self.boxes[*step].top).fold(f64::MAX, f64::min);
            if edge.way == Course::Down {
                // Curves end a little above the box, so that the arrow points down.
                let (start, end) = (row_bottom.max(y0), row_top - 10.0);
                let label = (!edge.label.is_empty()).then(|| {
                    let at = start + 16.0 + LABEL_LINE * labels[from.layer] as f64;
                    labels[from.layer] += 1;
                    let x = on_curve(x0, start, x1, end, at - 4.0);
                    (edge.label.clone(), x, at)
                });
                let path = if (x0 - x1).abs() < 1.0 {
                    format!("M{} {}V{}", whole(x0), whole(y0), whole(y1))
                } else {
                    let middle = (start + end) / 2.0;
                    format!(
                        "M{x0} {}V{}C{x0} {m} {x1} {m} {x1} {}V{}",
                        whole(y0),
                        whole(start),
                        whole(end),
                        whole(y1),
                        x0 = whole(x0),
                        x1 = whole(x1),
                        m = whole(middle)
                    )
                };
                self.lines.push(Line { path, label, leads_back: false });
                continue;
            }
            // Out of the box into the gap below, along it to the lane, along that, and into the box from the gap above.
            let room = (width(&edge.label, SMALL_SIZE) + 14.0).max(22.0);
            let lane = if edge.way == Course::Skip {
                lane_left -= room;
                lane_left + room / 2.0
            } else {
                lane_right += room;
                lane_right - room / 2.0
            };
            let below =
                row_bottom + gaps.label_room(from.layer) + TRACK * (tracks_down[from.layer] + 1) as f64;
            tracks_down[from.layer] += 1;
            let above = row_top - 12.0 - TRACK * tracks_up[to.layer] as f64;
            tracks_up[to.layer] += 1;
            let path = format!(
                "M{} {}V{}H{}V{}H{}V{}",
                whole(x0),
                whole(y0),
                whole(below),
                whole(lane),
                whole(above),
                whole(x1),
                whole(y1)
            );
            let middle = (below + above) / 2.0 + 4.0;
            let label = (!edge.label.is_empty()).then(|| (edge.label.clone(), lane, middle));
            self.lines.push(Line { path, label, leads_back: edge.way == Course::Back });
        }
    }
}

/// The room between rows: for labels of lines that go down, and for lines that go along.
struct Gaps {
    labels: Vec<usize>,
    down: Vec<usize>,
    up: Vec<usize>,
}

impl Gaps {
    fn of(rows: &[Vec<usize>], edges: &[Edge], layers: &[usize]) -> Self {
        let mut gaps =
            Self { labels: vec![0; rows.len()], down: vec![0; rows.len()], up: vec![0; rows.len() + 1] };
        for edge in edges {
            match edge.way {
                Course::Down => gaps.labels[layers[edge.from]] += usize::from(!edge.label.is_empty()),
                Course::Skip | Course::Back => {
                    gaps.down[layers[edge.from]] += 1;
                    gaps.up[layers[edge.to]] += 1;
                }
            }
        }
        gaps
    }

    fn label_room(&self, layer: usize) -> f64 {
        4.0 + LABEL_LINE * self.labels[layer] as f64
    }

    fn before_first(&self) -> f64 {
        if self.up[0] == 0 { 0.0 } else { 14.0 + TRACK * self.up[0] as f64 }
    }

    fn below(&self, layer: usize) -> f64 {
        if layer + 1 == self.labels.len() {
            return if self.down[layer] == 0 {
                0.0
            } else {
                self.label_room(layer) + TRACK * (self.down[layer] + 1) as f64
            };
        }
        let tracks = self.down[layer] + self.up[layer + 1];
        self.label_room(layer) + 24.0 + TRACK * tracks as f64
    }
}

/// The longest way from the beginning, leaving out what leads back.
fn layers(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in edges {
        next[from].push(to);
    }
    // Depth first: an edge to a step that is still open leads back.
    let mut state = vec![0_u8; count];
    let mut order = Vec::new();
    let mut forward: Vec<Vec<usize>> = vec![Vec::new(); count];
    for first in 0..count {
        if state[first] != 0 {
            continue;
        }
        let mut open = vec![(first, 0_usize)];
        state[first] = 1;
        while let Some((step, place)) = open.pop() {
            match next[step].get(place) {
                Some(&to) => {
                    open.push((step, place + 1));
                    if state[to] != 1 {
                        forward[step].push(to);
                    }
                    if state[to] == 0 {
                        state[to] = 1;
                        open.push((to, 0));
                    }
                }
                None => {
                    state[step] = 2;
                    order.push(step);
                }
            }
        }
    }
    let mut layers = vec![0; count];
    for step in order.into_iter().rev() {
        for &to in &forward[step] {
            layers[to] = layers[to].max(layers[step] + 1);
        }
    }
    layers
}

/// The steps of each layer, from left to right: below those they come from.
fn rows(layers: &[usize], edges: &[Edge]) -> Vec<Vec<usize>> {
    let count = layers.iter().max().map_or(0, |last| last + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (step, layer) in layers.iter().enumerate() {
        rows[*layer].push(step);
    }
    rows.retain(|row| !row.is_empty());
    let mut place: Vec<f64> = vec![0.0; layers.len()];
    for row in &mut rows {
        let middle = |step: &usize| {
            let from: Vec<f64> = edges
                .iter()
                .filter(|e| e.to == *step && e.way != Course::Back)
                .map(|e| place[e.from])
                .collect();
            if from.is_empty() { 0.0 } else { from.iter().sum::<f64>() / from.len() as f64 }
        };
        row.sort_by(|a, b| middle(a).partial_cmp(&middle(b)).unwrap_or(std::cmp::Ordering::Equal));
        let half = (row.len() as f64 - 1.0) / 2.0;
        for (number, step) in row.iter().enumerate() {
            place[*step] = number as f64 - half;
        }
    }
    rows
}

fn sized(form: &Form, step: &Step, layer: usize) -> Box {
    let who = acts(form, step);
    let wanted = width(&step.title, TITLE_SIZE).max(width(&who, SMALL_SIZE)) + 24.0;
    let height = if who.is_empty() { END_HEIGHT } else { BOX_HEIGHT };
    Box { layer, middle: 0.0, top: 0.0, width: wanted.clamp(NARROWEST, WIDEST), height }
}

fn row_width(row: &[usize], boxes: &[Box]) -> f64 {
    let boxes_width: f64 = row.iter().map(|step| boxes[*step].width).sum();
    boxes_width + BETWEEN_BOXES * row.len().saturating_sub(1) as f64
}

/// The x at which the curve between two points has this y.
fn on_curve(x0: f64, y0: f64, x1: f64, y1: f64, y: f64) -> f64 {
    let middle = (y0 + y1) / 2.0;
    let at = |t: f64, a: f64, b: f64, c: f64, d: f64| {
        let u = 1.0 - t;
        u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..20 {
        let t = (low + high) / 2.0;
        if at(t, y0, middle, middle, y1) < y { low = t } else { high = t }
    }
    at(low, x0, x0, x1, x1)
}

/// How wide a text is: an em for a Chinese character, a little more than half of one for others.
fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.56 } else { 1.0 }).sum::<f64>() * size
}

/// As much of a text as there is room for.
fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut left = room - size;
    for c in text.chars() {
        left -= if c.is_ascii() { 0.56 } else { 1.0 } * size;
        if left < 0.0 {
            break;
        }
        fitted.push(c);
    }
    fitted.push('…');
    fitted
}

/// To half a pixel.
fn whole(number: f64) -> f64 {
    (number * 2.0).round() / 2.0
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::check::tests::complaints;
    use crate::engine::tests::{form_of, vocabulary};
    use crate::model::Action;

    fn complaint() -> std::sync::Arc<Form> {
        let policy = crate::check(&complaints(), &Default::default(), &vocabulary()).expect("in order");
        policy.form("complaint").expect("a form").clone()
    }

    /// Steps that lead to others, by their places; the last is the end.
    fn drawn(ways: &[&[usize]]) -> Form {
        let mut form = form_of(&[]);
        for (place, to) in ways.iter().enumerate() {
            let is_end = to.is_empty();
            let action = |to: &usize| Action {
                id: format!("a{place}-{to}"),
                title: format!("去{to}"),
                by: None,
                when: None,
                fill: Vec::new(),
                offer: Vec::new(),
                require: Vec::new(),
                set: Vec::new(),
                next: vec![Way { to: *to, when: None }],
                open: Vec::new(),
                emit: Vec::new(),
                confirm: String::new(),
                clause: None,
            };
            form.steps.push(Step {
                id: format!("s{place}"),
                title: format!("步骤{place}<&\"'>"),
                kind: if is_end { StepKind::End } else { StepKind::Task },
                by: None,
                help: String::new(),
                actions: to.iter().map(action).collect(),
                approve: None,
                on: Vec::new(),
                outcome: String::new(),
                opens_customer: false,
                copy_to: None,
                clause: String::new(),
            });
        }
        form
    }

    #[test]
    fn a_process_is_drawn_for_people_and_for_the_page_that_styles_it() {
        let svg = diagram(&complaint(), Some("ruling"), &["verify", "ruling"]);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"diagram\" role=\"img\""));
        assert!(svg.contains("《客户投诉记录卡》流程图，当前步骤：裁定是否受理</title>"));
        assert_eq!(svg.matches("<g class=\"diagram-step").count(), complaint().steps.len());
        assert_eq!(svg.matches("diagram-step-current").count(), 1);
        assert_eq!(svg.matches("diagram-step-been").count(), 1, "the current one is lit, not tinted");
        for says in
            ["门店负责人的上级", "按核决表", ">驳回<", ">受理<", "是否折价或赔偿为否", "diagram-edge-back"]
        {
            assert!(svg.contains(says), "{says}\n{svg}");
        }
        for forbidden in ["style", "script", "fill=\"#", "stroke=", " on"] {
            assert!(!svg.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn texts_are_escaped_and_cut_to_their_room() {
        let svg = diagram(&drawn(&[&[1], &[]]), None, &[]);
        assert!(svg.contains("步骤0&lt;&amp;&quot;&#39;&gt;"), "{svg}");
        assert_eq!(fitted("确认投诉理由", 10.0, 60.0), "确认投诉理由");
        assert_eq!(fitted("确认投诉理由", 10.0, 45.0), "确认投…");
    }

    /// Every line of the picture, as points.
    fn points(path: &str) -> Vec<(f64, f64)> {
        let mut all = Vec::new();
        let (mut x, mut y) = (0.0, 0.0);
        let spaced: String = path
            .chars()
            .flat_map(|c| if c.is_ascii_alphabetic() { vec![' ', c, ' '] } else { vec![c] })
            .collect();
        let mut words = spaced.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let mut number = || words.next().expect("a number").parse::<f64>().expect("a number");
            match word {
                "M" => (x, y) = (number(), number()),
                "V" => y = number(),
                "H" => x = number(),
                "C" => {
                    let (cx0, cy0, cx1, cy1, ex, ey) =
                        (number(), number(), number(), number(), number(), number());
                    for n in 1..20 {
                        let t = f64::from(n) / 20.0;
                        let u = 1.0 - t;
                        let at = |a: f64, b: f64, c: f64, d: f64| {
                            u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
                        };
                        all.push((at(x, cx0, cx1, ex), at(y, cy0, cy1, ey)));
                    }
                    (x, y) = (ex, ey);
                }
                other => panic!("{other}"),
            }
            all.push((x, y));
        }
        all
    }

    /// No line goes through a box, no box lies on another, everything is within the picture.
    fn is_tidy(form: &Form) {
        let layout = Layout::of(form, edges(form));
        for (place, a) in layout.boxes.iter().enumerate() {
            assert!(
                a.left() >= 0.0
                    && a.left() + a.width <= layout.width
                    && a.top >= 0.0
                    && a.bottom() <= layout.height
            );
            for b in &layout.boxes[..place] {
                let apart = a.left() + a.width <= b.left()
                    || b.left() + b.width <= a.left()
                    || a.bottom() <= b.top
                    || b.bottom() <= a.top;
                assert!(apart, "boxes {place}");
            }
        }
        for line in &layout.lines {
            let points = points(&line.path);
            for pair in points.windows(2) {
                for step in 0..=40 {
                    let t = f64::from(step) / 40.0;
                    let (x, y) =
                        (pair[0].0 + (pair[1].0 - pair[0].0) * t, pair[0].1 + (pair[1].1 - pair[0].1) * t);
                    assert!(
                        (0.0..=layout.width).contains(&x) && (0.0..=layout.height).contains(&y),
                        "{} leaves the picture",
                        line.path
                    );
                    for hit in &layout.boxes {
                        let inside = x > hit.left() + 1.0
                            && x < hit.left() + hit.width - 1.0
                            && y > hit.top + 1.0
                            && y < hit.bottom() - 1.0;
                        assert!(!inside, "{} crosses a box", line.path);
                    }
                }
            }
        }
    }

    #[test]
    fn no_line_crosses_a_box() {
        is_tidy(&complaint());
        is_tidy(&drawn(&[&[1, 2, 3, 5], &[4, 0], &[4, 2], &[5, 1], &[5, 0, 3], &[]]));
        is_tidy(&drawn(&[&[0, 1], &[]]));
        let mut random = 7_u64;
        let mut next = |most: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % most
        };
        for _ in 0..60 {
            let count = 2 + next(14);
            let ways: Vec<Vec<usize>> = (0..count)
                .map(|place| {
                    if place + 1 == count {
                        return Vec::new();
                    }
                    let mut to: Vec<usize> = (0..next(3)).map(|_| next(count)).chain([place + 1]).collect();
                    to.sort_unstable();
                    to.dedup();
                    to
                })
                .collect();
            is_tidy(&drawn(&ways.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        }
    }

    #[test]
    fn large_processes_are_bounded() {
        let begun = Instant::now();
        let ways: Vec<Vec<usize>> =
            (0..200).map(|n| if n == 199 { vec![] } else { vec![n + 1, (n * 7) % 200, 199] }).collect();
        assert!(
            diagram(&drawn(&ways.iter().map(Vec::as_slice).collect::<Vec<_>>()), Some("s3"), &[])
                .contains("diagram-step-current")
        );
        let ways: Vec<Vec<usize>> = (0..201).map(|n| if n == 200 { vec![] } else { vec![n + 1] }).collect();
        let svg = diagram(&drawn(&ways.iter().map(Vec::as_slice).collect::<Vec<_>>()), None, &[]);
        assert!(svg.contains("201 个步骤，图太大，不画") && svg.len() < 1_000);
        assert!(diagram(&form_of(&[]), None, &[]).contains("role=\"img\""));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
