//! Activities, the timeline and the report over HTTP.

use serde_json::{Value, json};

use crate::app::DataScope;
use crate::both;

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

// covers: VF-05, VF-06
#[tokio::test(flavor = "multi_thread")]
async fn major_changes_have_event_date_source_and_effect_and_stand_on_the_timeline() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = id_of(&li.customer(json!({ "kind": "organisation", "name": "天江" })).await);
        let api = li.with_token().await;
        for (kind, event) in
            [("change_customer", "法定代表人变更为李四"), ("change_relation", "年度框架合同终止")]
        {
            let body = json!({
                "customer_id": id, "kind": kind, "subject": event, "source": "customer_notice",
                "effect": "授信要重新评估", "happened_at": "2026-09-20",
            });
            let made = api.json("POST", "/api/v1/activities", body).await.expect(201).json();
            assert_eq!(made["happened_at"], "2026-09-19T16:00:00.000Z");
            // Without event or source it is none.
            let bare = json!({ "customer_id": id, "kind": kind });
            let refused = api.json("POST", "/api/v1/activities", bare).await.expect(422).json();
            let fields: Vec<_> =
                refused["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
            assert_eq!(fields, [json!("subject"), json!("source")]);
        }
        let page =
            li.get_part(&format!("/customers/{id}/timeline?show=major_changes")).await.expect(200).text();
        for text in
            ["客户方重大变动", "法定代表人变更为李四", "双方关系重大变动", "客户告知", "授信要重新评估"]
        {
            assert!(page.contains(text), "{text}: {page}");
        }
    })
    .await;
}

// covers: VF-12
#[tokio::test(flavor = "multi_thread")]
async fn letters_faxes_and_long_distance_calls_are_a_register_of_their_own() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = id_of(&li.customer(json!({ "kind": "organisation", "name": "天江" })).await);
        let form = |kind, body| [("kind", kind), ("body", body), ("direction", "in")];
        let path = format!("/customers/{id}/activities");
        for (kind, body) in [
            ("letter", "来函要求延期"),
            ("fax", "传真报价单"),
            ("long_distance", "长途商谈付款"),
            ("call", "本地通话"),
        ] {
            li.post_form(&path, &form(kind, body)).await.expect(303);
        }
        let register =
            li.get_part(&format!("/customers/{id}/timeline?show=correspondence")).await.expect(200).text();
        for text in ["来函要求延期", "传真报价单", "长途商谈付款", "对方来"] {
            assert!(register.contains(text), "{text}");
        }
        assert!(!register.contains("本地通话"));
        let counted = kehu::counters::by_key;
        let by_kind = app
            .app
            .db
            .read(move |conn| counted(conn, "activities.kind", &kehu::counters::Whose::Everybody))
            .await
            .unwrap();
        assert!(by_kind.contains(&("fax".to_owned(), 1)) && by_kind.contains(&("call".to_owned(), 1)));
    })
    .await;
}

// covers: CI-03
#[tokio::test(flavor = "multi_thread")]
async fn needs_stay_open_until_met_and_are_reported() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = id_of(&li.customer(json!({ "kind": "person", "name": "张三" })).await);
        let api = li.with_token().await;
        let need = |text: &str| json!({ "customer_id": id, "kind": "need", "body": text });
        let one = api.json("POST", "/api/v1/activities", need("希望延长质保\n细节")).await.expect(201).json();
        assert_eq!(one["subject"], "希望延长质保");
        api.json("POST", "/api/v1/activities", need("=要加装充电桩")).await.expect(201);
        let open = "/api/v1/activities?kind=need&open=1";
        assert_eq!(api.get(open).await.expect(200).json()["items"].as_array().unwrap().len(), 2);
        let path = format!("/activities/{}/done?done=1", id_of(&one));
        li.post_form(&path, &[]).await.expect(303);
        assert_eq!(api.get(open).await.expect(200).json()["items"].as_array().unwrap().len(), 1);
        let page = li.get("/activities").await.expect(200).text();
        for text in ["未满足的需求", "希望延长质保", "要加装充电桩", "2026-09-01 至 2026-09-28"]
        {
            assert!(page.contains(text), "{text}");
        }
        let file = li.get("/activities/export?from=2026-09-01&to=2026-09-30").await.expect(200);
        assert!(file.header("content-disposition").starts_with("attachment"));
        let text = file.text();
        assert!(text.contains("\"需求\",\"2\"") && text.contains("\"'=要加装充电桩\""), "{text}");
        let exports = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'activity.exported'").await;
        assert_eq!(exports, 1);
        // Another month has none; another person sees nothing of it.
        let none = api.get("/api/v1/activities?from=2026-10-01").await.expect(200).json();
        assert_eq!(none["items"], json!([]));
        let wang = app.staff("wang", DataScope::Own).await;
        assert!(!wang.get("/activities").await.expect(200).text().contains("希望延长质保"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_author_and_administrators_change_words() {
    both(|app| async move {
        let li = app.staff("li", DataScope::All).await;
        let wang = app.staff("wang", DataScope::All).await;
        let admin = app.administrator().await;
        let id = id_of(&li.customer(json!({ "kind": "person", "name": "张三" })).await);
        let api = li.with_token().await;
        let body = json!({
            "customer_id": id, "kind": "visit", "body": "上门拜访", "result": "有效", "next_contact_on": "2026-10-08",
        });
        let visit = api.json("POST", "/api/v1/activities", body).await.expect(201).json();
        assert_eq!(visit["result"], "effective");
        let customer = api.get(&format!("/api/v1/customers/{id}")).await.json();
        assert_eq!(customer["next_contact_on"], "2026-10-08");
        assert_eq!(customer["last_activity_at"], visit["happened_at"]);
        let path = format!("/api/v1/activities/{}", id_of(&visit));
        let other = wang.with_token().await;
        let first = [("if-match", "\"1\"")];
        other.json_with("PATCH", &path, json!({ "body": "改" }), &first).await.expect(403);
        other.json_with("DELETE", &path, json!({}), &first).await.expect(403);
        wang.get_part(&format!("/activities/{}/edit", id_of(&visit))).await.expect(403);
        api.json_with("PATCH", &path, json!({ "body": "上门拜访，已签字" }), &first).await.expect(200);
        let admin = admin.with_token().await;
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        let customer = api.get(&format!("/api/v1/customers/{id}")).await.json();
        assert_eq!(customer["last_activity_at"], Value::Null);
        let left = kehu::counters::one;
        let n = app.app.db.read(move |conn| left(conn, "activities.kind", "visit", &kehu::counters::Whose::Everybody)).await.unwrap();
        assert_eq!(n, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_strangers_find_nothing() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let id = id_of(&li.customer(json!({ "kind": "person", "name": "张三" })).await);
        let his = id_of(&wang.customer(json!({ "kind": "person", "name": "王五" })).await);
        let contact = json!({ "customer_id": his, "name": "别人的联系人" });
        let contact =
            wang.with_token().await.json("POST", "/api/v1/contacts", contact).await.expect(201).json();
        let api = li.with_token().await;
        for (field, value) in [
            ("kind", json!("party")),
            ("body", json!("a\u{0}b")),
            ("body", json!("长".repeat(5001))),
            ("direction", json!("sideways")),
            ("result", json!("maybe")),
            ("effect", json!("不是变动")),
            ("happened_at", json!("2026-10-05 08:00")),
            ("happened_at", json!("昨天")),
            ("contact_id", contact["id"].clone()),
            ("next_contact_on", json!("2026-13-01")),
            ("is_done", json!(true)),
            ("done_by", json!("x")),
        ] {
            let mut body = json!({ "customer_id": id, "kind": "call", "body": "通话" });
            body[field] = value.clone();
            let refused = api.json("POST", "/api/v1/activities", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{value} {refused}");
        }
        let body = json!({ "customer_id": id, "kind": "call", "body": "通话" });
        let call = api.json("POST", "/api/v1/activities", body.clone()).await.expect(201).json();
        let other = wang.with_token().await;
        other.json("POST", "/api/v1/activities", body).await.expect(404);
        other.get(&format!("/api/v1/activities/{}", id_of(&call))).await.expect(404);
        wang.get_part(&format!("/customers/{id}/timeline")).await.expect(404);
        wang.post_form(&format!("/customers/{id}/activities"), &[("kind", "x")]).await.expect(404);
        let hidden = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await;
        assert_eq!(hidden, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_merges_everything_by_time_and_is_read_page_by_page() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let id = id_of(&li.customer(json!({ "kind": "person", "name": "张三" })).await);
        let api = li.with_token().await;
        for n in 0..40 {
            app.clock.advance(1_000);
            let body = json!({ "customer_id": id, "kind": "call", "body": format!("第{n}次通话") });
            api.json("POST", "/api/v1/activities", body).await.expect(201);
        }
        app.clock.advance(1_000);
        let contact = json!({ "customer_id": id, "name": "陈晓燕" });
        api.json("POST", "/api/v1/contacts", contact).await.expect(201);
        app.clock.advance(1_000);
        li.upload(&format!("/customers/{id}/files"), &[], "名片.txt", b"card").await.expect(303);
        let first = li.get_part(&format!("/customers/{id}/timeline")).await.expect(200).text();
        let places: Vec<usize> =
            ["名片.txt", "陈晓燕", "第39次通话"].map(|t| first.rfind(t).unwrap()).to_vec();
        assert!(places[0] < places[2], "newest first");
        assert!(first.contains("第12次通话") && !first.contains("第11次通话"));
        let next = first.split("hx-get=\"").find(|p| p.contains("after=")).unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        let second = li.get_part(&next).await.expect(200).text();
        assert!(second.contains("第11次通话") && second.contains("建档") && !second.contains("after="));
        assert!(!second.contains("activity-form"), "only further lines");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_goes_on_behind_changes_its_reader_is_not_told() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = crate::roles::bare(&app, "li").await;
        let cells = ["customer", "activity"].map(|o| json!({ "object": o, "verb": "read", "scope": "all" }));
        crate::roles::role(&admin, "narrow", json!(cells), json!([])).await;
        crate::roles::give(&admin, &li, "narrow").await;
        let body = json!({ "kind": "person", "name": "张三" });
        let id = id_of(&admin.json("POST", "/api/v1/customers", body).await.expect(201).json());
        let old = json!({ "customer_id": id, "kind": "call", "body": "最早的一次通话" });
        app.clock.advance(1_000);
        admin.json("POST", "/api/v1/activities", old).await.expect(201);
        // One page of what he may read lies behind more than a page of what he may not.
        for n in 0..40 {
            app.clock.advance(1_000);
            let body = json!({ "phone": format!("138123456{n:02}") });
            let version = format!("\"{}\"", n + 1);
            let path = format!("/api/v1/customers/{id}");
            admin.json_with("PATCH", &path, body, &[("if-match", &version)]).await.expect(200);
        }
        for n in 0..40 {
            app.clock.advance(1_000);
            let contact = json!({ "customer_id": id, "name": format!("不许看的人{n}") });
            admin.json("POST", "/api/v1/contacts", contact).await.expect(201);
        }
        let mut at = format!("/customers/{id}/timeline");
        let mut pages = 0;
        loop {
            let page = li.get_part(&at).await.expect(200).text();
            assert!(!page.contains("不许看的人"), "{page}");
            pages += 1;
            if page.contains("最早的一次通话") {
                break;
            }
            let next =
                page.split("hx-get=\"").skip(1).find(|p| p.contains("after=")).expect("the timeline goes on");
            at = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        }
        assert_eq!(pages, 2, "30 changes, then 10, the call and the record itself");
    })
    .await;
}
