//! Builds a company of a given size, as a real server would have it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use kehu::access::Actor;
use kehu::catalogue::Catalogue;
use kehu::customers::{self, Draft};
use kehu::error::AppError;
use kehu::ids::PersonId;
use store::{Db, Location, Options};

use crate::data;
use crate::process::must;

/// Everybody's password.
pub const PASSWORD: &str = "Chuangke-2026-ceping";
/// How many people own customers.
const PEOPLE: usize = 10;
/// Customers made in one transaction.
const BATCH: usize = 200;

/// A company ready to be served.
pub struct Company {
    pub data: PathBuf,
    pub database: String,
    pub db: Db,
    pub size: usize,
    /// Token of an administrator.
    pub administrator: String,
    /// Token and person of a staff member who sees a tenth of the customers.
    pub staff: (String, i64),
    /// Rows a second while it was built.
    pub rate: f64,
}

impl Company {
    /// `database` is a URL, or empty for a file in `data`.
    pub fn build(kehu: &Path, data: PathBuf, database: &str, size: usize) -> Self {
        std::fs::create_dir_all(&data).unwrap();
        let database = if database.is_empty() {
            format!("sqlite:{}", data.join("kehu.db").display())
        } else {
            database.to_owned()
        };
        let command = |arguments: &[&str]| {
            let mut command = Command::new(kehu);
            command.args(arguments).arg("--data").arg(&data).args(["--database", &database]);
            command
        };
        let password = format!("{PASSWORD}\n");
        must(
            &mut command(&["setup", "--company", "测评公司", "--admin", "boss", "--password-stdin"]),
            &password,
        );
        for n in 0..PEOPLE {
            let (user, name) = (format!("staff{n}"), format!("员工{n}"));
            let add = ["user", "add", "--username", &user, "--name", &name, "--password-stdin"];
            must(&mut command(&add), &password);
        }
        let token = |user: &str| {
            let printed = must(&mut command(&["token", "new", "--user", user, "--name", "bench"]), "");
            printed.lines().last().unwrap().trim().to_owned()
        };
        let (administrator, staff_token) = (token("boss"), token("staff0"));
        let options = Options { readers: 2, writers: 4, ..Options::default() };
        let db = Db::open(&Location::parse(&database).unwrap(), &options).unwrap();
        let people: Vec<(i64,)> = db
            .read_blocking(|conn| {
                conn.rows("SELECT id FROM people WHERE username LIKE 'staff%' ORDER BY username", &[])
            })
            .unwrap();
        let people: Vec<i64> = people.into_iter().map(|(id,)| id).collect();
        let began = Instant::now();
        fill(&db, &people, size);
        let rate = size as f64 / began.elapsed().as_secs_f64();
        analyse(&db);
        Self { data, database, db, size, administrator, staff: (staff_token, people[0]), rate }
    }
}

/// Makes customers the way the application does, from as many threads as there are writers.
fn fill(db: &Db, people: &[i64], size: usize) {
    let catalogue = db.read_blocking(Catalogue::load).unwrap();
    let threads = if db.engine() == store::Engine::Sqlite { 1 } else { 4 };
    let batches: Vec<usize> = (0..size).step_by(BATCH).collect();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let mine: Vec<usize> = batches.iter().copied().skip(thread).step_by(threads).collect();
            let (db, people, catalogue) = (db.clone(), people.to_owned(), catalogue.clone());
            scope.spawn(move || {
                for first in mine {
                    let (people, catalogue) = (people.clone(), catalogue.clone());
                    let last = (first + BATCH).min(size);
                    db.write_blocking(move |tx| {
                        for n in first..last {
                            let mut draft =
                                Draft::from_json(&data::customer(n)).map_err(AppError::Invalid)?;
                            draft.owner_id = Some(Some(PersonId(people[n % people.len()])));
                            let at = data::BEGIN + n as i64 * 1000;
                            customers::create(tx, &Actor::command_line(), &catalogue, &draft, None, at)?;
                        }
                        Ok::<_, AppError>(())
                    })
                    .unwrap();
                }
            });
        }
    });
}

/// What a server that has run for a while has done: statistics, and a log moved into the file.
fn analyse(db: &Db) {
    if db.engine() == store::Engine::Postgres {
        db.write_blocking(|tx| tx.exec("ANALYZE", &[])).unwrap();
    } else {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}
