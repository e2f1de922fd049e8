//! Small recurring work every server does by itself: nothing is lost when it happens twice or an hour late.

use store::Tx;

use crate::clock::Millis;
use crate::settings::{Kind, Parameter};
use crate::web::api;

/// How often the chores are done, in milliseconds.
pub(super) const EVERY: Millis = 3_600_000;

const DAY: Millis = 86_400_000;

/// Statements that take away what has expired; `$1` is the instant before which it has.
const PURGES: [(&str, Millis); 3] = [
    ("DELETE FROM sessions WHERE ends_at < $1", 0),
    ("DELETE FROM idempotency WHERE created_at < $1", api::REMEMBERED),
    ("DELETE FROM login_throttle WHERE last_at < $1 AND blocked_until < $1", 30 * DAY),
];

/// How long the rows of jobs are kept.
const DONE_KEPT: Parameter = Parameter {
    name: "jobs.done_kept_days",
    group: "后台任务",
    title: "完成的任务保留",
    help: "已完成的后台任务的记录保留多久；只是任务记录，不影响导入结果和备份",
    kind: Kind::Whole { min: 1, max: 365, unit: "天", default: 30 },
};
const DEAD_KEPT: Parameter = Parameter {
    name: "jobs.failed_kept_days",
    group: "后台任务",
    title: "失败的任务保留",
    help: "多次重试仍失败的后台任务的记录保留多久，供查找原因",
    kind: Kind::Whole { min: 7, max: 3650, unit: "天", default: 365 },
};

/// What an administrator may set.
pub(super) const PARAMETERS: &[Parameter] = &[DONE_KEPT, DEAD_KEPT];

/// Does them; answers how many rows went away.
pub(super) fn all(tx: &mut Tx<'_>, now: Millis) -> store::Result<u64> {
    let mut gone = 0;
    for (sql, age) in PURGES {
        gone += tx.exec(sql, &[(now - age).into()])?;
    }
    for (state, kept) in [("done", DONE_KEPT), ("dead", DEAD_KEPT)] {
        let before = now - kept.whole(tx)? * DAY;
        let sql = "DELETE FROM jobs WHERE state = $1 AND finished_at < $2";
        gone += tx.exec(sql, &[state.into(), before.into()])?;
    }
    Ok(gone)
}
