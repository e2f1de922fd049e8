//! What people do on pages, programs do through the API: dictionaries, fields, the recycle bin, duplicates, views, exports.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Client, both};

fn id(body: &Json) -> &str {
    body["id"].as_str().unwrap()
}

fn fields_of(refused: &Json) -> Vec<&str> {
    refused["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect()
}

/// The dictionary of this name.
async fn dictionary(client: &Client<'_>, name: &str) -> Json {
    let all = client.get("/api/v1/dictionaries").await.expect(200).json();
    all["items"].as_array().unwrap().iter().find(|d| d["name"] == name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_keeps_the_values_of_a_dictionary() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        let values = "/api/v1/dictionaries/customer_class/values";
        let new = json!({ "zh": "战略客户", "colour": "purple" });
        let key = [("idempotency-key", "value-1")];
        let made = program.json_with("POST", values, new.clone(), &key).await.expect(201);
        let (etag, value) = (made.header("etag").to_owned(), made.json());
        assert_eq!((&value["en"], &value["is_active"]), (&json!("战略客户"), &json!(true)));
        let again = program.json_with("POST", values, new.clone(), &key).await.expect(201).json();
        assert_eq!(again, value, "the same key makes it once");
        for (body, field) in [
            (new.clone(), "zh"),
            (json!({}), "zh"),
            (json!({ "zh": 7 }), "zh"),
            (json!({ "zh": "甲", "is_active": false }), "is_active"),
            (json!({ "zh": "甲", "colour": "<b>" }), "colour"),
            (json!({ "zh": "甲", "code": "mine" }), "code"),
        ] {
            let refused = program.json("POST", values, body.clone()).await.expect(422).json();
            assert_eq!(fields_of(&refused), [field], "{body}");
        }
        program.json("POST", "/api/v1/dictionaries/nothing/values", new).await.expect(404);
        program.json("POST", "/api/v1/dictionaries/a%00b/values", json!({ "zh": "甲" })).await.expect(404);
        // Changed only by whoever has seen what it is.
        let path = format!("{values}/{}", value["code"].as_str().unwrap());
        assert_eq!(program.get(&path).await.expect(200).header("etag"), etag);
        let change = json!({ "definition": "集团级", "is_active": false });
        program.json("PATCH", &path, change.clone()).await.expect(428);
        let based = [("if-match", etag.as_str())];
        let changed = program.json_with("PATCH", &path, change.clone(), &based).await.expect(200).json();
        assert_eq!((&changed["zh"], &changed["definition"]), (&json!("战略客户"), &json!("集团级")));
        assert_eq!((&changed["colour"], &changed["is_active"]), (&json!("purple"), &json!(false)));
        program.json_with("PATCH", &path, change, &based).await.expect(412);
        program.json_with("PATCH", &format!("{values}/none"), json!({}), &based).await.expect(404);
        let seen = dictionary(&program, "customer_class").await;
        assert_eq!(seen["values"][4], changed);
        // An order names every value once.
        let mut codes: Vec<Json> =
            seen["values"].as_array().unwrap().iter().map(|v| v["code"].clone()).collect();
        codes.reverse();
        let order = "/api/v1/dictionaries/customer_class/order";
        for wrong in [&codes[1..], &[codes.clone(), vec![codes[0].clone()]].concat()] {
            let refused = program.json("PUT", order, json!({ "codes": wrong })).await.expect(422).json();
            assert_eq!(fields_of(&refused), ["codes"]);
        }
        program.json("PUT", order, json!({ "codes": codes })).await.expect(204);
        let seen = dictionary(&program, "customer_class").await;
        assert_eq!(seen["values"][0]["code"], value["code"]);
        let logged = "SELECT COUNT(*) FROM audit_log WHERE action LIKE 'dictionary.%'";
        assert_eq!(app.number(logged).await, 3);
        // Staff read them and change none.
        let staff = app.staff("li", DataScope::All).await.with_token().await;
        staff.get(&path).await.expect(200);
        staff.json_with("PATCH", &path, json!({ "zh": "x" }), &[("if-match", "\"2\"")]).await.expect(403);
        staff.json("POST", values, json!({ "zh": "x" })).await.expect(403);
        staff.json("PUT", order, json!({ "codes": codes })).await.expect(403);
    })
    .await;
}

// covers: CI-03
#[tokio::test(flavor = "multi_thread")]
async fn a_program_defines_the_fields_of_the_company() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        let fields = "/api/v1/fields";
        for (body, field) in [
            (json!({ "kind": "text" }), "title"),
            (json!({ "title": "车位号" }), "kind"),
            (json!({ "title": "车位号", "kind": "what" }), "kind"),
            (json!({ "title": "车位号", "kind": "choice" }), "choices"),
            (json!({ "title": "车位号", "kind": "choice", "choices": "金卡" }), "choices"),
            (json!({ "title": "车位号", "kind": "text", "applies_to": "cat" }), "applies_to"),
            (json!({ "title": "车位号", "kind": "text", "is_required": "yes" }), "is_required"),
        ] {
            let refused = program.json("POST", fields, body.clone()).await.expect(422).json();
            assert_eq!(fields_of(&refused), [field], "{body}");
        }
        let new = json!({
            "title": "会员等级", "kind": "choice", "choices": ["金卡", " 银卡 "], "applies_to": "person",
            "is_required": true,
        });
        let made = program.json("POST", fields, new).await.expect(201);
        let (etag, field) = (made.header("etag").to_owned(), made.json());
        assert_eq!((&field["choices"], &field["is_active"]), (&json!(["金卡", "银卡"]), &json!(true)));
        let key = field["key"].as_str().unwrap();
        let with = |custom: Json| json!({ "kind": "person", "name": "张三", "custom": custom });
        program.json("POST", "/api/v1/customers", with(json!({}))).await.expect(422);
        program.json("POST", "/api/v1/customers", with(json!({ key: "银卡" }))).await.expect(201);
        let path = format!("{fields}/{key}");
        assert_eq!(program.get(&path).await.expect(200).json(), field);
        program.get(&format!("{fields}/name")).await.expect(404);
        let based = [("if-match", etag.as_str())];
        program.json("PATCH", &path, json!({ "is_required": false })).await.expect(428);
        let refused = program.json_with("PATCH", &path, json!({ "kind": "text" }), &based).await.expect(422);
        assert_eq!(fields_of(&refused.json()), ["kind"]);
        let change = json!({ "is_required": false, "help": "按合同填写" });
        let changed = program.json_with("PATCH", &path, change.clone(), &based).await.expect(200).json();
        assert_eq!((&changed["title"], &changed["help"]), (&json!("会员等级"), &json!("按合同填写")));
        program.json_with("PATCH", &path, change, &based).await.expect(412);
        program.json("POST", "/api/v1/customers", with(json!({}))).await.expect(201);
        // The order of two.
        let other = json!({ "title": "车位号", "kind": "text" });
        let other = program.json("POST", fields, other).await.expect(201).json();
        let order = json!({ "codes": [other["key"], key] });
        program.json("PUT", "/api/v1/field-order", json!({ "codes": [key] })).await.expect(422);
        program.json("PUT", "/api/v1/field-order", order).await.expect(204);
        let all = program.get(fields).await.expect(200).json();
        let own: Vec<&Json> =
            all["items"].as_array().unwrap().iter().filter(|f| f["is_custom"] == true).collect();
        assert_eq!((&own[0]["key"], &own[1]["key"]), (&other["key"], &field["key"]));
        let staff = app.staff("li", DataScope::All).await.with_token().await;
        staff.get(&path).await.expect(200);
        staff.json("POST", fields, json!({ "title": "x", "kind": "text" })).await.expect(403);
    })
    .await;
}

// covers: VF-04
#[tokio::test(flavor = "multi_thread")]
async fn a_program_says_which_fields_must_be_filled() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        let path = "/api/v1/field-requirements";
        for wrong in [json!({}), json!({ "to_save": ["name"] }), json!({ "to_save": ["what"] })] {
            program.json("PUT", path, wrong).await.expect(422);
        }
        let told = program.json("PUT", path, json!({ "to_save": ["contact", "class"] })).await.expect(200);
        assert_eq!(told.json(), json!({ "to_save": ["class", "contact"] }));
        let bare = json!({ "kind": "organisation", "name": "广州天江物业有限公司" });
        let refused = program.json("POST", "/api/v1/customers", bare.clone()).await.expect(422).json();
        let lacking = fields_of(&refused);
        assert!(lacking.contains(&"class") && lacking.contains(&"contact.name"), "{lacking:?}");
        program.json("PUT", path, json!({ "to_save": [] })).await.expect(200);
        program.json("POST", "/api/v1/customers", bare).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_what_was_deleted_and_brings_it_back() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        for name in ["甲公司", "乙公司", "丙公司"] {
            let made = program.customer(json!({ "kind": "organisation", "name": name })).await;
            let path = format!("/api/v1/customers/{}", id(&made));
            program.json_with("DELETE", &path, Json::Null, &[("if-match", "\"1\"")]).await.expect(204);
            app.app.clock.advance(1_000);
        }
        let list = "/api/v1/deleted-customers";
        let first = program.get(&format!("{list}?limit=2")).await.expect(200).json();
        let names = |page: &Json| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&first), ["丙公司", "乙公司"]);
        let next = format!("{list}?limit=2&after={}", first["next"].as_str().unwrap());
        let second = program.get(&next).await.expect(200).json();
        assert_eq!((names(&second), &second["next"]), (vec!["甲公司".to_owned()], &Json::Null));
        program.get(&format!("{list}?after=x")).await.expect(422);
        program.get(&format!("{list}?limit=0")).await.expect(422);
        let gone = id(&first["items"][0]).to_owned();
        program.get(&format!("/api/v1/customers/{gone}")).await.expect(404);
        let restoration = format!("/api/v1/customers/{gone}/restoration");
        let back = program.json("POST", &restoration, json!({})).await.expect(200);
        assert_eq!(back.header("etag"), "\"3\"");
        assert_eq!(back.json()["name"], "丙公司");
        program.get(&format!("/api/v1/customers/{gone}")).await.expect(200);
        program.json("POST", &restoration, json!({})).await.expect(404);
        let staff = app.staff("li", DataScope::All).await.with_token().await;
        staff.get(list).await.expect(403);
        staff.json("POST", &restoration, json!({})).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_asks_for_duplicates_and_learns_no_more_than_its_person_may() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        let made =
            program.customer(json!({ "kind": "person", "name": "张三", "phone": "13800138000" })).await;
        let path = "/api/v1/duplicates?kind=person&phone=138-0013-8000";
        let found = program.get(path).await.expect(200).json();
        assert_eq!(found["items"][0]["id"], made["id"]);
        assert_eq!((&found["items"][0]["by"], &found["has_hidden"]), (&json!("phone"), &json!(false)));
        let but = program.get(&format!("{path}&except={}", id(&made))).await.expect(200).json();
        assert_eq!(but["items"], json!([]));
        for wrong in ["", "?kind=cat&name=x", "?name=x&except=x"] {
            program.get(&format!("/api/v1/duplicates{wrong}")).await.expect(422);
        }
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let hidden = li.get(path).await.expect(200).json();
        assert_eq!((&hidden["items"], &hidden["has_hidden"]), (&json!([]), &json!(true)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_called_nearly_the_same_are_shown_with_how_alike_they_are() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        for (name, address) in [
            ("广州天江科技有限公司", "中山路1号"),
            ("广州天姜科技有限公司", ""),
            ("深圳宏达物流有限公司", "中山路1号"),
            ("天江", ""),
        ] {
            let body = json!({ "kind": "organisation", "name": name, "address": address });
            program.json("POST", "/api/v1/customers", body).await.expect(201);
        }
        program
            .json("POST", "/api/v1/customers", json!({ "kind": "person", "name": "广州天江科" }))
            .await
            .expect(201);
        let path = |place: &str, asked: &[(&str, &str)]| {
            format!(
                "{place}?{}",
                form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish()
            )
        };
        let asked = async |asked: &[(&str, &str)]| -> Vec<(String, String, f64)> {
            let answer = program.get(&path("/api/v1/duplicates", asked)).await.expect(200).json();
            let items = answer["alike"].as_array().unwrap().iter();
            let why = |item: &Json| {
                let why = item["why"].as_array().unwrap().iter().map(|w| w.as_str().unwrap());
                why.collect::<Vec<_>>().join("+")
            };
            let one = |item: &Json| {
                (item["name"].as_str().unwrap().to_owned(), why(item), item["score"].as_f64().unwrap())
            };
            items.map(one).collect()
        };
        // A slip in one character, and the same sound in others; not the one that only shares a word.
        let found = asked(&[("name", "广州天江科持有限公司"), ("address", "中山路 1号")]).await;
        let names: Vec<(&str, &str)> = found.iter().map(|(n, w, _)| (n.as_str(), w.as_str())).collect();
        assert_eq!(names, [("广州天江科技有限公司", "name+address")], "{found:?}");
        let without = asked(&[("name", "广州天江科持有限公司")]).await;
        assert!(without[0].2 < found[0].2 && found[0].2 < 1.0, "{found:?} {without:?}");
        let found = asked(&[("name", "广州天疆科技股份有限公司")]).await;
        assert_eq!(
            found.iter().filter(|(_, why, score)| why == "sound" && *score == 1.0).count(),
            2,
            "{found:?}"
        );
        // What is the same is told as such, not as nearly the same; persons are too often called alike.
        let same =
            program.get(&path("/api/v1/duplicates", &[("name", "广州天江科技")])).await.expect(200).json();
        assert_eq!(same["items"][0]["by"], "name");
        assert_eq!(same["alike"].as_array().unwrap().len(), 1, "{same}");
        assert!(asked(&[("kind", "person"), ("name", "广州天江科")]).await.is_empty());
        let form = admin
            .get(&path("/customers/duplicates", &[("for_kind", "organisation"), ("name", "广州天江科持")]))
            .await
            .expect(200)
            .text();
        assert!(form.contains("名称相似 93%") && form.contains("广州天江科技有限公司"), "{form}");
        // How alike is for the administrator to say; whoever sees none is shown none.
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let hidden =
            li.get(&path("/api/v1/duplicates", &[("name", "广州天江科持")])).await.expect(200).json();
        assert_eq!((&hidden["alike"], &hidden["has_hidden"]), (&json!([]), &json!(false)));
        let setting = "/api/v1/parameters/duplicates.alike_from";
        let version = program.get(setting).await.expect(200).header("etag").to_owned();
        program
            .json_with("PATCH", setting, json!({ "value": 101 }), &[("if-match", &version)])
            .await
            .expect(200);
        assert!(asked(&[("name", "广州天江科持有限公司")]).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_no_customers_is_not_told_which_there_are() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        admin.customer(json!({ "kind": "person", "name": "张三", "phone": "13800138000" })).await;
        let reader = crate::roles::bare(&app, "reader").await;
        let reads = json!([crate::roles::grant("customer", "read", "own")]);
        crate::roles::role(&admin, "reading", reads, json!([])).await;
        crate::roles::give(&admin, &reader, "reading").await;
        let page = app.sign_in(reader.person_id).await;
        page.get("/customers/duplicates?for_kind=person&phone=13800138000").await.expect(403);
        let program = page.with_token().await;
        program.get("/api/v1/duplicates?kind=person&phone=13800138000").await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_saves_and_removes_views() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        let new = json!({ "list": "customers", "name": "重点", "query": "?class=key&after=x&sort=-name" });
        let made = li.json("POST", "/api/v1/views", new.clone()).await.expect(201).json();
        assert_eq!(made["query"], "class=key&sort=-name", "what belongs to a moment is not kept");
        let shared = json!({ "list": "customers", "name": "大家", "query": "", "is_shared": true });
        let shared = li.json("POST", "/api/v1/views", shared).await.expect(201).json();
        for (body, field) in [
            (json!({ "list": "what", "name": "x", "query": "" }), "list"),
            (json!({ "list": "customers", "name": "", "query": "" }), "name"),
            (json!({ "list": "customers", "name": "x" }), "query"),
            (
                json!({ "list": "customers", "name": "x", "query": "q=".to_owned() + &"x".repeat(5_000) }),
                "query",
            ),
        ] {
            let refused = li.json("POST", "/api/v1/views", body).await.expect(422).json();
            assert_eq!(fields_of(&refused), [field]);
        }
        // The same name replaces.
        let again = li.json("POST", "/api/v1/views", new).await.expect(201).json();
        let seen = li.get("/api/v1/views?list=customers").await.expect(200).json();
        assert_eq!(seen["items"], json!([shared, again]));
        li.get("/api/v1/views?list=what").await.expect(422);
        assert_eq!(wang.get("/api/v1/views").await.expect(200).json()["items"], json!([shared]));
        let path = |view: &Json| format!("/api/v1/views/{}", id(view));
        wang.json("DELETE", &path(&again), Json::Null).await.expect(404);
        wang.json("DELETE", &path(&shared), Json::Null).await.expect(403);
        li.json("DELETE", &path(&again), Json::Null).await.expect(204);
        li.json("DELETE", &path(&again), Json::Null).await.expect(404);
        li.json("DELETE", &path(&shared), Json::Null).await.expect(204);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_exports_what_a_list_finds() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        for name in ["广州天江", "深圳海川"] {
            program.customer(json!({ "kind": "organisation", "name": name })).await;
        }
        let csv = program.get("/api/v1/customers/export?format=csv&q=gztj").await.expect(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert!(csv.text().contains("广州天江") && !csv.text().contains("深圳海川"), "{}", csv.text());
        let xlsx = program.get("/api/v1/customers/export").await.expect(200);
        assert!(xlsx.body.starts_with(b"PK"));
        program.get("/api/v1/customers/export?format=pdf").await.expect(422);
        let exported = "SELECT COUNT(*) FROM audit_log WHERE action = 'customer.exported'";
        assert_eq!(app.number(exported).await, 2);
    })
    .await;
}
