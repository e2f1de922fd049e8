//! `kehu user add|list|passwd`.

use clap::Subcommand;

use super::{Failure, Place, read_password, say};
use crate::access::Actor;
use crate::auth;
use crate::clock::Clock;
use crate::org;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 添加人员
    Add {
        #[command(flatten)]
        place: Place,
        /// 用户名
        #[arg(long)]
        username: String,
        /// 姓名
        #[arg(long)]
        name: String,
        /// 角色代码，可以重复:administrator、staff(本人客户)、staff_all(全部客户)或公司自己的角色
        #[arg(long, default_value = "staff")]
        role: Vec<String>,
        /// 从标准输入读取密码
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// 列出人员
    List {
        #[command(flatten)]
        place: Place,
    },
    /// 重设密码
    Passwd {
        #[command(flatten)]
        place: Place,
        /// 用户名
        #[arg(long)]
        username: String,
        /// 从标准输入读取密码
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let now = Clock::System.now();
    match command {
        Command::Add { place, username, name, role, .. } => {
            let (db, _) = place.open()?;
            let known = db.read_blocking(org::load_roles)?;
            let named = |code: &String| known.iter().find(|r| r.code == *code && !r.is_bundle).map(|r| r.id);
            let roles = role
                .iter()
                .map(|code| named(code).ok_or_else(|| Failure::Usage(format!("没有角色 {code}"))))
                .collect::<Result<Vec<_>, _>>()?;
            let person = org::NewPerson {
                username: username.clone(),
                name: name.clone(),
                title: String::new(),
                phone: String::new(),
                email: String::new(),
                roles,
                password_hash: new_hash(username)?,
                must_change_password: false,
            };
            let id =
                db.write_blocking(move |tx| org::add_person(tx, &Actor::command_line(), &person, now))?;
            say(&format!("已添加 {username} {id}"))
        }
        Command::List { place } => {
            let (db, _) = place.open()?;
            let known = db.read_blocking(org::load_roles)?;
            for person in db.read_blocking(org::list_people)? {
                let codes = person.roles.iter().filter_map(|id| known.iter().find(|r| r.id == *id));
                let codes: Vec<&str> = codes.map(|r| r.code.as_str()).collect();
                let state = if person.is_active { "在用" } else { "停用" };
                say(&format!(
                    "{} {:20} {:10} {:20} {state}",
                    person.id,
                    person.username,
                    person.name,
                    codes.join(",")
                ))?;
            }
            Ok(())
        }
        Command::Passwd { place, username, .. } => {
            let (db, _) = place.open()?;
            let hash = new_hash(username)?;
            let key = org::username_key(username);
            db.write_blocking(move |tx| {
                let id = tx.value("SELECT id FROM people WHERE username = $1", &[(&key).into()])?;
                org::reset_password(
                    tx,
                    &Actor::command_line(),
                    id.ok_or(crate::error::AppError::NotFound)?,
                    &hash,
                    now,
                )
            })?;
            say("密码已重设，下次登录须自行更换")
        }
    }
}

fn new_hash(username: &str) -> Result<String, Failure> {
    let password = read_password()?;
    if let Some(text) = auth::check_new_password(&password, &[username]) {
        return Err(Failure::Refused(text.to_string()));
    }
    Ok(auth::hash_now(&password)?)
}
