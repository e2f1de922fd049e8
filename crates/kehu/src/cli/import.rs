//! `kehu import`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use store::Options;

use super::{Failure, Network, Place, open, say};
use crate::access::{Actor, Via};
use crate::app::App;
use crate::clock::Clock;
use crate::customers::Keyed;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::imports::{self, Checked, Choices, Counts, Import, OnDuplicate};
use crate::jobs::Task;
use crate::{files, menu, org};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 导入客户:CSV、XLSX 或 vCard 文件
    Customers(Arguments),
}

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// 要导入的文件
    file: PathBuf,
    /// 已有同一客户时:skip(跳过)、update(更新)或 create(仍然新建)
    #[arg(long, default_value = "skip")]
    on_duplicate: String,
    /// 按什么判断是同一客户,可写多个:number,credit_code,id_number,phone,email,name;不写由系统判断
    #[arg(long = "match", value_delimiter = ',')]
    match_on: Vec<String>,
    /// XLSX 文件里要导入的工作表;不写则是第一张有内容的
    #[arg(long)]
    sheet: Option<String>,
    /// 表头在第几行;不写由系统识别
    #[arg(long)]
    header_row: Option<u64>,
    /// 只检查,不写入
    #[arg(long)]
    dry_run: bool,
    /// 把没有导入的行(只检查时:不能导入的行)写到这个 XLSX 文件
    #[arg(long)]
    errors: Option<PathBuf>,
    /// 以哪位员工的身份导入(用户名):他成为客户的负责人
    #[arg(long = "as")]
    on_behalf: Option<String>,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Customers(arguments) = command;
    let on_duplicate = OnDuplicate::named(&arguments.on_duplicate).ok_or_else(|| {
        Failure::Usage(format!(
            "--on-duplicate 只能是 skip、update 或 create，不能是 {}",
            arguments.on_duplicate
        ))
    })?;
    let match_on = arguments
        .match_on
        .iter()
        .map(|code| {
            Keyed::named(code.trim()).ok_or_else(|| Failure::Usage(format!("--match 没有 {code} 这个依据")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if !arguments.file.is_file() {
        return Err(Failure::Usage(format!("没有这个文件：{}", arguments.file.display())));
    }
    let config = arguments.place.config(&Network::default())?;
    let db = open(&config, &Options { readers: 2, writers: 2, ..Options::default() })?;
    std::fs::create_dir_all(&config.data_dir)?;
    let app = App::new(db, config, Clock::System, menu::HOOKS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let choices =
        Choices { mapping: None, on_duplicate, match_on, owner_id: None, is_dry_run: arguments.dry_run };
    let counts = runtime.block_on(import(&app, arguments, choices))?;
    if counts.failed > 0 {
        let hint = match &arguments.errors {
            Some(path) => format!("这些行在 {}，改正后再导入这个文件即可", path.display()),
            None => "加上 --errors 文件.xlsx 可得到这些行和原因".to_owned(),
        };
        let what = if arguments.dry_run { "不能导入" } else { "没有导入" };
        return Err(Failure::Refused(format!("有 {} 行{what}。{hint}", counts.failed)));
    }
    Ok(())
}

async fn import(app: &App, arguments: &Arguments, choices: Choices) -> Result<Counts, Failure> {
    let actor = actor(app, arguments.on_behalf.as_deref()).await?;
    let received = receive(app, &arguments.file)?;
    // Two commands in one data folder do not work on the same import.
    let lock = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(app.config.data_dir.join("import.lock"))?;
    lock.lock()?;
    let row = arguments.header_row.map(|row| row.to_string()).unwrap_or_default();
    let table = imports::Place::named(arguments.sheet.as_deref().unwrap_or_default(), &row)?;
    let begun = if choices.is_dry_run {
        None
    } else {
        interrupted(app, &actor, &received.sha256, &choices, &table).await?
    };
    let import = match begun {
        Some(import) => {
            eprintln!("继续上次中断的导入：已处理 {} 行", import.read);
            import
        }
        None => {
            let import = imports::take(app, &actor, received, &table).await?;
            prepare(app, &actor, &import, choices.clone()).await?
        }
    };
    for (column, code) in import.columns().iter().zip(&import.mapping).filter(|(_, code)| code.is_empty()) {
        let _ = code;
        eprintln!("提示：不认识的列“{column}”没有导入");
    }
    let counts = if choices.is_dry_run {
        dry_run(app, &actor, &import, arguments.errors.as_deref()).await?
    } else {
        work(app, &import).await?
    };
    if !choices.is_dry_run
        && counts.failed > 0
        && let Some(path) = &arguments.errors
    {
        let id = import.id;
        let own = actor.clone();
        let import = app.db.read(move |conn| imports::load(conn, &own, id)).await?;
        let temp = imports::error_file(app, &actor, &import).await?;
        std::fs::copy(temp.path(), path)?;
    }
    drop(lock);
    Ok(counts)
}

async fn actor(app: &App, username: Option<&str>) -> Result<Actor, Failure> {
    let Some(username) = username else { return Ok(Actor::command_line()) };
    let key = org::username_key(username);
    let id: Option<PersonId> = app
        .db
        .read(move |conn| {
            conn.value("SELECT id FROM people WHERE username = $1 AND is_active", &[key.into()])
        })
        .await
        .map_err(|e: store::Error| Failure::from(e))?;
    let id = id.ok_or_else(|| Failure::Usage(format!("没有在职员工 {username}")))?;
    let found = imports::actor_of(app, id).await?;
    let mut facts = (*found).clone();
    facts.via = Via::CommandLine;
    Ok(Actor::new(facts))
}

fn receive(app: &App, path: &Path) -> Result<files::Received, Failure> {
    let mut temp = files::temporary(app)?;
    let mut source = std::fs::File::open(path)?;
    std::io::copy(&mut source, temp.as_file_mut())?;
    temp.flush()?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(files::from_temp(temp, &name)?)
}

/// An import of the same file with the same choices that was killed while it ran.
async fn interrupted(
    app: &App,
    actor: &Actor,
    hash: &str,
    choices: &Choices,
    table: &imports::Place,
) -> Result<Option<Import>, Failure> {
    let (actor, hash, choices, table) = (actor.clone(), hash.to_owned(), choices.clone(), table.clone());
    let is_same_table = move |import: &Import| {
        let read = import.header.as_ref().map(imports::Place::of).unwrap_or_default();
        read.header_row == table.header_row && (table.sheet.is_none() || read.sheet == table.sheet)
    };
    Ok(app
        .db
        .read(move |conn| {
            let found = imports::list(conn, &actor, None, 200)?;
            Ok::<_, AppError>(found.into_iter().find(|i| {
                i.state == imports::State::Running
                    && i.is_by_command
                    && i.created_by == actor.person_id
                    && i.file_hash == hash
                    && i.on_duplicate == choices.on_duplicate
                    && i.match_on == choices.match_on
                    && is_same_table(i)
            }))
        })
        .await?)
}

/// Matches the columns as guessed and puts the import into the state its work expects.
async fn prepare(app: &App, actor: &Actor, import: &Import, choices: Choices) -> Result<Import, Failure> {
    let (actor, id, now, catalogue) = (actor.clone(), import.id, app.now(), app.catalogue().await?);
    Ok(app
        .db
        .write(move |tx| {
            let import = imports::choose(tx, &actor, id, &choices, &catalogue, now)?;
            if !choices.is_dry_run {
                imports::begin_by_command(tx, &actor, &import, now)?;
            }
            imports::load(tx, &actor, id)
        })
        .await?)
}

async fn work(app: &App, import: &Import) -> Result<Counts, Failure> {
    let start = imports::start(app, import.id, imports::State::Running)
        .await?
        .ok_or_else(|| Failure::Refused("这次导入已被停止".into()))?;
    let task = Task::alone(import.id.0);
    let mut shown = Progress::new();
    imports::run(app, start, &task, |counts| shown.show(counts)).await?;
    shown.end();
    let id = import.id;
    let done = app.db.read(move |conn| imports::load(conn, &Actor::command_line(), id)).await?;
    let counts = Counts::of(&done);
    say_guesses(done.report.guessed);
    say_doubts(&done.report.doubts);
    summary(&counts, done.state == imports::State::Failed)?;
    if done.state == imports::State::Failed {
        return Err(Failure::Refused(done.problem.map(|p| p.to(Lang::Zh)).unwrap_or_default()));
    }
    Ok(counts)
}

async fn dry_run(
    app: &App,
    actor: &Actor,
    import: &Import,
    errors: Option<&Path>,
) -> Result<Counts, Failure> {
    let start = imports::start(app, import.id, imports::State::Uploaded)
        .await?
        .ok_or_else(|| Failure::Refused("这次导入已被停止".into()))?;
    let mut shown = Progress::new();
    let mut refused = match errors {
        Some(_) => Some(imports::Refused::new(import, actor.lang)?),
        None => None,
    };
    let keep = |work: &imports::Work, wrongs: &[imports::Wrong]| match &mut refused {
        Some(file) => file.push(work, wrongs),
        None => Ok(()),
    };
    let checked = imports::check(app, &start.plan, start.source, keep, async |report: &imports::Report| {
        shown.show(&Counts { read: report.rows, failed: report.failed, ..Counts::default() });
        Ok(true)
    })
    .await?;
    shown.end();
    let (own, id, now) = (actor.clone(), import.id, app.now());
    app.db.write(move |tx| imports::cancel(tx, &own, id, now)).await?;
    match checked {
        Checked::Whole(report) => {
            for bad in &report.problems {
                let why: Vec<String> =
                    bad.reasons.iter().map(|(heading, zh, _)| format!("{heading} {zh}")).collect();
                eprintln!("第 {} 行：{}", bad.row, why.join("；").trim());
            }
            say_doubts(&report.doubts);
            if let (Some(path), Some(file), true) = (errors, refused, report.failed > 0) {
                let (temp, rows) = file.finish(app)?;
                imports::handed_out(app, actor, import, rows).await?;
                std::fs::copy(temp.path(), path)?;
            }
            let counts = Counts {
                read: report.rows,
                created: report.created,
                updated: report.updated,
                skipped: report.skipped,
                failed: report.failed,
            };
            summary(&counts, false)?;
            Ok(counts)
        }
        Checked::Unreadable(problem) => Err(Failure::Refused(problem.zh)),
        Checked::Stopped => Err(Failure::Refused("检查被停止".into())),
    }
}

/// What should be looked at though it was, or would be, imported.
fn say_guesses((persons, organisations): (i64, i64)) {
    if persons + organisations > 0 {
        eprintln!(
            "提示：有 {} 行没有写明客户性质，按名称和填写的内容判断为个人 {persons} 个、企业 {organisations} 个；\
             客户性质建档后不能更改，判断不对时请撤销这次导入，加一列“客户性质”再导入",
            persons + organisations
        );
    }
}

fn say_doubts(doubts: &imports::Doubts) {
    for (zh, _) in &doubts.file {
        eprintln!("提示：{zh}");
    }
    if doubts.rows > 0 {
        eprintln!("提示：需核对 {} 行", doubts.rows);
    }
    for row in &doubts.first {
        let why: Vec<String> = row.reasons.iter().map(|(heading, zh, _)| format!("{heading} {zh}")).collect();
        eprintln!("第 {} 行：{}", row.row, why.join("；").trim());
    }
}

fn summary(counts: &Counts, is_broken: bool) -> Result<(), Failure> {
    let Counts { read, created, updated, skipped, failed } = counts;
    let end = if is_broken { "（文件没有读完）" } else { "" };
    say(&format!("读取 {read}，新建 {created}，更新 {updated}，跳过 {skipped}，失败 {failed}{end}"))
}

/// A line on a terminal that is written over; nothing elsewhere.
struct Progress {
    is_shown: bool,
    began: std::time::Instant,
}

impl Progress {
    fn new() -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), began: std::time::Instant::now() }
    }
    fn show(&mut self, counts: &Counts) {
        if self.is_shown {
            let each = counts.read as f64 / self.began.elapsed().as_secs_f64().max(0.001);
            eprint!("\r已处理 {} 行，失败 {} 行（每秒 {each:.0} 行）  ", counts.read, counts.failed);
        }
    }
    fn end(&mut self) {
        if self.is_shown {
            eprintln!();
        }
    }
}
