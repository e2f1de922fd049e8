//! Cases: a complaint carried out by its regulation from the shop to its end, the clock that runs beside it, events that
//! open cases, and who may know of which.

use std::collections::{BTreeMap, BTreeSet};

use kehu::cases;
use kehu::policies;
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::{Client, TestApp, both};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

pub fn id(of: &Json) -> &str {
    of["id"].as_str().unwrap()
}

pub async fn unit(admin: &Client<'_>, name: &str, kind: &str, parent: Option<&Json>) -> Json {
    let body = json!({ "name": name, "kind": kind, "parent_id": parent.map(|p| p["id"].clone()) });
    admin.json("POST", "/api/v1/units", body).await.expect(201).json()
}

pub async fn post(admin: &Client<'_>, person: &Client<'_>, unit: &Json, post: &str) {
    let path = format!("/api/v1/people/{}/positions", person.person_id);
    admin.json("POST", &path, json!({ "unit_id": unit["id"], "post": post })).await.expect(201);
}

pub async fn head(admin: &Client<'_>, unit: &Json, person: &Client<'_>) {
    let path = format!("/api/v1/units/{}", id(unit));
    let version = admin.get(&path).await.expect(200).json()["version"].to_string();
    let body = json!({ "head_id": person.person_id });
    admin.json_with("PATCH", &path, body, &[("if-match", &version)]).await.expect(200);
}

/// Publishes a regulation we ship, or these files.
pub async fn enact(admin: &Client<'_>, files: Json) -> Json {
    let draft = admin.json("POST", "/api/v1/policies", json!({ "files": files })).await.expect(201).json();
    assert_eq!(draft["problems"], json!([]), "{draft}");
    let path = format!("/api/v1/policies/{}/publication", id(&draft));
    let seen = draft["row_version"].to_string();
    admin.json_with("POST", &path, json!({}), &[("if-match", &seen)]).await.expect(200).json()
}

pub fn shipped(name: &str) -> Json {
    let all = policies::shipped();
    let found = all.iter().find(|known| known.policy == name).unwrap();
    let files = found.files.iter().map(|file| json!({ "name": file.name, "text": file.text }));
    files.collect::<Vec<_>>().into()
}

/// A retail company with the regulation on complaints in force.
pub struct Retail<'a> {
    admin: Client<'a>,
    pub shop: Json,
    buying: Json,
    /// The same people with a browser, by their sign-in names.
    pub pages: BTreeMap<&'static str, Client<'a>>,
    pub clerk: Client<'a>,
    keeper: Client<'a>,
    regional: Client<'a>,
    service: Client<'a>,
    pub personnel: Client<'a>,
    buyer: Client<'a>,
    chief_buyer: Client<'a>,
    general: Client<'a>,
}

impl<'a> Retail<'a> {
    pub async fn new(app: &'a TestApp) -> Self {
        let admin = app.administrator().await.with_token().await;
        let company = unit(&admin, "零售公司", "company", None).await;
        let shop = unit(&admin, "一店", "shop", Some(&company)).await;
        let operations = unit(&admin, "营运部", "department", Some(&company)).await;
        let office = unit(&admin, "行政人事部", "department", Some(&company)).await;
        let buying = unit(&admin, "采购部", "department", Some(&company)).await;
        let mut people = Vec::new();
        let mut pages = BTreeMap::new();
        for (name, at, post_code) in [
            ("clerk", &shop, "customer_service_staff"),
            ("keeper", &shop, "department_head"),
            ("regional", &company, "regional_manager"),
            ("service", &operations, "operations_service_staff"),
            ("personnel", &office, "human_resources_staff"),
            ("buyer", &buying, "case_handler"),
            ("chiefbuyer", &buying, "department_manager"),
            ("general", &company, "general_manager"),
        ] {
            let person = app.staff(name, DataScope::Own).await;
            pages.insert(name, person.clone());
            let person = person.with_token().await;
            post(&admin, &person, at, post_code).await;
            people.push(person);
        }
        let mut people = people.into_iter();
        let mut next = || people.next().unwrap();
        let this = Self {
            pages,
            clerk: next(),
            keeper: next(),
            regional: next(),
            service: next(),
            personnel: next(),
            buyer: next(),
            chief_buyer: next(),
            general: next(),
            admin,
            shop: shop.clone(),
            buying: buying.clone(),
        };
        head(&this.admin, &shop, &this.keeper).await;
        head(&this.admin, &buying, &this.chief_buyer).await;
        head(&this.admin, &company, &this.general).await;
        head(&this.admin, &operations, &this.regional).await;
        enact(&this.admin, shipped("retail-complaints")).await;
        this
    }

    pub fn buying(&self) -> &Json {
        &self.buying
    }

    pub fn complaint(&self) -> Json {
        json!({ "values": {
            "store": self.shop["id"], "complainant": "终端消费者", "customer_name": "张三", "phone": "13800000000",
            "demands": ["退货"], "request": "冰箱不制冷，要求退货",
        } })
    }
}

pub async fn act(who: &Client<'_>, case: &Json, action: &str, values: Json) -> crate::Answer {
    let path = format!("/api/v1/cases/{}/{}/actions", case["form"].as_str().unwrap(), id(case));
    who.json("POST", &path, json!({ "action": action, "values": values })).await
}

pub async fn decide(who: &Client<'_>, case: &Json, body: Json) -> crate::Answer {
    let path = format!("/api/v1/cases/{}/{}/decisions", case["form"].as_str().unwrap(), id(case));
    who.json("POST", &path, body).await
}

async fn waits(who: &Client<'_>) -> Vec<String> {
    let list = who.get("/api/v1/case-tasks").await.expect(200).json();
    let numbers = list["items"].as_array().unwrap().iter();
    numbers.map(|task| task["case"]["number"].as_str().unwrap().to_owned()).collect()
}

async fn told(who: &Client<'_>) -> Vec<String> {
    let list = who.get("/api/v1/notices").await.expect(200).json();
    list["items"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap().to_owned()).collect()
}

// covers: RT-01, RT-02, RT-05, RT-07, RT-08, RT-09, RT-10, RT-11, RT-12, RT-13, RT-15
#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_goes_from_the_shop_to_its_end() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        // Nothing half: who may not open one, and one with something missing.
        of.buyer.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(403);
        let refused = of.clerk.json("POST", "/api/v1/cases/complaint", json!({ "values": { "phone": "1" } })).await;
        let refused = refused.expect(422).json();
        let fields: BTreeSet<&str> =
            refused["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(fields, BTreeSet::from(["store", "complainant", "customer_name", "demands", "request"]));
        of.clerk.json("POST", "/api/v1/cases/unknown", of.complaint()).await.expect(404);
        assert_eq!(app.number("SELECT COUNT(*) FROM cases").await, 0);
        // Opened once, however often the same request comes.
        let key = [("idempotency-key", "complaint-1")];
        let case = of.clerk.json_with("POST", "/api/v1/cases/complaint", of.complaint(), &key).await.expect(201).json();
        let again = of.clerk.json_with("POST", "/api/v1/cases/complaint", of.complaint(), &key).await.expect(201);
        assert_eq!(id(&again.json()), id(&case));
        assert_eq!(case["number"], "TS-202609-0001");
        assert_eq!(case["step"], "verify");
        assert_eq!(case["subject"], "张三：冰箱不制冷，要求退货");
        // 2026-09-28 16:20 and seven calendar days.
        assert_eq!(case["deadlines"][0]["due_at"], kehu::clock::rfc3339(NOW + 7 * DAY));
        assert_eq!(case["deadlines"][0]["clause"], "第二十六条");
        assert_eq!(waits(&of.keeper).await, ["TS-202609-0001"]);
        assert_eq!(waits(&of.personnel).await, Vec::<String>::new());
        // Those who have nothing to do with it do not know of it.
        let path = format!("/api/v1/cases/complaint/{}", id(&case));
        of.buyer.get(&path).await.expect(404);
        act(&of.buyer, &case, "verify.submit", json!({})).await.expect(404);
        // Readers by the regulation do, and the head of a unit above, but they may not act.
        of.personnel.get(&path).await.expect(200);
        of.general.get(&path).await.expect(200);
        act(&of.personnel, &case, "verify.submit", json!({})).await.expect(403);
        // Nothing jumps.
        act(&of.keeper, &case, "accept", json!({ "ruling_opinion": "受理" })).await.expect(409);
        let verified = json!({
            "reason_holds": true, "basis": "凭发票", "complained_department": of.buying["id"],
        });
        act(&of.clerk, &case, "verify.submit", verified.clone()).await.expect(200);
        act(&of.keeper, &case, "verify.submit", verified).await.expect(409);
        // The shop's superior: the head of the company, as the shop's head reports to him.
        act(&of.keeper, &case, "accept", json!({ "ruling_opinion": "受理" })).await.expect(403);
        act(&of.general, &case, "accept", json!({ "ruling_opinion": "受理" })).await.expect(200);
        let assigned = json!({
            "department": of.buying["id"], "investigator": of.buyer.person_id, "instruction": "查批次",
        });
        act(&of.personnel, &case, "assign.submit", assigned).await.expect(200);
        of.buyer.get(&path).await.expect(200);
        // A report with a gap cannot be sent, and says which clause wants it.
        let mut report = json!({
            "cause_code": "商品质量", "cause": "批次缺陷", "course": "九月二十日购买", "responsible": "供货商",
            "conclusion": "质量问题", "countermeasure": "退货", "prevention": "下架复检",
        });
        let gap = act(&of.buyer, &case, "investigate.submit", report.clone()).await.expect(422).json();
        assert_eq!(gap["errors"][0]["field"], "original");
        // A file is one that was sent before, by himself.
        report["original"] = json!(["原投诉书.jpg"]);
        let unknown = act(&of.buyer, &case, "investigate.submit", report.clone()).await.expect(422).json();
        assert_eq!(unknown["errors"][0]["field"], "original");
        let others = of.clerk.upload("/api/v1/case-files", &[], "别人的.jpg", b"x").await.expect(201).json();
        report["original"] = json!([others["id"]]);
        act(&of.buyer, &case, "investigate.submit", report.clone()).await.expect(422);
        let sent = of.buyer.upload("/api/v1/case-files", &[], "原投诉书.jpg", b"x").await.expect(201).json();
        report["original"] = json!([sent["id"]]);
        act(&of.buyer, &case, "investigate.submit", report).await.expect(200);
        assert_eq!(waits(&of.chief_buyer).await, ["TS-202609-0001"]);
        decide(&of.buyer, &case, json!({ "verdict": "approve" })).await.expect(403);
        decide(&of.chief_buyer, &case, json!({ "verdict": "reject" })).await.expect(422);
        decide(&of.chief_buyer, &case, json!({ "verdict": "approve", "comment": "属实" })).await.expect(200);
        act(&of.personnel, &case, "submit-to-gm", json!({ "admin_opinion": "建议退货" })).await.expect(200);
        let agreed = json!({ "verdict": "approve", "values": { "gm_note": "同意" } });
        decide(&of.general, &case, agreed).await.expect(200);
        let opinion = json!({ "handling_opinion": "退货退款", "compensates": false });
        act(&of.buyer, &case, "handle.submit", opinion).await.expect(200);
        decide(&of.chief_buyer, &case, json!({ "verdict": "approve" })).await.expect(200);
        let reply = json!({
            "reply_manner": "口头", "reply_channel": "电话", "reply": "同意退货", "replied_at": "2026-09-28 16:20",
            "reaction": "满意",
        });
        act(&of.clerk, &case, "close", reply.clone()).await.expect(403);
        let closed = act(&of.service, &case, "close", reply.clone()).await.expect(200).json();
        assert_eq!((&closed["outcome"], &closed["is_open"]), (&json!("已结案"), &json!(false)));
        assert_eq!(closed["deadlines"][0]["standing"], "met");
        act(&of.service, &case, "close", reply).await.expect(409);
        // What follows was opened: the measure, and the quality check.
        let measures = of.personnel.get("/api/v1/cases/prevention").await.expect(200).json();
        assert_eq!(measures["items"][0]["parent_id"], case["id"]);
        assert_eq!(waits(&of.chief_buyer).await, [measures["items"][0]["number"].as_str().unwrap()]);
        assert_eq!(of.personnel.get("/api/v1/cases/quality").await.json()["items"].as_array().unwrap().len(), 1);
        // Everything left its row: the trail with clauses, the log, the outbox.
        let clauses: BTreeSet<&str> =
            closed["trail"].as_array().unwrap().iter().map(|t| t["clause"].as_str().unwrap()).collect();
        assert!(clauses.is_superset(&BTreeSet::from(["第七条", "第九条", "第十二条", "第十四条", "第二十六条"])));
        let changes = "SELECT COUNT(*) FROM audit_log WHERE action = 'case.changed'";
        assert_eq!(app.number(changes).await, 10);
        assert_eq!(app.number("SELECT COUNT(*) FROM events WHERE kind = 'case.closed'").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM case_tasks WHERE done_at IS NULL AND kind <> 'copy'").await, 2);
    })
    .await;
}

// covers: RT-16
#[tokio::test(flavor = "multi_thread")]
async fn seven_days_pass_to_the_minute_and_everybody_is_told_once() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let case = of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201).json();
        let path = format!("/api/v1/cases/complaint/{}", id(&case));
        cases::run_due(&app.app).await.unwrap();
        assert_eq!(told(&of.service).await, Vec::<String>::new());
        // Two days before.
        app.app.clock.advance(5 * DAY);
        cases::run_due(&app.app).await.unwrap();
        assert_eq!(told(&of.service).await, ["warned"]);
        // Exactly at the end it is still in time.
        app.app.clock.advance(2 * DAY);
        cases::run_due(&app.app).await.unwrap();
        let now = of.clerk.get(&path).await.expect(200).json();
        assert_eq!((&now["deadlines"][0]["standing"], &now["marks"]), (&json!("running"), &json!([])));
        app.app.clock.advance(MINUTE);
        cases::run_due(&app.app).await.unwrap();
        cases::run_due(&app.app).await.unwrap();
        let now = of.clerk.get(&path).await.expect(200).json();
        assert_eq!(
            (&now["deadlines"][0]["standing"], &now["marks"]),
            (&json!("breached"), &json!(["overdue"]))
        );
        let breaches = |all: Vec<String>| all.into_iter().filter(|kind| kind == "breached").count();
        assert_eq!(breaches(told(&of.service).await), 1);
        assert_eq!(breaches(told(&of.personnel).await), 1);
        assert_eq!(breaches(told(&of.keeper).await), 1, "whoever has to act is told too");
        assert_eq!(breaches(told(&of.regional).await), 1, "the superior of who answers for it");
        assert_eq!(breaches(told(&of.general).await), 0);
        app.app.clock.advance(DAY);
        cases::run_due(&app.app).await.unwrap();
        assert_eq!(told(&of.general).await, ["escalated"]);
        let late = of.personnel.get("/api/v1/cases/complaint?mark=overdue").await.expect(200).json();
        assert_eq!(late["items"].as_array().unwrap().len(), 1);
        // Urged by those who supervise, with a trail.
        decide(&of.personnel, &case, json!({ "verdict": "urge", "comment": "请尽快" })).await.expect(200);
        assert!(told(&of.keeper).await.contains(&"urged".to_owned()));
        of.keeper.json("POST", "/api/v1/notices/reading", json!({})).await.expect(204);
        let unread = of.keeper.get("/api/v1/notices?unread=1").await.expect(200).json();
        assert_eq!(unread["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_another_version_of_a_case_is_not_done() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let case = of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201).json();
        let path = format!("/api/v1/cases/complaint/{}", id(&case));
        let seen = of.keeper.get(&path).await.expect(200).header("etag").to_owned();
        assert_eq!(seen, format!("\"{}\"", case["version"]));
        let act_on = format!("{path}/actions");
        let decide_on = format!("{path}/decisions");
        let verified = json!({ "action": "verify.submit", "values": {
            "reason_holds": true, "basis": "凭发票", "complained_department": of.buying["id"],
        } });
        // What is no version of ours is none that is seen.
        for wrong in ["\"999\"", "x", "*"] {
            let stale = [("if-match", wrong)];
            let refused =
                of.clerk.json_with("POST", &act_on, verified.clone(), &stale).await.expect(412).json();
            assert_eq!(refused["code"], "stale", "{wrong}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'case.changed'").await, 0);
        let once = [("if-match", seen.as_str()), ("idempotency-key", "verify-1")];
        let done = of.clerk.json_with("POST", &act_on, verified.clone(), &once).await.expect(200);
        let now = done.header("etag").to_owned();
        assert_ne!(now, seen);
        // The same request again is answered as before: it was done on what its sender saw.
        let again = of.clerk.json_with("POST", &act_on, verified, &once).await.expect(200);
        assert_eq!((again.header("etag"), again.json()), (now.as_str(), done.json()));
        // Whoever still looks at the older version decides nothing, nor does he urge.
        let accept = json!({ "action": "accept", "values": { "ruling_opinion": "受理" } });
        let (old, new) = ([("if-match", seen.as_str())], [("if-match", now.as_str())]);
        of.general.json_with("POST", &act_on, accept.clone(), &old).await.expect(412);
        let urge = json!({ "verdict": "urge" });
        of.personnel.json_with("POST", &decide_on, urge.clone(), &old).await.expect(412);
        assert!(!told(&of.general).await.contains(&"urged".to_owned()));
        let urged = of.personnel.json_with("POST", &decide_on, urge, &new).await.expect(200);
        // Being urged happened to the case too.
        of.general.json_with("POST", &act_on, accept.clone(), &new).await.expect(412);
        let newest = urged.header("etag").to_owned();
        let accepted =
            of.general.json_with("POST", &act_on, accept, &[("if-match", &newest)]).await.expect(200);
        assert_eq!(accepted.json()["step"], "assign");
        // Who has nothing to do with it does not learn from the answer that it is there.
        of.buyer.json_with("POST", &decide_on, json!({ "verdict": "urge" }), &new).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_urges_the_same_step_once_in_an_interval() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let case = of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201).json();
        let urge = || json!({ "verdict": "urge", "comment": "请尽快" });
        let urged = "SELECT COUNT(*) FROM case_trail WHERE kind = 'urged'";
        let page = format!("/cases/{}", id(&case));
        let personnel = &of.pages["personnel"];
        assert!(personnel.get(&page).await.expect(200).text().contains("value=\"urge\""));
        app.app.clock.advance(1);
        decide(&of.personnel, &case, urge()).await.expect(200);
        // Told to the minute, and rounded up: at the minute that is named it goes.
        let refused = decide(&of.personnel, &case, urge()).await.expect(409).json();
        assert_eq!(refused["title"], "您已经催办过“确认投诉理由”，2026-09-28 17:21 起可以再次催办");
        let sent = [("verdict", "urge"), ("comment", "")];
        let refused = personnel.post_form(&format!("{page}/decision"), &sent).await.expect(422).text();
        assert!(refused.contains("您已经催办过“确认投诉理由”，2026-09-28 17:21 起可以再次催办"), "{refused}");
        let shown = personnel.get(&page).await.expect(200).text();
        assert!(
            shown.contains("您催办过了，2026-09-28 17:21 起可以再次催办")
                && !shown.contains("value=\"urge\""),
            "{shown}"
        );
        // Others may, and he himself again to the millisecond.
        decide(&of.general, &case, urge()).await.expect(200);
        app.app.clock.advance(60 * MINUTE - 1);
        decide(&of.personnel, &case, urge()).await.expect(409);
        app.app.clock.advance(1);
        decide(&of.personnel, &case, urge()).await.expect(200);
        assert_eq!(app.number(urged).await, 3);
        // The next step is another one.
        let verified = json!({
            "reason_holds": true, "basis": "凭发票", "complained_department": of.buying["id"],
        });
        app.app.clock.advance(1);
        act(&of.clerk, &case, "verify.submit", verified).await.expect(200);
        decide(&of.personnel, &case, urge()).await.expect(200);
        decide(&of.personnel, &case, urge()).await.expect(409);
        // The interval is the company's.
        let body = json!({ "value": 5 });
        let path = "/api/v1/parameters/cases.urge_minutes";
        of.admin.json_with("PATCH", path, body, &[("if-match", "\"0\"")]).await.expect(200);
        app.app.clock.advance(5 * MINUTE - 1);
        decide(&of.personnel, &case, urge()).await.expect(409);
        app.app.clock.advance(1);
        decide(&of.personnel, &case, urge()).await.expect(200);
        assert_eq!(app.number(urged).await, 5);
    })
    .await;
}

// covers: FC-03
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_complained_about_takes_no_part_and_sees_nothing() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let mut body = of.complaint();
        body["values"]["target"] = json!(of.keeper.person_id);
        let case = of.clerk.json("POST", "/api/v1/cases/complaint", body).await.expect(201).json();
        let path = format!("/api/v1/cases/complaint/{}", id(&case));
        // He leads the shop and would have to act, and still there is nothing for him: in no list, by no door.
        of.keeper.get(&path).await.expect(404);
        assert_eq!(waits(&of.keeper).await, Vec::<String>::new());
        assert_eq!(of.keeper.get("/api/v1/cases/complaint").await.expect(200).json()["items"], json!([]));
        act(&of.keeper, &case, "verify.submit", json!({})).await.expect(404);
        // Nor can he be put into it.
        let verified =
            json!({ "reason_holds": true, "basis": "录音", "complained_department": of.shop["id"] });
        act(&of.clerk, &case, "verify.submit", verified).await.expect(200);
        act(&of.general, &case, "accept", json!({ "ruling_opinion": "受理" })).await.expect(200);
        let assigned = json!({
            "department": of.buying["id"], "investigator": of.keeper.person_id, "instruction": "查",
        });
        let now = act(&of.personnel, &case, "assign.submit", assigned).await.expect(200).json();
        assert!(!now["waiting_for"].as_array().unwrap().contains(&json!(of.keeper.person_id)), "{now}");
        of.keeper.get(&path).await.expect(404);
        assert_eq!(waits(&of.keeper).await, Vec::<String>::new());
        assert!(told(&of.keeper).await.is_empty());
    })
    .await;
}

const WELCOME: &[(&str, &str)] = &[
    (
        "policy.toml",
        r#"
        [policy]
        id = "welcome"
        title = "新客户迎接办法"
        version = "1"
        [[setting]]
        id = "days"
        title = "几天内联系"
        type = "int"
        default = 3
        min = 1
        max = 30
        clause = "1"
        [[clause]]
        id = "1"
        text = "新客户登记后按期电话欢迎。"
        [[clause]]
        id = "2"
        text = "大客户不得由本人免访。"
        "#,
    ),
    (
        "forms.toml",
        r#"
        [[form]]
        id = "welcome"
        title = "欢迎单"
        by = "case.customer.owner"
        customer = "customer"
        owner = "case.customer.owner"
        fill = ["customer"]
        [[form.field]]
        id = "customer"
        title = "客户"
        type = "customer"
        [[form.field]]
        id = "waived"
        title = "免访理由"
        type = "text"
        [[step]]
        id = "call"
        title = "电话欢迎"
        by = "case.customer.owner"
        clause = "1"
        [[step.action]]
        id = "called"
        title = "已欢迎"
        next = "done"
        [[step.action]]
        id = "waive"
        title = "免访"
        fill = ["waived"]
        next = "done"
        [[step]]
        id = "done"
        title = "完成"
        kind = "end"
        clause = "1"
        [[deadline]]
        id = "soon"
        title = "按期欢迎"
        from = "case.opened_at"
        within = "{days}d"
        until = "case.closed_at"
        clause = "1"
        [[trigger]]
        on = "customer.created"
        when = "event.owner != null"
        open = "welcome"
        set = { customer = "event.customer" }
        clause = "1"
        [[refusal]]
        id = "no-waiver"
        on = "welcome.waive"
        when = "case.customer.kind == 'organisation'"
        message = "大客户不能免访，请电话联系。"
        exempt_by = "superior(case.owner)"
        clause = "2"
        "#,
    ),
];

pub fn welcome() -> Json {
    WELCOME.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect::<Vec<_>>().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_customer_opens_a_case_and_a_clause_refuses() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let before = li.customer(json!({ "kind": "person", "name": "早已登记" })).await;
        app.app.clock.advance(1_000);
        enact(&admin, welcome()).await;
        let customer = li.customer(json!({ "kind": "organisation", "name": "新来的公司" })).await;
        li.customer(json!({ "kind": "organisation", "name": "再来的公司" })).await;
        let li = li.with_token().await;
        let boss = app.staff("boss", DataScope::Own).await.with_token().await;
        let office = unit(&admin, "业务部", "department", None).await;
        post(&admin, &li, &office, "sales_staff").await;
        head(&admin, &office, &boss).await;
        // Told to regulations a moment later, once, by whichever server.
        app.app.clock.advance(5_000);
        cases::run_due(&app.app).await.unwrap();
        cases::run_due(&app.app).await.unwrap();
        let list = li.get("/api/v1/cases/welcome").await.expect(200).json();
        let cases: Vec<&Json> = list["items"].as_array().unwrap().iter().collect();
        assert_eq!(cases.len(), 2, "only customers from now on: {before}");
        assert_eq!(cases[1]["customer_id"], customer["id"]);
        assert_eq!((&cases[1]["creator_id"], &cases[1]["unit_id"]), (&Json::Null, &office["id"]));
        let case = cases[1].clone();
        let whole = li.get(&format!("/api/v1/cases/welcome/{}", id(&case))).await.expect(200).json();
        let offered: Vec<&str> =
            whole["actions"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap()).collect();
        assert_eq!(offered, ["called", "waive"]);
        let refused = act(&li, &case, "waive", json!({ "waived": "忙" })).await.expect(409).json();
        assert!(
            refused["detail"].as_str().unwrap_or_default().contains("《新客户迎接办法》2")
                || refused["title"].as_str().unwrap_or_default().contains("《新客户迎接办法》2"),
            "{refused}"
        );
        // Exempted by whom the clause names, with a reason and an end; nobody else may.
        let exemptions = format!("/api/v1/cases/welcome/{}/exemptions", id(&case));
        let body = json!({ "refusal": "no-waiver", "reason": "客户出国", "until": "2026-10-01 12:00" });
        li.json("POST", &exemptions, body.clone()).await.expect(403);
        boss.json("POST", &exemptions, json!({})).await.expect(422);
        boss.json(
            "POST",
            &exemptions,
            json!({ "refusal": "no-waiver", "reason": "", "until": "2026-10-01" }),
        )
        .await
        .expect(422);
        boss.json(
            "POST",
            &exemptions,
            json!({ "refusal": "no-waiver", "reason": "晚了", "until": "2020-01-01" }),
        )
        .await
        .expect(422);
        boss.json("POST", &exemptions, body).await.expect(201);
        let kept = li.get(&exemptions).await.expect(200).json();
        assert_eq!(
            (&kept["items"][0]["clause"], &kept["items"][0]["given_by"]),
            (&json!("2"), &json!(boss.person_id))
        );
        let waived = act(&li, &case, "waive", json!({ "waived": "忙" })).await.expect(200).json();
        assert_eq!(waived["is_open"], false);
        let case = cases[0].clone();
        // Two at once: one wins, the other is told, and there is one end.
        let (a, b) = tokio::join!(act(&li, &case, "called", json!({})), act(&li, &case, "called", json!({})));
        let mut both = [a.status.as_u16(), b.status.as_u16()];
        both.sort_unstable();
        assert_eq!(both, [200, 409]);
        assert_eq!(app.number("SELECT COUNT(*) FROM case_trail WHERE kind = 'closed'").await, 2);
        // Somebody without the customer does not know of its case.
        let wang = app.staff("wang", DataScope::Own).await.with_token().await;
        wang.get(&format!("/api/v1/cases/welcome/{}", id(&case))).await.expect(404);
    })
    .await;
}

// covers: FC-03
#[tokio::test(flavor = "multi_thread")]
async fn whoever_must_keep_out_of_a_customer_keeps_out_of_its_cases() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        enact(&admin, welcome()).await;
        let li = app.staff("li", DataScope::Own).await;
        let customer = li.customer(json!({ "kind": "person", "name": "回避的客户" })).await;
        let other = li.customer(json!({ "kind": "person", "name": "别的客户" })).await;
        let li = li.with_token().await;
        let boss = app.staff("boss", DataScope::Own).await.with_token().await;
        let office = unit(&admin, "业务部", "department", None).await;
        post(&admin, &li, &office, "sales_staff").await;
        head(&admin, &office, &boss).await;
        app.app.clock.advance(5_000);
        cases::run_due(&app.app).await.unwrap();
        let seen = async || {
            let list = boss.get("/api/v1/cases/welcome").await.expect(200).json();
            list["items"].as_array().unwrap().clone()
        };
        let cases = seen().await;
        assert_eq!(cases.len(), 2, "{cases:?}");
        let about = |customer: &Json| {
            let case = cases.iter().find(|case| case["customer_id"] == customer["id"]).unwrap();
            format!("/api/v1/cases/welcome/{}", id(case))
        };
        let (closed, open) = (about(&customer), about(&other));
        // From now on the head of the unit must keep out of one of them.
        boss.get(&closed).await.expect(200);
        let out = format!("/api/v1/customers/{}/exclusions", id(&customer));
        let body = json!({ "person_id": boss.person_id, "reason": "亲属" });
        admin.json("POST", &out, body).await.expect(201);
        app.app.clock.advance(2_000);
        boss.get(&closed).await.expect(404);
        boss.get(&open).await.expect(200);
        let left = seen().await;
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0]["customer_id"], other["id"]);
        let case = li.get(&closed).await.expect(200).json();
        act(&boss, &case, "called", json!({})).await.expect(404);
        admin.get(&closed).await.expect(200);
    })
    .await;
}

// covers: VF-01
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_taken_away_and_brought_back_is_told_to_regulations() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        enact(&admin, shipped("vip-customers")).await;
        let admin_page = app.sign_in(admin.person_id).await;
        let gone = admin_page.customer(json!({ "kind": "organisation", "name": "误建的客户" })).await;
        let stays = admin_page.customer(json!({ "kind": "organisation", "name": "真有的客户" })).await;
        let told = || async {
            app.app.clock.advance(5_000);
            cases::run_due(&app.app).await.unwrap();
        };
        let filings = |customer: &Json| {
            let (admin, of) = (admin.clone(), customer["id"].clone());
            async move {
                let list = admin.get("/api/v1/cases/filing").await.expect(200).json();
                let all = list["items"].as_array().unwrap().iter().filter(|case| case["customer_id"] == of);
                all.map(|case| case["is_open"] == true).collect::<Vec<_>>()
            }
        };
        told().await;
        assert_eq!((filings(&gone).await, filings(&stays).await), (vec![true], vec![true]));
        let path = format!("/api/v1/customers/{}", id(&gone));
        let version = gone["version"].to_string();
        admin.json_with("DELETE", &path, json!({}), &[("if-match", &version)]).await.expect(204);
        told().await;
        assert_eq!((filings(&gone).await, filings(&stays).await), (vec![false], vec![true]));
        admin_page.post_form(&format!("/customers/{}/restore", id(&gone)), &[]).await;
        told().await;
        assert_eq!((filings(&gone).await, filings(&stays).await), (vec![true, false], vec![true]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_case_keeps_its_version_and_a_bad_draft_is_not_published() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let first = enact(&admin, welcome()).await;
        let customer = li.customer(json!({ "kind": "person", "name": "甲" })).await;
        let li = li.with_token().await;
        let open = json!({ "values": { "customer": customer["id"] } });
        let old = li.json("POST", "/api/v1/cases/welcome", open.clone()).await.expect(201).json();
        assert_eq!(old["deadlines"][0]["due_at"], kehu::clock::rfc3339(NOW + 3 * DAY));
        // A draft with a mistake says where, and is not published.
        let mut files = welcome();
        let wrong = files[1]["text"].as_str().unwrap().replace("case.opened_at", "case.oppened_at");
        files[1]["text"] = json!(wrong);
        let draft =
            admin.json("POST", "/api/v1/policies", json!({ "files": files })).await.expect(201).json();
        let problem = draft["problems"][0].as_str().unwrap();
        assert!(problem.starts_with("forms.toml:") && problem.contains("opened_at"), "{problem}");
        let path = format!("/api/v1/policies/{}", id(&draft));
        let seen = [("if-match", "1")];
        let publication = format!("{path}/publication");
        admin.json_with("POST", &publication, json!({}), &seen).await.expect(422);
        li.get(&path).await.expect(404);
        li.json("POST", "/api/v1/policies", json!({ "files": welcome() })).await.expect(403);
        // Mended, with another number: out of range first.
        let out = json!({ "files": welcome(), "settings": { "days": 99 } });
        let out = admin.json_with("PUT", &path, out, &seen).await.expect(200).json();
        assert!(out["problems"][0].as_str().unwrap().contains("几天内联系"), "{out}");
        let body = json!({ "files": welcome(), "settings": { "days": 5 }, "note": "放宽到五天" });
        admin.json_with("PUT", &path, body.clone(), &seen).await.expect(412);
        let saved = admin.json_with("PUT", &path, body, &[("if-match", "2")]).await.expect(200).json();
        assert_eq!(saved["problems"], json!([]));
        app.app.clock.advance(1_000);
        let seen = saved["row_version"].to_string();
        let second =
            admin.json_with("POST", &publication, json!({}), &[("if-match", &seen)]).await.expect(200).json();
        assert_eq!((&second["number"], &second["is_in_force"]), (&json!(2), &json!(true)));
        let before = admin.get(&format!("/api/v1/policies/{}", id(&first))).await.expect(200).json();
        assert_eq!(before["is_in_force"], false);
        // The running case keeps its three days, the next one gets five.
        let path = format!("/api/v1/cases/welcome/{}", id(&old));
        let kept = li.get(&path).await.expect(200).json();
        assert_eq!(kept["deadlines"], old["deadlines"]);
        assert_eq!(kept["policy_version_id"], first["id"]);
        let new = li.json("POST", "/api/v1/cases/welcome", open).await.expect(201).json();
        assert_eq!(new["deadlines"][0]["due_at"], kehu::clock::rfc3339(NOW + 1_000 + 5 * DAY));
        act(&li, &old, "called", json!({})).await.expect(200);
        // Everybody takes note, once.
        let path = format!("/api/v1/policies/{}/acknowledgement", id(&second));
        li.json("POST", &path, json!({})).await.expect(204);
        li.json("POST", &path, json!({})).await.expect(204);
        assert_eq!(app.number("SELECT COUNT(*) FROM policy_acknowledgements").await, 1);
    })
    .await;
}
