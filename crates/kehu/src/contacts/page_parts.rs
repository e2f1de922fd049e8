//! What the parts of a customer's page share: fields of a form, answers, addresses.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::error::{AppError, FieldError};
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::input::{FormErrors, Kind, Spec};
use crate::web::{FormData, Page, html, redirect, toast, trigger};

/// One field of a form as a template shows it.
#[derive(Clone, Debug)]
pub(crate) struct FieldView {
    pub(crate) key: &'static str,
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) error: String,
    /// Type of the input.
    pub(crate) kind: &'static str,
    pub(crate) is_required: bool,
    pub(crate) is_long: bool,
}

/// The fields of a form with the values and errors to show.
pub(crate) fn fields(
    specs: &[Spec],
    value: impl Fn(&str) -> String,
    errors: &FormErrors,
    l: Lang,
) -> Vec<FieldView> {
    specs
        .iter()
        .map(|spec| FieldView {
            key: spec.key,
            label: l.t(spec.zh).to_owned(),
            value: value(spec.key),
            error: errors.of(spec.key, l),
            kind: match spec.kind {
                Kind::Phone => "tel",
                Kind::Date => "date",
                _ => "text",
            },
            is_required: spec.is_required,
            is_long: spec.kind == Kind::Lines,
        })
        .collect()
}

/// What a refused form shows; errors that no form can show stay errors.
pub(crate) fn refused(error: AppError) -> Result<FormErrors, AppError> {
    match error {
        AppError::Invalid(errors) => Ok(FormErrors(errors)),
        AppError::Stale | AppError::Conflict(_) => Ok(FormErrors(vec![FieldError::new("", error.title())])),
        other => Err(other),
    }
}

/// The version a form was made from.
pub(crate) fn version(form: &FormData) -> Option<i64> {
    form.get("version").parse().ok()
}

/// A part of a page with a status.
pub(crate) fn part(template: &impl Template, status: StatusCode) -> Result<Response, AppError> {
    let mut response = html(template)?;
    *response.status_mut() = status;
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("HX-Request"));
    Ok(response)
}

/// A part as it now is, with what was done (nothing when `said` is empty) and the path that takes it back.
pub(crate) fn told(page: &Page, response: Response, said: &str, undo: Option<&str>) -> Response {
    if said.is_empty() { response } else { toast(response, page.l.t(said), undo) }
}

/// After something was brought back by a toast: has the tab of the page read again, wherever it stands open.
pub(crate) fn restored(page: &Page, customer: CustomerId, tab: &str, said: &str) -> Response {
    if !page.is_htmx {
        return to_tab(customer, tab);
    }
    trigger(toast(StatusCode::OK.into_response(), page.l.t(said), None), "reloadTab", serde_json::json!({}))
}

/// Where a part stands on the page of its customer: for requests that are not htmx's.
pub(crate) fn to_tab(customer: CustomerId, tab: &str) -> Response {
    redirect(false, &format!("/customers/{customer}?tab={tab}"))
}
