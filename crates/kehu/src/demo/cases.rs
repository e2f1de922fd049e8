//! Cases of the demonstration: repairs and complaints of the last weeks, carried out by its people through the same actions
//! as everybody's, dated as they went; some are finished, some wait for somebody, some are late.

use jiff::ToSpan;
use jiff::civil::{Date, time};
use policy::engine::Verdict;
use serde_json::{Map, Value as Json, json};

use super::generate::PEOPLE;
use super::load::as_person;
use crate::app::App;
use crate::cases::{self, Ground};
use crate::clock::Millis;
use crate::error::AppError;
use crate::files::{self, Place};
use crate::ids::{CaseId, PersonId, UnitId};

/// People by their place in `PEOPLE`.
const FRONT_DESK: usize = 31;
const ENGINEER: usize = 38;
const CHIEF_ENGINEER: usize = 37;
const ACCOUNTANT: usize = 17;
const GENERAL_MANAGER: usize = 8;
const SHOP_CLERK: usize = 53;
const SHOP_HEAD: usize = 47;
const RETAIL_MANAGER: usize = 45;
const PERSONNEL: usize = 19;
/// Units by their place in `UNITS`.
const OFFICE: usize = 11;
const SHOP: usize = 19;

/// What somebody does with a case.
enum Do {
    /// Presses a button, with these values.
    Act(&'static str, Json),
    /// Agrees in an approval, with these values.
    Agree(&'static str, Json),
}

/// A step of a story: so many minutes after the one before, by whom, what.
type Step = (i64, usize, Do);

/// A case from its opening on.
struct Story {
    /// Days before today.
    days_ago: i64,
    hour: i8,
    form: &'static str,
    by: usize,
    values: Json,
    steps: Vec<Step>,
}

/// A defect: who, where, what, its trade, what it costs, and how far its repair has come: 0 just reported … 9 paid.
struct Repair(i64, i8, &'static str, &'static str, &'static str, &'static str, &'static str, i64, usize);

const REPAIRS: [Repair; 14] = [
    Repair(33, 9, "李晓", "13800138021", "3栋1201", "厨房水管漏水", "水暖", 140, 9),
    Repair(28, 10, "陈志强", "13922104415", "5栋602", "客厅空调不制冷", "空调", 260, 9),
    Repair(24, 14, "黄丽华", "13711220987", "1栋1803", "卫生间地漏堵塞", "水暖", 100, 9),
    Repair(20, 9, "周建国", "13660012388", "2栋904", "入户门锁打不开", "木工", 140, 9),
    Repair(16, 15, "何美玲", "13512345098", "6栋301", "阳台插座没有电", "低压电工", 60, 9),
    Repair(12, 11, "谢家辉", "13427788120", "3栋702", "天花板渗水", "防水和泥瓦", 460, 8),
    Repair(9, 9, "邓丽芳", "13826661234", "4栋1502", "对讲机没有声音", "弱电和安防", 100, 8),
    Repair(6, 16, "郭伟明", "13570908877", "5栋1101", "水表后面的阀门滴水", "水暖", 100, 7),
    Repair(5, 10, "曾小燕", "13922337766", "2栋203", "卧室灯闪烁", "低压电工", 60, 6),
    Repair(3, 14, "林国栋", "13611447722", "1栋2005", "厨房下水慢", "水暖", 100, 5),
    Repair(2, 9, "叶秀珍", "13711889900", "6栋904", "马桶水箱一直进水", "水暖", 60, 4),
    Repair(1, 11, "冯少华", "13800998877", "3栋1604", "空调外机漏水", "空调", 180, 3),
    Repair(1, 15, "梁玉莲", "13535357799", "4栋803", "大堂门禁刷不开", "弱电和安防", 0, 2),
    Repair(0, 8, "吴文斌", "13922001155", "2栋1405", "洗手盆下面漏水", "水暖", 0, 1),
];

/// How far a complaint has come: 0 just received … 6 closed.
struct Complaint(i64, i8, &'static str, &'static str, &'static str, &'static str, usize);

const COMPLAINTS: [Complaint; 7] = [
    Complaint(26, 10, "刘芳", "13800020011", "退货", "冰箱使用一周不制冷，要求退货", 6),
    Complaint(21, 16, "张伟", "13911003322", "换货", "洗衣机脱水时有异响，要求换货", 6),
    Complaint(13, 11, "王秀兰", "13622110044", "退货", "电饭煲内胆涂层脱落", 5),
    Complaint(10, 9, "赵敏", "13733221100", "换货", "平板电脑屏幕有亮点", 2),
    Complaint(4, 14, "孙浩", "13544332211", "退货", "送货晚了两天且外箱破损", 3),
    Complaint(2, 10, "钱丽", "13800991122", "换货", "吸尘器吸力不足", 1),
    Complaint(0, 9, "周涛", "13911882233", "退货", "收到的型号与订单不符", 0),
];

fn repair(of: &Repair, unit: &str, price_list: &str, people: &[PersonId]) -> Story {
    let Repair(days_ago, hour, name, phone, place, content, trade, price, far) = *of;
    let values = json!({
        "office": unit, "customer_name": name, "phone": phone, "place": place, "content": content,
    });
    let act = |name: &'static str, values: Json| Do::Act(name, values);
    let fees = json!([
            { "item": "人工", "kind": "人工", "list_price": "60", "unit_price": "60", "quantity": 1 },
    { "item": "材料", "kind": "材料", "list_price": "40", "unit_price": "40", "quantity": (price - 60) / 40 },
        ]);
    let fees = if price > 60 { fees } else { json!([fees[0]]) };
    let sign = json!("signature");
    let all: Vec<Step> = vec![
        (6, FRONT_DESK, act("appoint", json!({ "appointment": "+60", "agreed_with": name }))),
        (
            9,
            CHIEF_ENGINEER,
            act(
                "dispatch",
                json!({
                    "trade": trade, "technician": people[ENGINEER].to_string(), "mismatch_reason": "专长人员不在岗",
                }),
            ),
        ),
        (44, ENGINEER, act("arrive", json!({}))),
        (6, ENGINEER, act("confirm", json!({ "as_reported": true }))),
        (5, ENGINEER, act("quote", json!({ "price_list": price_list, "fees": fees }))),
        (4, ENGINEER, act("record-consent", json!({ "consent_by": name, "consent_signature": sign }))),
        (2, ENGINEER, act("start-repair", json!({}))),
        (
            38,
            ENGINEER,
            act("work-done", json!({ "repair_note": format!("{content}，已处理"), "moves_indoor": false })),
        ),
        (
            5,
            ENGINEER,
            act(
                "checked",
                json!({
                    "site_check": ["清整现场", "检查试用"], "trial_result": "正常", "technician_signature": sign,
                }),
            ),
        ),
        (
            4,
            ENGINEER,
            act(
                "sign",
                json!({ "customer_signature": sign, "satisfaction": if days_ago % 2 == 0 { 5 } else { 4 } }),
            ),
        ),
        (3, ENGINEER, act("hand-first", json!({ "copy1_to": name }))),
        (20, ENGINEER, act("hand-second", json!({ "copy2_to": people[CHIEF_ENGINEER].to_string() }))),
        (2, ENGINEER, act("hand-third", json!({ "copy3_to": people[FRONT_DESK].to_string() }))),
        (50, FRONT_DESK, act("pass-third", json!({}))),
        (90, ACCOUNTANT, act("receive-third", json!({}))),
        (
            30,
            ACCOUNTANT,
            act(
                "collect",
                json!({
                    "collected_amount": price.to_string(), "collected_on": "today", "collect_method": "移动支付",
                    "receipt_no": format!("SJ-{:04}", 1200 + days_ago),
                }),
            ),
        ),
    ];
    let kept = [0, 0, 1, 2, 5, 7, 9, 12, 14, 16][far.min(9)];
    Story {
        days_ago,
        hour,
        form: "slip",
        by: FRONT_DESK,
        values,
        steps: all.into_iter().take(kept).collect(),
    }
}

fn complaint(of: &Complaint, unit: &str, people: &[PersonId]) -> Story {
    let Complaint(days_ago, hour, name, phone, demand, request, far) = *of;
    let values = json!({
        "store": unit, "complainant": "终端消费者", "customer_name": name, "phone": phone, "demands": [demand],
        "request": request,
    });
    let all: Vec<Step> = vec![
        (
            40,
            SHOP_HEAD,
            Do::Act(
                "verify.submit",
                json!({ "reason_holds": true, "basis": "核对小票和商品", "complained_department": unit }),
            ),
        ),
        (90, RETAIL_MANAGER, Do::Act("accept", json!({ "ruling_opinion": "受理，请尽快调查" }))),
        (
            120,
            PERSONNEL,
            Do::Act(
                "assign.submit",
                json!({
                    "department": unit, "investigator": people[SHOP_CLERK].to_string(), "instruction": "查明批次和送货记录",
                }),
            ),
        ),
        (
            1_500,
            SHOP_CLERK,
            Do::Act(
                "investigate.submit",
                json!({
                    "cause_code": "商品质量", "cause": "同批次有同类故障", "course": "客户购买后一周内发现", "responsible": "供货商",
                    "conclusion": "情况属实", "countermeasure": demand, "prevention": "同批次下架复检",
                    "original": ["signature"],
                }),
            ),
        ),
        (200, SHOP_HEAD, Do::Agree("属实", json!({}))),
        (60, PERSONNEL, Do::Act("submit-to-gm", json!({ "admin_opinion": "建议按诉求处理" }))),
        (240, RETAIL_MANAGER, Do::Agree("同意", json!({ "gm_note": "同意" }))),
        (
            60,
            SHOP_CLERK,
            Do::Act("handle.submit", json!({ "handling_opinion": demand, "compensates": false })),
        ),
        (30, SHOP_HEAD, Do::Agree("同意", json!({}))),
    ];
    let kept = [0, 1, 2, 3, 4, 5, 9][far.min(6)];
    Story {
        days_ago,
        hour,
        form: "complaint",
        by: SHOP_CLERK,
        values,
        steps: all.into_iter().take(kept).collect(),
    }
}

/// Loads them all. The organisation is as it is now; what happened is dated by the clock of each step.
pub(super) async fn open_cases(
    app: &App,
    people: &[PersonId],
    units: &[UnitId],
    today: Date,
) -> Result<(), AppError> {
    let ground = Ground::of(app).await?;
    let at = |days_ago: i64, hour: i8| {
        ground.zone.at(today.saturating_sub(days_ago.days()).to_datetime(time(hour, 5, 0, 0)))
    };
    let prices = json!({
        "title": "2026版有偿服务收费标准", "effective_on": today.saturating_sub(40.days()).to_string(),
        "prices": [
            { "item": "人工", "kind": "人工", "unit": "次", "price": "60" },
            { "item": "材料", "kind": "材料", "unit": "套", "price": "40" },
        ],
    });
    let prices = Story {
        days_ago: 40,
        hour: 9,
        form: "price-list",
        by: ACCOUNTANT,
        values: prices,
        steps: vec![
            (10, ACCOUNTANT, Do::Act("submit-prices", json!({}))),
            (60, GENERAL_MANAGER, Do::Agree("同意执行", json!({}))),
            (10, ACCOUNTANT, Do::Act("publish", json!({}))),
            (5, ACCOUNTANT, Do::Act("enforce", json!({}))),
        ],
    };
    let begins = at(prices.days_ago, prices.hour);
    let price_list = tell(app, &ground, people, prices, begins).await?;
    let (office, shop) = (units[OFFICE].to_string(), units[SHOP].to_string());
    let repairs = REPAIRS.iter().map(|of| repair(of, &office, &price_list.to_string(), people));
    let complaints = COMPLAINTS.iter().map(|of| complaint(of, &shop, people));
    let mut all: Vec<Story> = repairs.chain(complaints).collect();
    // Numbers follow the days.
    all.sort_by_key(|story| (std::cmp::Reverse(story.days_ago), story.hour));
    for story in all {
        let begins = at(story.days_ago, story.hour);
        tell(app, &ground, people, story, begins).await?;
    }
    // Whatever is late by now is told.
    cases::run_due(app).await
}

/// Carries out one story; what would lie ahead of now is left out.
async fn tell(
    app: &App,
    ground: &Ground,
    people: &[PersonId],
    story: Story,
    begins: Millis,
) -> Result<CaseId, AppError> {
    // Early in the morning of today's stories they have only just begun.
    let mut now = begins.min(ground.now - 60_000);
    let (actor, of) = (as_person(&PEOPLE[story.by], people[story.by]), ground.at(now));
    let values = object(story.values);
    let id = app.db.write(move |tx| cases::open(tx, &actor, &of, story.form, &values)).await?.id;
    for (minutes, by, act) in story.steps {
        now += minutes * 60_000;
        if now > ground.now {
            break;
        }
        let actor = as_person(&PEOPLE[by], people[by]);
        let of = ground.at(now);
        match act {
            Do::Agree(comment, values) => {
                let values = object(values);
                app.db
                    .write(move |tx| cases::decide(tx, &actor, &of, id, &Verdict::Approve, comment, &values))
                    .await?;
            }
            Do::Act(action, mut values) => {
                let mut signed = Vec::new();
                for value in values.as_object_mut().into_iter().flat_map(Map::values_mut) {
                    fill(value, &of, &mut signed);
                }
                for file in signed {
                    let sent = signature(app, &actor, now).await?;
                    *file = Json::from(sent);
                }
                let values = object(values);
                app.db.write(move |tx| cases::act(tx, &actor, &of, id, action, &values)).await?;
            }
        }
    }
    Ok(id)
}

fn object(values: Json) -> Map<String, Json> {
    match values {
        Json::Object(values) => values,
        _ => Map::new(),
    }
}

/// Days and times are told from the clock of the step; signatures are collected to be sent.
fn fill<'v>(value: &'v mut Json, ground: &Ground, signed: &mut Vec<&'v mut Json>) {
    if let Json::Array(items) = value {
        for item in items {
            fill(item, ground, signed);
        }
        return;
    }
    match value.as_str().unwrap_or_default().to_owned().as_str() {
        "signature" => signed.push(value),
        "today" => *value = Json::from(ground.day.clone()),
        "+60" => *value = Json::from(ground.zone.minute(ground.now + 60 * 60_000)),
        _ => {}
    }
}

/// A signature as if it had been written on glass.
async fn signature(app: &App, actor: &crate::access::Actor, now: Millis) -> Result<String, AppError> {
    let temp = files::temporary(app)?;
    tokio::fs::write(temp.path(), include_bytes!("signature.png"))
        .await
        .map_err(|e| AppError::Internal(e.to_string()))?;
    let received = files::from_temp(temp, "签名.png")?;
    let actor = actor.clone();
    let place = Place::Case(None);
    let file =
        files::attach(app, received, move |tx, stored| files::save(tx, &actor, stored, place, now)).await?;
    Ok(file.id.to_string())
}
