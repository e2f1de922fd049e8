//! The command line, run as the administrator of a machine runs it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::app::{PASSWORD, PostgresDatabase};

pub fn kehu(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kehu"))
        .args(arguments)
        .env_remove("KEHU_DATA")
        .env_remove("KEHU_DATABASE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses before reading closes its input: that is no failure of ours.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
pub fn ok(arguments: &[&str], input: &str) -> String {
    let output = kehu(arguments, input);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "kehu {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
pub fn fails(code: i32, arguments: &[&str], input: &str) -> String {
    let output = kehu(arguments, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "kehu {}: {said}", arguments.join(" "));
    said
}

pub fn company(data: &Path) -> &str {
    let data = data.to_str().unwrap();
    let password = format!("{PASSWORD}\n");
    ok(
        &["setup", "--data", data, "--company", "天江集团", "--admin", "admin", "--password-stdin"],
        &password,
    );
    data
}

#[test]
fn a_company_is_set_up_once_and_people_and_tokens_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let password = format!("{PASSWORD}\n");
    fails(
        1,
        &["setup", "--data", data, "--company", "别家", "--admin", "root", "--password-stdin"],
        &password,
    );
    fails(
        1,
        &["user", "add", "--data", data, "--username", "li", "--name", "李", "--password-stdin"],
        "短\n",
    );
    ok(&["user", "add", "--data", data, "--username", "li", "--name", "李", "--password-stdin"], &password);
    fails(
        2,
        &[
            "user",
            "add",
            "--data",
            data,
            "--username",
            "wu",
            "--name",
            "吴",
            "--role",
            "皇帝",
            "--password-stdin",
        ],
        &password,
    );
    assert!(ok(&["user", "list", "--data", data], "").contains("li"));
    ok(
        &["user", "passwd", "--data", data, "--username", "li", "--password-stdin"],
        "另一句容易记住的很长的话\n",
    );
    let printed = ok(&["token", "new", "--data", data, "--user", "admin", "--name", "对接"], "");
    assert!(printed.lines().last().unwrap().starts_with("kehu_"), "the token stands alone on the last line");
    fails(1, &["token", "new", "--data", data, "--user", "nobody", "--name", "x"], "");
    ok(&["db", "check", "--data", data], "");
    ok(&["audit", "verify", "--data", data], "");
    assert!(ok(&["routes"], "").contains("/api/v1/customers"));
    assert!(ok(&["openapi"], "").contains("\"openapi\": \"3.1.0\""));
}

#[test]
fn wrong_use_and_a_newer_schema_have_exit_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    fails(2, &["db", "check", "--data", data, "--database", "mysql://x"], "");
    fails(2, &["serve", "--data", data, "--listen", "0.0.0.0:0"], "");
    fails(2, &["nonsense"], "");
    let connection = rusqlite::Connection::open(folder.path().join("kehu.sqlite")).unwrap();
    connection
        .execute("INSERT INTO schema_migrations (name, digest) VALUES ('9999_future', 'x')", [])
        .unwrap();
    let said = fails(4, &["db", "check", "--data", data], "");
    assert!(said.contains("9999_future"));
}

/// The files of a folder and what is in them.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "sqlite" || e == "sqlite-wal"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .filter(|(_, content)| !content.is_empty())
        .collect();
    all.sort();
    all
}

#[test]
fn to_check_changes_nothing_and_an_older_schema_is_only_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let file = folder.path().join("kehu.sqlite");
    // What a start would mend: a search index of another version, a dictionary that lacks an entry.
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute("UPDATE search_state SET version = 0", []).unwrap();
    connection.execute("DELETE FROM dictionary_entries WHERE dictionary = 'skill'", []).unwrap();
    drop(connection);
    let before = contents(folder.path());
    assert!(ok(&["db", "check", "--data", data], "").contains("搜索索引由别的版本写成"));
    ok(&["audit", "verify", "--data", data], "");
    assert!(contents(folder.path()) == before, "checking changed the database");
    // What stands in the write-ahead log of a killed server is read, and left where it is.
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0").unwrap();
    connection
        .execute("DELETE FROM schema_migrations WHERE name = (SELECT MAX(name) FROM schema_migrations)", [])
        .unwrap();
    let killed = tempfile::tempdir().unwrap();
    for name in ["kehu.sqlite", "kehu.sqlite-wal"] {
        std::fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let before = contents(killed.path());
    assert_eq!(before.len(), 2);
    let data = killed.path().to_str().unwrap();
    for command in [["db", "check"], ["audit", "verify"]] {
        let said = fails(4, &[command[0], command[1], "--data", data], "");
        assert!(said.contains("kehu db migrate"), "{said}");
    }
    assert!(contents(killed.path()) == before, "checking changed the database");
}

#[test]
fn a_check_finds_files_that_are_gone_cut_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let files = folder.path().join("files/AA/BB");
    std::fs::create_dir_all(&files).unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("kehu.sqlite")).unwrap();
    for (id, name) in [(1, "one"), (2, "two"), (3, "three")] {
        std::fs::write(files.join(name), "abc").unwrap();
        connection
            .execute(
                "INSERT INTO files (id, object, object_id, name, media_type, size, sha256, stored_as, created_at, created_by)
                 VALUES (?1, 'import', 1, ?2, 'text/plain', 3,
                   'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'AA/BB/' || ?2, 0, 0)",
                (id, name),
            )
            .unwrap();
    }
    assert!(ok(&["db", "check", "--data", data], "").contains("附件 3"));
    std::fs::remove_file(files.join("one")).unwrap();
    std::fs::write(files.join("two"), "ab").unwrap();
    std::fs::write(files.join("three"), "abd").unwrap();
    let said = fails(1, &["db", "check", "--deep", "--data", data], "");
    for words in ["AA/BB/one 不在磁盘上", "AA/BB/two 的大小不对，实际 2 字节", "AA/BB/three 的内容被改动"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    // What was taken away may be gone.
    connection.execute("UPDATE files SET deleted_at = 1", []).unwrap();
    ok(&["db", "check", "--data", data], "");
}

#[test]
fn a_company_that_is_copied_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    company(folder.path());
    let (from, to) = (folder.path().join("kehu.sqlite"), folder.path().join("neu.sqlite"));
    let url = |path: &Path| format!("sqlite:{}", path.display());
    ok(&["db", "copy", "--from", &url(&from), "--to", &url(&to)], "");
    for file in [&from, &to] {
        let connection = rusqlite::Connection::open(file).unwrap();
        let noted = "SELECT after FROM audit_log WHERE action = 'company.copied'";
        let noted: String = connection.query_row(noted, [], |row| row.get(0)).unwrap();
        assert!(noted.contains("neu.sqlite"), "{noted}");
    }
}

// covers: IP-05
#[test]
fn an_edited_audit_row_is_found_and_a_rolled_back_database_shows_against_its_anchor() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let file = folder.path().join("kehu.sqlite");
    let before = folder.path().join("before.sqlite");
    rusqlite::Connection::open(&file).unwrap().execute("VACUUM INTO ?1", [before.to_str().unwrap()]).unwrap();
    let password = format!("{PASSWORD}\n");
    ok(&["user", "add", "--data", data, "--username", "li", "--name", "李", "--password-stdin"], &password);
    let anchor = folder.path().join("anchor.txt");
    std::fs::write(&anchor, ok(&["audit", "verify", "--data", data], "")).unwrap();
    // The whole database is put back to an earlier state: the chain itself is sound, only the anchor tells.
    let rolled = folder.path().join("rolled");
    std::fs::create_dir(&rolled).unwrap();
    std::fs::copy(&before, rolled.join("kehu.sqlite")).unwrap();
    let rolled = rolled.to_str().unwrap();
    ok(&["audit", "verify", "--data", rolled], "");
    fails(1, &["audit", "verify", "--data", rolled, "--anchor", anchor.to_str().unwrap()], "");
    for tamper in [
        "UPDATE audit_log SET actor_name = '别人' WHERE seq = 2",
        "DELETE FROM audit_log WHERE seq = 2",
        "DELETE FROM audit_log WHERE seq = (SELECT MAX(seq) FROM audit_log)",
        "UPDATE audit_heads SET seq = seq - 1",
    ] {
        let copy = tempfile::tempdir().unwrap();
        rusqlite::Connection::open(&file)
            .unwrap()
            .execute("VACUUM INTO ?1", [copy.path().join("kehu.sqlite").to_str().unwrap()])
            .unwrap();
        let connection = rusqlite::Connection::open(copy.path().join("kehu.sqlite")).unwrap();
        assert_eq!(connection.execute(tamper, []).unwrap(), 1, "{tamper}");
        fails(1, &["audit", "verify", "--data", copy.path().to_str().unwrap()], "");
    }
}

#[test]
fn a_company_moves_from_sqlite_to_postgresql_with_every_row_proved() {
    let Some(target) = PostgresDatabase::create() else {
        eprintln!("skipped: KEHU_TEST_POSTGRES names no server");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let from = format!("sqlite:{}", folder.path().join("kehu.sqlite").display());
    let printed = ok(&["db", "copy", "--from", &from, "--to", &target.url], "");
    assert!(!printed.contains("不一致"), "{printed}");
    ok(&["db", "check", "--data", data, "--database", &target.url], "");
    ok(&["audit", "verify", "--data", data, "--database", &target.url], "");
    // A second copy would mix two companies.
    let said = fails(2, &["db", "copy", "--from", &from, "--to", &target.url], "");
    assert!(said.contains("目标数据库不是空的"), "{said}");
}

#[test]
fn a_mistyped_folder_is_named_and_no_company_is_made_there() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("打错了");
    let file = folder.path().join("a.csv");
    std::fs::write(&file, "名称\n甲公司\n").unwrap();
    let (data, file) = (missing.to_str().unwrap(), file.to_str().unwrap());
    let out = folder.path().join("out.csv");
    let password = format!("{PASSWORD}\n");
    let commands: [&[&str]; 9] = [
        &["user", "add", "--data", data, "--username", "li", "--name", "李", "--password-stdin"],
        &["user", "list", "--data", data],
        &["user", "passwd", "--data", data, "--username", "li", "--password-stdin"],
        &["token", "new", "--data", data, "--user", "admin", "--name", "x"],
        &["audit", "verify", "--data", data],
        &["db", "check", "--data", data],
        &["import", "customers", "--data", data, file],
        &["export", "customers", "--data", data, out.to_str().unwrap()],
        &[
            "db",
            "copy",
            "--from",
            &format!("sqlite:{data}/kehu.sqlite"),
            "--to",
            &format!("sqlite:{data}/neu.sqlite"),
        ],
    ];
    for command in commands {
        let said = fails(2, command, &password);
        assert!(said.contains(data), "{said}");
        assert!(!missing.exists(), "{command:?}");
    }
    // A file that is there but holds nothing is no company either.
    std::fs::create_dir(&missing).unwrap();
    std::fs::write(missing.join("kehu.sqlite"), "").unwrap();
    let said = fails(2, &["user", "list", "--data", data], "");
    assert!(said.contains("没有 kehu 的数据"), "{said}");
    ok(&["db", "migrate", "--data", data], "");
    ok(&["user", "list", "--data", data], "");
}

#[test]
fn a_copy_into_a_database_that_holds_something_says_what_to_do() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    company(one.path());
    company(other.path());
    let url = |folder: &Path| format!("sqlite:{}", folder.join("kehu.sqlite").display());
    let said = fails(2, &["db", "copy", "--from", &url(one.path()), "--to", &url(other.path())], "");
    assert!(said.contains("目标数据库不是空的") && said.contains("新建一个空数据库"), "{said}");
    // A copy that was broken off leaves some tables filled.
    let half = tempfile::tempdir().unwrap();
    ok(&["db", "migrate", "--data", half.path().to_str().unwrap()], "");
    let connection = rusqlite::Connection::open(half.path().join("kehu.sqlite")).unwrap();
    connection.execute("INSERT INTO settings (name, value, updated_at) VALUES ('a', 'b', 0)", []).unwrap();
    let said = fails(2, &["db", "copy", "--from", &url(one.path()), "--to", &url(half.path())], "");
    assert!(said.contains("表 settings 已有 1 行"), "{said}");
    let fresh = tempfile::tempdir().unwrap();
    ok(&["db", "copy", "--from", &url(one.path()), "--to", &url(fresh.path())], "");
    // While a server has it open, what it writes would be missing: nothing is copied.
    let served = std::fs::File::create(one.path().join("serve.lock")).unwrap();
    served.lock().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let said = fails(2, &["db", "copy", "--from", &url(one.path()), "--to", &url(empty.path())], "");
    assert!(said.contains("正被 kehu serve 使用"), "{said}");
    assert!(!empty.path().join("kehu.sqlite").exists());
}
