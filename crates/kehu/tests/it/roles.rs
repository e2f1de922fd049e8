//! Roles: defined, refused, given, reviewed, and felt on every face.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Client, TestApp, both};

/// A role made through the API.
pub async fn role(admin: &Client<'_>, code: &str, grants: Json, fields: Json) -> Json {
    let body = json!({ "code": code, "name": format!("角色{code}"), "grants": grants, "fields": fields });
    admin.json("POST", "/api/v1/roles", body).await.expect(201).json()
}

/// Gives a role through the API.
pub async fn give(admin: &Client<'_>, person: &Client<'_>, role: &str) {
    let path = format!("/api/v1/people/{}/roles", person.person_id);
    admin.json("POST", &path, json!({ "role": role })).await.expect(201);
}

/// Takes the built-in staff role away, so that only what a story gives counts.
pub async fn bare<'a>(app: &'a TestApp, name: &str) -> Client<'a> {
    let person = app.staff(name, DataScope::Own).await;
    let admin = app.administrator().await.with_token().await;
    let path = format!("/api/v1/people/{}/roles/0000000000002", person.person_id);
    admin.json("DELETE", &path, json!({})).await.expect(204);
    person
}

/// Makes a unit straight in the database.
pub async fn unit(app: &TestApp, name: &'static str) -> String {
    let id = store::new_id();
    app.app
        .db
        .write(move |tx| {
            tx.exec(
                "INSERT INTO units (id, kind, name, opened_on, created_at, updated_at)
                 VALUES ($1, 'department', $2, '2026-01-01', 0, 0)",
                &[id.into(), name.into()],
            )?;
            kehu::org::rights_changed(tx)
        })
        .await
        .unwrap();
    store::format_id(id)
}

/// Puts a person into a post straight in the database.
pub async fn post(app: &TestApp, person: &Client<'_>, unit: &str, post: &'static str) {
    let (person, unit) = (person.person_id, store::parse_id(unit).unwrap());
    app.app
        .db
        .write(move |tx| {
            tx.exec(
                "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, created_at, created_by,
                   updated_at) VALUES ($1, $2, $3, $4, TRUE, '2026-01-01', 0, 0, 0)",
                &[store::new_id().into(), person.into(), unit.into(), post.into()],
            )?;
            kehu::org::rights_changed(tx)
        })
        .await
        .unwrap();
    app.app.forget_sessions();
}

pub fn grant(object: &str, verb: &str, scope: &str) -> Json {
    json!({ "object": object, "verb": verb, "scope": scope })
}

// covers: CI-04
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_role_is_refused_with_its_cell_and_nothing_changes() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let read = grant("customer", "read", "own");
        let condition = |source: &str| {
            json!({ "object": "customer", "verb": "read", "scope": "condition", "condition": source })
        };
        let many: Vec<Json> = (0..11).map(|_| condition("level == \"A\"")).collect();
        let units = |units: Json| json!({ "object": "customer", "verb": "read", "scope": "units", "units": units });
        let rule = |object: &str, field: &str, rule: &str| json!({ "object": object, "field": field, "rule": rule });
        let cases = [
            ("grants", json!([grant("planet", "read", "all")]), json!([]), "没有对象"),
            ("grants", json!([grant("audit", "delete", "all")]), json!([]), "没有操作"),
            ("scope.audit.read", json!([grant("audit", "read", "own")]), json!([]), "没有数据范围"),
            ("scope.customer.read", json!([grant("customer", "read", "galaxy")]), json!([]), "没有数据范围"),
            ("scope.customer.read", json!([units(json!([]))]), json!([]), "至少选择一个部门"),
            ("scope.customer.read", json!([units(json!(["01M2Z8Q4T7V0K"]))]), json!([]), "没有这个部门"),
            ("scope.customer.read", json!([condition("")]), json!([]), "请填写条件"),
            ("scope.customer.read", json!([condition("level = \"A\"")]), json!([]), "个字:"),
            ("scope.customer.read", json!([condition("leval == \"A\"")]), json!([]), "level"),
            ("scope.customer.read", json!([read, read]), json!([]), "写了两次"),
            ("scope.customer.update", json!([grant("customer", "update", "all")]), json!([]), "必须先能查看"),
            ("scope.customer.delete", json!([grant("customer", "delete", "all")]), json!([]), "必须先能查看"),
            ("scope.customer.export", json!([grant("customer", "export", "all")]), json!([]), "必须先能查看"),
            ("scope.contact.read", json!([grant("contact", "read", "all")]), json!([]), "必须先能查看客户"),
            (
                "scope.asset.update",
                json!([read, grant("asset", "update", "own")]),
                json!([]),
                "必须先能查看资产",
            ),
            ("fields", json!([read]), json!([rule("customer", "shoe_size", "hidden")]), "没有字段"),
            ("fields", json!([read]), json!([rule("asset", "name", "hidden")]), "没有字段"),
            ("rule.customer.name", json!([read]), json!([rule("customer", "name", "hidden")]), "名称不能隐藏"),
            ("rule.contact.name", json!([read]), json!([rule("contact", "name", "hidden")]), "名称不能隐藏"),
            ("rule.customer.phone", json!([read]), json!([rule("customer", "phone", "edit")]), "hidden"),
            ("grants", json!(many), json!([]), "最多 10 个条件"),
            ("grants", json!("all"), json!([]), "列表"),
        ];
        for (field, grants, fields, said) in cases {
            let body = json!({ "code": "x_1", "name": "试验", "grants": grants, "fields": fields });
            let refused = admin.json("POST", "/api/v1/roles", body.clone()).await.expect(422).json();
            let errors = refused["errors"].as_array().unwrap();
            let found = errors.iter().any(|e| {
                e["field"] == field && e["message"].as_str().unwrap().contains(said)
            });
            assert!(found, "{field} {said}: {body} {refused}");
        }
        for (field, body) in [
            ("name", json!({ "code": "x_1" })),
            ("name", json!({ "code": "x_1", "name": "" })),
            ("name", json!({ "name": "长".repeat(41) })),
            ("code", json!({ "code": "员工", "name": "x" })),
            ("code", json!({ "code": "staff", "name": "x" })),
            ("is_admin", json!({ "name": "x", "is_admin": true })),
            ("note", json!({ "name": "x", "note": "长".repeat(201) })),
            (
                "scope.customer.share",
                json!({ "name": "x", "is_bundle": true, "grants": [grant("customer", "read", "all"), grant("customer", "share", "all")] }),
            ),
        ] {
            let refused = admin.json("POST", "/api/v1/roles", body.clone()).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{body} {refused}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM roles").await, 5);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'role.created'").await, 0);
        // What is allowed but pointless is told.
        let body = json!({ "name": "宽", "grants": [read, grant("contact", "read", "all")] });
        let made = admin.json("POST", "/api/v1/roles", body).await.expect(201).json();
        assert!(made["warnings"][0].as_str().unwrap().contains("多出的部分不起作用"), "{made}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_lists_two_hundred_units_and_ten_conditions_at_the_most() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let mut units = Vec::new();
        for n in 0..201 {
            units.push(unit(&app, Box::leak(format!("部门{n}").into_boxed_str())).await);
        }
        let with = |units: &[String]| {
            json!({ "name": "很多部门", "grants": [
                { "object": "customer", "verb": "read", "scope": "units", "units": units } ] })
        };
        let refused = admin.json("POST", "/api/v1/roles", with(&units)).await.expect(422).text();
        assert!(refused.contains("最多指定 200 个部门"), "{refused}");
        let made = admin.json("POST", "/api/v1/roles", with(&units[..200])).await.expect(201).json();
        assert_eq!(made["grants"][0]["units"].as_array().unwrap().len(), 200);
        let verbs = ["read", "update", "delete", "assign", "share", "export", "create"];
        let cells = verbs.map(|v| ("customer", v)).into_iter().chain(
            [("contact", "read"), ("asset", "read"), ("activity", "read"), ("file", "read")].into_iter(),
        );
        let cells: Vec<Json> = cells
            .map(|(o, v)| json!({ "object": o, "verb": v, "scope": "condition", "condition": "level == \"A\"" }))
            .collect();
        let body = |cells: &[Json]| json!({ "name": "很多条件", "grants": cells });
        admin.json("POST", "/api/v1/roles", body(&cells)).await.expect(422);
        admin.json("POST", "/api/v1/roles", body(&cells[..10])).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_changed_copied_and_deleted_but_not_while_somebody_has_it() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let made = role(&admin, "sales", json!([grant("customer", "read", "own")]), json!([])).await;
        let path = format!("/api/v1/roles/{}", made["id"].as_str().unwrap());
        give(&admin, &li, "sales").await;
        // Two administrators: the second is told.
        let change = json!({ "grants": [grant("customer", "read", "unit_tree")] });
        admin.json("PATCH", &path, change.clone()).await.expect(428);
        let changed =
            admin.json_with("PATCH", &path, change.clone(), &[("if-match", "\"1\"")]).await.expect(200);
        assert_eq!(changed.json()["version"], 2);
        admin.json_with("PATCH", &path, change.clone(), &[("if-match", "\"1\"")]).await.expect(412);
        let before = app.text("SELECT before FROM audit_log WHERE action = 'role.updated'").await;
        let after = app.text("SELECT after FROM audit_log WHERE action = 'role.updated'").await;
        assert!(before.contains("\"客户·查看\":\"本人\""), "{before}");
        assert!(after.contains("\"客户·查看\":\"本部门及以下\""), "{after}");
        // Changing nothing writes nothing.
        admin.json_with("PATCH", &path, change, &[("if-match", "\"2\"")]).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'role.updated'").await, 1);
        let refused = admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(409);
        assert!(refused.text().contains("员工li"), "{}", refused.text());
        let given = format!("/api/v1/people/{}/roles/{}", li.person_id, made["id"].as_str().unwrap());
        admin.json("DELETE", &given, json!({})).await.expect(204);
        admin.json("DELETE", &given, json!({})).await.expect(404);
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        admin.get(&path).await.expect(404);
        // Its code is free again; built-in roles stay, and the administrator's is locked.
        role(&admin, "sales", json!([]), json!([])).await;
        let locked = [("if-match", "\"1\"")];
        admin.json_with("DELETE", "/api/v1/roles/0000000000002", json!({}), &locked).await.expect(409);
        let refused =
            admin.json_with("PATCH", "/api/v1/roles/0000000000001", json!({ "name": "x" }), &locked).await;
        assert!(refused.expect(409).text().contains("不能修改"));
        // Staff read what roles permit, and change nothing.
        let li = li.with_token().await;
        assert_eq!(li.get("/api/v1/roles").await.expect(200).json()["items"].as_array().unwrap().len(), 6);
        li.json("POST", "/api/v1/roles", json!({ "name": "x" })).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_administrator_makes_or_touches_one() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let granter = app.staff("granter", DataScope::Own).await;
        let li = app.staff("li", DataScope::Own).await;
        role(&admin, "granting", json!([grant("role", "update", "all")]), json!([])).await;
        role(&admin, "sales", json!([grant("customer", "read", "own")]), json!([])).await;
        give(&admin, &granter, "granting").await;
        let granter = granter.with_token().await;
        give(&granter, &li, "sales").await;
        for to in [li.person_id, granter.person_id] {
            let path = format!("/api/v1/people/{to}/roles");
            granter.json("POST", &path, json!({ "role": "administrator" })).await.expect(403);
        }
        let path = format!("/api/v1/people/{}/roles", admin.person_id);
        granter.json("POST", &path, json!({ "role": "sales" })).await.expect(403);
        granter.json("DELETE", &format!("{path}/0000000000001"), json!({})).await.expect(403);
        // The last administrator stays, even with a last day.
        admin.json("DELETE", &format!("{path}/0000000000001"), json!({})).await.expect(409);
        let ending = json!({ "role": "administrator", "ends_on": "2026-12-31" });
        admin.json("POST", &path, ending).await.expect(409);
        for (field, body) in [
            ("role", json!({ "role": "nothing" })),
            ("role", json!({ "role": "share_read" })),
            ("ends_on", json!({ "role": "sales", "ends_on": "2026-09-27" })),
            ("ends_on", json!({ "role": "sales", "ends_on": "soon" })),
            ("unit", json!({ "role": "sales", "unit_id": "01M2Z8Q4T7V0K" })),
            ("unit_id", json!({ "role": "sales", "unit_id": "x" })),
            ("reason", json!({ "role": "sales", "reason": "长".repeat(201) })),
            ("until", json!({ "role": "sales", "until": "2026-12-31" })),
        ] {
            let path = format!("/api/v1/people/{}/roles", li.person_id);
            let refused = admin.json("POST", &path, body.clone()).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
    })
    .await;
}

// covers: IP-02
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_role_is_felt_by_open_sessions_and_tokens_at_the_next_request() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = bare(&app, "li").await;
        let made = role(&admin, "sales", json!([grant("customer", "read", "all")]), json!([])).await;
        let customer =
            admin.json("POST", "/api/v1/customers", json!({ "kind": "person", "name": "张三" })).await;
        let path = format!("/api/v1/customers/{}", customer.expect(201).json()["id"].as_str().unwrap());
        let page = path.trim_start_matches("/api/v1").to_owned();
        let token = li.with_token().await;
        token.get(&path).await.expect(404);
        li.get(&page).await.expect(404);
        give(&admin, &li, "sales").await;
        token.get(&path).await.expect(200);
        li.get(&page).await.expect(200);
        let change = json!({ "grants": [grant("customer", "read", "own")] });
        let role = format!("/api/v1/roles/{}", made["id"].as_str().unwrap());
        admin.json_with("PATCH", &role, change, &[("if-match", "\"1\"")]).await.expect(200);
        token.get(&path).await.expect(404);
        li.get(&page).await.expect(404);
        // A role with a last day ends with it.
        let wide = json!({ "grants": [grant("customer", "read", "all")] });
        admin.json_with("PATCH", &role, wide, &[("if-match", "\"2\"")]).await.expect(200);
        token.get(&path).await.expect(200);
        let giving = json!({ "role": "sales", "ends_on": "2026-09-28", "reason": "代班" });
        admin.json("POST", &format!("/api/v1/people/{}/roles", li.person_id), giving).await.expect(201);
        token.get(&path).await.expect(200);
        app.clock.advance(8 * 3_600_000);
        token.get(&path).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_roles_the_union_counts_and_each_says_where_it_comes_from() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = bare(&app, "li").await;
        let east = unit(&app, "华东").await;
        post(&app, &li, &east, "sales_manager").await;
        let reads = role(&admin, "reads", json!([grant("customer", "read", "unit")]), json!([])).await;
        let writes = json!([grant("customer", "read", "own"), grant("customer", "update", "own")]);
        role(&admin, "writes", writes, json!([])).await;
        give(&admin, &li, "writes").await;
        let page = app.administrator().await;
        let role_id = reads["id"].as_str().unwrap();
        page.post_form("/admin/post-roles/sales_manager", &[("roles", role_id)]).await.expect(303);
        let customer = |name: &str, owner: Option<String>| {
            json!({ "kind": "person", "name": name, "owner_id": owner, "unit_id": east })
        };
        let theirs = admin.json("POST", "/api/v1/customers", customer("张三", None)).await.expect(201).json();
        let mine = customer("李四", Some(li.person_id.to_string()));
        let mine = admin.json("POST", "/api/v1/customers", mine).await.expect(201).json();
        let li = li.with_token().await;
        let path = |of: &Json| format!("/api/v1/customers/{}", of["id"].as_str().unwrap());
        let change = json!({ "remark": "x" });
        li.get(&path(&theirs)).await.expect(200);
        li.json_with("PATCH", &path(&theirs), change.clone(), &[("if-match", "\"1\"")]).await.expect(403);
        li.json_with("PATCH", &path(&mine), change, &[("if-match", "\"1\"")]).await.expect(200);
        let roles = li.get(&format!("/api/v1/people/{}/roles", li.person_id)).await.expect(200).json();
        let from: Vec<&str> =
            roles["items"].as_array().unwrap().iter().map(|r| r["from"].as_str().unwrap()).collect();
        assert_eq!(from, ["direct", "post"]);
        // Whom else somebody is, is not his business.
        li.get(&format!("/api/v1/people/{}/roles", admin.person_id)).await.expect(403);
        // Why: in words, for himself; about others only for those who grant roles.
        let why = li.get(&format!("{}/access", path(&theirs))).await.expect(200).json();
        let text = why.to_string();
        assert!(text.contains("岗位：销售经理（华东）"), "{text}");
        assert!(text.contains("范围：本部门；客户所属部门：华东"), "{text}");
        assert!(text.contains("角色“角色writes”（直接授予）允许“客户·修改”，范围：本人；但客户负责人："), "{text}");
        let other = format!("{}/access?person={}", path(&theirs), admin.person_id);
        li.get(&other).await.expect(403);
        let other = format!("{}/access?person={}", path(&theirs), li.person_id);
        let seen = admin.get(&other).await.expect(200).json();
        assert_eq!(seen["permissions"], why["permissions"]);
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'access.explained'";
        assert_eq!(app.number(noted).await, 1, "only the question about somebody else");
    })
    .await;
}

/// Every cell of a spreadsheet in one text.
pub fn cells(content: &[u8], format: &str) -> String {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    let mut text = String::new();
    let mut sink = |event: sheets::Event| {
        text.push_str(&format!("{event:?}\n"));
        std::ops::ControlFlow::Continue(())
    };
    sheets::read(&mut file, &format!("a.{format}"), &sheets::Limits::default(), &mut sink).unwrap();
    text
}

// covers: CI-04
#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_withholds_leaves_by_no_door() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = bare(&app, "li").await;
        let cells_of_role = json!([
            grant("customer", "read", "all"),
            grant("customer", "update", "all"),
            grant("customer", "export", "all"),
            grant("customer", "create", "all"),
            grant("contact", "read", "all"),
            grant("contact", "update", "all"),
            grant("activity", "read", "all"),
            grant("file", "read", "all"),
            grant("asset", "read", "all"),
        ]);
        let rule =
            |object: &str, field: &str, rule: &str| json!({ "object": object, "field": field, "rule": rule });
        let rules = json!([
            rule("customer", "phone", "masked"),
            rule("customer", "id_number", "hidden"),
            rule("customer", "level", "read"),
            rule("customer", "remark", "hidden"),
            rule("contact", "phone", "masked"),
            rule("contact", "email", "hidden"),
        ]);
        role(&admin, "careful", cells_of_role, rules).await;
        give(&admin, &li, "careful").await;
        let body = json!({
            "kind": "person", "name": "苏东坡", "phone": "13987654321", "id_number": "11010519491231002X",
            "remark": "金丝雀备注", "level": "A",
        });
        let made = admin.json("POST", "/api/v1/customers", body).await.expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        let contact = json!({
            "customer_id": id, "name": "王秘书", "phone": "13712345679", "email": "canary@example.com",
        });
        let contact = admin.json("POST", "/api/v1/contacts", contact).await.expect(201).json();
        let token = li.with_token().await;
        let canaries =
            ["13987654321", "11010519491231002X", "金丝雀备注", "13712345679", "canary@example.com"];
        let clean = |name: &str, text: &str| {
            for canary in canaries {
                assert!(!text.contains(canary), "{name} tells {canary}: {text}");
            }
        };
        let pages = [
            "/customers".to_owned(),
            "/customers?q=苏东坡".to_owned(),
            "/search?q=苏东坡".to_owned(),
            "/search/menu?q=苏东坡".to_owned(),
            "/".to_owned(),
            "/tasks".to_owned(),
            "/activities".to_owned(),
            format!("/customers/{id}"),
            format!("/customers/{id}?tab=history"),
            format!("/customers/{id}/edit"),
            format!("/customers/{id}/contacts"),
            format!("/customers/{id}/timeline"),
            format!("/customers/{id}/shares"),
            format!("/customers/{id}/fields/phone"),
            "/customers/duplicates?for_kind=person&phone=13987654321".to_owned(),
            format!("/contacts/{}/edit", contact["id"].as_str().unwrap()),
            format!("/admin/explain?customer={id}"),
            "/admin/explain/customers?q=苏东坡".to_owned(),
        ];
        for page in &pages {
            let text = li.get(page).await.text().replace("phone=13987654321", "");
            clean(page, &text);
            clean(page, &li.get_part(page).await.text());
        }
        assert!(li.get("/customers").await.text().contains("139****4321"));
        assert!(li.get_part(&format!("/customers/{id}")).await.text().contains("139****4321"));
        for api in [
            "/api/v1/customers".to_owned(),
            "/api/v1/customers?q=苏东坡".to_owned(),
            format!("/api/v1/customers/{id}"),
            format!("/api/v1/contacts?customer_id={id}"),
            format!("/api/v1/contacts/{}", contact["id"].as_str().unwrap()),
            format!("/api/v1/customers/{id}/access"),
        ] {
            clean(&api, &token.get(&api).await.expect(200).text());
        }
        for format in ["csv", "xlsx"] {
            let file = li.get(&format!("/customers/export?format={format}")).await.expect(200);
            let text = cells(&file.body, format);
            assert!(text.contains("苏东坡") && text.contains("139****4321"), "{format}: {text}");
            clean(format, &text);
        }
        // Neither a search, nor a filter, nor an order tells what is masked.
        for q in ["13987654321", "87654", "11010519491231002X"] {
            assert_eq!(
                token.get(&format!("/api/v1/customers?q={q}")).await.expect(200).json()["items"],
                json!([]),
                "{q}"
            );
        }
        let filter = form_urlencoded::byte_serialize(b"phone == \"13987654321\"").collect::<String>();
        token.get(&format!("/api/v1/customers?filter={filter}")).await.expect(422);
        let filter =
            form_urlencoded::byte_serialize("remark.contains(\"金丝雀\")".as_bytes()).collect::<String>();
        token.get(&format!("/api/v1/customers?filter={filter}")).await.expect(422);
        // Writing what may not be changed names the field; what was shown may come back unchanged.
        let path = format!("/api/v1/customers/{id}");
        for (field, value) in [("phone", "13800000000"), ("remark", "x"), ("level", "B")] {
            let refused =
                token.json_with("PATCH", &path, json!({ field: value }), &[("if-match", "\"1\"")]).await;
            let refused = refused.expect(422);
            assert_eq!(refused.json()["errors"][0]["field"], field, "{}", refused.text());
            clean(field, &refused.text());
        }
        let same = json!({ "phone": "139****4321", "short_name": "东坡" });
        let done = token.json_with("PATCH", &path, same, &[("if-match", "\"1\"")]).await.expect(200);
        clean("answer to a change", &done.text());
        let phone = app.text("SELECT phone FROM customers").await;
        assert_eq!(phone, "13987654321", "the stored value stays");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_editor_keeps_what_was_typed_and_tells_what_changes() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = bare(&app, "li").await;
        let page = admin.get("/admin/roles/new").await.expect(200).text();
        assert!(
            page.contains("name=\"scope.customer.read\"") && page.contains("name=\"rule.customer.phone\"")
        );
        let wrong = [
            ("name", "销售<b>"),
            ("scope.customer.read", "condition"),
            ("condition.customer.read", "levle == \"A\""),
            ("rule.customer.phone", "masked"),
        ];
        let refused = admin.post_form("/admin/roles", &wrong).await.expect(422).text();
        assert!(refused.contains("销售&#60;b&#62;") || refused.contains("销售&lt;b&gt;"), "{refused}");
        assert!(refused.contains("levle ==") && refused.contains("个字:"), "{refused}");
        let right = [("name", "销售"), ("scope.customer.read", "own"), ("rule.customer.phone", "masked")];
        let made = admin.post_form("/admin/roles", &right).await.expect(303);
        let path = made.header("location").to_owned();
        let id = path.rsplit('/').next().unwrap().to_owned();
        let give = format!("/admin/people/{}/roles", li.person_id);
        let given = [("role", id.as_str()), ("reason", "新岗位"), ("ends_on", "2026-12-31")];
        admin.post_form(&give, &given).await.expect(303);
        let page = admin.get(&give).await.expect(200).text();
        assert!(page.contains("新岗位") && page.contains("2026-12-31"));
        for n in 0..3 {
            admin.customer(json!({ "kind": "person", "name": format!("张{n}丰") })).await;
        }
        // Before saving: how many people, before and after, names gained.
        let wider = [
            ("id", id.as_str()),
            ("version", "1"),
            ("name", "销售"),
            ("scope.customer.read", "condition"),
            ("condition.customer.read", "name != \"张0丰\""),
        ];
        let effect = admin.post_form("/admin/roles/preview", &wider).await.expect(200).text();
        assert!(effect.contains("共 1 人拥有这个角色") && effect.contains("员工li"), "{effect}");
        assert!(effect.contains(">0<") && effect.contains("<strong>2</strong>"), "{effect}");
        assert!(
            effect.contains("张1丰") && effect.contains("张2丰") && !effect.contains("张0丰"),
            "{effect}"
        );
        assert_eq!(app.number("SELECT COUNT(*) FROM role_grants WHERE scope = 'condition'").await, 0);
        admin.post_form(&path, &wider).await.expect(303);
        assert_eq!(
            li.with_token().await.get("/api/v1/customers").await.json()["items"].as_array().unwrap().len(),
            2
        );
        // The second administrator is told and keeps what he typed.
        let late =
            [("id", id.as_str()), ("version", "1"), ("name", "销售二组"), ("scope.customer.read", "all")];
        let refused = admin.post_form(&path, &late).await.expect(422).text();
        assert!(refused.contains("value=\"销售二组\""), "{refused}");
        let reach = admin.get(&format!("{path}/reach?person={}", li.person_id)).await.expect(200).text();
        assert!(reach.contains("看到 2 个客户"), "{reach}");
        let copy = admin.get(&format!("/admin/roles/new?copy={id}")).await.expect(200).text();
        assert!(copy.contains("销售（副本）"));
        // Compared with a colleague, side by side.
        let compared = format!("/admin/role-compare?a={}&b={}&only=1", li.person_id, admin.person_id);
        let compared = admin.get(&compared).await.expect(200).text();
        assert!(compared.contains("全部（系统管理员）") && compared.contains("按条件："), "{compared}");
        // Explained to the administrator, as for any customer and person.
        let customer = admin.with_token().await.get("/api/v1/customers?q=张0丰").await.json();
        let customer = customer["items"][0]["id"].as_str().unwrap().to_owned();
        let why = format!("/admin/explain?person={}&customer={customer}", li.person_id);
        let why = admin.get(&why).await.expect(200).text();
        assert!(why.contains("看不到") && why.contains("但客户不符合条件"), "{why}");
        li.get(&format!("/admin/explain?customer={customer}")).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_in_bulk_reviewed_and_taken_back() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let made = role(&api, "sales", json!([grant("customer", "read", "own")]), json!([])).await;
        let id = made["id"].as_str().unwrap();
        let (li, wang) = (bare(&app, "li").await, bare(&app, "wang").await);
        let east = unit(&app, "华东").await;
        post(&app, &li, &east, "clerk").await;
        let found = admin.get(&format!("/admin/role-grants?in_unit={east}")).await.expect(200).text();
        assert!(found.contains("员工li") && !found.contains("员工wang"));
        let (a, b) = (li.person_id.to_string(), wang.person_id.to_string());
        let values = [
            ("role", id),
            ("act", "give"),
            ("person", a.as_str()),
            ("person", b.as_str()),
            ("reason", "=1+1"),
        ];
        let done = admin.post_form("/admin/role-grants", &values).await.expect(200).text();
        assert!(done.contains("成功 2，失败 0"), "{done}");
        let take = [("role", id), ("act", "take"), ("person", a.as_str()), ("person", "01M2Z8Q4T7V0K")];
        let done = admin.post_form("/admin/role-grants", &take).await.expect(200).text();
        assert!(done.contains("成功 1，失败 1"), "{done}");
        let none = [("role", id), ("act", "give")];
        admin.post_form("/admin/role-grants", &none).await.expect(422);
        // The review: who, since when, by whom, why; in a file where nothing is a formula.
        let list = admin.get(&format!("/admin/role-review?role={id}")).await.expect(200).text();
        assert!(list.contains("员工wang") && list.contains("赵管理") && !list.contains("员工li"), "{list}");
        let none = admin.get(&format!("/admin/role-review?role={id}&older=30")).await.expect(200).text();
        assert!(none.contains("没有要复核的授权"));
        let file = admin.get(&format!("/admin/role-review/export?role={id}")).await.expect(200).text();
        assert!(file.contains("员工wang") && !file.contains(",=1+1") && file.contains("=1+1"), "{file}");
        let key = format!("{b}:{id}:");
        let path = "/admin/role-review";
        admin.post_form(path, &[("row", key.as_str()), ("act", "confirm")]).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM person_roles WHERE confirmed_at IS NOT NULL").await, 1);
        admin.post_form(path, &[("row", key.as_str()), ("act", "revoke")]).await.expect(303);
        admin.post_form(path, &[("row", "x"), ("act", "revoke")]).await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM person_roles").await, 1, "the administrator's own");
        // Sessions of everybody, and ending one.
        let accounts = admin.get("/admin/accounts").await.expect(200).text();
        assert!(accounts.contains("员工wang"));
        let session = app.text("SELECT CAST(id AS TEXT) FROM sessions ORDER BY id DESC LIMIT 1").await;
        let session = store::format_id(session.parse().unwrap());
        let end = format!("/admin/accounts/sessions/{session}/end");
        admin.post_form(&end, &[]).await.expect(303);
        admin.post_form(&end, &[]).await.expect(404);
    })
    .await;
}

// covers: CI-04
#[tokio::test(flavor = "multi_thread")]
async fn where_no_role_mentions_it_that_is_said_and_which_roles_would_do() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = bare(&app, "li").await;
        let east = unit(&app, "华东").await;
        post(&app, &li, &east, "sales_manager").await;
        let rule = |field: &str, rule: &str| json!({ "object": "customer", "field": field, "rule": rule });
        let narrow = json!([rule("phone", "masked"), rule("id_number", "hidden")]);
        role(&api, "reads", json!([grant("customer", "read", "all")]), narrow).await;
        role(
            &api,
            "tells",
            json!([grant("activity", "read", "all"), grant("customer", "read", "own")]),
            json!([]),
        )
        .await;
        for code in ["reads", "tells"] {
            give(&api, &li, code).await;
        }
        let deletes =
            |scope: &str| json!([grant("customer", "read", scope), grant("customer", "delete", scope)]);
        role(&api, "deletes_all", deletes("all"), json!([])).await;
        role(&api, "deletes_unit", deletes("unit"), json!([])).await;
        role(&api, "deletes_own", deletes("own"), json!([])).await;
        let customer = json!({ "kind": "person", "name": "张三", "unit_id": east });
        let customer = api.json("POST", "/api/v1/customers", customer).await.expect(201).json();
        let id = customer["id"].as_str().unwrap();
        let why = api
            .get(&format!("/api/v1/customers/{id}/access?person={}", li.person_id))
            .await
            .expect(200)
            .json();
        let of = |object: &str, verb: &str| -> Json {
            let all = why["permissions"].as_array().unwrap();
            all.iter().find(|p| p["object"] == object && p["verb"] == verb).unwrap().clone()
        };
        let deletion = of("customer", "delete");
        assert_eq!(deletion["decision"], "refuse");
        assert_eq!(deletion["reasons"].as_array().unwrap().len(), 1, "{deletion}");
        let said = deletion["reasons"][0]["text"].as_str().unwrap();
        assert!(said.starts_with("员工li的 2 个角色都没有“客户·删除”权限："), "{said}");
        let would: Vec<(&str, bool, &str)> = deletion["would"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| {
                let enough = w["is_enough"].as_bool().unwrap();
                (w["role"].as_str().unwrap(), enough, w["text"].as_str().unwrap())
            })
            .collect();
        let one =
            |role: &str| *would.iter().find(|w| w.0 == role).unwrap_or_else(|| panic!("{role}: {would:?}"));
        assert!(one("角色deletes_all").1);
        assert_eq!(
            one("角色deletes_unit"),
            ("角色deletes_unit", true, "范围：本部门，包括这个客户（客户所属部门：华东）")
        );
        assert!(
            !one("角色deletes_own").1 && one("角色deletes_own").2.contains("不包括这个客户（客户负责人：")
        );
        assert!(would[0].1 && would[1].1 && !would[2].1, "those that do come first: {would:?}");
        // What his roles hide, which role says so, and which others would show it.
        let field = |key: &str| -> Json {
            why["fields"].as_array().unwrap().iter().find(|f| f["field"] == key).unwrap().clone()
        };
        let phone = field("phone");
        assert_eq!(phone["rule"], "masked");
        assert_eq!(phone["by"], "“角色reads”（直接授予）：脱敏");
        let shown = phone["shown_by"].as_str().unwrap();
        assert!(
            shown.contains("角色deletes_unit（可编辑）") && !shown.contains("角色deletes_own"),
            "{shown}"
        );
        // The page says the same, and nothing when nobody's role would do.
        let page = admin
            .get(&format!("/admin/explain?person={}&customer={id}", li.person_id))
            .await
            .expect(200)
            .text();
        assert!(page.contains("的 2 个角色都没有“客户·共享”权限"), "{page}");
        assert!(page.contains("公司现有的其他角色都不允许这一项"), "{page}");
        // Whoever must keep out is not promised anything by roles.
        let out = json!({ "person_id": li.person_id, "reason": "被投诉" });
        api.json("POST", &format!("/api/v1/customers/{id}/exclusions"), out).await.expect(201);
        let why = api.get(&format!("/api/v1/customers/{id}/access?person={}", li.person_id)).await.json();
        assert!(why["permissions"].as_array().unwrap().iter().all(|p| p["would"] == json!([])), "{why}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_names_for_every_difference_where_it_comes_from() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let (li, wang) = (bare(&app, "li").await, bare(&app, "wang").await);
        let (east, west) = (unit(&app, "华东").await, unit(&app, "华西").await);
        post(&app, &li, &east, "sales_manager").await;
        post(&app, &wang, &west, "sales_manager").await;
        let masked = json!([{ "object": "customer", "field": "phone", "rule": "masked" }]);
        let sales = role(&api, "sales", json!([grant("customer", "read", "unit")]), masked).await;
        role(&api, "whole", json!([grant("customer", "read", "all")]), json!([])).await;
        let form = [("roles", sales["id"].as_str().unwrap())];
        admin.post_form("/admin/post-roles/sales_manager", &form).await.expect(303);
        give(&api, &wang, "whole").await;
        let path = format!("/admin/role-compare?a={}&b={}&only=1", li.person_id, wang.person_id);
        let page = admin.get(&path).await.expect(200).text();
        for words in [
            "本部门（华东） · 角色sales · 岗位：销售经理（华东）",
            "本部门（华西） · 角色sales · 岗位：销售经理（华西）",
            "全部 · 角色whole · 直接授予",
            "脱敏：范围 本部门（华东） · 角色sales · 岗位：销售经理（华东）",
            "可编辑：范围 全部 · 角色whole · 直接授予",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        // The same from the same posts is no difference.
        give(&api, &li, "whole").await;
        post(&app, &li, &west, "secretary").await;
        let same = format!("/admin/role-compare?a={}&b={}&only=1", li.person_id, li.person_id);
        assert!(admin.get(&same).await.expect(200).text().contains("没有不同"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_raises_his_own_rights_alone() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let granter = app.staff("granter", DataScope::Own).await;
        let east = unit(&app, "华东").await;
        let both_of = json!([
            grant("role", "update", "all"),
            grant("organisation", "update", "all"),
            grant("customer", "read", "unit_tree"),
        ]);
        let masked = json!([{ "object": "customer", "field": "phone", "rule": "masked" }]);
        let granting = role(&admin, "granting", both_of.clone(), masked.clone()).await;
        role(&admin, "sales", json!([grant("customer", "read", "all")]), json!([])).await;
        let clerks = role(&admin, "clerks", json!([grant("customer", "read", "own")]), json!([])).await;
        give(&admin, &granter, "granting").await;
        post(&app, &granter, &east, "clerk_post").await;
        let (page, me) = (granter.clone(), granter.person_id.to_string());
        let granter = granter.with_token().await;
        let said = |answer: crate::Answer| {
            let text = answer.expect(403).text();
            assert!(text.contains("不能自己给自己增加权限") && text.contains("赵管理"), "{text}");
        };
        // Neither by giving himself a role, on any page …
        let own = format!("/api/v1/people/{me}/roles");
        said(granter.json("POST", &own, json!({ "role": "sales" })).await);
        let sales = clerks["id"].as_str().unwrap();
        said(page.post_form(&format!("/admin/people/{me}/roles"), &[("role", sales)]).await);
        let bulk = [("role", sales), ("act", "give"), ("person", me.as_str())];
        let done = page.post_form("/admin/role-grants", &bulk).await.expect(200).text();
        assert!(done.contains("成功 0，失败 1") && done.contains("不能自己给自己增加权限"), "{done}");
        let denied =
            "SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused' AND after LIKE '%role-grants%'";
        assert_eq!(app.number(denied).await, 1);
        let form = [("name", "员工granter"), ("has_roles", "1"), ("roles", sales), ("version", "2")];
        let version = app.number("SELECT version FROM people WHERE username = 'granter'").await.to_string();
        let form: Vec<(&str, &str)> =
            form.iter().map(|(n, v)| (*n, if *n == "version" { version.as_str() } else { *v })).collect();
        said(page.post_form(&format!("/admin/people/{me}"), &form).await);
        // … nor by widening one he has, by each way a role can permit more …
        let path = format!("/api/v1/roles/{}", granting["id"].as_str().unwrap());
        let more = |grants: Json, fields: Json| json!({ "grants": grants, "fields": fields });
        let mut wide = both_of.clone();
        wide[2]["scope"] = json!("all");
        let mut another = both_of.clone();
        another.as_array_mut().unwrap().push(grant("customer", "update", "unit"));
        for body in
            [more(wide, masked.clone()), more(another, masked.clone()), more(both_of.clone(), json!([]))]
        {
            said(granter.json_with("PATCH", &path, body, &[("if-match", "\"1\"")]).await);
        }
        // … nor through his post: by letting it bring a role, or giving himself another that does.
        said(page.post_form("/admin/post-roles/clerk_post", &[("roles", sales)]).await);
        app.administrator()
            .await
            .post_form("/admin/post-roles/sales_manager", &[("roles", sales)])
            .await
            .expect(303);
        let positions = format!("/api/v1/people/{me}/positions");
        let post_of = |post: &str| json!({ "unit_id": east, "post": post });
        said(granter.json("POST", &positions, post_of("sales_manager")).await);
        granter.json("POST", &positions, post_of("secretary")).await.expect(201);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM person_roles WHERE person_id <> 0").await,
            3,
            "nothing changed"
        );
        // The boundary: the same role may be narrowed, renamed, and given up; a role he has not may be widened.
        let mut narrow = both_of.clone();
        narrow[2]["scope"] = json!("unit");
        let hidden = json!([{ "object": "customer", "field": "phone", "rule": "hidden" }]);
        let body = json!({ "name": "授权专员", "grants": narrow, "fields": hidden });
        granter.json_with("PATCH", &path, body, &[("if-match", "\"1\"")]).await.expect(200);
        let other = format!("/api/v1/roles/{}", clerks["id"].as_str().unwrap());
        let body = json!({ "grants": [grant("customer", "read", "team")] });
        granter.json_with("PATCH", &other, body, &[("if-match", "\"1\"")]).await.expect(200);
        let shorter = json!({ "role": "granting", "ends_on": "2026-12-31" });
        granter.json("POST", &own, shorter).await.expect(201);
        said(granter.json("POST", &own, json!({ "role": "granting", "ends_on": "2027-12-31" })).await);
        said(granter.json("POST", &own, json!({ "role": "granting" })).await);
        // Confirming one's own is for somebody else too.
        let key = format!("{me}:{}:", granting["id"].as_str().unwrap());
        said(page.post_form("/admin/role-review", &[("act", &format!("confirm {key}"))]).await);
        // An administrator may, and the log marks it.
        let boss = format!("/api/v1/people/{}/roles", admin.person_id);
        admin.json("POST", &boss, json!({ "role": "sales" })).await.expect(201);
        let marked = "SELECT COUNT(*) FROM audit_log WHERE after LIKE '%\"for_oneself\":true%'";
        assert_eq!(app.number(marked).await, 1);
        let log = app.administrator().await.get("/admin/audit?action=role.granted").await.expect(200).text();
        assert!(log.contains("为本人增加权限"), "{log}");
        // Giving up one's own role is nobody's business.
        granter
            .json("DELETE", &format!("{own}/{}", granting["id"].as_str().unwrap()), json!({}))
            .await
            .expect(204);
        granter.json("POST", &own, json!({ "role": "sales" })).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_review_tells_of_posts_too_when_each_was_used_and_what_is_overdue() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let (li, wang) = (bare(&app, "li").await, bare(&app, "wang").await);
        let (east, west) = (unit(&app, "华东").await, unit(&app, "华西").await);
        post(&app, &li, &east, "sales_manager").await;
        post(&app, &wang, &west, "sales_manager").await;
        let sales = role(&api, "sales", json!([grant("customer", "read", "all")]), json!([])).await;
        role(&api, "own", json!([grant("customer", "read", "own")]), json!([])).await;
        let form = [("roles", sales["id"].as_str().unwrap())];
        admin.post_form("/admin/post-roles/sales_manager", &form).await.expect(303);
        give(&api, &li, "own").await;
        let list = |query: &'static str| {
            let admin = &admin;
            async move { admin.get(&format!("/admin/role-review{query}")).await.expect(200).text() }
        };
        let page = list("?source=post").await;
        for words in ["员工li", "员工wang", "角色sales", "岗位：销售经理（华东）", "赵管理", "没有记录"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains(">角色own</td>"), "{page}");
        let of_unit: &'static str = format!("?in_unit={west}").leak();
        let page = list(of_unit).await;
        assert!(page.contains("员工wang") && !page.contains("员工li"), "{page}");
        // Looking at lists is no use of a role; opening a customer is, of the roles that reach it and no others.
        let customer = json!({ "kind": "person", "name": "张三" });
        let customer = api.json("POST", "/api/v1/customers", customer).await.expect(201).json();
        let uses = || app.number("SELECT COUNT(*) FROM role_uses WHERE role_id <> 1");
        let reader = li.with_token().await;
        reader.get("/api/v1/customers").await.expect(200);
        app.app.write_role_uses().await;
        assert_eq!(uses().await, 0);
        reader.get(&format!("/api/v1/customers/{}", customer["id"].as_str().unwrap())).await.expect(200);
        app.app.write_role_uses().await;
        // The batch may have been on its way already.
        for _ in 0..200 {
            if uses().await > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(uses().await, 1);
        let page = list("?source=post").await;
        assert!(page.contains(">2026-09-28</td>"), "{page}");
        // Another day moves it on.
        app.clock.advance(24 * 3_600_000);
        let (admin, reader) = (app.administrator().await, app.sign_in(li.person_id).await);
        reader.get(&format!("/customers/{}", customer["id"].as_str().unwrap())).await.expect(200);
        app.app.write_role_uses().await;
        let moved_on = "SELECT MAX(used_on) FROM role_uses WHERE role_id <> 1";
        for _ in 0..200 {
            if app.text(moved_on).await == "2026-09-29" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(app.text(moved_on).await, "2026-09-29");
        // Overdue after the company's days; confirmed, it is not.
        let days = [("days", "0")];
        admin.post_form("/admin/role-review/rules", &days).await.expect(422);
        reader.post_form("/admin/role-review/rules", &[("days", "30")]).await.expect(403);
        admin.post_form("/admin/role-review/rules", &[("days", "30")]).await.expect(303);
        app.clock.advance(31 * 24 * 3_600_000);
        let admin = app.administrator().await;
        let page = admin.get("/admin/role-review?older=overdue").await.expect(200).text();
        assert_eq!(page.matches("pill-amber").count(), 4, "two posts, one role, the administrator: {page}");
        let position = app.text("SELECT CAST(MIN(id) AS TEXT) FROM positions").await;
        let position = store::format_id(position.parse().unwrap());
        let key = format!("p:{position}:{}", sales["id"].as_str().unwrap());
        let confirm = format!("confirm {key}");
        admin.post_form("/admin/role-review", &[("act", &confirm), ("older", "overdue")]).await.expect(303);
        admin.post_form("/admin/role-review", &[("act", &confirm)]).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM position_role_reviews").await, 1);
        let page = admin.get("/admin/role-review?older=overdue&source=post").await.expect(200).text();
        assert!(page.contains("员工wang") && !page.contains("员工li"), "{page}");
        // What comes with a post is not taken from one person; nothing of the batch is done.
        let refused =
            admin.post_form("/admin/role-review", &[("act", "revoke"), ("row", &key)]).await.expect(422);
        assert!(refused.text().contains("随岗位得到的角色不能单独收回"), "{}", refused.text());
        for format in ["csv", "xlsx"] {
            let file = admin.get(&format!("/admin/role-review/export?format={format}")).await.expect(200);
            let text = cells(&file.body, format);
            for words in ["岗位：销售经理（华东）", "2026-09-29", "已到复核期"] {
                assert!(text.contains(words), "{format} {words}: {text}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_review_comes_page_by_page_and_nobody_is_left_out_or_told_twice() {
    both(|app| async move {
        let admin = app.administrator().await;
        app.app
            .db
            .write(|tx| {
                for n in 0..250_i64 {
                    let name = format!("第{n:03}号");
                    tx.exec(
                        "INSERT INTO people (id, username, name, name_search, password_hash, security_stamp, created_at,
                           updated_at) VALUES ($1, $2, $3, $3, '', 0, 0, 0)",
                        &[(1_000 + n).into(), format!("n{n}").into(), name.into()],
                    )?;
                    tx.exec(
                        "INSERT INTO person_roles (person_id, role_id, granted_at, granted_by) VALUES ($1, 2, $2, 0)",
                        // Many were given at one time: the place must tell them apart.
                        &[(1_000 + n).into(), (n / 60).into()],
                    )?;
                }
                kehu::org::rights_changed(tx)
            })
            .await
            .unwrap();
        let (mut path, mut seen, mut pages) = ("/admin/role-review?role=0000000000002".to_owned(), Vec::new(), 0);
        loop {
            let page = admin.get(&path).await.expect(200).text();
            assert!(page.contains("共 250 条"), "{path}");
            let names = page.split(">第").skip(1).map(|rest| rest.chars().take(3).collect::<String>());
            seen.extend(names.filter(|name| name.chars().all(|c| c.is_ascii_digit())));
            pages += 1;
            let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
            let href = before.rsplit_once("href=\"").unwrap().1;
            path = href.replace("&#38;", "&").replace("&amp;", "&");
            assert!(pages < 10);
        }
        assert_eq!((pages, seen.len()), (3, 250));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 250);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reviews_rights_as_the_page_does() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        let (li, keeper) = (bare(&app, "li").await, bare(&app, "keeper").await);
        let (east, west) = (unit(&app, "华东").await, unit(&app, "华西").await);
        post(&app, &li, &east, "sales_manager").await;
        let sales = role(&api, "sales", json!([grant("customer", "read", "all")]), json!([])).await;
        role(&api, "own", json!([grant("customer", "read", "own")]), json!([])).await;
        role(&api, "grants", json!([grant("role", "update", "all")]), json!([])).await;
        let form = [("roles", sales["id"].as_str().unwrap())];
        app.administrator().await.post_form("/admin/post-roles/sales_manager", &form).await.expect(303);
        give(&api, &li, "own").await;
        give(&api, &keeper, "grants").await;
        let (keeps, staff) = (keeper.with_token().await, li.with_token().await);
        const ALL: &str = "/api/v1/role-review";
        let (confirm, revoke) = (format!("{ALL}/confirmations"), format!("{ALL}/revocations"));
        let list = |query: String| {
            let keeps = &keeps;
            async move { keeps.get(&format!("{ALL}?{query}")).await.expect(200).json() }
        };
        let all = list(String::new()).await;
        assert_eq!(
            (&all["total"], &all["review_days"], &all["next"]),
            (&json!(4), &json!(180), &json!(null))
        );
        let by_post = list("source=post".into()).await["items"][0].clone();
        assert_eq!(
            (&by_post["person"], &by_post["role_id"], &by_post["post"], &by_post["unit_id"]),
            (&json!("员工li"), &sales["id"], &json!("sales_manager"), &json!(east))
        );
        let of_li = list(format!("unit_id={east}&source=direct")).await["items"][0].clone();
        assert_eq!(
            (&of_li["source"], &of_li["granted_by"], &of_li["is_overdue"]),
            (&json!("direct"), &json!("赵管理"), &json!(false))
        );
        assert_eq!(list(format!("unit_id={west}")).await["total"], 0);
        assert_eq!(list(format!("role_id={}", sales["id"].as_str().unwrap())).await["total"], 1);
        // Page by page nobody is left out.
        let (mut told, mut after) = (Vec::new(), String::new());
        loop {
            let page = list(format!("limit=1&after={after}")).await;
            told.push(page["items"][0]["key"].as_str().unwrap().to_owned());
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(told.len(), 4);
        for wrong in [
            "source=x",
            "after=x",
            "unchecked_days=x",
            "unchecked_days=0",
            "role_id=x",
            "unit_id=01M2Z8Q4T7V0K",
        ] {
            keeps.get(&format!("{ALL}?{wrong}")).await.expect(422);
        }
        // The same permission as the page, and the same limits of it.
        staff.get(ALL).await.expect(403);
        let keys = |keys: &[&Json]| json!({ "keys": keys });
        for path in [&confirm, &revoke] {
            staff.json("POST", path, keys(&[&of_li["key"]])).await.expect(403);
            for wrong in [json!({}), json!({ "keys": [] }), json!({ "keys": ["x"] }), json!({ "keys": [1] })]
            {
                keeps.json("POST", path, wrong).await.expect(422);
            }
        }
        let own = list(String::new()).await["items"].clone();
        let own = own.as_array().unwrap().iter().find(|i| i["person"] == "员工keeper").unwrap().clone();
        keeps.json("POST", &confirm, keys(&[&of_li["key"], &own["key"]])).await.expect(403);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM person_roles WHERE confirmed_at IS NOT NULL").await,
            0,
            "all or none"
        );
        app.clock.advance(181 * 24 * 3_600_000);
        assert_eq!(list("unchecked_days=overdue".into()).await["total"], 4);
        let once = [("idempotency-key", "c1")];
        let both = keys(&[&of_li["key"], &by_post["key"]]);
        for _ in 0..2 {
            let done = keeps.json_with("POST", &confirm, both.clone(), &once).await.expect(201).json();
            assert_eq!(done, json!({ "count": 2 }));
        }
        assert_eq!(list("unchecked_days=overdue".into()).await["total"], 2);
        let confirmed = list("source=post".into()).await["items"][0].clone();
        assert_eq!(
            (&confirmed["confirmed_by"], &confirmed["is_overdue"]),
            (&json!("员工keeper"), &json!(false))
        );
        // What comes with a post goes with the post; of the batch nothing is done.
        let refused = keeps.json("POST", &revoke, both).await.expect(422).text();
        assert!(refused.contains("随岗位得到的角色不能单独收回"), "{refused}");
        assert_eq!(
            keeps.json("POST", &revoke, keys(&[&of_li["key"]])).await.expect(201).json(),
            json!({ "count": 1 })
        );
        keeps.json("POST", &revoke, keys(&[&of_li["key"]])).await.expect(404);
        assert_eq!(list(String::new()).await["total"], 3);
        let written = "SELECT COUNT(*) FROM audit_log WHERE actor_name = '员工keeper'
                AND action IN ('role.confirmed', 'role.taken')";
        assert_eq!(app.number(written).await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_value_in_place_that_he_may_only_read_is_told_and_noted() {
    both(|app| async move {
        let admin = app.administrator().await;
        let reader = bare(&app, "li").await;
        let api = admin.with_token().await;
        role(&api, "reading", json!([grant("customer", "read", "all")]), json!([])).await;
        give(&api, &reader, "reading").await;
        let reader = app.sign_in(reader.person_id).await;
        let customer = admin.customer(json!({ "kind": "person", "name": "张三" })).await;
        let path = format!("/customers/{}/fields/name", customer["id"].as_str().unwrap());
        let said = reader.post_form(&path, &[("name", "李四"), ("version", "1"), ("was", "张三")]).await;
        assert!((200..500).contains(&said.status.as_u16()), "{}", said.status);
        let denied =
            "SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused' AND after LIKE '%/fields%'";
        assert_eq!(app.number(denied).await, 1);
        assert_eq!(app.text("SELECT name FROM customers").await, "张三");
    })
    .await;
}
