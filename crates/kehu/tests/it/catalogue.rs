//! Dictionaries, company-defined fields, and what must be filled.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Client, both};

async fn values(client: &Client<'_>, name: &str) -> Vec<Json> {
    let all = client.get("/api/v1/dictionaries").await.expect(200).json();
    let found = all["items"].as_array().unwrap().iter().find(|d| d["name"] == name).unwrap().clone();
    found["values"].as_array().unwrap().clone()
}

// covers: VF-02
#[tokio::test(flavor = "multi_thread")]
async fn values_are_added_renamed_moved_and_retired_but_never_lost() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = app.staff("li", DataScope::Own).await.with_token().await;
        let before = values(&program, "customer_class").await;
        let codes: Vec<&str> = before.iter().map(|v| v["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["target", "general", "key", "potential"], "the four classes of 1.2");
        let add = "/admin/dictionaries/customer_class";
        admin.post_form(add, &[("zh", "战略客户"), ("colour", "purple")]).await.expect(303);
        admin.post_form(add, &[("zh", "战略客户")]).await.expect(422);
        admin.post_form(add, &[("zh", "")]).await.expect(422);
        admin.post_form(add, &[("zh", "a\u{0}")]).await.expect(422);
        admin.post_form("/admin/dictionaries/nothing", &[("zh", "x")]).await.expect(404);
        let now = values(&program, "customer_class").await;
        assert_eq!(now[4]["zh"], "战略客户");
        assert_eq!(now[4]["en"], "战略客户");
        let code = now[4]["code"].as_str().unwrap().to_owned();
        let customer = json!({ "kind": "person", "name": "张三", "class": code });
        let customer = program.json("POST", "/api/v1/customers", customer).await.expect(201).json();
        let id = app.text("SELECT CAST(id AS TEXT) FROM dictionary_entries WHERE zh = '战略客户'").await;
        let path = format!("/admin/entries/{}", store::format_id(id.parse().unwrap()));
        assert!(admin.get(&path).await.expect(200).text().contains("战略客户"));
        // Renamed and retired: the customer keeps it, nobody can choose it anew.
        admin.post_form(&path, &[("zh", "战略伙伴"), ("colour", "red"), ("is_active", "0")]).await.expect(303);
        let now = values(&program, "customer_class").await;
        assert_eq!((&now[4]["zh"], &now[4]["is_active"]), (&json!("战略伙伴"), &json!(false)));
        let kept = program.get(&format!("/api/v1/customers/{}", customer["id"].as_str().unwrap())).await.json();
        assert_eq!(kept["class"], code);
        let again = json!({ "kind": "person", "name": "李四", "class": code });
        program.json("POST", "/api/v1/customers", again).await.expect(422);
        // The new order is everybody's.
        let ids = app.text(
            "SELECT CAST(id AS TEXT) FROM dictionary_entries WHERE dictionary = 'customer_class' AND code = 'key'",
        );
        let key = store::format_id(ids.await.parse().unwrap());
        admin.post_form("/admin/dictionaries/customer_class/order", &[("id", &key)]).await.expect(204);
        assert!(app.number("SELECT COUNT(*) FROM audit_log WHERE action LIKE 'dictionary.%'").await >= 3);
        // The same order again is no change.
        admin.post_form("/admin/dictionaries/customer_class/order", &[("id", &key)]).await.expect(204);
        let orders = "SELECT COUNT(*) FROM audit_log WHERE action = 'dictionary.reordered'";
        assert_eq!(app.number(orders).await, 1);
        // None of it is for staff.
        let staff = app.staff("wang", DataScope::All).await;
        for path in [add, path.as_str(), "/admin/fields", "/admin/fields/required"] {
            staff.post_form(path, &[("zh", "x"), ("title", "x"), ("kind", "text")]).await.expect(403);
        }
    })
    .await;
}

// covers: CI-03
#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_the_company_is_asked_for_checked_and_retired() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let wrong: [&[(&str, &str)]; 4] = [
            &[("title", ""), ("kind", "text")],
            &[("title", "车位号"), ("kind", "what")],
            &[("title", "车位号"), ("kind", "choice")],
            &[("title", "车位号"), ("kind", "text"), ("applies_to", "cat")],
        ];
        for values in wrong {
            admin.post_form("/admin/fields", values).await.expect(422);
        }
        let values = [
            ("title", "会员等级"),
            ("kind", "choice"),
            ("choices", "金卡\r\n银卡\r\n"),
            ("is_required", "1"),
            ("applies_to", "person"),
        ];
        admin.post_form("/admin/fields", &values).await.expect(303);
        admin.post_form("/admin/fields", &values).await.expect(422);
        let fields = program.get("/api/v1/fields").await.expect(200).json();
        let field =
            fields["items"].as_array().unwrap().iter().find(|f| f["title"] == "会员等级").unwrap().clone();
        assert_eq!(field["choices"], json!(["金卡", "银卡"]));
        let key = field["key"].as_str().unwrap().to_owned();
        let with = |custom: Json| json!({ "kind": "person", "name": "张三", "custom": custom });
        program.json("POST", "/api/v1/customers", with(json!({}))).await.expect(422);
        program.json("POST", "/api/v1/customers", with(json!({ key.as_str(): "铜卡" }))).await.expect(422);
        program.json("POST", "/api/v1/customers", with(json!({ key.as_str(): "银卡" }))).await.expect(201);
        let organisation = json!({ "kind": "organisation", "name": "广州天江物业有限公司" });
        program.json("POST", "/api/v1/customers", organisation).await.expect(201);
        // Retired, it is no longer required; what was entered stays.
        let id = app.text("SELECT CAST(id AS TEXT) FROM custom_fields").await;
        let path = format!("/admin/fields/{}", store::format_id(id.parse().unwrap()));
        let retired =
            [("title", "会员等级"), ("choices", "金卡"), ("applies_to", "person"), ("is_required", "1")];
        admin.post_form(&path, &retired).await.expect(303);
        program.json("POST", "/api/v1/customers", with(json!({}))).await.expect(201);
        let kept = "SELECT COUNT(*) FROM customers WHERE CAST(custom AS TEXT) LIKE '%银卡%'";
        assert_eq!(app.number(kept).await, 1);
    })
    .await;
}

// covers: VF-04
#[tokio::test(flavor = "multi_thread")]
async fn one_switch_makes_the_standard_dossier_mandatory() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let bare = json!({ "kind": "organisation", "name": "广州天江物业有限公司" });
        program.json("POST", "/api/v1/customers", bare.clone()).await.expect(201);
        admin.post_form("/admin/fields/required", &[("standard", "1"), ("field", "email")]).await.expect(303);
        let refused = program.json("POST", "/api/v1/customers", bare.clone()).await.expect(422).json();
        let lacking: Vec<&str> =
            refused["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        for field in ["class", "nature", "parent_organisation", "address", "phone", "email"] {
            assert!(lacking.contains(&field), "{field} {lacking:?}");
        }
        admin.post_form("/admin/fields/required", &[]).await.expect(303);
        program.json("POST", "/api/v1/customers", bare).await.expect(201);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'setting.updated'").await, 2);
    })
    .await;
}

// covers: GM-09
#[tokio::test(flavor = "multi_thread")]
async fn schemes_of_bank_accounts_and_brands_are_not_asked_of_customers() {
    both(|app| async move {
        let admin = app.administrator().await;
        let customer =
            admin.customer(json!({ "kind": "organisation", "name": "广州天江物业有限公司" })).await;
        let path = format!("/customers/{}", customer["id"].as_str().unwrap());
        let page = admin.get(&path).await.expect(200).text();
        let field = |scheme: &str| format!("{path}/fields/mark.{scheme}");
        assert!(page.contains(&field("scheme_vip")));
        admin.post_form(&field("scheme_vip"), &[("value", "key")]).await.expect(200);
        for (scheme, value) in [("scheme_bank_account", "basic"), ("scheme_brand_stage", "growing")] {
            assert!(!page.contains(&field(scheme)), "{scheme}");
            admin.get(&field(scheme)).await.expect(404);
            admin.post_form(&field(scheme), &[("value", value)]).await.expect(404);
            // Administrators still keep their values.
            admin.get(&format!("/admin/dictionaries?name={scheme}")).await.expect(200);
        }
        let all = admin.with_token().await.get("/api/v1/dictionaries").await.expect(200).json();
        let told: Vec<&str> =
            all["items"].as_array().unwrap().iter().filter_map(|d| d["applies_to"].as_str()).collect();
        assert_eq!(told.iter().filter(|a| !a.is_empty()).count(), 2, "{told:?}");
    })
    .await;
}

/// What the log holds of the newest change of a kind, before and after.
async fn logged(app: &crate::TestApp, action: &'static str) -> (Json, Json) {
    let column = async |column: &'static str| {
        let sql = format!("SELECT {column} FROM audit_log WHERE action = $1 ORDER BY id DESC LIMIT 1");
        let read = move |conn: &mut store::Conn<'_>| conn.value::<String>(&sql, &[action.into()]);
        serde_json::from_str(&app.app.db.read(read).await.unwrap().unwrap()).unwrap()
    };
    (column("before").await, column("after").await)
}

async fn field_path(app: &crate::TestApp, sql: &'static str, under: &str) -> String {
    format!("{under}/{}", store::format_id(app.text(sql).await.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_stays_unique_and_every_changed_value_is_logged() {
    both(|app| async move {
        let admin = app.administrator().await;
        let add = "/admin/dictionaries/customer_class";
        admin.post_form(add, &[("zh", "战略客户"), ("colour", "purple")]).await.expect(303);
        let entry = "SELECT CAST(id AS TEXT) FROM dictionary_entries WHERE zh = '战略客户'";
        let path = field_path(&app, entry, "/admin/entries").await;
        let refused = admin.post_form(&path, &[("zh", "重点客户"), ("is_active", "1")]).await.expect(422).text();
        assert!(refused.contains("已有同名的值"), "{refused}");
        // Its own name is no other's; nothing changed, nothing logged.
        let same = [("zh", "战略客户"), ("en", "战略客户"), ("colour", "purple"), ("is_active", "1")];
        admin.post_form(&path, &same).await.expect(303);
        let updates = "SELECT COUNT(*) FROM audit_log WHERE action = 'dictionary.entry_updated'";
        assert_eq!(app.number(updates).await, 0);
        let other = [("zh", "战略客户"), ("en", "Strategic"), ("definition", "集团级"), ("colour", "red")];
        admin.post_form(&path, &other).await.expect(303);
        let about = json!({ "dictionary": "customer_class", "zh": "战略客户" });
        let with = |more: Json| {
            let mut all = about.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let before = json!({ "en": "战略客户", "definition": "", "colour": "purple", "is_active": true });
        let after = json!({ "en": "Strategic", "definition": "集团级", "colour": "red", "is_active": false });
        assert_eq!(logged(&app, "dictionary.entry_updated").await, (with(before), with(after)));
        let first = field_path(&app, entry, "").await;
        let order = [("id", first.trim_start_matches('/'))];
        admin.post_form("/admin/dictionaries/customer_class/order", &order).await.expect(204);
        let (before, after) = logged(&app, "dictionary.reordered").await;
        assert_eq!(before["order"][4], "战略客户", "{before}");
        assert!(after["order"].as_array().unwrap()[..2].contains(&json!("战略客户")), "{after}");

        for title in ["会员等级", "车位号"] {
            let new = [("title", title), ("kind", "choice"), ("choices", "金卡\r\n银卡")];
            admin.post_form("/admin/fields", &new).await.expect(303);
        }
        let field = "SELECT CAST(id AS TEXT) FROM custom_fields WHERE title = '车位号'";
        let path = field_path(&app, field, "/admin/fields").await;
        let taken = [("title", "会员等级"), ("choices", "金卡"), ("is_active", "1")];
        assert!(admin.post_form(&path, &taken).await.expect(422).text().contains("已有同名字段"));
        let other = [
            ("title", "车位号"),
            ("choices", "金卡"),
            ("is_active", "1"),
            ("is_required", "1"),
            ("help", "在合同上"),
            ("applies_to", "person"),
        ];
        admin.post_form(&path, &other).await.expect(303);
        let before = json!({
            "title": "车位号", "choices": ["金卡", "银卡"], "is_required": false, "help": "", "applies_to": "",
        });
        let after = json!({
            "title": "车位号", "choices": ["金卡"], "is_required": true, "help": "在合同上", "applies_to": "person",
        });
        assert_eq!(logged(&app, "custom_field.updated").await, (before, after));
        let other = "SELECT CAST(id AS TEXT) FROM custom_fields WHERE title = '会员等级'";
        let ids = [field_path(&app, field, "").await, field_path(&app, other, "").await];
        let order: Vec<_> = ids.iter().map(|id| ("id", id.trim_start_matches('/'))).collect();
        admin.post_form("/admin/fields/order", &order).await.expect(204);
        let (before, after) = logged(&app, "custom_field.reordered").await;
        assert_eq!(before["order"], json!(["会员等级", "车位号"]));
        assert_eq!(after["order"], json!(["车位号", "会员等级"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_holds_stays_when_it_can_be_chosen_no_more() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        for (title, kind) in [("会员等级", "choice"), ("兴趣", "choices")] {
            let new = [("title", title), ("kind", kind), ("choices", "金卡\r\n银卡")];
            admin.post_form("/admin/fields", &new).await.expect(303);
        }
        admin.post_form("/admin/dictionaries/customer_class", &[("zh", "战略客户")]).await.expect(303);
        let class = values(&program, "customer_class").await[4]["code"].as_str().unwrap().to_owned();
        let fields = program.get("/api/v1/fields").await.expect(200).json();
        let key = |title: &str| {
            let found = fields["items"].as_array().unwrap().iter().find(|f| f["title"] == title).unwrap();
            found["key"].as_str().unwrap().to_owned()
        };
        let (level, likes) = (key("会员等级"), key("兴趣"));
        let custom = json!({ level.as_str(): "银卡", likes.as_str(): ["金卡", "银卡"] });
        let body = json!({ "kind": "person", "name": "张三", "class": class, "custom": custom });
        let made = program.json("POST", "/api/v1/customers", body.clone()).await.expect(201).json();
        let id = made["id"].as_str().unwrap();
        // All of it is retired.
        for (title, sql) in [
            ("会员等级", "SELECT CAST(id AS TEXT) FROM custom_fields WHERE title = '会员等级'"),
            ("兴趣", "SELECT CAST(id AS TEXT) FROM custom_fields WHERE title = '兴趣'"),
        ] {
            let path = field_path(&app, sql, "/admin/fields").await;
            let less = [("title", title), ("choices", "金卡"), ("is_active", "1")];
            admin.post_form(&path, &less).await.expect(303);
        }
        let sql = "SELECT CAST(id AS TEXT) FROM dictionary_entries WHERE zh = '战略客户'";
        let entry = field_path(&app, sql, "/admin/entries").await;
        admin.post_form(&entry, &[("zh", "战略客户"), ("is_active", "0")]).await.expect(303);
        // Form and change in place show it as chosen.
        let page = admin.get(&format!("/customers/{id}/edit")).await.expect(200).text();
        assert!(page.contains("<option value=\"银卡\" selected>银卡</option>"), "{page}");
        assert!(page.matches("value=\"银卡\"").count() == 2, "{page}");
        let inline =
            admin.get_part(&format!("/customers/{id}/fields/custom.{level}")).await.expect(200).text();
        assert!(inline.contains("<option value=\"银卡\" selected>"), "{inline}");
        let inline =
            admin.get_part(&format!("/customers/{id}/fields/custom.{likes}")).await.expect(200).text();
        assert!(inline.contains("value=\"银卡\" checked"), "{inline}");
        // The whole form is saved as it was opened, with another value changed.
        let (level_name, likes_name) = (format!("custom.{level}"), format!("custom.{likes}"));
        let form = [
            ("version", "1"),
            ("name", "张三丰"),
            ("class", class.as_str()),
            (level_name.as_str(), "银卡"),
            (likes_name.as_str(), ""),
            (likes_name.as_str(), "金卡"),
            (likes_name.as_str(), "银卡"),
        ];
        admin.post_form(&format!("/customers/{id}/edit"), &form).await.expect(303);
        let kept = program.get(&format!("/api/v1/customers/{id}")).await.expect(200).json();
        assert_eq!((&kept["name"], &kept["class"]), (&json!("张三丰"), &json!(class)));
        assert_eq!(kept["custom"], custom);
        // While one types, it is right for this customer and for no other; so it is by its name.
        let check = [("kind", "person"), ("field", "class"), ("class", class.as_str()), ("except", id)];
        assert_eq!(admin.post_form("/customers/validate", &check).await.expect(200).text(), "");
        assert!(!admin.post_form("/customers/validate", &check[..3]).await.expect(200).text().is_empty());
        let path = format!("/api/v1/customers/{id}");
        let named = json!({ "class": "战略客户" });
        program.json_with("PATCH", &path, named, &[("if-match", "\"2\"")]).await.expect(200);
        program.json("POST", "/api/v1/customers", body).await.expect(422);
        // What must be there still must, and what nobody holds is no choice.
        let now = [("if-match", "\"2\"")];
        program.json_with("PATCH", &path, json!({ "class": "" }), &now).await.expect(422);
        let odd = json!({ "custom": { level.as_str(): "铜卡" } });
        program.json_with("PATCH", &path, odd, &now).await.expect(422);
        // Given up, it cannot be chosen again.
        let gold = json!({ "class": "key", "custom": { level.as_str(): "金卡" } });
        program.json_with("PATCH", &path, gold, &now).await.expect(200);
        for back in [json!({ "class": class }), json!({ "custom": { level.as_str(): "银卡" } })] {
            program.json_with("PATCH", &path, back, &[("if-match", "\"3\"")]).await.expect(422);
        }
    })
    .await;
}
