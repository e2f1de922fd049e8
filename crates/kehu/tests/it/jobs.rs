//! Background jobs: tried again with pauses, given up after eight tries, never lost.

use kehu::app::App;
use kehu::error::AppError;
use kehu::jobs::{self, Kind, Task, Work};
use kehu::text;
use serde_json::json;

use crate::both;

// covers: R9
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_tried_eight_times_with_pauses_and_then_given_up_visibly() {
    both(|app| async move {
        let admin = app.administrator().await;
        let program = admin.with_token().await;
        let sent = program
            .upload("/api/v1/imports", &[], "a.csv", "名称\n甲公司\n".as_bytes())
            .await
            .expect(202)
            .json();
        // The stored file is lost: no try can succeed.
        std::fs::remove_dir_all(app.app.config.data_dir.join("files")).unwrap();
        for tries in 1..=jobs::TRIES {
            jobs::run_all(&app.app).await.unwrap();
            assert_eq!(app.number("SELECT attempts FROM jobs").await, tries);
            app.clock.advance(3_600_001);
        }
        assert_eq!(app.text("SELECT state FROM jobs").await, "dead");
        assert!(!app.text("SELECT last_error FROM jobs").await.is_empty());
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT attempts FROM jobs").await, jobs::TRIES, "given up is given up");
        let path = format!("/api/v1/imports/{}", sent["id"].as_str().unwrap());
        let import = program.get(&path).await.json();
        assert_eq!(import["state"], "failed");
        assert_ne!(import["problem"], json!(null));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_was_killed_is_taken_up_when_its_lease_is_over() {
    both(|app| async move {
        let admin = app.administrator().await;
        admin
            .with_token()
            .await
            .upload("/api/v1/imports", &[], "a.csv", "名称\n甲公司\n".as_bytes())
            .await
            .expect(202);
        let until = app.app.now() + 30_000;
        app.app
            .db
            .write(move |tx| {
                tx.exec(
                    "UPDATE jobs SET state = 'running', worker = 'gone', attempts = 1, lease_until = $1",
                    &[until.into()],
                )
            })
            .await
            .unwrap();
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 0, "it is still another worker's");
        app.clock.advance(30_001);
        jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1);
        assert_eq!(app.text("SELECT state FROM jobs").await, "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_nobody_knows_is_buried_and_a_stopping_server_waits_for_its_jobs() {
    both(|app| async move {
        let now = app.app.now();
        app.app.db.write(move |tx| jobs::enqueue(tx, "no.such.kind", 1, now)).await.unwrap();
        let running = jobs::start(&app.app);
        for _ in 0..400 {
            if app.text("SELECT state FROM jobs").await == "dead" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        running.stop().await;
        assert_eq!(app.text("SELECT state FROM jobs").await, "dead");
    })
    .await;
}

fn refused(_: App, _: Task) -> Work {
    Box::pin(async { Err(AppError::field("name", text!("请填写姓名，最多 40 个字"))) })
}
fn gone(_: App, _: Task) -> Work {
    Box::pin(async { Err(AppError::NotFound) })
}
fn busy(_: App, _: Task) -> Work {
    Box::pin(async { Err(AppError::Unavailable) })
}
fn note(tx: &mut store::Tx<'_>, id: i64, error: &AppError, now: i64) -> store::Result<()> {
    tx.exec(
        "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)",
        &[format!("dead {id}").into(), error.code().into(), now.into()],
    )
    .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_further_try_can_help_is_given_up_at_once() {
    const KINDS: &[Kind] = &[
        Kind { name: "refused", run: refused, on_dead: note },
        Kind { name: "gone", run: gone, on_dead: note },
        Kind { name: "busy", run: busy, on_dead: note },
    ];
    both(|app| async move {
        let hooks = kehu::web::Hooks { jobs: KINDS, ..kehu::menu::HOOKS };
        let other = App::new(app.app.db.clone(), app.app.config.clone(), app.clock.clone(), hooks).unwrap();
        let now = other.now();
        other
            .db
            .write(move |tx| {
                for (kind, subject) in [("refused", 1), ("gone", 2), ("busy", 3)] {
                    jobs::enqueue(tx, kind, subject, now)?;
                }
                Ok::<_, store::Error>(())
            })
            .await
            .unwrap();
        jobs::run_all(&other).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM jobs WHERE attempts = 1").await, 3);
        assert_eq!(app.number("SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await, 2);
        assert_eq!(app.text("SELECT kind FROM jobs WHERE state = 'waiting'").await, "busy");
        assert_eq!(app.text("SELECT value FROM settings WHERE name = 'dead 1'").await, "invalid");
        assert_eq!(app.text("SELECT value FROM settings WHERE name = 'dead 2'").await, "not_found");
    })
    .await;
}
