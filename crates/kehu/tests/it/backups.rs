//! Backups: made while people work, read back, verified, carried off, restored, kept by the clock; damage is found.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kehu::backups::{self, Order, Refused, Step};
use kehu::config::Config;
use kehu::{jobs, menu};
use serde_json::{Value as Json, json};
use store::{Db, Location, Options};

use crate::app::{DataScope, NOW, PostgresDatabase};
use crate::{Client, TestApp, both};

/// Asks for a backup, makes it, and answers what the API says of it.
async fn back_up(app: &TestApp, program: &Client<'_>) -> Json {
    let asked = program.json("POST", "/api/v1/backups", json!({})).await.expect(202).json();
    assert_eq!(asked["state"], "waiting");
    jobs::run_all(&app.app).await.unwrap();
    program.get(&address(&asked)).await.expect(200).json()
}

fn address(backup: &Json) -> String {
    format!("/api/v1/backups/{}", backup["id"].as_str().unwrap())
}

fn file_of(app: &TestApp, backup: &Json) -> PathBuf {
    app.app.config.backups_dir.join(backup["file_name"].as_str().unwrap())
}

/// A customer with two attached files.
async fn fill(li: &Client<'_>) -> String {
    let id =
        li.customer(json!({ "kind": "person", "name": "张三", "phone": "13987654321" })).await["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let program = li.with_token().await;
    for (name, content) in [("合同.txt", &b"one"[..]), ("照片.bin", &[7; 3000])] {
        program.upload("/api/v1/files", &[("customer_id", id.as_str())], name, content).await.expect(201);
    }
    id
}

/// What verification says of a file.
fn problems(path: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    backups::verify(path, folder.path(), &mut |_, _| true).unwrap().unwrap().problems
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// covers: EX-11
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_verified_downloaded_and_deleted_and_all_of_it_stands_in_the_log() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let li = app.staff("li", DataScope::All).await;
        fill(&li).await;
        let made = back_up(&app, &program).await;
        assert_eq!((&made["state"], &made["verification"]), (&json!("done"), &json!("ok")), "{made}");
        assert_eq!(
            (&made["customers"], &made["attachments"], &made["missing_attachments"]),
            (&json!(1), &json!(2), &json!(0))
        );
        let path = file_of(&app, &made);
        assert_eq!(made["size"], std::fs::metadata(&path).unwrap().len());
        assert_eq!(names_in(&app.app.config.backups_dir), [".lock", made["file_name"].as_str().unwrap()]);
        assert_eq!(problems(&path), Vec::<String>::new());
        let found = backups::found_in(&app.app.config.backups_dir).unwrap();
        let manifest = found[0].manifest.as_ref().unwrap();
        assert_eq!((manifest.company.as_str(), manifest.created_by.as_str()), ("天江集团", "赵管理"));
        assert_eq!(manifest.tables["customers"], 1);
        let page = admin.get("/admin/backups").await.expect(200).text();
        assert!(
            page.contains("1 位客户，2 个附件") && page.contains("完好") && page.contains("赵管理"),
            "{page}"
        );

        let sent = program.get(&format!("{}/content", address(&made))).await.expect(200);
        assert_eq!(sent.body, std::fs::read(&path).unwrap());
        let by_page =
            admin.get(&format!("/admin/backups/{}/download", made["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(by_page.header("content-length"), sent.body.len().to_string());
        assert!(by_page.header("content-disposition").contains("kehu-20260928-162000-"));

        program.json("PUT", &format!("{}/verification", address(&made)), json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(program.get(&address(&made)).await.json()["verification"], "ok");
        // Ordinary people know nothing of it.
        for path in ["/admin/backups", "/admin/maintenance"] {
            li.get(path).await.expect(403);
        }
        let staff = li.with_token().await;
        staff.get(&format!("{}/content", address(&made))).await.expect(403);
        staff.json("POST", "/api/v1/backups", json!({})).await.expect(403);

        program.json("DELETE", &address(&made), json!({})).await.expect(428);
        program.json_with("DELETE", &address(&made), json!({}), &[("if-match", "\"77\"")]).await.expect(412);
        let version = format!("\"{}\"", program.get(&address(&made)).await.json()["version"]);
        program.json_with("DELETE", &address(&made), json!({}), &[("if-match", &version)]).await.expect(204);
        program.get(&address(&made)).await.expect(404);
        assert!(!path.exists());
        for (action, times) in [
            ("started", 1),
            ("created", 1),
            ("downloaded", 2),
            ("verification_requested", 1),
            ("verified", 1),
            ("deleted", 1),
        ] {
            let sql =
                format!("SELECT COUNT(*) FROM audit_log WHERE action = 'backup.{action}' AND result = 'ok'");
            let counted = app.app.db.read(move |conn| conn.count(&sql, &[])).await.unwrap();
            assert_eq!(counted, times, "{action}");
        }
        let log = admin.get("/admin/audit?action=backup.").await.expect(200).text();
        assert!(log.contains("完成备份") && log.contains("下载备份"), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_every_kind_is_found() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        fill(&app.staff("li", DataScope::All).await).await;
        let made = back_up(&app, &program).await;
        let path = file_of(&app, &made);
        let whole = std::fs::read(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.kehu-backup");
        let check = |bytes: &[u8]| {
            std::fs::write(&copy, bytes).unwrap();
            problems(&copy)
        };
        assert_eq!(check(&whole), Vec::<String>::new());
        let find = |needle: &[u8]| whole.windows(needle.len()).rposition(|w| w == needle).unwrap();
        let flipped = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            bytes
        };
        // A bit in the database's data, in a header, in a file, in the list of files, in the manifest, at the end.
        let places = [
            ("the database", find("张三".as_bytes())),
            ("a page of the database", 512 + 5 * 4096 + 77),
            ("a header", 3),
            ("a file", find(&[7; 3000]) + 1500),
            ("the list of files", find(b"\tok\n") - 10),
            ("the manifest", find("天江集团".as_bytes())),
            ("the end", whole.len() - 5),
        ];
        for (what, at) in places {
            assert_ne!(check(&flipped(at)), Vec::<String>::new(), "{what}");
        }
        // And anywhere.
        for n in 0..40_usize {
            let at = (n * 2_654_435_761) % whole.len();
            assert_ne!(check(&flipped(at)), Vec::<String>::new(), "byte {at}");
        }
        // Cut anywhere, with something behind, without one of its files, with two of its files in each other's place.
        for at in [0, 1, 511, 70_000, whole.len() / 2, whole.len() - 512, whole.len() - 1] {
            assert_ne!(check(&whole[..at]), Vec::<String>::new(), "cut at {at}");
        }
        assert_ne!(check(&[&whole[..], &[0; 512]].concat()), Vec::<String>::new());
        let header = |at: usize| at / 512 * 512 - 512;
        let (small, large) = (header(find(b"one\0")), header(find(&[7; 3000])));
        let parts = (&whole[..small], &whole[small..small + 1024], &whole[large..large + 512 + 3072]);
        assert_eq!(small + 1024, large, "the files lie one after the other");
        let rest = &whole[large + 512 + 3072..];
        assert_ne!(check(&[parts.0, parts.2, rest].concat()), Vec::<String>::new(), "a file is missing");
        assert_ne!(
            check(&[parts.0, parts.2, parts.1, rest].concat()),
            Vec::<String>::new(),
            "files are swapped"
        );

        // Found by the job too: the list says so, and it does not count as a backup any more.
        std::fs::write(&path, flipped(find("张三".as_bytes()))).unwrap();
        program.json("PUT", &format!("{}/verification", address(&made)), json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        let known = program.get(&address(&made)).await.expect(200).json();
        assert_eq!(known["verification"], "damaged");
        assert!(known["problem"].as_str().unwrap().contains("数据库"), "{known}");
        assert!(app.app.db.read(backups::last_good).await.unwrap().is_none());
        let failed = "SELECT COUNT(*) FROM audit_log WHERE action = 'backup.verified' AND result = 'failed'";
        assert_eq!(app.number(failed).await, 1);
        // Gone altogether.
        std::fs::remove_file(&path).unwrap();
        program.json("PUT", &format!("{}/verification", address(&made)), json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        let known = program.get(&address(&made)).await.expect(200).json();
        assert_eq!(known["problem"], "备份文件已不在备份目录里");
        program.get(&format!("{}/content", address(&made))).await.expect(409);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_lost_before_does_not_prevent_a_backup_and_is_told() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        fill(&app.staff("li", DataScope::All).await).await;
        let stored = app.text("SELECT stored_as FROM files ORDER BY id LIMIT 1").await;
        std::fs::remove_file(app.app.config.data_dir.join("files").join(stored)).unwrap();
        let made = back_up(&app, &program).await;
        assert_eq!(
            (&made["state"], &made["missing_attachments"], &made["attachments"]),
            (&json!("done"), &json!(1), &json!(1))
        );
        assert_eq!(problems(&file_of(&app, &made)), Vec::<String>::new());
        let page = app.administrator().await.get("/admin/backups").await.text();
        assert!(page.contains("1 个附件在备份之前已缺失或被改动"), "{page}");
    })
    .await;
}

/// A place to restore into.
struct Place {
    config: Config,
    _folder: tempfile::TempDir,
    database: Option<PostgresDatabase>,
}

impl Place {
    fn new(app: &TestApp, database: Option<PostgresDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let location = match &database {
            Some(database) => Location::parse(&database.url).unwrap(),
            None => Location::Sqlite(data_dir.join("kehu.sqlite")),
        };
        let config = Config {
            backups_dir: data_dir.join("backups"),
            smtp_password: kehu::config::Secret::new("geheim"),
            data_dir,
            database: location,
            ..app.app.config.clone()
        };
        Self { config, _folder: folder, database }
    }

    fn restore(&self, path: &Path) -> Result<backups::Restored, Refused> {
        let (path, config) = (path.to_owned(), self.config.clone());
        let work = move || backups::restore(&path, &config, menu::HOOKS.jobs, NOW, &mut |_| {});
        std::thread::spawn(work).join().unwrap()
    }

    fn count(&self, sql: &'static str) -> i64 {
        let location = self.config.database.clone();
        let work = move || {
            let db = Db::open(
                &location,
                &Options { readers: 1, writers: 1, allow_unsafe: true, ..Options::default() },
            )
            .unwrap();
            db.read_blocking(move |conn| conn.count(sql, &[])).unwrap()
        };
        std::thread::spawn(work).join().unwrap()
    }
}

/// An empty place on SQLite, and one on PostgreSQL when there is a server.
fn places(app: &TestApp) -> Vec<Place> {
    let postgres = PostgresDatabase::create().map(|database| Place::new(app, Some(database)));
    std::iter::once(Place::new(app, None)).chain(postgres).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_into_an_empty_place_on_either_database() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        let li = app.staff("li", DataScope::All).await;
        let id = fill(&li).await;
        // Under way when the backup is made: a job that is due, and one for later.
        li.with_token()
            .await
            .upload("/api/v1/imports", &[], "a.csv", "名称\n甲公司\n".as_bytes())
            .await
            .expect(202);
        app.app.db.write(|tx| jobs::enqueue_at(tx, "org.hand_over", 1, NOW + 86_400_000, NOW)).await.unwrap();
        app.app
            .db
            .write(|tx| tx.exec("UPDATE jobs SET run_at = $1 WHERE kind = 'import.check'", &[NOW.into()]))
            .await
            .unwrap();
        let order = order(&app);
        let made = make(order, Arc::new(|_, _, _| true)).unwrap().unwrap();
        let path = app.app.config.backups_dir.join(&made.name);

        for place in places(&app) {
            let restored = place.restore(&path).unwrap();
            assert_eq!(restored.manifest.tables["customers"], 1);
            assert_eq!(restored.jobs, 1);
            assert!(restored.sessions >= 2);
            assert_eq!(place.count("SELECT COUNT(*) FROM sessions"), 0);
            assert_eq!(place.count("SELECT COUNT(*) FROM jobs WHERE state = 'dead'"), 1);
            assert_eq!(
                place.count("SELECT COUNT(*) FROM jobs WHERE state = 'waiting'"),
                1,
                "what is for later stays"
            );
            assert_eq!(place.count("SELECT COUNT(*) FROM imports WHERE state = 'failed'"), 1);
            assert_eq!(place.count("SELECT COUNT(*) FROM audit_log WHERE action = 'backup.restored'"), 1);
            assert_eq!(place.count("SELECT COUNT(*) FROM customers"), 1);
            let location = place.config.database.clone();
            let data_dir = place.config.data_dir.clone();
            // The log is whole, the customer is found by search, every file has its bytes.
            let seen = std::thread::spawn(move || {
                let db = Db::open(
                    &location,
                    &Options { readers: 1, writers: 1, allow_unsafe: true, ..Options::default() },
                )
                .unwrap();
                db.read_blocking(move |conn| {
                    let chains = kehu::audit::verify(conn)?;
                    assert!(chains.iter().all(|c| c.problem.is_none()), "{chains:?}");
                    let files: Vec<(String, i64)> = conn.rows("SELECT stored_as, size FROM files", &[])?;
                    for (stored_as, size) in &files {
                        let bytes = std::fs::read(data_dir.join("files").join(stored_as)).unwrap();
                        assert_eq!(bytes.len() as i64, *size);
                    }
                    Ok::<_, store::Error>((kehu::search::count(conn)?, files.len()))
                })
                .unwrap()
            });
            assert_eq!(seen.join().unwrap(), (1, 3));
            assert!(!backups::is_unfinished(&place.config.data_dir));
            // Never over something.
            let again = place.restore(&path);
            assert!(matches!(again, Err(Refused::Place(_))), "{again:?}");
            assert_eq!(place.count("SELECT COUNT(*) FROM audit_log WHERE action = 'backup.restored'"), 1);
            drop(place.database);
        }
        // The company itself goes on.
        program.get(&format!("/api/v1/customers/{id}")).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_not_restored_and_a_restore_that_was_killed_is_done_again() {
    both(|app| async move {
        fill(&app.staff("li", DataScope::All).await).await;
        let made = make(order(&app), Arc::new(|_, _, _| true)).unwrap().unwrap();
        let path = app.app.config.backups_dir.join(&made.name);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.len() / 3;
        bytes[at] ^= 1;
        let damaged = app.app.config.backups_dir.join("damaged.kehu-backup");
        std::fs::write(&damaged, &bytes).unwrap();
        let place = Place::new(&app, None);
        let refused = place.restore(&damaged);
        assert!(matches!(&refused, Err(Refused::Damaged(problems)) if !problems.is_empty()), "{refused:?}");
        let there = |name: &str| place.config.data_dir.join(name).exists();
        assert!(!there("kehu.sqlite") && !there("files") && !backups::is_unfinished(&place.config.data_dir));

        // What a restore that was killed leaves: its mark, some files, a piece of the database.
        std::fs::create_dir_all(place.config.data_dir.join("files/AA/BB")).unwrap();
        std::fs::write(place.config.data_dir.join("files/AA/BB/01M2Z8Q4T7V0K"), "half").unwrap();
        std::fs::write(place.config.data_dir.join("kehu.sqlite"), "half").unwrap();
        let refused = place.restore(&path);
        assert!(
            matches!(refused, Err(Refused::Place(_))),
            "without its mark it may be anybody's: {refused:?}"
        );
        std::fs::write(place.config.data_dir.join("restore.unfinished"), "").unwrap();
        place.restore(&path).unwrap();
        assert_eq!(place.count("SELECT COUNT(*) FROM customers"), 1);
        assert!(!there("files/AA/BB/01M2Z8Q4T7V0K"));
    })
    .await;
}

fn order(app: &TestApp) -> Order {
    Order {
        db: app.app.db.clone(),
        files: app.app.config.data_dir.join("files"),
        folder: app.app.config.backups_dir.clone(),
        id: store::new_id(),
        by: "测试".into(),
        now: NOW,
        zone: app.app.zone.clone(),
    }
}

/// Makes a backup on a thread of its own, as the work does.
fn make(order: Order, progress: backups::Progress) -> Result<Option<backups::Made>, kehu::error::AppError> {
    std::thread::spawn(move || backups::create(&order, &progress)).join().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_meanwhile_is_whole_in_the_backup_or_not_in_it_at_all() {
    both(|app| async move {
        let li = app.staff("li", DataScope::All).await;
        let id = fill(&li).await;
        let program = li.with_token().await;
        // Customers and files come in, one after the other, all the time.
        let stop = AtomicU64::new(0);
        let writing = async {
            let mut written = 0_u64;
            while stop.load(Ordering::SeqCst) == 0 {
                let name = format!("客户{written:05}");
                program
                    .json("POST", "/api/v1/customers", json!({ "kind": "person", "name": name }))
                    .await
                    .expect(201);
                let content = format!("content {written}").repeat(500);
                program
                    .upload(
                        "/api/v1/files",
                        &[("customer_id", id.as_str())],
                        &format!("{written}.txt"),
                        content.as_bytes(),
                    )
                    .await
                    .expect(201);
                written += 1;
            }
            written
        };
        let order = order(&app);
        let backing_up = async {
            // Some must be there before, and it takes a while: others come in between its steps.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let slow: backups::Progress = Arc::new(|step, _, _| {
                if step == Step::Database {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                true
            });
            let made = tokio::task::spawn_blocking(move || backups::create(&order, &slow)).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            stop.store(1, Ordering::SeqCst);
            made.unwrap().unwrap()
        };
        let (written, made) = tokio::join!(writing, backing_up);
        let path = app.app.config.backups_dir.join(&made.name);
        assert_eq!(problems(&path), Vec::<String>::new());
        let in_it = made.manifest.tables["customers"] - 1;
        assert!(in_it > 0 && in_it < written, "{in_it} of {written} customers");
        assert_eq!(made.manifest.files.missing, 0);
        // A prefix: each customer was followed by its file, so of both there are the first ones, at most one apart.
        let place = Place::new(&app, None);
        place.restore(&path).unwrap();
        let files = place.count("SELECT COUNT(*) FROM files") as u64 - 2;
        assert!(in_it == files || in_it == files + 1, "{in_it} customers, {files} files");
        let last = place
            .count("SELECT CAST(SUBSTR(MAX(name), 3) AS INTEGER) FROM customers WHERE name LIKE '客户%'")
            as u64;
        assert_eq!(last + 1, in_it, "none is missing before the last");
        assert_eq!(place.count("SELECT COUNT(*) FROM pragma_foreign_key_check"), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_stopped_or_fails_leaves_nothing_and_only_one_is_made_at_a_time() {
    both(|app| async move {
        let program = app.administrator().await.with_token().await;
        fill(&app.staff("li", DataScope::All).await).await;
        for unwanted in [Step::Database, Step::Files, Step::Check] {
            let made = make(order(&app), Arc::new(move |step, _, _| step != unwanted)).unwrap();
            assert!(made.is_none(), "{unwanted:?}");
            assert_eq!(names_in(&app.app.config.backups_dir), [".lock"], "{unwanted:?}");
        }
        // Stopped before it began.
        let asked = program.json("POST", "/api/v1/backups", json!({})).await.expect(202).json();
        program.json("POST", "/api/v1/backups", json!({})).await.expect(409);
        program.json("DELETE", &address(&asked), json!({})).await.expect(428);
        program.json_with("DELETE", &address(&asked), json!({}), &[("if-match", "\"1\"")]).await.expect(409);
        program.json("PUT", &format!("{}/verification", address(&asked)), json!({})).await.expect(409);
        program.get(&format!("{}/content", address(&asked))).await.expect(409);
        program.json("PUT", &format!("{}/cancellation", address(&asked)), json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(program.get(&address(&asked)).await.json()["state"], "cancelled");
        program.json("PUT", &format!("{}/cancellation", address(&asked)), json!({})).await.expect(409);
        // The same key is one backup.
        let key = [("idempotency-key", "k1")];
        let first = program.json_with("POST", "/api/v1/backups", json!({}), &key).await.expect(202).json();
        let second = program.json_with("POST", "/api/v1/backups", json!({}), &key).await.expect(202).json();
        assert_eq!(first["id"], second["id"]);
        jobs::run_all(&app.app).await.unwrap();
        // A folder that is none: told at once, and nothing else is harmed.
        std::fs::remove_dir_all(&app.app.config.backups_dir).unwrap();
        std::fs::write(&app.app.config.backups_dir, "").unwrap();
        let failed = back_up(&app, &program).await;
        assert_eq!(failed["state"], "failed");
        assert!(failed["problem"].as_str().unwrap().contains("backups"), "{failed}");
        let failures = "SELECT COUNT(*) FROM audit_log WHERE action = 'backup.created' AND result = 'failed'";
        assert_eq!(app.number(failures).await, 1);
        std::fs::remove_file(&app.app.config.backups_dir).unwrap();
        // What a killed one left goes with the next.
        std::fs::create_dir_all(app.app.config.backups_dir.join(".work-01M2Z8Q4T7V0K")).unwrap();
        std::fs::write(app.app.config.backups_dir.join(".work-01M2Z8Q4T7V0K/database.sqlite"), "half")
            .unwrap();
        std::fs::write(app.app.config.backups_dir.join("kehu-x.kehu-backup.partial"), "half").unwrap();
        assert!(backups::found_in(&app.app.config.backups_dir).unwrap().is_empty());
        let made = back_up(&app, &program).await;
        assert_eq!(names_in(&app.app.config.backups_dir), [".lock", made["file_name"].as_str().unwrap()]);
    })
    .await;
}

const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_backup_is_made_once_a_day_and_so_many_are_kept() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let set = async |name: &str, value: Json| {
            let path = format!("/api/v1/parameters/{name}");
            let etag = program.get(&path).await.expect(200).header("etag").to_owned();
            program
                .json_with("PATCH", &path, json!({ "value": value }), &[("if-match", &etag)])
                .await
                .expect(200);
        };
        let tick = async || {
            jobs::begin_recurring(&app.app).await;
            jobs::run_all(&app.app).await.unwrap();
            app.number("SELECT COUNT(*) FROM backups WHERE origin = 'schedule' AND deleted_at IS NULL").await
        };
        set("backup.keep", json!(2)).await;
        assert_eq!(tick().await, 0, "half past two of today was before the company began");
        let manual = back_up(&app, &program).await;
        // 02:29, then 02:31 of the next day.
        app.clock.advance(10 * HOUR + 9 * 60_000);
        assert_eq!(tick().await, 0);
        app.clock.advance(2 * 60_000);
        assert_eq!(tick().await, 1);
        assert_eq!(tick().await, 1, "once");
        app.clock.advance(24 * HOUR);
        assert_eq!(tick().await, 2);
        // No server for two days: one is made up for, and the oldest goes.
        app.clock.advance(50 * HOUR);
        assert_eq!(tick().await, 2);
        assert_eq!(app.number("SELECT COUNT(*) FROM backups WHERE origin = 'schedule'").await, 3);
        let there = names_in(&app.app.config.backups_dir);
        assert_eq!(there.iter().filter(|n| n.ends_with(".kehu-backup")).count(), 3, "{there:?}");
        assert!(file_of(&app, &manual).exists(), "what people asked for stays");
        let who = app.text("SELECT actor_name FROM audit_log WHERE action = 'backup.deleted'").await;
        assert_eq!(who, "系统");
        // A new time holds from now on, not for what has passed.
        set("backup.daily_at", json!("03:00")).await;
        assert_eq!(tick().await, 2);
        set("backup.daily", json!(false)).await;
        app.clock.advance(48 * HOUR);
        assert_eq!(tick().await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_warned_when_the_last_good_backup_is_too_old() {
    both(|app| async move {
        let warning = "去备份";
        let shown = async || app.administrator().await.get("/").await.expect(200).text().contains(warning);
        assert!(!shown().await, "a company that begins is not blamed");
        app.clock.advance(27 * HOUR);
        assert!(shown().await);
        let li = app.staff("li", DataScope::All).await;
        assert!(
            !li.get("/").await.expect(200).text().contains(warning),
            "it is the administrators' business"
        );
        let program = app.administrator().await.with_token().await;
        let made = back_up(&app, &program).await;
        assert!(!shown().await);
        // Damage takes it away again.
        let path = file_of(&app, &made);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20_000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        program.json("PUT", &format!("{}/verification", address(&made)), json!({})).await.expect(202);
        jobs::run_all(&app.app).await.unwrap();
        assert!(shown().await);
        let path = "/api/v1/parameters/backup.warn_hours";
        program.json_with("PATCH", path, json!({ "value": 0 }), &[("if-match", "\"0\"")]).await.expect(200);
        assert!(!shown().await);
    })
    .await;
}
