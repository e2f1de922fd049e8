//! Bringing customers in from spreadsheets and address books: upload, match columns, check, run in the background,
//! errors as a file to correct, and taking a whole import back.

mod api;
mod batch;
mod check;
mod errors;
mod export;
mod kind;
mod known;
mod mapping;
mod model;
mod plan;
mod reader;
mod rows;
mod run;
mod template;
mod undo;
mod upload;
mod web;

pub(crate) use api::read_upload;
pub use batch::Counts;
pub use check::{BadRow, Checked, Doubts, Example, Kept, Report, check};
pub(crate) use errors::words as error_words;
pub use errors::{Refused, error_file, handed_out};
pub use export::{Format, export};
pub(crate) use export::{XLSX, download};
pub use kind::guess_kind;
pub use mapping::{Target, offered};
pub use model::{Import, OnDuplicate, State, list, load};
pub use plan::{LONGEST_CELL, Plan, Work, Wrong};
pub use reader::{Place, Source};
pub(crate) use reader::{parse, refused};
pub use run::{Start, actor_of, begin as start, run};
pub(crate) use template::words as template_words;
pub use upload::{Choices, begin_by_command, cancel, choose, send, take};

use store::Tx;

use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;
use crate::jobs::{self, Kind, Task};
use crate::web::Routes;

const CHECK: &str = "import.check";
const RUN: &str = "import.run";
const UNDO: &str = "import.undo";

/// The kinds of jobs this feature has.
pub const JOBS: &[Kind] = &[
    Kind { name: CHECK, run: check_job, on_dead: give_up },
    Kind { name: RUN, run: run_job, on_dead: give_up },
    Kind { name: UNDO, run: undo_job, on_dead: give_up },
];

fn check_job(app: App, task: Task) -> jobs::Work {
    Box::pin(check::job(app, task))
}
fn run_job(app: App, task: Task) -> jobs::Work {
    Box::pin(run::job(app, task))
}
fn undo_job(app: App, task: Task) -> jobs::Work {
    Box::pin(undo::job(app, task))
}
fn give_up(tx: &mut Tx<'_>, id: i64, error: &AppError, now: Millis) -> store::Result<()> {
    run::give_up(tx, id, error, now)
}

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = web::routes(routes);
    let routes = export::routes(routes);
    api::routes(routes)
}
