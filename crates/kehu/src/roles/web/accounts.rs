//! Accounts that cannot sign in, and the sessions of everybody.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::tabs;
use crate::app::App;
use crate::auth;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, SessionId};
use crate::org;
use crate::web::{Granter, Page, Shell, Tab, flash, html, redirect};

#[derive(Template)]
#[template(path = "roles/accounts.html")]
struct AccountsPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    locked: Vec<Locked>,
    disabled: Vec<Disabled>,
    sessions: Vec<Row>,
    sees_tokens: bool,
}

struct Locked {
    id: PersonId,
    name: String,
    username: String,
    until: String,
    failures: i64,
}

struct Disabled {
    name: String,
    username: String,
    left_on: String,
    last_login: String,
}

struct Row {
    id: SessionId,
    name: String,
    device: String,
    ip: String,
    since: String,
    seen: String,
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
) -> Result<Response, AppError> {
    let (l, now, zone) = (page.l, app.now(), &app.zone);
    let (people, locked, sessions) = app
        .db
        .read(move |conn| {
            let sessions = auth::list_all_sessions(conn, now)?;
            Ok::<_, AppError>((org::list_people(conn)?, auth::list_locked(conn, now)?, sessions))
        })
        .await?;
    let never = || l.t("从未登录").to_owned();
    let disabled = people.iter().filter(|p| !p.is_active).map(|p| Disabled {
        name: p.name.clone(),
        username: p.username.clone(),
        left_on: p.left_on.clone(),
        last_login: p.last_login_at.map_or_else(never, |at| zone.minute(at)),
    });
    html(&AccountsPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("登录与账号", "")]),
        tabs: tabs(l, "/admin/accounts"),
        disabled: disabled.collect(),
        locked: locked
            .into_iter()
            .map(|a| Locked {
                id: a.person_id,
                name: a.name,
                username: a.username,
                until: zone.minute(a.until),
                failures: a.failures,
            })
            .collect(),
        sessions: sessions
            .into_iter()
            .map(|(name, s)| Row {
                id: s.id,
                name,
                device: auth::device_title(&s.device, l),
                ip: s.ip,
                since: zone.minute(s.created_at),
                seen: zone.minute(s.seen_at),
            })
            .collect(),
        sees_tokens: actor.is_administrator(),
    })
}

pub(super) async fn end_session(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: SessionId = path_id(&id)?;
    let now = app.now();
    let done = app.db.write(move |tx| auth::end_session_of(tx, &actor, id, now)).await;
    app.forget_sessions();
    done?;
    Ok(flash(redirect(page.is_htmx, "/admin/accounts"), page.l.t("登录已结束")))
}

pub(super) async fn unlock(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| auth::unlock(tx, &actor, id, now)).await?;
    Ok(flash(redirect(page.is_htmx, "/admin/accounts"), page.l.t("已解除锁定，可以重新登录")))
}
