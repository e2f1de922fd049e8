//! Giving files out.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::load::{File, load};
use super::receive::{folder, storage};
use crate::access::{Actor, Verb};
use crate::app::App;
use crate::error::AppError;
use crate::ids::FileId;

/// Where the bytes of a file lie.
pub fn store_path(app: &App, file: &File) -> PathBuf {
    folder(app).join(&file.stored_as)
}

/// A file the actor may read, and its bytes opened.
pub async fn open(app: &App, actor: &Actor, id: FileId) -> Result<(File, tokio::fs::File), AppError> {
    let actor = actor.clone();
    let file = app.db.read(move |conn| load(conn, &actor, Verb::Read, id)).await?;
    let bytes = open_bytes(app, &file).await?;
    Ok((file, bytes))
}

/// The bytes of a file that the caller has decided may be read.
pub async fn open_bytes(app: &App, file: &File) -> Result<tokio::fs::File, AppError> {
    tokio::fs::File::open(store_path(app, file)).await.map_err(storage)
}

/// The bytes as an answer. Always a download, except for pictures when `inline`; never anything a browser would run.
pub fn answer(file: &File, bytes: tokio::fs::File, inline: bool) -> Response<Body> {
    let is_shown = inline && file.is_picture();
    let stream = tokio_util::io::ReaderStream::with_capacity(bytes, 64 << 10);
    let mut response = Response::new(Body::from_stream(stream));
    *response.status_mut() = StatusCode::OK;
    let kind = if is_shown { "inline" } else { "attachment" };
    let disposition = format!("{kind}; filename*=UTF-8''{}", percent(&file.name));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, if is_shown { &file.media_type } else { "application/octet-stream" });
    set(header::CONTENT_LENGTH, &file.size.to_string());
    set(header::CONTENT_DISPOSITION, &disposition);
    set(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CACHE_CONTROL, "private, no-store");
    // Compressing would drop the length and gains nothing on most files.
    set(header::CONTENT_ENCODING, "identity");
    response
}

/// A name for `filename*` (RFC 8187).
pub(crate) fn percent(name: &str) -> String {
    let mut written = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            written.push(byte as char);
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}
