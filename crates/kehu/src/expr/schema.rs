//! What a condition may name, and where each name is found in the database and in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::Column;
use crate::catalogue::{CustomField, CustomKind};
use crate::clock::Zone;
use crate::customers::Field;
use crate::customers::fields::{FieldKind, SPECS};

/// What a field holds, as far as conditions are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text; empty means unknown.
    Text,
    /// A whole number.
    Int,
    /// A number with decimals; compared as a double.
    Number,
    /// Yes or no.
    Bool,
    /// A day, written `"2026-09-28"`.
    Date,
    /// A point in time, written `timestamp("2026-09-28T08:00:00Z")` or as local `"2026-09-28"`, `"2026-09-28 16:20"`.
    Timestamp,
    /// Several texts; asked with `"…" in tags`.
    TextList,
    /// A person of the company, written as id or `me`.
    Person,
}

impl Type {
    /// Name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "文字",
            Self::Int => "整数",
            Self::Number => "数字",
            Self::Bool => "是/否",
            Self::Date => "日期",
            Self::Timestamp => "时间",
            Self::TextList => "多个值",
            Self::Person => "人员编号",
        }
    }
}

/// Where a value is in a customer.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Field(Field),
    Number,
    Kind,
    Owner,
    Tags,
    Completeness,
    Version,
    CreatedAt,
    UpdatedAt,
    LastActivityAt,
    Custom(String),
}

/// The names a condition may use.
#[derive(Clone, Debug)]
pub struct Schema {
    columns: BTreeMap<String, Arc<Column>>,
    /// Chinese titles and, for custom fields, what may stand in `custom["…"]`, to names.
    titles: BTreeMap<String, String>,
    zone: Zone,
}

impl Schema {
    /// The fields of a customer, over `customers c`. Local times are read in China's zone, see `in_zone`.
    pub fn customers(custom_fields: &[CustomField]) -> Self {
        let mut schema = Self { columns: BTreeMap::new(), titles: BTreeMap::new(), zone: Zone::default() };
        for spec in &SPECS {
            let kind = if spec.kind == FieldKind::Date { Type::Date } else { Type::Text };
            // The columns declared COLLATE "C"; all others are ordered by the server's locale on PostgreSQL.
            let is_sortable =
                matches!(spec.kind, FieldKind::Date | FieldKind::Dictionary(_) | FieldKind::Region);
            schema.add(
                spec.key,
                spec.zh,
                kind,
                format!("c.{}", spec.key),
                is_sortable,
                Source::Field(spec.field),
            );
        }
        for (name, title, kind, source) in [
            ("number", "客户编号", Type::Text, Source::Number),
            ("kind", "客户性质", Type::Text, Source::Kind),
            ("owner_id", "负责人", Type::Person, Source::Owner),
            ("completeness", "完整度", Type::Int, Source::Completeness),
            ("version", "版本", Type::Int, Source::Version),
            ("created_at", "创建时间", Type::Timestamp, Source::CreatedAt),
            ("updated_at", "更新时间", Type::Timestamp, Source::UpdatedAt),
            ("last_activity_at", "最近联系时间", Type::Timestamp, Source::LastActivityAt),
        ] {
            schema.add(name, title, kind, format!("c.{name}"), true, source);
        }
        schema.add("tags", "标签", Type::TextList, "CAST(c.tags AS TEXT)".into(), false, Source::Tags);
        for field in custom_fields.iter().filter(|f| is_safe_key(&f.key)) {
            let found = format!("(c.custom->>'{}')", field.key);
            let (kind, sql) = match field.kind {
                CustomKind::Text | CustomKind::LongText | CustomKind::Choice => {
                    (Type::Text, format!("COALESCE(CAST({found} AS TEXT), '')"))
                }
                CustomKind::Date => (Type::Date, format!("COALESCE(CAST({found} AS TEXT), '')")),
                CustomKind::Number => (Type::Number, format!("CAST({found} AS DOUBLE PRECISION)")),
                CustomKind::YesNo => (Type::Bool, format!("CAST({found} AS TEXT)")),
                CustomKind::Choices => (Type::TextList, format!("COALESCE(CAST({found} AS TEXT), '[]')")),
            };
            let name = format!("custom.{}", field.key);
            // Dates are ordered alike in every locale: digits stand at the same places in all of them.
            schema.add(&name, &field.title, kind, sql, kind != Type::Text, Source::Custom(field.key.clone()));
        }
        schema
    }

    /// Reads local times in this zone.
    pub fn in_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// The names with their types, for help and completion.
    pub fn names(&self) -> impl Iterator<Item = (&str, Type)> {
        self.columns.values().map(|c| (c.name.as_str(), c.kind))
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn column(&self, name: &str) -> Option<&Arc<Column>> {
        self.columns.get(name)
    }

    /// The company's own field of this key or title.
    pub(super) fn custom(&self, key: &str) -> Option<&Arc<Column>> {
        let by_key = self.columns.get(&format!("custom.{key}"));
        by_key.or_else(|| {
            self.columns.get(self.titles.get(key)?).filter(|c| matches!(c.source, Source::Custom(_)))
        })
    }

    /// The name to write for a Chinese title.
    pub(super) fn named_by_title(&self, title: &str) -> Option<&str> {
        self.titles.get(title).map(String::as_str)
    }

    /// The name most like a misspelt one, if one is close.
    pub(super) fn nearest(&self, wrong: &str) -> Option<&str> {
        let wrong = wrong.to_lowercase();
        let distances = self.columns.keys().map(|name| (distance(&wrong, name), name));
        let (distance, name) = distances.min()?;
        (distance <= (wrong.chars().count() / 3).max(1)).then_some(name)
    }

    fn add(&mut self, name: &str, title: &str, kind: Type, sql: String, is_sortable: bool, source: Source) {
        let is_nullable = matches!(kind, Type::Number | Type::Bool)
            || matches!(source, Source::Owner | Source::LastActivityAt);
        let column = Column { name: name.into(), kind, sql, is_nullable, is_sortable, source };
        self.columns.insert(name.into(), Arc::new(column));
        // A field of the company never takes the title of a built-in one away.
        self.titles.entry(title.into()).or_insert_with(|| name.into());
    }
}

/// Keys are made by ourselves; they stand in SQL, so nothing else is let through.
fn is_safe_key(key: &str) -> bool {
    key.len() <= 40
        && key.strip_prefix("f_").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// Insertions, deletions and replacements that turn one text into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
