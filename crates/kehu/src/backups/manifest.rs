//! What a backup says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::hex;

/// The only format so far. Encryption and compression will be later ones.
pub const FORMAT: u32 = 1;

/// The contents of a backup, written at its end. A program that does not know its `format` reads nothing else of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Version of the program that made it.
    pub kehu: String,
    /// Where the database came from: `sqlite` or `postgres`. In the backup it is a SQLite file either way; only one that
    /// came from SQLite has its search index in it.
    pub engine: String,
    /// Identifies the company's installation.
    pub installation: String,
    /// Its name.
    pub company: String,
    /// Number of the backup in its own list.
    pub id: String,
    /// The instant of its contents (UTC).
    pub created_at: String,
    /// Who asked for it.
    pub created_by: String,
    /// Steps of the schema that had been taken, oldest first.
    pub migrations: Vec<String>,
    /// Rows of every table.
    pub tables: BTreeMap<String, u64>,
    /// Where the chains of the audit log ended.
    pub audit: Vec<AuditHead>,
    /// Its parts, but for the attached files, which `files.tsv` lists.
    pub parts: Vec<Part>,
    /// The attached files.
    pub files: Files,
    /// SHA-256 over all of the above.
    pub sha256: String,
}

/// The end of one chain of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Number of the chain.
    pub chain: i64,
    /// Number of its last row.
    pub seq: i64,
    /// Hash of that row.
    pub hash: String,
}

/// One part of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
}

/// The attached files altogether.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// How many are in the backup.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many had been lost or altered on the server already when the backup was made.
    pub missing: u64,
}

impl Manifest {
    /// A part by name.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|p| p.name == name)
    }

    /// Its text, with the digest over itself.
    pub(super) fn sealed(&self) -> String {
        let mut sealed = Self { sha256: String::new(), ..self.clone() };
        sealed.sha256 = hex(&Sha256::digest(sealed.text().as_bytes()));
        sealed.text()
    }

    fn text(&self) -> String {
        // Names and numbers only: nothing in it can fail to be JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a sealed text; the error says why it is not one, for people.
    pub(super) fn unsealed(text: &str) -> Result<Self, String> {
        let altered = || "清单被改动".to_owned();
        let any: serde_json::Value = serde_json::from_str(text).map_err(|_| altered())?;
        match any["format"].as_u64() {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(format!("备份的格式版本是 {format}，这个程序只认识 {FORMAT}，请用更新的程序"));
            }
            None => return Err(altered()),
        }
        let manifest: Self = serde_json::from_value(any).map_err(|_| altered())?;
        if manifest.sealed() == text { Ok(manifest) } else { Err(altered()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_manifest_reads_back_and_an_edited_one_is_refused() {
        let manifest = Manifest { format: FORMAT, company: "天江集团".into(), ..Manifest::default() };
        let text = manifest.sealed();
        let read = Manifest::unsealed(&text).unwrap();
        assert_eq!((read.company.as_str(), read.sha256.len()), ("天江集团", 64));
        for edited in
            [text.replace("天江", "天山"), text.replace("  ", " "), text.replacen(": \"\"", ":\"\"", 1)]
        {
            assert_ne!(edited, text);
            assert!(Manifest::unsealed(&edited).is_err());
        }
        let newer = Manifest { format: 2, ..manifest }.sealed();
        assert!(Manifest::unsealed(&newer).unwrap_err().contains("格式版本是 2"));
    }
}
