//! A week or a month of a roster as a table.

use std::io::Write;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;
use sheets::write::{Cell, Column, Kind, TableCsv, TableXlsx, WriteError};

use super::{day_in, monday_of, name, weekday};
use crate::access::Actor;
use crate::app::App;
use crate::audit::web::exported;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::ids::RosterId;
use crate::imports::{self, Format};
use crate::rosters::{self, Place, Span, Which};
use crate::web::QueryData;
use crate::{files, text};

/// `GET /rosters/{id}/export`: `week` (a day of it; this week without one) or `month` (`2026-09`), `format` `xlsx` or
/// `csv`. Staff get what is published, whoever plans gets drafts too, marked as such. Audited.
pub(super) async fn table(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let (me, l) = (actor.clone(), actor.lang);
    let (roster, may_plan) = app
        .db
        .read(move |conn| {
            let roster = rosters::load(conn, id)?;
            let may_plan = rosters::may_plan(conn, &me, roster.unit_id)?;
            Ok::<_, AppError>((roster, may_plan))
        })
        .await?;
    let format = Some(query.get("format")).filter(|f| !f.is_empty()).unwrap_or("xlsx");
    let format =
        Format::named(format).ok_or_else(|| AppError::field("format", text!("format 只能是 xlsx 或 csv")))?;
    let (first, last) = days(&app, &query)?;
    let span = Span::new(app.zone.day(first).0, app.zone.day(last).1);
    let mut shifts = app
        .db
        .read(move |conn| rosters::shifts(conn, &Place::Roster(id), span, Which::seen_by(may_plan)))
        .await?;
    // One that crosses into the first day stands in the table of the days before.
    shifts.retain(|s| s.span.starts_at >= span.starts_at);
    let directory = app.directory().await?;
    let mut titles = vec!["日期", "星期", "开始时间", "结束时间", "值班人员", "备注"];
    if may_plan {
        titles.push("状态");
    }
    let columns: Vec<Column> = titles
        .iter()
        .map(|t| Column {
            title: l.t(t).to_owned(),
            kind: if *t == "日期" { Kind::Date } else { Kind::Text },
        })
        .collect();
    let text = |t: String| if t.is_empty() { Cell::Empty } else { Cell::Text(t.into()) };
    let rows: Vec<Vec<Cell<'static>>> = shifts
        .iter()
        .map(|s| {
            let day = app.zone.date(s.span.starts_at);
            let mut row = vec![
                Cell::Date(day.to_string().into()),
                text(weekday(l, day)),
                Cell::DateTime(app.zone.second(s.span.starts_at).into()),
                Cell::DateTime(app.zone.second(s.span.ends_at).into()),
                text(name(&directory, s.person_id)),
                text(s.note.clone()),
            ];
            if may_plan {
                row.push(text(l.t(if s.is_published() { "已发布" } else { "草稿" }).to_owned()));
            }
            row
        })
        .collect();
    let (sheet, own) = (roster.name.clone(), app.clone());
    let file = tokio::task::spawn_blocking(move || write(&own, format, &sheet, &columns, &rows))
        .await
        .map_err(|e| AppError::Internal(format!("export: {e}")))??;
    let ending = match format {
        Format::Csv => "csv",
        Format::Xlsx => "xlsx",
    };
    let what = json!({
        "name": roster.name, "first": first.to_string(), "last": last.to_string(), "count": shifts.len(),
        "format": ending,
    });
    exported(&app, &actor, ("roster.exported", "roster", id.0), what).await?;
    let media_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Xlsx => imports::XLSX,
    };
    imports::download(file, &format!("{}-{first}-{last}.{ending}", roster.name), media_type)
}

/// First and last day of what is asked for.
fn days(app: &App, query: &QueryData) -> Result<(Date, Date), AppError> {
    let month = query.get("month");
    if month.is_empty() {
        let monday = monday_of(day_in(query.get("week"), "week", app.today())?);
        return Ok((monday, monday.saturating_add(6.days())));
    }
    let wrong = || AppError::field("month", text!("请填写月份，例如 2026-09"));
    if month.len() != 7 {
        return Err(wrong());
    }
    let first = day_in(&format!("{month}-01"), "month", app.today()).map_err(|_| wrong())?;
    Ok((first, first.last_of_month()))
}

fn write(
    app: &App,
    format: Format,
    sheet: &str,
    columns: &[Column],
    rows: &[Vec<Cell<'static>>],
) -> Result<std::fs::File, AppError> {
    let lost = |e: std::io::Error| AppError::Internal(format!("export: {e}"));
    let failed = |error: WriteError| match error {
        error if error.is_storage_full() => AppError::Full,
        other => AppError::Internal(format!("export: {other}")),
    };
    let temp = files::temporary(app)?;
    match format {
        Format::Csv => {
            let titles: Vec<String> = columns.iter().map(|c| c.title.clone()).collect();
            let file = std::io::BufWriter::new(temp.reopen().map_err(lost)?);
            let mut table = TableCsv::new(file, &titles).map_err(failed)?;
            for row in rows {
                table.push(row).map_err(failed)?;
            }
            table.finish().map_err(failed)?;
        }
        Format::Xlsx => {
            // What a sheet may not be called is left out of its name.
            let name: String = sheet.chars().filter(|c| !"[]:*?/\\'".contains(*c)).take(31).collect();
            let name = if name.trim().is_empty() { "Sheet1".to_owned() } else { name };
            let mut table = TableXlsx::new(&name, columns).map_err(failed)?;
            for row in rows {
                table.push(row).map_err(failed)?;
            }
            let mut file = temp.reopen().map_err(lost)?;
            table.finish(&mut file).map_err(failed)?;
            file.flush().map_err(lost)?;
        }
    }
    // The name goes away now, the bytes when they have been sent.
    temp.reopen().map_err(lost)
}
