//! One change to many customers: the chosen ones, or everything a list finds.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::query::list_query;
use super::trigger;
use crate::access::{Actor, Object, Verb, require_may};
use crate::app::{App, to_the_end};
use crate::audit;
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::customers::{self, Draft, Field, ListQuery};
use crate::error::AppError;
use crate::i18n::{Lang, grouped};
use crate::ids::{CustomerId, PersonId};
use crate::text;
use crate::web::{FormData, Page};

/// Customers of one batch at the most.
const MOST: usize = 10_000;
/// Customers changed in one transaction.
const CHUNK: usize = 500;

/// What to do with each.
#[derive(Clone, Debug, PartialEq)]
enum Act {
    AddTag(String),
    RemoveTag(String),
    Set(Field, String),
    Assign(Option<PersonId>),
    Delete,
}

/// How it went.
#[derive(Clone, Debug, Default)]
struct Outcome {
    done: usize,
    failed: usize,
    /// What went wrong: how often, and the first customer it happened to.
    reasons: BTreeMap<String, (usize, String)>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        for (reason, (count, first)) in other.reasons {
            self.reasons.entry(reason).or_insert((0, first)).0 += count;
        }
    }

    /// `成功 3 条，失败 2 条：……（2 条，例如“天江”）`.
    fn sentence(&self, l: Lang) -> String {
        if self.failed == 0 {
            return l.f("成功 {} 条", &[&grouped(self.done)]);
        }
        let reasons: Vec<String> = self
            .reasons
            .iter()
            .take(3)
            .map(|(reason, (count, first))| l.f("{}（{} 条，例如“{}”）", &[reason, &grouped(count), first]))
            .collect();
        l.f("成功 {} 条，失败 {} 条：{}", &[&grouped(self.done), &grouped(self.failed), &reasons.join("；")])
    }
}

pub(super) async fn run(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(action): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let ran = match read_act(&action, &form, &actor) {
        Ok(act) => match which(&app, &actor, &catalogue, &form).await {
            // Whoever closes the page has begun it all the same: all of it is done.
            Ok(ids) => to_the_end(carry_out(app, actor.clone(), catalogue, ids, act)).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let l = actor.lang;
    let (words, kind, is_over) = match ran {
        Ok(outcome) if outcome.failed == 0 => (outcome.sentence(l), "good", true),
        Ok(outcome) => (outcome.sentence(l), "warn", true),
        Err(AppError::Invalid(errors)) => {
            (errors.first().map(|e| e.text.to(l)).unwrap_or_default(), "bad", false)
        }
        Err(AppError::BadRequest(text)) => (text.to(l), "bad", false),
        Err(other) => return Err(other),
    };
    if !page.is_htmx {
        let query = lists_address(&headers);
        return Ok(crate::web::redirect(false, &query));
    }
    let mut events = json!({ "toast": { "text": words, "kind": kind } });
    if is_over {
        events["clearSelection"] = json!({});
        events["refreshList"] = json!({});
    }
    Ok(trigger(axum::http::StatusCode::OK.into_response(), &events))
}

fn lists_address(headers: &HeaderMap) -> String {
    let referer = headers.get("referer").and_then(|v| v.to_str().ok()).unwrap_or_default();
    referer.split_once("/customers").map_or("/customers".into(), |(_, rest)| format!("/customers{rest}"))
}

fn read_act(action: &str, form: &FormData, actor: &Actor) -> Result<Act, AppError> {
    let given = |name: &'static str| form.get(name).trim().to_owned();
    let tag = || {
        let tag = given("tag");
        if tag.is_empty() || tag.chars().count() > 20 || tag.chars().any(char::is_control) {
            return Err(AppError::field("tag", text!("请填写标签，最多 20 个字")));
        }
        Ok(tag)
    };
    Ok(match action {
        "tag" => Act::AddTag(tag()?),
        "untag" => Act::RemoveTag(tag()?),
        "class" | "level" => {
            let field = Field::named(action).ok_or(AppError::NotFound)?;
            match given("value") {
                value if value.is_empty() => {
                    return Err(AppError::field("value", text!("请选择要设成的值")));
                }
                value => Act::Set(field, value),
            }
        }
        "next_contact_on" => match given("date") {
            date if date.is_empty() => return Err(AppError::field("date", text!("请选择日期"))),
            date => Act::Set(Field::NextContactOn, date),
        },
        "owner" => {
            require_may(actor, Object::Customer, Verb::Assign)?;
            match given("owner").as_str() {
                "" => return Err(AppError::field("owner", text!("请选择负责人"))),
                "none" => Act::Assign(None),
                id => Act::Assign(Some(
                    id.parse().map_err(|_| AppError::field("owner", text!("没有这位员工")))?,
                )),
            }
        }
        "delete" => {
            require_may(actor, Object::Customer, Verb::Delete)?;
            Act::Delete
        }
        _ => return Err(AppError::NotFound),
    })
}

/// The customers meant: `id` repeated, or with `all=1` what the query string `query` finds.
async fn which(
    app: &App,
    actor: &Actor,
    catalogue: &Catalogue,
    form: &FormData,
) -> Result<Vec<CustomerId>, AppError> {
    if !form.is_ticked("all") {
        let mut ids: Vec<CustomerId> = form
            .all("id")
            .into_iter()
            .map(|id| id.parse().map_err(|_| AppError::BadRequest(text!("选中的客户无效，请刷新后重选"))))
            .collect::<Result<_, _>>()?;
        ids.sort_unstable();
        ids.dedup();
        return if ids.is_empty() { Err(AppError::BadRequest(text!("请先选择客户"))) } else { Ok(ids) };
    }
    let query = FormData::parse(form.get("query").trim_start_matches('?').as_bytes())?;
    let asked: ListQuery = list_query(&query, catalogue, &app.zone)?;
    let actor = actor.clone();
    let ids = app
        .db
        .read(move |conn| {
            let mut ids = Vec::new();
            customers::each(conn, &actor, &asked, |customer| {
                ids.push(customer.id);
                Ok(if ids.len() > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            Ok::<_, AppError>(ids)
        })
        .await?;
    if ids.len() > MOST {
        return Err(AppError::BadRequest(text!("一次最多处理 {} 条，请先缩小筛选范围", MOST)));
    }
    if ids.is_empty() { Err(AppError::BadRequest(text!("没有符合条件的客户"))) } else { Ok(ids) }
}

/// Changes them in chunks, each a transaction of its own; what fails is counted and explained.
async fn carry_out(
    app: App,
    actor: Actor,
    catalogue: Arc<Catalogue>,
    ids: Vec<CustomerId>,
    act: Act,
) -> Result<Outcome, AppError> {
    let mut outcome = Outcome::default();
    let now = app.now();
    for chunk in ids.chunks(CHUNK) {
        let (ids, actor, catalogue, act) = (chunk.to_vec(), actor.clone(), catalogue.clone(), act.clone());
        let part = app
            .db
            .write(move |tx| {
                let mut part = Outcome::default();
                for id in &ids {
                    match tx.savepoint(|tx| one(tx, &actor, &catalogue, *id, &act, now)) {
                        Ok(()) => part.done += 1,
                        Err(error) => {
                            audit::note_denial(tx, &actor, now, &error, "/customers/batch");
                            let reason = reason_of(error, actor.lang)?;
                            let name = customers::load(tx, &actor, *id)
                                .map_or_else(|_| id.to_string(), |c| c.name().to_owned());
                            part.failed += 1;
                            part.reasons.entry(reason).or_insert((0, name)).0 += 1;
                        }
                    }
                }
                Ok::<_, AppError>(part)
            })
            .await?;
        outcome.add(part);
    }
    Ok(outcome)
}

/// The reason a person reads; what is no matter of this one customer ends the batch.
fn reason_of(error: AppError, l: Lang) -> Result<String, AppError> {
    match &error {
        AppError::Invalid(errors) => Ok(errors.first().map(|e| e.text.to(l)).unwrap_or_default()),
        AppError::Hidden { .. } | AppError::NotFound => Ok(AppError::NotFound.title().to(l)),
        AppError::Forbidden(_) | AppError::Stale | AppError::Conflict(_) => Ok(error.title().to(l)),
        _ => Err(error),
    }
}

fn one(
    tx: &mut store::Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: CustomerId,
    act: &Act,
    now: Millis,
) -> Result<(), AppError> {
    let mut draft = Draft::default();
    match act {
        Act::Delete => return customers::remove(tx, actor, id, None, now),
        Act::AddTag(tag) | Act::RemoveTag(tag) => {
            let mut tags = customers::load_for(tx, actor, Object::Customer, Verb::Update, id)?.tags;
            tags.retain(|t| t != tag);
            if matches!(act, Act::AddTag(_)) {
                tags.push(tag.clone());
            }
            draft.tags = Some(tags);
        }
        Act::Set(field, value) => drop(draft.fields.insert(*field, value.clone())),
        Act::Assign(owner) => draft.owner_id = Some(*owner),
    }
    customers::update(tx, actor, catalogue, id, None, &draft, now).map(drop)
}
