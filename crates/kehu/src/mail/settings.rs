//! Which server mail leaves by, and who wants any.

use lettre::message::Mailbox;
use serde_json::json;
use store::{Conn, Tx};

use super::model::{Security, Server};
use crate::access::{Actor, require_administrator};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::input::refuse;
use crate::text;

const NAME: &str = "smtp";

/// The server that was set; off until somebody sets one.
pub fn server(conn: &mut Conn<'_>) -> store::Result<Server> {
    let sql =
        "SELECT is_on, host, port, security, username, sender, version FROM mail_server WHERE name = $1";
    Ok(conn.row(sql, &[NAME.into()])?.unwrap_or_else(|| Server { port: 465, ..Server::default() }))
}

/// Sets the server: administrators, from the version they saw.
pub fn save(tx: &mut Tx<'_>, actor: &Actor, new: &Server, now: Millis) -> Result<(), AppError> {
    require_administrator(actor)?;
    let old = server(tx)?;
    if old.version != new.version {
        return Err(AppError::Stale);
    }
    check(new)?;
    tx.exec(
        "INSERT INTO mail_server (name, is_on, host, port, security, username, sender, version, updated_at, updated_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
         ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, host = excluded.host, port = excluded.port,
           security = excluded.security, username = excluded.username, sender = excluded.sender,
           version = excluded.version, updated_at = excluded.updated_at, updated_by = excluded.updated_by",
        &[
            NAME.into(),
            new.is_on.into(),
            (&new.host).into(),
            i64::from(new.port).into(),
            new.security.code().into(),
            (&new.username).into(),
            (&new.sender).into(),
            (old.version + 1).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    let facts = |server: &Server| {
        json!({
            "is_on": server.is_on, "host": server.host, "port": server.port, "security": server.security.code(),
            "username": server.username, "sender": server.sender,
        })
    };
    let (before, after) = (facts(&old), facts(new));
    let entry = Entry::of("setting.changed", "setting", 0).change(&before, &after);
    Ok(audit::record(tx, actor, now, &entry)?)
}

fn check(new: &Server) -> Result<(), AppError> {
    let mut errors = Vec::new();
    let fits = |host: &str| {
        !host.is_empty()
            && host.len() <= 253
            && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c))
    };
    if !fits(&new.host) && (new.is_on || !new.host.is_empty()) {
        errors.push(FieldError::new("host", text!("请填写邮件服务器的域名或地址，例如 smtp.example.com")));
    }
    if new.port == 0 {
        errors.push(FieldError::new("port", text!("端口为 1–65535 的整数")));
    }
    if new.username.chars().count() > 200 || new.username.chars().any(char::is_control) {
        errors.push(FieldError::new("username", text!("用户名最多 {} 个字", 200)));
    }
    if (new.is_on || !new.sender.is_empty()) && new.sender.parse::<Mailbox>().is_err() {
        errors.push(FieldError::new(
            "sender",
            text!("发件人要写成 名称 <地址>，例如 客户系统 <kehu@example.com>"),
        ));
    }
    let is_local = matches!(new.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if new.security == Security::None && !is_local && !new.host.is_empty() {
        errors.push(FieldError::new("security", text!("不加密只能用于本机的邮件服务器")));
    }
    refuse(errors)
}

/// Whether a person wants mail, and the address it would go to.
pub fn wants(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<(bool, String)> {
    let found: Option<(String, Option<bool>)> = conn.row(
        "SELECT p.email, c.wants FROM people p LEFT JOIN mail_choices c ON c.person_id = p.id WHERE p.id = $1",
        &[actor.person_id.into()],
    )?;
    Ok(found.map_or_else(Default::default, |(email, wants)| (wants.unwrap_or(false), email)))
}

/// Says whether he wants mail: for himself only.
pub fn choose(tx: &mut Tx<'_>, actor: &Actor, wanted: bool, now: Millis) -> Result<(), AppError> {
    let (before, email) = wants(tx, actor)?;
    if wanted && email.parse::<lettre::Address>().is_err() {
        return Err(AppError::field("wants", text!("您还没有登记有效的邮箱，请联系管理员登记")));
    }
    tx.exec(
        "INSERT INTO mail_choices (person_id, wants, updated_at) VALUES ($1,$2,$3)
         ON CONFLICT (person_id) DO UPDATE SET wants = excluded.wants, updated_at = excluded.updated_at",
        &[actor.person_id.into(), wanted.into(), now.into()],
    )?;
    let (before, after) = (json!({ "mail": before }), json!({ "mail": wanted }));
    let entry = Entry::of("person.mail_chosen", "person", actor.person_id.0).change(&before, &after);
    Ok(audit::record(tx, actor, now, &entry)?)
}
