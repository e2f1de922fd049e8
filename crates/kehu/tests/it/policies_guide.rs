//! The page for people who write regulations: what it tells to copy is a whole regulation, and it holds.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::{kehu, ok};

/// The files the page has its reader write: blocks begin with the name of their file; later ones of a name go below.
pub fn files() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/write-a-regulation.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for block in page.split("```toml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let name =
            block.lines().next().unwrap().strip_prefix("# ").expect("a block begins with its file's name");
        files.entry(name.to_owned()).or_default().push_str(&format!("{block}\n"));
    }
    files
}

#[test]
fn the_guide_is_a_regulation_that_checks_and_whose_scenarios_hold() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("key-lending");
    let files = files();
    assert!(files.len() > 7, "{:?}", files.keys());
    for (name, text) in &files {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let home = home.to_str().unwrap();
    assert!(ok(&["policy", "check", home], "").contains("钥匙借用管理规定 1.0 没有错误"));
    let tested = kehu(&["policy", "test", home], "");
    let said = String::from_utf8_lossy(&tested.stdout).into_owned();
    assert_eq!(tested.status.code(), Some(0), "{said}");
    assert!(
        said.contains("3 个情景，0 个失败；6 条条款，5 条有情景验证，1 条只是规范，0 条没有情景验证"),
        "{said}"
    );
    assert!(ok(&["policy", "show", home], "").contains("钥匙保管人"));
    let due = ok(&["policy", "due", "--from", "2026-09-30 15:00", "--within", "1wd@24:00"], "");
    assert_eq!(due.lines().next(), Some("2026-10-08 23:59"), "as the page says");
}
