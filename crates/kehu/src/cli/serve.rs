//! `kehu serve`.

use std::fs::File;
use std::time::{Duration, Instant};

use clap::Args;
use store::{Location, Options};
use tokio::net::TcpListener;

use super::{Failure, Network, Place, create, outlive_file_size_limit};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::{auth, demo, jobs, menu, router, web};

/// How long an ending server waits for work on files that nobody can stop.
const LEAVING: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    network: Network,
    /// 空库时装入演示公司
    #[arg(long)]
    demo: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let began = Instant::now();
    super::log::begin();
    let config = arguments.place.config(&arguments.network)?;
    if config.is_exposed_in_clear() {
        return Err(Failure::Usage(format!(
            "监听 {} 会让密码在网络上明文传输,已拒绝启动。请让 kehu 只监听 127.0.0.1,由 nginx 等带 HTTPS 的反向代理转发,\
             并用 --trusted-proxy 写明代理的地址。",
            config.listen
        )));
    }
    outlive_file_size_limit()?;
    std::fs::create_dir_all(&config.data_dir)?;
    let _lock = lock(&config)?;
    let db = create(&config, &Options::default())?;
    let app = App::new(db, config, Clock::System, menu::HOOKS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(app, arguments.demo, began));
    // Work on files that is still going on is for nobody any more.
    runtime.shutdown_timeout(LEAVING);
    outcome
}

/// The file that a server holds in its data folder.
pub(super) const LOCK: &str = "serve.lock";

/// Holds the data folder, so that two servers never open one SQLite database.
fn lock(config: &Config) -> Result<Option<File>, Failure> {
    if !matches!(config.database, Location::Sqlite(_)) {
        return Ok(None);
    }
    let path = config.data_dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(_) => Err(Failure::Usage(format!(
            "数据目录 {} 正被另一个 kehu 使用(in use)",
            config.data_dir.display()
        ))),
    }
}

async fn serve(app: App, wants_demo: bool, began: Instant) -> Result<(), Failure> {
    let listener = TcpListener::bind(app.config.listen).await.map_err(|e| {
        Failure::Usage(format!("不能监听 {}：{e}（端口被占用时请用 --listen 换一个）", app.config.listen))
    })?;
    let address = listener.local_addr()?;
    let is_set_up = app.db.read(auth::is_set_up).await?;
    if wants_demo && !is_set_up {
        demo::load(&app).await?;
    }
    let stop_jobs = jobs::start(&app);
    let service = router::build(&app);
    println!("kehu 已启动：http://{address}/  （{} 毫秒）", began.elapsed().as_millis());
    if !is_set_up && !wants_demo {
        println!(
            "首次使用请打开上面的地址，设置公司和管理员；从其他机器设置时需要设置口令：{}",
            app.setup_code
        );
    }
    if app.company().await?.is_some_and(|c| c.is_demo) {
        demo::print_log_ins();
    }
    let limits = web::serve::Limits::behind(&app.config.trusted_proxies);
    web::serve::serve(listener, service, limits, stop_signal()).await;
    stop_jobs.stop().await;
    Ok(())
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}
