//! Skills (专长) of people, with what was measured, when and by whom: kept by whoever keeps the organisation.

use serde_json::json;
use store::Tx;

use super::load::skills_of;
use super::model::Skill;
use super::word;
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::ids::PersonId;
use crate::input::{Kind, clean_value};
use crate::text;

/// Says how well a person knows something, anew or for the first time.
pub fn set_skill(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    wanted: &Skill,
    now: Millis,
) -> Result<Skill, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let person = wanted.person_id;
    let known = tx.count("SELECT COUNT(*) FROM people WHERE id = $1", &[person.into()])?;
    if known == 0 {
        return Err(AppError::NotFound);
    }
    let old = skills_of(tx, person)?.into_iter().find(|s| s.skill == wanted.skill);
    let mut errors = Vec::new();
    let skill = match catalogue.dictionary("skill").find(&wanted.skill) {
        Some(entry) => entry.code.clone(),
        // A retired one may stay where it was.
        None if old.is_some() => wanted.skill.clone(),
        None => {
            errors.push(FieldError::new("skill", text!("没有这个值，请从列出的值中选择")));
            String::new()
        }
    };
    if !(1..=5).contains(&wanted.level) {
        errors.push(FieldError::new("level", text!("熟练程度为 1–5 的整数")));
    }
    let valid_until = clean_value(Kind::Date, 10, &wanted.valid_until).unwrap_or_else(|text| {
        errors.push(FieldError::new("valid_until", text));
        String::new()
    });
    let assessed_on = clean_value(Kind::Date, 10, &wanted.assessed_on).unwrap_or_else(|text| {
        errors.push(FieldError::new("assessed_on", text));
        String::new()
    });
    if let Some(assessor) = wanted.assessed_by
        && tx.count("SELECT COUNT(*) FROM people WHERE id = $1", &[assessor.into()])? == 0
    {
        errors.push(FieldError::new("assessed_by", text!("没有这位员工")));
    }
    let note = word("note", &wanted.note, 200)?;
    let score = word("score", &wanted.score, 30)?;
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let assessed_by = wanted.assessed_by;
    let new = Skill {
        person_id: person,
        skill,
        level: wanted.level,
        valid_until,
        note,
        score,
        assessed_on,
        assessed_by,
    };
    let old = skills_of(tx, person)?.into_iter().find(|s| s.skill == new.skill);
    if old.as_ref() == Some(&new) {
        return Ok(new);
    }
    tx.exec(
        "INSERT INTO person_skills (person_id, skill, level, valid_until, note, updated_at, score, assessed_on,
           assessed_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
         ON CONFLICT (person_id, skill) DO UPDATE SET level = EXCLUDED.level, valid_until = EXCLUDED.valid_until,
           note = EXCLUDED.note, updated_at = EXCLUDED.updated_at, score = EXCLUDED.score,
           assessed_on = EXCLUDED.assessed_on, assessed_by = EXCLUDED.assessed_by",
        &[
            person.into(),
            (&new.skill).into(),
            new.level.into(),
            (&new.valid_until).into(),
            (&new.note).into(),
            now.into(),
            (&new.score).into(),
            (&new.assessed_on).into(),
            new.assessed_by.map_or(0, |p| p.0).into(),
        ],
    )?;
    let (before, after) = (old.as_ref().map(facts), facts(&new));
    let mut entry = Entry::of("skill.updated", "person", person.0).after(&after);
    entry.before = before.as_ref();
    audit::record(tx, actor, now, &entry)?;
    Ok(new)
}

/// Takes a skill away.
pub fn remove_skill(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    skill: &str,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let old = skills_of(tx, person)?.into_iter().find(|s| s.skill == skill).ok_or(AppError::NotFound)?;
    tx.exec("DELETE FROM person_skills WHERE person_id = $1 AND skill = $2", &[person.into(), skill.into()])?;
    let before = facts(&old);
    let mut entry = Entry::of("skill.deleted", "person", person.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn facts(skill: &Skill) -> serde_json::Value {
    json!({
        "skill": skill.skill, "level": skill.level, "valid_until": skill.valid_until, "note": skill.note,
        "score": skill.score, "assessed_on": skill.assessed_on, "assessed_by": skill.assessed_by,
    })
}
