//! The list of people and the form of one.

use std::collections::HashSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::units::unit_choices;
use crate::access::{ADMINISTRATOR_ID, Directory, Object, STAFF_ID, Verb};
use crate::app::App;
use crate::auth::{self, check_new_password, temporary_password};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, RoleId, UnitId};
use crate::input::LONGEST_QUERY;
use crate::org::{self, NewPerson, Person, PersonChange};
use crate::text;
use crate::web::{
    Choice, FormData, FormErrors, Organiser, Page, QueryData, Shell, flash, html, redirect, saved, trigger,
};

#[derive(Template)]
#[template(path = "org/people.html", blocks = ["list"])]
struct PeoplePage {
    l: Lang,
    shell: Shell,
    q: String,
    role: String,
    state: String,
    unit: String,
    roles: Vec<Choice>,
    states: Vec<Choice>,
    units: Vec<Choice>,
    rows: Vec<PersonRow>,
    total: usize,
}

struct PersonRow {
    id: PersonId,
    name: String,
    username: String,
    title: String,
    phone: String,
    role: String,
    is_administrator: bool,
    unit: String,
    is_active: bool,
    has_left: bool,
    /// His last day in the company; of one who is still in it the day that is registered.
    left_on: String,
    last_login: String,
}

pub(super) async fn index(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let everybody = app.db.read(org::list_people).await?;
    let directory = app.directory().await?;
    let wanted = asked.get("role").parse::<RoleId>().ok();
    let day = app.today().to_string();
    let (q, role, state) = (asked.cut("q", LONGEST_QUERY), asked.get("role"), asked.get("state"));
    // A unit means everybody in it or below it, through whatever post.
    let within: Option<HashSet<UnitId>> = match asked.get("unit") {
        "" => None,
        id => Some(id.parse().map_or_else(|_| HashSet::new(), |id| directory.tree(id).into_iter().collect())),
    };
    let rows: Vec<PersonRow> = everybody
        .into_iter()
        .filter(|p| q.is_empty() || p.is_meant_by(q))
        .filter(|p| {
            wanted.is_none_or(|role| directory.own_roles(p.id, &day).iter().any(|held| held.role.id == role))
        })
        .filter(|p| match state {
            "active" => p.is_active,
            "disabled" => !p.is_active,
            "left" => !p.is_active && !p.left_on.is_empty(),
            _ => true,
        })
        .filter(|p| {
            let held = || directory.positions(p.id, &day);
            within.as_ref().is_none_or(|units| held().iter().any(|h| units.contains(&h.unit_id)))
        })
        .map(|p| row(&app, l, &directory, p))
        .collect();
    let list = PeoplePage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("人员", "")]),
        q: q.to_owned(),
        role: role.to_owned(),
        state: state.to_owned(),
        roles: roles(&directory, l),
        unit: asked.get("unit").to_owned(),
        units: unit_choices(&directory).into_iter().map(|u| choice(&u.value, &u.label)).collect(),
        states: vec![
            choice("active", l.t("在用")),
            choice("disabled", l.t("已停用")),
            choice("left", l.t("已离职")),
        ],
        total: rows.len(),
        rows,
    };
    part_or_page(page.is_partial, list.as_list(), &list)
}

/// The part for htmx, the page for everybody else; caches must tell them apart.
pub(crate) fn part_or_page(
    is_part: bool,
    part: impl Template,
    page: &impl Template,
) -> Result<Response, AppError> {
    let mut response = if is_part { html(&part)? } else { html(page)? };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("HX-Request, HX-Request-Type"));
    Ok(response)
}

fn row(app: &App, l: Lang, directory: &Directory, p: Person) -> PersonRow {
    let day = app.today().to_string();
    let mut names: Vec<&str> = Vec::new();
    let held = directory.own_roles(p.id, &day);
    for held in &held {
        let name = l.t(&held.role.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let unit = directory.main_unit(p.id, &day).and_then(|id| directory.unit(id));
    PersonRow {
        id: p.id,
        name: p.name,
        username: p.username,
        title: p.title,
        phone: p.phone,
        role: names.join(if l == Lang::Zh { "、" } else { ", " }),
        is_administrator: p.roles.contains(&ADMINISTRATOR_ID),
        unit: unit.map_or_else(String::new, |u| u.name.clone()),
        is_active: p.is_active,
        has_left: !p.is_active && !p.left_on.is_empty(),
        left_on: p.left_on,
        last_login: p.last_login_at.map_or_else(|| l.t("从未登录").to_owned(), |at| app.zone.minute(at)),
    }
}

pub(super) fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned() }
}

/// The roles people can have, bundles for single customers left out.
pub(super) fn roles(directory: &Directory, l: Lang) -> Vec<Choice> {
    let all = directory.roles().into_iter().filter(|r| !r.is_bundle);
    all.map(|r| choice(&r.id.to_string(), l.t(&r.name))).collect()
}

#[derive(Template)]
#[template(path = "org/person.html", blocks = ["card"])]
struct PersonPage {
    l: Lang,
    shell: Shell,
    /// `None` for a person to be added.
    person: Option<PersonRow>,
    form: FormData,
    roles: Vec<Choice>,
    chosen: Vec<String>,
    errors: FormErrors,
    /// A password just made; shown this once.
    secret: String,
    /// Whether the reader may give and take roles.
    may_grant: bool,
}

impl PersonPage {
    fn new(page: &Page, directory: &Directory, person: Option<PersonRow>, form: FormData) -> Self {
        let l = page.l;
        let here = if person.is_some() { "修改人员" } else { "新增人员" };
        Self {
            l,
            shell: page.shell(&[("系统管理", "/admin/people"), ("人员", "/admin/people"), (here, "")]),
            person,
            chosen: form.all("roles").into_iter().map(str::to_owned).collect(),
            form,
            roles: roles(directory, l),
            errors: FormErrors::default(),
            secret: String::new(),
            may_grant: page.actor.as_ref().is_some_and(|a| a.may(Object::Role, Verb::Update)),
        }
    }

    fn action(&self) -> String {
        self.person.as_ref().map_or_else(|| "/admin/people".to_owned(), |p| format!("/admin/people/{}", p.id))
    }

    /// What is wrong besides the fields shown.
    fn besides(&self) -> Vec<&str> {
        const SHOWN: &[&str] = &["username", "name", "title", "phone", "email", "roles", "password"];
        self.errors.besides(SHOWN)
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

pub(super) async fn new(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
) -> Result<Response, AppError> {
    let form = FormData(vec![("roles".into(), STAFF_ID.to_string())]);
    PersonPage::new(&page, &*app.directory().await?, None, form).answer(page.is_partial, StatusCode::OK)
}

/// The roles ticked in a form.
pub(super) fn chosen_roles(form: &FormData) -> Result<Vec<RoleId>, AppError> {
    let mut roles: Vec<RoleId> = form
        .all("roles")
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| AppError::field("roles", text!("没有这个角色"))))
        .collect::<Result<_, _>>()?;
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

pub(super) async fn load(app: &App, id: &str) -> Result<Person, AppError> {
    let id: PersonId = id.parse().map_err(|_| AppError::NotFound)?;
    app.db.read(move |conn| org::load_person(conn, id)).await?.ok_or(AppError::NotFound)
}

/// The form as the person stands.
fn filled(p: &Person) -> FormData {
    let mut pairs = vec![
        ("name", p.name.clone()),
        ("title", p.title.clone()),
        ("phone", p.phone.clone()),
        ("email", p.email.clone()),
        ("version", p.version.to_string()),
    ];
    pairs.extend(p.roles.iter().map(|role| ("roles", role.to_string())));
    FormData(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) async fn show(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let directory = app.directory().await?;
    let form = filled(&person);
    let shown = PersonPage::new(&page, &directory, Some(row(&app, page.l, &directory, person)), form);
    shown.answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn add(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let typed = form.get("password").to_owned();
    let password = if typed.is_empty() { temporary_password()? } else { typed.clone() };
    let made = async {
        let [username, name] = ["username", "name"].map(|f| form.get(f));
        if let Some(text) = check_new_password(&password, &[username, name, &page.shell.company]) {
            return Err(AppError::field("password", text));
        }
        let input = NewPerson {
            username: username.to_owned(),
            name: name.to_owned(),
            title: form.get("title").to_owned(),
            phone: form.get("phone").to_owned(),
            email: form.get("email").to_owned(),
            roles: chosen_roles(&form)?,
            password_hash: app.passwords.hash(password.clone()).await?,
            must_change_password: true,
        };
        let now = app.now();
        app.db.write(move |tx| org::add_person(tx, &actor, &input, now)).await
    }
    .await;
    let l = page.l;
    match made {
        Ok(id) if typed.is_empty() => {
            let person = load(&app, &id.to_string()).await?;
            let directory = app.directory().await?;
            let form = filled(&person);
            let mut shown = PersonPage::new(&page, &directory, Some(row(&app, l, &directory, person)), form);
            shown.secret = password;
            let response = shown.answer(page.is_partial, StatusCode::OK)?;
            Ok(trigger(response, "refreshList", serde_json::json!({})))
        }
        Ok(_) => Ok(saved(
            &headers,
            "/admin/people",
            &l.f("已新增“{}”，首次登录时须修改密码", &[&form.get("name")]),
        )),
        Err(error) => {
            let errors = FormErrors::from_error(error, l)?;
            let directory = app.directory().await?;
            let again = PersonPage { errors, ..PersonPage::new(&page, &directory, None, form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn change(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (id, l) = (person.id, page.l);
    let change = PersonChange {
        name: form.find("name").map(str::to_owned),
        title: form.find("title").map(str::to_owned),
        phone: form.find("phone").map(str::to_owned),
        email: form.find("email").map(str::to_owned),
        // A form without the list of roles (for those who may not grant any) leaves them.
        roles: form.find("has_roles").map(|_| chosen_roles(&form)).transpose()?,
        is_active: None,
    };
    let version = form.get("version").parse().unwrap_or(0);
    let now = app.now();
    let done = app.db.write(move |tx| org::change_person(tx, &actor, id, version, &change, now)).await;
    app.forget_sessions();
    match done {
        Ok(()) => Ok(saved(&headers, "/admin/people", l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, l)?;
            let directory = app.directory().await?;
            let person = row(&app, l, &directory, person);
            let again = PersonPage { errors, ..PersonPage::new(&page, &directory, Some(person), form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn set_active(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let is_active = form.is_ticked("active");
    let change = PersonChange { is_active: Some(is_active), ..PersonChange::default() };
    let (id, version, now, l) = (person.id, person.version, app.now(), page.l);
    app.db.write(move |tx| org::change_person(tx, &actor, id, version, &change, now)).await?;
    app.forget_sessions();
    let said = if is_active {
        l.f("已启用“{}”", &[&person.name])
    } else {
        l.f("已停用“{}”，其登录和令牌立即失效", &[&person.name])
    };
    Ok(saved(&headers, "/admin/people", &said))
}

pub(super) async fn reset_password(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    if person.id == actor.person_id {
        return Err(AppError::Conflict(text!("修改自己的密码请到“个人设置”")));
    }
    let password = temporary_password()?;
    let hash = app.passwords.hash(password.clone()).await?;
    let (id, now) = (person.id, app.now());
    app.db.write(move |tx| org::reset_password(tx, &actor, id, &hash, now)).await?;
    app.forget_sessions();
    // Read again: the version has moved on.
    let person = load(&app, &id.to_string()).await?;
    let directory = app.directory().await?;
    let form = filled(&person);
    let mut shown = PersonPage::new(&page, &directory, Some(row(&app, page.l, &directory, person)), form);
    shown.secret = password;
    shown.answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn end_sessions(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (id, now) = (person.id, app.now());
    let ended = app.db.write(move |tx| auth::end_sessions_by(tx, &actor, id, None, now)).await?;
    app.forget_sessions();
    let said = page.l.f("已结束“{}”的 {} 个登录", &[&person.name, &ended]);
    if page.is_htmx {
        return Ok(saved(&headers, "/admin/people", &said));
    }
    Ok(flash(redirect(false, "/admin/people"), &said))
}
