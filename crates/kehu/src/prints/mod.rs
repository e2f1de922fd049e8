//! Paper: one mechanism for everything that is printed. The crate `print` makes the PDF; here stands who printed what how
//! often, what a reprint is marked by, and the page that a printed code leads to.
//!
//! A print is written down before its PDF is made: `record` in the transaction of whoever prints, then the file, as often
//! as the browser asks for it within [`FRESH`].

mod log;

pub mod web;

pub use log::{FRESH, Print, find, of_object, record};

use axum::body::Body;
use axum::http::{Response, StatusCode, header};

use crate::app::App;
use crate::error::AppError;
use crate::i18n::Text;
use crate::text;
use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(routes)
}

/// PDFs made at once; the rest wait. A long report takes some hundred megabytes.
static PLACES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// Makes a PDF off the request path: it takes some tenths of a second of one core.
pub async fn make<F>(app: &App, work: F) -> Result<print::Printed, AppError>
where
    F: FnOnce(&print::Printer) -> Result<print::Printed, print::PrintError> + Send + 'static,
{
    let _place = PLACES.acquire().await.map_err(|e| AppError::Internal(e.to_string()))?;
    let printer = app.printer.clone();
    let done = tokio::task::spawn_blocking(move || work(&printer)).await;
    done.map_err(|e| AppError::Internal(format!("printing: {e}")))?.map_err(refused)
}

/// A refusal of the printer in words.
fn refused(error: print::PrintError) -> AppError {
    match error {
        print::PrintError::NoFont { .. } => AppError::Conflict(text!(
            "这台机器上没有中文字体，不能生成 PDF；请管理员安装（Debian：apt install fonts-noto-cjk）"
        )),
        other => {
            let said = other.to_string();
            AppError::Conflict(Text::Both(said.clone(), said))
        }
    }
}

/// A PDF as an answer, shown in the browser under a name of ours.
pub fn answer(printed: print::Printed, name: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(printed.bytes));
    *response.status_mut() = StatusCode::OK;
    let disposition = format!("inline; filename*=UTF-8''{}", crate::files::percent(name));
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &str| {
        if let Ok(value) = header::HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/pdf");
    set(header::CONTENT_DISPOSITION, &disposition);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CACHE_CONTROL, "private, no-store");
    response
}
