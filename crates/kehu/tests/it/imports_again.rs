//! Importing, taking back, importing again: numbers of customers that are gone are free, and the check says beforehand
//! what the import will do.

use std::collections::BTreeSet;

use kehu::jobs;
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::cases::{enact, post, unit, welcome};
use crate::imports::{counts, customers, import, outcome};
use crate::{Client, both};

const LIST: &str =
    "客户编号,客户名称,手机\nA001,甲公司,13800138000\nA002,乙公司,13800138001\n,丙公司,13800138002\n";

async fn take_back(client: &Client<'_>, done: &Json) {
    let undo = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
    client.with_token().await.json("POST", &undo, json!({})).await.expect(202);
    jobs::run_all(&client.app.app).await.unwrap();
    assert_eq!(outcome(client, done).await["state"], "undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_numbers_that_was_taken_back_comes_in_again() {
    both(|app| async move {
        let admin = app.administrator().await;
        for _ in 0..3 {
            let tried = import(&admin, "a.csv", LIST.as_bytes(), &[("dry_run", "true")]).await;
            assert_eq!(counts(&tried), [3, 3, 0, 0, 0]);
            let done = import(&admin, "a.csv", LIST.as_bytes(), &[]).await;
            assert_eq!(counts(&done), [3, 3, 0, 0, 0], "{done}");
            take_back(&admin, &done).await;
            assert_eq!(customers(&admin, "").await.len(), 0);
        }
        let corrected = LIST.replace("甲公司", "甲公司（改正）");
        assert_eq!(counts(&import(&admin, "a.csv", corrected.as_bytes(), &[]).await), [3, 3, 0, 0, 0]);
        let names: Vec<Json> = customers(&admin, "").await.iter().map(|c| c["name"].clone()).collect();
        assert!(names.contains(&json!("甲公司（改正）")), "{names:?}");
    })
    .await;
}

/// Whatever somebody did about a customer keeps it, of each kind alone; only the one nobody touched goes.
#[tokio::test(flavor = "multi_thread")]
async fn customers_people_worked_on_stay_when_their_import_is_taken_back() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let office = unit(&program, "业务部", "department", None).await;
        post(&program, &li, &office, "sales_staff").await;
        let names = ["单据公司", "任务公司", "共享公司", "回避公司", "分类公司", "没人公司"];
        let text = format!("客户名称,负责人\n{}", names.map(|name| format!("{name},li\n")).concat());
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [6, 6, 0, 0, 0], "{done}");
        let made = customers(&admin, "").await;
        let of = |name: &str| made.iter().find(|c| c["name"] == name).unwrap()["id"].clone();
        let path = |name: &str| format!("/customers/{}", of(name).as_str().unwrap());
        app.app.clock.advance(1_000);

        enact(&program, welcome()).await;
        let li = li.with_token().await;
        let case = json!({ "values": { "customer": of("单据公司") } });
        li.json("POST", "/api/v1/cases/welcome", case).await.expect(201);
        let task = json!({
            "title": "回电", "customer_id": of("任务公司"), "person_id": wang.person_id, "due": "2026-09-29",
        });
        li.json("POST", "/api/v1/assignments", task).await.expect(201);
        let share = json!({ "person_id": wang.person_id, "role": "share_read", "until": "2026-09-29", "reason": "一起拜访" });
        program.json("POST", &format!("/api/v1{}/shares", path("共享公司")), share).await.expect(201);
        let exclusion = json!({ "person_id": wang.person_id, "reason": "被投诉" });
        program.json("POST", &format!("/api/v1{}/exclusions", path("回避公司")), exclusion).await.expect(201);
        let mark = format!("{}/fields/mark.scheme_vip", path("分类公司"));
        admin.post_form(&mark, &[("value", "key")]).await.expect(200);

        take_back(&admin, &done).await;
        let left: BTreeSet<String> =
            customers(&admin, "").await.iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(left, names[..5].iter().map(|name| (*name).to_owned()).collect());
        let undone = outcome(&admin, &done).await["undo"].clone();
        assert_eq!((&undone["undone"], &undone["kept"]), (&json!(1), &json!(5)), "{undone}");
    })
    .await;
}

/// Whether the number stands in the file, in a batch before or is a customer's whom the importer may not read.
#[tokio::test(flavor = "multi_thread")]
async fn the_check_counts_taken_numbers_like_the_import() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin.customer(json!({"kind": "person", "name": "赵一", "number": "A001"})).await;
        let mut text = String::from(
            "客户编号,客户名称\nA001,甲公司\na001,小写公司\nA002,乙公司\nA002,丙公司\n,丁公司\n",
        );
        for n in 0..300 {
            text.push_str(&format!("C{n:03},第{n}公司\n"));
        }
        text.push_str("C001,戊公司\n");
        let cases = [
            (&[("on_duplicate", "create")][..], [306, 303, 0, 0, 3]),
            (&[("on_duplicate", "skip")][..], [306, 302, 0, 4, 0]),
            (&[("on_duplicate", "skip"), ("match_on", "name")][..], [306, 303, 0, 0, 3]),
        ];
        for (fields, expected) in cases {
            let mut dry = fields.to_vec();
            dry.push(("dry_run", "true"));
            let tried = import(&admin, "a.csv", text.as_bytes(), &dry).await;
            assert_eq!(counts(&tried), expected, "{fields:?}");
            let report = app.text("SELECT CAST(report AS TEXT) FROM imports ORDER BY id DESC LIMIT 1").await;
            assert_eq!(report.contains("客户编号“A001”已被使用"), expected[4] > 0, "{fields:?} {report}");
            let done = import(&admin, "a.csv", text.as_bytes(), fields).await;
            assert_eq!(counts(&done), expected, "{fields:?}");
            take_back(&admin, &done).await;
        }
        let li = app.staff("li", DataScope::Own).await;
        let text = "客户编号,客户名称\nA001,甲公司\n";
        for dry_run in ["true", "false"] {
            let done = import(&li, "a.csv", text.as_bytes(), &[("dry_run", dry_run)]).await;
            assert_eq!(counts(&done), [1, 0, 0, 0, 1], "of a customer he may not read; dry_run={dry_run}");
        }
    })
    .await;
}

/// Numbers the system makes keep clear of those further down in the file.
#[tokio::test(flavor = "multi_thread")]
async fn new_customers_never_get_a_number_that_stands_further_down() {
    both(|app| async move {
        let admin = app.administrator().await;
        let mut text = String::from("客户编号,客户名称\n");
        for n in 0..250 {
            text.push_str(&format!(",新{n:03}公司\n"));
        }
        for n in 1..=250 {
            text.push_str(&format!("KH{n:06},旧{n:03}公司\n"));
        }
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [500, 500, 0, 0, 0], "{done}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_comes_back_from_the_recycle_bin_with_a_new_number_when_his_own_is_taken() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let old = admin.customer(json!({"kind": "person", "name": "赵一", "number": "A001"})).await;
        let path = format!("/api/v1/customers/{}", old["id"].as_str().unwrap());
        program.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        let new = admin.customer(json!({"kind": "person", "name": "钱二", "number": "A001"})).await;
        let restore = format!("/customers/{}/restore", old["id"].as_str().unwrap());
        let answer = admin.post_form(&restore, &[]).await.expect(303);
        let page = admin.get(answer.header("location")).await.expect(200).text();
        let back = program.get(&path).await.expect(200).json();
        let number = back["number"].as_str().unwrap();
        assert!(number.starts_with("KH"), "{back}");
        for told in ["原编号 A001 已是“钱二”的编号", number] {
            assert!(page.contains(told), "{told}: {page}");
        }
        for query in ["q=A001", &format!("q={number}")] {
            assert_eq!(customers(&admin, query).await.len(), 1, "{query}");
        }
        assert_eq!(customers(&admin, "q=A001").await[0]["id"], new["id"]);
        let log = app.text("SELECT after FROM audit_log WHERE action = 'customer.restored'").await;
        assert!(log.contains(number), "{log}");
        // Alone with his number he keeps it.
        let again = program.get(&path).await.expect(200);
        let version = again.header("etag").to_owned();
        program.json_with("DELETE", &path, json!({}), &[("if-match", &version)]).await.expect(204);
        admin.post_form(&restore, &[]).await.expect(303);
        assert_eq!(program.get(&path).await.expect(200).json()["number"], number);
    })
    .await;
}
