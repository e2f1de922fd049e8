//! Who answers for what: processes with exactly one who approves and at least one who is responsible.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::both;

const ALL: &str = "/api/v1/processes";

// covers: LF-10
#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_one_who_approves_and_somebody_responsible_and_is_versioned() {
    both(|app| async move {
        let admin = app.administrator().await;
        let token = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let mut units: Vec<Json> = Vec::new();
        for name in ["销售部", "岭北矿"] {
            let made =
                token.json("POST", "/api/v1/units", json!({ "name": name, "kind": "department" })).await;
            units.push(made.expect(201).json()["id"].clone());
        }
        let unit = |n: usize, duty: &str| json!({ "unit_id": units[n], "duty": duty });
        let post = |post: &str, duty: &str| json!({ "unit_id": null, "post": post, "duty": duty });
        let body = |duties: Json| json!({ "code": "fahuo", "title": "发货", "duties": duties });
        for (duties, said) in [
            (json!([]), "至少要有一个“R 负责”"),
            (json!([unit(0, "accountable")]), "至少要有一个“R 负责”"),
            (json!([unit(0, "responsible")]), "要有一个“A 批准”"),
            (json!([unit(0, "responsible"), unit(0, "accountable"), unit(1, "accountable")]), "现在有 2 个"),
            (
                json!([unit(0, "responsible"), { "unit_id": "01M2Z8Q4T7V0K", "duty": "accountable" }]),
                "没有这个部门或岗位",
            ),
            (json!([unit(0, "responsible"), post("nonsense", "accountable")]), "没有这个部门或岗位"),
            (
                json!([{ "unit_id": units[0], "post": "sales_manager", "duty": "responsible" }]),
                "duties 是列表",
            ),
            (json!([unit(0, "does")]), "duties 是列表"),
            (json!("R"), "duties 是列表"),
        ] {
            let refused = token.json("POST", ALL, body(duties.clone())).await.expect(422).json();
            let message = refused["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(
                refused["errors"][0]["field"] == "duties" && message.contains(said),
                "{duties} {refused}"
            );
        }
        let duties = json!([
            unit(0, "responsible"),
            post("sales_manager", "accountable"),
            unit(1, "informed"),
            unit(0, "consulted")
        ]);
        for (field, wrong) in [
            ("code", json!({ "title": "x", "duties": duties })),
            ("code", json!({ "code": "发货", "title": "x", "duties": duties })),
            ("title", json!({ "code": "x", "duties": duties })),
            ("note", json!({ "code": "x", "title": "x", "note": "长".repeat(501), "duties": duties })),
            ("owner", json!({ "code": "x", "title": "x", "duties": duties, "owner": "x" })),
        ] {
            let refused = token.json("POST", ALL, wrong).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
        li.with_token().await.json("POST", ALL, body(duties.clone())).await.expect(403);
        let made = token.json("POST", ALL, body(duties.clone())).await.expect(201);
        let path = format!("{ALL}/{}", made.json()["id"].as_str().unwrap());
        assert_eq!(
            token.json("POST", ALL, body(duties)).await.expect(422).json()["errors"][0]["field"],
            "code"
        );
        // Two who change it: the second is told.
        let change = json!({ "title": "发货协调" });
        token.json("PATCH", &path, change.clone()).await.expect(428);
        let changed =
            token.json_with("PATCH", &path, change.clone(), &[("if-match", "\"1\"")]).await.expect(200);
        assert_eq!(
            (changed.json()["version"].clone(), changed.header("etag").to_owned()),
            (json!(2), "\"2\"".to_owned())
        );
        token.json_with("PATCH", &path, change.clone(), &[("if-match", "\"1\"")]).await.expect(412);
        token.json_with("PATCH", &path, change, &[("if-match", "\"2\"")]).await.expect(200);
        let no_one = json!({ "duties": [unit(0, "responsible")] });
        token.json_with("PATCH", &path, no_one, &[("if-match", "\"2\"")]).await.expect(422);
        let after = app.text("SELECT after FROM audit_log WHERE action = 'process.created'").await;
        assert!(after.contains("\"responsible\":\"销售部\""), "{after}");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'process.updated'").await, 1);
        // Everybody reads the matrix; only those who keep the organisation change it.
        let page = li.get("/admin/processes").await.expect(200).text();
        assert!(page.contains("发货协调") && page.contains("岭北矿") && page.contains("duty-A"), "{page}");
        assert!(!page.contains("新增流程"));
        li.get("/admin/processes/new").await.expect(403);
        assert!(li.get(&path.replace("/api/v1", "/admin")).await.expect(200).text().contains("岭北矿"));
        // The form: a refused one shows what was typed.
        let form =
            [("code", "x"), ("title", "看样"), ("party.0", "post:sales_manager"), ("duty.0", "responsible")];
        let refused = admin.post_form("/admin/processes", &form).await.expect(422).text();
        assert!(refused.contains("要有一个“A 批准”") && refused.contains("post:sales_manager"), "{refused}");
        let form =
            [form.as_slice(), &[("party.3", "post:sales_manager"), ("duty.3", "accountable")]].concat();
        admin.post_form("/admin/processes", &form).await.expect(303);
        assert!(admin.get_part("/admin/processes/parties?q=lbk").await.expect(200).text().contains("岭北矿"));
        token.json_with("DELETE", &path, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        token.get(&path).await.expect(404);
        assert_eq!(token.get(ALL).await.json()["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
