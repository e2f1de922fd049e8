//! Reading the organisation and rights from the database: the snapshot every server keeps, and the grants on single
//! records that are read with each session.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use store::{Conn, Tx};

use crate::access::{
    Delegation, DirectRole, FieldRule, Member, Object, Parts, Position, Register, Role, Scope, Unit, Verb,
};
use crate::clock::{Millis, Zone};
use crate::ids::{CustomerId, DelegationId, PersonId, RoleId, UnitId};

/// Moves on with every change of organisation or rights.
pub fn epoch(conn: &mut Conn<'_>) -> store::Result<i64> {
    Ok(conn.value("SELECT epoch FROM rights_state WHERE id = 1", &[])?.unwrap_or(0))
}

/// Says that organisation or rights changed: every server reads them anew with its next request. Call it in the
/// transaction of the change; on PostgreSQL such changes then wait for each other.
pub fn rights_changed(tx: &mut Tx<'_>) -> store::Result<()> {
    tx.exec("UPDATE rights_state SET epoch = $1 WHERE id = 1", &[store::new_id().into()]).map(drop)
}

impl store::FromRow for Position {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            unit_id: row.get(2)?,
            post: row.get(3)?,
            is_main: row.get(4)?,
            superior_id: row.get(5)?,
            starts_on: row.get(6)?,
            ends_on: row.get(7)?,
        })
    }
}

/// The columns of a `Position`.
pub(super) const POSITION: &str = "id, person_id, unit_id, post, is_main, superior_id, starts_on, ends_on";

/// Everything a `Directory` is made of, without what was over before `day`.
pub fn load_parts(conn: &mut Conn<'_>, day: &str, now: Millis) -> store::Result<Parts> {
    type UnitRow = (UnitId, Option<UnitId>, String, String, String, Option<PersonId>, i64, String);
    let units: Vec<UnitRow> =
        conn.rows("SELECT id, parent_id, kind, name, code, head_id, position, closed_on FROM units", &[])?;
    let people: Vec<(PersonId, String, bool)> = conn.rows("SELECT id, name, is_active FROM people", &[])?;
    let positions: Vec<Position> = conn.rows(
        &format!("SELECT {POSITION} FROM positions WHERE ends_on = '' OR ends_on >= $1"),
        &[day.into()],
    )?;
    let delegations: Vec<(DelegationId, PersonId, PersonId, Millis, Millis)> = conn.rows(
        "SELECT id, from_id, to_id, starts_at, ends_at FROM delegations WHERE revoked_at IS NULL AND ends_at > $1",
        &[now.into()],
    )?;
    let person_roles: Vec<(PersonId, RoleId, UnitId, String)> = conn.rows(
        "SELECT person_id, role_id, unit_id, ends_on FROM person_roles WHERE ends_on = '' OR ends_on >= $1",
        &[day.into()],
    )?;
    Ok(Parts {
        epoch: epoch(conn)?,
        units: units
            .into_iter()
            .map(|(id, parent_id, kind, name, code, head_id, position, closed_on)| Unit {
                id,
                parent_id,
                kind,
                name,
                code,
                head_id,
                position,
                is_closed: !closed_on.is_empty() && closed_on.as_str() <= day,
            })
            .collect(),
        people: people.into_iter().map(|(id, name, is_active)| (id, Member { name, is_active })).collect(),
        positions,
        delegations: delegations
            .into_iter()
            .map(|(id, from_id, to_id, starts_at, ends_at)| Delegation {
                id,
                from_id,
                to_id,
                starts_at,
                ends_at,
            })
            .collect(),
        roles: load_roles(conn)?,
        post_roles: conn.rows("SELECT post, role_id FROM post_roles ORDER BY post, role_id", &[])?,
        person_roles: person_roles
            .into_iter()
            .map(|(person_id, role_id, unit_id, ends_on)| DirectRole {
                person_id,
                role_id,
                unit_id: (unit_id.0 != 0).then_some(unit_id),
                ends_on,
            })
            .collect(),
        register: load_register(conn)?,
    })
}

/// Name of the setting with the rules of the register.
pub const HANDLERS: &str = "confidentiality.handlers";

/// Whether whoever handles customer information must be registered and have signed; set by administrators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlerRules {
    /// Whether it counts at all.
    pub is_on: bool,
    /// Whether for administrators too.
    #[serde(default)]
    pub with_administrators: bool,
}

/// Who may handle customer information; nobody is asked about while the switch is off.
fn load_register(conn: &mut Conn<'_>) -> store::Result<Register> {
    let text: Option<String> =
        conn.value("SELECT value FROM settings WHERE name = $1", &[HANDLERS.into()])?;
    let rules: HandlerRules = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if !rules.is_on {
        return Ok(Register::default());
    }
    let rows: Vec<(PersonId, Option<i64>)> = conn.rows(
        "SELECT h.person_id, s.version FROM information_handlers h
         LEFT JOIN confidentiality_signatures s ON s.person_id = h.person_id
           AND s.version = (SELECT MAX(version) FROM confidentiality_texts)
         WHERE h.ended_at IS NULL",
        &[],
    )?;
    let signed = rows.into_iter().map(|(person, version)| (person, version.is_some())).collect();
    Ok(Register { is_on: true, with_administrators: rules.with_administrators, signed })
}

/// Every living role with its grants and field rules. What this program does not know (written by a newer one) is
/// left out: it permits nothing.
pub fn load_roles(conn: &mut Conn<'_>) -> store::Result<Vec<Role>> {
    type Row = (RoleId, String, String, String, bool, bool, i64);
    let rows: Vec<Row> = conn.rows(
        "SELECT id, code, name, note, is_bundle, is_builtin, version FROM roles WHERE deleted_at IS NULL ORDER BY id",
        &[],
    )?;
    let mut roles: Vec<Role> = rows
        .into_iter()
        .map(|(id, code, name, note, is_bundle, is_builtin, version)| Role {
            id,
            code,
            name,
            note,
            is_bundle,
            is_builtin,
            grants: BTreeMap::new(),
            fields: BTreeMap::new(),
            version,
        })
        .collect();
    let place: HashMap<RoleId, usize> = roles.iter().enumerate().map(|(n, r)| (r.id, n)).collect();
    let grants: Vec<(RoleId, String, String, String, serde_json::Value, String)> =
        conn.rows("SELECT role_id, object, verb, scope, units, condition FROM role_grants", &[])?;
    for (role, object, verb, scope, units, condition) in grants {
        let units = serde_json::from_value(units).unwrap_or_default();
        if let (Some(n), Some(object), Some(verb), Some(scope)) = (
            place.get(&role),
            Object::named(&object),
            Verb::named(&verb),
            Scope::read(&scope, units, condition),
        ) {
            roles[*n].grants.insert((object, verb), scope);
        }
    }
    let fields: Vec<(RoleId, String, String, String)> =
        conn.rows("SELECT role_id, object, field, rule FROM role_fields", &[])?;
    for (role, object, field, rule) in fields {
        if let (Some(n), Some(object), Some(rule)) =
            (place.get(&role), Object::named(&object), FieldRule::named(&rule))
        {
            roles[*n].fields.insert((object, field), rule);
        }
    }
    Ok(roles)
}

/// What a person may do with single customers beyond his roles, and which he must keep out of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Living grants: customer and bundle.
    pub granted: Vec<(i64, RoleId)>,
    /// Customers he is excluded from.
    pub excluded: BTreeSet<i64>,
    /// When the first of the grants ends; `None` without any.
    pub ends_at: Option<Millis>,
}

/// Most living grants on single customers that one person may have.
pub const MOST_GRANTS: i64 = 2_000;

/// Reads them.
pub fn load_records(conn: &mut Conn<'_>, person: PersonId, now: Millis) -> store::Result<Records> {
    let rows: Vec<(i64, RoleId, Millis)> = conn.rows(
        "SELECT customer_id, role_id, ends_at FROM customer_grants
         WHERE person_id = $1 AND revoked_at IS NULL AND ends_at > $2 AND starts_at <= $2 ORDER BY ends_at LIMIT $3",
        &[person.into(), now.into(), MOST_GRANTS.into()],
    )?;
    let rows = with_delegated(conn, rows, person, now)?;
    let excluded: Vec<(i64,)> =
        conn.rows("SELECT customer_id FROM customer_exclusions WHERE person_id = $1", &[person.into()])?;
    Ok(Records {
        ends_at: rows.iter().map(|(_, _, ends_at)| *ends_at).min(),
        granted: rows.into_iter().map(|(customer, role, _)| (customer, role)).collect(),
        excluded: excluded.into_iter().map(|(id,)| id).collect(),
    })
}

/// Adds what the tasks of those he acts for let these see: he does their tasks meanwhile. What was shared with them for
/// other reasons stays theirs alone, and so does what they must keep out of themselves.
fn with_delegated(
    conn: &mut Conn<'_>,
    mut rows: Vec<(i64, RoleId, Millis)>,
    person: PersonId,
    now: Millis,
) -> store::Result<Vec<(i64, RoleId, Millis)>> {
    let acts_for: Vec<(PersonId,)> = conn.rows(
        "SELECT d.from_id FROM delegations d JOIN people p ON p.id = d.from_id
         WHERE d.to_id = $1 AND d.ends_at > $2 AND d.starts_at <= $2 AND d.revoked_at IS NULL AND p.is_active = TRUE",
        &[person.into(), now.into()],
    )?;
    for (from,) in acts_for {
        rows.extend(conn.rows::<(i64, RoleId, Millis)>(
            "SELECT g.customer_id, g.role_id, g.ends_at FROM customer_grants g
             WHERE g.person_id = $1 AND g.source = 'assignment' AND g.revoked_at IS NULL AND g.ends_at > $2
               AND g.starts_at <= $2
               AND NOT EXISTS (SELECT 1 FROM customer_exclusions x
                 WHERE x.customer_id = g.customer_id AND x.person_id = g.person_id)
             ORDER BY g.ends_at LIMIT $3",
            &[from.into(), now.into(), MOST_GRANTS.into()],
        )?);
    }
    Ok(rows)
}

/// Whether a person must keep out of a customer's record.
pub fn is_excluded(conn: &mut Conn<'_>, customer: CustomerId, person: PersonId) -> store::Result<bool> {
    let found: Option<i64> = conn.value(
        "SELECT person_id FROM customer_exclusions WHERE customer_id = $1 AND person_id = $2",
        &[customer.into(), person.into()],
    )?;
    Ok(found.is_some())
}

/// The unit of a person's main post now; of his oldest post when none is the main one.
pub fn main_unit(conn: &mut Conn<'_>, person: PersonId, now: Millis) -> store::Result<Option<UnitId>> {
    let day = Zone::default().date(now).to_string();
    conn.value(
        "SELECT unit_id FROM positions WHERE person_id = $1 AND starts_on <= $2 AND (ends_on = '' OR ends_on >= $2)
         ORDER BY is_main DESC, id LIMIT 1",
        &[person.into(), day.into()],
    )
}
