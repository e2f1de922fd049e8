//! Files in the fields of cases: who may read which.

use policy::value::Value;

use super::load::load;
use super::world::{Ground, with_world};
use crate::access::{self, Actor};
use crate::app::App;
use crate::error::AppError;
use crate::files::{self, File};
use crate::ids::{CaseId, FileId};

/// A file of a case that the actor may read: he reads the case and sees the field it stands in. One that no form has
/// named yet is for whoever sent it. The customer of the case stands in it, for the log.
pub async fn file_for(app: &App, actor: &Actor, id: FileId) -> Result<File, AppError> {
    let (actor, ground) = (actor.clone(), Ground::of(app).await?);
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
            let is_seen =
                loaded.state.values.iter().enumerate().any(|(place, value)| {
                    shows(value) && (actor.is_administrator() || !unseen.contains(&place))
                });
            let customer_id = loaded.case.customer_id;
            if is_seen { Ok(File { customer_id, ..file }) } else { Err(hidden()) }
        })
        .await
}
