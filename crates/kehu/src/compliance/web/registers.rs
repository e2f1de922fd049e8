//! The registers of refusals and of exemptions: as pages, in the drawer and as files.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use policy::Policy;
use serde_json::json;
use sheets::write::Cell;

use super::{LONGEST_CLAUSE, version_for};
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::audit::web::exported;
use crate::cases::Ground;
use crate::compliance::{Exempted, MOST_ROWS, Period, Refusal, exemptions, refusals};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, PersonId, PolicyVersionId, UnitId};
use crate::org::web::part_or_page;
use crate::policies::{self, Version};
use crate::web::{Page, QueryData, Shell, Tab, table_file};

/// Which register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Refusals,
    Exemptions,
}

impl Which {
    const ALL: [Self; 2] = [Self::Refusals, Self::Exemptions];

    fn code(self) -> &'static str {
        match self {
            Self::Refusals => "refusals",
            Self::Exemptions => "exemptions",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Refusals => "被拒绝",
            Self::Exemptions => "豁免",
        }
    }

    fn titles(self) -> Vec<&'static str> {
        match self {
            Self::Refusals => vec!["时间", "人员", "部门", "办理事项", "单据", "禁止", "条款"],
            Self::Exemptions => {
                vec!["时间", "批准人", "单据", "禁止", "条款", "理由", "有效期至", "撤销时间"]
            }
        }
    }
}

/// A cell: a text, and where it leads.
struct Column {
    label: &'static str,
    text: String,
    href: String,
}

/// Words of a company and a regulation for its ids.
struct Words<'a> {
    app: &'a App,
    directory: &'a Directory,
    policy: &'a Policy,
}

impl Words<'_> {
    fn person(&self, id: Option<PersonId>) -> String {
        let member = id.and_then(|id| self.directory.member(id));
        member.map_or_else(String::new, |member| member.name.clone())
    }

    fn unit(&self, id: Option<UnitId>) -> String {
        id.and_then(|id| self.directory.unit(id)).map_or_else(String::new, |unit| unit.name.clone())
    }

    /// The message of a refusal; its name where the version in hand has it no more.
    fn refusal(&self, id: &str) -> String {
        let found = self.policy.refusals.iter().find(|known| known.id == id);
        found.map_or_else(|| id.to_owned(), |found| found.message.clone())
    }

    fn at(&self, at: i64) -> String {
        self.app.zone.minute(at)
    }
}

fn columns(which: Which, cells: Vec<(String, String)>) -> Vec<Column> {
    let labelled = which.titles().into_iter().zip(cells);
    labelled.map(|(label, (text, href))| Column { label, text, href }).collect()
}

fn plain(text: String) -> (String, String) {
    (text, String::new())
}

fn case(case: Option<&(CaseId, String, String)>) -> (String, String) {
    case.map_or_else(Default::default, |(id, number, subject)| {
        (format!("{number} {subject}"), format!("/cases/{id}"))
    })
}

fn refused(words: &Words<'_>, row: &Refusal) -> Vec<Column> {
    columns(
        Which::Refusals,
        vec![
            plain(words.at(row.at)),
            plain(words.person(row.person_id)),
            plain(words.unit(row.unit_id)),
            plain(row.what.clone()),
            case(row.case.as_ref()),
            plain(words.refusal(&row.refusal)),
            plain(row.clause.clone()),
        ],
    )
}

fn exempted(words: &Words<'_>, row: &Exempted) -> Vec<Column> {
    columns(
        Which::Exemptions,
        vec![
            plain(words.at(row.given_at)),
            plain(words.person(Some(row.given_by))),
            case(row.case.as_ref()),
            plain(words.refusal(&row.refusal)),
            plain(row.clause.clone()),
            plain(row.reason.clone()),
            plain(words.at(row.until_at)),
            plain(row.revoked_at.map_or_else(String::new, |at| words.at(at))),
        ],
    )
}

async fn rows(
    app: &App,
    actor: &Actor,
    (version, ground): (&Version, Ground),
    (which, clause, period): (Which, &str, Period),
) -> Result<Vec<Vec<Column>>, AppError> {
    let policy = policies::policy_of(version)?;
    let directory = ground.directory.clone();
    let words = Words { app, directory: &directory, policy: &policy };
    let (me, of, clause) = (actor.clone(), version.policy.clone(), clause.to_owned());
    let bounds = period.bounds(app.today(), &app.zone);
    Ok(match which {
        Which::Refusals => {
            let found = app.db.read(move |conn| refusals(conn, &me, &ground, (&of, &clause), bounds)).await?;
            found.iter().map(|row| refused(&words, row)).collect()
        }
        Which::Exemptions => {
            let found =
                app.db.read(move |conn| exemptions(conn, &me, &ground, (&of, &clause), bounds)).await?;
            found.iter().map(|row| exempted(&words, row)).collect()
        }
    })
}

#[derive(Template)]
#[template(path = "compliance/register.html", blocks = ["card"])]
struct RegisterPage {
    l: Lang,
    shell: Shell,
    title: String,
    what: &'static str,
    clause: String,
    period: &'static str,
    tabs: Vec<Tab>,
    periods: Vec<Tab>,
    export: String,
    titles: Vec<&'static str>,
    rows: Vec<Vec<Column>>,
    is_cut: bool,
}

fn address(id: PolicyVersionId, which: Which, clause: &str, period: Period) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("period", period.code());
    if !clause.is_empty() {
        query.append_pair("clause", clause);
    }
    format!("/policies/{id}/compliance/{}?{}", which.code(), query.finish())
}

async fn show(
    app: &App,
    actor: Actor,
    page: Page,
    id: &str,
    asked: &QueryData,
    which: Which,
) -> Result<Response, AppError> {
    let l = page.l;
    let (version, ground) = version_for(app, &actor, id).await?;
    let (period, clause) =
        (Period::named(asked.get("period")), asked.cut("clause", LONGEST_CLAUSE).to_owned());
    let rows = rows(app, &actor, (&version, ground), (which, &clause, period)).await?;
    let here = format!("/policies/{}", version.id);
    let tab = |title: &str, href: String, active: bool| Tab {
        title: l.t(title).to_owned(),
        href,
        active,
        count: None,
    };
    let export = address(version.id, which, &clause, period).replacen('?', "/export?", 1);
    let card = RegisterPage {
        l,
        shell: page.shell(&[
            ("制度", "/policies"),
            (&version.title, &here),
            ("执行情况", &format!("{here}/compliance?period={}", period.code())),
            (which.title(), ""),
        ]),
        what: which.title(),
        period: period.title(),
        tabs: Which::ALL
            .into_iter()
            .map(|one| tab(one.title(), address(version.id, one, &clause, period), one == which))
            .collect(),
        periods: Period::ALL
            .into_iter()
            .map(|one| tab(one.title(), address(version.id, which, &clause, one), one == period))
            .collect(),
        export,
        titles: which.titles(),
        is_cut: rows.len() == MOST_ROWS,
        rows,
        clause,
        title: version.title,
    };
    part_or_page(page.is_partial, card.as_card(), &card)
}

async fn export(
    app: &App,
    actor: Actor,
    l: Lang,
    id: &str,
    asked: &QueryData,
    which: Which,
) -> Result<Response, AppError> {
    let (version, ground) = version_for(app, &actor, id).await?;
    let (period, clause) = (Period::named(asked.get("period")), asked.cut("clause", LONGEST_CLAUSE));
    let rows = rows(app, &actor, (&version, ground), (which, clause, period)).await?;
    let asked_for = format!("{} {} {clause} {}", which.code(), version.policy, period.code());
    let what = json!({ "asked": asked_for, "rows": rows.len() });
    exported(app, &actor, ("policy.compliance_exported", "policy", version.id.0), what).await?;
    let rows: Vec<Vec<Cell<'_>>> = rows
        .iter()
        .map(|row| row.iter().map(|column| Cell::Text(column.text.as_str().into())).collect())
        .collect();
    let (first, _) = period.days(app.today());
    let name = format!("{}-{}-{first}", which.code(), version.policy);
    let format = if asked.get("format").is_empty() { "xlsx" } else { asked.get("format") };
    let titles = which.titles().into_iter().map(|title| l.t(title).to_owned()).collect();
    table_file(format, &name, titles, &rows)
}

pub(in crate::compliance) async fn list_refusals(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    show(&app, actor, page, &id, &asked, Which::Refusals).await
}

pub(in crate::compliance) async fn list_exemptions(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    show(&app, actor, page, &id, &asked, Which::Exemptions).await
}

pub(in crate::compliance) async fn export_refusals(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    export(&app, actor, page.l, &id, &asked, Which::Refusals).await
}

pub(in crate::compliance) async fn export_exemptions(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    export(&app, actor, page.l, &id, &asked, Which::Exemptions).await
}
