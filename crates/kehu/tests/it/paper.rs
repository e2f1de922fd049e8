//! Paper: cases printed with their copies, counted and verified; reports counted, made, reviewed, locked and asked for.

use serde_json::{Value as Json, json};

use crate::both;
use crate::cases::Retail;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_printed_for_its_readers_and_every_print_is_counted() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let case = of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201).json();
        let page = format!("/cases/{}", case["id"].as_str().unwrap());
        let (clerk, keeper, buyer) = (&of.pages["clerk"], &of.pages["keeper"], &of.pages["buyer"]);
        buyer.post_form(&format!("{page}/prints"), &[]).await.expect(404);
        clerk.post_form(&format!("{page}/prints"), &[("copy", "no-such")]).await.expect(422);
        assert_eq!(app.number("SELECT COUNT(*) FROM prints").await, 0);
        let first =
            clerk.post_form(&format!("{page}/prints"), &[]).await.expect(303).header("location").to_owned();
        let pdf = clerk.get(&first).await.expect(200);
        assert_eq!(pdf.header("content-type"), "application/pdf");
        assert!(pdf.body.starts_with(b"%PDF") && pdf.body.len() > 5_000);
        // Whoever did not print it makes a print of his own, which is counted.
        keeper.get(&first).await.expect(404);
        let second =
            keeper.post_form(&format!("{page}/prints"), &[]).await.expect(303).header("location").to_owned();
        keeper.get(&second).await.expect(200);
        let shown = keeper.get(&page).await.expect(200).text();
        assert!(shown.contains("第 1 次") && shown.contains("第 2 次"), "{shown}");
        let made = "SELECT COUNT(*) FROM audit_log WHERE action = 'print.made'";
        assert_eq!(app.number(made).await, 2);
        // The code on the paper tells everybody that it is ours, and nothing of the case.
        let code: String = app
            .app
            .db
            .read(|conn| conn.value("SELECT code FROM prints WHERE count = 1", &[]))
            .await
            .unwrap()
            .unwrap();
        let verified = app.stranger().get(&format!("/verify/{code}")).await.expect(200).text();
        assert!(verified.contains("TS-202609-0001") && verified.contains("之后又打印过 1 次"), "{verified}");
        assert!(!verified.contains("张三") && !verified.contains("冰箱"), "{verified}");
        app.stranger().get(&format!("/verify/{}", "0".repeat(32))).await.expect(404);
        app.stranger().get("/verify/x").await.expect(404);
        // Later it is another print: nobody prints uncounted.
        app.app.clock.advance(10 * MINUTE);
        clerk.get(&first).await.expect(200);
        app.app.clock.advance(1);
        clerk.get(&first).await.expect(409);
    })
    .await;
}

// covers: RT-17
#[tokio::test(flavor = "multi_thread")]
async fn a_monthly_report_is_made_after_the_month_reviewed_and_locked() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        for _ in 0..2 {
            of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201);
        }
        let page = "/reports/retail-complaints/monthly";
        let month = format!("{page}?period=2026-09-01");
        let (clerk, personnel) = (&of.pages["clerk"], &of.pages["personnel"]);
        clerk.get(&month).await.expect(403);
        assert!(!clerk.get("/reports").await.expect(200).text().contains("投诉统计表"));
        assert!(personnel.get("/reports").await.expect(200).text().contains("投诉统计表"));
        let shown = personnel.get(&month).await.expect(200).text();
        assert!(shown.contains("TS-202609-0001") && shown.contains("TS-202609-0002"), "{shown}");
        assert!(shown.contains("期间未结束") && !shown.contains("重新制表"), "{shown}");
        let period = [("period", "2026-09-01")];
        let early = personnel.post_form(&format!("{page}/making"), &period).await.expect(422).text();
        assert!(early.contains("期间还没有结束"), "{early}");
        // The month ends at midnight of the last day, to the millisecond.
        app.app.clock.advance(2 * DAY + 7 * 60 * MINUTE + 40 * MINUTE - 1);
        let personnel = &app.sign_in(personnel.person_id).await;
        let general = &app.sign_in(of.pages["general"].person_id).await;
        personnel.post_form(&format!("{page}/making"), &period).await.expect(422);
        app.app.clock.advance(1);
        let denied =
            "SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused' AND after LIKE '%/making%'";
        let before = app.number(denied).await;
        general.post_form(&format!("{page}/making"), &period).await.expect(422);
        assert_eq!(app.number(denied).await, before + 1, "told in the form, and noted");
        personnel.post_form(&format!("{page}/making"), &period).await.expect(303);
        // What happens afterwards does not change what was made; made anew, it does.
        let late = of.clerk.json("POST", "/api/v1/cases/complaint", {
            let mut body = of.complaint();
            body["values"]["received_at"] = json!("2026-09-30 10:00");
            body
        });
        late.await.expect(201);
        assert!(!personnel.get(&month).await.expect(200).text().contains("TS-202610-0001"));
        personnel.post_form(&format!("{page}/making"), &period).await.expect(303);
        let made = personnel.get(&month).await.expect(200).text();
        assert!(made.contains("TS-202610-0001") && made.contains("待审核"), "{made}");
        // Reviewed by whom the regulation names, with what he has seen; sent back with a reason, agreed to in the end.
        let said = |verdict, seen| {
            [("period", "2026-09-01"), ("verdict", verdict), ("seen", seen), ("comment", "核对金额")]
        };
        let review = format!("{page}/review");
        personnel.post_form(&review, &said("agree", "2")).await.expect(422);
        general.post_form(&review, &said("agree", "1")).await.expect(422);
        general.post_form(&review, &said("maybe", "2")).await.expect(422);
        let silent = [("period", "2026-09-01"), ("verdict", "return"), ("seen", "2")];
        general.post_form(&review, &silent).await.expect(422);
        general.post_form(&review, &said("return", "2")).await.expect(303);
        assert!(personnel.get("/notices").await.expect(200).text().contains("被退回：核对金额"));
        // What was sent back cannot be agreed to as it stands; its maker sees why and makes it anew.
        let refused = general.post_form(&review, &said("agree", "3")).await.expect(422).text();
        assert!(refused.contains("已经退回"), "{refused}");
        let shown = personnel.get(&month).await.expect(200).text();
        assert!(shown.contains("审核人退回：核对金额") && shown.contains("重新制表"), "{shown}");
        personnel.post_form(&format!("{page}/making"), &period).await.expect(303);
        general.post_form(&review, &said("agree", "4")).await.expect(303);
        let locked = general.get(&month).await.expect(200).text();
        assert!(locked.contains("已锁定") && locked.contains("核对金额"), "{locked}");
        personnel.post_form(&format!("{page}/making"), &period).await.expect(422);
        general.post_form(&review, &said("agree", "5")).await.expect(422);
        // As files.
        let book = general.get(&format!("{page}/file?period=2026-09-01")).await.expect(200);
        assert!(book.body.starts_with(b"PK"));
        let text = general.get(&format!("{page}/file?period=2026-09-01&format=csv")).await.expect(200).text();
        assert_eq!(text.lines().count(), 5, "{text}");
        let pdf = general.get(&format!("{page}/paper?period=2026-09-01")).await.expect(200);
        assert!(pdf.body.starts_with(b"%PDF"));
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'report.exported'";
        assert_eq!(app.number(noted).await, 2, "report.exported");
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'report.printed'";
        assert_eq!(app.number(noted).await, 1, "report.printed");
        general.get(&format!("{page}?period=1800-01-01")).await.expect(404);
        general.get("/reports/retail-complaints/none").await.expect(404);
        general.get("/reports/none/monthly").await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_keeps_from_its_reader_what_he_must_keep_out_of() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let mut about_him = of.complaint();
        about_him["values"]["target"] = json!(of.personnel.person_id);
        about_him["values"]["customer_name"] = json!("钱七");
        of.clerk.json("POST", "/api/v1/cases/complaint", about_him).await.expect(201);
        of.clerk.json("POST", "/api/v1/cases/complaint", of.complaint()).await.expect(201);
        let month = "/reports/retail-complaints/monthly?period=2026-09-01";
        let file = "/reports/retail-complaints/monthly/file?period=2026-09-01&format=csv";
        // Both are counted; the cells of the one about him are for the others only, on the page and in the file.
        for path in [month, file] {
            let seen = of.pages["personnel"].get(path).await.expect(200).text();
            assert!(seen.contains("TS-202609-0002") && seen.contains("张三"), "{seen}");
            assert!(!seen.contains("TS-202609-0001") && !seen.contains("钱七"), "{seen}");
            let seen = of.pages["general"].get(path).await.expect(200).text();
            assert!(seen.contains("TS-202609-0001") && seen.contains("钱七"), "{seen}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_nobody_made_in_time_is_asked_for_once() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let told = || async {
            let list = of.personnel.get("/api/v1/notices").await.expect(200).json();
            let kinds = list["items"].as_array().unwrap().iter();
            let is_it = |notice: &&Json| {
                notice["kind"] == "report_due" && notice["text"].as_str().unwrap().contains("投诉统计表")
            };
            kinds.filter(is_it).count()
        };
        // The month the regulation came into force in is not asked for: nobody owed it from its beginning.
        app.app.clock.advance(13 * DAY);
        kehu::reports::remind(&app.app).await.unwrap();
        assert_eq!(told().await, 0);
        // October is due with the end of the tenth of November.
        app.app.clock.advance(30 * DAY + 7 * 60 * MINUTE + 40 * MINUTE - 1);
        kehu::reports::remind(&app.app).await.unwrap();
        assert_eq!(told().await, 0);
        app.app.clock.advance(1);
        for _ in 0..2 {
            kehu::reports::remind(&app.app).await.unwrap();
        }
        assert_eq!(told().await, 1);
    })
    .await;
}
