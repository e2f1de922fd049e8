//! A company to tell stories with: the whole service in this process, a clock that stands still, people who are
//! signed in already.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use kehu::access::{Actor, STAFF_ALL_ID, STAFF_ID};
use kehu::app::App;
use kehu::auth::{self, Setup};
use kehu::clock::Clock;
use kehu::config::Config;
use kehu::ids::PersonId;
use kehu::{menu, org, router, schema};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use store::{Db, Location, Options};
use tower::ServiceExt;

/// 2026-09-28 16:20 in Shanghai, a Monday.
pub const NOW: i64 = 1_790_583_600_000;

/// Which customers a staff member of a story works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataScope {
    /// Every customer.
    All,
    /// His own.
    Own,
}

/// The password of everybody in tests.
pub const PASSWORD: &str = "一句容易记住但是很长的话";

/// A running company.
pub struct TestApp {
    /// The application.
    pub app: App,
    /// Its clock.
    pub clock: Clock,
    router: Router,
    _folder: tempfile::TempDir,
    _database: Option<PostgresDatabase>,
}

/// Tells a story on SQLite and, when a server is named, on PostgreSQL.
pub async fn both<F, Fut>(story: F)
where
    F: Fn(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    story(TestApp::new(None, true).await).await;
    if let Some(database) = PostgresDatabase::create() {
        story(TestApp::new(Some(database), true).await).await;
    }
}

/// `both` before anybody has set the company up.
pub async fn both_empty<F, Fut>(story: F)
where
    F: Fn(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    story(TestApp::new(None, false).await).await;
    if let Some(database) = PostgresDatabase::create() {
        story(TestApp::new(Some(database), false).await).await;
    }
}

impl TestApp {
    async fn new(database: Option<PostgresDatabase>, is_set_up: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = match &database {
            Some(database) => Location::parse(&database.url).unwrap(),
            None => Location::Sqlite(folder.path().join("kehu.sqlite")),
        };
        let options = Options { readers: 2, writers: 3, allow_unsafe: true, ..Options::default() };
        let config = Config {
            data_dir: folder.path().to_owned(),
            database: location.clone(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            trusted_proxies: Vec::new(),
            max_upload_bytes: 20 << 20,
            backups_dir: folder.path().join("backups"),
            smtp_password: kehu::config::Secret::new("geheim"),
            allow_unsafe_postgres: true,
            origins: Vec::new(),
        };
        let clock = Clock::fixed(NOW);
        let db = tokio::task::spawn_blocking(move || {
            let db = Db::open(&location, &options).unwrap();
            store::migrate(&db, schema::MIGRATIONS).unwrap();
            db
        })
        .await
        .unwrap();
        let app = App::new(db, config, clock.clone(), menu::HOOKS).unwrap();
        let router = router::build(&app);
        let this = Self { app, clock, router, _folder: folder, _database: database };
        if is_set_up {
            let password_hash = this.password_hash().await;
            let input = Setup {
                company: "天江集团".into(),
                name: "赵管理".into(),
                username: "admin".into(),
                password_hash,
                is_demo: false,
            };
            this.app.db.write(move |tx| auth::set_up(tx, &input, NOW)).await.unwrap();
        }
        this
    }

    /// The hash of `PASSWORD`, made once.
    pub async fn password_hash(&self) -> String {
        static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
        let hash = HASH.get_or_init(|| async { self.app.passwords.hash(PASSWORD.into()).await.unwrap() });
        hash.await.clone()
    }

    /// The administrator, signed in with a browser.
    pub async fn administrator(&self) -> Client<'_> {
        let id = self.person_id("admin").await;
        self.sign_in(id).await
    }

    /// A new staff member with this scope, signed in with a browser.
    pub async fn staff(&self, username: &str, scope: DataScope) -> Client<'_> {
        let person = org::NewPerson {
            username: username.into(),
            name: format!("员工{username}"),
            title: "客户经理".into(),
            phone: String::new(),
            email: String::new(),
            roles: vec![match scope {
                DataScope::All => STAFF_ALL_ID,
                DataScope::Own => STAFF_ID,
            }],
            password_hash: self.password_hash().await,
            must_change_password: false,
        };
        let now = self.app.now();
        let id = self
            .app
            .db
            .write(move |tx| org::add_person(tx, &Actor::command_line(), &person, now))
            .await
            .unwrap();
        self.sign_in(id).await
    }

    /// Nobody.
    pub fn stranger(&self) -> Client<'_> {
        Client { app: self, person_id: PersonId(0), credential: Credential::None }
    }

    /// The id of a person.
    pub async fn person_id(&self, username: &str) -> PersonId {
        let username = username.to_owned();
        let id = self
            .app
            .db
            .read(move |conn| conn.value("SELECT id FROM people WHERE username = $1", &[(&username).into()]))
            .await;
        id.unwrap().unwrap()
    }

    /// A browser session of a person, made directly.
    pub async fn sign_in(&self, id: PersonId) -> Client<'_> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let secret =
            format!("{:064x}", COUNT.fetch_add(1, Ordering::SeqCst) + (u64::from(std::process::id()) << 32));
        let hash: String = Sha256::digest(secret.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        let now = self.app.now();
        self.app
            .db
            .write(move |tx| {
                tx.exec(
                    "INSERT INTO sessions (id, token_hash, person_id, security_stamp, created_at, seen_at, ends_at)
                     SELECT $1, $2, id, security_stamp, $4, $4, $5 FROM people WHERE id = $3",
                    &[
                        store::new_id().into(),
                        (&hash).into(),
                        id.into(),
                        now.into(),
                        (now + 12 * 3_600_000).into(),
                    ],
                )
            })
            .await
            .unwrap();
        Client { app: self, person_id: id, credential: Credential::Session(secret) }
    }

    /// A count or other number straight from the database.
    pub async fn number(&self, sql: &'static str) -> i64 {
        self.app.db.read(move |conn| conn.count(sql, &[])).await.unwrap()
    }

    /// A text straight from the database.
    pub async fn text(&self, sql: &'static str) -> String {
        self.app.db.read(move |conn| conn.value::<String>(sql, &[])).await.unwrap().unwrap_or_default()
    }

    /// Sends a request as it is.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

#[derive(Clone, Debug)]
enum Credential {
    None,
    Session(String),
    Token(String),
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client<'a> {
    /// The company.
    pub app: &'a TestApp,
    /// Who.
    pub person_id: PersonId,
    credential: Credential,
}

impl Client<'_> {
    /// The same person as a program with a token.
    pub async fn with_token(&self) -> Self {
        let (id, now) = (self.person_id, self.app.app.now());
        let token = self
            .app
            .app
            .db
            .write(move |tx| auth::create_token(tx, &Actor::command_line(), id, "测试", None, now))
            .await
            .unwrap();
        Self { credential: Credential::Token(token.secret), ..self.clone() }
    }

    /// The secret of the session or token.
    pub fn secret(&self) -> &str {
        match &self.credential {
            Credential::None => "",
            Credential::Session(secret) | Credential::Token(secret) => secret,
        }
    }

    /// A request with this person's credentials and, for a browser, the headers browsers send.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let builder = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        let builder = builder.header(header::HOST, "127.0.0.1:8080");
        match &self.credential {
            Credential::Token(token) => builder.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Credential::Session(secret) => builder
                .header(header::COOKIE, format!("{}={secret}", auth::SESSION_COOKIE))
                .header("sec-fetch-site", "same-origin")
                .header(header::ORIGIN, "http://127.0.0.1:8080"),
            Credential::None => builder
                .header("sec-fetch-site", "same-origin")
                .header(header::ORIGIN, "http://127.0.0.1:8080"),
        }
    }

    /// Reads a page or an API path.
    pub async fn get(&self, path: &str) -> Answer {
        self.app.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// Reads a part of a page as htmx does.
    pub async fn get_part(&self, path: &str) -> Answer {
        self.app
            .send(self.request("GET", path).header("hx-request", "true").body(Body::empty()).unwrap())
            .await
    }

    /// Sends a form.
    pub async fn post_form(&self, path: &str, values: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.app.send(request).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: &str, path: &str, body: Json) -> Answer {
        self.json_with(method, path, body, &[]).await
    }

    /// Sends JSON with more headers.
    pub async fn json_with(&self, method: &str, path: &str, body: Json, headers: &[(&str, &str)]) -> Answer {
        let mut builder = self.request(method, path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        self.app.send(builder.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Sends one file as `multipart/form-data`, with further fields before it.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], name: &str, content: &[u8]) -> Answer {
        self.upload_once(path, fields, name, content, "").await
    }

    /// `upload` with an `Idempotency-Key`; without one when it is empty.
    pub async fn upload_once(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        name: &str,
        content: &[u8],
        key: &str,
    ) -> Answer {
        let boundary = "kehu-test-boundary";
        let mut body = Vec::new();
        for (field, value) in fields {
            body.extend_from_slice(
                format!(
                    "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
                )
                .as_bytes(),
            );
        }
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let mut request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"));
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        self.app.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Makes a customer through the API and answers it.
    pub async fn customer(&self, body: Json) -> Json {
        let answer = self.with_token().await.json("POST", "/api/v1/customers", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }
}

/// What came back.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
    /// Fails with the body when the status is another one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}

/// A database of a test's own on the named server, dropped with it.
pub struct PostgresDatabase {
    server: String,
    name: String,
    /// How to reach it.
    pub url: String,
}

impl PostgresDatabase {
    /// `None` when no server is named.
    pub fn create() -> Option<Self> {
        let server = std::env::var("KEHU_TEST_POSTGRES").ok().filter(|url| !url.is_empty())?;
        let name = format!("kehu_test_{}", store::format_id(store::new_id()).to_lowercase());
        let (base, _) =
            server.rsplit_once('/').expect("KEHU_TEST_POSTGRES is postgres://user@host:port/database");
        let url = format!("{base}/{name}");
        on_server(&server, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
        Some(Self { server, name, url })
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        on_server(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs a statement on a thread of its own: the client must not block the test's runtime.
fn on_server(server: &str, sql: &str) {
    let (server, sql) = (server.to_owned(), sql.to_owned());
    let ran = std::thread::spawn(move || {
        let mut client = postgres::Client::connect(&server, postgres::NoTls)?;
        client.batch_execute(&sql)
    })
    .join();
    if let Ok(Err(error)) = ran {
        eprintln!("PostgreSQL: {error}");
    }
}
