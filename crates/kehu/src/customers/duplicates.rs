//! Customers that may be the same as one being written.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use store::Conn;

use super::alike::{Alike, find_alike};
use super::index::{Keyed, find_by_keys, has_hidden_by_key, key_of};
use super::load::load;
use super::model::{Customer, Kind};
use crate::access::{Actor, FieldRule, Object, Verb, require_may, require_unbarred};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId};

/// A field of a customer and by what it shows that two are the same, the strongest first.
pub const COMPARED: [(&str, Keyed); 6] = [
    ("credit_code", Keyed::CreditCode),
    ("id_number", Keyed::IdNumber),
    ("phone", Keyed::Phone),
    ("landline", Keyed::Phone),
    ("email", Keyed::Email),
    ("name", Keyed::Name),
];

/// Customers shown at the most.
const MOST: usize = 5;

/// Longest value compared, in characters: longer ones are none of these.
const LONGEST: usize = 254;

/// What was found.
#[derive(Debug)]
pub struct Same {
    /// Customers the actor may read, each with the first thing it has in common.
    pub found: Vec<(Customer, Keyed)>,
    /// Others whose name is nearly the same, the most alike first.
    pub alike: Vec<Alike>,
    /// Whether there may be one he may not read; told so often in an hour only.
    pub has_hidden: bool,
}

/// How often in an hour one person is told whether a customer he may not read has a value: more than a day of filling in
/// forms needs, too few to guess numbers.
const TOLD_AN_HOUR: u32 = 300;

/// Counts what a person asks, in this process.
fn may_be_told(person: PersonId, now: Millis) -> bool {
    static ASKED: LazyLock<Mutex<HashMap<PersonId, (Millis, u32)>>> = LazyLock::new(Mutex::default);
    const HOUR: Millis = 3_600_000;
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let (since, count) = asked.entry(person).or_insert((now, 0));
    if !(0..HOUR).contains(&(now - *since)) {
        (*since, *count) = (now, 0);
    }
    *count = count.saturating_add(1);
    *count <= TOLD_AN_HOUR
}

/// Customers with the same name, phone, mail or code as `value_of` says, or nearly the same name, but for `except`; for
/// whoever may add or change customers. Of those he may not see he learns only that there may be one.
pub fn find_same<'v>(
    conn: &mut Conn<'_>,
    actor: &Actor,
    kind: Kind,
    value_of: impl Fn(&str) -> &'v str,
    except: Option<CustomerId>,
    now: Millis,
) -> Result<Same, AppError> {
    require_unbarred(actor)?;
    if !actor.may(Object::Customer, Verb::Update) {
        require_may(actor, Object::Customer, Verb::Create)?;
    }
    let mut same = Same { found: Vec::new(), alike: Vec::new(), has_hidden: false };
    for (field, keyed) in COMPARED {
        let value = value_of(field);
        if value.chars().count() > LONGEST || value.contains('\0') {
            continue;
        }
        let Some(key) = key_of(keyed, kind, value) else { continue };
        for id in find_by_keys(conn, actor, keyed, &key, MOST as i64)? {
            if Some(id) == except || same.found.iter().any(|(customer, _)| customer.id == id) {
                continue;
            }
            let customer = load(conn, actor, id)?;
            if customer.withheld.rule(keyed.code()) < FieldRule::Read {
                // Not even that there is one: a masked value could be guessed to its last digit.
                continue;
            }
            same.found.push((customer, keyed));
        }
        if may_be_told(actor.person_id, now) {
            same.has_hidden |= has_hidden_by_key(conn, actor, keyed, &key)?;
        }
    }
    let name = value_of("name");
    if name.chars().count() <= LONGEST {
        let is_known = |id| Some(id) == except || same.found.iter().any(|(customer, _)| customer.id == id);
        same.alike = find_alike(conn, actor, kind, (name, value_of("address")), is_known, MOST)?;
    }
    same.found.truncate(MOST);
    Ok(same)
}
