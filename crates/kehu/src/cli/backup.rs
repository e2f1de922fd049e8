//! `kehu backup create|list|verify|restore`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Subcommand;
use store::Options;

use super::{Failure, Network, Place, open, outlive_file_size_limit, say};
use crate::access::Actor;
use crate::app::App;
use crate::backups::{self, Origin, Refused, Step};
use crate::clock::{Clock, Zone};
use crate::error::AppError;
use crate::jobs::Task;
use crate::menu;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 备份数据库和附件(服务器可以照常运行)
    Create {
        #[command(flatten)]
        place: Place,
    },
    /// 列出备份目录里的备份
    List {
        #[command(flatten)]
        place: Place,
    },
    /// 把备份完整读一遍,检查有没有损坏
    Verify {
        #[command(flatten)]
        place: Place,
        /// 备份文件,或备份目录里的文件名
        backup: PathBuf,
    },
    /// 把备份恢复到空的数据目录(和空的数据库)
    Restore {
        #[command(flatten)]
        place: Place,
        /// 备份文件,或备份目录里的文件名
        backup: PathBuf,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Create { place } => create(place),
        Command::List { place } => list(place),
        Command::Verify { place, backup } => verify(place, backup),
        Command::Restore { place, backup } => restore(place, backup),
    }
}

/// Shows progress on the error stream now and then.
fn shown(step: &str, done: u64, total: u64) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if last.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
        *last = Some(Instant::now());
        eprintln!("{step} {}%", done.saturating_mul(100) / total.max(1));
    }
}

fn create(place: &Place) -> Result<(), Failure> {
    outlive_file_size_limit()?;
    let config = place.config(&Network::default())?;
    let db = open(&config, &Options { readers: 2, writers: 1, ..Options::default() })?;
    let app = App::new(db, config, Clock::System, menu::HOOKS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let made = runtime.block_on(async {
        let (actor, now) = (Actor::command_line(), app.now());
        let who = actor.clone();
        let begun = app.db.write(move |tx| backups::begin(tx, &who, Origin::Command, now)).await?;
        let id = begun.ok_or(AppError::Unavailable)?.id;
        backups::run(&app, &Task::alone(id.0), |step, done, total| {
            let words = match step {
                Step::Database => "复制数据库",
                Step::Files => "写入数据库和附件",
                Step::Check => "读回检查",
            };
            shown(words, done, total);
        })
        .await?;
        app.db.read(move |conn| backups::load(conn, &actor, id)).await
    });
    let backup = made.map_err(|error: AppError| match error {
        // Not even the failure could be written down.
        AppError::Full => Failure::storage(),
        AppError::Unavailable if app.db.is_failed() => Failure::storage(),
        error => error.into(),
    })?;
    let path = backups::path(&app, &backup).ok_or_else(|| Failure::Refused("备份已被停止".into()))?;
    say(&format!("{} 位客户，{} 个附件，已读回检查", backup.customers, backup.attachments))?;
    if backup.missing > 0 {
        say(&format!("注意：{} 个附件在备份之前已缺失或被改动", backup.missing))?;
    }
    // The file stands alone on the last line, for scripts.
    say(&path.display().to_string())
}

fn list(place: &Place) -> Result<(), Failure> {
    let config = place.config(&Network::default())?;
    let found = backups::found_in(&config.backups_dir)?;
    if found.is_empty() {
        return say(&format!("{} 里没有备份", config.backups_dir.display()));
    }
    let zone = Zone::default();
    for backup in found {
        let size = backups::size_text(backup.size);
        let about = match &backup.manifest {
            Ok(manifest) => {
                let at = manifest.created_at.parse::<jiff::Timestamp>().map(|at| at.as_millisecond());
                let customers = manifest.tables.get("customers").copied().unwrap_or_default();
                format!(
                    "{}  {}  {customers} 位客户，{} 个附件",
                    at.map_or_else(|_| manifest.created_at.clone(), |at| zone.minute(at)),
                    manifest.company,
                    manifest.files.count
                )
            }
            Err(reason) => format!("不能使用：{reason}"),
        };
        say(&format!("{}  {size}  {about}", backup.name))?;
    }
    Ok(())
}

/// The file somebody names: as a path, or by its name in the folder of backups.
fn named(folder: &Path, backup: &Path) -> Result<PathBuf, Failure> {
    [backup.to_owned(), folder.join(backup)].into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Failure::Usage(format!(
            "没有备份文件 {}（也不在 {} 里），用 kehu backup list 查看有哪些",
            backup.display(),
            folder.display()
        ))
    })
}

fn damaged(problems: &[String]) -> Failure {
    Failure::Refused(format!("备份已损坏，不能用来恢复：\n{}", problems.join("\n")))
}

fn verify(place: &Place, backup: &Path) -> Result<(), Failure> {
    let config = place.config(&Network::default())?;
    let path = named(&config.backups_dir, backup)?;
    // Beside a backup that is somewhere else there may be no folder of backups.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let report = backups::verify(&path, folder, &mut |done, all| {
        shown("校验", done, all);
        true
    })?;
    let report = report.unwrap_or_default();
    if !report.is_good() {
        return Err(damaged(&report.problems));
    }
    let manifest = report.manifest.unwrap_or_default();
    if manifest.files.missing > 0 {
        say(&format!("注意：{} 个附件在备份之前已缺失或被改动", manifest.files.missing))?;
    }
    say(&format!(
        "备份完好：{}，{} 个表，{} 个附件，操作日志完整",
        manifest.created_at,
        manifest.tables.len(),
        manifest.files.count
    ))
}

fn restore(place: &Place, backup: &Path) -> Result<(), Failure> {
    outlive_file_size_limit()?;
    let config = place.config(&Network::default())?;
    let path = named(&config.backups_dir, backup)?;
    let now = Clock::System.now();
    let restored = backups::restore(&path, &config, menu::HOOKS.jobs, now, &mut |step| eprintln!("{step}…"));
    let restored = restored.map_err(|refused| match refused {
        Refused::Damaged(problems) => damaged(&problems),
        Refused::Place(error) => Failure::Usage(error.to_string()),
        Refused::Schema(text) => Failure::Schema(text),
        Refused::Failed(AppError::Full) => Failure::Storage(AppError::Full.to_string()),
        Refused::Failed(error) => Failure::Refused(format!(
            "恢复没有完成：{error}\n目标目录里的内容不能使用；排除原因后对同一目录再运行一次即可（PostgreSQL 请先删除重建数据库）"
        )),
    })?;
    let manifest = &restored.manifest;
    say(&format!(
        "已恢复 {}（{} 的备份）：{} 位客户，{} 个附件，逐表核对一致",
        manifest.company,
        manifest.created_at,
        manifest.tables.get("customers").copied().unwrap_or_default(),
        manifest.files.count
    ))?;
    if restored.indexed > 0 {
        say(&format!("搜索索引已重建（{} 位客户）", restored.indexed))?;
    }
    say(&format!(
        "原系统的 {} 个登录已结束，{} 项进行中的后台任务没有继续",
        restored.sessions, restored.jobs
    ))?;
    say("API 令牌仍然有效：备份之后吊销过的，请重新吊销")
}
