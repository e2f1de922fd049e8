//! Assets on the page of a customer.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::load::{Twin, twins};
use super::model::REMARK;
use super::{Asset, AssetKind, Draft, create, load, of_customer, remove, restore, update};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::{FieldView, fields, part, refused, restored, to_tab, told, version};
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{AssetId, CustomerId};
use crate::input::FormErrors;
use crate::text;
use crate::web::{FormData, Need, Page, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers/{id}/assets", Need::SignedIn, show_tab)
        .post("/customers/{id}/assets", Need::SignedIn, create_asset)
        .get("/customers/{id}/assets/new", Need::SignedIn, new_asset)
        .get("/customer-assets/{id}/edit", Need::SignedIn, edit_asset)
        .post("/customer-assets/{id}", Need::SignedIn, update_asset)
        .post("/customer-assets/{id}/delete", Need::SignedIn, remove_asset)
        .post("/customer-assets/{id}/restore", Need::SignedIn, restore_asset)
}

#[derive(Template)]
#[template(path = "assets/tab.html")]
struct TabPart {
    l: Lang,
    customer: CustomerId,
    kinds: [AssetKind; 4],
    assets: Vec<Asset>,
    twins: Vec<Twin>,
}

#[derive(Template)]
#[template(path = "assets/form.html")]
struct FormPart {
    l: Lang,
    customer: CustomerId,
    action: String,
    title: String,
    version: String,
    kind: &'static str,
    fields: Vec<FieldView>,
    others: Vec<String>,
}

impl FormPart {
    fn new(
        l: Lang,
        kind: AssetKind,
        customer: CustomerId,
        value: impl Fn(&str) -> String,
        errors: &FormErrors,
    ) -> Self {
        let keys: Vec<&str> = kind.fields().iter().chain(&REMARK).map(|s| s.key).collect();
        let mut all = fields(kind.fields(), &value, errors, l);
        all.extend(fields(&REMARK, &value, errors, l));
        Self {
            l,
            customer,
            action: format!("/customers/{customer}/assets"),
            title: l.f("新增{}", &[&l.t(kind.title())]),
            version: String::new(),
            kind: kind.code(),
            fields: all,
            others: errors.others(&keys, l),
        }
    }

    fn of(l: Lang, asset: &Asset, form: Option<&FormData>, errors: &FormErrors) -> Self {
        let value = |key: &str| match form {
            Some(form) => form.get(key).to_owned(),
            None if key == "remark" => asset.remark.clone(),
            None => asset.get(key).to_owned(),
        };
        Self {
            action: format!("/customer-assets/{}", asset.id),
            title: l.f("修改{}", &[&l.t(asset.kind.title())]),
            version: form.map_or_else(|| asset.version.to_string(), |f| f.get("version").to_owned()),
            ..Self::new(l, asset.kind, asset.customer_id, value, errors)
        }
    }
}

/// The tab as it now is, with a message and the path that takes back what was done, and a warning when the asset just saved stands elsewhere too.
async fn tab(
    app: &App,
    actor: &Actor,
    page: &Page,
    customer: CustomerId,
    saved: Option<Asset>,
    (said, undo): (&str, Option<&str>),
) -> Result<Response, AppError> {
    if !page.is_htmx {
        return Ok(to_tab(customer, "assets"));
    }
    let reader = actor.clone();
    let (assets, twins) = app
        .db
        .read(move |conn| {
            let twins = match &saved {
                Some(asset) => twins(conn, &reader, asset)?,
                None => Vec::new(),
            };
            Ok::<_, AppError>((of_customer(conn, &reader, customer)?, twins))
        })
        .await?;
    let tab = TabPart { l: page.l, customer, kinds: AssetKind::ALL, assets, twins };
    let response = part(&tab, StatusCode::OK)?;
    Ok(told(page, response, said, undo))
}

async fn show_tab(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    tab(&app, &actor, &page, path_id(&id)?, None, ("", None)).await
}

fn kind_of(code: &str) -> Result<AssetKind, AppError> {
    AssetKind::named(code).ok_or_else(|| AppError::BadRequest(text!("请先选择资产的种类")))
}

async fn new_asset(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    app.db
        .read(move |conn| customers::require(conn, &actor, Object::Asset, Verb::Update, customer).map(drop))
        .await?;
    let kind = kind_of(query.get("kind"))?;
    let form = FormPart::new(page.l, kind, customer, |_| String::new(), &FormErrors::default());
    part(&form, StatusCode::OK)
}

async fn create_asset(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    let kind = kind_of(form.get("kind"))?;
    let (writer, draft, now) = (actor.clone(), Draft::from_form(kind, &form), app.now());
    match app.db.write(move |tx| create(tx, &writer, customer, &draft, now)).await {
        Ok(asset) => tab(&app, &actor, &page, customer, Some(asset), ("资产已保存", None)).await,
        Err(error) => {
            let errors = refused(error)?;
            let form = FormPart::new(page.l, kind, customer, |key| form.get(key).to_owned(), &errors);
            part(&form, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn edit_asset(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: AssetId = path_id(&id)?;
    let asset = app.db.read(move |conn| load(conn, &actor, Verb::Update, id)).await?;
    part(&FormPart::of(page.l, &asset, None, &FormErrors::default()), StatusCode::OK)
}

async fn update_asset(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: AssetId = path_id(&id)?;
    let reader = actor.clone();
    let known = app.db.read(move |conn| load(conn, &reader, Verb::Update, id)).await?;
    let (writer, now, based_on) = (actor.clone(), app.now(), version(&form));
    let draft = Draft::from_form(known.kind, &form);
    match app.db.write(move |tx| update(tx, &writer, id, based_on, &draft, now)).await {
        Ok(asset) => tab(&app, &actor, &page, known.customer_id, Some(asset), ("资产已保存", None)).await,
        Err(error) => {
            let form = FormPart::of(page.l, &known, Some(&form), &refused(error)?);
            part(&form, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn remove_asset(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: AssetId = path_id(&id)?;
    let (writer, now) = (actor.clone(), app.now());
    let customer = app.db.write(move |tx| remove(tx, &writer, id, None, now)).await?;
    let undo = format!("/customer-assets/{id}/restore");
    tab(&app, &actor, &page, customer, None, ("资产已删除", Some(&undo))).await
}

async fn restore_asset(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: AssetId = path_id(&id)?;
    let now = app.now();
    let customer = app.db.write(move |tx| restore(tx, &actor, id, now)).await?;
    Ok(restored(&page, customer, "assets", "资产已恢复"))
}
