//! A task: the same card in the drawer beside the list and on a page of its own, with what its reader may do.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use store::Tx;

use super::form::{due_of, target_shown, to_of};
use super::{HOME, Line, Lines};
use crate::access::Actor;
use crate::app::App;
use crate::assignments::model::{Again, Assignment, Ground, State};
use crate::assignments::{Step, find, finish, give_again, right_of, send_back, steps, take, withdraw};
use crate::catalogue::Catalogue;
use crate::contacts::api_parts::path_id;
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::AssignmentId;
use crate::org::POSTS;
use crate::org::web::part_or_page;
use crate::processes::{self, Duty};
use crate::web::{FormData, FormErrors, Page, Shell, flash, redirect, toast, trigger};

#[derive(Template)]
#[template(path = "assignments/show.html", blocks = ["card"])]
struct Card {
    l: Lang,
    shell: Shell,
    path: String,
    line: Line,
    state: State,
    body: String,
    reply: String,
    /// Title and value of what is known beyond the line.
    facts: Vec<(&'static str, String)>,
    steps: Vec<Passed>,
    may_take: bool,
    may_finish: bool,
    may_return: bool,
    may_steer: bool,
    /// Which form was refused: `closure`, `return`, `reassignment` …
    of_form: &'static str,
    form: FormData,
    to_shown: String,
    errors: FormErrors,
}

struct Passed {
    icon: &'static str,
    colour: &'static str,
    title: String,
    by: String,
    at: String,
    note: String,
}

impl Card {
    fn value(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.form.get(name) } else { "" }
    }

    fn error(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.errors.of(name) } else { "" }
    }

    /// What is wrong besides the fields of a form.
    fn besides(&self, form: &str) -> Vec<&str> {
        if self.of_form == form {
            self.errors.besides(&["reply", "reason", "to", "due", "note"])
        } else {
            Vec::new()
        }
    }

    fn is_refused(&self, form: &str) -> bool {
        self.of_form == form
    }
}

fn passed(step: Step, app: &App, catalogue: &Catalogue, l: Lang) -> Passed {
    let post = catalogue.dictionary(POSTS).title(&step.post, l).to_owned();
    let to = [step.receiver, step.unit, post].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let (icon, colour, title) = match step.kind.as_str() {
        "given" => ("send", "blue", l.f("交办给 {}", &[&to])),
        "given_again" => ("send", "blue", l.f("改交给 {}", &[&to])),
        "handed_over" => ("transfer", "blue", l.f("移交给 {}", &[&to])),
        "giver_changed" => ("transfer", "", l.f("交办人改为 {}", &[&to])),
        "taken" => ("clipboard-check", "blue", l.t("领取").to_owned()),
        "done" => ("check", "green", l.t("办结").to_owned()),
        "returned" => ("arrow-back-up", "amber", l.t("退回").to_owned()),
        "withdrawn" => ("x", "", l.t("撤回").to_owned()),
        "changed" => ("edit", "", l.t("修改").to_owned()),
        other => ("note", "", other.to_owned()),
    };
    let by = if step.acting_for.is_empty() {
        step.by
    } else {
        l.f("{}（代 {}）", &[&step.by, &step.acting_for])
    };
    Passed { icon, colour, title, by, at: app.zone.minute(step.at), note: step.note }
}

async fn card(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: AssignmentId,
    refused: Option<(&'static str, FormData, FormErrors)>,
) -> Result<Card, AppError> {
    let (l, ground, catalogue) = (page.l, Ground::of(app).await?, app.catalogue().await?);
    let (me, of) = (actor.clone(), ground.clone());
    let (task, shown, steps, right, process) = app
        .db
        .read(move |conn| {
            let task = find(conn, &me, &of, id)?;
            let shown = customers::shown(conn, &me, task.customer_id)?;
            let process = match task.process_id.map(|id| processes::load(conn, id)) {
                None | Some(Err(AppError::NotFound)) => None,
                Some(found) => Some(found?),
            };
            let right = right_of(conn, id, of.now)?;
            Ok::<_, AppError>((task, shown, steps(conn, id)?, right, process))
        })
        .await?;
    let sight = ground.sight(actor);
    let is_his = task.state.is_waiting() && task.receiver_id.is_some_and(|id| actor.stands_for(id));
    let mut facts = vec![("交办人", task.giver.clone()), ("交办时间", app.zone.minute(task.given_at))];
    if let Some(process) = &process {
        facts.push(("流程", process.title.clone()));
        for (title, duty) in [
            ("批准（A）", Duty::Accountable),
            ("可咨询（C）", Duty::Consulted),
            ("知会（I）", Duty::Informed),
        ] {
            facts.push((title, process.names(duty, &ground.directory, &catalogue, l)));
        }
    } else if !task.process.is_empty() {
        facts.push(("流程", task.process.clone()));
    }
    if task.customer_id.is_some() {
        facts.push(("客户权限", right_words(app, &ground, &task, right, l)));
    }
    facts.retain(|(_, value)| !value.is_empty());
    let (of_form, form, errors) = refused.unwrap_or_default();
    let lines = Lines { app, catalogue: &catalogue, ground: &ground, actor, shown: &shown, l };
    Ok(Card {
        l,
        shell: page.shell(&[("交办", HOME), (&task.title, "")]),
        path: format!("{HOME}/{id}"),
        state: task.state,
        body: task.body.clone(),
        reply: task.reply.clone(),
        facts,
        steps: steps.into_iter().map(|s| passed(s, app, &catalogue, l)).collect(),
        may_take: sight.taker(&task).is_some(),
        may_finish: is_his,
        may_return: is_his || sight.head(&task).is_some(),
        may_steer: !task.state.is_over() && (actor.stands_for(task.giver_id) || actor.is_administrator()),
        line: lines.line(task, &sight),
        to_shown: target_shown(&ground.directory, form.get("to")),
        of_form,
        form,
        errors,
    })
}

/// What the task lets its receiver do with the customer, and until when.
fn right_words(app: &App, ground: &Ground, task: &Assignment, right: Option<i64>, l: Lang) -> String {
    let Some(bundle) = task.role_id.and_then(|id| ground.directory.role(id)) else {
        return l.t("不授权：办理人按自己的角色查看").to_owned();
    };
    let name = l.t(&bundle.name);
    match (right, task.state.is_waiting(), task.receiver_id) {
        (Some(until), ..) => l.f("{}，至 {}；办结、退回或撤回时立即结束", &[&name, &app.zone.minute(until)]),
        (None, true, None) => l.f("{}，领取时生效", &[&name]),
        (None, true, Some(_)) => {
            l.t("没有生效：已过期，或办理人本来就负责这个客户，或交办人无权授权").to_owned()
        }
        (None, false, _) => l.f("{}，已结束", &[&name]),
    }
}

fn answer(card: &Card, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
    Ok((status, part_or_page(is_part, card.as_card(), card)?).into_response())
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let shown = card(&app, &actor, &page, path_id(&id)?, None).await?;
    answer(&shown, page.is_partial, StatusCode::OK)
}

/// Does something with a task and shows it as it then is; a refusal stands at its form.
async fn act(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: AssignmentId,
    (name, said): (&'static str, &str),
    form: FormData,
    body: impl Fn(&mut Tx<'_>, &Actor, &Ground) -> Result<Assignment, AppError> + Send + 'static,
) -> Result<Response, AppError> {
    let (by, ground) = (actor.clone(), Ground::of(app).await?);
    let done = app.db.write(move |tx| body(tx, &by, &ground)).await;
    app.forget_sessions();
    finish_act(app, page, id, (name, said), form, done.map(drop)).await
}

async fn finish_act(
    app: &App,
    page: &Page,
    id: AssignmentId,
    (name, said): (&'static str, &str),
    form: FormData,
    done: Result<(), AppError>,
) -> Result<Response, AppError> {
    // His rights may be others now.
    let actor = page.actor.clone().ok_or(AppError::NotSignedIn)?;
    let actor = app.actor_for(actor.person_id, actor.via).await?.unwrap_or(actor);
    match done {
        Ok(()) if !page.is_htmx => Ok(flash(redirect(false, &format!("{HOME}/{id}")), page.l.t(said))),
        Ok(()) => {
            let shown = card(app, &actor, page, id, None).await?;
            let response = toast(answer(&shown, true, StatusCode::OK)?, page.l.t(said), None);
            Ok(trigger(response, "refreshList", json!({})))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let shown = card(app, &actor, page, id, Some((name, form, errors))).await?;
            answer(&shown, page.is_htmx, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn claim(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    act(&app, &actor, &page, id, ("claim", "已领取"), form, move |tx, by, ground| take(tx, by, ground, id))
        .await
}

pub(super) async fn close(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let reply = form.get("reply").to_owned();
    act(
        &app,
        &actor,
        &page,
        id,
        ("closure", "已办结，结果已答复交办人"),
        form,
        move |tx, by, ground| finish(tx, by, ground, id, &reply),
    )
    .await
}

pub(super) async fn give_back(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let reason = form.get("reason").to_owned();
    act(&app, &actor, &page, id, ("return", "已退回给交办人"), form, move |tx, by, ground| {
        send_back(tx, by, ground, id, &reason)
    })
    .await
}

pub(super) async fn withdraw_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let reason = form.get("reason").to_owned();
    act(&app, &actor, &page, id, ("withdrawal", "已撤回"), form, move |tx, by, ground| {
        withdraw(tx, by, ground, id, &reason)
    })
    .await
}

pub(super) async fn reassign(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let due = due_of(&form);
    let due = Some(due).filter(|due| !due.trim().is_empty());
    let told = ("reassignment", "已改交");
    match to_of(&form) {
        Ok(to) => {
            let again = Again { to, due, note: form.get("note").to_owned() };
            act(&app, &actor, &page, id, told, form, move |tx, by, ground| {
                give_again(tx, by, ground, id, &again)
            })
            .await
        }
        // Whoever may not know the task finds out nothing: the card is shown only to those who may.
        Err(error) => finish_act(&app, &page, id, told, form, Err(error)).await,
    }
}
