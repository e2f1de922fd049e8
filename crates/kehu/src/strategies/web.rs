//! 服务策略: the list everybody may read, and the form of administrators.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::model::{CLASSES, FIELDS, LEVELS};
use super::{Draft, Strategy, create, list, load, remove, update};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::customers::Kind;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::StrategyId;
use crate::org::web::part_or_page;
use crate::web::{Choice, FormData, FormErrors, Need, Page, Routes, Shell, Strategist, saved};

const HOME: &str = "/admin/service-strategies";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/service-strategies", Need::SignedIn, index)
        .post("/admin/service-strategies", Need::May(Object::Strategy, Verb::Update), add)
        .get("/admin/service-strategies/new", Need::May(Object::Strategy, Verb::Update), new)
        .get("/admin/service-strategies/{id}", Need::SignedIn, show)
        .post("/admin/service-strategies/{id}", Need::May(Object::Strategy, Verb::Update), change)
        .post("/admin/service-strategies/{id}/delete", Need::May(Object::Strategy, Verb::Update), delete)
}

#[derive(Template)]
#[template(path = "strategies/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    rows: Vec<StrategyRow>,
    may_change: bool,
}

struct StrategyRow {
    id: StrategyId,
    name: String,
    group: String,
    needs: String,
    content: String,
    rhythm: String,
    channel: String,
    post: String,
    valid_from: String,
    is_valid: bool,
}

/// How often such customers are contacted, in words; empty when nothing is set.
pub(crate) fn rhythm(strategy: &Strategy, l: Lang) -> String {
    match strategy.rhythm_days {
        0 => String::new(),
        days => l.f("每 {} 天一次", &[&days]),
    }
}

fn row(strategy: Strategy, catalogue: &Catalogue, l: Lang, today: &str) -> StrategyRow {
    StrategyRow {
        id: strategy.id,
        group: strategy.group_title(catalogue, l),
        rhythm: rhythm(&strategy, l),
        is_valid: strategy.valid_from.as_str() <= today,
        name: strategy.name,
        needs: strategy.needs,
        content: strategy.content,
        channel: strategy.channel,
        post: strategy.post,
        valid_from: strategy.valid_from,
    }
}

async fn index(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let (l, today) = (page.l, app.today().to_string());
    let all = app.db.read(list).await?;
    let index = IndexPage {
        l,
        shell: page.shell(&[("服务策略", "")]),
        rows: all.into_iter().map(|s| row(s, &catalogue, l, &today)).collect(),
        may_change: actor.may(Object::Strategy, Verb::Update),
    };
    part_or_page(page.is_partial, index.as_list(), &index)
}

#[derive(Template)]
#[template(path = "strategies/strategy.html", blocks = ["card"])]
struct StrategyPage {
    l: Lang,
    shell: Shell,
    heading: String,
    group: String,
    action: String,
    /// What those who may not change it read: title and value.
    facts: Option<Vec<(String, String)>>,
    /// Where it is taken away; empty for a new one.
    removal: String,
    form: FormData,
    kinds: Vec<Choice>,
    classes: Vec<Choice>,
    levels: Vec<Choice>,
    errors: FormErrors,
}

impl StrategyPage {
    fn new(page: &Page, catalogue: &Catalogue, strategy: Option<&Strategy>, form: FormData) -> Self {
        let l = page.l;
        let heading = strategy.map_or_else(|| l.t("新增服务策略").to_owned(), |s| s.name.clone());
        let choices = |name: &str, present: &str| {
            let dictionary = catalogue.dictionary(name);
            let offered = dictionary.entries.iter().filter(|e| e.is_active || e.code == present);
            offered.map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() }).collect()
        };
        Self {
            l,
            shell: page.shell(&[("服务策略", HOME), (&heading, "")]),
            group: strategy.map_or_else(String::new, |s| s.group_title(catalogue, l)),
            action: strategy.map_or_else(|| HOME.to_owned(), |s| format!("{HOME}/{}", s.id)),
            removal: strategy.map_or_else(String::new, |s| format!("{HOME}/{}/delete", s.id)),
            facts: None,
            kinds: [Kind::Person, Kind::Organisation]
                .map(|k| Choice { value: k.code().to_owned(), label: l.t(k.title()).to_owned() })
                .into(),
            classes: choices(CLASSES, strategy.map_or("", |s| &s.class)),
            levels: choices(LEVELS, strategy.map_or("", |s| &s.level)),
            heading,
            form,
            errors: FormErrors::default(),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

fn filled(strategy: &Strategy) -> FormData {
    let mut pairs: Vec<(String, String)> =
        FIELDS.iter().map(|s| (s.key.to_owned(), strategy.text(s.key))).collect();
    pairs.push(("version".into(), strategy.version.to_string()));
    FormData(pairs)
}

/// What it says besides name and group, in words; what is not said is left out.
fn said(strategy: &Strategy, l: Lang) -> Vec<(String, String)> {
    FIELDS
        .iter()
        .filter(|spec| !matches!(spec.key, "name" | "kind" | "class" | "level"))
        .map(|spec| (l.t(spec.zh).to_owned(), strategy.text(spec.key)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

async fn new(State(app): State<App>, Strategist(_): Strategist, page: Page) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    StrategyPage::new(&page, &catalogue, None, FormData::default()).answer(page.is_partial, StatusCode::OK)
}

async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: StrategyId = path_id(&id)?;
    let catalogue = app.catalogue().await?;
    let strategy = app.db.read(move |conn| load(conn, id)).await?;
    let facts = (!actor.may(Object::Strategy, Verb::Update)).then(|| said(&strategy, page.l));
    let card =
        StrategyPage { facts, ..StrategyPage::new(&page, &catalogue, Some(&strategy), filled(&strategy)) };
    card.answer(page.is_partial, StatusCode::OK)
}

async fn add(
    State(app): State<App>,
    Strategist(actor): Strategist,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let (draft, known, now) = (Draft::from_form(&form), catalogue.clone(), app.now());
    match app.db.write(move |tx| create(tx, &actor, &known, &draft, now)).await {
        Ok(_) => Ok(saved(&headers, HOME, page.l.t("服务策略已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = StrategyPage { errors, ..StrategyPage::new(&page, &catalogue, None, form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn change(
    State(app): State<App>,
    Strategist(actor): Strategist,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let id: StrategyId = path_id(&id)?;
    let catalogue = app.catalogue().await?;
    let (draft, known, now) = (Draft::from_form(&form), catalogue.clone(), app.now());
    let based_on = version(&form);
    match app.db.write(move |tx| update(tx, &actor, &known, id, based_on, &draft, now)).await {
        Ok(_) => Ok(saved(&headers, HOME, page.l.t("服务策略已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let strategy = app.db.read(move |conn| load(conn, id)).await?;
            let page_of = StrategyPage::new(&page, &catalogue, Some(&strategy), form);
            StrategyPage { errors, ..page_of }.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn delete(
    State(app): State<App>,
    Strategist(actor): Strategist,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let id: StrategyId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, None, now)).await?;
    Ok(saved(&headers, HOME, page.l.t("服务策略已删除")))
}
