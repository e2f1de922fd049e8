//! The page of all activities an actor may read, with the report of a period (DU-06).

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::api::list_query;
use super::super::report::{Report, report};
use super::super::{ActivityKind, list};
use super::lines::{LineView, Words};
use crate::access::Actor;
use crate::app::App;
use crate::audit::web::exported;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::files::percent;
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::web::{Choice, FormData, Page, QueryData, Shell, html};

#[derive(Template)]
#[template(path = "activities/index.html")]
struct IndexPage {
    l: Lang,
    shell: Shell,
    zone: Zone,
    period: String,
    query: String,
    kinds: [ActivityKind; 12],
    kind: String,
    people: Vec<Choice>,
    author: String,
    from: String,
    to: String,
    report: Report,
    all_href: String,
    needs_href: String,
    lines: Vec<LineView>,
    next: String,
}

impl IndexPage {
    fn time(&self, at: &Millis) -> String {
        self.zone.minute(*at)
    }

    /// The list of one kind in the same period.
    fn kind_href(&self, kind: &ActivityKind) -> String {
        format!("{}&kind={}", self.all_href, kind.code())
    }
}

/// The address with a period: without one, this month until today.
fn with_period(app: &App, query: QueryData) -> FormData {
    let QueryData(mut form) = query;
    let today = app.today();
    if form.get("from").is_empty() && form.get("to").is_empty() {
        form.0.retain(|(name, _)| name != "from" && name != "to");
        form.0.push(("from".to_owned(), today.first_of_month().to_string()));
        form.0.push(("to".to_owned(), today.to_string()));
    }
    form
}

pub(super) async fn index(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let form = with_period(&app, query);
    let mut asked = list_query(&app, &QueryData(form.clone()))?;
    asked.limit = 50;
    let reader = actor.clone();
    let ((found, next), report, people) = app
        .db
        .read(move |conn| {
            let people: Vec<(PersonId, String)> =
                conn.rows("SELECT id, name FROM people ORDER BY name_search, id LIMIT 1000", &[])?;
            Ok::<_, AppError>((list(conn, &reader, &asked)?, report(conn, &reader, &asked)?, people))
        })
        .await?;
    let catalogue = app.catalogue().await?;
    let words = Words { l: page.l, zone: &app.zone, catalogue: &catalogue, actor: &actor };
    let (from, to) = (form.get("from").to_owned(), form.get("to").to_owned());
    let bare = FormData::default().with(&[("author", form.get("author")), ("from", &from), ("to", &to)]);
    let all_href = format!("/activities?{bare}");
    let shown = IndexPage {
        l: page.l,
        shell: page.shell(&[("动态", "/activities")]),
        zone: app.zone.clone(),
        period: page.l.f("{} 至 {}", &[&from, &to]),
        query: form.with(&[("after", "")]),
        kinds: ActivityKind::ALL,
        kind: form.get("kind").to_owned(),
        people: people.into_iter().map(|(id, label)| Choice { value: id.to_string(), label }).collect(),
        author: form.get("author").to_owned(),
        needs_href: format!("{all_href}&kind=need&open=1"),
        all_href,
        from,
        to,
        report,
        lines: found.into_iter().map(|listed| words.activity(listed, Vec::new())).collect(),
        next: next
            .map_or_else(String::new, |place| format!("/activities?{}", form.with(&[("after", &place)]))),
    };
    html(&shown)
}

/// The report as CSV: counts by kind, then the needs. Leaves an audit row.
pub(super) async fn export(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let form = with_period(&app, query);
    let asked = list_query(&app, &QueryData(form.clone()))?;
    let reader = actor.clone();
    let found = app.db.read(move |conn| report(conn, &reader, &asked)).await?;
    let period = format!("{}_{}", form.get("from"), form.get("to"));
    let what = json!({ "from": form.get("from"), "to": form.get("to"), "needs": found.needs.len() });
    exported(&app, &actor, ("activity.exported", "activity", 0), what).await?;
    let body = csv(&found, page.l, &app.zone);
    let mut response = (StatusCode::OK, body).into_response();
    let name = format!("{}_{period}.csv", page.l.t("客户需求与工作报告"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let disposition = format!("attachment; filename*=UTF-8''{}", percent(&name));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn csv(report: &Report, l: Lang, zone: &Zone) -> String {
    // The mark makes Excel read it as UTF-8.
    let mut text = String::from("\u{feff}");
    line(&mut text, &[l.t("种类"), l.t("条数")]);
    for (kind, n) in &report.counts {
        line(&mut text, &[l.t(kind.title()), &n.to_string()]);
    }
    line(&mut text, &[l.t("合计"), &report.total.to_string()]);
    text.push_str("\r\n");
    line(&mut text, &[l.t("客户"), l.t("需求"), l.t("内容"), l.t("状态"), l.t("记录人"), l.t("时间")]);
    for need in &report.needs {
        let activity = &need.activity;
        let state = if activity.is_open() { l.t("未满足") } else { l.t("已满足") };
        let time = zone.minute(activity.happened_at);
        line(&mut text, &[&need.customer, &activity.subject, &activity.body, state, &need.author, &time]);
    }
    text
}

/// One line of CSV. Cells a spreadsheet would calculate get an apostrophe before them.
fn line(text: &mut String, cells: &[&str]) {
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        text.push('"');
        text.push_str(guard);
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_calculated() {
        let mut text = String::new();
        line(&mut text, &["=1+1", "他说\"好\"", "普通"]);
        assert_eq!(text, "\"'=1+1\",\"他说\"\"好\"\"\",\"普通\"\r\n");
    }
}
