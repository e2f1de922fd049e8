//! The register: who is in it, putting people in and taking them out, the switch, and the file.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sheets::write::Cell;

use super::HOME;
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::audit::web::exported;
use crate::catalogue::Catalogue;
use crate::confidentiality::register::people_in;
use crate::confidentiality::{
    self, Entry, RegisterQuery, State as HandlerState, list, register, set_rules, text_in_force,
};
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{HandlerId, PersonId, UnitId};
use crate::org::{HANDLERS, HandlerRules};
use crate::roles::post_title;
use crate::settings;
use crate::text;
use crate::web::{
    Administrator, Choice, FormData, FormErrors, Granter, Page, QueryData, Shell, flash, html, redirect,
    table_file,
};

/// Rows a page.
const SHOWN: usize = 100;
/// Rows of a file at the most.
const MOST_ROWS: usize = 20_000;

#[derive(Template)]
#[template(path = "confidentiality/register.html")]
struct RegisterPage {
    l: Lang,
    shell: Shell,
    rules: HandlerRules,
    may_set: bool,
    /// The version in force; 0 before there is one.
    version: i64,
    asked: FormData,
    query: String,
    states: Vec<Choice>,
    units: Vec<Choice>,
    rows: Vec<Row>,
    total: i64,
    next: String,
    form: FormData,
    shown: String,
    errors: FormErrors,
}

struct Row {
    id: HandlerId,
    person_id: PersonId,
    person: String,
    is_active: bool,
    unit: String,
    posts: String,
    note: String,
    registered: String,
    ended: String,
    signed: String,
    state: String,
    colour: &'static str,
}

fn state_words(state: HandlerState, l: Lang) -> (String, &'static str) {
    match state {
        HandlerState::Signed => (l.t("已签署").to_owned(), "green"),
        HandlerState::Waiting => (l.t("待签署").to_owned(), "amber"),
        HandlerState::Ended => (l.t("已移出").to_owned(), ""),
    }
}

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned() }
}

fn wanted(asked: &FormData, directory: &Directory) -> RegisterQuery {
    let unit = asked.get("in_unit").parse::<UnitId>().ok();
    RegisterQuery {
        q: asked.get("q").chars().filter(|c| !c.is_control()).take(40).collect(),
        units: unit.map_or_else(Vec::new, |unit| directory.tree(unit)),
        state: HandlerState::named(asked.get("state")),
        after: asked.get("after").parse().ok(),
    }
}

/// Main unit and posts of a person today.
fn place(
    directory: &Directory,
    catalogue: &Catalogue,
    person: PersonId,
    day: &str,
    l: Lang,
) -> (String, String) {
    let held = directory.positions(person, day);
    let unit = held.first().map_or_else(String::new, |p| directory.path(p.unit_id));
    let posts: Vec<&str> = held.iter().map(|p| post_title(catalogue, &p.post, l)).collect();
    (unit, posts.join(l.t("、")))
}

fn at_by(app: &App, at: i64, by: &str) -> String {
    format!("{} {by}", app.zone.minute(at)).trim_end().to_owned()
}

fn signed_words(app: &App, entry: &Entry, l: Lang) -> String {
    match entry.signed_at {
        Some(at) => l.f("第 {} 版，{}", &[&entry.signed_version, &app.zone.minute(at)]),
        None => String::new(),
    }
}

async fn page_of(
    app: &App,
    actor: &Actor,
    page: &Page,
    asked: FormData,
    form: FormData,
    errors: FormErrors,
) -> Result<RegisterPage, AppError> {
    let l = page.l;
    let (directory, catalogue, day) =
        (app.directory().await?, app.catalogue().await?, app.today().to_string());
    let (query, me, on) = (wanted(&asked, &directory), actor.clone(), day.clone());
    let (rules, text, (mut entries, total)) = app
        .db
        .read(move |conn| {
            let rules: HandlerRules = settings::get(conn, HANDLERS)?;
            Ok::<_, AppError>((rules, text_in_force(conn)?, list(conn, &me, &query, &on, SHOWN + 1)?))
        })
        .await?;
    let has_more = entries.len() > SHOWN;
    entries.truncate(SHOWN);
    let next = entries.last().filter(|_| has_more).map_or_else(String::new, |entry| {
        format!("{HOME}?{}", asked.with(&[("after", &entry.id.to_string())]))
    });
    let version = text.map_or(0, |text| text.version);
    let row = |entry: Entry| {
        let (unit, posts) = place(&directory, &catalogue, entry.person_id, &day, l);
        let (state, colour) = state_words(entry.state(version), l);
        Row {
            id: entry.id,
            person_id: entry.person_id,
            unit,
            posts,
            registered: at_by(app, entry.registered_at, &entry.registered_by),
            ended: entry.ended_at.map_or_else(String::new, |at| at_by(app, at, &entry.ended_by)),
            signed: signed_words(app, &entry, l),
            state,
            colour,
            person: entry.person,
            is_active: entry.is_active,
            note: entry.note,
        }
    };
    let shown = form.get("person_id").parse().ok().and_then(|id| directory.member(id));
    Ok(RegisterPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("客户信息人员", "")]),
        rules,
        may_set: actor.is_administrator(),
        version,
        query: asked.with(&[("after", "")]),
        states: [HandlerState::Signed, HandlerState::Waiting, HandlerState::Ended]
            .map(|state| choice(state.code(), &state_words(state, l).0))
            .into(),
        units: unit_choices(&directory),
        rows: entries.into_iter().map(row).collect(),
        total,
        next,
        shown: shown.map_or_else(String::new, |member| member.name.clone()),
        asked,
        form,
        errors,
    })
}

/// Every open unit by its path.
fn unit_choices(directory: &Directory) -> Vec<Choice> {
    let open = directory.units().filter(|u| !u.is_closed);
    let mut all: Vec<Choice> = open.map(|u| choice(&u.id.to_string(), &directory.path(u.id))).collect();
    all.sort_by(|a, b| a.label.cmp(&b.label));
    all
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    html(&page_of(&app, &actor, &page, asked, FormData::default(), FormErrors::default()).await?)
}

/// One person, or everybody who works in a unit or below it today.
fn chosen(form: &FormData, directory: &Directory, day: &str) -> Result<Vec<PersonId>, AppError> {
    if !form.get("person_id").is_empty() {
        let person = form.get("person_id").parse();
        return person
            .map(|person| vec![person])
            .map_err(|_| AppError::field("person_id", text!("请从列表中选择一个人")));
    }
    if form.get("unit").is_empty() {
        return Err(AppError::field("person_id", text!("请选择要登记的人员或部门")));
    }
    let unit = form.get("unit").parse().ok().and_then(|unit| directory.unit(unit));
    people_in(directory, unit, day)
}

pub(super) async fn add(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let directory = app.directory().await?;
    let (by, now, note) = (actor.clone(), app.now(), form.get("note").to_owned());
    let done = match chosen(&form, &directory, &app.today().to_string()) {
        Ok(people) => app.db.write(move |tx| register(tx, &by, &people, &note, now)).await,
        Err(error) => Err(error),
    };
    app.forget_sessions();
    match done {
        Ok(added) => {
            let said = page.l.f("已登记 {} 人", &[&added]);
            Ok(flash(redirect(page.is_htmx, HOME), &said))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &actor, &page, FormData::default(), form, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

pub(super) async fn end(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: HandlerId = path_id(&id)?;
    let now = app.now();
    let done = app.db.write(move |tx| confidentiality::end(tx, &actor, id, now)).await;
    app.forget_sessions();
    let said = page.l.f("已取消“{}”的登记", &[&done?]);
    Ok(flash(redirect(page.is_htmx, HOME), &said))
}

pub(super) async fn set(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let rules = HandlerRules {
        is_on: form.is_ticked("is_on"),
        with_administrators: form.is_ticked("with_administrators"),
    };
    let (by, now, registers_all) = (actor.clone(), app.now(), form.is_ticked("registers_all"));
    let done = app.db.write(move |tx| set_rules(tx, &by, rules, registers_all, now)).await;
    app.forget_sessions();
    match done {
        Ok(()) => Ok(flash(redirect(page.is_htmx, HOME), page.l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again =
                page_of(&app, &actor, &page, FormData::default(), FormData::default(), errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

/// The register as a file: everybody the conditions of the page find, at most 20,000.
pub(super) async fn export(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (directory, catalogue, day) =
        (app.directory().await?, app.catalogue().await?, app.today().to_string());
    let query = RegisterQuery { after: None, ..wanted(&asked, &directory) };
    let (me, on) = (actor.clone(), day.clone());
    let (text, (entries, _)) = app
        .db
        .read(move |conn| Ok::<_, AppError>((text_in_force(conn)?, list(conn, &me, &query, &on, MOST_ROWS)?)))
        .await?;
    let what = json!({ "rows": entries.len() });
    exported(&app, &actor, ("confidentiality.exported", "confidentiality", 0), what).await?;
    let version = text.map_or(0, |text| text.version);
    let titles = [
        "姓名",
        "部门",
        "岗位",
        "登记时间",
        "登记人",
        "备注",
        "签署的版本",
        "签署时间",
        "状态",
        "取消时间",
        "取消人",
    ];
    let minute = |at: Option<i64>| at.map_or_else(String::new, |at| app.zone.minute(at));
    let rows: Vec<Vec<Cell<'_>>> = entries
        .iter()
        .map(|entry| {
            let (unit, posts) = place(&directory, &catalogue, entry.person_id, &day, l);
            let signed =
                if entry.signed_version == 0 { String::new() } else { entry.signed_version.to_string() };
            [
                entry.person.clone(),
                unit,
                posts,
                app.zone.minute(entry.registered_at),
                entry.registered_by.clone(),
                entry.note.clone(),
                signed,
                minute(entry.signed_at),
                state_words(entry.state(version), l).0,
                minute(entry.ended_at),
                entry.ended_by.clone(),
            ]
            .map(|text| Cell::Text(text.into()))
            .into()
        })
        .collect();
    let titles = titles.map(|title| l.t(title).to_owned()).into();
    table_file(asked.get("format"), &format!("handlers-{day}"), titles, &rows)
}
