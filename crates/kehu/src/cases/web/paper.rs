//! Printing a case: counted and written down first, then made as PDF for a while.

use std::collections::{HashMap, HashSet};

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use policy::model::FieldKind;
use policy::value::{Kind, Value};

use super::HOME;
use super::names::Names;
use crate::access::Actor;
use crate::app::App;
use crate::cases::print::Paper;
use crate::cases::{Ground, Loaded, file_for, load, trail_of, with_world};
use crate::error::AppError;
use crate::files;
use crate::ids::{CaseId, PrintId};
use crate::prints::{self, FRESH};
use crate::text;
use crate::web::{FormData, Page, redirect};

/// Largest picture of a signature that is printed, in bytes; the rest prints as an empty line.
const LARGEST_PICTURE: i64 = 512 * 1024;

fn ids(case: &str, print: Option<&str>) -> Result<(CaseId, Option<PrintId>), AppError> {
    let case = case.parse().map_err(|_| AppError::NotFound)?;
    let print = print.map(|id| id.parse().map_err(|_| AppError::NotFound)).transpose()?;
    Ok((case, print))
}

/// Counts a print and leads to its file.
pub(super) async fn begin(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    data: FormData,
) -> Result<Response, AppError> {
    let (id, _) = ids(&id, None)?;
    let ground = Ground::of(&app).await?;
    let wanted: Vec<String> = data.all("copy").into_iter().map(str::to_owned).collect();
    let layout = if data.get("layout") == "strips" { "strips" } else { "pages" };
    let print = app
        .db
        .write(move |tx| {
            let loaded = load(tx, &actor, &ground, id)?;
            let known = |name: &String| loaded.form.copies.iter().any(|copy| copy.id == *name);
            if !wanted.iter().all(known) {
                return Err(AppError::field("copy", text!("没有这一联")));
            }
            let customer = loaded.case.customer_id.map_or(0, |customer| customer.0);
            let title = format!("{} {}", loaded.form.title, loaded.case.number);
            let copies = wanted.join(",");
            prints::record(tx, &actor, ("case", id.0, customer), &title, (&copies, layout), ground.now)
        })
        .await?;
    Ok(redirect(page.is_htmx, &format!("{HOME}/{id}/prints/{}", print.id)))
}

/// The file of a print, for whoever printed and only for a while: later it is another print.
pub(super) async fn file(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((id, print)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let (id, print) = ids(&id, Some(&print))?;
    let print = print.ok_or(AppError::NotFound)?;
    let ground = Ground::of(&app).await?;
    let (me, of) = (actor.clone(), ground.clone());
    let (print, loaded, hidden, names, trail) = app
        .db
        .read(move |conn| {
            let loaded = load(conn, &me, &of, id)?;
            let print = prints::find(conn, print)?;
            if (print.object.as_str(), print.object_id) != ("case", id.0) || print.person_id != me.person_id {
                return Err(AppError::NotFound);
            }
            if of.now - print.at > FRESH {
                return Err(AppError::Conflict(text!("这次打印已过期，请回到单据重新打印，以便记录次数")));
            }
            let by = me.person_id.to_string();
            let hidden: Vec<usize> = with_world(conn, &of, &loaded.policy.id, |world| {
                loaded.policy.hidden_fields(&loaded.form, &loaded.state, Some(&by), of.now, world)
            })?;
            let hidden = if me.is_administrator() { Vec::new() } else { hidden };
            let names = Names::load(conn, &me, &of, &loaded.form, Some(&loaded.state), &FormData::default())?;
            let trail = trail_of(conn, &me, &loaded)?;
            let people = trail.iter().filter_map(|line| line.actor_id).map(|id| id.to_string()).collect();
            let names = names.with_people(&of, people);
            Ok((print, loaded, hidden.into_iter().collect::<HashSet<usize>>(), names, trail))
        })
        .await?;
    let pictures = pictures(&app, &actor, &loaded).await?;
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_https = headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes() == b"https");
    let scheme = if is_https { "https" } else { "http" };
    let address = format!("{scheme}://{host}/verify/{}", print.code);
    let company = app.company().await?.map_or_else(String::new, |company| company.name);
    let called = |kind: Kind, id: &str| names.of(kind, id).to_owned();
    let slip = Paper {
        loaded: &loaded,
        ground: &ground,
        hidden: &hidden,
        called: &called,
        pictures: &pictures,
        trail: &trail,
        print: &print,
        by: actor.name.clone(),
        company,
        address,
    }
    .slip();
    let printed = prints::make(&app, move |printer| printer.slip(&slip)).await?;
    Ok(prints::answer(printed, &format!("{}.pdf", loaded.case.number)).into_response())
}

/// The pictures of the signatures the reader may see.
async fn pictures(app: &App, actor: &Actor, loaded: &Loaded) -> Result<HashMap<String, Vec<u8>>, AppError> {
    let mut pictures = HashMap::new();
    for (field, value) in loaded.form.fields.iter().zip(&loaded.state.values) {
        let (FieldKind::Signature, Value::Text(id)) = (field.kind, value) else { continue };
        let Ok(file) = id.parse() else { continue };
        let found = match file_for(app, actor, file).await {
            Ok(found) => found,
            Err(AppError::NotFound | AppError::Hidden { .. }) => continue,
            Err(error) => return Err(error),
        };
        if found.media_type == "image/png" && found.size <= LARGEST_PICTURE {
            let path = files::store_path(app, &found);
            let bytes = tokio::fs::read(path).await.map_err(|e| AppError::Internal(e.to_string()))?;
            pictures.insert(id.to_string(), bytes);
        }
    }
    Ok(pictures)
}
