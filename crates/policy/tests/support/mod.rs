//! The shipped policies, and the names the application tells.

use policy::SourceFile;

#[path = "../../examples/support/vocabulary.rs"]
mod vocabulary;

pub use vocabulary::vocabulary;

/// All files of all policies, by the name of their folder.
pub fn shipped() -> Vec<(String, Vec<SourceFile>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let mut files = Vec::new();
        for (within, folder) in [("", entry.path()), ("scenarios/", entry.path().join("scenarios"))] {
            for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                if name.ends_with(".toml") {
                    let text = std::fs::read_to_string(file.path()).expect("readable");
                    files.push(SourceFile { name: format!("{within}{name}"), text });
                }
            }
        }
        if !files.is_empty() {
            files.sort_by(|a, b| a.name.cmp(&b.name));
            all.push((entry.file_name().to_string_lossy().into_owned(), files));
        }
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}
