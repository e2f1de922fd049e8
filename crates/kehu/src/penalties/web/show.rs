//! A penalty: how its amount follows, what became of it, and the forms of those who may do something with it.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use store::Tx;

use super::{HOME, amount_words, clause_href, minute_or_nothing};
use crate::access::Actor;
use crate::app::App;
use crate::cases::{ADMINISTRATORS, Ground};
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PenaltyId, PersonId};
use crate::org::web::part_or_page;
use crate::penalties::{Act, Decision, Penalty, State, appeal, cancel, confirm, decide_appeal, load};
use crate::text;
use crate::web::{FormData, FormErrors, Page, Shell, flash, redirect, toast, trigger};

/// Something that happened to it.
struct Happened {
    icon: &'static str,
    colour: &'static str,
    title: &'static str,
    by: String,
    at: String,
    text: String,
}

#[derive(Template)]
#[template(path = "penalties/show.html", blocks = ["card"])]
struct Card {
    l: Lang,
    shell: Shell,
    path: String,
    penalty: Penalty,
    state: State,
    is_final: bool,
    amount: String,
    /// How the amount follows: for one, how many, the factor; empty when it is for one, once.
    calculation: String,
    clause_href: String,
    case: String,
    at: String,
    /// Until when it may be appealed; empty when the regulation knows no appeal.
    appeal_until: String,
    deciders: Vec<String>,
    happened: Vec<Happened>,
    may_confirm: bool,
    may_cancel: bool,
    may_appeal: bool,
    may_decide: bool,
    /// Which form was refused: the last part of its address.
    of_form: &'static str,
    data: FormData,
    errors: FormErrors,
}

impl Card {
    fn value(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.data.get(name) } else { "" }
    }

    fn error(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.errors.of(name) } else { "" }
    }

    /// What is wrong besides the fields of the forms.
    fn besides(&self) -> Vec<&str> {
        self.errors.besides(&["note", "reason"])
    }
}

/// How the amount follows from the amount for one.
fn calculation(penalty: &Penalty, l: Lang) -> String {
    let Some(base) = penalty.base().filter(|_| penalty.count != 1 || penalty.factor != 1.0) else {
        return String::new();
    };
    let base = amount_words(penalty.measure, base, l);
    let whole = amount_words(penalty.measure, penalty.amount, l);
    match (penalty.count != 1, penalty.factor != 1.0) {
        (true, true) => {
            l.f("每项 {} × {} 项 × {} 倍 = {}", &[&base, &penalty.count, &penalty.factor, &whole])
        }
        (true, false) => l.f("每项 {} × {} 项 = {}", &[&base, &penalty.count, &whole]),
        _ => l.f("{} × {} 倍 = {}", &[&base, &penalty.factor, &whole]),
    }
}

fn happened(penalty: &Penalty, ground: &Ground, l: Lang) -> Vec<Happened> {
    let name = |id: Option<PersonId>| {
        let member = id.and_then(|id| ground.directory.member(id));
        member.map_or_else(String::new, |member| member.name.clone())
    };
    let mut all: Vec<(i64, Happened)> = Vec::new();
    let mut add = |at: Option<i64>, (icon, colour, title), by: String, text: &str| {
        if let Some(at) = at {
            let text = text.to_owned();
            all.push((at, Happened { icon, colour, title, by, at: ground.zone.minute(at), text }));
        }
    };
    add(Some(penalty.at), ("scale-outline", "amber", "按制度提出"), l.t("系统").to_owned(), "");
    let decided_at = penalty.decided_at;
    match &penalty.appeal {
        Some(appeal) => {
            // What was decided together with the appeal is told there.
            let before = decided_at.filter(|at| appeal.decided_at.is_none_or(|then| *at < then));
            let is_later = decided_at.filter(|at| appeal.decided_at.is_some_and(|then| then < *at));
            let confirmed = ("check", "red", "确认处罚");
            add(before, confirmed, name(penalty.decided_by), &penalty.note);
            add(Some(appeal.at), ("message-2", "blue", "提出申诉"), penalty.person.clone(), &appeal.reason);
            let decision = match appeal.decision {
                Some(Decision::Withdrawn) => ("arrow-back-up", "green", "采纳申诉，撤销处罚"),
                _ => ("gavel", "red", "维持处罚"),
            };
            add(appeal.decided_at, decision, name(appeal.decided_by), &appeal.note);
            let cancelled = ("arrow-back-up", "green", "撤销处罚");
            add(is_later, cancelled, name(penalty.decided_by), &penalty.note);
        }
        None => {
            let decision = match penalty.decided {
                State::Cancelled => ("arrow-back-up", "green", "撤销处罚"),
                _ => ("check", "red", "确认处罚"),
            };
            add(decided_at, decision, name(penalty.decided_by), &penalty.note);
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, one)| one).collect()
}

type Refused = (&'static str, FormData, FormErrors);

async fn card(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: PenaltyId,
    refused: Option<Refused>,
) -> Result<Card, AppError> {
    let (l, ground) = (page.l, Ground::of(app).await?);
    let (me, of) = (actor.clone(), ground.clone());
    let penalty = app.db.read(move |conn| load(conn, &me, &of, id)).await?;
    let acts = penalty.acts(actor, ground.now);
    let may = |act: Act| acts.contains(&act);
    let (of_form, data, errors) = refused.unwrap_or_default();
    let decider = |id: &PersonId| {
        if *id == ADMINISTRATORS {
            l.t("系统管理员").to_owned()
        } else {
            ground.directory.member(*id).map_or_else(String::new, |member| member.name.clone())
        }
    };
    Ok(Card {
        l,
        shell: page.shell(&[("罚则", HOME), (&penalty.title, "")]),
        path: format!("{HOME}/{id}"),
        state: penalty.state(),
        is_final: penalty.is_final(ground.now),
        amount: amount_words(penalty.measure, penalty.amount, l),
        calculation: calculation(&penalty, l),
        clause_href: clause_href(&penalty.policy, &penalty.clause),
        case: penalty
            .case
            .as_ref()
            .map_or_else(String::new, |(number, subject)| format!("{number} {subject}")),
        at: ground.zone.minute(penalty.at),
        appeal_until: minute_or_nothing(&ground.zone, penalty.appeal_until),
        deciders: penalty.deciders.iter().map(decider).collect(),
        happened: happened(&penalty, &ground, l),
        may_confirm: may(Act::Confirm),
        may_cancel: may(Act::Cancel),
        may_appeal: may(Act::Appeal),
        may_decide: may(Act::DecideAppeal),
        of_form,
        data,
        errors,
        penalty,
    })
}

fn answer(card: &Card, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
    Ok((status, part_or_page(is_part, card.as_card(), card)?).into_response())
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let shown = card(&app, &actor, &page, path_id(&id)?, None).await?;
    answer(&shown, page.is_partial, StatusCode::OK)
}

/// Does something with a penalty and shows it as it is then; a refusal stands at its form.
async fn write(
    app: &App,
    actor: &Actor,
    page: &Page,
    (id, data): (&str, FormData),
    (of_form, said): (&'static str, &str),
    body: impl Fn(&mut Tx<'_>, &Actor, &Ground, PenaltyId, i64, &FormData) -> Result<Penalty, AppError>
    + Send
    + 'static,
) -> Result<Response, AppError> {
    let id: PenaltyId = path_id(id)?;
    let (by, ground, sent) = (actor.clone(), Ground::of(app).await?, data.clone());
    let version = data.get("version").parse().unwrap_or(0);
    let done = app.db.write(move |tx| body(tx, &by, &ground, id, version, &sent)).await;
    match done {
        Ok(_) if page.is_htmx => {
            let shown = card(app, actor, page, id, None).await?;
            let response = answer(&shown, true, StatusCode::OK)?;
            let response = trigger(response, "refreshList", serde_json::json!({}));
            Ok(toast(response, page.l.t(said), None))
        }
        Ok(_) => Ok(flash(redirect(false, &format!("{HOME}/{id}")), page.l.t(said))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let shown = card(app, actor, page, id, Some((of_form, data, errors))).await?;
            answer(&shown, page.is_htmx, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn confirm_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let form = ("confirmation", "已确认处罚");
    write(&app, &actor, &page, (&id, data), form, |tx, by, ground, id, version, sent| {
        confirm(tx, by, ground, id, version, sent.get("note"))
    })
    .await
}

pub(super) async fn cancel_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let form = ("cancellation", "已撤销处罚");
    write(&app, &actor, &page, (&id, data), form, |tx, by, ground, id, version, sent| {
        cancel(tx, by, ground, id, version, sent.get("reason"))
    })
    .await
}

pub(super) async fn appeal_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let form = ("appeal", "已提出申诉，裁决后会通知您");
    write(&app, &actor, &page, (&id, data), form, |tx, by, ground, id, version, sent| {
        appeal(tx, by, ground, id, version, sent.get("reason"))
    })
    .await
}

pub(super) async fn decide_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let form = ("appeal-decision", "已裁决申诉");
    write(&app, &actor, &page, (&id, data), form, |tx, by, ground, id, version, sent| {
        let decision = Decision::named(sent.get("decision"))
            .ok_or_else(|| AppError::field("decision", text!("请选择维持处罚或撤销处罚")))?;
        decide_appeal(tx, by, ground, id, version, (decision, sent.get("reason")))
    })
    .await
}
