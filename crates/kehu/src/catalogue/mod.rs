//! What the company may say about its data: dictionaries (choices), classification schemes, fields of its own, and
//! which fields must be filled. One snapshot of it is shared by forms, imports, lists and the API.

mod custom_fields;
mod dictionaries;
pub mod web;

pub use custom_fields::{
    CustomField, CustomKind, FieldDraft, change_custom_field, check_custom, create_custom_field,
    custom_fields, load_custom_field, move_custom_fields,
};
pub use dictionaries::{
    Dictionary, Entry, EntryDraft, change_entry, create_entry, entries, load_entry, move_entries, seed,
    seed_missing,
};

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::{Conn, Db};

use crate::clock::Millis;
use crate::error::AppError;

/// Everything the company defined, at one instant.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    dictionaries: HashMap<String, Dictionary>,
    /// Names of the classification schemes, in order.
    pub schemes: Vec<String>,
    /// Fields the company defined for customers, active ones, in order.
    pub custom_fields: Vec<CustomField>,
    /// Which built-in fields must be filled.
    pub requirements: Requirements,
}

/// The setting `customer.requirements`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requirements {
    /// Fields without which a form or import row is not saved, besides kind and name.
    pub to_save: Vec<String>,
}

/// Name of the setting.
pub const REQUIREMENTS: &str = "customer.requirements";

impl Catalogue {
    /// Reads it.
    pub fn load(conn: &mut Conn<'_>) -> store::Result<Self> {
        let (dictionaries, schemes) = dictionaries::load(conn)?;
        Ok(Self {
            dictionaries,
            schemes,
            custom_fields: custom_fields::load(conn)?,
            requirements: crate::settings::get(conn, REQUIREMENTS)?,
        })
    }

    /// A dictionary; an empty one when there is none of that name.
    pub fn dictionary(&self, name: &str) -> &Dictionary {
        static EMPTY: std::sync::LazyLock<Dictionary> = std::sync::LazyLock::new(Dictionary::default);
        self.dictionaries.get(name).unwrap_or(&EMPTY)
    }

    /// Names of the schemes whose values customers carry, in order; others belong to bank accounts, brands …
    pub fn customer_schemes(&self) -> impl Iterator<Item = &String> {
        self.schemes.iter().filter(|name| self.dictionary(name).applies_to.is_empty())
    }

    /// Every dictionary that is not a scheme, in order.
    pub fn plain_dictionaries(&self) -> Vec<&Dictionary> {
        let mut all: Vec<&Dictionary> = self.dictionaries.values().filter(|d| !d.is_scheme).collect();
        all.sort_by_key(|d| d.position);
        all
    }
}

/// The shared snapshot, read again when older than two seconds or after a change in this process.
#[derive(Default)]
pub struct CatalogueCache {
    held: Mutex<Option<(Arc<Catalogue>, Millis)>>,
}

/// How long a snapshot is believed: changes made through another server show after this, in milliseconds.
const BELIEVED: i64 = 2_000;

impl CatalogueCache {
    /// The snapshot.
    pub async fn get(&self, db: &Db, now: Millis) -> Result<Arc<Catalogue>, AppError> {
        if let Some((held, at)) = &*self.lock()
            && (0..BELIEVED).contains(&(now - at))
        {
            return Ok(Arc::clone(held));
        }
        let fresh = Arc::new(db.read(Catalogue::load).await?);
        *self.lock() = Some((Arc::clone(&fresh), now));
        Ok(fresh)
    }

    /// Forgets it; call after every change of the catalogue.
    pub fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Catalogue>, Millis)>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The values that differ between two states of a record, each with what it is `about`: for the log.
fn changed(was: &Json, is: &Json, about: &Json) -> (Json, Json) {
    let (mut before, mut after) = (about.clone(), about.clone());
    for (key, value) in is.as_object().into_iter().flatten() {
        if was[key] != *value {
            before[key] = was[key].clone();
            after[key] = value.clone();
        }
    }
    (before, after)
}

/// Names and codes come from addresses too: one that no database holds is simply not found.
fn require_name(name: &str) -> Result<(), AppError> {
    if name.contains('\0') { Err(AppError::NotFound) } else { Ok(()) }
}
