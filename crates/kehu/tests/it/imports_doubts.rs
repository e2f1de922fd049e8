//! What a file says unclearly: lost characters and digits are refused with their reason, what was only repaired is
//! imported and shown, and nobody finds a `\u{fffd}` in his customers.

use std::io::{Cursor, Read, Write};

use kehu::jobs;
use serde_json::json;

use crate::imports::{counts, customers, import, kehu, rows};
use crate::{TestApp, both};

/// A list in UTF-8 with one line in GB18030 and an end cut off in the middle of a character.
fn torn() -> Vec<u8> {
    let mut bytes = "客户名称,手机,备注\n甲公司,13800138000,好\n".as_bytes().to_vec();
    bytes.extend_from_slice(&encoding_rs::GB18030.encode("乙公司,13800138001,好\n").0);
    bytes.extend_from_slice("丙公司,13800138002\n丁公司,13800138003,好\n截断公司".as_bytes());
    bytes.truncate(bytes.len() - 1);
    bytes
}

async fn nothing_garbled(app: &TestApp) {
    let garbled = "SELECT COUNT(*) FROM customers WHERE name LIKE '%\u{fffd}%' OR remark LIKE '%\u{fffd}%'";
    assert_eq!(app.number(garbled).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_is_refused_and_what_is_missing_is_shown() {
    both(|app| async move {
        let admin = app.administrator().await;
        let tried = import(&admin, "a.csv", &torn(), &[("dry_run", "true")]).await;
        let done = import(&admin, "a.csv", &torn(), &[]).await;
        assert_eq!(counts(&done), [5, 3, 0, 0, 2], "{done}");
        nothing_garbled(&app).await;
        for said in [&tried, &done] {
            assert_eq!(counts(said), counts(&done));
            assert_eq!(said["doubtful"], 1, "{said}");
            let row = &said["doubts"]["rows"][0];
            assert_eq!((&row["row"], &row["name"]), (&json!(4), &json!("丙公司")), "{said}");
            assert!(row["reasons"][0]["message"].as_str().unwrap().contains("本行只有 2 格"), "{said}");
            assert!(said["doubts"]["file"][0].as_str().unwrap().contains("编码不一致"), "{said}");
        }
        let errors = admin.get(done["errors_url"].as_str().unwrap()).await.expect(200);
        assert_eq!(rows(&errors.body).1.len(), 2);
        let page = admin.get(&format!("/imports/{}", done["id"].as_str().unwrap())).await.expect(200).text();
        for words in ["需核对", "本行只有 2 格", "编码不一致", "内容含有无法识别的字符"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_shows_what_should_be_looked_at_before_anything_is_written() {
    both(|app| async move {
        let admin = app.administrator().await;
        let answer = admin.upload("/imports", &[], "a.csv", &torn()).await.expect(303);
        let path = answer.header("location").to_owned();
        let columns = [("mapping.0", "name"), ("mapping.1", "phone"), ("mapping.2", "remark")];
        admin.post_form(&format!("{path}/check"), &columns).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        let page = admin.get(&path).await.expect(200).text();
        for words in ["需核对", "本行只有 2 格", "编码不一致"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        admin.post_form(&format!("{path}/run"), &[]).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        let list = admin.with_token().await.get("/api/v1/imports").await.expect(200).json();
        assert_eq!(list["items"][0]["doubtful"], 1, "not counted twice: {list}");
    })
    .await;
}

/// The workbook as a program leaves it that writes formulas and does not calculate.
fn without_results(book: &[u8]) -> Vec<u8> {
    let mut read = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut written = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..read.len() {
        let mut part = read.by_index(at).unwrap();
        let (name, mut text) = (part.name().unwrap().into_owned(), String::new());
        part.read_to_string(&mut text).unwrap();
        if name.ends_with("sheet1.xml") {
            let end = text.find("</f>").expect("a formula") + 4;
            let close = end + text[end..].find("</c>").unwrap();
            text.replace_range(end..close, "");
            text = text.replacen(" t=\"str\"><f>", "><f>", 1);
        }
        written.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        written.write_all(text.as_bytes()).unwrap();
    }
    written.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_lost_in_excel_and_formulas_without_a_result_are_refused() {
    both(|app| async move {
        let admin = app.administrator().await;
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, heading) in ["客户名称", "备注", "别的"].into_iter().enumerate() {
            sheet.write_string(0, column as u16, heading).unwrap();
        }
        for (row, name) in ["甲公司", "乙公司", "丙公司"].into_iter().enumerate() {
            sheet.write_string(row as u32 + 1, 0, name).unwrap();
        }
        sheet.write_number(1, 1, 6_222_021_234_567_890_123.0).unwrap();
        sheet.write_formula(2, 1, rust_xlsxwriter::Formula::new("=A2&\"x\"").set_result("")).unwrap();
        sheet.write_number(3, 2, 6_222_021_234_567_890_123.0).unwrap();
        let bytes = without_results(&book.save_to_buffer().unwrap());
        let mapping = [("mapping", r#"["name","remark",""]"#)];
        let done = import(&admin, "a.xlsx", &bytes, &mapping).await;
        assert_eq!(counts(&done), [3, 1, 0, 0, 2], "{done}");
        let found = customers(&admin, "").await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["name"], "丙公司", "what is wrong in a column left out does not matter");
        let errors = admin.get(done["errors_url"].as_str().unwrap()).await.expect(200);
        assert_eq!(rows(&errors.body).1.len(), 2);
        let page = admin.get(&format!("/imports/{}", done["id"].as_str().unwrap())).await.expect(200).text();
        assert!(page.contains("公式没有保存计算结果"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_phones_and_headings_come_as_excel_and_people_write_them() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text = "客戶名稱,聯繫電話,首次接觸日期\n甲公司,013800138000,45000\n乙公司,０１３８００１３８００１,２０２６/３/８\n\
                    丙公司,138 0013 8002,18263\n丁公司,13800138003,73416\n戊公司,13800138004,45000.75\n";
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(done["mapping"], json!(["name", "phone", "first_contact_on"]), "{done}");
        assert_eq!(counts(&done), [5, 3, 0, 0, 2], "{done}");
        assert_eq!(done["doubtful"], 2, "{done}");
        let mut told: Vec<[String; 2]> = customers(&admin, "")
            .await
            .iter()
            .map(|c| ["phone", "first_contact_on"].map(|k| c[k].as_str().unwrap().to_owned()))
            .collect();
        told.sort();
        let expected = [
            ["13800138000", "2023-03-15"],
            ["13800138001", "2026-03-08"],
            ["13800138004", "2023-03-15"],
        ];
        assert_eq!(told, expected.map(|pair| pair.map(str::to_owned)));
    })
    .await;
}

#[test]
fn the_command_says_what_should_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("客户.csv"));
    std::fs::write(&file, torn()).unwrap();
    assert!(kehu(&data, &["db", "migrate"]).output().unwrap().status.success());
    for more in [&["--dry-run"][..], &[]] {
        let mut arguments = vec!["import", "customers", file.to_str().unwrap()];
        arguments.extend(more);
        let output = kehu(&data, &arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for words in ["需核对 1 行", "第 4 行", "编码不一致"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(String::from_utf8_lossy(&output.stdout).contains("新建 3，更新 0，跳过 0，失败 2"));
    }
}
