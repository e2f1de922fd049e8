//! Contacts on the page of a customer.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::api_parts::path_id;
use super::load::load_to_edit;
use super::page_parts::{FieldView, fields, part, refused, restored, to_tab, told, version};
use super::{Contact, Draft, FIELDS, create, load, of_customer, remove, restore, update};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{ContactId, CustomerId};
use crate::input::FormErrors;
use crate::web::{FormData, Need, Page, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers/{id}/contacts", Need::SignedIn, show_tab)
        .post("/customers/{id}/contacts", Need::SignedIn, create_contact)
        .get("/customers/{id}/contacts/new", Need::SignedIn, new_contact)
        .get("/contacts/{id}/edit", Need::SignedIn, edit_contact)
        .post("/contacts/{id}", Need::SignedIn, update_contact)
        .post("/contacts/{id}/primary", Need::SignedIn, make_primary)
        .post("/contacts/{id}/delete", Need::SignedIn, remove_contact)
        .post("/contacts/{id}/restore", Need::SignedIn, restore_contact)
}

#[derive(Template)]
#[template(path = "contacts/tab.html")]
struct TabPart {
    l: Lang,
    customer: CustomerId,
    contacts: Vec<Contact>,
}

#[derive(Template)]
#[template(path = "contacts/form.html")]
struct FormPart {
    l: Lang,
    customer: CustomerId,
    action: String,
    title: String,
    version: String,
    fields: Vec<FieldView>,
    others: Vec<String>,
    offers_primary: bool,
    is_primary: bool,
}

impl FormPart {
    fn new(l: Lang, customer: CustomerId, form: &FormData, errors: &FormErrors) -> Self {
        let keys: Vec<&str> = FIELDS.iter().map(|s| s.key).collect();
        Self {
            l,
            customer,
            action: format!("/customers/{customer}/contacts"),
            title: l.t("新增联系人").to_owned(),
            version: String::new(),
            fields: fields(&FIELDS, |key| form.get(key).to_owned(), errors, l),
            others: errors.others(&keys, l),
            offers_primary: true,
            is_primary: form.is_ticked("is_primary"),
        }
    }

    fn of(l: Lang, contact: &Contact, form: Option<&FormData>, errors: &FormErrors) -> Self {
        let stored: Vec<(&str, &str)> = FIELDS.iter().map(|s| s.key).zip(contact.texts()).collect();
        let value = |key: &str| match form {
            Some(form) => form.get(key).to_owned(),
            None => stored.iter().find(|(k, _)| *k == key).map_or("", |(_, v)| v).to_owned(),
        };
        Self {
            action: format!("/contacts/{}", contact.id),
            title: l.f("修改联系人“{}”", &[&contact.name]),
            version: form.map_or_else(|| contact.version.to_string(), |f| f.get("version").to_owned()),
            fields: fields(&FIELDS, value, errors, l),
            offers_primary: !contact.is_primary,
            ..Self::new(l, contact.customer_id, &FormData::default(), errors)
        }
    }
}

/// The tab as it now is, with a message and the path that takes back what was done.
async fn tab(
    app: &App,
    actor: &Actor,
    page: &Page,
    customer: CustomerId,
    (said, undo): (&str, Option<&str>),
) -> Result<Response, AppError> {
    if !page.is_htmx {
        return Ok(to_tab(customer, "contacts"));
    }
    let reader = actor.clone();
    let contacts = app.db.read(move |conn| of_customer(conn, &reader, customer)).await?;
    let response = part(&TabPart { l: page.l, customer, contacts }, StatusCode::OK)?;
    Ok(told(page, response, said, undo))
}

async fn show_tab(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    tab(&app, &actor, &page, path_id(&id)?, ("", None)).await
}

async fn new_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    app.db
        .read(move |conn| customers::require(conn, &actor, Object::Contact, Verb::Update, customer).map(drop))
        .await?;
    let form = FormPart::new(page.l, customer, &FormData::default(), &FormErrors::default());
    part(&form, StatusCode::OK)
}

async fn create_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    let (writer, draft, now) = (actor.clone(), Draft::from_form(&form), app.now());
    match app.db.write(move |tx| create(tx, &writer, customer, &draft, now)).await {
        Ok(_) => tab(&app, &actor, &page, customer, ("联系人已保存", None)).await,
        Err(error) => {
            let errors = refused(error)?;
            part(&FormPart::new(page.l, customer, &form, &errors), StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn edit_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ContactId = path_id(&id)?;
    let contact = app.db.read(move |conn| load_to_edit(conn, &actor, id)).await?;
    part(&FormPart::of(page.l, &contact, None, &FormErrors::default()), StatusCode::OK)
}

async fn update_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: ContactId = path_id(&id)?;
    let (writer, draft, now, based_on) = (actor.clone(), Draft::from_form(&form), app.now(), version(&form));
    match app.db.write(move |tx| update(tx, &writer, id, based_on, &draft, now)).await {
        Ok(contact) => tab(&app, &actor, &page, contact.customer_id, ("联系人已保存", None)).await,
        Err(error) => {
            let errors = refused(error)?;
            let contact = app.db.read(move |conn| load_to_edit(conn, &actor, id)).await?;
            let form = FormPart::of(page.l, &contact, Some(&form), &errors);
            part(&form, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn make_primary(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ContactId = path_id(&id)?;
    let (writer, now) = (actor.clone(), app.now());
    let draft = Draft { is_primary: Some(true), ..Draft::default() };
    let contact = app.db.write(move |tx| update(tx, &writer, id, None, &draft, now)).await?;
    tab(&app, &actor, &page, contact.customer_id, ("已设为主要联系人", None)).await
}

async fn remove_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ContactId = path_id(&id)?;
    let (writer, now) = (actor.clone(), app.now());
    let (customer, was_primary) = app
        .db
        .write(move |tx| {
            let was_primary = load(tx, &writer, Verb::Update, id)?.is_primary;
            Ok::<_, AppError>((remove(tx, &writer, id, None, now)?, was_primary))
        })
        .await?;
    let undo = format!("/contacts/{id}/restore{}", if was_primary { "?primary=1" } else { "" });
    tab(&app, &actor, &page, customer, ("联系人已删除", Some(&undo))).await
}

/// Brings a contact back; with `primary=1` in the place it had.
async fn restore_contact(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let id: ContactId = path_id(&id)?;
    let (now, was_primary) = (app.now(), query.is_ticked("primary"));
    let customer = app
        .db
        .write(move |tx| {
            let customer = restore(tx, &actor, id, now)?;
            if was_primary {
                let draft = Draft { is_primary: Some(true), ..Draft::default() };
                update(tx, &actor, id, None, &draft, now)?;
            }
            Ok::<_, AppError>(customer)
        })
        .await?;
    Ok(restored(&page, customer, "contacts", "联系人已恢复"))
}
