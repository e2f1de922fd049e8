//! Cases (单据): runs of the forms of the company's regulations. The engine (crate `policy`) says what follows from what
//! happens; here it is stored, shown to those who may see it, and woken when time passes.
//!
//! Who reads a case: who takes part in it (opened it, answers for it, had or has to act), who the regulation names as
//! readers, the heads of its unit and of those above, the superiors of who answers for it, the owner of its customer,
//! whoever has to decide on a penalty that came of it, for as long as he has to, and administrators; nobody who is to stay
//! out of it (回避), whatever else he may.

mod act;
mod api_files;
mod apply;
mod attached;
mod deeds;
mod exempt;
mod grant;
mod hear;
mod list;
mod load;
mod model;
mod named;
mod numbers;
mod penalise;
mod print;
mod refuse;
mod replay;
mod tick;
mod trail;
mod unseen;
mod urge;
mod world;

pub mod api;
pub mod web;

pub use act::{Done, act, decide, open, open_as, openable};
pub use attached::file_for;
pub use exempt::{Exemption, exempt, exemptions_of};
pub use hear::begin_now;
pub use list::{
    ListQuery, MOST_COUNTED, Place, children_of, column_values, count_about, due_between, list, open_counts,
    parent_of,
};
pub use load::{Loaded, kept_out_sql, load, readable_sql};
pub use model::{Case, CaseTask, TaskKind, Trail};
pub use named::find_for as find_named;
pub use penalise::{ADMINISTRATORS, PenaltyOf};
pub use replay::{Found, Otherwise, Tried, try_draft};
pub use tick::{JOBS, RECURRING, run_due};
pub use trail::{TaskPlace, TaskQuery, find_tasks, tasks_of, waiting_count, waiting_for};
pub use unseen::{subject_sql, trail_of};
pub use world::{Ground, with_world, with_world_of};

use crate::settings::Parameter;
use crate::web::Routes;

/// What an administrator may set.
pub const PARAMETERS: &[Parameter] = &[grant::DAYS, urge::MINUTES];

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api_files::routes(api::routes(web::routes(routes)))
}
