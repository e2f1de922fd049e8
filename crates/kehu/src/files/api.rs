//! Files in the JSON API.

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde_json::Value as Json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa_axum::router::UtoipaMethodRouterExt;
use utoipa_axum::routes;

use super::load::Place;
use super::receive::broken;
use super::{File, Received, attach, hand_out, load, of_customer, receive, remove, save};
use crate::access::{Actor, Object, Verb};
use crate::activities;
use crate::app::App;
use crate::contacts::api_parts::{
    ChangeProblems, CreateProblems, ReadProblems, customer_id, id_schema, path_id,
};
use crate::customers;
use crate::error::AppError;
use crate::ids::{ActivityId, CustomerId, FileId};
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, page_of};
use crate::web::{Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_files))
        .api(Need::SignedIn, routes!(create_file).layer(DefaultBodyLimit::disable()))
        .api(Need::SignedIn, routes!(show_file, remove_file))
        .api(Need::SignedIn, routes!(show_content))
}

/// What a file is, as it is sent.
pub struct FileBody;

/// A file to attach.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the request in the OpenAPI document")]
pub struct FileInput {
    /// The customer; or `activity_id`.
    customer_id: Option<String>,
    /// The activity.
    activity_id: Option<String>,
    /// The bytes.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// The files of a customer.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct FileList {
    /// The files, newest first, at most 500.
    #[schema(value_type = Vec<FileBody>)]
    items: Vec<Json>,
    /// Always null.
    next: Option<String>,
}

impl utoipa::PartialSchema for FileBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let text_or_null =
            || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
        let object = ["object", "name", "media_type", "sha256", "created_by", "created_at"]
            .into_iter()
            .fold(ObjectBuilder::new(), |object, name| object.property(name, text()).required(name));
        object
            .property("id", id_schema())
            .required("id")
            .property("customer_id", text_or_null())
            .property("object_id", id_schema())
            .property("size", ObjectBuilder::new().schema_type(Type::Integer))
            .into()
    }
}
impl utoipa::ToSchema for FileBody {}

/// Files never change: each has this one version.
const VERSION: i64 = 1;

/// List the files of a customer
#[utoipa::path(
    get, path = "/api/v1/files", tag = "files",
    params(("customer_id" = inline(CustomerId), Query, description = "The customer")),
    responses((status = 200, description = "The files, newest first", body = FileList), ReadProblems)
)]
async fn list_files(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let customer = customer_id(&query)?
        .ok_or_else(|| AppError::field("customer_id", text!("请填写客户的编号 customer_id")))?;
    let files = app.db.read(move |conn| of_customer(conn, &actor, customer)).await?;
    Ok(json_reply(&page_of(files.iter().map(File::json).collect(), None, None)))
}

/// Opens a multipart form.
pub(super) async fn form(request: Request, app: &App) -> Result<Multipart, AppError> {
    let headers = request.headers();
    let is_form = headers
        .get(axum::http::header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("multipart/form-data"));
    if !is_form {
        return Err(AppError::Unsupported(text!("请用 multipart/form-data 提交文件")));
    }
    // What is told to be too large need not be read.
    let told = headers.get(axum::http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    let limit = app.config.max_upload_bytes;
    if told.and_then(|v| v.parse::<u64>().ok()).is_some_and(|n| n > limit + (64 << 10)) {
        return Err(super::receive::too_large(limit));
    }
    Multipart::from_request(request, app)
        .await
        .map_err(|_| AppError::BadRequest(text!("请用 multipart/form-data 提交文件")))
}

/// What a form with one file holds: small values by name, and the file.
pub(super) struct Sent {
    values: Vec<(String, String)>,
    pub(super) file: Received,
}

impl Sent {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
    }
}

/// Reads a form with one file in `file` and at most ten values of at most 200 bytes.
pub(super) async fn read_form(app: &App, mut form: Multipart) -> Result<Sent, AppError> {
    let mut values = Vec::new();
    let mut file = None;
    while let Some(mut field) = form.next_field().await.map_err(|e| broken(&e))? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            if file.is_some() {
                return Err(AppError::field("file", text!("一次只能上传一个文件，放在 file 字段")));
            }
            file = Some(receive(app, field).await?);
            continue;
        }
        let mut value = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|e| broken(&e))? {
            value.extend_from_slice(&chunk);
            if value.len() > 200 {
                return Err(AppError::BadRequest(text!("一次只能上传一个文件，放在 file 字段")));
            }
        }
        values.push((name, String::from_utf8_lossy(&value).into_owned()));
        if values.len() > 10 {
            return Err(AppError::BadRequest(text!("一次只能上传一个文件，放在 file 字段")));
        }
    }
    let file = file.ok_or_else(|| AppError::field("file", text!("请选择要上传的文件")))?;
    Ok(Sent { values, file })
}

/// Attach a file
///
/// To a customer or to an activity. Its type is told by its content, whatever is claimed. There is no Idempotency-Key:
/// a file sent again is attached again; its `sha256` tells that it is the same.
#[utoipa::path(
    post, path = "/api/v1/files", tag = "files",
    request_body(content = FileInput, content_type = "multipart/form-data"),
    responses((status = 201, description = "The new file", body = FileBody), CreateProblems)
)]
async fn create_file(State(app): State<App>, actor: Actor, request: Request) -> Result<Reply, AppError> {
    let sent = read_form(&app, form(request, &app).await?).await?;
    let bad_id = |name: &str| AppError::field(name, text!("不是有效的编号，应为 13 个字符"));
    let place = match (sent.get("customer_id"), sent.get("activity_id")) {
        (Some(id), None) => {
            let id: CustomerId = id.parse().map_err(|_| bad_id("customer_id"))?;
            Place::Customer(id)
        }
        (None, Some(id)) => {
            let id: ActivityId = id.parse().map_err(|_| bad_id("activity_id"))?;
            place_of_activity(&app, &actor, id).await?
        }
        _ => {
            return Err(AppError::field("customer_id", text!("请填写 customer_id 或 activity_id 其中一项")));
        }
    };
    let file = keep(&app, &actor, sent.file, place).await?;
    Ok(Reply::created(file.json(), VERSION))
}

/// The place of an activity's files.
pub(super) async fn place_of_activity(app: &App, actor: &Actor, id: ActivityId) -> Result<Place, AppError> {
    let actor = actor.clone();
    let activity = app.db.read(move |conn| activities::load(conn, &actor, Verb::Update, id)).await?;
    Ok(Place::Activity(activity.customer_id, id))
}

/// Keeps a received file at a place the actor may change.
pub(super) async fn keep(
    app: &App,
    actor: &Actor,
    received: Received,
    place: Place,
) -> Result<File, AppError> {
    let (actor, now) = (actor.clone(), app.now());
    attach(app, received, move |tx, stored| save(tx, &actor, stored, place, now)).await
}

/// Receives the file of a form that has not been sent yet; whoever may read it later is the case's to decide.
pub(crate) async fn receive_for_case(app: &App, actor: &Actor, request: Request) -> Result<File, AppError> {
    let sent = read_form(app, form(request, app).await?).await?;
    keep(app, actor, sent.file, Place::Case(None)).await
}

/// Whether the actor may add files to a customer; asked before anything is read.
pub(super) async fn may_add(app: &App, actor: &Actor, customer: CustomerId) -> Result<(), AppError> {
    let actor = actor.clone();
    app.db
        .read(move |conn| customers::require(conn, &actor, Object::File, Verb::Update, customer).map(drop))
        .await
}

/// Read what a file is
#[utoipa::path(
    get, path = "/api/v1/files/{id}", tag = "files",
    params(("id" = inline(FileId), Path)),
    responses((status = 200, description = "What the file is", body = FileBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_file(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: FileId = path_id(&id)?;
    let file = app.db.read(move |conn| load(conn, &actor, Verb::Read, id)).await?;
    Ok(Reply::ok(file.json(), VERSION))
}

/// Read the bytes of a file
#[utoipa::path(
    get, path = "/api/v1/files/{id}/content", tag = "files",
    params(("id" = inline(FileId), Path)),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream", body = Vec<u8>), ReadProblems)
)]
async fn show_content(
    State(app): State<App>,
    actor: Actor,
    method: Method,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, reader): (FileId, _) = (path_id(&id)?, actor.clone());
    let file = app.db.read(move |conn| load(conn, &reader, Verb::Read, id)).await?;
    hand_out(&app, &actor, &method, &file, false).await
}

/// Delete a file
#[utoipa::path(
    delete, path = "/api/v1/files/{id}", tag = "files",
    params(("id" = inline(FileId), Path), ("If-Match" = Option<String>, Header, description = "The ETag; without it 428")),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
async fn remove_file(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let id: FileId = path_id(&id)?;
    if if_match(&headers)? != VERSION {
        return Err(AppError::Stale);
    }
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, now).map(drop)).await?;
    Ok(Reply::done())
}
