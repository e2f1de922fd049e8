//! Reports to one's superior over HTTP.

use serde_json::{Value, json};

use crate::app::DataScope;
use crate::{Client, TestApp, both};

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// Puts a person into a post under a superior.
async fn report_to(app: &TestApp, person: &Client<'_>, superior: &Client<'_>) {
    let admin = app.administrator().await.with_token().await;
    let unit = crate::roles::unit(app, "客户服务部").await;
    let path = format!("/api/v1/people/{}/positions", person.person_id);
    let body = json!({ "unit_id": unit, "post": "secretary", "superior_id": superior.person_id });
    admin.json("POST", &path, body).await.expect(201);
}

/// What somebody was told.
async fn told(app: &TestApp, who: &Client<'_>) -> Vec<String> {
    let sql = "SELECT text FROM notices WHERE person_id = $1 ORDER BY id";
    let id = who.person_id;
    let rows: Vec<(String,)> = app.app.db.read(move |conn| conn.rows(sql, &[id.into()])).await.unwrap();
    rows.into_iter().map(|(text,)| text).collect()
}

fn september(suggestions: &str) -> Value {
    json!({
        "starts_on": "2026-09-01", "ends_on": "2026-09-28", "analysis": "两位客户嫌质保太短",
        "suggestions": suggestions,
    })
}

// covers: DU-06
#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_reported_to_the_superior_with_suggestions() {
    both(|app| async move {
        let (li, boss) = (app.staff("li", DataScope::Own).await, app.staff("boss", DataScope::Own).await);
        let wang = app.staff("wang", DataScope::All).await.with_token().await;
        let (api, superior) = (li.with_token().await, boss.with_token().await);
        let customer = id_of(&li.customer(json!({ "kind": "person", "name": "张三" })).await);
        for body in ["希望延长质保", "要加装充电桩"] {
            let need = json!({ "customer_id": customer, "kind": "need", "body": body });
            api.json("POST", "/api/v1/activities", need).await.expect(201);
        }
        // Whoever reports to nobody is told so.
        let alone = api.json("POST", "/api/v1/briefings", september("质保延长到两年")).await.expect(409);
        assert!(alone.json()["title"].as_str().unwrap().contains("上级"));
        report_to(&app, &li, &boss).await;
        let mut bare = september("");
        let refused = api.json("POST", "/api/v1/briefings", bare.clone()).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "suggestions");
        bare["ends_on"] = json!("2026-10-31");
        api.json("POST", "/api/v1/briefings", bare).await.expect(422);

        let sent =
            api.json("POST", "/api/v1/briefings", september("质保延长到两年")).await.expect(201).json();
        assert_eq!(sent["superior_id"], json!(boss.person_id));
        let figures = json!({ "total": 2, "needs": 2, "open": 2, "by_kind": { "need": 2 } });
        assert_eq!(sent["figures"], figures);
        // Once a person and period.
        api.json("POST", "/api/v1/briefings", september("再说一遍")).await.expect(409);
        assert_eq!(app.number("SELECT COUNT(*) FROM briefings").await, 1);
        // The superior is told and reads it with its period; nobody else knows it.
        let notices = told(&app, &boss).await;
        assert!(notices.len() == 1 && notices[0].contains("员工li") && notices[0].contains("2026-09-28"));
        let page = boss.get("/notices").await.expect(200).text();
        assert!(page.contains("客户问题与需求报告"), "{page}");
        let path = format!("/api/v1/briefings/{}", id_of(&sent));
        let got = superior.get(&path).await.expect(200).json();
        assert_eq!(
            (&got["suggestions"], &got["starts_on"]),
            (&json!("质保延长到两年"), &json!("2026-09-01"))
        );
        for method in ["GET", "PATCH"] {
            wang.json_with(method, &path, json!({}), &[("if-match", "\"1\"")]).await.expect(404);
        }
        wang.json("PUT", &format!("{path}/reading"), json!({})).await.expect(404);
        assert_eq!(wang.get("/api/v1/briefings?box=received").await.json()["items"], json!([]));
        assert_eq!(superior.get("/api/v1/briefings").await.json()["items"], json!([]));

        // Its writer corrects it until it is read.
        let first = [("if-match", "\"1\"")];
        let better = json!({ "suggestions": "质保延长到三年" });
        superior.json_with("PATCH", &path, better.clone(), &first).await.expect(403);
        api.json_with("PATCH", &path, better.clone(), &[("if-match", "\"9\"")]).await.expect(412);
        let corrected = api.json_with("PATCH", &path, better, &first).await.expect(200).json();
        assert_eq!((&corrected["suggestions"], &corrected["version"]), (&json!("质保延长到三年"), &json!(2)));
        api.json("PUT", &format!("{path}/reading"), json!({})).await.expect(403);
        for _ in 0..2 {
            let read = superior.json("PUT", &format!("{path}/reading"), json!({})).await.expect(200).json();
            assert!(read["read_at"].is_string());
        }
        let late = json!({ "suggestions": "太晚了" });
        api.json_with("PATCH", &path, late, &[("if-match", "\"3\"")]).await.expect(409);
        assert_eq!(told(&app, &li).await.len(), 1, "the writer is told once that it was read");
        let received = superior.get("/api/v1/briefings?box=received").await.expect(200).json();
        assert_eq!(received["items"][0]["suggestions"], "质保延长到三年");
        superior.get("/api/v1/briefings?box=elsewhere").await.expect(422);
        for (action, times) in [("briefing.sent", 1), ("briefing.corrected", 1), ("briefing.read", 1)] {
            let sql = "SELECT COUNT(*) FROM audit_log WHERE action = $1";
            let noted = app.app.db.read(move |conn| conn.count(sql, &[action.into()])).await.unwrap();
            assert_eq!(noted, times, "{action}");
        }
        let change = app.text("SELECT before FROM audit_log WHERE action = 'briefing.corrected'").await;
        assert_eq!(change, json!({ "suggestions": "质保延长到两年" }).to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_written_corrected_and_signed_on_its_pages() {
    both(|app| async move {
        let (li, boss) = (app.staff("li", DataScope::Own).await, app.staff("boss", DataScope::Own).await);
        let customer = id_of(&li.customer(json!({ "kind": "person", "name": "张三" })).await);
        let need = [("kind", "need"), ("body", "希望延长质保")];
        li.post_form(&format!("/customers/{customer}/activities"), &need).await.expect(303);
        assert!(li.get("/activities").await.text().contains("/briefings/new?from="));
        let page = li.get("/briefings/new?from=2026-09-01&to=2026-09-28").await.expect(200).text();
        assert!(page.contains("组织里没有您的上级") && page.contains("value=\"2026-09-28\""), "{page}");
        report_to(&app, &li, &boss).await;
        let page = li.get("/briefings/new").await.expect(200).text();
        assert!(page.contains("提交给上级") && !page.contains("组织里没有您的上级"), "{page}");
        let mut form =
            vec![("starts_on", "2026-09-01"), ("ends_on", "2026-09-28"), ("analysis", "嫌质保太短")];
        let refused = li.post_form("/briefings", &form).await.expect(422).text();
        assert!(refused.contains("请填写改进意见") && refused.contains("嫌质保太短"), "{refused}");
        form.push(("suggestions", "<b>质保</b>延长到两年"));
        li.post_form("/briefings", &form).await.expect(303);
        assert!(li.post_form("/briefings", &form).await.expect(422).text().contains("已经提交"));
        assert!(li.get("/briefings").await.expect(200).text().contains("待查阅"));
        let id = app.text("SELECT CAST(id AS TEXT) FROM briefings").await;
        let path = format!("/briefings/{}", store::format_id(id.parse().unwrap()));
        let change = [("analysis", "嫌质保太短"), ("suggestions", "<b>质保</b>延长到三年"), ("version", "1")];
        li.post_form(&path, &change).await.expect(303);
        let list = boss.get("/briefings?box=received").await.expect(200).text();
        assert!(list.contains("延长到三年") && list.contains(&path), "{list}");
        let read = boss.get(&path).await.expect(200).text();
        assert!(read.contains("已阅") && !read.contains("name=\"analysis\""), "{read}");
        assert!(read.contains("2026-09-01 至 2026-09-28") && !read.contains("<b>质保"), "{read}");
        assert!(!li.get(&path).await.expect(200).text().contains("已阅"));
        boss.post_form(&format!("{path}/reading"), &[]).await.expect(303);
        assert!(li.get("/briefings").await.text().contains("已查阅"));
        let again = [("analysis", "x"), ("suggestions", "y"), ("version", "3")];
        assert!(li.post_form(&path, &again).await.expect(422).text().contains("不能再修改"));
        app.staff("wang", DataScope::All).await.get(&path).await.expect(404);
    })
    .await;
}
