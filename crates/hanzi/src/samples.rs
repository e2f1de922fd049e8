//! Names for tests: a small sample that is always there, and a large list for whoever has one.

use std::path::PathBuf;

/// Names of persons and organisations with their readings, invented or known to everybody.
pub const NAMES: &str = include_str!("../tests/data/names.tsv");

/// A table of the large list, `person_names.tsv` or `org_names.tsv` (name, frequency, pinyin, initials), from the folder
/// `KEHU_TEST_NAMES`. Without it the test ends and says so: it only adds to what the sample proves.
pub fn large(file: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("KEHU_TEST_NAMES").map(PathBuf::from) else {
        println!("skipped: KEHU_TEST_NAMES names no folder with {file}");
        return None;
    };
    let path = folder.join(file);
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
