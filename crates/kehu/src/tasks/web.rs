//! The page of tasks with its one-click acts, and the API's list.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::ToSpan;
use serde_json::{Value as Json, json};

use super::load::{Counts, Reason, Task, counts, list};
use crate::access::Actor;
use crate::activities;
use crate::app::App;
use crate::assignments;
use crate::assignments::Ground;
use crate::assignments::web::{Line, Lines};
use crate::cases;
use crate::clock::rfc3339;
use crate::customers::{self, Draft, Field};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{ActivityId, CustomerId};
use crate::penalties;
use crate::rosters;
use crate::search::web::pill;
use crate::text;
use crate::web::api::{json_reply, limit, page_of};
use crate::web::{FormData, Need, Page, QueryData, Routes, Shell, Tab, html, redirect, toast};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/tasks", Need::SignedIn, show_tasks)
        .post("/tasks/customers/{id}/next-contact", Need::SignedIn, plan_contact)
        .post("/tasks/needs/{id}/done", Need::SignedIn, finish_need)
        .post("/tasks/needs/{id}/reopen", Need::SignedIn, reopen_need)
        .api(Need::SignedIn, utoipa_axum::routes!(list_tasks))
}

/// Rows the page shows; the rest follows when these are done.
const SHOWN: usize = 100;

/// One row of the page.
struct Row {
    task: Task,
    class: String,
    class_colour: &'static str,
    last_activity: String,
    happened: String,
    days_late: i64,
    missing: String,
}

#[derive(Template)]
#[template(path = "tasks/index.html", blocks = ["list"])]
struct TasksPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    reason: Reason,
    rows: Vec<Row>,
    /// What colleagues gave, for `Reason::Assigned`.
    given: Vec<Line>,
    total: i64,
    /// What waits of rosters; it has a page of its own.
    duty: i64,
    /// What waits in cases; they have a page of their own.
    cases: i64,
    /// Penalties that wait for a decision; they have a page of their own.
    penalties: i64,
}

async fn show_tasks(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let is_part = page.is_htmx && page.target.contains("list");
    let tasks = load_page(&app, &actor, page, Reason::named(query.get("tab"))).await?;
    if is_part { html(&tasks.as_list()) } else { html(&tasks) }
}

/// The page with one tab open: the one asked for, else the first that has something in it.
async fn load_page(
    app: &App,
    actor: &Actor,
    page: Page,
    wanted: Option<Reason>,
) -> Result<TasksPage, AppError> {
    let (l, today) = (page.l, app.today());
    let (catalogue, ground) = (app.catalogue().await?, Ground::of(app).await?);
    let (found, counts, reason, (duty, cases, penalties), given, shown) = {
        let (actor, today, now) = (actor.clone(), today.to_string(), app.now());
        app.db
            .read(move |conn| {
                let counts = counts(conn, &actor, &today)?;
                let elsewhere = (
                    rosters::waiting(conn, &actor, now)?,
                    cases::waiting_count(conn, &actor)?,
                    penalties::waiting_count(conn, &actor)?,
                );
                let first = || Reason::ALL.into_iter().find(|r| counts.of(*r) > 0).unwrap_or(Reason::Today);
                let reason = wanted.unwrap_or_else(first);
                let given = match reason {
                    Reason::Assigned => assignments::waiting(conn, &actor, &today, SHOWN)?,
                    _ => Vec::new(),
                };
                let shown = customers::shown(conn, &actor, given.iter().filter_map(|t| t.customer_id))?;
                let found = list(conn, &actor, reason, &today, SHOWN)?;
                Ok::<_, AppError>((found, counts, reason, elsewhere, given, shown))
            })
            .await?
    };
    let classes = catalogue.dictionary("customer_class");
    let rows = found
        .into_iter()
        .map(|task| Row {
            class: classes.title(&task.class, l).to_owned(),
            class_colour: classes.entry(&task.class).map_or("", |e| pill(&e.colour)),
            last_activity: task.last_activity_at.map(|at| app.zone.date(at).to_string()).unwrap_or_default(),
            happened: task
                .need
                .as_ref()
                .map(|n| app.zone.date(n.happened_at).to_string())
                .unwrap_or_default(),
            days_late: task.due_on.parse::<jiff::civil::Date>().map_or(0, |due| days_between(due, today)),
            missing: task.missing.iter().map(|m| l.t(m)).collect::<Vec<_>>().join(l.t("、")),
            task,
        })
        .collect();
    Ok(TasksPage {
        l,
        shell: page.shell(&[("工作台", "/"), ("待办", "/tasks")]),
        tabs: tabs(l, reason, counts),
        duty,
        cases,
        penalties,
        reason,
        rows,
        given: Lines { app, catalogue: &catalogue, ground: &ground, actor, shown: &shown, l }.of(given),
        total: counts.of(reason),
    })
}

fn days_between(from: jiff::civil::Date, to: jiff::civil::Date) -> i64 {
    to.since(from).map_or(0, |span| i64::from(span.get_days()))
}

fn tabs(l: Lang, open: Reason, counts: Counts) -> Vec<Tab> {
    Reason::ALL
        .into_iter()
        .map(|reason| Tab {
            title: l.t(reason.title()).to_owned(),
            href: format!("/tasks?tab={}", reason.code()),
            active: reason == open,
            count: Some(counts.of(reason)),
        })
        .collect()
}

/// Plans the next contact of a customer: `days` from today, or on a `date`. `days=0` with no date takes the plan away.
async fn plan_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<CustomerId>,
    form: FormData,
) -> Result<Response, AppError> {
    let date = match (form.get("date"), form.get("days")) {
        ("", "" | "0") => String::new(),
        ("", days) => {
            let days: i64 = days
                .parse()
                .ok()
                .filter(|d| (1..=3650).contains(d))
                .ok_or_else(|| AppError::field("days", text!("请选择 1–3650 天之后的日期")))?;
            app.today().saturating_add(days.days()).to_string()
        }
        (date, _) => date.to_owned(),
    };
    let mut draft = Draft::default();
    draft.fields.insert(Field::NextContactOn, date);
    let (catalogue, now, by) = (app.catalogue().await?, app.now(), actor.clone());
    let changed =
        app.db.write(move |tx| customers::update(tx, &by, &catalogue, id, None, &draft, now)).await?;
    let (l, planned) = (page.l, changed.get(Field::NextContactOn));
    let said = if planned.is_empty() {
        l.t("已取消下次联系日期").to_owned()
    } else {
        l.f("下次联系日期已改为 {}", &[&planned])
    };
    let tab = Reason::named(form.get("tab"));
    if !page.is_htmx {
        let back = tab.map_or_else(|| "/tasks".to_owned(), |t| format!("/tasks?tab={}", t.code()));
        return Ok(redirect(false, &back));
    }
    let tasks = load_page(&app, &actor, page, tab).await?;
    Ok(toast(html(&tasks.as_list())?, &said, None))
}

async fn finish_need(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<ActivityId>,
) -> Result<Response, AppError> {
    mark_need(&app, &actor, id, true).await?;
    if !page.is_htmx {
        return Ok(redirect(false, "/tasks?tab=needs"));
    }
    let l = page.l;
    let tasks = load_page(&app, &actor, page, Some(Reason::Need)).await?;
    Ok(toast(html(&tasks.as_list())?, l.t("已办结"), Some(&format!("/tasks/needs/{id}/reopen"))))
}

async fn reopen_need(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<ActivityId>,
) -> Result<Response, AppError> {
    mark_need(&app, &actor, id, false).await?;
    Ok(redirect(page.is_htmx, "/tasks?tab=needs"))
}

/// Notes that a need was met, or that it was not after all.
async fn mark_need(app: &App, actor: &Actor, id: ActivityId, is_done: bool) -> Result<(), AppError> {
    let (catalogue, now, actor) = (app.catalogue().await?, app.now(), actor.clone());
    let draft = activities::Draft { is_done: Some(is_done), ..activities::Draft::default() };
    app.db.write(move |tx| activities::update(tx, &actor, &catalogue, id, None, &draft, now).map(drop)).await
}

/// What waits for the token's person: `today` and `overdue` (customers to contact), `needs` (open needs), `dossiers`
/// (incomplete dossiers), of the customers he owns. The oldest come first. With `reason=assignments` the tasks
/// colleagues gave him or his unit, and his own that were returned, as `/api/v1/assignments` shows them; while he acts
/// for somebody, also that one's (`acting_for`).
#[utoipa::path(
    get,
    path = "/api/v1/tasks",
    tag = "tasks",
    params(
        ("reason" = Option<String>, Query, pattern = "^(assignments|today|overdue|needs|dossiers)?$", description = "assignments, today, overdue, needs or dossiers; today, overdue and needs when absent"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "Tasks of each reason at the most, 50 when absent"),
    ),
    responses(
        (status = 200, description = "The tasks and how many there are by reason", body = serde_json::Value, example = json!({
            "items": [{
                "reason": "today", "customer": { "id": "01kbp2w4n7q3x", "number": "KH000123", "name": "张三" },
                "due_on": "2026-09-28", "missing": [], "need": null
            }],
            "next": null,
            "counts": { "assignments": 2, "today": 1, "overdue": 0, "needs": 0, "dossiers": 3 }
        })),
        (status = 401, description = "No valid token"),
        (status = 422, description = "reason or limit is not one of those offered"),
        (status = 503, description = "Too busy, try again"),
    )
)]
async fn list_tasks(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let reasons = match query.get("reason") {
        "" => vec![Reason::Today, Reason::Overdue, Reason::Need],
        code => vec![Reason::named(code).ok_or_else(|| {
            AppError::field("reason", text!("reason 只能是 assignments、today、overdue、needs 或 dossiers"))
        })?],
    };
    let (limit, today, ground) =
        (limit(query.find("limit"))?, app.today().to_string(), Ground::of(&app).await?);
    let (items, counts) = app
        .db
        .read(move |conn| {
            let mut items = Vec::new();
            for reason in &reasons {
                if *reason == Reason::Assigned {
                    let given = assignments::waiting(conn, &actor, &today, limit)?;
                    items.extend(assignments::api::told(conn, &actor, &ground, &given)?);
                }
                items.extend(list(conn, &actor, *reason, &today, limit)?.iter().map(json_of));
            }
            Ok::<_, AppError>((items, counts(conn, &actor, &today)?))
        })
        .await?;
    let mut body = page_of(items, None, None);
    body["counts"] = Reason::ALL.into_iter().map(|r| (r.code().to_owned(), json!(counts.of(r)))).collect();
    Ok(json_reply(&body))
}

fn json_of(task: &Task) -> Json {
    let need = task.need.as_ref().map(|need| {
        json!({ "id": need.id, "subject": need.subject, "body": need.body, "happened_at": rfc3339(need.happened_at) })
    });
    json!({
        "reason": task.reason.code(),
        "customer": { "id": task.customer_id, "number": task.number, "name": task.name },
        "due_on": if task.due_on.is_empty() { Json::Null } else { json!(task.due_on) },
        "missing": task.missing,
        "need": need,
    })
}
