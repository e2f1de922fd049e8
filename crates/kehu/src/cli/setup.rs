//! `kehu setup`.

use clap::Args;

use super::{Failure, Place, read_password, say};
use crate::auth::{self, Setup};
use crate::clock::Clock;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// 公司名称
    #[arg(long)]
    company: String,
    /// 管理员用户名
    #[arg(long)]
    admin: String,
    /// 管理员姓名,默认与用户名相同
    #[arg(long)]
    name: Option<String>,
    /// 从标准输入读取密码
    #[arg(long, required = true)]
    password_stdin: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (db, _) = arguments.place.create()?;
    let password = read_password()?;
    if let Some(text) = auth::check_new_password(&password, &[&arguments.admin, &arguments.company]) {
        return Err(Failure::Refused(text.to_string()));
    }
    let input = Setup {
        company: arguments.company.clone(),
        name: arguments.name.clone().unwrap_or_else(|| arguments.admin.clone()),
        username: arguments.admin.clone(),
        password_hash: auth::hash_now(&password)?,
        is_demo: false,
    };
    let now = Clock::System.now();
    db.write_blocking(move |tx| auth::set_up(tx, &input, now))?;
    say(&format!("已建立公司“{}”，管理员 {}", arguments.company, arguments.admin))
}
