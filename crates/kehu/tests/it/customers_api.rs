//! The JSON API of customers.

use serde_json::{Value, json};

use crate::app::DataScope;
use crate::both;

// covers: VF-03, GM-03, VF-02
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_needs_only_kind_and_name_and_gets_number_class_and_owner() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let first = li.customer(json!({ "kind": "organisation", "name": "广州天江科技有限公司" })).await;
        let second = li.customer(json!({ "kind": "person", "name": "单雄信" })).await;
        assert_eq!(first["number"], "KH000001");
        assert!(second["number"].as_str().unwrap() > "KH000001");
        assert_eq!(first["class"], "potential");
        assert_eq!(first["owner_id"], json!(li.person_id));
        assert_eq!(first["version"], 1);
        // The field sets differ: a person has no credit code, an organisation no ID number.
        assert!(first.get("id_number").is_none() && first.get("credit_code").is_some());
        assert!(second.get("id_number").is_some() && second.get("credit_code").is_none());
        let token = li.with_token().await;
        let wrong = json!({ "kind": "person", "name": "王五", "credit_code": "91440101MA5CXXXX0K" });
        token.json("POST", "/api/v1/customers", wrong).await.expect(422);
        let page = token.get("/api/v1/customers?sort=name").await.expect(200).json();
        assert_eq!(page["total"], 2);
        assert_eq!(page["items"][0]["name"], "广州天江科技有限公司", "guang before shan");
    })
    .await;
}

// covers: DS-07, AM-05, VF-04
#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_value_is_named_with_its_field_in_chinese() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let body = json!({
            "kind": "organisation", "name": "", "phone": "1381234567", "email": "不是邮箱", "website": "http://",
            "credit_code": "91440101MA5CXXXX00", "region": "广洲", "class": "大客户", "nmae": "x",
        });
        let unknown = admin.json("POST", "/api/v1/customers", body.clone()).await.expect(422).json();
        assert_eq!(unknown["errors"][0]["field"], "nmae");
        let mut body = body;
        body.as_object_mut().unwrap().remove("nmae");
        let problem = admin.json("POST", "/api/v1/customers", body).await.expect(422);
        assert_eq!(problem.header("content-type"), "application/problem+json");
        let problem = problem.json();
        let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        for field in ["name", "phone", "email", "website", "credit_code", "region", "class"] {
            assert!(fields.contains(&field), "{field} in {fields:?}");
        }
        assert_eq!(problem["code"], "invalid");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_version_it_is_based_on() {
    both(|app| async move {
        let admin = app.administrator().await;
        let made = admin.customer(json!({ "kind": "person", "name": "张三", "tags": ["老客户"] })).await;
        let admin = admin.with_token().await;
        let path = format!("/api/v1/customers/{}", made["id"].as_str().unwrap());
        let change = json!({ "phone": "138-1234-5678", "region": "广州" });
        admin.json("PATCH", &path, change.clone()).await.expect(428);
        admin.json_with("PATCH", &path, change.clone(), &[("if-match", "\"7\"")]).await.expect(412);
        let changed =
            admin.json_with("PATCH", &path, change.clone(), &[("if-match", "\"1\"")]).await.expect(200);
        assert_eq!(changed.header("etag"), "\"2\"");
        let changed = changed.json();
        assert_eq!(changed["phone"], "13812345678");
        assert_eq!(changed["region"], "广东省/广州市");
        assert_eq!(changed["tags"], json!(["老客户"]));
        admin.json_with("PATCH", &path, change, &[("if-match", "\"1\"")]).await.expect(412);
        // The audit row holds only what changed, before and after.
        let after = app.text("SELECT after FROM audit_log WHERE action = 'customer.updated'").await;
        assert_eq!(after, json!({ "phone": "13812345678", "region": "广东省/广州市" }).to_string());
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        admin.get(&path).await.expect(404);
        assert_eq!(admin.get("/api/v1/customers").await.json()["total"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_makes_one_customer_however_often_it_comes() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let key = [("idempotency-key", "单据-1".len().to_string())];
        let headers: Vec<(&str, &str)> = key.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let body = json!({ "kind": "person", "name": "张三" });
        let sends = (0..20).map(|_| admin.json_with("POST", "/api/v1/customers", body.clone(), &headers));
        let mut made = Vec::new();
        for send in sends {
            let answer = send.await;
            if answer.status.as_u16() != 409 {
                made.push(answer.expect(201).json()["id"].clone());
            }
        }
        made.dedup();
        assert_eq!(made.len(), 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.created'").await, 1);
        let other = json!({ "kind": "person", "name": "李四" });
        admin.json_with("POST", "/api/v1/customers", other, &headers).await.expect(422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_not_given_again_to_one_who_has_lost_the_customer() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let staff = app.staff("li", DataScope::Own).await.with_token().await;
        let other = app.staff("wang", DataScope::Own).await;
        let (first, second) = ([("idempotency-key", "a")], [("idempotency-key", "b")]);
        let body = json!({ "kind": "person", "name": "张三" });
        let send = || staff.json_with("POST", "/api/v1/customers", body.clone(), &first);
        let made = send().await.expect(201);
        assert_eq!(send().await.expect(201).json(), made.json());
        let id = made.json()["id"].clone();
        let contact = json!({ "customer_id": id, "name": "李四" });
        let add = || staff.json_with("POST", "/api/v1/contacts", contact.clone(), &second);
        add().await.expect(201);
        add().await.expect(201);
        let path = format!("/api/v1/customers/{}", id.as_str().unwrap());
        let etag = admin.get(&path).await.expect(200).header("etag").to_owned();
        let give = json!({ "owner_id": other.person_id });
        admin.json_with("PATCH", &path, give, &[("if-match", &etag)]).await.expect(200);
        send().await.expect(404);
        add().await.expect(404);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_taken_does_not_tell_by_whom() {
    both(|app| async move {
        let owner = app.staff("li", DataScope::Own).await;
        let hidden = json!({ "kind": "person", "name": "欧阳修", "number": "VIP-8" });
        let hidden = owner.customer(hidden).await;
        let other = app.staff("wang", DataScope::Own).await.with_token().await;
        let own = other.with_token().await;
        let body = json!({ "kind": "person", "name": "张三", "number": "VIP-8" });
        let refused = own.json("POST", "/api/v1/customers", body.clone()).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["field"], "number");
        let seen = owner.with_token().await.json("POST", "/api/v1/customers", body.clone()).await.expect(422);
        assert_eq!(refused.json()["errors"], seen.json()["errors"], "the same words for both");
        let path = format!("/api/v1/customers/{}", hidden["id"].as_str().unwrap());
        let admin = app.administrator().await.with_token().await;
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        let text = refused.text();
        assert!(!text.contains("欧阳修") && !text.contains(hidden["id"].as_str().unwrap()), "{text}");
        own.json("POST", "/api/v1/customers", body).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_stay_unique_and_rise_past_one_given_by_hand_while_many_write() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let make = |number: String| {
            let admin = &admin;
            async move {
                let body = json!({ "kind": "person", "name": "张三", "number": number });
                let made = admin.json("POST", "/api/v1/customers", body).await.expect(201).json();
                made["number"].as_str().unwrap().to_owned()
            }
        };
        let mut numbers = Vec::new();
        for _ in 0..30 {
            let (a, b, c) = tokio::join!(make(String::new()), make(String::new()), make(String::new()));
            numbers.extend([a, b, c]);
        }
        numbers.push(make("KH005000".into()).await);
        for _ in 0..12 {
            let (a, b) = tokio::join!(make(String::new()), make(String::new()));
            assert!(a.as_str() > "KH005000" && b.as_str() > "KH005000", "{a} {b}");
            numbers.extend([a, b]);
        }
        let all = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
        if app.app.db.engine() == store::Engine::Sqlite {
            assert_eq!(numbers[89], "KH000090", "no gap with one writer");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_walked_page_by_page_without_gap_or_repeat_in_any_order() {
    both(|app| async move {
        let admin = app.administrator().await;
        for n in 0..23 {
            let level = ["A", "B", "C"][n % 3];
            let body = json!({ "kind": "person", "name": format!("客户{}", n % 7), "level": level });
            admin.customer(body).await;
            app.clock.advance(1 + (n as i64 % 2));
        }
        let admin = admin.with_token().await;
        for sort in ["", "name", "-name", "-level,name", "created_at", "-created_at,name", "number"] {
            let mut seen = Vec::new();
            let mut after = String::new();
            loop {
                let page = admin.get(&format!("/api/v1/customers?limit=5&sort={sort}&after={after}")).await;
                let page = page.expect(200).json();
                seen.extend(
                    page["items"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|c| c["number"].as_str().unwrap().to_owned()),
                );
                match page["next"].as_str() {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 23, "{sort}");
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 23, "{sort}");
        }
        admin.get("/api/v1/customers?sort=password_hash").await.expect(422);
        admin.get("/api/v1/customers?after=zz").await.expect(422);
        admin.get("/api/v1/customers?limit=201").await.expect(422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_in_cel_narrows_the_list_and_a_wrong_one_says_where() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin.customer(json!({ "kind": "person", "name": "张三", "level": "A", "tags": ["老客户"] })).await;
        admin.customer(json!({ "kind": "person", "name": "李四", "level": "B" })).await;
        let admin = admin.with_token().await;
        let ask = |filter: &str| {
            format!(
                "/api/v1/customers?{}",
                form_urlencoded::Serializer::new(String::new()).append_pair("filter", filter).finish()
            )
        };
        for (filter, expected) in [
            ("level == 'A' && '老客户' in tags", 1),
            ("level in ['A', 'B']", 2),
            ("name.startsWith('李') || owner_id == me", 2),
            ("!(level == 'A')", 1),
        ] {
            let page = admin.get(&ask(filter)).await.expect(200).json();
            assert_eq!(page["items"].as_array().unwrap().len(), expected, "{filter}");
        }
        for wrong in ["levl == 'A'", "level == 3", "name.matches('.*')", "((((", "level == 'A' &&"] {
            let problem = admin.get(&ask(wrong)).await.expect(422).json();
            assert_eq!(problem["errors"][0]["field"], "filter", "{wrong}");
        }
    })
    .await;
}

// covers: VF-04
#[tokio::test(flavor = "multi_thread")]
async fn with_the_standard_dossier_switched_on_each_of_the_seven_fields_is_asked_for() {
    both(|app| async move {
        let admin = app.administrator().await;
        let bare = json!({ "kind": "organisation", "name": "广州天江科技有限公司" });
        admin.customer(bare.clone()).await;
        admin.post_form("/admin/fields/required", &[("standard", "1")]).await.expect(303);
        let admin = admin.with_token().await;
        let problem = admin
            .json("POST", "/api/v1/customers", json!({ "kind": "organisation" }))
            .await
            .expect(422)
            .json();
        let mut named: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
        named.sort_by_key(|field| field.to_string());
        let seven = ["address", "class", "contact.name", "name", "nature", "parent_organisation", "phone"];
        assert_eq!(named, seven);
        let mut whole = bare;
        for (key, value) in [
            ("class", "重点客户"),
            ("nature", "国有企业"),
            ("parent_organisation", "天江集团"),
            ("address", "天河路 1 号"),
            ("phone", "020-38123456"),
        ] {
            whole[key] = value.into();
        }
        admin.json("POST", "/api/v1/customers", whole.clone()).await.expect(422);
        whole["contact"] = json!({ "name": "" });
        admin.json("POST", "/api/v1/customers", whole.clone()).await.expect(422);
        whole["contact"] = json!({ "name": "陈静", "phone": "13812345678" });
        let made = admin.json("POST", "/api/v1/customers", whole).await.expect(201).json();
        let id = made["id"].as_str().unwrap();
        let contacts = admin.get(&format!("/api/v1/contacts?customer_id={id}")).await.expect(200).json();
        assert_eq!(contacts["items"][0]["name"], "陈静");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_of_the_list_is_described_and_checked() {
    let document = serde_json::to_value(kehu::router::openapi()).unwrap();
    let described: Vec<String> = document["paths"]["/api/v1/customers"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].as_str().unwrap().to_owned())
        .collect();
    both(|app| {
        let described = described.clone();
        async move {
            let program = app.administrator().await.with_token().await;
            for name in &described {
                // Nothing that could be a code, a day, a cursor or a tag; `q` takes any words.
                let wrong = if name == "q" || name == "tag" { "x".repeat(101) } else { "%21%3F".into() };
                let path = format!("/api/v1/customers?{name}={wrong}");
                let refused = program.get(&path).await.expect(422).json();
                assert_eq!(refused["errors"][0]["field"], json!(name), "{refused}");
                program.get(&format!("/api/v1/customers?{name}=")).await;
            }
        }
    })
    .await;
    assert_eq!(described.len(), 22, "{described:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_given_by_hand_stops_the_series() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let make = async |number: &str| {
            let body = json!({ "kind": "person", "name": "王五", "number": number });
            li.json("POST", "/api/v1/customers", body).await
        };
        let series_at = async |next: i64| {
            let set = move |tx: &mut store::Tx<'_>| {
                tx.exec("DELETE FROM number_blocks", &[])?;
                tx.exec("UPDATE number_series SET next = $1 WHERE name = 'customer'", &[next.into()])
            };
            app.app.db.write(set).await.unwrap();
        };
        for large in
            ["KH999999999999999", "KH1000000000000", "KH9223372036854775807", "KH99999999999999999999"]
        {
            let refused = make(large).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], "number", "{large}");
            let said = refused["errors"][0]["message"].as_str().unwrap();
            assert!(said.contains("最多 12 位数字") && said.contains("留空"), "{said}");
        }
        assert_eq!(make("").await.expect(201).json()["number"], "KH000001");
        // Numbers of an older system are taken as they are and do not move the series.
        for old in ["KH999999999999", "KH20240115001", "KH5000000", "KH5000001", "KH5000003"] {
            make(old).await.expect(201);
        }
        for _ in 0..3 {
            let number = make("").await.expect(201).json()["number"].as_str().unwrap().to_owned();
            assert!(number.as_str() < "KH001000", "{number}");
        }
        // The series steps over them when it gets there.
        series_at(5_000_000).await;
        for _ in 0..3 {
            let number = make("").await.expect(201).json()["number"].as_str().unwrap().to_owned();
            assert!(number.len() == 9 && number.as_str() > "KH5000003", "{number}");
        }
        // A series that was driven far already goes on.
        series_at(1_000_000_000_000_000).await;
        assert_eq!(make("").await.expect(201).json()["number"], "KH1000000000000000");
        make("KH1000000000000000").await.expect(422);
        make("").await.expect(201);
    })
    .await;
}

/// Zero-width spaces, fillers and soft hyphens make no name, and are no part of one.
#[tokio::test]
async fn a_name_nobody_can_see_is_no_name() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let customer = admin.customer(json!({ "kind": "person", "name": "王五" })).await["id"].clone();
        for name in ["\u{200b}", "\u{3164}\u{2060}", " \u{ad}\u{200d} "] {
            let body = json!({ "kind": "person", "name": name });
            let answer = program.json("POST", "/api/v1/customers", body).await.expect(422).json();
            assert_eq!(answer["errors"][0]["message"], "请填写客户名称", "{answer}");
            let contact = json!({ "customer_id": customer, "name": name });
            program.json("POST", "/api/v1/contacts", contact).await.expect(422);
            let form = [("kind", "person"), ("name", name)];
            admin.post_form("/customers", &form).await.expect(422);
        }
        let kept = admin.customer(json!({ "kind": "person", "name": "\u{200b}张\u{200b}三\u{2060}" })).await;
        assert_eq!(kept["name"], "张三");
        let body = json!({ "kind": "person", "name": "李四", "number": "A\u{200b}1" });
        program.json("POST", "/api/v1/customers", body).await.expect(422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_names_something_twice_is_refused_with_the_name() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        for (body, name) in [
            (r#"{"kind":"person","name":"王五","name":"赵六"}"#, "name"),
            (r#"{"kind":"person","name":"王五","custom":{"a":1,"a":2}}"#, "a"),
        ] {
            let request =
                admin.request("POST", "/api/v1/customers").header("content-type", "application/json");
            let refused =
                app.send(request.body(axum::body::Body::from(body)).unwrap()).await.expect(400).json();
            assert!(refused["title"].as_str().unwrap().contains(&format!("“{name}”写了两次")), "{refused}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_an_answer_is_described_and_every_name_that_is_taken() {
    let document = serde_json::to_value(kehu::router::openapi()).unwrap();
    let schema = |name: &str| document["components"]["schemas"][name]["properties"].clone();
    let (answer, new, change) = (schema("CustomerBody"), schema("NewCustomerInput"), schema("CustomerInput"));
    let required = document["components"]["schemas"]["CustomerBody"]["required"].clone();
    both(|app| {
        let (answer, new, change, required) = (answer.clone(), new.clone(), change.clone(), required.clone());
        async move {
            let admin = app.administrator().await.with_token().await;
            let unit = crate::roles::unit(&app, "市场部").await;
            let li = crate::roles::bare(&app, "li").await;
            let cells = json!([{ "object": "customer", "verb": "read", "scope": "all" }]);
            let rules = json!([{ "object": "customer", "field": "phone", "rule": "masked" }]);
            crate::roles::role(&admin, "careful", cells, rules).await;
            crate::roles::give(&admin, &li, "careful").await;
            let reader = li.with_token().await;
            for kind in ["person", "organisation"] {
                let body = json!({ "kind": kind, "name": "天江", "phone": "13812345678", "unit_id": unit });
                for name in body.as_object().unwrap().keys() {
                    assert!(new.get(name).is_some(), "{name}");
                }
                let made = admin.json("POST", "/api/v1/customers", body).await.expect(201).json();
                assert_eq!(made["unit_id"], unit.as_str());
                let path = format!("/api/v1/customers/{}", made["id"].as_str().unwrap());
                let masked = reader.get(&path).await.expect(200).json();
                assert_eq!(masked["masked"], json!(["phone"]));
                for sent in [&made, &masked] {
                    for (name, value) in sent.as_object().unwrap() {
                        let property = &answer[name];
                        assert!(property.is_object(), "{name} of {kind} is not described");
                        assert!(fits(property, value), "{name} of {kind}: {value} is no {property}");
                    }
                    for name in required.as_array().unwrap() {
                        assert!(sent.get(name.as_str().unwrap()).is_some(), "{name} of {kind} is missing");
                    }
                }
                assert!(change.get("unit_id").is_some());
                let elsewhere = json!({ "unit_id": null });
                let moved = admin.json_with("PATCH", &path, elsewhere, &[("if-match", "\"1\"")]).await;
                assert_eq!(moved.expect(200).json()["unit_id"], Value::Null);
            }
        }
    })
    .await;
}

/// Whether a value is of one of the types a property names.
fn fits(property: &Value, value: &Value) -> bool {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &property["type"] {
        Value::Array(kinds) => kinds.contains(&json!(kind)),
        // Objects of any names and references say no type.
        Value::Null => true,
        one => one == kind,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_classified_by_schemes() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        let made = li.customer(json!({ "kind": "organisation", "name": "天江" })).await;
        let api = li.with_token().await;
        let path = format!("/api/v1/customers/{}/marks", made["id"].as_str().unwrap());
        let all = api.get(&path).await.expect(200).json();
        let of = |all: &Value, scheme: &str| {
            let items = all["items"].as_array().unwrap();
            items.iter().find(|i| i["scheme"] == scheme).map(|i| i["values"].clone())
        };
        assert_eq!(of(&all, "scheme_vip"), Some(json!([])));
        assert_eq!(of(&all, "scheme_bank_account"), None, "customers are not classified by it");
        let vip = format!("{path}/scheme_vip");
        let set = async |values: Value| api.json("PUT", &vip, json!({ "values": values })).await;
        let now = set(json!(["key"])).await.expect(200).json();
        assert_eq!(now, json!({ "scheme": "scheme_vip", "values": ["key"] }));
        set(json!(["key"])).await.expect(200);
        let marked = "SELECT COUNT(*) FROM audit_log WHERE action = 'customer.marked'";
        assert_eq!(app.number(marked).await, 1, "what is set already is not set again");
        let after = app.text("SELECT after FROM audit_log WHERE action = 'customer.marked'").await;
        assert_eq!(after, json!({ "mark.scheme_vip": ["key"] }).to_string());
        assert_eq!(of(&api.get(&path).await.json(), "scheme_vip"), Some(json!(["key"])));
        set(json!(["no such value"])).await.expect(422);
        set(json!("key")).await.expect(422);
        api.json("PUT", &vip, json!({ "values": [], "more": 1 })).await.expect(422);
        api.json("PUT", &vip, json!({})).await.expect(422);
        for scheme in ["scheme_bank_account", "customer_class", "nothing", "%00"] {
            api.json("PUT", &format!("{path}/{scheme}"), json!({ "values": [] })).await.expect(404);
        }
        // Nobody else learns of it.
        wang.get(&path).await.expect(404);
        wang.json("PUT", &vip, json!({ "values": [] })).await.expect(404);
        wang.json("PUT", &vip, json!({ "valeus": [] })).await.expect(404);
        assert_eq!(set(json!([])).await.expect(200).json()["values"], json!([]));
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_marks").await, 0);
    })
    .await;
}
