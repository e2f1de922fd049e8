//! The working calendar: a marked day moves what is due after it, an arrangement is pasted whole or not at all, and only
//! administrators change it.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::cases::{enact, id, welcome};
use crate::{Client, both};

const DAY: i64 = 24 * 3_600_000;
const ALL: &str = "/api/v1/calendar";

/// A regulation whose case is due in three working days.
fn in_working_days() -> Json {
    let mut files = welcome();
    let forms = files[1]["text"].as_str().unwrap();
    assert!(forms.contains("{days}d"), "{forms}");
    files[1]["text"] = forms.replace("{days}d", "{days}wd").into();
    files
}

async fn put(admin: &Client<'_>, day: &str, kind: &str, name: &str, version: &str) -> crate::Answer {
    let body = json!({ "kind": kind, "name": name });
    admin.json_with("PUT", &format!("{ALL}/{day}"), body, &[("if-match", version)]).await
}

async fn open(li: &Client<'_>, customer: &Json) -> (Json, String) {
    let body = json!({ "values": { "customer": customer["id"] } });
    let case = li.json("POST", "/api/v1/cases/welcome", body).await.expect(201).json();
    let due = case["deadlines"][0]["due_at"].as_str().unwrap().to_owned();
    (case, due)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_day_moves_what_is_due_after_it() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let page = app.staff("li", DataScope::Own).await;
        let customer = page.customer(json!({ "kind": "person", "name": "甲" })).await;
        let li = page.with_token().await;
        enact(&admin, in_working_days()).await;
        // Monday 2026-09-28 16:20 and three working days, with National Day between them.
        let (first, due) = open(&li, &customer).await;
        assert_eq!(due, "2026-10-08T08:20:00.000Z");
        let marked = put(&admin, "2026-09-29", "rest", "厂休", "\"0\"").await.expect(200);
        assert_eq!(marked.header("etag"), "\"1\"");
        let marked = marked.json();
        assert_eq!(
            (&marked["kind"], &marked["name"], &marked["source"]),
            (&json!("rest"), &json!("厂休"), &json!("company"))
        );
        let (second, due) = open(&li, &customer).await;
        assert_eq!(due, "2026-10-09T08:20:00.000Z");
        // What stands already stays, and its page says so.
        let stands = li.get(&format!("/api/v1/cases/welcome/{}", id(&first))).await.expect(200).json();
        assert_eq!(stands["deadlines"][0]["due_at"], "2026-10-08T08:20:00.000Z");
        let shown = page.get(&format!("/cases/{}", id(&first))).await.expect(200).text();
        assert!(
            shown.contains("这个期限是按当时的工作日历算出的；按现在的工作日历会是 2026-10-09 16:20"),
            "{shown}"
        );
        let shown = page.get(&format!("/cases/{}", id(&second))).await.expect(200).text();
        assert!(shown.contains("厂休") && !shown.contains("按当时的工作日历"), "{shown}");
        // A holiday is worked on, and the mark before it is taken away again.
        put(&admin, "2026-10-01", "work", "赶工", "\"0\"").await.expect(200);
        assert_eq!(open(&li, &customer).await.1, "2026-10-08T08:20:00.000Z");
        let path = format!("{ALL}/2026-09-29");
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        assert_eq!(open(&li, &customer).await.1, "2026-10-01T08:20:00.000Z");
        // Another server looks again after two seconds at the latest: so does this one, whoever has written.
        let sql = "UPDATE calendar_days SET kind = '', version = version + 1";
        app.app.db.write(move |tx| tx.exec(sql, &[])).await.unwrap();
        app.clock.advance(2_000);
        assert_eq!(open(&li, &customer).await.1, "2026-10-08T08:20:02.000Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_marked_over_the_api_with_its_version() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let path = format!("{ALL}/2026-12-31");
        let day = admin.get(&path).await.expect(200);
        assert_eq!(day.header("etag"), "\"0\"");
        assert_eq!((&day.json()["kind"], &day.json()["source"]), (&json!("work"), &json!("week")));
        admin.json("PUT", &path, json!({ "kind": "rest", "name": "厂休" })).await.expect(428);
        put(&admin, "2026-12-31", "rest", "厂休", "\"3\"").await.expect(412);
        for (field, body) in [
            ("kind", json!({ "kind": "off", "name": "厂休" })),
            ("name", json!({ "kind": "rest", "name": " " })),
            ("name", json!({ "kind": "rest", "name": "长".repeat(31) })),
            ("name", json!({ "kind": "rest", "name": 1 })),
            ("who", json!({ "kind": "rest", "name": "厂休", "who": "x" })),
        ] {
            let refused =
                admin.json_with("PUT", &path, body, &[("if-match", "\"0\"")]).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
        for nothing in ["2026-02-30", "1999-12-31", "2101-01-01", "today", "2026-1-1"] {
            put(&admin, nothing, "rest", "厂休", "\"0\"").await.expect(404);
            admin.get(&format!("{ALL}/{nothing}")).await.expect(404);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM calendar_days").await, 0);

        put(&admin, "2026-12-31", "rest", "厂休", "\"0\"").await.expect(200);
        put(&admin, "2026-12-31", "rest", "年终盘点", "\"0\"").await.expect(412);
        // The same again changes nothing.
        let again = put(&admin, "2026-12-31", "rest", "厂休", "\"1\"").await.expect(200);
        assert_eq!(again.header("etag"), "\"1\"");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'calendar.marked'").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM events WHERE kind = 'calendar.marked'").await, 1);
        let row = app.text("SELECT before || after FROM audit_log WHERE action = 'calendar.marked'").await;
        assert_eq!(row, r#"{"days":[]}{"days":["2026-12-31 放假 厂休"]}"#);
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(404);
        assert_eq!(admin.get(&path).await.expect(200).header("etag"), "\"2\"", "a version never comes twice");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'calendar.unmarked'").await, 1);

        // Everybody may know when the company works; only administrators change it.
        let staff = app.staff("li", DataScope::All).await;
        staff.get("/admin/calendar").await.expect(403);
        staff.post_form("/admin/calendar", &[("from", "2026-12-31")]).await.expect(403);
        let staff = staff.with_token().await;
        staff.get(&path).await.expect(200);
        put(&staff, "2026-12-31", "rest", "厂休", "\"2\"").await.expect(403);
        staff.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(403);
        staff
            .json("POST", &format!("{ALL}/arrangements"), json!({ "text": "2027-01-01 放假 元旦" }))
            .await
            .expect(403);

        let list = staff.get(&format!("{ALL}?from=2026-09-18&to=2026-10-10")).await.expect(200).json();
        let days: Vec<(&str, &str, &str)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| {
                (d["date"].as_str().unwrap(), d["kind"].as_str().unwrap(), d["source"].as_str().unwrap())
            })
            .collect();
        assert_eq!(days.len(), 1 + 3 + 7 + 1, "{days:?}");
        assert_eq!(days[0], ("2026-09-20", "work", "notice"));
        assert_eq!(days[11], ("2026-10-10", "work", "notice"));
        assert_eq!(list["years"], json!([{ "year": 2026, "is_known": true, "is_entered": false }]));
        let next = staff.get(&format!("{ALL}?from=2027-01-01")).await.expect(200).json();
        assert_eq!(next["items"].as_array().unwrap().len(), 13, "what the law names");
        assert_eq!(
            (&next["items"][0]["name"], &next["items"][0]["source"]),
            (&json!("元旦假期"), &json!("law"))
        );
        assert_eq!(next["years"][0]["is_known"], false);
        for wrong in
            ["from=x", "from=2026-10-10&to=2026-10-09", "from=2020-01-01&to=2026-01-01", "to=1999-01-01"]
        {
            staff.get(&format!("{ALL}?{wrong}")).await.expect(422);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrangement_is_pasted_whole_or_not_at_all() {
    both(|app| async move {
        let admin = app.administrator().await;
        let path = "/admin/calendar/arrangement";
        let good = "2027-02-05..2027-02-11 放假 春节\n2027-02-14 上班 春节调休";
        let bad = format!("{good}\n2027-02-30 放假 春节\n2027-02-06 上班 调休");
        let form = |text: &str, version: &str| -> Vec<(String, String)> {
            let pairs = [("version", version), ("year", "2027"), ("text", text), ("is_whole", "1")];
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        };
        let send = |pairs: Vec<(String, String)>| {
            let admin = admin.clone();
            async move {
                let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                admin.post_form(path, &pairs).await
            }
        };
        let refused = send(form(&bad, "0")).await.expect(422).text();
        assert!(refused.contains("第 3 行：“2027-02-30”不是日期，应写作 2027-02-05"), "{refused}");
        assert!(refused.contains("第 4 行：2027-02-06 前面已经写过"), "{refused}");
        assert!(refused.contains("2027-02-14 上班 春节调休"), "what was pasted stays");
        assert_eq!(app.number("SELECT COUNT(*) FROM calendar_days").await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM calendar_years").await, 0);

        let before = admin.get("/admin/calendar?year=2027").await.expect(200).text();
        assert!(before.contains("放假安排尚未公布") && before.contains("元旦假期"), "{before}");
        send(form(good, "0")).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM calendar_days").await, 8);
        let page = admin.get("/admin/calendar?year=2027").await.expect(200).text();
        for text in ["2027-02-05 – 2027-02-11", "春节调休", "公司标注", "公司已录入全年的放假安排", "2027-12"]
        {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("放假安排尚未公布"), "{page}");
        let row = app.text("SELECT after FROM audit_log WHERE action = 'calendar.marked'").await;
        assert_eq!(row, r#"{"days":["2027-02-05..2027-02-11 放假 春节","2027-02-14 上班 春节调休"]}"#);
        let log = admin.get("/admin/audit?action=calendar.").await.expect(200).text();
        assert!(log.contains("标注工作日历") && log.contains("确认全年放假安排"), "{log}");
        // Somebody who had the page open longer is told; nothing of his is saved.
        send(form("2027-05-01..2027-05-05 放假 劳动节", "0")).await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM calendar_days").await, 8);

        // Eight days and a year: the version the page carries. Part of the marks is taken away.
        assert!(page.contains("name=\"version\" value=\"9\""), "{page}");
        let days = [("version", "9"), ("year", "2027"), ("from", "2027-02-10"), ("to", "2027-02-14")];
        admin.post_form("/admin/calendar/removal", &days).await.expect(303);
        let page = admin.get("/admin/calendar?year=2027").await.expect(200).text();
        assert!(page.contains("2027-02-05 – 2027-02-09") && !page.contains("春节调休</td>"), "{page}");
        let year = [("version", "12"), ("year", "2027"), ("is_entered", "0")];
        admin.post_form("/admin/calendar/year", &year).await.expect(303);
        let page = admin.get("/admin/calendar?year=2027").await.expect(200).text();
        assert!(page.contains("放假安排尚未公布"), "{page}");

        // A day is marked on the page; what is missing is said at its field.
        let refused =
            admin.post_form("/admin/calendar", &[("year", "2026"), ("to", "x")]).await.expect(422).text();
        for text in ["请填写日期，例如 2027-02-05", "请选择放假或上班", "请填写名称，1 到 30 个字"]
        {
            assert!(refused.contains(text), "{text}: {refused}");
        }
        let mark = [
            ("year", "2026"),
            ("from", "2026-12-28"),
            ("to", "2026-12-30"),
            ("kind", "rest"),
            ("name", "盘点"),
        ];
        admin.post_form("/admin/calendar", &mark).await.expect(303);
        let page = admin.get("/admin/calendar").await.expect(200).text();
        assert!(page.contains("2026-12-28 – 2026-12-30") && page.contains("国办发明电〔2025〕7号"), "{page}");

        // Programs do the same, once however often it is sent.
        let program = admin.with_token().await;
        let key = [("idempotency-key", "year-1")];
        let body = json!({ "text": "2027-05-01..2027-05-05 放假 劳动节", "year": 2027 });
        let path = format!("{ALL}/arrangements");
        for _ in 0..2 {
            let done = program.json_with("POST", &path, body.clone(), &key).await.expect(201).json();
            assert_eq!(done, json!({ "changed": 5 }));
        }
        let refused =
            program.json("POST", &path, json!({ "text": "明天 放假 休息" })).await.expect(422).json();
        assert_eq!(refused["errors"][0]["message"], "第 1 行：“明天”不是日期，应写作 2027-02-05");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_november_somebody_is_asked_for_the_next_year() {
    both(|app| async move {
        let said = "2027 年的放假安排还没有录入";
        let admin = app.administrator().await;
        for path in ["/admin/maintenance", "/admin/calendar"] {
            let page = admin.get(path).await.expect(200).text();
            assert!(!page.contains(said) && page.contains("/admin/calendar"), "{path}");
        }
        app.clock.advance(34 * DAY);
        let admin = app.administrator().await;
        for path in ["/admin/maintenance", "/admin/calendar"] {
            assert!(admin.get(path).await.expect(200).text().contains(said), "{path}");
        }
        let year = [("year", "2027"), ("is_entered", "1")];
        admin.post_form("/admin/calendar/year", &year).await.expect(303);
        for path in ["/admin/maintenance", "/admin/calendar"] {
            assert!(!admin.get(path).await.expect(200).text().contains(said), "{path}");
        }
    })
    .await;
}
