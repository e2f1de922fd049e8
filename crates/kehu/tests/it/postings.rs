//! Posts that bring roles, and delegations for others: whoever keeps people passes on no rights he may not grant.

use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::{Answer, Client, TestApp, both, roles};

/// Somebody who keeps people and grants no roles.
async fn keeper<'a>(app: &'a TestApp, admin: &Client<'_>) -> Client<'a> {
    let keeper = roles::bare(app, "keeper").await;
    roles::role(admin, "keeping", json!([roles::grant("organisation", "update", "all")]), json!([])).await;
    roles::give(admin, &keeper, "keeping").await;
    app.sign_in(keeper.person_id).await
}

/// Lets posts bring a role that reads the customers of "his unit".
async fn selling(app: &TestApp, admin: &Client<'_>, posts: &[&str]) {
    let grants = json!([roles::grant("customer", "read", "unit")]);
    let role = roles::role(admin, "selling", grants, json!([])).await;
    let browser = app.administrator().await;
    for post in posts {
        let path = format!("/admin/post-roles/{post}");
        browser.post_form(&path, &[("roles", role["id"].as_str().unwrap())]).await.expect(303);
    }
}

fn posts_of(person: &Client<'_>) -> String {
    format!("/api/v1/people/{}/positions", person.person_id)
}

async fn add(by: &Client<'_>, person: &Client<'_>, unit: &str, post: &str, ends_on: &str) -> Answer {
    by.json("POST", &posts_of(person), json!({ "unit_id": unit, "post": post, "ends_on": ends_on })).await
}

async fn last_day(by: &Client<'_>, person: &Client<'_>, of: &Json, day: &str) -> Answer {
    let all = by.get(&posts_of(person)).await.expect(200).json();
    let now = all["items"].as_array().unwrap().iter().find(|p| p["id"] == of["id"]).unwrap();
    let path = format!("{}/{}", posts_of(person), of["id"].as_str().unwrap());
    let version = now["version"].to_string();
    by.json_with("PATCH", &path, json!({ "ends_on": day }), &[("if-match", &version)]).await
}

fn is_refused(answer: Answer) {
    let text = answer.expect(403).text();
    assert!(text.contains("这个岗位带有角色“角色selling”") && text.contains("赵管理"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_brings_roles_is_given_by_whoever_may_grant_them_at_every_door() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let sales = roles::unit(&app, "销售部").await;
        selling(&app, &admin, &["sales_manager"]).await;
        let page = keeper(&app, &admin).await;
        let program = page.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        is_refused(add(&program, &li, &sales, "sales_manager", "").await);
        let form = [("unit_id", sales.as_str()), ("post", "sales_manager"), ("starts_on", "2026-09-28")];
        is_refused(page.post_form(&format!("/admin/people/{}/positions", li.person_id), &form).await);
        let mut joining = vec![("name", "周新人"), ("username", "zhouxin"), ("roles", "0000000000002")];
        joining.extend(form);
        is_refused(page.post_form("/admin/people/join", &joining).await);
        let mut moving = form.to_vec();
        moving.push(("customers_to", "stay"));
        is_refused(page.post_form(&format!("/admin/people/{}/transfer", li.person_id), &moving).await);
        let table = "姓名,用户名,部门,岗位\n周新人,zhouxin,销售部,销售经理\n吴新人,wuxin,销售部,秘书\n";
        let checked = page.upload("/admin/organisation/import", &[], "人员.csv", table.as_bytes()).await;
        let checked = checked.expect(200).text();
        assert!(
            checked.contains("这个岗位带有角色“角色selling”") && checked.contains("不能导入 1 行"),
            "{checked}"
        );
        assert_eq!(app.number("SELECT COUNT(*) FROM positions").await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 3, "nobody joined");
        let denied = "SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused'";
        assert_eq!(app.number(denied).await, 5, "every door notes it");
        // A post without roles is as free as it was; his own with roles is for an administrator.
        add(&program, &li, &sales, "secretary", "").await.expect(201);
        let own = add(&program, &page, &sales, "sales_manager", "").await.expect(403).text();
        assert!(own.contains("不能自己给自己增加权限"), "{own}");
        // With the right to grant roles he gives it to others, and still not to himself.
        roles::role(&admin, "granting", json!([roles::grant("role", "update", "all")]), json!([])).await;
        roles::give(&admin, &page, "granting").await;
        app.clock.advance(2_000);
        add(&program, &li, &sales, "sales_manager", "").await.expect(201);
        add(&program, &page, &sales, "sales_manager", "").await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'position.created'").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_somebody_has_already_may_go_on_but_not_longer_and_not_elsewhere() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let (sales, finance) = (roles::unit(&app, "销售部").await, roles::unit(&app, "财务部").await);
        selling(&app, &admin, &["sales_manager", "sales_director"]).await;
        let browser = keeper(&app, &admin).await;
        let keeper = browser.with_token().await;
        let li = app.staff("li", DataScope::Own).await;
        let held = add(&admin, &li, &sales, "sales_manager", "2026-12-31").await.expect(201).json();
        // Less is free; once less, what it was before is more.
        is_refused(last_day(&keeper, &li, &held, "2027-01-01").await);
        is_refused(last_day(&keeper, &li, &held, "").await);
        last_day(&keeper, &li, &held, "2026-11-30").await.expect(200);
        is_refused(last_day(&keeper, &li, &held, "2026-12-31").await);
        // Another post with the same role: for no longer, and in no other unit.
        is_refused(add(&keeper, &li, &sales, "sales_director", "").await);
        is_refused(add(&keeper, &li, &finance, "sales_director", "2026-11-30").await);
        add(&keeper, &li, &sales, "sales_director", "2026-11-30").await.expect(201);
        // Whoever has the role himself, and what is over, gets nothing by it.
        let wang = app.staff("wang", DataScope::Own).await;
        roles::give(&admin, &wang, "selling").await;
        add(&keeper, &wang, &finance, "sales_manager", "").await.expect(201);
        let sun = app.staff("sun", DataScope::Own).await;
        let past = json!({
            "unit_id": sales, "post": "sales_manager", "starts_on": "2026-01-01", "ends_on": "2026-06-30",
        });
        let past = keeper.json("POST", &posts_of(&sun), past).await.expect(201).json();
        is_refused(last_day(&keeper, &sun, &past, "").await);
        // A transfer takes the role along within the unit.
        let zhou = app.staff("zhou", DataScope::Own).await;
        let held = add(&admin, &zhou, &sales, "sales_manager", "").await.expect(201).json();
        let path = format!("/admin/people/{}/transfer", zhou.person_id);
        let form = |unit: &'static str| {
            [
                ("unit_id", unit),
                ("post", "sales_director"),
                ("starts_on", "2026-09-29"),
                ("ends", held["id"].as_str().unwrap()),
                ("customers_to", "stay"),
            ]
        };
        is_refused(browser.post_form(&path, &form(finance.clone().leak())).await);
        browser.post_form(&path, &form(sales.clone().leak())).await.expect(303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_taken_back_prolongs_no_post() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let sales = roles::unit(&app, "销售部").await;
        selling(&app, &admin, &["sales_manager", "sales_director"]).await;
        let browser = keeper(&app, &admin).await;
        let li = app.staff("li", DataScope::Own).await;
        add(&admin, &li, &sales, "sales_manager", "2026-10-31").await.expect(201);
        add(&admin, &li, &sales, "sales_director", "2026-12-31").await.expect(201);
        add(&admin, &li, &sales, "secretary", "").await.expect(201);
        let office = roles::unit(&app, "办公室").await;
        let later = json!({ "unit_id": office, "post": "secretary", "starts_on": "2026-12-01", "ends_on": "2027-02-28" });
        admin.json("POST", &posts_of(&li), later).await.expect(201);
        let path = format!("/admin/people/{}/leave", li.person_id);
        let form = [("last_day", "2026-10-31"), ("customers_to", "nobody")];
        browser.post_form(&path, &form).await.expect(303);
        let held = admin.get(&posts_of(&li)).await.expect(200).json();
        assert_eq!(held["items"].as_array().unwrap().len(), 3, "one never begins");
        browser.post_form(&format!("{path}/cancel"), &[]).await.expect(303);
        let all = admin.get(&posts_of(&li)).await.expect(200).json();
        let ends = |post: &str| {
            let held = all["items"].as_array().unwrap().iter().find(|p| p["post"] == post).unwrap();
            held["ends_on"].clone()
        };
        assert_eq!(ends("sales_manager"), "2026-10-31", "it would have ended that day anyhow");
        assert_eq!(ends("sales_director"), "2026-12-31");
        let of_secretary: Vec<(&Json, &Json)> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p["post"] == "secretary")
            .map(|p| (&p["starts_on"], &p["ends_on"]))
            .collect();
        assert!(of_secretary.contains(&(&json!("2026-12-01"), &json!("2027-02-28"))), "it will begin again");
        assert!(of_secretary.iter().any(|(_, end)| end.is_null()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_keeps_people_ends_no_session_of_an_administrator() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let keeper = keeper(&app, &admin).await;
        let li = app.staff("li", DataScope::Own).await;
        keeper.post_form(&format!("/admin/people/{}/end-sessions", li.person_id), &[]).await.expect(303);
        let path = format!("/admin/people/{}/end-sessions", admin.person_id);
        keeper.post_form(&path, &[]).await.expect(403);
        browser.get("/").await.expect(200);
        // Nor does whoever grants roles, one session at a time.
        let granter = roles::bare(&app, "granter").await;
        roles::role(&admin, "granting", json!([roles::grant("role", "update", "all")]), json!([])).await;
        roles::give(&admin, &granter, "granting").await;
        let granter = app.sign_in(granter.person_id).await;
        let of = |person| format!("SELECT CAST(MAX(id) AS TEXT) FROM sessions WHERE person_id = {person}");
        for (person, status) in [(admin.person_id, 403), (keeper.person_id, 303)] {
            let session = store::format_id(app.text(of(person.0).leak()).await.parse().unwrap());
            let end = format!("/admin/accounts/sessions/{session}/end");
            granter.post_form(&end, &[]).await.expect(status);
        }
        browser.get("/").await.expect(200);
        app.administrator().await.post_form(&path, &[]).await.expect(303);
        browser.get("/").await.expect(303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_for_somebody_else_is_named_by_whoever_grants_roles() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let sales = roles::unit(&app, "销售部").await;
        let browser = keeper(&app, &admin).await;
        let keeper = browser.with_token().await;
        let [li, wang, sun, boss] = [
            app.staff("li", DataScope::All).await,
            app.staff("wang", DataScope::Own).await,
            app.staff("sun", DataScope::Own).await,
            app.staff("boss", DataScope::Own).await,
        ];
        let delegate = async |by: &Client<'_>, from: &Client<'_>, to: &Client<'_>| {
            let body = json!({
                "from_id": from.person_id, "to_id": to.person_id, "ends_at": "2026-09-28 20:00", "reason": "出差",
            });
            by.json("POST", "/api/v1/delegations", body).await
        };
        let said = delegate(&keeper, &li, &wang).await.expect(403).text();
        assert!(said.contains("须有“角色与授权”的修改权限") && said.contains("赵管理"), "{said}");
        let (from, to) = (li.person_id.to_string(), wang.person_id.to_string());
        let form = [
            ("from_id", from.as_str()),
            ("to_id", to.as_str()),
            ("ends_at", "2026-09-28T20:00"),
            ("reason", "出差"),
        ];
        browser.post_form("/delegations", &form).await.expect(403);
        assert_eq!(app.number("SELECT COUNT(*) FROM delegations").await, 0);
        // For himself as ever.
        delegate(&keeper, &keeper, &wang).await.expect(201);
        // To be somebody's superior is not enough: whoever keeps people can make himself one, or head of a unit.
        let reports = async |who: &Client<'_>, to: &Client<'_>| {
            let body = json!({ "unit_id": sales, "post": "secretary", "superior_id": to.person_id });
            admin.json("POST", &posts_of(who), body).await.expect(201);
        };
        reports(&boss, &keeper).await;
        reports(&li, &boss).await;
        delegate(&keeper, &li, &wang).await.expect(403);
        delegate(&boss.with_token().await, &li, &sun).await.expect(403);
        roles::role(&admin, "granting", json!([roles::grant("role", "update", "all")]), json!([])).await;
        roles::give(&admin, &keeper, "granting").await;
        app.clock.advance(2_000);
        delegate(&keeper, &sun, &wang).await.expect(201);
        delegate(&keeper, &sun, &keeper).await.expect(403);
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'delegation.created'";
        assert_eq!(app.number(noted).await, 2);
    })
    .await;
}
