//! The register of those who handle customer information: the text, signing, registering, the list and its file.

use kehu::ids::PersonId;
use serde_json::json;

use crate::app::DataScope;
use crate::both;
use crate::rights::{PLEDGE, publish, sign};
use crate::roles::{cells, give, post, role, unit};

// covers: CF-02
#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_published_in_versions_and_signed_by_oneself_only() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let path = "/admin/handlers/texts";
        for (title, body, said) in [
            ("", PLEDGE, "请填写标题"),
            ("承诺", "太短", "至少 20 个字"),
            ("承诺", "长".repeat(20_001).leak() as &str, "20000"),
        ] {
            let form = [("title", title), ("body", body), ("based_on", "0")];
            let refused = admin.post_form(path, &form).await.expect(422).text();
            assert!(refused.contains(said), "{said}: {refused}");
        }
        assert!(li.get("/confidentiality").await.expect(200).text().contains("公司还没有发布保密承诺"));
        publish(&admin, "承诺", "0").await;
        // Somebody published meanwhile; nothing changed; nobody but administrators.
        let form = |from: &'static str, title: &'static str| {
            [("title", title), ("body", PLEDGE), ("based_on", from)]
        };
        admin.post_form(path, &form("0", "另一份")).await.expect(422);
        admin.post_form(path, &form("1", "承诺")).await.expect(422);
        li.post_form(path, &form("1", "另一份")).await.expect(403);
        li.get("/admin/handlers").await.expect(403);
        let person = li.person_id.to_string();
        admin.post_form("/admin/handlers", &[("person_id", &person), ("note", "客服")]).await.expect(303);
        for (form, said) in [
            ([("version", "1"), ("name", "员工li"), ("agrees", "")], "请勾选"),
            ([("version", "1"), ("name", "员工wang"), ("agrees", "1")], "请输入您自己的姓名"),
            ([("version", "2"), ("name", "员工li"), ("agrees", "1")], "请重新阅读后签署"),
        ] {
            let refused = li.post_form("/confidentiality", &form).await.expect(422).text();
            assert!(refused.contains(said), "{said}: {refused}");
        }
        let signed = [("version", "1"), ("name", "员工li"), ("agrees", "1")];
        li.with_token().await.post_form("/confidentiality", &signed).await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM confidentiality_signatures").await, 0);
        sign(&li, "员工li", "1").await;
        sign(&li, "员工li", "1").await;
        assert_eq!(app.number("SELECT COUNT(*) FROM confidentiality_signatures").await, 1);
        let page = li.get("/confidentiality").await.expect(200).text();
        assert!(page.contains("已于 2026-09-28 16:20 签署这一版"), "{page}");
        let written = "SELECT COUNT(*) FROM audit_log WHERE action IN ('confidentiality.published',
            'confidentiality.registered', 'confidentiality.signed')";
        assert_eq!(app.number(written).await, 3);
        assert_eq!(app.number("SELECT COUNT(*) FROM events WHERE kind LIKE 'confidentiality.%'").await, 3);
    })
    .await;
}

// covers: CF-02
#[tokio::test(flavor = "multi_thread")]
async fn the_register_tells_who_where_since_when_by_whom_and_what_he_signed() {
    both(|app| async move {
        let admin = app.administrator().await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let east = unit(&app, "华东").await;
        post(&app, &li, &east, "sales_manager").await;
        publish(&admin, "承诺", "0").await;
        // A whole unit, then one person; whoever is in it already stays as he is.
        admin.post_form("/admin/handlers", &[("unit", &east), ("note", "=1+1")]).await.expect(303);
        for person in [&li, &wang] {
            let id = person.person_id.to_string();
            admin.post_form("/admin/handlers", &[("person_id", &id)]).await.expect(303);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM information_handlers").await, 2);
        sign(&li, "员工li", "1").await;
        let page = admin.get("/admin/handlers").await.expect(200).text();
        for words in
            ["员工li", "员工wang", "华东", "销售经理", "2026-09-28 16:20 赵管理", "第 1 版", "待签署"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
        for (asked, shown, not_shown) in [
            ("state=signed", "员工li", "员工wang"),
            ("state=waiting", "员工wang", "员工li"),
            ("q=wang", "员工wang", "员工li"),
        ] {
            let page = admin.get(&format!("/admin/handlers?{asked}")).await.expect(200).text();
            assert!(page.contains(shown) && !page.contains(&format!(">{not_shown}</a>")), "{asked}: {page}");
        }
        let page = admin.get(&format!("/admin/handlers?in_unit={east}")).await.expect(200).text();
        assert!(page.contains("员工li") && !page.contains("员工wang"), "{page}");
        for format in ["csv", "xlsx"] {
            let file = admin.get(&format!("/admin/handlers/export?format={format}")).await.expect(200);
            let text = cells(&file.body, format);
            for words in ["员工li", "销售经理", "赵管理", "2026-09-28 16:20", "待签署"] {
                assert!(text.contains(words), "{format} {words}: {text}");
            }
        }
        let csv = admin.get("/admin/handlers/export").await.expect(200).text();
        assert!(!csv.contains(",=1+1"), "no formula: {csv}");
        admin.get("/admin/handlers/export?format=pdf").await.expect(422);
        // Taken out, what he signed stays; leaving takes him out by itself.
        let entry = app.text("SELECT CAST(MIN(id) AS TEXT) FROM information_handlers").await;
        let end = format!("/admin/handlers/{}/end", store::format_id(entry.parse().unwrap()));
        admin.post_form(&end, &[]).await.expect(303);
        admin.post_form(&end, &[]).await.expect(404);
        let leave = format!("/admin/people/{}/leave", wang.person_id);
        let leaving = [("last_day", "2026-09-28"), ("customers_to", "nobody")];
        admin.post_form(&leave, &leaving).await.expect(303);
        let page = admin.get("/admin/handlers?state=ended").await.expect(200).text();
        assert!(page.contains("员工li") && page.contains("员工wang") && page.contains("第 1 版"), "{page}");
        let empty = admin.get("/admin/handlers").await.expect(200).text();
        assert!(empty.contains("登记表里还没有人"), "{empty}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_registers_himself_but_an_administrator() {
    both(|app| async move {
        let admin = app.administrator().await;
        let granter = app.staff("granter", DataScope::Own).await;
        let grants = json!([{ "object": "role", "verb": "update", "scope": "all" }]);
        role(&admin.with_token().await, "granting", grants, json!([])).await;
        give(&admin.with_token().await, &granter, "granting").await;
        let (me, boss) = (granter.person_id.to_string(), admin.person_id.to_string());
        let refused = granter.post_form("/admin/handlers", &[("person_id", &me)]).await.expect(403).text();
        assert!(refused.contains("不能自己给自己增加权限") && refused.contains("赵管理"), "{refused}");
        granter.post_form("/admin/handlers", &[("person_id", &boss)]).await.expect(303);
        granter.post_form("/admin/handlers/rules", &[("is_on", "1")]).await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM information_handlers").await, 1);
        for form in [vec![], vec![("person_id", "x")], vec![("unit", "01M2Z8Q4T7V0K")]] {
            admin.post_form("/admin/handlers", &form).await.expect(422);
        }
    })
    .await;
}

// covers: CF-02
#[tokio::test(flavor = "multi_thread")]
async fn a_program_keeps_the_register_as_the_page_does() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let [li, wang, keeper] = [
            app.staff("li", DataScope::Own).await,
            app.staff("wang", DataScope::Own).await,
            app.staff("keeper", DataScope::Own).await,
        ];
        role(&api, "grants", json!([{ "object": "role", "verb": "update", "scope": "all" }]), json!([]))
            .await;
        give(&api, &keeper, "grants").await;
        let east = unit(&app, "华东").await;
        post(&app, &li, &east, "sales_manager").await;
        const ALL: &str = "/api/v1/handlers";
        let none = api.get(ALL).await.expect(200).json();
        assert_eq!(
            (&none["items"], &none["total"], &none["version_in_force"], &none["is_on"]),
            (&json!([]), &json!(0), &json!(null), &json!(false))
        );
        publish(&admin, "承诺", "0").await;
        // The same permission as the page: whoever grants roles, and nobody registers himself.
        let (staff, keeps) = (li.with_token().await, keeper.with_token().await);
        for path in [ALL, "/api/v1/handlers/texts"] {
            staff.get(path).await.expect(403);
            keeps.get(path).await.expect(200);
        }
        let one = |id: PersonId| json!({ "person_ids": [id], "note": "客服" });
        staff.json("POST", ALL, one(wang.person_id)).await.expect(403);
        keeps.json("POST", ALL, one(keeper.person_id)).await.expect(403);
        for (body, field) in [
            (json!({}), "person_ids"),
            (json!({ "person_ids": [] }), "person_ids"),
            (json!({ "person_ids": ["x"] }), "person_ids"),
            (json!({ "person_ids": ["01M2Z8Q4T7V0K"] }), "person_ids"),
            (json!({ "unit_id": "01M2Z8Q4T7V0K" }), "unit_id"),
            (json!({ "unit_id": east, "person_ids": [wang.person_id] }), "person_ids"),
            (json!({ "person_ids": [wang.person_id], "note": "长".repeat(201) }), "note"),
            (json!({ "person_ids": [wang.person_id], "signed_version": 1 }), "signed_version"),
        ] {
            let refused = keeps.json("POST", ALL, body.clone()).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
        let key = [("idempotency-key", "r1")];
        let body = json!({ "unit_id": east, "note": "客服" });
        for _ in 0..2 {
            let added = keeps.json_with("POST", ALL, body.clone(), &key).await.expect(201).json();
            assert_eq!(added, json!({ "added": 1 }));
        }
        let both = json!({ "person_ids": [li.person_id, wang.person_id] });
        assert_eq!(keeps.json("POST", ALL, both).await.expect(201).json(), json!({ "added": 1 }));
        sign(&li, "员工li", "1").await;
        let listed = keeps.get(&format!("{ALL}?limit=1")).await.expect(200).json();
        assert_eq!((&listed["total"], &listed["items"][0]["state"]), (&json!(2), &json!("waiting")));
        assert_eq!(listed["version_in_force"], 1);
        let next = listed["next"].as_str().unwrap();
        let older = keeps.get(&format!("{ALL}?limit=1&after={next}")).await.expect(200).json();
        let of_li = &older["items"][0];
        assert_eq!(
            (&of_li["person"], &of_li["unit_id"], &of_li["note"], &of_li["registered_by"]),
            (&json!("员工li"), &json!(east), &json!("客服"), &json!("员工keeper"))
        );
        assert_eq!(
            (&of_li["signed_version"], &of_li["state"], &older["next"]),
            (&json!(1), &json!("signed"), &json!(null))
        );
        for (query, count) in [("state=signed", 1), ("state=ended", 0), ("q=wang", 1), ("q=nobody", 0)] {
            assert_eq!(
                keeps.get(&format!("{ALL}?{query}")).await.expect(200).json()["total"],
                count,
                "{query}"
            );
        }
        assert_eq!(keeps.get(&format!("{ALL}?unit_id={east}")).await.expect(200).json()["total"], 1);
        for wrong in ["state=x", "after=x", "unit_id=x", "unit_id=01M2Z8Q4T7V0K", "limit=0"] {
            keeps.get(&format!("{ALL}?{wrong}")).await.expect(422);
        }
        publish(&admin, "承诺书", "1").await;
        let texts = keeps.get("/api/v1/handlers/texts").await.expect(200).json();
        let versions: Vec<_> =
            texts["items"].as_array().unwrap().iter().map(|t| (&t["version"], &t["signatures"])).collect();
        assert_eq!(versions, [(&json!(2), &json!(0)), (&json!(1), &json!(1))]);
        // The version in force is another one now: he waits again, and what he signed is still told.
        let again = keeps.get(&format!("{ALL}?q=li")).await.expect(200).json();
        assert_eq!(
            (&again["items"][0]["state"], &again["items"][0]["signed_version"]),
            (&json!("waiting"), &json!(1))
        );
        let entry = format!("{ALL}/{}", again["items"][0]["id"].as_str().unwrap());
        staff.json("DELETE", &entry, json!({})).await.expect(403);
        keeps.json("DELETE", &entry, json!({})).await.expect(204);
        keeps.json("DELETE", &entry, json!({})).await.expect(404);
        let ended = keeps.get(&format!("{ALL}?state=ended")).await.expect(200).json();
        assert_eq!((&ended["total"], &ended["items"][0]["ended_by"]), (&json!(1), &json!("员工keeper")));
        let written = "SELECT COUNT(*) FROM audit_log WHERE via = 'token'
            AND action IN ('confidentiality.registered', 'confidentiality.ended')";
        assert_eq!(app.number(written).await, 3);
    })
    .await;
}
