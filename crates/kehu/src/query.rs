//! Building a SELECT whose conditions are known only at run time: values are always bound, names come from catalogues.

use store::Value;

use crate::error::AppError;
use crate::text;

/// Conditions and their parameters.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    all: Vec<String>,
    /// The parameters so far, in order.
    pub params: Vec<Value<'static>>,
}

impl Conditions {
    /// Binds a value and gives its place: `$3`.
    pub fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// Adds a condition; all must hold.
    pub fn and(&mut self, condition: impl Into<String>) {
        self.all.push(condition.into());
    }

    /// `column = value`.
    pub fn equal(&mut self, column: &str, value: impl Into<Value<'static>>) {
        let place = self.bind(value);
        self.all.push(format!("{column} = {place}"));
    }

    /// The text after WHERE.
    pub fn sql(&self) -> String {
        if self.all.is_empty() { "TRUE".into() } else { self.all.join(" AND ") }
    }
}

/// A text of ours with its places `$1` … filled by the values as literals: for conditions that stand in every statement
/// of a person and must not take up its parameters. Texts are quoted, quotes in them doubled; none holds NUL.
pub fn inline(sql: &str, params: &[Value<'static>]) -> String {
    let mut filled = String::with_capacity(sql.len() + 64);
    let mut parts = sql.split('$');
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        match number.parse().ok().and_then(|n: usize| params.get(n.checked_sub(1)?)) {
            Some(value) => filled.push_str(&literal(value)),
            None => {
                filled.push('$');
                filled.push_str(number);
            }
        }
        filled.push_str(rest);
    }
    filled
}

fn literal(value: &Value<'static>) -> String {
    match value {
        Value::Int(n) => n.to_string(),
        Value::Real(n) => format!("{n:e}"),
        Value::Text(text) => quoted(text),
        Value::Owned(text) => quoted(text),
        _ => "NULL".into(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Name at the face: `updated_at`.
    pub name: &'static str,
    /// Column with alias; never NULL.
    pub column: &'static str,
    /// Whether the column holds an integer (else text).
    pub is_integer: bool,
    /// Largest first.
    pub descending: bool,
}

/// Reads `-updated_at,name` against what a list offers: (name, column, holds an integer). At most three keys.
pub fn parse_sort(
    text: &str,
    offered: &[(&'static str, &'static str, bool)],
) -> Result<Vec<SortKey>, AppError> {
    let mut keys: Vec<SortKey> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (descending, wanted) = match part.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, part),
        };
        let Some((name, column, is_integer)) = offered.iter().find(|(name, ..)| *name == wanted) else {
            let names: Vec<&str> = offered.iter().map(|(name, ..)| *name).collect();
            return Err(AppError::field("sort", text!("不能按“{}”排序，可用：{}", part, names.join(", "))));
        };
        if keys.iter().all(|k| k.name != *name) {
            keys.push(SortKey { name, column, is_integer: *is_integer, descending });
        }
    }
    if keys.len() > 3 {
        return Err(AppError::field("sort", text!("最多按三项排序")));
    }
    Ok(keys)
}

/// A place in an ordered list: the values of the sort keys and the id of the last row seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    values: Vec<serde_json::Value>,
    id: i64,
    /// Whether the page before this place is wanted.
    pub backwards: bool,
}

impl Cursor {
    /// The place of a row.
    pub fn new(values: Vec<serde_json::Value>, id: i64, backwards: bool) -> Self {
        Self { values, id, backwards }
    }

    /// As it stands in an address: URL-safe and meaningless to readers.
    pub fn encode(&self) -> String {
        let json = serde_json::json!([self.values, store::format_id(self.id), u8::from(self.backwards)]);
        crate::audit::hex(json.to_string().as_bytes())
    }

    /// Reads what `encode` wrote for the same order; anything else is a bad request.
    pub fn decode(text: &str, keys: &[SortKey]) -> Result<Self, AppError> {
        Self::read(text, keys)
            .ok_or_else(|| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))
    }

    fn read(text: &str, keys: &[SortKey]) -> Option<Self> {
        if text.len() > 8000 || !text.len().is_multiple_of(2) || !text.is_ascii() {
            return None;
        }
        let bytes: Option<Vec<u8>> =
            (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect();
        let (values, id, backwards): (Vec<serde_json::Value>, String, u8) =
            serde_json::from_slice(&bytes?).ok()?;
        let fits = |(value, key): (&serde_json::Value, &SortKey)| {
            if key.is_integer { value.is_i64() } else { value.as_str().is_some_and(|s| !s.contains('\0')) }
        };
        if values.len() != keys.len() || !values.iter().zip(keys).all(fits) {
            return None;
        }
        Some(Self { values, id: store::parse_id(&id).ok()?, backwards: backwards == 1 })
    }
}

/// Adds "behind this place" to the conditions. The id breaks ties, in the direction of the last key.
pub fn behind(conditions: &mut Conditions, keys: &[SortKey], id_column: &str, cursor: &Cursor) {
    let mut places: Vec<(String, String, bool)> = Vec::new();
    for (key, value) in keys.iter().zip(&cursor.values) {
        let place = match value {
            serde_json::Value::String(text) => conditions.bind(text.clone()),
            other => conditions.bind(other.as_i64().unwrap_or_default()),
        };
        places.push((key.column.to_owned(), place, key.descending != cursor.backwards));
    }
    let id = conditions.bind(cursor.id);
    let id_descends = keys.last().is_none_or(|k| k.descending) != cursor.backwards;
    places.push((id_column.to_owned(), id, id_descends));
    // The common case of one direction is a row comparison, which an index can seek to.
    if places.iter().all(|(.., d)| *d == id_descends) {
        let columns: Vec<&str> = places.iter().map(|(c, ..)| c.as_str()).collect();
        let values: Vec<&str> = places.iter().map(|(_, p, _)| p.as_str()).collect();
        let sign = if id_descends { "<" } else { ">" };
        conditions.and(format!("({}) {sign} ({})", columns.join(", "), values.join(", ")));
        return;
    }
    let mut any = Vec::new();
    for n in 0..places.len() {
        let mut all: Vec<String> = places[..n].iter().map(|(c, p, _)| format!("{c} = {p}")).collect();
        let (column, place, descends) = &places[n];
        all.push(format!("{column} {} {place}", if *descends { "<" } else { ">" }));
        any.push(format!("({})", all.join(" AND ")));
    }
    conditions.and(format!("({})", any.join(" OR ")));
}

/// The text after ORDER BY; turned round when the page before is wanted.
pub fn order_by(keys: &[SortKey], id_column: &str, backwards: bool) -> String {
    let direction = |descending: bool| if descending != backwards { "DESC" } else { "ASC" };
    let mut parts: Vec<String> =
        keys.iter().map(|k| format!("{} {}", k.column, direction(k.descending))).collect();
    parts.push(format!("{id_column} {}", direction(keys.last().is_none_or(|k| k.descending))));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: &[(&str, &str, bool)] =
        &[("updated_at", "c.updated_at", true), ("name", "c.name_sort", false)];

    #[test]
    fn a_cursor_fits_only_its_own_order() {
        let keys = parse_sort("-updated_at,name", OFFERED).unwrap();
        let cursor = Cursor::new(vec![5.into(), "甲".into()], 77, false);
        assert_eq!(Cursor::decode(&cursor.encode(), &keys).unwrap(), cursor);
        assert!(Cursor::decode(&cursor.encode(), &keys[..1]).is_err());
        for bad in ["", "zz", "0", "7b7d", "客户"] {
            assert!(Cursor::decode(bad, &keys).is_err(), "{bad}");
        }
        assert!(parse_sort("password_hash", OFFERED).is_err());
    }

    #[test]
    fn mixed_directions_become_alternatives_and_one_direction_a_row_comparison() {
        let mut mixed = Conditions::default();
        let keys = parse_sort("-updated_at,name", OFFERED).unwrap();
        behind(&mut mixed, &keys, "c.id", &Cursor::new(vec![5.into(), "甲".into()], 7, false));
        assert_eq!(
            mixed.sql(),
            "((c.updated_at < $1) OR (c.updated_at = $1 AND c.name_sort > $2) OR \
             (c.updated_at = $1 AND c.name_sort = $2 AND c.id > $3))"
        );
        let mut one = Conditions::default();
        behind(&mut one, &keys[..1], "c.id", &Cursor::new(vec![5.into()], 7, false));
        assert_eq!(one.sql(), "(c.updated_at, c.id) < ($1, $2)");
    }
}
