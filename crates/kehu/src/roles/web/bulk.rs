//! Giving or taking one role for many people at once: chosen by unit, post or name; each stands for himself, so that
//! one refusal does not stop the others.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::person::{given, giving};
use super::{choice, role_choices, tabs, unit_choices};
use crate::access::Actor;
use crate::app::{App, to_the_end};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, UnitId};
use crate::input::LONGEST_QUERY;
use crate::org;
use crate::roles::{give, post_title, posts, take};
use crate::web::{Choice, FormData, Granter, Page, QueryData, Shell, Tab, html, note_denial};

/// People shown and changed at once at the most.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "roles/bulk.html")]
struct BulkPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    asked: FormData,
    units: Vec<Choice>,
    posts: Vec<Choice>,
    roles: Vec<Choice>,
    rows: Vec<Row>,
    more: usize,
    outcome: Option<Outcome>,
}

struct Row {
    id: PersonId,
    name: String,
    unit: String,
    posts: String,
    roles: String,
    is_chosen: bool,
}

struct Outcome {
    done: usize,
    failed: Vec<(String, String)>,
}

impl Outcome {
    fn kind(&self) -> &'static str {
        if self.failed.is_empty() { "good" } else { "warn" }
    }
}

async fn page_of(
    app: &App,
    page: &Page,
    asked: FormData,
    outcome: Option<Outcome>,
) -> Result<BulkPage, AppError> {
    let l = page.l;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let day = app.today().to_string();
    let everybody = app.db.read(org::list_people).await?;
    let tree = asked.get("in_unit").parse::<UnitId>().ok().map(|unit| directory.tree(unit));
    let (q, post) = (asked.cut("q", LONGEST_QUERY), asked.get("post"));
    let chosen = asked.all("person");
    let found: Vec<Row> = everybody
        .into_iter()
        .filter(|p| p.is_active && (q.is_empty() || p.is_meant_by(q)))
        .filter_map(|p| {
            let held = directory.positions(p.id, &day);
            if tree.as_ref().is_some_and(|tree| !held.iter().any(|h| tree.contains(&h.unit_id))) {
                return None;
            }
            if !post.is_empty() && !held.iter().any(|h| h.post == post) {
                return None;
            }
            let separator = l.t("、");
            let mut roles: Vec<String> = Vec::new();
            for held in directory.own_roles(p.id, &day) {
                let name = l.t(&held.role.name).to_owned();
                if !roles.contains(&name) {
                    roles.push(name);
                }
            }
            let posts: Vec<&str> = held.iter().map(|h| post_title(&catalogue, &h.post, l)).collect();
            let unit = held.first().and_then(|h| directory.unit(h.unit_id));
            let id = p.id.to_string();
            Some(Row {
                is_chosen: chosen.contains(&id.as_str()),
                id: p.id,
                name: p.name,
                unit: unit.map_or_else(String::new, |u| u.name.clone()),
                posts: posts.join(separator),
                roles: roles.join(separator),
            })
        })
        .collect();
    let more = found.len().saturating_sub(MOST);
    let posts = posts(&directory, &catalogue, &day, l);
    Ok(BulkPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("批量授权", "")]),
        tabs: tabs(l, "/admin/role-grants"),
        units: unit_choices(&directory),
        posts: posts.iter().map(|(code, title)| choice(code, title)).collect(),
        roles: role_choices(&directory, l),
        rows: found.into_iter().take(MOST).collect(),
        more,
        asked,
        outcome,
    })
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    html(&page_of(&app, &page, asked, None).await?)
}

pub(super) async fn run(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let l = page.l;
    let mut people: Vec<PersonId> =
        form.all("person").iter().filter_map(|id| id.parse().ok()).take(MOST).collect();
    people.sort_unstable();
    people.dedup();
    let mut status = StatusCode::OK;
    let outcome = if people.is_empty() {
        status = StatusCode::UNPROCESSABLE_ENTITY;
        Outcome { done: 0, failed: vec![(String::new(), l.t("请先勾选人员").to_owned())] }
    } else {
        // Whoever closes the page has begun it all the same: it is done for everybody.
        to_the_end(carry_out(app.clone(), actor, people, form.clone(), l)).await?
    };
    let asked = FormData(
        form.0.into_iter().filter(|(name, _)| !outcome.failed.is_empty() || name != "person").collect(),
    );
    let again = page_of(&app, &page, asked, Some(outcome)).await?;
    Ok((status, html(&again)?).into_response())
}

/// Gives or takes for each, a write each: what one person may not have must not keep it from the others.
async fn carry_out(
    app: App,
    actor: Actor,
    people: Vec<PersonId>,
    form: FormData,
    l: Lang,
) -> Result<Outcome, AppError> {
    let names = app.db.read(org::person_names).await?;
    let gives = form.get("act") != "take";
    let mut outcome = Outcome { done: 0, failed: Vec::new() };
    for person in people {
        let by = actor.clone();
        let (actor, now) = (actor.clone(), app.now());
        let done = if gives {
            match giving(&form, person) {
                Ok(giving) => app.db.write(move |tx| give(tx, &actor, &giving, now)).await,
                Err(error) => Err(error),
            }
        } else {
            match given(&form, person) {
                Ok(given) => app.db.write(move |tx| take(tx, &actor, given, now)).await,
                Err(error) => Err(error),
            }
        };
        match done {
            Ok(()) => outcome.done += 1,
            Err(error) => {
                note_denial(&app, &by, &error, "/admin/role-grants").await;
                let name = names.get(&person).cloned().unwrap_or_else(|| person.to_string());
                outcome.failed.push((name, why_not(error, gives, l)?));
            }
        }
    }
    app.forget_sessions();
    Ok(outcome)
}

/// Why it did not work for one person; what is no refusal stops everything.
fn why_not(error: AppError, gives: bool, l: Lang) -> Result<String, AppError> {
    match error {
        AppError::Invalid(errors) => Ok(errors.first().map_or_else(String::new, |e| e.text.to(l))),
        AppError::NotFound if !gives => Ok(l.t("没有直接授予这个角色").to_owned()),
        AppError::Conflict(_) | AppError::Forbidden(_) | AppError::NotFound => Ok(error.title().to(l)),
        other => Err(other),
    }
}
