//! The regulations we ship, inside the binary.

use policy::SourceFile;

const TABLE: &[(&str, &str, &str)] = &include!(concat!(env!("OUT_DIR"), "/policies_table.rs"));

/// A regulation we ship.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// Its short name.
    pub policy: String,
    /// Its files.
    pub files: Vec<SourceFile>,
}

/// All of them, by name.
pub fn shipped() -> Vec<Shipped> {
    let mut all: Vec<Shipped> = Vec::new();
    for (policy, name, text) in TABLE {
        let file = SourceFile { name: (*name).to_owned(), text: (*text).to_owned() };
        match all.last_mut().filter(|last| last.policy == *policy) {
            Some(last) => last.files.push(file),
            None => all.push(Shipped { policy: (*policy).to_owned(), files: vec![file] }),
        }
    }
    all
}
