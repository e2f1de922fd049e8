//! Imports in the JSON API.

use axum::extract::multipart::Multipart;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;
use store::Tx;

use super::export::{XLSX, download};
use super::model::{Import, OnDuplicate, doubts_json, list, load};
use super::reader::Place;
use super::rows::{self, Outcome};
use super::{errors, undo, upload};
use crate::access::{self, Actor, Object, Verb};
use crate::app::App;
use crate::customers::Keyed;
use crate::error::AppError;
use crate::files::{self, Received};
use crate::i18n::Lang;
use crate::ids::ImportId;
use crate::text;
use crate::web::api::{self, Once, Problem, Reply};
use crate::web::{FormData, Need, QueryData, Routes};

/// The id in a path; anything else is nothing we have.
pub(super) fn id_of(text: &str) -> Result<ImportId, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// A multipart form with one file.
pub(crate) struct Upload {
    /// The file, if there was one.
    pub(crate) file: Option<Received>,
    /// The other fields.
    pub(crate) fields: FormData,
}

/// Longest of the other fields, in bytes.
const LONGEST_FIELD: usize = 64 << 10;

/// Reads a multipart form; the file is received while it comes.
pub(crate) async fn read_upload(app: &App, request: Request) -> Result<Upload, AppError> {
    let mut form = Multipart::from_request(request, app)
        .await
        .map_err(|_| AppError::Unsupported(text!("请用 multipart/form-data 提交文件")))?;
    let broken = || AppError::BadRequest(text!("文件没有传完整，请重新上传"));
    let mut upload = Upload { file: None, fields: FormData::default() };
    while let Some(mut field) = form.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            if upload.file.is_some() {
                return Err(AppError::field("file", text!("一次只能导入一个文件，请分几次提交")));
            }
            upload.file = Some(files::receive(app, field).await?);
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
            if bytes.len() + chunk.len() > LONGEST_FIELD || upload.fields.0.len() > 100 {
                return Err(AppError::TooLarge(text!("提交的内容太大，请减少后重试")));
            }
            bytes.extend_from_slice(&chunk);
        }
        let value = String::from_utf8(bytes)
            .map_err(|_| AppError::BadRequest(text!("表单的格式不对，请刷新页面后重试")))?;
        upload.fields.0.push((name, value));
    }
    Ok(upload)
}

/// Reads `on_duplicate`; empty means skip.
pub(super) fn on_duplicate(text: &str) -> Result<OnDuplicate, AppError> {
    match text.trim() {
        "" => Ok(OnDuplicate::Skip),
        code => OnDuplicate::named(code).ok_or_else(|| {
            AppError::field("on_duplicate", text!("重复时的处理只能是 skip、update 或 create"))
        }),
    }
}

/// Reads `match_on`: codes of keys, repeated or with commas; empty leaves it to the system.
pub(super) fn match_on<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Vec<Keyed>, AppError> {
    let mut keys: Vec<Keyed> = Vec::new();
    for code in texts.into_iter().flat_map(|t| t.split(',')).map(str::trim).filter(|c| !c.is_empty()) {
        let key = Keyed::named(code).ok_or_else(|| {
            let all: Vec<&str> = Keyed::ALL.iter().map(|k| k.code()).collect();
            AppError::field("match_on", text!("判断重复的依据只能是：{}", all.join(", ")))
        })?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// An import: how far it got.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes `Import::json` in the OpenAPI document")]
struct ImportBody {
    /// Its id.
    id: ImportId,
    /// Always `customers`.
    object: String,
    /// uploaded, checking, checked, running, done, cancelled, failed, undoing or undone.
    state: String,
    /// Name of the file.
    file_name: String,
    /// Headings of the file.
    columns: Vec<String>,
    /// XLSX: the sheet that is read.
    sheet: Option<String>,
    /// XLSX: the visible sheets.
    sheets: Vec<String>,
    /// Number of the row with the headings.
    header_row: Option<u64>,
    /// What each column becomes.
    mapping: Vec<String>,
    /// skip, update or create.
    on_duplicate: String,
    /// By what customers are recognised; empty leaves it to the system.
    match_on: Vec<String>,
    /// Whether the file is only checked.
    dry_run: bool,
    /// Rows of the file, when known.
    total: Option<i64>,
    /// Rows read.
    read: i64,
    /// Customers made.
    created: i64,
    /// Customers changed.
    updated: i64,
    /// Rows skipped.
    skipped: i64,
    /// Rows refused.
    failed: i64,
    /// Rows that were, or would be, imported but should be looked at.
    doubtful: i64,
    /// Customers that were, or would be, made as persons because the file does not say what they are.
    guessed_persons: i64,
    /// The same as organisations.
    guessed_organisations: i64,
    /// Refused rows of which only the number is kept, because there were too many; the workbook has them without cells.
    failed_without_cells: i64,
    /// Where the refused rows can be fetched as a workbook.
    errors_url: Option<String>,
    /// Why the import ended early.
    problem: Option<String>,
    /// Counts changes.
    version: i64,
    /// Who imports; null for the command line.
    created_by: Option<String>,
    /// When.
    created_at: String,
    /// When.
    started_at: Option<String>,
    /// When.
    finished_at: Option<String>,
    /// What an import that was taken back left; only when it is read alone.
    undo: Option<UndoBody>,
    /// What should be looked at; only when it is read alone.
    doubts: Option<DoubtsBody>,
}

/// What should be looked at though it was, or would be, imported.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes `model::doubts_json` in the OpenAPI document")]
struct DoubtsBody {
    /// The first 50 rows a check (`dry_run`) would have refused.
    refused: Vec<DoubtfulRow>,
    /// The first 50 such rows.
    rows: Vec<DoubtfulRow>,
    /// Sentences about the file as a whole.
    file: Vec<String>,
}

/// A row that should be looked at.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes `model::doubts_json` in the OpenAPI document")]
struct DoubtfulRow {
    /// Its number in the file.
    row: i64,
    /// Its first cell that holds something.
    name: String,
    /// Why.
    reasons: Vec<DoubtBody>,
}

/// Why a row should be looked at.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes `model::doubts_json` in the OpenAPI document")]
struct DoubtBody {
    /// Heading of the column, if it is about one.
    column: Option<String>,
    /// What to look at.
    message: String,
}

/// What was taken back and what stays.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes `undo::Counts::json` in the OpenAPI document")]
struct UndoBody {
    /// Rows taken back.
    undone: i64,
    /// Rows whose customers stay as they are.
    kept: i64,
    /// Contacts that had been added to customers and went away.
    contacts: i64,
    /// Such contacts that stay: they were changed or used since.
    contacts_kept: i64,
}

/// A page of imports.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the page in the OpenAPI document")]
struct ImportPage {
    /// The imports, newest first.
    items: Vec<ImportBody>,
    /// Place of the next page.
    next: Option<String>,
}

/// The form of an import.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the multipart form in the OpenAPI document")]
struct ImportForm {
    /// CSV, XLSX or vCard.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// XLSX: the sheet to read; the first visible one that has rows when absent.
    sheet: Option<String>,
    /// Number of the row with the headings, from 1; looked for when absent.
    header_row: Option<String>,
    /// Only `customers`.
    object: Option<String>,
    /// skip (default), update or create.
    on_duplicate: Option<String>,
    /// By what customers are recognised, with commas: number, credit_code, id_number, phone, email, name.
    match_on: Option<String>,
    /// JSON array: what each column becomes; guessed from the headings when absent.
    mapping: Option<String>,
    /// `true` only checks.
    dry_run: Option<String>,
}

#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "Accepted; goes on in the background", body = ImportBody),
        (status = 400, description = "Broken form", content_type = "application/problem+json", body = Problem), (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not allowed", content_type = "application/problem+json", body = Problem), (status = 413, description = "Too large", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "No multipart form", content_type = "application/problem+json", body = Problem), (status = 422, description = "A value or the file is wrong", content_type = "application/problem+json", body = Problem),
        (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem),
    ))]
async fn create(State(app): State<App>, actor: Actor, request: Request) -> Result<Response, AppError> {
    access::require_may(&actor, Object::Customer, Verb::Import)?;
    let headers = request.headers().clone();
    let upload = read_upload(&app, request).await?;
    let fields = &upload.fields;
    if !matches!(fields.get("object"), "" | "customers") {
        return Err(AppError::field("object", text!("目前只能导入 customers")));
    }
    let mapping = fields.find("mapping").filter(|m| !m.trim().is_empty()).map(|text| {
        serde_json::from_str::<Vec<Option<String>>>(text)
            .map(|all| all.into_iter().map(Option::unwrap_or_default).collect())
            .map_err(|_| {
                AppError::field("mapping", text!("mapping 是 JSON 数组，每列一项，不导入的列写空文字"))
            })
    });
    let dry_run = fields.get("dry_run");
    let choices = upload::Choices {
        mapping: mapping.transpose()?,
        on_duplicate: on_duplicate(fields.get("on_duplicate"))?,
        match_on: match_on(fields.all("match_on"))?,
        owner_id: None,
        is_dry_run: match dry_run {
            "" | "false" | "0" => false,
            "true" | "1" => true,
            _ => return Err(AppError::field("dry_run", text!("dry_run 只能是 true 或 false"))),
        },
    };
    let file = upload.file.ok_or_else(|| AppError::field("file", text!("请选择要导入的文件")))?;
    let place = Place::named(fields.get("sheet"), fields.get("header_row"))?;
    let peek = upload::peek(&file, &place).await?;
    let mut parts = vec!["POST /api/v1/imports", &file.name, &file.sha256];
    parts.extend(fields.0.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
    let once = Once::read(&headers, &actor, &parts)?;
    let (catalogue, own, now) = (app.catalogue().await?, actor.clone(), app.now());
    let (reply, superfluous) = files::attach(&app, file, move |tx, stored| {
        let mut is_new = false;
        let mut start = |tx: &mut Tx<'_>| {
            is_new = true;
            let import = upload::insert(tx, &own, stored, &peek, &catalogue, now)?;
            upload::choose(tx, &own, import.id, &choices, &catalogue, now)?;
            upload::send(tx, &own, import.id, choices.is_dry_run, &catalogue, now)
                .map(|import| accepted(&import, own.lang))
        };
        let reply = match &once {
            Some(once) => once.run(tx, now, sees(&own), start)?,
            None => start(tx)?,
        };
        Ok((reply, (!is_new).then(|| stored.clone())))
    })
    .await?;
    // The answer was given before: these bytes belong to no row.
    if let Some(stored) = superfluous {
        files::discard(&app, &stored).await;
    }
    app.jobs_waiting.notify_one();
    Ok(reply.into_response())
}

/// Whether the import of a stored answer may still be known.
fn sees(actor: &Actor) -> impl Fn(&mut Tx<'_>, &Json) -> Result<(), AppError> + Send + 'static {
    let actor = actor.clone();
    move |tx, body| load(tx, &actor, api::id_in(body, "id")?).map(drop)
}

fn accepted(import: &Import, l: Lang) -> Reply {
    Reply { status: StatusCode::ACCEPTED, body: body_of(import, l), version: None }
}

/// The import; a check's counts stand where the run's will.
fn body_of(import: &Import, l: Lang) -> Json {
    let mut body = import.json(l);
    if import.is_dry_run && import.state == super::State::Checked {
        let report = &import.report;
        body["read"] = report.rows.into();
        body["created"] = report.created.into();
        body["updated"] = report.updated.into();
        body["skipped"] = report.skipped.into();
        body["failed"] = report.failed.into();
    }
    body
}

#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(("id" = inline(ImportId), Path, description = "The import")),
    responses((status = 200, description = "The import", body = ImportBody), (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such import for you", content_type = "application/problem+json", body = Problem), (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem)))]
async fn show(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<Response, AppError> {
    let (id, l) = (id_of(&id)?, actor.lang);
    let (import, undone) = app
        .db
        .read(move |conn| {
            let import = load(conn, &actor, id)?;
            let is_undone = import.state == super::model::State::Undone;
            let undone = if is_undone { Some(undo::counts(conn, id)?) } else { None };
            Ok::<_, AppError>((import, undone))
        })
        .await?;
    let mut body = body_of(&import, l);
    body["doubts"] = doubts_json(&import.report, l);
    body["undo"] = undone.map_or(serde_json::Value::Null, undo::Counts::json);
    Ok(api::json_reply(&body))
}

#[utoipa::path(get, path = "/api/v1/imports", tag = "imports",
    params(("limit" = Option<u32>, Query, description = "1–200, 50 when absent", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Place of the next page")),
    responses((status = 200, description = "Newest first", body = ImportPage), (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "A value is wrong", content_type = "application/problem+json", body = Problem), (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem)))]
async fn index(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let limit = api::limit(query.find("limit"))?;
    let before = match query.get("after") {
        "" => None,
        text => Some(
            text.parse::<ImportId>()
                .map_err(|_| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))?,
        ),
    };
    let l = actor.lang;
    let mut found =
        app.db.read(move |conn| Ok::<_, AppError>(list(conn, &actor, before, limit + 1)?)).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|i| i.id.to_string());
    Ok(api::json_reply(&api::page_of(found.iter().map(|import| body_of(import, l)).collect(), next, None)))
}

/// What became of a row.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes `rows::Row::json` in the OpenAPI document")]
struct RowBody {
    /// Its number in the file.
    row: i64,
    /// created, updated, skipped, failed, kept or undone.
    outcome: String,
    /// The customer made, changed or found there already; null for a refused row and where it is not yours to see.
    customer_id: Option<String>,
}

/// A page of rows.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the page in the OpenAPI document")]
struct RowPage {
    /// In the order of the file.
    items: Vec<RowBody>,
    /// Place of the next page.
    next: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/imports/{id}/rows", tag = "imports",
    params(("id" = inline(ImportId), Path, description = "The import"),
        ("outcome" = String, Query, pattern = "^(created|updated|skipped|failed|kept|undone)$", description = "What became of them"),
        ("limit" = Option<u32>, Query, description = "1–200, 50 when absent", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, pattern = "^([1-9][0-9]{0,17})?$", description = "Place of the next page")),
    responses((status = 200, description = "The rows of the file with this outcome", body = RowPage), (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such import for you", content_type = "application/problem+json", body = Problem), (status = 422, description = "A value is wrong", content_type = "application/problem+json", body = Problem),
        (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem)))]
async fn outcomes(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let (id, limit) = (id_of(&id)?, api::limit(query.find("limit"))?);
    let outcome = Outcome::named(query.get("outcome")).ok_or_else(|| {
        AppError::field("outcome", text!("outcome 只能是 created、updated、skipped、failed、kept 或 undone"))
    })?;
    let after = rows::place(query.get("after"))?;
    let page = app
        .db
        .read(move |conn| {
            let import = load(conn, &actor, id)?;
            rows::page(conn, &actor, import.id, outcome, after, limit)
        })
        .await?;
    let items = page.rows.iter().map(rows::Row::json).collect();
    Ok(api::json_reply(&api::page_of(items, page.next.map(|row| row.to_string()), None)))
}

#[utoipa::path(get, path = "/api/v1/imports/{id}/errors", tag = "imports", params(("id" = inline(ImportId), Path, description = "The import")),
    responses((status = 200, description = "The refused rows as a workbook", content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Vec<u8>),
        (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem), (status = 404, description = "No such import for you", content_type = "application/problem+json", body = Problem),
        (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem)))]
async fn error_rows(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    send_errors(&app, &actor, id_of(&id)?).await
}

/// The refused rows as a download.
pub(super) async fn send_errors(app: &App, actor: &Actor, id: ImportId) -> Result<Response, AppError> {
    let own = actor.clone();
    let import = app.db.read(move |conn| load(conn, &own, id)).await?;
    let temp = errors::error_file(app, actor, &import).await?;
    let file = temp.reopen().map_err(|e| AppError::Internal(format!("error file: {e}")))?;
    let stem = import.file_name.rsplit_once('.').map_or(import.file_name.as_str(), |(stem, _)| stem);
    download(file, &format!("{stem}-{}.xlsx", actor.lang.t("需修改")), XLSX)
}

#[utoipa::path(post, path = "/api/v1/imports/{id}/cancel", tag = "imports", params(("id" = inline(ImportId), Path, description = "The import"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "Makes a repeated call harmless")),
    responses((status = 200, description = "Will stop at its next batch", body = ImportBody), (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not allowed", content_type = "application/problem+json", body = Problem), (status = 404, description = "No such import for you", content_type = "application/problem+json", body = Problem), (status = 409, description = "Over already", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "A value is wrong", content_type = "application/problem+json", body = Problem), (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem)))]
async fn cancel(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id = id_of(&id)?;
    let (own, path) = (actor.clone(), format!("/api/v1/imports/{id}/cancel"));
    let may_see = sees(&actor);
    let reply = api::write_once(&app, &actor, &headers, &["POST", &path, ""], may_see, move |tx, now| {
        let import = upload::cancel(tx, &own, id, now)?;
        Ok(Reply { status: StatusCode::OK, body: body_of(&import, own.lang), version: None })
    })
    .await?;
    Ok(reply.into_response())
}

#[utoipa::path(post, path = "/api/v1/imports/{id}/undo", tag = "imports", params(("id" = inline(ImportId), Path, description = "The import"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "Makes a repeated call harmless")),
    responses((status = 202, description = "Is taken back in the background", body = ImportBody), (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not allowed", content_type = "application/problem+json", body = Problem), (status = 404, description = "No such import for you", content_type = "application/problem+json", body = Problem), (status = 409, description = "Nothing to take back", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "A value is wrong", content_type = "application/problem+json", body = Problem), (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem), (status = 503, description = "Busy", content_type = "application/problem+json", body = Problem)))]
async fn take_back(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id = id_of(&id)?;
    let (own, path) = (actor.clone(), format!("/api/v1/imports/{id}/undo"));
    let may_see = sees(&actor);
    let reply = api::write_once(&app, &actor, &headers, &["POST", &path, ""], may_see, move |tx, now| {
        let import = undo::ask(tx, &own, id, now)?;
        Ok(accepted(&import, own.lang))
    })
    .await?;
    app.jobs_waiting.notify_one();
    Ok(reply.into_response())
}

pub(super) fn routes(routes: Routes) -> Routes {
    // The file is bounded while it is received, by the configured limit.
    let mut upload = utoipa_axum::routes!(create);
    upload.2 = upload.2.layer(DefaultBodyLimit::disable());
    routes
        .api(Need::SignedIn, upload)
        .api(Need::SignedIn, utoipa_axum::routes!(index))
        .api(Need::SignedIn, utoipa_axum::routes!(show))
        .api(Need::SignedIn, utoipa_axum::routes!(outcomes))
        .api(Need::SignedIn, utoipa_axum::routes!(error_rows))
        .api(Need::SignedIn, utoipa_axum::routes!(cancel))
        .api(Need::SignedIn, utoipa_axum::routes!(take_back))
}
