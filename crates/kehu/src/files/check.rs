//! Whether every file that has a row has its bytes: for `kehu db check`. Changes nothing.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use store::Db;

use crate::audit::hex;
use crate::error::AppError;

/// Rows looked at at a time.
const CHUNK: i64 = 500;
/// Bytes of all files together up to which their contents are always read.
const SMALL: i64 = 256 << 20;
/// Problems that are kept; more are only counted.
const KEPT: usize = 20;

/// What is wrong with the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// They are not there, or cannot be read.
    Missing,
    /// There are more or fewer than there should be: so many.
    Size(u64),
    /// Their digest is another one.
    Altered,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that have a row and were not taken away.
    pub files: u64,
    /// Whether their contents were read, not only their sizes.
    pub is_deep: bool,
    /// Files with a problem.
    pub damaged: u64,
    /// The first of them: the place below the folder, and what is wrong.
    pub first: Vec<(String, Damage)>,
}

/// A file as its row tells: id, place, bytes, digest.
type Known = (i64, String, i64, String);

/// Compares every living row with the bytes below `folder`: their number, and their digest when `deep` or when all of
/// them together are few. Blocks for as long as reading them takes.
pub fn check(db: &Db, folder: &Path, deep: bool) -> Result<Checked, AppError> {
    let all = db.read_blocking(|conn| {
        conn.count("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM files WHERE deleted_at IS NULL", &[])
    })?;
    let mut checked = Checked { is_deep: deep || all <= SMALL, ..Checked::default() };
    let mut last = 0;
    loop {
        let rows: Vec<Known> = db.read_blocking(move |conn| {
            conn.rows(
                "SELECT id, stored_as, size, sha256 FROM files WHERE id > $1 AND deleted_at IS NULL
                 ORDER BY id LIMIT $2",
                &[last.into(), CHUNK.into()],
            )
        })?;
        let Some((id, ..)) = rows.last() else { return Ok(checked) };
        last = *id;
        for (_, place, size, digest) in rows {
            checked.files += 1;
            if let Some(damage) = damage_of(&folder.join(&place), size, &digest, checked.is_deep) {
                checked.damaged += 1;
                if checked.first.len() < KEPT {
                    checked.first.push((place, damage));
                }
            }
        }
    }
}

fn damage_of(path: &Path, size: i64, digest: &str, is_deep: bool) -> Option<Damage> {
    let Ok(about) = std::fs::metadata(path) else { return Some(Damage::Missing) };
    if !about.is_file() {
        return Some(Damage::Missing);
    }
    if i64::try_from(about.len()) != Ok(size) {
        return Some(Damage::Size(about.len()));
    }
    if !is_deep {
        return None;
    }
    match digest_of(path) {
        Ok(found) if found == digest => None,
        Ok(_) => Some(Damage::Altered),
        Err(_) => Some(Damage::Missing),
    }
}

fn digest_of(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hash) = (std::fs::File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}
