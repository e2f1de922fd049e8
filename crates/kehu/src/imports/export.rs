//! Taking customers out as a table that can be imported again: what the list shows, in constant memory, and noted in
//! the audit log.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::json;
use sheets::write::{Cell, Column, Kind as CellKind, TableCsv, TableXlsx, WriteError};
use store::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::access::{self, Actor, FieldRule, Object, Verb};
use crate::app::App;
use crate::audit::web::exported;
use crate::catalogue::{Catalogue, CustomField};
use crate::clock::Zone;
use crate::contacts::api_parts::ReadProblems;
use crate::customers::{self, Customer, FieldKind, ListQuery, SPECS, Spec};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
use crate::web::api::Problem;
use crate::web::{Need, QueryData, Routes};
use crate::{files, org, text};

/// The kinds of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// UTF-8 with a byte order mark, as Excel wants it.
    Csv,
    /// A workbook.
    Xlsx,
}

impl Format {
    /// The format of a name or ending.
    pub fn named(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Customers loaded in one read.
const BATCH: usize = 500;
/// Batches that may wait for the writer.
const WAITING: usize = 2;

/// Writes every customer the query finds for the actor into `file`; answers how many. Audited with the count and
/// `described`, the query as the person gave it. Who is found is decided at one instant, the values are those of the
/// moment each batch is read; no reader is held from one batch to the next. `Busy` when too many exports go on.
pub async fn export(
    app: &App,
    actor: &Actor,
    query: ListQuery,
    described: &str,
    format: Format,
    file: File,
) -> Result<u64, AppError> {
    access::require_may(actor, Object::Customer, Verb::Export)?;
    let query = ListQuery { only: Some(Verb::Export), ..query };
    let _place = app.export_place().await?;
    let catalogue = app.catalogue().await?;
    let known = Arc::clone(&catalogue);
    let (people, schemes) = app
        .db
        .read(move |conn| {
            let people = org::list_people(conn)?;
            Ok::<_, AppError>((owner_words(&people), customers::schemes_used(conn, &known)?))
        })
        .await?;
    let rendering =
        Arc::new(Rendering { zone: app.zone.clone(), catalogue, people, schemes, actor: actor.clone() });
    let wanted = Wanted(Arc::new(AtomicBool::new(true)));
    let (own, asked, is_wanted) = (actor.clone(), query.clone(), Arc::clone(&wanted.0));
    let ids = app
        .db
        .read(move |conn| customers::ids_of(conn, &own, &asked, || is_wanted.load(Ordering::Relaxed)))
        .await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let writing = Arc::clone(&rendering);
    let writer = tokio::task::spawn_blocking(move || writing.write(receiver, format, file));
    let read = read_all(app, &rendering, &query, &ids, &sender).await;
    drop(sender);
    let written = writer.await.map_err(|e| AppError::Internal(format!("export: {e}")))?;
    read?;
    let count = written?;
    let what = json!({ "count": count, "query": described, "format": format.ending() });
    exported(app, actor, ("customer.exported", "customer", 0), what).await?;
    Ok(count)
}

/// Says no once the export that made it has gone away, for instance with its browser.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Loads the customers batch by batch and hands them to the writer. Every batch is one short read with all it needs;
/// while the writer is waited for, no reader is held.
async fn read_all(
    app: &App,
    rendering: &Arc<Rendering>,
    query: &ListQuery,
    ids: &[CustomerId],
    sender: &Sender<Part>,
) -> Result<(), AppError> {
    for chunk in ids.chunks(BATCH) {
        let (own, query, chunk) = (Arc::clone(rendering), query.clone(), chunk.to_vec());
        let batch = app.db.read(move |conn| own.batch(conn, &query, &chunk)).await?;
        // A writer that failed says why itself.
        if sender.send(Part::Batch(batch)).await.is_err() {
            return Ok(());
        }
    }
    let _ = sender.send(Part::End).await;
    Ok(())
}

/// How owners are written: by name, or by sign-in name where two have the same.
fn owner_words(people: &[org::Person]) -> HashMap<PersonId, String> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for person in people {
        *times.entry(person.name.as_str()).or_default() += 1;
    }
    people
        .iter()
        .map(|p| {
            (p.id, if times.get(p.name.as_str()) == Some(&1) { p.name.clone() } else { p.username.clone() })
        })
        .collect()
}

struct Rendering {
    zone: Zone,
    catalogue: Arc<Catalogue>,
    people: HashMap<PersonId, String>,
    /// Schemes some customer is classified by: a column each.
    schemes: Vec<String>,
    actor: Actor,
}

enum Table {
    Csv(Box<TableCsv<std::io::BufWriter<File>>>),
    Xlsx(Box<TableXlsx>, File),
}

/// What the writer gets: some customers, and a last word without which the file is not wanted any more.
enum Part {
    Batch(Batch),
    End,
}

/// Customers with the contact and the marks of each.
struct Batch {
    customers: Vec<Customer>,
    contacts: HashMap<CustomerId, Beside>,
    marks: HashMap<CustomerId, customers::Marks>,
}

/// The contact written beside a customer: name, phone, title.
type Beside = (String, String, String);

impl Rendering {
    fn fields(&self) -> impl Iterator<Item = &CustomField> {
        self.catalogue.custom_fields.iter().filter(|f| f.is_active)
    }

    fn columns(&self) -> Vec<Column> {
        let text = |title: &str| Column { title: self.actor.lang.t(title).to_owned(), kind: CellKind::Text };
        let mut all = vec![text("客户编号"), text("客户性质")];
        for spec in &SPECS {
            let kind = if spec.kind == FieldKind::Date { CellKind::Date } else { CellKind::Text };
            all.push(Column { title: self.actor.lang.t(spec.zh).to_owned(), kind });
        }
        all.extend(["联系人", "联系人电话", "联系人职务", "负责人", "标签"].map(text));
        all.extend(self.fields().map(|f| Column { title: f.title.clone(), kind: CellKind::Text }));
        all.extend(self.schemes.iter().map(|name| {
            let scheme = self.catalogue.dictionary(name);
            Column { title: self.actor.lang.pick(&scheme.zh, &scheme.en).to_owned(), kind: CellKind::Text }
        }));
        all.extend([text("建档时间"), text("更新时间")]);
        all
    }

    fn write(&self, mut parts: Receiver<Part>, format: Format, file: File) -> Result<u64, AppError> {
        let columns = self.columns();
        let mut table = match format {
            Format::Csv => {
                let titles: Vec<String> = columns.into_iter().map(|c| c.title).collect();
                Table::Csv(Box::new(TableCsv::new(std::io::BufWriter::new(file), &titles).map_err(failed)?))
            }
            Format::Xlsx => Table::Xlsx(
                Box::new(TableXlsx::new(self.actor.lang.t("客户"), &columns).map_err(failed)?),
                file,
            ),
        };
        loop {
            let batch = match parts.blocking_recv() {
                Some(Part::Batch(batch)) => batch,
                Some(Part::End) => break,
                None => return Err(AppError::Unavailable),
            };
            for customer in &batch.customers {
                let cells =
                    self.cells(customer, batch.contacts.get(&customer.id), batch.marks.get(&customer.id));
                match &mut table {
                    Table::Csv(table) => table.push(&cells),
                    Table::Xlsx(table, _) => table.push(&cells),
                }
                .map_err(failed)?;
            }
        }
        match table {
            Table::Csv(table) => table.finish().map_err(failed),
            Table::Xlsx(table, mut file) => {
                let count = table.finish(&mut file).map_err(failed)?;
                file.flush().map_err(|e| failed(e.into()))?;
                Ok(count)
            }
        }
    }

    /// Loads these customers and the first contact of each: the main one, else the oldest.
    fn batch(
        &self,
        conn: &mut store::Conn<'_>,
        query: &ListQuery,
        ids: &[CustomerId],
    ) -> Result<Batch, AppError> {
        let customers = customers::some(conn, &self.actor, query, ids)?;
        let mut contacts: HashMap<CustomerId, Beside> = HashMap::new();
        // One statement text whatever the number, so that it stays prepared.
        let places: Vec<String> = (1..=50).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT customer_id, name, phone, landline, title FROM contacts
             WHERE customer_id IN ({}) AND deleted_at IS NULL ORDER BY is_primary DESC, id",
            places.join(",")
        );
        for chunk in customers.chunks(50) {
            let params: Vec<Value<'_>> = (0..50).map(|n| chunk[n.min(chunk.len() - 1)].id.into()).collect();
            conn.each(&sql, &params, |row| {
                let phone: String = row.get(2)?;
                let phone = if phone.is_empty() { row.get(3)? } else { phone };
                contacts.entry(row.get(0)?).or_insert((row.get(1)?, phone, row.get(4)?));
                Ok::<_, store::Error>(ControlFlow::Continue(()))
            })?;
        }
        self.withhold(&customers, &mut contacts);
        let marks = match self.schemes.as_slice() {
            [] => HashMap::new(),
            _ => customers::marks_of(conn, customers.iter().map(|customer| customer.id))?,
        };
        Ok(Batch { customers, contacts, marks })
    }

    /// Takes away the contacts the actor may not read, and of the others what is withheld from him.
    fn withhold(&self, batch: &[Customer], contacts: &mut HashMap<CustomerId, Beside>) {
        let rights = &self.actor.rights;
        for customer in batch {
            let facts = customer.facts();
            if !rights.covers(Object::Contact, Verb::Read, &facts) {
                contacts.remove(&customer.id);
            } else if let Some((name, phone, title)) = contacts.get_mut(&customer.id) {
                let fields = rights.fields(Object::Contact, &facts);
                for (key, value) in [("name", name), ("phone", phone), ("title", title)] {
                    *value = customers::shown_value(fields.rule(key), key, value);
                }
            }
        }
    }

    fn cells<'c>(
        &'c self,
        customer: &'c Customer,
        contact: Option<&'c Beside>,
        marks: Option<&'c customers::Marks>,
    ) -> Vec<Cell<'c>> {
        let text = |t: &'c str| if t.is_empty() { Cell::Empty } else { Cell::Text(t.into()) };
        let mut all = vec![text(&customer.number), text(self.actor.lang.t(customer.kind.title()))];
        all.extend(SPECS.iter().map(|spec| match customer.withheld.rule(spec.key) {
            // What is left of a masked value is text, whatever the field holds.
            FieldRule::Masked => text(customer.get(spec.field)),
            _ => self.value(spec, customer.get(spec.field)),
        }));
        match contact {
            Some((name, phone, title)) => all.extend([text(name), text(phone), text(title)]),
            None => all.extend([Cell::Empty, Cell::Empty, Cell::Empty]),
        }
        all.push(customer.owner_id.and_then(|id| self.people.get(&id)).map_or(Cell::Empty, |n| text(n)));
        all.push(if customer.tags.is_empty() {
            Cell::Empty
        } else {
            Cell::Text(customer.tags.join("、").into())
        });
        all.extend(self.fields().map(|f| custom_cell(customer.custom.get(&f.key), self.actor.lang)));
        all.extend(self.schemes.iter().map(|name| match marks.and_then(|marks| marks.get(name)) {
            Some(values) => {
                let scheme = self.catalogue.dictionary(name);
                let words: Vec<&str> = values.iter().map(|v| scheme.title(v, self.actor.lang)).collect();
                Cell::Text(words.join("、").into())
            }
            None => Cell::Empty,
        }));
        all.push(Cell::DateTime(self.zone.second(customer.created_at).into()));
        all.push(Cell::DateTime(self.zone.second(customer.updated_at).into()));
        all
    }

    fn value<'c>(&'c self, spec: &Spec, value: &'c str) -> Cell<'c> {
        if value.is_empty() {
            return Cell::Empty;
        }
        match spec.kind {
            FieldKind::Dictionary(name) => {
                Cell::Text(self.catalogue.dictionary(name).title(value, self.actor.lang).into())
            }
            FieldKind::Gender => {
                let word = if value == "male" { "男" } else { "女" };
                Cell::Text(self.actor.lang.t(word).into())
            }
            FieldKind::Date => Cell::Date(value.into()),
            _ => Cell::Text(value.into()),
        }
    }
}

fn custom_cell(value: Option<&serde_json::Value>, l: Lang) -> Cell<'_> {
    use serde_json::Value as Json;
    match value {
        None | Some(Json::Null | Json::Object(_)) => Cell::Empty,
        Some(Json::String(text)) => Cell::Text(text.as_str().into()),
        Some(Json::Bool(yes)) => Cell::Text(l.t(if *yes { "是" } else { "否" }).into()),
        Some(Json::Number(number)) => {
            number.as_i64().map_or_else(|| Cell::Number(number.as_f64().unwrap_or_default()), Cell::Integer)
        }
        Some(Json::Array(parts)) => {
            let words: Vec<&str> = parts.iter().filter_map(Json::as_str).collect();
            Cell::Text(words.join("、").into())
        }
    }
}

fn failed(error: WriteError) -> AppError {
    match error {
        WriteError::TooManyRows => AppError::Conflict(text!(
            "一张 Excel 表最多 {} 行，请缩小范围或导出 CSV",
            sheets::write::MAX_XLSX_ROWS
        )),
        error if error.is_storage_full() => AppError::Full,
        other => AppError::Internal(format!("export: {other}")),
    }
}

/// An open file as a download; the file may have lost its name already.
pub fn download(file: File, name: &str, media_type: &'static str) -> Result<Response, AppError> {
    let size = file.metadata().map_err(|e| AppError::Internal(format!("download: {e}")))?.len();
    let stream = tokio_util::io::ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 << 10);
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let disposition = format!("attachment; filename*=UTF-8''{}", files::percent(name));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The media type of workbooks.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Export customers
///
/// Everything a list with these parameters finds, as a workbook or CSV that can be imported again, for whoever may export
/// customers. The parameters are those of `GET /api/v1/customers` without `limit` and `after`; every export is noted in
/// the log.
#[utoipa::path(
    get, path = "/api/v1/customers/export", tag = "customers",
    params(
        ("format" = Option<String>, Query, description = "`xlsx`, which is meant when it is absent, or `csv`"),
        ("q" = Option<String>, Query, description = "Finds by characters, pinyin, initials and digits"),
        ("filter" = Option<String>, Query, description = "A CEL condition"),
    ),
    responses(
        (status = 200, description = "The file", content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "text/csv"),
        )),
        (status = 409, description = "More rows than a workbook holds", content_type = "application/problem+json", body = Problem),
        ReadProblems,
    )
)]
async fn export_customers(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    answer(&app, &actor, &query).await
}

/// `GET /customers/export`: what the list with this address shows, all pages of it.
async fn page(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    answer(&app, &actor, &query).await
}

async fn answer(app: &App, actor: &Actor, query: &QueryData) -> Result<Response, AppError> {
    let format = Some(query.get("format")).filter(|f| !f.is_empty()).unwrap_or("xlsx");
    let format =
        Format::named(format).ok_or_else(|| AppError::field("format", text!("format 只能是 xlsx 或 csv")))?;
    let catalogue = app.catalogue().await?;
    let read = customers::web::list_query(query, &catalogue, &app.zone)?;
    let described: String =
        query.with(&[("format", ""), ("limit", ""), ("after", "")]).chars().take(2_000).collect();
    let own = app.clone();
    let temp = tokio::task::spawn_blocking(move || files::temporary(&own))
        .await
        .map_err(|e| AppError::Internal(format!("export: {e}")))??;
    let lost = |e: std::io::Error| AppError::Internal(format!("export: {e}"));
    export(app, actor, read, &described, format, temp.reopen().map_err(lost)?).await?;
    let name = format!("{}-{}.{}", actor.lang.t("客户"), app.today(), format.ending());
    // The name goes away now, the bytes when they have been sent.
    download(temp.reopen().map_err(lost)?, &name, format.media_type())
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers/export", Need::SignedIn, page)
        .api(Need::SignedIn, utoipa_axum::routes!(export_customers))
}
