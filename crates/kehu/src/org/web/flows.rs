//! 入职, 调动, 离职: one form each.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::pages::{chosen_roles, load, part_or_page, roles};
use super::positions::new_position;
use super::units::{Pick, person_shown, post_choices, unit_choices, unit_shown};
use crate::access::{Directory, Object, STAFF_ID, Verb};
use crate::app::App;
use crate::auth::temporary_password;
use crate::catalogue::Catalogue;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, PositionId};
use crate::org::{self, CustomersTo, HandOver, Joining, Leaving, NewPerson, POSTS, Person, Transfer};
use crate::rosters::Span;
use crate::text;
use crate::web::{
    Choice, FormData, FormErrors, Need, Organiser, Page, QueryData, Routes, Shell, saved, trigger,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let need = Need::May(Object::Organisation, Verb::Update);
    routes
        .get("/admin/people/join", need, ask_join)
        .post("/admin/people/join", need, join)
        .get("/admin/people/{id}/transfer", need, ask_transfer)
        .post("/admin/people/{id}/transfer", need, transfer)
        .get("/admin/people/{id}/leave", need, ask_leave)
        .post("/admin/people/{id}/leave", need, leave)
        .post("/admin/people/{id}/leave/cancel", need, cancel)
}

#[derive(Template)]
#[template(path = "org/join.html", blocks = ["card"])]
struct JoinPage {
    l: Lang,
    shell: Shell,
    form: FormData,
    roles: Vec<Choice>,
    chosen: Vec<String>,
    units: Vec<Pick>,
    posts: Vec<Pick>,
    unit_shown: String,
    post_shown: String,
    superior_shown: String,
    errors: FormErrors,
    /// Name, sign-in name and password of the one who was added; shown this once.
    made: Option<(PersonId, String, String, String)>,
}

impl JoinPage {
    fn new(page: &Page, catalogue: &Catalogue, directory: &Directory, form: FormData) -> Self {
        let l = page.l;
        let post = catalogue.dictionary(POSTS).entry(form.get("post"));
        Self {
            l,
            shell: page.shell(&[("系统管理", "/admin/people"), ("组织", "/admin/units"), ("办理入职", "")]),
            roles: roles(directory, l),
            chosen: form.all("roles").into_iter().map(str::to_owned).collect(),
            units: unit_choices(directory),
            posts: post_choices(catalogue, l),
            unit_shown: unit_shown(directory, form.get("unit_id")),
            post_shown: post.map_or_else(String::new, |e| e.title(l).to_owned()),
            superior_shown: person_shown(directory, form.get("superior_id")),
            form,
            errors: FormErrors::default(),
            made: None,
        }
    }

    /// What is wrong besides the fields shown.
    fn besides(&self) -> Vec<&str> {
        const SHOWN: &[&str] = &[
            "username",
            "name",
            "title",
            "phone",
            "email",
            "roles",
            "unit_id",
            "post",
            "starts_on",
            "superior_id",
        ];
        self.errors.besides(SHOWN)
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

async fn ask_join(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let (catalogue, directory) = (app.catalogue().await?, app.directory().await?);
    let unit =
        asked.get("unit").parse::<crate::ids::UnitId>().map_or_else(|_| String::new(), |id| id.to_string());
    let form = FormData(vec![
        ("roles".into(), STAFF_ID.to_string()),
        ("unit_id".into(), unit),
        ("starts_on".into(), app.today().to_string()),
    ]);
    JoinPage::new(&page, &catalogue, &directory, form).answer(page.is_partial, StatusCode::OK)
}

async fn join(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let (catalogue, at) = (app.catalogue().await?, app.moment());
    let password = temporary_password()?;
    let known = catalogue.clone();
    let done = async {
        let joining = Joining {
            person: NewPerson {
                username: form.get("username").to_owned(),
                name: form.get("name").to_owned(),
                title: form.get("title").to_owned(),
                phone: form.get("phone").to_owned(),
                email: form.get("email").to_owned(),
                roles: chosen_roles(&form)?,
                password_hash: app.passwords.hash(password.clone()).await?,
                must_change_password: true,
            },
            position: new_position(&form)?,
        };
        app.db.write(move |tx| org::join(tx, &actor, &known, &joining, &at)).await
    }
    .await;
    app.forget_sessions();
    match done {
        Ok(id) => {
            let directory = app.directory().await?;
            let (name, username) =
                (form.get("name").trim().to_owned(), org::username_key(form.get("username")));
            let mut shown = JoinPage::new(&page, &catalogue, &directory, FormData::default());
            shown.made = Some((id, name, username, password));
            let response = shown.answer(page.is_partial, StatusCode::OK)?;
            Ok(trigger(response, "refreshList", serde_json::json!({})))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let directory = app.directory().await?;
            let again = JoinPage { errors, ..JoinPage::new(&page, &catalogue, &directory, form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

#[derive(Template)]
#[template(path = "org/flow.html", blocks = ["card"])]
struct FlowPage {
    l: Lang,
    shell: Shell,
    person: Person,
    /// Leaving; else a transfer.
    is_leaving: bool,
    has_left: bool,
    left: HandOver,
    /// His next shifts, in words.
    coming: Vec<String>,
    /// Posts held now and later, to be ended by a transfer.
    held: Vec<Choice>,
    ends: Vec<String>,
    form: FormData,
    units: Vec<Pick>,
    posts: Vec<Pick>,
    unit_shown: String,
    post_shown: String,
    superior_shown: String,
    taker_shown: String,
    lead_shown: String,
    shifts_shown: String,
    tasks_shown: String,
    customers_to: Vec<Choice>,
    errors: FormErrors,
}

impl FlowPage {
    fn action(&self) -> String {
        format!("/admin/people/{}/{}", self.person.id, if self.is_leaving { "leave" } else { "transfer" })
    }

    /// What is wrong besides the fields shown.
    fn besides(&self) -> Vec<&str> {
        const SHOWN: &[&str] = &[
            "unit_id",
            "post",
            "starts_on",
            "superior_id",
            "ends",
            "customers_to",
            "last_day",
            "lead_to",
            "shifts_to",
            "tasks_to",
        ];
        self.errors.besides(SHOWN)
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

async fn flow(
    app: &App,
    page: &Page,
    person: Person,
    is_leaving: bool,
    form: Option<FormData>,
    errors: FormErrors,
) -> Result<FlowPage, AppError> {
    let (l, id, at) = (page.l, person.id, app.moment());
    let today = at.today.clone();
    let (left, held) = app
        .db
        .read(move |conn| Ok::<_, AppError>((org::hand_over(conn, id, &at)?, org::list_positions(conn, id)?)))
        .await?;
    let (catalogue, directory) = (app.catalogue().await?, app.directory().await?);
    let posts = catalogue.dictionary(POSTS);
    let held: Vec<Choice> = held
        .iter()
        .filter(|p| !p.is_over(&today))
        .map(|p| Choice {
            value: p.id.to_string(),
            label: format!("{} · {}", directory.path(p.unit_id), posts.title(&p.post, l)),
        })
        .collect();
    let form = form.unwrap_or_else(|| {
        let mut pairs = vec![
            ("starts_on".to_owned(), today.clone()),
            ("last_day".to_owned(), today),
            ("customers_to".to_owned(), if is_leaving { "person" } else { "stay" }.to_owned()),
        ];
        pairs.extend(held.iter().map(|h| ("ends".to_owned(), h.value.clone())));
        FormData(pairs)
    });
    let offered: &[(&str, &str)] = if is_leaving {
        &[("person", "交给一位同事"), ("nobody", "暂不指定（客户留在原部门，没有负责人）")]
    } else {
        &[
            ("stay", "仍由本人负责，留在原部门"),
            ("unit", "仍由本人负责，随本人转到新部门"),
            ("person", "交给一位同事"),
            ("nobody", "暂不指定（客户留在原部门，没有负责人）"),
        ]
    };
    let crumb = if is_leaving { "办理离职" } else { "办理调动" };
    Ok(FlowPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("人员", "/admin/people"), (crumb, "")]),
        is_leaving,
        has_left: !person.is_active && !person.left_on.is_empty(),
        coming: left
            .coming
            .iter()
            .map(|(from, until, roster)| format!("{} {roster}", Span::new(*from, *until).shown(&app.zone)))
            .collect(),
        left,
        ends: form.all("ends").into_iter().map(str::to_owned).collect(),
        held,
        units: unit_choices(&directory),
        posts: post_choices(&catalogue, l),
        unit_shown: unit_shown(&directory, form.get("unit_id")),
        post_shown: posts.entry(form.get("post")).map_or_else(String::new, |e| e.title(l).to_owned()),
        superior_shown: person_shown(&directory, form.get("superior_id")),
        taker_shown: person_shown(&directory, form.get("taker")),
        lead_shown: person_shown(&directory, form.get("lead_to")),
        shifts_shown: person_shown(&directory, form.get("shifts_to")),
        tasks_shown: person_shown(&directory, form.get("tasks_to")),
        customers_to: offered
            .iter()
            .map(|(value, label)| Choice { value: (*value).to_owned(), label: l.t(label).to_owned() })
            .collect(),
        form,
        person,
        errors,
    })
}

async fn ask_transfer(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let shown = flow(&app, &page, person, false, None, FormErrors::default()).await?;
    shown.answer(page.is_partial, StatusCode::OK)
}

async fn ask_leave(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let shown = flow(&app, &page, person, true, None, FormErrors::default()).await?;
    shown.answer(page.is_partial, StatusCode::OK)
}

fn customers_to(form: &FormData) -> Result<CustomersTo, AppError> {
    Ok(match form.get("customers_to") {
        "" | "stay" => CustomersTo::Nothing,
        "nobody" => CustomersTo::Nobody,
        "person" => match form.get("taker") {
            // Without customers nobody needs to be named; the action asks for one when there are.
            "" => CustomersTo::Nothing,
            id => CustomersTo::Person(
                id.parse().map_err(|_| AppError::field("customers_to", text!("没有这位员工")))?,
            ),
        },
        "unit" => CustomersTo::Unit(
            form.get("unit_id").parse().map_err(|_| AppError::field("unit_id", text!("请选择部门")))?,
        ),
        _ => return Err(AppError::field("customers_to", text!("没有这个选项"))),
    })
}

fn transfer_of(form: &FormData) -> Result<Transfer, AppError> {
    let customers = customers_to(form)?;
    if customers == CustomersTo::Nothing && form.get("customers_to") == "person" {
        return Err(AppError::field("customers_to", text!("请选择接手客户的同事")));
    }
    let ends: Vec<PositionId> = form
        .all("ends")
        .into_iter()
        .filter(|id| !id.is_empty())
        .map(|id| id.parse().map_err(|_| AppError::NotFound))
        .collect::<Result<_, _>>()?;
    Ok(Transfer { position: new_position(form)?, ends, customers })
}

async fn transfer(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (catalogue, at, id) = (app.catalogue().await?, app.moment(), person.id);
    let done = match transfer_of(&form) {
        Ok(asked) => {
            app.db
                .write(move |tx| {
                    org::transfer(tx, &actor, &catalogue, id, &asked, &at).map(|(_, waits)| waits)
                })
                .await
        }
        Err(error) => Err(error),
    };
    finish(&app, &page, &headers, person, false, form, done).await
}

async fn leave(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (catalogue, at, id) = (app.catalogue().await?, app.moment(), person.id);
    let asked = customers_to(&form).and_then(|customers| {
        let person = |field: &'static str| match form.get(field) {
            "" => Ok(None),
            id => id.parse().map(Some).map_err(|_| AppError::field(field, text!("没有这位员工"))),
        };
        let (lead_to, shifts_to, tasks_to) = (person("lead_to")?, person("shifts_to")?, person("tasks_to")?);
        Ok(Leaving { last_day: form.get("last_day").to_owned(), customers, lead_to, shifts_to, tasks_to })
    });
    let done = match asked {
        Ok(asked) => app.db.write(move |tx| org::leave(tx, &actor, &catalogue, id, &asked, &at)).await,
        Err(error) => Err(error),
    };
    finish(&app, &page, &headers, person, true, form, done).await
}

async fn finish(
    app: &App,
    page: &Page,
    headers: &HeaderMap,
    person: Person,
    is_leaving: bool,
    form: FormData,
    done: Result<bool, AppError>,
) -> Result<Response, AppError> {
    app.forget_sessions();
    let l = page.l;
    match done {
        Ok(is_waiting) => {
            app.jobs_waiting.notify_one();
            let said = match (is_leaving, is_waiting) {
                (true, false) => l.f("已办理“{}”的离职", &[&person.name]),
                (true, true) => l.f("已登记“{}”的离职，移交在后台进行", &[&person.name]),
                (false, false) => l.f("已办理“{}”的调动", &[&person.name]),
                (false, true) => l.f("已办理“{}”的调动，客户在后台移交", &[&person.name]),
            };
            Ok(saved(headers, &format!("/admin/people/{}", person.id), &said))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, l)?;
            let again = flow(app, page, person, is_leaving, Some(form), errors).await?;
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn cancel(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let person = load(&app, &id).await?;
    let (id, at) = (person.id, app.moment());
    app.db.write(move |tx| org::cancel_leaving(tx, &actor, id, &at)).await?;
    app.forget_sessions();
    Ok(saved(&headers, &format!("/admin/people/{id}"), &page.l.f("已取消“{}”的离职", &[&person.name])))
}
