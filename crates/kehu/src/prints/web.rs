//! The page a printed code leads to: for whoever holds the paper, signed in or not. It tells what was printed and how
//! often, and nothing of what the record holds.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;

use super::log::by_code;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::web::{Need, Page, Routes, Shell, html};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/verify/{code}", Need::Public, verify)
}

#[derive(Template)]
#[template(path = "prints/verify.html")]
struct VerifyPage {
    l: Lang,
    shell: Shell,
    title: String,
    count: i64,
    at: String,
    /// How often it has been printed since.
    later: i64,
}

async fn verify(
    Shared(app): Shared<App>,
    page: Page,
    Path(code): Path<String>,
) -> Result<Response, AppError> {
    let is_code = code.len() == 32 && code.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_code {
        return Err(AppError::NotFound);
    }
    let (print, newest) = app
        .db
        .read(move |conn| {
            let print = by_code(conn, &code)?;
            let newest = conn.count(
                "SELECT COUNT(*) FROM prints WHERE object = $1 AND object_id = $2",
                &[(&print.object).into(), print.object_id.into()],
            )?;
            Ok::<_, AppError>((print, newest))
        })
        .await?;
    html(&VerifyPage {
        l: page.l,
        shell: page.shell(&[]),
        title: print.title,
        count: print.count,
        at: app.zone.minute(print.at),
        later: newest - print.count,
    })
}
