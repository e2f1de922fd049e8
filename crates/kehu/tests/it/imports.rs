//! Bringing customers in: every format and encoding, bad rows, duplicates, interruption, errors corrected, undo.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use kehu::jobs;
use serde_json::{Value as Json, json};
use sheets::worker::{Frame, Parsed};

use crate::app::DataScope;
use crate::{Answer, Client, both};

/// Uploads a file, lets the work be done and answers how it ended.
pub(crate) async fn import(client: &Client<'_>, name: &str, content: &[u8], fields: &[(&str, &str)]) -> Json {
    let sent = send(client, name, content, fields).await.expect(202).json();
    jobs::run_all(&client.app.app).await.unwrap();
    outcome(client, &sent).await
}

pub(crate) async fn send(client: &Client<'_>, name: &str, content: &[u8], fields: &[(&str, &str)]) -> Answer {
    client.with_token().await.upload("/api/v1/imports", fields, name, content).await
}

pub(crate) async fn outcome(client: &Client<'_>, import: &Json) -> Json {
    let id = import["id"].as_str().unwrap();
    client.with_token().await.get(&format!("/api/v1/imports/{id}")).await.expect(200).json()
}

pub(crate) fn counts(import: &Json) -> [i64; 5] {
    ["read", "created", "updated", "skipped", "failed"].map(|k| import[k].as_i64().unwrap())
}

pub(crate) async fn customers(client: &Client<'_>, query: &str) -> Vec<Json> {
    let path = format!("/api/v1/customers?limit=200&sort=number&{query}");
    let answer = client.with_token().await.get(&path).await.expect(200).json();
    answer["items"].as_array().unwrap().clone()
}

/// The rows of a workbook: headings first.
pub(crate) fn rows(bytes: &[u8]) -> (sheets::Header, Vec<Vec<String>>) {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let (mut header, mut rows) = (None, Vec::new());
    for frame in Parsed::in_process(file, "x.xlsx", &sheets::Limits::default()).unwrap() {
        match frame {
            Frame::Header(found) => header = Some(found),
            Frame::Row(row) => rows.push(row.cells),
            Frame::Failed(problem) => panic!("{problem}"),
            _ => {}
        }
    }
    (header.unwrap(), rows)
}

/// A table of `n` rows; every hundredth has a wrong phone.
fn table(n: usize) -> String {
    let mut text = String::from("客户名称,联系电话,电子邮箱,所在地区,标签,联系人,联系人电话\n");
    for i in 0..n {
        let phone = if i % 100 == 50 { "打不通".to_owned() } else { format!("138{i:08}") };
        text.push_str(&format!(
            "广州第{i:06}贸易有限公司,{phone},u{i}@example.com,广东省广州市,\"展会,重点\",李经理,139{i:08}\n"
        ));
    }
    text
}

// covers: CI-02, VF-03
#[tokio::test(flavor = "multi_thread")]
async fn every_good_row_comes_in_with_a_number_and_every_bad_one_is_explained() {
    both(|app| async move {
        let admin = app.administrator().await;
        let done = import(&admin, "客户.csv", table(1_200).as_bytes(), &[]).await;
        assert_eq!(done["state"], "done");
        assert_eq!(counts(&done), [1_200, 1_188, 0, 0, 12]);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1_188);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers WHERE number = ''").await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM contacts WHERE is_primary").await, 1_188);
        assert_eq!(
            app.number(
                "SELECT CAST(SUM(n) AS BIGINT) FROM counters WHERE name = 'customers' AND owner_id = 0"
            )
            .await,
            1_188
        );
        assert_eq!(
            app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.created'").await,
            1_188
        );
        let found = customers(&admin, "q=139000007&limit=5").await;
        assert!(!found.is_empty(), "found by the contact's phone");
        let errors = admin.get(done["errors_url"].as_str().unwrap()).await.expect(200);
        let (header, bad) = rows(&errors.body);
        assert!(header.is_error_file);
        admin.get(&format!("/imports/{}/errors", done["id"].as_str().unwrap())).await.expect(200);
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'import.errors_exported'";
        assert_eq!(app.number(noted).await, 2);
        let noted = "SELECT MAX(after) FROM audit_log WHERE action = 'import.errors_exported'";
        assert!(app.text(noted).await.contains("\"rows\":12"));
        assert_eq!(bad.len(), 12);
        assert!(bad.iter().all(|row| row[1] == "打不通"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_file_corrected_and_imported_again_brings_in_only_its_rows() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text = "客户名称,手机\n甲公司,13800138000\n乙公司,abc\n丙公司,13800138001\n";
        let first = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&first), [3, 2, 0, 0, 1]);
        let errors =
            admin.get(&format!("/imports/{}/errors", first["id"].as_str().unwrap())).await.expect(200);
        let same = import(&admin, "a-需修改.xlsx", &errors.body, &[]).await;
        assert_eq!(counts(&same), [1, 0, 0, 0, 1], "not corrected: refused again");
        let corrected = "错误原因,原行号,客户名称,手机\n手机：不对,3,乙公司,13800138002\n";
        let second = import(&admin, "改好.csv", corrected.as_bytes(), &[]).await;
        assert_eq!(counts(&second), [1, 1, 0, 0, 0]);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_there_already_are_skipped_updated_or_made_again_as_told() {
    both(|app| async move {
        let admin = app.administrator().await;
        let first = "客户编号,客户名称,电话,备注,客户等级\nA001,天江公司,13800138000,旧,\nA002,地海公司,13800138001,旧,\n";
        assert_eq!(counts(&import(&admin, "a.csv", first.as_bytes(), &[]).await), [2, 2, 0, 0, 0]);
        let second = "客户编号,客户名称,备注\nA001,天江公司,新\n,第三家公司,新\nA001,天江公司,更新\n";
        let skipped = import(&admin, "b.csv", second.as_bytes(), &[("on_duplicate", "skip")]).await;
        assert_eq!(counts(&skipped), [3, 1, 0, 2, 0]);
        let updated = import(&admin, "b.csv", second.as_bytes(), &[("on_duplicate", "update"), ("match_on", "number,name")]).await;
        assert_eq!(counts(&updated), [3, 0, 3, 0, 0]);
        let found = customers(&admin, "").await;
        let one = found.iter().find(|c| c["number"] == "A001").unwrap();
        assert_eq!((&one["remark"], &one["phone"]), (&json!("更新"), &json!("13800138000")), "empty and missing cells change nothing");
        let third = "客户名称,电话\n天江公司,13800138000\n";
        let made = import(&admin, "c.csv", third.as_bytes(), &[("on_duplicate", "create")]).await;
        assert_eq!(counts(&made), [1, 1, 0, 0, 0]);
        let clash = import(&admin, "d.csv", first.as_bytes(), &[("on_duplicate", "create")]).await;
        assert_eq!(counts(&clash), [2, 0, 0, 0, 2], "a number is one customer's alone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_customer_twice_in_a_file_is_made_once_unless_told_otherwise() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text = "名称,手机,备注\n张三,13800138000,一\n张三,13800138000,二\n张三,13800138009,三\n";
        assert_eq!(counts(&import(&admin, "a.csv", text.as_bytes(), &[]).await), [3, 2, 0, 1, 0]);
        let text = text.replace("张三", "李四");
        let changed = import(&admin, "b.csv", text.as_bytes(), &[("on_duplicate", "update")]).await;
        assert_eq!(counts(&changed), [3, 2, 1, 0, 0]);
        assert!(customers(&admin, "").await.iter().any(|c| c["name"] == "李四" && c["remark"] == "二"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_like_the_run_and_writes_nothing() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text = "名称,手机\n张三,13800138000\n张三,13800138000\n李四,x\n王五,13800138001\n";
        let tried = import(&admin, "a.csv", text.as_bytes(), &[("dry_run", "true")]).await;
        assert_eq!(tried["state"], "checked");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&tried), counts(&done));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chinese_encodings_dialects_and_quoted_line_breaks_are_read() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text = "客户名称;备注;邮编\r\n㐂喜酒店;\"第一行\r\n第二行;还是\";010020\r\n";
        let (gb, _, _) = encoding_rs::GB18030.encode(text);
        let done = import(&admin, "gb.csv", &gb, &[]).await;
        assert_eq!(counts(&done), [1, 1, 0, 0, 0]);
        let utf16: Vec<u8> = "\u{feff}名称\t电话\n李明公司\t020-38880000\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(counts(&import(&admin, "u16.txt", &utf16, &[]).await), [1, 1, 0, 0, 0]);
        let bom = "\u{feff}Company Name,Phone\nAcme Ltd,020-38880001\n";
        assert_eq!(counts(&import(&admin, "bom.csv", bom.as_bytes(), &[]).await), [1, 1, 0, 0, 0]);
        let found = customers(&admin, "").await;
        let hotel = found.iter().find(|c| c["name"] == "㐂喜酒店").unwrap();
        assert_eq!(hotel["remark"], "第一行\n第二行;还是");
        assert_eq!(hotel["postcode"], "010020");
    })
    .await;
}

/// Sample files beside the checkout, if they are there.
fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no data at {}", folder.display());
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_the_dialect_collection_is_taken_or_refused_with_a_sentence() {
    let Some(folder) = shared("csv-spectrum/csvs") else { return };
    both(|app| {
        let folder = folder.clone();
        async move {
            let admin = app.administrator().await;
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let answer =
                    send(&admin, &name, &std::fs::read(entry.path()).unwrap(), &[("mapping", "")]).await;
                let status = answer.status.as_u16();
                assert!(matches!(status, 202 | 422), "{name}: {status} {}", answer.text());
                assert!(status == 202 || answer.text().contains("errors"), "{name}");
            }
            jobs::run_all(&app.app).await.unwrap();
            assert_eq!(app.number("SELECT COUNT(*) FROM imports WHERE state <> 'done'").await, 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn address_cards_become_customers() {
    let Some(folder) = shared("vcard") else { return };
    both(|app| {
        let folder = folder.clone();
        async move {
            let admin = app.administrator().await;
            let mut created = 0;
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.ends_with(".vcf") {
                    continue;
                }
                let done = import(
                    &admin,
                    &name,
                    &std::fs::read(entry.path()).unwrap(),
                    &[("on_duplicate", "create")],
                )
                .await;
                assert_eq!(done["state"], "done", "{name} {done}");
                let [read, made, _, _, failed] = counts(&done);
                assert_eq!(read, made + failed, "{name}");
                created += made;
            }
            assert!(created >= 15, "{created}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workbooks_keep_leading_zeros_dates_and_merged_headings() {
    both(|app| async move {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        let plain = rust_xlsxwriter::Format::new();
        let date = rust_xlsxwriter::Format::new().set_num_format("yyyy/m/d");
        sheet.merge_range(0, 0, 1, 0, "客户名称", &plain).unwrap();
        sheet.merge_range(0, 1, 1, 1, "邮政编码", &plain).unwrap();
        sheet.merge_range(0, 2, 0, 3, "联系人", &plain).unwrap();
        sheet.write_string(1, 2, "姓名").unwrap();
        sheet.write_string(1, 3, "电话").unwrap();
        sheet.merge_range(0, 4, 1, 4, "首次接触日期", &plain).unwrap();
        sheet.write_string(2, 0, "塞北牧业公司").unwrap();
        sheet.write_string(2, 1, "010020").unwrap();
        sheet.write_string(2, 2, "巴图").unwrap();
        sheet.write_number(2, 3, 13_800_138_000.0).unwrap();
        sheet
            .write_datetime_with_format(
                2,
                4,
                rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 3, 8).unwrap(),
                &date,
            )
            .unwrap();
        let mut bytes = Cursor::new(Vec::new());
        book.save_to_writer(&mut bytes).unwrap();
        let admin = app.administrator().await;
        let mapping = r#"["name","postcode","contact.name","contact.phone","first_contact_on"]"#;
        let done = import(&admin, "牧业.xlsx", bytes.get_ref(), &[("mapping", mapping)]).await;
        assert_eq!(counts(&done), [1, 1, 0, 0, 0], "{done}");
        let found = customers(&admin, "").await;
        assert_eq!(
            (&found[0]["postcode"], &found[0]["first_contact_on"]),
            (&json!("010020"), &json!("2026-03-08"))
        );
        assert_eq!(app.text("SELECT name || '/' || phone FROM contacts").await, "巴图/13800138000");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_table_is_refused_with_a_sentence_and_leaves_nothing() {
    both(|app| async move {
        let admin = app.administrator().await;
        let wide: String = (0..10_000).map(|n| format!("列{n},")).collect();
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend(std::iter::repeat_n(0x41, 4_000));
        let cases: [(&str, Vec<u8>); 8] = [
            ("空.csv", Vec::new()),
            ("坏.xlsx", zip),
            ("旧.xls", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), vec![0; 600]].concat()),
            ("网页.xls", b"<html><table><tr><td>1</td></tr></table></html>".to_vec()),
            ("图.csv", b"\x89PNG\r\n\x1a\n0000000000".to_vec()),
            ("宽.csv", wide.into_bytes()),
            ("文.pdf", b"%PDF-1.7 nothing".to_vec()),
            ("无.csv", b"\n\n\n".to_vec()),
        ];
        for (name, content) in cases {
            let answer = send(&admin, name, &content, &[]).await;
            assert_eq!(answer.status.as_u16(), 422, "{name} {}", answer.text());
            let body = answer.json();
            let message = body["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.chars().any(|c| c > '\u{4e00}'), "{name}: {body}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM imports").await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM files").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_cells_are_kept_as_text_or_explained() {
    both(|app| async move {
        let admin = app.administrator().await;
        let long = "长".repeat(7_000);
        let text = format!(
            "名称,手机,备注\n=HYPERLINK(\"http://x\"),13800138000,=1+1\n反\u{202e}转公司,13800138001,x\n大公司,13800138002,{long}\n<script>公司,13800138003,\"a\u{0}b\"\n"
        );
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(done["state"], "done");
        let [read, created, _, _, failed] = counts(&done);
        assert_eq!((read, created + failed), (4, 4));
        assert!(failed >= 1, "a cell of 7,000 characters is too long: {done}");
        for customer in customers(&admin, "").await {
            let name = customer["name"].as_str().unwrap();
            assert!(!name.contains('\u{202e}') && !name.contains('\0'), "{name}");
        }
    })
    .await;
}

/// A workbook whose rows all hold the same long text, named once and referred to by every cell. The phone is wrong.
fn repeated(rows: u32, columns: u16, length: usize) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let (sheet, text) = (book.add_worksheet(), "x".repeat(length));
    for column in 0..columns {
        let heading = if column == 0 { "手机".to_owned() } else { format!("列{column}") };
        sheet.write_string(0, column, heading).unwrap();
        for row in 1..=rows {
            sheet.write_string(row, column, &text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// Bytes kept of refused rows at the most, and of them in the database.
const MOST_KEPT: i64 = 32 << 20;
const KEPT: &str =
    "SELECT CAST(COALESCE(SUM(LENGTH(cells) + LENGTH(problems)), 0) AS BIGINT) FROM import_rows";

/// Kilobytes that would be a quarter of a gigabyte of rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_of_endless_repeated_text_is_refused_and_keeps_little() {
    both(|app| async move {
        let admin = app.administrator().await;
        let bomb = repeated(300, 26, 32_000);
        assert!(bomb.len() < 300_000, "{}", bomb.len());
        let done = import(&admin, "大.xlsx", &bomb, &[]).await;
        assert_eq!(done["state"], "failed", "{done}");
        assert!(done["problem"].as_str().unwrap().contains("展开后的文字过多"), "{done}");
        let [read, _, _, _, failed] = counts(&done);
        assert!(0 < read && read == failed && read < 100, "{done}");
        assert!(app.number(KEPT).await <= MOST_KEPT);
        let longest = app.number("SELECT MAX(LENGTH(cells)) FROM import_rows").await;
        assert!(longest <= 26 * 5_010, "no cell is kept longer than the longest field: {longest}");
        assert!(app.text("SELECT MAX(problems) FROM import_rows").await.contains("只保留了前面的部分"));
        let staff = app.staff("li", DataScope::Own).await;
        staff.post_form("/me/language", &[("lang", "en")]).await.expect(303);
        let done = import(&staff, "大.xlsx", &bomb, &[]).await;
        assert!(done["problem"].as_str().unwrap().contains("far more text"), "{done}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_too_many_refused_rows_only_the_numbers_are_kept() {
    both(|app| async move {
        let admin = app.administrator().await;
        let done = import(&admin, "大.xlsx", &repeated(480, 26, 5_000), &[]).await;
        assert_eq!((&done["state"], counts(&done)), (&json!("done"), [480, 0, 0, 0, 480]), "{done}");
        let kept = app.number(KEPT).await;
        assert!((MOST_KEPT / 2..=MOST_KEPT).contains(&kept), "{kept}");
        let without = done["failed_without_cells"].as_i64().unwrap();
        assert!(0 < without && without < 480, "{done}");
        assert_eq!(app.number("SELECT COUNT(*) FROM import_rows WHERE cells = ''").await, without);
        let page = admin.get(&format!("/imports/{}", done["id"].as_str().unwrap())).await.expect(200).text();
        assert!(page.contains(&format!("其中 {without} 行只保留了行号")), "{page}");
        let errors = admin.get(done["errors_url"].as_str().unwrap()).await.expect(200);
        assert_eq!(rows(&errors.body).1.len() as i64, 480 - without, "rows that can be corrected");
        assert!(words(&errors.body).contains("请按行号在原文件中查找"));
    })
    .await;
}

/// The first sheet of a workbook as it is packed.
fn words(workbook: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut all = String::new();
    for part in ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"] {
        if let Ok(mut part) = zip.by_name(part) {
            std::io::Read::read_to_string(&mut part, &mut all).unwrap();
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_fits_no_field_is_cut_in_the_error_file_and_never_taken_for_whole() {
    both(|app| async move {
        let admin = app.administrator().await;
        let long = "长".repeat(6_000);
        let text =
            format!("名称,备注,别的\n甲公司,{long},x\n乙公司,短,{long}\n丙公司,{},x\n", "字".repeat(5_000));
        let mapping = [("mapping", r#"["name","remark",""]"#)];
        let done = import(&admin, "a.csv", text.as_bytes(), &mapping).await;
        assert_eq!(counts(&done), [3, 2, 0, 0, 1], "what is left out may be as long as it likes: {done}");
        let errors = admin.get(done["errors_url"].as_str().unwrap()).await.expect(200);
        let cell = &rows(&errors.body).1[0][1];
        assert!(cell.chars().count() == 5_001 && cell.ends_with('…'));
        assert!(words(&errors.body).contains("内容超过 5000 个字，请缩短"));
        let again = import(&admin, "b.xlsx", &errors.body, &mapping).await;
        assert_eq!(counts(&again), [1, 0, 0, 0, 1], "still refused: {again}");
    })
    .await;
}

/// What an import writes and hands out follows the language of the one who imports.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_reads_english_gets_english_and_is_understood() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        li.post_form("/me/language", &[("lang", "en")]).await.expect(303);
        let (header, _) = rows(&li.get("/imports/template.xlsx").await.expect(200).body);
        assert_eq!(header.sheet.as_deref(), Some("Customers"));
        let is_chinese = |text: &str| text.chars().any(|c| c > '\u{2e7f}');
        assert!(!header.columns.iter().any(|heading| is_chinese(heading)), "{:?}", header.columns);
        let values = |phone: &str| {
            let value = |heading: &String| match heading.as_str() {
                "Customer name" => "Acme Ltd".to_owned(),
                "Kind" => "Organisation".to_owned(),
                "Contact's phone" => format!("13800138000;{phone}"),
                "Contacts" => "Mr Li".to_owned(),
                "Phone" => phone.to_owned(),
                _ => String::new(),
            };
            header.columns.iter().map(value).collect::<Vec<_>>().join(",")
        };
        let text = format!("{}\n{}\n{}\n", header.columns.join(","), values("13900139000"), values("x"));
        let done = import(&li, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [2, 1, 0, 0, 1], "{done}");
        assert!(done["mapping"].as_array().unwrap().iter().all(|m| m != ""), "every column is known: {done}");
        assert_eq!(app.text("SELECT remark FROM customers").await, "Contact's phone: 13900139000");
        let errors = li.get(&format!("/imports/{}/errors", done["id"].as_str().unwrap())).await.expect(200);
        let said = words(&errors.body);
        for word in ["Reason refused", "Original row", "To correct", "Phone: "] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(rows(&errors.body).0.is_error_file);
        let again = import(&li, "b.xlsx", &errors.body, &[]).await;
        assert_eq!(counts(&again), [1, 0, 0, 0, 1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_made_from_an_older_template_is_told_so_and_taken() {
    both(|app| async move {
        let admin = app.administrator().await;
        let titles = ["客户名称".to_owned(), "旧列".to_owned()];
        let words = sheets::write::ErrorWords {
            sheet: "客户".into(),
            headings: sheets::read::ERROR_HEADINGS[0],
            colon: "：".into(),
            semicolon: "；".into(),
        };
        let mut book = sheets::write::ErrorFile::new(&titles, Some("kehu-customers/1"), words).unwrap();
        book.push(2, &["甲公司".to_owned(), "x".to_owned()], &[]).unwrap();
        let mut bytes = Cursor::new(Vec::new());
        book.finish(&mut bytes).unwrap();
        let path = admin.upload("/imports", &[], "旧.xlsx", bytes.get_ref()).await.expect(303);
        let path = path.header("location").to_owned();
        let columns = [("mapping.0", "name"), ("mapping.1", "")];
        let shown = admin.get(&path).await.expect(200).text();
        admin.post_form(&format!("{path}/check"), &columns).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        for page in [shown, admin.get(&path).await.expect(200).text()] {
            for said in ["旧版模板", "现在的模板已没有这些列：旧列", "统一社会信用代码"]
            {
                assert!(page.contains(said), "{said}: {page}");
            }
        }
        admin.post_form(&format!("{path}/run"), &[]).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_stopped_anywhere_goes_on_without_losing_or_doubling_a_row() {
    both(|app| async move {
        let admin = app.administrator().await;
        let sent = send(&admin, "大.csv", table(3_000).as_bytes(), &[]).await.expect(202).json();
        for pause in [60, 120, 240] {
            let running = jobs::start(&app.app);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            running.stop().await;
        }
        jobs::run_all(&app.app).await.unwrap();
        let done = outcome(&admin, &sent).await;
        assert_eq!(done["state"], "done", "{done}");
        assert_eq!(counts(&done), [3_000, 2_970, 0, 0, 30]);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 2_970);
        assert_eq!(app.number("SELECT COUNT(*) FROM import_rows").await, 3_000);
        assert_eq!(app.number("SELECT COUNT(*) FROM (SELECT DISTINCT phone FROM customers) d").await, 2_970);
    })
    .await;
}

pub(crate) fn kehu(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kehu"));
    command.args(arguments).arg("--data").arg(data).env_remove("KEHU_DATABASE").env_remove("KEHU_DATA");
    command
}

#[test]
fn a_killed_command_goes_on_where_it_stopped_when_it_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("客户.csv"));
    std::fs::write(&file, table(6_000)).unwrap();
    let file = file.to_str().unwrap();
    assert!(kehu(&data, &["db", "migrate"]).stdout(Stdio::null()).status().unwrap().success());
    let location = store::Location::Sqlite(data.join("kehu.sqlite"));
    let options = store::Options { readers: 1, writers: 1, queue: 16, ..store::Options::default() };
    let db = store::Db::open(&location, &options).unwrap();
    let count = |sql: &'static str| {
        db.read_blocking::<i64, store::Error, _>(move |conn| conn.count(sql, &[])).unwrap()
    };

    let mut first = kehu(&data, &["import", "customers", file])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while first.try_wait().unwrap().is_none() && count("SELECT COUNT(*) FROM customers") < 600 {
        std::thread::sleep(Duration::from_millis(5));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let half = count("SELECT COUNT(*) FROM customers");
    assert!((600..5_940).contains(&half), "killed in the middle: {half}");

    let errors = folder.path().join("错误.xlsx");
    let second =
        kehu(&data, &["import", "customers", file, "--errors", errors.to_str().unwrap()]).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", String::from_utf8_lossy(&second.stderr));
    let said = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(said.contains("读取 6000，新建 5940，更新 0，跳过 0，失败 60"), "{said}");
    assert_eq!(count("SELECT COUNT(*) FROM customers"), 5_940);
    assert_eq!(count("SELECT COUNT(*) FROM imports"), 1);
    assert_eq!(rows(&std::fs::read(&errors).unwrap()).1.len(), 60);

    assert_eq!(count("SELECT COUNT(*) FROM audit_log WHERE action = 'import.started'"), 1);
    assert_eq!(count("SELECT COUNT(*) FROM audit_log WHERE action = 'import.errors_exported'"), 1);

    let tried = folder.path().join("检查.xlsx");
    let again = kehu(&data, &["import", "customers", file, "--dry-run", "--errors", tried.to_str().unwrap()])
        .output()
        .unwrap();
    let (header, bad) = rows(&std::fs::read(&tried).unwrap());
    assert!(header.is_error_file && bad.len() == 60 && bad.iter().all(|row| row[1] == "打不通"));
    assert_eq!(count("SELECT COUNT(*) FROM audit_log WHERE action = 'import.errors_exported'"), 2);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("新建 0，更新 0，跳过 5940，失败 60"), "{said}");
    let wrong = kehu(&data, &["import", "customers", file, "--on-duplicate", "maybe"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));

    let out = folder.path().join("导出.csv");
    let exported = kehu(&data, &["export", "customers", out.to_str().unwrap()]).output().unwrap();
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 5_941);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_import_is_taken_back_but_not_what_people_did_since() {
    both(|app| async move {
        let admin = app.administrator().await;
        let before = "客户编号,名称,备注\nA1,旧公司,旧的\nA2,旧二公司,旧的\n";
        import(&admin, "a.csv", before.as_bytes(), &[]).await;
        let text = "客户编号,名称,备注\nA1,旧公司,新的\nA2,旧二公司,新的\nB1,新公司,一\nB2,新二公司,一\nB2,新二公司,二\n";
        let done = import(&admin, "b.csv", text.as_bytes(), &[("on_duplicate", "update")]).await;
        assert_eq!(counts(&done), [5, 2, 3, 0, 0]);
        let found = customers(&admin, "").await;
        let touched = found.iter().find(|c| c["number"] == "B1").unwrap();
        let path = format!("/api/v1/customers/{}", touched["id"].as_str().unwrap());
        let program = admin.with_token().await;
        let version = touched["version"].to_string();
        program.json_with("PATCH", &path, json!({"remark": "人改过"}), &[("if-match", &format!("\"{version}\""))]).await.expect(200);
        let undo = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
        program.json("POST", &undo, json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(outcome(&admin, &done).await["state"], "undone");
        let left = customers(&admin, "").await;
        let told: Vec<(&str, &str)> =
            left.iter().map(|c| (c["number"].as_str().unwrap(), c["remark"].as_str().unwrap())).collect();
        assert_eq!(told, [("A1", "旧的"), ("A2", "旧的"), ("B1", "人改过")]);
        program.json("POST", &undo, json!({})).await.expect(409);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_added_to_customers_go_back_with_the_import_unless_they_were_used() {
    both(|app| async move {
        let admin = app.administrator().await;
        let before = "客户编号,名称,联系人,联系人电话\nA1,甲公司,陈一,13800000001\nA2,乙公司,,\nA3,丙公司,,\nA4,丁公司,,\n";
        import(&admin, "a.csv", before.as_bytes(), &[]).await;
        let text = "客户编号,名称,联系人,联系人电话\nA1,甲公司,吴二,13800000002\nA2,乙公司,郑三,13800000003\n\
                    A3,丙公司,王四,13800000004\nA4,丁公司,孙五,13800000005\nB1,新公司,,\nB1,新公司,周六,13800000006\n";
        let done = import(&admin, "b.csv", text.as_bytes(), &[("on_duplicate", "update")]).await;
        assert_eq!(counts(&done), [6, 1, 5, 0, 0]);
        let program = admin.with_token().await;
        let contacts = async || {
            let all = program.get("/api/v1/contacts").await.expect(200).json()["items"].clone();
            let mut all = all.as_array().unwrap().clone();
            all.sort_by_key(|c| c["name"].as_str().unwrap().to_owned());
            all
        };
        let find = |all: &[Json], name: &str| all.iter().find(|c| c["name"] == name).unwrap().clone();
        let all = contacts().await;
        assert_eq!(all.len(), 6);
        // One was changed since, with one somebody spoke.
        let wang = find(&all, "王四");
        let path = format!("/api/v1/contacts/{}", wang["id"].as_str().unwrap());
        let title = json!({ "title": "经理" });
        program.json_with("PATCH", &path, title, &[("if-match", "\"1\"")]).await.expect(200);
        let sun = find(&all, "孙五");
        let call = json!({
            "customer_id": sun["customer_id"], "contact_id": sun["id"], "kind": "call", "subject": "来电", "body": "问价",
        });
        program.json("POST", "/api/v1/activities", call).await.expect(201);
        let undo = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
        program.json("POST", &undo, json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        let left = contacts().await;
        let mut names: Vec<&str> = left.iter().map(|c| c["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        let mut expected = ["孙五", "王四", "陈一"];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(find(&left, "陈一")["is_primary"], true);
        assert!(customers(&admin, "").await.iter().all(|c| c["number"] != "B1"), "the new customer is gone");
        let log = app.text("SELECT after FROM audit_log WHERE action = 'import.undone'").await;
        let log: Json = serde_json::from_str(&log).unwrap();
        assert_eq!((&log["contacts"], &log["contacts_kept"]), (&json!(3), &json!(2)), "{log}");
        let shown = program.get(&undo.replace("/undo", "")).await.expect(200).json();
        assert_eq!(shown["undo"], log, "{shown}");
        let page = admin.get(&format!("/imports/{}", done["id"].as_str().unwrap())).await.expect(200).text();
        assert!(page.contains("新增的 3 位联系人已收回") && page.contains("有 2 位新增的联系人"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staff_members_import_is_his_own_and_nobody_elses_business() {
    both(|app| async move {
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let done =
            import(&li, "a.csv", "名称,负责人\n甲公司,li\n乙公司,\n丙公司,wang\n".as_bytes(), &[]).await;
        assert_eq!(counts(&done), [3, 2, 0, 0, 1], "only administrators give customers to others");
        assert_eq!(customers(&li, "").await.len(), 2);
        assert_eq!(customers(&wang, "").await.len(), 0);
        let id = done["id"].as_str().unwrap();
        for path in ["", "/errors"] {
            wang.with_token().await.get(&format!("/api/v1/imports/{id}{path}")).await.expect(404);
            wang.get(&format!("/imports/{id}{path}")).await.expect(404);
        }
        wang.post_form(&format!("/imports/{id}/undo"), &[]).await.expect(404);
        let admin = app.administrator().await;
        admin.get(&format!("/imports/{id}")).await.expect(200);
        let list = wang.with_token().await.get("/api/v1/imports").await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 0);
        let other = import(&admin, "b.csv", "名称,负责人\n丁公司,wang\n".as_bytes(), &[]).await;
        assert_eq!(counts(&other), [1, 1, 0, 0, 0]);
        assert_eq!(customers(&wang, "").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_filled_in_comes_in_whole() {
    both(|app| async move {
        let admin = app.administrator().await;
        let answer = admin.get("/imports/template.xlsx").await.expect(200);
        let (header, given) = rows(&answer.body);
        assert!(header.stamp.is_some_and(|s| s.starts_with("kehu-customers/")));
        assert!(given.is_empty());
        let mut columns = header.columns.clone();
        let values = columns.iter().map(|c| match c.as_str() {
            "客户性质" => "企业",
            "客户名称" => "模板公司",
            "所在地区" => "广东省广州市天河区",
            "联系电话" => "020-38880000",
            "联系人" => "李经理",
            "标签" => "展会,重点",
            _ => "",
        });
        let line = values.map(|v| format!("\"{v}\"")).collect::<Vec<_>>().join(",");
        columns.iter_mut().for_each(|c| *c = format!("\"{c}\""));
        let text = format!("{}\n{line}\n", columns.join(","));
        let done = import(&admin, "模板.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [1, 1, 0, 0, 0], "{done}");
        assert!(done["mapping"].as_array().unwrap().iter().all(|m| m != ""), "every column is known: {done}");
        let one = &customers(&admin, "").await[0];
        assert_eq!(one["tags"], json!(["展会", "重点"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wizard_leads_from_upload_over_columns_and_check_to_the_result() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        li.get("/imports").await.expect(200);
        li.get("/imports/new").await.expect(200);
        let text = "公司抬头,手机,奇怪的列\n甲公司,13800138000,x\n乙公司,abc,y\n";
        let answer = li.upload("/imports", &[], "名单.csv", text.as_bytes()).await.expect(303);
        let path = answer.header("location").to_owned();
        let page = li.get(&path).await.expect(200).text();
        assert!(page.contains("公司抬头") && page.contains("甲公司"));
        let check = format!("{path}/check");
        let columns = [("mapping.0", ""), ("mapping.1", "remark"), ("mapping.2", "remark")];
        let refused = li.post_form(&check, &columns).await.expect(422).text();
        assert!(refused.contains("已对应另一列"), "{refused}");
        let columns =
            [("mapping.0", "name"), ("mapping.1", "phone"), ("mapping.2", "note"), ("on_duplicate", "skip")];
        li.post_form(&check, &columns).await.expect(303);
        let noted = "SELECT before || after FROM audit_log WHERE action = 'import.configured'";
        let noted = app.text(noted).await;
        assert!(
            noted.contains("[\"\",\"phone\",\"\"]") && noted.contains("[\"name\",\"phone\",\"note\"]"),
            "{noted}"
        );
        assert!(li.get(&path).await.expect(200).text().contains("正在检查"));
        li.get_part(&format!("{path}/progress")).await.expect(200);
        jobs::run_all(&app.app).await.unwrap();
        let preview = li.get(&path).await.expect(200).text();
        assert!(preview.contains("跳过有误的 1 行"), "{preview}");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
        li.post_form(&format!("{path}/run"), &[]).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        let result = li.get(&path).await.expect(200).text();
        assert!(result.contains("下载错误文件"));
        assert_eq!(app.text("SELECT remark FROM customers").await, "奇怪的列：x");
        let next = li.upload("/imports", &[], "名单2.csv", "公司抬头\n丙公司\n".as_bytes()).await.expect(303);
        let page = li.get(next.header("location")).await.expect(200).text();
        assert!(page.contains("<option value=\"name\" selected>"), "the column is remembered");
        let wrong = li.upload("/imports", &[], "x.pdf", b"%PDF-1.7").await.expect(422).text();
        assert!(wrong.contains("不能导入"), "{wrong}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cancelled_keeps_what_was_written_and_says_so() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let sent = send(&admin, "a.csv", table(500).as_bytes(), &[]).await.expect(202).json();
        let path = format!("/api/v1/imports/{}/cancel", sent["id"].as_str().unwrap());
        program.json("POST", &path, json!({})).await.expect(200);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(outcome(&admin, &sent).await["state"], "cancelled", "before its first row");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
        program.json("POST", &path, json!({})).await.expect(409);

        const ROWS: i64 = 20_000;
        let sent = send(&admin, "b.csv", table(ROWS as usize).as_bytes(), &[]).await.expect(202).json();
        let path = format!("/api/v1/imports/{}/cancel", sent["id"].as_str().unwrap());
        let running = jobs::start(&app.app);
        while app.number("SELECT COUNT(*) FROM customers").await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        program.json("POST", &path, json!({})).await.expect(200);
        let is_over = "SELECT COUNT(*) FROM imports WHERE state = 'running'";
        while app.number(is_over).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        running.stop().await;
        let ended = outcome(&admin, &sent).await;
        assert_eq!(ended["state"], "cancelled", "{ended}");
        let [read, created, updated, skipped, failed] = counts(&ended);
        assert!(0 < read && read < ROWS, "stopped midway: {ended}");
        assert_eq!((updated, skipped, created + failed), (0, 0, read), "{ended}");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, created, "what was written stays");
        assert_eq!(app.number("SELECT COUNT(*) FROM import_rows").await, read);
        assert_eq!(app.number("SELECT COUNT(*) FROM import_rows WHERE outcome = 'failed'").await, failed);
        program.json("POST", &path, json!({})).await.expect(409);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_what_is_wrong() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text = b"name\nx\n";
        for (field, value) in [
            ("on_duplicate", "maybe"),
            ("match_on", "hair"),
            ("mapping", "[1]"),
            ("mapping", "[\"name\",\"phone\"]"),
            ("object", "cars"),
            ("dry_run", "perhaps"),
        ] {
            let body = send(&admin, "a.csv", text, &[(field, value)]).await.expect(422).json();
            assert_eq!(body["errors"][0]["field"], field, "{body}");
        }
        let program = admin.with_token().await;
        program.json("POST", "/api/v1/imports", json!({})).await.expect(415);
        program.get("/api/v1/imports/nonsense").await.expect(404);
        program.get("/api/v1/imports?limit=0").await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM imports").await, 0);
    })
    .await;
}

/// A measure: run by hand with `--ignored` in a release build.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "100,000 rows"]
async fn a_hundred_thousand_rows() {
    both(|app| async move {
        let admin = app.administrator().await;
        let began = std::time::Instant::now();
        let text = table(100_000);
        let done = import(&admin, "十万.csv", text.as_bytes(), &[]).await;
        println!("{:?} {done}", began.elapsed());
        assert_eq!(counts(&done), [100_000, 99_000, 0, 0, 1_000]);
    })
    .await;
}

#[tokio::test]
async fn an_import_sent_twice_under_one_key_is_made_once() {
    both(|app| async move {
        let client = app.administrator().await.with_token().await;
        let text = "客户名称\n甲公司\n".as_bytes();
        let send = |name: &'static str| client.upload_once("/api/v1/imports", &[], name, text, "k-1");
        let first = send("名单.csv").await.expect(202).json();
        let again = send("名单.csv").await.expect(202).json();
        assert_eq!(first["id"], again["id"]);
        assert_eq!(app.number("SELECT COUNT(*) FROM imports").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM files").await, 1);
        send("另一份.csv").await.expect(422);
    })
    .await;
}

async fn leaves(client: &Client<'_>) {
    let id = client.person_id;
    let leave = move |tx: &mut store::Tx<'_>| {
        tx.exec("UPDATE people SET is_active = FALSE WHERE id = $1", &[id.into()])
    };
    client.app.app.db.write(leave).await.unwrap();
    client.app.app.forget_sessions();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_takes_back_the_import_of_somebody_who_has_left() {
    both(|app| async move {
        let (admin, li) = (app.administrator().await, app.staff("li", DataScope::Own).await);
        let done = import(&li, "a.csv", "名称\n甲公司\n乙公司\n".as_bytes(), &[]).await;
        leaves(&li).await;
        let undo = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
        admin.with_token().await.json("POST", &undo, json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(outcome(&admin, &done).await["state"], "undone");
        assert_eq!(customers(&admin, "").await.len(), 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM jobs WHERE state <> 'done'").await, 0);
        let who = "SELECT actor_name FROM audit_log WHERE action = 'import.undone'";
        assert_eq!(app.text(who).await, "赵管理");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_whose_asker_has_left_ends_at_once_and_another_one_can_ask_again() {
    both(|app| async move {
        let (admin, li) = (app.administrator().await, app.staff("li", DataScope::Own).await);
        let done = import(&li, "a.csv", "名称\n甲公司\n乙公司\n".as_bytes(), &[]).await;
        let undo = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
        li.with_token().await.json("POST", &undo, json!({})).await.expect(202);
        leaves(&li).await;
        jobs::run_all(&app.app).await.unwrap();
        let ended = outcome(&admin, &done).await;
        assert_eq!(ended["state"], "failed");
        assert!(ended["problem"].as_str().unwrap().contains("要求撤销的人已停用"), "{ended}");
        assert_eq!(app.number("SELECT attempts FROM jobs WHERE kind = 'import.undo'").await, 1);
        let noted = "SELECT result || after FROM audit_log WHERE action = 'import.failed'";
        let noted = app.text(noted).await;
        assert!(noted.starts_with("failed") && noted.contains("要求撤销的人已停用"), "{noted}");
        assert_eq!(app.text("SELECT state FROM jobs WHERE kind = 'import.undo'").await, "dead");
        let page = admin.get(&format!("/imports/{}", done["id"].as_str().unwrap())).await.expect(200).text();
        assert!(page.contains("没有撤销完") && !page.contains("没有导入完"), "{page}");
        admin.with_token().await.json("POST", &undo, json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(outcome(&admin, &done).await["state"], "undone");
        assert_eq!(customers(&admin, "").await.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_in_a_file_never_stop_the_series() {
    both(|app| async move {
        let admin = app.administrator().await;
        let text =
            "客户编号,名称\nKH999999999999999,甲公司\nKH700000,乙公司\n,丙公司\nKH20240115001,丁公司\n";
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [4, 3, 0, 0, 1], "{done}");
        let number = async |name: &str| {
            let all = customers(&admin, "").await;
            all.iter().find(|c| c["name"] == name).unwrap()["number"].as_str().unwrap().to_owned()
        };
        assert_eq!(number("丙公司").await, "KH700001");
        let near = |tx: &mut store::Tx<'_>| {
            tx.exec("DELETE FROM number_blocks", &[])?;
            tx.exec("UPDATE number_series SET next = 20240114999 WHERE name = 'customer'", &[])
        };
        app.app.db.write(near).await.unwrap();
        let done = import(&admin, "b.csv", "名称\n一公司\n二公司\n三公司\n".as_bytes(), &[]).await;
        assert_eq!(counts(&done), [3, 3, 0, 0, 0], "{done}");
        assert!(number("一公司").await.as_str() > "KH20240115001");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_in_one_form_are_refused_and_neither_is_imported() {
    both(|app| async move {
        let admin = app.administrator().await;
        let part = |name: &str| {
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n名称\n公司\n\r\n"
            )
        };
        let body = format!("{}{}--b--\r\n", part("a.csv"), part("b.csv"));
        for (client, path) in [(admin.with_token().await, "/api/v1/imports"), (admin.clone(), "/imports")] {
            let request = client.request("POST", path).header("content-type", "multipart/form-data; boundary=b");
            let refused = app.send(request.body(axum::body::Body::from(body.clone())).unwrap()).await.expect(422);
            assert!(refused.text().contains("一次只能导入一个文件"), "{}", refused.text());
            if path.starts_with("/api") {
                assert_eq!(refused.json()["errors"][0]["field"], "file");
            }
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM imports").await, 0);
    })
    .await;
}
