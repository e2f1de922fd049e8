//! Every living token, for administrators.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::auth;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::TokenId;
use crate::web::{Administrator, Page, Shell, flash, html, redirect};

#[derive(Template)]
#[template(path = "auth/tokens.html")]
struct TokensPage {
    l: Lang,
    shell: Shell,
    rows: Vec<TokenView>,
}

struct TokenView {
    id: TokenId,
    name: String,
    owner: String,
    created: String,
    expires: String,
    used: String,
    is_over: bool,
}

pub(super) async fn index(
    State(app): State<App>,
    Administrator(_): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let l = page.l;
    let (zone, now) = (&app.zone, app.now());
    let tokens = app.db.read(|conn| auth::list_tokens(conn, None)).await?;
    let rows = tokens
        .into_iter()
        .map(|t| TokenView {
            id: t.id,
            name: t.name,
            owner: t.owner,
            created: zone.minute(t.created_at),
            expires: t.expires_at.map_or_else(|| l.t("长期有效").to_owned(), |at| zone.minute(at)),
            used: t.last_used_at.map_or_else(|| l.t("从未使用").to_owned(), |at| zone.minute(at)),
            is_over: t.expires_at.is_some_and(|at| at <= now),
        })
        .collect();
    html(&TokensPage { l, shell: page.shell(&[("系统管理", "/admin/people"), ("API 令牌", "")]), rows })
}

pub(super) async fn revoke(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: TokenId = id.parse().map_err(|_| AppError::NotFound)?;
    let now = app.now();
    let was_alive = app.db.write(move |tx| auth::revoke_token(tx, &actor, id, now)).await?;
    app.forget_sessions();
    if !was_alive {
        return Err(AppError::NotFound);
    }
    Ok(flash(redirect(page.is_htmx, "/admin/tokens"), page.l.t("令牌已吊销，立即失效")))
}
