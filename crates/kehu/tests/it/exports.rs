//! Taking customers out: what the list shows, nothing else, and it can be imported again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use kehu::{jobs, router};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::app::DataScope;
use crate::{Client, TestApp, both};

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
            assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.exported'").await, 1);
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
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.exported'").await, 3);
    })
    .await;
}

/// Longer than any export here takes; whoever needs it waits for something that never comes.
const NEVER: Duration = Duration::from_secs(60);

/// A company with more customers than two batches and what may wait between reading and writing.
async fn many(app: &TestApp) -> Client<'_> {
    let admin = app.administrator().await;
    let lines: String = (0..2_600).map(|n| format!("公司{n},李经理{n},1380013{n:04}\n")).collect();
    let text = format!("客户名称,联系人,联系人电话\n{lines}");
    admin.with_token().await.upload("/api/v1/imports", &[], "a.csv", text.as_bytes()).await.expect(202);
    jobs::run_all(&app.app).await.unwrap();
    assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 2_600);
    admin
}

#[tokio::test(flavor = "multi_thread")]
async fn more_exports_than_readers_at_once_all_end_and_nobody_else_is_kept_waiting() {
    both(|app| async move {
        many(&app).await;
        let app = Arc::new(app);
        let mut all = JoinSet::new();
        for n in 0..app.app.db.readers() + 2 {
            let app = Arc::clone(&app);
            all.spawn(async move {
                let admin = app.administrator().await;
                let format = ["csv", "xlsx"][n % 2];
                let answer = admin.get(&format!("/customers/export?format={format}")).await;
                let lines = answer.text().trim_end().lines().count();
                (answer.status.as_u16(), answer.header("retry-after").to_owned(), format, lines)
            });
        }
        let ended = tokio::time::timeout(NEVER, async {
            let mut done = 0;
            while let Some(answer) = all.join_next().await {
                match answer.unwrap() {
                    (200, _, format, lines) => {
                        assert!(format == "xlsx" || lines == 2_601, "{lines}");
                        done += 1;
                    }
                    (503, retry_after, ..) => assert_eq!(retry_after, "10"),
                    other => panic!("{other:?}"),
                }
            }
            done
        });
        assert!(ended.await.expect("the exports wait for each other") > 0);
        app.stranger().get("/readyz").await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_beyond_those_that_may_go_on_at_once_is_told_to_come_again() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin.customer(json!({"kind": "person", "name": "王小明"})).await;
        let place = app.app.export_place().await.unwrap();
        for path in ["/customers/export?format=csv", "/admin/audit/export"] {
            let full = admin.get(path).await.expect(503);
            assert_eq!(full.header("retry-after"), "10");
            assert!(full.text().contains("稍后再试"), "{}", full.text());
        }
        drop(place);
        admin.get("/customers/export?format=csv").await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_or_go_away_hold_no_reader_and_no_place() {
    both(|app| async move {
        let admin = many(&app).await;
        let router = router::build(&app.app);
        let mut unread = Vec::new();
        for _ in 0..app.app.db.readers() + 2 {
            let request = admin.request("GET", "/customers/export?format=csv").body(Body::empty()).unwrap();
            let answer = tokio::time::timeout(NEVER, router.clone().oneshot(request)).await.unwrap().unwrap();
            assert_eq!(answer.status().as_u16(), 200);
            unread.push(answer);
        }
        let request = admin.request("GET", "/customers/export?format=xlsx").body(Body::empty()).unwrap();
        let leaving = router.clone().oneshot(request);
        let left = tokio::time::timeout(Duration::from_millis(30), leaving).await;
        assert!(left.is_err(), "it was too quick to go away from");
        let place = tokio::time::timeout(NEVER, app.app.export_place()).await.unwrap();
        drop(place.expect("the one that went away keeps its place"));
        app.stranger().get("/readyz").await.expect(200);
        assert_eq!(unread.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_readers_are_all_busy_says_soon_that_it_is_not_ready() {
    both(|app| async move {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        let mut busy = JoinSet::new();
        for _ in 0..app.app.db.readers() {
            let (db, held) = (app.app.db.clone(), Arc::clone(&held));
            busy.spawn(async move {
                db.read::<_, store::Error, _>(move |_| {
                    let _ = held.lock().unwrap().recv();
                    Ok(())
                })
                .await
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let stranger = app.stranger();
        let answer = tokio::time::timeout(NEVER, stranger.get("/readyz")).await;
        drop(release);
        answer.expect("it waits for a reader").expect(503);
        while busy.join_next().await.is_some() {}
        app.stranger().get("/readyz").await.expect(200);
    })
    .await;
}

// covers: DS-06
#[tokio::test(flavor = "multi_thread")]
async fn a_list_and_an_export_know_how_customers_are_classified() {
    both(|app| async move {
        let admin = app.administrator().await;
        let token = admin.with_token().await;
        let mut ids = Vec::new();
        for name in ["甲公司", "乙公司", "丙公司"] {
            let body = json!({ "kind": "organisation", "name": name });
            let made = token.json("POST", "/api/v1/customers", body).await.expect(201).json();
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        for (id, values) in [(&ids[0], ["A"]), (&ids[1], ["B"])] {
            let path = format!("/api/v1/customers/{id}/marks/scheme_reception_three");
            token.json("PUT", &path, json!({ "values": values })).await.expect(200);
        }
        let names = async |query: &str| {
            let path = format!("/api/v1/customers?sort=name&{query}");
            let found = token.get(&path).await.expect(200).json();
            let items = found["items"].as_array().unwrap().clone();
            items.into_iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("mark=scheme_reception_three:A").await, ["甲公司"]);
        assert_eq!(names("mark=scheme_reception_three:A,scheme_reception_three:B").await.len(), 2);
        assert_eq!(names("mark=scheme_reception_three:C").await.len(), 0);
        token.get("/api/v1/customers?mark=scheme_reception_three:Z").await.expect(422);
        token.get("/api/v1/customers?mark=class:key").await.expect(422);
        let page = admin.get("/customers?mark=scheme_reception_three:B").await.expect(200).text();
        assert!(page.contains("乙公司") && !page.contains("甲公司"), "{page}");
        assert!(page.contains("<option value=\"scheme_reception_three:B\" selected>"), "{page}");

        let file =
            admin.get("/customers/export?format=csv&mark=scheme_reception_three:A").await.expect(200).text();
        let heading = file.lines().next().unwrap();
        assert!(heading.contains("接待三类"), "{heading}");
        assert!(file.contains("甲公司") && file.contains("A类贵宾") && !file.contains("乙公司"), "{file}");
    })
    .await;
}
