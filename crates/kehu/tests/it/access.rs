//! Who may see what, over the API.

use serde_json::json;

use crate::app::DataScope;
use crate::both;

// covers: IP-02, CI-04
#[tokio::test(flavor = "multi_thread")]
async fn another_persons_customer_does_not_exist_and_the_try_is_noted() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let hers = li.customer(json!({ "kind": "person", "name": "张三", "phone": "13812345678" })).await;
        let path = format!("/api/v1/customers/{}", hers["id"].as_str().unwrap());
        let (li, wang) = (li.with_token().await, wang.with_token().await);
        li.get(&path).await.expect(200);
        let refused = wang.get(&path).await.expect(404);
        let nothing = wang.get("/api/v1/customers/01M2Z8Q4T7V0K").await.expect(404);
        assert_eq!(refused.json(), nothing.json(), "both look alike");
        let hidden = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await;
        assert_eq!(hidden, 1);
        // Neither list, nor search, nor filter, nor a change shows it.
        for list in ["/api/v1/customers", "/api/v1/customers?q=张三", "/api/v1/customers?q=5678"] {
            assert_eq!(wang.get(list).await.expect(200).json()["items"], json!([]), "{list}");
            assert_eq!(li.get(list).await.expect(200).json()["items"].as_array().unwrap().len(), 1, "{list}");
        }
        wang.json_with("PATCH", &path, json!({ "name": "李四" }), &[("if-match", "\"1\"")]).await.expect(404);
        wang.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(404);
        // Her own customer she may change but not delete or give away.
        li.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(403);
        let to = wang.person_id.to_string();
        li.json_with("PATCH", &path, json!({ "owner_id": to }), &[("if-match", "\"1\"")]).await.expect(403);
    })
    .await;
}
