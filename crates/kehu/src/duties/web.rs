//! 定期职责: what is to be done, what is missed, what was done, and the share by period; the missing ones as a file.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use serde_json::json;
use sheets::write::Cell;

use super::api::query_of;
use super::{ListQuery, Owed, Per, Round, Standing, list, rounds};
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::audit::web::exported;
use crate::cases::Ground;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, UnitId};
use crate::policies::web::clause_href;
use crate::web::{Choice, Need, Page, QueryData, Routes, Shell, Tab, html, table_file};

const HOME: &str = "/policies/duties";
/// Rows a page.
const PAGE: usize = 50;
/// Most rows of a file.
const MOST_ROWS: usize = 10_000;
/// Most periods that are listed.
const MOST_ROUNDS: usize = 100;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(HOME, Need::SignedIn, index).get("/policies/duties/export", Need::SignedIn, export)
}

/// Something owed, for people.
struct Line {
    title: String,
    period: String,
    clause: String,
    clause_href: String,
    subject: String,
    subject_href: String,
    unit: String,
    people: String,
    due: String,
    done: String,
    state: &'static str,
    colour: &'static str,
}

fn names(directory: &Directory, people: &[PersonId]) -> String {
    let known: Vec<&str> =
        people.iter().filter_map(|id| directory.member(*id)).map(|member| member.name.as_str()).collect();
    if known.len() > 5 {
        format!("{} …（{}）", known[..5].join("、"), known.len())
    } else {
        known.join("、")
    }
}

fn line(app: &App, l: Lang, directory: &Directory, owed: &Owed) -> Line {
    let unit = |id: UnitId| directory.unit(id).map_or_else(String::new, |unit| unit.name.clone());
    let (subject, subject_href) = match (owed.per, &owed.customer) {
        (Per::Company, _) => (l.t("公司").to_owned(), String::new()),
        (Per::Unit, _) => (unit(UnitId(owed.subject_id)), String::new()),
        (Per::Person, _) => (names(directory, &[PersonId(owed.subject_id)]), String::new()),
        (Per::Customer, Some(customer)) => {
            (customer.name().to_owned(), format!("/customers/{}", customer.id))
        }
        (Per::Customer, None) => (l.t("您不能查看的客户").to_owned(), String::new()),
    };
    let done = match (owed.done_at, owed.times) {
        (Some(at), _) => app.zone.minute(at),
        (None, 1) => String::new(),
        (None, times) => format!("{}/{times}", owed.done),
    };
    Line {
        title: owed.title.clone(),
        period: owed.period.clone(),
        clause_href: clause_href(owed.version_id, &owed.clause),
        clause: owed.clause.clone(),
        subject,
        subject_href,
        unit: owed.unit_id.map_or_else(String::new, unit),
        people: names(directory, &owed.people),
        due: app.zone.minute(owed.due_at),
        done,
        state: owed.standing.title(),
        colour: match owed.standing {
            Standing::Open => "blue",
            Standing::Done => "green",
            Standing::Late => "amber",
            Standing::Missed => "red",
        },
    }
}

/// A period, for people.
struct RoundLine {
    title: String,
    period: String,
    clause: String,
    clause_href: String,
    due: String,
    total: i64,
    done: i64,
    late: i64,
    missed: i64,
    share: String,
    target: String,
    reaches: Option<bool>,
}

fn round_line(app: &App, round: Round) -> RoundLine {
    RoundLine {
        share: round.share().map_or_else(|| "—".to_owned(), |share| format!("{share}%")),
        target: round.target.map_or_else(String::new, |target| format!("{}%", (target * 100.0).round())),
        reaches: round.reaches().filter(|reaches| round.is_closed || *reaches),
        clause_href: clause_href(round.version_id, &round.clause),
        due: app.zone.minute(round.due_at),
        title: round.title,
        period: round.period,
        clause: round.clause,
        total: round.total,
        done: round.done,
        late: round.late,
        missed: round.missed,
    }
}

#[derive(Template)]
#[template(path = "duties/index.html")]
struct DutiesPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    tab: &'static str,
    policy: String,
    clause: String,
    duties: Vec<Choice>,
    duty: String,
    units: Vec<Choice>,
    unit: String,
    people: Vec<Choice>,
    person: String,
    lines: Vec<Line>,
    rounds: Vec<RoundLine>,
    next: String,
    export: String,
}

const TABS: [(&str, &str); 4] =
    [("open", "待完成"), ("missed", "已逾期"), ("done", "已完成"), ("rounds", "达成率")];

/// The choice of a duty is `policy/duty`: duties of two regulations may have one name.
fn read(asked: &QueryData) -> Result<(&'static str, ListQuery), AppError> {
    let tab = TABS.iter().find(|(code, _)| *code == asked.get("tab")).map_or("open", |(code, _)| code);
    let mut query = if tab == "rounds" { query_of(asked, "state")? } else { query_of(asked, "tab")? };
    if let Some((policy, duty)) = asked.get("duty").split_once('/') {
        (query.policy, query.duty) = (policy.to_owned(), duty.to_owned());
    }
    Ok((tab, query))
}

async fn index(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (tab, mut query) = read(&asked)?;
    query.limit = PAGE;
    let ground = Ground::of(&app).await?;
    let directory = ground.directory.clone();
    let (me, of) = (actor.clone(), query.clone());
    let (found, next, periods, duties, doers) = app
        .db
        .read(move |conn| {
            let (mut found, mut next, mut periods) = (Vec::new(), None, Vec::new());
            if tab == "rounds" {
                periods = rounds(conn, &me, &ground, (&of.policy, &of.duty), MOST_ROUNDS)?;
            } else {
                (found, next) = list(conn, &me, &ground, &of)?;
            }
            let duties: Vec<(String, String, String)> = conn.rows(
                "SELECT DISTINCT policy, duty, title FROM duty_rounds ORDER BY policy, duty LIMIT 300",
                &[],
            )?;
            let doers: Vec<(PersonId,)> = conn
                .rows("SELECT DISTINCT person_id FROM duty_team_people ORDER BY person_id LIMIT 1000", &[])?;
            Ok::<_, AppError>((found, next, periods, duties, doers))
        })
        .await?;
    let here = |changes: &[(&str, &str)]| format!("{HOME}?{}", asked.with(changes));
    let choice = |value: String, label: String| Choice { value, label };
    let mut units: Vec<Choice> = directory
        .units()
        .filter(|unit| !unit.is_closed)
        .map(|unit| choice(unit.id.to_string(), unit.name.clone()))
        .collect();
    units.sort_by(|a, b| a.label.cmp(&b.label));
    let people = doers
        .iter()
        .filter_map(|(id,)| Some(choice(id.to_string(), directory.member(*id)?.name.clone())))
        .collect();
    html(&DutiesPage {
        l,
        shell: page.shell(&[("制度", "/policies"), ("定期职责", "")]),
        tabs: TABS
            .iter()
            .map(|(code, title)| Tab {
                title: l.t(title).to_owned(),
                href: here(&[("tab", code), ("after", "")]),
                active: *code == tab,
                count: None,
            })
            .collect(),
        tab,
        duties: duties
            .into_iter()
            .map(|(policy, duty, title)| choice(format!("{policy}/{duty}"), title))
            .collect(),
        duty: if query.duty.is_empty() { String::new() } else { format!("{}/{}", query.policy, query.duty) },
        policy: query.policy,
        clause: query.clause,
        units,
        unit: asked.get("unit_id").to_owned(),
        people,
        person: asked.get("person_id").to_owned(),
        lines: found.iter().map(|owed| line(&app, l, &directory, owed)).collect(),
        rounds: periods.into_iter().map(|round| round_line(&app, round)).collect(),
        next: next.map_or_else(String::new, |next| here(&[("after", &next)])),
        export: format!("{HOME}/export?{}", asked.with(&[("after", "")])),
    })
}

async fn export(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (tab, mut query) = read(&asked)?;
    query.limit = MOST_ROWS;
    let ground = Ground::of(&app).await?;
    let directory = ground.directory.clone();
    let me = actor.clone();
    let (found, _) = app.db.read(move |conn| list(conn, &me, &ground, &query)).await?;
    let what = json!({ "asked": asked.with(&[]), "rows": found.len() });
    exported(&app, &actor, ("duty.exported", "duty", 0), what).await?;
    let lines: Vec<Line> = found.iter().map(|owed| line(&app, l, &directory, owed)).collect();
    let rows: Vec<Vec<Cell<'_>>> = lines
        .iter()
        .map(|line| {
            let state = l.t(line.state);
            [&line.title, &line.period, &line.subject, &line.unit, &line.people, &line.due, &line.done]
                .into_iter()
                .map(String::as_str)
                .chain([state, line.clause.as_str()])
                .map(|text| Cell::Text(text.into()))
                .collect()
        })
        .collect();
    let titles = ["职责", "期间", "对象", "部门", "责任人", "到期", "完成", "状态", "条款"];
    let format = if asked.get("format").is_empty() { "xlsx" } else { asked.get("format") };
    let name = format!("duties-{tab}-{}", app.today());
    table_file(format, &name, titles.map(|title| l.t(title).to_owned()).to_vec(), &rows)
}
