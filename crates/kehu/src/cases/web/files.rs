//! Files and signatures in the fields of a form: sent at once, kept with the case when the form is.

use axum::Json;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::access::{self, Actor};
use crate::app::App;
use crate::cases::{Ground, load, with_world};
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::files;
use crate::ids::{CaseId, FileId};
use crate::web::QueryData;
use policy::value::Value;

/// Receives a file for a form that is being filled: it is nobody else's until the form is sent.
pub(super) async fn upload(
    Shared(app): Shared<App>,
    actor: Actor,
    request: Request,
) -> Result<Response, AppError> {
    access::require_unbarred(&actor)?;
    let file = files::receive_for_case(&app, &actor, request).await?;
    Ok(Json(
        json!({ "id": file.id, "name": file.name, "size": file.size_text(), "picture": file.is_picture() }),
    )
    .into_response())
}

/// A file of a case: for whoever may see the field it stands in; one not sent yet for whoever sent it.
pub(super) async fn download(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let id: FileId = path_id(&id)?;
    let ground = Ground::of(&app).await?;
    let file =
        app.db
            .read(move |conn| {
                access::require_unbarred(&actor)?;
                let file = files::of_case(conn, id)?.ok_or(AppError::NotFound)?;
                let hidden = || AppError::Hidden { object: "file", id: id.0 };
                if file.object_id == 0 {
                    return if file.created_by == actor.person_id { Ok(file) } else { Err(hidden()) };
                }
                let loaded = load(conn, &actor, &ground, CaseId(file.object_id))?;
                let me = actor.person_id.to_string();
                let unseen = with_world(conn, &ground, &loaded.policy.id, |world| {
                    loaded.policy.hidden_fields(&loaded.form, &loaded.state, Some(&me), ground.now, world)
                })?;
                let name = id.to_string();
                let shows = |value: &Value| value.as_texts().contains(&name);
                let is_seen = loaded.state.values.iter().enumerate().any(|(place, value)| {
                    shows(value) && (actor.is_administrator() || !unseen.contains(&place))
                });
                if is_seen { Ok(file) } else { Err(hidden()) }
            })
            .await?;
    let bytes = files::open_bytes(&app, &file).await?;
    Ok(files::answer(&file, bytes, asked.is_ticked("inline")))
}
