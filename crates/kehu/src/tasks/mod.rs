//! What waits for a person (待办): tasks colleagues gave him or his unit, customers he promised to contact, needs nobody
//! has dealt with, dossiers to complete. Nothing is stored here: the list follows from `assignments` and from his own
//! customers, so that nothing has to be kept in step.

mod load;
mod web;

pub use load::{Counts, Need, Reason, Task, counts, list};

use store::Conn;

use crate::access::Actor;
use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(routes)
}

/// How much waits for an actor on a day, for the badge: tasks colleagues gave him or his unit and those that came back
/// to him, contacts planned until then, and open needs of his customers.
pub fn count(conn: &mut Conn<'_>, actor: &Actor, today: &str) -> store::Result<i64> {
    load::due_and_open(conn, actor, today)
}
