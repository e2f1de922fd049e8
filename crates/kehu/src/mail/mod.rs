//! Mail (邮件): what people are told in the program, also sent to those who want it. Notices are gathered into mails in
//! one transaction with the place they were read to; a mail is sent outside of any transaction, with growing pauses when
//! that fails, and keeps its Message-ID: after a crash it may be sent again, and is known as the same.

mod gather;
mod model;
mod send;
mod settings;
mod web;

pub use model::{Security, Server};
pub use send::{JOBS, RECURRING, run_due};
pub use settings::{choose, save, server, wants};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(routes)
}
