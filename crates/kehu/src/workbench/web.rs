//! The pages of the workbench: the workbench itself, the statistics of customers, the manual.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::load::{Board, FIRST_STEPS_HIDDEN, board, by_class_and_province};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::customers::Field;
use crate::error::AppError;
use crate::i18n::{Lang, grouped};
use crate::rosters;
use crate::search::web::pill;
use crate::tasks::Reason;
use crate::web::{Administrator, Need, Page, Routes, Shell, html, redirect};
use crate::{backups, settings};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/", Need::SignedIn, show_workbench)
        .post("/first-steps/hide", Need::Administrator, hide_first_steps)
        .get("/customers/statistics", Need::SignedIn, show_statistics)
        .get("/help", Need::SignedIn, show_help)
}

/// One line of "what waits for me".
struct Waiting {
    title: &'static str,
    href: String,
    count: i64,
    is_late: bool,
    icon: &'static str,
}

struct RecentCustomer {
    id: String,
    name: String,
    class: String,
    class_colour: &'static str,
    when: String,
}

struct RecentActivity {
    href: String,
    customer: String,
    icon: &'static str,
    subject: String,
    by: String,
    when: String,
}

/// One of the first steps of a new company.
struct Step {
    title: &'static str,
    text: &'static str,
    href: &'static str,
    act: &'static str,
    is_done: bool,
}

#[derive(Template)]
#[template(path = "workbench/index.html")]
struct WorkbenchPage {
    l: Lang,
    shell: Shell,
    greeting: &'static str,
    name: String,
    date: String,
    total_title: &'static str,
    board: Board,
    month_href: String,
    needs_href: &'static str,
    month_note: String,
    waiting: Vec<Waiting>,
    class_chart: String,
    province_chart: String,
    month_chart: String,
    recent: Vec<RecentCustomer>,
    activities: Vec<RecentActivity>,
    steps: Vec<Step>,
    steps_done: usize,
    may_create: bool,
    may_import: bool,
    /// The posts people take, their titles in words.
    taken: Vec<(String, String)>,
    backups_warning: String,
    duty: OwnDuty,
}

/// What the workbench tells of rosters; empty for whoever has nothing to do with them.
struct OwnDuty {
    shifts: Vec<OwnShift>,
    waiting: i64,
    news: String,
}

struct OwnShift {
    when: String,
    roster: String,
    href: String,
    is_now: bool,
}

impl OwnDuty {
    async fn of(app: &App, l: Lang, board: &Board) -> Result<Self, AppError> {
        let duty = &board.duty;
        let waiting = duty.waiting();
        let mut said = Vec::new();
        for (text, count) in [
            ("{} 个换班请求等您答复", duty.asked.len()),
            ("{} 个换班等您批准", duty.to_decide.len()),
            ("新发布 {} 个您的班次", duty.fresh),
            ("{} 个班次有变动", duty.changes.len()),
        ] {
            if count > 0 {
                said.push(l.f(text, &[&count]));
            }
        }
        let rosters = if duty.shifts.is_empty() { Vec::new() } else { app.db.read(rosters::list).await? };
        let now = app.now();
        let own = |shift: &rosters::Shift| OwnShift {
            when: shift.span.shown(&app.zone),
            roster: rosters
                .iter()
                .find(|r| r.id == shift.roster_id)
                .map_or_else(String::new, |r| r.name.clone()),
            href: format!("/rosters/{}?week={}", shift.roster_id, app.zone.date(shift.span.starts_at)),
            is_now: shift.span.contains(now),
        };
        Ok(Self {
            shifts: duty.shifts.iter().take(5).map(own).collect(),
            waiting,
            news: said.join(if l == Lang::Zh { "，" } else { ", " }),
        })
    }

    fn is_empty(&self) -> bool {
        self.shifts.is_empty() && self.waiting == 0
    }
}

async fn show_workbench(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let (l, today, catalogue) = (page.l, app.today(), app.catalogue().await?);
    let board = {
        let (actor, now) = (actor.clone(), app.now());
        app.db.read(move |conn| board(conn, &actor, today, now)).await?
    };
    let duty = OwnDuty::of(&app, l, &board).await?;
    let hour = app.zone.civil(app.now()).hour();
    // The demonstration has nothing to begin with.
    let steps = if page.shell.demo { Vec::new() } else { steps(&board) };
    html(&WorkbenchPage {
        l,
        shell: page.shell(&[("工作台", "/")]),
        greeting: match hour {
            5..11 => "早上好",
            11..13 => "中午好",
            13..18 => "下午好",
            _ => "晚上好",
        },
        name: actor.name.clone(),
        date: date_in_words(l, today),
        total_title: if actor.sees_all_customers() { "客户总数" } else { "我的客户" },
        month_href: format!("/customers?created_from={}", today.first_of_month()),
        needs_href: if actor.sees_all_customers() {
            "/activities?kind=need&open=1&from=2000-01-01"
        } else {
            "/tasks?tab=needs"
        },
        month_note: l.f("上月 {} 位", &[&grouped(board.new_last_month)]),
        waiting: waiting(&board),
        class_chart: class_chart(&board, &catalogue, l),
        province_chart: province_chart(&board),
        month_chart: month_chart(&board),
        recent: recent_customers(&app, &board, &catalogue, l),
        activities: recent_activities(&app, &board),
        may_create: actor.may(Object::Customer, Verb::Create),
        may_import: actor.may(Object::Customer, Verb::Import),
        taken: taken(&board, &catalogue, l),
        backups_warning: backups::web::warning(board.backups, &app, l),
        steps_done: steps.iter().filter(|s| s.is_done).count(),
        steps,
        duty,
        board,
    })
}

/// Where and as what each one starts, beside `Staff::taken`.
fn taken(board: &Board, catalogue: &Catalogue, l: Lang) -> Vec<(String, String)> {
    let posts = catalogue.dictionary("post");
    let lines = board.staff.iter().flat_map(|staff| &staff.taken);
    lines.map(|t| (format!("{} · {}", t.unit, posts.title(&t.post, l)), t.starts_on.clone())).collect()
}

/// `2026年9月28日 星期一`.
fn date_in_words(l: Lang, date: jiff::civil::Date) -> String {
    const DAYS: [&str; 7] = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];
    let day = usize::try_from(date.weekday().to_monday_zero_offset()).ok().and_then(|n| DAYS.get(n));
    let day = l.t(day.copied().unwrap_or_default());
    match l {
        Lang::Zh => format!("{}年{}月{}日 {day}", date.year(), date.month(), date.day()),
        Lang::En => format!("{day}, {date}"),
    }
}

fn waiting(board: &Board) -> Vec<Waiting> {
    let penalties = Waiting {
        title: "待处理的处罚",
        href: "/penalties?place=todo".to_owned(),
        count: board.penalties,
        is_late: false,
        icon: "scale-outline",
    };
    Reason::ALL
        .into_iter()
        .map(|reason| Waiting {
            title: reason.title(),
            href: format!("/tasks?tab={}", reason.code()),
            count: board.todo.of(reason),
            is_late: reason == Reason::Overdue,
            icon: match reason {
                Reason::Assigned => "send",
                Reason::Today => "phone-call",
                Reason::Overdue => "alert-circle",
                Reason::Need => "message-2",
                Reason::Dossier => "clipboard-list",
            },
        })
        // Few ever decide on penalties: the line is there for them only.
        .chain((board.penalties > 0).then_some(penalties))
        .collect()
}

/// JSON that may stand inside a script element.
fn script(option: &Json) -> String {
    option.to_string().replace('<', "\\u003c")
}

fn class_chart(board: &Board, catalogue: &Catalogue, l: Lang) -> String {
    let classes = catalogue.dictionary("customer_class");
    let mut by_class: Vec<&(String, i64)> = board.by_class.iter().collect();
    by_class
        .sort_by_key(|(code, _)| classes.entries.iter().position(|e| e.code == *code).unwrap_or(usize::MAX));
    let data: Vec<Json> = by_class
        .into_iter()
        .map(|(code, n)| {
            let name = if code.is_empty() { l.t("未分类") } else { classes.title(code, l) };
            json!({ "name": format!("{name} {}", grouped(*n)), "value": n, "href": format!("/customers?class={code}") })
        })
        .collect();
    script(&json!({
        "tooltip": { "trigger": "item", "formatter": "{b} ({d}%)" },
        "legend": { "orient": "vertical", "right": 0, "top": "middle", "icon": "circle" },
        "series": [{
            "type": "pie", "radius": ["48%", "78%"], "center": ["32%", "50%"],
            "label": { "show": false }, "data": data
        }]
    }))
}

fn province_chart(board: &Board) -> String {
    let names: Vec<&str> = board.by_province.iter().map(|(name, _)| short_province(name)).collect();
    let data: Vec<Json> = board
        .by_province
        .iter()
        .map(|(name, n)| {
            let region = form_urlencoded::Serializer::new(String::new()).append_pair("region", name).finish();
            json!({ "value": n, "href": format!("/customers?{region}") })
        })
        .collect();
    script(&json!({
        "tooltip": { "trigger": "axis", "axisPointer": { "type": "shadow" } },
        "grid": { "left": 8, "right": 40, "top": 8, "bottom": 8 },
        "xAxis": { "type": "value", "minInterval": 1 },
        "yAxis": { "type": "category", "inverse": true, "data": names },
        "series": [{ "type": "bar", "barMaxWidth": 18, "label": { "show": true, "position": "right", "color": "inherit", "textBorderWidth": 0 }, "data": data }]
    }))
}

/// `广东` for `广东省`: the axis is narrow.
fn short_province(name: &str) -> &str {
    let short = ["维吾尔自治区", "壮族自治区", "回族自治区", "特别行政区", "自治区", "省", "市"]
        .into_iter()
        .find_map(|end| name.strip_suffix(end));
    short.unwrap_or(name)
}

fn month_chart(board: &Board) -> String {
    let months: Vec<&str> = board.by_month.iter().map(|(month, _)| month.as_str()).collect();
    let data: Vec<Json> = board
        .by_month
        .iter()
        .map(|(month, n)| {
            let last = last_day(month);
            json!({ "value": n, "href": format!("/customers?created_from={month}-01&created_to={last}") })
        })
        .collect();
    script(&json!({
        "tooltip": { "trigger": "axis", "axisPointer": { "type": "shadow" } },
        "grid": { "left": 8, "right": 12, "top": 16, "bottom": 8 },
        "xAxis": { "type": "category", "data": months },
        "yAxis": { "type": "value", "minInterval": 1 },
        "series": [{ "type": "bar", "barMaxWidth": 28, "data": data }]
    }))
}

/// The last day of a month written `2026-09`, as lists name the day they end with.
fn last_day(month: &str) -> String {
    let first = format!("{month}-01").parse::<jiff::civil::Date>();
    first.map_or_else(|_| String::new(), |date| date.last_of_month().to_string())
}

fn recent_customers(app: &App, board: &Board, catalogue: &Catalogue, l: Lang) -> Vec<RecentCustomer> {
    let classes = catalogue.dictionary("customer_class");
    board
        .recent
        .iter()
        .map(|customer| {
            let class = customer.get(Field::Class);
            RecentCustomer {
                id: customer.id.to_string(),
                name: customer.name().to_owned(),
                class: classes.title(class, l).to_owned(),
                class_colour: classes.entry(class).map_or("", |e| pill(&e.colour)),
                when: app.zone.minute(customer.updated_at),
            }
        })
        .collect()
}

fn recent_activities(app: &App, board: &Board) -> Vec<RecentActivity> {
    board
        .activities
        .iter()
        .map(|activity| RecentActivity {
            href: format!("/customers/{}", activity.customer_id),
            customer: activity.customer.clone(),
            icon: match activity.kind.as_str() {
                "call" => "phone-call",
                "visit" => "map-pin",
                "letter" | "email" => "mail",
                "fax" => "printer",
                "sms" => "message",
                "meeting" => "users-group",
                "need" => "message-2",
                "change_customer" | "change_relation" => "flag",
                _ => "note",
            },
            subject: activity.subject.clone(),
            by: activity.by.clone(),
            when: app.zone.minute(activity.happened_at),
        })
        .collect()
}

fn steps(board: &Board) -> Vec<Step> {
    let Some(done) = board.first_steps.filter(|s| s.is_wanted()) else { return Vec::new() };
    let step = |title, text, href, act, is_done| Step { title, text, href, act, is_done };
    vec![
        step(
            "导入现有客户",
            "把现在用的 Excel 或 CSV 表格直接传上来，表头会自动对应，导错了可以整批撤销。",
            "/imports",
            "去导入",
            done.has_imports,
        ),
        step(
            "录入第一位客户",
            "也可以先手工建一份档案，看看有哪些内容。",
            "/customers/new",
            "新增客户",
            done.has_customers,
        ),
        step(
            "添加同事",
            "给每位同事一个帐号，并选择他能看到全部客户还是只看自己负责的。",
            "/admin/people",
            "添加人员",
            done.has_people,
        ),
        step(
            "增加自己的字段",
            "系统自带的字段不够用时，可以增加本公司特有的字段。",
            "/admin/fields",
            "设置字段",
            done.has_fields,
        ),
    ]
}

async fn hide_first_steps(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let now = app.now();
    let hidden = Json::from(true);
    app.db
        .write(move |tx| {
            settings::change(tx, &actor, &FIRST_STEPS_HIDDEN, Some(&hidden), None, now).map(drop)
        })
        .await?;
    Ok(redirect(page.is_htmx, "/"))
}

struct StatisticsRow {
    province: String,
    href: String,
    cells: Vec<(i64, String)>,
    total: i64,
}

#[derive(Template)]
#[template(path = "workbench/statistics.html")]
struct StatisticsPage {
    l: Lang,
    shell: Shell,
    sub: &'static str,
    classes: Vec<(String, String, i64, String)>,
    rows: Vec<StatisticsRow>,
    total: i64,
}

/// Customers by class and province; every number leads to exactly the customers it counts.
async fn show_statistics(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let (l, catalogue) = (page.l, app.catalogue().await?);
    let mut table = {
        let actor = actor.clone();
        app.db.read(move |conn| by_class_and_province(conn, &actor)).await?
    };
    table.sort_classes(&catalogue);
    let dictionary = catalogue.dictionary("customer_class");
    let list = |pairs: &[(&str, &str)]| {
        let mut address = form_urlencoded::Serializer::new(String::new());
        address.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        format!("/customers?{}", address.finish())
    };
    let share = |n: i64| format!("{:.1}%", n as f64 * 100.0 / table.total.max(1) as f64);
    let rows = table
        .provinces
        .iter()
        .map(|(province, total)| StatisticsRow {
            province: if province.is_empty() { l.t("地区不详").to_owned() } else { province.clone() },
            // Customers without a region have no filter of their own.
            href: if province.is_empty() { String::new() } else { list(&[("region", province)]) },
            cells: table
                .classes
                .iter()
                .map(|(class, _)| {
                    let href = if province.is_empty() || class.is_empty() {
                        String::new()
                    } else {
                        list(&[("class", class), ("region", province)])
                    };
                    (table.cell(class, province), href)
                })
                .collect(),
            total: *total,
        })
        .collect();
    let classes = table
        .classes
        .iter()
        .map(|(code, n)| {
            let title = if code.is_empty() { l.t("未分类") } else { dictionary.title(code, l) };
            (title.to_owned(), list(&[("class", code)]), *n, share(*n))
        })
        .collect();
    html(&StatisticsPage {
        l,
        shell: page.shell(&[("客户", "/customers"), ("客户统计", "/customers/statistics")]),
        sub: if actor.sees_all_customers() {
            "按类别和省份，点数字查看对应的客户"
        } else {
            "按类别和省份，只统计您负责的客户"
        },
        classes,
        rows,
        total: table.total,
    })
}

#[derive(Template)]
#[template(path = "help/index.html")]
struct HelpPage {
    l: Lang,
    shell: Shell,
    is_administrator: bool,
}

async fn show_help(actor: Actor, page: Page) -> Result<Response, AppError> {
    html(&HelpPage {
        l: page.l,
        shell: page.shell(&[("工作台", "/"), ("使用手册", "/help")]),
        is_administrator: actor.is_administrator(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_provinces_are_written_as_people_say_them() {
        let date = "2026-09-28".parse().unwrap();
        assert_eq!(date_in_words(Lang::Zh, date), "2026年9月28日 星期一");
        assert_eq!(short_province("广西壮族自治区"), "广西");
        assert_eq!(short_province("广东省"), "广东");
        assert_eq!(last_day("2026-02"), "2026-02-28");
        assert!(!script(&json!({ "name": "</script>" })).contains('<'));
    }
}
