//! Who works on a customer and who must keep out.

use serde_json::{Value as Json, json};
use store::{Conn, FromRow, Row};

use super::grant::FOREVER;
use crate::access::{Actor, Object, Role, Verb};
use crate::clock::{Millis, rfc3339};
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::ids::{CustomerId, GrantId, PersonId, RoleId};
use crate::org;

/// A living grant on a customer.
#[derive(Clone, Debug)]
pub struct Share {
    /// Its id.
    pub id: GrantId,
    /// Who works on the customer.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// With which bundle.
    pub role_id: RoleId,
    /// The bundle's name.
    pub role: String,
    /// `share`, or what it was granted for.
    pub source: String,
    /// Why.
    pub reason: String,
    /// Until before when.
    pub ends_at: Millis,
    /// When it was given.
    pub granted_at: Millis,
    /// By whom.
    pub granted_by: String,
}

impl FromRow for Share {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            person: row.get(2)?,
            role_id: row.get(3)?,
            role: row.get(4)?,
            source: row.get(5)?,
            reason: row.get(6)?,
            ends_at: row.get(7)?,
            granted_at: row.get(8)?,
            granted_by: row.get(9)?,
        })
    }
}

impl Share {
    /// Whether it lasts until somebody ends it.
    pub fn is_endless(&self) -> bool {
        self.ends_at >= FOREVER
    }

    /// As the API sends it.
    pub fn json(&self) -> Json {
        json!({
            "id": self.id, "person_id": self.person_id, "person": self.person, "role_id": self.role_id,
            "role": self.role, "source": self.source, "reason": self.reason,
            "until": (!self.is_endless()).then(|| rfc3339(self.ends_at)),
            "granted_at": rfc3339(self.granted_at), "granted_by": self.granted_by,
        })
    }
}

/// Living grants on a customer, the oldest first; for whoever may read the customer.
pub fn of_customer(
    conn: &mut Conn<'_>,
    actor: &Actor,
    customer: CustomerId,
    now: Millis,
) -> Result<Vec<Share>, AppError> {
    customers::require(conn, actor, Object::Customer, Verb::Read, customer)?;
    Ok(conn.rows(
        "SELECT g.id, g.person_id, p.name, g.role_id, r.name, g.source, g.reason, g.ends_at, g.granted_at,
           COALESCE(b.name, '')
         FROM customer_grants g JOIN people p ON p.id = g.person_id JOIN roles r ON r.id = g.role_id
           LEFT JOIN people b ON b.id = g.granted_by
         WHERE g.customer_id = $1 AND g.revoked_at IS NULL AND g.ends_at > $2 ORDER BY g.id LIMIT 200",
        &[customer.into(), now.into()],
    )?)
}

/// Somebody who is kept out of a record.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: Millis,
    /// Who said so.
    pub created_by: String,
}

impl FromRow for Exclusion {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            person_id: row.get(0)?,
            person: row.get(1)?,
            reason: row.get(2)?,
            created_at: row.get(3)?,
            created_by: row.get(4)?,
        })
    }
}

impl Exclusion {
    /// As the API sends it.
    pub fn json(&self) -> Json {
        json!({
            "person_id": self.person_id, "person": self.person, "reason": self.reason,
            "created_at": rfc3339(self.created_at), "created_by": self.created_by,
        })
    }
}

/// Who is kept out of a customer's record; only for those who may keep people out: the reason is nobody else's matter.
pub fn exclusions(
    conn: &mut Conn<'_>,
    actor: &Actor,
    customer: CustomerId,
) -> Result<Vec<Exclusion>, AppError> {
    require_may_exclude(conn, actor, customer)?;
    Ok(conn.rows(
        "SELECT e.person_id, p.name, e.reason, e.created_at, COALESCE(b.name, '')
         FROM customer_exclusions e JOIN people p ON p.id = e.person_id LEFT JOIN people b ON b.id = e.created_by
         WHERE e.customer_id = $1 ORDER BY e.created_at, e.person_id LIMIT 200",
        &[customer.into()],
    )?)
}

pub(super) fn require_may_exclude(
    conn: &mut Conn<'_>,
    actor: &Actor,
    customer: CustomerId,
) -> Result<(), AppError> {
    let whole = customers::load_for(conn, actor, Object::Customer, Verb::Read, customer)?;
    crate::access::require(actor, Object::Customer, Verb::Assign, &whole.facts())
}

/// Whether the actor may let colleagues in.
pub fn may_share(actor: &Actor, customer: &Customer) -> bool {
    actor.rights.covers(Object::Customer, Verb::Share, &customer.facts())
}

/// Whether the actor may keep people out.
pub fn may_exclude(actor: &Actor, customer: &Customer) -> bool {
    actor.rights.covers(Object::Customer, Verb::Assign, &customer.facts())
}

/// The bundles there are.
pub fn bundles(conn: &mut Conn<'_>) -> store::Result<Vec<Role>> {
    Ok(org::load_roles(conn)?.into_iter().filter(|r| r.is_bundle).collect())
}
