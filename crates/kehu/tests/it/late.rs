//! Acts that come late: what time did to a case comes before what a person does, though no job has woken it yet. And
//! what is refused leaves its row, though the act is taken back.

use kehu::cases;
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::cases::enact;
use crate::roles::{post, unit};
use crate::{Answer, Client, TestApp, both};

const HOUR: i64 = 3_600_000;

/// A leave of absence: asked for, agreed to within a day or refused by silence; forbidden beyond ten days.
const LEAVE: &[(&str, &str)] = &[
    (
        "policy.toml",
        r#"
        [policy]
        id = "leave"
        title = "请假办法"
        version = "1"
        [[clause]]
        id = "1"
        text = "请假由部门负责人一天内审批，逾期视为不同意。"
        [[clause]]
        id = "2"
        text = "一次请假不得超过十天。"
        [[clause]]
        id = "3"
        text = "病假须附证明，部门负责人可以豁免。"
        "#,
    ),
    (
        "forms.toml",
        r#"
        [[form]]
        id = "leave"
        title = "请假单"
        by = "[actor]"
        fill = ["days"]
        offer = ["sick"]
        subject = "'请假'"
        [[form.field]]
        id = "days"
        title = "天数"
        type = "int"
        [[form.field]]
        id = "sick"
        title = "病假"
        type = "bool"
        [[step]]
        id = "ask"
        title = "审批"
        kind = "approval"
        next = "take"
        clause = "1"
        [step.approve]
        [[step.approve.stage]]
        by = "superior(case.creator)"
        [step.approve.timeout]
        within = "24h"
        then = "reject"
        [[step]]
        id = "take"
        title = "休假"
        by = "[case.creator]"
        clause = "1"
        [[step.action]]
        id = "back"
        title = "销假"
        next = "done"
        [[step]]
        id = "done"
        title = "完成"
        kind = "end"
        clause = "1"
        [[deadline]]
        id = "back-in-time"
        title = "按时销假"
        from = "case.opened_at"
        within = "48h"
        until = "case.closed_at"
        warn = ["-30h", "-1h"]
        breach = { notify = "superior(case.creator)", mark = "late" }
        clause = "1"
        [[refusal]]
        id = "too-long"
        on = "leave.open"
        when = "case.days > 10"
        message = "一次请假不得超过十天。"
        clause = "2"
        [[refusal]]
        id = "no-proof"
        on = "leave.back"
        when = "case.sick == true"
        message = "病假须附证明。"
        exempt_by = "superior(case.creator)"
        clause = "3, 1"
        "#,
    ),
];

fn leave() -> Json {
    LEAVE.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect::<Vec<_>>().into()
}

/// An office: who asks, who decides.
struct Office<'a> {
    li: Client<'a>,
    boss: Client<'a>,
    admin: Client<'a>,
    browser: Client<'a>,
    policy: String,
}

async fn office(app: &TestApp) -> Office<'_> {
    let browser = app.administrator().await;
    let admin = browser.with_token().await;
    let (li, boss) = (app.staff("li", DataScope::Own).await, app.staff("boss", DataScope::Own).await);
    let at = unit(app, "业务部").await;
    post(app, &li, &at, "sales_staff").await;
    post(app, &boss, &at, "department_manager").await;
    let leads = boss.person_id;
    app.app
        .db
        .write(move |tx| {
            tx.exec("UPDATE units SET head_id = $1", &[leads.into()])?;
            kehu::org::rights_changed(tx)
        })
        .await
        .unwrap();
    app.app.forget_sessions();
    let enacted = enact(&admin, leave()).await;
    let policy = format!("/policies/{}", enacted["id"].as_str().unwrap());
    Office { li: li.with_token().await, boss: boss.with_token().await, admin, browser, policy }
}

impl Office<'_> {
    async fn ask(&self, values: Json) -> Answer {
        self.li.json("POST", "/api/v1/cases/leave", json!({ "values": values })).await
    }
}

fn path(case: &Json, what: &str) -> String {
    format!("/api/v1/cases/leave/{}{what}", case["id"].as_str().unwrap())
}

async fn approve(who: &Client<'_>, case: &Json) -> Answer {
    who.json("POST", &path(case, "/decisions"), json!({ "verdict": "approve" })).await
}

async fn back(who: &Client<'_>, case: &Json) -> Answer {
    who.json("POST", &path(case, "/actions"), json!({ "action": "back" })).await
}

async fn told(who: &Client<'_>) -> Vec<String> {
    let list = who.get("/api/v1/notices").await.expect(200).json();
    list["items"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_whose_time_is_up_is_not_decided_by_a_late_click() {
    both(|app| async move {
        let of = office(&app).await;
        let in_time = of.ask(json!({ "days": 1 })).await.expect(201).json();
        let late = of.ask(json!({ "days": 2 })).await.expect(201).json();
        app.clock.advance(24 * HOUR);
        approve(&of.boss, &in_time).await.expect(200);
        app.clock.advance(1);
        // No job has come by; the time is up all the same, and silence was a no.
        approve(&of.boss, &late).await.expect(409);
        let refused = of.boss.json("POST", &path(&late, "/decisions"), json!({ "verdict": "urge" })).await;
        refused.expect(409);
        cases::run_due(&app.app).await.unwrap();
        cases::run_due(&app.app).await.unwrap();
        let now = of.boss.get(&path(&late, "")).await.expect(200).json();
        assert_eq!(now["is_open"], false, "{now}");
        let decided = now["trail"].as_array().unwrap().iter().filter(|line| line["kind"] == "decided");
        assert_eq!(decided.count(), 1, "{now}");
        approve(&of.boss, &late).await.expect(409);
        assert_eq!(of.boss.get(&path(&in_time, "")).await.json()["step"], "take");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_act_comes_after_all_that_was_due_before_it() {
    both(|app| async move {
        let of = office(&app).await;
        let case = of.ask(json!({ "days": 1 })).await.expect(201).json();
        approve(&of.boss, &case).await.expect(200);
        // Three days later, and no job has run: the warnings and the breach were due before he comes back.
        app.clock.advance(72 * HOUR);
        let closed = back(&of.li, &case).await.expect(200).json();
        assert_eq!((&closed["is_open"], &closed["marks"]), (&json!(false), &json!(["late"])));
        let kinds: Vec<(&str, &str)> = closed["trail"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| (line["kind"].as_str().unwrap(), line["at"].as_str().unwrap()))
            .collect();
        let at = |kind: &str| kinds.iter().position(|(known, _)| *known == kind);
        assert!(at("breached").unwrap() < at("did").unwrap(), "{kinds:?}");
        // The breach has its own time, the first instant after the deadline.
        let breach = kinds[at("breached").unwrap()].1;
        assert_eq!(breach, kehu::clock::rfc3339(NOW + 48 * HOUR + 1));
        // Told once, now, and nobody is warned of what has passed.
        let kinds = told(&of.boss).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "breached").count(), 1, "{kinds:?}");
        assert!(!kinds.contains(&"warned".to_owned()), "{kinds:?}");
        let list = of.boss.get("/api/v1/notices").await.expect(200).json();
        let breached = list["items"].as_array().unwrap().iter().find(|n| n["kind"] == "breached").unwrap();
        assert_eq!(breached["at"], kehu::clock::rfc3339(NOW + 72 * HOUR));
        let written = app.number("SELECT COUNT(*) FROM case_trail").await;
        cases::run_due(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM case_trail").await, written, "nothing comes twice");
        // The log is written in the order of its clock.
        let backwards =
            "SELECT COUNT(*) FROM audit_log a JOIN audit_log b ON a.chain = b.chain AND b.seq = a.seq + 1
                         WHERE b.at < a.at";
        assert_eq!(app.number(backwards).await, 0);
        // The job and a person at once: what was due happens once.
        let case = of.ask(json!({ "days": 3 })).await.expect(201).json();
        approve(&of.boss, &case).await.expect(200);
        app.clock.advance(72 * HOUR);
        let (woken, done) = tokio::join!(cases::run_due(&app.app), back(&of.li, &case));
        woken.unwrap();
        done.expect(200);
        let breaches = "SELECT COUNT(*) FROM case_trail WHERE kind = 'breached'";
        assert_eq!(app.number(breaches).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clause_refuses_is_counted_though_it_is_taken_back() {
    both(|app| async move {
        let of = office(&app).await;
        of.ask(json!({ "days": 11 })).await.expect(409);
        let key = [("idempotency-key", "leave-1")];
        let body = json!({ "values": { "days": 12 } });
        of.li.json_with("POST", "/api/v1/cases/leave", body, &key).await.expect(409);
        assert_eq!(app.number("SELECT COUNT(*) FROM cases").await, 0, "nothing was opened");
        let case = of.ask(json!({ "days": 1, "sick": true })).await.expect(201).json();
        // Refused for another reason than a clause, it is no refusal of the regulation.
        back(&of.li, &case).await.expect(409);
        of.ask(json!({})).await.expect(422);
        approve(&of.boss, &case).await.expect(200);
        let said = back(&of.li, &case).await.expect(409).text();
        assert!(said.contains("病假须附证明"), "{said}");
        assert_eq!(of.li.get(&path(&case, "")).await.expect(200).json()["step"], "take");
        assert_eq!(app.number("SELECT COUNT(*) FROM refusals").await, 3);
        let written = app
            .text(
                "SELECT refusal || '|' || clause || '|' || what FROM refusals
                   WHERE is_case = TRUE AND customer_id IS NULL AND unit_id IS NOT NULL",
            )
            .await;
        assert_eq!(written, "no-proof|3,1|请假单：销假");
        // What is asked about has an end, on the page, in the file and in the log.
        let endless =
            format!("{}/compliance/refusals/export?format=csv&clause={}", of.policy, "1".repeat(60_000));
        of.browser.get(&endless).await.expect(200);
        let longest = "SELECT MAX(LENGTH(after)) FROM audit_log WHERE action = 'policy.compliance_exported'";
        assert!(app.number(longest).await < 300);
        // Compliance counts it at each clause it cites, and says who it was.
        let head = app.sign_in(of.boss.person_id).await;
        let compliance = format!("{}/compliance", of.policy);
        let rows =
            of.browser.get(&format!("{compliance}/export?period=month&format=csv")).await.expect(200).text();
        for line in ["1,,1,0,0,1,—,1,0,0", "2,,0,0,0,0,—,2,0,0", "3,,0,0,0,0,—,1,0,0"] {
            assert!(rows.contains(line), "{line}: {rows}");
        }
        let page = of.browser.get(&compliance).await.expect(200).text();
        assert!(page.contains("/compliance/refusals?period=month&#38;clause=2"), "{page}");
        let register = format!("{compliance}/refusals");
        let number = case["number"].as_str().unwrap();
        for who in [&of.browser, &head] {
            let all = who.get(&register).await.expect(200).text();
            for words in ["员工li", "业务部", "请假单：开单", "请假单：销假", number, "病假须附证明"]
            {
                assert!(all.contains(words), "{words}: {all}");
            }
            let one = who.get(&format!("{register}?clause=2")).await.expect(200).text();
            assert!(one.contains("请假单：开单") && !one.contains(number), "{one}");
        }
        let file = head.get(&format!("{register}/export?format=csv")).await.expect(200).text();
        assert_eq!(file.matches("员工li").count(), 3, "{file}");
        assert!(head.get(&format!("{register}/export")).await.expect(200).body.starts_with(b"PK"));
        // The exemption stands beside it.
        let until = kehu::clock::rfc3339(NOW + 24 * HOUR);
        let body = json!({ "refusal": "no-proof", "reason": "证明后补", "until": until });
        of.boss.json("POST", &path(&case, "/exemptions"), body).await.expect(201);
        back(&of.li, &case).await.expect(200);
        let given = head.get(&format!("{compliance}/exemptions?clause=3")).await.expect(200).text();
        for words in ["员工boss", "证明后补", number, "病假须附证明"] {
            assert!(given.contains(words), "{words}: {given}");
        }
        let file = head.get(&format!("{compliance}/exemptions/export?format=csv")).await.expect(200).text();
        assert!(file.contains("证明后补"), "{file}");
        // Not for everybody, and of other units nobody hears.
        let other = app.sign_in(of.li.person_id).await;
        other.get(&register).await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM refusals").await, 3);
        let admin = of.admin.get("/api/v1/cases/leave").await.expect(200).json();
        assert_eq!(admin["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
