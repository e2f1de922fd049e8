//! Every setting of a process, read once: command line before environment before `kehu.toml` before default.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use store::Location;

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of database, files and logs.
    pub data_dir: PathBuf,
    /// Where the database is.
    pub database: Location,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Listening beyond this machine without
    /// one is refused: passwords would cross the network unencrypted.
    pub trusted_proxies: Vec<IpAddr>,
    /// Largest accepted upload in bytes.
    pub max_upload_bytes: u64,
    /// Folder of backups.
    pub backups_dir: PathBuf,
    /// The password by which mail is handed to its server. It stands here and in no table, so that it is in no backup.
    pub smtp_password: Secret,
    /// Whether a PostgreSQL server that may lose what it has acknowledged is taken: for data that is thrown away.
    pub allow_unsafe_postgres: bool,
    /// Where settings that are not defaults came from, by their key in `kehu.toml`.
    pub origins: Origins,
}

/// Something that is never shown, not even to who looks for a mistake.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps it.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

/// Where a setting came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    #[default]
    Default,
    /// `kehu.toml`.
    File,
    /// A variable `KEHU_…`.
    Environment,
    /// An option of the command.
    Command,
}

impl Origin {
    /// What people call it (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Default => "默认",
            Self::File => "kehu.toml",
            Self::Environment => "环境变量",
            Self::Command => "命令行",
        }
    }
}

/// Keys and where their values came from.
pub type Origins = Vec<(&'static str, Origin)>;

/// What the command line and the environment say; `None` where they say nothing.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// See `Config::data_dir`.
    pub data: Option<PathBuf>,
    /// Database URL.
    pub database: Option<String>,
    /// See `Config::backups_dir`.
    pub backups: Option<PathBuf>,
    /// See `Config::listen`.
    pub listen: Option<SocketAddr>,
    /// See `Config::trusted_proxies`.
    pub trusted_proxies: Vec<IpAddr>,
}

/// `kehu.toml`, looked for in the data folder and then in the working folder. Each key is also `KEHU_…` in the
/// environment and an option of the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    /// See `Config::data_dir`.
    pub data: Option<PathBuf>,
    /// Database URL: `sqlite:PATH` or `postgres://…`.
    pub database: Option<String>,
    /// See `Config::listen`.
    pub listen: Option<SocketAddr>,
    /// See `Config::trusted_proxies`.
    pub trusted_proxies: Vec<IpAddr>,
    /// See `Config::max_upload_bytes`, in MiB.
    pub max_upload_mib: Option<u64>,
    /// See `Config::backups_dir`.
    pub backups: Option<PathBuf>,
    /// See `Config::smtp_password`; `KEHU_SMTP_PASSWORD` goes before it.
    pub smtp_password: Option<String>,
    /// See `Config::allow_unsafe_postgres`; `KEHU_ALLOW_UNSAFE_POSTGRES=1` says the same.
    pub allow_unsafe_postgres: Option<bool>,
}

impl FileConfig {
    /// Reads `kehu.toml` if there is one; a mistake in it is an error with its line.
    pub fn read(data_dir: Option<&Path>) -> Result<Self, String> {
        for folder in [data_dir, Some(Path::new("."))].into_iter().flatten() {
            let path = folder.join("kehu.toml");
            match std::fs::read_to_string(&path) {
                Ok(text) => return toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display())),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(format!("{}: {e}", path.display())),
            }
        }
        Ok(Self::default())
    }
}

impl Config {
    /// Puts the sources together.
    pub fn from_sources(given: Given) -> Result<Self, String> {
        let file = FileConfig::read(given.data.as_deref())?;
        let mut origins = Origins::new();
        let mut note = |key, variable: &str, is_given: bool, is_in_file: bool| {
            let origin = match (is_given, std::env::var_os(variable).is_some_and(|v| !v.is_empty())) {
                (true, true) => Origin::Environment,
                (true, false) => Origin::Command,
                (false, _) if is_in_file => Origin::File,
                (false, _) => return,
            };
            origins.push((key, origin));
        };
        note("data", "KEHU_DATA", given.data.is_some(), file.data.is_some());
        note("database", "KEHU_DATABASE", given.database.is_some(), file.database.is_some());
        note("listen", "KEHU_LISTEN", given.listen.is_some(), file.listen.is_some());
        let (given_proxies, filed_proxies) =
            (!given.trusted_proxies.is_empty(), !file.trusted_proxies.is_empty());
        note("trusted_proxies", "KEHU_TRUSTED_PROXIES", given_proxies, filed_proxies);
        note("max_upload_mib", "", false, file.max_upload_mib.is_some());
        note("backups", "KEHU_BACKUPS", given.backups.is_some(), file.backups.is_some());
        let data_dir = given.data.or(file.data).unwrap_or_else(|| PathBuf::from("data"));
        let database = match given.database.or(file.database) {
            Some(url) => Location::parse(&url).map_err(|e| e.to_string())?,
            None => Location::Sqlite(data_dir.join("kehu.sqlite")),
        };
        let trusted_proxies = if given_proxies { given.trusted_proxies } else { file.trusted_proxies };
        let listen = given.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let max_upload_bytes = file.max_upload_mib.unwrap_or(50).clamp(1, 2048) << 20;
        let backups_dir = given.backups.or(file.backups).unwrap_or_else(|| data_dir.join("backups"));
        let smtp_password = std::env::var("KEHU_SMTP_PASSWORD").ok().filter(|secret| !secret.is_empty());
        let smtp_password = Secret::new(smtp_password.or(file.smtp_password).unwrap_or_default());
        let allow_unsafe_postgres = allows_unsafe_postgres() || file.allow_unsafe_postgres.unwrap_or(false);
        Ok(Self {
            data_dir,
            database,
            listen,
            trusted_proxies,
            max_upload_bytes,
            backups_dir,
            smtp_password,
            allow_unsafe_postgres,
            origins,
        })
    }

    /// Where the value of a key came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.iter().find(|(name, _)| *name == key).map_or(Origin::Default, |(_, origin)| *origin)
    }

    /// The settings for people: key, title (source text), value. Passwords are left out.
    pub fn facts(&self) -> Vec<(&'static str, &'static str, String)> {
        let database = shown(&self.database);
        let proxies: Vec<String> = self.trusted_proxies.iter().map(ToString::to_string).collect();
        vec![
            ("data", "数据目录", self.data_dir.display().to_string()),
            ("database", "数据库", database),
            ("backups", "备份目录", self.backups_dir.display().to_string()),
            ("listen", "监听地址", self.listen.to_string()),
            ("trusted_proxies", "可信的反向代理", proxies.join(", ")),
            ("max_upload_mib", "单个上传文件的上限（MB）", (self.max_upload_bytes >> 20).to_string()),
        ]
    }

    /// Whether serving on this address would send passwords over a network in the clear.
    pub fn is_exposed_in_clear(&self) -> bool {
        !self.listen.ip().is_loopback() && self.trusted_proxies.is_empty()
    }
}

/// Whether the environment allows a PostgreSQL server that may lose what it has acknowledged.
pub fn allows_unsafe_postgres() -> bool {
    std::env::var_os("KEHU_ALLOW_UNSAFE_POSTGRES").is_some_and(|value| value == "1" || value == "true")
}

/// Where a database is, for people: without passwords.
pub fn shown(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => format!("sqlite:{}", path.display()),
        Location::Postgres(url) => without_secrets(url),
    }
}

/// An address of a database without the password of its user and without what follows the `?`, where one may stand too.
fn without_secrets(url: &str) -> String {
    let (url, options) = url.split_once('?').map_or((url, ""), |(url, _)| (url, "?…"));
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // A password may hold an `@`: the last one ends it.
    let rest = match rest.rsplit_once('@') {
        Some((user, place)) => format!("{}@{place}", user.split_once(':').map_or(user, |(name, _)| name)),
        None => rest.to_owned(),
    };
    format!("{scheme}://{rest}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://kehu:secret@127.0.0.1/kehu", "postgres://kehu@127.0.0.1/kehu"),
            ("postgres://kehu:se@cr:et/@db:5432/kehu?password=secret", "postgres://kehu@db:5432/kehu?…"),
            ("postgres://127.0.0.1/kehu", "postgres://127.0.0.1/kehu"),
            ("postgres://kehu@h1,h2/kehu", "postgres://kehu@h1,h2/kehu"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn each_setting_tells_where_it_came_from() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kehu.toml"), "max_upload_mib = 7\nlisten = \"127.0.0.1:9\"\n")
            .unwrap();
        let given = Given { data: Some(folder.path().to_owned()), ..Given::default() };
        let config = Config::from_sources(given).unwrap();
        assert_eq!(config.origin("max_upload_mib"), Origin::File);
        assert_eq!(config.origin("listen"), Origin::File);
        assert_eq!(config.origin("backups"), Origin::Default);
        assert_ne!(config.origin("data"), Origin::Default);
        assert_eq!(config.backups_dir, folder.path().join("backups"));
    }
}
