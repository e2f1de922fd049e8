//! A register of callers and visitors whose regulation asks the roster: lines of the duty are for whoever was on duty.

use kehu::ids::PersonId;
use serde_json::json;

use crate::app::DataScope;
use crate::cases::enact;
use crate::rosters::{draft, post, roster, shift, unit};
use crate::{Answer, Client, both};

const REGISTER: &[(&str, &str)] = &[
    (
        "policy.toml",
        r#"
        [policy]
        id = "leasing-customers"
        title = "招商客户信息管理办法"
        version = "1"
        [[clause]]
        id = "3.1.2"
        text = "登记表含当天值班来电、来访客户及自行开发客户。"
        "#,
    ),
    (
        "forms.toml",
        r#"
        [[form]]
        id = "line"
        title = "客户信息登记"
        by = "[actor]"
        fill = ["caller", "source", "manager", "day"]
        subject = "{case.caller}"
        clause = "3.1.2"
        [[form.field]]
        id = "caller"
        title = "客户"
        type = "text"
        [[form.field]]
        id = "source"
        title = "来源"
        type = "choice"
        options = ["来电", "来访", "自行开发"]
        clause = "3.1.2"
        [[form.field]]
        id = "manager"
        title = "招商经理"
        type = "person"
        [[form.field]]
        id = "day"
        title = "日期"
        type = "date"
        [[step]]
        id = "register"
        title = "登记"
        by = "[case.creator]"
        clause = "3.1.2"
        [[step.action]]
        id = "hand-in"
        title = "上交"
        next = "handed-in"
        [[step]]
        id = "handed-in"
        title = "已上交"
        kind = "end"
        clause = "3.1.2"
        [[refusal]]
        id = "not-on-duty"
        on = "line.open"
        when = "case.source != '自行开发' && !(case.manager in on_duty('招商值班', case.day))"
        message = "这位招商经理当天没有值班：来电、来访登记在值班人名下，自己找来的客户请选“自行开发”。"
        clause = "3.1.2"
        "#,
    ),
    (
        "scenarios/cast.toml",
        r#"
        [[person]]
        name = "小李"
        [[person]]
        name = "小王"
        [[roster]]
        name = "招商值班"
        people = ["小王"]
        days = { "2026-09-28" = ["小李"] }
        "#,
    ),
    (
        "scenarios/lines.toml",
        r#"
        title = "来电、来访登记在当天值班人名下，自行开发不论值班"
        covers = ["LC-05"]
        [[given]]
        at = "2026-09-28 18:00"
        by = "小李"
        case = { form = "line", caller = "张三", source = "来电", manager = "小李", day = "2026-09-28" }
        [[then]]
        step = "register"
        [[given]]
        at = "2026-09-28 18:10"
        by = "小王"
        case = { form = "line", caller = "李四", source = "来访", manager = "小王", day = "2026-09-28" }
        refused = "3.1.2"
        [[given]]
        at = "2026-09-28 18:20"
        by = "小王"
        case = { form = "line", caller = "李四", source = "自行开发", manager = "小王", day = "2026-09-28" }
        [[given]]
        at = "2026-09-29 09:00"
        by = "小李"
        case = { form = "line", caller = "王五", source = "来电", manager = "小李", day = "2026-09-29" }
        refused = "3.1.2"
        [[given]]
        at = "2026-09-29 09:10"
        by = "小王"
        case = { form = "line", caller = "王五", source = "来电", manager = "小王", day = "2026-09-29" }
        "#,
    ),
];

async fn register(who: &Client<'_>, source: &str, manager: PersonId, day: &str) -> Answer {
    let values = json!({ "caller": "张三", "source": source, "manager": manager, "day": day });
    who.json("POST", "/api/v1/cases/line", json!({ "values": values })).await
}

// covers: LC-05
#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_duty_is_registered_for_whoever_was_on_duty_that_day() {
    both(|app| async move {
        let admin = app.administrator().await.with_token().await;
        let (li, wang) = (app.staff("li", DataScope::Own).await, app.staff("wang", DataScope::Own).await);
        let leasing = unit(&app, "招商部", None, None).await;
        for person in [&li, &wang] {
            post(&app, person.person_id, leasing).await;
        }
        let files = REGISTER.iter().map(|(name, text)| json!({ "name": name, "text": text }));
        enact(&admin, files.collect::<Vec<_>>().into()).await;
        let (li_id, wang_id) = (li.person_id, wang.person_id);
        let (li, wang) = (li.with_token().await, wang.with_token().await);
        let refused = async |source: &str, manager: PersonId, day: &str| {
            let said = register(&wang, source, manager, day).await.expect(409).text();
            assert!(said.contains("当天没有值班") && said.contains("3.1.2"), "{source} {day}: {said}");
        };
        // Without a roster nobody is on duty.
        refused("来电", li_id, "2026-09-28").await;
        let duty = roster(&admin, leasing, "招商值班").await;
        shift(&admin, &duty, li_id, "2026-09-28 18:00", "2026-09-28 20:00").await;
        for source in ["来电", "来访"] {
            register(&li, source, li_id, "2026-09-28").await.expect(201);
            refused(source, wang_id, "2026-09-28").await;
            refused(source, li_id, "2026-09-27").await;
            refused(source, li_id, "2026-09-29").await;
        }
        register(&wang, "自行开发", wang_id, "2026-09-28").await.expect(201);
        let unknown = register(&li, "路过", li_id, "2026-09-28").await.expect(422).json();
        assert_eq!(unknown["errors"][0]["field"], "source", "{unknown}");
        // What is only planned is no duty yet; a night counts on both its days.
        let (evening, morning) = ("2026-09-29 22:00", "2026-09-30 06:00");
        draft(&admin, &duty, wang_id, evening, morning).await;
        refused("来访", wang_id, "2026-09-30").await;
        let days = json!({ "first": "2026-09-29", "last": "2026-09-29" });
        admin.json("POST", &format!("/api/v1/rosters/{duty}/publications"), days).await.expect(201);
        for day in ["2026-09-29", "2026-09-30"] {
            register(&wang, "来访", wang_id, day).await.expect(201);
        }
        refused("来访", wang_id, "2026-10-01").await;
        // Another unit's roster of the same name is asked as well.
        let shop = unit(&app, "二部", None, None).await;
        let other = roster(&admin, shop, "招商值班").await;
        shift(&admin, &other, wang_id, "2026-10-01 08:00", "2026-10-01 12:00").await;
        register(&wang, "来访", wang_id, "2026-10-01").await.expect(201);
    })
    .await;
}
