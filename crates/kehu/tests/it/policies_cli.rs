//! `kehu policy`: no database is opened, but for due times on the company's own calendar.

use std::path::{Path, PathBuf};

use crate::cli::{company, fails, kehu, ok};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

/// What a command printed, whatever it came to.
fn said(arguments: &[&str]) -> (i32, String) {
    let output = kehu(arguments, "");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

const HEAD: &str = "[policy]\nid = \"keys\"\ntitle = \"钥匙\"\nversion = \"1.0\"\n";
const CLAUSE: &str = "[[clause]]\nid = \"1\"\ntext = \"妥善保管。\"\n";
const STANDARD: &str =
    "[[standard]]\nid = \"care\"\ntitle = \"保管\"\ntext = \"妥善保管。\"\nclause = \"1\"\n";

#[test]
fn every_shipped_regulation_checks_and_its_scenarios_hold() {
    let home = shipped();
    let home = home.to_str().unwrap();
    let (code, checked) = said(&["policy", "check", home]);
    assert_eq!(code, 0, "{checked}");
    assert_eq!(checked.matches("没有错误").count(), kehu::policies::shipped().len(), "{checked}");
    let (code, tested) = said(&["policy", "test", home]);
    assert_eq!(code, 0, "{tested}");
    assert!(!tested.contains("FAIL") && tested.contains("0 个失败"), "{tested}");
    let shown = ok(&["policy", "show", home], "");
    assert!(shown.contains("门店客户投诉处理办法") && shown.contains("第二十六条"), "{shown}");
}

#[test]
fn a_bad_file_is_named_with_its_line_and_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("keys");
    let path = home.to_str().unwrap().to_owned();
    write(&home, &[("policy.toml", HEAD), ("clauses.toml", CLAUSE), ("standards.toml", STANDARD)]);
    assert!(ok(&["policy", "check", &path], "").contains("钥匙 1.0 没有错误"));
    // The folder above is a folder of policies.
    assert!(ok(&["policy", "check", folder.path().to_str().unwrap()], "").contains("钥匙 1.0 没有错误"));
    let wrong = format!("{HEAD}\n[[clause]]\nid = \"2\"\ntext = \"登记。\"\nbind = \"全体\"\n");
    write(&home, &[("policy.toml", &wrong)]);
    let (code, told) = said(&["policy", "check", &path]);
    assert_eq!(code, 1);
    assert!(told.contains(&format!("{path}/policy.toml:9: ")) && told.contains("bind"), "{told}");
    write(&home, &[("policy.toml", HEAD), ("big.toml", &"# 大\n".repeat(2 << 20))]);
    let (code, told) = said(&["policy", "check", &path]);
    assert_eq!(code, 1);
    assert!(told.contains(&format!("{path}/big.toml: 文件太大")), "{told}");
    std::fs::write(home.join("big.toml"), b"# \xff\n").unwrap();
    let (code, told) = said(&["policy", "check", &path]);
    assert_eq!(code, 1);
    assert!(told.contains(&format!("{path}/big.toml:1: 不是 UTF-8")), "{told}");
}

#[test]
fn what_is_not_there_is_a_mistake_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    for command in ["check", "test", "show"] {
        assert!(fails(2, &["policy", command, "/nowhere/at/all"], "").contains("/nowhere/at/all"));
        assert!(fails(2, &["policy", command, empty], "").contains("没有制度"));
    }
    fails(2, &["policy", "diff", empty, empty], "");
    fails(2, &["policy", "due", "--from", "昨天", "--within", "5wd"], "");
    fails(2, &["policy", "due", "--from", "2026-09-28 16:20", "--within", "很久"], "");
    fails(2, &["policy", "diff", empty], "");
}

#[test]
fn scenarios_are_run_and_clauses_without_one_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("keys");
    let path = home.to_str().unwrap().to_owned();
    let form = "[[form]]\nid = \"loan\"\ntitle = \"借条\"\nby = \"role:staff\"\nfill = [\"key\"]\nclause = \"2\"\n\
                [[form.field]]\nid = \"key\"\ntitle = \"钥匙\"\ntype = \"text\"\n";
    let process = "[[role]]\nid = \"staff\"\ntitle = \"借用人\"\nposts = [\"销售人员\"]\n\
                   [[step]]\nid = \"lent\"\ntitle = \"借用中\"\nby = \"case.creator\"\nnext = \"back\"\nclause = \"2\"\n\
                   [[step]]\nid = \"back\"\ntitle = \"已还\"\nkind = \"end\"\noutcome = \"已还\"\nclause = \"2\"\n";
    let clauses = format!("{CLAUSE}[[clause]]\nid = \"2\"\ntext = \"登记。\"\n");
    write(
        &home,
        &[
            ("policy.toml", HEAD),
            ("clauses.toml", &clauses),
            ("standards.toml", STANDARD),
            ("forms.toml", form),
            ("process.toml", process),
        ],
    );
    let (code, told) = said(&["policy", "test", &path]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("规范 1") && told.contains("-    2"), "{told}");
    let cast =
        "[[unit]]\nname = \"店\"\n[[person]]\nname = \"小吴\"\nposts = [\"销售人员\"]\nunit = \"店\"\n";
    let scenario = "title = \"借\"\n[[given]]\nat = \"2026-09-28 09:00\"\nby = \"小吴\"\n\
                    case = { form = \"loan\", key = \"仓库\" }\n[[then]]\nstep = \"back\"\n";
    write(&home, &[("scenarios/cast.toml", cast), ("scenarios/lend.toml", scenario)]);
    let (code, told) = said(&["policy", "test", &path]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("FAIL scenarios/lend.toml 借"), "{told}");
    assert!(told.contains(&format!("{path}/scenarios/lend.toml:6: ")), "{told}");
    write(&home, &[("scenarios/lend.toml", &scenario.replace("step = \"back\"", "step = \"lent\""))]);
    let (code, told) = said(&["policy", "test", &path]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("ok   scenarios/lend.toml 借") && told.contains("+    2"), "{told}");
    let last = told.lines().last().unwrap();
    assert_eq!(
        last,
        "1 部制度，1 个情景，0 个失败；2 条条款，1 条有情景验证，1 条只是规范，0 条没有情景验证"
    );
    // A newer version beside it.
    let newer = folder.path().join("newer");
    write(
        &newer,
        &[
            ("policy.toml", &HEAD.replace("1.0", "1.1")),
            ("clauses.toml", &clauses.replace("登记。", "登记并签字。")),
            ("standards.toml", STANDARD),
            ("forms.toml", form),
            ("process.toml", process),
        ],
    );
    let told = ok(&["policy", "diff", &path, newer.to_str().unwrap()], "");
    assert!(told.contains("登记并签字"), "{told}");
    assert_eq!(ok(&["policy", "diff", &path, &path], ""), "没有不同\n");
}

#[test]
fn due_times_are_told_with_their_derivation() {
    let told = ok(&["policy", "due", "--from", "2026-09-28 16:20", "--within", "5wd"], "");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "2026-10-10 16:20");
    assert_eq!(lines[1], "周一16:20受理，5个工作日，遇国庆节假期与10月10日补班");
    assert!(lines.len() > 3 && lines.last().unwrap().contains("2026-10-10 16:20"), "{told}");
    assert_eq!(
        ok(&["policy", "due", "--from", "2026-09-28 16:20", "--within", "7d"], "").lines().next(),
        Some("2026-10-05 16:20")
    );
}

#[test]
fn due_times_are_told_on_the_companys_own_calendar_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let data = company(folder.path());
    let db = store::Db::open(
        &store::Location::Sqlite(folder.path().join("kehu.sqlite")),
        &store::Options::default(),
    );
    let sql = "INSERT INTO calendar_days (day, kind, name, version, updated_at, updated_by)
               VALUES ('2026-09-29', 'rest', '厂休', 1, 0, 0)";
    db.unwrap().write_blocking(move |tx| tx.exec(sql, &[])).unwrap();
    let asked = ["policy", "due", "--from", "2026-09-28 16:20", "--within", "1wd"];
    assert!(ok(&asked, "").starts_with("2026-09-29 16:20\n"));
    let told = ok(&[&asked[..], &["--company", "--data", data]].concat(), "");
    assert!(told.starts_with("2026-09-30 16:20\n") && told.contains("厂休，不计"), "{told}");
}
