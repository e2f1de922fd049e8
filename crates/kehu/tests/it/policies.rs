//! The library of regulations in the browser: drafts, checking, publishing, reading, settings, and how well they are kept.

use axum::body::Body;
use serde_json::{Value as Json, json};

use crate::app::{Answer, DataScope};
use crate::policies_guide;
use crate::roles::{post, unit};
use crate::{Client, TestApp, both};

const DAY: i64 = 24 * 3_600_000;

/// The example of the guide, with one file changed.
fn files(changed: &str, from: &str, to: &str) -> Json {
    let all = policies_guide::files();
    let file = |(name, text): (&String, &String)| {
        let text = if name == changed { text.replace(from, to) } else { text.clone() };
        json!({ "name": name, "text": text })
    };
    all.iter().map(file).collect()
}

/// A draft, by the API; answers where its page is.
async fn draft(admin: &Client<'_>, files: Json) -> String {
    let made = admin.with_token().await.json("POST", "/api/v1/policies", json!({ "files": files })).await;
    format!("/policies/{}", made.expect(201).json()["id"].as_str().unwrap())
}

/// What a page says its form was read from.
async fn seen(who: &Client<'_>, page: &str) -> String {
    let text = who.get(page).await.expect(200).text();
    let after = text.split("name=\"seen\" value=\"").nth(1).unwrap_or_else(|| panic!("no form: {text}"));
    after.split('"').next().unwrap().to_owned()
}

async fn part(who: &Client<'_>, path: &str) -> Answer {
    let request = who.request("GET", path).header("hx-request", "true").header("hx-request-type", "partial");
    who.app.send(request.body(Body::empty()).unwrap()).await
}

async fn publish(admin: &Client<'_>, page: &str, form: &[(&str, &str)]) -> Answer {
    let path = format!("{page}/publication");
    let saw = seen(admin, &path).await;
    let mut values = vec![("seen", saw.as_str())];
    values.extend_from_slice(form);
    admin.post_form(&path, &values).await
}

/// People for the example: who borrows, who keeps the keys, who leads them.
struct Office<'a> {
    borrower: Client<'a>,
    keeper: Client<'a>,
    head: Client<'a>,
}

async fn office(app: &TestApp) -> Office<'_> {
    let (borrower, keeper) = (app.staff("wu", DataScope::Own).await, app.staff("zhou", DataScope::Own).await);
    let head = app.staff("tou", DataScope::Own).await;
    let at = unit(app, "行政人事部").await;
    post(app, &borrower, &at, "sales_staff").await;
    post(app, &keeper, &at, "human_resources_staff").await;
    post(app, &head, &at, "department_manager").await;
    let leads = head.person_id;
    app.app
        .db
        .write(move |tx| {
            tx.exec("UPDATE units SET head_id = $1", &[leads.into()])?;
            kehu::org::rights_changed(tx)
        })
        .await
        .unwrap();
    app.app.forget_sessions();
    Office { borrower, keeper, head }
}

async fn lend(office: &Office<'_>) -> Json {
    let (borrower, keeper) = (office.borrower.with_token().await, office.keeper.with_token().await);
    let body = json!({ "values": { "key": "会议室", "purpose": "接待客户" } });
    let case = borrower.json("POST", "/api/v1/cases/key-loan", body).await.expect(201).json();
    let path = format!("/api/v1/cases/key-loan/{}/actions", case["id"].as_str().unwrap());
    keeper.json("POST", &path, json!({ "action": "lend" })).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_refused_mended_published_and_read() {
    both(|app| async move {
        let admin = app.administrator().await;
        let staff = app.staff("li", DataScope::Own).await;
        let library = admin.get("/policies").await.expect(200).text();
        assert!(
            library.contains("随附的制度") && library.matches(">采用</button>").count() == 3,
            "{library}"
        );
        assert!(staff.get("/policies").await.expect(200).text().contains("公司还没有发布制度"));
        // Written from nothing in the browser.
        let wrong = [("id", "Key Lending"), ("title", "")];
        let refused = admin.post_form("/policies", &wrong).await.expect(422).text();
        assert!(refused.contains("代号用小写字母"), "{refused}");
        let begun =
            admin.post_form("/policies", &[("id", "key-lending"), ("title", "钥匙“借用”")]).await.expect(303);
        // Once a regulation has a short name, another one does not come into it by mistake.
        let again = admin.post_form("/policies", &[("id", "key-lending"), ("title", "钥匙")]).await;
        assert!(again.expect(422).text().contains("代号“key-lending”已由制度“钥匙“借用””使用"));
        let edit = begun.header("location").to_owned();
        let page = edit.strip_suffix("/edit").unwrap().to_owned();
        let shown = admin.get(&edit).await.expect(200).text();
        assert!(shown.contains("clauses.toml") && shown.contains("钥匙“借用”"), "{shown}");
        for (name, text) in policies_guide::files() {
            let saw = seen(&admin, &edit).await;
            let add = [("seen", saw.as_str()), ("add", name.as_str())];
            let known = admin.get(&edit).await.text().contains(&format!(">{name}</span>"));
            if !known {
                admin.post_form(&format!("{page}/files"), &add).await.expect(303);
            }
            let text = text
                .replace("due = { return-in-time = \"2026-09-29", "due = { return-in-time = \"2026-09-30");
            let saw = seen(&admin, &edit).await;
            let text = text.replace('\n', "\r\n");
            let form = [("seen", saw.as_str()), ("file", name.as_str()), ("text", text.as_str())];
            admin.post_form(&edit, &form).await.expect(303);
        }
        assert_eq!(
            app.number("SELECT COUNT(*) FROM policy_versions WHERE REPLACE(files, '\\r', '') <> files").await,
            0
        );
        // What is typed is checked without being saved; so are the scenarios.
        let typed = [("file", "clauses.toml"), ("text", "[[clause]]\nid = \"第一条\"\nbind = \"x\"\n")];
        let told = admin.post_form(&format!("{page}/check"), &typed).await.expect(200).text();
        assert!(told.contains("data-code-problems=\"") && told.contains("bind"), "{told}");
        let nothing = [("file", ""), ("text", "")];
        let told = admin.post_form(&format!("{page}/test"), &nothing).await.expect(200).text();
        assert!(told.contains("3 个情景，1 个没有通过") && told.contains("on-time.toml:"), "{told}");
        // Nobody else sees it, and it is not published like this.
        for path in [page.clone(), format!("{page}/differences"), format!("{page}/compliance")] {
            staff.get(&path).await.expect(404);
        }
        staff.post_form(&format!("{page}/acknowledgement"), &[]).await.expect(404);
        staff.get(&edit).await.expect(403);
        let refused = publish(&admin, &page, &[("when", "now")]).await.expect(422).text();
        assert!(refused.contains("scenarios/on-time.toml:"), "{refused}");
        assert_eq!(app.number("SELECT COUNT(*) FROM policy_versions WHERE state = 'published'").await, 0);
        let scenario = policies_guide::files()["scenarios/on-time.toml"].clone();
        let saw = seen(&admin, &edit).await;
        let form = [("seen", saw.as_str()), ("file", "scenarios/on-time.toml"), ("text", scenario.as_str())];
        admin.post_form(&edit, &form).await.expect(303);
        let told = admin.post_form(&format!("{page}/test"), &nothing).await.expect(200).text();
        assert!(told.contains("3 个情景全部通过"), "{told}");
        publish(&admin, &page, &[("when", "now"), ("note", "第一次发布")]).await.expect(303);
        // Everybody reads it, clause by clause.
        let read = staff.get(&page).await.expect(200).text();
        for text in [
            "施行中",
            "id=\"clause-第三条\"",
            "按时归还",
            "第一次发布",
            "1个工作日",
            "妥善保管钥匙",
            "<svg xmlns",
        ] {
            assert!(read.contains(text), "{text}: {read}");
        }
        assert!(!read.contains("修订") && !read.contains("阅读情况"), "{read}");
        assert!(staff.get("/policies").await.text().contains("未阅读"));
        staff.post_form(&format!("{page}/acknowledgement"), &[]).await.expect(303);
        staff.post_form(&format!("{page}/acknowledgement"), &[]).await.expect(303);
        assert!(staff.get("/policies").await.text().contains("已阅读"));
        let known = admin.get(&page).await.expect(200).text();
        assert!(known.contains("1 人已阅读，1 人还没有") && known.contains("员工li"), "{known}");
        assert_eq!(app.number("SELECT COUNT(*) FROM policy_acknowledgements").await, 1);
        // A published version is not edited any more.
        admin.get(&edit).await.expect(409);
        admin.post_form(&format!("{page}/discard"), &[("seen", "99")]).await.expect(409);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_is_found_from_whatever_cites_it() {
    both(|app| async move {
        let admin = app.administrator().await;
        let page = draft(&admin, files("", "", "")).await;
        let id = page.strip_prefix("/policies/").unwrap();
        let asked = |clause: &str, version: &str| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("policy", "key-lending").append_pair("clause", clause);
            if !version.is_empty() {
                query.append_pair("version", version);
            }
            format!("/policies/clause?{}", query.finish())
        };
        let staff = app.staff("li", DataScope::Own).await;
        part(&staff, &asked("第三条", id)).await.expect(404);
        part(&staff, &asked("第三条", "")).await.expect(404);
        publish(&admin, &page, &[("when", "now")]).await.expect(303);
        for version in [id, ""] {
            let card = part(&staff, &asked("第三条", version)).await.expect(200).text();
            assert!(card.contains("最迟下一个工作日还回") && !card.contains("<html"), "{card}");
            assert!(card.contains("<b>时限</b>按时归还"), "{card}");
        }
        let both_clauses = part(&staff, &asked("第一条, 第二条", id)).await.expect(200).text();
        assert!(
            both_clauses.contains("写明哪把钥匙") && both_clauses.contains("核对后交付"),
            "{both_clauses}"
        );
        let whole = staff.get(&asked("第三条", id)).await.expect(303);
        assert!(
            whole.header("location").starts_with(&format!("{page}#clause-")),
            "{}",
            whole.header("location")
        );
        part(&staff, &asked("第九十九条", id)).await.expect(404);
        part(&staff, &format!("/policies/clause?policy=other&version={id}&clause=1")).await.expect(404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saves_second_is_refused_and_keeps_what_he_wrote() {
    both(|app| async move {
        let admin = app.administrator().await;
        let page = draft(&admin, files("", "", "")).await;
        let edit = format!("{page}/edit");
        let saw = seen(&admin, &edit).await;
        let form = |text: &'static str| {
            [("seen", saw.clone()), ("file", "standards.toml".into()), ("text", text.to_owned())]
        };
        let send = async |text: &'static str| {
            let form = form(text);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            admin.post_form(&edit, &form).await
        };
        send("# 第一个人\n").await.expect(303);
        let refused = send("# 第二个人\n").await.expect(422).text();
        assert!(refused.contains("刚被别人改过") && refused.contains("# 第二个人"), "{refused}");
        // Sent again as it stands, it is refused again.
        send("# 第二个人\n").await.expect(422);
        assert!(app.text("SELECT files FROM policy_versions").await.contains("第一个人"));
        let settings = [("seen", saw.as_str()), ("s.return_within", "2wd")];
        // Its clause has lost its standard: the settings wait until the files are right.
        admin.post_form(&format!("{page}/settings"), &settings).await.expect(422);
        admin.post_form(&format!("{page}/discard"), &[("seen", saw.as_str())]).await.expect(412);
        let now = seen(&admin, &edit).await;
        admin.post_form(&format!("{page}/discard"), &[("seen", now.as_str())]).await.expect(303);
        assert!(!admin.get("/policies").await.text().contains("钥匙借用管理规定"));
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'policy.discarded'").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_asked_by_type_and_kept_within_their_range() {
    both(|app| async move {
        let admin = app.administrator().await;
        let taken = admin.post_form("/policies", &[("policy", "retail-complaints")]).await.expect(303);
        let page = taken.header("location").to_owned();
        let path = format!("{page}/settings");
        let asked = admin.get(&path).await.expect(200).text();
        for text in [
            "投诉统计表每月几日前报送",
            "1 至 28",
            "制度的默认值：10",
            "制度的默认值：500.00 元",
            "第二十七条",
        ] {
            assert!(asked.contains(text), "{text}: {asked}");
        }
        let saw = seen(&admin, &path).await;
        for (name, value, said) in [
            ("s.report_day", "31", "不能大于 28"),
            ("s.report_day", "0", "不能小于 1"),
            ("s.report_day", "一号", "请填写整数"),
            ("s.manager_limit", "-1", "不能小于 0"),
            ("s.close_within", "很久", "很久"),
        ] {
            let form = [("seen", saw.as_str()), (name, value)];
            let refused = admin.post_form(&path, &form).await.expect(422).text();
            assert!(
                refused.contains(said) && refused.contains(&format!("value=\"{value}\"")),
                "{said}: {refused}"
            );
        }
        let form = [
            ("seen", saw.as_str()),
            ("s.report_day", "5"),
            ("s.manager_limit", "1,280.50"),
            ("s.close_within", ""),
        ];
        admin.post_form(&path, &form).await.expect(303);
        assert_eq!(
            app.text("SELECT settings FROM policy_versions").await,
            r#"{"manager_limit":128050,"report_day":5}"#
        );
        let shown = admin.get(&page).await.expect(200).text();
        assert!(shown.contains("1280.50 元"), "{shown}");
        // The company's own posts for a role of the regulation, by names of its dictionary.
        assert!(asked.contains("担任“门店人员”的岗位") && asked.contains("部门负责人"), "{asked}");
        for (posts, said) in [("客服人员、没有的岗位", "岗位字典里没有“没有的岗位”"), ("部长", "是不是：")]
        {
            let saw = seen(&admin, &path).await;
            let form = [("seen", saw.as_str()), ("s.role.store-staff", posts)];
            let refused = admin.post_form(&path, &form).await.expect(422).text();
            assert!(refused.contains(said), "{said}: {refused}");
        }
        let saw = seen(&admin, &path).await;
        let form = [("seen", saw.as_str()), ("s.role.store-staff", "客服人员，销售人员、客服人员")];
        admin.post_form(&path, &form).await.expect(303);
        let kept = app.text("SELECT settings FROM policy_versions").await;
        assert!(kept.contains(r#""role.store-staff":["客服人员","销售人员"]"#), "{kept}");
        assert!(admin.get(&path).await.expect(200).text().contains("value=\"客服人员、销售人员\""));
        // Emptied, the regulation's own hold again.
        let saw = seen(&admin, &path).await;
        admin.post_form(&path, &[("seen", saw.as_str()), ("s.role.store-staff", "")]).await.expect(303);
        assert!(!app.text("SELECT settings FROM policy_versions").await.contains("role."));
        // By the API nobody is kept from writing a draft like this, but it is not published.
        let client = admin.with_token().await;
        let body = client.get(&format!("/api/v1{page}")).await.expect(200).json();
        let wrong = json!({ "files": body["files"], "settings": { "report_day": 31 } });
        let saw = body["row_version"].to_string();
        client.json_with("PUT", &format!("/api/v1{page}"), wrong, &[("if-match", &saw)]).await.expect(200);
        publish(&admin, &page, &[("when", "now")]).await.expect(422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_cases_keep_their_version_and_new_ones_follow_the_new() {
    both(|app| async move {
        let admin = app.administrator().await;
        let office = office(&app).await;
        let first = draft(&admin, files("", "", "")).await;
        publish(&admin, &first, &[("when", "now")]).await.expect(303);
        let case = lend(&office).await;
        assert_eq!(case["due_at"], "2026-09-29T15:59:59.999Z");
        // Only a number changes: a draft from the version, its settings, from tomorrow on.
        let id = first.strip_prefix("/policies/").unwrap();
        let begun = admin.post_form("/policies", &[("from", id), ("to", "settings")]).await.expect(303);
        let path = begun.header("location").to_owned();
        let second = path.strip_suffix("/settings").unwrap().to_owned();
        let saw = seen(&admin, &path).await;
        admin.post_form(&path, &[("seen", &saw), ("s.return_within", "3d@24:00")]).await.expect(303);
        let shown = admin.get(&format!("{second}/publication")).await.expect(200).text();
        assert!(shown.contains("归还期限") && shown.contains("有 1 张单据正在办理"), "{shown}");
        for (form, said) in [
            ([("when", "later"), ("day", ""), ("time", "")], "请选择生效的日期和时间"),
            ([("when", "later"), ("day", "2026-09-01"), ("time", "")], "不能早于现在"),
        ] {
            let refused = publish(&admin, &second, &form).await.expect(422).text();
            assert!(refused.contains(said), "{said}: {refused}");
        }
        let form = [("when", "later"), ("day", "2026-09-29"), ("time", "08:00"), ("note", "期限放宽")];
        publish(&admin, &second, &form).await.expect(303);
        let library = office.borrower.get("/policies").await.expect(200).text();
        assert!(library.contains("2026-09-29 08:00 起施行") && library.contains("期限放宽"), "{library}");
        assert_eq!(lend(&office).await["due_at"], "2026-09-29T15:59:59.999Z", "not yet");
        app.clock.advance(DAY);
        let newer = lend(&office).await;
        assert_eq!(newer["due_at"], "2026-10-02T15:59:59.999Z");
        let told = office.borrower.with_token().await;
        let path = format!("/api/v1/cases/key-loan/{}", case["id"].as_str().unwrap());
        let older = told.get(&path).await.expect(200).json();
        assert_eq!(older["policy_version_id"].as_str(), Some(id));
        assert_eq!(older["due_at"], "2026-09-29T15:59:59.999Z");
        // A day later the browser has to sign in again.
        let borrower = app.sign_in(office.borrower.person_id).await;
        let differs = borrower.get(&format!("{second}/differences")).await.expect(200).text();
        assert!(differs.contains("归还期限"), "{differs}");
        assert!(borrower.get(&first).await.expect(200).text().contains("已被取代"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compliance_counts_what_its_reader_may_read() {
    both(|app| async move {
        let admin = app.administrator().await;
        let office = office(&app).await;
        let page = draft(&admin, files("", "", "")).await;
        publish(&admin, &page, &[("when", "now")]).await.expect(303);
        let late = lend(&office).await;
        let kept = lend(&office).await;
        let keeper = office.keeper.with_token().await;
        let path = format!("/api/v1/cases/key-loan/{}/actions", kept["id"].as_str().unwrap());
        keeper
            .json("POST", &path, json!({ "action": "return", "values": { "condition": "完好" } }))
            .await
            .expect(200);
        app.clock.advance(2 * DAY);
        kehu::cases::run_due(&app.app).await.unwrap();
        lend(&office).await;
        let compliance = format!("{page}/compliance");
        // Days later everybody has to sign in again.
        let borrower = app.sign_in(office.borrower.person_id).await;
        let head = app.sign_in(office.head.person_id).await;
        let admin = app.sign_in(admin.person_id).await;
        borrower.get(&compliance).await.expect(403);
        assert!(!borrower.get(&page).await.text().contains("执行情况"));
        // Of two, one kept and one missed this month; the third falls due after it.
        async fn behind(who: &Client<'_>, compliance: &str, what: &str) -> String {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("clause", "第三条")
                .append_pair("what", what)
                .append_pair("period", "year")
                .finish();
            who.get(&format!("{compliance}/cases?{query}")).await.expect(200).text()
        }
        for who in [&admin, &head] {
            let month = who.get(&compliance).await.expect(200).text();
            assert!(month.contains("第三条") && month.contains("50%"), "{month}");
            let numbers = behind(who, &compliance, "breached").await;
            assert!(numbers.contains(late["number"].as_str().unwrap()), "{numbers}");
            assert!(!numbers.contains(kept["number"].as_str().unwrap()), "{numbers}");
            assert!(behind(who, &compliance, "met").await.contains(kept["number"].as_str().unwrap()));
            assert_eq!(behind(who, &compliance, "deadlines").await.matches("data-label=\"单据\"").count(), 3);
        }
        // The head of another unit reads none of it.
        let other = app.staff("bie", DataScope::Own).await;
        let elsewhere = unit(&app, "别的部门").await;
        let (leads, of) = (other.person_id, store::parse_id(&elsewhere).unwrap());
        app.app
            .db
            .write(move |tx| {
                tx.exec("UPDATE units SET head_id = $1 WHERE id = $2", &[leads.into(), of.into()])?;
                kehu::org::rights_changed(tx)
            })
            .await
            .unwrap();
        app.app.forget_sessions();
        let month = other.get(&compliance).await.expect(200).text();
        assert!(!month.contains("50%") && month.contains("只统计您能查看的单据"), "{month}");
        let paper = admin.get(&format!("{compliance}/paper?period=month")).await.expect(200);
        assert!(paper.body.starts_with(b"%PDF") && paper.header("content-type") == "application/pdf");
        let printed = "SELECT COUNT(*) FROM audit_log WHERE action = 'policy.compliance_printed'";
        assert_eq!(app.number(printed).await, 1);
        let file = admin.get(&format!("{compliance}/export?period=month")).await.expect(200);
        assert!(file.header("content-type").contains("spreadsheetml") && file.body.starts_with(b"PK"));
        let rows =
            admin.get(&format!("{compliance}/export?period=month&format=csv")).await.expect(200).text();
        assert!(rows.contains("第三条,按时归还,2,1,1,0,50%,0,0,1"), "{rows}");
        // The last month had none.
        let before = admin.get(&format!("{compliance}?period=last-month")).await.expect(200).text();
        assert!(!before.contains("50%"), "{before}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_handle_customer_information_sees_numbers_and_no_case() {
    both(|app| async move {
        let admin = app.administrator().await;
        let office = office(&app).await;
        let page = draft(&admin, files("", "", "")).await;
        publish(&admin, &page, &[("when", "now")]).await.expect(303);
        let number = lend(&office).await["number"].as_str().unwrap().to_owned();
        let compliance = format!("{page}/compliance");
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("clause", "第三条")
            .append_pair("what", "deadlines")
            .append_pair("period", "year")
            .finish();
        let behind = format!("{compliance}/cases?{query}");
        let head = &office.head;
        let kept = head.get(&behind).await.expect(200).text();
        assert!(kept.contains(&number), "{kept}");
        head.with_token().await.get("/api/v1/notices").await.expect(200);
        // From now on customer information is for those who have signed.
        crate::rights::publish(&admin, "承诺", "0").await;
        let on = [("is_on", "1"), ("with_administrators", "1")];
        admin.post_form("/admin/handlers/rules", &on).await.expect(303);
        app.app.forget_sessions();
        let program = head.with_token().await;
        assert_eq!(head.get(&behind).await.expect(303).header("location"), "/confidentiality");
        let refused = program.get(&behind).await.expect(403).text();
        assert!(!refused.contains(&number), "{refused}");
        program.get("/api/v1/notices").await.expect(403);
        for path in [compliance.clone(), format!("{compliance}/export?format=csv&period=year")] {
            let numbers = head.get(&path).await.expect(200).text();
            assert!(numbers.contains("第三条") && !numbers.contains(&number), "{numbers}");
        }
        // The administrator is no exception.
        assert_eq!(admin.get(&behind).await.expect(303).header("location"), "/confidentiality");
        admin.with_token().await.get(&behind).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_changed_while_it_was_examined_is_not_published() {
    both(|app| async move {
        let admin = app.administrator().await;
        let page = draft(&admin, files("", "", "")).await;
        let client = admin.with_token().await;
        let path = format!("/api/v1{page}");
        let before = client.get(&path).await.expect(200).json();
        let row_version = before["row_version"].as_i64().unwrap();
        let id: kehu::ids::PolicyVersionId = before["id"].as_str().unwrap().parse().unwrap();
        let draft: Vec<policy::SourceFile> = before["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| policy::SourceFile {
                name: file["name"].as_str().unwrap().to_owned(),
                text: file["text"].as_str().unwrap().to_owned(),
            })
            .collect();
        let catalogue = app.app.catalogue().await.unwrap();
        let examined = kehu::policies::examine(&catalogue, draft, policy::Settings::new()).await;
        assert!(examined.is_ok(), "{examined:?}");
        // Meanwhile somebody saves it with another file.
        let changed = json!({ "files": files("clauses.toml", "钥匙", "车钥匙") });
        let seen = row_version.to_string();
        client.json_with("PUT", &path, changed, &[("if-match", &seen)]).await.expect(200);
        let actor = kehu::access::Actor::command_line();
        let now = app.app.now();
        for seen in [row_version, row_version + 1] {
            let (actor, examined) = (actor.clone(), examined.clone());
            let refused = app
                .app
                .db
                .write(move |tx| {
                    kehu::policies::publish(tx, &actor, (id, seen), &examined, None, now, now).map(drop)
                })
                .await;
            assert!(matches!(refused, Err(kehu::error::AppError::Stale)), "{refused:?}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM policy_versions WHERE state = 'published'").await, 0);
        // By the API too: from the version somebody saw, not from the one that is there now.
        let publication = format!("{path}/publication");
        client.json_with("POST", &publication, json!({}), &[("if-match", &seen)]).await.expect(412);
        let key = [("if-match", "2"), ("idempotency-key", "publish-1")];
        let first = client.json_with("POST", &publication, json!({}), &key).await.expect(200).json();
        let again = client.json_with("POST", &publication, json!({}), &key).await.expect(200).json();
        assert_eq!(first["id"], again["id"], "sent again, it is answered again");
    })
    .await;
}
