//! The pages of customers as a browser uses them: list, form, card, changes in place, batches, recycle bin.

use axum::body::Body;
use axum::http::header;
use serde_json::json;

use crate::app::DataScope;
use crate::{Answer, Client, both};

/// Sends a form as htmx does, from the page at `from`.
async fn htmx(client: &Client<'_>, path: &str, from: &str, values: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    let request = client
        .request("POST", path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("hx-request", "true")
        .header("hx-request-type", "partial")
        .header("hx-current-url", format!("http://127.0.0.1:8080{from}"))
        .body(Body::from(body))
        .unwrap();
    client.app.send(request).await
}

fn id_of(customer: &serde_json::Value) -> String {
    customer["id"].as_str().unwrap().to_owned()
}

/// The id in the address a saved form leads to.
fn id_in(location: &str) -> String {
    location.trim_start_matches("/customers/").split('?').next().unwrap().to_owned()
}

// covers: GM-03
// covers: VF-03
// covers: CI-03
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_has_its_own_form_and_a_new_customer_gets_number_class_and_contact() {
    both(|app| async move {
        let admin = app.administrator().await;
        let organisation = admin.get("/customers/new?kind=organisation").await.expect(200).text();
        let person = admin.get("/customers/new?kind=person").await.expect(200).text();
        for (name, in_organisation, in_person) in [
            ("credit_code", true, false),
            ("parent_organisation", true, false),
            ("nature", true, false),
            ("contact.name", true, false),
            ("id_number", false, true),
            ("birthday", false, true),
            ("needs", true, true),
            ("credit_status", true, true),
        ] {
            let field = format!("name=\"{name}\"");
            assert_eq!(organisation.contains(&field), in_organisation, "{name}");
            assert_eq!(person.contains(&field), in_person, "{name}");
        }
        for group in ["基本信息", "联系方式", "业务特点", "需求"] {
            assert!(organisation.contains(&format!("<legend>{group}</legend>")), "{group}");
        }
        let sent = [
            ("kind", "organisation"),
            ("name", "广州天江水务设备有限公司"),
            ("phone", "13812345678"),
            ("region", "广东省/广州市"),
            ("has_tags", "1"),
            ("tags", "重点"),
            ("contact.name", "陈晓燕"),
            ("contact.phone", "13912345678"),
        ];
        let answer = admin.post_form("/customers", &sent).await.expect(303);
        let id = id_in(answer.header("location"));
        let page = admin.get(&format!("/customers/{id}")).await.expect(200).text();
        for shown in
            ["广州天江水务设备有限公司", "KH", "潜在客户", "tel:13812345678", "广东省 广州市", "重点"]
        {
            assert!(page.contains(shown), "{shown}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM contacts WHERE is_primary").await, 1);
        // What was typed stays when the kind is switched.
        let switched =
            admin.post_form("/customers/new", &[("kind", "person"), ("name", "张三")]).await.expect(200);
        assert!(switched.text().contains("value=\"张三\"") && switched.text().contains("id_number"));
        let again = admin
            .post_form("/customers", &[("kind", "person"), ("name", "李四"), ("again", "1")])
            .await
            .expect(303);
        assert!(again.header("location").starts_with("/customers/new?kind=person&saved="));
    })
    .await;
}

// covers: AM-05
// covers: DS-07
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_at_each_field() {
    both(|app| async move {
        let admin = app.administrator().await;
        let sent = [
            ("kind", "organisation"),
            ("name", ""),
            ("phone", "1381234"),
            ("email", "不是邮箱"),
            ("website", "不是 网址"),
            ("credit_code", "91310000MA1FL"),
            ("remark", "厂区在二号门<b>"),
        ];
        let answer = admin.post_form("/customers", &sent).await.expect(422);
        let page = answer.text();
        for kept in
            ["value=\"1381234\"", "value=\"不是邮箱\"", "value=\"91310000MA1FL\"", "厂区在二号门&#60;b&#62;"]
        {
            assert!(page.contains(kept), "{kept}");
        }
        for field in ["name", "phone", "email", "credit_code"] {
            let place = page.split(&format!("id=\"e-{field}\" role=\"alert\">")).nth(1).unwrap();
            assert!(!place.starts_with("</div>"), "{field} has no message");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
        // A contact that is wrong takes the whole customer back.
        let sent = [
            ("kind", "organisation"),
            ("name", "天江"),
            ("contact.name", "甲"),
            ("contact.phone", "不是电话"),
        ];
        let answer = admin.post_form("/customers", &sent).await.expect(422);
        assert!(answer.text().contains("id=\"e-contact.phone\""));
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
        // One field at a time, while typing.
        let one = [("kind", "organisation"), ("field", "phone"), ("phone", "1381234"), ("name", "")];
        assert!(!admin.post_form("/customers/validate", &one).await.expect(200).text().is_empty());
        let fine = [("kind", "organisation"), ("field", "phone"), ("phone", "13812345678")];
        assert_eq!(admin.post_form("/customers/validate", &fine).await.expect(200).text(), "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_filters_sorts_pages_and_keeps_each_persons_columns() {
    both(|app| async move {
        let admin = app.administrator().await;
        for n in 0..25 {
            let class = if n % 5 == 0 { "key" } else { "general" };
            admin
                .customer(json!({ "kind": "person", "name": format!("客户{n:02}"), "class": class, "region": "浙江省/杭州市" }))
                .await;
        }
        let page = admin.get("/customers?sort=name").await.expect(200).text();
        assert!(page.contains("共 25 条") && page.contains("客户00") && !page.contains("客户24"));
        let next = page.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        let second = admin.get(&next).await.expect(200).text();
        assert!(second.contains("客户24") && !second.contains("客户19"));
        let filtered = admin.get_part("/customers?class=key&limit=10").await.expect(200);
        assert!(filtered.header("vary").contains("HX-Request-Type"));
        let filtered = filtered.text();
        assert!(filtered.starts_with("<section id=\"list\"") || filtered.trim_start().starts_with("<section"));
        assert!(filtered.contains("共 5 条") && !filtered.contains("客户01"));
        assert!(filtered.contains("重点客户<span class=\"count\">5</span>"), "{filtered}");
        let none = admin.get("/customers?q=没有这个人").await.expect(200).text();
        assert!(none.contains("没有符合条件的客户"));
        admin.get("/customers?limit=1000").await.expect(422);
        admin.get("/customers?after=zz").await.expect(422);
        // Columns are each person's own.
        let answer = htmx(
            &admin,
            "/customers/columns",
            "/customers?class=key",
            &[("column", "name"), ("column", "number"), ("column", "tags")],
        )
        .await
        .expect(200)
        .text();
        assert!(answer.contains("共 5 条") && answer.contains("data-label=\"客户编号\""));
        assert!(!answer.contains("data-label=\"客户类别\""));
        let staff = app.staff("li", DataScope::All).await;
        assert!(staff.get("/customers").await.text().contains("data-label=\"客户类别\""));
        assert!(!admin.get("/customers").await.text().contains("data-label=\"客户类别\""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_views_are_private_or_shared() {
    both(|app| async move {
        let admin = app.administrator().await;
        let staff = app.staff("li", DataScope::All).await;
        let from = "/customers?class=key&after=7b&drawer=%2Fcustomers%2F1";
        let path = "/lists/customers/views";
        htmx(&staff, path, from, &[("name", "重点")]).await.expect(200);
        htmx(&admin, path, from, &[("name", "共享重点"), ("is_shared", "1")]).await.expect(200);
        let mine = staff.get("/customers").await.text();
        assert!(mine.contains("/customers?class=key\"") && mine.contains("共享重点"));
        assert!(!admin.get("/customers").await.text().contains(">重点</span>"));
        let refused = htmx(&staff, path, from, &[("name", "")]).await.expect(422).text();
        assert!(refused.contains("请填写方案名称"));
        let others = app.text("SELECT CAST(id AS TEXT) FROM saved_views WHERE is_shared = FALSE").await;
        let others = store::format_id(others.parse().unwrap());
        admin.post_form(&format!("/lists/views/{others}/remove"), &[]).await.expect(404);
        staff.post_form(&format!("/lists/views/{others}/remove"), &[]).await.expect(303);
        admin.post_form("/lists/none/views", &[("name", "x")]).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_sees_only_his_own_and_the_try_is_noted() {
    both(|app| async move {
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let hers = li.customer(json!({ "kind": "person", "name": "张三", "phone": "13812345678" })).await;
        let path = format!("/customers/{}", id_of(&hers));
        assert!(li.get("/customers").await.text().contains("张三"));
        assert!(!wang.get("/customers").await.text().contains("张三"));
        for part in ["", "?tab=history", "/edit", "/fields/phone"] {
            wang.get(&format!("{path}{part}")).await.expect(404);
        }
        wang.post_form(&format!("{path}/fields/phone"), &[("phone", "13900000000")]).await.expect(404);
        wang.post_form(&format!("{path}/edit"), &[("name", "王五")]).await.expect(404);
        wang.post_form(&format!("{path}/delete"), &[]).await.expect(404);
        wang.post_form(&format!("{path}/restore"), &[]).await.expect(403);
        wang.get("/admin/recycle").await.expect(403);
        assert!(
            app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden' AND result = 'denied'")
                .await
                >= 7
        );
        // He learns that there may be one, and nothing else.
        let hint =
            wang.get("/customers/duplicates?for_kind=person&phone=13812345678").await.expect(200).text();
        assert!(hint.contains("请联系管理员确认") && !hint.contains("张三"));
        let own =
            li.get("/customers/duplicates?for_kind=person&phone=138-1234-5678").await.expect(200).text();
        assert!(own.contains("张三") && own.contains("联系电话相同"), "{own}");
        // In a batch another person's customer fails like one that does not exist.
        let id = id_of(&hers);
        let denials = "SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden' AND result = 'denied'";
        let before = app.number(denials).await;
        let answer = htmx(&wang, "/customers/batch/tag", "/customers", &[("id", &id), ("tag", "偷看")]).await;
        assert_eq!(app.number(denials).await, before + 1);
        assert!(answer.expect(200).header("hx-trigger").contains("warn"));
        assert_eq!(app.text("SELECT CAST(tags AS TEXT) FROM customers").await, "[]");
        let place = "SELECT after FROM audit_log WHERE action = 'access.hidden' AND customer_id > 0
                     ORDER BY id DESC LIMIT 1";
        assert!(app.text(place).await.contains("/customers/batch"));
    })
    .await;
}

// covers: VF-02
// covers: AM-06
#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_changed_in_place_and_its_history_told() {
    both(|app| async move {
        let admin = app.administrator().await;
        let customer =
            admin.customer(json!({ "kind": "organisation", "name": "天江物业", "class": "potential" })).await;
        let path = format!("/customers/{}", id_of(&customer));
        let form = admin.get_part(&format!("{path}/fields/class")).await.expect(200).text();
        assert!(
            form.contains("<select")
                && form.contains("重点客户")
                && form.contains("name=\"version\" value=\"1\"")
        );
        // The class is mandatory: the form offers no empty choice, and an empty one is refused.
        assert!(!form.contains("（空）"));
        let empty = [("class", ""), ("version", "1"), ("was", "potential")];
        htmx(&admin, &format!("{path}/fields/class"), &path, &empty).await.expect(422);
        let set = [("class", "key"), ("version", "1"), ("was", "potential")];
        let saved = htmx(&admin, &format!("{path}/fields/class"), &path, &set).await.expect(200).text();
        assert!(saved.contains("重点客户") && saved.contains("hx-swap-oob"));
        app.clock.advance(86_400_000);
        let admin = app.administrator().await;
        for text in ["付款及时", "付款及时，授信 50 万元"] {
            let set = [
                ("credit_status", text),
                ("version", "0"),
                ("was", if text.len() > 20 { "付款及时" } else { "" }),
            ];
            htmx(&admin, &format!("{path}/fields/credit_status"), &path, &set).await.expect(200);
        }
        let history = admin.get(&format!("{path}?tab=history")).await.expect(200).text();
        assert!(history.contains("<del>潜在客户</del>") && history.contains("重点客户"));
        let credit = admin.get(&format!("{path}?tab=history&field=credit_status")).await.expect(200).text();
        assert!(credit.contains("<del>付款及时</del>") && credit.contains("授信 50 万元"));
        assert!(credit.contains("2026-09-29") && credit.contains("赵管理"));
        assert!(!credit.contains("<del>潜在客户</del>"));
        // A wrong value stays in its field with the reason.
        let wrong = [("phone", "1381234"), ("version", "4"), ("was", "")];
        let refused = htmx(&admin, &format!("{path}/fields/phone"), &path, &wrong).await.expect(422).text();
        assert!(refused.contains("value=\"1381234\"") && refused.contains("field-error"));
        admin.get_part(&format!("{path}/fields/password")).await.expect(404);
        admin.get_part(&format!("{path}/fields/id_number")).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_change_says_who_changed_what_and_loses_nothing() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::All).await;
        let customer =
            admin.customer(json!({ "kind": "person", "name": "张三", "phone": "13812345678" })).await;
        let path = format!("/customers/{}", id_of(&customer));
        let set = [("phone", "13900000001"), ("version", "1"), ("was", "13812345678")];
        htmx(&li, &format!("{path}/fields/phone"), &path, &set).await.expect(200);
        // In place: the same value was changed meanwhile.
        let late = [("phone", "13900000002"), ("version", "1"), ("was", "13812345678")];
        let conflict = htmx(&admin, &format!("{path}/fields/phone"), &path, &late).await.expect(412).text();
        assert!(conflict.contains("员工li") && conflict.contains("13900000001"));
        assert!(
            conflict.contains("value=\"13900000002\"") && conflict.contains("name=\"version\" value=\"2\"")
        );
        // Another value: no conflict.
        let other = [("wechat", "zhangsan"), ("version", "1"), ("was", "")];
        htmx(&admin, &format!("{path}/fields/wechat"), &path, &other).await.expect(200);
        // The whole form: what differs is listed, what was typed is kept.
        let sent = [("name", "张三"), ("phone", "13900000003"), ("version", "1")];
        let conflict = admin.post_form(&format!("{path}/edit"), &sent).await.expect(412).text();
        assert!(conflict.contains("现在是“13900000001”，您填写的是“13900000003”"), "{conflict}");
        assert!(conflict.contains("name=\"version\" value=\"3\""));
        let again = [("name", "张三"), ("phone", "13900000003"), ("version", "3")];
        admin.post_form(&format!("{path}/edit"), &again).await.expect(303);
        assert_eq!(app.text("SELECT phone FROM customers").await, "13900000003");
    })
    .await;
}

// covers: CI-02
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_tells_how_many_went_well_and_why_the_others_did_not() {
    both(|app| async move {
        let admin = app.administrator().await;
        let mut ids = Vec::new();
        for n in 0..3 {
            let body = json!({ "kind": "person", "name": format!("客户{n}"), "source": "internal_database" });
            ids.push(id_of(&admin.customer(body).await));
        }
        let mut chosen: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
        chosen.push(("tag", "展会"));
        let answer = htmx(&admin, "/customers/batch/tag", "/customers", &chosen).await.expect(200);
        let events: serde_json::Value = serde_json::from_str(answer.header("hx-trigger")).unwrap();
        assert_eq!(events["toast"]["text"], "成功 3 条");
        assert!(events["clearSelection"].is_object() && events["refreshList"].is_object());
        assert_eq!(
            app.number("SELECT COUNT(*) FROM customers WHERE CAST(tags AS TEXT) LIKE '%展会%'").await,
            3
        );
        // Everything a query finds.
        let all = [("all", "1"), ("query", "?tag=展会"), ("value", "key")];
        htmx(&admin, "/customers/batch/class", "/customers", &all).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers WHERE class = 'key'").await, 3);
        // One of them is gone meanwhile.
        admin.post_form(&format!("/customers/{}/delete", ids[0]), &[]).await.expect(303);
        let mut chosen: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
        chosen.push(("date", "2026-10-08"));
        let answer =
            htmx(&admin, "/customers/batch/next_contact_on", "/customers", &chosen).await.expect(200);
        let events: serde_json::Value = serde_json::from_str(answer.header("hx-trigger")).unwrap();
        let said = events["toast"]["text"].as_str().unwrap();
        assert!(said.starts_with("成功 2 条，失败 1 条："), "{said}");
        // Wrong input and nothing chosen say so; only administrators delete and assign.
        let answer = htmx(&admin, "/customers/batch/tag", "/customers", &[("tag", "x")]).await.expect(200);
        assert!(answer.header("hx-trigger").contains("bad"));
        let li = app.staff("li", DataScope::All).await;
        htmx(&li, "/customers/batch/delete", "/customers", &chosen).await.expect(403);
        htmx(&li, "/customers/batch/owner", "/customers", &chosen).await.expect(403);
        htmx(&admin, "/customers/batch/explode", "/customers", &chosen).await.expect(404);
        let by_source = admin.get("/customers?source=internal_database").await.expect(200).text();
        assert!(by_source.contains("共 2 条"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_waits_in_the_recycle_bin() {
    both(|app| async move {
        let admin = app.administrator().await;
        let customer = admin.customer(json!({ "kind": "person", "name": "张三" })).await;
        let path = format!("/customers/{}", id_of(&customer));
        let answer = htmx(&admin, &format!("{path}/delete"), "/customers?q=a", &[]).await.expect(200);
        let events: serde_json::Value = serde_json::from_str(answer.header("hx-trigger")).unwrap();
        assert_eq!(events["toast"]["undo"], format!("{path}/restore"));
        admin.get(&path).await.expect(404);
        assert!(admin.get("/admin/recycle").await.expect(200).text().contains("张三"));
        let from_its_page = htmx(&admin, &format!("{path}/restore"), "/admin/recycle", &[]).await.expect(200);
        assert!(from_its_page.header("hx-redirect").starts_with("/admin/recycle?restored="));
        admin.get(&path).await.expect(200);
        let answer = htmx(&admin, &format!("{path}/delete"), &path, &[]).await.expect(200);
        assert!(answer.header("hx-redirect").starts_with("/customers?deleted="));
        let list = admin.get(answer.header("hx-redirect")).await.expect(200).text();
        assert!(list.contains("data-undo") && list.contains("已删除“张三”"));
    })
    .await;
}

// covers: GM-06
// covers: VF-04
#[tokio::test(flavor = "multi_thread")]
async fn the_card_tells_what_a_dossier_lacks_and_the_list_finds_incomplete_ones() {
    both(|app| async move {
        let admin = app.administrator().await;
        let customer = admin.customer(json!({ "kind": "organisation", "name": "天江物业" })).await;
        let path = format!("/customers/{}", id_of(&customer));
        let card = admin.get_part(&path).await.expect(200).text();
        assert!(!card.contains("<html") && card.contains("还缺："));
        for lacking in ["企业性质", "主管单位", "地址", "联系电话", "联系人", "需求", "业务特点"]
        {
            assert!(
                card.split("还缺：").nth(1).unwrap().split("</span>").next().unwrap().contains(lacking),
                "{lacking}"
            );
        }
        assert!(admin.get("/customers?completeness=incomplete").await.text().contains("天江物业"));
        assert!(!admin.get("/customers?completeness=complete").await.text().contains("天江物业"));
        // A restored page of the history wants the whole page, though htmx asks.
        let request = admin
            .request("GET", &path)
            .header("hx-request", "true")
            .header("hx-request-type", "full")
            .body(Body::empty())
            .unwrap();
        assert!(app.send(request).await.text().contains("<html"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classification_scheme_takes_one_value_or_several() {
    both(|app| async move {
        let admin = app.administrator().await;
        let customer = admin.customer(json!({ "kind": "organisation", "name": "天江物业" })).await;
        let path = format!("/customers/{}", id_of(&customer));
        let single = format!("{path}/fields/mark.scheme_reception_three");
        assert!(admin.get_part(&single).await.expect(200).text().contains("A类贵宾"));
        let set = [("value", "A"), ("version", "1"), ("was", "")];
        assert!(htmx(&admin, &single, &path, &set).await.expect(200).text().contains("A类贵宾"));
        let two = [("value", "A"), ("value", "B"), ("version", "1"), ("was", "A")];
        htmx(&admin, &single, &path, &two).await.expect(422);
        let unknown = [("value", "Z"), ("version", "1"), ("was", "A")];
        htmx(&admin, &single, &path, &unknown).await.expect(422);
        let several = format!("{path}/fields/mark.scheme_secrecy_special_type");
        if admin.get_part(&several).await.status == 200 {
            assert!(admin.get_part(&several).await.text().contains("checkbox"));
        }
        assert!(admin.get(&path).await.text().contains("A类贵宾"));
        let history = admin.get(&format!("{path}?tab=history")).await.text();
        assert!(history.contains("接待三类") && history.contains("A类贵宾"));
        let taken = [("value", ""), ("version", "1"), ("was", "A")];
        htmx(&admin, &single, &path, &taken).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_marks").await, 0);
        admin.get_part(&format!("{path}/fields/mark.industry")).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn divisions_and_colleagues_are_proposed_while_typing() {
    both(|app| async move {
        let staff = app.staff("wangfang", DataScope::Own).await;
        let found = staff.get("/regions?q=tianhe").await.expect(200).text();
        assert!(found.contains("data-value=\"广东省/广州市/天河区\""));
        let found = staff.get("/customers/owners?q=wangfang").await.expect(200).text();
        assert!(found.contains("员工wangfang"));
        staff.get("/customers/owners?q=%25_!").await.expect(200);
    })
    .await;
}

/// Messages name fields and kinds in the reader's language; what people typed stays as it is.
#[tokio::test]
async fn messages_in_english_are_english_throughout() {
    both(|app| async move {
        let admin = app.administrator().await;
        let post = async |values: &[(&str, &str)]| {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
            let cookie = format!("{}={}; lang=en", kehu::auth::SESSION_COOKIE, admin.secret());
            let request = axum::http::Request::builder()
                .method("POST")
                .uri("/customers")
                .header("host", "127.0.0.1:8080")
                .header("cookie", cookie)
                .header("sec-fetch-site", "same-origin")
                .header("origin", "http://127.0.0.1:8080")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(axum::body::Body::from(body))
                .unwrap();
            app.send(request).await.expect(422).text()
        };
        let page = post(&[("kind", "person"), ("name", ""), ("class", "没有这类")]).await;
        assert!(page.contains("Please fill in: Customer name"), "{page}");
        assert!(page.contains("“没有这类” is not offered; choose one of: Target customer, "), "{page}");
        let page = post(&[("kind", "person"), ("name", "张三"), ("region", "火星")]).await;
        assert!(page.contains("The region “火星” is not clear"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_signed_in_keeps_the_menu_when_a_page_is_not_there_or_not_his() {
    both(|app| async move {
        let li = app.staff("li", crate::app::DataScope::Own).await;
        for (path, status, title) in
            [("/nowhere", 404, "没有找到，或者您无权查看"), ("/admin/recycle", 403, "只有")]
        {
            let page = li.get(path).await.expect(status).text();
            assert!(page.contains("class=\"crumbs\"") && page.contains("href=\"/customers\""), "{page}");
            assert!(page.contains(title), "{page}");
            assert!(!li.get_part(path).await.expect(status).text().contains("class=\"crumbs\""));
        }
        assert!(!app.stranger().get("/nowhere").await.text().contains("class=\"crumbs\""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_page_is_closed_in_its_midst_is_done_to_the_end() {
    const TAGGED: &str = "SELECT COUNT(*) FROM customers WHERE CAST(tags AS TEXT) LIKE '%展会%'";
    both(|app| async move {
        let admin = app.administrator().await;
        let lines: String = (0..1_600).map(|n| format!("公司{n}\n")).collect();
        let text = format!("客户名称\n{lines}");
        admin.with_token().await.upload("/api/v1/imports", &[], "a.csv", text.as_bytes()).await.expect(202);
        kehu::jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1_600);
        // The connection goes away once a part is done: the future of the request is dropped, as the server does it.
        let values = [("all", "1"), ("query", ""), ("tag", "展会")];
        let begun = async {
            while app.number(TAGGED).await == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = htmx(&admin, "/customers/batch/tag", "/customers", &values) => panic!("it was done before anybody looked"),
            () = begun => {}
        }
        let patience = std::time::Duration::from_secs(60);
        let done = async {
            while app.number(TAGGED).await < 1_600 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(patience, done).await.expect("the rest was never done");
    })
    .await;
}
