//! Asking for speed (催办): whoever was urged heeds it as long as it does not come every minute.

use store::Conn;

use super::load::Loaded;
use super::world::Ground;
use crate::access::Actor;
use crate::clock::Millis;
use crate::error::AppError;
use crate::settings::{Kind, Parameter};
use crate::text;

const MINUTE: Millis = 60_000;

/// How long whoever has urged a step waits before he may urge it again.
pub const MINUTES: Parameter = Parameter {
    name: "cases.urge_minutes",
    group: "单据",
    title: "同一人再次催办同一步骤的间隔",
    help: "催办过以后，隔这么久才能再催同一步；单据到了别的步骤，或者退回来重新办理，可以马上催",
    kind: Kind::Whole { min: 1, max: 10_080, unit: "分钟", default: 60 },
};

/// From when on an actor may urge again the step a case is at, to the full minute; `None` when he may now.
pub(super) fn again_at(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    loaded: &Loaded,
) -> store::Result<Option<Millis>> {
    let state = &loaded.state;
    let entered = state.entered.get(&state.step).copied().unwrap_or(state.opened_at);
    let last: Option<Millis> = conn.value(
        "SELECT at FROM case_trail WHERE case_id = $1 AND kind = 'urged' AND actor_id = $2 AND at >= $3
         ORDER BY id DESC LIMIT 1",
        &[loaded.case.id.into(), actor.person_id.into(), entered.into()],
    )?;
    let Some(last) = last else { return Ok(None) };
    let again = last + MINUTES.whole(conn)? * MINUTE;
    // What is told in minutes must hold from that minute on.
    let told = (again + MINUTE - 1).div_euclid(MINUTE) * MINUTE;
    Ok((ground.now < again).then_some(told))
}

/// Refuses whoever has urged the same step a short while ago.
pub(super) fn require_pause(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    loaded: &Loaded,
) -> Result<(), AppError> {
    match again_at(conn, actor, ground, loaded)? {
        None => Ok(()),
        Some(at) => {
            let (step, at) = (&loaded.case.step_title, ground.zone.minute(at));
            Err(AppError::Conflict(text!("您已经催办过“{}”，{} 起可以再次催办", step, at)))
        }
    }
}
