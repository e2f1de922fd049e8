//! Reading the register and the texts. The register is for those who grant roles; one's own standing and the text in
//! force for everybody.

use store::Conn;

use super::model::{Entry, Published, RegisterQuery, State};
use crate::access::{Actor, Object, Verb, require_may};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;
use crate::query::Conditions;

const TEXT: &str = "t.version, t.title, t.body, t.published_at, COALESCE(p.name, ''),
    (SELECT COUNT(*) FROM confidentiality_signatures s WHERE s.version = t.version)";

/// The text in force; `None` before the first was published.
pub fn text_in_force(conn: &mut Conn<'_>) -> store::Result<Option<Published>> {
    conn.row(
        &format!(
            "SELECT {TEXT} FROM confidentiality_texts t LEFT JOIN people p ON p.id = t.published_by
             ORDER BY t.version DESC LIMIT 1"
        ),
        &[],
    )
}

/// Every version, the newest first, at most 200.
pub fn texts(conn: &mut Conn<'_>) -> store::Result<Vec<Published>> {
    conn.rows(
        &format!(
            "SELECT {TEXT} FROM confidentiality_texts t LEFT JOIN people p ON p.id = t.published_by
             ORDER BY t.version DESC LIMIT 200"
        ),
        &[],
    )
}

/// How somebody stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since when he is in the register.
    pub registered_at: Option<Millis>,
    /// The newest version he signed, and when.
    pub signed: Option<(i64, Millis)>,
}

/// How a person stands.
pub fn standing(conn: &mut Conn<'_>, person: PersonId) -> store::Result<Standing> {
    Ok(Standing {
        registered_at: conn.value(
            "SELECT registered_at FROM information_handlers WHERE person_id = $1 AND ended_at IS NULL",
            &[person.into()],
        )?,
        signed: conn.row(
            "SELECT version, signed_at FROM confidentiality_signatures WHERE person_id = $1
             ORDER BY version DESC LIMIT 1",
            &[person.into()],
        )?,
    })
}

/// At most `limit` entries, the newest first, and how many there are altogether. For those who grant roles.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &RegisterQuery,
    day: &str,
    limit: usize,
) -> Result<(Vec<Entry>, i64), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let from = "FROM information_handlers h JOIN people p ON p.id = h.person_id
        LEFT JOIN people r ON r.id = h.registered_by LEFT JOIN people e ON e.id = h.ended_by
        LEFT JOIN confidentiality_signatures s ON s.person_id = h.person_id AND s.version =
          (SELECT MAX(x.version) FROM confidentiality_signatures x WHERE x.person_id = h.person_id)";
    let conditions = conditions(query, day);
    let total =
        conn.count(&format!("SELECT COUNT(*) {from} WHERE {}", conditions.sql()), &conditions.params)?;
    let mut conditions = conditions;
    if let Some(after) = query.after {
        let place = conditions.bind(after.0);
        conditions.and(format!("h.id < {place}"));
    }
    let entries = conn.rows(
        &format!(
            "SELECT h.id, h.person_id, p.name, p.is_active, h.note, h.registered_at, COALESCE(r.name, ''), h.ended_at,
               COALESCE(e.name, ''), COALESCE(s.version, 0), s.signed_at {from}
             WHERE {} ORDER BY h.id DESC LIMIT {limit}",
            conditions.sql()
        ),
        &conditions.params,
    )?;
    Ok((entries, total))
}

fn conditions(query: &RegisterQuery, day: &str) -> Conditions {
    let mut conditions = Conditions::default();
    let words = query.q.trim().to_lowercase();
    if !words.is_empty() {
        let escaped = words.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let place = conditions.bind(format!("%{escaped}%"));
        conditions.and(format!("(p.name_search LIKE {place} ESCAPE '!' OR p.name LIKE {place} ESCAPE '!')"));
    }
    if !query.units.is_empty() {
        let ids: Vec<String> = query.units.iter().map(|u| u.0.to_string()).collect();
        let day = conditions.bind(day.to_owned());
        conditions.and(format!(
            "EXISTS (SELECT 1 FROM positions w WHERE w.person_id = h.person_id AND w.unit_id IN ({})
               AND w.starts_on <= {day} AND (w.ends_on = '' OR w.ends_on >= {day}))",
            ids.join(", ")
        ));
    }
    let is_signed = "COALESCE(s.version, 0) = (SELECT COALESCE(MAX(version), -1) FROM confidentiality_texts)";
    conditions.and(match query.state {
        None => "h.ended_at IS NULL".to_owned(),
        Some(State::Ended) => "h.ended_at IS NOT NULL".to_owned(),
        Some(State::Signed) => format!("h.ended_at IS NULL AND {is_signed}"),
        Some(State::Waiting) => format!("h.ended_at IS NULL AND NOT {is_signed}"),
    });
    conditions
}
