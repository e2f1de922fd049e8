//! What happened, in words; and what waits for whom.

use std::sync::Arc;

use policy::engine::{Effect, Outcome, shown};
use policy::model::{Form, Policy};
use policy::value::Kind;
use policy::world::World;
use store::{Conn, FromRow, Row};

use super::load::selves;
use super::model::{COLUMNS, Case, CaseTask, TaskKind, Trail, WIDTH};
use super::unseen::hide_in_cases;
use crate::access::{self, Actor};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CaseId, CaseTaskId};

/// A line of the trail, and who is told of it.
pub(super) struct Line {
    pub kind: &'static str,
    pub text: String,
    pub clause: String,
    pub people: Vec<String>,
    pub in_trail: bool,
}

/// What followed from one event, in Chinese.
pub(super) fn lines(
    policy: &Policy,
    form: &Arc<Form>,
    outcome: &Outcome,
    now: Millis,
    world: &dyn World,
) -> Vec<Line> {
    let case = &outcome.case;
    let about = format!("《{}》{}", form.title, case.number);
    let name = |person: &String| world.name(Kind::Person, person);
    let names = |people: &[String]| people.iter().map(name).collect::<Vec<_>>().join("、");
    let step_title = |id: &str| form.step(id).map_or_else(|| id.to_owned(), |step| step.title.clone());
    let deadline_title =
        |id: &str| form.deadline(id).map_or_else(|| id.to_owned(), |deadline| deadline.title.clone());
    let minute = |at: Millis| {
        let local = world.calendar(case.unit.as_deref()).local(at);
        local.map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
    };
    let mut all = Vec::new();
    let mut add = |kind: &'static str, text: String, clause: &str, people: &[String], in_trail: bool| {
        all.push(Line { kind, text, clause: clause.to_owned(), people: people.to_vec(), in_trail });
    };
    for effect in &outcome.effects {
        match effect {
            Effect::Opened => {
                let clause = form.clause.as_deref().unwrap_or_default();
                add("opened", format!("开出{about}"), clause, &[], true);
            }
            Effect::Changed { field, to, .. } => {
                if let Some(field) = form.fields.get(*field).filter(|field| field.value.is_none()) {
                    let text: String = shown(to, &field.ty, world).chars().take(200).collect();
                    add("changed", format!("{}：{text}", field.title), "", &[], true);
                }
            }
            Effect::Did { action, on_behalf_of, clause } => {
                let actions = form.steps.iter().flat_map(|step| step.actions.iter().map(move |a| (step, a)));
                let title = actions
                    .filter(|(_, known)| known.id == *action)
                    .map(|(step, action)| format!("{}：{}", step.title, action.title))
                    .next()
                    .unwrap_or_default();
                let behalf = on_behalf_of.as_ref().map_or_else(String::new, |p| format!("（代{}）", name(p)));
                add("did", format!("{title}{behalf}"), clause, &[], true);
            }
            Effect::Entered { step, clause } => {
                add("entered", format!("进入“{}”", step_title(step)), clause, &[], true);
            }
            Effect::Tasks { step, people, clause } if !people.is_empty() => {
                let text = format!("“{}”由{}办理", step_title(step), names(people));
                add("tasks", text, clause, &[], true);
            }
            Effect::Nobody { step, why, clause } => {
                let why = why.as_ref().map_or_else(String::new, |why| format!("（{why}）"));
                let text = format!("{about}的“{}”找不到办理人{why}，请制度管理员处理", step_title(step));
                add("nobody", text, clause, &world.administrators(), true);
            }
            Effect::Uncounted { title, clause } => {
                let text = format!("{about}的“{title}”算不出数额，没有提出，请制度管理员核对制度");
                add("nobody", text, clause, &world.administrators(), true);
            }
            Effect::Decided { seat, verdict, comment, by_rule } => {
                let verdict = if *verdict { "同意" } else { "不同意" };
                let by = if *by_rule { "（按规定）" } else { "" };
                let comment = if comment.is_empty() { String::new() } else { format!("：{comment}") };
                add("decided", format!("{}{verdict}{by}{comment}", name(seat)), "", &[], true);
            }
            Effect::Moved { what, people, comment } => {
                let whom = if people.is_empty() { String::new() } else { format!("给{}", names(people)) };
                let comment = if comment.is_empty() { String::new() } else { format!("：{comment}") };
                add("moved", format!("{what}{whom}{comment}"), "", &[], true);
            }
            Effect::Urged { people, comment } => {
                let comment = if comment.is_empty() { String::new() } else { format!("：{comment}") };
                add("urged", format!("催办{about}{comment}"), "", people, true);
            }
            Effect::Due { deadline, due, clause, .. } => {
                let text = format!("{}：{} 前", deadline_title(deadline), minute(*due));
                add("due", text, clause, &[], true);
            }
            Effect::Dropped { deadline } => {
                add("dropped", format!("{}不再适用", deadline_title(deadline)), "", &[], true);
            }
            Effect::Met { deadline, in_time, clause, .. } => {
                let how = if *in_time { "按时完成" } else { "逾期完成" };
                add("met", format!("{}：{how}", deadline_title(deadline)), clause, &[], true);
            }
            Effect::Paused { deadline, paused } => {
                let how = if *paused { "暂停计时" } else { "恢复计时" };
                add("paused", format!("{}：{how}", deadline_title(deadline)), "", &[], true);
            }
            Effect::Warned { deadline, people, clause } => {
                let due = case.clocks.get(deadline).map_or_else(String::new, |clock| minute(clock.due));
                let text = format!("{about}的“{}”将于 {due} 到期", deadline_title(deadline));
                add("warned", text, clause, people, true);
            }
            Effect::Breached { deadline, people, clause } => {
                let due = case.clocks.get(deadline).map_or_else(String::new, |clock| minute(clock.due));
                let text = format!("{about}的“{}”已于 {due} 到期，逾期未完成", deadline_title(deadline));
                add("breached", text, clause, people, true);
            }
            Effect::Escalated { deadline, rung, people, clause } => {
                let text = format!("{about}的“{}”仍未完成（第 {rung} 级督办）", deadline_title(deadline));
                add("escalated", text, clause, people, true);
            }
            Effect::Marked { title, .. } => add("marked", format!("标记：{title}"), "", &[], true),
            Effect::Notice { people, text, clause, .. } => {
                add("notice", text.clone(), clause.as_deref().unwrap_or_default(), people, true);
            }
            Effect::Copied { people, clause } => {
                add("copied", format!("{about}抄送{}", names(people)), clause, people, true);
            }
            // Who is told of it, and how, says `penalise`.
            Effect::Penalty { penalty, whom, amount, measure, clause, .. } => {
                let title =
                    policy.penalties.iter().find(|p| p.id == *penalty).map_or("", |p| p.title.as_str());
                let text = format!("{title}：{} {}", name(whom), measure.in_chinese(*amount));
                add("penalty", text, clause, &[], true);
            }
            Effect::Open { form, .. } => {
                let title = policy.form(form).map_or(form.as_str(), |form| form.title.as_str());
                add("opens", format!("另开《{title}》"), "", &[], true);
            }
            Effect::Closed { outcome } => add("closed", format!("结束：{outcome}"), "", &[], true),
            Effect::Tasks { .. } | Effect::Emitted { .. } => {}
        }
    }
    let _ = now;
    all
}

/// The trail of a case the caller has loaded, the oldest first, at most 2,000 lines.
pub(super) fn trail_rows(conn: &mut Conn<'_>, case: CaseId) -> store::Result<Vec<Trail>> {
    conn.rows(
        "SELECT at, actor_id, kind, text, clause FROM case_trail WHERE case_id = $1 ORDER BY id LIMIT 2000",
        &[case.into()],
    )
}

struct TaskRow(CaseTask);

impl FromRow for TaskRow {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self(CaseTask {
            case: Case::from_row(row)?,
            id: row.get(WIDTH)?,
            person_id: row.get(WIDTH + 1)?,
            kind: TaskKind::named(&row.get::<String>(WIDTH + 2)?),
            step_title: row.get(WIDTH + 3)?,
            opened_at: row.get(WIDTH + 4)?,
            done_at: row.get(WIDTH + 5)?,
        }))
    }
}

/// Whose tasks an actor works off: his own, and of those he acts for.
fn people(actor: &Actor) -> String {
    selves(actor).iter().map(|person| person.0.to_string()).collect::<Vec<_>>().join(",")
}

/// What waits for the actor (待办), the most urgent first; with `done`, what he or others did of it (已办), the newest
/// first. Copies are a kind of their own (抄送我的).
pub fn tasks_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    is_copy: bool,
    done: bool,
    limit: i64,
) -> Result<Vec<CaseTask>, AppError> {
    access::require_unbarred(actor)?;
    let kind = if is_copy { "t.kind = 'copy'" } else { "t.kind <> 'copy'" };
    let (state, order) = if done {
        ("t.done_at IS NOT NULL", "t.done_at DESC, t.id DESC")
    } else {
        ("t.done_at IS NULL", "CASE WHEN k.due_at IS NULL THEN 1 ELSE 0 END, k.due_at, t.id")
    };
    let sql = format!(
        "SELECT {COLUMNS}, t.id, t.person_id, t.kind, t.step_title, t.opened_at, t.done_at
         FROM case_tasks t JOIN cases k ON k.id = t.case_id
         WHERE t.person_id IN ({}) AND {kind} AND {state} ORDER BY {order} LIMIT $1",
        people(actor)
    );
    let mut found: Vec<CaseTask> =
        conn.rows::<TaskRow>(&sql, &[limit.into()])?.into_iter().map(|row| row.0).collect();
    hide_in_cases(conn, actor, found.iter_mut().map(|task| &mut task.case))?;
    Ok(found)
}

/// Which to-dos of a person.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// What he got a copy of (抄送我的), rather than what waits for him.
    pub is_copy: bool,
    /// What is done (已办), rather than what is not.
    pub is_done: bool,
    /// Only of cases of this form.
    pub form: Option<String>,
    /// Whose number begins so, or whose subject has it.
    pub text: String,
    /// Where the page goes on.
    pub after: Option<TaskPlace>,
}

/// Where a page of to-dos goes on: by what it is ordered, and the to-do.
#[derive(Clone, Copy, Debug)]
pub struct TaskPlace(i64, CaseTaskId);

impl std::fmt::Display for TaskPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl std::str::FromStr for TaskPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        Ok(Self(at.parse().map_err(drop)?, id.parse().map_err(drop)?))
    }
}

/// A page of to-dos of the actor and of those he acts for: what waits with the next deadline first, what is done with
/// the newest first, copies with the newest first.
pub fn find_tasks(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &TaskQuery,
    limit: usize,
) -> Result<(Vec<CaseTask>, Option<TaskPlace>), AppError> {
    access::require_unbarred(actor)?;
    // Nothing due: after everything that is.
    const NEVER: i64 = i64::MAX;
    let by_due = !query.is_copy && !query.is_done;
    let at = match (query.is_copy, query.is_done) {
        (true, _) => "t.opened_at".to_owned(),
        (false, true) => "t.done_at".to_owned(),
        (false, false) => format!("COALESCE(k.due_at, {NEVER})"),
    };
    let mut conditions = vec![
        format!("t.person_id IN ({})", people(actor)),
        if query.is_copy { "t.kind = 'copy'" } else { "t.kind <> 'copy'" }.to_owned(),
    ];
    if !query.is_copy {
        conditions.push(if query.is_done { "t.done_at IS NOT NULL" } else { "t.done_at IS NULL" }.to_owned());
    }
    let mut params: Vec<store::Value<'_>> = Vec::new();
    if let Some(form) = &query.form {
        params.push(form.into());
        conditions.push(format!("k.form = ${}", params.len()));
    }
    if let Some(text) = super::list::text_of(&query.text) {
        params.push(text.into());
        conditions.push(super::list::text_condition(actor, params.len()));
    }
    if let Some(TaskPlace(place, id)) = query.after {
        params.push(place.into());
        params.push(id.into());
        let (n, m) = (params.len() - 1, params.len());
        let beyond = if by_due { ">" } else { "<" };
        conditions.push(format!("({at} {beyond} ${n} OR ({at} = ${n} AND t.id {beyond} ${m}))"));
    }
    params.push((limit as i64 + 1).into());
    let way = if by_due { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT {COLUMNS}, t.id, t.person_id, t.kind, t.step_title, t.opened_at, t.done_at
         FROM case_tasks t JOIN cases k ON k.id = t.case_id
         WHERE {} ORDER BY {at} {way}, t.id {way} LIMIT ${}",
        conditions.join(" AND "),
        params.len()
    );
    let mut found: Vec<CaseTask> =
        conn.rows::<TaskRow>(&sql, &params)?.into_iter().map(|row| row.0).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    hide_in_cases(conn, actor, found.iter_mut().map(|task| &mut task.case))?;
    let place = |task: &CaseTask| {
        let at = match (query.is_copy, query.is_done) {
            (true, _) => task.opened_at,
            (false, true) => task.done_at.unwrap_or_default(),
            (false, false) => task.case.due_at.unwrap_or(NEVER),
        };
        TaskPlace(at, task.id)
    };
    let next = if more { found.last().map(place) } else { None };
    Ok((found, next))
}

/// How many things of cases wait for the actor, counted up to 1,000.
pub fn waiting_count(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<i64> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM case_tasks WHERE person_id IN ({}) AND kind <> 'copy'
           AND done_at IS NULL LIMIT 1000) waiting",
        people(actor)
    );
    conn.count(&sql, &[])
}

/// Who has to act in a case now.
pub fn waiting_for(conn: &mut Conn<'_>, case: CaseId) -> store::Result<Vec<crate::ids::PersonId>> {
    let rows: Vec<(crate::ids::PersonId,)> = conn.rows(
        "SELECT person_id FROM case_tasks WHERE case_id = $1 AND done_at IS NULL AND kind <> 'copy' ORDER BY id",
        &[case.into()],
    )?;
    Ok(rows.into_iter().map(|(person,)| person).collect())
}
