//! Parameters: listed with range and default, changed with reason and trace, reset; what the process was started with.

use kehu::i18n::Lang;
use kehu::menu;
use kehu::settings::{self, Kind};
use serde_json::json;

use crate::app::DataScope;
use crate::both;

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_changed_over_the_api_with_its_version_and_every_change_can_be_read() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let all = admin.get("/api/v1/parameters").await.expect(200).json();
        let names: Vec<&str> =
            all["items"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"backup.keep") && names.contains(&"files.quota_mib"), "{names:?}");
        let path = "/api/v1/parameters/backup.keep";
        let answer = admin.get(path).await.expect(200);
        assert_eq!(answer.header("etag"), "\"0\"");
        let keep = answer.json();
        assert_eq!(
            (&keep["value"], &keep["default"], &keep["is_set"]),
            (&json!(7), &json!(7), &json!(false))
        );
        assert_eq!((&keep["min"], &keep["max"], &keep["unit"]), (&json!(1), &json!(365), &json!("份")));

        admin.json("PATCH", path, json!({ "value": 3 })).await.expect(428);
        let based = |version: &'static str| [("if-match", version)];
        admin.json_with("PATCH", path, json!({ "value": 3 }), &based("\"9\"")).await.expect(412);
        let refused =
            admin.json_with("PATCH", path, json!({ "value": 0 }), &based("\"0\"")).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "value");
        assert_eq!(refused["errors"][0]["message"], "“保留几份自动备份”请填写 1 到 365 的整数（份）");
        for wrong in [json!("3"), json!(true), json!(3.5), json!({}), json!([3])] {
            admin.json_with("PATCH", path, json!({ "value": wrong }), &based("\"0\"")).await.expect(422);
        }
        admin.json_with("PATCH", path, json!({}), &based("\"0\"")).await.expect(422);
        admin.json_with("PATCH", path, json!({ "value": 3, "x": 1 }), &based("\"0\"")).await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'setting.updated'").await, 0);

        let changed =
            admin.json_with("PATCH", path, json!({ "value": 3 }), &based("\"0\"")).await.expect(200);
        assert_eq!(changed.header("etag"), "\"1\"");
        assert_eq!(changed.json()["value"], 3);
        assert_eq!(changed.json()["updated_by"], admin.person_id.to_string());
        // The same again changes nothing; somebody else's older view is refused.
        let again = admin.json_with("PATCH", path, json!({ "value": 3 }), &based("\"1\"")).await.expect(200);
        assert_eq!(again.header("etag"), "\"1\"");
        admin.json_with("PATCH", path, json!({ "value": 4 }), &based("\"0\"")).await.expect(412);
        let reset =
            admin.json_with("PATCH", path, json!({ "value": null }), &based("\"1\"")).await.expect(200);
        assert_eq!(reset.header("etag"), "\"2\"", "a version never comes twice");
        assert_eq!((&reset.json()["value"], &reset.json()["is_set"]), (&json!(7), &json!(false)));

        let changes = admin.get(&format!("{path}/changes")).await.expect(200).json();
        let seen: Vec<_> =
            changes["items"].as_array().unwrap().iter().map(|c| (&c["before"], &c["after"])).collect();
        assert_eq!(seen, [(&json!(3), &json!(null)), (&json!(null), &json!(3))]);
        assert_eq!(changes["items"][0]["by"], "赵管理");
        assert_eq!(app.number("SELECT COUNT(*) FROM events WHERE kind = 'setting.updated'").await, 2);
        admin.get("/api/v1/parameters/no.such").await.expect(404);
        let staff = app.staff("li", DataScope::All).await.with_token().await;
        staff.get("/api/v1/parameters").await.expect(403);
        staff.json_with("PATCH", path, json!({ "value": 3 }), &based("\"2\"")).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_changed_on_its_page_and_holds_at_once() {
    both(|app| async move {
        let admin = app.administrator().await;
        let page = admin.get("/admin/parameters").await.expect(200).text();
        for text in ["多久不操作自动退出", "30 分钟", "运行设置", "数据目录"] {
            assert!(page.contains(text), "{text}");
        }
        let path = "/admin/parameters/auth.idle_minutes";
        assert!(admin.get(path).await.expect(200).text().contains("5–480 分钟"));
        let refused = admin.post_form(path, &[("version", "0"), ("value", "三十")]).await.expect(422).text();
        assert!(refused.contains("“多久不操作自动退出”请填写 5 到 480 的整数（分钟）"), "{refused}");
        assert!(refused.contains("三十"), "what was typed stays");
        admin.post_form(path, &[("version", "0"), ("value", "10")]).await.expect(303);
        // Somebody who had the page open longer is told.
        admin.post_form(path, &[("version", "0"), ("value", "20")]).await.expect(422);
        let shown = admin.get(path).await.expect(200).text();
        assert!(shown.contains("10 分钟") && shown.contains("赵管理"), "{shown}");
        let log = admin.get("/admin/audit?action=setting.").await.expect(200).text();
        assert!(log.contains("多久不操作自动退出") && log.contains("修改设置"), "{log}");

        app.clock.advance(9 * 60_000);
        admin.get("/admin/parameters").await.expect(200);
        app.clock.advance(10 * 60_000 + 1);
        let gone = admin.get("/admin/parameters").await;
        assert_eq!((gone.status.as_u16(), gone.header("location").starts_with("/login")), (303, true));

        let admin = app.administrator().await;
        admin.post_form(&format!("{path}/reset"), &[]).await.expect(303);
        app.clock.advance(20 * 60_000);
        admin.get("/admin/parameters").await.expect(200);
        // A switch: unticked sends 0.
        let daily = "/admin/parameters/backup.daily";
        admin.post_form(daily, &[("version", "0"), ("value", "0")]).await.expect(303);
        let off = app.app.db.read(|conn| settings::get::<bool>(conn, "backup.daily")).await.unwrap();
        assert!(!off);
        admin.post_form(daily, &[("version", "1"), ("value", "0"), ("value", "1")]).await.expect(303);
        assert!(app.app.db.read(|conn| settings::get::<bool>(conn, "backup.daily")).await.unwrap());
        admin.get("/admin/parameters/no.such").await.expect(404);
    })
    .await;
}

// covers: EX-11
#[tokio::test(flavor = "multi_thread")]
async fn the_six_kinds_of_maintenance_are_found_on_one_page() {
    both(|app| async move {
        let admin = app.administrator().await;
        let page = admin.get("/admin/maintenance").await.expect(200).text();
        for (title, href) in [
            ("参数", "/admin/parameters"),
            ("人员", "/admin/people"),
            ("角色与授权", "/admin/roles"),
            ("字典", "/admin/dictionaries"),
            ("备份", "/admin/backups"),
            ("日志", "/admin/audit"),
            ("登录日志", "/admin/logins"),
        ] {
            assert!(page.contains(&format!("<a href=\"{href}\">{title}</a>")), "{title}");
            admin.get(href).await.expect(200);
        }
        for fact in ["数据库", "还没有备份", "程序版本", "剩余空间"] {
            assert!(page.contains(fact), "{fact}");
        }
        app.staff("li", DataScope::All).await.get("/admin/maintenance").await.expect(403);
    })
    .await;
}

#[test]
fn every_parameter_is_declared_once_and_said_in_both_languages() {
    let mut names = std::collections::BTreeSet::new();
    for parameter in settings::all(menu::HOOKS.parameters) {
        assert!(names.insert(parameter.name), "{} is declared twice", parameter.name);
        assert!(parameter.name.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_')));
        let mut texts = vec![parameter.title, parameter.help, parameter.group];
        if let Kind::Whole { min, max, unit, default } = parameter.kind {
            assert!((min..=max).contains(&default), "{}", parameter.name);
            texts.push(unit);
        }
        for text in texts.into_iter().filter(|t| !["MB", "%"].contains(t)) {
            assert_ne!(Lang::En.t(text), text, "{}", parameter.name);
        }
    }
    assert!(names.len() >= 13, "{names:?}");
}
