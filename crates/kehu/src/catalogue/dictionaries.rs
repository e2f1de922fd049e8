//! Dictionaries (字典) and classification schemes: values with a stable code, names in two languages and a colour.
//! A value in use is retired, never deleted.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Conn, FromRow, Row, Tx};

use super::{changed, require_name};
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::{Lang, Text, Word, word};
use crate::ids::EntryId;
use crate::text;

/// A dictionary with all its values, retired ones too.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// Stable name: `customer_class`.
    pub name: String,
    /// Chinese title.
    pub zh: String,
    /// English title.
    pub en: String,
    /// Whether it is a classification scheme.
    pub is_scheme: bool,
    /// Whether a customer may carry several of its values.
    pub is_multiple: bool,
    /// What carries its values when it is not a customer: `bank_account`, `brand`.
    pub applies_to: String,
    /// Where the scheme comes from.
    pub note: String,
    /// Place among the dictionaries.
    pub position: i64,
    /// Its values in order.
    pub entries: Vec<Entry>,
}

/// One value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// What is stored.
    pub code: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// What it means.
    pub definition: String,
    /// Name of a Tabler colour.
    pub colour: String,
    /// Whether it may be chosen anew.
    pub is_active: bool,
    /// Counts its changes.
    pub version: i64,
}

impl Entry {
    /// The name to show.
    pub fn title(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Whether this is its code or one of its names.
    pub fn is_called(&self, text: &str) -> bool {
        self.code.eq_ignore_ascii_case(text) || self.zh == text || self.en.eq_ignore_ascii_case(text)
    }
}

const ENTRY: &str = "id, code, zh, en, definition, colour, is_active, version";

impl FromRow for Entry {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            code: row.get(1)?,
            zh: row.get(2)?,
            en: row.get(3)?,
            definition: row.get(4)?,
            colour: row.get(5)?,
            is_active: row.get(6)?,
            version: row.get(7)?,
        })
    }
}

/// All values of a dictionary in order, retired ones too; `NotFound` when there is no dictionary of this name.
pub fn entries(conn: &mut Conn<'_>, dictionary: &str) -> Result<Vec<Entry>, AppError> {
    require_dictionary(conn, dictionary)?;
    let sql = format!(
        "SELECT {ENTRY} FROM dictionary_entries WHERE dictionary = $1 ORDER BY position, id LIMIT 20000"
    );
    Ok(conn.rows(&sql, &[dictionary.into()])?)
}

fn require_dictionary(conn: &mut Conn<'_>, name: &str) -> Result<(), AppError> {
    require_name(name)?;
    let found = conn.value::<i64>("SELECT position FROM dictionaries WHERE name = $1", &[name.into()])?;
    found.map(drop).ok_or(AppError::NotFound)
}

/// One value of a dictionary, a retired one too; `NotFound` when there is none with this code.
pub fn load_entry(conn: &mut Conn<'_>, dictionary: &str, code: &str) -> Result<Entry, AppError> {
    require_name(dictionary)?;
    require_name(code)?;
    let sql = format!("SELECT {ENTRY} FROM dictionary_entries WHERE dictionary = $1 AND code = $2");
    conn.row(&sql, &[dictionary.into(), code.into()])?.ok_or(AppError::NotFound)
}

impl Dictionary {
    /// The value with this code, retired ones too.
    pub fn entry(&self, code: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.code == code)
    }

    /// The name to show for a code; the code itself when it is unknown.
    pub fn title<'a>(&'a self, code: &'a str, lang: Lang) -> &'a str {
        self.entry(code).map_or(code, |e| e.title(lang))
    }

    /// The active value a person means by a code or by one of its names.
    pub fn find(&self, text: &str) -> Option<&Entry> {
        let text = text.trim();
        self.active().find(|e| e.is_called(text))
    }

    /// The values that may be chosen.
    pub fn active(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.is_active)
    }

    /// Names of the values that may be chosen, for messages: at most eight.
    pub fn choices(&self, lang: Lang) -> String {
        let names: Vec<&str> = self.active().take(8).map(|e| e.title(lang)).collect();
        names.join(if lang == Lang::En { ", " } else { "、" })
    }

    /// `choices` inside a message.
    pub fn choice_words(&self) -> Word {
        word(Text::Both(self.choices(Lang::Zh), self.choices(Lang::En)))
    }

    /// Its title inside a message.
    pub fn word(&self) -> Word {
        word(Text::Both(self.zh.clone(), self.en.clone()))
    }
}

pub(super) fn load(conn: &mut Conn<'_>) -> store::Result<(HashMap<String, Dictionary>, Vec<String>)> {
    let mut all = HashMap::new();
    let mut schemes = Vec::new();
    conn.each(
        "SELECT name, zh, en, is_scheme, is_multiple, note, position, applies_to FROM dictionaries ORDER BY position LIMIT 500",
        &[],
        |row| {
            let dictionary = Dictionary {
                name: row.get(0)?,
                zh: row.get(1)?,
                en: row.get(2)?,
                is_scheme: row.get(3)?,
                is_multiple: row.get(4)?,
                note: row.get(5)?,
                position: row.get(6)?,
                applies_to: row.get(7)?,
                entries: Vec::new(),
            };
            if dictionary.is_scheme {
                schemes.push(dictionary.name.clone());
            }
            all.insert(dictionary.name.clone(), dictionary);
            Ok::<_, store::Error>(std::ops::ControlFlow::Continue(()))
        },
    )?;
    conn.each(
        &format!(
            "SELECT {ENTRY}, dictionary FROM dictionary_entries ORDER BY dictionary, position, id LIMIT 20000"
        ),
        &[],
        |row| {
            let entry = Entry::from_row(row)?;
            if let Some(dictionary) = all.get_mut(&row.get::<String>(8)?) {
                dictionary.entries.push(entry);
            }
            Ok::<_, store::Error>(std::ops::ControlFlow::Continue(()))
        },
    )?;
    Ok((all, schemes))
}

#[derive(Deserialize)]
struct ShippedDictionaries {
    dictionary: Vec<ShippedDictionary>,
}
#[derive(Deserialize)]
struct ShippedDictionary {
    code: String,
    zh: String,
    en: String,
    values: Vec<ShippedValue>,
}
#[derive(Deserialize)]
struct ShippedSchemes {
    scheme: Vec<ShippedScheme>,
}
#[derive(Deserialize)]
struct ShippedScheme {
    id: String,
    zh: String,
    en: String,
    system: String,
    choice: String,
    #[serde(default)]
    applies_to: String,
    values: Vec<ShippedValue>,
}
#[derive(Deserialize)]
struct ShippedValue {
    code: String,
    zh: String,
    en: String,
    #[serde(default)]
    definition: String,
    #[serde(default)]
    color: String,
}

/// Puts the shipped dictionaries and schemes into a new company's database.
pub fn seed(tx: &mut Tx<'_>) -> Result<(), AppError> {
    seed_new(tx, &BTreeSet::new(), 0)
}

/// Adds the shipped dictionaries a company made by an older program does not have yet, behind its own. Nothing that is
/// there is touched; nothing happens before the company is set up. Safe to run with every start.
pub fn seed_missing(tx: &mut Tx<'_>) -> Result<(), AppError> {
    if tx.count("SELECT COUNT(*) FROM company", &[])? == 0 {
        return Ok(());
    }
    let there: Vec<(String,)> = tx.rows("SELECT name FROM dictionaries", &[])?;
    let last = tx.count("SELECT COALESCE(MAX(position), -1) FROM dictionaries", &[])?;
    seed_new(tx, &there.into_iter().map(|(name,)| name).collect(), last + 1)
}

/// Adds every shipped dictionary that is not among those `there`, from a place on.
fn seed_new(tx: &mut Tx<'_>, there: &BTreeSet<String>, first: i64) -> Result<(), AppError> {
    let broken = |e: toml::de::Error| AppError::Internal(format!("shipped dictionaries: {e}"));
    let plain: ShippedDictionaries =
        toml::from_str(include_str!("../../data/dictionaries.toml")).map_err(broken)?;
    let schemes: ShippedSchemes = toml::from_str(include_str!("../../data/schemes.toml")).map_err(broken)?;
    let all = plain
        .dictionary
        .into_iter()
        .map(|d| (d.code, d.zh, d.en, false, false, String::new(), String::new(), d.values))
        .chain(schemes.scheme.into_iter().map(|s| {
            (
                format!("scheme_{}", s.id),
                s.zh,
                s.en,
                true,
                s.choice == "multiple",
                s.applies_to,
                s.system,
                s.values,
            )
        }));
    let new = all.filter(|(name, ..)| !there.contains(name));
    for (position, (name, zh, en, is_scheme, is_multiple, applies_to, note, values)) in (first..).zip(new) {
        tx.exec(
            "INSERT INTO dictionaries (name, zh, en, is_scheme, is_multiple, is_system, note, position,
               applies_to)
             VALUES ($1,$2,$3,$4,$5,TRUE,$6,$7,$8)",
            &[
                (&name).into(),
                zh.into(),
                en.into(),
                is_scheme.into(),
                is_multiple.into(),
                note.into(),
                position.into(),
                applies_to.into(),
            ],
        )?;
        for (position, value) in values.into_iter().enumerate() {
            insert(
                tx,
                &name,
                &value.code,
                &value.zh,
                &value.en,
                &value.definition,
                &value.color,
                position as i64,
            )?;
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one parameter a column; used by seed and create only")]
fn insert(
    tx: &mut Tx<'_>,
    dictionary: &str,
    code: &str,
    zh: &str,
    en: &str,
    definition: &str,
    colour: &str,
    position: i64,
) -> store::Result<EntryId> {
    let id = EntryId::new();
    tx.exec(
        "INSERT INTO dictionary_entries (id, dictionary, code, zh, en, definition, colour, position)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
        &[
            id.into(),
            dictionary.into(),
            code.into(),
            zh.into(),
            en.into(),
            definition.into(),
            colour.into(),
            position.into(),
        ],
    )?;
    Ok(id)
}

/// What an administrator may say of a value.
#[derive(Clone, Debug)]
pub struct EntryDraft {
    /// Chinese name, 1–40 characters.
    pub zh: String,
    /// English name, at most 80 characters; the Chinese one when empty.
    pub en: String,
    /// What it means, at most 500 characters.
    pub definition: String,
    /// Name of a Tabler colour or empty.
    pub colour: String,
    /// Whether it may be chosen anew.
    pub is_active: bool,
}

fn check(draft: &EntryDraft) -> Result<(), AppError> {
    let zh = &*hanzi::normal::visible(&draft.zh);
    if zh.is_empty() || zh.chars().count() > 40 || zh.chars().any(char::is_control) {
        return Err(AppError::field("zh", text!("请填写名称，最多 40 个字")));
    }
    if [&draft.en, &draft.definition]
        .iter()
        .any(|t| t.chars().any(|c| c.is_control() && c != '\n' && c != '\r'))
    {
        return Err(AppError::field("definition", text!("含有不能识别的控制字符，请删除后重新填写")));
    }
    if draft.en.chars().count() > 80 || draft.definition.chars().count() > 500 {
        return Err(AppError::field("definition", text!("说明最多 500 个字")));
    }
    if !draft.colour.chars().all(|c| c.is_ascii_lowercase() || c == '-') || draft.colour.len() > 20 {
        return Err(AppError::field("colour", text!("请从列出的颜色中选择")));
    }
    Ok(())
}

/// Adds a value at the end of a dictionary. Its code is made from the id, so that renaming never breaks anything.
pub fn create_entry(
    tx: &mut Tx<'_>,
    actor: &Actor,
    dictionary: &str,
    draft: &EntryDraft,
    now: Millis,
) -> Result<Entry, AppError> {
    require_may(actor, Object::Catalogue, Verb::Update)?;
    check(draft)?;
    require_dictionary(tx, dictionary)?;
    let zh = &*hanzi::normal::visible(&draft.zh);
    require_new_name(tx, dictionary, zh, None)?;
    let last = tx.count(
        "SELECT COALESCE(MAX(position), -1) FROM dictionary_entries WHERE dictionary = $1",
        &[dictionary.into()],
    )?;
    let code = format!("v{}", store::format_id(store::new_id()).to_lowercase());
    let en = if draft.en.trim().is_empty() { zh } else { draft.en.trim() };
    let id = insert(tx, dictionary, &code, zh, en, draft.definition.trim(), &draft.colour, last + 1)?;
    let after = serde_json::json!({ "dictionary": dictionary, "zh": zh });
    audit::record(
        tx,
        actor,
        now,
        &audit::Entry::of("dictionary.entry_created", "dictionary_entry", id.0).after(&after),
    )?;
    load_entry(tx, dictionary, &code)
}

/// Refuses a name that another value of the dictionary has, a retired one too.
fn require_new_name(
    tx: &mut Tx<'_>,
    dictionary: &str,
    zh: &str,
    except: Option<EntryId>,
) -> Result<(), AppError> {
    let same = tx.count(
        "SELECT COUNT(*) FROM dictionary_entries WHERE dictionary = $1 AND zh = $2 AND id <> $3",
        &[dictionary.into(), zh.into(), except.unwrap_or(EntryId(0)).into()],
    )?;
    if same > 0 {
        return Err(AppError::field("zh", text!("已有同名的值；如已停用，请直接启用它")));
    }
    Ok(())
}

/// What may be changed of a value, as the log tells it.
#[derive(PartialEq, Eq, Serialize)]
struct Facts {
    zh: String,
    en: String,
    definition: String,
    colour: String,
    is_active: bool,
}

impl From<&Entry> for Facts {
    fn from(entry: &Entry) -> Self {
        Self {
            zh: entry.zh.clone(),
            en: entry.en.clone(),
            definition: entry.definition.clone(),
            colour: entry.colour.clone(),
            is_active: entry.is_active,
        }
    }
}

impl Facts {
    /// What a draft says, in the form it is stored in.
    fn of(draft: &EntryDraft) -> Self {
        let zh = hanzi::normal::visible(&draft.zh).into_owned();
        let en = draft.en.trim();
        Self {
            en: if en.is_empty() { zh.clone() } else { en.to_owned() },
            zh,
            definition: draft.definition.trim().to_owned(),
            colour: draft.colour.clone(),
            is_active: draft.is_active,
        }
    }
}

/// Renames, recolours, retires or brings back a value. `Stale` when it is not at this `version` any more. A change that
/// changes nothing writes nothing.
pub fn change_entry(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (dictionary, code): (&str, &str),
    version: Option<i64>,
    draft: &EntryDraft,
    now: Millis,
) -> Result<Entry, AppError> {
    require_may(actor, Object::Catalogue, Verb::Update)?;
    check(draft)?;
    let entry = load_entry(tx, dictionary, code)?;
    if version.is_some_and(|version| version != entry.version) {
        return Err(AppError::Stale);
    }
    let (id, was, is) = (entry.id, Facts::from(&entry), Facts::of(draft));
    if is == was {
        return Ok(entry);
    }
    if is.zh != was.zh {
        require_new_name(tx, dictionary, &is.zh, Some(id))?;
    }
    let done = tx.exec(
        "UPDATE dictionary_entries SET zh = $3, en = $4, definition = $5, colour = $6, is_active = $7,
           version = version + 1 WHERE id = $1 AND version = $2",
        &[
            id.into(),
            entry.version.into(),
            (&is.zh).into(),
            (&is.en).into(),
            (&is.definition).into(),
            (&is.colour).into(),
            is.is_active.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    // Where and which value it is stands beside what changed.
    let about = json!({ "dictionary": dictionary, "zh": is.zh });
    let (before, after) = changed(&json!(was), &json!(is), &about);
    audit::record(
        tx,
        actor,
        now,
        &audit::Entry::of("dictionary.entry_updated", "dictionary_entry", id.0).change(&before, &after),
    )?;
    load_entry(tx, dictionary, code)
}

/// Puts the values of a dictionary into this order.
pub fn move_entries(
    tx: &mut Tx<'_>,
    actor: &Actor,
    dictionary: &str,
    order: &[EntryId],
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Catalogue, Verb::Update)?;
    let before = names_in_order(tx, dictionary)?;
    for (position, id) in order.iter().take(1000).enumerate() {
        tx.exec(
            "UPDATE dictionary_entries SET position = $3 WHERE id = $1 AND dictionary = $2",
            &[(*id).into(), dictionary.into(), (position as i64).into()],
        )?;
    }
    let after = names_in_order(tx, dictionary)?;
    if after == before {
        return Ok(());
    }
    let about = json!({ "dictionary": dictionary });
    let (before, after) = changed(&json!({ "order": before }), &json!({ "order": after }), &about);
    let entry = audit::Entry::of("dictionary.reordered", "dictionary", 0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn names_in_order(tx: &mut Tx<'_>, dictionary: &str) -> store::Result<Vec<String>> {
    let sql = "SELECT zh FROM dictionary_entries WHERE dictionary = $1 ORDER BY position, id LIMIT 20000";
    let rows: Vec<(String,)> = tx.rows(sql, &[dictionary.into()])?;
    Ok(rows.into_iter().map(|(zh,)| zh).collect())
}
