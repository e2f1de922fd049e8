//! 备份: the list, and what can be done with each.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::model::{Backup, State, Verification};
use super::{Origin, act, folder, list, overdue};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::{Lang, grouped};
use crate::ids::BackupId;
use crate::org;
use crate::org::web::part_or_page;
use crate::web::{Administrator, Need, Page, QueryData, Routes, Shell, flash, redirect};

const HOME: &str = "/admin/backups";
/// Backups a page.
const ROWS: usize = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/backups", Need::Administrator, index)
        .post("/admin/backups", Need::Administrator, start)
        .post("/admin/backups/{id}/cancel", Need::Administrator, cancel)
        .post("/admin/backups/{id}/verify", Need::Administrator, verify)
        .post("/admin/backups/{id}/delete", Need::Administrator, delete)
        .get("/admin/backups/{id}/download", Need::Administrator, download)
}

struct Line {
    backup: Backup,
    when: String,
    size: String,
    who: String,
    contents: String,
    verified: String,
    is_there: bool,
}

/// What is under way, with its progress.
struct Work {
    id: BackupId,
    title: &'static str,
    text: &'static str,
    value: String,
    max: String,
    can_stop: bool,
    is_stopping: bool,
}

#[derive(Template)]
#[template(path = "backups/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    rows: Vec<Line>,
    next: Option<String>,
    work: Vec<Work>,
    warning: String,
    schedule: String,
    folder: String,
    free: String,
}

fn work(backup: &Backup) -> Option<Work> {
    let is_made = backup.state.is_open();
    if !is_made && backup.verification != Verification::Waiting {
        return None;
    }
    let text = match backup.step.as_str() {
        "database" => "复制数据库",
        "files" => "写入数据库和附件",
        "check" => "读回检查",
        _ => "等待开始",
    };
    Some(Work {
        id: backup.id,
        title: if is_made { "正在备份" } else { "正在校验" },
        text,
        value: backup.progress.to_string(),
        max: backup.total.max(1).to_string(),
        can_stop: is_made,
        is_stopping: backup.is_cancel_wanted,
    })
}

/// What administrators are warned of, in words; empty when all is well.
pub(crate) fn warning(found: Option<super::Overdue>, app: &App, l: Lang) -> String {
    let Some(found) = found else { return String::new() };
    let said = match found.last {
        Some(at) => l.f("最近一次完好的备份是 {}，已经太久。", &[&app.zone.minute(at)]),
        None => l.t("还没有一份完好的备份。").to_owned(),
    };
    if found.is_daily { said } else { format!("{said}{}", l.t("每天自动备份已关闭。")) }
}

async fn index(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let (l, now) = (page.l, app.now());
    let before = query.get("after").parse::<BackupId>().ok();
    let (mut found, names, found_overdue, schedule) = app
        .db
        .read(move |conn| {
            let found = list(conn, &actor, before, ROWS + 1)?;
            let schedule = if super::DAILY.flag(conn)? {
                Some((super::AT.time(conn)?.strftime("%H:%M").to_string(), super::KEEP.whole(conn)?))
            } else {
                None
            };
            Ok::<_, AppError>((found, org::person_names(conn)?, overdue(conn, now)?, schedule))
        })
        .await?;
    let has_more = found.len() > ROWS;
    found.truncate(ROWS);
    let next = found.last().filter(|_| has_more).map(|b| format!("{HOME}?after={}", b.id));
    let rows = found
        .iter()
        .map(|backup| Line {
            when: app.zone.minute(backup.created_at),
            size: if backup.size > 0 { folder::size_text(backup.size.unsigned_abs()) } else { String::new() },
            who: names.get(&backup.created_by).cloned().unwrap_or_default(),
            contents: if backup.state == State::Done {
                l.f("{} 位客户，{} 个附件", &[&grouped(backup.customers), &grouped(backup.attachments)])
            } else {
                String::new()
            },
            verified: backup.verified_at.map_or_else(String::new, |at| app.zone.minute(at)),
            is_there: backup.state == State::Done && act::path(&app, backup).is_some_and(|p| p.is_file()),
            backup: backup.clone(),
        })
        .collect();
    let schedule = match schedule {
        Some((at, keep)) => l.f("每天 {} 自动备份，保留 {} 份", &[&at, &keep]),
        None => l.t("没有开启自动备份").to_owned(),
    };
    let index = IndexPage {
        l,
        shell: page.shell(&[("系统维护", "/admin/maintenance"), ("备份", "")]),
        work: found.iter().filter_map(work).collect(),
        rows,
        next,
        warning: warning(found_overdue, &app, l),
        schedule,
        folder: app.config.backups_dir.display().to_string(),
        free: folder::free_bytes(&app.config.backups_dir).map_or_else(String::new, folder::size_text),
    };
    part_or_page(page.is_partial, index.as_list(), &index)
}

async fn start(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let now = app.now();
    app.db.write(move |tx| act::begin(tx, &actor, Origin::Manual, now).map(drop)).await?;
    app.jobs_waiting.notify_one();
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("备份已开始，完成前可以照常工作")))
}

async fn cancel(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now): (BackupId, _) = (path_id(&id)?, app.now());
    app.db.write(move |tx| act::cancel(tx, &actor, id, now).map(drop)).await?;
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("正在停止备份")))
}

async fn verify(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now): (BackupId, _) = (path_id(&id)?, app.now());
    app.db.write(move |tx| act::request_verification(tx, &actor, id, now).map(drop)).await?;
    app.jobs_waiting.notify_one();
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("正在读回校验")))
}

async fn delete(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now): (BackupId, _) = (path_id(&id)?, app.now());
    let backup = app.db.write(move |tx| act::remove(tx, &actor, id, None, now)).await?;
    act::remove_file(&app, &backup).await?;
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("备份已删除")))
}

async fn download(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    send(&app, &actor, path_id(&id)?).await
}

/// The bytes of a backup as a download; noted in the log.
pub(super) async fn send(
    app: &App,
    actor: &crate::access::Actor,
    id: BackupId,
) -> Result<Response, AppError> {
    let (backup, file, size) = act::open(app, actor, id).await?;
    let stream = tokio_util::io::ReaderStream::with_capacity(file, 256 << 10);
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/octet-stream");
    set(header::CONTENT_LENGTH, &size.to_string());
    set(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", backup.file_name));
    set(header::CACHE_CONTROL, "private, no-store");
    // Compressing would drop the length and cost more than it gains.
    set(header::CONTENT_ENCODING, "identity");
    Ok(response)
}
