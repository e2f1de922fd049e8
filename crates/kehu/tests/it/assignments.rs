//! Tasks people give to each other: to a person, to a unit, by a process; the right they give on a customer and its
//! end; who sees them; how they are counted, and what becomes of them when somebody leaves.

use std::collections::BTreeSet;

use kehu::access::Actor;
use kehu::assignments::{self, Ground, ListQuery, Place};
use kehu::ids::{AssignmentId, PersonId};
use kehu::org;
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::rights::Dice;
use crate::roles::{bare, give, role};
use crate::{Client, TestApp, both};

const HOUR: i64 = 3_600_000;
const ALL: &str = "/api/v1/assignments";

async fn unit(admin: &Client<'_>, name: &str, kind: &str, parent: Option<&Json>) -> Json {
    let body = json!({ "name": name, "kind": kind, "parent_id": parent.map(|p| p["id"].clone()) });
    admin.json("POST", "/api/v1/units", body).await.expect(201).json()
}

async fn post(admin: &Client<'_>, person: PersonId, unit: &Json, post: &str) {
    let path = format!("/api/v1/people/{person}/positions");
    admin.json("POST", &path, json!({ "unit_id": unit["id"], "post": post })).await.expect(201);
}

async fn head(admin: &Client<'_>, unit: &Json, person: PersonId) {
    let path = format!("/api/v1/units/{}", id(unit));
    let version = admin.get(&path).await.expect(200).json()["version"].to_string();
    let body = json!({ "head_id": person });
    admin.json_with("PATCH", &path, body, &[("if-match", &version)]).await.expect(200);
}

fn id(of: &Json) -> &str {
    of["id"].as_str().unwrap()
}

/// A salesman who may let colleagues in on his customers, as a program.
async fn seller<'a>(app: &'a TestApp, admin: &Client<'_>, name: &str) -> Client<'a> {
    let li = app.staff(name, DataScope::Own).await;
    if admin.get("/api/v1/roles").await.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .all(|r| r["code"] != "sharing")
    {
        let share = json!([
            { "object": "customer", "verb": "read", "scope": "own" },
            { "object": "customer", "verb": "share", "scope": "own" },
        ]);
        role(admin, "sharing", share, json!([])).await;
    }
    give(admin, &li, "sharing").await;
    li
}

async fn act(who: &Client<'_>, task: &Json, what: &str, body: Json) -> crate::Answer {
    who.json("POST", &format!("{ALL}/{}/{what}", id(task)), body).await
}

async fn listed(who: &Client<'_>, query: &str) -> Vec<String> {
    let page = who.get(&format!("{ALL}?{query}")).await.expect(200).json();
    page["items"].as_array().unwrap().iter().map(|t| t["title"].as_str().unwrap().to_owned()).collect()
}

// covers: SD-12
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_gets_a_task_sees_its_customer_and_replies() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = seller(&app, &admin, "li").await;
        let wang = app.staff("wang", DataScope::Own).await;
        let customer = li.customer(json!({ "kind": "person", "name": "苏东坡" })).await;
        let page = format!("/customers/{}", id(&customer));
        let path = format!("/api/v1{page}");
        wang.get(&page).await.expect(404);
        let (li_page, wang_page) = (li.clone(), wang.clone());
        let (li, wang) = (li.with_token().await, wang.with_token().await);
        let body = json!({
            "title": "请电话回访", "body": "问清到货时间", "customer_id": customer["id"],
            "person_id": wang.person_id, "due": "2026-09-30", "priority": "urgent",
        });
        let key = [("idempotency-key", "give-1")];
        let task = li.json_with("POST", ALL, body.clone(), &key).await.expect(201).json();
        let again = li.json_with("POST", ALL, body, &key).await.expect(201).json();
        assert_eq!(id(&task), id(&again));
        assert_eq!(task["due_at"], "2026-09-30T16:00:00.000Z");
        assert_eq!(
            (&task["state"], &task["is_due_by_day"], &task["customer"]["name"]),
            (&json!("open"), &json!(true), &json!("苏东坡"))
        );
        // The right is there at once, for the usual bundle and until three days after the due date, and no more.
        wang.get(&path).await.expect(200);
        wang_page.get(&page).await.expect(200);
        assert!(wang_page.get("/customers").await.text().contains("苏东坡"));
        wang.json_with("PATCH", &path, json!({ "remark": "x" }), &[("if-match", "\"1\"")]).await.expect(403);
        let mine = wang.get(&format!("{ALL}/{}", id(&task))).await.expect(200).json();
        assert_eq!(mine["right_until"], "2026-10-03T16:00:00.000Z");
        // The explanation names the task.
        let why = wang.get(&format!("{path}/access")).await.expect(200).text();
        assert!(why.contains("交办任务“请电话回访”，交办人 员工li"), "{why}");
        assert!(
            wang_page
                .get(&format!("/admin/explain?customer={}", id(&customer)))
                .await
                .text()
                .contains("请电话回访")
        );
        // It waits for him: badge, list, workbench, API.
        assert!(wang_page.get("/").await.text().contains("交办任务"));
        assert!(wang_page.get("/tasks?tab=assignments").await.expect(200).text().contains("请电话回访"));
        let waiting = wang.get("/api/v1/tasks?reason=assignments").await.expect(200).json();
        assert_eq!((&waiting["items"][0]["id"], &waiting["counts"]["assignments"]), (&task["id"], &json!(1)));
        assert_eq!(wang.get("/api/v1/tasks").await.json()["items"], json!([]), "as it always was");
        let actor = app.app.actor_for(wang.person_id, kehu::access::Via::Job).await.unwrap().unwrap();
        assert_eq!(app.app.waiting(&actor).await.unwrap().0, 1);
        assert_eq!(listed(&wang, "place=mine").await, ["请电话回访"]);
        assert_eq!(listed(&li, "place=given").await, ["请电话回访"]);
        // Taken, done with a reply: the right is gone, for the open browser too.
        act(&wang, &task, "claim", json!({})).await.expect(200);
        act(&wang, &task, "closure", json!({ "reply": " " })).await.expect(422);
        let done = act(&wang, &task, "closure", json!({ "reply": "周五到货" })).await.expect(200).json();
        assert_eq!((&done["state"], &done["is_late"]), (&json!("done"), &json!(false)));
        wang.get(&path).await.expect(404);
        wang_page.get(&page).await.expect(404);
        assert!(!wang_page.get("/customers").await.text().contains("苏东坡"));
        let still = wang.get(&format!("{ALL}/{}", id(&task))).await.expect(200).json();
        assert_eq!((&still["customer"], &still["has_customer"]), (&Json::Null, &json!(true)), "no name left");
        let shown = li_page.get(&format!("/assignments/{}", id(&task))).await.expect(200).text();
        assert!(shown.contains("周五到货") && shown.contains("员工wang"), "{shown}");
        let steps: Vec<&str> =
            done["steps"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
        assert_eq!(steps, ["given", "taken", "done"]);
        // What is over stays as it is.
        act(&wang, &task, "closure", json!({ "reply": "再答" })).await.expect(409);
        act(&li, &task, "withdrawal", json!({})).await.expect(409);
        for action in ["assignment.given", "assignment.taken", "assignment.done"] {
            let sql = format!("SELECT COUNT(*) FROM audit_log WHERE action = '{action}'");
            assert_eq!(app.number(Box::leak(sql.into_boxed_str())).await, 1, "{action}");
            let sql = format!("SELECT COUNT(*) FROM events WHERE kind = '{action}'");
            assert_eq!(app.number(Box::leak(sql.into_boxed_str())).await, 1, "{action}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_of_an_open_task_ends_to_the_millisecond_for_open_sessions_too() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = seller(&app, &admin, "li").await;
        let wang = app.staff("wang", DataScope::Own).await;
        let customer = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        let page = format!("/customers/{}", id(&customer));
        let token = wang.with_token().await;
        let li = li.with_token().await;
        admin.json("PUT", &format!("{ALL}/rules"), json!({ "grace_hours": 2, "bundle": "share_work" })).await.expect(200);
        let give = json!({
            "title": "看样", "customer_id": customer["id"], "person_id": wang.person_id, "due": "2026-09-28 18:00",
        });
        let task = li.json("POST", ALL, give).await.expect(201).json();
        // 18:00 and two hours: 220 minutes from now.
        for _ in 0..10 {
            // He goes on working: a session that rests for half an hour ends for another reason.
            app.clock.advance(20 * 60_000);
            wang.get(&page).await.expect(200);
        }
        app.clock.advance(20 * 60_000 - 1);
        wang.get(&page).await.expect(200);
        token.get(&format!("/api/v1{page}")).await.expect(200);
        app.clock.advance(1);
        // Nothing was changed and nobody signed in anew: only the clock moved on by a millisecond.
        wang.get(&page).await.expect(404);
        token.get(&format!("/api/v1{page}")).await.expect(404);
        let late = token.get(&format!("{ALL}/{}", id(&task))).await.expect(200).json();
        assert_eq!((&late["is_late"], &late["right_until"]), (&json!(true), &Json::Null));
        assert_eq!(listed(&token, "late=1").await, ["看样"]);
        // Another due date gives it back, with the new end.
        let patch = json!({ "due": "2026-09-30 18:00" });
        let path = format!("{ALL}/{}", id(&task));
        li.json("PATCH", &path, patch.clone()).await.expect(428);
        li.json_with("PATCH", &path, patch.clone(), &[("if-match", "\"9\"")]).await.expect(412);
        let moved = li.json_with("PATCH", &path, patch, &[("if-match", "\"1\"")]).await.expect(200).json();
        assert_eq!(moved["right_until"], "2026-09-30T12:00:00.000Z");
        wang.get(&page).await.expect(200);
        // Withdrawn, returned: gone at once.
        act(&li, &task, "withdrawal", json!({ "reason": "不用了" })).await.expect(200);
        wang.get(&page).await.expect(404);
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_grants WHERE revoked_at IS NULL AND ends_at > 1790600000000").await, 0);
        for wrong in [json!({ "grace_hours": 721, "bundle": "" }), json!({ "grace_hours": 1, "bundle": "staff" }), json!({})] {
            admin.json("PUT", &format!("{ALL}/rules"), wrong.clone()).await.expect(422);
        }
        token.json("PUT", &format!("{ALL}/rules"), json!({ "grace_hours": 1, "bundle": "" })).await.expect(403);
        assert_eq!(admin.get(&format!("{ALL}/rules")).await.json()["grace_hours"], 2);
    })
    .await;
}

// covers: DS-04, AM-02, SD-01
#[tokio::test(flavor = "multi_thread")]
async fn the_sales_department_asks_a_mine_for_help_and_the_line_of_reporting_sees_it() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let group = unit(&admin, "集团", "group", None).await;
        let sales = unit(&admin, "销售部", "department", Some(&group)).await;
        let mine = unit(&admin, "岭北矿", "mine", Some(&group)).await;
        let li = seller(&app, &admin, "li").await;
        let [boss, chief, miner, digger, other] = [
            app.staff("boss", DataScope::Own).await,
            app.staff("chief", DataScope::Own).await,
            app.staff("miner", DataScope::Own).await,
            app.staff("digger", DataScope::Own).await,
            app.staff("other", DataScope::Own).await,
        ];
        for (person, place, held) in [
            (&boss, &group, "general_manager"),
            (&li, &sales, "sales_manager"),
            (&chief, &mine, "department_head"),
            (&miner, &mine, "repair_staff"),
            (&digger, &mine, "repair_staff"),
            (&other, &sales, "sales_staff"),
        ] {
            post(&admin, person.person_id, place, held).await;
        }
        head(&admin, &group, boss.person_id).await;
        head(&admin, &sales, li.person_id).await;
        head(&admin, &mine, chief.person_id).await;
        let customer = li.customer(json!({ "kind": "organisation", "name": "华南水泥" })).await;
        let seen = format!("/api/v1/customers/{}", id(&customer));
        let [li, boss, chief, miner, digger, other] = [
            li.with_token().await,
            boss.with_token().await,
            chief.with_token().await,
            miner.with_token().await,
            digger.with_token().await,
            other.with_token().await,
        ];
        let body = json!({
            "title": "协助客户看样", "customer_id": customer["id"], "unit_id": mine["id"], "due": "2026-09-29 17:00",
        });
        let task = li.json("POST", ALL, body).await.expect(201).json();
        assert_eq!((&task["unit"], &task["receiver"]), (&json!("岭北矿"), &Json::Null));
        let path = format!("{ALL}/{}", id(&task));
        // The head and the people of the mine see it, and those above; nobody else, and nobody the customer yet.
        for who in [&li, &boss, &chief, &miner, &digger] {
            who.get(&path).await.expect(200);
        }
        other.get(&path).await.expect(404);
        act(&other, &task, "claim", json!({})).await.expect(404);
        for who in [&chief, &miner, &digger] {
            who.get(&seen).await.expect(404);
            assert_eq!(who.get(&path).await.json()["customer"], Json::Null);
            assert_eq!(listed(who, "place=mine").await, ["协助客户看样"]);
        }
        act(&boss, &task, "claim", json!({})).await.expect(403);
        // Two take it at once: one of them has it.
        let (first, second) = tokio::join!(act(&miner, &task, "claim", json!({})), act(&digger, &task, "claim", json!({})));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        let (taker, slower) = if first.status.as_u16() == 200 { (&miner, &digger) } else { (&digger, &miner) };
        // Whoever was slower does not see it any more, as somebody else's.
        assert!(statuses == [200, 404], "{statuses:?} {} {}", first.text(), second.text());
        slower.get(&path).await.expect(404);
        taker.get(&seen).await.expect(200);
        slower.get(&seen).await.expect(404);
        chief.get(&seen).await.expect(404);
        // Work is visible up the line: the head of the mine and the head of the group see it with their people.
        assert_eq!(listed(&chief, "place=people").await, ["协助客户看样"]);
        assert_eq!(listed(&boss, "place=people").await, ["协助客户看样"]);
        assert_eq!(listed(&other, "place=people").await, [""; 0]);
        assert_eq!(boss.get(&path).await.json()["customer"], Json::Null, "the task, not the customer");
        let done = act(taker, &task, "closure", json!({ "reply": "已安排周二上午" })).await.expect(200);
        assert_eq!(done.json()["reply"], "已安排周二上午");
        taker.get(&seen).await.expect(404);
        let statistics = boss.get(&format!("{ALL}/statistics")).await.expect(200).json();
        let of_mine = statistics["by_unit"].as_array().unwrap().iter().find(|u| u["unit_id"] == mine["id"]).unwrap();
        assert_eq!(of_mine["figures"], json!({ "given": 1, "in_time": 1, "late": 0, "bounced": 0 }));
        let none = other.get(&format!("{ALL}/statistics")).await.expect(200).json();
        assert_eq!((&none["by_unit"], &none["total"]["given"]), (&json!([]), &json!(0)));
    })
    .await;
}

// covers: LF-10
#[tokio::test(flavor = "multi_thread")]
async fn a_process_leads_the_task_and_what_is_returned_counts_as_bounced() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let group = unit(&admin, "集团", "group", None).await;
        let service = unit(&admin, "客户服务部", "department", Some(&group)).await;
        let office = unit(&admin, "总经办", "department", Some(&group)).await;
        let [li, clerk, secretary, fitter] = [
            app.staff("li", DataScope::Own).await,
            app.staff("clerk", DataScope::Own).await,
            app.staff("secretary", DataScope::Own).await,
            app.staff("fitter", DataScope::Own).await,
        ];
        post(&admin, clerk.person_id, &service, "service_staff").await;
        post(&admin, secretary.person_id, &office, "secretary").await;
        post(&admin, fitter.person_id, &group, "repair_staff").await;
        let [li, clerk, secretary, fitter] =
            [li.with_token().await, clerk.with_token().await, secretary.with_token().await, fitter.with_token().await];
        let duty = |unit: &Json, duty: &str| json!({ "unit_id": unit["id"], "duty": duty });
        let process = |code: &str, duties: Json| json!({ "code": code, "title": format!("流程{code}"), "duties": duties });
        let complaints = json!([duty(&service, "responsible"), duty(&group, "accountable"), duty(&office, "informed")]);
        let complaints = admin.json("POST", "/api/v1/processes", process("c", complaints)).await.expect(201).json();
        let repairs = json!([{ "post": "repair_staff", "duty": "responsible" }, duty(&group, "accountable")]);
        let repairs = admin.json("POST", "/api/v1/processes", process("r", repairs)).await.expect(201).json();
        let shared = json!([duty(&service, "responsible"), duty(&office, "responsible"), duty(&group, "accountable")]);
        let shared = admin.json("POST", "/api/v1/processes", process("s", shared)).await.expect(201).json();
        let body = |process: &Json, to: Json| {
            let mut body = json!({ "title": "处理投诉", "process_id": process["id"], "due": "2026-09-29" });
            body.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
            body
        };
        // Nobody named: it goes to whoever is responsible, and the informed see it.
        let task = li.json("POST", ALL, body(&complaints, json!({}))).await.expect(201).json();
        assert_eq!((&task["unit_id"], &task["receiver"]), (&service["id"], &Json::Null));
        assert_eq!(listed(&clerk, "place=mine").await, ["处理投诉"]);
        assert_eq!(listed(&secretary, "place=informed").await, ["处理投诉"]);
        assert_eq!(listed(&secretary, "place=mine").await, [""; 0]);
        secretary.get(&format!("{ALL}/{}", id(&task))).await.expect(200);
        act(&secretary, &task, "claim", json!({})).await.expect(403);
        fitter.get(&format!("{ALL}/{}", id(&task))).await.expect(404);
        // To somebody who is not responsible it cannot be given.
        let wrong = li.json("POST", ALL, body(&complaints, json!({ "person_id": fitter.person_id }))).await.expect(422);
        assert!(wrong.text().contains("不由对方负责"), "{}", wrong.text());
        let open = li.json("POST", ALL, body(&shared, json!({}))).await.expect(422).text();
        assert!(open.contains("由几个部门或岗位负责"), "{open}");
        li.json("POST", ALL, body(&shared, json!({ "unit_id": office["id"] }))).await.expect(201);
        // A post: whoever holds it may take it.
        let repair = li.json("POST", ALL, body(&repairs, json!({}))).await.expect(201).json();
        assert_eq!(repair["post"], "repair_staff");
        clerk.get(&format!("{ALL}/{}", id(&repair))).await.expect(404);
        assert_eq!(listed(&fitter, "place=mine").await, ["处理投诉"]);
        act(&fitter, &repair, "claim", json!({})).await.expect(200);
        // Returned with a reason: it lies with its giver and counts as bounced; given again it counts as given.
        act(&clerk, &task, "return", json!({ "reason": "x" })).await.expect(409);
        act(&clerk, &task, "claim", json!({})).await.expect(200);
        act(&clerk, &task, "return", json!({ "reason": "" })).await.expect(422);
        act(&secretary, &task, "return", json!({ "reason": "x" })).await.expect(403);
        act(&clerk, &task, "return", json!({ "reason": "不是我们的产品" })).await.expect(200);
        assert_eq!(listed(&clerk, "place=mine").await, [""; 0]);
        let back = li.get("/api/v1/tasks?reason=assignments").await.json();
        assert_eq!((&back["items"][0]["state"], &back["counts"]["assignments"]), (&json!("returned"), &json!(1)));
        act(&clerk, &task, "closure", json!({ "reply": "x" })).await.expect(409);
        act(&clerk, &task, "reassignment", json!({})).await.expect(403);
        let again = act(&li, &task, "reassignment", json!({ "note": "是你们的" })).await.expect(200).json();
        assert_eq!((&again["state"], &again["unit_id"]), (&json!("open"), &service["id"]));
        act(&clerk, &again, "claim", json!({})).await.expect(200);
        app.clock.advance(40 * HOUR);
        assert_eq!(act(&clerk, &again, "closure", json!({ "reply": "已处理" })).await.expect(200).json()["is_late"], true);
        let found = admin.get(&format!("{ALL}/statistics?from=2026-09&to=2026-09")).await.expect(200).json();
        let of = |list: &str, key: &str, value: &Json| {
            let all = found[list].as_array().unwrap().clone();
            all.into_iter().find(|one| one[key] == *value).map_or(Json::Null, |one| one["figures"].clone())
        };
        let expected = json!({ "given": 2, "in_time": 0, "late": 1, "bounced": 1 });
        assert_eq!(of("by_process", "process_id", &complaints["id"]), expected);
        assert_eq!(of("by_unit", "unit_id", &service["id"]), expected);
        let taken = json!({ "given": 1, "in_time": 0, "late": 0, "bounced": 0 });
        assert_eq!(of("by_unit", "unit_id", &group["id"]), taken, "given to a post counts where it was taken");
        assert_eq!(found["total"]["given"], 4);
        admin.get(&format!("{ALL}/statistics?from=2026-13")).await.expect(422);
        let later = admin.get(&format!("{ALL}/statistics?from=2026-10")).await.expect(200).json();
        assert_eq!(later["total"]["given"], 0);
        // A process that is taken away informs nobody any more; its tasks keep its name.
        let path = format!("/api/v1/processes/{}", id(&complaints));
        admin.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        secretary.get(&format!("{ALL}/{}", id(&task))).await.expect(404);
        assert!(clerk.get(&format!("{ALL}/{}", id(&task))).await.json()["process_id"] == complaints["id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_by_a_task_what_he_may_not_grant_himself() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let plain = app.staff("plain", DataScope::Own).await;
        let li = seller(&app, &admin, "li").await;
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        let own = plain.customer(json!({ "kind": "person", "name": "甲" })).await;
        let shared = li.customer(json!({ "kind": "person", "name": "乙" })).await;
        let (plain, li) = (plain.with_token().await, li.with_token().await);
        let body = |customer: &Json, more: Json| {
            let mut body = json!({
                "title": "帮忙", "customer_id": customer["id"], "person_id": wang.person_id, "due": "2026-09-29",
            });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        // Without the right to share: the task goes out without a right, and a right that is asked for is refused.
        let task = plain.json("POST", ALL, body(&own, json!({}))).await.expect(201).json();
        assert_eq!(task["role_id"], Json::Null);
        wang.get(&format!("/api/v1/customers/{}", id(&own))).await.expect(404);
        let refused = plain.json("POST", ALL, body(&own, json!({ "role": "share_read" }))).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "role", "{refused}");
        // A bundle that permits more than the giver may do: he reads and shares, and cannot change.
        let zhao = bare(&app, "zhao").await;
        give(&admin, &zhao, "sharing").await;
        let read = json!({ "kind": "person", "name": "丙", "owner_id": zhao.person_id });
        let read = app.administrator().await.customer(read).await;
        let zhao = zhao.with_token().await;
        let refused = zhao.json("POST", ALL, body(&read, json!({ "role": "share_work" }))).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "role", "{refused}");
        // A customer the giver does not know.
        wang.json("POST", ALL, json!({ "title": "x", "customer_id": shared["id"], "person_id": li.person_id, "due": "2026-09-29" }))
            .await
            .expect(404);
        // Who gets a right by a task cannot give it on by another task.
        li.json("POST", ALL, body(&shared, json!({ "role": "share_work" }))).await.expect(201);
        let on = json!({ "title": "转手", "customer_id": shared["id"], "person_id": plain.person_id, "due": "2026-09-29" });
        assert_eq!(wang.json("POST", ALL, on).await.expect(201).json()["role_id"], Json::Null);
        plain.get(&format!("/api/v1/customers/{}", id(&shared))).await.expect(404);
        // Whoever must keep out gets neither right nor task.
        let all = format!("/api/v1/customers/{}/exclusions", id(&shared));
        let path = listed(&wang, "place=mine").await;
        assert_eq!(path.len(), 2);
        admin.json("POST", &all, json!({ "person_id": wang.person_id, "reason": "被投诉" })).await.expect(201);
        assert_eq!(listed(&wang, "place=mine").await.len(), 1);
        let refused = li.json("POST", ALL, body(&shared, json!({ "role": "share_read" }))).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "to", "{refused}");
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_grants WHERE revoked_at IS NULL").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_given_is_refused_with_its_field() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let empty = unit(&admin, "空部门", "department", None).await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        let page = li.clone();
        let li = li.with_token().await;
        let to = json!({ "title": "x", "person_id": wang.person_id, "due": "2026-09-29" });
        let with = |more: Json| {
            let mut body = to.clone();
            for (key, value) in more.as_object().unwrap() {
                match value {
                    Json::Null if key != "role" => drop(body.as_object_mut().unwrap().remove(key)),
                    _ => body[key] = value.clone(),
                }
            }
            body
        };
        for (field, more) in [
            ("title", json!({ "title": " " })),
            ("title", json!({ "title": "长".repeat(81) })),
            ("title", json!({ "title": 7 })),
            ("body", json!({ "body": "长".repeat(2001) })),
            ("due", json!({ "due": null })),
            ("due", json!({ "due": "2026-09-27" })),
            ("due", json!({ "due": "2028-09-27" })),
            ("due", json!({ "due": "下周" })),
            ("priority", json!({ "priority": "asap" })),
            ("to", json!({ "person_id": null })),
            ("to", json!({ "person_id": li.person_id })),
            ("to", json!({ "person_id": "01M2Z8Q4T7V0K" })),
            ("person_id", json!({ "person_id": "x" })),
            ("unit_id", json!({ "unit_id": empty["id"] })),
            ("to", json!({ "person_id": null, "unit_id": empty["id"] })),
            ("to", json!({ "person_id": null, "unit_id": "01M2Z8Q4T7V0K" })),
            ("process_id", json!({ "process_id": "01M2Z8Q4T7V0K" })),
            ("role", json!({ "role": "share_read" })),
            ("role", json!({ "role": "staff" })),
            ("state", json!({ "state": "done" })),
            ("colour", json!({ "colour": "red" })),
        ] {
            let refused = li.json("POST", ALL, with(more.clone())).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{more} {refused}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM assignments").await, 0);
        let refused = page.post_form("/assignments", &[("title", ""), ("due", "")]).await.expect(422).text();
        assert!(
            refused.contains("请用一句话写明要办的事") && refused.contains("请填写完成期限"),
            "{refused}"
        );
        for query in ["place=all", "state=x", "limit=0", "after=zz", "process_id=x", "customer_id=x"] {
            li.get(&format!("{ALL}?{query}")).await.expect(422);
        }
        // A form gives as the API does.
        let to = format!("person:{}", wang.person_id);
        let form = [
            ("title", "盘点"),
            ("to", to.as_str()),
            ("due", "2026-09-29"),
            ("due_time", "17:30"),
            ("role", "usual"),
        ];
        page.post_form("/assignments", &form).await.expect(303);
        assert_eq!(listed(&li, "place=given").await, ["盘点"]);
        assert!(page.get("/assignments?place=given").await.expect(200).text().contains("2026-09-29 17:30"));
        assert!(page.get_part("/assignments/receivers?q=wang").await.expect(200).text().contains("person:"));
        assert!(wang.get("/assignments").await.expect(200).text().contains("盘点"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_list_neither_leave_out_nor_repeat_a_task() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await.with_token().await;
        let wang = app.staff("wang", DataScope::Own).await;
        for n in 0..7 {
            // Some are due at the same time.
            let due = format!("2026-09-{}", 29 + n % 2);
            let body = json!({ "title": format!("任务{n}"), "person_id": wang.person_id, "due": due });
            li.json("POST", ALL, body).await.expect(201);
        }
        for query in ["place=given", "place=given&state=all"] {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = li.get(&format!("{ALL}?{query}&limit=2&after={after}")).await.expect(200).json();
                seen.extend(
                    page["items"].as_array().unwrap().iter().map(|t| t["title"].as_str().unwrap().to_owned()),
                );
                match page["next"].as_str() {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            let whole = listed(&li, query).await;
            assert_eq!(seen, whole, "{query}");
            assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 7);
        }
        assert_eq!(listed(&li, "place=given&q=务3").await, ["任务3"]);
        assert_eq!(listed(&li, "place=given&q=%25").await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_hands_his_tasks_over_and_the_right_goes_along() {
    both(|app| async move {
        let admin = app.administrator().await;
        let token = admin.with_token().await;
        let li = seller(&app, &token, "li").await;
        let [wang, zhao] = [app.staff("wang", DataScope::Own).await, app.staff("zhao", DataScope::Own).await];
        let customer = li.customer(json!({ "kind": "person", "name": "张三" })).await;
        let seen = format!("/api/v1/customers/{}", id(&customer));
        let (li, wang_token, zhao_token) = (li.with_token().await, wang.with_token().await, zhao.with_token().await);
        let give = |title: &str, customer: Json, to: PersonId| {
            json!({ "title": title, "customer_id": customer, "person_id": to, "due": "2026-09-30" })
        };
        let task = li.json("POST", ALL, give("回访", customer["id"].clone(), wang.person_id)).await.expect(201).json();
        wang_token.json("POST", ALL, give("请报价", Json::Null, li.person_id)).await.expect(201);
        let page = format!("/admin/people/{}/leave", wang.person_id);
        let shown = admin.get(&page).await.expect(200).text();
        assert!(shown.contains("1 件交办给他的任务没有办结") && shown.contains("1 件他交办的任务没有办结"), "{shown}");
        let to = zhao.person_id.to_string();
        let himself = wang.person_id.to_string();
        let form = |to: &'static str| [("last_day", "2026-09-28"), ("customers_to", ""), ("tasks_to", to)];
        let himself: &'static str = Box::leak(himself.into_boxed_str());
        admin.post_form(&page, &form(himself)).await.expect(422);
        admin.post_form(&page, &form(Box::leak(to.into_boxed_str()))).await.expect(303);
        wang_token.get(&seen).await.expect(401);
        zhao_token.get(&seen).await.expect(200);
        assert_eq!(listed(&zhao_token, "place=mine").await, ["回访"]);
        assert_eq!(listed(&zhao_token, "place=given").await, ["请报价"]);
        let steps = li.get(&format!("{ALL}/{}", id(&task))).await.json()["steps"].clone();
        assert_eq!((&steps[1]["kind"], &steps[1]["to"]), (&json!("handed_over"), &json!("员工zhao")));
        // Without a successor they go back to those who gave them, and the right ends.
        let page = format!("/admin/people/{}/leave", zhao.person_id);
        admin.post_form(&page, &[("last_day", "2026-09-28"), ("customers_to", ""), ("tasks_to", "")]).await.expect(303);
        let back = li.get(&format!("{ALL}/{}", id(&task))).await.json();
        assert_eq!((&back["state"], &back["right_until"]), (&json!("returned"), &Json::Null));
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_grants WHERE revoked_at IS NULL").await, 0);
    })
    .await;
}

/// Random organisations, tasks in every state: what a person can open is exactly what the condition for lists lets
/// through, on both engines.
#[tokio::test(flavor = "multi_thread")]
async fn who_sees_a_task_is_one_rule_in_memory_and_in_sql() {
    both(|app| async move {
        let mut people: Vec<PersonId> = Vec::new();
        for n in 0..7 {
            people.push(app.staff(&format!("p{n}"), DataScope::Own).await.person_id);
        }
        let (mut asked, mut sees) = (0, 0);
        for round in 0..12_u64 {
            let of = people.clone();
            app.app.db.write(move |tx| settle(tx, &of, &mut Dice(0x9E37_79B9 + round * 77))).await.unwrap();
            let directory = app.app.directory().await.unwrap();
            let day = "2026-09-28".to_owned();
            let ground = Ground { directory, zone: app.app.zone.clone(), day: day.clone(), now: NOW };
            for person in &people {
                let actor = app.app.actor_for(*person, kehu::access::Via::Job).await.unwrap().unwrap();
                let sight = ground.sight(&actor);
                let sql = format!("SELECT a.id FROM assignments a WHERE {} ORDER BY a.id", sight.sql());
                let of = ground.clone();
                let (listed, all, opened) = app
                    .app
                    .db
                    .read(move |conn| {
                        let listed: Vec<(AssignmentId,)> = conn.rows(&sql, &[])?;
                        let all: Vec<(AssignmentId,)> =
                            conn.rows("SELECT id FROM assignments ORDER BY id", &[])?;
                        let opened: Vec<(AssignmentId,)> = all
                            .iter()
                            .filter(|(id,)| assignments::find(conn, &actor, &of, *id).is_ok())
                            .copied()
                            .collect();
                        // Every list shows only what can be opened, and together they show all of it.
                        let mut shown = BTreeSet::new();
                        for place in Place::ALL {
                            let query =
                                ListQuery { place, every_state: true, limit: 200, ..ListQuery::default() };
                            let found = assignments::list(conn, &actor, &of, &query)
                                .map_err(|e| store::Error::Schema(e.to_string()))?;
                            shown.extend(found.0.into_iter().map(|t| t.id));
                        }
                        let may: BTreeSet<AssignmentId> = opened.iter().map(|(id,)| *id).collect();
                        assert_eq!(shown, may, "the lists together");
                        Ok::<_, store::Error>((listed, all, opened))
                    })
                    .await
                    .unwrap();
                assert_eq!(listed, opened, "round {round}, {person:?}");
                (asked, sees) = (asked + all.len(), sees + listed.len());
            }
        }
        assert!(sees > asked / 20 && sees < asked * 19 / 20, "{sees} of {asked}");
    })
    .await;
}

/// A random company of seven with forty tasks.
fn settle(tx: &mut store::Tx<'_>, people: &[PersonId], dice: &mut Dice) -> store::Result<()> {
    for table in ["assignments", "process_duties", "processes", "positions", "units", "delegations"] {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    for n in 0..3_i64 {
        let (from, to) = (dice.one_of(people), dice.one_of(people));
        // Under way, over, or not begun yet.
        let (starts, ends) = dice.one_of(&[(-HOUR, HOUR), (-HOUR, HOUR), (-HOUR, 0), (1, HOUR)]);
        tx.exec(
            "INSERT INTO delegations (id, from_id, to_id, starts_at, ends_at, reason, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, 'x', 0, 0)",
            &[(8_000 + n).into(), from.into(), to.into(), (NOW + starts).into(), (NOW + ends).into()],
        )?;
    }
    for n in 0..5_i64 {
        let parent = if n == 0 { None } else { Some(1_000 + dice.roll(n as usize) as i64) };
        let head = if dice.roll(4) == 0 { None } else { Some(dice.one_of(people)) };
        tx.exec(
            "INSERT INTO units (id, parent_id, kind, name, head_id, opened_on, created_at, updated_at)
             VALUES ($1, $2, 'department', 'x', $3, '2020-01-01', 0, 0)",
            &[(1_000 + n).into(), parent.into(), head.into()],
        )?;
    }
    for (n, person) in people.iter().enumerate() {
        for held in 0..dice.roll(3) as i64 {
            tx.exec(
                "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, ends_on, created_at, created_by,
                   updated_at) VALUES ($1, $2, $3, $4, $5, '2020-01-01', $6, 0, 0, 0)",
                &[
                    (5_000 + n as i64 * 10 + held).into(),
                    (*person).into(),
                    (1_000 + dice.roll(5) as i64).into(),
                    dice.one_of(&["clerk", "it's"]).into(),
                    (held == 0).into(),
                    dice.one_of(&["", "2026-09-28", "2026-09-27"]).into(),
                ],
            )?;
        }
    }
    for n in 0..2_i64 {
        tx.exec(
            "INSERT INTO processes (id, code, title, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, 'x', 0, 0, 0, 0)",
            &[(7_000 + n).into(), format!("p{n}").into()],
        )?;
        let (unit, post) = dice.one_of(&[(1_000_i64, ""), (1_001, ""), (0, "clerk"), (0, "it's")]);
        tx.exec(
            "INSERT INTO process_duties (process_id, unit_id, post, duty) VALUES ($1, $2, $3, $4)",
            &[(7_000 + n).into(), unit.into(), post.into(), dice.one_of(&["informed", "consulted"]).into()],
        )?;
    }
    for n in 0..40_i64 {
        let state = dice.one_of(&["open", "open", "taken", "done", "returned", "withdrawn"]);
        let (unit, post) = match dice.roll(3) {
            0 => (Some(1_000 + dice.roll(5) as i64), ""),
            1 => (None, dice.one_of(&["clerk", "it's"])),
            _ => (None, ""),
        };
        let is_free = state == "open" && (unit.is_some() || !post.is_empty());
        let receiver = if is_free { None } else { Some(dice.one_of(people)) };
        let process = if dice.roll(3) == 0 { Some(7_000 + dice.roll(2) as i64) } else { None };
        tx.exec(
            "INSERT INTO assignments (id, title, process_id, giver_id, unit_id, post, receiver_id, state, priority, due_at,
               is_due_by_day, given_at, created_at, updated_at)
             VALUES ($1, 'x', $2, $3, $4, $5, $6, $7, 1, $8, TRUE, 0, 0, 0)",
            &[
                (9_000 + n).into(),
                process.into(),
                dice.one_of(people).into(),
                unit.into(),
                post.into(),
                receiver.into(),
                state.into(),
                (NOW + dice.roll(9) as i64).into(),
            ],
        )?;
    }
    org::rights_changed(tx)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_task_is_answered_like_none_and_noted() {
    both(|app| async move {
        let [li, wang, other] = [
            app.staff("li", DataScope::Own).await,
            app.staff("wang", DataScope::Own).await,
            app.staff("other", DataScope::Own).await,
        ];
        let token = li.with_token().await;
        let body = json!({ "title": "私事不外传", "person_id": wang.person_id, "due": "2026-09-29" });
        let task = token.json("POST", ALL, body).await.expect(201).json();
        let page = format!("/assignments/{}", id(&task));
        for path in [page.clone(), format!("{page}/edit")] {
            let answer = other.get(&path).await.expect(404).text();
            assert!(!answer.contains("私事不外传"), "{path}");
        }
        for what in ["claim", "closure", "return", "withdrawal", "reassignment"] {
            other
                .post_form(&format!("{page}/{what}"), &[("reply", "x"), ("reason", "x"), ("to", "x")])
                .await
                .expect(404);
        }
        other.post_form(&page, &[("title", "x"), ("priority", "x")]).await.expect(404);
        for list in [
            "/assignments",
            "/assignments?place=people",
            "/assignments?place=informed",
            "/tasks?tab=assignments",
        ] {
            assert!(!other.get(list).await.expect(200).text().contains("私事不外传"), "{list}");
        }
        // The receiver may not change it, the giver may not close it.
        wang.get(&format!("{page}/edit")).await.expect(403);
        wang.post_form(&format!("{page}/withdrawal"), &[]).await.expect(403);
        li.post_form(&format!("{page}/closure"), &[("reply", "x")]).await.expect(403);
        let noted = app.number(
            "SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden' AND object = 'assignment'",
        );
        assert!(noted.await >= 8);
        let actor = Actor::command_line();
        let ground = Ground::of(&app.app).await.unwrap();
        let found: AssignmentId = id(&task).parse().unwrap();
        app.app.db.read(move |conn| assignments::find(conn, &actor, &ground, found)).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_customer_lists_its_open_tasks_as_far_as_the_reader_sees_them() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = seller(&app, &admin, "li").await;
        let wang = app.staff("wang", DataScope::Own).await;
        let sun = app.staff("sun", DataScope::All).await;
        let customer = li.customer(json!({ "kind": "person", "name": "苏东坡" })).await;
        let other = li.customer(json!({ "kind": "person", "name": "黄庭坚" })).await;
        let page = format!("/customers/{}", id(&customer));
        let tab = format!("{page}/assignments");
        let counted = |n: i64| format!("id=\"count-{}-assignments\">{n}</span>", id(&customer));
        // Nothing yet: the tab says what it is for, and leads to the form with the customer filled in.
        assert!(li.get(&page).await.expect(200).text().contains(&counted(0)));
        let empty = li.get_part(&tab).await.expect(200).text();
        let form = format!("/assignments/new?customer={}", id(&customer));
        assert!(empty.contains("没有关于这位客户的任务") && empty.contains(&form), "{empty}");
        assert!(li.get(&form).await.expect(200).text().contains("苏东坡"));
        li.get(&tab).await.expect(303);
        let token = li.with_token().await;
        let give = |customer: &Json, title: &str| {
            json!({ "title": title, "customer_id": customer["id"], "person_id": wang.person_id, "due": "2026-09-30" })
        };
        let mut tasks = Vec::new();
        for title in ["电话回访", "寄样品", "核对地址"] {
            tasks.push(token.json("POST", ALL, give(&customer, title)).await.expect(201).json());
        }
        token.json("POST", ALL, give(&other, "别的客户的事")).await.expect(201);
        let does = wang.with_token().await;
        act(&does, &tasks[0], "closure", json!({ "reply": "打过了" })).await.expect(200);
        act(&does, &tasks[1], "return", json!({ "reason": "没有样品" })).await.expect(200);
        // What is over is not there any more; what came back is. The drawer and the whole page say the same.
        for (who, count) in [(&li, 2), (&wang, 2), (&admin, 2), (&sun, 0)] {
            let api = who.with_token().await;
            let listed = listed(&api, &format!("place=seen&customer_id={}", id(&customer))).await;
            assert_eq!(listed.len(), count, "{listed:?}");
            if who.person_id == admin.person_id {
                continue;
            }
            for card in [who.get(&page).await, who.get_part(&page).await] {
                assert!(card.expect(200).text().contains(&counted(count as i64)));
            }
            let part = who.get_part(&tab).await.expect(200).text();
            assert_eq!(part.contains("寄样品") && part.contains("核对地址"), count > 0, "{part}");
            assert!(!part.contains("电话回访") && !part.contains("别的客户的事"), "{part}");
        }
        let all = li.get(&format!("/assignments?place=seen&state=all&customer_id={}", id(&customer))).await;
        let all = all.expect(200).text();
        assert!(all.contains("电话回访") && all.contains("客户：苏东坡") && !all.contains("别的客户的事"), "{all}");
        // Whoever may not read the customer learns nothing of its tasks, though he sees one about another.
        token.json("POST", ALL, give(&other, "还有一件")).await.expect(201);
        act(&does, &tasks[2], "return", json!({ "reason": "不归我" })).await.expect(200);
        for path in [&page, &tab] {
            wang.get_part(path).await.expect(404);
        }
        does.get(&format!("{ALL}?place=seen&customer_id={}", id(&customer))).await.expect(404);
        does.get(&format!("{ALL}?place=everything")).await.expect(422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_does_the_tasks_of_the_one_away_until_the_delegation_ends() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = seller(&app, &admin, "li").await;
        let [zhang, wang, sun] = [
            app.staff("zhang", DataScope::Own).await,
            app.staff("wang", DataScope::Own).await,
            app.staff("sun", DataScope::Own).await,
        ];
        let service = unit(&admin, "客户服务部", "department", None).await;
        post(&admin, zhang.person_id, &service, "service_staff").await;
        let customer = li.customer(json!({ "kind": "person", "name": "苏东坡" })).await;
        let other = li.customer(json!({ "kind": "person", "name": "黄庭坚" })).await;
        let seen = format!("/api/v1/customers/{}", id(&customer));
        let page = wang.clone();
        let [li, zhang, wang, sun] =
            [li.with_token().await, zhang.with_token().await, wang.with_token().await, sun.with_token().await];
        let give = |title: &str, to: Json| {
            let mut body = json!({ "title": title, "due": "2026-09-30" });
            body.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
            body
        };
        let to_zhang = json!({ "person_id": zhang.person_id, "customer_id": customer["id"] });
        let visit = li.json("POST", ALL, give("上门看样", to_zhang)).await.expect(201).json();
        let to_unit = json!({ "unit_id": service["id"], "customer_id": other["id"] });
        let call = li.json("POST", ALL, give("电话回访", to_unit)).await.expect(201).json();
        let given = zhang.json("POST", ALL, give("查库存", json!({ "person_id": sun.person_id }))).await;
        let given = given.expect(201).json();
        let paths: Vec<String> = [&visit, &call, &given].map(|t| format!("{ALL}/{}", id(t))).into();
        let badge = async || {
            let actor = app.app.actor_for(wang.person_id, kehu::access::Via::Job).await.unwrap().unwrap();
            app.app.waiting(&actor).await.unwrap().0
        };
        // Before: nothing of it is his.
        for path in &paths {
            wang.get(path).await.expect(404);
        }
        assert_eq!(badge().await, 0);
        let body = json!({ "to_id": wang.person_id, "ends_at": "2026-09-28 20:00", "reason": "出差" });
        zhang.json("POST", "/api/v1/delegations", body).await.expect(201);
        // While it runs: seen, counted, marked; the customer of the task too, but of nothing else.
        for path in &paths {
            wang.get(path).await.expect(200);
        }
        assert_eq!(badge().await, 2);
        let waiting = wang.get("/api/v1/tasks?reason=assignments").await.expect(200).json();
        assert_eq!(waiting["counts"]["assignments"], 2);
        assert_eq!(waiting["items"][0]["acting_for"], json!({ "id": zhang.person_id, "name": "员工zhang" }));
        assert_eq!(listed(&wang, "place=mine").await.len(), 2);
        assert_eq!(listed(&wang, "place=given").await, ["查库存"]);
        let tasks = page.get("/tasks?tab=assignments").await.expect(200).text();
        assert!(tasks.contains("代 员工zhang") && tasks.contains("上门看样"), "{tasks}");
        assert_eq!(zhang.get(&paths[0]).await.json()["acting_for"], Json::Null);
        wang.get(&seen).await.expect(200);
        wang.get(&format!("/api/v1/customers/{}", id(&other))).await.expect(404);
        let why = page.get(&format!("/admin/explain?customer={}", id(&customer))).await.expect(200).text();
        assert!(why.contains("上门看样") && why.contains("代 员工zhang"), "{why}");
        // What he takes he takes for the one away, whose it stays; so does the right on the customer.
        let taken = act(&wang, &call, "claim", json!({})).await.expect(200).json();
        assert_eq!(taken["receiver"]["id"], json!(zhang.person_id));
        assert_eq!(
            (&taken["steps"][1]["by"], &taken["steps"][1]["acting_for"]),
            (&json!("员工wang"), &json!("员工zhang"))
        );
        zhang.get(&format!("/api/v1/customers/{}", id(&other))).await.expect(200);
        wang.get(&format!("/api/v1/customers/{}", id(&other))).await.expect(200);
        act(&sun, &given, "return", json!({ "reason": "没有权限" })).await.expect(200);
        assert_eq!(badge().await, 3, "and what came back to the one away");
        let back = json!({ "person_id": wang.person_id });
        act(&wang, &given, "reassignment", back).await.expect(422);
        act(&wang, &given, "reassignment", json!({ "person_id": li.person_id })).await.expect(200);
        act(&wang, &visit, "closure", json!({ "reply": "看过了" })).await.expect(200);
        let card = page.get(&format!("/assignments/{}", id(&visit))).await.expect(200).text();
        assert!(card.contains("员工wang（代 员工zhang）"), "{card}");
        // The log names both.
        let noted = app
            .number("SELECT COUNT(*) FROM audit_log WHERE after LIKE '%\"acting_for\":%' AND action LIKE 'assignment.%'")
            .await;
        assert_eq!(noted, 3);
        let log = app.administrator().await.get("/admin/audit?q=&action=assignment.").await.expect(200).text();
        assert!(log.contains("代谁办理"), "{log}");
        // He acts for nobody else's tasks, and does not become anybody's superior.
        act(&wang, &given, "closure", json!({ "reply": "x" })).await.expect(403);
        // To the millisecond, for the open page and the token.
        let end = NOW + 3 * HOUR + 40 * 60_000;
        app.clock.advance(end - 1 - app.app.now());
        wang.get(&paths[1]).await.expect(200);
        app.clock.advance(1);
        for path in &paths {
            wang.get(path).await.expect(404);
        }
        act(&wang, &call, "closure", json!({ "reply": "x" })).await.expect(404);
        wang.get(&format!("/api/v1/customers/{}", id(&other))).await.expect(404);
        assert_eq!(badge().await, 0);
        act(&zhang, &call, "closure", json!({ "reply": "打过了" })).await.expect(200);
    })
    .await;
}
