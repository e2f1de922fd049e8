//! Finding customers: menu, page, API.

use kehu::{customers, search};
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::imports::{counts, import};
use crate::roles::{bare, give, grant, post, role, unit};
use crate::{Client, both};

async fn found(client: &Client<'_>, words: &str) -> Vec<String> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish();
    let page = client.get(&format!("/api/v1/search?{query}")).await.expect(200).json();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn path(customer: &Json) -> String {
    format!("/api/v1/customers/{}", customer["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_found_by_characters_pinyin_initials_numbers_and_mixtures() {
    both(|app| async move {
        let admin = app.administrator().await;
        let organisation = json!({
            "kind": "organisation", "name": "广州天江科技有限公司", "short_name": "天江科技", "number": "TJ-2026-008",
            "phone": "13812345678", "landline": "020-38120099", "credit_code": "91350100M000100Y43",
            "email": "office@example.cn",
        });
        admin.customer(organisation).await;
        admin.customer(json!({ "kind": "person", "name": "张三", "phone": "13900001111" })).await;
        let admin = admin.with_token().await;
        for words in [
            "天", "天江", "广州天江", "tianjiang", "guangzhoutianjiang", "gztj", "GZTJ", "广州tj", "gz天江", "天江 科技",
            "5678", "13812345678", "138 1234 5678", "0099", "38120099", "TJ-2026-008", "tj-2026", "91350100",
            "office@example.cn",
        ] {
            assert_eq!(found(&admin, words).await, ["广州天江科技有限公司"], "{words}");
        }
        for words in ["张", "zs", "zhangsan", "zhang san", "张s", "1111"] {
            assert_eq!(found(&admin, words).await, ["张三"], "{words}");
        }
        for words in ["李四", "lisi", "99887766", ""] {
            assert!(found(&admin, words).await.is_empty(), "{words}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn surnames_with_several_readings_are_found_by_each() {
    both(|app| async move {
        let admin = app.administrator().await;
        for name in ["单雄信", "曾国强", "解晓东", "仇英", "重庆长江贸易有限公司"] {
            let kind = if name.chars().count() > 4 { "organisation" } else { "person" };
            admin.customer(json!({ "kind": kind, "name": name })).await;
        }
        let admin = admin.with_token().await;
        for (words, name) in [
            ("shanxiongxin", "单雄信"),
            ("sxx", "单雄信"),
            ("zengguoqiang", "曾国强"),
            ("xiexiaodong", "解晓东"),
            ("qiuying", "仇英"),
            ("chongqing", "重庆长江贸易有限公司"),
            ("cqcj", "重庆长江贸易有限公司"),
        ] {
            assert_eq!(found(&admin, words).await, [name], "{words}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_quotes_and_wildcards_are_only_words() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin.customer(json!({ "kind": "person", "name": "张三" })).await;
        let token = admin.with_token().await;
        for words in [
            "\"",
            "'",
            "张\" OR \"1",
            "* ",
            "NEAR(",
            "a AND",
            "%",
            "_",
            "张*",
            ") OR (",
            "\\",
            "&",
            "|",
            "!",
            ":*",
            "<->",
            "' OR 1=1 --",
            "body:张",
            "^",
            "-",
            "\u{202e}",
            "（",
            "🙂",
        ] {
            let names = found(&token, words).await;
            assert!(names.is_empty() || names == ["张三"], "{words}");
        }
        assert!(found(&token, "%").await.is_empty());
        assert!(found(&token, "_").await.is_empty());
        let long = "张".repeat(5_000);
        found(&token, &long).await;
        // What is typed comes back as text, never as markup.
        let page = admin.get("/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E").await.expect(200).text();
        assert!(!page.contains("<script>alert"));
        // A NUL is refused with a sentence: PostgreSQL could not even be asked.
        token.get("/api/v1/search?q=%00").await.expect(422);
        token.get("/api/v1/search?q=a&limit=0").await.expect(422);
        token.get("/api/v1/search?q=a&limit=x").await.expect(422);
        app.stranger().get("/api/v1/search?q=a").await.expect(401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_what_he_may_not_see() {
    both(|app| async move {
        let wang = app.staff("wang", DataScope::Own).await;
        let li = app.staff("li", DataScope::Own).await;
        let all = app.staff("all", DataScope::All).await;
        wang.customer(json!({ "kind": "person", "name": "欧阳修", "phone": "13812345678" })).await;
        for words in ["欧阳", "oyx", "5678", "KH000001"] {
            assert_eq!(found(&wang.with_token().await, words).await, ["欧阳修"], "{words}");
            assert_eq!(found(&all.with_token().await, words).await, ["欧阳修"], "{words}");
            assert!(found(&li.with_token().await, words).await.is_empty(), "{words}");
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish();
            for place in ["/search/menu", "/search"] {
                let page = li.get(&format!("{place}?{query}")).await.expect(200).text();
                assert!(!page.contains("欧阳修") && !page.contains("13812345678"), "{place} {words}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_is_gone_and_a_new_name_is_found_at_once() {
    both(|app| async move {
        let admin = app.administrator().await;
        let made = admin.customer(json!({ "kind": "person", "name": "张三", "phone": "13812345678" })).await;
        let token = admin.with_token().await;
        let renamed = json!({ "name": "李四" });
        token.json_with("PATCH", &path(&made), renamed, &[("if-match", "\"1\"")]).await.expect(200);
        assert!(found(&token, "张三").await.is_empty());
        assert_eq!(found(&token, "lisi").await, ["李四"]);
        assert_eq!(found(&token, "5678").await, ["李四"]);
        token.json_with("DELETE", &path(&made), json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        for words in ["李四", "ls", "5678"] {
            assert!(found(&token, words).await.is_empty(), "{words}");
        }
        let id = made["id"].as_str().unwrap().parse().unwrap();
        app.app
            .db
            .write(move |tx| {
                kehu::customers::restore(tx, &kehu::access::Actor::command_line(), id, crate::app::NOW)
            })
            .await
            .unwrap();
        assert_eq!(found(&token, "lisi").await, ["李四"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_offers_customers_with_marks_then_pages_the_person_may_open() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let made = li
            .customer(
                json!({ "kind": "organisation", "name": "广州天江科技有限公司", "phone": "13812345678" }),
            )
            .await;
        let menu = li.get("/search/menu?q=tj").await.expect(200).text();
        assert!(menu.contains("<mark>天江</mark>"), "{menu}");
        assert!(menu.contains(&format!("href=\"/customers/{}\"", made["id"].as_str().unwrap())));
        let by_phone = li.get("/search/menu?q=5678").await.expect(200).text();
        assert!(by_phone.contains("1381234<mark>5678</mark>"), "{by_phone}");
        // 导入 by its initials; the administration only for administrators.
        assert!(li.get("/search/menu?q=dr").await.text().contains("href=\"/imports\""));
        assert!(!li.get("/search/menu?q=rygl").await.text().contains("/admin/people"));
        assert!(admin.get("/search/menu?q=rygl").await.text().contains("href=\"/admin/people\""));
        let start = li.get("/search/menu?q=").await.expect(200).text();
        assert!(start.contains("广州天江") && start.contains("href=\"/customers/new\""));
        let nothing = li.get("/search/menu?q=zzzzqqq").await.expect(200).text();
        assert!(nothing.trim().is_empty(), "{nothing}");
        let page = li.get("/search?q=%E5%A4%A9%E6%B1%9F").await.expect(200).text();
        assert!(page.contains("<mark>天江</mark>") && page.contains("/customers?q="));
        assert!(li.get("/search?q=zzzzqqq").await.expect(200).text().contains("没有找到"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_begin_with_the_words_come_first() {
    both(|app| async move {
        let admin = app.administrator().await;
        for name in ["江门天江贸易有限公司", "天江", "天江集团有限公司", "北京新天江有限公司"]
        {
            admin.customer(json!({ "kind": "organisation", "name": name })).await;
        }
        let names = found(&admin.with_token().await, "天江").await;
        assert_eq!(names[..2], ["天江", "天江集团有限公司"]);
        assert_eq!(names.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_plates_and_vins_lead_to_their_customer_and_to_nobody_elses_eyes() {
    both(|app| async move {
        let wang = app.staff("wang", DataScope::Own).await;
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let made = wang.customer(json!({ "kind": "organisation", "name": "广州天江科技有限公司" })).await;
        let token = wang.with_token().await;
        let contact = json!({ "customer_id": made["id"], "name": "欧阳娜娜", "phone": "13900001111" });
        let contact = token.json("POST", "/api/v1/contacts", contact).await.expect(201).json();
        let car = json!({
            "customer_id": made["id"], "kind": "vehicle", "details": { "plate": "粤A12345", "vin": "LSVAA4182E2184847" },
        });
        token.json("POST", "/api/v1/assets", car).await.expect(201);
        for words in
            ["欧阳", "oynn", "ouyangnana", "1111", "13900001111", "粤A12345", "A12345", "LSVAA4182E2184847"]
        {
            assert_eq!(found(&token, words).await, ["广州天江科技有限公司"], "{words}");
            assert!(found(&li, words).await.is_empty(), "{words}");
        }
        let menu = wang.get("/search/menu?q=oynn").await.expect(200).text();
        assert!(menu.contains("联系人") && menu.contains("<mark>欧阳娜娜</mark>"), "{menu}");
        let path = format!("/api/v1/contacts/{}", contact["id"].as_str().unwrap());
        token.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        assert!(found(&token, "欧阳").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_part_is_searched_by_whose_it_is_and_follows_its_owner() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        for n in 0..30 {
            admin.customer(json!({ "kind": "organisation", "name": format!("天江{n}公司") })).await;
        }
        let own = li.customer(json!({ "kind": "organisation", "name": "天江李公司" })).await;
        let (li, wang) = (li.with_token().await, wang.with_token().await);
        for words in ["天江", "tianjiang", "tj", "t", "李"] {
            assert_eq!(found(&li, words).await, ["天江李公司"], "{words}");
            assert!(found(&wang, words).await.is_empty(), "{words}");
        }
        // Tags are not words: nobody finds by them.
        for words in ["o", "u", &format!("o{}", app.number("SELECT MIN(id) FROM people").await)] {
            assert!(found(&admin, words).await.is_empty(), "{words}");
        }
        let list = li.get("/api/v1/customers?q=tj").await.expect(200).json();
        assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["id"]), (1, &own["id"]));
        let given = json!({ "owner_id": wang.person_id });
        admin.json_with("PATCH", &path(&own), given, &[("if-match", "\"1\"")]).await.expect(200);
        assert!(found(&li, "天江").await.is_empty());
        assert_eq!(found(&wang, "天江").await, ["天江李公司"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_customers_are_found_by_whoever_sees_those_of_their_unit() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let (wang, li) = (bare(&app, "wang").await, app.staff("li", DataScope::Own).await);
        let (north, south) = (unit(&app, "北区").await, unit(&app, "南区").await);
        post(&app, &wang, &north, "staff").await;
        post(&app, &li, &north, "staff").await;
        let chen = app.staff("chen", DataScope::Own).await;
        post(&app, &chen, &south, "staff").await;
        role(&admin, "department", json!([grant("customer", "read", "unit")]), json!([])).await;
        give(&admin, &wang, "department").await;
        // His unit has a small part of all: he is searched for within it.
        let mut file = String::from("名称,负责人\n天江李公司,li\n");
        for n in 0..30 {
            file.push_str(&format!("天江{n}公司,chen\n"));
        }
        let done = import(&admin, "a.csv", file.as_bytes(), &[]).await;
        assert_eq!(counts(&done)[1], 31);
        let wang = wang.with_token().await;
        for words in ["天江", "tj", "李"] {
            assert_eq!(found(&wang, words).await, ["天江李公司"], "{words}");
        }
        let made: Json = li.with_token().await.get("/api/v1/customers").await.expect(200).json();
        let made = &made["items"][0];
        assert_eq!(made["unit_id"], json!(north));
        let log = app
            .text("SELECT after FROM audit_log WHERE action = 'customer.created' ORDER BY id LIMIT 1")
            .await;
        assert!(log.contains(&north), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_part_is_searched_by_asking_of_each_hit_whose_it_is() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let (wang, li) = (bare(&app, "wang").await, app.staff("li", DataScope::Own).await);
        let chen = app.staff("chen", DataScope::Own).await;
        let (north, south) = (unit(&app, "北区").await, unit(&app, "南区").await);
        post(&app, &wang, &north, "staff").await;
        post(&app, &li, &north, "staff").await;
        post(&app, &chen, &south, "staff").await;
        role(&admin, "department", json!([grant("customer", "read", "unit")]), json!([])).await;
        give(&admin, &wang, "department").await;
        // Too many for their ids to be gathered, too large a part for tags to help, and less than half.
        let mut file = String::from("名称,负责人\n");
        for n in 0..300 {
            let (name, owner) = if n % 15 < 7 { ("天江北", "li") } else { ("天江南", "chen") };
            file.push_str(&format!("{name}{n}公司,{owner}\n"));
        }
        let done = import(&admin, "a.csv", file.as_bytes(), &[]).await;
        assert_eq!(counts(&done)[1], 300);
        let wang = wang.with_token().await;
        for words in ["天江", "tjb", "公司", "天江北"] {
            let names = found(&wang, words).await;
            assert!(
                !names.is_empty() && names.iter().all(|name| name.starts_with("天江北")),
                "{words}: {names:?}"
            );
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish();
            let page = wang.get(&format!("/api/v1/customers?limit=200&{query}")).await.expect(200).json();
            let items = page["items"].as_array().unwrap();
            assert!(items.iter().all(|item| item["unit_id"] == json!(north)), "{words}");
            assert_eq!((items.len(), &page["total"]), (140, &json!(140)), "{words}");
        }
        assert!(found(&wang, "天江南").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_an_older_program_made_is_made_anew_before_anything_is_served() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        admin.customer(json!({ "kind": "organisation", "name": "广州天江科技有限公司" })).await;
        let db = app.app.db.clone();
        let refreshed = tokio::task::spawn_blocking(move || customers::refresh_index(&db)).await.unwrap();
        assert_eq!(refreshed.unwrap(), Some(1), "no version is noted in a database that was only migrated");
        let emptied = app.app.db.write(|tx| {
            let id = tx.value::<i64>("SELECT id FROM customers", &[])?.unwrap();
            search::remove(tx, id)?;
            tx.exec("UPDATE search_state SET version = 1", &[])
        });
        emptied.await.unwrap();
        assert!(found(&admin, "天江").await.is_empty());
        for again in [Some(1), None] {
            let db = app.app.db.clone();
            let refreshed = tokio::task::spawn_blocking(move || customers::refresh_index(&db)).await.unwrap();
            assert_eq!(refreshed.unwrap(), again);
        }
        assert_eq!(found(&admin, "天江").await, ["广州天江科技有限公司"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_whole_comes_first_whatever_begins_alike() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let others = app.staff("wang", DataScope::Own).await.with_token().await;
        let api = li.with_token().await;
        let first = json!({
            "kind": "organisation", "name": "天江", "short_name": "老江", "number": "TJ-8", "phone": "020-38120099",
        });
        let made = li.customer(first).await;
        let contact = json!({ "customer_id": made["id"], "name": "欧阳" });
        api.json("POST", "/api/v1/contacts", contact).await.expect(201);
        let plate = json!({ "customer_id": made["id"], "kind": "vehicle", "details": { "plate": "粤A12345" } });
        api.json("POST", "/api/v1/assets", plate).await.expect(201);
        let program = admin.with_token().await;
        for n in 0..100 {
            let body = json!({
                "kind": "organisation", "name": format!("天江{n}号欧阳"), "short_name": format!("老江粤A12345第{n}"),
                "number": format!("TJ-8{n:03}"), "owner_id": li.person_id, "wechat": format!("欧阳{n}"),
            });
            program.json("POST", "/api/v1/customers", body).await.expect(201);
        }
        let programs = [&program, &api];
        for words in ["天江", "天 江", "老江", "TJ-8", "tj8", "020-38120099", "02038120099", "欧阳", "粤A12345", "粤a·12345"] {
            for who in programs {
                assert_eq!(found(who, words).await.first().map(String::as_str), Some("天江"), "{words}");
            }
            assert!(found(&others, words).await.is_empty(), "{words}");
        }
        for words in ["天江", "TJ-8", "欧阳", "粤A12345"] {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish();
            for place in ["/search/menu", "/search"] {
                let page = li.get(&format!("{place}?{query}")).await.expect(200).text();
                let mut linked = page.split("href=\"/customers/").skip(1).filter_map(|part| part.get(..13));
                let first = linked.find(|id| !id.starts_with("new"));
                assert_eq!(first, made["id"].as_str(), "{place} {words}");
            }
        }
        // The others follow, the best of them first as before.
        assert!(found(&program, "天江").await.len() > 40);
    })
    .await;
}
