//! A repair from the phone call to the till: its slip on three papers, the register of the month, and who is sent.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::cases::{act, decide, enact, id, post, shipped, unit};
use crate::{Client, TestApp, both};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const PNG: &[u8] = include_bytes!("../../src/demo/signature.png");

struct Office<'a> {
    office: Json,
    desk: Client<'a>,
    engineer: Client<'a>,
    other: Client<'a>,
    chief: Client<'a>,
    cash: Client<'a>,
    general: Client<'a>,
}

impl<'a> Office<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let admin = app.administrator().await.with_token().await;
        let company = unit(&admin, "物业公司", "company", None).await;
        let office = unit(&admin, "东园管理处", "property_office", Some(&company)).await;
        let works = unit(&admin, "工程部", "department", Some(&company)).await;
        let money = unit(&admin, "财务部", "department", Some(&company)).await;
        let mut people = Vec::new();
        for (name, at, post_code) in [
            ("desk", &office, "front_desk_staff"),
            ("engineer", &works, "repair_staff"),
            ("other", &works, "repair_staff"),
            ("chief", &works, "engineering_director"),
            ("cash", &money, "finance_staff"),
            ("general", &company, "general_manager"),
        ] {
            let person = app.staff(name, DataScope::Own).await.with_token().await;
            post(&admin, &person, at, post_code).await;
            people.push(person);
        }
        let mut people = people.into_iter();
        let mut next = || people.next().unwrap();
        enact(&admin, shipped("repair")).await;
        Self {
            office,
            desk: next(),
            engineer: next(),
            other: next(),
            chief: next(),
            cash: next(),
            general: next(),
        }
    }

    /// A list of prices in force.
    async fn prices(&self) -> Json {
        let body = json!({ "values": {
            "title": "收费标准", "effective_on": "2026-09-28",
            "prices": [{ "item": "人工", "kind": "人工", "unit": "次", "price": "60" }],
        } });
        let list = self.cash.json("POST", "/api/v1/cases/price-list", body).await.expect(201).json();
        act(&self.cash, &list, "submit-prices", json!({})).await.expect(200);
        decide(&self.general, &list, json!({ "verdict": "approve" })).await.expect(200);
        act(&self.cash, &list, "publish", json!({})).await.expect(200);
        act(&self.cash, &list, "enforce", json!({})).await.expect(200);
        list
    }

    async fn signature(&self, who: &Client<'_>) -> Json {
        who.upload("/api/v1/case-files", &[], "签名.png", PNG).await.expect(201).json()["id"].clone()
    }
}

/// The text of each page, without blanks.
fn pages(pdf: &[u8]) -> Vec<String> {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages = document.get_pages();
    let text = |number: &u32| document.extract_text(&[*number]).unwrap();
    pages.keys().map(|number| text(number).replace([' ', '\n', '\u{200b}'], "")).collect()
}

//
#[tokio::test(flavor = "multi_thread")]
async fn a_repair_is_appointed_done_printed_in_three_and_paid() {
    both(|app| async move {
        let of = Office::new(&app).await;
        let prices = of.prices().await;
        let body = json!({ "values": {
            "office": of.office["id"], "customer_name": "李晓", "phone": "13800138000", "place": "3栋1201",
            "content": "厨房水管漏水",
        } });
        of.engineer.json("POST", "/api/v1/cases/slip", body.clone()).await.expect(403);
        let slip = of.desk.json("POST", "/api/v1/cases/slip", body.clone()).await.expect(201).json();
        // No visit without an appointment: when, and with whom.
        act(&of.chief, &slip, "dispatch", json!({})).await.expect(409);
        let gap = act(&of.desk, &slip, "appoint", json!({ "appointment": "2026-09-28 17:20" })).await.expect(422);
        assert_eq!(gap.json()["errors"][0]["field"], "agreed_with");
        let appointed = json!({ "appointment": "2026-09-28 17:20", "agreed_with": "李晓" });
        let slip = act(&of.desk, &slip, "appoint", appointed).await.expect(200).json();
        assert_eq!(slip["values"]["appointed_by"], json!(of.desk.person_id));
        assert_eq!(slip["values"]["appointed_as"], "前台");
        // Whom to send, the best first: both are free, so both stand there with what speaks for them.
        let chief = app.sign_in(of.chief.person_id).await;
        let find = format!("/cases/{}/candidates/technician?q=&v.trade={}", id(&slip), "%E6%B0%B4%E6%9A%96");
        let offered = chief.get(&find).await.expect(200).text();
        assert!(offered.contains("有本项专长 否") && offered.contains("手上的单少 0"), "{offered}");
        assert_eq!(offered.matches("role=\"option\"").count(), 2, "{offered}");
        app.sign_in(of.other.person_id).await.get(&find).await.expect(200);
        let sent = json!({
            "trade": "水暖", "technician": of.engineer.person_id, "mismatch_reason": "没有水暖专长的人",
        });
        act(&of.chief, &slip, "dispatch", sent).await.expect(200);
        // Of the next repair: who has one already comes later.
        let second = of.desk.json("POST", "/api/v1/cases/slip", body).await.expect(201).json();
        let appointed = json!({ "appointment": "2026-09-28 17:40", "agreed_with": "李晓" });
        act(&of.desk, &second, "appoint", appointed).await.expect(200);
        let find = format!("/cases/{}/candidates/technician?q=", id(&second));
        let offered = chief.get(&find).await.expect(200).text();
        assert!(offered.find("员工other") < offered.find("员工engineer"), "who has a repair comes later: {offered}");
        app.app.clock.advance(60 * MINUTE);
        act(&of.engineer, &slip, "arrive", json!({})).await.expect(200);
        act(&of.engineer, &slip, "confirm", json!({ "as_reported": true })).await.expect(200);
        let fee = |price: &str| json!({ "price_list": prices["id"], "fees": [{
            "item": "人工", "kind": "人工", "list_price": price, "unit_price": price, "quantity": 1,
        }] });
        act(&of.engineer, &slip, "quote", fee("75")).await.expect(409);
        act(&of.engineer, &slip, "quote", fee("60")).await.expect(200);
        act(&of.engineer, &slip, "start-repair", json!({})).await.expect(409);
        // Not any file is a signature.
        let note = of.engineer.upload("/api/v1/case-files", &[], "签名.png", b"note").await.expect(201).json();
        let noted = json!({ "consent_by": "李晓", "consent_signature": note["id"] });
        let refused = act(&of.engineer, &slip, "record-consent", noted).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "consent_signature", "{refused}");
        let consent = json!({ "consent_by": "李晓", "consent_signature": of.signature(&of.engineer).await });
        act(&of.engineer, &slip, "record-consent", consent).await.expect(200);
        act(&of.engineer, &slip, "start-repair", json!({})).await.expect(200);
        let done = json!({ "repair_note": "更换角阀", "moves_indoor": false });
        act(&of.engineer, &slip, "work-done", done).await.expect(200);
        let checked = json!({
            "site_check": ["清整现场", "检查试用"], "trial_result": "正常",
            "technician_signature": of.signature(&of.engineer).await,
        });
        act(&of.engineer, &slip, "checked", checked).await.expect(200);
        // No order ends without the customer's rating.
        let unrated = json!({ "customer_signature": of.signature(&of.engineer).await });
        let refused = act(&of.engineer, &slip, "sign", unrated).await;
        assert!(matches!(refused.status.as_u16(), 409 | 422), "{}", refused.text());
        let signed = json!({ "customer_signature": of.signature(&of.engineer).await, "satisfaction": 5 });
        act(&of.engineer, &slip, "sign", signed).await.expect(200);
        // Three papers, each named and for somebody, with the amount in words.
        let engineer = app.sign_in(of.engineer.person_id).await;
        let page = format!("/cases/{}", id(&slip));
        let print = engineer.post_form(&format!("{page}/prints"), &[]).await.expect(303);
        let pdf = engineer.get(print.header("location")).await.expect(200);
        let papers = pages(&pdf.body);
        assert_eq!(papers.len(), 3);
        for (paper, name) in papers.iter().zip(["第一联客户", "第二联工程部主任存档", "第三联前台转财务部"]) {
            assert!(paper.contains(name) && paper.contains("陆拾元整") && paper.contains("李晓"), "{paper}");
            assert!(paper.contains("WX-202609-0001") && paper.contains("第1次打印"), "{paper}");
        }
        let one = engineer.post_form(&format!("{page}/prints"), &[("copy", "charge")]).await.expect(303);
        let papers = pages(&engineer.get(one.header("location")).await.expect(200).body);
        assert_eq!(papers.len(), 1);
        assert!(papers[0].contains("第三联") && papers[0].contains("补打"), "{}", papers[0]);
        // Who handed which paper to whom and when; the third passes the front desk on its way.
        act(&of.engineer, &slip, "hand-first", json!({ "copy1_to": "李晓" })).await.expect(200);
        let second = json!({ "copy2_to": of.chief.person_id });
        act(&of.engineer, &slip, "hand-second", second).await.expect(200);
        act(&of.cash, &slip, "receive-third", json!({})).await.expect(409);
        let third = json!({ "copy3_to": of.desk.person_id });
        act(&of.engineer, &slip, "hand-third", third).await.expect(200);
        act(&of.desk, &slip, "pass-third", json!({})).await.expect(200);
        act(&of.cash, &slip, "receive-third", json!({})).await.expect(200);
        let paid = json!({
            "collected_amount": "60", "collected_on": "2026-09-28", "collect_method": "现金", "receipt_no": "SJ-1",
        });
        let slip = act(&of.cash, &slip, "collect", paid).await.expect(200).json();
        for field in ["copy1_at", "copy2_at", "copy3_at", "copy3_passed_at", "copy3_received_at"] {
            assert!(slip["values"][field].is_string(), "{field}: {slip}");
        }
        // The registers of the month, made, reviewed and locked; on paper too.
        app.app.clock.advance(3 * DAY);
        let (chief, cash) = (app.sign_in(of.chief.person_id).await, app.sign_in(of.cash.person_id).await);
        let month = [("period", "2026-09-01")];
        for (report, tells) in [("paid-services", "60.00"), ("punctuality", "100.0%"), ("satisfaction", "100.0%")] {
            let path = format!("/reports/repair/{report}");
            chief.post_form(&format!("{path}/making"), &month).await.expect(303);
            let shown = chief.get(&format!("{path}?period=2026-09-01")).await.expect(200).text();
            assert!(shown.contains(tells) && shown.contains("东园管理处"), "{report}: {shown}");
        }
        let paper = chief.get("/reports/repair/paid-services/paper?period=2026-09-01").await.expect(200);
        let paper = pages(&paper.body).concat();
        assert!(paper.contains("工程部有偿服务登记表") && paper.contains("WX-202609-0001"), "{paper}");
        let agreed = [("period", "2026-09-01"), ("verdict", "agree"), ("seen", "1"), ("comment", "")];
        cash.post_form("/reports/repair/paid-services/review", &agreed).await.expect(303);
        let locked = cash.get("/reports/repair/paid-services?period=2026-09-01").await.expect(200).text();
        assert!(locked.contains("已锁定"), "{locked}");
        // Repairs have an entry of their own in the menu, and a desk with the share of the satisfied by office and month.
        assert!(chief.get("/").await.expect(200).text().contains("href=\"/desks/repair\""));
        let desk = chief.get("/desks/repair").await.expect(200).text();
        assert!(desk.contains("维修单") && desk.contains("form=slip"), "{desk}");
        let figures = "/desks/repair/figures?period=2026-09-01";
        let shown = chief.get_part(figures).await.expect(200).text();
        let rate = shown.split("维修满意率").nth(1).unwrap_or_default().to_owned();
        assert!(rate.contains("100.0%") && rate.contains("东园管理处"), "{shown}");
        let clerk = app.sign_in(of.desk.person_id).await;
        assert!(!clerk.get_part(figures).await.expect(200).text().contains("维修满意率"));
        clerk.get("/desks/none").await.expect(404);
    })
    .await;
}
