//! Receiving bytes: into a temporary file first, hashed on the way, then durably to their place.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use axum::extract::multipart::{Field, MultipartError};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::sniff::{HEAD, clean_name, media_type};
use crate::app::App;
use crate::audit::hex;
use crate::error::AppError;
use crate::text;

/// Bytes received but not kept yet: dropping it removes them.
pub struct Received {
    temp: NamedTempFile,
    /// Cleaned name.
    pub name: String,
    /// Told by the content.
    pub media_type: &'static str,
    /// Bytes.
    pub size: i64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
}

/// Bytes at their place, durable, still without a row. Get it its row at once (`save`) or `discard` it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Cleaned name.
    pub name: String,
    /// Told by the content.
    pub media_type: &'static str,
    /// Bytes.
    pub size: i64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
    /// Path below the files folder: `4F/R2/01M….`
    pub stored_as: String,
}

/// The folder of all files.
pub(super) fn folder(app: &App) -> PathBuf {
    app.config.data_dir.join(super::FOLDER)
}

/// The folder of uploads under way. On the same file system as the files, so that moving is renaming.
pub(super) fn waiting_room(files: &Path) -> PathBuf {
    files.join("incoming")
}

/// An empty temporary file to write into (an error file, an export); `from_temp` takes it over. Blocks shortly.
pub fn temporary(app: &App) -> Result<NamedTempFile, AppError> {
    let waiting = waiting_room(&folder(app));
    std::fs::create_dir_all(&waiting).map_err(storage)?;
    tempfile::Builder::new().prefix("upload-").tempfile_in(&waiting).map_err(storage)
}

/// Bytes hashed and counted on their way.
struct Intake {
    hash: Sha256,
    head: Vec<u8>,
    size: u64,
}

impl Intake {
    fn new() -> Self {
        Self { hash: Sha256::new(), head: Vec::new(), size: 0 }
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        let wanted = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        self.size += bytes.len() as u64;
    }

    fn finish(self, temp: NamedTempFile, name: &str) -> Received {
        Received {
            temp,
            name: clean_name(name),
            media_type: media_type(&self.head),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            sha256: hex(&self.hash.finalize()),
        }
    }
}

/// Receives the file of a multipart form. Stops reading as soon as it is larger than the configured limit; an empty
/// file is refused.
pub async fn receive(app: &App, mut field: Field<'_>) -> Result<Received, AppError> {
    let limit = app.config.max_upload_bytes;
    let name = field.file_name().unwrap_or_default().to_owned();
    let own = app.clone();
    let temp = blocking(move || temporary(&own)).await?;
    let mut writer = tokio::fs::File::from_std(temp.reopen().map_err(storage)?);
    let mut intake = Intake::new();
    while let Some(chunk) = field.chunk().await.map_err(|e| broken(&e))? {
        if intake.size + chunk.len() as u64 > limit {
            return Err(too_large(limit));
        }
        intake.note(&chunk);
        tokio::io::AsyncWriteExt::write_all(&mut writer, &chunk).await.map_err(storage)?;
    }
    tokio::io::AsyncWriteExt::flush(&mut writer).await.map_err(storage)?;
    if intake.size == 0 {
        return Err(AppError::field("file", text!("文件是空的，请重新选择")));
    }
    Ok(intake.finish(temp, &name))
}

/// Takes over a temporary file that is completely written. Reads it once; blocks.
pub fn from_temp(temp: NamedTempFile, name: &str) -> Result<Received, AppError> {
    let mut reader = temp.reopen().map_err(storage)?;
    let mut intake = Intake::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer).map_err(storage)? {
            0 => return Ok(intake.finish(temp, name)),
            n => intake.note(&buffer[..n]),
        }
    }
}

impl Received {
    /// Path of the temporary file, to look into it before it is kept.
    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Moves the bytes to their place below `files` and makes them and their name durable. Blocks; `attach` does it
    /// off the runtime's threads.
    pub fn keep(self, files: &Path) -> Result<Stored, AppError> {
        let id = store::format_id(store::new_id());
        // The last characters of an id vary: they spread files over 1,024 × 1,024 folders.
        let stored_as = format!("{}/{}/{id}", &id[11..13], &id[9..11]);
        let target = files.join(&stored_as);
        let parent = target.parent().unwrap_or(files).to_owned();
        let existed = parent.is_dir();
        std::fs::create_dir_all(&parent).map_err(storage)?;
        self.temp.as_file().flush().and_then(|()| self.temp.as_file().sync_all()).map_err(storage)?;
        self.temp.persist_noclobber(&target).map_err(|e| storage(e.error))?;
        sync_folder(&parent)?;
        if !existed {
            for folder in parent.ancestors().skip(1).take_while(|f| f.starts_with(files)) {
                sync_folder(folder)?;
            }
        }
        Ok(Stored {
            name: self.name,
            media_type: self.media_type,
            size: self.size,
            sha256: self.sha256,
            stored_as,
        })
    }
}

fn sync_folder(folder: &Path) -> Result<(), AppError> {
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(storage)
}

/// Runs work on files off the runtime's threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| AppError::Internal(format!("file work: {e}")))?
}

/// What an error of the file system means for the one who asked.
pub(super) fn storage(error: std::io::Error) -> AppError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => AppError::Full,
        _ => AppError::Internal(format!("files: {error}")),
    }
}

pub(super) fn too_large(limit: u64) -> AppError {
    AppError::TooLarge(text!("文件超过 {} MB 的上限，请压缩或拆分后再上传", limit >> 20))
}

/// An upload that cannot be read: broken off, or not what it says.
pub(super) fn broken(error: &MultipartError) -> AppError {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return AppError::TooLarge(text!("提交的内容太大，请减少后重试"));
    }
    AppError::BadRequest(text!("文件没有传完整，请重新上传"))
}
