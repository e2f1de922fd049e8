//! 我的值班: one's own coming shifts, what became of them, and swaps.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::weeks::{ChangeLine, Told};
use super::{name, tabs};
use crate::access::Actor;
use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{ShiftId, SwapId};
use crate::rosters::{self, Swap, SwapRule, SwapState};
use crate::text;
use crate::web::{FormData, Page, Shell, Tab, flash, html, redirect};

#[derive(Template)]
#[template(path = "rosters/duty.html")]
struct DutyPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    shifts: Vec<OwnShift>,
    fresh: usize,
    changes: Vec<ChangeLine>,
    /// Until when the page tells, for what is marked as seen.
    seen_at: Millis,
    asked: Vec<SwapLine>,
    to_decide: Vec<SwapLine>,
    mine: Vec<SwapLine>,
    past: Vec<SwapLine>,
}

struct OwnShift {
    id: ShiftId,
    when: String,
    roster: String,
    week: String,
    note: String,
    is_now: bool,
    is_fresh: bool,
    is_changed: bool,
    may_swap: bool,
}

struct SwapLine {
    id: SwapId,
    version: i64,
    roster: String,
    from: String,
    to: String,
    when: String,
    /// The colleague's shift that is taken for it; empty without one.
    other: String,
    note: String,
    answer: String,
    state: &'static str,
    colour: &'static str,
}

pub(super) async fn show(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let (l, now, me) = (page.l, app.now(), actor.clone());
    let (duty, all, history, seen) = app
        .db
        .read(move |conn| {
            let seen: Option<Millis> =
                conn.value("SELECT seen_at FROM duty_seen WHERE person_id = $1", &[me.person_id.into()])?;
            let history = rosters::swaps_of(conn, me.person_id, 30)?;
            Ok::<_, AppError>((
                rosters::duty(conn, &me, now)?,
                rosters::list(conn)?,
                history,
                seen.unwrap_or(0),
            ))
        })
        .await?;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let told = Told { app: &app, l, directory: &directory, catalogue: &catalogue, rosters: &all };
    let roster = |id| all.iter().find(|r| r.id == id);
    let roster_name = |id| roster(id).map_or_else(String::new, |r| r.name.clone());
    let line = |s: &Swap| {
        let state = s.state_at(now);
        SwapLine {
            id: s.id,
            version: s.version,
            roster: roster_name(s.roster_id),
            from: name(&directory, s.from_id),
            to: name(&directory, s.to_id),
            when: s.span.shown(&app.zone),
            other: s.other_shift_id.map_or_else(String::new, |_| s.other_span.shown(&app.zone)),
            note: s.note.clone(),
            answer: s.answer.clone(),
            state: state.title(),
            colour: match state {
                SwapState::Done => "green",
                SwapState::Asked | SwapState::Accepted => "amber",
                SwapState::Declined | SwapState::Refused => "red",
                _ => "",
            },
        }
    };
    let shifts = duty
        .shifts
        .iter()
        .map(|s| OwnShift {
            id: s.id,
            when: s.span.shown(&app.zone),
            roster: roster_name(s.roster_id),
            week: format!("/rosters/{}?week={}", s.roster_id, app.zone.date(s.span.starts_at)),
            note: s.note.clone(),
            is_now: s.span.contains(now),
            is_fresh: s.published_at.is_some_and(|at| at > seen),
            is_changed: s.changed_at.is_some_and(|at| at > seen),
            may_swap: s.span.starts_at > now
                && roster(s.roster_id).is_some_and(|r| r.swaps != SwapRule::Off && r.is_active),
        })
        .collect();
    html(&DutyPage {
        l,
        shell: page.shell(&[("值班", "/rosters"), ("我的值班", "")]),
        tabs: tabs(l, "/duty"),
        shifts,
        fresh: duty.fresh,
        changes: duty.changes.iter().map(|c| told.change(c)).collect(),
        seen_at: now,
        asked: duty.asked.iter().map(line).collect(),
        to_decide: duty.to_decide.iter().map(line).collect(),
        mine: duty.mine.iter().map(line).collect(),
        past: history.iter().filter(|s| !s.state_at(now).is_open()).map(line).collect(),
    })
}

/// Notes that the reader has seen what the page told him until `at`.
pub(super) async fn seen(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let now = app.now();
    let at: Millis = match form.get("at") {
        "" => now,
        text => text.parse().map_err(|_| AppError::BadRequest(text!("请回到“我的值班”重试")))?,
    };
    // Not what comes later than this moment.
    let at = at.clamp(0, now);
    app.db.write(move |tx| rosters::mark_seen(tx, &actor, at)).await?;
    Ok(flash(redirect(page.is_htmx, "/duty"), page.l.t("好的，这些变动不再提醒")))
}
