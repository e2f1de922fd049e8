//! Which table of a file is imported, what merged cells mean, what a row that is skipped met, and what an ID number says
//! of its holder.

use std::io::Cursor;

use kehu::jobs;
use rust_xlsxwriter::{Format, Workbook};
use serde_json::json;

use crate::app::DataScope;
use crate::both;
use crate::imports::{counts, customers, import, kehu};

fn bytes_of(book: &mut Workbook) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    book.save_to_writer(&mut bytes).unwrap();
    bytes.into_inner()
}

/// A first sheet about something else, and a second whose headings stand below a table of their own.
fn two_sheets() -> Vec<u8> {
    let mut book = Workbook::new();
    let first = book.add_worksheet().set_name("说明").unwrap();
    for (row, words) in [["项目", "内容"], ["填表人", "张三"]].into_iter().enumerate() {
        first.write_row(u32::try_from(row).unwrap(), 0, words).unwrap();
    }
    let second = book.add_worksheet().set_name("客户").unwrap();
    for (row, words) in
        [["制表部门", "销售部"], ["核对人", "李四"], ["客户名称", "联系电话"], ["甲公司", "13800138000"]]
            .into_iter()
            .enumerate()
    {
        second.write_row(u32::try_from(row).unwrap(), 0, words).unwrap();
    }
    bytes_of(&mut book)
}

// covers: CI-02
#[tokio::test(flavor = "multi_thread")]
async fn the_sheet_and_the_row_of_the_headings_can_be_chosen() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let answer = li.upload("/imports", &[], "名单.xlsx", &two_sheets()).await.expect(303);
        let path = answer.header("location").to_owned();
        let page = li.get(&path).await.expect(200).text();
        assert!(
            page.contains("工作表") && page.contains("自动识别：第 1 行") && page.contains("填表人"),
            "{page}"
        );

        let table = format!("{path}/table");
        let refused = li.post_form(&table, &[("sheet", "没有"), ("header_row", "")]).await.expect(422).text();
        assert!(refused.contains("文件里没有名为“没有”的工作表"), "{refused}");
        let refused =
            li.post_form(&table, &[("sheet", "客户"), ("header_row", "99")]).await.expect(422).text();
        assert!(refused.contains("第 99 行及以下没有内容"), "{refused}");
        for wrong in ["0", "-1", "一", "1048577"] {
            let refused = li.post_form(&table, &[("sheet", "客户"), ("header_row", wrong)]).await.expect(422);
            assert!(refused.text().contains("1 到 1048576 的整数"), "{wrong}");
        }
        wang.post_form(&table, &[("sheet", "客户"), ("header_row", "3")]).await.expect(404);
        assert!(li.get(&path).await.expect(200).text().contains("填表人"), "as it was");

        li.post_form(&table, &[("sheet", "客户"), ("header_row", "3")]).await.expect(303);
        let page = li.get(&path).await.expect(200).text();
        assert!(page.contains("客户名称") && page.contains("甲公司") && !page.contains("填表人"), "{page}");
        assert!(page.contains("<option value=\"name\" selected>"), "guessed anew: {page}");
        let noted = "SELECT after FROM audit_log WHERE action = 'import.configured'";
        assert!(app.text(noted).await.contains("\"header_row\":3"));

        let columns = [("mapping.0", "name"), ("mapping.1", "phone"), ("on_duplicate", "skip")];
        let run = format!("{path}/run");
        li.post_form(&run, &[]).await.expect(409);
        li.post_form(&format!("{path}/check"), &columns).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        let page = li.get(&path).await.expect(200).text();
        let version =
            page.split("name=\"version\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        li.post_form(&run, &[("version", "1")]).await.expect(409);
        li.post_form(&run, &[("version", version)]).await.expect(303);
        li.post_form(&table, &[("sheet", "说明"), ("header_row", "")]).await.expect(409);
        jobs::run_all(&app.app).await.unwrap();
        let found = customers(&app.administrator().await, "").await;
        assert_eq!((found.len(), &found[0]["name"]), (1, &json!("甲公司")), "{found:?}");

        let fields = [("sheet", "客户"), ("header_row", "3"), ("on_duplicate", "create")];
        let done = import(&li, "名单.xlsx", &two_sheets(), &fields).await;
        assert_eq!(counts(&done), [1, 1, 0, 0, 0], "{done}");
        assert_eq!((&done["sheet"], &done["header_row"]), (&json!("客户"), &json!(3)));
        assert_eq!(done["sheets"], json!(["说明", "客户"]));
        let token = li.with_token().await;
        let wrong = token.upload("/api/v1/imports", &[("sheet", "无")], "a.xlsx", &two_sheets()).await;
        assert_eq!(wrong.expect(422).json()["errors"][0]["field"], "sheet");
    })
    .await;
}

#[test]
fn the_command_takes_the_sheet_and_the_row_too() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("名单.xlsx"));
    std::fs::write(&file, two_sheets()).unwrap();
    assert!(kehu(&data, &["db", "migrate"]).output().unwrap().status.success());
    let file = file.to_str().unwrap();
    let wrong = kehu(&data, &["import", "customers", file, "--sheet", "无"]).output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("文件里没有名为“无”的工作表"), "{said}");
    let done =
        kehu(&data, &["import", "customers", file, "--sheet", "客户", "--header-row", "3"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("新建 1，"), "{said}{}", String::from_utf8_lossy(&done.stderr));
}

// covers: CI-02
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_merged_over_the_rows_of_his_contacts_keeps_all_of_them() {
    both(|app| async move {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_row(0, 0, ["客户名称", "联系人", "联系人电话"]).unwrap();
        sheet.merge_range(1, 0, 3, 0, "天江公司", &Format::new()).unwrap();
        for (row, name, phone) in
            [(1, "张三", "13800138001"), (2, "李四", "13800138002"), (3, "王五", "13800138003")]
        {
            sheet.write_row(row, 1, [name, phone]).unwrap();
        }
        let admin = app.administrator().await;
        let done = import(&admin, "合并.xlsx", &bytes_of(&mut book), &[("on_duplicate", "update")]).await;
        assert_eq!(counts(&done), [3, 1, 2, 0, 0], "{done}");
        assert_eq!(done["doubtful"], 2, "{done}");
        let said = &done["doubts"]["rows"][0]["reasons"][0];
        assert_eq!(said["message"], "与第 2 行合并的单元格，按那一行的内容填写", "{done}");
        assert_eq!(app.number("SELECT COUNT(*) FROM contacts").await, 3);
    })
    .await;
}

// covers: CI-03
#[tokio::test(flavor = "multi_thread")]
async fn skipped_rows_name_the_customers_they_met_to_those_who_may_see_them() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let mine = li.with_token().await;
        let own = json!({ "kind": "organisation", "name": "乙公司" });
        mine.json("POST", "/api/v1/customers", own).await.expect(201);
        let mut text = String::from("客户名称,联系电话\n");
        for i in 0..60 {
            text.push_str(&format!("第{i}号公司,138000{i:05}\n"));
        }
        import(&li, "a.csv", text.as_bytes(), &[]).await;
        let again = import(&li, "a.csv", format!("{text}乙公司,\n新公司,\n").as_bytes(), &[]).await;
        assert_eq!(counts(&again), [62, 1, 0, 61, 0], "{again}");
        let id = again["id"].as_str().unwrap();

        let rows = format!("/api/v1/imports/{id}/rows?outcome=skipped");
        let first = mine.get(&rows).await.expect(200).json();
        assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][0]["row"]), (50, &json!(2)));
        let next = first["next"].as_str().unwrap();
        let rest = mine.get(&format!("{rows}&after={next}")).await.expect(200).json();
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (11, &json!(null)));
        assert!(rest["items"][10]["customer_id"].is_string(), "{rest}");
        mine.get(&format!("/api/v1/imports/{id}/rows?outcome=lost")).await.expect(422);
        mine.get(&format!("{rows}&after=x")).await.expect(422);
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        wang.get(&rows).await.expect(404);

        let page = li.get(&format!("/imports/{id}")).await.expect(200).text();
        assert!(
            page.contains("跳过的行") && page.contains("第0号公司") && !page.contains("乙公司"),
            "{page}"
        );
        let page = li.get(&format!("/imports/{id}?skipped={next}")).await.expect(200).text();
        assert!(page.contains("乙公司") && !page.contains("第0号公司"), "{page}");
    })
    .await;
}

// covers: CI-03
#[tokio::test(flavor = "multi_thread")]
async fn an_id_number_fills_in_what_it_holds_and_a_contradiction_is_a_doubt() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let person = json!({ "kind": "person", "name": "王敏", "id_number": "11010519491231002X" });
        let made = admin.json("POST", "/api/v1/customers", person).await.expect(201).json();
        assert_eq!((&made["birthday"], &made["gender"]), (&json!("1949-12-31"), &json!("female")), "{made}");
        let said = json!({
            "kind": "person", "name": "张三", "id_number": "110101199003070716", "birthday": "1990-04-01",
        });
        let made = admin.json("POST", "/api/v1/customers", said).await.expect(201).json();
        assert_eq!((&made["birthday"], &made["gender"]), (&json!("1990-04-01"), &json!("male")), "{made}");
        let future = json!({ "kind": "person", "name": "未来", "birthday": "2099-01-01" });
        let refused = admin.json("POST", "/api/v1/customers", future).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "birthday", "{refused}");

        let future = json!({ "kind": "person", "name": "未来", "id_number": "440106202701011230" });
        let refused = admin.json("POST", "/api/v1/customers", future).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "id_number", "{refused}");
        // Another number takes what the one before held with it, and leaves what somebody said.
        let etag = |made: &serde_json::Value| made["version"].to_string();
        let wang = json!({ "kind": "person", "name": "王五", "id_number": "110101199003070716" });
        let made = admin.json("POST", "/api/v1/customers", wang).await.expect(201).json();
        let path = format!("/api/v1/customers/{}", made["id"].as_str().unwrap());
        let other = json!({ "id_number": "11010519491231002X" });
        let changed =
            admin.json_with("PATCH", &path, other, &[("if-match", &etag(&made))]).await.expect(200).json();
        assert_eq!((&changed["birthday"], &changed["gender"]), (&json!("1949-12-31"), &json!("female")));

        let text = "客户名称,身份证号,出生日期,性别\n李四,110101199003070716,1991-03-07,女\n";
        let again = [("on_duplicate", "create")];
        let done = import(&app.administrator().await, "a.csv", text.as_bytes(), &again).await;
        assert_eq!((counts(&done), &done["doubtful"]), ([1, 1, 0, 0, 0], &json!(1)), "{done}");
        let reasons = done["doubts"]["rows"][0]["reasons"].as_array().unwrap();
        let words: Vec<&str> = reasons.iter().filter_map(|r| r["message"].as_str()).collect();
        assert_eq!(
            words,
            ["与身份证号里的出生日期 1990-03-07 不一致，请核对", "与身份证号里的性别不一致，请核对"]
        );
        assert_eq!(app.text("SELECT birthday FROM customers WHERE name = '李四'").await, "1991-03-07");
    })
    .await;
}
