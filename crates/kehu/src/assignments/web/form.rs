//! The form in which a task is given, and the one in which its giver changes it.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::HOME;
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::assignments::give::{read_priority, require_giver};
use crate::assignments::model::{Draft, Ground, Patch, Priority, Right, Target};
use crate::assignments::{find, give, rules, update};
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{AssignmentId, CustomerId, PersonId, RoleId};
use crate::org::web::part_or_page;
use crate::processes;
use crate::processes::web::{MOST_OFFERED, Options, units_named};
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Page, QueryData, Shell, html, saved};

#[derive(Template)]
#[template(path = "assignments/form.html", blocks = ["card"])]
struct FormPage {
    l: Lang,
    shell: Shell,
    heading: String,
    action: String,
    /// Where `取消` leads.
    back: String,
    /// Whether it is given anew; else its giver changes what it says.
    is_new: bool,
    form: FormData,
    to_shown: String,
    customer_shown: String,
    processes: Vec<Choice>,
    rights: Vec<Choice>,
    priorities: Vec<Choice>,
    errors: FormErrors,
}

impl FormPage {
    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

/// The name of a target as the form sends it.
pub(super) fn target_shown(directory: &Directory, key: &str) -> String {
    match Target::read(key) {
        Some(Target::Person(id)) => directory.member(id).map_or_else(String::new, |m| m.name.clone()),
        Some(Target::Unit(id)) => directory.unit(id).map_or_else(String::new, |u| u.name.clone()),
        _ => String::new(),
    }
}

fn priorities(l: Lang) -> Vec<Choice> {
    let choice = |p: Priority| Choice { value: p.code().to_owned(), label: l.t(p.title()).to_owned() };
    Priority::ALL.map(choice).into()
}

async fn new_page(
    app: &App,
    actor: &Actor,
    page: &Page,
    form: FormData,
    errors: FormErrors,
) -> Result<FormPage, AppError> {
    let l = page.l;
    let ground = Ground::of(app).await?;
    let customer: Option<CustomerId> = form.get("customer_id").parse().ok();
    let me = actor.clone();
    let (shown, all, rules) = app
        .db
        .read(move |conn| {
            let shown = customers::shown(conn, &me, customer)?;
            let name = shown.into_values().next().map_or_else(String::new, |c| c.name().to_owned());
            Ok::<_, AppError>((name, processes::list(conn)?, rules(conn)?))
        })
        .await?;
    let bundles: Vec<_> = ground.directory.roles().into_iter().filter(|r| r.is_bundle).collect();
    let usual = bundles.iter().find(|r| r.code == rules.bundle).map_or("不授权", |r| r.name.as_str());
    let mut rights =
        vec![Choice { value: "usual".into(), label: l.f("按公司设置（{}）", &[&l.t(usual)]) }];
    rights.extend(bundles.iter().map(|r| Choice { value: r.id.to_string(), label: l.t(&r.name).to_owned() }));
    rights.push(Choice { value: "none".into(), label: l.t("不授权").to_owned() });
    Ok(FormPage {
        l,
        shell: page.shell(&[("交办", HOME), ("新交办", "")]),
        heading: l.t("新交办").to_owned(),
        action: HOME.to_owned(),
        back: customer.map_or_else(|| HOME.to_owned(), |id| format!("/customers/{id}")),
        is_new: true,
        to_shown: target_shown(&ground.directory, form.get("to")),
        customer_shown: shown,
        processes: all.into_iter().map(|p| Choice { value: p.id.to_string(), label: p.title }).collect(),
        rights,
        priorities: priorities(l),
        form,
        errors,
    })
}

pub(super) async fn new(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let customer: Option<CustomerId> = match asked.get("customer") {
        "" => None,
        text => Some(path_id(text)?),
    };
    if let Some(id) = customer {
        // Whoever may not know the customer learns nothing of it here.
        let me = actor.clone();
        app.db.read(move |conn| customers::load(conn, &me, id).map(drop)).await?;
    }
    let form = FormData(vec![
        ("customer_id".into(), customer.map_or_else(String::new, |id| id.to_string())),
        ("priority".into(), Priority::Normal.code().into()),
        ("role".into(), "usual".into()),
        ("to".into(), asked.get("to").chars().take(80).collect()),
    ]);
    let shown = new_page(&app, &actor, &page, form, FormErrors::default()).await?;
    shown.answer(page.is_partial, StatusCode::OK)
}

/// A day and, if one is named, a time of it, as actions read it.
pub(super) fn due_of(form: &FormData) -> String {
    let (day, time) = (form.get("due"), form.get("due_time"));
    if time.is_empty() { day.to_owned() } else { format!("{day} {time}") }
}

/// To whom, as chosen; `None` when nothing was.
pub(super) fn to_of(form: &FormData) -> Result<Option<Target>, AppError> {
    match form.get("to") {
        "" => Ok(None),
        text => Target::read(text)
            .map(Some)
            .ok_or_else(|| AppError::field("to", text!("请从列表中选择一位同事或一个部门"))),
    }
}

fn draft_of(form: &FormData) -> Result<Draft, AppError> {
    let right = match form.get("role") {
        "" | "usual" => Right::Usual,
        "none" => Right::Nothing,
        id => Right::Bundle(
            id.parse::<RoleId>()
                .map_err(|_| AppError::field("role", text!("没有这种共享权限，请从列出的中选择")))?,
        ),
    };
    let customer = match form.get("customer_id") {
        "" => None,
        text => Some(
            text.parse().map_err(|_| AppError::field("customer_id", text!("请从列表中选择客户，或留空")))?,
        ),
    };
    let process = match form.get("process_id") {
        "" => None,
        text => {
            Some(text.parse().map_err(|_| AppError::field("process_id", text!("没有这个流程，请重新选择")))?)
        }
    };
    Ok(Draft {
        title: form.get("title").to_owned(),
        body: form.get("body").to_owned(),
        // A right without a customer means nothing.
        right: if customer.is_none() { Right::Usual } else { right },
        customer,
        process,
        to: to_of(form)?,
        due: due_of(form),
        priority: read_priority(form.get("priority")).map_err(|e| AppError::Invalid(vec![e]))?,
    })
}

pub(super) async fn add(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (ground, by) = (Ground::of(&app).await?, actor.clone());
    let done = match draft_of(&form) {
        Ok(draft) => app.db.write(move |tx| give(tx, &by, &ground, &draft)).await,
        Err(error) => Err(error),
    };
    app.forget_sessions();
    match done {
        Ok(task) => Ok(saved(&headers, &format!("{HOME}/{}", task.id), page.l.t("已交办"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = new_page(&app, &actor, &page, form, errors).await?;
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

fn edit_page(page: &Page, id: AssignmentId, form: FormData, errors: FormErrors) -> FormPage {
    let l = page.l;
    FormPage {
        l,
        shell: page.shell(&[("交办", HOME), ("修改交办", "")]),
        heading: l.t("修改交办").to_owned(),
        action: format!("{HOME}/{id}"),
        back: format!("{HOME}/{id}"),
        is_new: false,
        to_shown: String::new(),
        customer_shown: String::new(),
        processes: Vec::new(),
        rights: Vec::new(),
        priorities: priorities(l),
        form,
        errors,
    }
}

pub(super) async fn edit(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let ground = Ground::of(&app).await?;
    let task = app
        .db
        .read(move |conn| {
            let task = find(conn, &actor, &ground, id)?;
            require_giver(&actor, &task)?;
            Ok::<_, AppError>(task)
        })
        .await?;
    let due = task.due_text(&app.zone);
    let (day, time) = due.split_once(' ').unwrap_or((&due, ""));
    let form = [
        ("title", task.title.clone()),
        ("body", task.body.clone()),
        ("due", day.to_owned()),
        ("due_time", time.to_owned()),
        ("priority", task.priority.code().to_owned()),
        ("version", task.version.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    edit_page(&page, id, FormData(form.into()), FormErrors::default()).answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn change(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let ground = Ground::of(&app).await?;
    let based_on = version(&form);
    let text = |name: &str| form.find(name).map(str::to_owned);
    let patch = read_priority(form.get("priority")).map(|priority| Patch {
        title: text("title"),
        body: text("body"),
        due: form.find("due").map(|_| due_of(&form)),
        priority: form.find("priority").map(|_| priority),
    });
    let done = match patch {
        Ok(patch) => app.db.write(move |tx| update(tx, &actor, &ground, id, based_on, &patch)).await,
        Err(error) => {
            app.db.read(move |conn| find(conn, &actor, &ground, id)).await?;
            Err(AppError::Invalid(vec![error]))
        }
    };
    app.forget_sessions();
    match done {
        Ok(_) => Ok(saved(&headers, &format!("{HOME}/{id}"), page.l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            edit_page(&page, id, form, errors).answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// Colleagues and units to choose from.
pub(super) async fn find_receivers(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let q: String = asked.get("q").chars().filter(|c| !c.is_control()).take(40).collect();
    let escaped = q.trim().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let me = actor.person_id;
    let people: Vec<(PersonId, String, String)> = app
        .db
        .read(move |conn| {
            conn.rows(
                "SELECT id, name, title FROM people WHERE is_active = TRUE AND left_on = '' AND id <> $2
                   AND (name_search LIKE $1 ESCAPE '!' OR name LIKE $1 ESCAPE '!') ORDER BY id LIMIT $3",
                &[format!("%{escaped}%").into(), me.into(), (MOST_OFFERED as i64).into()],
            )
        })
        .await?;
    let directory = app.directory().await?;
    let day = app.today().to_string();
    let mut options: Vec<(String, String, String)> = people
        .into_iter()
        .map(|(id, name, title)| {
            let unit = directory.main_unit(id, &day).and_then(|u| directory.unit(u));
            let note = [unit.map_or("", |u| u.name.as_str()), title.as_str()];
            let note: Vec<&str> = note.into_iter().filter(|part| !part.is_empty()).collect();
            (Target::Person(id).key(), name, note.join(" · "))
        })
        .collect();
    options.extend(units_named(&directory, &q).into_iter().map(|(value, label, above)| {
        let note = if above.is_empty() { page.l.t("部门").to_owned() } else { above };
        (value, label, note)
    }));
    html(&Options { l: page.l, options })
}
