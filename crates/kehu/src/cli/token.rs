//! `kehu token new`.

use clap::Subcommand;

use super::{Failure, Place, say};
use crate::access::Actor;
use crate::clock::Clock;
use crate::error::AppError;
use crate::{auth, org};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 新建令牌;最后一行只有令牌本身
    New {
        #[command(flatten)]
        place: Place,
        /// 令牌属于谁
        #[arg(long)]
        user: String,
        /// 令牌用途
        #[arg(long)]
        name: String,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::New { place, user, name } = command;
    let (db, _) = place.open()?;
    let (key, name, now) = (org::username_key(user), name.clone(), Clock::System.now());
    let token = db.write_blocking(move |tx| {
        let person =
            tx.value("SELECT id FROM people WHERE username = $1 AND is_active = TRUE", &[(&key).into()])?;
        auth::create_token(tx, &Actor::command_line(), person.ok_or(AppError::NotFound)?, &name, None, now)
    })?;
    say(&format!("令牌 {} 只显示这一次，请妥善保存：", token.id))?;
    say(&token.secret)
}
