//! A year of one company: 200 people in 20 units carry out cases of the three regulations we ship, through the application
//! itself on SQLite, by a clock that is moved. Every timer fires at its time; at the end it is counted that each did so
//! exactly once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::ToSpan;
use jiff::civil::date;
use kehu::access::{Actor, ActorFacts};
use kehu::app::App;
use kehu::cases::{self, Ground};
use kehu::clock::{Clock, Millis};
use kehu::config::Config;
use kehu::customers::{self, Draft};
use kehu::ids::{CaseId, CustomerId, PersonId};
use kehu::{auth, menu, org, policies, schema};
use policy::engine::Verdict;
use rusqlite::OpenFlags;
use serde_json::{Map, Value as Json, json};
use store::{Db, Location, Options, Tx};

use crate::process::memory;
use crate::report::{Report, rate};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
/// Of ten units, five are property offices and five are shops; twice that, and their people.
const UNITS: i64 = 20;
const PEOPLE: i64 = 200;
const FIRST_UNIT: i64 = 1_000;
const FIRST_PERSON: i64 = 10_000;
/// Actions sent to the writer at once, as by so many people.
const AT_ONCE: usize = 64;

/// Who works in each unit, by post; ten people.
const POSTS: [&str; 10] = [
    "department_manager",
    "front_desk_staff",
    "repair_staff",
    "engineering_director",
    "finance_staff",
    "sales_staff",
    "customer_service_staff",
    "customer_information_specialist",
    "human_resources_staff",
    "operations_service_staff",
];

fn person(unit: i64, post: usize) -> PersonId {
    PersonId(FIRST_PERSON + unit * POSTS.len() as i64 + post as i64)
}

fn unit_id(unit: i64) -> String {
    store::format_id(FIRST_UNIT + unit)
}

fn organise(tx: &mut Tx<'_>) -> store::Result<()> {
    tx.exec(
        "INSERT INTO units (id, kind, name, opened_on, created_at, updated_at)
         VALUES ($1, 'company', '集团', '2020-01-01', 0, 0)",
        &[(FIRST_UNIT + UNITS).into()],
    )?;
    for unit in 0..UNITS {
        let kind = if unit % 2 == 0 { "property_office" } else { "shop" };
        tx.exec(
            "INSERT INTO units (id, parent_id, kind, name, opened_on, created_at, updated_at)
             VALUES ($1, $2, $3, $4, '2020-01-01', 0, 0)",
            &[
                (FIRST_UNIT + unit).into(),
                (FIRST_UNIT + UNITS).into(),
                kind.into(),
                format!("单位{unit}").into(),
            ],
        )?;
    }
    for n in 0..PEOPLE {
        tx.exec(
            "INSERT INTO people (id, username, name, name_search, password_hash, security_stamp, created_at, updated_at)
             VALUES ($1, $2, $2, $2, '', 0, 0, 0)",
            &[(FIRST_PERSON + n).into(), format!("p{n}").into()],
        )?;
        let (unit, post) = (n / POSTS.len() as i64, POSTS[n as usize % POSTS.len()]);
        tx.exec(
            "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, created_at, created_by, updated_at)
             VALUES ($1, $2, $3, $4, TRUE, '2020-01-01', 0, 0, 0)",
            &[(n + 1).into(), (FIRST_PERSON + n).into(), (FIRST_UNIT + unit).into(), post.into()],
        )?;
    }
    for unit in 0..UNITS {
        tx.exec(
            "UPDATE units SET head_id = $2 WHERE id = $1",
            &[(FIRST_UNIT + unit).into(), person(unit, 0).into()],
        )?;
    }
    // The head of the first office leads the whole, and is its general manager.
    tx.exec(
        "UPDATE units SET head_id = $2 WHERE id = $1",
        &[(FIRST_UNIT + UNITS).into(), person(0, 0).into()],
    )?;
    tx.exec(
        "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, created_at, created_by, updated_at)
         VALUES (9000, $1, $2, 'general_manager', FALSE, '2020-01-01', 0, 0, 0)",
        &[person(0, 0).into(), (FIRST_UNIT + UNITS).into()],
    )?;
    org::rights_changed(tx)
}

/// Somebody; what he may do with cases follows from his posts.
fn actor(id: PersonId) -> Actor {
    Actor::new(ActorFacts { person_id: id, name: format!("p{}", id.0), ..(*Actor::command_line()).clone() })
}

/// What somebody does.
#[derive(Clone)]
enum Deed {
    /// A new customer: a regulation files it.
    Meet,
    /// Opens a case.
    Open(&'static str, Json),
    /// Presses a button.
    Act(&'static str, Json),
    /// Agrees.
    Agree,
    /// Agrees, with these values.
    AgreeWith(Json),
}

/// A story: who does what, so many minutes after what went before.
#[derive(Clone)]
struct Story {
    deeds: Vec<(i64, PersonId, Deed)>,
}

fn repair(n: i64, price_list: &str) -> Story {
    let unit = (n % (UNITS / 2)) * 2;
    let (desk, engineer, chief, cash) = (person(unit, 1), person(unit, 2), person(unit, 3), person(unit, 4));
    // One in eight comes late, one in fifty is taken back.
    let way = if n % 8 == 0 { 95 } else { 50 };
    let opened = json!({
        "office": unit_id(unit), "customer_name": format!("客户{n}"), "phone": "13800000000",
        "place": format!("{}栋{}", n % 20, 100 + n % 900), "content": "水龙头漏水",
    });
    let fees =
        json!([{ "item": "人工", "kind": "人工", "list_price": "60", "unit_price": "60", "quantity": 1 }]);
    let act = Deed::Act;
    let mut deeds = vec![
        (0, desk, Deed::Open("slip", opened)),
        (5, desk, act("appoint", json!({ "appointment": "+60", "agreed_with": "客户" }))),
    ];
    if n % 50 == 7 {
        deeds.truncate(1);
        deeds.push((10, desk, act("withdraw-report", json!({ "cancel_reason": "自己修好了" }))));
        return Story { deeds };
    }
    deeds.extend([
        (
            5,
            chief,
            act(
                "dispatch",
                json!({ "trade": "水暖", "technician": engineer.to_string(), "mismatch_reason": "没有别人" }),
            ),
        ),
        (way, engineer, act("arrive", json!({}))),
        (3, engineer, act("confirm", json!({ "as_reported": true }))),
        (3, engineer, act("quote", json!({ "price_list": price_list, "fees": fees }))),
        (3, engineer, act("record-consent", json!({ "consent_by": "客户", "consent_note": "当面同意" }))),
        (1, engineer, act("start-repair", json!({}))),
        (30, engineer, act("work-done", json!({ "repair_note": "已修好", "moves_indoor": false }))),
        (
            4,
            engineer,
            act(
                "checked",
                json!({ "site_check": ["清整现场", "检查试用"], "trial_result": "正常", "technician_signature": "file" }),
            ),
        ),
        (3, engineer, act("sign", json!({ "customer_signature": "file", "satisfaction": 3 + n % 3 }))),
        (2, engineer, act("hand-first", json!({ "copy1_to": "客户" }))),
        (9, engineer, act("hand-second", json!({ "copy2_to": chief.to_string() }))),
        (2, engineer, act("hand-third", json!({ "copy3_to": desk.to_string() }))),
        (40, desk, act("pass-third", json!({}))),
        (80, cash, act("receive-third", json!({}))),
        (
            20,
            cash,
            act(
                "collect",
                json!({
                    "collected_amount": "60", "collected_on": "today", "collect_method": "现金", "receipt_no": format!("SJ-{n}"),
                }),
            ),
        ),
        (60, chief, act("archive", json!({}))),
    ]);
    Story { deeds }
}

fn complaint(n: i64) -> Story {
    let unit = (n % (UNITS / 2)) * 2 + 1;
    let (head, clerk, personnel) = (person(unit, 0), person(unit, 6), person(unit, 8));
    let general = person(0, 0);
    let opened = json!({
        "store": unit_id(unit), "complainant": "终端消费者", "customer_name": format!("客户{n}"), "phone": "13800000000",
        "demands": ["退货"], "request": "商品有故障，要求退货",
    });
    // One in ten is looked at only when its seven days have passed.
    let begins = if n % 10 == 3 { 9 * 24 * 60 } else { 60 };
    let act = Deed::Act;
    Story {
        deeds: vec![
            (0, clerk, Deed::Open("complaint", opened)),
            (
                begins,
                clerk,
                act(
                    "verify.submit",
                    json!({ "reason_holds": true, "basis": "凭发票", "complained_department": unit_id(unit) }),
                ),
            ),
            (60, general, act("accept", json!({ "ruling_opinion": "受理" }))),
            (
                90,
                personnel,
                act(
                    "assign.submit",
                    json!({ "department": unit_id(unit), "investigator": clerk.to_string(), "instruction": "查批次" }),
                ),
            ),
            (
                900,
                clerk,
                act(
                    "investigate.submit",
                    json!({
                        "cause_code": "商品质量", "cause": "批次缺陷", "course": "购买后一周", "responsible": "供货商",
                        "conclusion": "属实", "countermeasure": "退货", "prevention": "下架复检", "original": ["file"],
                    }),
                ),
            ),
            (120, head, Deed::Agree),
            (60, personnel, act("submit-to-gm", json!({ "admin_opinion": "建议退货" }))),
            (180, general, Deed::AgreeWith(json!({ "gm_note": "同意" }))),
            (
                60,
                clerk,
                act("handle.submit", json!({ "handling_opinion": "退货退款", "compensates": false })),
            ),
            (60, head, Deed::Agree),
        ],
    }
}

fn filing(n: i64) -> Story {
    let unit = n % UNITS;
    let seller = person(unit, 5);
    // One in nine is late: five working days have passed.
    let begins = if n % 9 == 4 { 12 * 24 * 60 } else { 24 * 60 };
    let written = json!({
        "customer_name": format!("公司{n}"), "class": "一般客户", "nature": "民营企业", "parent_body": "无",
        "address": "东方路18号", "contact": "吴厂长", "phone": "02155550012", "relations": "采购",
    });
    Story {
        deeds: vec![
            (0, seller, Deed::Meet),
            (begins, seller, Deed::Act("submit-filing", written)),
            (240, person(unit, 0), Deed::Agree),
            (240, person(unit, 7), Deed::Act("accept", json!({ "duplicate_check": "没有重复" }))),
        ],
    }
}

/// A story under way.
struct Run {
    story: Story,
    at: usize,
    case: Option<CaseId>,
    customer: Option<CustomerId>,
}

/// How many of what.
#[derive(Default)]
struct Tally {
    done: u64,
    refused: u64,
}

/// Measures a year with so many cases.
pub fn measure(report: &mut Report, folder: &Path, size: usize) {
    eprintln!("a year, {size} cases: building");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (zone, begin) = (kehu::clock::Zone::default(), date(2026, 1, 5));
    let clock = Clock::fixed(zone.at(begin.at(8, 0, 0, 0)));
    let config = Config {
        data_dir: folder.join("year"),
        database: Location::Sqlite(folder.join("year.db")),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        trusted_proxies: Vec::new(),
        max_upload_bytes: 20 << 20,
        backups_dir: folder.join("year-backups"),
        smtp_password: kehu::config::Secret::default(),
        allow_unsafe_postgres: false,
        origins: Vec::new(),
    };
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let db = Db::open(&config.database, &Options::default()).unwrap();
    store::migrate(&db, schema::MIGRATIONS).unwrap();
    let now = clock.now();
    let setup = auth::Setup {
        company: "测评公司".into(),
        name: "管理员".into(),
        username: "boss".into(),
        password_hash: String::new(),
        is_demo: false,
    };
    db.write_blocking(move |tx| auth::set_up(tx, &setup, now)).unwrap();
    db.write_blocking(organise).unwrap();
    let app = {
        let _inside = runtime.enter();
        App::new(db, config, clock, menu::HOOKS).unwrap()
    };
    let figures = runtime.block_on(year(&app, &folder.join("year.db"), size));
    let [cases, changes, breached, wrong, behind] = figures.counts;
    let memory = memory(std::process::id(), "VmHWM:");
    report.line(&format!("### A year of {size} cases, 200 people, 20 units (SQLite, by a movable clock)"));
    report.line("");
    report.line(&format!(
        "{cases} cases of the three regulations in {:.0} s: {} deeds and {changes} \
         changes of cases, {}/s of them; timers looked at every simulated hour. {breached} deadlines passed; {wrong} cases \
         with a deadline that fired not at all or more than once (goal 0), {behind} timers left behind (goal 0), {} deeds \
         refused (goal 0). Memory {memory:.0} MiB, of the whole benchmark. Database {} MiB.",
        figures.seconds,
        figures.tally.done,
        rate(changes as f64 / figures.seconds),
        figures.tally.refused,
        std::fs::metadata(folder.join("year.db")).map_or(0, |file| file.len() >> 20),
    ));
    report.line("");
}

struct Figures {
    seconds: f64,
    tally: Tally,
    /// Cases, changes, deadlines passed, cases whose deadlines fired wrongly, timers left behind.
    counts: [i64; 5],
}

async fn year(app: &App, database: &Path, size: usize) -> Figures {
    let zone = app.zone.clone();
    let now = app.now();
    let catalogue = app.catalogue().await.unwrap();
    {
        let shipped = policies::examine_shipped(&catalogue).await.unwrap();
        let boss: i64 = app
            .db
            .read(|conn| conn.value("SELECT MIN(id) FROM people WHERE username = 'boss'", &[]))
            .await
            .unwrap()
            .unwrap();
        let boss = actor(PersonId(boss));
        app.db.write(move |tx| policies::adopt_shipped(tx, &boss, &shipped, now)).await.unwrap();
    }
    let price_list = prices(app).await;
    let began = Instant::now();
    let size = size as i64;
    // Spread over the working days of a year; each day's over its morning and noon.
    let days: Vec<Millis> = (0..360)
        .map(|n| date(2026, 1, 6).saturating_add(i64::from(n).days()))
        .filter(|day| kehu_workday(*day))
        .map(|day| zone.at(day.at(8, 30, 0, 0)))
        .collect();
    let mut runs: Vec<Run> = Vec::with_capacity(size as usize);
    let mut queue: BinaryHeap<Reverse<(Millis, usize)>> = BinaryHeap::new();
    for n in 0..size {
        let story = match n % 5 {
            0 | 1 => repair(n, &price_list),
            2 => complaint(n),
            _ => filing(n),
        };
        let at = days[(n * days.len() as i64 / size) as usize] + (n * 7 % 300) * MINUTE;
        queue.push(Reverse((at, runs.len())));
        runs.push(Run { story, at: 0, case: None, customer: None });
    }
    let mut tally = Tally::default();
    let last = zone.at(date(2027, 1, 31).at(18, 0, 0, 0));
    let mut hour = app.now();
    while hour < last {
        hour += HOUR;
        let mut due = Vec::new();
        while let Some(Reverse((at, n))) = queue.peek().copied().filter(|Reverse((at, _))| *at <= hour) {
            queue.pop();
            due.push((at, n));
        }
        for chunk in due.chunks(AT_ONCE) {
            // Everybody of the chunk acts at once, each at a time of his own.
            let latest = chunk.iter().map(|(at, _)| *at).max().unwrap_or(hour);
            if latest > app.now() {
                app.clock.advance(latest - app.now());
            }
            let ground = Ground::of(app).await.unwrap();
            let mut under_way = tokio::task::JoinSet::new();
            for (at, n) in chunk.iter().copied() {
                let run = &runs[n];
                let (minutes, who, deed) = run.story.deeds[run.at].clone();
                let (app, of, case, customer) = (app.clone(), ground.at(at), run.case, run.customer);
                let catalogue = Arc::clone(&catalogue);
                let _ = minutes;
                under_way.spawn(async move {
                    (at, n, perform(&app, &catalogue, of, who, deed, (n, case, customer)).await)
                });
            }
            while let Some(done) = under_way.join_next().await {
                let (at, n, outcome) = done.unwrap();
                let run = &mut runs[n];
                match outcome {
                    Some((case, customer)) => {
                        tally.done += 1;
                        (run.case, run.customer) = (case, customer);
                        run.at += 1;
                        if let Some((minutes, ..)) = run.story.deeds.get(run.at) {
                            queue.push(Reverse((at + minutes * MINUTE, n)));
                        }
                    }
                    None => tally.refused += 1,
                }
            }
        }
        if hour > app.now() {
            app.clock.advance(hour - app.now());
        }
        cases::run_due(app).await.unwrap();
    }
    let seconds = began.elapsed().as_secs_f64();
    Figures { seconds, tally, counts: counted(database) }
}

/// What is counted at the end: by the engine alone, as the application bounds the time of each read.
fn counted(database: &Path) -> [i64; 5] {
    let raw = rusqlite::Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    [
        "SELECT COUNT(*) FROM cases",
        "SELECT COUNT(*) FROM audit_log WHERE action IN ('case.opened', 'case.changed')",
        "SELECT COUNT(*) FROM case_deadlines WHERE standing = 'breached'",
        "WITH d AS MATERIALIZED (SELECT case_id, COUNT(*) n FROM case_deadlines WHERE standing = 'breached' GROUP BY case_id),
              t AS MATERIALIZED (SELECT case_id, COUNT(*) n FROM case_trail WHERE kind = 'breached' GROUP BY case_id)
         SELECT COUNT(*) FROM cases k LEFT JOIN d ON d.case_id = k.id LEFT JOIN t ON t.case_id = k.id
         WHERE COALESCE(d.n, 0) <> COALESCE(t.n, 0)",
        "SELECT COUNT(*) FROM cases WHERE wakes_at <= (SELECT MAX(at) FROM case_trail)",
    ]
    .map(|sql| raw.query_row(sql, [], |row| row.get(0)).unwrap())
}

/// Whether people work on a day.
fn kehu_workday(day: jiff::civil::Date) -> bool {
    static MAINLAND: std::sync::LazyLock<workday::Calendar> =
        std::sync::LazyLock::new(workday::Calendar::mainland);
    MAINLAND.is_workday(day)
}

/// The list of prices that repairs are charged by.
async fn prices(app: &App) -> String {
    let ground = Ground::of(app).await.unwrap();
    let (cash, general) = (actor(person(0, 4)), actor(person(0, 0)));
    app.db
        .write(move |tx| {
            let values = object(json!({
                "title": "收费标准", "effective_on": ground.day,
                "prices": [{ "item": "人工", "kind": "人工", "unit": "次", "price": "60" }],
            }));
            let id = cases::open(tx, &cash, &ground, "price-list", &values)?.id;
            let none = Map::new();
            cases::act(tx, &cash, &ground, id, "submit-prices", &none)?;
            cases::decide(tx, &general, &ground, id, &Verdict::Approve, "", &none)?;
            cases::act(tx, &cash, &ground, id, "publish", &none)?;
            cases::act(tx, &cash, &ground, id, "enforce", &none)?;
            Ok::<_, kehu::error::AppError>(id.to_string())
        })
        .await
        .unwrap()
}

fn object(values: Json) -> Map<String, Json> {
    match values {
        Json::Object(values) => values,
        _ => Map::new(),
    }
}

/// Does it; nothing when it was refused.
async fn perform(
    app: &App,
    catalogue: &Arc<kehu::catalogue::Catalogue>,
    ground: Ground,
    who: PersonId,
    deed: Deed,
    (n, case, customer): (usize, Option<CaseId>, Option<CustomerId>),
) -> Option<(Option<CaseId>, Option<CustomerId>)> {
    let by = actor(who);
    let catalogue = Arc::clone(catalogue);
    let done = app
        .db
        .write(move |tx| {
            let case = match (case, customer) {
                (None, Some(customer)) => tx.value(
                    "SELECT MIN(id) FROM cases WHERE customer_id = $1 AND form = 'filing'",
                    &[customer.into()],
                )?,
                (case, _) => case,
            };
            let here = || case.ok_or(kehu::error::AppError::NotFound);
            match &deed {
                Deed::Meet => {
                    let mut draft = Draft::from_json(&object(json!({
                        "kind": "organisation", "name": format!("公司{n}"), "phone": format!("139{n:08}"),
                    })))
                    .unwrap();
                    draft.owner_id = Some(Some(who));
                    let made = customers::create(tx, &by, &catalogue, &draft, None, ground.now)?;
                    return Ok((None, Some(made.id)));
                }
                Deed::Open(form, values) => {
                    let id = cases::open(tx, &by, &ground, form, &object(values.clone()))?.id;
                    return Ok((Some(id), None));
                }
                Deed::Act(action, values) => {
                    let values = filled(tx, values, &ground, who)?;
                    cases::act(tx, &by, &ground, here()?, action, &values)?;
                }
                Deed::AgreeWith(values) => {
                    cases::decide(
                        tx,
                        &by,
                        &ground,
                        here()?,
                        &Verdict::Approve,
                        "同意",
                        &object(values.clone()),
                    )?;
                }
                Deed::Agree => {
                    cases::decide(tx, &by, &ground, here()?, &Verdict::Approve, "同意", &Map::new())?;
                }
            }
            Ok::<_, kehu::error::AppError>((case, customer))
        })
        .await;
    match done {
        Ok(done) => Some(done),
        Err(error) => {
            eprintln!("refused: story {n}, {error:?}");
            None
        }
    }
}

/// Days and times by the clock, and files as if they had been sent.
fn filled(
    tx: &mut Tx<'_>,
    values: &Json,
    ground: &Ground,
    who: PersonId,
) -> store::Result<Map<String, Json>> {
    let mut values = object(values.clone());
    for value in values.values_mut() {
        let is_list = value.is_array();
        let word = value.as_str().or_else(|| value[0].as_str()).unwrap_or_default().to_owned();
        let new = match word.as_str() {
            "today" => ground.day.clone(),
            "+60" => ground.zone.minute(ground.now + HOUR),
            "file" => {
                let id = store::new_id();
                tx.exec(
                    "INSERT INTO files (id, object, object_id, name, media_type, size, sha256, stored_as, created_at,
                       created_by) VALUES ($1, 'case', 0, '签名.png', 'image/png', 0, '', $2, $3, $4)",
                    &[id.into(), store::format_id(id).into(), ground.now.into(), who.into()],
                )?;
                store::format_id(id)
            }
            _ => continue,
        };
        *value = if is_list { json!([new]) } else { Json::from(new) };
    }
    Ok(values)
}
