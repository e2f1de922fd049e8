//! Small recurring work every server does by itself: nothing is lost when it happens twice or an hour late.

use store::Tx;

use crate::clock::Millis;
use crate::web::api;

/// How often the chores are done, in milliseconds.
pub(super) const EVERY: Millis = 3_600_000;

const DAY: Millis = 86_400_000;

/// Statements that take away what has expired; `$1` is the instant before which it has.
const PURGES: [(&str, Millis); 5] = [
    ("DELETE FROM sessions WHERE ends_at < $1", 0),
    ("DELETE FROM idempotency WHERE created_at < $1", api::REMEMBERED),
    ("DELETE FROM login_throttle WHERE last_at < $1 AND blocked_until < $1", 30 * DAY),
    ("DELETE FROM jobs WHERE state = 'done' AND finished_at < $1", 30 * DAY),
    ("DELETE FROM jobs WHERE state = 'dead' AND finished_at < $1", 365 * DAY),
];

/// Does them; answers how many rows went away.
pub(super) fn all(tx: &mut Tx<'_>, now: Millis) -> store::Result<u64> {
    let mut gone = 0;
    for (sql, age) in PURGES {
        gone += tx.exec(sql, &[(now - age).into()])?;
    }
    Ok(gone)
}
