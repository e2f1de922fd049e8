//! The columns of the list: every built-in and company field, chosen and ordered by each person.

use crate::catalogue::Catalogue;
use crate::customers::{OFFERED_SORTS, SPECS};
use crate::i18n::Lang;

/// A column there is.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in settings: a field's key, `custom.KEY` or one of the kept values.
    pub name: String,
    /// Its head.
    pub title: String,
    /// What the list is sorted by when the head is clicked; empty for none.
    pub sort: &'static str,
    /// Whether it is shown.
    pub visible: bool,
    /// Whether it cannot be hidden.
    pub locked: bool,
}

impl Column {
    /// The class of its head: the name stays in sight while one scrolls sideways.
    pub fn head_class(&self) -> &'static str {
        if self.locked { "frozen" } else { "" }
    }
}

/// What is shown until a person chooses.
const USUAL: [&str; 8] =
    ["name", "class", "level", "phone", "owner_id", "region", "next_contact_on", "completeness"];

/// Columns that are no fields: name and head (source text).
const KEPT: [(&str, &str); 8] = [
    ("number", "客户编号"),
    ("kind", "客户性质"),
    ("owner_id", "负责人"),
    ("tags", "标签"),
    ("completeness", "档案完整度"),
    ("last_activity_at", "最近跟进"),
    ("created_at", "建档时间"),
    ("updated_at", "最近修改"),
];

/// The head of a kept column (source text).
pub fn kept_title(name: &str) -> Option<&'static str> {
    KEPT.iter().find(|(n, _)| *n == name).map(|(_, title)| *title)
}

/// Every column, the chosen ones first in their order. Chosen names that no longer exist are left out; the name
/// always comes first.
pub fn columns(catalogue: &Catalogue, l: Lang, chosen: &[String]) -> Vec<Column> {
    let fields = SPECS.iter().map(|s| (s.key.to_owned(), l.t(s.zh).to_owned()));
    let kept = KEPT.iter().map(|(name, title)| ((*name).to_owned(), l.t(title).to_owned()));
    let custom = catalogue.custom_fields.iter().filter(|f| f.is_active);
    let custom = custom.map(|f| (format!("custom.{}", f.key), f.title.clone()));
    let mut rest: Vec<(String, String)> = fields.chain(kept).chain(custom).collect();
    let usual: Vec<String> = USUAL.iter().map(|n| (*n).to_owned()).collect();
    let chosen = if chosen.is_empty() { &usual } else { chosen };
    let mut order = vec!["name".to_owned()];
    order.extend(chosen.iter().filter(|n| *n != "name").cloned());
    let mut all = Vec::with_capacity(rest.len());
    for name in order {
        if let Some(at) = rest.iter().position(|(n, _)| *n == name) {
            let (name, title) = rest.remove(at);
            all.push(column(name, title, true));
        }
    }
    all.extend(rest.into_iter().map(|(name, title)| column(name, title, false)));
    all
}

fn column(name: String, title: String, visible: bool) -> Column {
    let sort = OFFERED_SORTS.iter().find(|(n, ..)| *n == name).map_or("", |(n, ..)| *n);
    let locked = name == "name";
    Column { name, title, sort, visible, locked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_columns_come_first_in_their_order_and_unknown_ones_are_left_out() {
        let chosen: Vec<String> =
            ["phone", "custom.gone", "number"].iter().map(|n| (*n).to_owned()).collect();
        let all = columns(&Catalogue::default(), Lang::Zh, &chosen);
        let visible: Vec<&str> = all.iter().filter(|c| c.visible).map(|c| c.name.as_str()).collect();
        assert_eq!(visible, ["name", "phone", "number"]);
        assert_eq!(all.len(), SPECS.len() + KEPT.len());
        assert!(all.iter().all(|c| !c.title.is_empty()));
    }
}
