//! Backups (备份): the whole company in one file — database and attached files of one instant, with a manifest that
//! proves it — made while the server works, read back before it counts, verified, carried off and restored into an empty
//! place on either database. What is not here yet: encryption, copies elsewhere, continuous backup, drills.

mod act;
mod archive;
mod create;
mod folder;
mod listed;
mod load;
mod manifest;
mod model;
mod restore;
mod run;
mod schedule;
mod verify;

pub mod api;
pub mod web;

pub use act::{Origin, begin, cancel, open, path, remove, remove_file, request_verification};
pub use create::{Made, Order, Progress, Step, create};
pub use folder::{ENDING, Found, found_in, free_bytes, size_text};
pub use load::{Overdue, last_good, list, load, overdue};
pub use manifest::{AuditHead, FORMAT, Files, Manifest, Part};
pub use model::{Backup, State, Verification};
pub use restore::{Refused, Restored, is_unfinished, restore};
pub use run::{note_verification, run};
pub use verify::{Report, verify};

use crate::app::App;
use crate::jobs::{Kind, Recurring, Task, Work};
use crate::settings::{self, Parameter};
use crate::web::Routes;

const CREATE: &str = "backup.create";
const VERIFY: &str = "backup.verify";

/// The kinds of jobs this feature has.
pub const JOBS: &[Kind] = &[
    Kind { name: CREATE, run: create_job, on_dead: run::give_up },
    Kind { name: VERIFY, run: verify_job, on_dead: run::give_up_verification },
];

/// Its work that recurs.
pub const RECURRING: &[Recurring] = &[schedule::recur];

fn create_job(app: App, task: Task) -> Work {
    Box::pin(async move { run(&app, &task, |_, _, _| {}).await })
}
fn verify_job(app: App, task: Task) -> Work {
    Box::pin(async move { run::run_verification(&app, &task).await })
}

/// Whether a backup is made every day.
const DAILY: Parameter = Parameter {
    name: "backup.daily",
    group: "备份",
    title: "每天自动备份",
    help: "每天在下面的时间自动备份一次；服务器当时没有运行的，启动后补做",
    kind: settings::Kind::Flag { default: true },
};
/// When.
const AT: Parameter = Parameter {
    name: "backup.daily_at",
    group: "备份",
    title: "自动备份的时间",
    help: "选没有人用的时候；备份时系统照常使用",
    kind: settings::Kind::Time { default: "02:30" },
};
/// How many of them are kept.
const KEEP: Parameter = Parameter {
    name: "backup.keep",
    group: "备份",
    title: "保留几份自动备份",
    help: "新的备份完成并读回检查之后，才删除多出来的旧备份；手动备份不会自动删除",
    kind: settings::Kind::Whole { min: 1, max: 365, unit: "份", default: 7 },
};
/// How old the last good backup may be before administrators are warned; 0 for never.
const WARN_HOURS: Parameter = Parameter {
    name: "backup.warn_hours",
    group: "备份",
    title: "多久没有备份就提醒",
    help: "最近一次完好的备份早于这么久，管理员的工作台上会提醒；填 0 不提醒",
    kind: settings::Kind::Whole { min: 0, max: 2160, unit: "小时", default: 26 },
};

/// What an administrator may set.
pub const PARAMETERS: &[Parameter] = &[DAILY, AT, KEEP, WARN_HOURS];

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
