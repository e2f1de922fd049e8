//! Service strategies: how a group of customers is served.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Client, both};

const PATH: &str = "/api/v1/service-strategies";
const PAGE: &str = "/admin/service-strategies";

async fn added(client: &Client<'_>, body: Json) -> Json {
    client.json("POST", PATH, body).await.expect(201).json()
}

/// The basic page of a customer.
async fn page_of(client: &Client<'_>, customer: &Json) -> String {
    let path = format!("/customers/{}", customer["id"].as_str().unwrap());
    client.get(&path).await.expect(200).text()
}

// covers: GM-03
#[tokio::test(flavor = "multi_thread")]
async fn the_most_specific_strategy_stands_on_the_customers_page_and_says_why() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let key =
            json!({ "kind": "organisation", "name": "广州天江科技有限公司", "class": "key", "level": "A" });
        let key = li.customer(key).await;
        let plain = li.customer(json!({ "kind": "organisation", "name": "佛山顺和五金厂" })).await;
        let person = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        assert!(page_of(&li, &key).await.contains("没有适用的服务策略"));
        let strategy = |name: &str, group: Json| {
            let mut body = json!({ "name": name, "content": format!("{name}的内容"), "rhythm_days": 30 });
            for (name, value) in group.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        added(&api, strategy("企业通用", json!({ "kind": "organisation" }))).await;
        added(&api, strategy("个人通用", json!({ "kind": "person", "rhythm_days": 90 }))).await;
        for customer in [&key, &plain] {
            let page = page_of(&li, customer).await;
            assert!(page.contains("企业通用的内容") && page.contains("客户性质为企业"), "{page}");
            assert!(page.contains("每 30 天一次") && !page.contains("个人通用"), "{page}");
        }
        assert!(page_of(&li, &person).await.contains("每 90 天一次"));
        // One condition each: the level goes before the class, the class before the nature.
        added(&api, strategy("重点通用", json!({ "class": "key" }))).await;
        assert!(page_of(&li, &key).await.contains("重点通用的内容"));
        added(&api, strategy("甲级通用", json!({ "level": "A" }))).await;
        let page = page_of(&li, &key).await;
        assert!(page.contains("甲级通用的内容") && page.contains("客户等级为A级"), "{page}");
        // Two conditions go before one, whatever they are.
        let both = added(&api, strategy("重点企业", json!({ "kind": "企业", "class": "key" }))).await;
        assert_eq!(both["kind"], "organisation");
        let page = page_of(&li, &key).await;
        assert!(page.contains("重点企业的内容"), "{page}");
        assert!(page.contains("客户性质为企业、客户类别为重点客户"), "{page}");
        assert!(page.contains("比“甲级通用”“重点通用”“企业通用”更具体"), "{page}");
        assert!(page_of(&li, &plain).await.contains("企业通用的内容"));
        // What is not in force yet fits nobody; on its day it does.
        let path = format!("{PATH}/{}", both["id"].as_str().unwrap());
        let today = app.app.today();
        let on = |day: String| json!({ "valid_from": day });
        let tomorrow = today.tomorrow().unwrap().to_string();
        api.json_with("PATCH", &path, on(tomorrow), &[("if-match", "\"1\"")]).await.expect(200);
        assert!(page_of(&li, &key).await.contains("甲级通用的内容"));
        assert!(li.get(PAGE).await.expect(200).text().contains("未生效"));
        api.json_with("PATCH", &path, on(today.to_string()), &[("if-match", "\"2\"")]).await.expect(200);
        assert!(page_of(&li, &key).await.contains("重点企业的内容"));
        // Taken away, the next wider one serves.
        api.json_with("DELETE", &path, json!({}), &[("if-match", "\"3\"")]).await.expect(204);
        assert!(page_of(&li, &key).await.contains("甲级通用的内容"));
        assert_eq!(li.with_token().await.get(PATH).await.expect(200).json()["items"][4], Json::Null);
    })
    .await;
}

// covers: GM-03
#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_one_strategy_and_every_change_is_in_the_log() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let body =
            |name: &str| json!({ "name": name, "content": "每季度回访", "kind": "person", "level": "B" });
        let first =
            api.json_with("POST", PATH, body("个人乙级"), &[("idempotency-key", "k1")]).await.expect(201);
        let again =
            api.json_with("POST", PATH, body("个人乙级"), &[("idempotency-key", "k1")]).await.expect(201);
        assert_eq!((first.header("etag"), first.json()["id"].clone()), ("\"1\"", again.json()["id"].clone()));
        let refused = api.json("POST", PATH, body("又一条")).await.expect(409).json();
        assert!(refused["title"].as_str().unwrap().contains("已有服务策略“个人乙级”"), "{refused}");
        let form = [("name", "又一条"), ("content", "x"), ("kind", "person"), ("class", ""), ("level", "B")];
        let refused = admin.post_form(PAGE, &form).await.expect(422).text();
        assert!(refused.contains("已有服务策略“个人乙级”") && refused.contains("又一条"), "{refused}");
        // Neither may another be moved into the group.
        let other = json!({ "name": "个人", "content": "每年回访", "kind": "person" });
        let other = added(&api, other).await;
        let path = format!("{PATH}/{}", other["id"].as_str().unwrap());
        let moved = json!({ "level": "B" });
        api.json("PATCH", &path, moved.clone()).await.expect(428);
        api.json_with("PATCH", &path, moved.clone(), &[("if-match", "\"1\"")]).await.expect(409);
        let moved = json!({ "level": "C", "rhythm_days": 45, "valid_from": "2026年1月2日" });
        let moved = api.json_with("PATCH", &path, moved, &[("if-match", "\"1\"")]).await.expect(200).json();
        assert_eq!((&moved["rhythm_days"], &moved["valid_from"]), (&json!(45), &json!("2026-01-02")));
        api.json_with("PATCH", &path, json!({ "note": "x" }), &[("if-match", "\"1\"")]).await.expect(412);
        let same = json!({ "level": "C" });
        let same = api.json_with("PATCH", &path, same, &[("if-match", "\"2\"")]).await.expect(200);
        assert_eq!(same.header("etag"), "\"2\"", "nothing changed, nothing written");
        let cleared = json!({ "rhythm_days": null, "valid_from": "" });
        let cleared =
            api.json_with("PATCH", &path, cleared, &[("if-match", "\"2\"")]).await.expect(200).json();
        assert_eq!((&cleared["rhythm_days"], &cleared["valid_from"]), (&Json::Null, &Json::Null));
        // The group of a removed one is free again.
        let path = format!("{PATH}/{}", first.json()["id"].as_str().unwrap());
        api.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        api.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(404);
        api.get(&path).await.expect(404);
        added(&api, body("个人乙级")).await;
        let audited = app.number("SELECT COUNT(*) FROM audit_log WHERE object = 'strategy'").await;
        let told = app.number("SELECT COUNT(*) FROM events WHERE object = 'strategy'").await;
        assert_eq!((audited, told), (6, 6));
        let log = admin.get("/admin/audit?action=strategy.").await.expect(200).text();
        for words in ["新增服务策略", "修改服务策略", "删除服务策略", "联系周期（天）", "C级"]
        {
            assert!(log.contains(words), "{words}");
        }
    })
    .await;
}

// covers: GM-03
#[tokio::test(flavor = "multi_thread")]
async fn values_that_cannot_be_are_refused_at_their_field() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("长".repeat(61))),
            ("content", json!(null)),
            ("content", json!("a\u{202e}b")),
            ("kind", json!("cat")),
            ("kind", json!("")),
            ("class", json!("nothing")),
            ("level", json!("Z")),
            ("rhythm_days", json!(0)),
            ("rhythm_days", json!(1.5)),
            ("rhythm_days", json!(-1)),
            ("rhythm_days", json!(3651)),
            ("rhythm_days", json!("多")),
            ("valid_from", json!("2026-02-30")),
            ("version", json!(7)),
            ("nmae", json!("x")),
        ] {
            let mut body = json!({ "name": "个人", "content": "每年回访", "kind": "person" });
            body[field] = value.clone();
            let refused = api.json("POST", PATH, body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{value} {refused}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM service_strategies").await, 0);
        let most = json!({ "name": "个人", "content": "每年回访", "kind": "person", "rhythm_days": 3650 });
        added(&api, most).await;
    })
    .await;
}

// covers: GM-03
#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_strategies_and_administrators_write_them() {
    both(|app| async move {
        let admin = app.administrator().await;
        let staff = app.staff("li", DataScope::All).await;
        let form =
            [("name", "个人客户"), ("kind", "person"), ("content", "每年回访"), ("rhythm_days", "365")];
        admin.post_form(PAGE, &form).await.expect(303);
        admin.post_form(PAGE, &[("name", "x"), ("content", "")]).await.expect(422);
        let list = staff.with_token().await.get(PATH).await.expect(200).json();
        let id = list["items"][0]["id"].as_str().unwrap().to_owned();
        let (page, call) = (format!("{PAGE}/{id}"), format!("{PATH}/{id}"));
        let seen = staff.get(PAGE).await.expect(200).text();
        assert!(seen.contains("个人客户") && !seen.contains("新增服务策略"), "{seen}");
        assert!(seen.contains("href=\"/admin/service-strategies\""), "the menu leads here");
        let seen = staff.get(&page).await.expect(200).text();
        assert!(seen.contains("每年回访") && !seen.contains("<form class=\"form\""), "{seen}");
        for path in [PAGE.to_owned(), page.clone(), format!("{page}/delete")] {
            staff.post_form(&path, &form).await.expect(403);
        }
        staff.get(&format!("{PAGE}/new")).await.expect(403);
        let api = staff.with_token().await;
        api.get(&call).await.expect(200);
        let body = json!({ "name": "企业", "kind": "organisation", "content": "x" });
        api.json("POST", PATH, body.clone()).await.expect(403);
        api.json_with("PATCH", &call, body.clone(), &[("if-match", "\"1\"")]).await.expect(403);
        api.json_with("DELETE", &call, body, &[("if-match", "\"1\"")]).await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM service_strategies WHERE version = 1").await, 1);
        // The form has what is stored and says when somebody was faster.
        let shown = admin.get(&page).await.expect(200).text();
        assert!(shown.contains("value=\"365\"") && shown.contains("每年回访"), "{shown}");
        let changed = [("version", "1"), ("name", "个人客户"), ("kind", "person"), ("content", "每半年回访")];
        admin.post_form(&page, &changed).await.expect(303);
        let late = admin.post_form(&page, &changed).await.expect(422).text();
        assert!(late.contains("每半年回访"), "{late}");
        admin.post_form(&format!("{page}/delete"), &[]).await.expect(303);
        admin.get(&page).await.expect(404);
    })
    .await;
}
