//! 报表: which there are and how they stand, one of a period as it is counted now or as it was made, and as files.

mod desk;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Zoned;
use serde_json::json;
use sheets::write::Cell;

use super::model::{Made, Place, Sheet};
use super::review::Part;
use super::withhold::for_reader;
use super::{count, make, may_see, review};
use crate::access::Actor;
use crate::app::App;
use crate::audit::web::exported;
use crate::cases::Ground;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::org::web::part_or_page;
use crate::policies::{self, web::clause_href};
use crate::prints;
use crate::text;
use crate::web::{
    FormData, FormErrors, Need, Page, QueryData, Routes, Shell, flash, html, note_denial, redirect,
    table_file,
};

/// Where the list stands.
const HOME: &str = "/reports";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HOME, Need::SignedIn, index)
        .get("/desks/{policy}", Need::SignedIn, desk::show)
        .get("/desks/{policy}/figures", Need::SignedIn, desk::figures)
        .get("/reports/{policy}/{report}", Need::SignedIn, show)
        .post("/reports/{policy}/{report}/making", Need::SignedIn, make_it)
        .post("/reports/{policy}/{report}/review", Need::SignedIn, review_it)
        .get("/reports/{policy}/{report}/file", Need::SignedIn, file)
        .get("/reports/{policy}/{report}/paper", Need::SignedIn, paper)
}

/// Where a report stands: in a word and a colour.
fn state(place: &Place, ground: &Ground, made: Option<&Made>) -> (&'static str, &'static str) {
    match made {
        Some(made) if made.is_locked => ("已锁定", "green"),
        Some(made) if !made.returned.is_empty() => ("已退回", "red"),
        Some(_) => ("待审核", "blue"),
        None if !place.may_be_made(ground) => ("期间未结束", ""),
        None if place.due(ground).is_some_and(|due| ground.now > due) => ("逾期未制表", "red"),
        None => ("待制表", "amber"),
    }
}

struct Line {
    href: String,
    title: String,
    policy: String,
    period: String,
    due: String,
    state: &'static str,
    colour: &'static str,
    clause: String,
    clause_href: String,
    is_his: bool,
}

#[derive(Template)]
#[template(path = "reports/index.html")]
struct IndexPage {
    l: Lang,
    shell: Shell,
    lines: Vec<Line>,
}

async fn index(Shared(app): Shared<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let lines = app
        .db
        .read(move |conn| {
            let mut lines = Vec::new();
            for (version, policy) in policies::in_force(conn, ground.now)? {
                for report in &policy.reports {
                    let place = Place::find(conn, &ground, &policy.id, &report.id, None)?;
                    let part = match may_see(conn, &actor, &ground, &place) {
                        Ok(part) => part,
                        Err(AppError::Forbidden(_)) => continue,
                        Err(error) => return Err(error),
                    };
                    let made = Made::of(conn, &place, "")?;
                    let (state, colour) = state(&place, &ground, made.as_ref());
                    lines.push(Line {
                        href: format!("{HOME}/{}/{}", policy.id, report.id),
                        title: report.title.clone(),
                        policy: policy.title.clone(),
                        period: place.title(),
                        due: place.due(&ground).map_or_else(String::new, |due| ground.zone.minute(due)),
                        state,
                        colour,
                        clause_href: clause_href(version, &report.clause),
                        clause: report.clause.clone(),
                        is_his: match &made {
                            Some(made) if made.is_locked => false,
                            Some(made) if made.returned.is_empty() => part.reviews.is_some(),
                            _ => part.makes,
                        },
                    });
                }
            }
            Ok(lines)
        })
        .await?;
    html(&IndexPage { l: page.l, shell: page.shell(&[("报表", HOME)]), lines })
}

/// A report with all that its page shows.
struct Found {
    place: Place,
    part: Part,
    made: Option<Made>,
    sheet: Sheet,
}

/// The report as it was made, or as it is counted now.
async fn find(
    app: &App,
    actor: &Actor,
    ground: &Ground,
    (policy, report): (&str, &str),
    asked: &FormData,
) -> Result<Found, AppError> {
    let (policy, report) = (policy.to_owned(), report.to_owned());
    let day = Some(asked.get("period").to_owned()).filter(|day| !day.is_empty());
    let (me, of) = (actor.clone(), ground.clone());
    let (place, part, made) = app
        .db
        .read(move |conn| {
            let place = Place::find(conn, &of, &policy, &report, day.as_deref())?;
            let part = may_see(conn, &me, &of, &place)?;
            let made = Made::of(conn, &place, "")?;
            Ok::<_, AppError>((place, part, made))
        })
        .await?;
    let mut sheet = match &made {
        Some(made) => made.sheet.clone(),
        None => count(app, ground, &place).await?,
    };
    let (me, of) = (actor.clone(), ground.clone());
    let found = app
        .db
        .read(move |conn| {
            for_reader(conn, &me, &of, &place, &mut sheet)?;
            Ok::<_, AppError>(Found { place, part, made, sheet })
        })
        .await?;
    Ok(found)
}

#[derive(Template)]
#[template(path = "reports/show.html", blocks = ["card"])]
struct ShowPage {
    l: Lang,
    shell: Shell,
    path: String,
    title: String,
    policy: String,
    clause: String,
    clause_href: String,
    /// First day of the period, for forms and links, and what it is called.
    first: String,
    period: String,
    before: String,
    after: String,
    due: String,
    state: &'static str,
    colour: &'static str,
    sheet: Sheet,
    /// Who made it and when; empty while nobody has.
    made: String,
    /// Who reviewed it, when, and what he said.
    steps: Vec<(String, String, String)>,
    may_make: bool,
    may_review: bool,
    /// Why it was sent back.
    returned: String,
    row_version: i64,
    comment: String,
    errors: FormErrors,
}

impl ShowPage {
    /// What is wrong besides the comment.
    fn besides(&self) -> Vec<&str> {
        self.errors.besides(&["comment"])
    }
}

fn page_of(page: &Page, ground: &Ground, found: Found, (comment, errors): (String, FormErrors)) -> ShowPage {
    let Found { place, part, made, sheet } = found;
    let (report, every) = (place.report(), place.report().every);
    let name = |id| ground.directory.member(id).map_or_else(String::new, |member| member.name.clone());
    let (state, colour) = state(&place, ground, made.as_ref());
    let may_be_made = place.may_be_made(ground);
    let steps = made.iter().flat_map(|made| &made.steps);
    let path = format!("{HOME}/{}/{}", place.policy.id, report.id);
    ShowPage {
        l: page.l,
        shell: page.shell(&[("报表", HOME), (&report.title, "")]),
        policy: place.policy.title.clone(),
        clause_href: clause_href(place.version_id, &report.clause),
        clause: report.clause.clone(),
        first: place.period.first.to_string(),
        period: place.title(),
        before: format!("{path}?period={}", place.period.before(every).first),
        after: format!("{path}?period={}", place.period.after(every).first),
        due: place.due(ground).map_or_else(String::new, |due| ground.zone.minute(due)),
        state,
        colour,
        made: made.as_ref().map_or_else(String::new, |made| {
            page.l.f("{} 于 {} 制表", &[&name(made.made_by), &ground.zone.minute(made.made_at)])
        }),
        steps: steps.map(|step| (name(step.by), ground.zone.minute(step.at), step.comment.clone())).collect(),
        may_make: part.makes
            && may_be_made
            && made.as_ref().is_none_or(|made| !made.is_locked && made.steps.is_empty()),
        may_review: part.reviews.is_some()
            && made.as_ref().is_some_and(|made| !made.is_locked && made.returned.is_empty()),
        returned: made.as_ref().map_or_else(String::new, |made| made.returned.clone()),
        row_version: made.as_ref().map_or(0, |made| made.row_version),
        title: report.title.clone(),
        path,
        sheet,
        comment,
        errors,
    }
}

async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path((policy, report)): Path<(String, String)>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let found = find(&app, &actor, &ground, (&policy, &report), &asked).await?;
    let shown = page_of(&page, &ground, found, (String::new(), FormErrors::default()));
    part_or_page(page.is_partial, shown.as_card(), &shown)
}

async fn make_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path((policy, report)): Path<(String, String)>,
    data: FormData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let asked = FormData(vec![("period".into(), data.get("period").to_owned())]);
    let found = find(&app, &actor, &ground, (&policy, &report), &asked).await?;
    // What is kept is what is true now, not what an earlier making kept.
    let sheet = count(&app, &ground, &found.place).await?;
    let (place, of, by) = (found.place.clone(), ground.clone(), actor.clone());
    let done = app.db.write(move |tx| make(tx, &by, &of, &place, &sheet)).await;
    after(&app, &actor, &page, (&policy, &report), &asked, (done, String::new(), "已制表")).await
}

async fn review_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path((policy, report)): Path<(String, String)>,
    data: FormData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let asked = FormData(vec![("period".into(), data.get("period").to_owned())]);
    let (of, by, sent) = (ground.clone(), actor.clone(), data.clone());
    let names = (policy.clone(), report.clone());
    let done = app
        .db
        .write(move |tx| {
            let day = Some(sent.get("period")).filter(|day| !day.is_empty());
            let place = Place::find(tx, &of, &names.0, &names.1, day)?;
            let seen = sent.get("seen").parse().unwrap_or_default();
            let agrees = match sent.get("verdict") {
                "agree" => true,
                "return" => false,
                _ => return Err(AppError::field("verdict", text!("请选择通过或退回"))),
            };
            review(tx, &by, &of, &place, agrees, sent.get("comment"), seen)
        })
        .await;
    let said = if data.get("verdict") == "return" { "已退回" } else { "已通过" };
    after(&app, &actor, &page, (&policy, &report), &asked, (done, data.get("comment").to_owned(), said)).await
}

/// The page as it is after something was done, or with what is wrong.
async fn after<T>(
    app: &App,
    actor: &Actor,
    page: &Page,
    (policy, report): (&str, &str),
    asked: &FormData,
    (done, comment, said): (Result<T, AppError>, String, &str),
) -> Result<Response, AppError> {
    match done {
        Ok(_) => {
            let to = format!("{HOME}/{policy}/{report}?{}", asked.with(&[]));
            Ok(flash(redirect(page.is_htmx, &to), page.l.t(said)))
        }
        Err(error) => {
            let errors = match error {
                AppError::Forbidden(_) => {
                    note_denial(app, actor, &error, &page.shell.path).await;
                    FormErrors::from_error(AppError::Conflict(error.title()), page.l)?
                }
                other => FormErrors::from_error(other, page.l)?,
            };
            let ground = Ground::of(app).await?;
            let found = find(app, actor, &ground, (policy, report), asked).await?;
            let shown = page_of(page, &ground, found, (comment, errors));
            let part = part_or_page(page.is_htmx, shown.as_card(), &shown)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, part).into_response())
        }
    }
}

/// Notes that a report leaves the house, as a file or on paper.
async fn note(app: &App, actor: &Actor, action: &'static str, found: &Found) -> Result<(), AppError> {
    let place = &found.place;
    let asked = format!("{}/{} {}", place.policy.id, place.report().id, place.period.first);
    let rows =
        found.sheet.register.as_ref().map_or(found.sheet.figures.len(), |register| register.rows.len());
    exported(app, actor, (action, "report", 0), json!({ "asked": asked, "rows": rows })).await
}

/// A cell of a file: in a workbook an amount is a number that can be summed. Whole numbers may be phones or codes and stay
/// as they are written.
fn counted<'c>(cell: &'c str, format: &str) -> Cell<'c> {
    let is_amount = || {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let plain = cell.strip_prefix('-').unwrap_or(cell);
        plain.split_once('.').is_some_and(|(whole, cents)| {
            digits(whole) && whole.len() <= 12 && cents.len() == 2 && digits(cents)
        })
    };
    match cell.parse::<f64>() {
        Ok(number) if format == "xlsx" && is_amount() => Cell::Number(number),
        _ => Cell::Text(cell.into()),
    }
}

/// The report as a workbook or CSV: its register, or its figures when it has none.
async fn file(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((policy, report)): Path<(String, String)>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let found = find(&app, &actor, &ground, (&policy, &report), &asked).await?;
    note(&app, &actor, "report.exported", &found).await?;
    let name = format!("{policy}-{report}-{}", found.place.period.first);
    let format = if asked.get("format").is_empty() { "xlsx" } else { asked.get("format") };
    if let Some(register) = &found.sheet.register {
        let mut rows: Vec<Vec<Cell<'_>>> = register
            .rows
            .iter()
            .map(|row| row.cells.iter().map(|cell| counted(cell, format)).collect())
            .collect();
        if !register.totals.is_empty() {
            let mut totals: Vec<Cell<'_>> =
                register.totals.iter().map(|cell| counted(cell, format)).collect();
            if let (Some(first), true) = (totals.first_mut(), register.totals[0].is_empty()) {
                *first = Cell::Text(actor.lang.t("合计").into());
            }
            rows.push(totals);
        }
        return table_file(format, &name, register.columns.clone(), &rows);
    }
    let titles = ["指标", "分组", "数值", "计算"].map(str::to_owned).to_vec();
    let mut lines: Vec<[String; 4]> = Vec::new();
    for figure in &found.sheet.figures {
        lines.push([figure.title.clone(), "合计".into(), figure.all.clone(), figure.of.clone()]);
        let part = |group: &super::Group| {
            [figure.title.clone(), group.labels.join(" · "), group.value.clone(), group.of.clone()]
        };
        lines.extend(figure.groups.iter().map(part));
    }
    let rows: Vec<Vec<Cell<'_>>> =
        lines.iter().map(|line| line.iter().map(|cell| Cell::Text(cell.into())).collect()).collect();
    table_file(format, &name, titles, &rows)
}

/// The report on paper.
async fn paper(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((policy, report)): Path<(String, String)>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let found = find(&app, &actor, &ground, (&policy, &report), &asked).await?;
    note(&app, &actor, "report.printed", &found).await?;
    let company = app.company().await?.map_or_else(String::new, |company| company.name);
    let name = format!("{}-{}.pdf", found.place.report().title, found.place.period.first);
    let drawn = drawn(&found, &ground, company, actor.name.clone(), ground.zone.zoned(ground.now));
    let printed = prints::make(&app, move |printer| printer.report(&drawn)).await?;
    Ok(prints::answer(printed, &name).into_response())
}

fn drawn(found: &Found, ground: &Ground, company: String, by: String, at: Zoned) -> print::Report {
    use print::{Align, Column, Imprint, Signature, SummaryLine, Table};
    let place = &found.place;
    let mut report = print::Report::new(place.report().title.clone(), Imprint { by, at, count: 0 });
    report.company = company;
    report.period = place.title();
    report.lines = vec![format!("依据《{}》{}", place.policy.title, place.report().clause)];
    if found.made.is_none() {
        report.lines.push("尚未制表，数据以打印时为准".into());
    }
    for figure in &found.sheet.figures {
        let mut columns: Vec<Column> = figure
            .by
            .iter()
            .enumerate()
            .map(|(n, title)| Column::new(format!("by{n}"), title.clone()))
            .collect();
        columns.push(Column::new("value", figure.title.clone()).aligned(Align::Right));
        columns.push(Column::new("of", "计算").aligned(Align::Right));
        let row = |group: &super::Group| {
            let mut cells = group.labels.clone();
            cells.extend([group.value.clone(), group.of.clone()]);
            cells
        };
        let mut total = vec![String::new(); figure.by.len()];
        if let Some(first) = total.first_mut() {
            "合计".clone_into(first);
        }
        total.extend([figure.all.clone(), figure.of.clone()]);
        report.tables.push(Table {
            title: figure.title.clone(),
            columns,
            rows: figure.groups.iter().map(row).collect(),
            totals: vec![total],
            ..Table::default()
        });
    }
    if let Some(register) = &found.sheet.register {
        report.tables.push(Table {
            title: "登记表".into(),
            columns: register
                .columns
                .iter()
                .enumerate()
                .map(|(n, title)| Column::new(format!("c{n}"), title.clone()))
                .collect(),
            rows: register.rows.iter().map(|row| row.cells.clone()).collect(),
            totals: if register.totals.is_empty() { Vec::new() } else { vec![register.totals.clone()] },
            is_numbered: true,
            ..Table::default()
        });
        report.summary.push(SummaryLine { label: "单数".into(), text: register.rows.len().to_string() });
    }
    let name = |id| ground.directory.member(id).map_or_else(String::new, |member| member.name.clone());
    let signed = |at| Some(ground.zone.date(at));
    match &found.made {
        None => report.signatures.push(Signature::new("制表")),
        Some(made) => {
            let mut maker = Signature::new("制表");
            (maker.name, maker.signed_on) = (name(made.made_by), signed(made.made_at));
            report.signatures.push(maker);
        }
    }
    for n in 0..place.report().reviewed_by.len() {
        let mut reviewer = Signature::new("审核");
        if let Some(step) = found.made.as_ref().and_then(|made| made.steps.get(n)) {
            (reviewer.name, reviewer.signed_on) = (name(step.by), signed(step.at));
        }
        report.signatures.push(reviewer);
    }
    report
}
