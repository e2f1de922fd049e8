//! 消息: what the reader was told by regulations, and that he has read it.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;

use super::{Notice, list, read, unread};
use crate::access::Actor;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::org::web::part_or_page;
use crate::web::{Need, Page, QueryData, Routes, Shell, Tab, flash, redirect};

/// Notices the page shows.
const SHOWN: i64 = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/notices", Need::SignedIn, index).post("/notices/reading", Need::SignedIn, read_all)
}

#[derive(Template)]
#[template(path = "notices/index.html", blocks = ["list"])]
struct NoticesPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    is_unread: bool,
    unread: i64,
    rows: Vec<Row>,
}

struct Row {
    notice: Notice,
    at: String,
    icon: &'static str,
    colour: &'static str,
    /// Where the clause is read; empty without one.
    clause_href: String,
}

fn row(app: &App, notice: Notice) -> Row {
    let (icon, colour) = match notice.kind.as_str() {
        "warned" => ("hourglass", "amber"),
        "breached" | "escalated" => ("alert-triangle", "red"),
        "urged" => ("bolt", "amber"),
        "copied" => ("copy", ""),
        "penalty" => ("scale-outline", "red"),
        _ => ("bell", "blue"),
    };
    let clause_href = if notice.clause.is_empty() {
        String::new()
    } else {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("policy", &notice.policy)
            .append_pair("clause", &notice.clause)
            .finish();
        format!("/policies/clause?{query}")
    };
    Row { at: app.zone.minute(notice.at), icon, colour, clause_href, notice }
}

async fn index(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let is_unread = asked.get("all") != "1";
    let (found, count) = app
        .db
        .read(move |conn| Ok::<_, AppError>((list(conn, &actor, is_unread, SHOWN)?, unread(conn, &actor)?)))
        .await?;
    let tab = |title: &str, href: &str, active: bool, count: Option<i64>| Tab {
        title: l.t(title).to_owned(),
        href: href.to_owned(),
        active,
        count,
    };
    let shown = NoticesPage {
        l,
        shell: page.shell(&[("消息", "/notices")]),
        tabs: vec![
            tab("未读", "/notices", is_unread, Some(count)),
            tab("全部", "/notices?all=1", !is_unread, None),
        ],
        is_unread,
        unread: count,
        rows: found.into_iter().map(|notice| row(&app, notice)).collect(),
    };
    part_or_page(page.is_partial, shown.as_list(), &shown)
}

async fn read_all(Shared(app): Shared<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let now = app.now();
    app.db.write(move |tx| read(tx, &actor, None, now).map_err(AppError::from)).await?;
    Ok(flash(redirect(page.is_htmx, "/notices"), page.l.t("已全部标为已读")))
}
