//! Who has had which role since when: looked at again from time to time, confirmed or taken back one by one or in
//! batches.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use sheets::write::Cell;

use super::{choice, role_choices, tabs, unit_choices};
use crate::access::Directory;
use crate::app::App;
use crate::audit::web::exported;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, UnitId};
use crate::roles::{
    Line, MOST_SETTLED, MOST_STANDING, REVIEW, ReviewQuery, ReviewRules, Source, Verdict, post_title, review,
    settle_lines,
};
use crate::settings;
use crate::text;
use crate::web::{
    Administrator, Choice, FormData, Granter, Page, QueryData, Shell, Tab, flash, html, redirect, table_file,
};

const HERE: &str = "/admin/role-review";
/// Lines a page.
const SHOWN: usize = MOST_SETTLED;

#[derive(Template)]
#[template(path = "roles/review.html")]
struct ReviewPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    asked: FormData,
    query: String,
    roles: Vec<Choice>,
    units: Vec<Choice>,
    ages: Vec<Choice>,
    sources: Vec<Choice>,
    rows: Vec<Row>,
    total: i64,
    /// Address of the next page.
    next: String,
    is_first: bool,
    days: i64,
    may_set: bool,
}

struct Row {
    key: String,
    person_id: PersonId,
    person: String,
    /// Empty while he may sign in.
    gone: String,
    role: String,
    from: String,
    is_post: bool,
    post: String,
    since: String,
    by: String,
    reason: String,
    ends_on: String,
    used: String,
    last_login: String,
    confirmed: String,
    is_overdue: bool,
}

/// What the address asks for.
fn wanted(asked: &FormData, directory: &Directory, rules: ReviewRules, now: Millis) -> ReviewQuery {
    let unit = asked.get("in_unit").parse::<UnitId>().ok();
    let unchecked_since = match asked.get("older") {
        "overdue" => Some(rules.overdue_before(now)),
        days => days.parse::<i64>().ok().map(|days| now - days.clamp(1, 3_650) * 86_400_000),
    };
    ReviewQuery {
        role: asked.get("role").parse().ok(),
        units: unit.map_or_else(Vec::new, |unit| directory.tree(unit)),
        unchecked_since,
        is_direct: match asked.get("source") {
            "direct" => Some(true),
            "post" => Some(false),
            _ => None,
        },
        after: asked.get("after").chars().take(120).collect(),
    }
}

/// Somebody who cannot sign in any more, in words; empty for whoever can.
fn gone(line: &Line, l: Lang) -> String {
    match (line.is_active, line.left_on.as_str()) {
        (true, _) => String::new(),
        (false, "") => l.t("已停用").to_owned(),
        (false, day) => l.f("{} 离职", &[&day]),
    }
}

/// Where a role of a line comes from.
fn from(line: &Line, directory: &Directory, catalogue: &crate::catalogue::Catalogue, l: Lang) -> String {
    let unit = line.unit_id.map(|unit| directory.path(unit));
    if line.post.is_empty() {
        let unit = unit.unwrap_or_else(|| l.t("任职的部门").to_owned());
        return l.f("直接授予（{}）", &[&unit]);
    }
    l.f("岗位：{}（{}）", &[&post_title(catalogue, &line.post, l), &unit.unwrap_or_default()])
}

/// Since when: the day the post began, where that came last.
fn since(app: &App, line: &Line) -> String {
    let given = app.zone.minute(line.since);
    if line.starts_on.as_str() > given.as_str() { line.starts_on.clone() } else { given }
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let (day, now) = (app.today().to_string(), app.now());
    let rules: ReviewRules = app.db.read(|conn| settings::get(conn, REVIEW)).await?;
    let query = wanted(&asked, &directory, rules, now);
    let (mut lines, total) = app.db.read(move |conn| review(conn, &query, &day, SHOWN + 1)).await?;
    let has_more = lines.len() > SHOWN;
    lines.truncate(SHOWN);
    let next = lines
        .last()
        .filter(|_| has_more)
        .map_or_else(String::new, |line| format!("{HERE}?{}", asked.with(&[("after", &line.place())])));
    let overdue = rules.overdue_before(now);
    let zone = &app.zone;
    let row = |line: Line| Row {
        key: line.source().key(),
        gone: gone(&line, l),
        from: from(&line, &directory, &catalogue, l),
        since: since(&app, &line),
        is_overdue: line.checked_at < overdue,
        is_post: !line.post.is_empty(),
        confirmed: line
            .confirmed_at
            .map_or_else(String::new, |at| format!("{} {}", zone.minute(at), line.confirmed_by)),
        used: if line.used_on.is_empty() { l.t("没有记录").to_owned() } else { line.used_on },
        last_login: line.last_login_at.map_or_else(|| l.t("从未登录").to_owned(), |at| zone.minute(at)),
        person_id: line.person_id,
        person: line.person,
        role: l.t(&line.role).to_owned(),
        post: line.post,
        by: line.by,
        reason: line.reason,
        ends_on: line.ends_on,
    };
    let overdue_title = l.f("已到复核期（{} 天）", &[&rules.days]);
    let ages = [("30", "30 天未复核"), ("90", "90 天未复核"), ("180", "180 天未复核"), ("365", "一年未复核")];
    let ages = ages.map(|(value, label)| choice(value, l.t(label)));
    html(&ReviewPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("授权复核", "")]),
        tabs: tabs(l, HERE),
        query: asked.with(&[("after", "")]),
        roles: role_choices(&directory, l),
        units: unit_choices(&directory),
        ages: [choice("overdue", &overdue_title)].into_iter().chain(ages).collect(),
        sources: vec![choice("direct", l.t("直接授予")), choice("post", l.t("随岗位得到"))],
        rows: lines.into_iter().map(row).collect(),
        total,
        next,
        is_first: asked.get("after").is_empty(),
        days: rules.days,
        may_set: actor.is_administrator(),
        asked,
    })
}

/// Confirms or takes back what is ticked or named, all of it or, when one is refused, nothing.
pub(super) async fn run(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let l = page.l;
    // The button of a line names it alone, whatever is ticked.
    let (revokes, named) = match form.get("act").split_once(' ') {
        Some((act, key)) => (act == "revoke", vec![key]),
        None => (form.get("act") == "revoke", form.all("row")),
    };
    let verdict = if revokes { Verdict::Revoke } else { Verdict::Keep };
    let chosen: Vec<Source> = named.into_iter().filter_map(Source::read).take(MOST_SETTLED).collect();
    if chosen.is_empty() {
        return Err(AppError::field("row", text!("请先勾选要复核的授权")));
    }
    let (now, count) = (app.now(), chosen.len());
    let done = app.db.write(move |tx| settle_lines(tx, &actor, &chosen, verdict, now)).await;
    app.forget_sessions();
    done?;
    let said = if revokes {
        l.f("已收回 {} 项授权", &[&count])
    } else {
        l.f("已确认 {} 项授权", &[&count])
    };
    let back =
        FormData(form.0.into_iter().filter(|(name, _)| !matches!(name.as_str(), "row" | "act")).collect());
    Ok(flash(redirect(page.is_htmx, &format!("{HERE}?{}", back.with(&[]))), &said))
}

/// After how many days a role is overdue.
pub(super) async fn set(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let days = form.get("days").trim().parse::<i64>().ok().filter(|days| (1..=3_650).contains(days));
    let days = days.ok_or_else(|| AppError::field("days", text!("复核期为 1–3650 天的整数")))?;
    let now = app.now();
    app.db.write(move |tx| settings::set(tx, &actor, REVIEW, &ReviewRules { days }, now)).await?;
    Ok(flash(redirect(page.is_htmx, HERE), page.l.t("已保存")))
}

/// The list as a file for a spreadsheet, at most 10,000 rows.
pub(super) async fn export(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let (day, now) = (app.today().to_string(), app.now());
    let rules: ReviewRules = app.db.read(|conn| settings::get(conn, REVIEW)).await?;
    let query = ReviewQuery { after: String::new(), ..wanted(&asked, &directory, rules, now) };
    let on = day.clone();
    let (lines, _) = app.db.read(move |conn| review(conn, &query, &on, MOST_STANDING as usize)).await?;
    exported(&app, &actor, ("role.exported", "role", 0), json!({ "rows": lines.len() })).await?;
    let titles = [
        "姓名",
        "状态",
        "角色",
        "来源",
        "授予时间",
        "授予人",
        "原因",
        "结束日期",
        "上次使用",
        "上次登录",
        "上次复核",
        "复核人",
        "复核期",
    ];
    let overdue = rules.overdue_before(now);
    let at = |at: Option<Millis>| at.map_or_else(String::new, |at| app.zone.minute(at));
    let rows: Vec<Vec<Cell<'_>>> = lines
        .iter()
        .map(|line| {
            let state = if line.is_active { l.t("在用").to_owned() } else { gone(line, l) };
            let due = if line.checked_at < overdue { l.t("已到复核期") } else { "" };
            [
                line.person.clone(),
                state,
                l.t(&line.role).to_owned(),
                from(line, &directory, &catalogue, l),
                since(&app, line),
                line.by.clone(),
                line.reason.clone(),
                line.ends_on.clone(),
                line.used_on.clone(),
                at(line.last_login_at),
                at(line.confirmed_at),
                line.confirmed_by.clone(),
                due.to_owned(),
            ]
            .map(|text| Cell::Text(text.into()))
            .into()
        })
        .collect();
    let titles = titles.map(|title| l.t(title).to_owned()).into();
    table_file(asked.get("format"), &format!("roles-{day}"), titles, &rows)
}
