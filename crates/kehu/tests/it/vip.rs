//! VIP customers: whoever may not see a customer asks to be shown it, and visits are planned by class.

use kehu::ids::PersonId;
use kehu::{cases as running, duties};
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::cases::{act, decide, enact, head, id, post, shipped, unit};
use crate::{Client, TestApp, both};

const DAY: i64 = 24 * 3_600_000;

/// Two business departments, marketing, and the regulation on VIP customers in force.
struct Company<'a> {
    admin: Client<'a>,
    chen: Client<'a>,
    li: Client<'a>,
    xu: Client<'a>,
    qiu: Client<'a>,
    gao: Client<'a>,
    he: Client<'a>,
}

async fn company(app: &TestApp) -> Company<'_> {
    let admin = app.administrator().await.with_token().await;
    let group = unit(&admin, "岭岳制造", "company", None).await;
    let first = unit(&admin, "业务一部", "department", Some(&group)).await;
    let second = unit(&admin, "业务二部", "department", Some(&group)).await;
    let marketing = unit(&admin, "市场推广部", "department", Some(&group)).await;
    let mut people = Vec::new();
    for (name, at, post_code) in [
        ("chen", &first, "sales_staff"),
        ("li", &first, "sales_staff"),
        ("xu", &second, "sales_staff"),
        ("qiu", &first, "department_manager"),
        ("gao", &group, "general_manager"),
        ("he", &marketing, "customer_information_specialist"),
    ] {
        let person = app.staff(name, DataScope::Own).await.with_token().await;
        post(&admin, &person, at, post_code).await;
        people.push(person);
    }
    let mut people = people.into_iter();
    let mut next = || people.next().unwrap();
    let (chen, li, xu, qiu, gao, he) = (next(), next(), next(), next(), next(), next());
    head(&admin, &first, &qiu).await;
    head(&admin, &group, &gao).await;
    enact(&admin, shipped("vip-customers")).await;
    Company { admin, chen, li, xu, qiu, gao, he }
}

/// Words in an address.
fn encoded(words: &str) -> String {
    words.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A customer of somebody's.
async fn customer_of(of: &Company<'_>, owner: &Client<'_>, name: &str, class: &str) -> Json {
    let body = json!({ "kind": "organisation", "name": name, "class": class, "owner_id": owner.person_id });
    of.admin.json("POST", "/api/v1/customers", body).await.expect(201).json()
}

async fn told(app: &TestApp) {
    app.app.clock.advance(5_000);
    running::run_due(&app.app).await.unwrap();
}

async fn ask(who: &Client<'_>, customer: &str) -> crate::Answer {
    let body = json!({ "values": { "customer": customer, "purpose": "准备投标" } });
    who.json("POST", "/api/v1/cases/lookup", body).await
}

// covers: VF-15
#[tokio::test(flavor = "multi_thread")]
async fn who_is_transferred_to_another_unit_has_his_customers_handed_over_by_the_one_he_leaves() {
    both(|app| async move {
        let of = company(&app).await;
        customer_of(&of, &of.chen, "东方机械厂", "general").await;
        let positions = |who: PersonId| {
            let admin = of.admin.clone();
            async move {
                let path = format!("/api/v1/people/{who}/positions");
                admin.get(&path).await.expect(200).json()["items"][0].clone()
            }
        };
        let (first, second) = (positions(of.chen.person_id).await, positions(of.xu.person_id).await);
        let path = format!("/admin/people/{}/transfer", of.chen.person_id);
        let departures = || async {
            let list = of.qiu.get("/api/v1/cases/departure").await.expect(200).json();
            list["items"].as_array().unwrap().clone()
        };
        // Another post in his own unit: he goes on with his customers.
        app.app.clock.advance(DAY);
        let held = positions(of.chen.person_id).await;
        let form = [
            ("unit_id", first["unit_id"].as_str().unwrap()),
            ("post", "customer_information_specialist"),
            ("starts_on", "2026-09-29"),
            ("ends", id(&held)),
            ("customers_to", "stay"),
        ];
        app.administrator().await.post_form(&path, &form).await.expect(303);
        told(&app).await;
        assert_eq!(departures().await, Vec::<Json>::new());
        // To another unit: the manager of the one he leaves hands his customers over, one by one.
        app.app.clock.advance(DAY);
        let held = positions(of.chen.person_id).await;
        let form = [
            ("unit_id", second["unit_id"].as_str().unwrap()),
            ("post", "sales_staff"),
            ("starts_on", "2026-09-30"),
            ("ends", id(&held)),
            ("customers_to", "stay"),
        ];
        app.administrator().await.post_form(&path, &form).await.expect(303);
        told(&app).await;
        told(&app).await;
        let opened = departures().await;
        assert_eq!(opened.len(), 1, "told once: {opened:?}");
        assert_eq!(opened[0]["unit_id"], first["unit_id"]);
        let case =
            of.qiu.get(&format!("/api/v1/cases/departure/{}", id(&opened[0]))).await.expect(200).json();
        assert_eq!(case["waiting_for"], json!([of.qiu.person_id]), "{case}");
        assert_eq!(
            (&case["values"]["person"], &case["values"]["count"]),
            (&json!(of.chen.person_id), &json!(1))
        );
    })
    .await;
}

// covers: VF-15
#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_cannot_set_going_holds_nothing_else_up() {
    both(|app| async move {
        let of = company(&app).await;
        // Nobody knows of what unit: he never had a post.
        let stray = app.staff("stray", DataScope::Own).await.person_id;
        app.app.clock.advance(DAY);
        let browser = app.administrator().await;
        let leaves = async |who: PersonId, last_day: &str| {
            let form = [("last_day", last_day), ("customers_to", "nobody")];
            browser.post_form(&format!("/admin/people/{who}/leave"), &form).await.expect(303);
        };
        leaves(stray, "2026-09-29").await;
        // He had one until yesterday.
        leaves(of.chen.person_id, "2026-09-28").await;
        app.app.clock.advance(2_000);
        told(&app).await;
        let list = of.qiu.get("/api/v1/cases/departure").await.expect(200).json();
        let opened: Vec<&Json> = list["items"].as_array().unwrap().iter().collect();
        let told_of = app.text("SELECT COALESCE(MAX(text), 'none') FROM notices").await;
        let heard = app.number("SELECT COUNT(*) FROM events WHERE kind = 'person.left'").await;
        let cases = app.number("SELECT COUNT(*) FROM cases WHERE form = 'departure'").await;
        assert_eq!(opened.len(), 1, "{list} {told_of} {heard} {cases}");
        let case = of.qiu.get(&format!("/api/v1/cases/departure/{}", id(opened[0]))).await.expect(200).json();
        assert_eq!(case["values"]["person"], json!(of.chen.person_id), "{case}");
        let notices =
            "SELECT COUNT(*) FROM notices WHERE text LIKE '%没有办成：请填写“所属部门”。请制度管理员处理'";
        assert_eq!(app.number(notices).await, 1, "told once, to the administrator");
        told(&app).await;
        assert_eq!(app.number(notices).await, 1);
        let logged = "SELECT COUNT(*) FROM audit_log WHERE action = 'case.failed' AND result = 'failed'";
        assert_eq!(app.number(logged).await, 1);
    })
    .await;
}

// covers: VF-09, VF-10
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_is_not_seen_is_named_asked_for_and_shown_for_a_time() {
    both(|app| async move {
        let of = company(&app).await;
        let factory = customer_of(&of, &of.chen, "东方机械厂 ABC", "general").await;
        let twins = [
            customer_of(&of, &of.chen, "同名公司", "general").await,
            customer_of(&of, &of.chen, "同名公司", "general").await,
        ];
        let path = format!("/api/v1/customers/{}", id(&factory));
        of.li.get(&path).await.expect(404);
        // Neither a part of the name nor its reading nor the id names it; what is said then is the same as for nothing.
        for said in ["东方机械", "东方机械厂", "dongfang", "没有这家公司", id(&factory)] {
            let refused = ask(&of.li, said).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], "customer", "{refused}");
        }
        let refused = ask(&of.li, "同名公司").await.expect(422).text();
        assert!(refused.contains("请填客户编号"), "{refused}");
        // Numbers can be counted through: one alone names nobody, behind the name it tells which.
        let number = twins[0]["number"].as_str().unwrap();
        ask(&of.li, number).await.expect(422);
        ask(&of.li, &format!("同名公司 {number}")).await.expect(201);
        // The list offers it only when all of it was typed.
        let li_page = app.sign_in(of.li.person_id).await;
        let page = |q: &'static str| {
            let li = li_page.clone();
            async move {
                li.get_part(&format!("/cases/find/customers?named=1&q={}", encoded(q)))
                    .await
                    .expect(200)
                    .text()
            }
        };
        assert!(!page("东方机械").await.contains("role=\"option\""));
        let seen = page("东方机械厂 abc").await;
        assert!(seen.contains("按全名指明") && !seen.contains(id(&factory)), "{seen}");
        // Whoever may not write such a request learns from it neither that there is one nor that there is none.
        let zhou = app.staff("zhou", DataScope::Own).await;
        let offered = format!("/cases/find/customers?named=1&q={}", encoded("东方机械厂 abc"));
        assert!(!zhou.get_part(&offered).await.expect(200).text().contains("role=\"option\""));
        let zhou = zhou.with_token().await;
        for said in ["东方机械厂 ABC", "没有这家公司"] {
            assert!(ask(&zhou, said).await.expect(403).text().contains("你不能填"));
        }
        // His own department's customer goes to his manager; the customer of another one to the general manager.
        let case = ask(&of.li, "东方机械厂 abc").await.expect(201).json();
        assert_eq!(case["waiting_for"], json!([of.qiu.person_id]), "{case}");
        let strange = ask(&of.xu, "东方机械厂 ABC").await.expect(201).json();
        assert_eq!(strange["waiting_for"], json!([of.gao.person_id]), "{strange}");
        of.li.get(&path).await.expect(404);
        decide(&of.qiu, &case, json!({ "verdict": "approve" })).await.expect(200);
        app.app.clock.advance(2_000);
        of.li.get(&path).await.expect(200);
        of.xu.get(&path).await.expect(404);
        // Read only, and only until he says that he is done.
        let change = json!({ "remark": "改" });
        of.li.json_with("PATCH", &path, change, &[("if-match", "\"1\"")]).await.expect(403);
        act(&of.li, &case, "finish-viewing", json!({})).await.expect(200);
        app.app.clock.advance(2_000);
        of.li.get(&path).await.expect(404);
        // Or until its time is up: three days later to the minute, though no job has come by.
        let approved = decide(&of.gao, &strange, json!({ "verdict": "approve" })).await.expect(200).json();
        assert_eq!(approved["step"], "viewing", "{approved}");
        app.app.clock.advance(2_000);
        of.xu.get(&path).await.expect(200);
        // Who has decided reads the case on, but no longer the customer: neither his name nor what names him.
        of.gao.get(&path).await.expect(404);
        let case = format!("/api/v1/cases/lookup/{}", id(&strange));
        let (told, listed) = (of.gao.get(&case).await, of.gao.get("/api/v1/cases/lookup").await);
        for told in [told.expect(200).text(), listed.expect(200).text()] {
            assert!(told.contains("（无权查看的客户） 档案查阅") && !told.contains("东方机械厂"), "{told}");
        }
        assert!(
            of.xu.get(&case).await.expect(200).text().contains("东方机械厂 ABC 档案查阅"),
            "he named it himself"
        );
        app.app.clock.advance(3 * DAY - 2_000);
        of.xu.get(&path).await.expect(200);
        app.app.clock.advance(60_000);
        of.xu.get(&path).await.expect(404);
    })
    .await;
}

/// Files a customer, from the form the event opened to its number.
async fn file(of: &Company<'_>, customer: &Json, class: &str) {
    let list = of.he.get("/api/v1/cases/filing?limit=200").await.expect(200).json();
    let all = list["items"].as_array().unwrap();
    let case =
        all.iter().find(|case| case["customer_id"] == customer["id"]).unwrap_or_else(|| panic!("{list}"));
    let filled = json!({
        "customer_name": customer["name"], "class": class, "nature": "民营企业", "parent_body": "无",
        "address": "深圳市南山路7号", "contact": "王店长", "phone": "13800000002", "relations": "每月供货",
    });
    act(&of.chen, case, "submit-filing", filled).await.expect(200);
    decide(&of.qiu, case, json!({ "verdict": "approve" })).await.expect(200);
    act(&of.he, case, "accept", json!({ "duplicate_check": "没有重复" })).await.expect(200);
}

// covers: VF-03, VF-17
#[tokio::test(flavor = "multi_thread")]
async fn visits_are_planned_by_the_class_of_a_filed_customer() {
    both(|app| async move {
        let of = company(&app).await;
        let key = customer_of(&of, &of.chen, "重点客户甲公司", "key").await;
        let general = customer_of(&of, &of.chen, "一般客户乙公司", "general").await;
        let unfiled = customer_of(&of, &of.chen, "没有备案的丙公司", "key").await;
        told(&app).await;
        file(&of, &key, "重点客户").await;
        file(&of, &general, "一般客户").await;
        // October begins: every filed customer gets the visits of its class, who owes them, and until when.
        app.app.clock.advance(3 * DAY);
        duties::run_due(&app.app).await.unwrap();
        duties::run_due(&app.app).await.unwrap();
        let list = of.chen.get("/api/v1/duties").await.expect(200).json();
        let mut planned: Vec<(String, String, String)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|owed| owed["title"].as_str().unwrap().starts_with("拜访"))
            .map(|owed| {
                let text = |name: &str| owed[name].as_str().unwrap_or_default().to_owned();
                (text("title"), text("subject_id"), text("due_at"))
            })
            .collect();
        planned.sort();
        let expected = [
            ("拜访一般客户", id(&general), "2026-12-31T15:59:59.999Z"),
            ("拜访重点客户", id(&key), "2026-10-31T15:59:59.999Z"),
        ];
        let expected: Vec<(String, String, String)> =
            expected.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect();
        assert_eq!(planned, expected, "{list}");
        // The customers without an archive account are listed, one by one.
        let without: Vec<&Json> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|owed| owed["title"] == "建立档案户头")
            .map(|owed| &owed["subject_id"])
            .collect();
        assert_eq!(without, [&unfiled["id"]], "{list}");
    })
    .await;
}
