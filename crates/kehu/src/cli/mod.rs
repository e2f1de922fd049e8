//! The command line: one file a command. Exit codes: 0 ok, 1 refused or failed, 2 usage or configuration, 3 key,
//! 4 schema, 5 storage.

mod analyze;
mod audit;
mod backup;
mod db;
mod demo;
mod export;
mod import;
mod log;
mod policy;
mod serve;
mod setup;
mod token;
mod user;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use store::{Db, Location, Options};

use crate::config::{Config, Given};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::schema::MIGRATIONS;
use crate::{backups, catalogue, customers};

#[derive(Parser)]
#[command(name = "kehu", version, about = "客户：自己部署的客户管理系统")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 启动服务
    Serve(serve::Arguments),
    /// 首次设置:建立公司和管理员
    Setup(setup::Arguments),
    /// 人员:add、list、passwd
    #[command(subcommand)]
    User(user::Command),
    /// API 令牌
    #[command(subcommand)]
    Token(token::Command),
    /// 审计日志
    #[command(subcommand)]
    Audit(audit::Command),
    /// 数据库:migrate、check、copy
    #[command(subcommand)]
    Db(db::Command),
    /// 备份:create、list、verify、restore
    #[command(subcommand)]
    Backup(backup::Command),
    /// 演示公司:load
    #[command(subcommand)]
    Demo(demo::Command),
    /// 导入数据
    #[command(subcommand)]
    Import(import::Command),
    /// 导出数据
    #[command(subcommand)]
    Export(export::Command),
    /// 制度文件:check、test、show、diff;推算到期时间:due
    #[command(subcommand)]
    Policy(policy::Command),
    /// 分析普通的数据文件，不需要公司数据：duplicates
    #[command(subcommand)]
    Analyze(analyze::Command),
    /// 打印 OpenAPI 文档
    Openapi,
    /// 打印全部路由
    Routes,
    /// 内部使用:在受限的子进程里解析上传的文件
    #[command(hide = true)]
    Worker {
        /// Only `parse`.
        what: String,
    },
}

/// Where data is; on every command that needs it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// 数据目录
    #[arg(long, env = "KEHU_DATA")]
    data: Option<PathBuf>,
    /// 数据库地址:sqlite:文件 或 postgres://…
    #[arg(long, env = "KEHU_DATABASE")]
    database: Option<String>,
    /// 备份目录,默认是数据目录下的 backups
    #[arg(long, env = "KEHU_BACKUPS")]
    backups: Option<PathBuf>,
}

/// Addresses; on `serve` only.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Network {
    /// 监听地址
    #[arg(long, env = "KEHU_LISTEN")]
    listen: Option<SocketAddr>,
    /// 可信的反向代理地址,可写多个
    #[arg(long = "trusted-proxy", env = "KEHU_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxies: Vec<IpAddr>,
}

/// Why a command ends without success.
pub(crate) enum Failure {
    /// 1: refused or failed.
    Refused(String),
    /// 2: usage or configuration.
    Usage(String),
    /// 4: schema.
    Schema(String),
    /// 5: storage.
    Storage(String),
}

impl Failure {
    /// The company's own database cannot be written.
    pub(crate) fn storage() -> Self {
        Self::Storage(
            "写数据库失败，没有保存：磁盘已满、达到文件大小上限（ulimit -f），或磁盘出错。请清理磁盘、放宽上限或检查磁盘后重试"
                .into(),
        )
    }

    /// A server of PostgreSQL that may lose what it has acknowledged.
    fn unsafe_postgres(settings: &str) -> Self {
        Self::Usage(format!(
            "PostgreSQL 的 {settings} 已关闭，断电时会丢失已确认的数据，已拒绝打开。请在 postgresql.conf 里打开后重试；\
             只用于测试、数据可以丢弃时，才设置 allow_unsafe_postgres = true（或环境变量 KEHU_ALLOW_UNSAFE_POSTGRES=1）"
        ))
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Internal(_) => Self::Refused(error.to_string()),
            refused => Self::Refused(refused.words().to(Lang::Zh)),
        }
    }
}
impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Schema(text) => Self::Schema(text),
            store::Error::Config(text) => Self::Usage(text),
            store::Error::StorageFailed | store::Error::Full => Self::storage(),
            store::Error::Unsafe(settings) => Self::unsafe_postgres(&settings),
            // What people at the pages are told; the engine's own words only where there are no better ones.
            store::Error::Busy | store::Error::Unavailable(_) => {
                Self::Refused(AppError::from(error).title().to(Lang::Zh))
            }
            other => Self::Refused(other.to_string()),
        }
    }
}
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl Place {
    /// The settings of a command.
    pub(crate) fn config(&self, network: &Network) -> Result<Config, Failure> {
        Config::from_sources(Given {
            data: self.data.clone(),
            database: self.database.clone(),
            backups: self.backups.clone(),
            listen: network.listen,
            trusted_proxies: network.trusted_proxies.clone(),
        })
        .map_err(Failure::Usage)
    }

    /// The migrated database that is there and the settings, for commands beside a server.
    pub(crate) fn open(&self) -> Result<(Db, Config), Failure> {
        let config = self.config(&Network::default())?;
        let db = open(&config, &Options { readers: 1, writers: 2, ..Options::default() })?;
        Ok((db, config))
    }

    /// `open` for commands that only look: nothing is changed, not even the schema.
    pub(crate) fn open_unchanged(&self) -> Result<(Db, Config), Failure> {
        let config = self.config(&Network::default())?;
        Ok((open_unchanged(&config)?, config))
    }

    /// `open` for the commands a company begins with: the database is made when there is none.
    pub(crate) fn create(&self) -> Result<(Db, Config), Failure> {
        let config = self.config(&Network::default())?;
        let db = create(&config, &Options { readers: 1, writers: 2, ..Options::default() })?;
        Ok((db, config))
    }
}

/// Opens the database of a company and brings its schema up to date. One that is not there is not made: the folder
/// was mistyped.
pub(crate) fn open(config: &Config, options: &Options) -> Result<Db, Failure> {
    migrated(open_there(config, options)?)
}

/// Opens the database of a company without changing anything of it; refused when its schema is not the newest.
fn open_unchanged(config: &Config) -> Result<Db, Failure> {
    let options = Options { readers: 1, is_read_only: true, ..Options::default() };
    let db = open_there(config, &options)?;
    let missing: Vec<&str> = store::pending(&db, MIGRATIONS)?.iter().map(|m| m.name).collect();
    if missing.is_empty() {
        return Ok(db);
    }
    Err(Failure::Schema(format!(
        "数据库结构不是最新的（缺少 {}），没有检查，也没有改动任何数据。请先运行 kehu db migrate",
        missing.join("、")
    )))
}

fn open_there(config: &Config, options: &Options) -> Result<Db, Failure> {
    refuse_unfinished(config)?;
    let missing = |what: String| {
        Failure::Usage(format!(
            "{what}。请检查 --data 和 --database（或环境变量 KEHU_DATA、KEHU_DATABASE）写得对不对；\
             新建公司请用 kehu setup 或 kehu serve"
        ))
    };
    if let Location::Sqlite(path) = &config.database
        && !path.is_file()
    {
        let folder = path.parent().unwrap_or(path);
        let name = path.file_name().unwrap_or_default();
        return Err(missing(format!("目录 {} 里没有数据库 {}", folder.display(), name.display())));
    }
    let db = open_as_set(config, options)?;
    if !store::is_migrated(&db)? {
        return Err(missing(match &config.database {
            Location::Sqlite(path) => format!("{} 里没有 kehu 的数据", path.display()),
            Location::Postgres(_) => "指定的 PostgreSQL 数据库里没有 kehu 的数据".to_owned(),
        }));
    }
    Ok(db)
}

fn open_as_set(config: &Config, options: &Options) -> Result<Db, Failure> {
    let options = Options { allow_unsafe: config.allow_unsafe_postgres, ..options.clone() };
    Ok(Db::open(&config.database, &options)?)
}

/// Opens the database, makes it when there is none, and brings its schema up to date. Only for `serve`, `setup`,
/// `db migrate` and `demo load`.
pub(crate) fn create(config: &Config, options: &Options) -> Result<Db, Failure> {
    refuse_unfinished(config)?;
    migrated(open_as_set(config, options)?)
}

/// A place into which a backup is half restored is no company.
fn refuse_unfinished(config: &Config) -> Result<(), Failure> {
    if !backups::is_unfinished(&config.data_dir) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "目录 {} 里有一次没有完成的恢复，请先对它重新运行 kehu backup restore",
        config.data_dir.display()
    )))
}

fn migrated(db: Db) -> Result<Db, Failure> {
    for name in store::migrate(&db, MIGRATIONS)? {
        eprintln!("数据库结构已更新：{name}");
    }
    db.write_blocking(catalogue::seed_missing)?;
    if let Some(customers) = customers::refresh_index(&db)?.filter(|n| *n > 0) {
        eprintln!("搜索索引已重建（{customers} 个客户）");
    }
    Ok(db)
}

/// From now on a file that has grown as far as it may (`ulimit -f`) is an error for whoever writes it, as a full disk is:
/// the signal that comes with it would end the program in the midst of its work.
pub(crate) fn outlive_file_size_limit() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _within = runtime.enter();
    // Once somebody has listened to a signal it has no other effect any more.
    let number = rustix::process::Signal::XFSZ.as_raw();
    drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(number))?);
    Ok(())
}

/// Reads a password from standard input: the first line, without its end.
pub(crate) fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() { Err(Failure::Usage("标准输入里没有密码".into())) } else { Ok(password) }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // The sandboxed child must limit itself before any thread or runtime exists.
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return sheets::worker::main();
    }
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Setup(arguments) => setup::run(&arguments),
        Command::User(command) => user::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Db(command) => db::run(&command),
        Command::Backup(command) => backup::run(&command),
        Command::Demo(command) => demo::run(&command),
        Command::Import(command) => import::run(&command),
        Command::Export(command) => export::run(&command),
        Command::Policy(command) => policy::run(&command),
        Command::Analyze(command) => analyze::run(&command),
        Command::Openapi => print_openapi(),
        Command::Routes => print_routes(),
        Command::Worker { what } => Err(Failure::Usage(format!("没有 worker {what}"))),
    };
    let (code, text) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(text)) => (1, text),
        Err(Failure::Usage(text)) => (2, text),
        Err(Failure::Schema(text)) => (4, text),
        Err(Failure::Storage(text)) => (5, text),
    };
    eprintln!("{}", text.trim_end());
    ExitCode::from(code)
}

/// Prints a line; a reader that has gone away is no failure.
pub(crate) fn say(line: &str) -> Result<(), Failure> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn print_openapi() -> Result<(), Failure> {
    let json = crate::router::openapi().to_pretty_json().map_err(|e| Failure::Refused(e.to_string()))?;
    say(&json)
}

fn print_routes() -> Result<(), Failure> {
    for route in crate::router::table() {
        say(&format!("{:6} {:50} {:?}", route.method, route.path, route.need))?;
    }
    Ok(())
}
