//! Posts held (任职): giving, ending and changing them. What is over stays as history.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use store::{Conn, FromRow, Row, Tx};

use super::Moment;
use super::directory::{load_parts, rights_changed};
use super::gained::require_granter;
use super::own::mark;
use super::people::{hold_administrators, load_person};
use super::units::load_unit;
use crate::access::{Actor, Directory, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::clock::parse_date;
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, PositionId, UnitId};
use crate::input::{self, difference};
use crate::text;

/// Name of the dictionary of posts.
pub const POSTS: &str = "post";

/// Posts one person may have held, past ones included.
pub const MOST_POSITIONS: usize = 200;

/// A post somebody holds or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRecord {
    /// Its id.
    pub id: PositionId,
    /// Who.
    pub person_id: PersonId,
    /// Where.
    pub unit_id: UnitId,
    /// Code of the dictionary `post`.
    pub post: String,
    /// Whether it was made his main one. Where none of those he holds on a day was, the oldest counts.
    pub is_main: bool,
    /// Whom he reports to in it, where that is not the unit's head.
    pub superior_id: Option<PersonId>,
    /// First day.
    pub starts_on: String,
    /// Last day; empty until further notice.
    pub ends_on: String,
    /// Counts changes.
    pub version: i64,
}

impl PositionRecord {
    /// Whether it is over before a day.
    pub fn is_over(&self, day: &str) -> bool {
        !self.ends_on.is_empty() && self.ends_on.as_str() < day
    }

    /// Whether it is held on a day.
    pub fn is_on(&self, day: &str) -> bool {
        self.starts_on.as_str() <= day && !self.is_over(day)
    }

    /// Whether two posts are held on one and the same day.
    fn overlaps(&self, other: &Self) -> bool {
        !self.is_over(&other.starts_on) && !other.is_over(&self.starts_on)
    }

    fn facts(&self) -> serde_json::Value {
        json!({
            "person_id": self.person_id, "unit_id": self.unit_id, "post": self.post, "is_main": self.is_main,
            "superior_id": self.superior_id, "starts_on": self.starts_on, "ends_on": self.ends_on,
        })
    }
}

const COLUMNS: &str = "id, person_id, unit_id, post, is_main, superior_id, starts_on, ends_on, version";

impl FromRow for PositionRecord {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            unit_id: row.get(2)?,
            post: row.get(3)?,
            is_main: row.get(4)?,
            superior_id: row.get(5)?,
            starts_on: row.get(6)?,
            ends_on: row.get(7)?,
            version: row.get(8)?,
        })
    }
}

/// Every post a person holds or held, the newest first. Colleagues' posts are never hidden.
pub fn list_positions(conn: &mut Conn<'_>, person: PersonId) -> store::Result<Vec<PositionRecord>> {
    conn.rows(
        &format!("SELECT {COLUMNS} FROM positions WHERE person_id = $1 ORDER BY starts_on DESC, id DESC"),
        &[person.into()],
    )
}

/// A post by id.
pub fn load_position(conn: &mut Conn<'_>, id: PositionId) -> store::Result<Option<PositionRecord>> {
    conn.row(&format!("SELECT {COLUMNS} FROM positions WHERE id = $1"), &[id.into()])
}

/// A post to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPosition {
    /// Where.
    pub unit_id: UnitId,
    /// Code or name of the dictionary `post`.
    pub post: String,
    /// First day; `None` is today.
    pub starts_on: Option<String>,
    /// Last day; empty until further notice.
    pub ends_on: String,
    /// Whether it becomes his main one; his only one does anyhow.
    pub is_main: bool,
    /// Whom he reports to, where that is not the unit's head.
    pub superior_id: Option<PersonId>,
}

/// What may be changed of a post; `None` leaves it. Unit and post stay: another one is another row of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionChange {
    /// First day.
    pub starts_on: Option<String>,
    /// Last day; empty until further notice.
    pub ends_on: Option<String>,
    /// `true` makes it the main one; `false` is refused, another one takes its place by becoming the main one.
    pub is_main: Option<bool>,
    /// Whom he reports to.
    pub superior_id: Option<Option<PersonId>>,
}

/// Gives a person a post from a day on. For whoever keeps the organisation; refused for people who left, in closed
/// units, twice at one time in one unit, and under a superior who is himself or reports to him. A post that gives him
/// roles he does not have is for whoever may grant roles, and nobody but an administrator gives himself one.
pub fn add_position(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    person: PersonId,
    new: &NewPosition,
    at: &Moment,
) -> Result<PositionRecord, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let had = list_positions(tx, person)?;
    add_position_after(tx, actor, catalogue, person, new, &had, at)
}

/// The same, when the caller has made sure that the actor may, for one who had these posts before some of them were ended
/// in this transaction.
pub(super) fn add_position_after(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    person: PersonId,
    new: &NewPosition,
    had: &[PositionRecord],
    at: &Moment,
) -> Result<PositionRecord, AppError> {
    let known = load_person(tx, person)?.ok_or(AppError::NotFound)?;
    if !known.is_active || !known.left_on.is_empty() {
        return Err(AppError::Conflict(text!("“{}”已停用或已办理离职，不能任职", known.name)));
    }
    let mut errors = Vec::new();
    match load_unit(tx, new.unit_id)? {
        None => errors.push(FieldError::new("unit_id", text!("没有这个部门"))),
        Some(unit) if !unit.is_open() => {
            errors.push(FieldError::new("unit_id", text!("部门“{}”已撤销，请选择别的部门", unit.name)));
        }
        Some(_) => {}
    }
    let post = catalogue.dictionary(POSTS).find(&new.post).map(|e| e.code.clone());
    if post.is_none() {
        errors.push(FieldError::new("post", text!("请从岗位字典中选择岗位")));
    }
    let starts_on = read_day("starts_on", new.starts_on.as_deref().unwrap_or(&at.today), &mut errors);
    let ends_on = read_last_day(&new.ends_on, &starts_on, &mut errors);
    let position = PositionRecord {
        id: PositionId::new(),
        person_id: person,
        unit_id: new.unit_id,
        post: post.unwrap_or_default(),
        is_main: new.is_main,
        superior_id: new.superior_id,
        starts_on,
        ends_on,
        version: 1,
    };
    check_superior(tx, &position, at, &mut errors)?;
    let mut held = list_positions(tx, person)?;
    check_twice(&held, &position, &mut errors);
    input::refuse(errors)?;
    let is_own = require_granter(tx, actor, &position, had, at)?;
    if held.len() >= MOST_POSITIONS {
        return Err(AppError::Conflict(text!("一个人最多 {} 条任职记录", MOST_POSITIONS)));
    }
    insert(tx, actor, &position, at.now)?;
    held.push(position.clone());
    settle_main(tx, &held, new.is_main.then_some(position.id), at)?;
    rights_changed(tx)?;
    let position = load_position(tx, position.id)?.ok_or(AppError::NotFound)?;
    let after = mark(position.facts(), is_own);
    audit::record(
        tx,
        actor,
        at.now,
        &Entry::of("position.created", "position", position.id.0).after(&after),
    )?;
    Ok(position)
}

/// Changes a post whose version is still `version` (`None` takes whatever it is): ends it, makes it the main one,
/// names another superior. The main one's end makes the oldest of those left the main one. To let it begin earlier or
/// last longer is giving it.
pub fn change_position(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PositionId,
    version: Option<i64>,
    change: &PositionChange,
    at: &Moment,
) -> Result<PositionRecord, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let old = load_position(tx, id)?.ok_or(AppError::NotFound)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let (mut new, mut errors) = (old.clone(), Vec::new());
    if let Some(day) = &change.starts_on {
        new.starts_on = read_day("starts_on", day, &mut errors);
    }
    match &change.ends_on {
        Some(day) => new.ends_on = read_last_day(day, &new.starts_on, &mut errors),
        None => drop(read_last_day(&old.ends_on, &new.starts_on, &mut errors)),
    }
    if old.is_over(&at.today) && change.is_main == Some(true) && new.is_over(&at.today) {
        errors.push(FieldError::new("is_main", text!("已结束的任职不能设为主岗")));
    }
    match change.is_main {
        Some(true) => new.is_main = true,
        Some(false) if old.is_main => {
            errors.push(FieldError::new("is_main", text!("主岗不能直接取消，请把另一个岗位设为主岗")));
        }
        _ => {}
    }
    if let Some(superior) = change.superior_id.filter(|s| *s != old.superior_id) {
        new.superior_id = superior;
        check_superior(tx, &new, at, &mut errors)?;
    }
    // A post brought back to life needs an open unit, and a person who is still there.
    if old.is_over(&at.today) && !new.is_over(&at.today) {
        if load_unit(tx, old.unit_id)?.is_none_or(|u| !u.is_open()) {
            errors.push(FieldError::new("ends_on", text!("部门已撤销，不能恢复在其中的任职")));
        }
        if load_person(tx, old.person_id)?.is_none_or(|p| !p.is_active || !p.left_on.is_empty()) {
            errors.push(FieldError::new("ends_on", text!("此人已停用或已办理离职，不能恢复任职")));
        }
    }
    let had = list_positions(tx, old.person_id)?;
    let mut held: Vec<PositionRecord> = had.iter().filter(|p| p.id != id).cloned().collect();
    check_twice(&held, &new, &mut errors);
    input::refuse(errors)?;
    let (before, after) = difference(&old.facts(), &new.facts());
    if before == after {
        return Ok(old);
    }
    let is_own = require_granter(tx, actor, &new, &had, at)?;
    let after = mark(after, is_own);
    write(tx, &new, old.version, at.now)?;
    held.push(new);
    settle_main(tx, &held, (change.is_main == Some(true)).then_some(id), at)?;
    rights_changed(tx)?;
    audit::record(
        tx,
        actor,
        at.now,
        &Entry::of("position.updated", "position", id.0).change(&before, &after),
    )?;
    load_position(tx, id)?.ok_or(AppError::NotFound)
}

fn insert(tx: &mut Tx<'_>, actor: &Actor, new: &PositionRecord, now: Millis) -> store::Result<()> {
    tx.exec(
        "INSERT INTO positions (id, person_id, unit_id, post, is_main, superior_id, starts_on, ends_on, created_at,
           created_by, updated_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$9)",
        &[
            new.id.into(),
            new.person_id.into(),
            new.unit_id.into(),
            (&new.post).into(),
            new.is_main.into(),
            new.superior_id.into(),
            (&new.starts_on).into(),
            (&new.ends_on).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )
    .map(drop)
}

/// What became of somebody's posts with his last day.
pub(super) struct Ended {
    /// Those that ended, with the last day each had before.
    pub ended: Vec<(PositionId, String)>,
    /// Those that would have begun after it.
    pub never: Vec<PositionRecord>,
}

/// Ends every post of a person with his last day; one that would begin after it never begins.
pub(super) fn end_positions(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    last_day: &str,
    at: &Moment,
) -> Result<Ended, AppError> {
    let (never, held): (Vec<PositionRecord>, Vec<PositionRecord>) =
        list_positions(tx, person)?.into_iter().partition(|p| p.starts_on.as_str() > last_day);
    tx.exec(
        "DELETE FROM positions WHERE person_id = $1 AND starts_on > $2",
        &[person.into(), last_day.into()],
    )?;
    let facts: Vec<(i64, Json)> = never.iter().map(|p| (p.id.0, p.facts())).collect();
    let entries: Vec<Entry<'_>> = facts
        .iter()
        .map(|(id, before)| Entry { before: Some(before), ..Entry::of("position.removed", "position", *id) })
        .collect();
    audit::record_all(tx, actor, at.now, &entries)?;
    let is_ending = |p: &&PositionRecord| p.ends_on.is_empty() || p.ends_on.as_str() > last_day;
    let ending: Vec<&PositionRecord> = held.iter().filter(is_ending).collect();
    set_last_day(tx, actor, &ending, last_day, at)?;
    let ended = ending.iter().map(|p| (p.id, p.ends_on.clone())).collect();
    Ok(Ended { ended, never })
}

/// Gives somebody the posts back that [`end_positions`] kept from beginning, but for those of units closed since; without
/// a superior who could not be named for them any more.
pub(super) fn restore_positions(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    never: &[PositionRecord],
    at: &Moment,
) -> Result<(), AppError> {
    let mut held = list_positions(tx, person)?;
    for position in never {
        if load_unit(tx, position.unit_id)?.is_none_or(|unit| !unit.is_open()) {
            continue;
        }
        let mut position = position.clone();
        let mut errors = Vec::new();
        check_superior(tx, &position, at, &mut errors)?;
        if !errors.is_empty() {
            position.superior_id = None;
        }
        insert(tx, actor, &position, at.now)?;
        let after = position.facts();
        let entry = Entry::of("position.created", "position", position.id.0).after(&after);
        audit::record(tx, actor, at.now, &entry)?;
        held.push(position);
    }
    Ok(settle_main(tx, &held, None, at)?)
}

/// Takes [`end_positions`] back: what it ended, and nothing else that ends on that day, goes on until the last day it
/// had before. Of an older program that is not known; then all of that day goes on until further notice.
pub(super) fn reopen_positions(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    last_day: &str,
    ended: Option<&[(PositionId, String)]>,
    at: &Moment,
) -> Result<(), AppError> {
    for position in list_positions(tx, person)?.iter().filter(|p| p.ends_on == last_day) {
        let before = match ended {
            Some(ended) => ended.iter().find(|(id, _)| *id == position.id).map(|(_, day)| day.as_str()),
            None => Some(""),
        };
        if let Some(before) = before {
            set_last_day(tx, actor, &[position], before, at)?;
        }
    }
    Ok(())
}

/// Writes the last day of posts, each with its row.
fn set_last_day(
    tx: &mut Tx<'_>,
    actor: &Actor,
    positions: &[&PositionRecord],
    last_day: &str,
    at: &Moment,
) -> Result<(), AppError> {
    let ids: Vec<String> = positions.iter().map(|p| p.id.0.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    tx.exec(
        "UPDATE positions SET ends_on = $2, version = version + 1, updated_at = $3 WHERE one_of(id, $1)",
        &[ids.join(",").into(), last_day.into(), at.now.into()],
    )?;
    let after = json!({ "ends_on": last_day });
    let changed: Vec<(i64, Json)> =
        positions.iter().map(|p| (p.id.0, json!({ "ends_on": p.ends_on }))).collect();
    let entries: Vec<Entry<'_>> = changed
        .iter()
        .map(|(id, before)| Entry::of("position.updated", "position", *id).change(before, &after))
        .collect();
    Ok(audit::record_all(tx, actor, at.now, &entries)?)
}

fn write(tx: &mut Tx<'_>, new: &PositionRecord, version: i64, now: Millis) -> Result<(), AppError> {
    let done = tx.exec(
        "UPDATE positions SET is_main = $3, superior_id = $4, starts_on = $5, ends_on = $6, updated_at = $7,
           version = version + 1 WHERE id = $1 AND version = $2",
        &[
            new.id.into(),
            version.into(),
            new.is_main.into(),
            new.superior_id.into(),
            (&new.starts_on).into(),
            (&new.ends_on).into(),
            now.into(),
        ],
    )?;
    if done == 0 { Err(AppError::Stale) } else { Ok(()) }
}

/// Keeps one main post at any time: the one just `chosen` takes it from those held beside it, and when none of those
/// not over is the main one, the oldest becomes it.
fn settle_main(
    tx: &mut Tx<'_>,
    held: &[PositionRecord],
    chosen: Option<PositionId>,
    at: &Moment,
) -> store::Result<()> {
    let mut living: Vec<PositionRecord> = held.iter().filter(|p| !p.is_over(&at.today)).cloned().collect();
    living.sort_by(|a, b| (&a.starts_on, a.id).cmp(&(&b.starts_on, b.id)));
    let mut flags: Vec<bool> = living.iter().map(|p| p.is_main).collect();
    if let Some(at) = living.iter().position(|p| Some(p.id) == chosen) {
        for (n, other) in living.iter().enumerate() {
            flags[n] = if n == at { true } else { flags[n] && !other.overlaps(&living[at]) };
        }
    }
    // Two mains at one time can also come from a changed first or last day: the older stays.
    for n in 0..living.len() {
        let is_second = (0..n).any(|before| flags[before] && living[before].overlaps(&living[n]));
        if flags[n] && is_second && Some(living[n].id) != chosen {
            flags[n] = false;
        }
    }
    let has_main_now = living.iter().zip(&flags).any(|(p, is_main)| *is_main && p.is_on(&at.today));
    if !has_main_now {
        let candidate =
            living.iter().position(|p| p.is_on(&at.today)).or(if living.is_empty() { None } else { Some(0) });
        let clashes =
            |at: usize| (0..living.len()).any(|n| n != at && flags[n] && living[n].overlaps(&living[at]));
        if let Some(at) = candidate.filter(|at| !clashes(*at)) {
            flags[at] = true;
        }
    }
    for (position, is_main) in living.iter().zip(flags).filter(|(p, is_main)| p.is_main != *is_main) {
        tx.exec(
            "UPDATE positions SET is_main = $2, updated_at = $3, version = version + 1 WHERE id = $1",
            &[position.id.into(), is_main.into(), at.now.into()],
        )?;
    }
    Ok(())
}

fn read_day(field: &str, text: &str, errors: &mut Vec<FieldError>) -> String {
    parse_date(text).unwrap_or_else(|| {
        errors.push(FieldError::new(field, text!("请填写日期，例如 2026-09-28")));
        String::new()
    })
}

fn read_last_day(text: &str, starts_on: &str, errors: &mut Vec<FieldError>) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let day = read_day("ends_on", text, errors);
    if !day.is_empty() && day.as_str() < starts_on {
        errors.push(FieldError::new("ends_on", text!("结束日期不能早于开始日期 {}", starts_on)));
    }
    day
}

/// Refuses the same post in the same unit on the same day.
fn check_twice(held: &[PositionRecord], new: &PositionRecord, errors: &mut Vec<FieldError>) {
    let is_same = |p: &&PositionRecord| p.unit_id == new.unit_id && p.post == new.post && p.overlaps(new);
    if held.iter().any(|p| is_same(&p)) {
        errors.push(FieldError::new("post", text!("此人在这段时间已在该部门担任同一岗位")));
    }
}

/// Refuses a superior who is the person himself, is not there, or reports to him already.
fn check_superior(
    conn: &mut Conn<'_>,
    position: &PositionRecord,
    at: &Moment,
    errors: &mut Vec<FieldError>,
) -> Result<(), AppError> {
    let Some(superior) = position.superior_id else { return Ok(()) };
    if superior == position.person_id {
        errors.push(FieldError::new("superior_id", text!("不能把本人设为自己的上级")));
        return Ok(());
    }
    let day = if position.starts_on > at.today { &position.starts_on } else { &at.today };
    let directory = Directory::new(load_parts(conn, &at.today, at.now)?, &|_| None);
    match directory.member(superior) {
        Some(member) if member.is_active => {
            if directory.superiors(superior, day).contains(&position.person_id) {
                errors.push(FieldError::new(
                    "superior_id",
                    text!("“{}”已直接或间接向此人汇报，不能再做他的上级", member.name),
                ));
            }
        }
        _ => errors.push(FieldError::new("superior_id", text!("没有这位员工，或者他已停用"))),
    }
    Ok(())
}
