//! Delegations, skills, absences, duty rosters and the questions asked of them.

use kehu::ids::{PersonId, UnitId};
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::{Client, TestApp, both};

const HOUR: i64 = 3_600_000;

/// A unit, made directly; its head is `head`.
pub async fn unit(
    app: &TestApp,
    name: &'static str,
    parent: Option<UnitId>,
    head: Option<PersonId>,
) -> UnitId {
    let id = UnitId::new();
    app.app
        .db
        .write(move |tx| {
            tx.exec(
                "INSERT INTO units (id, parent_id, kind, name, head_id, opened_on, created_at, updated_at)
                 VALUES ($1, $2, 'department', $3, $4, '2020-01-01', 0, 0)",
                &[id.into(), parent.map(|p| p.0).into(), name.into(), head.map(|h| h.0).into()],
            )?;
            kehu::org::rights_changed(tx)
        })
        .await
        .unwrap();
    id
}

/// Gives a person a post in a unit.
pub async fn post(app: &TestApp, person: PersonId, unit: UnitId) {
    app.app
        .db
        .write(move |tx| {
            tx.exec(
                "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, created_at, created_by,
                   updated_at)
                 VALUES ($1, $2, $3, 'staff', TRUE, '2020-01-01', 0, 0, 0)",
                &[store::new_id().into(), person.into(), unit.into()],
            )?;
            kehu::org::rights_changed(tx)
        })
        .await
        .unwrap();
}

fn time(at: i64) -> String {
    kehu::clock::rfc3339(at)
}

pub async fn roster(api: &Client<'_>, unit: UnitId, name: &str) -> String {
    let body = json!({ "unit_id": unit, "name": name, "opens": "8:00", "closes": "20:00" });
    let made = api.json("POST", "/api/v1/rosters", body).await.expect(201).json();
    assert_eq!((&made["opens"], &made["weekdays"]), (&json!("08:00"), &json!("1234567")));
    made["id"].as_str().unwrap().to_owned()
}

/// A draft.
pub async fn draft(api: &Client<'_>, roster: &str, person: PersonId, from: &str, until: &str) -> Json {
    let body = json!({ "person_id": person, "starts_at": from, "ends_at": until });
    api.json("POST", &format!("/api/v1/rosters/{roster}/shifts"), body).await.expect(201).json()
}

/// A shift that staff know of.
pub async fn shift(api: &Client<'_>, roster: &str, person: PersonId, from: &str, until: &str) -> Json {
    let made = draft(api, roster, person, from, until).await;
    let days = json!({ "first": &from[..10], "last": &from[..10] });
    api.json("POST", &format!("/api/v1/rosters/{roster}/publications"), days).await.expect(201);
    api.get(&format!("/api/v1/shifts/{}", made["id"].as_str().unwrap())).await.expect(200).json()
}

fn names(answer: &Json) -> Vec<&str> {
    answer.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_sees_what_the_one_away_sees_from_start_to_end_and_nothing_else() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let sun = app.staff("sun", DataScope::Own).await;
        let hers = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        let other = sun.customer(json!({ "kind": "person", "name": "李四" })).await;
        let path = |c: &Json| format!("/api/v1/customers/{}", c["id"].as_str().unwrap());
        let (hers, other) = (path(&hers), path(&other));
        let (li_api, api) = (li.with_token().await, wang.with_token().await);
        let (start, end) = (NOW + HOUR, NOW + 3 * HOUR);
        let body = json!({
            "to_id": wang.person_id, "starts_at": time(start), "ends_at": time(end), "reason": "出差",
        });
        let key = [("idempotency-key", "d1")];
        let made =
            li_api.json_with("POST", "/api/v1/delegations", body.clone(), &key).await.expect(201).json();
        let again = li_api.json_with("POST", "/api/v1/delegations", body, &key).await.expect(201).json();
        assert_eq!(made, again);
        let until = |at: i64| app.clock.advance(at - app.app.now());
        until(start - 1);
        api.get(&hers).await.expect(404);
        until(start);
        api.get(&hers).await.expect(200);
        api.get(&other).await.expect(404);
        let seen = api.get("/api/v1/customers").await.expect(200).json();
        assert_eq!(seen["items"].as_array().unwrap().len(), 1);
        let wang = app.sign_in(wang.person_id).await;
        let page = wang.get("/me").await.expect(200).text();
        assert!(page.contains("您正在代理 员工li（至 09-28 19:20）"), "{page}");
        assert!(wang.get("/delegations").await.expect(200).text().contains("代理中"));
        until(end - 1);
        api.get(&hers).await.expect(200);
        until(end);
        api.get(&hers).await.expect(404);
        assert_eq!(api.get("/api/v1/delegations").await.expect(200).json()["items"], json!([]));
        // Ended before its time, it ends with the next request; revoking it is for the one away.
        let body = json!({ "to_id": wang.person_id, "ends_at": time(end + HOUR), "reason": "会议" });
        let made = li_api.json("POST", "/api/v1/delegations", body).await.expect(201).json();
        api.get(&hers).await.expect(200);
        let one = format!("/api/v1/delegations/{}", made["id"].as_str().unwrap());
        sun.with_token().await.json("DELETE", &one, json!({})).await.expect(404);
        api.json("DELETE", &one, json!({})).await.expect(403);
        li_api.json("DELETE", &one, json!({})).await.expect(204);
        api.get(&hers).await.expect(404);
        li_api.json("DELETE", &one, json!({})).await.expect(409);
        let audited =
            "SELECT COUNT(*) FROM audit_log WHERE action IN ('delegation.created', 'delegation.revoked')";
        assert_eq!(app.number(audited).await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_that_cannot_be_is_refused_and_nothing_is_written() {
    both(|app| async move {
        let admin = app.administrator().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let gone = app.staff("gone", DataScope::Own).await;
        let form = [("active", "0")];
        admin.post_form(&format!("/admin/people/{}/active", gone.person_id), &form).await.expect(303);
        let api = li.with_token().await;
        let (li_id, wang_id) = (li.person_id, wang.person_id);
        let good = json!({ "to_id": wang_id, "starts_at": time(NOW), "ends_at": time(NOW + HOUR), "reason": "出差" });
        for (field, value) in [
            ("to_id", json!(li_id)),
            ("to_id", json!(gone.person_id)),
            ("to_id", json!("01M2Z8Q4T7V0K")),
            ("starts_at", json!(time(NOW - 1))),
            ("starts_at", json!("明天")),
            ("ends_at", json!(time(NOW))),
            ("ends_at", json!(time(NOW + 366 * 24 * HOUR + 1))),
            ("reason", json!(" ")),
            ("reason", json!("长".repeat(201))),
        ] {
            let mut body = good.clone();
            body[field] = value.clone();
            let refused = api.json("POST", "/api/v1/delegations", body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{value}");
        }
        // For others only whoever keeps the organisation names a delegate.
        let mut body = good.clone();
        body["from_id"] = json!(wang_id);
        body["to_id"] = json!(li_id);
        api.json("POST", "/api/v1/delegations", body.clone()).await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM delegations").await, 0);
        api.json("POST", "/api/v1/delegations", good.clone()).await.expect(201);
        let again = api.json("POST", "/api/v1/delegations", good.clone()).await.expect(409).json();
        assert!(again["title"].as_str().unwrap().contains("已由同一位同事代理"), "{again}");
        let ring = wang.with_token().await.json("POST", "/api/v1/delegations", body.clone()).await.expect(409).json();
        assert!(ring["title"].as_str().unwrap().contains("不能互相代理"), "{ring}");
        // One after the other is neither.
        let (from, until) = (time(NOW + HOUR), time(NOW + 2 * HOUR));
        let mut later = good;
        later["starts_at"] = json!(from);
        later["ends_at"] = json!(until);
        api.json("POST", "/api/v1/delegations", later.clone()).await.expect(201);
        later["starts_at"] = json!(time(NOW + 2 * HOUR));
        later["ends_at"] = json!(time(NOW + 366 * 24 * HOUR));
        later["from_id"] = json!(wang_id);
        later["to_id"] = json!(li_id);
        admin.with_token().await.json("POST", "/api/v1/delegations", later).await.expect(201);
        // Everybody's are for whoever keeps the organisation.
        assert_eq!(api.get("/api/v1/delegations").await.json()["items"].as_array().unwrap().len(), 3);
        api.get(&format!("/api/v1/delegations?person={wang_id}")).await.expect(404);
        li.get("/admin/delegations").await.expect(403);
        assert!(admin.get("/admin/delegations").await.expect(200).text().contains("员工wang"));
    })
    .await;
}

// The roster's half of LC-05; the register that asks it is in `visitors`.
#[tokio::test(flavor = "multi_thread")]
async fn the_roster_tells_who_is_on_duty_and_who_was_on_which_day() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let top = unit(&app, "物业公司", None, None).await;
        let sales = unit(&app, "招商部", Some(top), None).await;
        let other = unit(&app, "工程部", Some(top), None).await;
        post(&app, li.person_id, sales).await;
        let id = roster(&api, sales, "前台").await;
        let night = shift(&api, &id, li.person_id, "2026-09-28 22:00", "2026-09-29 06:00").await;
        assert_eq!(night["ends_at"], "2026-09-28T22:00:00.000Z");
        shift(&api, &id, wang.person_id, "2026-09-29 00:00", "2026-09-29 08:00").await;
        let staff = wang.with_token().await;
        for (at, on) in [
            ("2026-09-28T21:59:59.999", vec![]),
            ("2026-09-28T22:00:00", vec!["员工li"]),
            ("2026-09-29T05:59:59.999", vec!["员工li", "员工wang"]),
            ("2026-09-29T06:00:00", vec!["员工wang"]),
            ("2026-09-29T08:00:00", vec![]),
        ] {
            for place in [format!("roster={id}"), format!("unit={top}"), String::new()] {
                let told = staff.get(&format!("/api/v1/on-duty?at={at}&{place}")).await.expect(200).json();
                assert_eq!(names(&told["people"]), on, "{at} {place}");
            }
        }
        let elsewhere =
            staff.get(&format!("/api/v1/on-duty?at=2026-09-29T05:00:00&unit={other}")).await.json();
        assert_eq!(elsewhere["people"], json!([]));
        let was = async |day: &str, unit: UnitId| {
            let path = format!("/api/v1/people/{}/on-duty?day={day}&unit={unit}", li.person_id);
            staff.get(&path).await.expect(200).json()["was_on_duty"].as_bool().unwrap()
        };
        assert!(
            was("2026-09-28", sales).await && was("2026-09-29", sales).await && was("2026-09-29", top).await
        );
        assert!(
            !was("2026-09-27", sales).await
                && !was("2026-09-30", sales).await
                && !was("2026-09-28", other).await
        );
        // A roster out of use tells nobody who is on duty, but still who was; with duty done it cannot be deleted.
        app.clock.advance(24 * HOUR);
        let path = format!("/api/v1/rosters/{id}");
        api.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(409);
        api.json_with("PATCH", &path, json!({ "is_active": false }), &[("if-match", "\"1\"")])
            .await
            .expect(200);
        let told = staff.get("/api/v1/on-duty?at=2026-09-29T05:00:00").await.json();
        assert_eq!(told["people"], json!([]));
        assert!(was("2026-09-28", sales).await);
        for bad in ["at=gestern", "unit=x", "roster=%00", "at=9999-99-99"] {
            staff.get(&format!("/api/v1/on-duty?{bad}")).await.expect(422);
        }
        staff.get("/api/v1/on-duty?unit=01M2Z8Q4T7V0K").await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_against_an_absence_or_another_shift_is_refused_in_words() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let own = li.with_token().await;
        let sales = unit(&app, "招商部", None, None).await;
        let (id, second) = (roster(&api, sales, "前台").await, roster(&api, sales, "电话").await);
        let away = |from: &str, until: &str| {
            json!({ "kind": "annual_leave", "starts_at": from, "ends_at": until, "note": "看病" })
        };
        own.json("POST", "/api/v1/absences", away("2026-09-30 08:00", "2026-09-30 12:00")).await.expect(201);
        let twice = own.json("POST", "/api/v1/absences", away("2026-09-30 11:59", "2026-09-30 13:00")).await;
        assert!(twice.expect(409).json()["title"].as_str().unwrap().contains("已登记年假"));
        own.json("POST", "/api/v1/absences", away("2026-09-30 12:00", "2026-09-30 13:00")).await.expect(201);
        let path = format!("/api/v1/rosters/{id}/shifts");
        let on = |from: &str, until: &str| json!({ "person_id": li.person_id, "starts_at": from, "ends_at": until });
        own.json("POST", &path, on("2026-09-30 14:00", "2026-09-30 15:00")).await.expect(403);
        let refused = api.json("POST", &path, on("2026-09-30 07:00", "2026-09-30 09:00")).await.expect(409).json();
        assert_eq!(refused["title"], "员工li 这段时间年假：09-30 08:00–12:00");
        // Not of the unit is only a warning.
        let made = api.json("POST", &path, on("2026-09-30 13:00", "2026-09-30 20:00")).await.expect(201).json();
        let path = format!("/api/v1/rosters/{second}/shifts");
        let refused = api.json("POST", &path, on("2026-09-30 19:00", "2026-09-30 22:00")).await.expect(409).json();
        assert_eq!(refused["title"], "员工li 同时已有班次：09-30 13:00–20:00（前台）");
        api.json("POST", &path, on("2026-09-30 20:00", "2026-09-30 22:00")).await.expect(201);
        for (field, value) in [
            ("person_id", json!("01M2Z8Q4T7V0K")),
            ("starts_at", json!("2026-10-10 08:00")),
            ("ends_at", json!("2026-10-08 00:00")),
            ("ends_at", json!("1990-01-01")),
            ("note", json!("长".repeat(201))),
        ] {
            let mut body = on("2026-09-30 23:00", "2026-09-30 23:30");
            body[field] = value.clone();
            api.json("POST", &path, body).await.expect(422);
        }
        // Two people change one shift at once: the second is told.
        let one = format!("/api/v1/shifts/{}", made["id"].as_str().unwrap());
        api.json("PATCH", &one, json!({ "note": "x" })).await.expect(428);
        let first = api.json_with("PATCH", &one, json!({ "ends_at": "2026-09-30 19:00" }), &[("if-match", "\"1\"")]);
        let other = api.json_with("PATCH", &one, json!({ "ends_at": "2026-09-30 18:00" }), &[("if-match", "\"1\"")]);
        let (first, other) = tokio::join!(first, other);
        let mut statuses = [first.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        // Two people put one person on two shifts at once: one of them is refused.
        let day = |roster: &str| (format!("/api/v1/rosters/{roster}/shifts"), on("2026-10-05 08:00", "2026-10-05 20:00"));
        let ((a, a_body), (b, b_body)) = (day(&id), day(&second));
        let (a, b) = tokio::join!(api.json("POST", &a, a_body), api.json("POST", &b, b_body));
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        // Others' absences are not his to read or take away.
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        assert_eq!(wang.get("/api/v1/absences").await.expect(200).json()["items"], json!([]));
        wang.get(&format!("/api/v1/absences?person={}", li.person_id)).await.expect(404);
        let all = own.get("/api/v1/absences").await.expect(200).json();
        let absence = format!("/api/v1/absences/{}", all["items"][0]["id"].as_str().unwrap());
        wang.json("DELETE", &absence, json!({})).await.expect(404);
        own.json("DELETE", &absence, json!({})).await.expect(204);
        own.json("DELETE", &absence, json!({})).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_is_filled_looked_at_and_copied() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let sales = unit(&app, "招商部", None, None).await;
        post(&app, li.person_id, sales).await;
        let unit_id = sales.to_string();
        let days: Vec<(&str, &str)> = ["1", "2", "3", "4", "5"].map(|d| ("weekdays", d)).into();
        let mut form = vec![
            ("name", "前台"),
            ("unit_id", &unit_id),
            ("opens", "08:00"),
            ("closes", "20:00"),
            ("is_active", "1"),
        ];
        form.extend(&days);
        let made = admin.post_form("/rosters", &form).await.expect(303);
        let path = made.header("location").to_owned();
        admin.post_form("/rosters", &form).await.expect(422);
        li.post_form("/rosters", &form).await.expect(403);
        assert!(li.get(&path).await.expect(200).text().contains("这一周还没有排班"));
        let away = json!({
            "person_id": wang.person_id, "kind": "business_trip", "starts_at": "2026-09-29", "ends_at": "2026-09-30",
        });
        api.json("POST", "/api/v1/absences", away).await.expect(201);
        let (one, two) = (li.person_id.to_string(), wang.person_id.to_string());
        let mut fill = vec![
            ("people", one.as_str()),
            ("people", &two),
            ("patterns", "08:00-18:00"),
            ("first", "2026-09-28"),
            ("last", "2026-10-04"),
            ("turn_days", "1"),
        ];
        fill.extend(&days);
        let preview = admin.post_form(&format!("{path}/fill"), &fill).await.expect(200).text();
        assert!(preview.contains("员工wang 这段时间出差") && preview.contains("排入 4 个班次"), "{preview}");
        assert!(preview.contains("员工wang 不在值班表所属的部门任职"));
        assert_eq!(app.number("SELECT COUNT(*) FROM shifts").await, 0);
        fill.push(("go", "1"));
        admin.post_form(&format!("{path}/fill"), &fill).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM shifts").await, 4);
        let page = admin.get(&format!("{path}?week=2026-10-01")).await.expect(200).text();
        for words in ["08:00–18:00", "18:00–20:00", "08:00–20:00", "员工li", "2026-09-28 – 10-04"] {
            assert!(page.contains(words), "{words}");
        }
        let copied = admin.post_form(&format!("{path}/copy"), &[("week", "2026-10-05")]).await.expect(303);
        assert_eq!(copied.header("location"), format!("{path}?week=2026-10-05"));
        assert_eq!(app.number("SELECT COUNT(*) FROM shifts").await, 8);
        // Again: everything stands against it.
        admin.post_form(&format!("{path}/copy"), &[("week", "2026-10-05")]).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM shifts").await, 8);
        admin.post_form(&format!("{path}/copy"), &[("week", "2026-11-05")]).await.expect(409);
        for bad in [
            ("last", "2026-09-01"),
            ("last", "2027-09-01"),
            ("patterns", "morgens"),
            ("people", "x"),
            ("first", "x"),
        ] {
            let mut form: Vec<(&str, &str)> = fill.iter().copied().filter(|(n, _)| *n != bad.0).collect();
            form.push(bad);
            admin.post_form(&format!("{path}/fill"), &form).await.expect(422);
        }
        admin.get(&format!("{path}?week=x")).await.expect(422);
        let logged = admin.get("/admin/audit?action=shift.").await.expect(200).text();
        assert!(logged.contains("新增班次"));
        for (page, words) in [("/rosters", "前台"), ("/absences", "出差"), ("/rosters/new", "值班时段")]
        {
            assert!(admin.get(page).await.expect(200).text().contains(words), "{page}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skills_decide_who_is_free_next() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let works = unit(&app, "工程部", None, None).await;
        let other = unit(&app, "招商部", None, None).await;
        post(&app, li.person_id, works).await;
        post(&app, wang.person_id, works).await;
        let path = |c: &Client<'_>| format!("/api/v1/people/{}/skills/lift_repair", c.person_id);
        let knows = |level: i64, until: &str| json!({ "level": level, "valid_until": until });
        api.json("PUT", &path(&li), knows(3, "")).await.expect(200);
        api.json("PUT", &path(&wang), knows(5, "2026-09-28")).await.expect(200);
        for bad in [knows(0, ""), knows(6, ""), knows(3, "gestern")] {
            api.json("PUT", &path(&li), bad).await.expect(422);
        }
        api.json("PUT", &path(&li).replace("lift_repair", "dance"), knows(3, "")).await.expect(422);
        api.json("PUT", "/api/v1/people/01M2Z8Q4T7V0K/skills/lift_repair", knows(3, "")).await.expect(404);
        li.with_token().await.json("PUT", &path(&li), knows(5, "")).await.expect(403);
        let own = format!("/api/v1/people/{}/skills", li.person_id);
        assert_eq!(li.with_token().await.get(&own).await.expect(200).json()["items"][0]["level"], 3);
        wang.with_token().await.get(&own).await.expect(404);
        let id = roster(&api, works, "维修班").await;
        for person in [li.person_id, wang.person_id] {
            shift(&api, &id, person, "2026-09-28 08:00", "2026-09-28 20:00").await;
            shift(&api, &id, person, "2026-09-29 08:00", "2026-09-29 20:00").await;
        }
        let away = json!({
            "person_id": wang.person_id, "kind": "personal_leave", "starts_at": "2026-09-28 17:00", "ends_at": "2026-09-28 18:00",
        });
        api.json("POST", "/api/v1/absences", away).await.expect(201);
        let ask = async |rest: &str| {
            let path = format!("/api/v1/next-free?skill=lift_repair&unit={works}{rest}");
            let told = api.get(&path).await.expect(200).json();
            (told["person"]["name"].as_str().unwrap_or("").to_owned(), told["starts_at"].clone())
        };
        // It is 16:20. The best has 40 minutes, then is out until six; on the next day his certificate is over.
        assert_eq!(ask("&minutes=40").await, ("员工wang".to_owned(), json!("2026-09-28T08:20:00.000Z")));
        assert_eq!(ask("&minutes=41").await, ("员工wang".to_owned(), json!("2026-09-28T10:00:00.000Z")));
        assert_eq!(ask("&from=2026-09-29T00:00").await, ("员工li".to_owned(), json!("2026-09-29T00:00:00.000Z")));
        let none = api.get(&format!("/api/v1/next-free?skill=lift_repair&unit={other}")).await.expect(200).json();
        assert_eq!(none["person"], Json::Null);
        for bad in ["skill=dance", "skill=lift_repair&minutes=0", "skill=lift_repair&minutes=1441", "minutes=5", "skill=lift_repair&from=x"] {
            api.get(&format!("/api/v1/next-free?{bad}")).await.expect(422);
        }
        let page = admin.get(&format!("/admin/delegations/skills?unit={works}&level=4")).await.expect(200).text();
        assert!(page.contains("员工wang") && !page.contains("员工li"), "{page}");
        let person = format!("/admin/people/{}/skills", li.person_id);
        let form = [("skill", "english"), ("level", "2"), ("valid_until", ""), ("note", "四级")];
        admin.post_form(&person, &form).await.expect(303);
        assert!(admin.get(&person).await.expect(200).text().contains("四级"));
        admin.post_form(&format!("{person}/delete"), &[("skill", "english")]).await.expect(303);
        admin.post_form(&format!("{person}/delete"), &[("skill", "english")]).await.expect(404);
        api.json("DELETE", &path(&li), json!({})).await.expect(204);
    })
    .await;
}

// covers: LC-08
#[tokio::test(flavor = "multi_thread")]
async fn the_reception_leads_a_new_customer_to_whoever_is_on_duty() {
    both(|app| async move {
        let admin = app.administrator().await;
        let api = admin.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let boss = app.staff("boss", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let sales = unit(&app, "招商部", None, Some(boss.person_id)).await;
        post(&app, li.person_id, sales).await;
        let id = roster(&api, sales, "前台").await;
        let ask =
            async |rest: &str| admin.get(&format!("/reception?roster={id}&{rest}")).await.expect(200).text();
        assert!(ask("").await.contains("能否说出已联系的经理姓名"));
        assert!(ask("knows=0").await.contains("请先排班"));
        shift(&api, &id, wang.person_id, "2026-09-28 18:00", "2026-09-28 20:00").await;
        assert!(ask("knows=0").await.contains("下一位从 09-28 18:00 开始值班"));
        shift(&api, &id, li.person_id, "2026-09-28 08:00", "2026-09-28 18:00").await;
        // He names nobody: a new customer of the one on duty.
        let page = ask("knows=0").await;
        let new = format!("/customers/new?owner_id={}", li.person_id);
        assert!(page.contains("视为新客户") && page.contains(&new), "{page}");
        let form = admin.get(&new).await.expect(200).text();
        let owner = format!("name=\"owner_id\" value=\"{}\"", li.person_id);
        assert!(form.contains(&owner), "{form}");
        // One who may not give customers away is not led to do so.
        let page = wang.get("/reception?knows=0").await.expect(200).text();
        assert!(page.contains("员工li") && !page.contains("owner_id="), "{page}");
        // He names one: that one, whoever is on duty; several: which one; nobody of that name.
        let page = ask("knows=1&q=wang").await;
        assert!(page.contains("由他接待") && page.contains(&wang.person_id.to_string()), "{page}");
        assert!(ask("knows=1&q=员工").await.contains("是哪一位"));
        assert!(ask("knows=1&q=无此人").await.contains("公司里没有这个姓名的人"));
        // The named one has left: his superior.
        let form = [("active", "0")];
        admin.post_form(&format!("/admin/people/{}/active", li.person_id), &form).await.expect(303);
        let told = api.get(&format!("/api/v1/reception?manager={}", li.person_id)).await.expect(200).json();
        assert_eq!((&told["outcome"], &told["person"]["name"]), (&json!("superior"), &json!("员工boss")));
        assert!(ask("knows=1&q=员工li").await.contains("由他的上级接待"));
        let told = api.get(&format!("/api/v1/reception?manager={}", wang.person_id)).await.expect(200).json();
        assert_eq!(told["outcome"], "manager");
        api.get("/api/v1/reception?manager=01M2Z8Q4T7V0K").await.expect(404);
        admin.get(&format!("/reception?knows=1&q={}", "x".repeat(101))).await.expect(422);
    })
    .await;
}
