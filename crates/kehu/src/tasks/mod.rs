//! What waits for a person.
use crate::access::Actor;
use crate::web::Routes;
use store::Conn;
/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
}
/// How much waits for an actor on a day: customers to be contacted by then, and open needs of his customers.
pub fn count(conn: &mut Conn<'_>, actor: &Actor, today: &str) -> store::Result<i64> {
    conn.count(
        "SELECT (SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND next_contact_on <> '' AND next_contact_on <= $2
                 AND deleted_at IS NULL)",
        &[actor.person_id.into(), today.into()],
    )
}
