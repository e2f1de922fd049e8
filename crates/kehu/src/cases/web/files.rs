//! Files and signatures in the fields of a form: sent at once, kept with the case when the form is.

use axum::Json;
use axum::extract::{Path, Request, State as Shared};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::access::{self, Actor};
use crate::app::App;
use crate::cases::file_for;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::files;
use crate::web::QueryData;

/// Receives a file for a form that is being filled: it is nobody else's until the form is sent.
pub(super) async fn upload(
    Shared(app): Shared<App>,
    actor: Actor,
    request: Request,
) -> Result<Response, AppError> {
    access::require_unbarred(&actor)?;
    let file = files::receive_for_case(&app, &actor, request).await?;
    Ok(Json(json!({ "id": file.id, "name": file.name })).into_response())
}

pub(super) async fn download(
    Shared(app): Shared<App>,
    actor: Actor,
    method: Method,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let file = file_for(&app, &actor, path_id(&id)?).await?;
    files::hand_out(&app, &actor, &method, &file, asked.is_ticked("inline")).await
}
