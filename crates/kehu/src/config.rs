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
    /// Puts the sources together. `None` means the command line and the environment say nothing.
    pub fn from_sources(
        data: Option<PathBuf>,
        database: Option<String>,
        listen: Option<SocketAddr>,
        trusted_proxies: Vec<IpAddr>,
    ) -> Result<Self, String> {
        let file = FileConfig::read(data.as_deref())?;
        let data_dir = data.or(file.data).unwrap_or_else(|| PathBuf::from("data"));
        let database = match database.or(file.database) {
            Some(url) => Location::parse(&url).map_err(|e| e.to_string())?,
            None => Location::Sqlite(data_dir.join("kehu.sqlite")),
        };
        let trusted_proxies = if trusted_proxies.is_empty() { file.trusted_proxies } else { trusted_proxies };
        let listen = listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let max_upload_bytes = file.max_upload_mib.unwrap_or(50).clamp(1, 2048) << 20;
        Ok(Self { data_dir, database, listen, trusted_proxies, max_upload_bytes })
    }

    /// Whether serving on this address would send passwords over a network in the clear.
    pub fn is_exposed_in_clear(&self) -> bool {
        !self.listen.ip().is_loopback() && self.trusted_proxies.is_empty()
    }
}
