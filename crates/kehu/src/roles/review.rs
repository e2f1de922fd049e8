//! Recertification (授权复核): every role somebody has himself or through a post, since when and from whom, when it was
//! last used and last confirmed.

use serde::{Deserialize, Serialize};
use store::{Conn, FromRow, Row, Tx};

use super::assign::{Given, confirm};
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, PositionId, RoleId, UnitId};
use crate::query::Conditions;
use crate::{org, text};

/// Name of the setting: after how many days a role must be confirmed again.
pub const REVIEW: &str = "roles.review";

/// Lines confirmed or taken back at once at the most.
pub const MOST_SETTLED: usize = 100;

/// How often roles are to be looked at again; administrators set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRules {
    /// Days after which an unconfirmed role is overdue, 1–3,650.
    pub days: i64,
}

impl Default for ReviewRules {
    fn default() -> Self {
        Self { days: 180 }
    }
}

impl ReviewRules {
    /// What was confirmed or given before this instant is overdue.
    pub fn overdue_before(self, now: Millis) -> Millis {
        now - self.days.clamp(1, 3_650) * 86_400_000
    }
}

/// How somebody came by a role that is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Given to himself.
    Direct(Given),
    /// It comes with a post he holds.
    Post {
        /// The post held.
        position: PositionId,
        /// The role.
        role: RoleId,
    },
}

/// One line of the review.
#[derive(Clone, Debug)]
pub struct Line {
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// Whether he may sign in.
    pub is_active: bool,
    /// His last day in the company; empty while he is in it.
    pub left_on: String,
    /// Which role.
    pub role_id: RoleId,
    /// Its name.
    pub role: String,
    /// The post that brings it; 0 for one given directly.
    position_id: PositionId,
    /// Code of that post; empty for one given directly.
    pub post: String,
    /// The unit of the post, or the one it was given for; `None` for the units he works in.
    pub unit_id: Option<UnitId>,
    /// Last day; empty until further notice.
    pub ends_on: String,
    /// Why it was given.
    pub reason: String,
    /// Since when: given, or post and role came together.
    pub since: Millis,
    /// First day of the post; empty for one given directly.
    pub starts_on: String,
    /// By whom; empty for what came with set-up.
    pub by: String,
    /// When somebody last confirmed it.
    pub confirmed_at: Option<Millis>,
    /// Who did.
    pub confirmed_by: String,
    /// When he last signed in.
    pub last_login_at: Option<Millis>,
    /// The day he last exercised it; empty when that was never noted.
    pub used_on: String,
    /// Confirmed, or since when.
    pub checked_at: Millis,
}

impl FromRow for Line {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let unit_id: UnitId = row.get(8)?;
        Ok(Self {
            person_id: row.get(0)?,
            person: row.get(1)?,
            is_active: row.get(2)?,
            left_on: row.get(3)?,
            role_id: row.get(4)?,
            role: row.get(5)?,
            position_id: row.get(6)?,
            post: row.get(7)?,
            unit_id: (unit_id.0 != 0).then_some(unit_id),
            ends_on: row.get(9)?,
            reason: row.get(10)?,
            since: row.get(11)?,
            starts_on: row.get(12)?,
            by: row.get(13)?,
            confirmed_at: row.get(14)?,
            confirmed_by: row.get(15)?,
            last_login_at: row.get(16)?,
            used_on: row.get(17)?,
            checked_at: row.get(18)?,
        })
    }
}

impl Line {
    /// How he came by it.
    pub fn source(&self) -> Source {
        if self.position_id.0 == 0 {
            Source::Direct(Given { person: self.person_id, role: self.role_id, unit: self.unit_id })
        } else {
            Source::Post { position: self.position_id, role: self.role_id }
        }
    }

    /// Where the next page begins.
    pub fn place(&self) -> String {
        let unit = if self.position_id.0 == 0 { self.unit_id.map_or(0, |u| u.0) } else { 0 };
        let Self { checked_at, person_id, role_id, position_id, .. } = self;
        format!("{checked_at}.{}.{}.{}.{unit}", person_id.0, role_id.0, position_id.0)
    }
}

impl Source {
    /// As a form names it: `PERSON:ROLE:UNIT` or `p:POSITION:ROLE`.
    pub fn key(self) -> String {
        match self {
            Self::Direct(given) => {
                let unit = given.unit.map_or_else(String::new, |u| u.to_string());
                format!("{}:{}:{unit}", given.person, given.role)
            }
            Self::Post { position, role } => format!("p:{position}:{role}"),
        }
    }

    /// What a form names.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
        if first == "p" {
            return Some(Self::Post { position: second.parse().ok()?, role: third.parse().ok()? });
        }
        let unit = if third.is_empty() { None } else { Some(third.parse().ok()?) };
        Some(Self::Direct(Given { person: first.parse().ok()?, role: second.parse().ok()?, unit }))
    }
}

/// What is found when a line is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is still needed.
    Keep,
    /// It is taken back.
    Revoke,
}

/// Which lines are asked for.
#[derive(Clone, Debug, Default)]
pub struct ReviewQuery {
    /// Of this role.
    pub role: Option<RoleId>,
    /// Of posts in these units, and given to people who work in one of them; empty for everybody.
    pub units: Vec<UnitId>,
    /// Neither given nor confirmed since then.
    pub unchecked_since: Option<Millis>,
    /// Only those given directly (`true`) or through posts (`false`).
    pub is_direct: Option<bool>,
    /// Behind this place (`Line::place`).
    pub after: String,
}

impl ReviewQuery {
    /// Everything of it as a SELECT; `columns` stand before FROM.
    fn sql(&self, columns: &str, day: &str) -> (String, Conditions) {
        let mut conditions = Conditions::default();
        let day = conditions.bind(day.to_owned());
        let works_there = |person: &str| {
            let ids: Vec<String> = self.units.iter().map(|u| u.0.to_string()).collect();
            format!(
                "EXISTS (SELECT 1 FROM positions w WHERE w.person_id = {person} AND w.unit_id IN ({})
                   AND w.starts_on <= {day} AND (w.ends_on = '' OR w.ends_on >= {day}))",
                ids.join(", ")
            )
        };
        let (direct_units, post_units) = if self.units.is_empty() {
            ("TRUE".to_owned(), "TRUE".to_owned())
        } else {
            let ids: Vec<String> = self.units.iter().map(|u| u.0.to_string()).collect();
            (works_there("r.person_id"), format!("h.unit_id IN ({})", ids.join(", ")))
        };
        conditions.and("o.deleted_at IS NULL");
        if let Some(role) = self.role {
            conditions.equal("s.role_id", role.0);
        }
        if let Some(since) = self.unchecked_since {
            let place = conditions.bind(since);
            conditions.and(format!("s.checked_at < {place}"));
        }
        match self.is_direct {
            Some(true) => conditions.and("s.position_id = 0"),
            Some(false) => conditions.and("s.position_id <> 0"),
            None => {}
        }
        let place: Vec<i64> = self.after.split('.').filter_map(|n| n.parse().ok()).collect();
        if place.len() == 5 {
            let places: Vec<String> = place.into_iter().map(|n| conditions.bind(n)).collect();
            conditions.and(format!(
                "(s.checked_at, s.person_id, s.role_id, s.position_id, s.for_unit) > ({})",
                places.join(", ")
            ));
        }
        let sql = format!(
            "SELECT {columns} FROM (
               SELECT r.person_id, r.role_id, 0 AS position_id, '' AS post, r.unit_id, r.unit_id AS for_unit,
                 r.ends_on, r.reason, r.granted_at AS since, '' AS starts_on, r.granted_by AS given_by,
                 r.confirmed_at, r.confirmed_by, COALESCE(r.confirmed_at, r.granted_at) AS checked_at
               FROM person_roles r WHERE (r.ends_on = '' OR r.ends_on >= {day}) AND {direct_units}
               UNION ALL
               SELECT h.person_id, q.role_id, h.id, h.post, h.unit_id, 0, h.ends_on, '',
                 CASE WHEN h.created_at > q.granted_at THEN h.created_at ELSE q.granted_at END, h.starts_on,
                 CASE WHEN h.created_at > q.granted_at THEN h.created_by ELSE q.granted_by END,
                 v.confirmed_at, v.confirmed_by,
                 COALESCE(v.confirmed_at,
                   CASE WHEN h.created_at > q.granted_at THEN h.created_at ELSE q.granted_at END)
               FROM positions h JOIN post_roles q ON q.post = h.post
                 LEFT JOIN position_role_reviews v ON v.position_id = h.id AND v.role_id = q.role_id
               WHERE h.starts_on <= {day} AND (h.ends_on = '' OR h.ends_on >= {day}) AND {post_units}
             ) s JOIN people p ON p.id = s.person_id JOIN roles o ON o.id = s.role_id
               LEFT JOIN people g ON g.id = s.given_by LEFT JOIN people k ON k.id = s.confirmed_by
               LEFT JOIN role_uses u ON u.person_id = s.person_id AND u.role_id = s.role_id
             WHERE {}",
            conditions.sql()
        );
        (sql, conditions)
    }
}

/// At most `limit` lines, the longest unchecked first, and how many there are from here on.
pub fn review(
    conn: &mut Conn<'_>,
    query: &ReviewQuery,
    day: &str,
    limit: usize,
) -> store::Result<(Vec<Line>, i64)> {
    let columns =
        "s.person_id, p.name, p.is_active, p.left_on, s.role_id, o.name, s.position_id, s.post, s.unit_id,
        s.ends_on, s.reason, s.since, s.starts_on, COALESCE(g.name, ''), s.confirmed_at, COALESCE(k.name, ''),
        p.last_login_at, COALESCE(u.used_on, ''), s.checked_at";
    let (sql, conditions) = query.sql(columns, day);
    let order = "ORDER BY s.checked_at, s.person_id, s.role_id, s.position_id, s.for_unit";
    let lines = conn.rows(&format!("{sql} {order} LIMIT {limit}"), &conditions.params)?;
    let (sql, conditions) = ReviewQuery { after: String::new(), ..query.clone() }.sql("COUNT(*)", day);
    Ok((lines, conn.count(&sql, &conditions.params)?))
}

/// Notes that somebody looked at a line again and that it is still needed. Nobody confirms his own but an
/// administrator, which the log tells.
pub fn confirm_line(tx: &mut Tx<'_>, actor: &Actor, source: Source, now: Millis) -> Result<(), AppError> {
    let (position, role) = match source {
        Source::Direct(given) => return confirm(tx, actor, given, now),
        Source::Post { position, role } => (position, role),
    };
    require_may(actor, Object::Role, Verb::Update)?;
    let found: Option<(PersonId, String, String)> = tx.row(
        "SELECT h.person_id, h.post, o.name FROM positions h JOIN post_roles q ON q.post = h.post
         JOIN roles o ON o.id = q.role_id WHERE h.id = $1 AND q.role_id = $2",
        &[position.into(), role.into()],
    )?;
    let (person, post, name) = found.ok_or(AppError::NotFound)?;
    let is_own = org::require_another(tx, actor, person)?;
    tx.exec(
        "INSERT INTO position_role_reviews (position_id, role_id, confirmed_at, confirmed_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (position_id, role_id) DO UPDATE SET confirmed_at = excluded.confirmed_at,
           confirmed_by = excluded.confirmed_by",
        &[position.into(), role.into(), now.into(), actor.person_id.into()],
    )?;
    let after = org::mark(serde_json::json!({ "role": name, "post": post }), is_own);
    audit::record(tx, actor, now, &Entry::of("role.confirmed", "person", person.0).after(&after))?;
    Ok(())
}

/// Confirms or takes back several lines: all of them or, when one is refused, none.
pub fn settle_lines(
    tx: &mut Tx<'_>,
    actor: &Actor,
    lines: &[Source],
    verdict: Verdict,
    now: Millis,
) -> Result<(), AppError> {
    for source in lines {
        match verdict {
            Verdict::Keep => confirm_line(tx, actor, *source, now)?,
            Verdict::Revoke => revoke_line(tx, actor, *source, now)?,
        }
    }
    Ok(())
}

/// Takes a line back. A role that comes with a post cannot be taken from one holder of it: his post ends, or the post
/// brings it no more.
pub fn revoke_line(tx: &mut Tx<'_>, actor: &Actor, source: Source, now: Millis) -> Result<(), AppError> {
    match source {
        Source::Direct(given) => super::take(tx, actor, given, now),
        Source::Post { .. } => Err(AppError::field(
            "row",
            text!("随岗位得到的角色不能单独收回：请结束此人的任职，或在“岗位与角色”里取消这个岗位的角色"),
        )),
    }
}
