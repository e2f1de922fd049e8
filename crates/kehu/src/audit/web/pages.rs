//! 操作日志.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use store::Conn;

use super::list::{AuditPage, AuditQuery, note, read};
use super::words::{self, Change};
use crate::access::{self, Actor, Object};
use crate::app::App;
use crate::audit::{self, Entry, Problem, Written};
use crate::catalogue::Catalogue;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::org::{self, web::part_or_page};
use crate::web::{Auditor, Choice, FormData, Page, QueryData, Shell, html};

/// Rows of a page.
pub(super) const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "audit/audit.html", blocks = ["list"])]
struct AuditIndex {
    l: Lang,
    shell: Shell,
    filters: FormData,
    people: Vec<Choice>,
    actions: Vec<Choice>,
    results: Vec<Choice>,
    rows: Vec<RowView>,
    prev: Option<String>,
    next: Option<String>,
    export: String,
}

struct RowView {
    at: String,
    who: String,
    via: String,
    ip: String,
    action: String,
    object: String,
    customer: Option<(CustomerId, String)>,
    changes: Vec<Change>,
    result: String,
    colour: &'static str,
}

pub(super) async fn index(
    State(app): State<App>,
    Auditor(actor): Auditor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let query = AuditQuery::read(&asked, &app.zone)?.of(&actor);
    let (found, names, people) = load(&app, &actor, query).await?;
    let catalogue = app.catalogue().await?;
    let l = page.l;
    let (prev, next) = places(&asked, &found, "/admin/audit");
    let rows = found.rows.iter().map(|r| view(&app, r, &names, &catalogue, &people, l)).collect();
    let list = AuditIndex {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("操作日志", "")]),
        people,
        actions: choices(&words::GROUPS, l),
        results: choices(&[("ok", "成功"), ("denied", "已拒绝"), ("failed", "失败")], l),
        rows,
        prev,
        next,
        export: format!("/admin/audit/export?{}", asked.with(&[("after", ""), ("before", "")])),
        filters: asked,
    };
    part_or_page(page.is_partial, list.as_list(), &list)
}

/// Offered values: pairs of a code and its source text.
pub(super) fn choices(pairs: &[(&str, &str)], l: Lang) -> Vec<Choice> {
    pairs.iter().map(|(v, t)| Choice { value: (*v).to_owned(), label: l.t(t).to_owned() }).collect()
}

type Names = HashMap<i64, String>;

/// A page of rows, the names of their customers, and everybody for the filter. Notes that the log was read.
pub(super) async fn load(
    app: &App,
    actor: &Actor,
    query: AuditQuery,
) -> Result<(AuditPage, Names, Vec<Choice>), AppError> {
    let (by, asked, now) = (actor.clone(), query.clone(), app.now());
    app.db.write(move |tx| note(tx, &by, "audit.read", &asked, now)).await?;
    let reader = actor.clone();
    app.db
        .read(move |conn| {
            let found = read(conn, &query, ROWS)?;
            let mut ids: Vec<i64> = found.rows.iter().map(|r| r.customer_id).filter(|id| *id != 0).collect();
            ids.sort_unstable();
            ids.dedup();
            let names = names(conn, &reader, &ids)?;
            let people = org::list_people(conn)?
                .into_iter()
                .map(|p| Choice { value: p.id.to_string(), label: p.name })
                .collect();
            Ok::<_, AppError>((found, names, people))
        })
        .await
}

/// What these customers are called, of those the reader may read; none where fields of customers are withheld from him.
fn names(conn: &mut Conn<'_>, reader: &Actor, ids: &[i64]) -> store::Result<Names> {
    if ids.is_empty() || reader.rights.has_field_rules(Object::Customer) {
        return Ok(Names::new());
    }
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    let readable = if reader.sees_all_customers() {
        "TRUE".to_owned()
    } else {
        access::readable_sql(reader, Object::Customer)
    };
    let sql =
        format!("SELECT c.id, c.name FROM customers c WHERE c.id IN ({}) AND {readable}", ids.join(", "));
    let found: Vec<(i64, String)> = conn.rows(&sql, &[])?;
    Ok(found.into_iter().collect())
}

/// Addresses of the newer and the older page.
pub(super) fn places(asked: &FormData, found: &AuditPage, path: &str) -> (Option<String>, Option<String>) {
    let first = found.rows.first().map(|r| store::format_id(r.id)).unwrap_or_default();
    let last = found.rows.last().map(|r| store::format_id(r.id)).unwrap_or_default();
    let to = |changes: &[(&str, &str)]| format!("{path}?{}", asked.with(changes));
    let prev = (found.has_newer && !first.is_empty()).then(|| to(&[("before", &first), ("after", "")]));
    let next = (found.has_older && !last.is_empty()).then(|| to(&[("after", &last), ("before", "")]));
    (prev, next)
}

fn view(
    app: &App,
    row: &Written,
    names: &Names,
    catalogue: &Catalogue,
    people: &[Choice],
    l: Lang,
) -> RowView {
    let (result, colour) = words::result(&row.result, l);
    let customer = (row.customer_id != 0).then(|| {
        let name = names.get(&row.customer_id).filter(|n| !n.is_empty()).cloned();
        (CustomerId(row.customer_id), name.unwrap_or_else(|| store::format_id(row.customer_id)))
    });
    RowView {
        at: app.zone.second(row.at),
        who: row.actor_name.clone(),
        via: words::via(&row.via, l),
        ip: row.ip.clone(),
        action: words::action(&row.action, l),
        object: words::object(&row.object, l),
        customer,
        changes: words::changes(row, catalogue, people, app.hooks.parameters, l),
        result,
        colour,
    }
}

#[derive(Template)]
#[template(path = "audit/verified.html")]
struct Verified {
    l: Lang,
    rows: i64,
    problems: Vec<String>,
    heads: Vec<String>,
}

/// Reads every chain from its beginning and says whether it is whole.
pub(super) async fn verify_chains(
    State(app): State<App>,
    Auditor(actor): Auditor,
    page: Page,
) -> Result<Response, AppError> {
    let reports = app.db.read(audit::verify).await?;
    let l = page.l;
    let problems: Vec<String> = reports
        .iter()
        .filter_map(|r| r.problem.as_ref().map(|p| (r.chain, p)))
        .map(|(chain, problem)| match problem {
            Problem::Altered { seq } => l.f("链 {}：第 {} 条的内容被改动过", &[&chain, seq]),
            Problem::Missing { seq } => l.f("链 {}：缺少第 {} 条", &[&chain, seq]),
            Problem::Tail { head, last } => l.f("链 {}：应有 {} 条，只找到 {} 条", &[&chain, head, last]),
        })
        .collect();
    let after = serde_json::json!({ "problems": problems.len() });
    let result = if problems.is_empty() { "ok" } else { "failed" };
    let now = app.now();
    app.db
        .write(move |tx| {
            audit::record(
                tx,
                &actor,
                now,
                &Entry::of("audit.verified", "audit", 0).after(&after).result(result),
            )
        })
        .await?;
    html(&Verified {
        l,
        rows: reports.iter().map(|r| r.rows).sum(),
        heads: reports.iter().map(|r| format!("{} · {}", r.chain, r.head)).collect(),
        problems,
    })
}
