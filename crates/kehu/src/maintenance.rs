//! 系统维护: where parameters, people, roles, dictionaries, backups and logs are kept, and how the system is.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use store::Conn;

use crate::access::{Actor, require_administrator};
use crate::app::App;
use crate::backups::{self, Backup, Overdue};
use crate::calendar;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::{Lang, grouped};
use crate::web::{Administrator, Need, Page, Routes, Shell, html};

/// Its route.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/admin/maintenance", Need::Administrator, show)
}

/// Failed jobs shown.
const FAILED: i64 = 10;

/// How the system is.
#[derive(Debug)]
pub struct Health {
    /// Engine and version of the database.
    pub engine: String,
    /// Its bytes.
    pub database_bytes: i64,
    /// Attached files and their bytes.
    pub files: (i64, i64),
    /// Rows of the log.
    pub log_rows: i64,
    /// Jobs that wait or run.
    pub jobs_open: i64,
    /// Jobs that were given up: how many, and the latest.
    pub jobs_failed: (i64, Vec<FailedJob>),
    /// The last good backup.
    pub last_backup: Option<Backup>,
    /// Whether it is too old.
    pub overdue: Option<Overdue>,
    /// Parameters that were changed from their defaults.
    pub parameters_set: usize,
    /// People who may sign in, roles, dictionaries.
    pub people: i64,
    /// Roles.
    pub roles: i64,
    /// Dictionaries.
    pub dictionaries: i64,
}

/// A job that was given up.
#[derive(Clone, Debug)]
pub struct FailedJob {
    /// Its kind.
    pub kind: String,
    /// When it was given up.
    pub at: Millis,
    /// Why.
    pub reason: String,
}

/// Reads how the system is; for administrators. Every number is kept or small.
pub fn health(conn: &mut Conn<'_>, actor: &Actor, app: &App) -> Result<Health, AppError> {
    require_administrator(actor)?;
    let files: Option<(i64, i64)> = conn.row(
        "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM files WHERE deleted_at IS NULL",
        &[],
    )?;
    let failed: Vec<(String, Option<Millis>, String)> = conn.rows(
        "SELECT kind, finished_at, last_error FROM jobs WHERE state = 'dead' ORDER BY id DESC LIMIT $1",
        &[FAILED.into()],
    )?;
    let failed = failed
        .into_iter()
        .map(|(kind, at, reason)| FailedJob { kind, at: at.unwrap_or_default(), reason })
        .collect();
    let states = crate::settings::load_all(conn, actor, app.hooks.parameters)?;
    Ok(Health {
        engine: conn.engine_version()?,
        database_bytes: conn.size_bytes()?,
        files: files.unwrap_or_default(),
        log_rows: conn.count("SELECT CAST(COALESCE(SUM(seq), 0) AS BIGINT) FROM audit_heads", &[])?,
        jobs_open: conn.count("SELECT COUNT(*) FROM jobs WHERE state IN ('waiting', 'running')", &[])?,
        jobs_failed: (conn.count("SELECT COUNT(*) FROM jobs WHERE state = 'dead'", &[])?, failed),
        last_backup: backups::last_good(conn)?,
        overdue: backups::overdue(conn, app.now())?,
        parameters_set: states.iter().filter(|s| s.is_set).count(),
        people: conn.count("SELECT COUNT(*) FROM people WHERE is_active = TRUE", &[])?,
        roles: conn.count("SELECT COUNT(*) FROM roles", &[])?,
        dictionaries: conn.count("SELECT COUNT(*) FROM dictionaries", &[])?,
    })
}

struct Area {
    title: &'static str,
    text: &'static str,
    href: &'static str,
    icon: &'static str,
    note: String,
    more: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "maintenance/index.html")]
struct MaintenancePage {
    l: Lang,
    shell: Shell,
    warning: String,
    /// That an arrangement is missing.
    calendar_warning: String,
    areas: Vec<Area>,
    facts: Vec<(&'static str, String)>,
    failed: i64,
    jobs: Vec<(String, String, String)>,
}

async fn show(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let (l, own) = (page.l, app.clone());
    let health = app.db.read(move |conn| health(conn, &actor, &own)).await?;
    let bytes = |n: i64| backups::size_text(n.unsigned_abs());
    let free =
        |folder| backups::free_bytes(folder).map_or_else(|| l.t("不详").to_owned(), backups::size_text);
    let backup = match &health.last_backup {
        Some(backup) => format!("{} · {}", app.zone.minute(backup.created_at), bytes(backup.size)),
        None => l.t("还没有备份").to_owned(),
    };
    let facts = vec![
        ("程序版本", format!("kehu {}", env!("CARGO_PKG_VERSION"))),
        ("数据库", format!("{} · {}", health.engine, bytes(health.database_bytes))),
        ("附件", l.f("{} 个，{}", &[&grouped(health.files.0), &bytes(health.files.1)])),
        ("数据目录剩余空间", free(&app.config.data_dir)),
        ("备份目录剩余空间", free(&app.config.backups_dir)),
        ("最近一次备份", backup.clone()),
        ("操作日志", l.f("{} 条", &[&grouped(health.log_rows)])),
        ("后台任务", l.f("进行中 {} 个，失败 {} 个", &[&health.jobs_open, &health.jobs_failed.0])),
    ];
    let jobs = health
        .jobs_failed
        .1
        .iter()
        .map(|job| (app.zone.minute(job.at), job.kind.clone(), job.reason.clone()))
        .collect();
    let page = MaintenancePage {
        l,
        shell: page.shell(&[("系统维护", "")]),
        warning: backups::web::warning(health.overdue, &app, l),
        calendar_warning: calendar::web::warning(&*app.calendar().await?, app.today(), l),
        areas: areas(&health, backup, l),
        facts,
        failed: health.jobs_failed.0,
        jobs,
    };
    html(&page)
}

/// The six kinds of maintenance.
fn areas(health: &Health, backup: String, l: Lang) -> Vec<Area> {
    let area = |title, text, href, icon, note, more| Area { title, text, href, icon, note, more };
    vec![
        area(
            "参数",
            "登录、附件、后台任务和备份的规定",
            "/admin/parameters",
            "adjustments",
            l.f("{} 项改过", &[&health.parameters_set]),
            vec![("客户字段", "/admin/fields"), ("工作日历", "/admin/calendar")],
        ),
        area(
            "人员",
            "谁可以登录，属于哪个部门和岗位",
            "/admin/people",
            "users-group",
            l.f("{} 个在用帐号", &[&grouped(health.people)]),
            vec![("组织", "/admin/units"), ("登录与账号", "/admin/accounts")],
        ),
        area(
            "角色与授权",
            "谁可以看什么、做什么",
            "/admin/roles",
            "shield-check",
            l.f("{} 个角色", &[&health.roles]),
            vec![("授权复核", "/admin/role-review")],
        ),
        area(
            "字典",
            "下拉选项和分类",
            "/admin/dictionaries",
            "books",
            l.f("{} 个字典", &[&health.dictionaries]),
            vec![("服务策略", "/admin/service-strategies")],
        ),
        area("备份", "备份、校验、下载，每天自动备份", "/admin/backups", "database", backup, Vec::new()),
        area(
            "日志",
            "谁在什么时候做了什么、登录过",
            "/admin/audit",
            "history",
            l.f("{} 条", &[&grouped(health.log_rows)]),
            vec![("登录日志", "/admin/logins")],
        ),
    ]
}
