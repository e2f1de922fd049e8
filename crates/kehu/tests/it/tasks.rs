//! What waits for a person.

use kehu::access::DataScope;
use serde_json::json;

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
        assert_eq!(tasks["counts"], json!({ "today": 1, "overdue": 1, "needs": 0, "dossiers": 3 }));
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
