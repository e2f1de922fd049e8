//! Sending a report to one's superior.

use store::Tx;

use super::load::load;
use super::model::{Briefing, Draft, Figures, Period};
use crate::access::{self, Actor};
use crate::activities::{self, ListQuery};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{BriefingId, PersonId};
use crate::notices::{self, Tell};
use crate::{events, text};

/// What is known before a report is written: whom its writer reports to today, and how much happened.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// Whom he reports to in his main post.
    pub superior: Option<PersonId>,
    /// What was counted in the period, of what he may read.
    pub figures: Figures,
}

/// Finds the superior and counts the period; on a reader, as counting takes its time.
pub async fn ground(app: &App, actor: &Actor, period: &Period) -> Result<Ground, AppError> {
    let directory = app.directory().await?;
    let superior = directory.superior(actor.person_id, &app.today().to_string());
    let asked = ListQuery {
        from: Some(app.zone.day(period.from).0),
        until: Some(app.zone.day(period.to).1),
        ..ListQuery::default()
    };
    let me = actor.clone();
    let report = app
        .db
        .read(move |conn| {
            access::require_unbarred(&me)?;
            activities::report(conn, &me, &asked)
        })
        .await?;
    Ok(Ground { superior, figures: Figures::of(&report) })
}

/// Sends a report about a period to the actor's superior, who is told. There is one a person and period.
pub fn send(
    tx: &mut Tx<'_>,
    actor: &Actor,
    period: &Period,
    draft: &Draft,
    ground: &Ground,
    now: Millis,
) -> Result<Briefing, AppError> {
    access::require_unbarred(actor)?;
    let values = draft.clean(true).map_err(AppError::Invalid)?;
    let superior = ground.superior.ok_or_else(no_superior)?;
    let (id, from, to) = (BriefingId::new(), period.from.to_string(), period.to.to_string());
    let text = |key: &str| values.get(key).cloned().unwrap_or_default();
    tx.exec(
        "INSERT INTO briefings (id, person_id, superior_id, starts_on, ends_on, figures, analysis, suggestions, sent_at,
           version, updated_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,1,$9)",
        &[
            id.into(),
            actor.person_id.into(),
            superior.into(),
            (&from).into(),
            (&to).into(),
            serde_json::json!(ground.figures).into(),
            text("analysis").into(),
            text("suggestions").into(),
            now.into(),
        ],
    )
    .map_err(|error| {
        if error.is_unique("briefings_person_id_starts_on_ends_on_key") {
            AppError::Conflict(text!("这段时间的报告已经提交；上级查阅前可以打开它修改"))
        } else {
            error.into()
        }
    })?;
    let briefing = load(tx, actor, id)?;
    tell_superior(tx, &briefing, now)?;
    events::emit(tx, actor, now, "briefing.sent", "briefing", id.0, 0)?;
    let after = briefing.facts();
    audit::record(tx, actor, now, &Entry::of("briefing.sent", "briefing", id.0).after(&after))?;
    Ok(briefing)
}

/// What is said to whoever reports to nobody.
pub(super) fn no_superior() -> AppError {
    AppError::Conflict(text!("组织里没有您的上级，请让管理员在您的任职中指定"))
}

/// Tells the superior that there is a report to read.
pub(super) fn tell_superior(tx: &mut Tx<'_>, briefing: &Briefing, now: Millis) -> store::Result<()> {
    let Briefing { person, starts_on, ends_on, .. } = briefing;
    let text = format!(
        "{person}提交了 {starts_on} 至 {ends_on} 的客户问题与需求报告，请在“动态”的“向上级报告”中查阅"
    );
    tell(tx, briefing.superior_id, "briefing_sent", &text, now)
}

/// Tells somebody something about a report.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    person: PersonId,
    kind: &'static str,
    text: &str,
    now: Millis,
) -> store::Result<()> {
    notices::tell(tx, now, [(person, Tell { kind, text, ..Tell::default() })])
}
