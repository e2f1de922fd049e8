//! The demonstration company.

use kehu::demo;

use crate::app::both_empty;

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_is_loaded_once_and_can_be_cleared_for_good() {
    both_empty(|app| async move {
        demo::fill(&app.app, 120).await.unwrap();
        assert!(demo::fill(&app.app, 1).await.is_err(), "never on top of a company");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 120);
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 60);
        assert_eq!(app.number("SELECT COUNT(*) FROM units").await, 29);
        assert_eq!(app.number("SELECT COUNT(*) FROM roles WHERE is_builtin = FALSE").await, 12);
        for table in ["contacts", "assets", "activities"] {
            let sql: &'static str = Box::leak(format!("SELECT COUNT(*) FROM {table}").into_boxed_str());
            assert!(app.number(sql).await > 30, "{table}");
        }
        for (sql, n) in [
            ("SELECT COUNT(*) FROM processes", 4),
            ("SELECT COUNT(*) FROM assignments", 9),
            ("SELECT COUNT(*) FROM assignments WHERE state = 'returned'", 1),
        ] {
            assert_eq!(app.number(sql).await, n, "{sql}");
        }
        assert!(
            app.number(
                "SELECT COUNT(*) FROM assignments WHERE state IN ('open', 'taken') AND due_at < 1790583600000"
            )
            .await
                > 1
        );
        let kept = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM counters
                    WHERE name = 'customers.open_needs' AND owner_id = 0 AND unit_id = 0";
        let open = "SELECT COUNT(*) FROM activities WHERE kind = 'need' AND done_at IS NULL";
        assert_eq!(app.number(kept).await, app.number(open).await);
        let chains = app.app.db.read(kehu::audit::verify).await.unwrap();
        assert!(format!("{chains:?}").contains("ChainReport"));
        let id = app.person_id("zhouwenbin").await;
        let admin = app.sign_in(id).await;
        let menu = |page: String| page.contains("href=\"/admin/demo\"");
        assert!(menu(admin.get("/admin/people").await.expect(200).text()));
        let staff = app.sign_in(app.person_id("liuyang").await).await;
        assert!(!menu(staff.get("/").await.expect(200).text()));
        // Rosters around today: somebody is on duty, a week is still a draft, a swap and a conflict wait for somebody.
        assert_eq!(app.number("SELECT COUNT(*) FROM rosters").await, 5);
        let drafts = app.number("SELECT COUNT(*) FROM shifts WHERE published_at IS NULL").await;
        assert!(drafts > 30 && app.number("SELECT COUNT(*) FROM shifts").await > 2 * drafts, "{drafts}");
        let list = admin.get("/rosters").await.expect(200).text();
        assert!(
            list.contains("抢修 24 小时值班") && list.contains("汪刚") && list.matches("无人").count() == 1,
            "{list}"
        );
        assert!(admin.get("/reception?knows=0").await.expect(200).text().contains("视为新客户"));
        let asked = app.sign_in(app.person_id("huangmin").await).await;
        let waiting = asked.get("/").await.expect(200).text();
        assert!(waiting.contains("1 个换班请求等您答复") && waiting.contains("管理处夜间值班"), "{waiting}");
        assert!(asked.get("/duty").await.expect(200).text().contains("方梅"));
        let page = async |name: &'static str| {
            let id: i64 = app
                .app
                .db
                .read(move |conn| conn.value("SELECT id FROM rosters WHERE name = $1", &[name.into()]))
                .await
                .unwrap()
                .unwrap();
            let id = kehu::ids::RosterId(id);
            admin.get(&format!("/rosters/{id}?week=2026-10-05")).await.expect(200).text()
        };
        assert!(page("展厅前台接待").await.contains("duty-gap"), "nobody on Thursday");
        assert!(page("抢修 24 小时值班").await.contains("钱进 这段时间病假"));
        // Persons and organisations are served by a strategy each, and administrators' own ones outlive it.
        assert_eq!(app.number("SELECT COUNT(*) FROM service_strategies").await, 6);
        let own = [("name", "B级客户"), ("level", "B"), ("content", "每季度拜访")];
        admin.post_form("/admin/service-strategies", &own).await.expect(303);
        staff.get("/admin/demo").await.expect(403);
        staff.post_form("/admin/demo", &[("word", "清除"), ("company", "我的公司")]).await.expect(403);
        admin.post_form("/admin/demo", &[("word", "清"), ("company", "我的公司")]).await.expect(422);
        admin.post_form("/admin/demo", &[("word", "清除"), ("company", "")]).await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 120);
        admin.post_form("/admin/demo", &[("word", "清除"), ("company", "我的公司")]).await.expect(303);
        let emptied = ["customers", "contacts", "assets", "activities", "counters", "search_docs", "imports"];
        for table in emptied.into_iter().chain([
            "units",
            "unit_history",
            "positions",
            "post_roles",
            "rosters",
            "shifts",
            "swaps",
            "shift_changes",
            "duty_seen",
            "absences",
            "person_skills",
            "assignments",
            "assignment_steps",
            "processes",
            "process_duties",
        ]) {
            let sql: &'static str = Box::leak(format!("SELECT COUNT(*) FROM {table}").into_boxed_str());
            assert_eq!(app.number(sql).await, 0, "{table}");
        }
        assert_eq!(app.text("SELECT name FROM service_strategies").await, "B级客户");
        assert_eq!(app.text("SELECT name FROM company").await, "我的公司");
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM roles WHERE is_builtin = FALSE").await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM company WHERE is_demo = TRUE").await, 0);
        // The password everybody knows must be replaced first; nothing can be cleared a second time.
        assert_eq!(app.number("SELECT COUNT(*) FROM people WHERE must_change_password = TRUE").await, 1);
        staff.get("/").await.expect(303);
        let actor = kehu::access::Actor::command_line();
        let again = app.app.db.write(move |tx| demo::clear(tx, &actor, "别家公司", crate::app::NOW)).await;
        assert!(again.is_err());
    })
    .await;
}
