//! Penalties: proposed by a regulation, confirmed by those it names or whoever acts for them, appealed against in time, and
//! summed up for whoever deducts them.

use kehu::clock::rfc3339;
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::cases::{act, enact, head, id, post, unit};
use crate::{Answer, Client, TestApp, both};

const DAY: i64 = 24 * 3_600_000;
const ALL: &str = "/api/v1/penalties";

/// Whoever comes late pays for each time, double from the second slip of a month on; his superior confirms it, and he may
/// appeal for a day. What was not explained costs points, which the administrators confirm, without appeal.
const DISCIPLINE: &[(&str, &str)] = &[
    (
        "policy.toml",
        r#"
        [policy]
        id = "discipline"
        title = "考勤办法"
        version = "1"
        [[clause]]
        id = "1"
        text = "迟到一次扣 50 元，当月再次加倍，由上级确认，一天内可以申诉。"
        [[clause]]
        id = "2"
        text = "没有说明原因的，扣 2 分。"
        "#,
    ),
    (
        "forms.toml",
        r#"
        [[form]]
        id = "lateness"
        title = "迟到单"
        by = "[actor]"
        fill = ["person", "slips"]
        subject = "'迟到'"
        [[form.field]]
        id = "person"
        title = "迟到的人"
        type = "person"
        [[form.field]]
        id = "slips"
        title = "次数"
        type = "int"
        [[step]]
        id = "explain"
        title = "说明"
        by = "[case.creator]"
        clause = "1"
        [[step.action]]
        id = "unexplained"
        title = "没有说明"
        next = "done"
        [[step]]
        id = "done"
        title = "完成"
        kind = "end"
        clause = "1"
        [[penalty]]
        id = "late"
        title = "迟到"
        on = "lateness.open"
        whom = "case.person"
        amount = "50"
        count = "case.slips"
        multiply = { from = 2, by = 2.0 }
        confirm_by = "superior(case.person)"
        appeal = "24h"
        clause = "1"
        [[penalty]]
        id = "unexplained"
        title = "没有说明原因"
        on = "lateness.unexplained"
        whom = "case.person"
        amount = "2"
        measure = "points"
        clause = "2"
        "#,
    ),
];

/// A department with its head, his deputy, one who comes late, and an office that notes it.
struct Company<'a> {
    app: &'a TestApp,
    admin: Client<'a>,
    clerk: Client<'a>,
    li: Client<'a>,
    boss: Client<'a>,
    deputy: Client<'a>,
    wang: Client<'a>,
}

async fn company(app: &TestApp) -> Company<'_> {
    let admin = app.administrator().await.with_token().await;
    let [department, office] = [
        unit(&admin, "业务一部", "department", None).await,
        unit(&admin, "办公室", "department", None).await,
    ];
    let mut people = Vec::new();
    for (name, at) in [
        ("clerk", &office),
        ("li", &department),
        ("boss", &department),
        ("deputy", &office),
        ("wang", &office),
    ] {
        let person = app.staff(name, DataScope::Own).await.with_token().await;
        post(&admin, &person, at, "sales_staff").await;
        people.push(person);
    }
    let mut people = people.into_iter();
    let mut next = || people.next().unwrap();
    let (clerk, li, boss, deputy, wang) = (next(), next(), next(), next(), next());
    head(&admin, &department, &boss).await;
    let files = DISCIPLINE.iter().map(|(name, text)| json!({ "name": name, "text": text }));
    enact(&admin, files.collect::<Vec<_>>().into()).await;
    Company { app, admin, clerk, li, boss, deputy, wang }
}

impl Company<'_> {
    /// Li came late so often; the case.
    async fn late(&self, slips: i64) -> Json {
        let body = json!({ "values": { "person": self.li.person_id, "slips": slips } });
        self.clerk.json("POST", "/api/v1/cases/lateness", body).await.expect(201).json()
    }

    /// The newest penalty as somebody sees it.
    async fn newest(&self, who: &Client<'_>) -> Json {
        listed(who, "").await.remove(0)
    }

    fn advance(&self, ms: i64) {
        self.app.clock.advance(ms);
    }

    async fn badge(&self, who: &Client<'_>) -> i64 {
        let actor = self.app.app.actor_for(who.person_id, kehu::access::Via::Job).await.unwrap().unwrap();
        self.app.app.waiting(&actor).await.unwrap().0
    }
}

async fn listed(who: &Client<'_>, query: &str) -> Vec<Json> {
    let list = who.get(&format!("{ALL}?{query}")).await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

/// Does something with a penalty as it was last seen.
async fn with(who: &Client<'_>, penalty: &Json, what: &str, body: Json) -> Answer {
    let seen = format!("\"{}\"", penalty["version"]);
    who.json_with("POST", &format!("{ALL}/{}/{what}", id(penalty)), body, &[("if-match", &seen)]).await
}

async fn told(who: &Client<'_>) -> Vec<String> {
    let list = who.get("/api/v1/notices").await.expect(200).json();
    list["items"].as_array().unwrap().iter().map(|n| n["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_penalty_is_confirmed_by_a_delegate_appealed_at_the_last_instant_and_taken_back() {
    both(|app| async move {
        let of = company(&app).await;
        let case = of.late(2).await;
        let mine = listed(&of.li, "place=mine").await.remove(0);
        assert_eq!(
            (&mine["state"], &mine["amount"], &mine["count"]),
            (&json!("proposed"), &json!(10_000), &json!(2))
        );
        assert_eq!(mine["appeal_until"], rfc3339(NOW + DAY));
        assert_eq!((&mine["deciders"], &mine["acts"]), (&json!([of.boss.person_id]), &json!(["appeal"])));
        assert_eq!(mine["case"], Json::Null, "he cannot read the case");
        let path = format!("{ALL}/{}", id(&mine));
        let seen = of.admin.get(&path).await.expect(200);
        assert_eq!(seen.header("etag"), "\"1\"");
        assert_eq!(seen.json()["case"]["number"], case["number"]);
        // Both are told, each in his own words, and the notice leads to the penalty.
        let own = of.li.get("/api/v1/notices").await.expect(200).json()["items"][0].clone();
        assert_eq!(own["penalty_id"], mine["id"]);
        let own = own["text"].as_str().unwrap();
        assert!(own.contains("100.00 元") && own.contains("最迟 2026-09-29 16:20 提出申诉"), "{own}");
        assert!(told(&of.boss).await[0].contains("员工li“迟到” 100.00 元，等您确认"));
        assert_eq!((of.badge(&of.boss).await, of.badge(&of.li).await), (1, 0));
        // Who has nothing to do with it knows of nothing; whoever it hits decides nothing.
        for who in [&of.wang, &of.clerk, &of.deputy] {
            who.get(&path).await.expect(404);
            with(who, &mine, "confirmation", json!({})).await.expect(404);
            assert_eq!(listed(who, "").await, Vec::<Json>::new());
        }
        with(&of.li, &mine, "confirmation", json!({})).await.expect(403);
        with(&of.li, &mine, "cancellation", json!({ "reason": "算了" })).await.expect(403);
        with(&of.boss, &mine, "appeal", json!({ "reason": "不对" })).await.expect(403);
        of.boss.json("POST", &format!("{path}/confirmation"), json!({})).await.expect(428);
        with(&of.boss, &json!({ "id": mine["id"], "version": 7 }), "confirmation", json!({}))
            .await
            .expect(412);
        with(&of.boss, &mine, "cancellation", json!({})).await.expect(422);
        with(&of.boss, &mine, "confirmation", json!({ "note": 1 })).await.expect(422);
        let decision = json!({ "decision": "upheld", "reason": "维持" });
        with(&of.boss, &mine, "appeal-decision", decision).await.expect(409);
        // The head is away: his deputy confirms on his behalf, once however often it is sent.
        let away = json!({ "to_id": of.deputy.person_id, "ends_at": "2026-09-28 20:00", "reason": "出差" });
        of.boss.json("POST", "/api/v1/delegations", away).await.expect(201);
        assert_eq!(of.badge(&of.deputy).await, 1);
        assert_eq!(listed(&of.deputy, "place=todo").await.len(), 1);
        let headers = [("if-match", "\"1\""), ("idempotency-key", "confirm-1")];
        for _ in 0..2 {
            let body = json!({ "note": "属实" });
            let answer = of.deputy.json_with("POST", &format!("{path}/confirmation"), body, &headers).await;
            let confirmed = answer.expect(200).json();
            assert_eq!((&confirmed["state"], &confirmed["is_final"]), (&json!("confirmed"), &json!(false)));
            assert_eq!(confirmed["decided_by"], json!(of.deputy.person_id));
        }
        assert!(
            told(&of.li).await[0].starts_with("员工deputy（代员工boss）确认了对您的处罚“迟到” 100.00 元")
        );
        let noted =
            "SELECT COUNT(*) FROM audit_log WHERE action = 'penalty.confirmed' AND after LIKE '%acting_for%'";
        assert_eq!(app.number(noted).await, 1);
        assert_eq!((of.badge(&of.boss).await, of.badge(&of.deputy).await), (0, 0));
        with(&of.boss, &json!({ "id": mine["id"], "version": 2 }), "confirmation", json!({}))
            .await
            .expect(409);
        with(&of.boss, &json!({ "id": mine["id"], "version": 2 }), "cancellation", json!({ "reason": "错" }))
            .await
            .expect(403);
        // The last instant is in time. Under appeal it is not final, and waits again.
        of.advance(DAY);
        let own = of.newest(&of.li).await;
        assert_eq!((&own["acts"], &own["is_final"]), (&json!(["appeal"]), &json!(false)));
        with(&of.li, &own, "appeal", json!({ "reason": " " })).await.expect(422);
        let appealed =
            with(&of.li, &own, "appeal", json!({ "reason": "那天请了假" })).await.expect(200).json();
        assert_eq!((&appealed["state"], &appealed["is_final"]), (&json!("appealed"), &json!(false)));
        assert!(told(&of.boss).await[0].contains("提出申诉，等您裁决"));
        assert_eq!(of.badge(&of.boss).await, 1);
        of.advance(1);
        assert_eq!(of.newest(&of.li).await["is_final"], json!(false), "an open appeal keeps it open");
        with(&of.li, &appealed, "appeal", json!({ "reason": "再说一次" })).await.expect(409);
        with(&of.admin, &appealed, "cancellation", json!({ "reason": "错" })).await.expect(409);
        of.deputy.get(&path).await.expect(404);
        let decision = json!({ "decision": "withdrawn", "reason": "确有假条" });
        let back = with(&of.boss, &appealed, "appeal-decision", decision.clone()).await.expect(200).json();
        assert_eq!((&back["state"], &back["appeal"]["decision"]), (&json!("cancelled"), &json!("withdrawn")));
        assert_eq!(back["decided_by"], json!(of.deputy.person_id), "who confirmed it stays on record");
        with(&of.boss, &back, "appeal-decision", decision).await.expect(409);
        assert!(told(&of.li).await[0].contains("采纳了您的申诉，撤销处罚“迟到” 100.00 元：确有假条"));
        for kind in ["penalty.proposed", "penalty.confirmed", "penalty.appealed", "penalty.withdrawn"] {
            let sql = "SELECT COUNT(*) FROM events WHERE kind = $1";
            let count = app.app.db.read(move |conn| conn.count(sql, &[kind.into()])).await.unwrap();
            assert_eq!(count, 1, "{kind}");
        }
        let trail = of.admin.get(&format!("/api/v1/cases/lateness/{}", id(&case))).await.expect(200).json();
        let lines = trail["trail"].as_array().unwrap().iter().filter(|line| line["kind"] == "penalty");
        assert_eq!(lines.count(), 4, "{trail}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_on_a_penalty_reads_its_case_until_it_is_decided() {
    both(|app| async move {
        let of = company(&app).await;
        let case = of.late(1).await;
        let penalty = of.newest(&of.boss).await;
        let path = format!("/api/v1/cases/lateness/{}", id(&case));
        let reads = |status: u16| {
            let (boss, path) = (of.boss.clone(), path.clone());
            async move { boss.get(&path).await.expect(status) }
        };
        let listed_cases = || async {
            let list = of.boss.get("/api/v1/cases/lateness").await.expect(200).json();
            list["items"].as_array().unwrap().len()
        };
        // While it waits for him, to read; he has no part in the case itself. Nobody else comes in with him, least of
        // all whoever it hits.
        assert_eq!(reads(200).await.json()["values"]["slips"], 1);
        assert_eq!((&penalty["case"]["number"], listed_cases().await), (&case["number"], 1));
        act(&of.boss, &case, "unexplained", json!({})).await.expect(403);
        for who in [&of.li, &of.deputy, &of.wang] {
            who.get(&path).await.expect(404);
        }
        // Nor on behalf of him: whoever it hits reads nothing of it as his superior's delegate.
        for (to, status) in [(&of.deputy, 200), (&of.li, 404)] {
            let away = json!({ "to_id": to.person_id, "ends_at": "2026-09-28 20:00", "reason": "出差" });
            let given = of.boss.json("POST", "/api/v1/delegations", away).await.expect(201).json();
            to.get(&path).await.expect(status);
            let back = format!("/api/v1/delegations/{}", id(&given));
            of.boss.json("DELETE", &back, json!({})).await.expect(204);
            to.get(&path).await.expect(404);
        }
        // Decided: what he may read beside it is what remains, here nothing.
        let confirmed = with(&of.boss, &penalty, "confirmation", json!({})).await.expect(200).json();
        assert_eq!(confirmed["case"], Json::Null);
        reads(404).await;
        assert_eq!(listed_cases().await, 0);
        // An appeal is to be decided by the case again.
        let own = of.newest(&of.li).await;
        let appealed = with(&of.li, &own, "appeal", json!({ "reason": "堵车" })).await.expect(200).json();
        reads(200).await;
        let decision = json!({ "decision": "upheld", "reason": "不算" });
        with(&of.boss, &appealed, "appeal-decision", decision).await.expect(200);
        reads(404).await;
        // Another one of the same case still waits: cancelled, it ends as well.
        let case = of.late(1).await;
        let path = format!("/api/v1/cases/lateness/{}", id(&case));
        of.boss.get(&path).await.expect(200);
        let second = listed(&of.boss, "state=proposed").await.remove(0);
        with(&of.boss, &second, "cancellation", json!({ "reason": "登记错了" })).await.expect(200);
        of.boss.get(&path).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_does_not_double_and_an_appeal_one_millisecond_late_is_refused() {
    both(|app| async move {
        let of = company(&app).await;
        of.late(1).await;
        let first = of.newest(&of.boss).await;
        assert_eq!((&first["factor"], &first["times"]), (&json!(1.0), &json!(1)));
        let cancelled =
            with(&of.boss, &first, "cancellation", json!({ "reason": "登记错了" })).await.expect(200);
        assert_eq!(cancelled.json()["state"], "cancelled");
        with(&of.li, &cancelled.json(), "appeal", json!({ "reason": "不服" })).await.expect(409);
        // The next is the first of the month, the one after it the second.
        of.late(1).await;
        let second = of.newest(&of.boss).await;
        assert_eq!((&second["amount"], &second["times"]), (&json!(5_000), &json!(1)));
        of.late(1).await;
        let third = of.newest(&of.boss).await;
        assert_eq!(
            (&third["amount"], &third["factor"], &third["times"]),
            (&json!(10_000), &json!(2.0), &json!(2))
        );
        // Appealed against before anybody confirmed it: nobody confirms it past the appeal, upholding it does.
        let appealed = with(&of.li, &third, "appeal", json!({ "reason": "堵车" })).await.expect(200).json();
        with(&of.boss, &appealed, "confirmation", json!({})).await.expect(409);
        let decision = json!({ "decision": "maybe", "reason": "x" });
        with(&of.boss, &appealed, "appeal-decision", decision).await.expect(422);
        let decision = json!({ "decision": "upheld", "reason": "堵车不算" });
        with(&of.li, &appealed, "appeal-decision", decision.clone()).await.expect(403);
        let upheld = with(&of.boss, &appealed, "appeal-decision", decision).await.expect(200).json();
        assert_eq!((&upheld["state"], &upheld["is_final"]), (&json!("confirmed"), &json!(true)));
        assert!(told(&of.li).await[0].contains("维持处罚“迟到” 100.00 元：堵车不算"));
        // One millisecond after the last one.
        of.advance(DAY + 1);
        let refused = with(&of.li, &second, "appeal", json!({ "reason": "不服" })).await.expect(409).json();
        assert_eq!(refused["title"], "申诉期已于 2026-09-29 16:20 截止，不能再申诉");
        let confirmed = with(&of.boss, &second, "confirmation", json!({})).await.expect(200).json();
        assert_eq!((&confirmed["is_final"], &confirmed["acts"]), (&json!(true), &json!([])));
        assert!(!told(&of.li).await[0].contains("提出申诉"));
        // A mistake found later is put right by administrators only.
        assert_eq!(
            of.admin.get(&format!("{ALL}/{}", id(&confirmed))).await.json()["acts"],
            json!(["cancellation"])
        );
        with(&of.admin, &confirmed, "cancellation", json!({ "reason": "打卡机坏了" })).await.expect(200);
        let states = |state: &'static str| {
            let boss = of.boss.clone();
            async move { listed(&boss, &format!("state={state}&month=2026-09")).await.len() }
        };
        assert_eq!(states("cancelled").await, 2);
        assert_eq!(
            (states("confirmed").await, states("proposed").await, states("appealed").await),
            (1, 0, 0)
        );
        assert_eq!(listed(&of.boss, "month=2026-10").await.len(), 0);
        // Page by page, each once.
        let mut seen = Vec::new();
        let mut next = String::new();
        loop {
            let page = of.boss.get(&format!("{ALL}?limit=1&after={next}")).await.expect(200).json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|one| id(one).to_owned()));
            let Some(more) = page["next"].as_str() else { break };
            next = more.to_owned();
        }
        assert_eq!(seen.len(), 3);
        for wrong in ["place=x", "state=x", "month=2026-13", "person_id=x", "after=x", "limit=0"] {
            of.boss.get(&format!("{ALL}?{wrong}")).await.expect(422);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_named_administrators_decide_and_of_two_at_once_one_wins() {
    both(|app| async move {
        let of = company(&app).await;
        let case = of.late(1).await;
        act(&of.clerk, &case, "unexplained", json!({})).await.expect(200);
        let points = of.newest(&of.admin).await;
        assert_eq!((&points["measure"], &points["amount"]), (&json!("points"), &json!(200)));
        assert_eq!((&points["deciders"], &points["appeal_until"]), (&json!([]), &Json::Null));
        let todo = listed(&of.admin, "place=todo").await;
        assert_eq!(todo.iter().map(id).collect::<Vec<_>>(), [id(&points)]);
        assert!(told(&of.admin).await[0].contains("2 分，等您确认"));
        // His superior sees it, but the regulation does not name him.
        assert_eq!(of.newest(&of.boss).await["acts"], json!([]));
        with(&of.boss, &points, "confirmation", json!({})).await.expect(403);
        with(&of.li, &points, "appeal", json!({ "reason": "不服" })).await.expect(409);
        with(&of.admin, &points, "confirmation", json!({})).await.expect(200);
        // Confirmed and cancelled in the same instant.
        let late = listed(&of.boss, "state=proposed").await.remove(0);
        let (confirmed, cancelled) = tokio::join!(
            with(&of.boss, &late, "confirmation", json!({})),
            with(&of.admin, &late, "cancellation", json!({ "reason": "登记错了" })),
        );
        let mut answers = [confirmed.status.as_u16(), cancelled.status.as_u16()];
        answers.sort_unstable();
        assert!(answers[0] == 200 && matches!(answers[1], 409 | 412), "{answers:?}");
        let path = format!("{ALL}/{}", id(&late));
        assert_eq!(of.admin.get(&path).await.json()["version"], 2);
        let noted =
            "SELECT COUNT(*) FROM audit_log WHERE action IN ('penalty.confirmed', 'penalty.cancelled')";
        assert_eq!(app.number(noted).await, 2);
        // An appeal and its being cancelled likewise: whichever came first, the other one knew.
        of.late(1).await;
        let late = listed(&of.boss, "state=proposed").await.remove(0);
        let (appealed, cancelled) = tokio::join!(
            with(&of.li, &late, "appeal", json!({ "reason": "不服" })),
            with(&of.boss, &late, "cancellation", json!({ "reason": "登记错了" })),
        );
        let mut answers = [appealed.status.as_u16(), cancelled.status.as_u16()];
        answers.sort_unstable();
        assert!(answers[0] == 200 && matches!(answers[1], 409 | 412), "{answers:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_how_an_amount_follows_and_finance_gets_the_sums_as_a_file() {
    both(|app| async move {
        let of = company(&app).await;
        let [li, boss, wang, admin] = [
            app.sign_in(of.li.person_id).await,
            app.sign_in(of.boss.person_id).await,
            app.sign_in(of.wang.person_id).await,
            app.administrator().await,
        ];
        // An empty page teaches.
        assert!(li.get("/penalties?place=mine").await.expect(200).text().contains("您没有受到处罚"));
        assert!(li.get("/penalties?place=sums").await.expect(200).text().contains("没有可以合计的处罚"));
        of.late(1).await;
        of.late(3).await;
        let penalty = of.newest(&of.boss).await;
        let path = format!("/penalties/{}", id(&penalty));
        // Whoever has something to decide gets that first, on the badge, among his to-dos and on the workbench too.
        let list = boss.get("/penalties").await.expect(200).text();
        assert!(list.contains(&path) && list.contains("员工li") && list.contains("300.00 元"), "{list}");
        assert!(boss.get("/tasks").await.expect(200).text().contains("待处理的处罚"));
        assert!(boss.get("/").await.expect(200).text().contains("/penalties?place=todo"));
        assert!(!li.get("/").await.expect(200).text().contains("/penalties?place=todo"));
        let card = boss.get_part(&path).await.expect(200).text();
        assert!(card.contains("每项 50.00 元 × 3 项 × 2 倍 = 300.00 元"), "{card}");
        assert!(
            card.contains(&format!("{path}/confirmation")) && !card.contains(&format!("{path}/appeal\""))
        );
        assert!(card.contains("/cases/"), "he judges by the case: {card}");
        assert!(admin.get(&path).await.expect(200).text().contains("/cases/"));
        let own = li.get(&path).await.expect(200).text();
        assert!(own.contains("2026-09-29 16:20") && own.contains(&format!("{path}/appeal\"")), "{own}");
        assert!(!own.contains("/confirmation"));
        for (method, at) in [("GET", path.clone()), ("POST", format!("{path}/confirmation"))] {
            let answer = if method == "GET" { wang.get(&at).await } else { wang.post_form(&at, &[]).await };
            answer.expect(404);
        }
        assert!(wang.get("/penalties?place=all").await.expect(200).text().contains("没有您看得到的处罚"));
        // A form without a reason says so beside it; a stale one is refused.
        let refused = li.post_form(&format!("{path}/appeal"), &[("version", "1"), ("reason", "")]).await;
        assert!(refused.expect(422).text().contains("请写明理由"));
        let stale = boss.post_form(&format!("{path}/confirmation"), &[("version", "9")]).await.expect(422);
        assert!(stale.text().contains("请刷新后重新修改"));
        let said = [("version", "1"), ("note", "<b>属实</b>")];
        boss.post_form(&format!("{path}/confirmation"), &said).await.expect(303);
        let card = li.get(&path).await.expect(200).text();
        assert!(card.contains("&#60;b&#62;属实") || card.contains("&lt;b&gt;属实"), "{card}");
        let appeal = [("version", "2"), ("reason", "堵车")];
        li.post_form(&format!("{path}/appeal"), &appeal).await.expect(303);
        let decide = [("version", "3"), ("reason", "不算"), ("decision", "upheld")];
        boss.post_form(&format!("{path}/appeal-decision"), &decide).await.expect(303);
        let card = boss.get_part(&path).await.expect(200).text();
        assert!(!card.contains("/cases/"), "nothing is left to decide: {card}");
        let list =
            li.get_part("/penalties?place=mine&state=confirmed&month=2026-09").await.expect(200).text();
        assert!(
            list.contains("已生效") && list.contains("300.00 元") && !list.contains("50.00 元"),
            "{list}"
        );
        // Sums: what stands, and what does not yet.
        let sums = boss.get("/penalties?place=sums").await.expect(200).text();
        assert!(
            sums.contains("300.00 元") && sums.contains("50.00 元") && sums.contains("2026-09"),
            "{sums}"
        );
        let file = boss.get("/penalties/export?place=sums&format=csv&month=2026-09").await.expect(200);
        assert!(file.text().contains("员工li,2026-09,元,1,300,1,50"), "{}", file.text());
        let file = boss.get("/penalties/export?place=all&format=csv").await.expect(200).text();
        assert!(file.contains("堵车") && file.contains("不算") && file.lines().count() == 3, "{file}");
        assert_eq!(boss.get("/penalties/export?place=sums").await.expect(200).body[..2], *b"PK");
        let nothing = wang.get("/penalties/export?place=sums&format=csv").await.expect(200).text();
        assert_eq!(nothing.lines().count(), 1, "{nothing}");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'penalty.exported'").await, 4);
        boss.get("/penalties/export?format=pdf").await.expect(422);
        // The notice leads there.
        assert!(li.get("/notices").await.expect(200).text().contains(&path));
    })
    .await;
}
