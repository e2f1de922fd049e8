//! Writes the demonstration group's organisation: units, posts, roles.

use jiff::civil::{Date, date, time};
use store::Tx;

use super::generate::organisation::{MORE_POSTS, POSTS, ROLES, Reach, UNITS};
use crate::access::Actor;
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{PersonId, RoleId, UnitId};
use crate::org::{self, Moment, NewPosition, UnitDraft};

/// The group has existed longer than any of its customers.
const FOUNDED: Date = date(2012, 1, 1);

/// Makes units and roles and gives everybody his post; answers the units, in order.
pub(super) fn organise(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    people: &[PersonId],
    zone: &Zone,
) -> Result<Vec<UnitId>, AppError> {
    let (actor, at) =
        (Actor::command_line(), Moment::new(zone.at(FOUNDED.to_datetime(time(9, 0, 0, 0))), zone));
    let mut units: Vec<UnitId> = Vec::with_capacity(UNITS.len());
    for unit in &UNITS {
        let draft = UnitDraft {
            name: Some(unit.1.to_owned()),
            kind: Some(unit.0.to_owned()),
            parent_id: Some(unit.2.and_then(|n| units.get(n).copied())),
            head_id: Some(people.get(unit.3).copied()),
            ..UnitDraft::default()
        };
        units.push(org::create_unit(tx, &actor, catalogue, &draft, &at)?.id);
    }
    let mut add = |person: PersonId, unit: usize, post: &str, is_main: bool| {
        let position = NewPosition {
            unit_id: units[unit],
            post: post.to_owned(),
            starts_on: None,
            ends_on: String::new(),
            is_main,
            superior_id: None,
        };
        org::add_position(tx, &actor, catalogue, person, &position, &at).map(drop)
    };
    for (person, (unit, post)) in people.iter().zip(&POSTS) {
        add(*person, *unit, post, true)?;
    }
    for (person, unit, post) in &MORE_POSTS {
        add(people[*person], *unit, post, false)?;
    }
    make_roles(tx, &units, people, at.now)?;
    org::rights_changed(tx)?;
    Ok(units)
}

fn make_roles(tx: &mut Tx<'_>, units: &[UnitId], people: &[PersonId], now: Millis) -> store::Result<()> {
    for role in &ROLES {
        let id = RoleId::new();
        tx.exec(
            "INSERT INTO roles (id, code, name, note, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, 0, $5, 0)",
            &[id.into(), role.code.into(), role.name.into(), role.note.into(), now.into()],
        )?;
        // Of two grants of one permission the first one counts.
        for (words, reach) in role.grants {
            let (scope, of): (&str, &[usize]) = match reach {
                Reach::All => ("all", &[]),
                Reach::Tree => ("unit_tree", &[]),
                Reach::Unit => ("unit", &[]),
                Reach::Team => ("team", &[]),
                Reach::Own => ("own", &[]),
                Reach::Units(of) => ("units", of),
            };
            let of: Vec<UnitId> = of.iter().filter_map(|n| units.get(*n).copied()).collect();
            for (object, verb) in words.split_whitespace().filter_map(|word| word.split_once('.')) {
                tx.exec(
                    "INSERT INTO role_grants (role_id, object, verb, scope, units) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (role_id, object, verb) DO NOTHING",
                    &[id.into(), object.into(), verb.into(), scope.into(), serde_json::json!(of).into()],
                )?;
            }
        }
        for (field, rule) in role.fields {
            let Some((object, field)) = field.split_once('.') else { continue };
            tx.exec(
                "INSERT INTO role_fields (role_id, object, field, rule) VALUES ($1, $2, $3, $4)",
                &[id.into(), object.into(), field.into(), (*rule).into()],
            )?;
        }
        for post in role.posts {
            tx.exec(
                "INSERT INTO post_roles (post, role_id, granted_at, granted_by) VALUES ($1, $2, $3, 0)",
                &[(*post).into(), id.into(), now.into()],
            )?;
        }
        for person in role.people.iter().filter_map(|n| people.get(*n)) {
            tx.exec(
                "INSERT INTO person_roles (person_id, role_id, granted_at, granted_by) VALUES ($1, $2, $3, 0)",
                &[(*person).into(), id.into(), now.into()],
            )?;
        }
    }
    Ok(())
}
