//! The page, the cases behind its numbers, and the file.

mod paper;
mod registers;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use policy::Policy;
use serde_json::json;
use sheets::write::Cell;

pub(super) use paper::paper;
pub(super) use registers::{export_exemptions, export_refusals, list_exemptions, list_refusals};

use super::{Behind, BehindRow, Figures, MOST_ROWS, Period, behind, figures, may_see};
use crate::access::Actor;
use crate::app::App;
use crate::audit::web::exported;
use crate::cases::Ground;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PolicyVersionId;
use crate::org::web::part_or_page;
use crate::policies::{self, State, Version, load_version};
use crate::text;
use crate::web::{Page, QueryData, Shell, Tab, html, table_file};

/// Characters of the name of a clause at the most.
const LONGEST_CLAUSE: usize = 60;

/// A clause and its figures.
struct Line {
    clause: String,
    title: String,
    /// Deadlines, refusals and penalties it has rules for; a clause without any is listed last.
    has_rules: bool,
    figures: Figures,
    /// Widths of the bar in per cent: kept, missed, running.
    bar: [i64; 3],
}

impl Line {
    /// Where the last part of the bar begins.
    fn open_from(&self) -> i64 {
        self.bar[0] + self.bar[1]
    }

    fn punctuality(&self) -> String {
        self.figures.punctuality().map_or_else(|| "—".to_owned(), |share| format!("{share}%"))
    }
}

fn bar(figures: &Figures) -> [i64; 3] {
    let all = figures.deadlines();
    if all == 0 {
        return [0; 3];
    }
    let share = |n: i64| n * 100 / all;
    let (met, breached) = (share(figures.met), share(figures.breached));
    let running = if figures.running > 0 { 100 - met - breached } else { 0 };
    // What rounding left over belongs to the widest part.
    let met = if figures.running == 0 && met >= breached { 100 - breached } else { met };
    let breached = if figures.running == 0 && breached > met { 100 - met } else { breached };
    [met, breached, running]
}

fn lines(policy: &Policy, mut found: BTreeMap<String, Figures>) -> Vec<Line> {
    let mut all: Vec<Line> = policy
        .clauses
        .iter()
        .map(|clause| {
            let figures = found.remove(&clause.id).unwrap_or_default();
            let counted = |(what, _): &(&str, String)| matches!(*what, "时限" | "禁止" | "罚则" | "周期职责");
            Line {
                clause: clause.id.clone(),
                title: clause.title.clone(),
                has_rules: policy.citing(&clause.id).iter().any(counted),
                bar: bar(&figures),
                figures,
            }
        })
        .collect();
    // Clauses of older versions that this one has no more.
    all.extend(found.into_iter().map(|(clause, figures)| Line {
        clause,
        title: String::new(),
        has_rules: true,
        bar: bar(&figures),
        figures,
    }));
    all.retain(|line| line.has_rules || line.figures != Figures::default());
    all
}

/// A published version for whoever may look at compliance.
async fn version_for(app: &App, actor: &Actor, id: &str) -> Result<(Version, Ground), AppError> {
    let id: PolicyVersionId = id.parse().map_err(|_| AppError::NotFound)?;
    let (me, ground) = (actor.clone(), Ground::of(app).await?);
    let version = app.db.read(move |conn| load_version(conn, &me, id)).await?;
    if version.state != State::Published {
        return Err(AppError::NotFound);
    }
    if !may_see(actor, &ground.directory) {
        return Err(AppError::Forbidden(text!("执行情况由管理员和部门负责人查看")));
    }
    Ok((version, ground))
}

#[derive(Template)]
#[template(path = "compliance/show.html")]
struct CompliancePage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    policy: String,
    title: String,
    sees_all: bool,
    periods: Vec<Tab>,
    period: &'static str,
    /// First and last day.
    days: (String, String),
    lines: Vec<Line>,
    total: Line,
}

/// A number of a line.
struct Number {
    label: String,
    n: i64,
    /// Where the cases behind it are listed; empty when they are not.
    href: String,
    is_bad: bool,
}

impl CompliancePage {
    fn clause_href(&self, clause: &str) -> String {
        policies::web::clause_href(self.id, clause)
    }

    fn cells(&self, line: &Line) -> Vec<Number> {
        let f = &line.figures;
        [
            ("时限", f.deadlines(), "deadlines", false),
            ("按期", f.met, "met", false),
            ("超期", f.breached, "breached", true),
            ("进行中", f.running, "running", false),
            ("被拒绝", f.refusals, "refusals", false),
            ("豁免", f.exemptions, "exemptions", false),
            ("罚则", f.penalties, "penalties", true),
            ("定期职责", f.duties(), "duties", f.duties_missed > 0),
        ]
        .into_iter()
        .map(|(label, n, what, is_bad)| Number {
            label: self.l.t(label).to_owned(),
            n,
            href: if line.clause.is_empty() && !matches!(what, "refusals" | "exemptions" | "duties") {
                String::new()
            } else {
                self.href(line, what)
            },
            is_bad,
        })
        .collect()
    }

    fn href(&self, line: &Line, what: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if what == "duties" {
            query.append_pair("policy", &self.policy).append_pair("clause", &line.clause);
            if line.figures.duties_missed > 0 {
                query.append_pair("tab", "missed");
            }
            return format!("/policies/duties?{}", query.finish());
        }
        query.append_pair("period", self.period).append_pair("clause", &line.clause);
        // What was refused and who was exempted have registers of their own.
        if matches!(what, "refusals" | "exemptions") {
            return format!("/policies/{}/compliance/{what}?{}", self.id, query.finish());
        }
        query.append_pair("what", what);
        format!("/policies/{}/compliance/cases?{}", self.id, query.finish())
    }
}

async fn figures_of(
    app: &App,
    actor: &Actor,
    version: &Version,
    ground: &Ground,
    period: Period,
) -> Result<Vec<Line>, AppError> {
    let (me, of, policy) = (actor.clone(), ground.clone(), version.policy.clone());
    let bounds = period.bounds(app.today(), &app.zone);
    let found = app.db.read(move |conn| figures(conn, &me, &of, &policy, bounds)).await?;
    Ok(lines(&*policies::policy_of(version)?, found))
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (version, ground) = version_for(&app, &actor, &id).await?;
    let period = Period::named(asked.get("period"));
    let lines = figures_of(&app, &actor, &version, &ground, period).await?;
    let (first, after) = period.days(app.today());
    let mut sum = Figures::default();
    for line in &lines {
        sum.met += line.figures.met;
        sum.breached += line.figures.breached;
        sum.running += line.figures.running;
        sum.refusals += line.figures.refusals;
        sum.exemptions += line.figures.exemptions;
        sum.penalties += line.figures.penalties;
        sum.duties_done += line.figures.duties_done;
        sum.duties_missed += line.figures.duties_missed;
        sum.duties_open += line.figures.duties_open;
    }
    let here = format!("/policies/{}", version.id);
    html(&CompliancePage {
        l,
        shell: page.shell(&[("制度", "/policies"), (&version.title, &here), ("执行情况", "")]),
        id: version.id,
        policy: version.policy,
        sees_all: actor.is_administrator(),
        periods: Period::ALL
            .into_iter()
            .map(|one| Tab {
                title: l.t(one.title()).to_owned(),
                href: format!("{here}/compliance?period={}", one.code()),
                active: one == period,
                count: None,
            })
            .collect(),
        period: period.code(),
        days: (first.to_string(), after.yesterday().unwrap_or(after).to_string()),
        lines,
        total: Line {
            clause: String::new(),
            title: l.t("合计").to_owned(),
            has_rules: true,
            bar: bar(&sum),
            figures: sum,
        },
        title: version.title,
    })
}

/// A case behind a number.
struct Row {
    href: String,
    number: String,
    subject: String,
    step: String,
    title: String,
    at: String,
    met: String,
    state: &'static str,
    colour: &'static str,
}

fn row(app: &App, row: BehindRow) -> Row {
    let (state, colour) = match row.standing.as_str() {
        "met" => ("按期", "green"),
        "breached" => ("超期", "red"),
        "running" => ("进行中", "blue"),
        "confirmed" => ("已确认", "red"),
        "appealed" => ("申诉中", "plum"),
        _ => ("待确认", "amber"),
    };
    Row {
        href: format!("/cases/{}", row.case_id),
        number: row.number,
        subject: row.subject,
        step: row.step,
        title: row.title,
        at: app.zone.minute(row.at),
        met: row.met_at.map_or_else(String::new, |at| app.zone.minute(at)),
        state,
        colour,
    }
}

#[derive(Template)]
#[template(path = "compliance/cases.html", blocks = ["card"])]
struct CasesPage {
    l: Lang,
    shell: Shell,
    title: String,
    clause: String,
    what: &'static str,
    period: &'static str,
    rows: Vec<Row>,
    is_cut: bool,
}

impl CasesPage {
    fn heading(&self) -> String {
        format!("{} {}", self.title, self.clause)
    }
}

pub(super) async fn list_cases(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let (version, ground) = version_for(&app, &actor, &id).await?;
    let period = Period::named(asked.get("period"));
    let (what, title) = match asked.get("what") {
        "met" => (Behind::Deadlines(Some("met")), "按期"),
        "breached" => (Behind::Deadlines(Some("breached")), "超期"),
        "running" => (Behind::Deadlines(Some("running")), "进行中"),
        "penalties" => (Behind::Penalties, "罚则"),
        _ => (Behind::Deadlines(None), "时限"),
    };
    let (me, policy, clause) =
        (actor, version.policy.clone(), asked.cut("clause", LONGEST_CLAUSE).to_owned());
    let bounds = period.bounds(app.today(), &app.zone);
    let of = clause.clone();
    let found = app.db.read(move |conn| behind(conn, &me, &ground, (&policy, &of), bounds, what)).await?;
    let here = format!("/policies/{}", version.id);
    let card = CasesPage {
        l: page.l,
        shell: page.shell(&[
            ("制度", "/policies"),
            (&version.title, &here),
            ("执行情况", &format!("{here}/compliance?period={}", period.code())),
            (&clause, ""),
        ]),
        clause,
        what: title,
        period: period.title(),
        is_cut: found.len() == MOST_ROWS,
        rows: found.into_iter().map(|found| row(&app, found)).collect(),
        title: version.title,
    };
    part_or_page(page.is_partial, card.as_card(), &card)
}

pub(super) async fn export(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (version, ground) = version_for(&app, &actor, &id).await?;
    let period = Period::named(asked.get("period"));
    let lines = figures_of(&app, &actor, &version, &ground, period).await?;
    let what = json!({ "asked": format!("{} {}", version.policy, period.code()), "rows": lines.len() });
    exported(&app, &actor, ("policy.compliance_exported", "policy", version.id.0), what).await?;
    let titles = [
        "条款",
        "名称",
        "时限",
        "按期",
        "超期",
        "进行中",
        "按期率",
        "被拒绝",
        "豁免",
        "罚则",
        "职责按期",
        "职责逾期",
        "职责待完成",
    ];
    let rows: Vec<Vec<Cell<'_>>> = lines
        .iter()
        .map(|line| {
            let f = &line.figures;
            let share = line.punctuality();
            vec![
                Cell::Text(line.clause.as_str().into()),
                Cell::Text(line.title.as_str().into()),
                Cell::Integer(f.deadlines()),
                Cell::Integer(f.met),
                Cell::Integer(f.breached),
                Cell::Integer(f.running),
                Cell::Text(share.into()),
                Cell::Integer(f.refusals),
                Cell::Integer(f.exemptions),
                Cell::Integer(f.penalties),
                Cell::Integer(f.duties_done),
                Cell::Integer(f.duties_missed),
                Cell::Integer(f.duties_open),
            ]
        })
        .collect();
    let (first, _) = period.days(app.today());
    let name = format!("compliance-{}-{first}", version.policy);
    let format = if asked.get("format").is_empty() { "xlsx" } else { asked.get("format") };
    table_file(format, &name, titles.map(|title| l.t(title).to_owned()).to_vec(), &rows)
}
