//! Organisations whose name is nearly that of one being written: another character, a slip, the words of a branch.

use hanzi::{normal, readings};
use insight::duplicates::{Agreement, alike};
use store::Conn;

use super::fields::Field;
use super::model::{Customer, Kind};
use super::withhold::withhold;
use crate::access::{Actor, FieldRule};
use crate::error::AppError;
use crate::ids::CustomerId;
use crate::search;
use crate::settings::{self, Parameter};

/// From which likeness on a name is shown as nearly the same.
const FROM: Parameter = Parameter {
    name: "duplicates.alike_from",
    group: "查重",
    title: "名称多相似才提示",
    help: "登记单位客户时，名称与已有客户的相似度达到这么多就列出来请人核对；填 101 不提示",
    kind: settings::Kind::Whole { min: 60, max: 101, unit: "%", default: 86 },
};

/// What an administrator may set.
pub const PARAMETERS: &[Parameter] = &[FROM];

/// Customers with a part of the name that are compared, for each part.
const COMPARED: i64 = 60;
/// Names of fewer characters, apart from what says that it is a company, have too little in common to speak of.
const SHORTEST: usize = 3;
/// Characters of an address that are compared: fields hold no more.
const LONGEST_ADDRESS: usize = 300;
/// What the same address takes of the difference that is left.
const SAME_ADDRESS: f64 = 0.3;

/// A customer with nearly the same name.
#[derive(Debug)]
pub struct Alike {
    /// The customer, as the actor may see it.
    pub customer: Customer,
    /// How alike both are, 0 to 1.
    pub score: f64,
    /// Whether the names sound the same.
    pub is_sound: bool,
    /// Whether the addresses are the same.
    pub is_address: bool,
}

/// At most `most` customers the actor may read whose name is nearly this one, the most alike first. Nothing for persons:
/// too many are called alike.
pub(super) fn find_alike(
    conn: &mut Conn<'_>,
    actor: &Actor,
    kind: Kind,
    (name, address): (&str, &str),
    is_known: impl Fn(CustomerId) -> bool,
    most: usize,
) -> Result<Vec<Alike>, AppError> {
    let core = normal::company_key(name);
    if kind != Kind::Organisation || core.chars().count() < SHORTEST {
        return Ok(Vec::new());
    }
    let from = FROM.whole(conn)? as f64 / 100.0;
    if from > 1.0 {
        return Ok(Vec::new());
    }
    let here: String = normal::name_key(&address.chars().take(LONGEST_ADDRESS).collect::<String>());
    let mut found: Vec<Alike> = Vec::new();
    for part in parts(&core) {
        for customer in search::with_words(conn, actor, &part, COMPARED)? {
            let is_there = found.iter().any(|alike| alike.customer.id == customer.id);
            if customer.kind != Kind::Organisation || is_known(customer.id) || is_there {
                continue;
            }
            let customer = withhold(actor, customer);
            // What is masked could be guessed by what is like it.
            let is_seen = |field: &str| customer.withheld.rule(field) >= FieldRule::Read;
            if !is_seen("name") {
                continue;
            }
            let (agreement, likeness) = alike(&core, &normal::company_key(customer.name()));
            let there = customer.get(Field::Address);
            let is_address = !here.is_empty() && is_seen("address") && here == normal::name_key(there);
            let score = if is_address { likeness + SAME_ADDRESS * (1.0 - likeness) } else { likeness };
            if score >= from {
                let is_sound = agreement == Agreement::Sound;
                found.push(Alike { customer, score, is_sound, is_address });
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.customer.id.cmp(&a.customer.id)));
    found.truncate(most);
    Ok(found)
}

/// What names nearly the same have in common: one slip leaves one half as it is; another character for the same sound
/// leaves the sound.
fn parts(core: &str) -> Vec<String> {
    let letters: Vec<char> = core.chars().collect();
    let (first, second) = letters.split_at(letters.len().div_ceil(2));
    let mut parts: Vec<String> = vec![readings::full(core)];
    parts.extend([first, second].iter().filter(|half| half.len() > 1).map(|half| half.iter().collect()));
    parts.retain(|part| !part.is_empty());
    parts.dedup();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_anywhere_leaves_a_part_as_it_is() {
        assert_eq!(parts("广州天江科技"), ["guangzhoutianjiangkeji", "广州天", "江科技"]);
        assert_eq!(parts("天江科"), ["tianjiangke", "天江"]);
        assert_eq!(parts("abc"), ["abc", "ab"]);
    }
}
