//! Taking customers out: what the list shows, nothing else, and it can be imported again.

use kehu::jobs;
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Client, both};

async fn bodies(client: &Client<'_>) -> Vec<Json> {
    let all =
        client.with_token().await.get("/api/v1/customers?limit=200&sort=number").await.expect(200).json();
    let mut all = all["items"].as_array().unwrap().clone();
    for one in &mut all {
        let body = one.as_object_mut().unwrap();
        for key in ["id", "created_at", "updated_at", "version", "last_activity_at"] {
            body.remove(key);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_imported_again_changes_nothing() {
    for format in ["csv", "xlsx"] {
        both(|app| async move {
            let admin = app.administrator().await;
            let text = "客户性质,客户名称,联系电话,所在地区,邮编,身份证号,性别,出生日期,标签,备注,客户等级,联系人,联系人电话,下次联系日期\n\
                企业,=危险公司,020-38880000,广东省广州市天河区,010020,,,,展会、重点,\"两行\n备注\",,李经理,13800138000,2026-10-01\n\
                个人,张三,13900139000,北京市,,11010519491231002X,女,1949-12-31,,,,,,\n";
            admin.with_token().await.upload("/api/v1/imports", &[], "a.csv", text.as_bytes()).await.expect(202);
            jobs::run_all(&app.app).await.unwrap();
            let before = bodies(&admin).await;
            assert_eq!(before.len(), 2, "{before:?}");
            let file = admin.get(&format!("/customers/export?format={format}")).await.expect(200);
            assert!(file.header("content-disposition").contains(&format!(".{format}")));
            assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customers.exported'").await, 1);
            let name = format!("导出.{format}");
            let again = admin
                .with_token()
                .await
                .upload("/api/v1/imports", &[("on_duplicate", "update")], &name, &file.body)
                .await
                .expect(202)
                .json();
            jobs::run_all(&app.app).await.unwrap();
            let path = format!("/api/v1/imports/{}", again["id"].as_str().unwrap());
            let done = admin.with_token().await.get(&path).await.expect(200).json();
            assert_eq!(done["updated"], json!(2), "{done}");
            assert_eq!(done["failed"], json!(0), "{done}");
            assert_eq!(bodies(&admin).await, before);
            assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 2);
            assert_eq!(app.number("SELECT COUNT(*) FROM contacts").await, 1);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_what_the_list_shows_the_actor_and_nothing_else() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        admin.customer(json!({"kind": "organisation", "name": "别人的公司"})).await;
        li.customer(json!({"kind": "organisation", "name": "自己的公司"})).await;
        li.customer(json!({"kind": "person", "name": "王小明"})).await;
        let csv = li.get("/customers/export?format=csv").await.expect(200).text();
        assert!(csv.contains("自己的公司") && csv.contains("王小明") && !csv.contains("别人的公司"));
        let some = li.get("/customers/export?format=csv&kind=person").await.expect(200).text();
        assert!(some.contains("王小明") && !some.contains("自己的公司"));
        let all = admin.get("/customers/export?format=csv").await.expect(200).text();
        assert_eq!(all.trim_end().lines().count(), 4);
        admin.get("/customers/export?format=pdf").await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customers.exported'").await, 3);
    })
    .await;
}
