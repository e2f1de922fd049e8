//! `kehu db migrate|check|copy`.

use clap::Subcommand;
use store::{Db, Engine, Location, Options};

use super::{Failure, Place, say};
use crate::schema::{MIGRATIONS, SEEDED, SEEDED_SETTINGS, TABLES};
use crate::{audit, customers, search};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 更新数据库结构
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// 检查数据库是否完好:结构、外键、计数、搜索索引、审计链
    Check {
        #[command(flatten)]
        place: Place,
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
        Command::Check { place } => check(&place.open()?.0),
        Command::Copy { from, to } => copy(from, to),
    }
}

fn check(db: &Db) -> Result<(), Failure> {
    let mut wrong = Vec::new();
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
    if living != indexed {
        wrong.push(format!("客户有 {living} 个，搜索索引里却有 {indexed} 个"));
    }
    for drift in db.read_blocking(customers::drifted)? {
        let customers::Drift { name, owner_id, unit_id, key, kept, counted } = drift;
        wrong.push(format!(
            "计数 {name}（负责人 {owner_id}，部门 {unit_id}，{key}）是 {kept}，实际为 {counted}"
        ));
    }
    for report in db.read_blocking(audit::verify)? {
        if let Some(problem) = report.problem {
            wrong.push(format!("审计链 {}：{problem:?}", report.chain));
        }
    }
    if wrong.is_empty() { say("数据库完好") } else { Err(Failure::Refused(wrong.join("\n"))) }
}

/// Takes what the migrations wrote out of a target nobody has set up: the source brings its own.
fn clear_seeds(to: &Db) -> Result<(), Failure> {
    Ok(to.write_blocking(|tx| {
        if tx.count("SELECT COUNT(*) FROM company", &[])? == 0 {
            for table in SEEDED.iter().rev() {
                tx.exec(&format!("DELETE FROM {table}"), &[])?;
            }
            for name in SEEDED_SETTINGS {
                tx.exec("DELETE FROM settings WHERE name = $1", &[(*name).into()])?;
            }
        }
        Ok::<_, store::Error>(())
    })?)
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

fn copy(from: &str, to: &str) -> Result<(), Failure> {
    let options = Options { readers: 2, writers: 2, ..Options::default() };
    let from = Location::parse(from)?;
    if let Location::Sqlite(path) = &from
        && !path.is_file()
    {
        return Err(Failure::Usage(format!("没有来源数据库 {}，请检查 --from", path.display())));
    }
    let from = Db::open(&from, &options)?;
    if !store::is_migrated(&from)? {
        return Err(Failure::Usage("来源数据库里没有 kehu 的数据，请检查 --from".into()));
    }
    if !store::pending(&from, MIGRATIONS)?.is_empty() {
        return Err(Failure::Schema("来源数据库的结构不是最新的，请先运行 kehu db migrate".into()));
    }
    let to = Db::open(&Location::parse(to)?, &options)?;
    // A company that is there is left as it is, its schema too.
    if store::is_migrated(&to)? {
        refuse_filled(&to, &["company"])?;
    }
    store::migrate(&to, MIGRATIONS)?;
    clear_seeds(&to)?;
    refuse_filled(&to, TABLES)?;
    let report = store::copy_tables(&from, &to, TABLES, |table, rows| {
        if rows % 50_000 < 500 {
            eprintln!("{table} {rows}");
        }
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
