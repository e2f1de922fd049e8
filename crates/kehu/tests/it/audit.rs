//! The audit log: what it shows, that reading it is recorded, and that tampering is found.

use kehu::audit::{self, ChainReport, Problem};
use serde_json::json;

use crate::app::DataScope;
use crate::{TestApp, both};

async fn problems(app: &TestApp) -> Vec<Problem> {
    let reports: Vec<ChainReport> = app.app.db.read(audit::verify).await.unwrap();
    reports.into_iter().filter_map(|r| r.problem).collect()
}

/// Does what somebody with access to the database file could do.
async fn tamper(app: &TestApp, sql: &'static str) {
    app.app.db.write(move |tx| tx.exec(sql, &[])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_row_is_found() {
    both(|app| async move {
        let admin = app.administrator().await;
        for name in ["张三", "李四", "王五"] {
            admin.customer(json!({ "kind": "person", "name": name })).await;
        }
        assert_eq!(problems(&app).await, []);
        let page = admin.post_form("/admin/audit/verify", &[]).await.expect(200).text();
        assert!(page.contains("日志完整"), "{page}");
        tamper(
            &app,
            "UPDATE audit_log SET actor_name = '别人' WHERE id =
               (SELECT MIN(id) FROM audit_log WHERE action = 'customer.created')",
        )
        .await;
        assert!(matches!(problems(&app).await[..], [Problem::Altered { .. }]));
        let page = admin.post_form("/admin/audit/verify", &[]).await.expect(200).text();
        assert!(page.contains("日志不完整") && page.contains("被改动过"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_taken_out_and_a_tail_cut_off_are_found() {
    both(|app| async move {
        let admin = app.administrator().await;
        for name in ["张三", "李四", "王五", "赵六", "钱七", "孙八", "周九"] {
            admin.customer(json!({ "kind": "person", "name": name })).await;
        }
        // The last row of each chain, which no later row's hash covers.
        tamper(
            &app,
            "DELETE FROM audit_log WHERE id IN (SELECT l.id FROM audit_log l JOIN audit_heads h
               ON h.chain = l.chain AND h.seq = l.seq)",
        )
        .await;
        let found = problems(&app).await;
        assert!(!found.is_empty() && found.iter().all(|p| matches!(p, Problem::Tail { .. })), "{found:?}");
        tamper(&app, "DELETE FROM audit_log WHERE seq = 1").await;
        let found = problems(&app).await;
        assert!(
            found.iter().any(|p| matches!(p, Problem::Missing { seq: 1 } | Problem::Tail { last: 0, .. }))
        );
        // Nothing left at all: the heads still know that there was something.
        tamper(&app, "DELETE FROM audit_log").await;
        assert!(problems(&app).await.iter().all(|p| matches!(p, Problem::Tail { last: 0, .. })));
        assert!(!problems(&app).await.is_empty());
    })
    .await;
}

// covers: IP-02, CI-04
#[tokio::test(flavor = "multi_thread")]
async fn denials_changes_and_readings_of_the_log_are_shown_to_administrators_only() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let hers = li.customer(json!({ "kind": "person", "name": "张三", "phone": "13812345678" })).await;
        let id = hers["id"].as_str().unwrap();
        let path = format!("/api/v1/customers/{id}");
        wang.get(&path).await.expect(404);
        wang.get("/admin/people").await.expect(403);
        let program = li.with_token().await;
        program
            .json_with("PATCH", &path, json!({ "phone": "13912345678" }), &[("if-match", "\"1\"")])
            .await
            .expect(200);
        for path in ["/admin/audit", "/admin/logins", "/admin/audit/export", "/admin/tokens", "/api/v1/audit"]
        {
            wang.get(path).await.expect(403);
        }
        let page = admin.get("/admin/audit").await.expect(200).text();
        for words in
            ["访问无权查看的对象", "操作被拒绝", "员工wang", "修改客户", "13812345678", "13912345678"]
        {
            assert!(page.contains(words), "{words}");
        }
        // By action, customer and person.
        let api = admin.with_token().await;
        let count = |query: String| {
            let api = api.clone();
            async move {
                let answer = api.get(&format!("/api/v1/audit?{query}")).await.expect(200);
                answer.json()["items"].as_array().unwrap().len()
            }
        };
        assert_eq!(count("action=access.hidden".into()).await, 1);
        assert_eq!(count("result=denied&action=access.".into()).await, 7);
        assert_eq!(count(format!("customer={id}&action=customer.")).await, 2);
        assert_eq!(count(format!("person={}&action=access.hidden", wang.person_id)).await, 1);
        assert_eq!(count(format!("person={}", kehu::ids::PersonId(5))).await, 0);
        assert_eq!(count("from=2026-09-29".into()).await, 0);
        assert!(count("from=2026-09-28&to=2026-09-28".into()).await > 5);
        for wrong in ["from=gestern", "person=x", "customer=1", "after=x", "action=DROP%20TABLE", "limit=0"] {
            api.get(&format!("/api/v1/audit?{wrong}")).await.expect(422);
        }
        // Each reading and export is in it.
        let read = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'audit.read'").await;
        assert_eq!(read, 8);
        let file = admin.get("/admin/audit/export?action=customer.").await.expect(200);
        assert!(
            file.text().contains("修改客户") && file.header("content-disposition").contains("attachment")
        );
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'audit.exported'").await, 1);
        assert_eq!(problems(&app).await, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_log_meet_without_gap_or_overlap() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        for n in 0..12 {
            api.customer(json!({ "kind": "person", "name": format!("客户{n}") })).await;
        }
        let whole = api.get("/api/v1/audit?action=customer.created&limit=200").await.json();
        let ids = |page: &serde_json::Value| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect()
        };
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audit?action=customer.created&limit=5&after={after}");
            let page = api.get(&path).await.expect(200).json();
            seen.extend(ids(&page));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, ids(&whole));
        assert_eq!(seen.len(), 12);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_in_log_tells_who_tried_from_where() {
    both(|app| async move {
        let stranger = app.stranger();
        stranger.post_form("/login", &[("username", "admin"), ("password", "错")]).await.expect(422);
        stranger.post_form("/login", &[("username", "niemand"), ("password", "错")]).await.expect(422);
        stranger
            .post_form("/login", &[("username", "admin"), ("password", crate::app::PASSWORD)])
            .await
            .expect(303);
        let admin = app.administrator().await;
        let page = admin.get("/admin/logins").await.expect(200).text();
        for words in ["登录成功", "登录失败", "niemand", "127.0.0.1"] {
            assert!(page.contains(words), "{words}");
        }
        let failed = admin.get("/admin/logins?action=login.failed").await.expect(200).text();
        assert_eq!(failed.matches("<tr><td").count(), 2);
        let log = app.text("SELECT after FROM audit_log WHERE action = 'login.failed' LIMIT 1").await;
        assert!(!log.contains('错'), "a password never reaches the log");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_people_a_customer_went_to() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let customer = admin.customer(json!({ "kind": "person", "name": "单雄信" })).await;
        let path = format!("/api/v1/customers/{}", customer["id"].as_str().unwrap());
        let owner = li.person_id.to_string();
        let change = json!({ "owner_id": owner });
        let program = admin.with_token().await;
        program.json_with("PATCH", &path, change, &[("if-match", "\"1\"")]).await.expect(200);
        let name = app.text("SELECT name FROM people WHERE username = 'li'").await;
        let log = admin.get("/admin/audit?action=customer.updated").await.expect(200).text();
        let (_, told) = log.split_once("负责人").unwrap();
        let told: String = told.chars().take(300).collect();
        assert!(told.contains(&name) && !told.contains(&owner), "{name} {told}");
    })
    .await;
}
