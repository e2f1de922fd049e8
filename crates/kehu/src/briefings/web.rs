//! 向上级报告: the list of what one sent and was sent, the form of a new report, and a report with its figures.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Briefing, Draft, Figures, Ground, Inbox, Period, correct, ground, list, load, read, send};
use crate::access::Actor;
use crate::activities::ActivityKind;
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::BriefingId;
use crate::org::web::part_or_page;
use crate::web::{
    FormData, FormErrors, Need, Page, QueryData, Routes, Shell, Tab, flash, html, redirect, saved,
};

const HOME: &str = "/briefings";
/// Reports a list shows.
const SHOWN: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HOME, Need::SignedIn, index)
        .post(HOME, Need::SignedIn, create)
        .get("/briefings/new", Need::SignedIn, new)
        .get("/briefings/{id}", Need::SignedIn, show)
        .post("/briefings/{id}", Need::SignedIn, change)
        .post("/briefings/{id}/reading", Need::SignedIn, sign)
}

#[derive(Template)]
#[template(path = "briefings/index.html")]
struct IndexPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    is_received: bool,
    rows: Vec<Row>,
}

struct Row {
    id: BriefingId,
    period: String,
    /// Whom it goes to, or who wrote it.
    other: String,
    suggestions: String,
    sent: String,
    /// When it was read; empty while it was not.
    read: String,
}

fn row(app: &App, l: Lang, is_received: bool, briefing: Briefing) -> Row {
    Row {
        id: briefing.id,
        period: l.f("{} 至 {}", &[&briefing.starts_on, &briefing.ends_on]),
        other: if is_received { briefing.person } else { briefing.superior },
        suggestions: briefing.suggestions,
        sent: app.zone.minute(briefing.sent_at),
        read: briefing.read_at.map_or_else(String::new, |at| app.zone.minute(at)),
    }
}

async fn index(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let is_received = query.get("box") == "received";
    let inbox = if is_received { Inbox::Received } else { Inbox::Sent };
    let found = app.db.read(move |conn| list(conn, &actor, inbox, SHOWN)).await?;
    let tab = |title: &str, href: &str, active: bool| Tab {
        title: l.t(title).to_owned(),
        href: href.to_owned(),
        active,
        count: None,
    };
    html(&IndexPage {
        l,
        shell: page.shell(&[("动态", "/activities"), ("向上级报告", HOME)]),
        tabs: vec![
            tab("我提交的", HOME, !is_received),
            tab("提交给我的", "/briefings?box=received", is_received),
        ],
        is_received,
        rows: found.into_iter().map(|briefing| row(&app, l, is_received, briefing)).collect(),
    })
}

#[derive(Template)]
#[template(path = "briefings/briefing.html", blocks = ["card"])]
struct BriefingPage {
    l: Lang,
    shell: Shell,
    heading: String,
    /// Where the form goes.
    action: String,
    /// `None` for a new one.
    briefing: Option<Briefing>,
    /// What is to be said of its state.
    state: String,
    /// Nobody is there to get it.
    lacks_superior: bool,
    may_write: bool,
    may_sign: bool,
    figures: Figures,
    from: String,
    to: String,
    form: FormData,
    errors: FormErrors,
}

impl BriefingPage {
    /// The form of a new report about a period.
    fn of_new(page: &Page, ground: Ground, form: FormData, errors: FormErrors) -> Self {
        let l = page.l;
        Self {
            l,
            shell: page.shell(&[("动态", "/activities"), ("向上级报告", HOME), ("写报告", "")]),
            heading: l.t("客户问题与需求报告").to_owned(),
            action: HOME.to_owned(),
            briefing: None,
            state: String::new(),
            lacks_superior: ground.superior.is_none(),
            may_write: true,
            may_sign: false,
            figures: ground.figures,
            from: form.get("starts_on").to_owned(),
            to: form.get("ends_on").to_owned(),
            form,
            errors,
        }
    }

    /// A report that was sent, as its reader may use it.
    fn of(app: &App, actor: &Actor, page: &Page, briefing: Briefing) -> Self {
        let l = page.l;
        let state = match briefing.read_at {
            Some(at) => l.f("{} 已于 {} 查阅", &[&briefing.superior, &app.zone.minute(at)]),
            None => l.f("已提交给 {}，等待查阅", &[&briefing.superior]),
        };
        let pairs = [
            ("analysis", briefing.analysis.clone()),
            ("suggestions", briefing.suggestions.clone()),
            ("version", briefing.version.to_string()),
        ];
        Self {
            l,
            shell: page.shell(&[("动态", "/activities"), ("向上级报告", HOME), (&briefing.person, "")]),
            heading: l.f("{}的客户问题与需求报告", &[&briefing.person]),
            action: format!("{HOME}/{}", briefing.id),
            state,
            lacks_superior: false,
            may_write: briefing.person_id == actor.person_id && briefing.read_at.is_none(),
            may_sign: briefing.superior_id == actor.person_id && briefing.read_at.is_none(),
            figures: briefing.figures.clone(),
            from: briefing.starts_on.clone(),
            to: briefing.ends_on.clone(),
            form: FormData(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            errors: FormErrors::default(),
            briefing: Some(briefing),
        }
    }

    /// Its kinds with their counts, in the order of forms.
    fn kinds(&self) -> Vec<(ActivityKind, i64)> {
        let count = |kind: ActivityKind| Some((kind, *self.figures.by_kind.get(kind.code())?));
        ActivityKind::ALL.into_iter().filter_map(count).collect()
    }

    /// The activities of its period, as whoever looks may read them.
    fn activities(&self) -> String {
        format!("/activities?from={}&to={}", self.from, self.to)
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

/// What is counted for a form: nothing while its period cannot be read.
async fn counted(app: &App, actor: &Actor, form: &FormData) -> Result<Ground, AppError> {
    match Period::read(form.get("starts_on"), form.get("ends_on"), app.today()) {
        Ok(period) => ground(app, actor, &period).await,
        Err(_) => {
            let today = app.today();
            let one_day = Period { from: today, to: today };
            Ok(Ground { figures: Figures::default(), ..ground(app, actor, &one_day).await? })
        }
    }
}

async fn new(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let (today, from, to) = (app.today(), query.get("from"), query.get("to"));
    let (from, to) = match Period::read(from, to, today) {
        Ok(period) => (period.from, period.to),
        // This month until today.
        Err(_) => (today.first_of_month(), today),
    };
    let days = [("starts_on", from.to_string()), ("ends_on", to.to_string())];
    let form = FormData(days.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let ground = counted(&app, &actor, &form).await?;
    BriefingPage::of_new(&page, ground, form, FormErrors::default()).answer(page.is_partial, StatusCode::OK)
}

async fn create(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let ground = counted(&app, &actor, &form).await?;
    let period = Period::read(form.get("starts_on"), form.get("ends_on"), app.today());
    let done = match period {
        Ok(period) => {
            let (draft, basis, now) = (Draft::from_form(&form), ground.clone(), app.now());
            app.db.write(move |tx| send(tx, &actor, &period, &draft, &basis, now)).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match done {
        Ok(_) => Ok(saved(&headers, HOME, page.l.t("报告已提交给上级"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            BriefingPage::of_new(&page, ground, form, errors)
                .answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: BriefingId = path_id(&id)?;
    let reader = actor.clone();
    let briefing = app.db.read(move |conn| load(conn, &reader, id)).await?;
    BriefingPage::of(&app, &actor, &page, briefing).answer(page.is_partial, StatusCode::OK)
}

async fn change(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let id: BriefingId = path_id(&id)?;
    let reader = actor.clone();
    let known = app.db.read(move |conn| load(conn, &reader, id)).await?;
    let period = Period::read(&known.starts_on, &known.ends_on, app.today()).map_err(AppError::Invalid)?;
    let ground = ground(&app, &actor, &period).await?;
    let (writer, draft, now) = (actor.clone(), Draft::from_form(&form), app.now());
    let version = form.get("version").parse().unwrap_or(0);
    let done = app.db.write(move |tx| correct(tx, &writer, id, version, &draft, &ground, now)).await;
    match done {
        Ok(_) => Ok(saved(&headers, &format!("{HOME}/{id}"), page.l.t("报告已修改"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = BriefingPage::of(&app, &actor, &page, known);
            BriefingPage { form, errors, ..again }.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// The superior has read it.
async fn sign(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now): (BriefingId, _) = (path_id(&id)?, app.now());
    app.db.write(move |tx| read(tx, &actor, id, now)).await?;
    Ok(flash(redirect(page.is_htmx, &format!("{HOME}/{id}")), page.l.t("已查阅")))
}
