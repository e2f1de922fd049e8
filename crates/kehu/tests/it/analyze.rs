//! Analyses of plain files, on the command line.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value as Json;

use crate::cli::{fails, ok};

/// Customers of whom the last three are copies with slips; the number before the dash tells who is who.
fn customers() -> String {
    const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵"];
    const GIVEN: [&str; 9] = ["伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军"];
    let mut text = String::from("编号,姓名,电话,地址\n");
    let line = |n: usize, copy: usize, name: &str, phone: &str| {
        format!("K{n}-{copy},{name},{phone},{}路{}号\n", GIVEN[n * 5 % 9], n * 37 % 900)
    };
    let of = |n: usize| {
        let name = format!("{}{}{}", SURNAMES[n % 8], GIVEN[n / 8 % 9], GIVEN[n * 7 % 9]);
        (name, format!("138{:08}", n * 7_919_317 % 100_000_000))
    };
    for n in 0..60 {
        let (name, phone) = of(n);
        text.push_str(&line(n, 0, &name, &phone));
    }
    let (name, phone) = of(3);
    text.push_str(&line(3, 1, &name, &format!("{}9", &phone[..10])));
    let (name, phone) = of(8);
    text.push_str(&line(8, 1, &name.replace('芳', "方"), &phone));
    let (name, _) = of(20);
    text.push_str(&line(20, 1, &name, ""));
    text
}

fn written(folder: &Path, name: &str, content: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn read(path: &str) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn records_that_may_be_the_same_are_listed_with_their_reasons_and_how_good_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = written(folder.path(), "a.csv", customers().as_bytes());
    let (json, page) = (at("a.json"), at("a.html"));
    let truth = "K(\\d+)-";
    let said = ok(
        &[
            "analyze",
            "duplicates",
            &file,
            "--id",
            "编号",
            "--truth-from-id",
            truth,
            "--output",
            &json,
            "--report",
            &page,
        ],
        "",
    );
    assert!(said.contains("63 条记录") && said.contains("F1 1.0000"), "{said}");
    let answer = read(&json);
    assert_eq!(answer["quality"]["precision"], 1.0);
    assert_eq!(answer["quality"]["recall"], 1.0);
    let mut pairs: Vec<(&str, &str)> = answer["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair["a"].as_str().unwrap(), pair["b"].as_str().unwrap()))
        .collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [("K20-0", "K20-1"), ("K3-0", "K3-1"), ("K8-0", "K8-1")]);
    let first = &answer["pairs"][0];
    assert!(first["score"].as_f64().unwrap() > 0.5 && first["why"][0]["bits"].as_f64().unwrap() > 0.0);
    assert!(first["why"].as_array().unwrap().iter().all(|reason| reason["column"] != "编号"), "{first}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("K8-1")
            && page.contains("只差一点")
            && page.contains("读音相同")
            && page.contains("有一方没填"),
        "{page}"
    );

    // The same packed, and in the encoding of older spreadsheets.
    let text = customers();
    let (gb, _, _) = encoding_rs::GB18030.encode(&text);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&gb).unwrap();
    let packed = written(folder.path(), "a.csv.gz", &packed.finish().unwrap());
    let printed = ok(&["analyze", "duplicates", &packed, "--id", "编号", "--truth-from-id", truth], "");
    assert_eq!(serde_json::from_str::<Json>(&printed).unwrap(), answer);
}

#[test]
fn two_files_are_compared_by_the_columns_both_have() {
    let folder = tempfile::tempdir().unwrap();
    let text = customers();
    let (head, rows) = text.split_once('\n').unwrap();
    let first: Vec<&str> = rows.lines().take(60).collect();
    let file = written(folder.path(), "a.csv", format!("{head}\n{}\n", first.join("\n")).as_bytes());
    let other: Vec<String> =
        rows.lines().skip(60).chain(rows.lines().take(30)).map(|l| format!("x,{l}")).collect();
    let other = format!("来源,{head}\n{}\n", other.join("\n"));
    let other = written(folder.path(), "b.csv", other.as_bytes());
    let arguments =
        ["analyze", "duplicates", &file, "--id", "编号", "--other", &other, "--truth-from-id", "K(\\d+)-"];
    let answer: Json = serde_json::from_str(&ok(&arguments, "")).unwrap();
    assert_eq!(answer["columns"], serde_json::json!(["姓名", "电话", "地址"]));
    assert_eq!(
        (&answer["quality"]["true_pairs"], &answer["quality"]["recall"]),
        (&33.into(), &1.0.into()),
        "{answer}"
    );
    let dropped = [&arguments[..], &["--drop", "电话,地址"]].concat();
    let fewer: Json = serde_json::from_str(&ok(&dropped, "")).unwrap();
    assert_eq!(fewer["columns"], serde_json::json!(["姓名"]));
}

fn analyze<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["analyze", "duplicates"], more].concat()
}

#[test]
fn what_cannot_be_analysed_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "a.csv", customers().as_bytes());
    let refused = |code: i32, more: &[&str]| fails(code, &analyze(more), "");
    assert!(refused(2, &["/nowhere.csv", "--id", "编号"]).contains("没有这个文件"));
    let said = refused(2, &[&file, "--id", "号码"]);
    assert!(said.contains("没有“号码”这一列") && said.contains("编号、姓名"), "{said}");
    assert!(refused(2, &[&file, "--id", "编号", "--drop", "邮箱"]).contains("--drop"));
    assert!(refused(2, &[&file, "--id", "编号", "--drop", "姓名,电话,地址"]).contains("没有可以比较的列"));
    for wrong in ["2", "0", "NaN"] {
        assert!(refused(2, &[&file, "--id", "编号", "--threshold", wrong]).contains("0.01 到 1"), "{wrong}");
    }
    assert!(refused(2, &[&file, "--id", "编号", "--truth-from-id", "("]).contains("正则表达式"));
    assert!(refused(2, &[&file, "--id", "编号", "--truth-from-id", "Z(\\d)"]).contains("没有一个编号符合"));
    assert!(refused(1, &[&file, "--id", "编号", "--output", "/nowhere/a.json"]).contains("不能写入"));
    let nameless = written(folder.path(), "b.csv", "编号,姓名\n1,王\n,李\n".as_bytes());
    assert!(refused(1, &[&nameless, "--id", "编号"]).contains("第 2 条记录没有编号"));
    let broken = written(folder.path(), "c.csv.gz", b"\x1f\x8bnothing");
    assert!(refused(1, &[&broken, "--id", "编号"]).contains("压缩内容已损坏"));
    let twice = written(folder.path(), "f.csv", "编号,姓名,姓名\n1,王,李\n".as_bytes());
    assert!(refused(1, &[&twice, "--id", "编号"]).contains("有两列都叫“姓名”"));
    let wide: Vec<String> = (0..70).map(|n| format!("列{n}")).collect();
    let wide = written(folder.path(), "g.csv", format!("编号,{}\n1\n", wide.join(",")).as_bytes());
    assert!(refused(2, &[&wide, "--id", "编号"]).contains("最多比较 64 列"));
    let empty = written(folder.path(), "d.csv", b"");
    assert!(refused(1, &[&empty, "--id", "编号"]).contains("文件是空的"));
    // Few records say nothing, and that is no failure.
    let few = written(folder.path(), "e.csv", "编号,姓名\n1,王\n2,王\n".as_bytes());
    let answer: Json = serde_json::from_str(&ok(&analyze(&[&few, "--id", "编号"]), "")).unwrap();
    assert_eq!((&answer["is_too_little"], answer["pairs"].as_array().unwrap().len()), (&true.into(), 0));
}
