//! The minimal server: axum on rusqlite, statements prepared, JSON out. No rights, history, duplicates or events; it is
//! what any server in this language and on this database must at least cost.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Json;
use axum::Router;
use axum::extract::{Path as At, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};
use serde_json::{Map, Value, json};

use crate::raw::{self, DEEP, GET, LIST, SEARCH, select};

static FILE: OnceLock<PathBuf> = OnceLock::new();

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Serves the raw file on the address in `LISTEN` until it is killed.
pub fn serve(path: &Path) {
    let address = std::env::var("LISTEN").unwrap();
    FILE.set(path.to_owned()).unwrap();
    let writer = Arc::new(Mutex::new(raw::open(path)));
    let routes = Router::new()
        .route("/customers/{id}", get(show).patch(change))
        .route("/customers", post(create))
        .route("/list", get(list))
        .route("/deep", get(deep))
        .route("/search", get(search))
        .route("/readyz", get(async || "ok"))
        .with_state(writer);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        axum::serve(listener, routes).await.unwrap();
    });
}

type Writer = Arc<Mutex<Connection>>;
type Asked = Query<std::collections::HashMap<String, String>>;

/// The rows of a query as a JSON array.
fn rows(rest: &str, parameters: &[&dyn ToSql]) -> Vec<Value> {
    READER.with_borrow_mut(|reader| {
        let connection = reader.get_or_insert_with(|| FILE.get().map(|path| raw::open(path)).unwrap());
        let mut statement = connection.prepare_cached(&select(rest)).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(parameters).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let mut item = Map::with_capacity(names.len());
            for (i, name) in names.iter().enumerate() {
                let value = match row.get_ref(i).unwrap() {
                    ValueRef::Integer(n) => n.into(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                    _ => Value::Null,
                };
                item.insert(name.clone(), value);
            }
            found.push(Value::Object(item));
        }
        found
    })
}

fn page(items: Vec<Value>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json!({ "items": items }).to_string()).into_response()
}

async fn show(At(id): At<i64>) -> Response {
    match rows(GET, &[&id]).pop() {
        Some(found) => Json(found).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn list(Query(asked): Asked) -> Response {
    let owner: i64 = asked["owner"].parse().unwrap();
    page(rows(LIST, &[&owner, &asked["class"]]))
}

async fn deep(Query(asked): Asked) -> Response {
    let (at, id): (i64, i64) = (asked["at"].parse().unwrap(), asked["id"].parse().unwrap());
    page(rows(DEEP, &[&at, &id]))
}

async fn search(Query(asked): Asked) -> Response {
    page(hanzi::search::plan(&asked["q"]).fts5().map(|plan| rows(SEARCH, &[&plan])).unwrap_or_default())
}

async fn create(State(writer): State<Writer>, Json(body): Json<Map<String, Value>>) -> Response {
    let id = tokio::task::block_in_place(|| raw::insert_body(&writer.lock().unwrap(), &body)).unwrap();
    (StatusCode::CREATED, Json(rows(GET, &[&id]).pop())).into_response()
}

async fn change(
    State(writer): State<Writer>,
    At(id): At<i64>,
    Json(body): Json<Map<String, Value>>,
) -> Response {
    let remark = body["remark"].as_str().unwrap_or_default();
    tokio::task::block_in_place(|| raw::update(&writer.lock().unwrap(), id, remark)).unwrap();
    Json(rows(GET, &[&id]).pop()).into_response()
}
