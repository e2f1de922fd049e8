//! Cases in the browser: what waits for whom, forms made from the regulation, acting, deciding, files, notices; and what
//! of it nobody else learns.

use axum::body::Body;
use serde_json::{Value as Json, json};

use crate::app::{Answer, DataScope};
use crate::cases::{Retail, enact};
use crate::{Client, both};

const DAY: i64 = 24 * 3_600_000;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

/// A new id, as the form carries one.
fn new_id() -> String {
    kehu::ids::CaseId::new().to_string()
}

fn form<'v>(id: &'v str, shop: &'v str) -> Vec<(&'v str, &'v str)> {
    vec![
        ("id", id),
        ("v.store", shop),
        ("v.complainant", "终端消费者"),
        ("v.customer_name", "<b>张三</b>"),
        ("v.phone", "13800000000"),
        ("v.demands", ""),
        ("v.demands", "退货"),
        ("v.request", "冰箱不制冷"),
        ("v.original", ""),
    ]
}

async fn card(who: &Client<'_>, path: &str) -> String {
    let request = who.request("GET", path).header("hx-request", "true").header("hx-request-type", "partial");
    who.app.send(request.body(Body::empty()).unwrap()).await.expect(200).text()
}

/// Presses a button as htmx does.
async fn press(who: &Client<'_>, path: &str, values: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    let request = who
        .request("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("hx-request", "true")
        .header("hx-request-type", "partial");
    who.app.send(request.body(Body::from(body)).unwrap()).await
}

// covers: RT-01, RT-02
#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_filled_once_and_what_is_wrong_loses_nothing() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let (clerk, buyer) = (&of.pages["clerk"], &of.pages["buyer"]);
        let shop = of.shop["id"].as_str().unwrap();
        let offered = clerk.get("/cases/new").await.expect(200).text();
        assert!(offered.contains("/cases/new/complaint"), "{offered}");
        let page = clerk.get("/cases/new/complaint").await.expect(200).text();
        for named in ["v.store", "v.demands", "v.request", "v.original", "v.customer"] {
            assert!(page.contains(&format!("name=\"{named}\"")), "{named}");
        }
        clerk.get("/cases/new/unknown").await.expect(404);
        // Something missing: 422, what was typed stays, and what is missing is told at its field.
        let id = new_id();
        let half = [("id", id.as_str()), ("v.phone", "138"), ("v.request", "不制冷 & <i>")];
        let refused = clerk.post_form("/cases/new/complaint", &half).await.expect(422).text();
        assert!(
            refused.contains("value=\"138\"") && refused.contains("不制冷 &#38; &#60;i&#62;"),
            "{refused}"
        );
        assert!(refused.contains("aria-invalid=\"true\"") && refused.contains(&id), "{refused}");
        // Who may not open one is told who may.
        let theirs = new_id();
        let refused = buyer.post_form("/cases/new/complaint", &form(&theirs, shop)).await.expect(422).text();
        assert!(refused.contains("您不能开《"), "{refused}");
        // Sent twice, as after a lost answer: one case.
        let first = clerk.post_form("/cases/new/complaint", &form(&id, shop)).await.expect(303);
        let again = clerk.post_form("/cases/new/complaint", &form(&id, shop)).await.expect(303);
        assert_eq!(
            (first.header("location"), again.header("location")),
            (&*format!("/cases/{id}"), &*format!("/cases/{id}"))
        );
        assert_eq!(app.number("SELECT COUNT(*) FROM cases").await, 1);
        // Somebody else's id opens nothing and tells nothing.
        let keeper = &of.pages["keeper"];
        let stolen = keeper.post_form("/cases/new/complaint", &form(&id, shop)).await.expect(422).text();
        assert!(stolen.contains("请重新打开表单再提交"), "{stolen}");
        clerk.post_form("/cases/new/complaint", &form("x", shop)).await.expect(404);
        // The case shows what was written as text, its deadline with the clause, and the process.
        let shown = clerk.get(&format!("/cases/{id}")).await.expect(200).text();
        assert!(shown.contains("&#60;b&#62;张三&#60;/b&#62;") && !shown.contains("<b>张三</b>"), "{shown}");
        assert!(
            shown.contains("2026-10-05 16:20") && shown.contains("第二十六条") && shown.contains("<svg"),
            "{shown}"
        );
        buyer.get(&format!("/cases/{id}")).await.expect(404);
        // It waits for those whom the regulation names, and for nobody else.
        assert!(of.pages["keeper"].get("/cases").await.expect(200).text().contains(&id));
        assert!(!of.pages["service"].get("/cases").await.expect(200).text().contains(&id));
        assert!(clerk.get("/cases?place=mine").await.expect(200).text().contains(&id));
        assert!(
            of.pages["general"].get("/cases?place=all&form=complaint").await.expect(200).text().contains(&id)
        );
        for nothing in ["/cases?place=all&q=没有", "/cases?place=all&late=1", "/cases?place=all&state=closed"]
        {
            assert!(!clerk.get(nothing).await.expect(200).text().contains(&id), "{nothing}");
        }
        clerk.get("/cases?customer_id=x").await.expect(422);
        let board = clerk.get("/cases?place=all&form=complaint&view=board").await.expect(200).text();
        assert!(board.contains("case-column") && board.contains(&id), "{board}");
        let month = clerk.get("/cases/calendar?month=2026-10").await.expect(200).text();
        assert!(month.contains(&id), "{month}");
        assert!(!clerk.get("/cases/calendar?month=2026-12").await.expect(200).text().contains(&id));
        assert!(clerk.get("/tasks").await.expect(200).text().contains("单据待办"));
    })
    .await;
}

// covers: RT-05, RT-07
#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_carried_on_page_by_page_and_files_are_for_its_readers() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let (clerk, keeper, buyer) = (&of.pages["clerk"], &of.pages["keeper"], &of.pages["buyer"]);
        let shop = of.shop["id"].as_str().unwrap();
        // A file is its sender's alone until a form names it.
        let sent = clerk.upload("/cases/files", &[], "投诉书.png", PNG).await.expect(200).json();
        let file = sent["id"].as_str().unwrap();
        clerk.get(&format!("/cases/files/{file}?inline=1")).await.expect(200);
        keeper.get(&format!("/cases/files/{file}")).await.expect(404);
        clerk.get(&format!("/files/{file}")).await.expect(404);
        let id = new_id();
        let mut values = form(&id, shop);
        values.push(("v.original", file));
        clerk.post_form("/cases/new/complaint", &values).await.expect(303);
        let page = format!("/cases/{id}");
        assert!(card(keeper, &page).await.contains(&format!("/cases/files/{file}?inline=1")));
        keeper.get(&format!("/cases/files/{file}")).await.expect(200);
        buyer.get(&format!("/cases/files/{file}")).await.expect(404);
        buyer.get("/cases/files/0000000000000").await.expect(404);
        // Another case cannot take it.
        let other = new_id();
        let mut stolen = form(&other, shop);
        stolen.push(("v.original", file));
        let refused = keeper.post_form("/cases/new/complaint", &stolen).await.expect(422).text();
        assert!(refused.contains("不存在或您不能查看"), "{refused}");
        // The buttons of the step, with their fields; refused at the form, then done.
        let shown = card(keeper, &page).await;
        assert!(shown.contains(&format!("{page}/actions/verify.submit")), "{shown}");
        let action = format!("{page}/actions/verify.submit");
        let refused = press(keeper, &action, &[("v.basis", "凭发票")]).await.expect(422).text();
        assert!(refused.contains("value=\"凭发票\"") || refused.contains(">凭发票</textarea>"), "{refused}");
        press(&of.pages["personnel"], &action, &[("v.basis", "x")]).await.expect(422);
        press(buyer, &action, &[("v.basis", "x")]).await.expect(404);
        let buying = of.buying()["id"].as_str().unwrap().to_owned();
        let verified =
            [("v.reason_holds", "1"), ("v.basis", "凭发票"), ("v.complained_department", &*buying)];
        // Whoever wrote upon what has changed since is told, and loses nothing.
        let stale = [("seen", "0"), ("v.reason_holds", "1"), ("v.basis", "凭发票")];
        let told = press(keeper, &action, &stale).await.expect(422).text();
        assert!(told.contains("凭发票"), "{told}");
        press(keeper, &action, &verified).await.expect(200);
        let late = press(keeper, &action, &verified).await.expect(422).text();
        assert!(late.contains("note-bad") && late.contains("现在"), "{late}");
        let done = keeper.get("/cases?place=done").await.expect(200).text();
        assert!(done.contains(&id), "{done}");
        // Ends at nothing.
        press(keeper, &format!("{page}/actions/no-such"), &[]).await.expect(422);
        press(keeper, &format!("{page}/decision"), &[("verdict", "maybe")]).await.expect(422);
        clerk.get("/cases/nonsense").await.expect(404);
        // Files of forms that were never sent are forgotten after a day.
        let unsent = clerk.upload("/cases/files", &[], "忘了.png", PNG).await.expect(200).json();
        app.app.clock.advance(DAY + 1);
        kehu::files::purge(&app.app).await.unwrap();
        let (clerk, keeper) = (&app.sign_in(clerk.person_id).await, &app.sign_in(keeper.person_id).await);
        clerk.get(&format!("/cases/files/{}", unsent["id"].as_str().unwrap())).await.expect(404);
        keeper.get(&format!("/cases/files/{file}")).await.expect(200);
    })
    .await;
}

/// A regulation with an approval about a customer.
fn discount() -> Json {
    let files = [
        (
            "policy.toml",
            r#"
            [policy]
            id = "discount"
            title = "折让审批办法"
            version = "1"
            owner = "业务部"
            purpose = "折让先批后给。"
            [[clause]]
            id = "1"
            text = "折让经部门负责人批准。"
            "#,
        ),
        (
            "forms.toml",
            r#"
            [[form]]
            id = "discount"
            title = "折让单"
            by = "case.customer.owner"
            customer = "customer"
            owner = "case.customer.owner"
            fill = ["customer", "amount"]
            [[form.field]]
            id = "customer"
            title = "客户"
            type = "customer"
            [[form.field]]
            id = "amount"
            title = "金额"
            type = "money"
            [[step]]
            id = "approval"
            title = "审批"
            clause = "1"
            next = "done"
            [step.approve]
            reject = "refused"
            [[step.approve.stage]]
            title = "部门负责人"
            by = "superior(case.owner)"
            [[step]]
            id = "done"
            title = "已批准"
            kind = "end"
            clause = "1"
            [[step]]
            id = "refused"
            title = "未批准"
            kind = "end"
            clause = "1"
            "#,
        ),
    ];
    files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect::<Vec<_>>().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_reads_the_customer_while_he_decides_and_many_are_decided_at_once() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let boss = app.staff("boss", DataScope::Own).await;
        let office = crate::roles::unit(&app, "业务部").await;
        crate::roles::post(&app, &li, &office, "sales_staff").await;
        crate::roles::post(&app, &boss, &office, "department_manager").await;
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
        enact(&admin, discount()).await;
        let customer = li.customer(json!({ "kind": "person", "name": "王五" })).await;
        let path = format!("/customers/{}", customer["id"].as_str().unwrap());
        let mut cases = Vec::new();
        for amount in ["12.50", "1,200", "3"] {
            let id = new_id();
            let values =
                [("id", &*id), ("v.customer", customer["id"].as_str().unwrap()), ("v.amount", amount)];
            li.post_form("/cases/new/discount", &values).await.expect(303);
            cases.push(id);
        }
        app.app.forget_sessions();
        // The approver sees the customer he has to judge; he did not before, and nobody else does.
        boss.get(&path).await.expect(200);
        let shown = card(&boss, &format!("/cases/{}", cases[1])).await;
        assert!(shown.contains("1200.00 元") && shown.contains("王五") && shown.contains("同意"), "{shown}");
        let stranger = app.staff("wang", DataScope::Own).await;
        stranger.get(&path).await.expect(404);
        // What somebody is refused in a form, or among many, stands in the log all the same.
        let denied = |action: &'static str| {
            let sql = format!(
                "SELECT COUNT(*) FROM audit_log WHERE action = 'access.{action}' AND result = 'denied'"
            );
            app.app.db.read(move |conn| conn.count(&sql, &[]))
        };
        let (refused, hidden) = (denied("refused").await.unwrap(), denied("hidden").await.unwrap());
        press(&li, &format!("/cases/{}/decision", cases[0]), &[("verdict", "approve")]).await.expect(422);
        assert_eq!(denied("refused").await.unwrap(), refused + 1);
        press(&stranger, "/cases/decisions", &[("id", &*cases[0])]).await.expect(200);
        assert_eq!(denied("hidden").await.unwrap(), hidden + 1);
        let new = new_id();
        let named = [("id", &*new), ("v.customer", customer["id"].as_str().unwrap()), ("v.amount", "1")];
        stranger.post_form("/cases/new/discount", &named).await.expect(422);
        assert_eq!(denied("hidden").await.unwrap(), hidden + 2);
        // What he cannot decide is told, the others are done.
        let list = boss.get("/cases").await.expect(200).text();
        assert!(list.contains("批量同意") && cases.iter().all(|id| list.contains(id)), "{list}");
        let refused = press(&boss, &format!("/cases/{}/decision", cases[0]), &[("verdict", "reject")]).await;
        assert!(refused.expect(422).text().contains("请写明理由"));
        let no = [("verdict", "reject"), ("comment", "超出额度")];
        press(&boss, &format!("/cases/{}/decision", cases[0]), &no).await.expect(200);
        let many: Vec<(&str, &str)> = cases.iter().map(|id| ("id", id.as_str())).collect();
        let done = press(&boss, "/cases/decisions", &many).await.expect(200);
        let said = done.header("hx-trigger").to_owned();
        assert!(said.contains("refreshList") && said.contains(" 2 ") && said.contains("\\uff1b1 "), "{said}");
        press(&boss, "/cases/decisions", &[]).await.expect(400);
        assert_eq!(app.number("SELECT COUNT(*) FROM cases WHERE outcome = '已批准'").await, 2);
        assert_eq!(app.number("SELECT COUNT(*) FROM cases WHERE outcome = '未批准'").await, 1);
        // And his right has gone with it.
        app.app.forget_sessions();
        boss.get(&path).await.expect(404);
        assert_eq!(app.number("SELECT COUNT(*) FROM customer_grants WHERE revoked_at IS NULL").await, 0);
        let tab = li.get_part(&format!("{path}/cases")).await.expect(200).text();
        assert!(cases.iter().all(|id| tab.contains(id)), "{tab}");
        stranger.get_part(&format!("{path}/cases")).await.expect(404);
        stranger.get(&format!("/cases/{}", cases[0])).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_read_by_looking_at_the_case_or_all_at_once() {
    both(|app| async move {
        let of = Retail::new(&app).await;
        let shop = of.shop["id"].as_str().unwrap();
        let (clerk, service) = (&of.pages["clerk"], &of.pages["service"]);
        let (one, two) = (new_id(), new_id());
        for id in [&one, &two] {
            clerk.post_form("/cases/new/complaint", &form(id, shop)).await.expect(303);
        }
        app.app.clock.advance(5 * DAY);
        kehu::cases::run_due(&app.app).await.unwrap();
        // Sessions do not last that long.
        let service = &app.sign_in(service.person_id).await;
        let clerk = &app.sign_in(clerk.person_id).await;
        let list = service.get("/notices").await.expect(200).text();
        assert!(
            list.contains(&one) && list.contains(&two) && list.contains("将于 2026-10-05 16:20 到期"),
            "{list}"
        );
        service.get(&format!("/cases/{one}")).await.expect(200);
        let list = service.get("/notices").await.expect(200).text();
        assert!(!list.contains(&one) && list.contains(&two), "{list}");
        service.post_form("/notices/reading", &[]).await.expect(303);
        assert!(service.get("/notices").await.expect(200).text().contains("没有未读的消息"));
        assert!(service.get("/notices?all=1").await.expect(200).text().contains(&one));
        assert!(!clerk.get("/notices?all=1").await.expect(200).text().contains("没有未读"), "his own");
    })
    .await;
}
