//! Trying a draft of a regulation on past cases: a page that fills as it goes on, and the same for programs. Nothing is
//! written, so it can be left at any time.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use policy::Policy;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use crate::access::Actor;
use crate::app::App;
use crate::cases::list::Place;
use crate::cases::{Found, Ground, Tried, try_draft};
use crate::clock::Millis;
use crate::contacts::api_parts::ReadProblems;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, PolicyVersionId};
use crate::policies::{self, State, Version, load_version, require_manager};
use crate::text;
use crate::web::api::{Problem, json_reply, limit, page_of};
use crate::web::{Administrator, Choice, FormData, Need, Page, QueryData, Routes, Shell, html};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Need::Administrator, routes!(list_replays))
}

/// How far back may be looked, in days; the first is what is meant when nothing is said.
const DAYS: [i64; 3] = [90, 30, 365];
/// Days looked back at the most.
const MOST_DAYS: i64 = 3_660;
/// Cases of one step of the page.
const AT_ONCE: usize = 20;
const DAY: Millis = 24 * 3_600_000;

#[derive(Template)]
#[template(path = "cases/replay.html")]
struct ReplayPage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    title: String,
    version: String,
    problems: Vec<String>,
    periods: Vec<Choice>,
    days: String,
}

/// A case of which something would have been otherwise, or that tells nothing.
struct Line {
    id: CaseId,
    number: String,
    subject: String,
    form: String,
    opened: String,
    /// Words, clause, and whether it is a refusal.
    changes: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "cases/replay_part.html")]
struct ReplayPart {
    l: Lang,
    id: PolicyVersionId,
    days: i64,
    tally: Tally,
    lines: Vec<Line>,
    /// Where it goes on; empty at the end.
    next: String,
}

/// How much was tried so far. It travels in the address, as nothing is kept.
#[derive(Clone, Copy, Default)]
struct Tally {
    tried: i64,
    changed: i64,
    unlike: i64,
    not_kept: i64,
}

impl Tally {
    fn read(asked: &FormData) -> Self {
        let number = |name: &str| asked.get(name).parse().unwrap_or(0_i64).clamp(0, 1_000_000);
        Self {
            tried: number("tried"),
            changed: number("changed"),
            unlike: number("unlike"),
            not_kept: number("not_kept"),
        }
    }

    fn add(&mut self, tried: &Tried) {
        match &tried.found {
            Found::NotKept => self.not_kept += 1,
            Found::Unlike(_) => self.unlike += 1,
            Found::Alike(changes) => {
                self.tried += 1;
                self.changed += i64::from(!changes.is_empty());
            }
        }
    }

    fn query(&self) -> String {
        let Self { tried, changed, unlike, not_kept } = self;
        format!("tried={tried}&changed={changed}&unlike={unlike}&not_kept={not_kept}")
    }
}

/// The draft of this id; a version that is in force cannot be tried, it is what happened.
async fn draft(app: &App, actor: &Actor, id: &str) -> Result<Version, AppError> {
    let id: PolicyVersionId = id.parse().map_err(|_| AppError::NotFound)?;
    let me = actor.clone();
    let version = app
        .db
        .read(move |conn| {
            require_manager(&me)?;
            load_version(conn, &me, id)
        })
        .await?;
    if version.state != State::Draft {
        return Err(AppError::Conflict(text!("只有草稿可以用过去的单据试跑；请新建一个草稿")));
    }
    Ok(version)
}

/// The draft as a regulation, or what is wrong with it.
async fn compiled(version: &Version) -> Result<Result<Policy, Vec<String>>, AppError> {
    let (files, settings) = (version.files.clone(), version.settings.clone());
    let checked = tokio::task::spawn_blocking(move || policies::compile(&files, &settings)).await;
    let checked =
        checked.map_err(|error| AppError::Internal(format!("a draft could not be checked: {error}")))?;
    Ok(checked.map_err(|problems| problems.iter().map(ToString::to_string).collect()))
}

fn days_of(asked: &FormData) -> Result<i64, AppError> {
    match asked.get("days") {
        "" => Ok(DAYS[0]),
        days => days
            .parse()
            .ok()
            .filter(|days| (1..=MOST_DAYS).contains(days))
            .ok_or_else(|| AppError::field("days", text!("days 为 1–{} 的整数", MOST_DAYS))),
    }
}

fn after_of(asked: &FormData) -> Result<Option<Place>, AppError> {
    match asked.get("after") {
        "" => Ok(None),
        after => after
            .parse()
            .map(|id| Some(Place(id)))
            .map_err(|_| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始"))),
    }
}

/// Tries the next cases.
async fn next_cases(
    app: &App,
    actor: Actor,
    draft: Policy,
    days: i64,
    after: Option<Place>,
    most: usize,
) -> Result<(Vec<Tried>, Option<Place>), AppError> {
    let (ground, draft) = (Ground::of(app).await?, Arc::new(draft));
    let since = ground.now - days * DAY;
    app.db.read(move |conn| try_draft(conn, &actor, &ground, &draft, since, after, most)).await
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let version = draft(&app, &actor, &id).await?;
    let days = days_of(&asked)?;
    let l = page.l;
    let mut offered = DAYS.to_vec();
    offered.sort_unstable();
    let periods = offered
        .iter()
        .map(|days| Choice { value: days.to_string(), label: l.f("最近 {} 天", &[days]) })
        .collect();
    html(&ReplayPage {
        l,
        shell: page.shell(&[
            ("制度", "/policies"),
            (&version.title, &format!("/policies/{}", version.id)),
            ("试跑", ""),
        ]),
        id: version.id,
        title: version.title.clone(),
        version: version.version.clone(),
        problems: compiled(&version).await?.err().unwrap_or_default(),
        periods,
        days: days.to_string(),
    })
}

/// The next cases, for the page.
pub(super) async fn go_on(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let version = draft(&app, &actor, &id).await?;
    let (days, after, l) = (days_of(&asked)?, after_of(&asked)?, page.l);
    let policy =
        compiled(&version).await?.map_err(|_| AppError::Conflict(text!("草稿还有错误，改正后才能试跑")))?;
    let titles: Vec<(String, String)> =
        policy.forms.iter().map(|form| (form.id.clone(), form.title.clone())).collect();
    let (all, next) = next_cases(&app, actor, policy, days, after, AT_ONCE).await?;
    let mut tally = Tally::read(&asked);
    all.iter().for_each(|tried| tally.add(tried));
    let lines = all
        .into_iter()
        .filter_map(|tried| match tried.found {
            Found::Alike(changes) if !changes.is_empty() => Some(Line {
                id: tried.case.id,
                form: titles
                    .iter()
                    .find(|(form, _)| *form == tried.case.form)
                    .map_or_else(String::new, |(_, title)| title.clone()),
                opened: app.zone.date(tried.case.opened_at).to_string(),
                number: tried.case.number,
                subject: tried.case.subject,
                changes: changes
                    .into_iter()
                    .map(|change| (change.text.to(l), change.clause, change.is_refusal))
                    .collect(),
            }),
            _ => None,
        })
        .collect();
    let next = next.map_or_else(String::new, |Place(id)| id.to_string());
    html(&ReplayPart { l, id: version.id, days, tally, lines, next })
}

/// Something that would have been otherwise.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct OtherwiseBody {
    /// In words.
    text: String,
    /// The clause that makes it so, or empty.
    clause: String,
    /// Whether something that was done would have been refused.
    is_refusal: bool,
}

/// A case on which the draft was tried.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ReplayBody {
    /// The case.
    id: CaseId,
    /// Its number.
    number: String,
    /// Its form.
    form: String,
    /// What it is called.
    subject: String,
    /// `same`; `changed`; `unlike`: not even its own version does it again today; `not_kept`: opened by an older program.
    result: String,
    /// What would have been otherwise.
    changes: Vec<OtherwiseBody>,
}

/// A page of cases.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ReplayList {
    /// The cases, the newest first.
    items: Vec<ReplayBody>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// Try a draft of a regulation on past cases
///
/// Does again what was done to the cases of its regulation, under their own version and under the draft, and tells the
/// difference. Nothing is written. For administrators.
#[utoipa::path(
    get, path = "/api/v1/policies/{id}/replay", tag = "policies",
    params(
        ("id" = inline(PolicyVersionId), Path),
        ("days" = Option<u16>, Query, minimum = 1, maximum = 3660, description = "How far back, in days; 90 when absent"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "What was found", body = ReplayList),
        (status = 409, description = "No draft, or one with mistakes", content_type = "application/problem+json", body = Problem),
        ReadProblems,
    )
)]
async fn list_replays(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let version = draft(&app, &actor, &id).await?;
    let (days, after, most) = (days_of(&asked)?, after_of(&asked)?, limit(asked.find("limit"))?);
    let policy =
        compiled(&version).await?.map_err(|_| AppError::Conflict(text!("草稿还有错误，改正后才能试跑")))?;
    let l = actor.lang;
    let (all, next) = next_cases(&app, actor, policy, days, after, most).await?;
    let item = |tried: &Tried| {
        let (result, changes): (&str, Vec<Json>) = match &tried.found {
            Found::NotKept => ("not_kept", Vec::new()),
            Found::Unlike(why) => ("unlike", vec![json!({ "text": why, "clause": "", "is_refusal": true })]),
            Found::Alike(changes) => {
                let one = |change: &crate::cases::Otherwise| {
                    json!({
                        "text": change.text.to(l), "clause": change.clause, "is_refusal": change.is_refusal,
                    })
                };
                (if changes.is_empty() { "same" } else { "changed" }, changes.iter().map(one).collect())
            }
        };
        json!({
            "id": tried.case.id, "number": tried.case.number, "form": tried.case.form,
            "subject": tried.case.subject, "result": result, "changes": changes,
        })
    };
    let next = next.map(|Place(id)| id.to_string());
    Ok(json_reply(&page_of(all.iter().map(item).collect(), next, None)))
}
