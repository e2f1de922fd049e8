//! Files people attach: the bytes lie in the data folder under names of ours, a row tells what they are and whose.
//!
//! An upload is received into a temporary file (gone when the request is), moved to its place and made durable there,
//! and only then gets its row (`attach`). A crash in between leaves a file without a row, which `purge` removes a day
//! later; never a row without its file.

mod attach;
mod download;
mod load;
mod purge;
mod receive;
mod remove;
mod sniff;

pub mod api;
pub mod web;

pub use attach::{attach, discard, save};
pub(crate) use download::percent;
pub use download::{answer, open, store_path};
pub use load::{File, Place, load, of_customer};
pub(crate) use load::{attached_to, of_activities};
pub use purge::{Purged, purge};
pub use receive::{Received, Stored, from_temp, receive, temporary};
pub use remove::remove;
pub use sniff::media_type;

use crate::web::Routes;

/// Bytes all files of one customer may have together, unless the setting `files.quota_bytes` says otherwise: 2 GiB.
pub const QUOTA: i64 = 2 << 30;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
