//! Colleagues let in on one customer, and people kept out of it.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::roles::{give, role};
use crate::{Client, TestApp, both};

async fn owner_with_share<'a>(app: &'a TestApp) -> Client<'a> {
    let admin = app.administrator().await.with_token().await;
    let li = app.staff("li", DataScope::Own).await;
    let share = json!([
        { "object": "customer", "verb": "read", "scope": "own" },
        { "object": "customer", "verb": "share", "scope": "own" },
    ]);
    role(&admin, "sharing", share, json!([])).await;
    give(&admin, &li, "sharing").await;
    li
}

fn path_of(customer: &Json) -> String {
    format!("/api/v1/customers/{}", customer["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collaborator_sees_and_works_as_far_as_the_bundle_goes_and_until_its_end() {
    both(|app| async move {
        let li = owner_with_share(&app).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let customer = li.customer(json!({ "kind": "person", "name": "张三丰年" })).await;
        let path = path_of(&customer);
        let page = path.trim_start_matches("/api/v1").to_owned();
        let (wang_page, li_page) = (wang.clone(), li.clone());
        let (li, wang) = (li.with_token().await, wang.with_token().await);
        wang.get(&path).await.expect(404);
        wang.get(&format!("{path}/shares")).await.expect(404);
        let shares = format!("{path}/shares");
        let until = json!({ "person_id": wang.person_id, "role": "share_read", "until": "2026-09-29", "reason": "一起拜访" });
        let made = li.json("POST", &shares, until).await.expect(201).json();
        assert_eq!(made["granted_by"], "员工li");
        assert_eq!(made["until"], "2026-09-29T16:00:00.000Z");
        // List, search, page, card, API.
        wang.get(&path).await.expect(200);
        wang_page.get(&page).await.expect(200);
        for list in ["/api/v1/customers", "/api/v1/customers?q=张三丰年"] {
            assert_eq!(wang.get(list).await.json()["items"].as_array().unwrap().len(), 1, "{list}");
        }
        assert!(wang_page.get("/customers").await.text().contains("张三丰年"));
        // Only what the bundle permits: no change, no sharing on.
        let patch = json!({ "remark": "x" });
        wang.json_with("PATCH", &path, patch, &[("if-match", "\"1\"")]).await.expect(403);
        let contact = json!({ "customer_id": customer["id"], "name": "李秘书" });
        wang.json("POST", "/api/v1/contacts", contact.clone()).await.expect(403);
        let on = json!({ "person_id": app.administrator().await.person_id, "role": "share_read" });
        wang.json("POST", &shares, on).await.expect(403);
        // Twice the same is refused, another bundle adds to it.
        let again = json!({ "person_id": wang.person_id, "role": "share_read" });
        li.json("POST", &shares, again).await.expect(409);
        let work = json!({ "person_id": wang.person_id, "role": "share_work" });
        let work = li.json("POST", &shares, work).await.expect(201).json();
        wang.json("POST", "/api/v1/contacts", contact).await.expect(201);
        assert_eq!(li.get(&shares).await.json()["items"].as_array().unwrap().len(), 2);
        assert!(li_page.get_part(&format!("{page}/shares")).await.expect(200).text().contains("一起拜访"));
        // The explanation names the share.
        let why = wang.get(&format!("{path}/access")).await.expect(200).text();
        assert!(why.contains("由 员工li 共享“共享：协作”，有效至：长期"), "{why}");
        // Ended by the collaborator himself, the other by time.
        let one = format!("{shares}/{}", work["id"].as_str().unwrap());
        wang.json("DELETE", &one, json!({})).await.expect(204);
        wang.get(&path).await.expect(200);
        app.clock.advance((24 + 8) * 3_600_000);
        wang.get(&path).await.expect(404);
        assert_eq!(li.get(&shares).await.json()["items"], json!([]));
        let told = app.number("SELECT COUNT(*) FROM events WHERE kind IN ('customer.shared', 'customer.unshared')");
        assert_eq!(told.await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_on_more_than_he_may_do_and_wrong_shares_are_refused() {
    both(|app| async move {
        let li = owner_with_share(&app).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let admin = app.administrator().await.with_token().await;
        let customer = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        let li = li.with_token().await;
        let shares = format!("{}/shares", path_of(&customer));
        for (field, body) in [
            ("person_id", json!({ "role": "share_read" })),
            ("person_id", json!({ "person_id": "01M2Z8Q4T7V0K", "role": "share_read" })),
            ("person_id", json!({ "person_id": li.person_id, "role": "share_read" })),
            ("role", json!({ "person_id": wang.person_id, "role": "staff" })),
            ("until", json!({ "person_id": wang.person_id, "role": "share_read", "until": "2026-09-27" })),
            ("until", json!({ "person_id": wang.person_id, "role": "share_read", "until": "x" })),
            (
                "reason",
                json!({ "person_id": wang.person_id, "role": "share_read", "reason": "长".repeat(201) }),
            ),
            ("scope", json!({ "person_id": wang.person_id, "role": "share_read", "scope": "all" })),
        ] {
            let refused = li.json("POST", &shares, body.clone()).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{body} {refused}");
        }
        // A bundle that lets edit the customer is more than one who only reads may give.
        let bundle = json!({
            "code": "edit_all", "name": "可改", "is_bundle": true, "grants": [
                { "object": "customer", "verb": "read", "scope": "all" },
                { "object": "customer", "verb": "export", "scope": "all" },
            ],
        });
        admin.json("POST", "/api/v1/roles", bundle).await.expect(201);
        let reader = app.staff("reader", DataScope::Own).await;
        let of_reader = format!("/api/v1/people/{}/roles", reader.person_id);
        admin.json("DELETE", &format!("{of_reader}/0000000000002"), json!({})).await.expect(204);
        give(&admin, &reader, "sharing").await;
        let owned =
            json!({ "kind": "person", "name": "王五", "owner_id": reader.person_id, "phone": "13812345678" });
        let owned = admin.json("POST", "/api/v1/customers", owned).await.expect(201).json();
        let (reader, path) = (reader.with_token().await, format!("{}/shares", path_of(&owned)));
        for bundle in ["edit_all", "share_work", "share_read"] {
            let body = json!({ "person_id": wang.person_id, "role": bundle });
            let refused = reader.json("POST", &path, body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], "role", "{bundle}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_grants").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_must_keep_out_does_not_know_the_record_even_as_its_owner() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::All).await;
        let wang = app.staff("wang", DataScope::All).await;
        let customer =
            li.customer(json!({ "kind": "person", "name": "柯南道尔", "phone": "13800001111" })).await;
        let path = path_of(&customer);
        let page = path.trim_start_matches("/api/v1").to_owned();
        let contact = json!({ "customer_id": customer["id"], "name": "哈德森" });
        let contact =
            li.with_token().await.json("POST", "/api/v1/contacts", contact).await.expect(201).json();
        let work = json!({ "person_id": li.person_id, "reason": "被投诉，不参与处理" });
        let all = format!("{path}/exclusions");
        let token = li.with_token().await;
        // Neither he nor a colleague without the right to transfer decides that.
        let refused = json!({ "person_id": wang.person_id, "reason": "x" });
        token.json("POST", &all, refused).await.expect(403);
        admin.json("POST", &all, json!({ "person_id": li.person_id })).await.expect(422);
        admin.json("POST", &all, json!({ "person_id": admin.person_id, "reason": "x" })).await.expect(422);
        admin.json("POST", &all, work.clone()).await.expect(201);
        admin.json("POST", &all, work).await.expect(409);
        let contact_path = format!("/api/v1/contacts/{}", contact["id"].as_str().unwrap());
        let mut faces: Vec<(&str, String)> = vec![
            ("list", "/customers".into()),
            ("search", "/search?q=柯南道尔".into()),
            ("menu", "/search/menu?q=柯南道尔".into()),
            ("duplicates", "/customers/duplicates?for_kind=person&phone=13800001111".into()),
            ("workbench", "/".into()),
            ("activities", "/activities".into()),
            ("tasks", "/tasks".into()),
            ("own page", page.clone()),
            ("edit", format!("{page}/edit")),
            ("assign", format!("/assignments/new?customer={}", customer["id"].as_str().unwrap())),
            ("contacts", format!("{page}/contacts")),
            ("files", format!("{page}/files")),
            ("shares", format!("{page}/shares")),
            ("why", format!("/admin/explain?customer={}", customer["id"].as_str().unwrap())),
        ];
        for (name, face) in &faces {
            let answer = li.get(face).await.text();
            assert!(!answer.contains("柯南道尔") || name.starts_with("search") || *name == "menu", "{name}");
            assert!(
                !answer.contains(customer["id"].as_str().unwrap())
                    || *name == "why"
                    || answer.contains("没有找到"),
                "{name}: {answer}"
            );
            assert!(!answer.contains("13800001111") && !answer.contains("哈德森"), "{name}");
        }
        faces.clear();
        for api in
            ["/api/v1/customers", "/api/v1/customers?q=柯南道尔", "/api/v1/contacts", "/api/v1/activities"]
        {
            assert_eq!(token.get(api).await.expect(200).json()["items"], json!([]), "{api}");
        }
        let gone =
            [path.clone(), contact_path, format!("{path}/shares"), all.clone(), format!("{path}/access")];
        for api in &gone {
            token.get(api).await.expect(404);
        }
        token.json_with("PATCH", &path, json!({ "remark": "x" }), &[("if-match", "\"1\"")]).await.expect(404);
        // Nobody adds him: not as collaborator, not as owner.
        let share = json!({ "person_id": li.person_id, "role": "share_work" });
        let refused = admin.json("POST", &format!("{path}/shares"), share).await.expect(422).text();
        assert!(!refused.is_empty());
        wang.with_token().await.get(&path).await.expect(200);
        let to = json!({ "owner_id": wang.person_id });
        let moved = admin.json_with("PATCH", &path, to, &[("if-match", "\"1\"")]).await.expect(200);
        let back = json!({ "owner_id": li.person_id });
        let refused = admin.json_with("PATCH", &path, back, &[("if-match", moved.header("etag"))]).await;
        assert_eq!(refused.expect(422).json()["errors"][0]["field"], "owner_id");
        // The explanation for those who may know it.
        let why = admin.get(&format!("{path}/access?person={}", li.person_id)).await.expect(200).text();
        assert!(why.contains("已对此客户回避：被投诉，不参与处理"), "{why}");
        let share = json!({ "person_id": li.person_id, "role": "share_read" });
        let refused = admin.json("POST", &format!("{path}/shares"), share).await.expect(422).text();
        assert!(refused.contains("须对这个客户回避"), "{refused}");
        // Ended, he knows it again.
        admin.json("DELETE", &format!("{all}/{}", li.person_id), json!({})).await.expect(204);
        token.get(&path).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM events WHERE kind = 'customer.excluded'").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_lasts_as_long_as_what_it_was_given_for() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        let customer = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        let path = path_of(&customer);
        let id: kehu::ids::CustomerId = customer["id"].as_str().unwrap().parse().unwrap();
        let (to, now) = (wang.person_id, app.app.now());
        let give = |source_id: i64, until: i64| {
            app.app.db.write(move |tx| {
                let by = kehu::access::Actor::command_line();
                let bundle = kehu::ids::RoleId(5);
                kehu::shares::grant_for(
                    tx,
                    &by,
                    id,
                    to,
                    bundle,
                    "approval",
                    source_id,
                    until,
                    "等待您审批",
                    now,
                )
            })
        };
        give(7, now + 3_600_000).await.unwrap();
        give(8, now + 7_200_000).await.unwrap();
        assert!(give(9, now).await.is_err(), "one that is over already");
        app.app.forget_sessions();
        wang.get(&path).await.expect(200);
        let why = wang.get(&format!("{path}/access")).await.text();
        assert!(why.contains("因待办事项临时授权"), "{why}");
        let end = |source_id: i64| {
            app.app.db.write(move |tx| {
                kehu::shares::revoke_for(tx, &kehu::access::Actor::command_line(), "approval", source_id, now)
            })
        };
        assert_eq!(end(8).await.unwrap(), 1);
        assert_eq!(end(8).await.unwrap(), 0);
        app.app.forget_sessions();
        wang.get(&path).await.expect(200);
        app.clock.advance(3_600_000);
        wang.get(&path).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_has_fifty_collaborators_at_the_most() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let customer =
            admin.json("POST", "/api/v1/customers", json!({ "kind": "person", "name": "张三" })).await;
        let customer = customer.expect(201).json();
        let id: kehu::ids::CustomerId = customer["id"].as_str().unwrap().parse().unwrap();
        let wang = app.staff("wang", DataScope::Own).await;
        let (to, now) = (wang.person_id, app.app.now());
        for n in 0..50 {
            let done = app.app.db.write(move |tx| {
                let by = kehu::access::Actor::command_line();
                let bundle = kehu::ids::RoleId(4);
                kehu::shares::grant_for(tx, &by, id, to, bundle, "task", n, now + 1_000, "", now)
            });
            done.await.unwrap();
        }
        let body = json!({ "person_id": wang.person_id, "role": "share_read" });
        let path = format!("{}/shares", path_of(&customer));
        let refused = admin.json("POST", &path, body.clone()).await.expect(409).text();
        assert!(refused.contains("最多 50 个协作人"), "{refused}");
        app.clock.advance(1_000);
        admin.json("POST", &path, body).await.expect(201);
        // Gone into the recycle bin, the grant stays without effect.
        let wang = wang.with_token().await;
        wang.get(&path_of(&customer)).await.expect(200);
        admin.json_with("DELETE", &path_of(&customer), json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        wang.get(&path_of(&customer)).await.expect(404);
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_grants WHERE revoked_at IS NULL").await, 51);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_must_keep_out_is_not_noted_as_the_one_who_met_a_need() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let chen = app.staff("chen", DataScope::All).await;
        let customer = admin.customer(json!({ "kind": "person", "name": "张三" })).await;
        let path = path_of(&customer);
        let need = json!({ "customer_id": customer["id"], "kind": "need", "body": "要加装充电桩" });
        let need = admin.json("POST", "/api/v1/activities", need).await.expect(201).json();
        let out = json!({ "person_id": chen.person_id, "reason": "被客户投诉" });
        admin.json("POST", &format!("{path}/exclusions"), out).await.expect(201);
        let of_need = format!("/api/v1/activities/{}", need["id"].as_str().unwrap());
        let done = json!({ "is_done": true });
        let (page, at) = (chen.clone(), [("if-match", "\"1\"")]);
        let chen = chen.with_token().await;
        chen.json_with("PATCH", &of_need, done.clone(), &at).await.expect(404);
        page.post_form(&format!("/activities/{}/done", need["id"].as_str().unwrap()), &[]).await.expect(404);
        // Made an administrator later, he sees the record again, but is not the one who dealt with it.
        crate::roles::give(&admin, &page, "administrator").await;
        let refused = chen.json_with("PATCH", &of_need, done.clone(), &at).await.expect(409).text();
        assert!(refused.contains("须对这个客户回避"), "{refused}");
        let new = json!({ "customer_id": customer["id"], "kind": "need", "body": "另一件", "is_done": true });
        chen.json("POST", "/api/v1/activities", new).await.expect(409);
        page.post_form(&format!("/tasks/needs/{}/done", need["id"].as_str().unwrap()), &[]).await.expect(409);
        assert_eq!(app.number("SELECT COUNT(*) FROM activities WHERE done_by IS NOT NULL").await, 0);
        let met = admin.json_with("PATCH", &of_need, done, &at).await.expect(200).json();
        assert_eq!(met["done_by"], admin.person_id.to_string());
    })
    .await;
}
