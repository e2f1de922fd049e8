//! The workbench, the statistics and the manual.

use serde_json::json;

use crate::app::DataScope;
use crate::both;
use crate::roles::{bare, give, grant, role, unit};

// covers: VF-02
#[tokio::test(flavor = "multi_thread")]
async fn customers_are_counted_by_class_and_province_within_sight() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        for (class, region) in [("key", "广州"), ("key", "深圳"), ("target", "广州"), ("potential", "")]
        {
            admin
                .customer(json!({ "kind": "person", "name": "张三", "class": class, "region": region }))
                .await;
        }
        li.customer(json!({ "kind": "person", "name": "李四", "class": "general", "region": "长沙" })).await;
        let page = admin.get("/customers/statistics").await.expect(200).text();
        for text in ["广东省", "湖南省", "地区不详", "重点客户", "class=key&amp;region="] {
            assert!(page.contains(text) || page.contains(&text.replace("&amp;", "&#38;")), "{text}: {page}");
        }
        let own = li.get("/customers/statistics").await.expect(200).text();
        assert!(own.contains("湖南省") && !own.contains("广东省"));
        // A change of class moves the customer from one count to the other.
        let by_key = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM counters
                      WHERE name = 'customers.class_province' AND key = 'key/广东省' AND owner_id = 0";
        assert_eq!(app.number(by_key).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workbench_shows_exact_counts_and_its_links_lead_to_the_same_customers() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let empty = admin.get("/").await.expect(200).text();
        assert!(empty.contains("开始使用") && empty.contains("2026年9月28日 星期一"), "{empty}");
        assert!(!li.get("/").await.expect(200).text().contains("开始使用"));
        for name in ["张三", "李四", "王五"] {
            li.customer(json!({ "kind": "person", "name": name, "region": "广州" })).await;
        }
        // The next month begins: nobody is new any more.
        app.clock.advance(3 * 24 * 3_600_000);
        admin.customer(json!({ "kind": "person", "name": "赵六" })).await;
        let months = "SELECT COUNT(DISTINCT key) FROM counters WHERE name = 'customers.created_month' AND owner_id = 0";
        assert_eq!(app.number(months).await, 2);
        let li = app.sign_in(li.person_id).await;
        let admin = app.administrator().await;
        for client in [&admin, &li] {
            let page = client.get("/").await.expect(200).text();
            let figures =
                ["/customers", "/customers?created_from=2026-10-01", "/customers?completeness=incomplete"];
            let token = client.with_token().await;
            for href in figures {
                let n =
                    token.get(&href.replacen("/customers", "/api/v1/customers", 1)).await.expect(200).json()
                        ["total"]
                        .clone();
                let figure = format!("class=\"figure\" href=\"{href}\"");
                let rest = page.split(&figure).last().unwrap();
                assert!(
                    page.contains(&figure) && rest.contains(&format!("figure-value\">{n}<")),
                    "{href} {n}"
                );
            }
        }
        admin.post_form("/first-steps/hide", &[]).await.expect(303);
        assert!(!admin.get("/").await.expect(200).text().contains("开始使用"));
        li.post_form("/first-steps/hide", &[]).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_is_there_in_both_languages() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        assert!(li.get("/help").await.expect(200).text().contains("查找客户"));
        let request = li.request("GET", "/help");
        let cookie = format!("{}={}; lang=en", kehu::auth::SESSION_COOKIE, li.secret());
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        let english = app.send(request).await.expect(200).text();
        assert!(english.contains("Find customers") && !english.contains("查找客户"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workbench_is_about_what_somebody_may_do() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let (hr, nobody) = (bare(&app, "hr").await, bare(&app, "nobody").await);
        let grants = json!([grant("organisation", "update", "all")]);
        role(&api, "keeper", grants, json!([])).await;
        give(&api, &hr, "keeper").await;
        let east = unit(&app, "华东").await;
        let held = json!({ "unit_id": east, "post": "sales_director", "starts_on": "2026-09-21" });
        let path = format!("/api/v1/people/{}/positions", nobody.person_id);
        api.json("POST", &path, held).await.expect(201);
        let page = hr.get("/").await.expect(200).text();
        for text in ["办理入职", "部门和机构", "员工nobody", "华东"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("新增客户") && !page.contains("导入客户"), "{page}");
        let page = nobody.get("/").await.expect(200).text();
        assert!(page.contains("还没有给您授权") && page.contains("请联系系统管理员授权"), "{page}");
        for text in ["新增客户", "导入客户", "办理入职", "本月新增"] {
            assert!(!page.contains(text), "{text}: {page}");
        }
        let page = admin.get("/").await.expect(200).text();
        assert!(
            page.contains("新增客户") && page.contains("导入客户") && !page.contains("办理入职"),
            "{page}"
        );
    })
    .await;
}
