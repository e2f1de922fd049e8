//! What was changed at a customer and what hangs on it: each value before and after, who and when, from the audit log.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use store::Conn;

use super::columns::kept_title;
use super::display::Reader;
use crate::clock::Millis;
use crate::customers::{
    Field, Kind, SPECS, Teller, hanging_code, hanging_dictionary, hanging_title, is_hanging_internal,
};
use crate::ids::{CustomerId, PersonId};

/// Entries shown at once.
const SHOWN: i64 = 50;

/// One entry.
pub(super) struct Happened {
    pub(super) title: String,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) icon: &'static str,
    pub(super) changes: Vec<Change>,
}

/// One value.
pub(super) struct Change {
    pub(super) title: String,
    pub(super) old: String,
    pub(super) new: String,
}

/// A page of the history, newest first, and from where the older ones go on.
pub(super) struct History {
    pub(super) entries: Vec<Happened>,
    pub(super) older: Option<String>,
}

/// Reads it. Decide about the customer first. `field` leaves only entries that changed this field (`class`).
pub(super) fn load(
    conn: &mut Conn<'_>,
    reader: &Reader<'_>,
    teller: &Teller<'_>,
    id: CustomerId,
    field: Option<&str>,
    before: Option<i64>,
) -> store::Result<History> {
    type Row = (i64, Millis, String, String, String, String, String);
    let like = field.map_or_else(|| "%".to_owned(), |f| format!("%\"{}\":%", f.replace('_', "!_")));
    // Shares stand on a page of their own; whom one keeps out is not everybody's matter.
    // `customer_id <> 0` lets both engines take the partial index.
    let mut rows: Vec<Row> = conn.rows(
        "SELECT id, at, actor_name, action, object, before, after FROM audit_log
         WHERE customer_id = $1 AND customer_id <> 0 AND id < $2 AND result = 'ok' AND action NOT LIKE 'access.%'
           AND object NOT IN ('share', 'exclusion') AND after LIKE $3 ESCAPE '!' ORDER BY id DESC LIMIT $4",
        &[id.into(), before.unwrap_or(i64::MAX).into(), like.into(), (SHOWN + 1).into()],
    )?;
    let has_more = rows.len() as i64 > SHOWN;
    rows.truncate(SHOWN as usize);
    let older = rows.last().filter(|_| has_more).map(|row| store::format_id(row.0));
    let contacts = contact_names(conn, id)?;
    let entries = rows
        .into_iter()
        .filter(|row| teller.tells(&row.4))
        .map(|(_, at, by, action, object, before, after)| {
            let (title, icon) = title_of(reader, &action, &object);
            let told = Told { reader, object: &object, contacts: &contacts };
            let mut changes = told.changes(teller, &before, &after);
            changes.retain(|(_, c)| !c.old.is_empty() || !c.new.is_empty());
            if let Some(field) = field {
                changes.retain(|(key, _)| key == field);
            }
            Happened {
                title,
                by,
                at: reader.zone.minute(at),
                icon,
                changes: changes.into_iter().map(|(_, change)| change).collect(),
            }
        })
        .collect();
    Ok(History { entries, older })
}

/// `修改联系人` for `contact.updated`.
fn title_of(reader: &Reader<'_>, action: &str, object: &str) -> (String, &'static str) {
    let l = reader.l;
    let object = match object {
        "customer" => "客户",
        "contact" => "联系人",
        "asset" => "资产",
        "activity" => "动态",
        "file" => "附件",
        "import" => "导入",
        "task" => "待办",
        _ => "记录",
    };
    let (verb, icon) = match action.rsplit('.').next().unwrap_or(action) {
        "created" | "attached" | "uploaded" | "added" => ("新增", "plus"),
        "updated" | "changed" => ("修改", "pencil"),
        "deleted" | "removed" => ("删除", "trash"),
        "restored" => ("恢复", "arrow-back-up"),
        "marked" => ("分类", "tags"),
        "done" | "completed" => ("完成", "circle-check"),
        "exported" => ("导出", "download"),
        "downloaded" => ("下载", "download"),
        "imported" => ("导入", "file-import"),
        _ => ("变更", "history"),
    };
    (l.f("{}{}", &[&l.t(verb), &l.t(object)]), icon)
}

/// Names of the customer's contacts by their public ids, the deleted ones too.
fn contact_names(conn: &mut Conn<'_>, id: CustomerId) -> store::Result<HashMap<String, String>> {
    let rows: Vec<(i64, String)> =
        conn.rows("SELECT id, name FROM contacts WHERE customer_id = $1", &[id.into()])?;
    Ok(rows.into_iter().map(|(id, name)| (store::format_id(id), name)).collect())
}

/// Tells the changes of one object in words.
struct Told<'a> {
    reader: &'a Reader<'a>,
    object: &'a str,
    contacts: &'a HashMap<String, String>,
}

impl Told<'_> {
    fn changes(&self, teller: &Teller<'_>, before: &str, after: &str) -> Vec<(String, Change)> {
        let object = |text: &str| {
            let mut values = serde_json::from_str(text).unwrap_or(Json::Null);
            teller.withhold(self.object, &mut values);
            match values {
                Json::Object(map) => map,
                _ => Map::new(),
            }
        };
        let (before, after) = (object(before), object(after));
        let mut keys: Vec<&String> =
            before.keys().chain(after.keys().filter(|k| !before.contains_key(*k))).collect();
        keys.retain(|key| !is_hanging_internal(self.object, key));
        keys.sort_by_key(|key| Field::named(key).map_or(usize::MAX, |f| f as usize));
        let mut all = Vec::new();
        for key in keys {
            let (old, new) = (before.get(key).unwrap_or(&Json::Null), after.get(key).unwrap_or(&Json::Null));
            if key == "custom" && old.is_null() {
                for (key, value) in new.as_object().into_iter().flatten() {
                    let key = format!("custom.{key}");
                    all.push((key.clone(), self.change(&key, &Json::Null, value)));
                }
                continue;
            }
            all.push((key.clone(), self.change(key, old, new)));
        }
        all
    }

    fn change(&self, key: &str, old: &Json, new: &Json) -> Change {
        Change { title: self.title(key), old: self.value(key, old), new: self.value(key, new) }
    }

    fn title(&self, key: &str) -> String {
        if self.object == "customer" {
            return title(self.reader, key);
        }
        hanging_title(self.object, key)
            .map_or_else(|| title(self.reader, key), |zh| self.reader.l.t(zh).to_owned())
    }

    fn value(&self, key: &str, what: &Json) -> String {
        let (reader, l) = (self.reader, self.reader.l);
        let text = match what {
            Json::Bool(yes) => return l.t(if *yes { "是" } else { "否" }).to_owned(),
            _ => what.as_str(),
        };
        let (Some(text), false) = (text, self.object == "customer") else {
            return value(reader, key, what);
        };
        if let Some(zh) = hanging_code(self.object, key, text) {
            return l.t(zh).to_owned();
        }
        if let Some(name) = hanging_dictionary(self.object, key) {
            return reader.catalogue.dictionary(name).title(text, l).to_owned();
        }
        match key {
            "contact_id" => self.contacts.get(text).cloned().unwrap_or_else(|| text.to_owned()),
            "done_by" => reader.person(text.parse().ok()),
            "happened_at" | "done_at" => text
                .parse::<jiff::Timestamp>()
                .map_or_else(|_| text.to_owned(), |at| reader.zone.minute(at.as_millisecond())),
            _ => text.to_owned(),
        }
    }
}

fn title(reader: &Reader<'_>, key: &str) -> String {
    let l = reader.l;
    if let Some(spec) = SPECS.iter().find(|s| s.key == key) {
        return l.t(if key == "name" { "名称" } else { spec.zh }).to_owned();
    }
    if let Some(zh) = kept_title(key) {
        return l.t(zh).to_owned();
    }
    if let Some(scheme) = key.strip_prefix("mark.") {
        let dictionary = reader.catalogue.dictionary(scheme);
        return l.pick(&dictionary.zh, &dictionary.en).to_owned();
    }
    if let Some(own) = key.strip_prefix("custom.") {
        let field = reader.catalogue.custom_fields.iter().find(|f| f.key == own);
        return field.map_or_else(|| own.to_owned(), |f| f.title.clone());
    }
    key.to_owned()
}

fn value(reader: &Reader<'_>, key: &str, value: &Json) -> String {
    let l = reader.l;
    if let (Some(field), Some(text)) = (Field::named(key), value.as_str()) {
        return reader.field(field.spec(), text).text;
    }
    if let Some(scheme) = key.strip_prefix("mark.") {
        let dictionary = reader.catalogue.dictionary(scheme);
        let codes = value.as_array().into_iter().flatten().filter_map(Json::as_str);
        return codes.map(|code| dictionary.title(code, l)).collect::<Vec<_>>().join("、");
    }
    match key {
        "owner_id" => {
            let id = value.as_str().and_then(|id| id.parse::<PersonId>().ok());
            reader.person(id)
        }
        "kind" => {
            let code = value.as_str().unwrap_or_default();
            Kind::named(code).map_or_else(|| code.to_owned(), |k| l.t(k.title()).to_owned())
        }
        _ if key.ends_with("_at") && value.is_i64() => reader.zone.minute(value.as_i64().unwrap_or(0)),
        _ => {
            let own = key.strip_prefix("custom.");
            let field = own.and_then(|own| reader.catalogue.custom_fields.iter().find(|f| f.key == own));
            reader.custom(field, value).text
        }
    }
}
