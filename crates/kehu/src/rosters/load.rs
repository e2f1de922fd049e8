//! Reading rosters, shifts, absences, skills and delegations. Everybody who is signed in may read rosters and who is on
//! duty as published; drafts are for those who plan ([`super::may_plan`]). What is read of absences, skills and
//! delegations is for the caller to narrow.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use store::{Conn, FromRow, Row};

use super::model::{
    self, Absence, Acting, Conflict, DAY, LONGEST_SHIFT, MINUTE, Planned, Reception, Roster, Shift, Skill,
    Span, Standing, SwapRule,
};
use crate::access::{Delegation, Directory, Position};
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{DelegationId, PersonId, RosterId, ShiftId, UnitId};

/// Rows a list holds at the most.
pub const MOST: i64 = 2_000;
/// How far ahead it is asked who is next.
const AHEAD: Millis = 31 * DAY;

const ROSTER: &str =
    "id, unit_id, name, note, opens, closes, weekdays, is_active, version, skill, rest_hours, swaps";
pub(super) const SHIFT: &str =
    "s.id, s.roster_id, s.person_id, s.starts_at, s.ends_at, s.note, s.version, s.published_at, s.changed_at";
const SKILL: &str = "person_id, skill, level, valid_until, note, score, assessed_on, assessed_by";
const ABSENCE: &str = "id, person_id, kind, starts_at, ends_at, note";

impl FromRow for Roster {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            unit_id: row.get(1)?,
            name: row.get(2)?,
            note: row.get(3)?,
            opens: row.get(4)?,
            closes: row.get(5)?,
            weekdays: row.get(6)?,
            is_active: row.get(7)?,
            version: row.get(8)?,
            skill: row.get(9)?,
            rest_hours: row.get(10)?,
            swaps: SwapRule::named(&row.get::<String>(11)?).unwrap_or_default(),
        })
    }
}

impl FromRow for Shift {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            roster_id: row.get(1)?,
            person_id: row.get(2)?,
            span: Span::new(row.get(3)?, row.get(4)?),
            note: row.get(5)?,
            version: row.get(6)?,
            published_at: row.get(7)?,
            changed_at: row.get(8)?,
        })
    }
}

impl FromRow for Absence {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            kind: row.get(2)?,
            span: Span::new(row.get(3)?, row.get(4)?),
            note: row.get(5)?,
        })
    }
}

impl FromRow for Skill {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            person_id: row.get(0)?,
            skill: row.get(1)?,
            level: row.get(2)?,
            valid_until: row.get(3)?,
            note: row.get(4)?,
            score: row.get(5)?,
            assessed_on: row.get(6)?,
            assessed_by: Some(row.get::<PersonId>(7)?).filter(|p| p.0 != 0),
        })
    }
}

impl FromRow for Acting {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            delegation: Delegation {
                id: row.get(0)?,
                from_id: row.get(1)?,
                to_id: row.get(2)?,
                starts_at: row.get(3)?,
                ends_at: row.get(4)?,
            },
            reason: row.get(5)?,
            revoked_at: row.get(6)?,
        })
    }
}

/// A roster.
pub fn load(conn: &mut Conn<'_>, id: RosterId) -> Result<Roster, AppError> {
    let sql = format!("SELECT {ROSTER} FROM rosters WHERE id = $1");
    conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)
}

/// Every roster, those in use first; at most 2,000.
pub fn list(conn: &mut Conn<'_>) -> store::Result<Vec<Roster>> {
    conn.rows(&format!("SELECT {ROSTER} FROM rosters ORDER BY is_active DESC, name, id LIMIT {MOST}"), &[])
}

/// A shift.
pub fn load_shift(conn: &mut Conn<'_>, id: ShiftId) -> Result<Shift, AppError> {
    let sql = format!("SELECT {SHIFT} FROM shifts s WHERE s.id = $1");
    conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)
}

/// Whose shifts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those on a roster, in use or not.
    Roster(RosterId),
    /// Those on the rosters of these units, past rosters too.
    Units(Vec<UnitId>),
    /// Those on any roster.
    Everywhere,
}

impl Place {
    /// A unit and those below it; everywhere without one.
    pub fn of(directory: &Directory, unit: Option<UnitId>) -> Self {
        unit.map_or(Self::Everywhere, |u| Self::Units(directory.tree(u)))
    }
}

/// Which shifts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All, drafts too: for those who plan, and for what is checked when planning.
    Planned,
    /// Those published to staff.
    Published,
    /// Those of them on rosters in use.
    InForce,
}

impl Which {
    /// What somebody sees who plans, or who does not.
    pub fn seen_by(is_planner: bool) -> Self {
        if is_planner { Self::Planned } else { Self::Published }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Planned => "",
            Self::Published => " AND s.published_at IS NOT NULL",
            Self::InForce => " AND s.published_at IS NOT NULL AND r.is_active = TRUE",
        }
    }
}

/// The shifts of a place that have a moment within `span`, in order; at most 2,000.
pub fn shifts(conn: &mut Conn<'_>, place: &Place, span: Span, which: Which) -> store::Result<Vec<Shift>> {
    let place = match place {
        Place::Roster(id) => format!("s.roster_id = {}", id.0),
        Place::Units(units) => format!("r.unit_id IN ({})", ids(units.iter().map(|u| u.0))),
        Place::Everywhere => "TRUE".to_owned(),
    };
    let which = which.sql();
    let sql = format!(
        "SELECT {SHIFT} FROM shifts s JOIN rosters r ON r.id = s.roster_id
         WHERE {place}{which} AND s.starts_at < $1 AND s.starts_at > $2 AND s.ends_at > $3
         ORDER BY s.starts_at, s.id LIMIT {MOST}"
    );
    conn.rows(
        &sql,
        &[span.ends_at.into(), (span.starts_at - LONGEST_SHIFT - 1).into(), span.starts_at.into()],
    )
}

/// The shifts of these people that have a moment within `span`, in order.
pub fn shifts_of(
    conn: &mut Conn<'_>,
    people: &[PersonId],
    span: Span,
    which: Which,
) -> store::Result<Vec<Shift>> {
    let sql = format!(
        "SELECT {SHIFT} FROM shifts s JOIN rosters r ON r.id = s.roster_id
         WHERE s.person_id IN ({}){} AND s.starts_at < $1 AND s.starts_at > $2
           AND s.ends_at > $3 ORDER BY s.starts_at, s.id",
        ids(people.iter().map(|p| p.0)),
        which.sql()
    );
    conn.rows(
        &sql,
        &[span.ends_at.into(), (span.starts_at - LONGEST_SHIFT - 1).into(), span.starts_at.into()],
    )
}

/// Ids as SQL; numbers of ours.
fn ids(all: impl Iterator<Item = i64>) -> String {
    let all: Vec<String> = all.map(|id| id.to_string()).collect();
    if all.is_empty() { "-1".to_owned() } else { all.join(", ") }
}

/// Absences that have a moment within `span`, in order; of one person, or of everybody. At most 2,000.
pub fn absences(conn: &mut Conn<'_>, person: Option<PersonId>, span: Span) -> store::Result<Vec<Absence>> {
    let whose = person.map_or_else(|| "TRUE".to_owned(), |p| format!("person_id = {}", p.0));
    let sql = format!(
        "SELECT {ABSENCE} FROM absences WHERE {whose} AND starts_at < $1 AND ends_at > $2
         ORDER BY starts_at, id LIMIT {MOST}"
    );
    conn.rows(&sql, &[span.ends_at.into(), span.starts_at.into()])
}

/// The absences of these people that have a moment within `span`.
pub fn absences_of(conn: &mut Conn<'_>, people: &[PersonId], span: Span) -> store::Result<Vec<Absence>> {
    let sql = format!(
        "SELECT {ABSENCE} FROM absences WHERE person_id IN ({}) AND starts_at < $1 AND ends_at > $2
         ORDER BY starts_at, id",
        ids(people.iter().map(|p| p.0))
    );
    conn.rows(&sql, &[span.ends_at.into(), span.starts_at.into()])
}

/// Delegations that were not over at `since`, revoked ones too; those from or to a person, or everybody's. Latest
/// first, at most 2,000.
pub fn delegations(conn: &mut Conn<'_>, of: Option<PersonId>, since: Millis) -> store::Result<Vec<Acting>> {
    let whose = of.map_or_else(|| "TRUE".to_owned(), |p| format!("(from_id = {0} OR to_id = {0})", p.0));
    let sql = format!(
        "SELECT id, from_id, to_id, starts_at, ends_at, reason, revoked_at FROM delegations
         WHERE {whose} AND ends_at > $1 ORDER BY starts_at DESC, id DESC LIMIT {MOST}"
    );
    conn.rows(&sql, &[since.into()])
}

/// A delegation.
pub fn load_delegation(conn: &mut Conn<'_>, id: DelegationId) -> Result<Acting, AppError> {
    let sql =
        "SELECT id, from_id, to_id, starts_at, ends_at, reason, revoked_at FROM delegations WHERE id = $1";
    conn.row(sql, &[id.into()])?.ok_or(AppError::NotFound)
}

/// What a person knows.
pub fn skills_of(conn: &mut Conn<'_>, person: PersonId) -> store::Result<Vec<Skill>> {
    conn.rows(
        &format!("SELECT {SKILL} FROM person_skills WHERE person_id = $1 ORDER BY skill"),
        &[person.into()],
    )
}

/// What everybody knows; at most 20,000.
pub fn all_skills(conn: &mut Conn<'_>) -> store::Result<Vec<Skill>> {
    conn.rows(
        &format!("SELECT {SKILL} FROM person_skills ORDER BY skill, level DESC, person_id LIMIT 20000"),
        &[],
    )
}

/// Who knows something on a day: active people, of a unit and those below it when one is named, the best first.
pub fn skilled(
    conn: &mut Conn<'_>,
    directory: &Directory,
    skill: &str,
    unit: Option<UnitId>,
    day: &str,
) -> store::Result<Vec<Skill>> {
    let mut found: Vec<Skill> = conn.rows(
        &format!(
            "SELECT {SKILL} FROM person_skills
             WHERE skill = $1 AND (valid_until = '' OR valid_until >= $2) ORDER BY level DESC, person_id LIMIT 5000"
        ),
        &[skill.into(), day.into()],
    )?;
    let units: Option<BTreeSet<UnitId>> = unit.map(|u| directory.tree(u).into_iter().collect());
    found.retain(|s| {
        directory.member(s.person_id).is_some_and(|m| m.is_active)
            && units.as_ref().is_none_or(|units| is_of(directory, s.person_id, units, day))
    });
    Ok(found)
}

/// Whether a person has a post in one of these units on a day.
fn is_of(directory: &Directory, person: PersonId, units: &BTreeSet<UnitId>, day: &str) -> bool {
    directory.positions(person, day).iter().any(|p| units.contains(&p.unit_id))
}

/// Who is on duty at a moment, in the order of their starts. Drafts and rosters not in use do not count.
pub fn on_duty(conn: &mut Conn<'_>, place: &Place, at: Millis) -> store::Result<Vec<PersonId>> {
    Ok(model::on_duty(&shifts(conn, place, Span::new(at, at + 1), Which::InForce)?, at))
}

/// Who was on duty at some moment of a day, as published, in the order of their starts; on a roster out of use too.
pub fn on_duty_on(
    conn: &mut Conn<'_>,
    place: &Place,
    day: Date,
    zone: &Zone,
) -> store::Result<Vec<PersonId>> {
    let (from, until) = zone.day(day);
    Ok(model::on_duty_on(&shifts(conn, place, Span::new(from, until), Which::Published)?, day, zone))
}

/// Whether a person was on duty on a day, as published, on a roster of a unit or of one below it, or on any.
pub fn was_on_duty(
    conn: &mut Conn<'_>,
    directory: &Directory,
    person: PersonId,
    unit: Option<UnitId>,
    day: Date,
    zone: &Zone,
) -> store::Result<bool> {
    Ok(on_duty_on(conn, &Place::of(directory, unit), day, zone)?.contains(&person))
}

/// Who is on duty at a moment and not away.
pub fn free_people(conn: &mut Conn<'_>, place: &Place, at: Millis) -> store::Result<Vec<PersonId>> {
    let moment = Span::new(at, at + 1);
    let shifts = shifts(conn, place, moment, Which::InForce)?;
    let absences = absences_of(conn, &model::on_duty(&shifts, at), moment)?;
    Ok(model::free_people(&shifts, &absences, at))
}

/// Who can take `lasts` milliseconds of work that needs a skill first, and when, within 31 days from `from`: the best
/// level first. Looks at shifts and absences; a skill must still count on the day `from`.
pub fn next_free(
    conn: &mut Conn<'_>,
    directory: &Directory,
    wanted: &Wanted<'_>,
    zone: &Zone,
) -> store::Result<Option<(PersonId, Span)>> {
    let day = zone.date(wanted.from).to_string();
    let candidates: Vec<(PersonId, i64)> = skilled(conn, directory, wanted.skill, wanted.unit, &day)?
        .into_iter()
        .map(|s| (s.person_id, s.level))
        .collect();
    let people: Vec<PersonId> = candidates.iter().map(|(p, _)| *p).collect();
    let ahead = Span::new(wanted.from, wanted.from + AHEAD);
    let shifts = shifts_of(conn, &people, ahead, Which::InForce)?;
    let absences = absences_of(conn, &people, ahead)?;
    Ok(model::next_free(&candidates, &shifts, &absences, wanted.from, wanted.lasts))
}

/// Work that waits for somebody.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Code of the skill.
    pub skill: &'a str,
    /// Of which unit and those below it; of any without one.
    pub unit: Option<UnitId>,
    /// Not before.
    pub from: Millis,
    /// How long it takes.
    pub lasts: Millis,
}

/// Who receives a caller at a moment (LC-08); see `model::reception`.
pub fn receive(
    conn: &mut Conn<'_>,
    directory: &Directory,
    place: &Place,
    named: Option<PersonId>,
    at: Millis,
    zone: &Zone,
) -> Result<Reception, AppError> {
    let named = match named {
        None => None,
        Some(person) => {
            let member = directory.member(person).ok_or(AppError::NotFound)?;
            let day = zone.date(at).to_string();
            let superior =
                if member.is_active { None } else { last_superior(conn, directory, person, &day)? };
            Some((person, member.is_active, superior))
        }
    };
    let ahead = Span::new(at, at + AHEAD);
    let shifts = shifts(conn, place, ahead, Which::InForce)?;
    let people: Vec<PersonId> =
        shifts.iter().map(|s| s.person_id).collect::<BTreeSet<_>>().into_iter().collect();
    let absences = absences_of(conn, &people, ahead)?;
    Ok(model::reception(named, &shifts, &absences, at))
}

/// Whom somebody who may be gone reports to, or reported to in his last post.
fn last_superior(
    conn: &mut Conn<'_>,
    directory: &Directory,
    person: PersonId,
    day: &str,
) -> store::Result<Option<PersonId>> {
    if let Some(superior) = directory.superior(person, day) {
        return Ok(Some(superior));
    }
    let last: Option<Position> = conn.row(
        "SELECT id, person_id, unit_id, post, is_main, superior_id, starts_on, ends_on FROM positions
         WHERE person_id = $1 ORDER BY CASE WHEN ends_on = '' THEN '9999' ELSE ends_on END DESC, is_main DESC, id
         LIMIT 1",
        &[person.into()],
    )?;
    Ok(last.and_then(|position| directory.superior_in(&position)))
}

/// What conflicts are judged by: how people stand, and their shifts and absences around the time in question.
pub struct Judge {
    standings: HashMap<PersonId, Standing>,
    shifts: Vec<Shift>,
    absences: Vec<Absence>,
}

impl Judge {
    /// Reads what is needed to judge shifts of these people within `span` on a roster; `which` of their other shifts
    /// count.
    pub fn load(
        conn: &mut Conn<'_>,
        roster: &Roster,
        people: &[PersonId],
        span: Span,
        which: Which,
        zone: &Zone,
    ) -> store::Result<Self> {
        let rows: Vec<(PersonId, bool, String)> = conn.rows(
            &format!(
                "SELECT id, is_active, left_on FROM people WHERE id IN ({})",
                ids(people.iter().map(|p| p.0))
            ),
            &[],
        )?;
        let mut standings: HashMap<PersonId, Standing> = rows
            .into_iter()
            .map(|(id, is_active, left_on)| {
                let (lacks, rest_hours) = (roster.skill.clone(), roster.rest_hours);
                (id, Standing { is_active, left_on, is_of_unit: false, lacks, rest_hours })
            })
            .collect();
        let (first, last) = (zone.date(span.starts_at).to_string(), zone.date(span.ends_at).to_string());
        // The unit and those below it; the tree is small beside a scan of people.
        let posts: Vec<(PersonId,)> = conn.rows(
            &format!(
                "WITH RECURSIVE tree (id, depth) AS (
                   SELECT id, 0 FROM units WHERE id = $1
                   UNION SELECT u.id, t.depth + 1 FROM units u JOIN tree t ON u.parent_id = t.id WHERE t.depth < 32
                 )
                 SELECT DISTINCT p.person_id FROM positions p JOIN tree t ON t.id = p.unit_id
                 WHERE p.person_id IN ({}) AND p.starts_on <= $2 AND (p.ends_on = '' OR p.ends_on >= $3)",
                ids(people.iter().map(|p| p.0))
            ),
            &[roster.unit_id.into(), (&last).into(), first.into()],
        )?;
        for (person,) in posts {
            if let Some(standing) = standings.get_mut(&person) {
                standing.is_of_unit = true;
            }
        }
        if !roster.skill.is_empty() {
            let able: Vec<(PersonId,)> = conn.rows(
                &format!(
                    "SELECT person_id FROM person_skills
                     WHERE skill = $1 AND person_id IN ({}) AND (valid_until = '' OR valid_until >= $2)",
                    ids(people.iter().map(|p| p.0))
                ),
                &[(&roster.skill).into(), (&last).into()],
            )?;
            for (person,) in able {
                if let Some(standing) = standings.get_mut(&person) {
                    standing.lacks = String::new();
                }
            }
        }
        let rest = roster.rest_hours * 60 * MINUTE;
        let around = Span::new(span.starts_at - rest, span.ends_at + rest);
        Ok(Self {
            standings,
            shifts: shifts_of(conn, people, around, which)?,
            absences: absences_of(conn, people, span)?,
        })
    }

    /// What stands against a shift; `None` for a person who is not there at all.
    pub fn conflicts(
        &self,
        planned: &Planned,
        except: Option<ShiftId>,
        zone: &Zone,
    ) -> Option<Vec<Conflict>> {
        let standing = self.standings.get(&planned.person_id)?;
        Some(model::conflicts(planned, except, standing, &self.shifts, &self.absences, zone))
    }

    /// Judges what follows as if this shift were there.
    pub fn add(&mut self, shift: Shift) {
        self.shifts.push(shift);
    }
}
