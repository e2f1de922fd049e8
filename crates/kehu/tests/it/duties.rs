//! 定期职责: periods begin, closed cases and events prove what is owed, reminders and ends come at their minute, and
//! everything happens once.

use kehu::duties;
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::cases::enact;
use crate::roles::{post, unit};
use crate::{Client, TestApp, both};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

const RULES: &[(&str, &str)] = &[
    (
        "policy.toml",
        r#"
        [policy]
        id = "rounds"
        title = "定期工作办法"
        version = "1"
        [[clause]]
        id = "1"
        text = "每个部门每月抽查一次，月底前完成。"
        [[clause]]
        id = "2"
        text = "每月报表次月五个工作日内报送。"
        [[clause]]
        id = "3"
        text = "每个工作日登记两次跟进。"
        [[clause]]
        id = "4"
        text = "企业客户每季拜访一次。"
        "#,
    ),
    (
        "forms.toml",
        r#"
        [[form]]
        id = "sampling"
        title = "抽查单"
        by = "[actor]"
        [[step]]
        form = "sampling"
        id = "do"
        title = "抽查"
        by = "[case.creator]"
        clause = "1"
        [[step.action]]
        id = "finish"
        title = "完成"
        next = "done"
        [[step]]
        form = "sampling"
        id = "done"
        title = "完成"
        kind = "end"
        clause = "1"
        "#,
    ),
    (
        "visits.toml",
        r#"
        [[form]]
        id = "visit"
        title = "拜访单"
        by = "[actor]"
        customer = "customer"
        fill = ["customer"]
        [[form.field]]
        id = "customer"
        title = "客户"
        type = "customer"
        [[step]]
        form = "visit"
        id = "do"
        title = "拜访"
        by = "[case.creator]"
        clause = "4"
        [[step.action]]
        id = "finish"
        title = "完成"
        next = "done"
        [[step]]
        form = "visit"
        id = "done"
        title = "完成"
        kind = "end"
        clause = "4"
        "#,
    ),
    (
        "duties.toml",
        r#"
        [[duty]]
        id = "sampling"
        title = "月底抽查"
        per = "unit"
        every = "month"
        due = "same-day 24:00"
        by = "event.unit.head"
        evidence = "form:sampling"
        warn = ["-5d", "-1d"]
        notify = "superior(event.unit.head)"
        target = 0.9
        clause = "1"
        [[duty]]
        id = "report"
        title = "报送报表"
        per = "company"
        every = "month"
        due = "5wd"
        by = "holders('POST')"
        evidence = "form:sampling"
        times = 2
        clause = "2"
        [[duty]]
        id = "contacts"
        title = "登记跟进"
        per = "person"
        of = "event.person.name == '员工li'"
        every = "workday"
        due = "same-day 24:00"
        by = "event.person"
        evidence = "activity.created"
        times = 2
        clause = "3"
        [[duty]]
        id = "visit"
        title = "拜访企业客户"
        per = "customer"
        of = "event.customer.kind == 'organisation' && !has_case('visit', '完成', event.customer)"
        every = "quarter"
        due = "same-day 24:00"
        by = "event.customer.owner"
        evidence = "form:visit"
        clause = "4"
        "#,
    ),
];

/// The regulation with only some of its duties.
async fn rules(app: &TestApp, wanted: &[&str]) -> Json {
    let catalogue = app.app.catalogue().await.unwrap();
    let posts = catalogue.dictionary("post");
    let post = posts.title("department_manager", kehu::i18n::Lang::Zh).to_owned();
    // Nor the clauses of the others: what nothing rests on is refused.
    let is_left_out = |part: &str| {
        let of = [("report", "2"), ("contacts", "3")];
        of.iter().any(|(duty, clause)| !wanted.contains(duty) && part.contains(&format!("id = \"{clause}\"")))
    };
    let file = |(name, text): &(&str, &str)| {
        let text = match *name {
            "duties.toml" => {
                let is_wanted =
                    |part: &&str| wanted.iter().any(|id| part.contains(&format!("id = \"{id}\"")));
                let parts = text.split("[[duty]]").filter(is_wanted);
                parts.map(|part| format!("[[duty]]{}", part.replace("POST", &post))).collect()
            }
            "policy.toml" => {
                let parts: Vec<&str> = text.split("[[clause]]").filter(|part| !is_left_out(part)).collect();
                parts.join("[[clause]]")
            }
            _ => (*text).to_owned(),
        };
        json!({ "name": name, "text": text })
    };
    let mut files: Vec<Json> = RULES.iter().map(file).collect();
    // Every clause has to be carried out by something: those of the other duties are left out.
    let all: String = files.iter().skip(1).map(|file| file["text"].as_str().unwrap().to_owned()).collect();
    let head = files[0]["text"].as_str().unwrap().to_owned();
    let cited = |part: &&str| {
        let id = part.split('"').nth(1).unwrap();
        all.contains(&format!("clause = \"{id}\""))
    };
    let (start, clauses) = head.split_once("[[clause]]").unwrap();
    let kept: String =
        clauses.split("[[clause]]").filter(cited).map(|part| format!("[[clause]]{part}")).collect();
    files[0]["text"] = Json::from(format!("{start}{kept}"));
    files.into()
}

/// Two units with their heads.
struct Company<'a> {
    admin: Client<'a>,
    east: Client<'a>,
    west: Client<'a>,
    units: [String; 2],
}

async fn company(app: &TestApp) -> Company<'_> {
    let admin = app.administrator().await.with_token().await;
    let (east, west) = (app.staff("dong", DataScope::Own).await, app.staff("xi", DataScope::Own).await);
    let units = [unit(app, "东部").await, unit(app, "西部").await];
    for (person, at) in [(&east, &units[0]), (&west, &units[1])] {
        post(app, person, at, "department_manager").await;
        let (leads, of) = (person.person_id, store::parse_id(at).unwrap());
        app.app
            .db
            .write(move |tx| {
                tx.exec("UPDATE units SET head_id = $1 WHERE id = $2", &[leads.into(), of.into()])?;
                kehu::org::rights_changed(tx)
            })
            .await
            .unwrap();
    }
    app.app.forget_sessions();
    Company { admin, east: east.with_token().await, west: west.with_token().await, units }
}

async fn listed(who: &Client<'_>, query: &str) -> Vec<Json> {
    let list = who.get(&format!("/api/v1/duties?{query}")).await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

async fn told(who: &Client<'_>) -> Vec<(String, String)> {
    let list = who.get("/api/v1/notices").await.expect(200).json();
    let text = |notice: &Json, name: &str| notice[name].as_str().unwrap().to_owned();
    list["items"].as_array().unwrap().iter().map(|n| (text(n, "kind"), text(n, "text"))).collect()
}

/// A sampling that is done at once.
async fn sample(who: &Client<'_>) {
    let case = who.json("POST", "/api/v1/cases/sampling", json!({ "values": {} })).await.expect(201).json();
    let path = format!("/api/v1/cases/sampling/{}/actions", case["id"].as_str().unwrap());
    who.json("POST", &path, json!({ "action": "finish" })).await.expect(200);
}

async fn run(app: &TestApp) {
    duties::run_due(&app.app).await.unwrap();
    duties::run_due(&app.app).await.unwrap();
}

/// The last instant of 30 September 2026 in Shanghai.
const MONTH_END: i64 = NOW + 2 * DAY + 7 * HOUR + 40 * 60_000 - 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_month_ends_to_the_millisecond() {
    both(|app| async move {
        let of = company(&app).await;
        enact(&of.admin, rules(&app, &["sampling"]).await).await;
        kehu::jobs::begin_recurring(&app.app).await;
        kehu::jobs::run_all(&app.app).await.unwrap();
        run(&app).await;
        let open = listed(&of.admin, "").await;
        assert_eq!(open.len(), 2, "{open:?}");
        assert_eq!(
            (&open[0]["title"], &open[0]["period"], &open[0]["due_at"], &open[0]["clause"]),
            (&json!("月底抽查"), &json!("2026年9月"), &json!(kehu::clock::rfc3339(MONTH_END)), &json!("1"))
        );
        // Each sees what he has to do.
        let mine = listed(&of.east, "").await;
        assert_eq!(mine.len(), 1);
        assert_eq!(mine[0]["subject_id"].as_str(), Some(of.units[0].as_str()));
        assert_eq!(mine[0]["people"], json!([of.east.person_id]));
        // The first reminder was due before the regulation came into force; the second comes a day before.
        assert!(told(&of.east).await.is_empty());
        app.clock.advance(DAY + 7 * HOUR + 40 * 60_000 - 2);
        run(&app).await;
        assert!(told(&of.east).await.is_empty());
        app.clock.advance(1);
        run(&app).await;
        let said = told(&of.east).await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].0 == "warned" && said[0].1.contains("《定期工作办法》月底抽查（2026年9月）：还有 1 项")
        );
        // The east does it at the very last millisecond, the west one later.
        app.clock.advance(DAY);
        assert_eq!(app.app.now(), MONTH_END);
        sample(&of.east).await;
        app.clock.advance(1);
        run(&app).await;
        assert_eq!(
            listed(&of.admin, "state=missed").await.len(),
            0,
            "nothing ends before all proofs are read"
        );
        assert_eq!(listed(&of.admin, "").await.len(), 4, "October has begun");
        sample(&of.west).await;
        app.clock.advance(3_000);
        run(&app).await;
        let done = listed(&of.admin, "state=done").await;
        let done: Vec<(&str, &str)> =
            done.iter().map(|d| (d["state"].as_str().unwrap(), d["period"].as_str().unwrap())).collect();
        assert!(done.contains(&("done", "2026年9月")), "{done:?}");
        assert!(done.contains(&("done", "2026年10月")), "the west's counts for October: {done:?}");
        let missed = listed(&of.admin, "state=missed").await;
        assert_eq!(missed.len(), 1);
        assert_eq!(missed[0]["subject_id"].as_str(), Some(of.units[1].as_str()));
        let ends = told(&of.west).await.into_iter().filter(|(kind, _)| kind == "breached");
        let ends: Vec<String> = ends.map(|(_, text)| text).collect();
        assert_eq!(ends.len(), 1, "{ends:?}");
        assert!(ends[0].contains("（2026年9月）：1 项逾期没有完成"), "{ends:?}");
        assert_eq!(told(&of.east).await.len(), 1);
        // The west does it again: October is done, so it counts late for what it missed.
        sample(&of.west).await;
        app.clock.advance(3_000);
        run(&app).await;
        assert_eq!(listed(&of.admin, "state=missed").await.len(), 0);
        let rounds = of.admin.get("/api/v1/duty-rounds").await.expect(200).json();
        let september =
            rounds["items"].as_array().unwrap().iter().find(|r| r["period"] == "2026年9月").unwrap();
        assert_eq!(
            (&september["total"], &september["done"], &september["late"], &september["missed"]),
            (&json!(2), &json!(1), &json!(1), &json!(0))
        );
        assert_eq!((&september["share"], &september["reaches"]), (&json!(50), &json!(false)));
        // The head of one unit counts his own.
        let rounds = of.east.get("/api/v1/duty-rounds").await.expect(200).json();
        let september =
            rounds["items"].as_array().unwrap().iter().find(|r| r["period"] == "2026年9月").unwrap();
        assert_eq!((&september["total"], &september["reaches"]), (&json!(1), &json!(true)));
        assert_eq!(app.number("SELECT COUNT(*) FROM duty_rounds").await, 2);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'duty.closed'").await, 1);
    })
    .await;
}

/// The regulation whose form says for which month a sampling is, and whose duty goes by it.
fn by_month(mut files: Json) -> Json {
    let field = "offer = [\"month\"]\n[[form.field]]\nid = \"month\"\ntitle = \"抽查月份\"\ntype = \"date\"\n[[step]]";
    for file in files.as_array_mut().unwrap() {
        let text = file["text"].as_str().unwrap();
        let new = match file["name"].as_str().unwrap() {
            "forms.toml" => text.replacen("[[step]]", field, 1),
            "duties.toml" => text.replace(
                "evidence = \"form:sampling\"",
                "evidence = \"form:sampling\"\nevidence_on = \"month\"",
            ),
            _ => continue,
        };
        assert_ne!(new, text);
        file["text"] = new.into();
    }
    files
}

/// A sampling of a month that is done at once.
async fn sample_of(who: &Client<'_>, day: &str) {
    let body = json!({ "values": { "month": day } });
    let case = who.json("POST", "/api/v1/cases/sampling", body).await.expect(201).json();
    let path = format!("/api/v1/cases/sampling/{}/actions", case["id"].as_str().unwrap());
    who.json("POST", &path, json!({ "action": "finish" })).await.expect(200);
}

// covers: R-21
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_for_an_earlier_period_counts_for_that_one_only() {
    both(|app| async move {
        let of = company(&app).await;
        enact(&of.admin, by_month(rules(&app, &["sampling"]).await)).await;
        run(&app).await;
        let owed = |state: &'static str| {
            let east = of.east.clone();
            async move {
                let all = listed(&east, state).await;
                let of = |duty: &Json| format!("{} {}", duty["period"], duty["state"]).replace('"', "");
                all.iter().map(of).collect::<Vec<_>>()
            }
        };
        let settle = || async {
            app.clock.advance(3_000);
            run(&app).await;
        };
        // August was asked of nobody, and stands for nothing else.
        sample_of(&of.east, "2026-08-31").await;
        settle().await;
        assert_eq!(owed("").await, ["2026年9月 open"]);
        assert_eq!(app.number("SELECT COUNT(*) FROM duty_evidence").await, 0);
        // In October September is missed. Done for it now it is late, and October is still to be done.
        app.clock.advance(5 * DAY);
        run(&app).await;
        assert_eq!(
            (owed("state=missed").await, owed("").await.len()),
            (vec!["2026年9月 missed".to_owned()], 1)
        );
        sample_of(&of.east, "2026-09-15").await;
        settle().await;
        assert_eq!(
            (owed("state=done").await, owed("").await),
            (vec!["2026年9月 late".to_owned()], vec!["2026年10月 open".to_owned()],)
        );
        // Nothing wants September once more.
        sample_of(&of.east, "2026-09-30").await;
        settle().await;
        assert_eq!(owed("").await, ["2026年10月 open"]);
        sample_of(&of.east, "2026-10-01").await;
        settle().await;
        assert_eq!(owed("state=done").await, ["2026年10月 done", "2026年9月 late"]);
        // What names no month counts for the time at which it ends, as ever: the west missed September.
        sample(&of.west).await;
        settle().await;
        let west = listed(&of.west, "state=done").await;
        assert_eq!((west.len(), &west[0]["period"]), (1, &json!("2026年10月")));
        assert_eq!(listed(&of.west, "state=missed").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_working_days_pass_over_the_national_day() {
    both(|app| async move {
        let of = company(&app).await;
        enact(&of.admin, rules(&app, &["report"]).await).await;
        run(&app).await;
        let open = listed(&of.east, "").await;
        // 8, 9, the make-up Saturday 10, 12 and 13 October.
        let due = "2026-10-13T15:59:59.999Z";
        assert_eq!((open.len(), &open[0]["due_at"], &open[0]["times"]), (1, &json!(due), &json!(2)));
        assert_eq!(open[0]["subject_id"], Json::Null);
        sample(&of.east).await;
        app.clock.advance(3_000);
        run(&app).await;
        let open = listed(&of.west, "").await;
        assert_eq!((&open[0]["done"], &open[0]["state"]), (&json!(1), &json!("open")));
        // Within its time though another month has begun: it is September's that wants it first.
        app.clock.advance(10 * DAY);
        run(&app).await;
        sample(&of.west).await;
        app.clock.advance(3_000);
        run(&app).await;
        let done = listed(&of.admin, "state=done").await;
        assert_eq!((done.len(), &done[0]["period"], &done[0]["done"]), (1, &json!("2026年9月"), &json!(2)));
        assert_eq!(app.number("SELECT COUNT(*) FROM duty_evidence").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_prove_a_duty_of_working_days() {
    both(|app| async move {
        let of = company(&app).await;
        let li = app.staff("li", DataScope::Own).await;
        let customer = li.customer(json!({ "kind": "person", "name": "甲" })).await;
        app.clock.advance(1_000);
        enact(&of.admin, rules(&app, &["contacts"]).await).await;
        run(&app).await;
        let li = li.with_token().await;
        let contact = || async {
            let body = json!({ "customer_id": customer["id"], "kind": "call", "body": "回电" });
            li.json("POST", "/api/v1/activities", body).await.expect(201);
        };
        contact().await;
        contact().await;
        contact().await;
        app.clock.advance(3_000);
        run(&app).await;
        let done = listed(&li, "state=done").await;
        assert_eq!((done.len(), &done[0]["done"]), (1, &json!(2)), "{done:?}");
        // Nothing was done until the eighth: two days are missed, and the holiday asks for nothing.
        app.clock.advance(10 * DAY);
        run(&app).await;
        let missed = listed(&li, "state=missed").await;
        let days: Vec<&str> = missed.iter().map(|duty| duty["period"].as_str().unwrap()).collect();
        assert_eq!(days, ["2026-09-29", "2026-09-30"]);
        assert_eq!(listed(&li, "").await[0]["period"], "2026-10-08");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_customers_are_opened_in_batches_and_once() {
    both(|app| async move {
        let of = company(&app).await;
        let li = app.staff("li", DataScope::Own).await;
        let client = li.with_token().await;
        let first = li.customer(json!({ "kind": "organisation", "name": "头一家" })).await;
        for n in 0..40 {
            let kind = if n % 2 == 0 { "organisation" } else { "person" };
            client
                .json("POST", "/api/v1/customers", json!({ "kind": kind, "name": format!("第{n}家") }))
                .await
                .expect(201);
        }
        enact(&of.admin, rules(&app, &["visit"]).await).await;
        // Two servers at once.
        let (a, b) = tokio::join!(duties::run_due(&app.app), duties::run_due(&app.app));
        a.unwrap();
        b.unwrap();
        run(&app).await;
        assert_eq!(app.number("SELECT COUNT(*) FROM duties").await, 21);
        assert_eq!(app.number("SELECT total FROM duty_rounds").await, 21);
        assert_eq!(app.number("SELECT COUNT(*) FROM duty_teams").await, 1, "the same owner");
        // Paged by key, each once.
        let mut seen = std::collections::BTreeSet::new();
        let mut after = String::new();
        loop {
            let page = client.get(&format!("/api/v1/duties?limit=8&after={after}")).await.expect(200).json();
            for item in page["items"].as_array().unwrap() {
                assert!(seen.insert(item["id"].as_str().unwrap().to_owned()));
            }
            let Some(next) = page["next"].as_str() else { break };
            after = next.to_owned();
        }
        assert_eq!(seen.len(), 21);
        // The heads of other units see none of it, whoever may not read the customer does not see his name.
        assert_eq!(listed(&of.east, "").await.len(), 0);
        client.get("/api/v1/duties?after=x").await.expect(422);
        client.get("/api/v1/duties?state=x").await.expect(422);
        let body = json!({ "values": { "customer": first["id"] } });
        let case = client.json("POST", "/api/v1/cases/visit", body).await.expect(201).json();
        let path = format!("/api/v1/cases/visit/{}/actions", case["id"].as_str().unwrap());
        client.json("POST", &path, json!({ "action": "finish" })).await.expect(200);
        app.clock.advance(3_000);
        run(&app).await;
        let done = listed(&client, "state=done").await;
        assert_eq!((done.len(), &done[0]["subject_id"]), (1, &first["id"]));
        // Pages: tabs, filters, the missing ones as a file, and compliance.
        app.clock.advance(3 * DAY);
        run(&app).await;
        let admin = app.sign_in(of.admin.person_id).await;
        let li = app.sign_in(li.person_id).await;
        for (who, tab, words) in [
            (&admin, "missed", "拜访企业客户"),
            (&admin, "done", "头一家"),
            (&admin, "open", "2026年第4季度"),
            (&admin, "rounds", "4%"),
            (&li, "missed", "第38家"),
        ] {
            let page = who.get(&format!("/policies/duties?tab={tab}")).await.expect(200).text();
            assert!(page.contains(words), "{tab} {words}: {page}");
        }
        let query = format!("tab=missed&duty=rounds/visit&person_id={}", li.person_id);
        let filtered = admin.get(&format!("/policies/duties?{query}")).await.expect(200).text();
        assert!(filtered.contains("第0家"), "{filtered}");
        let file = li.get(&format!("/policies/duties/export?format=csv&{query}")).await.expect(200).text();
        assert_eq!(file.matches("拜访企业客户").count(), 20, "{file}");
        assert!(li.get("/policies/duties/export?tab=missed").await.expect(200).body.starts_with(b"PK"));
        let elsewhere = format!("/policies/duties?tab=missed&unit_id={}", of.units[0]);
        assert!(admin.get(&elsewhere).await.expect(200).text().contains("没有这样的职责"));
        let policy = app.text("SELECT CAST(MIN(id) AS TEXT) FROM policy_versions").await;
        let policy = store::format_id(policy.parse().unwrap());
        let csv = format!("/policies/{policy}/compliance/export?period=last-month&format=csv");
        let rows = admin.get(&csv).await.expect(200).text();
        assert!(rows.contains("4,,0,0,0,0,—,0,0,0,1,20,0"), "{rows}");
        let register = format!("/policies/{policy}/compliance/refusals/export?period=last-month&format=csv");
        admin.get(&register).await.expect(200);
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'duty.exported'";
        assert_eq!(app.number(noted).await, 2, "duty.exported");
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'policy.compliance_exported'";
        assert_eq!(app.number(noted).await, 2, "policy.compliance_exported");
        let page =
            admin.get(&format!("/policies/{policy}/compliance?period=last-month")).await.expect(200).text();
        assert!(page.contains("/policies/duties?policy=rounds&#38;clause=4"), "{page}");
        // Whoever may not handle customer information sees no customer.
        crate::rights::publish(&admin, "承诺", "0").await;
        admin.post_form("/admin/handlers/rules", &[("is_on", "1")]).await.expect(303);
        app.app.forget_sessions();
        let page = li.get("/policies/duties?tab=missed").await.expect(200).text();
        assert!(page.contains("您不能查看的客户") && !page.contains("第38家"), "{page}");
    })
    .await;
}
