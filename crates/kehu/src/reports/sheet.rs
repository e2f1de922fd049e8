//! Counting: the cases of a report's forms, one batch after the other, each read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use policy::case::Case;
use policy::engine::shown;
use policy::metrics::Tally;
use policy::model::{Form, Metric, MetricKind, Policy, Register as Wanted};
use policy::value::{Kind, Ty, Value, yuan};
use policy::world::World;
use store::Conn;

use super::model::{Figure, Group, Place, Register, Row, Sheet};
use crate::app::App;
use crate::cases::{Ground, with_world};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::CaseId;

/// Cases read at once.
const BATCH: i64 = 500;
/// Lines of a register at the most.
pub(super) const MOST_ROWS: usize = 5_000;
/// Parts of a figure at the most.
const MOST_GROUPS: usize = 2_000;

/// What a figure came to so far: the whole, and its parts by what they are parts of.
#[derive(Default)]
struct Sum {
    all: Tally,
    groups: BTreeMap<Vec<String>, Tally>,
}

/// What was found so far.
struct Count {
    sums: Vec<Sum>,
    rows: Vec<(Millis, Row)>,
    totals: HashMap<usize, i64>,
    is_cut: bool,
}

/// Counts a report of its period. The caller has asked whether it may be seen. Takes a read transaction a batch, so that
/// nobody waits for it.
pub async fn count(app: &App, ground: &Ground, place: &Place) -> Result<Sheet, AppError> {
    let report = place.report();
    let metrics: Vec<&Metric> = report
        .metrics
        .iter()
        .filter_map(|id| place.policy.metrics.iter().find(|metric| metric.id == *id))
        .collect();
    let mut forms: Vec<&str> = metrics.iter().map(|metric| metric.form.as_str()).collect();
    forms.extend(report.register.as_ref().map(|register| register.form.as_str()));
    forms.sort_unstable();
    forms.dedup();
    let mut found = Count {
        sums: metrics.iter().map(|_| Sum::default()).collect(),
        rows: Vec::new(),
        totals: HashMap::new(),
        is_cut: false,
    };
    for name in forms {
        let Some(form) = place.policy.form(name).cloned() else { continue };
        let mut after = CaseId(0);
        loop {
            let (of, at, here) = (ground.clone(), form.clone(), place.clone());
            let (next, batch) = app.db.read(move |conn| read(conn, &of, &here, &at, after)).await?;
            add(&mut found, batch);
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
    }
    found.rows.sort_by(|a, b| (a.0, &a.1.case).cmp(&(b.0, &b.1.case)));
    Ok(Sheet {
        figures: metrics.iter().zip(&found.sums).map(|(metric, sum)| figure(place, metric, sum)).collect(),
        register: report
            .register
            .as_ref()
            .and_then(|wanted| register(place, wanted, found.rows, &found.totals, found.is_cut)),
    })
}

/// A line of the register: its time, its cells, and what it adds to the totals.
type Listed = (Millis, Row, Vec<(usize, i64)>);

/// What one case adds.
#[derive(Default)]
struct Added {
    /// To which figure, what, as the part of what.
    tallies: Vec<(usize, Tally, Vec<String>)>,
    row: Option<Listed>,
}

fn add(found: &mut Count, batch: Vec<Added>) {
    for added in batch {
        for (n, tally, labels) in added.tallies {
            let Some(sum) = found.sums.get_mut(n) else { continue };
            sum.all = sum.all.and(tally);
            if sum.groups.len() < MOST_GROUPS || sum.groups.contains_key(&labels) {
                let part = sum.groups.entry(labels).or_default();
                *part = part.and(tally);
            }
        }
        if let Some((at, row, totals)) = added.row {
            for (place, cents) in totals {
                let total = found.totals.entry(place).or_default();
                *total = total.saturating_add(cents);
            }
            if found.rows.len() < MOST_ROWS {
                found.rows.push((at, row));
            } else {
                found.is_cut = true;
            }
        }
    }
}

/// The next cases of a form, and where to go on.
fn read(
    conn: &mut Conn<'_>,
    ground: &Ground,
    place: &Place,
    form: &Arc<Form>,
    after: CaseId,
) -> Result<(Option<CaseId>, Vec<Added>), AppError> {
    let bodies: Vec<(CaseId, String)> = conn.rows(
        "SELECT id, body FROM cases WHERE policy = $1 AND form = $2 AND id > $3 ORDER BY id LIMIT $4",
        &[(&place.policy.id).into(), (&form.id).into(), after.into(), BATCH.into()],
    )?;
    let next = if bodies.len() as i64 == BATCH { bodies.last().map(|(id, _)| *id) } else { None };
    let span = place.period.instants(&ground.calendar);
    let (from, to) = span.ok_or_else(|| AppError::Internal("a period without an end".into()))?;
    let report = place.report();
    let added = with_world(conn, ground, &place.policy.id, |world| {
        let mut all = Vec::new();
        for (id, body) in &bodies {
            let case = serde_json::from_str(body).ok().and_then(|json| Case::from_json(form, &json));
            // What is stored was written by us; a body that cannot be read is told by `kehu db check`, not here.
            let Some(case) = case else { continue };
            let mut added = Added::default();
            for (n, name) in report.metrics.iter().enumerate() {
                let Some(metric) = place.policy.metrics.iter().find(|m| m.id == *name) else { continue };
                if metric.form != form.id
                    || !metric.at(&case, ground.now, world).is_some_and(|at| (from..=to).contains(&at))
                {
                    continue;
                }
                let tally = metric.tally(&case, ground.now, world);
                if tally.over > 0 {
                    added.tallies.push((n, tally, labels(&report.by, form, &case, world)));
                }
            }
            if let Some(wanted) = report.register.as_ref().filter(|wanted| wanted.form == form.id) {
                added.row = row(*id, form, &case, wanted, (from, to), ground.now, world);
            }
            all.push(added);
        }
        all
    })?;
    Ok((next, added))
}

/// What a case is a part of, by what the report is broken down by.
fn labels(by: &[String], form: &Form, case: &Case, world: &dyn World) -> Vec<String> {
    by.iter()
        .map(|name| {
            let place = form.field(name);
            let text = match place.and_then(|place| Some((form.fields.get(place)?, case.values.get(place)?)))
            {
                Some((field, value)) => shown(value, &field.ty, world),
                None if name == "unit" => {
                    case.unit.as_deref().map_or_else(String::new, |unit| world.name(Kind::Unit, unit))
                }
                None => String::new(),
            };
            if text.is_empty() { "—".to_owned() } else { text }
        })
        .collect()
}

fn row(
    id: CaseId,
    form: &Form,
    case: &Case,
    wanted: &Wanted,
    (from, to): (Millis, Millis),
    now: Millis,
    world: &dyn World,
) -> Option<Listed> {
    let env = || policy::expr::Env::new(now, world).case(case);
    let at = match wanted.at.value(&env()) {
        Value::Time(at) => at,
        Value::Date(day) => world.calendar(None).at(day.to_datetime(jiff::civil::Time::midnight())).ok()?,
        _ => return None,
    };
    if !(from..=to).contains(&at) || wanted.when.as_ref().is_some_and(|when| !when.holds(&env())) {
        return None;
    }
    let cell = |place: &Option<usize>| match place {
        None => case.number.clone(),
        Some(place) => form
            .fields
            .get(*place)
            .zip(case.values.get(*place))
            .map_or_else(String::new, |(field, value)| shown(value, &field.ty, world)),
    };
    let totals = wanted.totals.iter().filter_map(|place| match case.values.get(*place) {
        Some(Value::Money(cents)) => Some((*place, *cents)),
        Some(Value::Int(number)) => Some((*place, *number)),
        _ => None,
    });
    let row = Row { case: id.to_string(), cells: wanted.columns.iter().map(cell).collect() };
    Some((at, row, totals.collect()))
}

/// A figure in words.
fn value(metric: &Metric, tally: Tally) -> String {
    let is_money = metric.value.as_ref().is_some_and(|value| *value.ty() == Ty::Money);
    match (metric.kind, tally.figure(metric.kind)) {
        (_, None) => "—".to_owned(),
        (MetricKind::Rate, Some(share)) => format!("{:.1}%", share * 100.0),
        (MetricKind::Count, Some(count)) => format!("{count:.0}"),
        (MetricKind::Sum | MetricKind::Mean, Some(sum)) if is_money => format!("{sum:.2}"),
        (MetricKind::Sum, Some(sum)) => trimmed(sum),
        (MetricKind::Mean, Some(mean)) => format!("{mean:.2}"),
    }
}

fn trimmed(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What was counted for it.
fn of(metric: &Metric, tally: Tally) -> String {
    match metric.kind {
        MetricKind::Rate => format!("{}/{}", tally.of, tally.over),
        MetricKind::Mean => tally.over.to_string(),
        MetricKind::Count | MetricKind::Sum => String::new(),
    }
}

fn figure(place: &Place, metric: &Metric, sum: &Sum) -> Figure {
    let goal = metric.goal;
    let words = |goal: f64| match metric.kind {
        MetricKind::Rate => format!("{}%", trimmed(goal * 100.0)),
        _ => trimmed(goal),
    };
    let title = |name: &String| {
        let form = place.policy.form(&metric.form);
        let field = form.and_then(|form| form.fields.get(form.field(name)?));
        field.map_or_else(|| "部门".to_owned(), |field| field.title.clone())
    };
    Figure {
        title: metric.title.clone(),
        clause: metric.clause.clone(),
        all: value(metric, sum.all),
        of: of(metric, sum.all),
        goal: goal.map_or_else(String::new, words),
        is_reached: goal.zip(sum.all.figure(metric.kind)).map(|(goal, figure)| figure >= goal),
        by: place.report().by.iter().map(title).collect(),
        groups: sum
            .groups
            .iter()
            .map(|(labels, tally)| Group {
                labels: labels.clone(),
                value: value(metric, *tally),
                of: of(metric, *tally),
            })
            .collect(),
    }
}

fn register(
    place: &Place,
    wanted: &Wanted,
    rows: Vec<(Millis, Row)>,
    totals: &HashMap<usize, i64>,
    is_cut: bool,
) -> Option<Register> {
    let policy: &Policy = &place.policy;
    let form = policy.form(&wanted.form)?;
    let title = |column: &Option<usize>| match column {
        None => "编号".to_owned(),
        Some(place) => form.fields.get(*place).map_or_else(String::new, |field| field.title.clone()),
    };
    let total = |column: &Option<usize>| {
        let place = column.filter(|place| wanted.totals.contains(place));
        let Some((place, field)) = place.and_then(|place| Some((place, form.fields.get(place)?))) else {
            return String::new();
        };
        let sum = totals.get(&place).copied().unwrap_or_default();
        if field.ty == Ty::Money { yuan(sum) } else { sum.to_string() }
    };
    Some(Register {
        columns: wanted.columns.iter().map(title).collect(),
        totals: if wanted.totals.is_empty() {
            Vec::new()
        } else {
            wanted.columns.iter().map(total).collect()
        },
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        is_cut,
    })
}
