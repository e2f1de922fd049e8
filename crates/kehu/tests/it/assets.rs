//! Assets over HTTP.

use serde_json::{Value, json};

use crate::app::DataScope;
use crate::both;

// covers: DS-07
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_found_by_what_it_has() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let li = li.with_token().await;
        let add = |kind: &str, details: Value| json!({ "customer_id": id, "kind": kind, "details": details });
        for (kind, details, code, q) in [
            ("vehicle", json!({ "plate": "粤a·12345", "brand_model": "比亚迪 汉" }), "粤A12345", "A12345"),
            (
                "room",
                json!({ "community": "翠湖花园", "building": "3", "unit": "2", "room": "501", "area": 98.5 }),
                "3-2-501",
                "翠湖",
            ),
            ("meter", json!({ "number": "GD440100789", "capacity_kva": "315" }), "GD440100789", "440100789"),
            (
                "product",
                json!({ "model": "AC-35", "serial": "SN2026001", "warranty_until": "2027/3/1" }),
                "SN2026001",
                "2026001",
            ),
        ] {
            let made = li.json("POST", "/api/v1/assets", add(kind, details)).await.expect(201).json();
            assert_eq!(made["code"], code);
            let found = li.get(&format!("/api/v1/customers?q={q}")).await.expect(200).json();
            assert_eq!(found["items"][0]["id"], id, "{q}");
            let listed = li.get(&format!("/api/v1/assets?kind={kind}")).await.expect(200).json();
            assert_eq!(listed["items"][0]["id"], made["id"]);
        }
        let found = li.get("/api/v1/assets?q=12345").await.expect(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        // A change; the kind stays.
        let path = format!("/api/v1/assets/{}", found["items"][0]["id"].as_str().unwrap());
        let first = [("if-match", "\"1\"")];
        let changed = li
            .json_with("PATCH", &path, json!({ "details": { "plate": "粤B54321" } }), &first)
            .await
            .expect(200);
        assert_eq!(changed.json()["code"], "粤B54321");
        li.json_with("PATCH", &path, json!({ "kind": "room" }), &[("if-match", "\"2\"")]).await.expect(422);
        li.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        let gone = li.get("/api/v1/customers?q=54321").await.expect(200).json();
        assert_eq!(gone["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_numbers_are_refused_with_chinese_sentences() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let li = li.with_token().await;
        for (kind, details, field) in [
            ("vehicle", json!({ "vin": "LSVAA4187C2184840" }), "vin"),
            ("vehicle", json!({ "plate": "粤A1234" }), "plate"),
            ("vehicle", json!({}), "plate"),
            ("room", json!({ "community": "翠湖花园" }), "room"),
            // A NUL is refused for the whole body, wherever it stands.
            ("meter", json!({ "number": "a\u{0}" }), "details"),
            ("meter", json!({ "number": "1", "plate": "粤A12345" }), "plate"),
            ("product", json!({ "model": "x".repeat(81) }), "model"),
            ("boat", json!({}), "kind"),
        ] {
            let body = json!({ "customer_id": id, "kind": kind, "details": details });
            let refused = li.json("POST", "/api/v1/assets", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
    })
    .await;
}

// covers: IP-02
#[tokio::test(flavor = "multi_thread")]
async fn the_same_plate_elsewhere_is_told_to_those_who_may_know() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let admin = app.administrator().await;
        let hers = li.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let his = wang.customer(json!({ "kind": "person", "name": "王五" })).await["id"].clone();
        let (hers, his) = (hers.as_str().unwrap(), his.as_str().unwrap());
        let form = [("kind", "vehicle"), ("plate", "粤A12345")];
        li.post_form(&format!("/customers/{hers}/assets"), &form).await.expect(303);
        let path = format!("/customers/{his}/assets");
        let send = |client: &crate::Client<'_>| {
            let request = client
                .request("POST", &path)
                .header("hx-request", "true")
                .header("content-type", "application/x-www-form-urlencoded");
            request.body(axum::body::Body::from("kind=vehicle&plate=%E7%B2%A4A12345")).unwrap()
        };
        let blind = app.send(send(&wang)).await.expect(200).text();
        assert!(!blind.contains("张三"), "{blind}");
        let seen = app.send(send(&admin)).await.expect(200).text();
        assert!(seen.contains("张三") && seen.contains(hers), "{seen}");
        // Her assets do not exist for him.
        wang.get_part(&format!("/customers/{hers}/assets")).await.expect(404);
        let asset = li.with_token().await.get("/api/v1/assets").await.json()["items"][0]["id"].clone();
        wang.get_part(&format!("/customer-assets/{}/edit", asset.as_str().unwrap())).await.expect(404);
        let hidden = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await;
        assert_eq!(hidden, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_and_the_log_speak_words_not_stored_names() {
    both(|app| async move {
        let admin = app.administrator().await;
        let id = admin.customer(json!({ "kind": "person", "name": "张三" })).await["id"].clone();
        let path = format!("/customers/{}?tab=history", id.as_str().unwrap());
        let reader = app.administrator().await;
        let admin = admin.with_token().await;
        let room = json!({ "customer_id": id, "kind": "room", "details": { "community": "翠湖花园", "building": "3", "unit": "2", "room": "501" } });
        admin.json("POST", "/api/v1/assets", room).await.expect(201);
        let call = json!({ "customer_id": id, "kind": "call", "direction": "out", "body": "约定周五看房" });
        admin.json("POST", "/api/v1/activities", call).await.expect(201);
        for page in [path.as_str(), "/admin/audit"] {
            let text = reader.get(page).await.expect(200).text();
            for word in ["房号", "楼栋", "房产", "我方去", "电话"] {
                assert!(text.contains(word), "{page} lacks {word}");
            }
            for code in [">community<", ">room<", ">out<", ">call<", "happened_at", "done_by", "（空）"] {
                assert!(!text.contains(code), "{page} shows {code}");
            }
        }
    })
    .await;
}
