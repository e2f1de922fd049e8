//! Contacts over HTTP.

use serde_json::json;

use crate::app::DataScope;
use crate::both;

// covers: DS-07, AM-05
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_has_several_contacts_of_whom_one_is_primary() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let customer = li.customer(json!({ "kind": "organisation", "name": "广州天江科技有限公司" })).await;
        let id = customer["id"].as_str().unwrap().to_owned();
        let li = li.with_token().await;
        let new = |name: &str, phone: &str| json!({ "customer_id": id, "name": name, "phone": phone });
        let chen =
            li.json("POST", "/api/v1/contacts", new("陈晓燕", "138 1234 5678")).await.expect(201).json();
        assert_eq!((&chen["is_primary"], &chen["phone"]), (&json!(true), &json!("13812345678")));
        let wu = li.json("POST", "/api/v1/contacts", new("吴刚", "020-87654321")).await.expect(201).json();
        assert_eq!(wu["is_primary"], json!(false));
        // The record is fuller with a contact.
        let path = format!("/api/v1/customers/{id}");
        let after = li.get(&path).await.expect(200).json();
        assert!(after["completeness"].as_i64() > customer["completeness"].as_i64());
        // The second takes the place of the first.
        let wu_path = format!("/api/v1/contacts/{}", wu["id"].as_str().unwrap());
        let body = json!({ "is_primary": true, "title": "采购经理" });
        let refused = li.json("PATCH", &wu_path, body.clone()).await.expect(428);
        assert_eq!(refused.json()["code"], "precondition_required");
        let changed =
            li.json_with("PATCH", &wu_path, body.clone(), &[("if-match", "\"1\"")]).await.expect(200);
        assert_eq!(changed.header("etag"), "\"2\"");
        li.json_with("PATCH", &wu_path, body, &[("if-match", "\"1\"")]).await.expect(412);
        let primaries =
            app.number("SELECT COUNT(*) FROM contacts WHERE is_primary AND deleted_at IS NULL").await;
        assert_eq!(primaries, 1);
        // Found by name, by part of the number and by pinyin of the customer's search.
        for q in ["吴", "8765"] {
            let found = li.get(&format!("/api/v1/contacts?q={q}")).await.expect(200).json();
            assert_eq!(found["items"][0]["name"], "吴刚", "{q}");
        }
        let customers = li.get("/api/v1/customers?q=wugang").await.expect(200).json();
        assert_eq!(customers["items"][0]["id"], json!(id));
        // Without the primary contact the other one is it.
        li.json_with("DELETE", &wu_path, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        let rest = li.get(&format!("/api/v1/contacts?customer_id={id}")).await.expect(200).json();
        assert_eq!(rest["items"].as_array().unwrap().len(), 1);
        assert_eq!(rest["items"][0]["is_primary"], json!(true));
        let audited = app.number("SELECT COUNT(*) FROM audit_log WHERE object = 'contact'").await;
        let told = app.number("SELECT COUNT(*) FROM events WHERE object = 'contact'").await;
        // With each change of the primary contact the other one's row changes too.
        assert_eq!((audited, told), (6, 6));
        let handed = "SELECT COUNT(*) FROM audit_log WHERE action = 'contact.updated' AND before = ";
        for (was, times) in [("{\"is_primary\":true}", 1), ("{\"is_primary\":false}", 1)] {
            let sql: &'static str = Box::leak(format!("{handed}'{was}'").into_boxed_str());
            assert_eq!(app.number(sql).await, times, "{was}");
        }
    })
    .await;
}

// covers: DS-07
#[tokio::test(flavor = "multi_thread")]
async fn values_that_cannot_be_are_refused_at_their_field() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let li = li.with_token().await;
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("a\u{0}b")),
            ("name", json!("陈\u{202e}晓")),
            ("name", json!("长".repeat(61))),
            ("phone", json!("1381234567")),
            ("email", json!("nobody@")),
            ("birthday", json!("2026-02-30")),
            ("is_primary", json!("yes")),
            ("nmae", json!("x")),
            ("version", json!(1)),
        ] {
            let mut body = json!({ "customer_id": id, "name": "陈晓燕" });
            body[field] = value.clone();
            let refused = li.json("POST", "/api/v1/contacts", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{value}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM contacts").await, 0);
    })
    .await;
}

// covers: IP-02
#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_another_persons_customer_do_not_exist() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let id = id.as_str().unwrap();
        let body = json!({ "customer_id": id, "name": "陈晓燕" });
        let api = li.with_token().await;
        let contact = api.json("POST", "/api/v1/contacts", body.clone()).await.expect(201).json();
        let contact = contact["id"].as_str().unwrap();
        let other = wang.with_token().await;
        other.json("POST", "/api/v1/contacts", body).await.expect(404);
        other.get(&format!("/api/v1/contacts/{contact}")).await.expect(404);
        other.get(&format!("/api/v1/contacts?customer_id={id}")).await.expect(404);
        assert_eq!(other.get("/api/v1/contacts").await.expect(200).json()["items"], json!([]));
        for path in [
            format!("/customers/{id}/contacts"),
            format!("/customers/{id}/contacts/new"),
            format!("/contacts/{contact}/edit"),
        ] {
            wang.get_part(&path).await.expect(404);
            li.get_part(&path).await.expect(200);
        }
        wang.post_form(&format!("/contacts/{contact}/delete"), &[]).await.expect(404);
        let hidden = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await;
        assert_eq!(hidden, 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_comes_back_with_its_values() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let path = format!("/customers/{}/contacts", id.as_str().unwrap());
        let refused = li.post_form(&path, &[("name", "陈晓燕"), ("phone", "12")]).await.expect(422).text();
        assert!(refused.contains("陈晓燕") && refused.contains("aria-invalid"), "{refused}");
        li.post_form(&path, &[("name", "陈晓燕"), ("phone", "13812345678")]).await.expect(303);
        let tab = li.get_part(&path).await.expect(200).text();
        assert!(tab.contains("tel:13812345678") && tab.contains("主要"), "{tab}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_away_comes_back() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "organisation", "name": "广州天江科技有限公司" })).await["id"]
            .clone();
        let id = id.as_str().unwrap();
        let api = li.with_token().await;
        let contact = |name: &str| json!({ "customer_id": id, "name": name });
        let asset = json!({ "customer_id": id, "kind": "vehicle", "details": { "plate": "粤A12345" } });
        let need = json!({ "customer_id": id, "kind": "need", "body": "延长质保" });
        let mut made = Vec::new();
        for (path, page, body) in [
            ("contacts", "contacts", contact("陈晓燕")),
            ("contacts", "contacts", contact("吴刚")),
            ("assets", "customer-assets", asset),
            ("activities", "activities", need),
        ] {
            let answer = api.json("POST", &format!("/api/v1/{path}"), body).await.expect(201).json();
            let id = answer["id"].as_str().unwrap().to_owned();
            made.push((format!("/api/v1/{path}/{id}"), format!("/{page}/{id}"), answer));
        }
        let before = api.get(&format!("/api/v1/customers/{id}")).await.json();
        for (object, page, _) in &made {
            li.post_form(&format!("{page}/restore"), &[]).await.expect(404);
            li.post_form(&format!("{page}/delete"), &[]).await.expect(303);
            api.get(object).await.expect(404);
            wang.post_form(&format!("{page}/restore"), &[]).await.expect(404);
        }
        let without = api.get(&format!("/api/v1/customers/{id}")).await.json();
        assert!(without["completeness"].as_i64() < before["completeness"].as_i64());
        // The second contact was primary when it went, the first one before; the toasts know.
        for (object, page, was) in &made {
            let primary = if was["is_primary"] == json!(true) { "?primary=1" } else { "" };
            li.post_form(&format!("{page}/restore{primary}"), &[]).await.expect(303);
            li.post_form(&format!("{page}/restore"), &[]).await.expect(404);
            let now = api.get(object).await.expect(200).json();
            for key in ["name", "is_primary", "code", "subject", "is_done"] {
                assert_eq!(now[key], was[key], "{key} of {object}");
            }
        }
        let after = api.get(&format!("/api/v1/customers/{id}")).await.json();
        for key in ["completeness", "last_activity_at", "next_contact_on"] {
            assert_eq!(after[key], before[key], "{key}");
        }
        assert_eq!(app.number("SELECT open_needs FROM customers").await, 1);
        let told = app.number("SELECT COUNT(*) FROM events WHERE kind LIKE '%.restored'").await;
        assert_eq!(told, 4);
        let found = api.get("/api/v1/customers?q=粤A12345").await.expect(200).json();
        assert_eq!(found["items"][0]["id"], json!(id));
    })
    .await;
}

// covers: VF-04
#[tokio::test(flavor = "multi_thread")]
async fn the_last_contact_stays_where_one_is_required() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let made = admin.customer(json!({ "kind": "organisation", "name": "天江" })).await;
        let person = admin.customer(json!({ "kind": "person", "name": "张三" })).await;
        let contact = async |customer: &serde_json::Value, name: &str| {
            let body = json!({ "customer_id": customer["id"], "name": name });
            let made = api.json("POST", "/api/v1/contacts", body).await.expect(201).json();
            made["id"].as_str().unwrap().to_owned()
        };
        let (chen, wu) = (contact(&made, "陈晓燕").await, contact(&made, "吴刚").await);
        let friend = contact(&person, "李四").await;
        admin.post_form("/admin/fields/required", &[("field", "contact")]).await.expect(303);
        // One of two goes, the last stays, by whatever way.
        admin.post_form(&format!("/contacts/{wu}/delete"), &[]).await.expect(303);
        let path = format!("/api/v1/contacts/{chen}");
        let refused =
            api.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(409).json();
        assert!(refused["title"].as_str().unwrap().contains("不能删除最后一位"), "{refused}");
        let page = admin.post_form(&format!("/contacts/{chen}/delete"), &[]).await.expect(409).text();
        assert!(page.contains("不能删除最后一位"), "{page}");
        assert_eq!(api.get(&path).await.expect(200).json()["version"], 1);
        // Persons need none.
        let path = format!("/api/v1/contacts/{friend}");
        api.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        admin.post_form("/admin/fields/required", &[]).await.expect(303);
        admin.post_form(&format!("/contacts/{chen}/delete"), &[]).await.expect(303);
    })
    .await;
}
