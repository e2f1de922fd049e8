//! Units, posts held, and what people go through: joining, transfer, leaving, and the import of a whole organisation.

use kehu::access::Actor;
use kehu::ids::PersonId;
use kehu::{catalogue, jobs, org};
use serde_json::{Value as Json, json};

use crate::app::{DataScope, NOW};
use crate::{Client, TestApp, both};

const DAY: i64 = 24 * 3_600_000;

async fn unit(client: &Client<'_>, name: &str, kind: &str, parent: Option<&Json>) -> Json {
    let body = json!({ "name": name, "kind": kind, "parent_id": parent.map(|p| p["id"].clone()) });
    client.json("POST", "/api/v1/units", body).await.expect(201).json()
}

fn id(of: &Json) -> &str {
    of["id"].as_str().unwrap()
}

async fn patch(client: &Client<'_>, of: &Json, body: Json) -> crate::Answer {
    let path = format!("/api/v1/units/{}", id(of));
    let version = client.get(&path).await.expect(200).json()["version"].to_string();
    client.json_with("PATCH", &path, body, &[("if-match", &version)]).await
}

async fn close(client: &Client<'_>, of: &Json) -> crate::Answer {
    let path = format!("/api/v1/units/{}", id(of));
    let version = client.get(&path).await.expect(200).json()["version"].to_string();
    client.json_with("DELETE", &path, json!({}), &[("if-match", &version)]).await
}

async fn post(client: &Client<'_>, person: PersonId, unit: &Json, post: &str) -> Json {
    let path = format!("/api/v1/people/{person}/positions");
    client.json("POST", &path, json!({ "unit_id": unit["id"], "post": post })).await.expect(201).json()
}

/// Names and parents of the units as a day had them.
async fn as_of(client: &Client<'_>, day: &str) -> Vec<(String, Json)> {
    let page = client.get(&format!("/api/v1/units?on={day}")).await.expect(200).json();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|u| (u["name"].as_str().unwrap().to_owned(), u["parent_id"].clone())).collect()
}

/// A role that reads and changes the customers of the own unit, given to everybody with a post.
async fn unit_role(app: &TestApp, posts: &'static [&'static str]) {
    app.app
        .db
        .write(move |tx| {
            tx.exec(
                "INSERT INTO roles (id, code, name, created_at, created_by, updated_at, updated_by)
                 VALUES (100, 'unit', '本部门', 0, 0, 0, 0)",
                &[],
            )?;
            for verb in ["read", "update", "create"] {
                tx.exec(
                    "INSERT INTO role_grants (role_id, object, verb, scope, units) VALUES (100, 'customer', $1, 'unit', '[]')",
                    &[verb.into()],
                )?;
            }
            for post in posts {
                tx.exec(
                    "INSERT INTO post_roles (post, role_id, granted_at, granted_by) VALUES ($1, 100, 0, 0)",
                    &[(*post).into()],
                )?;
            }
            // Nobody sees his own customers by the plain role: only the unit decides.
            tx.exec("DELETE FROM person_roles WHERE role_id <> 1", &[])?;
            org::rights_changed(tx)
        })
        .await
        .unwrap();
    app.app.forget_sessions();
}

async fn names(client: &Client<'_>) -> Vec<String> {
    let page = client.get("/api/v1/customers").await.expect(200).json();
    let items = page["items"].as_array().unwrap();
    let mut names: Vec<String> = items.iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_is_known_as_of_any_day_over_a_move_a_new_name_and_a_closure() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let group = unit(&admin, "天江集团", "集团", None).await;
        let property = unit(&admin, "物业公司", "company", Some(&group)).await;
        let office = unit(&admin, "一管理处", "property_office", Some(&group)).await;
        let mine = unit(&admin, "东山矿", "矿", Some(&group)).await;
        assert_eq!(mine["kind"], "mine");
        app.clock.advance(DAY);
        patch(&admin, &office, json!({ "parent_id": property["id"] })).await.expect(200);
        app.clock.advance(DAY);
        patch(&admin, &office, json!({ "name": "天河管理处" })).await.expect(200);
        // Changed twice on one day: the day has one answer.
        patch(&admin, &office, json!({ "name": "天河区管理处" })).await.expect(200);
        app.clock.advance(DAY);
        close(&admin, &office).await.expect(204);
        let found = |days: Vec<(String, Json)>, name: &str| days.into_iter().find(|(n, _)| n == name);
        assert!(as_of(&admin, "2026-09-27").await.is_empty());
        let first = as_of(&admin, "2026-09-28").await;
        assert_eq!(found(first, "一管理处").unwrap().1, group["id"]);
        assert_eq!(found(as_of(&admin, "2026-09-29").await, "一管理处").unwrap().1, property["id"]);
        let third = as_of(&admin, "2026-09-30").await;
        assert_eq!(found(third.clone(), "天河区管理处").unwrap().1, property["id"]);
        assert!(found(third, "一管理处").is_none());
        assert_eq!(as_of(&admin, "2026-10-01").await.len(), 3);
        let with_closed = admin.get("/api/v1/units?closed=true").await.expect(200).json();
        assert_eq!(with_closed["items"].as_array().unwrap().len(), 4);
        // The pages say the same, and nothing can be changed on a day that is over.
        let browser = app.administrator().await;
        let page = browser.get("/admin/units?on=2026-09-29").await.expect(200).text();
        assert!(
            page.contains("一管理处") && !page.contains("天河区管理处") && page.contains("回到今天"),
            "{page}"
        );
        let now = browser.get("/admin/units").await.expect(200).text();
        assert!(now.contains("东山矿") && !now.contains("天河区管理处"));
        let history = browser.get(&format!("/admin/units/{}", id(&office))).await.expect(200).text();
        for stage in ["2026-09-28", "2026-09-29", "2026-09-30", "2026-10-01", "天河区管理处"] {
            assert!(history.contains(stage), "{stage}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'unit.moved'").await, 1);
        // Opened again it is where it was.
        patch(&admin, &office, json!({ "is_open": true })).await.expect(200);
        assert_eq!(as_of(&admin, "2026-10-01").await.len(), 4);
        for wrong in ["昨天", "2026-02-30", "%00"] {
            admin.get(&format!("/api/v1/units?on={wrong}")).await.expect(422);
        }
        browser.get("/admin/units?on=2026-13-01").await.expect(422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_contradicts_the_tree_is_refused_in_plain_words_and_changes_nothing() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let group = unit(&admin, "集团", "group", None).await;
        let company = unit(&admin, "公司", "company", Some(&group)).await;
        let shop = unit(&admin, "一店", "shop", Some(&company)).await;
        let before = app.number("SELECT COUNT(*) FROM unit_history").await;
        let refused = |answer: crate::Answer, words: &str| {
            let text = answer.text();
            assert!(matches!(answer.status.as_u16(), 409 | 422), "{text}");
            assert!(text.contains(words), "{text} without {words}");
        };
        let moved = |to: &Json| json!({ "parent_id": to["id"] });
        refused(patch(&admin, &group, moved(&shop)).await, "不能把部门移到它自己或它的下级部门下面");
        refused(patch(&admin, &group, moved(&group)).await, "不能把部门移到它自己");
        let nobody = json!({ "id": "01M2Z8Q4T7V0K" });
        refused(patch(&admin, &shop, moved(&nobody)).await, "没有这个上级部门");
        refused(patch(&admin, &shop, json!({ "head_id": "01M2Z8Q4T7V0K" })).await, "没有这位员工");
        refused(patch(&admin, &shop, json!({ "kind": "宇宙飞船" })).await, "请选择部门类型");
        refused(patch(&admin, &shop, json!({ "name": "" })).await, "请填写部门名称");
        refused(patch(&admin, &shop, json!({ "name": "一/二" })).await, "斜杠");
        refused(patch(&admin, &shop, json!({ "name": "长".repeat(61) })).await, "60");
        refused(patch(&admin, &shop, json!({ "name": "a\u{0}b" })).await, "不可见字符");
        refused(patch(&admin, &shop, json!({ "code": "有 空格" })).await, "不能有空格");
        refused(patch(&admin, &shop, json!({ "position": -1 })).await, "0–100000");
        refused(patch(&admin, &shop, json!({ "is_open": false })).await, "DELETE");
        refused(patch(&admin, &shop, json!({ "colour": "red" })).await, "没有这个字段");
        let same = json!({ "name": "一店", "kind": "shop", "parent_id": company["id"] });
        refused(admin.json("POST", "/api/v1/units", same).await, "同一上级下已有部门");
        patch(&admin, &shop, json!({ "code": "S1" })).await.expect(200);
        let twin = json!({ "name": "二店", "kind": "shop", "parent_id": company["id"], "code": "S1" });
        refused(admin.json("POST", "/api/v1/units", twin).await, "已用于部门“一店”");
        refused(close(&admin, &company).await, "还有 1 个下级部门");
        let li = app.staff("li", DataScope::Own).await.person_id;
        let held = post(&admin, li, &shop, "sales_staff").await;
        refused(close(&admin, &shop).await, "还有 1 人任职");
        // Somebody who begins next week keeps it open as well; once his post is over it closes.
        let path = format!("/api/v1/people/{li}/positions/{}", id(&held));
        let ahead = json!({ "starts_on": "2026-10-08", "ends_on": "2026-10-09" });
        let version = held["version"].to_string();
        admin.json_with("PATCH", &path, ahead, &[("if-match", &version)]).await.expect(200);
        refused(close(&admin, &shop).await, "人任职");
        app.clock.advance(12 * DAY);
        close(&admin, &shop).await.expect(204);
        refused(close(&admin, &shop).await, "已经撤销");
        refused(
            admin
                .json(
                    "POST",
                    "/api/v1/units",
                    json!({ "name": "柜台", "kind": "team", "parent_id": shop["id"] }),
                )
                .await,
            "上级部门“一店”已撤销",
        );
        let new = json!({ "unit_id": shop["id"], "post": "sales_staff" });
        refused(admin.json("POST", &format!("/api/v1/people/{li}/positions"), new).await, "已撤销");
        // Its name was taken meanwhile: it cannot come back under it.
        unit(&admin, "一店", "shop", Some(&company)).await;
        refused(patch(&admin, &shop, json!({ "is_open": true })).await, "同一上级下已有部门");
        // Two administrators at once: the second is told; without a version nothing is done.
        let stale = [("if-match", "\"1\"")];
        let path = format!("/api/v1/units/{}", id(&company));
        admin.json_with("PATCH", &path, json!({ "name": "新公司" }), &stale).await.expect(200);
        admin.json_with("PATCH", &path, json!({ "name": "别的公司" }), &stale).await.expect(412);
        admin.json("PATCH", &path, json!({ "name": "别的公司" })).await.expect(428);
        let form = [("name", "第三个名字"), ("kind", "company"), ("version", "1")];
        let page =
            app.administrator().await.post_form(&format!("/admin/units/{}", id(&company)), &form).await;
        assert!(page.expect(422).text().contains("刚被别人改过"));
        assert!(before < app.number("SELECT COUNT(*) FROM unit_history").await);
        let staff = app.staff("wang", DataScope::All).await.with_token().await;
        staff.get("/api/v1/units").await.expect(200);
        staff.json("POST", "/api/v1/units", json!({ "name": "x", "kind": "team" })).await.expect(403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_has_as_many_levels_as_are_walked_and_never_a_ring() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let mut line = vec![unit(&admin, "第1级", "group", None).await];
        for level in 2..=kehu::access::DEEPEST {
            let next = unit(&admin, &format!("第{level}级"), "department", line.last()).await;
            line.push(next);
        }
        let deeper = json!({ "name": "太深", "kind": "team", "parent_id": line.last().unwrap()["id"] });
        let answer = admin.json("POST", "/api/v1/units", deeper).await.expect(422);
        assert!(answer.text().contains("组织最多 32 级"));
        // A branch of two cannot hang on the last but one either.
        let top = unit(&admin, "另一支", "company", None).await;
        unit(&admin, "它的下级", "team", Some(&top)).await;
        patch(&admin, &top, json!({ "parent_id": line[30]["id"] })).await.expect(422);
        patch(&admin, &top, json!({ "parent_id": line[29]["id"] })).await.expect(200);
        // Two moves at once, each below the other: one of them is refused.
        let a = unit(&admin, "甲", "team", None).await;
        let b = unit(&admin, "乙", "team", None).await;
        let (one, other) = tokio::join!(
            patch(&admin, &a, json!({ "parent_id": b["id"] })),
            patch(&admin, &b, json!({ "parent_id": a["id"] }))
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_held_at_once_with_one_main_and_their_history_stays() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let company = unit(&admin, "公司", "company", None).await;
        let sales = unit(&admin, "销售部", "department", Some(&company)).await;
        let li = app.staff("li", DataScope::Own).await.person_id;
        let wang = app.staff("wang", DataScope::Own).await.person_id;
        let chen = app.staff("chen", DataScope::Own).await.person_id;
        let path = format!("/api/v1/people/{li}/positions");
        let first = post(&admin, li, &company, "总经理").await;
        assert_eq!((&first["post"], &first["is_main"]), (&json!("general_manager"), &json!(true)));
        let second = post(&admin, li, &sales, "sales_director").await;
        assert_eq!(second["is_main"], false);
        let mains = || async {
            let all = admin.get(&path).await.expect(200).json();
            let items = all["items"].as_array().unwrap().clone();
            items.into_iter().filter(|p| p["is_main"] == true).map(|p| p["post"].clone()).collect::<Vec<_>>()
        };
        let change = |of: Json, body: Json| {
            let (admin, path) = (&admin, &path);
            async move {
                let all = admin.get(path).await.json();
                let found = all["items"].as_array().unwrap().iter().find(|p| p["id"] == of["id"]).unwrap().clone();
                let version = found["version"].to_string();
                let at = format!("{path}/{}", id(&of));
                admin.json_with("PATCH", &at, body, &[("if-match", &version)]).await
            }
        };
        // The same post twice at one time, wrong days, nobody's superior: refused.
        let again = json!({ "unit_id": sales["id"], "post": "sales_director" });
        admin.json("POST", &path, again).await.expect(422);
        for body in [
            json!({ "unit_id": sales["id"], "post": "皇帝" }),
            json!({ "unit_id": "01M2Z8Q4T7V0K", "post": "secretary" }),
            json!({ "unit_id": sales["id"], "post": "secretary", "starts_on": "2026-02-30" }),
            json!({ "unit_id": sales["id"], "post": "secretary", "starts_on": "2026-10-02", "ends_on": "2026-10-01" }),
            json!({ "unit_id": sales["id"], "post": "secretary", "superior_id": li }),
            json!({ "unit_id": sales["id"], "post": "secretary", "superior_id": "01M2Z8Q4T7V0K" }),
            json!({ "post": "secretary" }),
            json!({ "unit_id": sales["id"], "post": "secretary", "salary": 1 }),
        ] {
            admin.json("POST", &path, body).await.expect(422);
        }
        change(second.clone(), json!({ "is_main": true })).await.expect(200);
        assert_eq!(mains().await, [json!("sales_director")]);
        change(second.clone(), json!({ "is_main": false })).await.expect(422);
        // The main one ends: the oldest of those left is it; the one that is over stays visible.
        app.clock.advance(DAY);
        let browser = app.administrator().await;
        change(second.clone(), json!({ "ends_on": "2026-09-28" })).await.expect(200);
        assert!(mains().await.contains(&json!("general_manager")));
        let all = admin.get(&path).await.json();
        assert_eq!(all["items"].as_array().unwrap().len(), 2);
        let section = browser.get(&format!("/admin/people/{li}/positions")).await.expect(200).text();
        assert!(section.contains("过去的任职（1）") && section.contains("2026-09-28 – 2026-09-28"), "{section}");
        // Superiors by name never form a ring.
        let named = |person: PersonId, superior: PersonId| {
            let (admin, sales) = (&admin, &sales);
            async move {
                let body = json!({ "unit_id": sales["id"], "post": "sales_staff", "superior_id": superior });
                admin.json("POST", &format!("/api/v1/people/{person}/positions"), body).await
            }
        };
        named(wang, li).await.expect(201);
        named(chen, wang).await.expect(201);
        let ring = change(first.clone(), json!({ "superior_id": chen })).await.expect(422).text();
        assert!(ring.contains("已直接或间接向此人汇报"), "{ring}");
        // Of somebody else's post this person knows nothing.
        let other = format!("/api/v1/people/{wang}/positions/{}", id(&first));
        admin.json_with("PATCH", &other, json!({}), &[("if-match", "\"1\"")]).await.expect(404);
        // The pages do the same.
        let form = [("unit_id", id(&sales)), ("post", "secretary"), ("starts_on", "2026-09-29"), ("is_main", "1")];
        browser.post_form(&format!("/admin/people/{li}/positions"), &form).await.expect(303);
        assert_eq!(mains().await[0], "secretary");
        let refused = browser.post_form(&format!("/admin/people/{li}/positions"), &form).await.expect(422).text();
        assert!(refused.contains("已在该部门担任同一岗位"));
        // The tree counts people, not posts, and the list of people is narrowed by unit.
        let tree = browser.get(&format!("/admin/units?unit={}", id(&company))).await.expect(200).text();
        for word in ["销售部", "总经理", "秘书", "公司 / 销售部", "员工chen"] {
            assert!(tree.contains(word), "{word}");
        }
        let only = format!("/admin/units?unit={}&sub_=1", id(&company));
        let only = browser.get(&only).await.expect(200).text();
        assert!(only.contains("员工li") && !only.contains("员工chen"));
        let people = browser.get(&format!("/admin/people?unit={}", id(&sales))).await.expect(200).text();
        assert!(people.contains("员工chen") && !people.contains("赵管理</a>"));
        assert!(browser.get("/admin/units?unit=none").await.expect(200).text().contains("赵管理"));
        browser.get("/admin/units?unit=01M2Z8Q4T7V0K").await.expect(404);
    })
    .await;
}

// covers: AM-04
// covers: DS-06
#[tokio::test(flavor = "multi_thread")]
async fn each_unit_sees_its_own_archive_and_a_transfer_changes_that_with_the_next_request() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let company = unit(&admin, "公司", "company", None).await;
        let sales = unit(&admin, "销售部", "department", Some(&company)).await;
        let liaison = unit(&admin, "人事部联营办", "department", Some(&company)).await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        post(&admin, li.person_id, &sales, "销售人员").await;
        let held = post(&admin, wang.person_id, &liaison, "档案专管人员").await;
        unit_role(&app, &["sales_staff", "archive_keeper"]).await;
        for (name, owner) in [("销售部客户", li.person_id), ("联营办客户", wang.person_id)] {
            admin.customer(json!({ "kind": "organisation", "name": name, "owner_id": owner })).await;
        }
        // The same session and the same token all along.
        let (li_api, wang_api) = (li.with_token().await, wang.with_token().await);
        assert_eq!(names(&li_api).await, ["销售部客户"]);
        assert_eq!(names(&wang_api).await, ["联营办客户"]);
        let page = wang.get("/customers").await.expect(200).text();
        assert!(page.contains("联营办客户") && !page.contains("销售部客户"));
        let hidden = app.text("SELECT CAST(id AS TEXT) FROM customers WHERE name = '销售部客户'").await;
        let hidden = store::format_id(hidden.parse().unwrap());
        wang_api.get(&format!("/api/v1/customers/{hidden}")).await.expect(404);
        // Whoever keeps the organisation sees how complete the archive of each unit is.
        let page = browser.get(&format!("/admin/units?unit={}", id(&sales))).await.expect(200).text();
        assert!(page.contains("客户档案 1 份，其中完整 0 份"), "{page}");
        // What he would hand over stands in the form, and a post that is not his cannot be ended.
        let path = format!("/admin/people/{}/transfer", wang.person_id);
        let form = browser.get(&path).await.expect(200).text();
        assert!(form.contains("负责 1 个客户"), "{form}");
        let stray = [("unit_id", id(&sales)), ("post", "sales_staff"), ("ends", "01M2Z8Q4T7V0K")];
        browser.post_form(&path, &stray).await.expect(404);
        let today = "2026-09-28";
        let same_day =
            [("unit_id", id(&sales)), ("post", "sales_staff"), ("starts_on", today), ("ends", id(&held))];
        let refused = browser.post_form(&path, &same_day).await.expect(422).text();
        assert!(refused.contains("才开始"), "{refused}");
        assert_eq!(names(&wang_api).await, ["联营办客户"], "nothing changed");
        app.clock.advance(DAY);
        let (browser, wang) = (app.administrator().await, app.sign_in(wang.person_id).await);
        wang.get("/customers").await.expect(200);
        let form = [
            ("unit_id", id(&sales)),
            ("post", "sales_staff"),
            ("starts_on", "2026-09-29"),
            ("ends", id(&held)),
            ("customers_to", "stay"),
        ];
        browser.post_form(&path, &form).await.expect(303);
        assert_eq!(names(&wang_api).await, ["销售部客户"]);
        let page = wang.get("/customers").await.expect(200).text();
        assert!(!page.contains("联营办客户") && page.contains("销售部客户"));
        assert_eq!(names(&li_api).await, ["销售部客户"]);
        // Transferred back with the customers of the new unit along: they come to sight there, and go here.
        let all = admin.get(&format!("/api/v1/people/{}/positions", li.person_id)).await.json();
        let mine = all["items"][0]["id"].as_str().unwrap().to_owned();
        let form = [
            ("unit_id", id(&liaison)),
            ("post", "archive_keeper"),
            ("starts_on", "2026-09-29"),
            ("ends", &mine),
            ("customers_to", "unit"),
        ];
        browser.post_form(&format!("/admin/people/{}/transfer", li.person_id), &form).await.expect(303);
        assert_eq!(names(&li_api).await, ["联营办客户", "销售部客户"]);
        assert!(names(&wang_api).await.is_empty());
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'person.transferred'").await, 2);
        // Regulations hear of each once, with where he comes from and goes to; of what was refused they hear nothing.
        let heard = "SELECT COUNT(*) FROM events WHERE kind = 'person.transferred' AND object = 'person'";
        assert_eq!(app.number(heard).await, 2);
        let facts =
            app.text("SELECT facts FROM events WHERE kind = 'person.transferred' ORDER BY id LIMIT 1").await;
        let facts: Json = serde_json::from_str(&facts).unwrap();
        let (from, to) = (&liaison["id"], &sales["id"]);
        assert_eq!(facts, json!({ "unit": from, "from_unit": from, "to_unit": to }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_makes_a_person_with_post_and_role_or_nothing() {
    both(|app| async move {
        let admin = app.administrator().await;
        let company = unit(&admin.with_token().await, "公司", "company", None).await;
        let form = |post: &'static str| {
            [
                ("name", "周新人"),
                ("username", "zhouxin"),
                ("unit_id", id(&company)),
                ("post", post),
                ("starts_on", "2026-09-28"),
                ("roles", "0000000000002"),
            ]
        };
        let refused = admin.post_form("/admin/people/join", &form("没有的岗位")).await.expect(422).text();
        assert!(refused.contains("请从岗位字典中选择岗位") && refused.contains("周新人"));
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 1);
        let made = admin.post_form("/admin/people/join", &form("account_manager")).await.expect(200).text();
        assert!(made.contains("已入职，用户名 zhouxin"), "{made}");
        assert_eq!(app.number("SELECT COUNT(*) FROM positions WHERE is_main = TRUE").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM people WHERE must_change_password = TRUE").await, 1);
        let tree = admin.get("/admin/units").await.expect(200).text();
        assert!(tree.contains("周新人") && tree.contains("客户经理"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_hands_everything_over_and_cannot_come_in_any_more() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let company = unit(&admin, "公司", "company", None).await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await.person_id;
        let chen = app.staff("chen", DataScope::Own).await.person_id;
        post(&admin, li.person_id, &company, "sales_manager").await;
        post(&admin, wang, &company, "sales_staff").await;
        let reporting =
            json!({ "unit_id": company["id"], "post": "sales_staff", "superior_id": li.person_id });
        admin.json("POST", &format!("/api/v1/people/{chen}/positions"), reporting).await.expect(201);
        patch(&admin, &company, json!({ "head_id": li.person_id })).await.expect(200);
        for n in 0..3 {
            li.customer(json!({ "kind": "person", "name": format!("客户{n}") })).await;
        }
        let (leaver, helper, boss) = (li.person_id, wang, browser.person_id);
        app.app
            .db
            .write(move |tx| {
                tx.exec(
                    "INSERT INTO delegations (id, from_id, to_id, starts_at, ends_at, reason, created_at, created_by)
                     VALUES (901, $1, $2, 0, $3, '出差', 0, $2)",
                    &[leaver.into(), helper.into(), (NOW + DAY).into()],
                )?;
                tx.exec(
                    "INSERT INTO customer_grants (id, customer_id, person_id, role_id, source, source_id, reason,
                       starts_at, ends_at, granted_at, granted_by)
                     SELECT 902, MIN(c.id), $1, 4, 'share', 0, '', 0, $2, 0, $3 FROM customers c",
                    &[leaver.into(), (NOW + DAY).into(), boss.into()],
                )?;
                tx.exec(
                    "INSERT INTO information_handlers (id, person_id, note, registered_at, registered_by)
                     VALUES (903, $1, '', 0, $2)",
                    &[leaver.into(), boss.into()],
                )
            })
            .await
            .unwrap();
        let path = format!("/admin/people/{}/leave", li.person_id);
        let form = browser.get(&path).await.expect(200).text();
        for words in ["负责 3 个客户", "担任负责人的部门", "公司", "指定向他汇报的人", "员工chen"]
        {
            assert!(form.contains(words), "{words}");
        }
        let taker = wang.to_string();
        let own = li.person_id.to_string();
        let refused = |values: Vec<(&'static str, String)>, words: &'static str| {
            let (browser, path) = (&browser, &path);
            async move {
                let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let page = browser.post_form(path, &values).await.expect(422).text();
                assert!(page.contains(words), "{page}");
            }
        };
        let day = || ("last_day", "2026-09-28".to_owned());
        refused(vec![day()], "他还负责 3 个客户").await;
        refused(vec![day(), ("customers_to", "person".into())], "请选择接手的同事").await;
        refused(vec![day(), ("customers_to", "person".into()), ("taker", own)], "不能是离职者本人").await;
        refused(vec![("customers_to", "nobody".into()), ("last_day", "昨天".into())], "请填写日期").await;
        assert_eq!(app.number("SELECT COUNT(*) FROM people WHERE is_active = FALSE").await, 0);
        li.get("/customers").await.expect(200);
        let values =
            [("last_day", "2026-09-28"), ("customers_to", "person"), ("taker", &taker), ("lead_to", &taker)];
        browser.post_form(&path, &values).await.expect(303);
        // From the very next request he is nobody; his customers have a living owner, in that one's unit.
        assert_eq!(li.get("/customers").await.status, 303);
        let me = store::parse_id(&taker).unwrap();
        let owned = app
            .app
            .db
            .read(move |conn| {
                conn.count("SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND unit_id > 0", &[me.into()])
            })
            .await
            .unwrap();
        assert_eq!(owned, 3);
        let head = admin.get(&format!("/api/v1/units/{}", id(&company))).await.json();
        assert_eq!(head["head_id"], taker.as_str());
        let reports = admin.get(&format!("/api/v1/people/{chen}/positions")).await.json();
        assert_eq!(reports["items"][0]["superior_id"], taker.as_str());
        let posts = admin.get(&format!("/api/v1/people/{}/positions", li.person_id)).await.json();
        assert_eq!(posts["items"][0]["ends_on"], "2026-09-28");
        // Each thing that ended with him has its row.
        for (action, object, times) in [
            ("position.updated", "position", 2),
            ("delegation.revoked", "delegation", 1),
            ("customer.unshared", "share", 1),
            ("confidentiality.ended", "person", 1),
        ] {
            let sql = format!(
                "SELECT COUNT(*) FROM audit_log WHERE action = '{action}' AND object = '{object}' AND before <> ''"
            );
            let noted = app.app.db.read(move |conn| conn.count(&sql, &[])).await.unwrap();
            assert_eq!(noted, times, "{action}");
        }
        assert!(browser.get("/admin/people?state=left").await.text().contains("员工li"));
        let again = json!({ "unit_id": company["id"], "post": "secretary" });
        admin.json("POST", &format!("/api/v1/people/{}/positions", li.person_id), again).await.expect(409);
        // Nobody lets himself leave, and the last administrator stays.
        let alone = format!("/admin/people/{}/leave", browser.person_id);
        let page = browser.post_form(&alone, &[("last_day", "2026-09-28")]).await.expect(422).text();
        assert!(page.contains("不能给自己办理离职"));
        let at = app.app.moment();
        let boss = browser.person_id;
        let known = app.app.catalogue().await.unwrap();
        let by_command = app
            .app
            .db
            .write(move |tx| {
                let leaving = org::Leaving {
                    last_day: at.today.clone(),
                    customers: org::CustomersTo::Nobody,
                    lead_to: None,
                    shifts_to: None,
                    tasks_to: None,
                };
                org::leave(tx, &Actor::command_line(), &known, boss, &leaving, &at)
            })
            .await;
        assert!(by_command.unwrap_err().to_string().contains("至少要有一名在用的管理员"));
        browser.get("/admin/units").await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_on_a_later_day_is_done_when_that_day_is_over_unless_it_is_cancelled() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let company = unit(&admin, "公司", "company", None).await;
        let li = app.staff("li", DataScope::Own).await;
        post(&admin, li.person_id, &company, "sales_manager").await;
        li.customer(json!({ "kind": "person", "name": "老客户" })).await;
        let path = format!("/admin/people/{}/leave", li.person_id);
        let values = [("last_day", "2026-09-30"), ("customers_to", "nobody")];
        browser.post_form(&path, &values).await.expect(303);
        li.get("/customers").await.expect(200);
        let page = browser.get(&format!("/admin/people/{}/positions", li.person_id)).await.text();
        assert!(page.contains("已登记离职：最后工作日 2026-09-30"), "{page}");
        browser.post_form(&path, &values).await.expect(422);
        browser.post_form(&format!("{path}/cancel"), &[]).await.expect(303);
        browser.post_form(&format!("{path}/cancel"), &[]).await.expect(409);
        let posts = admin.get(&format!("/api/v1/people/{}/positions", li.person_id)).await.json();
        assert_eq!(posts["items"][0]["ends_on"], Json::Null);
        let rows =
            "SELECT COUNT(*) FROM audit_log WHERE action = 'position.updated' AND before LIKE '%ends_on%'";
        assert_eq!(app.number(rows).await, 2, "ended, and going on");
        // Registered again; on the last day he still works, the day after he is gone and the customer waits.
        browser.post_form(&path, &values).await.expect(303);
        app.clock.advance(2 * DAY);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM people WHERE is_active = FALSE").await, 0);
        app.clock.advance(DAY);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM people WHERE is_active = FALSE").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM customers WHERE owner_id IS NULL").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM settings WHERE name LIKE 'org.hand_over%'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_of_an_older_program_gets_the_dictionaries_it_lacks_and_nothing_else() {
    both(|app| async move {
        let count = || app.number("SELECT COUNT(*) FROM dictionary_entries");
        let before = count().await;
        app.app
            .db
            .write(|tx| {
                tx.exec("DELETE FROM dictionary_entries WHERE dictionary IN ('post', 'skill')", &[])?;
                tx.exec("DELETE FROM dictionaries WHERE name IN ('post', 'skill')", &[])?;
                tx.exec("UPDATE dictionary_entries SET zh = '大客户' WHERE code = 'key' AND dictionary = 'customer_class'", &[])
            })
            .await
            .unwrap();
        for _ in 0..2 {
            app.app.db.write(catalogue::seed_missing).await.unwrap();
            assert_eq!(count().await, before);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM dictionary_entries WHERE zh = '大客户'").await, 1);
        app.app.forget_catalogue();
        let page = app.administrator().await.get("/admin/dictionaries?name=post").await.expect(200).text();
        for post in ["总经理", "执行委员会主席", "区域终端大客户负责人", "报装专责", "内部讲师"] {
            assert!(page.contains(post), "{post}");
        }
    })
    .await;
}

const UNITS: &str = "部门编码,部门名称,上级部门,部门类型,负责人\n\
    ,一管理处,天江集团/物业公司,管理处,\n,二管理处,WY,管理处,\n,天江集团,,集团,\nWY,物业公司,天江集团,公司,\n";

fn people() -> String {
    let mut table = String::from("姓名,用户名,部门,岗位,电话,邮箱,角色,直接上级\n");
    table.push_str("林总,linzong,天江集团,总经理,13800138000,,,\n");
    for n in 1..60 {
        let unit = ["物业公司", "天江集团/物业公司/一管理处", "二管理处"][n % 3];
        let superior = if n == 1 { "林总" } else { "user01" };
        table.push_str(&format!("员工{n},user{n:02},{unit},客服人员,,,员工（本人客户）,{superior}\n"));
    }
    table
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let opening = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&opening).unwrap_or_else(|| panic!("no {name}: {page}"));
    let (value, _) = rest.split_once("\">").unwrap();
    value.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#60;", "<").replace("&#38;", "&")
}

const IMPORT: &str = "/admin/organisation/import";

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_of_three_levels_and_sixty_people_comes_from_two_tables() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin.get(IMPORT).await.expect(200);
        for name in ["units", "people"] {
            let file = admin.get(&format!("{IMPORT}/template/{name}.xlsx")).await.expect(200);
            assert!(file.body.starts_with(b"PK"));
        }
        admin.get(&format!("{IMPORT}/template/x.xlsx")).await.expect(404);
        let checked = admin.upload(IMPORT, &[], "部门.csv", UNITS.as_bytes()).await.expect(200).text();
        assert!(checked.contains("新增 4 个") && checked.contains("不能导入 0 行"), "{checked}");
        assert_eq!(app.number("SELECT COUNT(*) FROM units").await, 0, "a check writes nothing");
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action LIKE 'unit.%'").await, 0);
        let table = hidden(&checked, "table");
        let done = admin.post_form(&format!("{IMPORT}/run"), &[("table", &table)]).await.expect(200).text();
        assert!(done.contains("新增 4 个"), "{done}");
        assert_eq!(app.number("SELECT COUNT(*) FROM units WHERE parent_id IS NOT NULL").await, 3);
        let checked = admin.upload(IMPORT, &[], "人员.csv", people().as_bytes()).await.expect(200).text();
        assert!(checked.contains("人员表格，共 60 行") && checked.contains("不能导入 0 行"), "{checked}");
        let table = hidden(&checked, "table");
        let done = admin.post_form(&format!("{IMPORT}/run"), &[("table", &table)]).await.expect(200).text();
        assert_eq!(app.number("SELECT COUNT(*) FROM people WHERE must_change_password = TRUE").await, 60);
        assert_eq!(app.number("SELECT COUNT(*) FROM positions WHERE is_main = TRUE").await, 60);
        assert_eq!(app.number("SELECT COUNT(*) FROM positions WHERE superior_id IS NOT NULL").await, 59);
        // Each has a password of his own, offered this once, and it opens the door to choosing another.
        let made = hidden(&done, "made");
        let passwords: Vec<(String, String, String)> = serde_json::from_str(&made).unwrap();
        assert_eq!(passwords.len(), 60);
        let distinct: std::collections::BTreeSet<_> = passwords.iter().map(|(.., p)| p).collect();
        assert_eq!(distinct.len(), 60);
        let file = admin.post_form(&format!("{IMPORT}/passwords"), &[("made", &made)]).await.expect(200);
        assert!(file.body.starts_with(b"PK"));
        let noted = "SELECT after FROM audit_log WHERE action = 'organisation.passwords_exported'";
        let noted = app.text(noted).await;
        assert!(noted.contains("\"rows\":60") && !noted.contains(&passwords[0].2), "{noted}");
        let (_, username, password) = &passwords[7];
        let login = [("username", username.as_str()), ("password", password.as_str())];
        let answer = app.stranger().post_form("/login", &login).await.expect(303);
        assert!(!answer.header("set-cookie").is_empty(), "{:?}", answer.headers);
        // Again: the units are just so, the people are refused, every one of them with his row.
        let checked = admin.upload(IMPORT, &[], "部门.csv", UNITS.as_bytes()).await.expect(200).text();
        assert!(checked.contains("更新 0 个，不变 4 个"), "{checked}");
        let checked = admin.upload(IMPORT, &[], "人员.csv", people().as_bytes()).await.expect(200).text();
        assert!(checked.contains("不能导入 60 行") && checked.contains("这个用户名已被使用"));
        let refused =
            admin.post_form(&format!("{IMPORT}/run"), &[("table", &table)]).await.expect(422).text();
        assert!(refused.contains("有 60 行不能导入，什么都没有写入"), "{refused}");
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 61);
        // The head comes with a second table.
        let heads = "部门名称,上级部门,负责人\n天江集团,,林总\n";
        let checked = admin.upload(IMPORT, &[], "部门.csv", heads.as_bytes()).await.expect(200).text();
        assert!(checked.contains("更新 1 个"), "{checked}");
        let table = hidden(&checked, "table");
        admin.post_form(&format!("{IMPORT}/run"), &[("table", &table)]).await.expect(200);
        assert_eq!(app.number("SELECT COUNT(*) FROM units WHERE head_id IS NOT NULL").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_named_with_their_number_and_nothing_is_written() {
    both(|app| async move {
        let admin = app.administrator().await;
        let check = |content: &'static str| {
            let admin = &admin;
            async move { admin.upload(IMPORT, &[], "表.csv", content.as_bytes()).await }
        };
        let units = "部门编码,部门名称,上级部门,部门类型\nA,甲,B,公司\nB,乙,A,公司\nC,丙,没有的,公司\n\
            D,丁,,飞船\nC,丙二,,公司\nE,戊,,公司\n,戊,,公司\n,己/庚,,公司\n,,,公司\n";
        let page = check(units).await.expect(200).text();
        for words in [
            "互为上级",
            "没有找到上级部门“没有的”",
            "请选择部门类型",
            "编码“C”在文件里出现了不止一次",
            "斜杠",
            "请填写部门名称",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        for row in 2..=6 {
            assert!(page.contains(&format!(">{row}</td>")), "row {row}");
        }
        assert!(!page.contains(">导入</button>"));
        let table = hidden(&page, "table");
        let file = admin.post_form(&format!("{IMPORT}/errors"), &[("table", &table)]).await.expect(200);
        assert!(file.body.starts_with(b"PK"));
        let noted = "SELECT COUNT(*) FROM audit_log WHERE action = 'organisation.errors_exported'";
        assert_eq!(app.number(noted).await, 1);
        admin.post_form(&format!("{IMPORT}/run"), &[("table", &table)]).await.expect(422);
        let people = "姓名,用户名,部门,岗位,电话,角色,直接上级\n李,li1,没有的部门,没有的岗位,电话,没有的角色,\n\
            王,w,,客服人员,,,\n";
        let page = check(people).await.expect(200).text();
        for words in ["没有找到部门“没有的部门”", "没有岗位“没有的岗位”", "没有角色“没有的角色”", "电话：", "用户名："] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM units").await, 0);
        assert_eq!(app.number("SELECT COUNT(*) FROM people").await, 1);
        // Two of one sign-in name, a superior who is nobody, superiors in a ring.
        unit(&admin.with_token().await, "公司", "company", None).await;
        let people = "姓名,用户名,部门,岗位,直接上级\n甲,jia,公司,客服人员,乙\n乙,yi01,公司,客服人员,甲\n\
            丙,bing,公司,客服人员,丁某\n丙二,bing,公司,客服人员,\n";
        let page = check(people).await.expect(200).text();
        for words in ["已直接或间接向此人汇报", "没有找到同事“丁某”", "这个用户名已被使用", "不能导入 3 行"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        for nothing in ["姓名,部门\n甲,公司\n", "随便,什么\n1,2\n", "姓名,用户名,部门,岗位\n", "\n"] {
            check(nothing).await.expect(422);
        }
        let many: &'static str =
            Box::leak(format!("部门名称\n{}", "甲\n".repeat(org::MOST_ROWS + 1)).into_boxed_str());
        assert!(check(many).await.expect(422).text().contains("一次最多导入 500 行"));
        for table in ["", "{}", "{\"sheet\":\"units\",\"rows\":[]}", "{\"sheet\":\"units\",\"rows\":[{\"number\":1,\"cells\":[\"a\"]}]}"] {
            admin.post_form(&format!("{IMPORT}/run"), &[("table", table)]).await.expect(400);
            admin.post_form(&format!("{IMPORT}/errors"), &[("table", table)]).await.expect(400);
        }
        admin.post_form(&format!("{IMPORT}/passwords"), &[("made", "x")]).await.expect(400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_with_customers_is_not_closed_before_they_have_gone_to_another() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let company = unit(&admin, "公司", "company", None).await;
        let (old, new) = (
            unit(&admin, "老门店", "department", Some(&company)).await,
            unit(&admin, "新门店", "department", Some(&company)).await,
        );
        for n in 0..3 {
            let body = json!({ "kind": "person", "name": format!("客户{n}"), "unit_id": old["id"] });
            admin.json("POST", "/api/v1/customers", body).await.expect(201);
        }
        let refused = close(&admin, &old).await.expect(409).text();
        assert!(refused.contains("“老门店”还有 3 个客户，请先把它们移到别的部门"), "{refused}");
        let page = browser.get(&format!("/admin/units?unit={}", id(&old))).await.expect(200).text();
        assert!(page.contains("本部门直属客户 3 个"), "{page}");
        let path = format!("/admin/units/{}/customers", id(&old));
        let page = browser.get(&path).await.expect(200).text();
        assert!(page.contains("还有 3 个客户属于这个部门") && page.contains("公司 / 新门店"), "{page}");
        for (to, said) in
            [("", "请选择另一个部门"), (id(&old), "请选择另一个部门"), ("01M2Z8Q4T7V0K", "没有这个部门")]
        {
            let refused = browser.post_form(&path, &[("to", to)]).await.expect(422).text();
            assert!(refused.contains(said), "{to}: {refused}");
        }
        // Whoever keeps the organisation but may not hand customers over is refused, and learns no name.
        let keeper = app.staff("keeper", DataScope::Own).await;
        let keeps = json!([{ "object": "organisation", "verb": "update", "scope": "all" },
            { "object": "customer", "verb": "read", "scope": "own" },
            { "object": "customer", "verb": "assign", "scope": "own" }]);
        crate::roles::role(&admin, "keeping", keeps, json!([])).await;
        crate::roles::give(&admin, &keeper, "keeping").await;
        let refused = keeper.post_form(&path, &[("to", id(&new))]).await.expect(403).text();
        assert!(refused.contains("您无权转移的客户") && !refused.contains("客户0"), "{refused}");
        browser.post_form(&path, &[("to", id(&new))]).await.expect(303);
        assert_eq!(app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.updated'").await, 3);
        close(&admin, &old).await.expect(204);
        let target =
            format!("SELECT COUNT(*) FROM customers WHERE unit_id = {}", store::parse_id(id(&new)).unwrap());
        assert_eq!(app.number(target.leak()).await, 3);
    })
    .await;
}

/// Brings customers in as somebody's own, through an import.
async fn many(app: &TestApp, owner: &Client<'_>, count: usize) {
    let table = (0..count).fold("名称\n".to_owned(), |table, n| format!("{table}客户{n:04}\n"));
    let sent = owner.with_token().await.upload("/api/v1/imports", &[], "a.csv", table.as_bytes()).await;
    sent.expect(202);
    jobs::run_all(&app.app).await.unwrap();
    let whose = format!("SELECT COUNT(*) FROM customers WHERE owner_id = {}", owner.person_id.0);
    assert_eq!(app.number(whose.leak()).await, count as i64);
}

/// Runs the waiting jobs as a server that is killed as soon as `is_under_way`, and waits until its last write is over.
async fn run_and_kill(app: &TestApp, left: &'static str, all: i64) -> i64 {
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let killed = app.app.clone();
    server.spawn(async move { jobs::run_all(&killed).await });
    for _ in 0..2_000 {
        if app.number(left).await < all {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    server.shutdown_background();
    // A write under way holds its customers; whoever asks for all of them waits until it is over.
    let hold = |tx: &mut store::Tx<'_>| {
        let sql = format!("SELECT id FROM customers{}", tx.for_change());
        tx.rows::<(i64,)>(&sql, &[]).map(drop)
    };
    app.app.db.write(hold).await.unwrap();
    app.number(left).await
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_hundred_customers_go_over_although_the_server_is_killed_half_way() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let company = unit(&admin, "公司", "company", None).await;
        let li = app.staff("li", DataScope::Own).await;
        let wang = app.staff("wang", DataScope::Own).await;
        post(&admin, wang.person_id, &company, "sales_staff").await;
        many(&app, &li, 1_200).await;
        let taker = wang.person_id.to_string();
        let form = [("last_day", "2026-09-28"), ("customers_to", "person"), ("taker", taker.as_str())];
        browser.post_form(&format!("/admin/people/{}/leave", li.person_id), &form).await.expect(303);
        assert_eq!(li.get("/customers").await.status, 303, "he is out at once");
        let left: &'static str =
            format!("SELECT COUNT(*) FROM customers WHERE owner_id = {}", li.person_id.0).leak();
        assert_eq!(app.number(left).await, 1_200, "the job does it");
        let half = run_and_kill(&app, left, 1_200).await;
        assert!(half == 700 || half == 200, "killed in the middle, each batch whole: {half}");
        assert_eq!(app.text("SELECT state FROM jobs WHERE kind = 'org.hand_over'").await, "running");
        // Nobody else takes it up before its lease is over; then it goes on where it stopped.
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number(left).await, half);
        app.clock.advance(30_001);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.text("SELECT state FROM jobs WHERE kind = 'org.hand_over'").await, "done");
        assert_eq!(app.number(left).await, 0);
        let theirs = format!(
            "SELECT COUNT(*) FROM customers WHERE owner_id = {} AND unit_id = {} AND deleted_at IS NULL",
            wang.person_id.0,
            store::parse_id(id(&company)).unwrap()
        );
        assert_eq!(app.number(theirs.leak()).await, 1_200, "nothing without an owner");
        // Each went over once, the counts say the same, and nothing of the plan is left.
        assert_eq!(
            app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'customer.updated'").await,
            1_200
        );
        assert_eq!(app.number("SELECT COUNT(*) FROM settings WHERE name LIKE 'org.hand_over%'").await, 0);
        let page = app.sign_in(wang.person_id).await.get("/customers").await.expect(200).text();
        assert!(page.contains("1,200"), "{page}");
        // His page says that he has left, and when.
        let card = app.administrator().await.get(&format!("/admin/people/{}", li.person_id)).await.text();
        assert!(card.contains("已离职（最后工作日 2026-09-28）") && !card.contains(">已停用<"), "{card}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_of_a_large_unit_move_in_the_background_and_a_killed_server_does_not_stop_them() {
    both(|app| async move {
        let browser = app.administrator().await;
        let admin = browser.with_token().await;
        let (old, new) =
            (unit(&admin, "老公司", "company", None).await, unit(&admin, "新公司", "company", None).await);
        let li = app.staff("li", DataScope::Own).await;
        post(&admin, li.person_id, &old, "sales_staff").await;
        many(&app, &li, 1_100).await;
        let path = format!("/admin/units/{}/customers", id(&old));
        browser.post_form(&path, &[("to", id(&new))]).await.expect(303);
        let page = browser.get(&path).await.expect(200).text();
        assert!(page.contains("正在后台移到“新公司”，还有 1100 个"), "{page}");
        browser.post_form(&path, &[("to", id(&new))]).await.expect(422);
        let left: &'static str =
            format!("SELECT COUNT(*) FROM customers WHERE unit_id = {}", store::parse_id(id(&old)).unwrap())
                .leak();
        let half = run_and_kill(&app, left, 1_100).await;
        assert!(half == 600 || half == 100, "{half}");
        app.clock.advance(30_001);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number(left).await, 0);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM settings WHERE name LIKE 'org.move_customers%'").await,
            0
        );
        let still = format!("SELECT COUNT(*) FROM customers WHERE owner_id = {}", li.person_id.0);
        assert_eq!(app.number(still.leak()).await, 1_100, "owners stay");
        // An order whose giver may no longer give it is given up, and the page says why.
        let (back, gone) =
            (format!("/admin/units/{}/customers", id(&new)), app.staff("boss", DataScope::All).await);
        let moves = json!([{ "object": "organisation", "verb": "update", "scope": "all" },
            { "object": "customer", "verb": "read", "scope": "all" },
            { "object": "customer", "verb": "update", "scope": "all" },
            { "object": "customer", "verb": "assign", "scope": "all" }]);
        crate::roles::role(&admin, "moving", moves, json!([])).await;
        crate::roles::give(&admin, &gone, "moving").await;
        gone.post_form(&back, &[("to", id(&old))]).await.expect(303);
        let role = app.text("SELECT CAST(id AS TEXT) FROM roles WHERE code = 'moving'").await;
        let take =
            format!("/api/v1/people/{}/roles/{}", gone.person_id, store::format_id(role.parse().unwrap()));
        admin.json("DELETE", &take, json!({})).await.expect(204);
        jobs::run_all(&app.app).await.unwrap();
        let page = app.administrator().await.get(&back).await.expect(200).text();
        assert!(page.contains("上次移动没有完成") && page.contains("您无权转移的客户"), "{page}");
        assert_eq!(app.number(left).await, 0);
    })
    .await;
}
