//! `kehu db migrate|check|copy`.

use std::fs::File;
use std::ops::ControlFlow;

use clap::Subcommand;
use serde_json::json;
use store::{Db, Engine, Location, Options};

use super::{Failure, Place, say};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::files::{self, Damage};
use crate::schema::{self, MIGRATIONS, TABLES};
use crate::{customers, search};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 更新数据库结构
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// 检查数据库是否完好:结构、外键、计数、搜索索引、审计链、附件;不改动任何数据
    Check {
        #[command(flatten)]
        place: Place,
        /// 附件再多也逐个核对内容,不只核对大小
        #[arg(long)]
        deep: bool,
    },
    /// 把整个公司从一个数据库搬到另一个,并逐表核对
    Copy {
        /// 从哪里
        #[arg(long)]
        from: String,
        /// 到哪里(空库)
        #[arg(long)]
        to: String,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Migrate { place } => place.create().and_then(|_| say("数据库结构是最新的")),
        Command::Check { place, deep } => {
            let (db, config) = place.open_unchanged()?;
            check(&db, &config, *deep)
        }
        Command::Copy { from, to } => copy(from, to),
    }
}

fn check(db: &Db, config: &Config, deep: bool) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    check_engine(db, &mut wrong)?;
    check_counts(db, &mut wrong)?;
    for report in db.read_blocking(audit::verify)? {
        if let Some(problem) = report.problem {
            wrong.push(format!("审计链 {}：{}", report.chain, problem.zh()));
        }
    }
    check_files(db, config, deep, &mut wrong)?;
    if wrong.is_empty() { say("数据库完好") } else { Err(Failure::Refused(wrong.join("\n"))) }
}

/// What the engine itself can tell.
fn check_engine(db: &Db, wrong: &mut Vec<String>) -> Result<(), Failure> {
    if db.engine() == Engine::Postgres {
        return say(
            "PostgreSQL 自己保证外键；数据页是否完好请另用 pg_amcheck 检查。这里检查计数、搜索索引、审计链和附件",
        );
    }
    if db.engine() == Engine::Sqlite {
        let integrity: Vec<(String,)> =
            db.read_blocking(|conn| conn.rows("PRAGMA integrity_check(20)", &[]))?;
        if integrity.len() != 1 || integrity[0].0 != "ok" {
            wrong.extend(integrity.into_iter().map(|(line,)| format!("SQLite:{line}")));
        }
        let foreign =
            db.read_blocking(|conn| conn.count("SELECT COUNT(*) FROM pragma_foreign_key_check", &[]))?;
        if foreign != 0 {
            wrong.push(format!("{foreign} 条记录指向不存在的记录"));
        }
    }
    Ok(())
}

/// Kept counts and the search index against the rows.
fn check_counts(db: &Db, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let (living, counted, indexed) = db.read_blocking(|conn| {
        Ok::<_, store::Error>((
            conn.count("SELECT COUNT(*) FROM customers WHERE deleted_at IS NULL", &[])?,
            crate::counters::one(conn, "customers", "", &crate::counters::Whose::Everybody)?,
            search::count(conn)?,
        ))
    })?;
    say(&format!("客户 {living}，计数 {counted}，搜索索引 {indexed}"))?;
    if living != counted {
        wrong.push(format!("客户有 {living} 个，计数却是 {counted}"));
    }
    if !db.read_blocking(search::is_current)? {
        say("搜索索引由别的版本写成，没有核对；下次启动服务时会重建")?;
    } else if living != indexed {
        wrong.push(format!("客户有 {living} 个，搜索索引里却有 {indexed} 个"));
    }
    for drift in db.read_blocking(customers::drifted)? {
        let customers::Drift { name, owner_id, unit_id, key, kept, counted } = drift;
        wrong.push(format!(
            "计数 {name}（负责人 {owner_id}，部门 {unit_id}，{key}）是 {kept}，实际为 {counted}"
        ));
    }
    Ok(())
}

/// Files against their rows.
fn check_files(db: &Db, config: &Config, deep: bool, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let checked = files::check(db, &config.data_dir.join(files::FOLDER), deep)?;
    let how = if checked.is_deep { "大小和内容" } else { "大小（加 --deep 核对内容）" };
    say(&format!("附件 {}，核对了{how}", checked.files))?;
    for (place, damage) in &checked.first {
        wrong.push(match damage {
            Damage::Missing => format!("附件 {place} 不在磁盘上，或不能读取"),
            Damage::Size(found) => format!("附件 {place} 的大小不对，实际 {found} 字节"),
            Damage::Altered => format!("附件 {place} 的内容被改动"),
        });
    }
    let more = checked.damaged - checked.first.len() as u64;
    if more > 0 {
        wrong.push(format!("另有 {more} 个附件也不对"));
    }
    Ok(())
}

/// Refuses a SQLite database that a server has open: what is written meanwhile would be missing in the copy, and the
/// copy's long read would hold up whoever writes.
fn refuse_served(from: &Location) -> Result<(), Failure> {
    let Location::Sqlite(path) = from else { return Ok(()) };
    let lock = path.with_file_name(super::serve::LOCK);
    let is_served = File::open(lock).is_ok_and(|file| file.try_lock_shared().is_err());
    if is_served {
        return Err(Failure::Usage(
            "来源数据库正被 kehu serve 使用，边用边搬会漏掉新写的内容。请先停止服务，再运行 kehu db copy"
                .into(),
        ));
    }
    Ok(())
}

/// Refuses a target that holds something already.
fn refuse_filled(to: &Db, tables: &'static [&'static str]) -> Result<(), Failure> {
    for table in tables {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows = to.read_blocking(move |conn| conn.count(&sql, &[]))?;
        if rows > 0 {
            return Err(Failure::Usage(format!(
                "目标数据库不是空的（表 {table} 已有 {rows} 行），没有搬移任何数据。请新建一个空数据库，再用 --to 指向它；\
                 上次搬移中断而留下的目标数据库，请先删除重建"
            )));
        }
    }
    Ok(())
}

/// Whether the file of a database may not be written.
fn is_write_protected(location: &Location) -> bool {
    match location {
        Location::Sqlite(path) => File::options().write(true).open(path).is_err(),
        Location::Postgres(_) => false,
    }
}

/// Notes in the company that all of it is carried off, before anything is; a PostgreSQL server that takes no changes
/// (a standby) is copied without.
fn note_copy(from: &Db, target: &str) -> Result<(), Failure> {
    let after = json!({ "to": target });
    let noted = from.write_blocking(move |tx| {
        let entry = Entry::of("company.copied", "company", 1).after(&after);
        audit::record(tx, &Actor::command_line(), Clock::System.now(), &entry)
    });
    match noted {
        Err(store::Error::Sql(text)) if text.contains(READ_ONLY) => Ok(()),
        noted => Ok(noted?),
    }
}

/// PostgreSQL's code for a change in a transaction that may only read.
const READ_ONLY: &str = "(25006)";

fn copy(from: &str, to: &str) -> Result<(), Failure> {
    let allow_unsafe = config::allows_unsafe_postgres();
    let options = Options { readers: 2, writers: 2, allow_unsafe, ..Options::default() };
    let (from, to) = (Location::parse(from)?, Location::parse(to)?);
    if let Location::Sqlite(path) = &from
        && !path.is_file()
    {
        return Err(Failure::Usage(format!("没有来源数据库 {}，请检查 --from", path.display())));
    }
    refuse_served(&from)?;
    let is_read_only = is_write_protected(&from);
    let from = Db::open(&from, &Options { is_read_only, ..options.clone() })?;
    if !store::is_migrated(&from)? {
        return Err(Failure::Usage("来源数据库里没有 kehu 的数据，请检查 --from".into()));
    }
    if !store::pending(&from, MIGRATIONS)?.is_empty() {
        return Err(Failure::Schema("来源数据库的结构不是最新的，请先运行 kehu db migrate".into()));
    }
    let target = config::shown(&to);
    let to = Db::open(&to, &options)?;
    // A company that is there is left as it is, its schema too.
    if store::is_migrated(&to)? {
        refuse_filled(&to, &["company"])?;
    }
    store::migrate(&to, MIGRATIONS)?;
    schema::clear_seeds(&to)?;
    refuse_filled(&to, TABLES)?;
    if !is_read_only {
        note_copy(&from, &target)?;
    }
    let report = store::copy_tables(&from, &to, TABLES, |table, rows| {
        if rows % 50_000 < 500 {
            eprintln!("{table} {rows}");
        }
        ControlFlow::Continue(())
    })?;
    for table in &report.tables {
        let verdict = if table.from == table.to { "一致" } else { "不一致" };
        say(&format!("{:20} {:>10} {} {verdict}", table.table, table.to.0, table.to.1))?;
    }
    if !report.is_equal() {
        return Err(Failure::Refused("有的表搬移后不一致，请不要使用目标数据库".into()));
    }
    let indexed = customers::rebuild_index(&to)?;
    say(&format!("搬移完成，逐表一致；搜索索引已重建（{indexed} 个客户）"))
}
