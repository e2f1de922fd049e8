//! The order of the measurements.

use std::path::{Path, PathBuf};
use std::process::Command;

use store::{Db, Engine, Location, Options};

use crate::Arguments;
use crate::client::{Answer, Client, encoded};
use crate::company::Company;
use crate::loads::{Figures, repeat, requests};
use crate::process::{Server, knows, must, watch};
use crate::raw::Raw;
use crate::report::{Report, ms, rate};
use crate::{bare, data, machine, pages, scopes, year};

/// Measures everything asked for.
pub fn run(arguments: &Arguments) -> Report {
    let mut report = Report::default();
    if arguments.only_year {
        let folder = tempfile::TempDir::new().unwrap();
        year::measure(&mut report, folder.path(), arguments.year);
        return report;
    }
    let kehu = arguments.kehu.clone().unwrap_or_else(|| {
        let beside = std::env::current_exe().unwrap();
        let beside = beside.with_file_name("kehu");
        assert!(beside.exists(), "{} is missing: make build", beside.display());
        beside
    });
    let folder = match &arguments.dir {
        Some(dir) => tempfile::TempDir::new_in(dir),
        None => tempfile::TempDir::new(),
    }
    .unwrap();
    let mut sizes = if arguments.sizes.is_empty() { vec![10_000, 100_000] } else { arguments.sizes.clone() };
    if arguments.large {
        sizes.push(1_000_000);
    }
    report.line(&machine::paragraph());
    let server = std::env::var("KEHU_TEST_POSTGRES").ok();
    // Filling it takes long: every statement is a round trip.
    let most = if arguments.large { 100_000 } else { 10_000 };
    for size in sizes {
        sqlite(&mut report, arguments, &kehu, folder.path(), size);
        if let Some(url) = server.as_deref().filter(|_| size <= most) {
            postgres(&mut report, arguments, &kehu, folder.path(), url, size);
        }
    }
    if server.is_none() {
        report.line("PostgreSQL was not measured: KEHU_TEST_POSTGRES names no server.");
    }
    if arguments.scopes > 0 {
        let size = if arguments.large { 1_000_000 } else { arguments.scopes };
        scopes::measure(&mut report, folder.path(), size, arguments.seconds.min(2.0));
    }
    if arguments.year > 0 {
        year::measure(&mut report, folder.path(), arguments.year);
    }
    if arguments.import > 0 {
        import(&mut report, arguments, &kehu, folder.path());
    }
    report
}

/// One row of the main table.
struct Line {
    what: &'static str,
    raw: Option<Figures>,
    minimal: Option<Figures>,
    kehu: Figures,
    /// How many times the minimal server's processor time is allowed.
    goal: f64,
}

impl Line {
    fn cells(&self) -> Vec<String> {
        let dash = || "–".to_owned();
        let ratio = |m: Figures| if m.cpu > 0.0 { format!("{:.1}", self.kehu.cpu / m.cpu) } else { dash() };
        vec![
            self.what.to_owned(),
            self.raw.map_or_else(dash, |f| ms(f.p50)),
            self.minimal.map_or_else(dash, |f| ms(f.cpu)),
            ms(self.kehu.cpu),
            self.minimal.map_or_else(dash, ratio),
            format!("{:.0}", self.goal),
            self.minimal.map_or_else(dash, |f| ms(f.p50)),
            ms(self.kehu.p50),
            self.minimal.map_or_else(dash, |f| rate(f.rate)),
            rate(self.kehu.rate),
        ]
    }
}

const HEAD: [&str; 10] = [
    "what",
    "raw engine, ms",
    "minimal server, CPU ms",
    "kehu, CPU ms",
    "times",
    "goal ≤",
    "minimal p50, ms",
    "kehu p50, ms",
    "minimal, /s",
    "kehu, /s",
];

fn serve(kehu: &Path, company: &Company) -> Server {
    let mut command = Command::new(kehu);
    command.arg("serve").arg("--data").arg(&company.data).args(["--database", &company.database]);
    command.env("KEHU_LOG", "warn");
    Server::start(
        command,
        |command, address| {
            command.args(["--listen", &address.to_string()]);
        },
        "/readyz",
    )
}

fn serve_minimal(raw: &Raw) -> Server {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--minimal").arg(&raw.path);
    Server::start(
        command,
        |command, address| {
            command.env("LISTEN", address.to_string());
        },
        "/readyz",
    )
}

/// Median seconds from the start of the process to its first answer, and its memory when it was left alone for a while.
fn starts(kehu: &Path, company: &Company) -> (f64, f64) {
    let mut times: Vec<f64> = (0..5).map(|_| serve(kehu, company).started_in.as_secs_f64()).collect();
    times.sort_unstable_by(f64::total_cmp);
    let server = serve(kehu, company);
    // What starting took is given back to the system some seconds later.
    std::thread::sleep(std::time::Duration::from_secs(20));
    (times[2], server.memory())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\nAccept: application/json\r\n")
}

const POST: &str = "Content-Type: application/json\r\n";

/// The addresses kehu is asked at.
struct Asks {
    all: String,
    staff: String,
    ids: Vec<String>,
    list: String,
    deep: String,
}

const NEWEST: &str = "/api/v1/customers?sort=-updated_at&limit=50";

impl Asks {
    fn new(server: &Server, company: &Company, ids: &[i64]) -> Self {
        let all = bearer(&company.administrator);
        let mut client = Client::new(server.address, &all).unwrap();
        let (mut passed, mut after) = (0, String::new());
        while passed < company.size / 2 {
            let address = format!("/api/v1/customers?sort=-updated_at&limit=200{after}");
            let page = client.get(&address).ok().json();
            passed += page["items"].as_array().unwrap().len();
            after = format!("&after={}", page["next"].as_str().unwrap());
        }
        Self {
            all,
            staff: bearer(&company.staff.0),
            ids: ids.iter().map(|id| store::format_id(*id)).collect(),
            list: format!("{NEWEST}&filter={}", encoded("class == \"key\"")),
            deep: format!("{NEWEST}{after}"),
        }
    }
}

/// Words people type: two neighbouring characters of a name.
pub fn two_characters() -> Vec<String> {
    (0..200).map(|n| name(n * 37).chars().skip(n % 3).take(2).collect()).collect()
}

/// Initials of whole names of persons and the first four of companies.
fn initials() -> Vec<String> {
    (0..200).map(|n| hanzi::readings::initials(&name(n * 53)).chars().take(4).collect()).collect()
}

fn name(n: usize) -> String {
    data::customer(n)["name"].as_str().unwrap().to_owned()
}

fn search(word: &str) -> String {
    format!("/api/v1/customers?limit=50&q={}", encoded(word))
}

/// Everything asked of kehu over HTTP, in the order of the table.
struct Asked {
    get: Figures,
    list: Figures,
    deep: Figures,
    two: Figures,
    initials: Figures,
    create: Figures,
    create_16: Figures,
    update: Figures,
    /// Resident memory after all that, MiB.
    memory: f64,
}

fn ask(server: &Server, asks: &Asks, seconds: f64) -> Asked {
    let ok = |answer: Answer| drop(answer.ok());
    let read = |headers: &str, address: &(dyn Fn(usize) -> String + Sync)| {
        requests(server, 1, seconds, headers, |client, _, n| ok(client.get(&address(n))))
    };
    let create = |clients: usize, from: usize| {
        requests(server, clients, seconds, &asks.all, |client, number, n| {
            let body = serde_json::Value::Object(data::customer(from + number * 100_000 + n)).to_string();
            ok(client.send("POST", "/api/v1/customers", POST, &body).unwrap());
        })
    };
    let (two, short) = (two_characters(), initials());
    let get = read(&asks.all, &|n| format!("/api/v1/customers/{}", asks.ids[n * 7_919 % asks.ids.len()]));
    let list = read(&asks.staff, &|_| asks.list.clone());
    let deep = read(&asks.all, &|_| asks.deep.clone());
    let found = read(&asks.all, &|n| search(&two[n % two.len()]));
    let by_initials = read(&asks.all, &|n| search(&short[n % short.len()]));
    let one = create(1, 6_000_000);
    let many = create(16, 8_000_000);
    let update = requests(server, 1, seconds, &asks.all, |client, _, n| {
        // Every customer is changed once a round, so that its version is known without asking.
        let (id, round) = (&asks.ids[n % asks.ids.len()], n / asks.ids.len());
        let headers = format!("{POST}If-Match: \"{}\"\r\n", round + 1);
        let body = format!("{{\"remark\": \"改 {n}\"}}");
        let answer = client.send("PATCH", &format!("/api/v1/customers/{id}"), &headers, &body).unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    });
    Asked {
        get,
        list,
        deep,
        two: found,
        initials: by_initials,
        create: one,
        create_16: many,
        update,
        memory: server.memory(),
    }
}

/// The same of the minimal server.
fn ask_minimal(server: &Server, raw: &Raw, owner: i64, seconds: f64) -> Asked {
    let ok = |answer: Answer| drop(answer.ok());
    let read = |address: &(dyn Fn(usize) -> String + Sync)| {
        requests(server, 1, seconds, "", |client, _, n| ok(client.get(&address(n))))
    };
    let create = |clients: usize, from: usize| {
        requests(server, clients, seconds, "", |client, number, n| {
            let body = serde_json::Value::Object(data::customer(from + number * 100_000 + n)).to_string();
            ok(client.send("POST", "/customers", POST, &body).unwrap());
        })
    };
    let (two, short) = (two_characters(), initials());
    let ((at, id), ids) = (raw.middle(), &raw.ids);
    let get = read(&|n| format!("/customers/{}", ids[n * 7_919 % ids.len()]));
    let list = read(&|_| format!("/list?owner={owner}&class=key"));
    let deep = read(&|_| format!("/deep?at={at}&id={id}"));
    let found = read(&|n| format!("/search?q={}", encoded(&two[n % two.len()])));
    let by_initials = read(&|n| format!("/search?q={}", encoded(&short[n % short.len()])));
    let one = create(1, 6_000_000);
    let many = create(16, 8_000_000);
    let update = requests(server, 1, seconds, "", |client, _, n| {
        let body = format!("{{\"remark\": \"改 {n}\"}}");
        ok(client.send("PATCH", &format!("/customers/{}", ids[n % ids.len()]), POST, &body).unwrap());
    });
    Asked {
        get,
        list,
        deep,
        two: found,
        initials: by_initials,
        create: one,
        create_16: many,
        update,
        memory: server.memory(),
    }
}

fn sqlite(report: &mut Report, arguments: &Arguments, kehu: &Path, folder: &Path, size: usize) {
    eprintln!("SQLite, {size} customers: building");
    let seconds = arguments.seconds;
    let company = Company::build(kehu, folder.join(format!("sqlite-{size}")), "", size);
    let raw = Raw::copy_of(&company, folder.join(format!("raw-{size}.db")));
    let (start, idle) = starts(kehu, &company);
    eprintln!("SQLite, {size} customers: measuring");
    let server = serve(kehu, &company);
    let asks = Asks::new(&server, &company, &raw.ids);
    let page = page_weights(&server);
    let listed = page_cpu(&server, seconds);
    let kehu_asked = ask(&server, &asks, seconds);
    drop(server);
    let owner = company.staff.1;
    let minimal = serve_minimal(&raw);
    let minimal_asked = ask_minimal(&minimal, &raw, owner, seconds);
    drop(minimal);
    let place = raw.middle();
    let (two, short) = (two_characters(), initials());
    let lines = [
        (("get", 4.0), Some(raw.get(seconds)), minimal_asked.get, kehu_asked.get),
        (
            ("list page of 50 (filter, sort, scope)", 4.0),
            Some(raw.list(seconds, owner)),
            minimal_asked.list,
            kehu_asked.list,
        ),
        (
            ("deep page (behind half of the rows)", 4.0),
            Some(raw.deep(seconds, place)),
            minimal_asked.deep,
            kehu_asked.deep,
        ),
        (("search, 2 characters", 4.0), Some(raw.search(seconds, &two)), minimal_asked.two, kehu_asked.two),
        (
            ("search, initials", 4.0),
            Some(raw.search(seconds, &short)),
            minimal_asked.initials,
            kehu_asked.initials,
        ),
        (
            ("durable create, 1 client", 6.0),
            Some(raw.create(seconds)),
            minimal_asked.create,
            kehu_asked.create,
        ),
        (("durable create, 16 clients", 6.0), None, minimal_asked.create_16, kehu_asked.create_16),
        (("update", 6.0), Some(raw.update(seconds)), minimal_asked.update, kehu_asked.update),
    ];
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|((what, goal), raw, minimal, kehu)| {
            Line { what, raw, minimal: Some(minimal), kehu, goal }.cells()
        })
        .collect();
    report.line("");
    report.line(&format!("### SQLite, {} customers", rate(size as f64)));
    report.table(&HEAD, &rows);
    let db = company.db.clone();
    let counts = counts(&db, seconds);
    let groups = raw.groups(seconds.min(2.0));
    report.line(&format!(
        "Counts by class and region: {} ms (kept) beside {} ms (GROUP BY on the raw engine). List page as HTML in the \
         browser's session: {} ms of CPU.",
        ms(counts.p50),
        ms(groups.p50),
        ms(listed.cpu)
    ));
    report.line("");
    let with_64 = bare::creates(&db, 64, seconds);
    let bare_64 = bare::rows(&bare::open(&raw.path), 64, seconds);
    report.line(&format!(
        "Commits with 64 waiting writers, without HTTP: kehu {}/s, the bare store {}/s for the row and its search \
         document ({:.2} of it; goal ≥ 0.33).",
        rate(with_64),
        rate(bare_64),
        with_64 / bare_64
    ));
    report.line("");
    report.line(&format!(
        "Start to the first answer of /readyz {start:.3} s (goal ≤ 0.25). Memory: {idle:.0} MiB idle (goal ≤ 60), {:.0} MiB \
         after all of the above (goal ≤ 150 with 100,000 customers). Built at {}/s through `customers::create`, in \
         batches of 200; the raw file at {}/s. Raw file {:.0} MiB, kehu's {:.0} MiB.",
        kehu_asked.memory,
        rate(company.rate),
        rate(raw.rate),
        raw.bytes as f64 / 1048576.0,
        std::fs::metadata(company.data.join("kehu.db")).unwrap().len() as f64 / 1048576.0,
    ));
    report.line("");
    report.line(&page);
}

/// The kept counts, as the workbench reads them.
fn counts(db: &Db, seconds: f64) -> Figures {
    repeat(seconds.min(2.0), |_| {
        db.read_blocking(|conn| {
            kehu::counters::by_key(conn, "customers.class_province", &kehu::counters::Whose::Everybody)
        })
        .unwrap();
    })
}

fn page_weights(server: &Server) -> String {
    let session = pages::sign_in(server, "boss");
    let cells: Vec<String> =
        [("log-in", "", "/login"), ("workbench", &*session, "/"), ("customer list", &*session, "/customers")]
            .into_iter()
            .map(|(name, session, path)| {
                let [page, at_once, later] = pages::weight(server, session, path)
                    .map(|bytes| format!("{:.1} kB", bytes as f64 / 1000.0));
                format!("{name} {page} + {at_once} + {later}")
            })
            .collect();
    format!(
        "Compressed bytes, page + files it asks for + files it asks for when a part of it needs them (goal ≤ 250 kB): {}.",
        cells.join(", ")
    )
}

fn page_cpu(server: &Server, seconds: f64) -> Figures {
    let session = pages::sign_in(server, "boss");
    requests(server, 1, seconds, &session, |client, _, _| drop(client.get("/customers").ok()))
}

fn postgres(report: &mut Report, arguments: &Arguments, kehu: &Path, folder: &Path, url: &str, size: usize) {
    eprintln!("PostgreSQL, {size} customers: building");
    let seconds = arguments.seconds;
    let name = format!("kehu_bench_{size}");
    let mut admin = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let fresh = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    admin.batch_execute(&fresh).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let show = |admin: &mut postgres::Client, what: &str| -> String {
        admin.query_one(&format!("SHOW {what}"), &[]).unwrap().get(0)
    };
    let (version, fsync) = (show(&mut admin, "server_version"), show(&mut admin, "fsync"));
    let database = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
    let company = Company::build(kehu, folder.join(format!("postgres-{size}")), &database, size);
    bare::raw_tables(&company.db);
    let mut raw = postgres::Client::connect(&database, postgres::NoTls).unwrap();
    let ids: Vec<i64> =
        raw.query("SELECT id FROM customers", &[]).unwrap().iter().map(|r| r.get(0)).collect();
    let (start, idle) = starts(kehu, &company);
    eprintln!("PostgreSQL, {size} customers: measuring");
    let server = serve(kehu, &company);
    let asks = Asks::new(&server, &company, &ids);
    let asked = ask(&server, &asks, seconds);
    drop(server);
    let floor = raw_postgres(&mut raw, &company, &ids, seconds);
    let lines = [
        ("get", floor[0], asked.get),
        ("list page of 50 (filter, sort, scope)", floor[1], asked.list),
        ("deep page (behind half of the rows)", floor[2], asked.deep),
        ("search, 2 characters", floor[3], asked.two),
        ("search, initials", floor[4], asked.initials),
        ("durable create, 1 client", floor[5], asked.create),
        ("update", floor[6], asked.update),
    ];
    let mut rows: Vec<Vec<String>> = lines
        .iter()
        .enumerate()
        .map(|(n, (what, raw, kehu))| {
            let goal = if n < 5 { raw.p50 * 2.0 + 0.001 } else { raw.p50 * 3.0 };
            vec![
                (*what).to_owned(),
                ms(raw.p50),
                ms(kehu.p50),
                ms(goal),
                ms(kehu.cpu),
                rate(raw.rate),
                rate(kehu.rate),
            ]
        })
        .collect();
    let many = asked.create_16;
    rows.push(vec![
        "durable create, 16 clients".into(),
        "–".into(),
        ms(many.p50),
        "–".into(),
        ms(many.cpu),
        "–".into(),
        rate(many.rate),
    ]);
    report.line("");
    report.line(&format!("### PostgreSQL {version} (fsync {fsync}), {} customers", rate(size as f64)));
    let head = ["what", "raw p50, ms", "kehu p50, ms", "goal ≤, ms", "kehu CPU, ms", "raw, /s", "kehu, /s"];
    report.table(&head, &rows);
    let with_64 = bare::creates(&company.db, 64, seconds);
    let bare_64 = bare::rows(&company.db, 64, seconds);
    report.line(&format!(
        "Commits with 64 waiting writers on 4 connections, without HTTP: kehu {}/s, the bare store {}/s ({:.2} of it; goal \
         ≥ 0.33). Start to the first answer {start:.3} s; memory {idle:.0} MiB idle, {:.0} MiB after all of the above. \
         Built at {}/s.",
        rate(with_64),
        rate(bare_64),
        with_64 / bare_64,
        asked.memory,
        rate(company.rate)
    ));
    drop(company);
    drop(raw);
    admin.batch_execute(&fresh).unwrap();
}

/// The floor: prepared statements on the same server, on tables with the same rows and indexes.
fn raw_postgres(raw: &mut postgres::Client, company: &Company, ids: &[i64], seconds: f64) -> Vec<Figures> {
    use crate::raw::SHOWN;
    let select = |rest: &str| format!("SELECT {SHOWN} FROM raw.customers {rest}");
    let get = raw.prepare(&select("c WHERE c.id = $1 AND c.deleted_at IS NULL")).unwrap();
    let list = raw
        .prepare(&select(
            "c WHERE c.deleted_at IS NULL AND c.owner_id = $1 AND c.class = $2 ORDER BY c.updated_at DESC, c.id DESC LIMIT 50",
        ))
        .unwrap();
    let deep = raw
        .prepare(&select(
            "c WHERE c.deleted_at IS NULL AND (c.updated_at, c.id) < ($1, $2) ORDER BY c.updated_at DESC, c.id DESC LIMIT 50",
        ))
        .unwrap();
    let found = raw
        .prepare(&select(
            "c WHERE c.id IN (SELECT id FROM raw.search_docs WHERE body @@ CAST(CAST($1 AS TEXT) AS tsquery)) \
             AND c.deleted_at IS NULL ORDER BY c.id DESC LIMIT 50",
        ))
        .unwrap();
    let middle = raw
        .query_one(
            "SELECT updated_at, id FROM raw.customers ORDER BY updated_at DESC, id DESC LIMIT 1 OFFSET $1",
            &[&(ids.len() as i64 / 2)],
        )
        .unwrap();
    let (at, id): (i64, i64) = (middle.get(0), middle.get(1));
    let plans = |words: Vec<String>| -> Vec<String> {
        words.iter().filter_map(|w| hanzi::search::plan(w).tsquery()).collect()
    };
    let (two, short) = (plans(two_characters()), plans(initials()));
    let owner = company.staff.1;
    let mut figures = vec![
        repeat(seconds, |n| drop(raw.query(&get, &[&ids[n * 7_919 % ids.len()]]).unwrap())),
        repeat(seconds, |_| drop(raw.query(&list, &[&owner, &"key"]).unwrap())),
        repeat(seconds, |_| drop(raw.query(&deep, &[&at, &id]).unwrap())),
        repeat(seconds, |n| drop(raw.query(&found, &[&two[n % two.len()]]).unwrap())),
        repeat(seconds, |n| drop(raw.query(&found, &[&short[n % short.len()]]).unwrap())),
    ];
    let one = bare::rows(&company.db, 1, seconds);
    figures.push(Figures { rate: one, p50: 1.0 / one, cpu: 0.0 });
    let change = raw
        .prepare("UPDATE raw.customers SET remark = $2, version = version + 1, updated_at = $3 WHERE id = $1")
        .unwrap();
    figures.push(repeat(seconds, |n| {
        raw.execute(&change, &[&ids[n % ids.len()], &"改", &(store::new_id() >> 22)]).unwrap();
    }));
    figures
}

/// `kehu import customers` of a file with one bad row in a hundred, into an empty company.
fn import(report: &mut Report, arguments: &Arguments, kehu: &Path, folder: &Path) {
    report.line("");
    report.line(&format!("### Import of {} rows", rate(arguments.import as f64)));
    report.line("");
    if !knows(kehu, "import") {
        report.line("This build has no `kehu import`.");
        return;
    }
    eprintln!("import of {} rows", arguments.import);
    let (data, file) = (folder.join("import"), folder.join("import.csv"));
    std::fs::write(&file, data::csv(arguments.import)).unwrap();
    std::fs::create_dir_all(&data).unwrap();
    let database = format!("sqlite:{}", data.join("kehu.db").display());
    let mut setup = Command::new(kehu);
    setup
        .args(["setup", "--company", "导入公司", "--admin", "boss", "--password-stdin"])
        .args(["--database", &database, "--data"])
        .arg(&data);
    must(&mut setup, &format!("{}\n", crate::company::PASSWORD));
    let mut command = Command::new(kehu);
    command.args(["import", "customers"]).arg(&file).args(["--database", &database, "--data"]).arg(&data);
    let (took, memory) = watch(&mut command);
    let raw = raw_import(folder, arguments.import);
    let location = Location::Sqlite(data.join("kehu.db"));
    let db = Db::open(&location, &Options { readers: 1, ..Options::default() }).unwrap();
    debug_assert_eq!(db.engine(), Engine::Sqlite);
    let imported = db.read_blocking(|conn| conn.count("SELECT COUNT(*) FROM customers", &[])).unwrap();
    let per_second = arguments.import as f64 / took.as_secs_f64();
    report.line(&format!(
        "CSV with one bad row in a hundred: {} customers in {:.1} s, {} rows/s; the raw engine loads the same rows at {}/s \
         ({:.2} of it; goal ≥ 0.2). Largest memory {memory:.0} MiB.",
        rate(imported as f64),
        took.as_secs_f64(),
        rate(per_second),
        rate(raw),
        per_second / raw
    ));
}

/// Rows a second that the raw engine loads, in transactions of 1,000.
fn raw_import(folder: &Path, rows: usize) -> f64 {
    let path: PathBuf = folder.join("import-raw.db");
    let connection = crate::raw::open(&path);
    let from = rusqlite::Connection::open(folder.join("import/kehu.db")).unwrap();
    crate::raw::make_tables(&connection, &from);
    crate::raw::load(&connection, 5_000_000, rows)
}
