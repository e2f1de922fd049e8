//! Importing, taking back, importing again: numbers of customers that are gone are free, and the check says beforehand
//! what the import will do.

use std::collections::BTreeSet;

use kehu::jobs;
use serde_json::{Value as Json, json};

use crate::app::DataScope;
use crate::cases::{enact, post, unit, welcome};
use crate::imports::{counts, customers, import, outcome};
use crate::{Client, both};

const LIST: &str =
    "客户编号,客户名称,手机\nA001,甲公司,13800138000\nA002,乙公司,13800138001\n,丙公司,13800138002\n";

async fn take_back(client: &Client<'_>, done: &Json) {
    let undo = format!("/api/v1/imports/{}/undo", done["id"].as_str().unwrap());
    client.with_token().await.json("POST", &undo, json!({})).await.expect(202);
    jobs::run_all(&client.app.app).await.unwrap();
    assert_eq!(outcome(client, done).await["state"], "undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_numbers_that_was_taken_back_comes_in_again() {
    both(|app| async move {
        let admin = app.administrator().await;
        for _ in 0..3 {
            let tried = import(&admin, "a.csv", LIST.as_bytes(), &[("dry_run", "true")]).await;
            assert_eq!(counts(&tried), [3, 3, 0, 0, 0]);
            let done = import(&admin, "a.csv", LIST.as_bytes(), &[]).await;
            assert_eq!(counts(&done), [3, 3, 0, 0, 0], "{done}");
            take_back(&admin, &done).await;
            assert_eq!(customers(&admin, "").await.len(), 0);
        }
        let corrected = LIST.replace("甲公司", "甲公司（改正）");
        assert_eq!(counts(&import(&admin, "a.csv", corrected.as_bytes(), &[]).await), [3, 3, 0, 0, 0]);
        let names: Vec<Json> = customers(&admin, "").await.iter().map(|c| c["name"].clone()).collect();
        assert!(names.contains(&json!("甲公司（改正）")), "{names:?}");
    })
    .await;
}

/// Whatever somebody did about a customer keeps it, of each kind alone; only the one nobody touched goes.
#[tokio::test(flavor = "multi_thread")]
async fn customers_people_worked_on_stay_when_their_import_is_taken_back() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let office = unit(&program, "业务部", "department", None).await;
        post(&program, &li, &office, "sales_staff").await;
        let names = ["单据公司", "任务公司", "共享公司", "回避公司", "分类公司", "没人公司"];
        let text = format!("客户名称,负责人\n{}", names.map(|name| format!("{name},li\n")).concat());
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [6, 6, 0, 0, 0], "{done}");
        let made = customers(&admin, "").await;
        let of = |name: &str| made.iter().find(|c| c["name"] == name).unwrap()["id"].clone();
        let path = |name: &str| format!("/customers/{}", of(name).as_str().unwrap());
        app.app.clock.advance(1_000);

        enact(&program, welcome()).await;
        let li = li.with_token().await;
        let case = json!({ "values": { "customer": of("单据公司") } });
        li.json("POST", "/api/v1/cases/welcome", case).await.expect(201);
        let task = json!({
            "title": "回电", "customer_id": of("任务公司"), "person_id": wang.person_id, "due": "2026-09-29",
        });
        li.json("POST", "/api/v1/assignments", task).await.expect(201);
        let share = json!({ "person_id": wang.person_id, "role": "share_read", "until": "2026-09-29", "reason": "一起拜访" });
        program.json("POST", &format!("/api/v1{}/shares", path("共享公司")), share).await.expect(201);
        let exclusion = json!({ "person_id": wang.person_id, "reason": "被投诉" });
        program.json("POST", &format!("/api/v1{}/exclusions", path("回避公司")), exclusion).await.expect(201);
        let mark = format!("{}/fields/mark.scheme_vip", path("分类公司"));
        admin.post_form(&mark, &[("value", "key")]).await.expect(200);

        take_back(&admin, &done).await;
        let left: BTreeSet<String> =
            customers(&admin, "").await.iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(left, names[..5].iter().map(|name| (*name).to_owned()).collect());
        let undone = outcome(&admin, &done).await["undo"].clone();
        assert_eq!((&undone["undone"], &undone["kept"]), (&json!(1), &json!(5)), "{undone}");
    })
    .await;
}

/// Whether the number stands in the file, in a batch before or is a customer's whom the importer may not read.
#[tokio::test(flavor = "multi_thread")]
async fn the_check_counts_taken_numbers_like_the_import() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin.customer(json!({"kind": "person", "name": "赵一", "number": "A001"})).await;
        let mut text = String::from(
            "客户编号,客户名称\nA001,甲公司\na001,小写公司\nA002,乙公司\nA002,丙公司\n,丁公司\n",
        );
        for n in 0..300 {
            text.push_str(&format!("C{n:03},第{n}公司\n"));
        }
        text.push_str("C001,戊公司\n");
        let cases = [
            (&[("on_duplicate", "create")][..], [306, 303, 0, 0, 3]),
            (&[("on_duplicate", "skip")][..], [306, 302, 0, 4, 0]),
            (&[("on_duplicate", "skip"), ("match_on", "name")][..], [306, 303, 0, 0, 3]),
        ];
        for (fields, expected) in cases {
            let mut dry = fields.to_vec();
            dry.push(("dry_run", "true"));
            let tried = import(&admin, "a.csv", text.as_bytes(), &dry).await;
            assert_eq!(counts(&tried), expected, "{fields:?}");
            let report = app.text("SELECT CAST(report AS TEXT) FROM imports ORDER BY id DESC LIMIT 1").await;
            assert_eq!(report.contains("客户编号“A001”已被使用"), expected[4] > 0, "{fields:?} {report}");
            let done = import(&admin, "a.csv", text.as_bytes(), fields).await;
            assert_eq!(counts(&done), expected, "{fields:?}");
            take_back(&admin, &done).await;
        }
        let li = app.staff("li", DataScope::Own).await;
        let text = "客户编号,客户名称\nA001,甲公司\n";
        for dry_run in ["true", "false"] {
            let done = import(&li, "a.csv", text.as_bytes(), &[("dry_run", dry_run)]).await;
            assert_eq!(counts(&done), [1, 0, 0, 0, 1], "of a customer he may not read; dry_run={dry_run}");
        }
    })
    .await;
}

/// Numbers the system makes keep clear of those further down in the file.
#[tokio::test(flavor = "multi_thread")]
async fn new_customers_never_get_a_number_that_stands_further_down() {
    both(|app| async move {
        let admin = app.administrator().await;
        let mut text = String::from("客户编号,客户名称\n");
        for n in 0..250 {
            text.push_str(&format!(",新{n:03}公司\n"));
        }
        for n in 1..=250 {
            text.push_str(&format!("KH{n:06},旧{n:03}公司\n"));
        }
        let done = import(&admin, "a.csv", text.as_bytes(), &[]).await;
        assert_eq!(counts(&done), [500, 500, 0, 0, 0], "{done}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_comes_back_from_the_recycle_bin_with_a_new_number_when_his_own_is_taken() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let old = admin.customer(json!({"kind": "person", "name": "赵一", "number": "A001"})).await;
        let path = format!("/api/v1/customers/{}", old["id"].as_str().unwrap());
        program.json_with("DELETE", &path, json!({}), &[("if-match", "\"1\"")]).await.expect(204);
        let new = admin.customer(json!({"kind": "person", "name": "钱二", "number": "A001"})).await;
        let restore = format!("/customers/{}/restore", old["id"].as_str().unwrap());
        let answer = admin.post_form(&restore, &[]).await.expect(303);
        let page = admin.get(answer.header("location")).await.expect(200).text();
        let back = program.get(&path).await.expect(200).json();
        let number = back["number"].as_str().unwrap();
        assert!(number.starts_with("KH"), "{back}");
        for told in ["原编号 A001 已是“钱二”的编号", number] {
            assert!(page.contains(told), "{told}: {page}");
        }
        for query in ["q=A001", &format!("q={number}")] {
            assert_eq!(customers(&admin, query).await.len(), 1, "{query}");
        }
        assert_eq!(customers(&admin, "q=A001").await[0]["id"], new["id"]);
        let log = app.text("SELECT after FROM audit_log WHERE action = 'customer.restored'").await;
        assert!(log.contains(number), "{log}");
        // Alone with his number he keeps it.
        let again = program.get(&path).await.expect(200);
        let version = again.header("etag").to_owned();
        program.json_with("DELETE", &path, json!({}), &[("if-match", &version)]).await.expect(204);
        admin.post_form(&restore, &[]).await.expect(303);
        assert_eq!(program.get(&path).await.expect(200).json()["number"], number);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_one_person_matches_columns_is_nobody_elses_and_no_programs() {
    both(|app| async move {
        let li = app.staff("li", DataScope::Own).await;
        let admin = app.administrator().await;
        let file = "客户名称,客户性质,联系电话\n甲公司,企业,13800138000\n".as_bytes();
        let path = li.upload("/imports", &[], "a.csv", file).await.expect(303).header("location").to_owned();
        // The phone stands where the name should: his own choice for this file.
        let odd = [("mapping.0", "short_name"), ("mapping.1", "kind"), ("mapping.2", "name")];
        li.post_form(&format!("{path}/check"), &odd).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        let remembered = "SELECT COUNT(*) FROM import_mappings";
        assert_eq!(app.number(remembered).await, 0, "a check is no decision");
        li.post_form(&format!("{path}/run"), &[]).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number(remembered).await, 2);
        let again = li.upload("/imports", &[], "b.csv", file).await.expect(303).header("location").to_owned();
        let page = li.get(&again).await.expect(200).text();
        assert!(page.contains("<option value=\"short_name\" selected>"), "he finds it as he left it");
        let theirs =
            admin.upload("/imports", &[], "c.csv", file).await.expect(303).header("location").to_owned();
        let page = admin.get(&theirs).await.expect(200).text();
        assert!(!page.contains("<option value=\"short_name\" selected>"), "nobody else does");
        let done = import(&li, "d.csv", file, &[("on_duplicate", "create")]).await;
        assert_eq!(done["mapping"], json!(["name", "kind", "phone"]), "a program reads the headings");
        // What he leaves out stays out, also where its cells would tell what it is.
        let odd = "客户名称,资源归属\n乙公司,公司\n".as_bytes();
        let kind = "<option value=\"kind\" selected>";
        let path = li.upload("/imports", &[], "e.csv", odd).await.expect(303).header("location").to_owned();
        assert!(li.get(&path).await.expect(200).text().contains(kind));
        let left_out = [("mapping.0", "name"), ("mapping.1", "")];
        li.post_form(&format!("{path}/check"), &left_out).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        li.post_form(&format!("{path}/run"), &[]).await.expect(303);
        jobs::run_all(&app.app).await.unwrap();
        let path = li.upload("/imports", &[], "f.csv", odd).await.expect(303).header("location").to_owned();
        assert!(!li.get(&path).await.expect(200).text().contains(kind), "as he left it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_could_mean_several_customers_changes_none() {
    both(|app| async move {
        let admin = app.administrator().await;
        let two = "客户编号,客户名称,客户性质,联系电话\nA1,歧甲,企业,13766660001\nA2,歧乙,企业,13766660001\nA3,另家,企业,13766660003\n";
        import(&admin, "a.csv", two.as_bytes(), &[("on_duplicate", "create")]).await;
        let by_phone = [("on_duplicate", "update"), ("match_on", "phone")];
        let change = "客户名称,客户性质,联系电话\n歧丙,企业,13766660001\n".as_bytes();
        let tried = import(&admin, "b.csv", change, &[by_phone[0], by_phone[1], ("dry_run", "true")]).await;
        let done = import(&admin, "b.csv", change, &by_phone).await;
        for said in [&tried, &done] {
            assert_eq!(counts(said), [1, 0, 0, 0, 1], "{said}");
        }
        let why = tried["doubts"]["refused"][0]["reasons"][0]["message"].as_str().unwrap();
        assert!(why.contains("有 2 个客户的联系电话相同"), "{tried}");
        // The number tells which, though the phone is both's.
        let with_number = "客户编号,客户名称,客户性质,联系电话\nA2,歧乙新,企业,13766660001\n".as_bytes();
        let done = import(&admin, "c.csv", with_number, &[("on_duplicate", "update")]).await;
        assert_eq!(counts(&done), [1, 0, 1, 0, 0], "{done}");
        // The number is one customer's, the phone another's: nobody's name is given to somebody else.
        let torn = "客户编号,客户名称,客户性质,联系电话\nA1,另家,企业,13766660003\n".as_bytes();
        let both_keys = [("on_duplicate", "update"), ("match_on", "number,phone")];
        let done = import(&admin, "d.csv", torn, &both_keys).await;
        assert_eq!(counts(&done), [1, 0, 0, 0, 1], "{done}");
        let names = customers(&admin, "").await;
        let names: Vec<&str> = names.iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["歧甲", "歧乙新", "另家"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_persons_and_organisations_is_the_nature_whatever_it_is_called() {
    both(|app| async move {
        let admin = app.administrator().await;
        let file = "客户名称,客户类型,联系电话\n张三,个人,13800138000/010-88886666\n天江,企业,13800138001.0\n腾讯科技,,\n".as_bytes();
        let done = import(&admin, "a.csv", file, &[]).await;
        assert_eq!(counts(&done), [3, 3, 0, 0, 0], "{done}");
        assert_eq!(done["mapping"][1], "kind");
        assert_eq!((&done["guessed_persons"], &done["guessed_organisations"]), (&json!(1), &json!(0)), "{done}");
        let made = customers(&admin, "").await;
        assert_eq!((&made[0]["phone"], &made[1]["phone"]), (&json!("13800138000"), &json!("13800138001")));
        // The second number of a cell goes where it is found again.
        assert_eq!(made[0]["landline"], "010-88886666");
        // Nor are columns left out, or lines that add up, without a word.
        let list = "客户名称,联系电话,楼栋\n孔一,13500000001 13500000002,1栋\n合计：,,2\n,以上共1户,\n".as_bytes();
        let done = import(&admin, "c.csv", list, &[("dry_run", "true")]).await;
        assert!(done.to_string().contains("1 列没有导入：楼栋"), "{done}");
        let done = import(&admin, "c.csv", list, &[]).await;
        assert_eq!((&done["created"], &done["failed"]), (&json!(1), &json!(2)), "{done}");
        assert_eq!(customers(&admin, "q=13500000002").await[0]["name"], "孔一");
        // Nor does an unknown heading keep it from being seen; other words under it do.
        let odd = "客户名称,类型,主体\n李四,大客户,单位\n".as_bytes();
        let done = import(&admin, "b.csv", odd, &[]).await;
        assert_eq!((&done["mapping"], &done["created"]), (&json!(["name", "", "kind"]), &json!(1)), "{done}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_command_was_killed_says_so_and_can_be_ended() {
    both(|app| async move {
        let admin = app.administrator().await;
        let file = "客户名称\n甲公司\n".as_bytes();
        let path =
            admin.upload("/imports", &[], "a.csv", file).await.expect(303).header("location").to_owned();
        let strand = |tx: &mut store::Tx<'_>| {
            tx.exec("UPDATE imports SET state = 'running', via = 'command_line', heard_at = created_at", &[])
        };
        app.app.db.write(strand).await.unwrap();
        assert!(!admin.get(&path).await.expect(200).text().contains("没有动静"));
        app.app.clock.advance(121_000);
        assert!(admin.get(&path).await.expect(200).text().contains("没有动静"));
        admin.post_form(&format!("{path}/cancel"), &[]).await.expect(303);
        assert_eq!(app.text("SELECT state FROM imports").await, "cancelled");
    })
    .await;
}
