//! The list of attached files in a backup: a line a file, `stored_as`, bytes, SHA-256 and state, parted by tabs, in the
//! order of the files' numbers in the database.

use std::io::BufRead;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Path below the folder of files.
    pub(super) stored_as: String,
    /// Bytes.
    pub(super) size: u64,
    /// Of the bytes in the backup; of a missing one, what the database says.
    pub(super) sha256: String,
    /// How it was found when the backup was made.
    pub(super) state: Found,
}

/// How a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As the database says.
    Whole,
    /// There, but not as the database says: it was altered on the server before. It is in the backup as it was found.
    Altered,
    /// Not there: it had been lost on the server before.
    Missing,
}

impl Listed {
    pub(super) fn line(&self) -> String {
        let state = match self.state {
            Found::Whole => "ok",
            Found::Altered => "altered",
            Found::Missing => "missing",
        };
        format!("{}\t{}\t{}\t{state}\n", self.stored_as, self.size, self.sha256)
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut parts = line.strip_suffix('\n')?.split('\t');
        let (stored_as, size, sha256, state) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let state = match state {
            "ok" => Found::Whole,
            "altered" => Found::Altered,
            "missing" => Found::Missing,
            _ => return None,
        };
        (is_place(stored_as) && parts.next().is_none()).then_some(())?;
        Some(Self {
            stored_as: stored_as.to_owned(),
            size: size.parse().ok()?,
            sha256: sha256.to_owned(),
            state,
        })
    }

    /// Whether its bytes are in the backup.
    pub(super) fn is_there(&self) -> bool {
        self.state != Found::Missing
    }
}

/// Whether a path is one that files are stored under (`4F/R2/01M…`), and leads nowhere else.
pub(super) fn is_place(stored_as: &str) -> bool {
    let parts: Vec<&str> = stored_as.split('/').collect();
    (1..=4).contains(&parts.len())
        && stored_as.len() <= 60
        && parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Reads a list line by line.
pub(super) struct Lines<R: BufRead> {
    from: R,
    line: String,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, line: String::new() }
    }

    /// The next line; `Err` for one that is none.
    pub(super) fn next(&mut self) -> Result<Option<Listed>, ()> {
        self.line.clear();
        match self.from.read_line(&mut self.line) {
            Ok(0) => Ok(None),
            Ok(_) => Listed::parse(&self.line).map(Some).ok_or(()),
            Err(_) => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_and_never_leads_out_of_the_folder() {
        let listed = Listed {
            stored_as: "4F/R2/01M2Z8Q4T7V0K".into(),
            size: 7,
            sha256: "ab".into(),
            state: Found::Altered,
        };
        assert_eq!(Listed::parse(&listed.line()), Some(listed.clone()));
        for place in ["../../etc/passwd", "/etc/passwd", "a//b", "", "a/../b", "a\\b", "a/b/c/d/e"] {
            let line = Listed { stored_as: place.into(), ..listed.clone() }.line();
            assert_eq!(Listed::parse(&line), None, "{place}");
        }
        assert_eq!(Listed::parse(listed.line().trim_end()), None, "a cut line");
    }
}
