//! Files people attach: the bytes lie in the data folder under names of ours, a row tells what they are and whose.
//!
//! An upload is received into a temporary file (gone when the request is), moved to its place and made durable there,
//! and only then gets its row (`attach`). A crash in between leaves a file without a row, which `purge` removes a day
//! later; never a row without its file.

mod attach;
mod check;
mod download;
mod load;
mod purge;
mod receive;
mod remove;
mod sniff;

pub mod api;
pub mod web;

pub(crate) use api::receive_for_case;
pub use attach::{attach, discard, save};
pub(crate) use attach::{is_picture, keep_with_case};
pub use check::{Checked, Damage, check};
pub(crate) use download::percent;
pub use download::{hand_out, store_path};
pub use load::{File, Place, load, of_customer};
pub(crate) use load::{attached_to, of_activities, of_case};
pub use purge::{Purged, purge};
pub use receive::{Received, Stored, from_temp, receive, temporary};
pub use remove::remove;
pub use sniff::media_type;

use crate::settings::{Kind, Parameter};
use crate::web::Routes;

/// Name of the folder of files in the data folder.
pub const FOLDER: &str = "files";

/// Megabytes all files of one customer may have together.
pub const QUOTA: Parameter = Parameter {
    name: "files.quota_mib",
    group: "附件",
    title: "每位客户的附件上限",
    help: "一位客户全部附件加起来的大小；已经超过的不受影响，只是不能再上传",
    kind: Kind::Whole { min: 1, max: 1 << 20, unit: "MB", default: 2048 },
};

/// Days the bytes of a file are kept after it was deleted.
pub const KEPT_DAYS: Parameter = Parameter {
    name: "files.deleted_kept_days",
    group: "附件",
    title: "删除的附件保留",
    help: "附件删除后，文件内容在服务器上再保留的天数，之后彻底清除",
    kind: Kind::Whole { min: 1, max: 365, unit: "天", default: 1 },
};

/// What an administrator may set.
pub const PARAMETERS: &[Parameter] = &[QUOTA, KEPT_DAYS];

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
