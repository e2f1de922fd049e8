//! 参数: what an administrator may set, with range, default and history; and what the server was started with.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Change, Kind, Parameter, State, change, find, history, load, load_all};
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::org;
use crate::org::web::part_or_page;
use crate::web::{Administrator, FormData, FormErrors, Need, Page, Routes, Shell, saved};

const HOME: &str = "/admin/parameters";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/parameters", Need::Administrator, index)
        .get("/admin/parameters/{name}", Need::Administrator, show)
        .post("/admin/parameters/{name}", Need::Administrator, save)
        .post("/admin/parameters/{name}/reset", Need::Administrator, reset)
}

struct Line {
    name: &'static str,
    title: &'static str,
    help: &'static str,
    value: String,
    default: String,
    is_set: bool,
    changed: String,
}

struct Group {
    title: &'static str,
    lines: Vec<Line>,
}

/// A setting of the process, as it runs.
struct Fact {
    title: &'static str,
    key: &'static str,
    value: String,
    origin: &'static str,
}

#[derive(Template)]
#[template(path = "settings/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    groups: Vec<Group>,
    facts: Vec<Fact>,
    count: usize,
}

async fn index(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let (l, parameters) = (page.l, app.hooks.parameters);
    let (states, names) = app
        .db
        .read(move |conn| Ok::<_, AppError>((load_all(conn, &actor, parameters)?, org::person_names(conn)?)))
        .await?;
    let mut groups: Vec<Group> = Vec::new();
    for state in states {
        let parameter = state.parameter;
        let changed = state.updated.map_or_else(String::new, |(at, by)| {
            let who = names.get(&by).map_or_else(|| l.t("命令行"), String::as_str);
            format!("{} {who}", app.zone.minute(at))
        });
        let line = Line {
            name: parameter.name,
            title: parameter.title,
            help: parameter.help,
            value: parameter.shown(&state.value, l),
            default: parameter.shown(&parameter.default_value(), l),
            is_set: state.is_set,
            changed,
        };
        match groups.iter_mut().find(|g| g.title == parameter.group) {
            Some(group) => group.lines.push(line),
            None => groups.push(Group { title: parameter.group, lines: vec![line] }),
        }
    }
    let facts = app
        .config
        .facts()
        .into_iter()
        .map(|(key, title, value)| Fact {
            title,
            key,
            value: if value.is_empty() { l.t("无").to_owned() } else { value },
            origin: app.config.origin(key).title(),
        })
        .collect();
    let count = groups.iter().map(|g| g.lines.len()).sum();
    let index = IndexPage {
        l,
        shell: page.shell(&[("系统维护", "/admin/maintenance"), ("参数", "")]),
        groups,
        facts,
        count,
    };
    part_or_page(page.is_partial, index.as_list(), &index)
}

#[derive(Template)]
#[template(path = "settings/parameter.html", blocks = ["card"])]
struct ParameterPage {
    l: Lang,
    shell: Shell,
    parameter: &'static Parameter,
    is_set: bool,
    version: i64,
    value: String,
    is_on: bool,
    range: String,
    default: String,
    changes: Vec<ChangeLine>,
    errors: FormErrors,
}

struct ChangeLine {
    at: String,
    by: String,
    before: String,
    after: String,
}

impl ParameterPage {
    fn is_flag(&self) -> bool {
        matches!(self.parameter.kind, Kind::Flag { .. })
    }

    /// The type of the input, and what it may hold.
    fn input(&self) -> (&'static str, String) {
        match self.parameter.kind {
            Kind::Whole { min, max, .. } => ("number", format!("min=\"{min}\" max=\"{max}\" step=\"1\"")),
            _ => ("time", String::new()),
        }
    }

    fn label(&self) -> String {
        match self.parameter.kind {
            Kind::Whole { unit, .. } => format!("{}（{}）", self.l.t(self.parameter.title), self.l.t(unit)),
            _ => self.l.t(self.parameter.title).to_owned(),
        }
    }
}

/// The card of a parameter; `sent` is what a refused form held.
fn card(
    app: &App,
    page: &Page,
    now: (State, Vec<Change>),
    sent: Option<(&FormData, FormErrors)>,
) -> ParameterPage {
    let (l, (state, changes)) = (page.l, now);
    let parameter = state.parameter;
    let value = match state.value.as_str() {
        Some(text) => text.to_owned(),
        None => state.value.to_string(),
    };
    let (value, errors, version) = match sent {
        Some((form, errors)) => (form.get("value").to_owned(), errors, form.get("version").parse().ok()),
        None => (value, FormErrors::default(), None),
    };
    ParameterPage {
        l,
        shell: page.shell(&[("参数", HOME), (parameter.title, "")]),
        parameter,
        is_set: state.is_set,
        version: version.unwrap_or(state.version),
        is_on: state.value == serde_json::Value::Bool(true),
        value,
        range: parameter.range(l),
        default: parameter.shown(&parameter.default_value(), l),
        changes: changes
            .into_iter()
            .map(|change| ChangeLine {
                at: app.zone.second(change.at),
                by: change.by,
                before: parameter.shown(&change.before, l),
                after: parameter.shown(&change.after, l),
            })
            .collect(),
        errors,
    }
}

fn named(app: &App, name: &str) -> Result<&'static Parameter, AppError> {
    find(app.hooks.parameters, name).ok_or(AppError::NotFound)
}

async fn show(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(name): Path<String>,
) -> Result<Response, AppError> {
    let parameter = named(&app, &name)?;
    let now = app
        .db
        .read(move |conn| {
            Ok::<_, AppError>((load(conn, &actor, parameter)?, history(conn, &actor, parameter)?))
        })
        .await?;
    let shown = card(&app, &page, now, None);
    part_or_page(page.is_partial, shown.as_card(), &shown)
}

async fn save(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(name): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let parameter = named(&app, &name)?;
    let (value, version, now) =
        (parameter.read_form(form.get("value")), form.get("version").parse().ok(), app.now());
    let who = actor.clone();
    match app.db.write(move |tx| change(tx, &who, parameter, Some(&value), version, now)).await {
        Ok(_) => Ok(saved(&headers, HOME, page.l.t("参数已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let now = app
                .db
                .read(move |conn| {
                    Ok::<_, AppError>((load(conn, &actor, parameter)?, history(conn, &actor, parameter)?))
                })
                .await?;
            let again = card(&app, &page, now, Some((&form, errors)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, part_or_page(page.is_partial, again.as_card(), &again)?)
                .into_response())
        }
    }
}

async fn reset(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let parameter = named(&app, &name)?;
    let now = app.now();
    app.db.write(move |tx| change(tx, &actor, parameter, None, None, now)).await?;
    Ok(saved(&headers, HOME, page.l.t("参数已恢复默认")))
}
