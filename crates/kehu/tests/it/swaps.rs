//! Swaps of shifts between colleagues: asked, answered, approved, refused, expired, and raced.

use kehu::ids::{PersonId, UnitId};
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::rosters::{post, shift, unit};
use crate::{Client, TestApp, both};

/// A team under a head: its unit, its roster with this rule, and what plans it.
async fn team(app: &TestApp, api: &Client<'_>, head: PersonId, rule: Json) -> (UnitId, String) {
    let team = unit(app, "热线组", None, Some(head)).await;
    let mut body = json!({ "unit_id": team, "name": "热线", "opens": "08:00", "closes": "20:00" });
    body.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let made = api.json("POST", "/api/v1/rosters", body).await.expect(201).json();
    (team, made["id"].as_str().unwrap().to_owned())
}

async fn ask(from: &Client<'_>, shift: &Json, to: PersonId, other: Option<&Json>) -> crate::Answer {
    let mut body = json!({ "shift_id": shift["id"], "to_id": to, "note": "家里有事" });
    if let Some(other) = other {
        body["other_shift_id"] = other["id"].clone();
    }
    from.json("POST", "/api/v1/swaps", body).await
}

async fn say(who: &Client<'_>, swap: &Json, act: &str) -> crate::Answer {
    let path = format!("/api/v1/swaps/{}", swap["id"].as_str().unwrap());
    let now = who.get(&path).await;
    let version = if now.status.as_u16() == 200 { now.json()["version"].clone() } else { json!(1) };
    let tag = format!("\"{version}\"");
    who.json_with("PATCH", &path, json!({ "act": act, "answer": "好" }), &[("if-match", &tag)]).await
}

async fn person_of(api: &Client<'_>, shift: &Json) -> Json {
    let path = format!("/api/v1/shifts/{}", shift["id"].as_str().unwrap());
    api.get(&path).await.expect(200).json()["person_id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_takes_a_shift_and_the_planner_agrees() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        let head = app.staff("head", DataScope::Own).await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let stranger = app.staff("sun", DataScope::Own).await;
        let (unit_id, id) = team(&app, &api, head.person_id, json!({})).await;
        for who in [&li, &wang] {
            post(&app, who.person_id, unit_id).await;
        }
        let his = shift(&api, &id, li.person_id, "2026-10-05 08:00", "2026-10-05 20:00").await;
        let shift_id = his["id"].as_str().unwrap();
        li.post_form("/duty/seen", &[]).await.expect(303);
        // What comes in the very millisecond he looked would count as seen.
        app.clock.advance(1_000);
        // Only his own, and only to a colleague.
        let form = format!("/shifts/{shift_id}/swap");
        wang.get(&form).await.expect(403);
        let page = li.get(&form).await.expect(200).text();
        assert!(
            page.contains("员工wang") && page.contains("排班人批准") && !page.contains("员工sun"),
            "{page}"
        );
        ask(&wang.with_token().await, &his, li.person_id, None).await.expect(403);
        let own = li.with_token().await;
        ask(&own, &his, li.person_id, None).await.expect(422);
        let (to, sun) = (wang.person_id.to_string(), stranger.person_id.to_string());
        assert!(
            li.post_form(&form, &[("to_id", &sun)]).await.expect(422).text().contains("不在值班表所属的部门")
        );
        li.post_form(&form, &[]).await.expect(422);
        li.post_form(&form, &[("to_id", &to), ("note", "家里有事")]).await.expect(303);
        assert!(li.post_form(&form, &[("to_id", &to)]).await.expect(422).text().contains("请等他答复"));
        // It waits for the colleague: on his workbench, his duty page and his badge.
        assert!(wang.get("/").await.text().contains("1 个换班请求等您答复"));
        let page = wang.get("/duty").await.expect(200).text();
        assert!(page.contains("家里有事") && page.contains("不同意"), "{page}");
        let swaps = own.get("/api/v1/swaps").await.expect(200).json()["items"].clone();
        let swap = swaps[0].clone();
        assert_eq!((&swap["state"], &swap["to_id"]), (&json!("asked"), &json!(wang.person_id)));
        let path = format!("/swaps/{}", swap["id"].as_str().unwrap());
        // Nobody else knows of it, and nobody says another's yes.
        let other = stranger.with_token().await;
        other.get(&format!("/api/v1{path}")).await.expect(404);
        stranger.post_form(&path, &[("act", "accept")]).await.expect(404);
        li.post_form(&path, &[("act", "accept")]).await.expect(403);
        wang.post_form(&path, &[("act", "approve")]).await.expect(403);
        head.post_form(&path, &[("act", "approve")]).await.expect(409);
        wang.post_form(&path, &[("act", "dance")]).await.expect(400);
        wang.post_form(&path, &[("act", "accept"), ("answer", "可以")]).await.expect(303);
        assert_eq!(person_of(&api, &his).await, json!(li.person_id), "not before the planner agrees");
        assert!(head.get("/").await.text().contains("1 个换班等您批准"));
        assert!(
            head.get(&format!("/rosters/{id}?week=2026-10-05")).await.text().contains("1 个换班等您批准")
        );
        assert!(head.get("/duty").await.text().contains("等您批准的换班"));
        head.post_form(&path, &[("act", "approve")]).await.expect(303);
        assert_eq!(person_of(&api, &his).await, json!(wang.person_id));
        head.post_form(&path, &[("act", "approve")]).await.expect(409);
        // It is told to the one who asked, stands on the roster, and in the log step by step.
        let page = li.get("/duty").await.expect(200).text();
        assert!(
            page.contains("员工li 10-05 08:00–20:00 → 员工wang") && page.contains("过去的换班（1）"),
            "{page}"
        );
        let page = head.get(&format!("/rosters/{id}?week=2026-10-05")).await.text();
        assert!(page.contains("发布后的变动") && page.contains("换班"), "{page}");
        for action in ["swap.asked", "swap.accepted", "swap.approved", "shift.swapped"] {
            let sql: &'static str = Box::leak(
                format!("SELECT COUNT(*) FROM audit_log WHERE action = '{action}'").into_boxed_str(),
            );
            assert_eq!(app.number(sql).await, 1, "{action}");
        }
        let all = head.with_token().await.get(&format!("/api/v1/swaps?roster={id}")).await.expect(200).json();
        assert_eq!((&all["items"][0]["state"], &all["items"][0]["answer"]), (&json!("done"), &json!("可以")));
        own.get(&format!("/api/v1/swaps?roster={id}")).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shifts_are_exchanged_declined_withdrawn_refused_and_expire() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        let head = app.staff("head", DataScope::Own).await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let (unit_id, id) = team(&app, &api, head.person_id, json!({ "swaps": "free" })).await;
        for who in [&li, &wang] {
            post(&app, who.person_id, unit_id).await;
        }
        let (li_api, wang_api, head_api) =
            (li.with_token().await, wang.with_token().await, head.with_token().await);
        let a = shift(&api, &id, li.person_id, "2026-10-05 08:00", "2026-10-05 20:00").await;
        let b = shift(&api, &id, wang.person_id, "2026-10-06 08:00", "2026-10-06 20:00").await;
        // Against each other, in one go, with the colleague's yes.
        let key = [("idempotency-key", "s1")];
        let body = json!({ "shift_id": a["id"], "to_id": wang.person_id, "other_shift_id": b["id"] });
        let swap = li_api.json_with("POST", "/api/v1/swaps", body.clone(), &key).await.expect(201).json();
        assert_eq!(li_api.json_with("POST", "/api/v1/swaps", body, &key).await.expect(201).json(), swap);
        assert_eq!(say(&wang_api, &swap, "accept").await.expect(200).json()["state"], "done");
        assert_eq!(
            (person_of(&api, &a).await, person_of(&api, &b).await),
            (json!(wang.person_id), json!(li.person_id))
        );
        // What is the other's already cannot be asked for again; what is not his cannot be asked for in exchange.
        ask(&li_api, &a, wang.person_id, None).await.expect(403);
        ask(&li_api, &b, wang.person_id, Some(&b)).await.expect(422);
        let declined = ask(&li_api, &b, wang.person_id, Some(&a)).await.expect(201).json();
        assert_eq!(say(&wang_api, &declined, "decline").await.expect(200).json()["state"], "declined");
        say(&wang_api, &declined, "accept").await.expect(409);
        let withdrawn = ask(&li_api, &b, wang.person_id, None).await.expect(201).json();
        say(&wang_api, &withdrawn, "withdraw").await.expect(403);
        assert_eq!(say(&li_api, &withdrawn, "withdraw").await.expect(200).json()["state"], "withdrawn");
        say(&wang_api, &withdrawn, "accept").await.expect(409);
        // The planner says no.
        let path = format!("/api/v1/rosters/{id}");
        api.json_with("PATCH", &path, json!({ "swaps": "approve" }), &[("if-match", "\"1\"")])
            .await
            .expect(200);
        let refused = ask(&li_api, &b, wang.person_id, None).await.expect(201).json();
        assert_eq!(say(&wang_api, &refused, "accept").await.expect(200).json()["state"], "accepted");
        assert_eq!(say(&head_api, &refused, "refuse").await.expect(200).json()["state"], "refused");
        assert_eq!(person_of(&api, &b).await, json!(li.person_id));
        // Changed meanwhile: whoever accepts is told, and the shift stays where it is.
        let void = ask(&li_api, &b, wang.person_id, None).await.expect(201).json();
        let one = format!("/api/v1/shifts/{}", b["id"].as_str().unwrap());
        let now = api.get(&one).await.json();
        let tag = format!("\"{}\"", now["version"]);
        let late = json!({ "starts_at": "2026-10-06 09:00" });
        api.json_with("PATCH", &one, late, &[("if-match", &tag)]).await.expect(200);
        let said = say(&wang_api, &void, "accept").await.expect(409).json();
        assert!(said["title"].as_str().unwrap().contains("班次有变动"), "{said}");
        // The moment the shift begins it is over.
        let open = ask(&li_api, &b, wang.person_id, None).await.expect(201).json();
        let begins = kehu::clock::Zone::default().parse("2026-10-06 09:00").unwrap();
        app.clock.advance(begins - 1 - app.app.now());
        let state = async || {
            let path = format!("/api/v1/swaps/{}", open["id"].as_str().unwrap());
            li_api.get(&path).await.expect(200).json()["state"].clone()
        };
        assert_eq!(state().await, "asked");
        let wang = app.sign_in(wang.person_id).await;
        assert!(wang.get("/").await.text().contains("1 个换班请求等您答复"));
        app.clock.advance(1);
        assert_eq!(state().await, "expired");
        say(&wang_api, &open, "accept").await.expect(409);
        assert!(!wang.get("/").await.text().contains("换班请求等您答复"));
        ask(&li_api, &b, wang.person_id, None).await.expect(409);
        // Not at all, where the roster says so.
        let c = shift(&api, &id, li.person_id, "2026-10-08 08:00", "2026-10-08 20:00").await;
        api.json_with("PATCH", &path, json!({ "swaps": "off" }), &[("if-match", "\"2\"")]).await.expect(200);
        let said = ask(&li_api, &c, wang.person_id, None).await.expect(409).json();
        assert!(said["title"].as_str().unwrap().contains("不允许自行换班"), "{said}");
        for bad in ["later", ""] {
            api.json_with("PATCH", &path, json!({ "swaps": bad }), &[("if-match", "\"3\"")])
                .await
                .expect(422);
        }
        for bad in [-1, 49] {
            api.json_with("PATCH", &path, json!({ "rest_hours": bad }), &[("if-match", "\"3\"")])
                .await
                .expect(422);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_cannot_take_a_shift_is_not_asked_for_it() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        let head = app.staff("head", DataScope::Own).await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let rule = json!({ "swaps": "free", "skill": "communication", "rest_hours": 11 });
        let (unit_id, id) = team(&app, &api, head.person_id, rule).await;
        for who in [&li, &wang] {
            post(&app, who.person_id, unit_id).await;
        }
        let li_api = li.with_token().await;
        let his = shift(&api, &id, li.person_id, "2026-10-05 08:00", "2026-10-05 20:00").await;
        let refused = async |words: &str| {
            let said = ask(&li_api, &his, wang.person_id, None).await.expect(409).json();
            assert!(said["title"].as_str().unwrap().contains(words), "{words}: {said}");
        };
        refused("没有登记值班要求的专长“沟通能力”").await;
        let skill = format!("/api/v1/people/{}/skills/communication", wang.person_id);
        api.json("PUT", &skill, json!({ "level": 3, "valid_until": "2026-10-04" })).await.expect(200);
        refused("专长").await;
        api.json("PUT", &skill, json!({ "level": 3 })).await.expect(200);
        // Away: the colleague is not told why.
        let away = json!({
            "person_id": wang.person_id, "kind": "sick_leave", "starts_at": "2026-10-05 19:59", "ends_at": "2026-10-06",
        });
        let absence = api.json("POST", "/api/v1/absences", away).await.expect(201).json();
        let said = ask(&li_api, &his, wang.person_id, None).await.expect(409).json();
        let said = said["title"].as_str().unwrap();
        assert!(said.contains("请假或外出") && !said.contains("病假"), "{said}");
        let path = format!("/api/v1/absences/{}", absence["id"].as_str().unwrap());
        api.json("DELETE", &path, json!({})).await.expect(204);
        // On duty then, or without the rest of eleven hours.
        let remove = async |made: &Json| {
            let path = format!("/api/v1/shifts/{}", made["id"].as_str().unwrap());
            let tag = format!("\"{}\"", made["version"]);
            api.json_with("DELETE", &path, json!({}), &[("if-match", &tag)]).await.expect(204);
        };
        let same = shift(&api, &id, wang.person_id, "2026-10-05 19:00", "2026-10-05 22:00").await;
        refused("同时已有班次").await;
        remove(&same).await;
        let near = shift(&api, &id, wang.person_id, "2026-10-06 06:59", "2026-10-06 10:00").await;
        refused("间隔不足 11 小时").await;
        // The planner cannot put him there either.
        let body = json!({ "person_id": wang.person_id, "starts_at": "2026-10-06 20:59", "ends_at": "2026-10-06 23:00" });
        let said = api.json("POST", &format!("/api/v1/rosters/{id}/shifts"), body).await.expect(409).json();
        assert!(said["title"].as_str().unwrap().contains("间隔不足"), "{said}");
        remove(&near).await;
        // What becomes true after asking is found at the yes.
        let swap = ask(&li_api, &his, wang.person_id, None).await.expect(201).json();
        shift(&api, &id, wang.person_id, "2026-10-05 21:00", "2026-10-05 22:00").await;
        let said = say(&wang.with_token().await, &swap, "accept").await.expect(409).json();
        assert!(said["title"].as_str().unwrap().contains("间隔不足"), "{said}");
        assert_eq!(person_of(&api, &his).await, json!(li.person_id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_say_yes_at_once_one_gets_the_shift() {
    both(|app| async move {
        let api = app.administrator().await.with_token().await;
        let head = app.staff("head", DataScope::Own).await;
        let (unit_id, id) = team(&app, &api, head.person_id, json!({ "swaps": "free" })).await;
        let mut people = Vec::new();
        for name in ["li", "wang", "sun"] {
            let who = app.staff(name, DataScope::Own).await;
            post(&app, who.person_id, unit_id).await;
            people.push(who.with_token().await);
        }
        for day in 5..15 {
            let (from, until) = (format!("2026-10-{day:02} 08:00"), format!("2026-10-{day:02} 20:00"));
            let his = shift(&api, &id, people[0].person_id, &from, &until).await;
            let first = ask(&people[0], &his, people[1].person_id, None).await.expect(201).json();
            let second = ask(&people[0], &his, people[2].person_id, None).await.expect(201).json();
            // Two colleagues, and the one who asked takes the first back, all at once.
            let (a, b, c) = tokio::join!(
                say(&people[1], &first, "accept"),
                say(&people[2], &second, "accept"),
                say(&people[0], &first, "withdraw")
            );
            let statuses = [a.status.as_u16(), b.status.as_u16(), c.status.as_u16()];
            assert!(statuses.iter().all(|s| matches!(s, 200 | 409 | 412)), "{statuses:?}");
            let now = person_of(&api, &his).await;
            let taken = statuses[..2].iter().filter(|s| **s == 200).count();
            assert!(taken <= 1, "{statuses:?}");
            let expected = match (statuses[0], statuses[1]) {
                (200, _) => people[1].person_id,
                (_, 200) => people[2].person_id,
                _ => people[0].person_id,
            };
            assert_eq!(now, json!(expected), "{statuses:?}");
        }
        let swapped = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'shift.swapped'").await;
        assert_eq!(swapped, app.number("SELECT COUNT(*) FROM swaps WHERE state = 'done'").await);
        assert!(swapped > 0);
        // The planner changes a shift while the colleague says yes: either order is right, never both halves.
        for day in 15..22 {
            let (from, until) = (format!("2026-10-{day:02} 08:00"), format!("2026-10-{day:02} 20:00"));
            let his = shift(&api, &id, people[0].person_id, &from, &until).await;
            let swap = ask(&people[0], &his, people[1].person_id, None).await.expect(201).json();
            let path = format!("/api/v1/shifts/{}", his["id"].as_str().unwrap());
            let tag = format!("\"{}\"", his["version"]);
            let to = json!({ "person_id": people[2].person_id });
            let tags = [("if-match", tag.as_str())];
            let (yes, change) =
                tokio::join!(say(&people[1], &swap, "accept"), api.json_with("PATCH", &path, to, &tags));
            let both = (yes.status.as_u16(), change.status.as_u16());
            let expected = match both {
                (200, 412) => people[1].person_id,
                (409 | 412, 200) => people[2].person_id,
                other => panic!("{other:?}"),
            };
            assert_eq!(person_of(&api, &his).await, json!(expected), "{both:?}");
        }
    })
    .await;
}
