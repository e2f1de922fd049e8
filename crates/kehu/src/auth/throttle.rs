//! Slows down guessing: each wrong password doubles the wait for that account and that address. Counters live in the
//! database, so a restart does not clear them. A person on a device he has used before has a counter of his own and
//! cannot be locked out by strangers.

use std::net::{IpAddr, Ipv6Addr};

use store::{Conn, Tx};

use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;
use crate::settings::{Kind, Parameter};

/// Wrong tries that cost nothing.
pub(super) const FREE: Parameter = Parameter {
    name: "auth.free_tries",
    group: "登录",
    title: "密码输错几次以内不用等",
    help: "超过后每错一次等待时间加倍，防止有人猜密码；常用设备单独计数，不受他人影响",
    kind: Kind::Whole { min: 2, max: 20, unit: "次", default: 4 },
};
/// The longest wait.
pub(super) const LONGEST: Parameter = Parameter {
    name: "auth.longest_wait_minutes",
    group: "登录",
    title: "输错密码后最长等待",
    help: "等待时间加倍到这么久为止；管理员可在“登录与账号”里提前解除",
    kind: Kind::Whole { min: 1, max: 1440, unit: "分钟", default: 15 },
};
/// A quiet time after which the count starts anew, in milliseconds.
const FORGET: i64 = 24 * 3600 * 1000;
/// Addresses are shared by offices: they may fail more often before waiting.
const FREE_ADDRESS: i64 = 20;

/// What is counted: `account:…` and `address:…`, or `device:…` alone for a device this person has used before. What
/// others do at the same address (an office behind one router) keeps nobody off his own device.
pub(super) fn subjects(username_key: &str, ip: &str, device_hash: Option<&str>) -> Vec<String> {
    match device_hash {
        Some(device) => vec![format!("device:{device}:{username_key}")],
        None => vec![format!("account:{username_key}"), of_address(ip)],
    }
}

/// What is counted of an address alone.
pub(super) fn of_address(ip: &str) -> String {
    format!("address:{}", household_of(ip))
}

/// Whose address it is: of IPv6 addresses the first half, for the second everybody chooses himself.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// [`household`] of an address as it is written; what is none stays as it is.
pub(crate) fn household_of(ip: &str) -> String {
    ip.parse().map_or_else(|_| ip.to_owned(), |ip| household(ip).to_string())
}

/// What became of a try before its secret is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was counted and may go on.
    Counted,
    /// It has to wait, so many seconds.
    Waits(u64),
}

impl Begun {
    /// A try that has to wait is refused.
    pub(super) fn or_refuse(self) -> Result<(), AppError> {
        match self {
            Self::Counted => Ok(()),
            Self::Waits(seconds) => Err(AppError::TooMany(seconds)),
        }
    }
}

/// Counts a try, or has it wait. The first one of each wait of each subject leaves `entry` as a row; further ones do not,
/// so that whoever goes on trying cannot fill the log. Commit it, whatever it answers, and [`Begun::or_refuse`] afterwards.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    subjects: &[String],
    entry: &Entry<'_>,
    now: Millis,
) -> store::Result<Begun> {
    let wait = wait(tx, subjects, now)?;
    if wait <= 0 {
        count(tx, subjects, now)?;
        return Ok(Begun::Counted);
    }
    if is_first_of_wait(tx, subjects, now)? {
        audit::record(tx, actor, now, entry)?;
    }
    Ok(Begun::Waits((wait as u64).div_ceil(1000)))
}

/// Whether one of the subjects has to wait and nothing was noted of that wait; from now on it is. What was noted stands
/// beside the counters, as a subject of its own.
fn is_first_of_wait(tx: &mut Tx<'_>, subjects: &[String], now: Millis) -> store::Result<bool> {
    let mut is_first = false;
    for subject in subjects {
        let noted = tx.exec(
            "INSERT INTO login_throttle (subject, failures, last_at, blocked_until)
             SELECT $1, 0, last_at, blocked_until FROM login_throttle WHERE subject = $2 AND blocked_until > $3
             ON CONFLICT (subject) DO UPDATE SET blocked_until = excluded.blocked_until, last_at = excluded.last_at
               WHERE login_throttle.blocked_until <> excluded.blocked_until",
            &[format!("noted:{subject}").into(), subject.into(), now.into()],
        )?;
        is_first |= noted > 0;
    }
    Ok(is_first)
}

/// Milliseconds until any of the subjects may try again; 0 when now.
fn wait(tx: &mut Tx<'_>, subjects: &[String], now: Millis) -> store::Result<i64> {
    let mut longest = 0;
    for subject in subjects {
        let until = tx
            .value::<i64>("SELECT blocked_until FROM login_throttle WHERE subject = $1", &[subject.into()])?;
        longest = longest.max(until.unwrap_or(0) - now);
    }
    Ok(longest)
}

/// Counts a wrong try before the password is looked at; `forgive` takes it back after a right one. Counting first
/// means that parallel tries cannot slip through together.
fn count(tx: &mut Tx<'_>, subjects: &[String], now: Millis) -> store::Result<()> {
    let (free_tries, longest) = (FREE.whole(tx)?, LONGEST.whole(tx)? * 60_000);
    for subject in subjects {
        let failures = tx
            .value::<i64>(
                "INSERT INTO login_throttle (subject, failures, last_at, blocked_until) VALUES ($1, 1, $2, 0)
                 ON CONFLICT (subject) DO UPDATE SET
                   failures = CASE WHEN login_throttle.last_at < $3 THEN 1 ELSE login_throttle.failures + 1 END,
                   last_at = $2
                 RETURNING failures",
                &[subject.into(), now.into(), (now - FORGET).into()],
            )?
            .unwrap_or(1);
        let free = if subject.starts_with("address:") { FREE_ADDRESS } else { free_tries };
        tx.exec(
            "UPDATE login_throttle SET blocked_until = $2 WHERE subject = $1",
            &[subject.into(), (now + delay(failures - free, longest)).into()],
        )?;
    }
    Ok(())
}

/// 1 s, 2 s, 4 s … for the first, second, third try beyond the free ones.
fn delay(beyond: i64, longest: i64) -> i64 {
    if beyond <= 0 { 0 } else { (1000_i64 << (beyond - 1).min(20)).min(longest) }
}

/// Clears the person's own counter after a right password; the address keeps half of its count.
pub(super) fn forgive(tx: &mut Tx<'_>, subjects: &[String]) -> store::Result<()> {
    for subject in subjects {
        if subject.starts_with("address:") {
            tx.exec(
                "UPDATE login_throttle SET failures = failures / 2, blocked_until = 0 WHERE subject = $1",
                &[subject.into()],
            )?;
        } else {
            tx.exec("DELETE FROM login_throttle WHERE subject = $1", &[subject.into()])?;
        }
    }
    Ok(())
}

/// An account that has to wait after wrong passwords.
#[derive(Clone, Debug)]
pub struct LockedAccount {
    /// Whose.
    pub person_id: PersonId,
    /// His name.
    pub name: String,
    /// His sign-in name.
    pub username: String,
    /// Until when.
    pub until: Millis,
    /// Wrong tries.
    pub failures: i64,
}

/// The accounts that have to wait now, the longest first; at most 200.
pub fn list_locked(conn: &mut Conn<'_>, now: Millis) -> store::Result<Vec<LockedAccount>> {
    let rows: Vec<(PersonId, String, String, Millis, i64)> = conn.rows(
        "SELECT p.id, p.name, p.username, t.blocked_until, t.failures
         FROM login_throttle t JOIN people p ON t.subject = 'account:' || p.username
         WHERE t.blocked_until > $1 ORDER BY t.blocked_until DESC LIMIT 200",
        &[now.into()],
    )?;
    let locked = rows.into_iter().map(|(person_id, name, username, until, failures)| LockedAccount {
        person_id,
        name,
        username,
        until,
        failures,
    });
    Ok(locked.collect())
}

/// Lets an account try again at once; for those who grant roles.
pub fn unlock(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Millis) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let username: Option<String> = tx.value("SELECT username FROM people WHERE id = $1", &[id.into()])?;
    let username = username.ok_or(AppError::NotFound)?;
    tx.exec("DELETE FROM login_throttle WHERE subject = $1", &[format!("account:{username}").into()])?;
    let after = serde_json::json!({ "username": username });
    audit::record(tx, actor, now, &Entry::of("person.unlocked", "person", id.0).after(&after))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_counts_by_its_first_half() {
        assert_eq!(household_of("2001:db8:1:2:3:4:5:6"), household_of("2001:db8:1:2::1"));
        assert_ne!(household_of("2001:db8:1:2::1"), household_of("2001:db8:1:3::1"));
        assert_eq!(household_of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(household_of("192.0.2.7"), household_of("192.0.2.8"));
        assert_eq!(household_of(""), "");
    }

    #[test]
    fn the_wait_doubles_and_has_an_end() {
        let delay = |beyond| delay(beyond, 900_000);
        assert_eq!(delay(0), 0);
        assert_eq!(delay(1), 1_000);
        assert_eq!(delay(2), 2_000);
        assert_eq!(delay(10), 512_000);
        assert_eq!(delay(11), 900_000);
        assert_eq!(delay(i64::MAX), 900_000);
    }
}
