//! 登录日志.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::list::AuditQuery;
use super::pages::{choices, load, places};
use super::words;
use crate::app::App;
use crate::audit::Written;
use crate::auth::device_title;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::org::web::part_or_page;
use crate::web::{Auditor, Choice, FormData, Page, QueryData, Shell};

#[derive(Template)]
#[template(path = "audit/logins.html", blocks = ["list"])]
struct LoginsIndex {
    l: Lang,
    shell: Shell,
    filters: FormData,
    people: Vec<Choice>,
    actions: Vec<Choice>,
    rows: Vec<LoginView>,
    prev: Option<String>,
    next: Option<String>,
}

struct LoginView {
    at: String,
    name: String,
    username: String,
    action: String,
    is_failed: bool,
    ip: String,
    device: String,
}

pub(super) async fn index(
    State(app): State<App>,
    Auditor(actor): Auditor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let query = AuditQuery { only_logins: true, ..AuditQuery::read(&asked, &app.zone)?.of(&actor) };
    let (found, _, people) = load(&app, &actor, query).await?;
    let l = page.l;
    let (prev, next) = places(&asked, &found, "/admin/logins");
    let list = LoginsIndex {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("登录日志", "")]),
        people,
        actions: choices(
            &[
                ("login.succeeded", "登录成功"),
                ("login.failed", "登录失败"),
                ("logout", "退出登录"),
                ("session.ended", "结束登录"),
            ],
            l,
        ),
        rows: found.rows.iter().map(|r| view(&app, r, l)).collect(),
        prev,
        next,
        filters: asked,
    };
    part_or_page(page.is_partial, list.as_list(), &list)
}

fn view(app: &App, row: &Written, l: Lang) -> LoginView {
    let after: serde_json::Value = serde_json::from_str(&row.after).unwrap_or_default();
    let said = |name: &str| after[name].as_str().unwrap_or_default().to_owned();
    let device = said("device");
    LoginView {
        at: app.zone.second(row.at),
        name: row.actor_name.clone(),
        username: said("username"),
        action: words::action(&row.action, l),
        is_failed: row.result != "ok",
        ip: row.ip.clone(),
        device: if device.is_empty() { String::new() } else { device_title(&device, l) },
    }
}
