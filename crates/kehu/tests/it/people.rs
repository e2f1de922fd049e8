//! People: their administration, and their names for everybody.

use kehu::access::{ADMINISTRATOR_ID, Actor, STAFF_ID};
use kehu::ids::{PersonId, RoleId};
use kehu::org::{self, PersonChange};
use serde_json::json;

use crate::app::DataScope;
use crate::both;

/// The built-in role of staff as forms send it.
const STAFF: &str = "0000000000002";

fn person(username: &str) -> serde_json::Value {
    json!({
        "username": username, "name": "李四", "title": "客户经理", "phone": "13812345678", "roles": ["staff"],
        "password": "一句容易记住但很长的中文话",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_learn_names_and_administrators_everything() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let staff = app.staff("wang", DataScope::Own).await.with_token().await;
        let made = admin.json("POST", "/api/v1/people", person("Li.Si")).await.expect(201);
        let (etag, made) = (made.header("etag").to_owned(), made.json());
        assert_eq!(made["username"], "li.si", "sign-in names do not tell capitals apart");
        let path = format!("/api/v1/people/{}", made["id"].as_str().unwrap());
        let seen = staff.get(&path).await.expect(200).json();
        assert_eq!(seen, json!({ "id": made["id"], "name": "李四", "title": "客户经理", "is_active": true }));
        for q in ["李", "lisi", "ls"] {
            let found = staff.get(&format!("/api/v1/people?q={q}")).await.expect(200).json();
            assert_eq!(found["items"].as_array().unwrap().len(), 1, "{q}");
        }
        let first = staff.get("/api/v1/people?limit=2").await.json();
        let next = first["next"].as_str().unwrap();
        let second = staff.get(&format!("/api/v1/people?limit=2&after={next}")).await.json();
        assert_eq!(second["items"].as_array().unwrap().len(), 1);
        assert_eq!(second["next"], json!(null));
        staff.get("/api/v1/people?after=x").await.expect(422);
        // Changing people is for administrators.
        staff.json("POST", "/api/v1/people", person("other")).await.expect(403);
        staff
            .json_with("PATCH", &path, json!({ "roles": ["administrator"] }), &[("if-match", &etag)])
            .await
            .expect(403);
        admin.json("PATCH", &path, json!({ "title": "x" })).await.expect(428);
        admin.json_with("PATCH", &path, json!({ "title": "x" }), &[("if-match", "\"9\"")]).await.expect(412);
        let patched =
            admin.json_with("PATCH", &path, json!({ "title": "主管" }), &[("if-match", &etag)]).await;
        assert_eq!(patched.expect(200).json()["title"], "主管");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_person_is_refused_with_its_field() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        admin.json("POST", "/api/v1/people", person("li")).await.expect(201);
        for (field, value) in [
            ("username", json!("li")),
            ("username", json!("两 个词")),
            ("username", json!("x")),
            ("name", json!("")),
            ("name", json!("a\u{0}b")),
            ("title", json!("长".repeat(61))),
            ("title", json!("a\u{0}b")),
            ("phone", json!("没有电话")),
            ("email", json!("not-a-mail")),
            ("roles", json!(["owner"])),
            ("roles", json!(["share_read"])),
            ("password", json!("short")),
            ("password", json!("password1234")),
        ] {
            let mut body = person("zhang");
            body[field] = value.clone();
            let refused = admin.json("POST", "/api/v1/people", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{field} {value}");
        }
        let mut body = person("zhang");
        body["is_admin"] = json!(true);
        admin.json("POST", "/api/v1/people", body).await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    both(|app| async move {
        let admin = app.administrator().await;
        let path = format!("/admin/people/{}", admin.person_id);
        admin.post_form(&format!("{path}/active"), &[("active", "0")]).await.expect(409);
        let demoted = [("name", "赵管理"), ("has_roles", "1"), ("roles", STAFF), ("version", "1")];
        let page = admin.post_form(&path, &demoted).await.expect(422).text();
        assert!(page.contains("至少要有一名在用的管理员"));
        let added = [("name", "钱管理"), ("username", "qian"), ("roles", "0000000000001"), ("password", "")];
        let page = admin.post_form("/admin/people", &added).await.expect(200).text();
        assert!(page.contains("临时密码只显示这一次"));
        admin.post_form(&path, &demoted).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM person_roles WHERE role_id = 1").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_demotions_at_once_the_last_administrators_is_refused() {
    both(|app| async move {
        let second = app.staff("qian", DataScope::Own).await.person_id;
        let ids = [app.administrator().await.person_id, second];
        let give = |id: PersonId, role: RoleId| {
            let change = PersonChange { roles: Some(vec![role]), ..PersonChange::default() };
            let now = app.app.now();
            app.app.db.write(move |tx| {
                let version = org::load_person(tx, id)?.map_or(0, |p| p.version);
                org::change_person(tx, &Actor::command_line(), id, version, &change, now)
            })
        };
        for round in 0..10 {
            for id in ids {
                give(id, ADMINISTRATOR_ID).await.unwrap();
            }
            let (a, b) = tokio::join!(give(ids[0], STAFF_ID), give(ids[1], STAFF_ID));
            assert!(a.is_ok() != b.is_ok(), "round {round}: {a:?} {b:?}");
            assert_eq!(app.number("SELECT COUNT(*) FROM person_roles WHERE role_id = 1").await, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_finds_people_and_a_form_keeps_what_was_typed() {
    both(|app| async move {
        let admin = app.administrator().await;
        app.staff("wangwu", DataScope::Own).await;
        let page = admin.get("/admin/people?q=wangwu").await.expect(200).text();
        assert!(page.contains("员工wangwu") && !page.contains("href=\"/admin/people/x"));
        assert!(!admin.get("/admin/people?q=nobody").await.text().contains("员工wangwu"));
        assert!(!admin.get("/admin/people?role=0000000000001").await.text().contains("员工wangwu"));
        let refused = admin
            .post_form("/admin/people", &[("name", "孙<b>"), ("username", "x"), ("roles", STAFF)])
            .await
            .expect(422)
            .text();
        assert!(refused.contains("value=\"孙&#60;b&#62;\"") || refused.contains("value=\"孙&lt;b&gt;\""));
        assert!(refused.contains("用户名为 2–40 个字母"));
        // Two administrators at once: the second is told.
        let id = app.person_id("wangwu").await.to_string();
        let values = [("name", "王五"), ("has_roles", "1"), ("roles", STAFF), ("version", "1")];
        admin.post_form(&format!("/admin/people/{id}"), &values).await.expect(303);
        admin.post_form(&format!("/admin/people/{id}"), &values).await.expect(422);
    })
    .await;
}
