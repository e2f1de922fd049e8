//! Units (部门): making, changing, moving, closing and reopening them. Every change also writes how the unit stands
//! from this day on, so that the organisation can be shown as of any date.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use store::{Conn, FromRow, Row, Tx};

use super::Moment;
use super::directory::rights_changed;
use super::moving::customers_of_unit;
use super::people::hold_administrators;
use crate::access::{Actor, DEEPEST, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, UnitId};
use crate::input::{self, Kind, difference};
use crate::text;

/// Units a company may have, closed ones too: all of them are read for a page.
pub const MOST_UNITS: i64 = 5_000;

/// Name of the dictionary of kinds.
pub const UNIT_KINDS: &str = "unit_kind";

/// A unit as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRecord {
    /// Its id.
    pub id: UnitId,
    /// The unit above it.
    pub parent_id: Option<UnitId>,
    /// Code of the dictionary `unit_kind`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its short code, or empty.
    pub code: String,
    /// Who leads it.
    pub head_id: Option<PersonId>,
    /// Order among its neighbours.
    pub position: i64,
    /// First day.
    pub opened_on: String,
    /// The day it was closed; empty while it is open.
    pub closed_on: String,
    /// Counts changes.
    pub version: i64,
}

impl UnitRecord {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.closed_on.is_empty()
    }

    fn facts(&self) -> serde_json::Value {
        json!({
            "name": self.name, "unit_kind": self.kind, "code": self.code, "parent_id": self.parent_id,
            "head_id": self.head_id, "position": self.position, "closed_on": self.closed_on,
        })
    }
}

const COLUMNS: &str = "id, parent_id, kind, name, code, head_id, position, opened_on, closed_on, version";

impl FromRow for UnitRecord {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            parent_id: row.get(1)?,
            kind: row.get(2)?,
            name: row.get(3)?,
            code: row.get(4)?,
            head_id: row.get(5)?,
            position: row.get(6)?,
            opened_on: row.get(7)?,
            closed_on: row.get(8)?,
            version: row.get(9)?,
        })
    }
}

/// Every unit as it stands now, closed ones too, in the order of neighbours. Everybody who is signed in may know them.
pub fn list_units(conn: &mut Conn<'_>) -> store::Result<Vec<UnitRecord>> {
    conn.rows(&format!("SELECT {COLUMNS} FROM units ORDER BY position, id"), &[])
}

/// A unit by id.
pub fn load_unit(conn: &mut Conn<'_>, id: UnitId) -> store::Result<Option<UnitRecord>> {
    conn.row(&format!("SELECT {COLUMNS} FROM units WHERE id = $1"), &[id.into()])
}

/// How every unit stood at the end of a day; those that were not there yet are left out, those closed by then have
/// their `closed_on`. Codes and order are today's: they name and sort, and have no history. `version` is today's.
pub fn units_as_of(conn: &mut Conn<'_>, day: &str) -> store::Result<Vec<UnitRecord>> {
    conn.rows(
        "SELECT u.id, h.parent_id, h.kind, h.name, u.code, h.head_id, u.position, u.opened_on,
           CASE WHEN h.is_closed = TRUE THEN h.since ELSE '' END, u.version
         FROM units u JOIN unit_history h ON h.unit_id = u.id
         WHERE h.since = (SELECT MAX(x.since) FROM unit_history x WHERE x.unit_id = u.id AND x.since <= $1)
         ORDER BY u.position, u.id",
        &[day.into()],
    )
}

/// What a person says of a unit; `None` leaves it (for a new one: the default).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitDraft {
    /// Its name, 1–60 characters.
    pub name: Option<String>,
    /// Code of the dictionary `unit_kind`.
    pub kind: Option<String>,
    /// Its short code, at most 30 characters; empty takes it away.
    pub code: Option<String>,
    /// The unit above it; `Some(None)` makes it a topmost one.
    pub parent_id: Option<Option<UnitId>>,
    /// Who leads it.
    pub head_id: Option<Option<PersonId>>,
    /// Order among its neighbours, 0–100,000.
    pub position: Option<i64>,
}

/// Adds a unit, open from `today` on, behind its neighbours unless the draft says otherwise. For whoever keeps the
/// organisation. Writes its history, the audit row and the sign that rights changed.
pub fn create_unit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    draft: &UnitDraft,
    at: &Moment,
) -> Result<UnitRecord, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let all = list_units(tx)?;
    if all.len() as i64 >= MOST_UNITS {
        return Err(AppError::Conflict(text!("最多 {} 个部门", MOST_UNITS)));
    }
    let parent_id = draft.parent_id.flatten();
    let last = all.iter().filter(|u| u.parent_id == parent_id).map(|u| u.position).max();
    let blank = UnitRecord {
        id: UnitId::new(),
        parent_id,
        kind: String::new(),
        name: String::new(),
        code: String::new(),
        head_id: None,
        position: last.map_or(0, |p| p.saturating_add(1).min(MOST_POSITION)),
        opened_on: at.today.clone(),
        closed_on: String::new(),
        version: 1,
    };
    let draft = UnitDraft {
        name: Some(draft.name.clone().unwrap_or_default()),
        kind: Some(draft.kind.clone().unwrap_or_default()),
        ..draft.clone()
    };
    let unit = applied(tx, catalogue, &all, &blank, &draft)?;
    tx.exec(
        "INSERT INTO units (id, parent_id, kind, name, code, head_id, position, opened_on, created_at, updated_at)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$9)",
        &[
            unit.id.into(),
            unit.parent_id.into(),
            (&unit.kind).into(),
            (&unit.name).into(),
            (&unit.code).into(),
            unit.head_id.into(),
            unit.position.into(),
            at.today().into(),
            at.now.into(),
        ],
    )
    .map_err(taken)?;
    keep_history(tx, actor, &unit, at)?;
    let after = unit.facts();
    audit::record(tx, actor, at.now, &Entry::of("unit.created", "unit", unit.id.0).after(&after))?;
    Ok(unit)
}

/// Changes or moves a unit whose version is still `version` (`None` takes whatever it is). Refused: a place below
/// itself, a closed or unknown unit above it, more than `access::DEEPEST` levels, a name a neighbour has, a code in
/// use, a head who is not there. Changing nothing writes nothing.
pub fn change_unit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: UnitId,
    version: Option<i64>,
    draft: &UnitDraft,
    at: &Moment,
) -> Result<UnitRecord, AppError> {
    let (all, old) = held(tx, actor, id, version)?;
    let mut new = applied(tx, catalogue, &all, &old, draft)?;
    let (before, after) = difference(&old.facts(), &new.facts());
    if before == after {
        return Ok(old);
    }
    new.version += 1;
    write(tx, actor, &new, at)?;
    let action = if old.parent_id == new.parent_id { "unit.updated" } else { "unit.moved" };
    audit::record(tx, actor, at.now, &Entry::of(action, "unit", id.0).change(&before, &after))?;
    Ok(new)
}

/// Closes a unit from today on. Refused while a unit below it is open, somebody holds a post in it that is not over yet
/// (one that begins later counts too), a duty roster of it is in use, or living customers belong to it.
pub fn close_unit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: UnitId,
    version: Option<i64>,
    at: &Moment,
) -> Result<UnitRecord, AppError> {
    let (all, old) = held(tx, actor, id, version)?;
    if !old.is_open() {
        return Err(AppError::Conflict(text!("“{}”已经撤销", old.name)));
    }
    let below: Vec<&str> =
        all.iter().filter(|u| u.parent_id == Some(id) && u.is_open()).map(|u| u.name.as_str()).collect();
    if let Some(first) = below.first() {
        return Err(AppError::Conflict(text!(
            "“{}”还有 {} 个下级部门（例如“{}”），请先移走或撤销它们",
            old.name,
            below.len(),
            first
        )));
    }
    let people: Vec<(String,)> = tx.rows(
        "SELECT DISTINCT p.name FROM positions o JOIN people p ON p.id = o.person_id
         WHERE o.unit_id = $1 AND (o.ends_on = '' OR o.ends_on >= $2) ORDER BY p.name",
        &[id.into(), at.today().into()],
    )?;
    if let Some((first,)) = people.first() {
        return Err(AppError::Conflict(text!(
            "“{}”还有 {} 人任职（例如“{}”），请先为他们办理调动或结束任职",
            old.name,
            people.len(),
            first
        )));
    }
    let rosters: Vec<(String,)> = tx.rows(
        "SELECT name FROM rosters WHERE unit_id = $1 AND is_active = TRUE ORDER BY name, id",
        &[id.into()],
    )?;
    if !rosters.is_empty() {
        let names: Vec<String> = rosters.iter().take(5).map(|(name,)| format!("“{name}”")).collect();
        return Err(AppError::Conflict(text!(
            "“{}”还有 {} 张在用的值班表：{}；请先在值班表的“修改”里把它们移到别的部门，或者停用",
            old.name,
            rosters.len(),
            names.join("、")
        )));
    }
    let customers = customers_of_unit(tx, id)?;
    if customers > 0 {
        return Err(AppError::Conflict(text!(
            "“{}”还有 {} 个客户，请先把它们移到别的部门，再撤销",
            old.name,
            customers
        )));
    }
    let new = UnitRecord { closed_on: at.today.clone(), version: old.version + 1, ..old.clone() };
    write(tx, actor, &new, at)?;
    let (before, after) = difference(&old.facts(), &new.facts());
    audit::record(tx, actor, at.now, &Entry::of("unit.closed", "unit", id.0).change(&before, &after))?;
    Ok(new)
}

/// Opens a closed unit again, where it was. Refused below a closed unit, or when its name was taken meanwhile.
pub fn reopen_unit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: UnitId,
    version: Option<i64>,
    at: &Moment,
) -> Result<UnitRecord, AppError> {
    let (all, old) = held(tx, actor, id, version)?;
    if old.is_open() {
        return Err(AppError::Conflict(text!("“{}”没有撤销，不用恢复", old.name)));
    }
    let new = UnitRecord { closed_on: String::new(), version: old.version + 1, ..old.clone() };
    let mut errors = Vec::new();
    check_place(&all, &new, &mut errors);
    input::refuse(errors)?;
    write(tx, actor, &new, at)?;
    let (before, after) = difference(&old.facts(), &new.facts());
    audit::record(tx, actor, at.now, &Entry::of("unit.reopened", "unit", id.0).change(&before, &after))?;
    Ok(new)
}

/// Largest number of a place among neighbours.
const MOST_POSITION: i64 = 100_000;

/// Every unit and the one meant, while other changes of the organisation wait.
fn held(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: UnitId,
    version: Option<i64>,
) -> Result<(Vec<UnitRecord>, UnitRecord), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let all = list_units(tx)?;
    let unit = all.iter().find(|u| u.id == id).cloned().ok_or(AppError::NotFound)?;
    if version.is_some_and(|v| v != unit.version) {
        return Err(AppError::Stale);
    }
    Ok((all, unit))
}

/// The unit with the draft's values, or everything that is wrong with them.
fn applied(
    conn: &mut Conn<'_>,
    catalogue: &Catalogue,
    all: &[UnitRecord],
    old: &UnitRecord,
    draft: &UnitDraft,
) -> Result<UnitRecord, AppError> {
    let (mut new, mut errors) = (old.clone(), Vec::new());
    if let Some(name) = &draft.name {
        match input::clean_value(Kind::Line, 60, name) {
            Ok(name) if name.is_empty() => {
                errors.push(FieldError::new("name", text!("请填写部门名称，最多 60 个字")));
            }
            // A path in an import or a message is divided by slashes.
            Ok(name) if name.contains('/') => {
                errors.push(FieldError::new("name", text!("部门名称里不能有斜杠“/”")));
            }
            Ok(name) => new.name = name,
            Err(text) => errors.push(FieldError::new("name", text)),
        }
    }
    if let Some(kind) = &draft.kind {
        let kinds = catalogue.dictionary(UNIT_KINDS);
        match kinds.find(kind) {
            Some(entry) => new.kind.clone_from(&entry.code),
            None if *kind == old.kind && !kind.is_empty() => {}
            None => errors.push(FieldError::new("kind", text!("请选择部门类型，例如：公司、部门、门店"))),
        }
    }
    if let Some(code) = &draft.code {
        match input::clean_value(Kind::Line, 30, code) {
            Ok(code) if code.contains(['/', ' ']) => {
                errors.push(FieldError::new("code", text!("部门编码里不能有空格和斜杠")));
            }
            Ok(code) if code.chars().count() > 30 => {
                errors.push(FieldError::new("code", text!("最多 {} 个字", 30)));
            }
            Ok(code) => {
                if let Some(other) = all.iter().find(|u| u.id != old.id && !code.is_empty() && u.code == code)
                {
                    errors.push(FieldError::new(
                        "code",
                        text!("编码“{}”已用于部门“{}”，请换一个", code, other.name),
                    ));
                }
                new.code = code;
            }
            Err(text) => errors.push(FieldError::new("code", text)),
        }
    }
    if let Some(position) = draft.position {
        if (0..=MOST_POSITION).contains(&position) {
            new.position = position;
        } else {
            errors.push(FieldError::new("position", text!("顺序为 0–{} 的整数", MOST_POSITION)));
        }
    }
    if let Some(head) = draft.head_id.filter(|h| *h != old.head_id) {
        let is_there = match head {
            None => true,
            Some(id) => {
                conn.value::<bool>("SELECT is_active FROM people WHERE id = $1", &[id.into()])? == Some(true)
            }
        };
        if is_there {
            new.head_id = head;
        } else {
            errors.push(FieldError::new("head_id", text!("没有这位员工，或者他已停用")));
        }
    }
    if let Some(parent) = draft.parent_id {
        new.parent_id = parent;
    }
    if new.is_open() {
        check_place(all, &new, &mut errors);
    } else if new.parent_id != old.parent_id {
        errors.push(FieldError::new("parent_id", text!("“{}”已撤销，请先恢复再移动", old.name)));
    }
    input::refuse(errors)?;
    Ok(new)
}

/// Whether an open unit may stand where it says: the unit above it, the depth, the names of its neighbours.
fn check_place(all: &[UnitRecord], unit: &UnitRecord, errors: &mut Vec<FieldError>) {
    let known: HashMap<UnitId, &UnitRecord> = all.iter().map(|u| (u.id, u)).collect();
    let mut above = 0;
    let mut at = unit.parent_id;
    while let Some(id) = at {
        if id == unit.id {
            errors.push(FieldError::new("parent_id", text!("不能把部门移到它自己或它的下级部门下面")));
            return;
        }
        let Some(parent) = known.get(&id) else {
            errors.push(FieldError::new("parent_id", text!("没有这个上级部门，请重新选择")));
            return;
        };
        if !parent.is_open() {
            errors.push(FieldError::new(
                "parent_id",
                text!("上级部门“{}”已撤销，请先恢复它，或换一个上级部门", parent.name),
            ));
            return;
        }
        above += 1;
        if above > DEEPEST {
            break;
        }
        at = parent.parent_id;
    }
    if above + height(all, unit.id) > DEEPEST {
        errors.push(FieldError::new("parent_id", text!("组织最多 {} 级，请换一个上级部门", DEEPEST)));
    }
    let same = |u: &&UnitRecord| {
        u.id != unit.id && u.parent_id == unit.parent_id && u.is_open() && u.name == unit.name
    };
    if let Some(other) = all.iter().find(same) {
        errors.push(FieldError::new("name", text!("同一上级下已有部门“{}”，请换一个名称", other.name)));
    }
}

/// Levels from a unit down to its deepest open part, itself counted.
fn height(all: &[UnitRecord], top: UnitId) -> usize {
    let mut below: HashMap<UnitId, Vec<UnitId>> = HashMap::new();
    for unit in all.iter().filter(|u| u.is_open()) {
        if let Some(parent) = unit.parent_id {
            below.entry(parent).or_default().push(unit.id);
        }
    }
    let (mut level, mut seen, mut levels) = (vec![top], HashSet::from([top]), 0);
    while !level.is_empty() {
        levels += 1;
        let next = level.iter().flat_map(|id| below.get(id).into_iter().flatten().copied());
        level = next.filter(|id| seen.insert(*id)).collect();
    }
    levels
}

fn write(tx: &mut Tx<'_>, actor: &Actor, unit: &UnitRecord, at: &Moment) -> Result<(), AppError> {
    let done = tx
        .exec(
            "UPDATE units SET parent_id = $3, kind = $4, name = $5, code = $6, head_id = $7, position = $8,
               closed_on = $9, version = $10, updated_at = $11 WHERE id = $1 AND version = $2",
            &[
                unit.id.into(),
                (unit.version - 1).into(),
                unit.parent_id.into(),
                (&unit.kind).into(),
                (&unit.name).into(),
                (&unit.code).into(),
                unit.head_id.into(),
                unit.position.into(),
                (&unit.closed_on).into(),
                unit.version.into(),
                at.now.into(),
            ],
        )
        .map_err(taken)?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    keep_history(tx, actor, unit, at)
}

/// Notes how a unit stands from today on. What it was earlier today is not kept: a day has one answer.
fn keep_history(tx: &mut Tx<'_>, actor: &Actor, unit: &UnitRecord, at: &Moment) -> Result<(), AppError> {
    tx.exec(
        "INSERT INTO unit_history (unit_id, since, parent_id, kind, name, head_id, is_closed, changed_at, changed_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
         ON CONFLICT (unit_id, since) DO UPDATE SET parent_id = $3, kind = $4, name = $5, head_id = $6,
           is_closed = $7, changed_at = $8, changed_by = $9",
        &[
            unit.id.into(),
            at.today().into(),
            unit.parent_id.into(),
            (&unit.kind).into(),
            (&unit.name).into(),
            unit.head_id.into(),
            (!unit.is_open()).into(),
            at.now.into(),
            actor.person_id.into(),
        ],
    )?;
    rights_changed(tx)?;
    Ok(())
}

/// A code somebody else took meanwhile.
fn taken(error: store::Error) -> AppError {
    if error.is_unique("units_code_key") {
        AppError::field("code", text!("这个编码刚刚被使用，请换一个"))
    } else {
        error.into()
    }
}

/// A walk over units from the top: each with its level from 0. Neighbours keep their order; a unit whose unit above is
/// not among them stands at the top.
pub fn in_tree_order(units: &[UnitRecord]) -> Vec<(usize, &UnitRecord)> {
    let known: HashSet<UnitId> = units.iter().map(|u| u.id).collect();
    let mut below: HashMap<Option<UnitId>, Vec<&UnitRecord>> = HashMap::new();
    for unit in units {
        below.entry(unit.parent_id.filter(|p| known.contains(p))).or_default().push(unit);
    }
    let mut found = Vec::with_capacity(units.len());
    let mut open: Vec<(usize, &UnitRecord)> = Vec::new();
    let push = |open: &mut Vec<_>, level: usize, of: Option<UnitId>| {
        open.extend(below.get(&of).into_iter().flatten().rev().map(|u| (level, *u)));
    };
    push(&mut open, 0, None);
    while let Some((level, unit)) = open.pop() {
        found.push((level, unit));
        if level < DEEPEST {
            push(&mut open, level + 1, Some(unit.id));
        }
    }
    found
}
