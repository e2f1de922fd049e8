//! Dictionaries and schemes with their values.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use store::Tx;

use super::pill;
use crate::app::App;
use crate::catalogue::{self, Catalogue, Dictionary, Entry, EntryDraft};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::EntryId;
use crate::org::web::part_or_page;
use crate::web::{Cataloguer, Choice, FormData, FormErrors, Page, QueryData, Shell, saved};

#[derive(Template)]
#[template(path = "catalogue/dictionaries.html", blocks = ["list"])]
struct DictionariesPage {
    l: Lang,
    shell: Shell,
    plain: Vec<NavItem>,
    schemes: Vec<NavItem>,
    name: String,
    title: String,
    note: String,
    is_multiple: bool,
    is_scheme: bool,
    rows: Vec<EntryRow>,
}

struct NavItem {
    name: String,
    title: String,
    count: usize,
    is_here: bool,
}

struct EntryRow {
    id: EntryId,
    title: String,
    en: String,
    code: String,
    definition: String,
    pill: &'static str,
    is_active: bool,
}

pub(super) async fn index(
    State(app): State<App>,
    Cataloguer(_): Cataloguer,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let plain = catalogue.plain_dictionaries();
    let name = match asked.get("name") {
        "" => plain.first().map_or(String::new(), |d| d.name.clone()),
        name => name.to_owned(),
    };
    let open = catalogue.dictionary(&name);
    if open.name.is_empty() {
        return Err(AppError::NotFound);
    }
    let l = page.l;
    let item = |d: &Dictionary| NavItem {
        name: d.name.clone(),
        title: l.pick(&d.zh, &d.en).to_owned(),
        count: d.entries.len(),
        is_here: d.name == name,
    };
    let list = DictionariesPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("字典", "")]),
        plain: plain.into_iter().map(item).collect(),
        schemes: catalogue.schemes.iter().map(|name| item(catalogue.dictionary(name))).collect(),
        title: l.pick(&open.zh, &open.en).to_owned(),
        note: open.note.clone(),
        is_multiple: open.is_multiple,
        is_scheme: open.is_scheme,
        rows: open.entries.iter().map(row).collect(),
        name: name.clone(),
    };
    part_or_page(page.is_partial, list.as_list(), &list)
}

fn row(entry: &Entry) -> EntryRow {
    EntryRow {
        id: entry.id,
        title: entry.zh.clone(),
        en: entry.en.clone(),
        code: entry.code.clone(),
        definition: entry.definition.clone(),
        pill: pill(&entry.colour),
        is_active: entry.is_active,
    }
}

#[derive(Template)]
#[template(path = "catalogue/entry.html", blocks = ["card"])]
struct EntryPage {
    l: Lang,
    shell: Shell,
    heading: String,
    dictionary: String,
    action: String,
    form: FormData,
    colours: Vec<Choice>,
    errors: FormErrors,
}

impl EntryPage {
    fn new(page: &Page, dictionary: &Dictionary, entry: Option<&Entry>, form: FormData) -> Self {
        let l = page.l;
        let here = if entry.is_some() { "修改值" } else { "新增值" };
        let list = format!("/admin/dictionaries?name={}", dictionary.name);
        Self {
            l,
            shell: page.shell(&[("系统管理", "/admin/people"), ("字典", &list), (here, "")]),
            heading: l.t(here).to_owned(),
            dictionary: l.pick(&dictionary.zh, &dictionary.en).to_owned(),
            action: entry.map_or_else(
                || format!("/admin/dictionaries/{}", dictionary.name),
                |e| format!("/admin/entries/{}", e.id),
            ),
            colours: colours(l, entry.map_or("", |e| e.colour.as_str())),
            form,
            errors: FormErrors::default(),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

/// The colours offered; a shipped value may have a shade of one of them.
fn colours(l: Lang, present: &str) -> Vec<Choice> {
    const OFFERED: [(&str, &str); 7] = [
        ("secondary", "灰色"),
        ("blue", "蓝色"),
        ("cyan", "青色"),
        ("green", "绿色"),
        ("yellow", "黄色"),
        ("red", "红色"),
        ("purple", "紫色"),
    ];
    let mut choices: Vec<Choice> = OFFERED
        .into_iter()
        .map(|(value, title)| Choice { value: value.to_owned(), label: l.t(title).to_owned() })
        .collect();
    if !present.is_empty() && choices.iter().all(|c| c.value != present) {
        let like = match pill(present) {
            "amber" => "yellow",
            "plum" => "purple",
            "" => "secondary",
            other => other,
        };
        if let Some(choice) = choices.iter_mut().find(|c| c.value == like) {
            choice.value = present.to_owned();
        }
    }
    choices
}

fn draft(form: &FormData) -> EntryDraft {
    EntryDraft {
        zh: form.get("zh").to_owned(),
        en: form.get("en").to_owned(),
        definition: form.get("definition").to_owned(),
        colour: form.get("colour").to_owned(),
        is_active: form.is_ticked("is_active"),
    }
}

fn filled(entry: &Entry) -> FormData {
    let pairs = [
        ("zh", entry.zh.clone()),
        ("en", entry.en.clone()),
        ("definition", entry.definition.clone()),
        ("colour", entry.colour.clone()),
        ("is_active", if entry.is_active { "1" } else { "0" }.to_owned()),
    ];
    FormData(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn dictionary<'c>(catalogue: &'c Catalogue, name: &str) -> Result<&'c Dictionary, AppError> {
    let found = catalogue.dictionary(name);
    if found.name.is_empty() { Err(AppError::NotFound) } else { Ok(found) }
}

/// A value and its dictionary.
fn find<'c>(catalogue: &'c Catalogue, id: &str) -> Result<(&'c Dictionary, &'c Entry), AppError> {
    let id: EntryId = id.parse().map_err(|_| AppError::NotFound)?;
    let schemes = catalogue.schemes.iter().map(|name| catalogue.dictionary(name));
    catalogue
        .plain_dictionaries()
        .into_iter()
        .chain(schemes)
        .find_map(|d| d.entries.iter().find(|e| e.id == id).map(|e| (d, e)))
        .ok_or(AppError::NotFound)
}

pub(super) async fn new(
    State(app): State<App>,
    Cataloguer(_): Cataloguer,
    page: Page,
    Path(name): Path<String>,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let form = FormData(vec![("is_active".into(), "1".into())]);
    EntryPage::new(&page, dictionary(&catalogue, &name)?, None, form).answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn show(
    State(app): State<App>,
    Cataloguer(_): Cataloguer,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let (dictionary, entry) = find(&catalogue, &id)?;
    let form = filled(entry);
    EntryPage::new(&page, dictionary, Some(entry), form).answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn add(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    page: Page,
    Path(name): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let dictionary = dictionary(&catalogue, &name)?;
    let (draft, now) = (EntryDraft { is_active: true, ..draft(&form) }, app.now());
    let done =
        app.db.write(move |tx| catalogue::create_entry(tx, &actor, &name, &draft, now).map(drop)).await;
    finish(&app, &page, &headers, dictionary, None, form, done)
}

pub(super) async fn change(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let (dictionary, entry) = find(&catalogue, &id)?;
    let (draft, now) = (draft(&form), app.now());
    let (name, code) = (dictionary.name.clone(), entry.code.clone());
    let write = move |tx: &mut Tx<'_>| {
        catalogue::change_entry(tx, &actor, (&name, &code), None, &draft, now).map(drop)
    };
    let done = app.db.write(write).await;
    finish(&app, &page, &headers, dictionary, Some(entry), form, done)
}

fn finish(
    app: &App,
    page: &Page,
    headers: &HeaderMap,
    dictionary: &Dictionary,
    entry: Option<&Entry>,
    form: FormData,
    done: Result<(), AppError>,
) -> Result<Response, AppError> {
    app.forget_catalogue();
    match done {
        Ok(()) => {
            let to = format!("/admin/dictionaries?name={}", dictionary.name);
            Ok(saved(headers, &to, page.l.t("已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = EntryPage { errors, ..EntryPage::new(page, dictionary, entry, form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn order(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    Path(name): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    dictionary(&catalogue, &name)?;
    let order: Vec<EntryId> = form.all("id").into_iter().filter_map(|id| id.parse().ok()).collect();
    let now = app.now();
    app.db.write(move |tx| catalogue::move_entries(tx, &actor, &name, &order, now)).await?;
    app.forget_catalogue();
    Ok(StatusCode::NO_CONTENT.into_response())
}
