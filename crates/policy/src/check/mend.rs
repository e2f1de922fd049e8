//! Reading a file that is not in order, so that one fault hides no other and draws none behind it: each part is read by
//! itself, a name that is misspelt is read as the one it is nearest to, a value of a wrong type as what it was meant to be.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error};

use super::MOST_PROBLEMS;
use super::unreadable::{Meant, meant, missing_key, unknown_key};
use crate::source::File;

/// Most faults mended in one part.
const MOST_MENDED: usize = 30;

/// What could be read of a part, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Mended {
    /// The part, in a file of its own.
    pub part: Option<File>,
    /// What is wrong.
    pub faults: Vec<Error>,
    /// Where the tables begin of which something had to be left out, and values that were guessed.
    pub torn: Vec<usize>,
    /// The names that are defined in what was left out.
    pub lost: BTreeSet<String>,
}

/// The parts of a file whose syntax is in order, up to as many faults as are told.
pub fn parts(text: &str) -> Result<Vec<Mended>, Error> {
    let mut all = Vec::new();
    let mut faults = 0;
    for (key, value) in DeTable::parse(text)?.into_inner() {
        let span = value.span();
        let items: Vec<DeValue<'_>> = match value.into_inner() {
            DeValue::Array(items) => {
                let one = |item| {
                    let mut one = DeArray::new();
                    one.push(item);
                    DeValue::Array(one)
                };
                items.into_iter().map(one).collect()
            }
            value => vec![value],
        };
        for item in items {
            let item = Spanned::new(span.clone(), item);
            let mut part = Mended::default();
            if faults < MOST_PROBLEMS {
                part = mended(text, &key, item);
                faults += part.faults.len();
            } else {
                defined(&item, &mut part.lost);
            }
            all.push(part);
        }
    }
    Ok(all)
}

/// The names that are defined in a file, as far as it can be read.
pub fn names(text: &str) -> BTreeSet<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut names = BTreeSet::new();
    defined_in(table.get_ref(), &mut names);
    names
}

fn mended(text: &str, key: &Spanned<Cow<'_, str>>, value: Spanned<DeValue<'_>>) -> Mended {
    let mut table = DeTable::new();
    table.insert(key.clone(), value);
    let mut mended = Mended::default();
    let mut left_out: BTreeSet<String> = BTreeSet::new();
    for _ in 0..MOST_MENDED {
        let error = match File::deserialize(Deserializer::from(Spanned::new(0..0, table.clone()))) {
            Ok(file) => {
                mended.part = Some(file);
                return mended;
            }
            Err(error) => error,
        };
        // What had to be left out is missing then, which is no fault of its own.
        if !missing_key(&error).is_some_and(|name| left_out.contains(name)) {
            mended.faults.push(error.clone());
        }
        let Some(span) = error.span() else { break };
        let (unknown, meant) = (unknown_key(&error), meant(text, &error));
        let mut mend =
            Mend { span, unknown, meant, mended: &mut mended, left_out: &mut left_out, within: Vec::new() };
        if !mend.table(&mut table) {
            break;
        }
    }
    defined_in(&table, &mut mended.lost);
    mended
}

/// One fault being mended.
struct Mend<'m> {
    span: Range<usize>,
    unknown: Option<(&'m str, Option<&'m str>)>,
    meant: Option<Meant>,
    mended: &'m mut Mended,
    left_out: &'m mut BTreeSet<String>,
    /// Where the tables begin that are being looked through.
    within: Vec<usize>,
}

impl Mend<'_> {
    /// Mends what is at fault in a table or within it; false when it is not there or cannot be mended.
    fn table(&mut self, table: &mut DeTable<'_>) -> bool {
        if table.iter_mut().any(|(_, value)| self.value(value)) {
            return true;
        }
        if let Some((name, near)) = self.unknown {
            if !table.keys().any(|key| key.get_ref() == name && key.span() == self.span) {
                return false;
            }
            let Some(value) = table.remove(name) else { return false };
            match near {
                Some(near) if !table.contains_key(near) => {
                    let key = Spanned::new(self.span.clone(), Cow::Owned(near.to_owned()));
                    table.insert(key, value);
                }
                Some(near) if joined(table.get_mut(near), &value) => {}
                _ => self.leave_out(name, &value),
            }
            return true;
        }
        let Some(meant) = self.meant else { return false };
        let is_here = |value: &Spanned<DeValue<'_>>| match (meant, value.get_ref()) {
            (Meant::Single, DeValue::Array(items)) => items.iter().any(|item| item.span() == self.span),
            _ => value.span() == self.span,
        };
        let here = table.iter().find(|(_, value)| is_here(value)).map(|(key, _)| key.get_ref().to_string());
        let Some(name) = here else { return false };
        if let Some(value) = table.get_mut(name.as_str())
            && !self.as_meant(value, meant)
            && let Some(value) = table.remove(name.as_str())
        {
            self.leave_out(&name, &value);
        }
        true
    }

    fn value(&mut self, value: &mut Spanned<DeValue<'_>>) -> bool {
        let begin = value.span().start;
        match value.get_mut() {
            DeValue::Table(table) => {
                self.within.push(begin);
                let is_mended = self.table(table);
                self.within.pop();
                is_mended
            }
            DeValue::Array(items) => items.iter_mut().any(|item| self.value(item)) || self.item(items),
            _ => false,
        }
    }

    fn item(&mut self, items: &mut DeArray<'_>) -> bool {
        let Some(meant) = self.meant.filter(|meant| *meant != Meant::Single) else { return false };
        let Some(place) = items.iter().position(|item| item.span() == self.span) else { return false };
        if items.get_mut(place).is_some_and(|item| self.as_meant(item, meant)) {
            return true;
        }
        for (at, item) in std::mem::replace(items, DeArray::new()).into_iter().enumerate() {
            if at == place {
                defined(&item, &mut self.mended.lost);
            } else {
                items.push(item);
            }
        }
        self.mended.torn.extend(&self.within);
        true
    }

    /// Makes a value what it was meant to be.
    fn as_meant(&mut self, value: &mut Spanned<DeValue<'_>>, meant: Meant) -> bool {
        let span = value.span();
        let item = value.get_mut();
        let text = match (meant, &mut *item) {
            (Meant::List, DeValue::Array(_)) => return false,
            (Meant::List, _) => {
                let mut one = DeArray::new();
                one.push(Spanned::new(span, std::mem::replace(item, DeValue::Boolean(false))));
                *item = DeValue::Array(one);
                return true;
            }
            (Meant::Single, DeValue::Array(items)) => {
                let Some(first) = std::mem::replace(items, DeArray::new()).into_iter().next() else {
                    return false;
                };
                *value = first;
                return true;
            }
            (Meant::Text, DeValue::Integer(number)) => number.to_string(),
            (Meant::Text, DeValue::Float(number)) => number.to_string(),
            (Meant::Text, DeValue::Boolean(value)) => value.to_string(),
            (Meant::Text, DeValue::Datetime(at)) => at.to_string(),
            _ => return false,
        };
        // The text it stands for is a guess: nothing more is said about it.
        self.mended.torn.push(span.start);
        *item = DeValue::String(Cow::Owned(text));
        true
    }

    fn leave_out(&mut self, name: &str, value: &Spanned<DeValue<'_>>) {
        self.left_out.insert(name.to_owned());
        self.mended.torn.extend(&self.within);
        defined(value, &mut self.mended.lost);
    }
}

/// Puts the tables of a misspelt header among those with the right one, in the order they are written.
fn joined<'i>(list: Option<&mut Spanned<DeValue<'i>>>, more: &Spanned<DeValue<'i>>) -> bool {
    let (Some(DeValue::Array(list)), DeValue::Array(more)) = (list.map(Spanned::get_mut), more.get_ref())
    else {
        return false;
    };
    let mut all: Vec<Spanned<DeValue<'i>>> = list.iter().chain(more).cloned().collect();
    all.sort_by_key(|item| item.span().start);
    *list = DeArray::new();
    all.into_iter().for_each(|item| list.push(item));
    true
}

fn defined(value: &Spanned<DeValue<'_>>, names: &mut BTreeSet<String>) {
    match value.get_ref() {
        DeValue::Table(table) => defined_in(table, names),
        DeValue::Array(items) => items.iter().for_each(|item| defined(item, names)),
        _ => {}
    }
}

/// Names of parts, events that are given out, and how cases end.
fn defined_in(table: &DeTable<'_>, names: &mut BTreeSet<String>) {
    for (key, value) in table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("id" | "title" | "outcome", DeValue::String(text)) => drop(names.insert(text.to_string())),
            ("emit", DeValue::Array(items)) => {
                names.extend(items.iter().filter_map(|item| item.get_ref().as_str()).map(str::to_owned));
            }
            _ => defined(value, names),
        }
    }
}
