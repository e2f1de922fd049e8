//! `kehu demo load`.

use clap::Subcommand;

use super::{Failure, Place, create, say};
use crate::app::App;
use crate::auth;
use crate::clock::Clock;
use crate::demo;
use crate::menu;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 把演示公司装入空数据库
    Load {
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Load { place } = command;
    let config = place.config(&super::Network::default())?;
    std::fs::create_dir_all(&config.data_dir)?;
    let db = create(&config, &store::Options::default())?;
    if db.read_blocking(auth::is_set_up)? {
        return Err(Failure::Refused("数据库里已经有公司，演示公司只能装入空数据库".into()));
    }
    let app = App::new(db, config, Clock::System, menu::HOOKS)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(demo::load(&app))?;
    demo::print_log_ins();
    say("演示公司已装入")
}
