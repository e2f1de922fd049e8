//! By what a row's customer is recognised, and which customers there are already.

use std::collections::{HashMap, HashSet};

use store::Conn;

use super::plan::Work;
use crate::access::Actor;
use crate::customers::{self, Draft, Field, Keyed, Kind, find_many_by_keys, key_of};
use crate::i18n::{Lang, Text, Word, word};
use crate::ids::CustomerId;
use crate::text;

/// By what a row's customer is looked for; a pair must both fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// One key.
    One(Keyed, String),
    /// Two keys of the same customer.
    Both((Keyed, String), (Keyed, String)),
}

impl Sign {
    /// By what it recognises, inside a message.
    fn word(&self) -> Word {
        let title = |keyed: &Keyed, l: Lang| l.t(keyed.title()).to_owned();
        let both = |l: Lang| match self {
            Self::One(keyed, _) => title(keyed, l),
            Self::Both((one, _), (two, _)) => l.f("{}和{}", &[&title(one, l), &title(two, l)]),
        };
        word(Text::Both(both(Lang::Zh), both(Lang::En)))
    }
}

/// The keys a row has, by the rules customers are found by.
pub(super) fn keys_of(kind: Kind, draft: &Draft) -> Vec<(Keyed, String)> {
    let field = |f: Field| draft.fields.get(&f).map(String::as_str).unwrap_or_default();
    Keyed::ALL
        .into_iter()
        .filter_map(|keyed| {
            let value = match keyed {
                Keyed::Number => draft.number.as_deref().unwrap_or_default(),
                Keyed::Name => field(Field::Name),
                Keyed::Phone => field(Field::Phone),
                Keyed::CreditCode => field(Field::CreditCode),
                Keyed::IdNumber => field(Field::IdNumber),
                Keyed::Email => field(Field::Email),
            };
            key_of(keyed, kind, value).map(|key| (keyed, key))
        })
        .collect()
}

fn find(keys: &[(Keyed, String)], keyed: Keyed) -> Option<(Keyed, String)> {
    keys.iter().find(|(k, _)| *k == keyed).cloned()
}

/// Where to look for a row's customer. Without chosen keys: number, credit code and ID number alone; phone and name
/// together; the name alone only for a row that has nothing else to tell it by.
pub(super) fn looked_for(match_on: &[Keyed], kind: Kind, keys: &[(Keyed, String)]) -> Vec<Sign> {
    if !match_on.is_empty() {
        return match_on.iter().filter_map(|k| find(keys, *k)).map(|(k, v)| Sign::One(k, v)).collect();
    }
    let mut all: Vec<Sign> = [Keyed::Number, Keyed::CreditCode, Keyed::IdNumber]
        .into_iter()
        .filter_map(|k| find(keys, k))
        .map(|(k, v)| Sign::One(k, v))
        .collect();
    match (find(keys, Keyed::Phone), find(keys, Keyed::Name)) {
        (Some(phone), Some(name)) => all.push(Sign::Both(phone, name)),
        (None, Some((k, v))) if all.is_empty() || kind == Kind::Organisation => all.push(Sign::One(k, v)),
        _ => {}
    }
    all
}

/// By what later rows of the same file may recognise a row.
pub(super) fn signs(match_on: &[Keyed], keys: &[(Keyed, String)]) -> Vec<Sign> {
    let mut all: Vec<Sign> = keys.iter().map(|(k, v)| Sign::One(*k, v.clone())).collect();
    if match_on.is_empty()
        && let (Some(phone), Some(name)) = (find(keys, Keyed::Phone), find(keys, Keyed::Name))
    {
        all.push(Sign::Both(phone, name));
    }
    all
}

/// Which customers of the database the rows' signs mean, with few statements for many rows.
#[derive(Default)]
pub struct Known {
    by_key: HashMap<(Keyed, String), Vec<CustomerId>>,
    /// Numbers of living customers, whoever may read them; only after `with_numbers`.
    taken: HashSet<String>,
}

impl Known {
    /// Looks all signs up; only customers the actor may read are found.
    pub fn load<'w>(
        conn: &mut Conn<'_>,
        actor: &Actor,
        works: impl Iterator<Item = &'w Work>,
    ) -> store::Result<Self> {
        let mut wanted: HashMap<Keyed, HashSet<&str>> = HashMap::new();
        for sign in works.flat_map(|w| &w.looked_for) {
            let parts = match sign {
                Sign::One(k, v) => vec![(*k, v.as_str())],
                Sign::Both((k1, v1), (k2, v2)) => vec![(*k1, v1.as_str()), (*k2, v2.as_str())],
            };
            for (keyed, key) in parts {
                wanted.entry(keyed).or_default().insert(key);
            }
        }
        let mut found = HashMap::new();
        for (keyed, keys) in wanted {
            let keys: Vec<&str> = keys.into_iter().collect();
            for (key, ids) in find_many_by_keys(conn, actor, keyed, &keys)? {
                found.insert((keyed, key), ids);
            }
        }
        Ok(Self { by_key: found, taken: HashSet::new() })
    }

    /// Looks up as well which of the rows' numbers are taken.
    pub fn with_numbers(mut self, conn: &mut Conn<'_>, works: &[Work]) -> store::Result<Self> {
        let wanted: Vec<&str> = works.iter().filter_map(Work::number_wanted).collect();
        self.taken = customers::taken_numbers(conn, &wanted)?;
        Ok(self)
    }

    /// Whether a living customer has this number.
    pub fn is_taken(&self, number: &str) -> bool {
        self.taken.contains(number)
    }

    /// The customer a sign means: the oldest one, if any.
    pub fn get(&self, sign: &Sign) -> Option<CustomerId> {
        self.all(sign).next()
    }

    /// All customers a sign means, the oldest first.
    fn all<'k>(&'k self, sign: &Sign) -> Box<dyn Iterator<Item = CustomerId> + 'k> {
        let of = |keyed: &Keyed, key: &String| {
            self.by_key.get(&(*keyed, key.clone())).map_or(&[][..], Vec::as_slice)
        };
        match sign {
            Sign::One(k, v) => Box::new(of(k, v).iter().copied()),
            Sign::Both((k1, v1), (k2, v2)) => {
                let others = of(k2, v2);
                Box::new(of(k1, v1).iter().copied().filter(|id| others.contains(id)))
            }
        }
    }

    /// Why it cannot be told which customer a row would change: several are meant alike, or what is strongest means
    /// another one than the rest. `None` when it can be told, or there is none.
    pub fn doubt(&self, signs: &[Sign]) -> Option<Text> {
        let strongest = signs.iter().find(|sign| self.get(sign).is_some())?;
        let found: Vec<CustomerId> = self.all(strongest).collect();
        if found.len() > 1 {
            let text = text!(
                "有 {} 个客户的{}相同，不知道更新哪一个；请在这一行填上客户编号",
                found.len(),
                strongest.word()
            );
            return Some(text);
        }
        let other = signs
            .iter()
            .find(|sign| self.get(sign).is_some() && !self.all(sign).any(|id| found.contains(&id)))?;
        Some(text!("{}是一个客户的，{}却是另一个客户的；请核对这一行", strongest.word(), other.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_chosen_keys_a_name_alone_is_trusted_only_when_nothing_else_is_there() {
        let name = (Keyed::Name, "张三".to_owned());
        let phone = (Keyed::Phone, "13800138000".to_owned());
        assert_eq!(
            looked_for(&[], Kind::Person, &[phone.clone(), name.clone()]),
            [Sign::Both(phone.clone(), name.clone())]
        );
        assert_eq!(
            looked_for(&[], Kind::Person, std::slice::from_ref(&name)),
            [Sign::One(name.0, name.1.clone())]
        );
        assert_eq!(
            looked_for(&[Keyed::Phone], Kind::Person, &[phone.clone(), name]),
            [Sign::One(phone.0, phone.1)]
        );
    }
}
