//! 任职: the posts a person holds and held, as a part of his page and on a page of their own.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::pages::{load, part_or_page};
use super::units::{Pick, person_shown, post_choices, unit_choices, unit_shown};
use crate::access::{Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, PositionId};
use crate::org::{self, NewPosition, POSTS, Person, PositionChange};
use crate::text;
use crate::web::{
    FormData, FormErrors, Need, Organiser, Page, QueryData, Routes, Shell, flash, redirect, toast, trigger,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let need = Need::May(Object::Organisation, Verb::Update);
    routes
        .get("/admin/people/{id}/positions", need, show)
        .post("/admin/people/{id}/positions", need, add)
        .post("/admin/people/{id}/positions/{position}", need, change)
}

#[derive(Template)]
#[template(path = "org/positions.html", blocks = ["card", "section"])]
struct PositionsPage {
    l: Lang,
    shell: Shell,
    id: PersonId,
    name: String,
    is_active: bool,
    left_on: String,
    /// The day a leaving is registered for.
    leaves_on: String,
    /// Why a hand-over was given up.
    problem: String,
    present: Vec<Line>,
    past: Vec<Line>,
    edit: Option<Edit>,
}

struct Line {
    id: PositionId,
    post: String,
    unit: String,
    starts_on: String,
    ends_on: String,
    is_main: bool,
    is_ahead: bool,
    superior: String,
    is_named: bool,
    version: i64,
}

/// The open form: of a new post, or of one that is held.
struct Edit {
    action: String,
    is_new: bool,
    heading: String,
    form: FormData,
    units: Vec<Pick>,
    posts: Vec<Pick>,
    unit_shown: String,
    post_shown: String,
    superior_shown: String,
    errors: FormErrors,
}

impl Edit {
    /// What is wrong besides the fields shown.
    fn besides(&self) -> Vec<&str> {
        self.errors.besides(&["unit_id", "post", "starts_on", "ends_on", "superior_id"])
    }
}

/// Reads the page of a person; `edit` is `new`, the id of a post, or empty; `sent` a form that was refused.
async fn view(
    app: &App,
    page: &Page,
    person: Person,
    edit: &str,
    sent: Option<(FormData, FormErrors)>,
) -> Result<PositionsPage, AppError> {
    let (l, id, today) = (page.l, person.id, app.today().to_string());
    let (held, (leaves_on, problem)) = app
        .db
        .read(move |conn| {
            Ok::<_, AppError>((org::list_positions(conn, id)?, org::planned_leaving(conn, id)?))
        })
        .await?;
    let (catalogue, directory) = (app.catalogue().await?, app.directory().await?);
    let posts = catalogue.dictionary(POSTS);
    // The main one now is the first of those held now, made so or not.
    let main = directory.positions(id, &today).first().map(|p| p.id);
    let superior_of = |p: &org::PositionRecord| {
        let by_line = directory.positions(id, &today).into_iter().find(|d| d.id == p.id);
        p.superior_id.or_else(|| by_line.and_then(|d| directory.superior_in(d)))
    };
    let line = |p: &org::PositionRecord| Line {
        id: p.id,
        post: posts.title(&p.post, l).to_owned(),
        unit: directory.path(p.unit_id),
        starts_on: p.starts_on.clone(),
        ends_on: p.ends_on.clone(),
        is_main: Some(p.id) == main || (p.is_over(&today) && p.is_main),
        is_ahead: p.starts_on > today,
        superior: superior_of(p)
            .and_then(|s| directory.member(s))
            .map_or_else(String::new, |m| m.name.clone()),
        is_named: p.superior_id.is_some(),
        version: p.version,
    };
    let (past, mut present): (Vec<_>, Vec<_>) = held.iter().partition(|p| p.is_over(&today));
    present.sort_by_key(|p| (Some(p.id) != main, p.id));
    let edit = match edit {
        "" => None,
        "new" => {
            let blank = FormData(vec![("starts_on".into(), today.clone())]);
            let (form, errors) = sent.unwrap_or_else(|| (blank, FormErrors::default()));
            Some(Edit {
                action: format!("/admin/people/{id}/positions"),
                is_new: true,
                heading: l.t("添加岗位").to_owned(),
                units: unit_choices(&directory),
                posts: post_choices(&catalogue, l),
                unit_shown: unit_shown(&directory, form.get("unit_id")),
                post_shown: posts.entry(form.get("post")).map_or_else(String::new, |e| e.title(l).to_owned()),
                superior_shown: person_shown(&directory, form.get("superior_id")),
                form,
                errors,
            })
        }
        wanted => {
            let wanted: PositionId = path_id(wanted)?;
            let held = held.iter().find(|p| p.id == wanted).ok_or(AppError::NotFound)?;
            let pairs = [
                ("starts_on", held.starts_on.clone()),
                ("ends_on", held.ends_on.clone()),
                ("superior_id", held.superior_id.map_or_else(String::new, |s| s.to_string())),
                ("version", held.version.to_string()),
            ];
            let filled = FormData(pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect());
            let (form, errors) = sent.unwrap_or_else(|| (filled, FormErrors::default()));
            Some(Edit {
                action: format!("/admin/people/{id}/positions/{wanted}"),
                is_new: false,
                heading: format!("{} · {}", posts.title(&held.post, l), directory.path(held.unit_id)),
                units: Vec::new(),
                posts: Vec::new(),
                unit_shown: String::new(),
                post_shown: String::new(),
                superior_shown: person_shown(&directory, form.get("superior_id")),
                form,
                errors,
            })
        }
    };
    let home = format!("/admin/people/{id}");
    Ok(PositionsPage {
        l,
        shell: page.shell(&[
            ("系统管理", "/admin/people"),
            ("人员", "/admin/people"),
            (&person.name, &home),
            ("任职", ""),
        ]),
        id,
        name: person.name.clone(),
        is_active: person.is_active,
        left_on: person.left_on.clone(),
        leaves_on: leaves_on.unwrap_or_default(),
        problem,
        present: present.into_iter().map(line).collect(),
        past: past.into_iter().map(line).collect(),
        edit,
    })
}

async fn show(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let view = view(&app, &page, person, asked.get("edit"), None).await?;
    if asked.is_ticked("part") {
        return part_or_page(page.is_partial, view.as_section(), &view);
    }
    part_or_page(page.is_partial, view.as_card(), &view)
}

fn id_in(form: &FormData, name: &str) -> Result<Option<PersonId>, AppError> {
    match form.get(name) {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| AppError::field(name, text!("没有这位员工，或者他已停用"))),
    }
}

/// The new post a form describes.
pub(super) fn new_position(form: &FormData) -> Result<NewPosition, AppError> {
    Ok(NewPosition {
        unit_id: form.get("unit_id").parse().map_err(|_| AppError::field("unit_id", text!("请选择部门")))?,
        post: form.get("post").to_owned(),
        starts_on: Some(form.get("starts_on").to_owned()).filter(|d| !d.is_empty()),
        ends_on: form.get("ends_on").to_owned(),
        is_main: form.is_ticked("is_main"),
        superior_id: id_in(form, "superior_id")?,
    })
}

async fn add(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (catalogue, at, id) = (app.catalogue().await?, app.moment(), person.id);
    let done = match new_position(&form) {
        Ok(new) => {
            app.db.write(move |tx| org::add_position(tx, &actor, &catalogue, id, &new, &at).map(drop)).await
        }
        Err(error) => Err(error),
    };
    finish(&app, &page, id, "new", form, done).await
}

async fn change(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path((id, position)): Path<(String, String)>,
    form: FormData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (id, wanted): (PersonId, PositionId) = (person.id, path_id(&position)?);
    let (at, based_on) = (app.moment(), version(&form));
    let given = |name: &str| form.find(name).map(str::to_owned);
    let done = match form.find("superior_id").map(|_| id_in(&form, "superior_id")).transpose() {
        Ok(superior_id) => {
            let change = PositionChange {
                starts_on: given("starts_on"),
                ends_on: given("ends_on"),
                is_main: form.find("is_main").map(|_| form.is_ticked("is_main")),
                superior_id,
            };
            app.db
                .write(move |tx| {
                    org::load_position(tx, wanted)?
                        .filter(|p| p.person_id == id)
                        .ok_or(AppError::NotFound)?;
                    org::change_position(tx, &actor, wanted, based_on, &change, &at).map(drop)
                })
                .await
        }
        Err(error) => Err(error),
    };
    // Buttons send no field of the form; what they are told stands above the list.
    finish(&app, &page, id, &position, form, done).await
}

async fn finish(
    app: &App,
    page: &Page,
    id: PersonId,
    edit: &str,
    form: FormData,
    done: Result<(), AppError>,
) -> Result<Response, AppError> {
    app.forget_sessions();
    let person = load(app, &id.to_string()).await?;
    match done {
        Ok(()) if !page.is_partial => {
            let to = format!("/admin/people/{id}/positions");
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("已保存")))
        }
        Ok(()) => {
            let view = view(app, page, person, "", None).await?;
            let response = part_or_page(true, view.as_section(), &view)?;
            let response = toast(response, page.l.t("已保存"), None);
            Ok(trigger(response, "refreshList", serde_json::json!({})))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let view = view(app, page, person, edit, Some((form, errors))).await?;
            let body = part_or_page(page.is_partial, view.as_section(), &view)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
    }
}
