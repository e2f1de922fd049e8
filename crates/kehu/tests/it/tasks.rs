//! What waits for a person.

use serde_json::json;

use crate::app::DataScope;
use crate::both;

#[tokio::test(flavor = "multi_thread")]
async fn planned_contacts_wait_on_their_day_and_are_late_after_it() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::All).await;
        // Today is 2026-09-28.
        for (name, on) in [("今天", "2026-09-28"), ("昨天", "2026-09-27"), ("明天", "2026-09-29")] {
            li.customer(json!({ "kind": "person", "name": name, "next_contact_on": on })).await;
        }
        let token = li.with_token().await;
        let tasks = token.get("/api/v1/tasks").await.expect(200).json();
        assert_eq!(
            tasks["counts"],
            json!({ "assignments": 0, "today": 1, "overdue": 1, "needs": 0, "dossiers": 3 })
        );
        assert_eq!(tasks["items"][0]["customer"]["name"], "今天");
        assert_eq!(tasks["items"][1]["reason"], "overdue");
        assert_eq!(tasks["items"].as_array().unwrap().len(), 2);
        // Others have their own tasks, even when they see these customers.
        let others = wang.with_token().await.get("/api/v1/tasks").await.expect(200).json();
        assert_eq!(others["counts"]["today"], 0);
        let page = li.get("/tasks").await.expect(200).text();
        assert!(page.contains("今天") && page.contains("今日需联系"));
        let late = li.get("/tasks?tab=overdue").await.expect(200).text();
        assert!(late.contains("逾期 1 天"), "{late}");
        assert!(page.contains("class=\"top-badge\" aria-hidden=\"true\">2<"), "{page}");
        token.get("/api/v1/tasks?reason=soon").await.expect(422);
    })
    .await;
}

// covers: GM-06
#[tokio::test(flavor = "multi_thread")]
async fn incomplete_dossiers_are_listed_with_what_they_lack() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        li.customer(
            json!({ "kind": "organisation", "name": "广州天江科技有限公司", "phone": "13812345678" }),
        )
        .await;
        let token = li.with_token().await;
        let tasks = token.get("/api/v1/tasks?reason=dossiers").await.expect(200).json();
        let missing = tasks["items"][0]["missing"].as_array().unwrap();
        assert!(missing.contains(&json!("企业性质")) && missing.contains(&json!("联系人")), "{missing:?}");
        assert!(!missing.contains(&json!("联系电话")));
        let page = li.get("/tasks?tab=dossiers").await.expect(200).text();
        assert!(page.contains("企业性质") && page.contains("/edit"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_postponed_with_one_click_and_only_by_who_may() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let made =
            li.customer(json!({ "kind": "person", "name": "张三", "next_contact_on": "2026-09-28" })).await;
        let path = format!("/tasks/customers/{}/next-contact", made["id"].as_str().unwrap());
        wang.post_form(&path, &[("days", "3")]).await.expect(404);
        li.post_form(&path, &[("days", "99999")]).await.expect(422);
        li.post_form(&path, &[("days", "3"), ("tab", "today")]).await.expect(303);
        assert_eq!(app.text("SELECT next_contact_on FROM customers").await, "2026-10-01");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.updated'").await, 1);
        li.post_form(&path, &[("days", "0")]).await.expect(303);
        assert_eq!(app.text("SELECT next_contact_on FROM customers").await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_need_waits_for_its_owner_until_somebody_deals_with_it() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let made = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        let token = li.with_token().await;
        let need = json!({ "customer_id": made["id"], "kind": "need", "body": "想换一辆新能源车" });
        let need = token.json("POST", "/api/v1/activities", need).await.expect(201).json();
        let id = need["id"].as_str().unwrap();
        let count = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM counters
                     WHERE name = 'customers.open_needs' AND owner_id = 0";
        assert_eq!(app.number(count).await, 1);
        let tasks = token.get("/api/v1/tasks?reason=needs").await.expect(200).json();
        assert_eq!(tasks["items"][0]["need"]["subject"], "想换一辆新能源车");
        assert_eq!(tasks["counts"]["needs"], 1);
        // The customer goes to another owner: the need waits for him.
        let path = format!("/api/v1/customers/{}", made["id"].as_str().unwrap());
        let to = json!({ "owner_id": wang.person_id.to_string() });
        admin.with_token().await.json_with("PATCH", &path, to, &[("if-match", "\"1\"")]).await.expect(200);
        let of = |tasks: serde_json::Value| tasks["counts"]["needs"].as_i64().unwrap();
        assert_eq!(of(token.get("/api/v1/tasks").await.json()), 0);
        assert_eq!(of(wang.with_token().await.get("/api/v1/tasks").await.json()), 1);
        li.post_form(&format!("/tasks/needs/{id}/done"), &[]).await.expect(404);
        wang.post_form(&format!("/tasks/needs/{id}/done"), &[]).await.expect(303);
        assert_eq!(of(wang.with_token().await.get("/api/v1/tasks").await.json()), 0);
        assert_eq!(app.number(count).await, 0);
        wang.post_form(&format!("/tasks/needs/{id}/reopen"), &[]).await.expect(303);
        assert_eq!(app.number(count).await, 1);
        assert!(wang.get("/tasks?tab=needs").await.expect(200).text().contains("想换一辆新能源车"));
        // A deleted customer's needs wait for nobody.
        admin
            .with_token()
            .await
            .json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")])
            .await
            .expect(204);
        assert_eq!(app.number(count).await, 0);
        assert_eq!(of(wang.with_token().await.get("/api/v1/tasks").await.json()), 0);
    })
    .await;
}
