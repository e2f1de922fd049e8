//! Adding, changing and taking away rosters.

use jiff::civil::Time;
use serde_json::json;
use store::Tx;

use super::load::{list, load};
use super::model::{Hours, Roster, SwapRule};
use super::word;
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::ids::{RosterId, UnitId};
use crate::input::difference;
use crate::{events, text};

/// Rosters of a company at the most.
const MOST: usize = 1_000;
/// Most hours of rest a roster may ask for.
const MOST_REST: i64 = 48;

/// What is said of a roster; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct RosterDraft {
    /// Whose.
    pub unit_id: Option<UnitId>,
    /// What it is called, 1–60 characters, once in a unit.
    pub name: Option<String>,
    /// Anything else, at most 500 characters.
    pub note: Option<String>,
    /// From when somebody should be there, `HH:MM` or empty.
    pub opens: Option<String>,
    /// Until when.
    pub closes: Option<String>,
    /// On which days of the week: `1234567`.
    pub weekdays: Option<String>,
    /// Whether it is in use.
    pub is_active: Option<bool>,
    /// Code of the skill its people should have; empty for none.
    pub skill: Option<String>,
    /// Hours of rest between two shifts of a person, 0–48.
    pub rest_hours: Option<i64>,
    /// How shifts are swapped: the code of a [`SwapRule`].
    pub swaps: Option<String>,
}

/// Adds a roster. For whoever keeps the organisation.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    draft: &RosterDraft,
    now: Millis,
) -> Result<Roster, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    if list(tx)?.len() >= MOST {
        return Err(AppError::Conflict(text!("最多 {} 张值班表，请先删除不再使用的", MOST)));
    }
    let blank = Roster {
        id: RosterId::new(),
        unit_id: UnitId(0),
        name: String::new(),
        note: String::new(),
        opens: String::new(),
        closes: String::new(),
        weekdays: "1234567".into(),
        is_active: true,
        skill: String::new(),
        rest_hours: 0,
        swaps: SwapRule::default(),
        version: 1,
    };
    let roster = applied(tx, catalogue, &blank, draft)?;
    tx.exec(
        "INSERT INTO rosters (id, unit_id, name, note, opens, closes, weekdays, is_active, version, created_at,
           created_by, updated_at, skill, rest_hours, swaps)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,1,$9,$10,$9,$11,$12,$13)",
        &[
            roster.id.into(),
            roster.unit_id.into(),
            (&roster.name).into(),
            (&roster.note).into(),
            (&roster.opens).into(),
            (&roster.closes).into(),
            (&roster.weekdays).into(),
            roster.is_active.into(),
            now.into(),
            actor.person_id.into(),
            (&roster.skill).into(),
            roster.rest_hours.into(),
            roster.swaps.code().into(),
        ],
    )
    .map_err(taken)?;
    events::emit(tx, actor, now, "roster.created", "roster", roster.id.0, 0)?;
    let after = facts(&roster);
    audit::record(tx, actor, now, &Entry::of("roster.created", "roster", roster.id.0).after(&after))?;
    Ok(roster)
}

/// Changes a roster whose version is still `version`. Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: RosterId,
    version: Option<i64>,
    draft: &RosterDraft,
    now: Millis,
) -> Result<Roster, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let old = load(tx, id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let mut new = applied(tx, catalogue, &old, draft)?;
    let (before, after) = difference(&facts(&old), &facts(&new));
    if before == after {
        return Ok(old);
    }
    new.version += 1;
    let done = tx
        .exec(
            "UPDATE rosters SET unit_id = $3, name = $4, note = $5, opens = $6, closes = $7, weekdays = $8,
               is_active = $9, updated_at = $10, skill = $11, rest_hours = $12, swaps = $13, version = version + 1
             WHERE id = $1 AND version = $2",
            &[
                id.into(),
                old.version.into(),
                new.unit_id.into(),
                (&new.name).into(),
                (&new.note).into(),
                (&new.opens).into(),
                (&new.closes).into(),
                (&new.weekdays).into(),
                new.is_active.into(),
                now.into(),
                (&new.skill).into(),
                new.rest_hours.into(),
                new.swaps.code().into(),
            ],
        )
        .map_err(taken)?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    events::emit(tx, actor, now, "roster.updated", "roster", id.0, 0)?;
    let entry = Entry::of("roster.updated", "roster", id.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(new)
}

/// Takes a roster away with its coming shifts. One on which duty has begun stays as evidence; put it out of use.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: RosterId,
    version: Option<i64>,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let roster = load(tx, id)?;
    if version.is_some_and(|v| v != roster.version) {
        return Err(AppError::Stale);
    }
    // Holds the roster, so that nobody adds a shift meanwhile.
    let held = tx.exec(
        "UPDATE rosters SET version = version + 1 WHERE id = $1 AND version = $2",
        &[id.into(), roster.version.into()],
    )?;
    if held == 0 {
        return Err(AppError::Stale);
    }
    let begun = tx.count(
        "SELECT COUNT(*) FROM shifts WHERE roster_id = $1 AND starts_at <= $2",
        &[id.into(), now.into()],
    )?;
    if begun > 0 {
        return Err(AppError::Conflict(text!("这张值班表已有值班记录，不能删除，可以改为停用")));
    }
    for table in ["swaps", "shift_changes", "shifts"] {
        tx.exec(&format!("DELETE FROM {table} WHERE roster_id = $1"), &[id.into()])?;
    }
    tx.exec("DELETE FROM rosters WHERE id = $1", &[id.into()])?;
    events::emit(tx, actor, now, "roster.deleted", "roster", id.0, 0)?;
    let before = facts(&roster);
    let mut entry = Entry::of("roster.deleted", "roster", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

/// `old` with the checked values.
fn applied(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    old: &Roster,
    draft: &RosterDraft,
) -> Result<Roster, AppError> {
    let mut new = old.clone();
    let mut errors = Vec::new();
    if let Some(name) = &draft.name {
        new.name = word("name", name, 60)?;
    }
    if new.name.is_empty() {
        errors.push(FieldError::new("name", text!("请填写值班表的名称")));
    }
    if let Some(note) = &draft.note {
        new.note = word("note", note, 500)?;
    }
    if let Some(unit) = draft.unit_id {
        new.unit_id = unit;
    }
    if new.unit_id != old.unit_id || new.unit_id.0 == 0 {
        let closed: Option<String> =
            tx.value("SELECT closed_on FROM units WHERE id = $1", &[new.unit_id.into()])?;
        if closed.as_deref() != Some("") {
            errors.push(FieldError::new("unit_id", text!("没有这个部门，或者它已撤销")));
        }
    }
    if let Some(opens) = &draft.opens {
        new.opens = opens.trim().to_owned();
    }
    if let Some(closes) = &draft.closes {
        new.closes = closes.trim().to_owned();
    }
    if (&new.opens, &new.closes) != (&old.opens, &old.closes)
        && !(new.opens.is_empty() && new.closes.is_empty())
    {
        match Hours::read(&new.opens, &new.closes) {
            Some(hours) => {
                new.opens = hours.from.strftime("%H:%M").to_string();
                let is_midnight = hours.until == Time::midnight();
                new.closes =
                    if is_midnight { "24:00".into() } else { hours.until.strftime("%H:%M").to_string() };
            }
            None => errors
                .push(FieldError::new("opens", text!("请填写起止时间，例如 08:00 和 20:00，或者都留空"))),
        }
    }
    if let Some(weekdays) = &draft.weekdays {
        let mut days: Vec<char> = weekdays.chars().filter(|c| !c.is_whitespace()).take(20).collect();
        days.sort_unstable();
        days.dedup();
        if days.is_empty() || !days.iter().all(|c| ('1'..='7').contains(c)) {
            errors.push(FieldError::new("weekdays", text!("请选择每周值班的日子，1 为星期一，7 为星期日")));
        } else {
            new.weekdays = days.into_iter().collect();
        }
    }
    if let Some(is_active) = draft.is_active {
        new.is_active = is_active;
    }
    if let Some(skill) = draft.skill.as_ref().filter(|s| **s != old.skill) {
        match catalogue.dictionary("skill").find(skill) {
            _ if skill.trim().is_empty() => new.skill = String::new(),
            Some(entry) => new.skill.clone_from(&entry.code),
            None => errors.push(FieldError::new("skill", text!("没有这个值，请从列出的值中选择"))),
        }
    }
    if let Some(hours) = draft.rest_hours {
        if (0..=MOST_REST).contains(&hours) {
            new.rest_hours = hours;
        } else {
            let said = text!("请填写 0–{} 的整数（小时），0 为不限制", MOST_REST);
            errors.push(FieldError::new("rest_hours", said));
        }
    }
    if let Some(code) = &draft.swaps {
        match SwapRule::named(code) {
            Some(rule) => new.swaps = rule,
            None => errors.push(FieldError::new("swaps", text!("请选择换班方式：off、free 或 approve"))),
        }
    }
    if errors.is_empty() { Ok(new) } else { Err(AppError::Invalid(errors)) }
}

fn taken(error: store::Error) -> AppError {
    if error.is_unique("rosters_unit_id_name_key") {
        AppError::field("name", text!("这个部门已有同名的值班表，请换一个名称"))
    } else {
        error.into()
    }
}

fn facts(roster: &Roster) -> serde_json::Value {
    json!({
        "unit_id": roster.unit_id, "name": roster.name, "note": roster.note, "opens": roster.opens,
        "closes": roster.closes, "weekdays": roster.weekdays, "is_active": roster.is_active,
        "skill": roster.skill, "rest_hours": roster.rest_hours, "swaps": roster.swaps.code(),
    })
}
