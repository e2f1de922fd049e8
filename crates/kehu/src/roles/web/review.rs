//! Who has had which role since when: looked at again from time to time, confirmed or taken back in batches.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sheets::write::{Cell, TableCsv};

use super::{choice, role_choices, tabs, unit_choices};
use crate::access::Directory;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, RoleId, UnitId};
use crate::roles::{Given, Standing, confirm, standing, take};
use crate::text;
use crate::web::{Choice, FormData, Granter, Page, QueryData, Shell, Tab, flash, html, redirect};

/// Rows on the page at the most; the file has them all.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "roles/review.html")]
struct ReviewPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    asked: FormData,
    query: String,
    roles: Vec<Choice>,
    units: Vec<Choice>,
    ages: Vec<Choice>,
    rows: Vec<Row>,
    total: usize,
}

struct Row {
    key: String,
    person_id: PersonId,
    person: String,
    is_active: bool,
    role: String,
    unit: String,
    since: String,
    by: String,
    reason: String,
    ends_on: String,
    last_login: String,
    confirmed: String,
}

/// The rows that fit the conditions.
fn wanted(all: Vec<Standing>, asked: &FormData, directory: &Directory, day: &str, now: i64) -> Vec<Standing> {
    let role = asked.get("role").parse::<RoleId>().ok();
    let tree = asked.get("in_unit").parse::<UnitId>().ok().map(|unit| directory.tree(unit));
    let days: i64 = asked.get("older").parse().unwrap_or(0);
    let before = now - days.clamp(0, 3_650) * 24 * 3_600_000;
    all.into_iter()
        .filter(|row| role.is_none_or(|role| row.role_id == role))
        .filter(|row| days <= 0 || row.confirmed_at.unwrap_or(row.granted_at) < before)
        .filter(|row| {
            tree.as_ref().is_none_or(|tree| {
                directory.positions(row.person_id, day).iter().any(|p| tree.contains(&p.unit_id))
            })
        })
        .collect()
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let directory = app.directory().await?;
    let (day, now) = (app.today().to_string(), app.now());
    let on = day.clone();
    let all = app.db.read(move |conn| standing(conn, None, &on)).await?;
    let rows = wanted(all, &asked, &directory, &day, now);
    let total = rows.len();
    let zone = &app.zone;
    let rows = rows.into_iter().take(MOST).map(|row| Row {
        key: format!(
            "{}:{}:{}",
            row.person_id,
            row.role_id,
            row.unit_id.map_or_else(String::new, |u| u.to_string())
        ),
        person_id: row.person_id,
        person: row.person,
        is_active: row.is_active,
        role: l.t(&row.role).to_owned(),
        unit: row.unit_id.map_or_else(|| l.t("任职的部门").to_owned(), |u| directory.path(u)),
        since: zone.minute(row.granted_at),
        by: row.granted_by,
        reason: row.reason,
        ends_on: row.ends_on,
        last_login: row.last_login_at.map_or_else(|| l.t("从未登录").to_owned(), |at| zone.minute(at)),
        confirmed: row
            .confirmed_at
            .map_or_else(String::new, |at| format!("{} {}", zone.minute(at), row.confirmed_by)),
    });
    html(&ReviewPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("授权复核", "")]),
        tabs: tabs(l, "/admin/role-review"),
        query: asked.with(&[]),
        roles: role_choices(&directory, l),
        units: unit_choices(&directory),
        ages: [("30", "30 天未复核"), ("90", "90 天未复核"), ("180", "180 天未复核"), ("365", "一年未复核")]
            .map(|(value, label)| choice(value, l.t(label)))
            .into(),
        rows: rows.collect(),
        total,
        asked,
    })
}

fn key(text: &str) -> Option<Given> {
    let mut parts = text.split(':');
    let (person, role, unit) = (parts.next()?, parts.next()?, parts.next()?);
    let unit = if unit.is_empty() { None } else { Some(unit.parse().ok()?) };
    Some(Given { person: person.parse().ok()?, role: role.parse().ok()?, unit })
}

/// Confirms or takes back what is ticked, all of it or, when one is refused, nothing.
pub(super) async fn run(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let l = page.l;
    let chosen: Vec<Given> = form.all("row").into_iter().filter_map(key).take(MOST).collect();
    if chosen.is_empty() {
        return Err(AppError::field("row", text!("请先勾选要复核的授权")));
    }
    let (revokes, now, count) = (form.get("act") == "revoke", app.now(), chosen.len());
    let done = app
        .db
        .write(move |tx| {
            for given in &chosen {
                if revokes {
                    take(tx, &actor, *given, now)?;
                } else {
                    confirm(tx, &actor, *given, now)?;
                }
            }
            Ok::<_, AppError>(())
        })
        .await;
    app.forget_sessions();
    done?;
    let said = if revokes {
        l.f("已收回 {} 项授权", &[&count])
    } else {
        l.f("已确认 {} 项授权", &[&count])
    };
    let back =
        FormData(form.0.into_iter().filter(|(name, _)| !matches!(name.as_str(), "row" | "act")).collect());
    Ok(flash(redirect(page.is_htmx, &format!("/admin/role-review?{}", back.with(&[]))), &said))
}

/// The list as a file for a spreadsheet; texts that look like formulas are made harmless.
pub(super) async fn export(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let directory = app.directory().await?;
    let (day, now) = (app.today().to_string(), app.now());
    let on = day.clone();
    let all = app.db.read(move |conn| standing(conn, None, &on)).await?;
    let rows = wanted(all, &asked, &directory, &day, now);
    let count = rows.len();
    app.db
        .write(move |tx| {
            let after = serde_json::json!({ "rows": count });
            let entry = crate::audit::Entry::of("role.exported", "role", 0).after(&after);
            crate::audit::record(tx, &actor, now, &entry)
        })
        .await?;
    let titles: Vec<String> = [
        "姓名",
        "状态",
        "角色",
        "部门",
        "授予时间",
        "授予人",
        "原因",
        "结束日期",
        "上次登录",
        "上次复核",
        "复核人",
    ]
    .map(|title| l.t(title).to_owned())
    .into();
    let failed = |e: sheets::write::WriteError| AppError::Internal(e.to_string());
    let mut body = Vec::new();
    let mut file = TableCsv::new(&mut body, &titles).map_err(failed)?;
    let zone = &app.zone;
    let at = |at: Option<i64>| at.map_or_else(String::new, |at| zone.minute(at));
    for row in rows {
        let unit = row.unit_id.map_or_else(String::new, |u| directory.path(u));
        let state = if row.is_active { l.t("在用") } else { l.t("已停用") };
        let cells = [
            Cell::Text(row.person.into()),
            Cell::Text(state.into()),
            Cell::Text(l.t(&row.role).into()),
            Cell::Text(unit.into()),
            Cell::Text(zone.minute(row.granted_at).into()),
            Cell::Text(row.granted_by.into()),
            Cell::Text(row.reason.into()),
            Cell::Text(row.ends_on.into()),
            Cell::Text(at(row.last_login_at).into()),
            Cell::Text(at(row.confirmed_at).into()),
            Cell::Text(row.confirmed_by.into()),
        ];
        file.push(&cells).map_err(failed)?;
    }
    file.finish().map_err(failed)?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"roles-{day}.csv\"")),
    ];
    Ok((headers, body).into_response())
}
