//! Files of cases in the JSON API: sent before the form they stand in, read by whoever may see their field.

use axum::extract::{DefaultBodyLimit, Path, Request, State as Shared};
use axum::http::Method;
use axum::response::Response;
use utoipa_axum::router::UtoipaMethodRouterExt;
use utoipa_axum::routes;

use super::file_for;
use crate::access::{self, Actor};
use crate::app::App;
use crate::contacts::api_parts::{CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::files;
use crate::files::api::FileBody;
use crate::ids::FileId;
use crate::web::api::Reply;
use crate::web::{Need, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(create_case_file).layer(DefaultBodyLimit::disable()))
        .api(Need::SignedIn, routes!(show_case_file))
}

/// A file for a form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the request in the OpenAPI document")]
pub struct CaseFileInput {
    /// The bytes.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Sends a file for a case
///
/// Its id is then the value of a field of kind file, files or signature; the file belongs to the case from then on. One
/// that no form names is deleted after a day.
#[utoipa::path(
    post, path = "/api/v1/case-files", tag = "cases",
    request_body(content = CaseFileInput, content_type = "multipart/form-data"),
    responses((status = 201, description = "The new file", body = FileBody), CreateProblems)
)]
async fn create_case_file(
    Shared(app): Shared<App>,
    actor: Actor,
    request: Request,
) -> Result<Reply, AppError> {
    access::require_unbarred(&actor)?;
    let file = files::receive_for_case(&app, &actor, request).await?;
    Ok(Reply::created(file.json(), 1))
}

/// Reads the bytes of a file of a case
///
/// Whoever may see the field it stands in; before it stands in one, whoever sent it.
#[utoipa::path(
    get, path = "/api/v1/case-files/{id}/content", tag = "cases",
    params(("id" = inline(FileId), Path)),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream", body = Vec<u8>), ReadProblems)
)]
async fn show_case_file(
    Shared(app): Shared<App>,
    actor: Actor,
    method: Method,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let file = file_for(&app, &actor, path_id(&id)?).await?;
    files::hand_out(&app, &actor, &method, &file, false).await
}
