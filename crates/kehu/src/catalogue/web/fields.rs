//! Fields of customers: those the company adds, and which built-in ones must be filled.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use store::Tx;

use crate::access::{Object, Verb};
use crate::app::App;
use crate::catalogue::{self, CustomField, CustomKind, FieldDraft, REQUIREMENTS, Requirements};
use crate::customers::{CONTACT, SPECS};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomFieldId;
use crate::org::web::part_or_page;
use crate::settings;
use crate::text;
use crate::web::{Cataloguer, Choice, FormData, FormErrors, Page, Shell, flash, redirect, saved};

/// The standard dossier of 1.3-2 (VF-04) besides the name, which is always asked for.
const STANDARD: [&str; 6] = ["class", "nature", "parent_organisation", "address", CONTACT, "phone"];

#[derive(Template)]
#[template(path = "catalogue/fields.html", blocks = ["list"])]
struct FieldsPage {
    l: Lang,
    shell: Shell,
    rows: Vec<FieldRow>,
    built_in: Vec<BuiltIn>,
    is_standard: bool,
}

struct FieldRow {
    id: CustomFieldId,
    title: String,
    kind: String,
    applies_to: String,
    choices: String,
    is_required: bool,
    is_active: bool,
}

struct BuiltIn {
    key: &'static str,
    title: String,
    is_standard: bool,
    is_required: bool,
}

pub(super) async fn index(
    State(app): State<App>,
    Cataloguer(_): Cataloguer,
    page: Page,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let l = page.l;
    let to_save = &catalogue.requirements.to_save;
    let list = FieldsPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("客户字段", "")]),
        rows: catalogue.custom_fields.iter().map(|f| row(l, f)).collect(),
        built_in: SPECS
            .iter()
            .filter(|s| s.key != "name")
            .map(|s| (s.key, s.zh))
            .chain([(CONTACT, "联系人")])
            .map(|(key, zh)| BuiltIn {
                key,
                title: l.t(zh).to_owned(),
                is_standard: STANDARD.contains(&key),
                is_required: to_save.iter().any(|k| k == key),
            })
            .collect(),
        is_standard: STANDARD.iter().all(|key| to_save.iter().any(|k| k == key)),
    };
    part_or_page(page.is_partial, list.as_list(), &list)
}

fn row(l: Lang, field: &CustomField) -> FieldRow {
    FieldRow {
        id: field.id,
        title: field.title.clone(),
        kind: l.t(field.kind.title()).to_owned(),
        applies_to: l.t(applies_title(&field.applies_to)).to_owned(),
        choices: field.choices.join("、"),
        is_required: field.is_required,
        is_active: field.is_active,
    }
}

fn applies_title(applies_to: &str) -> &'static str {
    match applies_to {
        "person" => "仅个人",
        "organisation" => "仅单位",
        _ => "个人和单位",
    }
}

/// Sets which built-in fields must be filled: the ticked ones, and with `standard` the whole standard dossier.
pub(super) async fn require(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let ticked = form.all("field");
    let is_standard = form.is_ticked("standard");
    let to_save = SPECS
        .iter()
        .map(|s| s.key)
        .chain([CONTACT])
        .filter(|key| ticked.contains(key) || is_standard && STANDARD.contains(key))
        .map(str::to_owned)
        .collect();
    let (value, now) = (Requirements { to_save }, app.now());
    app.db
        .write(move |tx| {
            settings::set_for(tx, &actor, (Object::Catalogue, Verb::Update), REQUIREMENTS, &value, now)
        })
        .await?;
    app.forget_catalogue();
    Ok(flash(redirect(page.is_htmx, "/admin/fields"), page.l.t("已保存")))
}

#[derive(Template)]
#[template(path = "catalogue/field.html", blocks = ["card"])]
struct FieldPage {
    l: Lang,
    shell: Shell,
    heading: String,
    action: String,
    is_new: bool,
    has_choices: bool,
    kind_title: String,
    form: FormData,
    kinds: Vec<Choice>,
    targets: Vec<Choice>,
    errors: FormErrors,
}

impl FieldPage {
    fn new(page: &Page, field: Option<&CustomField>, form: FormData) -> Self {
        let l = page.l;
        let here = if field.is_some() { "修改字段" } else { "新增字段" };
        let choice =
            |value: &str, title: &str| Choice { value: value.to_owned(), label: l.t(title).to_owned() };
        Self {
            l,
            shell: page.shell(&[("系统管理", "/admin/people"), ("客户字段", "/admin/fields"), (here, "")]),
            heading: l.t(here).to_owned(),
            action: field.map_or_else(|| "/admin/fields".to_owned(), |f| format!("/admin/fields/{}", f.id)),
            is_new: field.is_none(),
            has_choices: field.is_some_and(|f| f.kind.has_choices()),
            kind_title: field.map_or_else(String::new, |f| l.t(f.kind.title()).to_owned()),
            form,
            kinds: CustomKind::ALL.map(|k| choice(k.code(), k.title())).into(),
            targets: ["", "person", "organisation"].map(|t| choice(t, applies_title(t))).into(),
            errors: FormErrors::default(),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

fn draft(form: &FormData, kind: CustomKind) -> FieldDraft {
    let choices = form.get("choices").lines().map(str::trim).filter(|c| !c.is_empty());
    FieldDraft {
        title: form.get("title").to_owned(),
        kind,
        // The box is hidden for the other kinds; what was typed before the kind was changed is not meant.
        choices: choices.filter(|_| kind.has_choices()).map(str::to_owned).collect(),
        applies_to: form.get("applies_to").to_owned(),
        help: form.get("help").to_owned(),
        is_required: form.is_ticked("is_required"),
        is_active: form.is_ticked("is_active"),
    }
}

fn filled(field: &CustomField) -> FormData {
    let tick = |yes: bool| if yes { "1" } else { "0" }.to_owned();
    let pairs = [
        ("title", field.title.clone()),
        ("choices", field.choices.join("\n")),
        ("applies_to", field.applies_to.clone()),
        ("help", field.help.clone()),
        ("is_required", tick(field.is_required)),
        ("is_active", tick(field.is_active)),
    ];
    FormData(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

async fn find(app: &App, id: &str) -> Result<CustomField, AppError> {
    let id: CustomFieldId = id.parse().map_err(|_| AppError::NotFound)?;
    let catalogue = app.catalogue().await?;
    catalogue.custom_fields.iter().find(|f| f.id == id).cloned().ok_or(AppError::NotFound)
}

pub(super) async fn new(Cataloguer(_): Cataloguer, page: Page) -> Result<Response, AppError> {
    let form = FormData(vec![("kind".into(), "text".into()), ("is_active".into(), "1".into())]);
    FieldPage::new(&page, None, form).answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn show(
    State(app): State<App>,
    Cataloguer(_): Cataloguer,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let field = find(&app, &id).await?;
    let form = filled(&field);
    FieldPage::new(&page, Some(&field), form).answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn add(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let kind = CustomKind::ALL.into_iter().find(|k| k.code() == form.get("kind"));
    let now = app.now();
    let done = match kind {
        None => Err(AppError::field("kind", text!("请选择字段类型"))),
        Some(kind) => {
            let draft = draft(&form, kind);
            app.db.write(move |tx| catalogue::create_custom_field(tx, &actor, &draft, now).map(drop)).await
        }
    };
    finish(&app, &page, &headers, None, form, done)
}

pub(super) async fn change(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let field = find(&app, &id).await?;
    let (draft, key, now) = (draft(&form, field.kind), field.key.clone(), app.now());
    let write =
        move |tx: &mut Tx<'_>| catalogue::change_custom_field(tx, &actor, &key, None, &draft, now).map(drop);
    let done = app.db.write(write).await;
    finish(&app, &page, &headers, Some(&field), form, done)
}

fn finish(
    app: &App,
    page: &Page,
    headers: &HeaderMap,
    field: Option<&CustomField>,
    form: FormData,
    done: Result<(), AppError>,
) -> Result<Response, AppError> {
    app.forget_catalogue();
    match done {
        Ok(()) => Ok(saved(headers, "/admin/fields", page.l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = FieldPage { errors, ..FieldPage::new(page, field, form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn order(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    form: FormData,
) -> Result<Response, AppError> {
    let order: Vec<CustomFieldId> = form.all("id").into_iter().filter_map(|id| id.parse().ok()).collect();
    let now = app.now();
    app.db.write(move |tx| catalogue::move_custom_fields(tx, &actor, &order, now)).await?;
    app.forget_catalogue();
    Ok(StatusCode::NO_CONTENT.into_response())
}
