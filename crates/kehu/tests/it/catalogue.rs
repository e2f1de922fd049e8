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
