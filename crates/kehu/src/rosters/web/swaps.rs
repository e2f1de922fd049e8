//! Asking a colleague for a swap, and answering one.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{name, people_of, person_in};
use crate::access::Actor;
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{ShiftId, SwapId};
use crate::org::web::part_or_page;
use crate::rosters::{self, NewSwap, Roster, Shift, SwapAct, SwapRule};
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Page, Shell, flash, redirect};

#[derive(Template)]
#[template(path = "rosters/swap.html", blocks = ["card"])]
struct SwapPage {
    l: Lang,
    shell: Shell,
    id: ShiftId,
    roster: String,
    when: String,
    needs_approval: bool,
    /// Colleagues who can stand in.
    people: Vec<Choice>,
    /// Their shifts that can be taken for it.
    others: Vec<Choice>,
    form: FormData,
    errors: FormErrors,
}

impl SwapPage {
    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

/// The shift, for whose it is and while it is published; and its roster.
async fn own(app: &App, actor: &Actor, id: &str) -> Result<(Shift, Roster), AppError> {
    let (id, me): (ShiftId, _) = (path_id(id)?, actor.person_id);
    app.db
        .read(move |conn| {
            let shift = rosters::load_shift(conn, id)?;
            if !shift.is_published() {
                return Err(AppError::NotFound);
            }
            if shift.person_id != me {
                return Err(AppError::Forbidden(text!("只能为自己的班次找人换班")));
            }
            let roster = rosters::load(conn, shift.roster_id)?;
            Ok((shift, roster))
        })
        .await
}

async fn page_of(
    app: &App,
    actor: &Actor,
    page: &Page,
    shift: &Shift,
    roster: &Roster,
    form: FormData,
) -> Result<SwapPage, AppError> {
    let l = page.l;
    let directory = app.directory().await?;
    let (id, me, now) = (roster.id, actor.person_id, app.now());
    let theirs = app.db.read(move |conn| rosters::others_on(conn, id, me, now)).await?;
    let mut people = people_of(&directory, roster.unit_id, &app.today().to_string());
    people.retain(|p| *p != me);
    for other in &theirs {
        if !people.contains(&other.person_id) {
            people.push(other.person_id);
        }
    }
    let other = |s: &Shift| Choice {
        value: s.id.to_string(),
        label: format!("{} {}", name(&directory, s.person_id), s.span.shown(&app.zone)),
    };
    Ok(SwapPage {
        l,
        shell: page.shell(&[("值班", "/rosters"), ("我的值班", "/duty"), ("换班", "")]),
        id: shift.id,
        roster: roster.name.clone(),
        when: shift.span.shown(&app.zone),
        needs_approval: roster.swaps == SwapRule::Approve,
        people: people
            .into_iter()
            .map(|p| Choice { value: p.to_string(), label: name(&directory, p) })
            .collect(),
        others: theirs.iter().map(other).collect(),
        form,
        errors: FormErrors::default(),
    })
}

pub(super) async fn new(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (shift, roster) = own(&app, &actor, &id).await?;
    let card = page_of(&app, &actor, &page, &shift, &roster, FormData::default()).await?;
    card.answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn ask(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let (shift, roster) = own(&app, &actor, &id).await?;
    let done = match wanted(&app, &shift, &form).await {
        Ok(new) => {
            let (by, catalogue, zone, now) =
                (actor.clone(), app.catalogue().await?, app.zone.clone(), app.now());
            app.db.write(move |tx| rosters::ask_swap(tx, &by, &catalogue, &new, &zone, now)).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(flash(redirect(page.is_htmx, "/duty"), page.l.t("已向同事提出换班，等他答复"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let card = page_of(&app, &actor, &page, &shift, &roster, form).await?;
            SwapPage { errors, ..card }.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// What the form asks for: a colleague to stand in, or a shift of a colleague's, which says who he is.
async fn wanted(app: &App, shift: &Shift, form: &FormData) -> Result<NewSwap, AppError> {
    let other_shift_id: Option<ShiftId> = match form.get("other_shift_id") {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::field("other_shift_id", text!("没有这个班次")))?),
    };
    let to_id = match (person_in(form, "to_id")?, other_shift_id) {
        (Some(person), _) => person,
        (None, Some(other)) => {
            let missing = || AppError::field("other_shift_id", text!("没有这个班次"));
            let roster = shift.roster_id;
            let other = app.db.read(move |conn| rosters::load_shift(conn, other)).await;
            let other = other.ok().filter(|s| s.is_published() && s.roster_id == roster);
            other.ok_or_else(missing)?.person_id
        }
        (None, None) => {
            return Err(AppError::field("to_id", text!("请选择代班的同事，或要互换的班次")));
        }
    };
    Ok(NewSwap { shift_id: shift.id, to_id, other_shift_id, note: form.get("note").to_owned() })
}

pub(super) async fn answer(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: SwapId = path_id(&id)?;
    let me = actor.clone();
    app.db.read(move |conn| rosters::load_swap(conn, &me, id)).await?;
    let act = SwapAct::named(form.get("act"))
        .ok_or_else(|| AppError::BadRequest(text!("没有这个操作，请回到“我的值班”重试")))?;
    let (catalogue, zone, now, based_on) =
        (app.catalogue().await?, app.zone.clone(), app.now(), version(&form));
    let said = form.get("answer").to_owned();
    let done = app
        .db
        .write(move |tx| rosters::answer_swap(tx, &actor, &catalogue, id, based_on, act, &said, &zone, now))
        .await?;
    let l = page.l;
    let said = match act {
        SwapAct::Accept if done.state.is_open() => "已同意，等排班人批准",
        SwapAct::Accept => "已同意，班次已换",
        SwapAct::Decline => "已答复：不同意",
        SwapAct::Withdraw => "已撤回",
        SwapAct::Approve => "已批准，班次已换",
        SwapAct::Refuse => "已答复：不批准",
    };
    Ok(flash(redirect(page.is_htmx, "/duty"), l.t(said)))
}
