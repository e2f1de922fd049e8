//! Customers a reader of a case may not know: their names are taken out of subjects and of what happened. Whoever opened
//! the case named the customer himself.

use std::collections::HashMap;

use policy::value::{Kind, Ty};
use store::Conn;

use super::load::Loaded;
use super::model::{Case, Trail};
use super::trail::trail_rows;
use crate::access::{self, Actor, Object};
use crate::ids::CustomerId;

/// What stands in the place of such a name.
const HIDDEN: &str = "（无权查看的客户）";

/// The names of those of these customers that the actor may not read.
fn names(
    conn: &mut Conn<'_>,
    actor: &Actor,
    mut ids: Vec<CustomerId>,
) -> store::Result<HashMap<CustomerId, String>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() || actor.sees_all_customers() {
        return Ok(HashMap::new());
    }
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    let readable = access::readable_sql(actor, Object::Customer);
    let sql = format!(
        "SELECT c.id, c.name FROM customers c WHERE c.id IN ({}) AND NOT COALESCE({readable}, FALSE)",
        ids.join(", ")
    );
    let rows: Vec<(CustomerId, String)> = conn.rows(&sql, &[])?;
    Ok(rows.into_iter().filter(|(_, name)| !name.is_empty()).collect())
}

/// The subject of `cases k` as an actor may know it, for statements of their own that list cases.
pub fn subject_sql(actor: &Actor) -> String {
    if actor.sees_all_customers() {
        return "k.subject".to_owned();
    }
    let (me, readable) = (actor.person_id.0, access::readable_sql(actor, Object::Customer));
    format!(
        "CASE WHEN k.creator_id = {me} THEN k.subject ELSE COALESCE(replace(k.subject, (SELECT c.name FROM customers c
           WHERE c.id = k.customer_id AND c.name <> '' AND NOT COALESCE({readable}, FALSE)), '{HIDDEN}'), k.subject) END"
    )
}

fn named_himself(actor: &Actor, case: &Case) -> bool {
    case.creator_id == Some(actor.person_id)
}

/// Takes the names out of the subjects of cases.
pub(super) fn hide_in_cases<'c>(
    conn: &mut Conn<'_>,
    actor: &Actor,
    cases: impl Iterator<Item = &'c mut Case>,
) -> store::Result<()> {
    let mut cases: Vec<&mut Case> = cases.filter(|case| !named_himself(actor, case)).collect();
    let hidden = names(conn, actor, cases.iter().filter_map(|case| case.customer_id).collect())?;
    for case in &mut cases {
        if let Some(name) = case.customer_id.and_then(|id| hidden.get(&id)) {
            case.subject = case.subject.replace(name.as_str(), HIDDEN);
        }
    }
    Ok(())
}

/// The customers a case names that the actor may not know, with their names.
pub(super) fn in_case(
    conn: &mut Conn<'_>,
    actor: &Actor,
    loaded: &Loaded,
) -> store::Result<HashMap<CustomerId, String>> {
    if named_himself(actor, &loaded.case) {
        return Ok(HashMap::new());
    }
    let fields = loaded.form.fields.iter().zip(&loaded.state.values);
    let of_fields = fields
        .filter(|(field, _)| field.ty == Ty::Ref(Kind::Customer))
        .filter_map(|(_, value)| value.as_text()?.parse().ok());
    let own = loaded.state.customer.as_ref().and_then(|id| id.parse().ok());
    names(conn, actor, of_fields.chain(own).collect())
}

/// What happened to a case, as the actor may know it.
pub fn trail_of(conn: &mut Conn<'_>, actor: &Actor, loaded: &Loaded) -> store::Result<Vec<Trail>> {
    let hidden = in_case(conn, actor, loaded)?;
    let mut trail = trail_rows(conn, loaded.case.id)?;
    for line in &mut trail {
        for name in hidden.values().filter(|name| line.text.contains(name.as_str())).collect::<Vec<_>>() {
            line.text = line.text.replace(name.as_str(), HIDDEN);
        }
    }
    Ok(trail)
}
