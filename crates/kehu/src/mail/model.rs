//! The server mail leaves by, and when a mail is tried again.

use store::{FromRow, Row};

use crate::clock::Millis;

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// From the first byte (465).
    #[default]
    Tls,
    /// After the greeting, and not without (587).
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

impl Security {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tls, Self::StartTls, Self::None];

    /// The name in the database and in forms.
    pub fn code(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }

    /// What people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Tls => "TLS（端口 465）",
            Self::StartTls => "STARTTLS（端口 587）",
            Self::None => "不加密（仅限本机）",
        }
    }

    /// The one of this name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|security| security.code() == code)
    }
}

/// The server mail leaves by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Whether mail is sent at all.
    pub is_on: bool,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: Security,
    /// Whom to sign in as; empty for nobody.
    pub username: String,
    /// Who mail comes from: `客户系统 <kehu@example.com>`.
    pub sender: String,
    /// Counts changes.
    pub version: i64,
}

impl FromRow for Server {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            is_on: row.get(0)?,
            host: row.get(1)?,
            port: u16::try_from(row.get::<i64>(2)?).unwrap_or_default(),
            security: Security::named(&row.get::<String>(3)?).unwrap_or_default(),
            username: row.get(4)?,
            sender: row.get(5)?,
            version: row.get(6)?,
        })
    }
}

/// Tries before a mail is given up.
pub(super) const TRIES: i64 = 8;

/// The pause after so many failed tries: 1 min, 4 min, 16 min … at most six hours.
pub(super) fn pause(tries: i64) -> Millis {
    let doubled = u32::try_from(tries.clamp(1, 8) * 2 - 2).unwrap_or(0);
    2_i64.pow(doubled).saturating_mul(60_000).min(6 * 3_600_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_six_hours() {
        let pauses: Vec<i64> = (1..=TRIES).map(pause).collect();
        assert_eq!(pauses[..3], [60_000, 240_000, 960_000]);
        assert_eq!(pauses[7], 6 * 3_600_000);
        assert!(pauses.windows(2).all(|w| w[0] <= w[1]));
        assert_eq!(pause(0), 60_000);
    }
}
