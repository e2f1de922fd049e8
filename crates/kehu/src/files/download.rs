//! Giving files out.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::attach::facts;
use super::load::File;
use super::receive::{folder, storage};
use crate::access::Actor;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::error::AppError;

/// Where the bytes of a file lie.
pub fn store_path(app: &App, file: &File) -> PathBuf {
    folder(app).join(&file.stored_as)
}

/// The bytes of a file that the caller has decided may be read, on their way to the actor; pictures may be shown when
/// `inline`. That they leave is noted before they do, for pictures on a page too, but not when only the headers are asked
/// for. Every answer is the whole file: neither parts (`Range`) nor "not modified" are answered, so each one counts.
pub async fn hand_out(
    app: &App,
    actor: &Actor,
    method: &Method,
    file: &File,
    inline: bool,
) -> Result<Response<Body>, AppError> {
    let bytes = open_bytes(app, file).await?;
    if method != Method::HEAD {
        note(app, actor, file).await?;
    }
    Ok(answer(file, bytes, inline))
}

async fn note(app: &App, actor: &Actor, file: &File) -> Result<(), AppError> {
    let (actor, after, now) = (actor.clone(), facts(file), app.now());
    let (id, customer) = (file.id.0, file.customer_id.map_or(0, |customer| customer.0));
    let noted = app.db.write(move |tx| {
        let entry = Entry::of("file.downloaded", "file", id).customer(customer).after(&after);
        audit::record(tx, &actor, now, &entry)
    });
    Ok(noted.await?)
}

async fn open_bytes(app: &App, file: &File) -> Result<tokio::fs::File, AppError> {
    tokio::fs::File::open(store_path(app, file)).await.map_err(storage)
}

/// The bytes as an answer. Always a download, except for pictures when `inline`; never anything a browser would run.
fn answer(file: &File, bytes: tokio::fs::File, inline: bool) -> Response<Body> {
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
