//! Rosters as drafts and published, what becomes of published shifts, one's own duty, tables and calendars of it, and
//! the shifts of somebody who leaves.

use kehu::ids::PersonId;
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::rosters::{draft, post, roster, shift, unit};
use crate::{Client, both};

fn id_of(made: &Json) -> String {
    made["id"].as_str().unwrap().to_owned()
}

async fn items(client: &Client<'_>, path: &str) -> Vec<Json> {
    client.get(path).await.expect(200).json()["items"].as_array().unwrap().clone()
}

// covers: SD-21
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_plans_a_week_that_staff_see_once_it_is_published() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let head = app.staff("head", DataScope::Own).await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let service = unit(&app, "客户服务部", None, Some(head.person_id)).await;
        let team = unit(&app, "热线组", Some(service), None).await;
        post(&app, li.person_id, team).await;
        post(&app, wang.person_id, team).await;
        let id = roster(&admin, team, "客服热线").await;
        let (path, week) = (format!("/rosters/{id}"), format!("/rosters/{id}?week=2026-10-05"));
        // The head of the unit above plans; those on it and other heads do not.
        let other = app.staff("other", DataScope::Own).await;
        unit(&app, "财务部", None, Some(other.person_id)).await;
        let (li_id, wang_id) = (li.person_id.to_string(), wang.person_id.to_string());
        let mut fill: Vec<(&str, &str)> = ["1", "2", "3", "4", "5", "6", "7"].map(|d| ("weekdays", d)).into();
        fill.extend([
            ("people", li_id.as_str()),
            ("people", &wang_id),
            ("patterns", "08:00-14:00\n14:00-18:00"),
            ("first", "2026-10-05"),
            ("last", "2026-10-11"),
            ("turn_days", "1"),
            ("go", "1"),
        ]);
        for who in [&li, &other] {
            who.post_form(&format!("{path}/fill"), &fill).await.expect(403);
            who.get(&format!("{path}/shifts/new")).await.expect(403);
            let days = [("first", "2026-10-05"), ("last", "2026-10-11")];
            who.post_form(&format!("{path}/publish"), &days).await.expect(403);
        }
        head.post_form(&format!("{path}/fill"), &fill).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM shifts WHERE published_at IS NULL").await, 14);
        // The planner sees drafts and gaps: from six to eight nobody is there.
        let page = head.get(&week).await.expect(200).text();
        for words in ["草稿", "发布这一周", "18:00–20:00", "员工li", "14 个班次还是草稿"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        // To everybody else there is nothing, by no door.
        let page = li.get(&week).await.expect(200).text();
        assert!(
            page.contains("还没有发布") && !page.contains("员工wang") && !page.contains("18:00–20:00"),
            "{page}"
        );
        let api = li.with_token().await;
        let shifts = format!("/api/v1/rosters/{id}/shifts?from=2026-10-05");
        assert_eq!(items(&api, &shifts).await, Vec::<Json>::new());
        assert_eq!(items(&api, "/api/v1/me/shifts").await, Vec::<Json>::new());
        let planner = head.with_token().await;
        let drafts = items(&planner, &shifts).await;
        assert_eq!((drafts.len(), &drafts[0]["published_at"]), (14, &Json::Null));
        let one = format!("/api/v1/shifts/{}", id_of(&drafts[0]));
        api.get(&one).await.expect(404);
        planner.get(&one).await.expect(200);
        let on = "/api/v1/on-duty?at=2026-10-05T09:00:00";
        assert_eq!(api.get(on).await.expect(200).json()["people"], json!([]));
        assert!(li.get("/duty").await.expect(200).text().contains("没有要值的班"));
        let csv = format!("{path}/export?week=2026-10-05&format=csv");
        assert_eq!(li.get(&csv).await.expect(200).text().lines().count(), 1);
        assert!(!api.get("/api/v1/me/shifts.ics").await.expect(200).text().contains("VEVENT"));
        // Published, everybody sees all of it and each his own.
        let days = [("first", "2026-10-05"), ("last", "2026-10-11"), ("week", "2026-10-05")];
        let done = head.post_form(&format!("{path}/publish"), &days).await.expect(303);
        assert_eq!(done.header("location"), week);
        head.post_form(&format!("{path}/publish"), &days).await.expect(409);
        let page = li.get(&week).await.expect(200).text();
        for words in ["员工wang", "18:00–20:00", "换班"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("草稿") && !page.contains("加班次"));
        assert_eq!(items(&api, &shifts).await.len(), 14);
        assert_eq!(items(&api, "/api/v1/me/shifts").await.len(), 7);
        assert_eq!(api.get(on).await.json()["people"][0]["name"], "员工li");
        for (page, words) in
            [("/duty", "新发布 7 个您的班次"), ("/", "我的值班"), ("/", "新发布 7 个您的班次")]
        {
            let text = li.get(page).await.expect(200).text();
            assert!(text.contains(words), "{page}: {text}");
        }
        assert!(
            !other.get("/").await.expect(200).text().contains("我的值班</h2>"),
            "nothing for who has no duty"
        );
        let logged = "SELECT COUNT(*) FROM audit_log WHERE action = 'roster.published' AND after LIKE '%14%'";
        assert_eq!(app.number(logged).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_published_shift_is_marked_and_told_until_it_is_seen() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let sales = unit(&app, "招商部", None, None).await;
        for who in [&li, &wang] {
            post(&app, who.person_id, sales).await;
        }
        let id = roster(&api, sales, "前台").await;
        let first = shift(&api, &id, li.person_id, "2026-10-05 08:00", "2026-10-05 20:00").await;
        let second = shift(&api, &id, li.person_id, "2026-10-06 08:00", "2026-10-06 20:00").await;
        let hidden = draft(&api, &id, li.person_id, "2026-10-07 08:00", "2026-10-07 20:00").await;
        let todo = async |who: &Client<'_>| who.get("/tasks").await.expect(200).text().contains("值班和换班");
        assert!(todo(&li).await && !todo(&wang).await);
        li.post_form("/duty/seen", &[]).await.expect(303);
        assert!(!todo(&li).await);
        app.clock.advance(60_000);
        // One is given to another, one is taken away, and a draft that changes is nobody's news.
        let patch = async |made: &Json, body: Json| {
            let version = format!("\"{}\"", made["version"]);
            api.json_with(
                "PATCH",
                &format!("/api/v1/shifts/{}", id_of(made)),
                body,
                &[("if-match", &version)],
            )
            .await
            .expect(200)
            .json()
        };
        let changed = patch(&first, json!({ "person_id": wang.person_id })).await;
        assert_ne!(changed["changed_at"], Json::Null);
        patch(&hidden, json!({ "note": "草" })).await;
        let gone = format!("/api/v1/shifts/{}", id_of(&second));
        api.json_with("DELETE", &gone, json!({}), &[("if-match", &format!("\"{}\"", second["version"]))])
            .await
            .expect(204);
        let page = li.get("/duty").await.expect(200).text();
        for words in
            ["员工li 10-05 08:00–20:00 → 员工wang 10-05 08:00–20:00", "员工li 10-06 08:00–20:00 → 无人值班"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("10-07"), "{page}");
        assert!(li.get("/").await.text().contains("2 个班次有变动"));
        // Whoever it came to is told too.
        let page = wang.get("/duty").await.expect(200).text();
        assert!(page.contains("→ 员工wang 10-05") && page.contains("有变动"), "{page}");
        // On the roster it is marked for everybody, with what it was.
        let page = admin.get(&format!("/rosters/{id}?week=2026-10-05")).await.expect(200).text();
        assert!(
            page.contains("发布后的变动") && page.contains("有变动") && page.contains("赵管理"),
            "{page}"
        );
        // Seen, it is news no more; what comes after is again.
        li.post_form("/duty/seen", &[("at", "9999999999999999")]).await.expect(303);
        assert!(!li.get("/duty").await.text().contains("上次查看后的变动"));
        app.clock.advance(60_000);
        let late =
            patch(&changed, json!({ "person_id": li.person_id, "starts_at": "2026-10-05 09:00" })).await;
        assert!(li.get("/duty").await.text().contains("员工li 10-05 09:00–20:00"));
        assert_eq!(late["starts_at"], "2026-10-05T01:00:00.000Z");
        li.post_form("/duty/seen", &[("at", "x")]).await.expect(400);
        for bad in [("2026-10-05", "2026-10-04"), ("2026-01-01", "2026-12-31"), ("x", "2026-10-04")] {
            let days = json!({ "first": bad.0, "last": bad.1 });
            api.json("POST", &format!("/api/v1/rosters/{id}/publications"), days).await.expect(422);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_leaves_as_a_table_and_ones_own_shifts_as_a_calendar() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let sales = unit(&app, "招商部", None, None).await;
        post(&app, li.person_id, sales).await;
        let id = roster(&api, sales, "夜班, 前台").await;
        let night = shift(&api, &id, li.person_id, "2026-09-30 22:00", "2026-10-01 06:00").await;
        draft(&api, &id, li.person_id, "2026-09-29 08:00", "2026-09-29 20:00").await;
        let csv = async |who: &Client<'_>, rest: &str| {
            who.get(&format!("/rosters/{id}/export?format=csv&{rest}")).await.expect(200).text()
        };
        let own = csv(&li, "week=2026-09-28").await;
        assert_eq!(own.lines().count(), 2, "{own}");
        assert!(own.contains("2026-09-30,周三,2026-09-30 22:00:00,2026-10-01 06:00:00,员工li"), "{own}");
        let whole = csv(&admin, "month=2026-09").await;
        assert!(whole.lines().count() == 3 && whole.contains("草稿") && whole.contains("已发布"), "{whole}");
        // What began in September is not in October's table again.
        assert_eq!(csv(&li, "month=2026-10").await.lines().count(), 1);
        let book = li.get(&format!("/rosters/{id}/export")).await.expect(200);
        assert!(book.body.starts_with(b"PK") && book.header("content-type").contains("spreadsheetml"));
        for bad in ["month=2026-13", "month=x", "week=x", "format=pdf"] {
            li.get(&format!("/rosters/{id}/export?{bad}")).await.expect(422);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'roster.exported'").await, 4);
        let answer = li.with_token().await.get("/api/v1/me/shifts.ics").await.expect(200);
        assert!(answer.header("content-type").starts_with("text/calendar"));
        let calendar = answer.text();
        let uid = format!("UID:shift-{}@kehu\r\n", id_of(&night));
        for line in [
            uid.as_str(),
            "DTSTART:20260930T140000Z\r\n",
            "DTEND:20260930T220000Z\r\n",
            "SUMMARY:值班：夜班\\, 前台\r\n",
        ] {
            assert!(calendar.contains(line), "{line} in {calendar}");
        }
        assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1);
        assert_eq!(
            li.get("/api/v1/me/shifts.ics").await.expect(200).text(),
            calendar,
            "the session opens it too"
        );
        app.stranger().get("/api/v1/me/shifts.ics").await.expect(401);
        app.stranger().get("/api/v1/me/shifts").await.expect(401);
        // One that was moved keeps its UID and is newer.
        let one = format!("/api/v1/shifts/{}", id_of(&night));
        let tag = format!("\"{}\"", night["version"]);
        api.json_with("PATCH", &one, json!({ "ends_at": "2026-10-01 07:00" }), &[("if-match", &tag)])
            .await
            .expect(200);
        let moved = li.get("/api/v1/me/shifts.ics").await.text();
        assert!(
            moved.contains(&uid) && moved.contains("DTEND:20260930T230000Z") && moved != calendar,
            "{moved}"
        );
        let sequence = |text: &str| -> i64 {
            text.split("SEQUENCE:").nth(1).unwrap().lines().next().unwrap().trim().parse().unwrap()
        };
        assert!(sequence(&moved) > sequence(&calendar));
    })
    .await;
}

/// How many shifts a person has.
async fn count(app: &crate::TestApp, person: PersonId) -> i64 {
    app.app
        .db
        .read(move |conn| conn.count("SELECT COUNT(*) FROM shifts WHERE person_id = $1", &[person.into()]))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shifts_of_one_who_leaves_go_to_his_successor_or_fall_open() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let sales = unit(&app, "招商部", None, None).await;
        for who in [&li, &wang] {
            post(&app, who.person_id, sales).await;
        }
        let id = roster(&api, sales, "前台").await;
        shift(&api, &id, li.person_id, "2026-09-30 08:00", "2026-09-30 20:00").await;
        shift(&api, &id, li.person_id, "2026-10-05 08:00", "2026-10-05 20:00").await;
        shift(&api, &id, li.person_id, "2026-10-06 08:00", "2026-10-06 20:00").await;
        let away = json!({
            "person_id": wang.person_id, "kind": "annual_leave", "starts_at": "2026-10-06", "ends_at": "2026-10-07",
        });
        api.json("POST", "/api/v1/absences", away).await.expect(201);
        // They are listed before, for a transfer too.
        let path = format!("/admin/people/{}", li.person_id);
        for flow in ["transfer", "leave"] {
            let page = admin.get(&format!("{path}/{flow}")).await.expect(200).text();
            assert!(page.contains("3 个值班班次还没到") && page.contains("10-05 08:00–20:00 前台"), "{flow}: {page}");
        }
        let taker = wang.person_id.to_string();
        let form = [("last_day", "2026-10-02"), ("shifts_to", taker.as_str())];
        let own = li.person_id.to_string();
        let wrong = [("last_day", "2026-10-02"), ("shifts_to", own.as_str())];
        assert!(admin.post_form(&format!("{path}/leave"), &wrong).await.expect(422).text().contains("离职者本人"));
        admin.post_form(&format!("{path}/leave"), &form).await.expect(303);
        // Until his last day he stays; of the two after it the successor has one, and is away on the other.
        assert_eq!((count(&app, li.person_id).await, count(&app, wang.person_id).await), (1, 1));
        let page = admin.get(&format!("/rosters/{id}?week=2026-10-05")).await.expect(200).text();
        assert!(page.contains("离职交接"), "{page}");
        assert!(page.contains("员工li 10-06 08:00–20:00 → 无人值班"), "{page}");
        assert!(wang.get("/duty").await.text().contains("→ 员工wang 10-05 08:00–20:00"));
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'shift.given'").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'shift.deleted'").await, 1);
        // One who leaves at once without a successor leaves gaps.
        let gone = format!("/admin/people/{}/leave", wang.person_id);
        admin.post_form(&gone, &[("last_day", "2026-09-28")]).await.expect(303);
        assert_eq!(count(&app, wang.person_id).await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'shift.deleted'").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_with_rosters_in_use_is_not_closed() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let (old, new) = (unit(&app, "招商部", None, None).await, unit(&app, "市场部", None, None).await);
        let id = roster(&api, old, "前台").await;
        roster(&api, old, "电话").await;
        let close = format!("/admin/units/{old}/close");
        let said = admin.post_form(&close, &[("version", "1")]).await.expect(409).text();
        assert!(
            said.contains("2 张在用的值班表") && said.contains("“前台”") && said.contains("“电话”"),
            "{said}"
        );
        let change = async |id: &str, body: Json| {
            let path = format!("/api/v1/rosters/{id}");
            api.json_with("PATCH", &path, body, &[("if-match", "\"1\"")]).await.expect(200);
        };
        change(&id, json!({ "unit_id": new })).await;
        let rest = items(&api, "/api/v1/rosters").await;
        let other = rest.iter().find(|r| r["name"] == "电话").unwrap();
        change(other["id"].as_str().unwrap(), json!({ "is_active": false })).await;
        admin.post_form(&close, &[("version", "1")]).await.expect(303);
    })
    .await;
}

// covers: SD-26
#[tokio::test(flavor = "multi_thread")]
async fn agents_are_assessed_in_communication_typing_and_writing() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let path = format!("/admin/people/{}/skills", li.person_id);
        let page = admin.get(&path).await.expect(200).text();
        for words in ["沟通能力", "打字速度", "文字表达", "测评成绩", "评定人", "赵管理"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let assessor = admin.person_id.to_string();
        let form = [
            ("skill", "typing"),
            ("level", "4"),
            ("score", "80 字/分"),
            ("assessed_on", "2026-09-20"),
            ("assessed_by", assessor.as_str()),
        ];
        admin.post_form(&path, &form).await.expect(303);
        for (skill, level) in [("communication", 5), ("written_expression", 3)] {
            let one = format!("/api/v1/people/{}/skills/{skill}", li.person_id);
            let body = json!({ "level": level, "score": "90 分", "assessed_on": "2026-09-20", "assessed_by": admin.person_id });
            let made = api.json("PUT", &one, body.clone()).await.expect(200).json();
            assert_eq!((&made["score"], &made["assessed_by"]), (&json!("90 分"), &json!(admin.person_id)));
            for (field, value) in
                [("assessed_on", json!("x")), ("assessed_by", json!("01M2Z8Q4T7V0K")), ("score", json!("长".repeat(31)))]
            {
                let mut bad = body.clone();
                bad[field] = value;
                let refused = api.json("PUT", &one, bad).await.expect(422).json();
                assert_eq!(refused["errors"][0]["field"], field);
            }
        }
        let page = admin.get(&path).await.expect(200).text();
        assert!(page.contains("80 字/分") && page.contains("2026-09-20 由 赵管理 评定"), "{page}");
        // He may know it himself, his colleagues may not; the history is in the log.
        let own = format!("/api/v1/people/{}/skills", li.person_id);
        assert_eq!(items(&li.with_token().await, &own).await.len(), 3);
        let wang = app.staff("wang", DataScope::Own).await;
        wang.with_token().await.get(&own).await.expect(404);
        let matrix = admin.get("/admin/delegations/skills").await.expect(200).text();
        assert!(matrix.contains("80 字/分"), "{matrix}");
        let logged = "SELECT COUNT(*) FROM audit_log WHERE action = 'skill.updated' AND after LIKE '%80 字/分%'";
        assert_eq!(app.number(logged).await, 1);
    })
    .await;
}

// covers: SD-16
#[tokio::test(flavor = "multi_thread")]
async fn posts_are_assigned_on_a_screen_of_person_post_group_and_period() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let (hotline, team) =
            (unit(&app, "客户服务部", None, None).await, unit(&app, "投诉组", None, None).await);
        let path = format!("/admin/people/{}/positions", li.person_id);
        let assign = async |unit: String, post: &str, from: &str, to: &str| {
            let form = [("unit_id", unit.as_str()), ("post", post), ("starts_on", from), ("ends_on", to)];
            admin.post_form(&path, &form).await
        };
        assign(hotline.to_string(), "group_service_staff", "2026-09-01", "").await.expect(303);
        assign(team.to_string(), "complaint_receiver", "2026-09-28", "2026-12-31").await.expect(303);
        let page = admin.get(&path).await.expect(200).text();
        for words in [
            "员工li",
            "集团客服",
            "客户服务部",
            "2026-09-01 – 长期",
            "投诉受理",
            "投诉组",
            "2026-09-28 – 2026-12-31",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        // Each can be changed or ended where it stands; who is in a group is shown on the group too.
        let lines = page.matches("修改或结束").count();
        assert_eq!(lines, 2, "{page}");
        assign(team.to_string(), "no_such_post", "2026-09-28", "").await.expect(422);
        assign(team.to_string(), "complaint_receiver", "2026-09-28", "2026-09-01").await.expect(422);
        li.get(&path).await.expect(403);
        let group = admin.get(&format!("/admin/units?unit={team}")).await.expect(200).text();
        assert!(group.contains("员工li"), "{group}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_plans_what_the_one_away_plans_and_the_log_says_for_whom() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let [head, deputy, li] = [
            app.staff("head", DataScope::Own).await,
            app.staff("deputy", DataScope::Own).await,
            app.staff("li", DataScope::Own).await,
        ];
        let service = unit(&app, "客户服务部", None, Some(head.person_id)).await;
        let finance = unit(&app, "财务部", None, None).await;
        post(&app, li.person_id, service).await;
        let ours = roster(&admin, service, "客服热线").await;
        let theirs = roster(&admin, finance, "收款窗口").await;
        let shifts = |roster: &str| format!("/api/v1/rosters/{roster}/shifts");
        let body = |day: u8| {
            json!({
                "person_id": li.person_id,
                "starts_at": format!("2026-10-{day:02}T08:00"), "ends_at": format!("2026-10-{day:02}T16:00"),
            })
        };
        let (boss, plans) = (head.with_token().await, deputy.with_token().await);
        plans.json("POST", &shifts(&ours), body(5)).await.expect(403);
        let until = json!({ "to_id": deputy.person_id, "ends_at": "2026-09-28 20:00", "reason": "出差" });
        boss.json("POST", "/api/v1/delegations", until).await.expect(201);
        let made = plans.json("POST", &shifts(&ours), body(5)).await.expect(201).json();
        plans.json("POST", &shifts(&theirs), body(6)).await.expect(403);
        let days = [("first", "2026-10-05"), ("last", "2026-10-11")];
        deputy.post_form(&format!("/rosters/{ours}/publish"), &days).await.expect(303);
        let one = format!("/api/v1/shifts/{}", id_of(&made));
        plans.json_with("DELETE", &one, json!({}), &[("if-match", "\"2\"")]).await.expect(204);
        boss.json("POST", &shifts(&ours), body(7)).await.expect(201);
        let noted = app
            .number(
                "SELECT COUNT(*) FROM audit_log WHERE after LIKE '%\"acting_for\":%'
                       AND action IN ('shift.created', 'shift.deleted', 'roster.published')",
            )
            .await;
        assert_eq!(noted, 3, "by the delegate, and not by the head himself");
        app.clock.advance(4 * 3_600_000);
        plans.json("POST", &shifts(&ours), body(8)).await.expect(403);
    })
    .await;
}
