//! The log as a file.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;
use sheets::write::{Cell, TableCsv};

use super::list::{AuditQuery, each, note};
use super::words;
use crate::access::Actor;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::error::AppError;
use crate::web::{Auditor, Page, QueryData};

/// Notes, before it is answered, that `actor` takes something out as a file or on paper: `action` on `object`, its id or 0
/// for many; `what` tells what he asked for and how much it was.
pub async fn exported(
    app: &App,
    actor: &Actor,
    (action, object, id): (&'static str, &'static str, i64),
    what: Json,
) -> Result<(), AppError> {
    let (actor, now) = (actor.clone(), app.now());
    app.db
        .write(move |tx| audit::record(tx, &actor, now, &Entry::of(action, object, id).after(&what)))
        .await?;
    Ok(())
}

/// Rows of a file at the most; narrower conditions give the rest.
const MOST: usize = 50_000;

pub(super) async fn csv(
    State(app): State<App>,
    Auditor(actor): Auditor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let query = AuditQuery { after: None, before: None, ..AuditQuery::read(&asked, &app.zone)?.of(&actor) };
    let _place = app.export_place().await?;
    let (noted, now, zone, l) = (query.clone(), app.now(), app.zone.clone(), page.l);
    app.db.write(move |tx| note(tx, &actor, "audit.exported", &noted, now)).await?;
    let titles: Vec<String> = [
        l.t("时间"),
        l.t("人员"),
        l.t("途径"),
        l.t("IP 地址"),
        l.t("动作"),
        l.t("对象"),
        l.t("对象编号"),
        l.t("客户编号"),
        l.t("修改前"),
        l.t("修改后"),
        l.t("结果"),
        l.t("请求编号"),
        l.t("链号和序号"),
    ]
    .map(str::to_owned)
    .into();
    let body = app
        .db
        .read(move |conn| {
            let failed = |e: sheets::write::WriteError| AppError::Internal(e.to_string());
            let mut bytes = Vec::new();
            let mut file = TableCsv::new(&mut bytes, &titles).map_err(failed)?;
            each(conn, &query, MOST, |row| {
                let id = |id: i64| if id == 0 { String::new() } else { store::format_id(id) };
                let cells = [
                    Cell::DateTime(zone.second(row.at).into()),
                    Cell::Text(row.actor_name.as_str().into()),
                    Cell::Text(words::via(&row.via, l).into()),
                    Cell::Text(row.ip.as_str().into()),
                    Cell::Text(words::action(&row.action, l).into()),
                    Cell::Text(words::object(&row.object, l).into()),
                    Cell::Text(id(row.object_id).into()),
                    Cell::Text(id(row.customer_id).into()),
                    Cell::Text(row.before.as_str().into()),
                    Cell::Text(row.after.as_str().into()),
                    Cell::Text(words::result(&row.result, l).0.into()),
                    Cell::Text(row.request_id.as_str().into()),
                    Cell::Text(format!("{}-{}", row.chain, row.seq).into()),
                ];
                file.push(&cells).map_err(failed)
            })?;
            file.finish().map_err(failed)?;
            Ok::<_, AppError>(bytes)
        })
        .await?;
    let name = format!("audit-{}.csv", app.today());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, body).into_response())
}
