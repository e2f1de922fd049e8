//! What is withheld from somebody is not told to him by another way: by the log, by a check for duplicates, by a password
//! he sets for somebody else.

use serde_json::json;

use crate::app::DataScope;
use crate::{both, roles};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_its_reader_of_customers_only_what_he_may_know() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let made = admin.customer(json!({ "kind": "person", "name": "张三", "phone": "13800138000" })).await;
        let auditor = roles::bare(&app, "auditor").await;
        roles::role(&admin, "auditing", json!([roles::grant("audit", "read", "all")]), json!([])).await;
        roles::give(&admin, &auditor, "auditing").await;
        let page = app.sign_in(auditor.person_id).await;
        let program = page.with_token().await;
        let list = format!("/api/v1/audit?customer={}", made["id"].as_str().unwrap());
        let rows = program.get(&list).await.expect(200);
        assert_eq!(rows.json()["items"][0]["action"], "customer.created", "that it was done he learns");
        assert!(!rows.text().contains("张三") && !rows.text().contains("13800138000"), "{}", rows.text());
        for path in ["/admin/audit?object=customer", "/admin/audit/export"] {
            let told = page.get(path).await.expect(200).text();
            assert!(!told.contains("张三") && !told.contains("13800138000"), "{path}: {told}");
        }
        // With customers of his own to read he reads what the log says of them.
        let reads = json!([roles::grant("audit", "read", "all"), roles::grant("customer", "read", "all")]);
        roles::role(&admin, "reading", reads, json!([])).await;
        roles::give(&admin, &auditor, "reading").await;
        app.app.clock.advance(2_000);
        assert!(program.get(&list).await.expect(200).text().contains("张三"));
        // Where a field is masked for him, the log does not show it either.
        let masked = json!([{ "object": "customer", "field": "phone", "rule": "masked" }]);
        let sees = roles::bare(&app, "seer").await;
        let reads = json!([roles::grant("audit", "read", "all"), roles::grant("customer", "read", "all")]);
        roles::role(&admin, "seeing", reads, masked).await;
        roles::give(&admin, &sees, "seeing").await;
        let sees = app.sign_in(sees.person_id).await.with_token().await;
        assert!(!sees.get(&list).await.expect(200).text().contains("13800138000"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_phone_is_not_found_out_by_asking_for_duplicates() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        admin.customer(json!({ "kind": "person", "name": "张三", "phone": "13800138000" })).await;
        let clerk = roles::bare(&app, "clerk").await;
        let writes =
            json!([roles::grant("customer", "read", "all"), roles::grant("customer", "create", "all")]);
        let masked = json!([{ "object": "customer", "field": "phone", "rule": "masked" }]);
        roles::role(&admin, "writing", writes, masked).await;
        roles::give(&admin, &clerk, "writing").await;
        let clerk = app.sign_in(clerk.person_id).await.with_token().await;
        for phone in ["13800138000", "13800138001"] {
            let found =
                clerk.get(&format!("/api/v1/duplicates?kind=person&phone={phone}")).await.expect(200).json();
            assert_eq!((&found["items"], &found["has_hidden"]), (&json!([]), &json!(false)), "{phone}");
        }
        // How often somebody is told that a customer he may not see has a value is bounded.
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let mut told = 0;
        for _ in 0..310 {
            let found = li.get("/api/v1/duplicates?kind=person&phone=13800138000").await.expect(200).json();
            told += i32::from(found["has_hidden"] == true);
        }
        assert_eq!(told, 300);
        app.app.clock.advance(3_600_000);
        let found = li.get("/api/v1/duplicates?kind=person&phone=13800138000").await.expect(200).json();
        assert_eq!(found["has_hidden"], true, "an hour later again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_keeps_people_but_grants_no_roles_sets_nobody_elses_password() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let keeper = roles::bare(&app, "personnel").await;
        roles::role(&admin, "people", json!([roles::grant("organisation", "update", "all")]), json!([]))
            .await;
        roles::give(&admin, &keeper, "people").await;
        let keeper = app.sign_in(keeper.person_id).await;
        let other = app.staff("li", DataScope::All).await;
        let path = format!("/admin/people/{}/password", other.person_id);
        keeper.post_form(&path, &[]).await.expect(403);
        let page = keeper.get(&format!("/admin/people/{}", other.person_id)).await.expect(200).text();
        assert!(!page.contains("重置密码"), "{page}");
        app.administrator().await.post_form(&path, &[]).await.expect(200);
    })
    .await;
}
