//! What data scopes cost: the same page and the same search under each kind of scope, beside them without one.
//!
//! The company has 500 units eight levels deep, 2,000 people, 200 roles; its customers belong to 1,900 owners and
//! through them to their units. Asked in this process, without HTTP, so that nothing else blurs the difference.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kehu::access::{Actor, Directory, Facts, Held, Object, Parts, Rights, Role, Scope, Verb, Why, decide};
use kehu::catalogue::Catalogue;
use kehu::customers::{self, Draft, Kind, ListQuery};
use kehu::expr::{Expr, Schema};
use kehu::ids::{PersonId, RoleId, UnitId};
use kehu::{auth, org, schema, search};
use store::{Db, Location, Options};

use crate::data;
use crate::loads::repeat;
use crate::process::cpu_of;
use crate::report::{Report, ms, rate};

const UNITS: i64 = 500;
const DEPTH: i64 = 8;
const PEOPLE: i64 = 2_000;
const OWNERS: i64 = 1_900;
const ROLES: i64 = 200;
const FIRST_UNIT: i64 = 1_000;
const FIRST_PERSON: i64 = 10_000;
const BATCH: usize = 500;
const DAY: &str = "2026-09-28";

/// The units: a chain of eight below the first, the rest spread as a tree of seven children.
fn parent(n: i64) -> Option<i64> {
    match n {
        0 => None,
        1..DEPTH => Some(n - 1),
        _ => Some((n - DEPTH) / 7),
    }
}

fn unit_of(person: i64) -> i64 {
    person % UNITS
}

/// Fills the organisation's tables.
fn organise(db: &Db) {
    db.write_blocking(|tx| {
        for n in 0..PEOPLE {
            tx.exec(
                "INSERT INTO people (id, username, name, name_search, password_hash, security_stamp, created_at,
                   updated_at) VALUES ($1, $2, $2, $2, '', 0, 0, 0)",
                &[(FIRST_PERSON + n).into(), format!("p{n}").into()],
            )?;
        }
        for n in 0..UNITS {
            // The first person of each unit leads it.
            tx.exec(
                "INSERT INTO units (id, parent_id, kind, name, head_id, opened_on, created_at, updated_at)
                 VALUES ($1, $2, 'department', $3, $4, '2020-01-01', 0, 0)",
                &[
                    (FIRST_UNIT + n).into(),
                    parent(n).map(|p| FIRST_UNIT + p).into(),
                    format!("部门{n}").into(),
                    (FIRST_PERSON + n).into(),
                ],
            )?;
        }
        for n in 0..PEOPLE {
            tx.exec(
                "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, created_at, created_by,
                   updated_at) VALUES ($1, $2, $3, 'staff', TRUE, '2020-01-01', 0, 0, 0)",
                &[(n + 1).into(), (FIRST_PERSON + n).into(), (FIRST_UNIT + unit_of(n)).into()],
            )?;
        }
        for n in 0..ROLES {
            tx.exec(
                "INSERT INTO roles (id, code, name, created_at, created_by, updated_at, updated_by)
                 VALUES ($1, $2, $2, 0, 0, 0, 0)",
                &[(100 + n).into(), format!("r{n}").into()],
            )?;
            for verb in ["read", "update", "export"] {
                tx.exec(
                    "INSERT INTO role_grants (role_id, object, verb, scope, units)
                     VALUES ($1, 'customer', $2, 'unit_tree', '[]')",
                    &[(100 + n).into(), verb.into()],
                )?;
            }
            tx.exec(
                "INSERT INTO person_roles (person_id, role_id, granted_at, granted_by) VALUES ($1, $2, 0, 0)",
                &[(FIRST_PERSON + n).into(), (100 + n).into()],
            )?;
        }
        org::rights_changed(tx)
    })
    .unwrap();
}

/// Makes customers as an import does, owned in turn.
fn fill(db: &Db, size: usize) {
    let catalogue = Arc::new(db.read_blocking(Catalogue::load).unwrap());
    let actor = Actor::command_line();
    for first in (0..size).step_by(BATCH) {
        let prepared: Vec<_> = (first..(first + BATCH).min(size))
            .map(|n| {
                let draft = Draft::from_json(&data::customer(n)).unwrap();
                let kind = draft.kind.unwrap_or(Kind::Organisation);
                let owner = Some(PersonId(FIRST_PERSON + (n as i64 * 7919) % OWNERS));
                let at = data::BEGIN + n as i64 * 1000;
                customers::prepare(&catalogue, &actor, kind, &draft, owner, None, at).unwrap()
            })
            .collect();
        let (actor, at) = (actor.clone(), data::BEGIN + first as i64 * 1000);
        db.write_blocking(move |tx| {
            let all: Vec<_> = prepared.iter().collect();
            customers::create_many(tx, &actor, &all, None, at)
        })
        .unwrap();
    }
}

/// Reads what the server reads when rights have changed.
fn directory(db: &Db) -> Directory {
    let parts: Parts = db.read_blocking(|conn| org::load_parts(conn, DAY, 0)).unwrap();
    let schema = Schema::customers(&[]);
    Directory::new(parts, &|source| {
        let condition = Expr::compile(source, &schema).ok()?;
        Some(Arc::new(condition) as Arc<dyn kehu::access::Condition>)
    })
}

/// Somebody with one role that reads customers within this scope.
fn actor(directory: &Directory, person: i64, scope: Option<Scope>) -> Actor {
    let person = PersonId(FIRST_PERSON + person);
    let mut facts = (*Actor::command_line()).clone();
    facts.person_id = person;
    facts.rights = Arc::new(match scope {
        None => Rights::everything(),
        Some(scope) => {
            let role = Role {
                id: RoleId(9_999),
                code: "measured".into(),
                name: "measured".into(),
                note: String::new(),
                is_bundle: false,
                is_builtin: false,
                grants: [Object::Customer, Object::Contact, Object::Asset]
                    .map(|object| ((object, Verb::Read), scope.clone()))
                    .into(),
                fields: BTreeMap::new(),
                version: 1,
            };
            let units = directory.positions(person, DAY).iter().map(|p| p.unit_id).collect();
            let held = Held { role: Arc::new(role), units, of: person, why: Why::Direct };
            directory.rights_of(vec![held], directory.main_unit(person, DAY), DAY)
        }
    });
    Actor::new(facts)
}

/// Processor seconds of one call in this process.
fn cpu(seconds: f64, mut work: impl FnMut(usize)) -> f64 {
    let mut calls = 0_usize;
    let before = cpu_of(std::process::id());
    repeat(seconds, |n| {
        work(n);
        calls += 1;
    });
    (cpu_of(std::process::id()) - before) / calls.max(1) as f64
}

/// Measures a company of this size.
pub fn measure(report: &mut Report, folder: &Path, size: usize, seconds: f64) {
    eprintln!("scopes, {size} customers: building");
    let location = Location::Sqlite(folder.join(format!("scopes-{size}.db")));
    let options = Options { readers: 1, writers: 1, ..Options::default() };
    let db = Db::open(&location, &options).unwrap();
    store::migrate(&db, schema::MIGRATIONS).unwrap();
    let setup = auth::Setup {
        company: "测评公司".into(),
        name: "管理员".into(),
        username: "boss".into(),
        password_hash: String::new(),
        is_demo: false,
    };
    db.write_blocking(move |tx| auth::set_up(tx, &setup, data::BEGIN)).unwrap();
    organise(&db);
    let began = Instant::now();
    fill(&db, size);
    let built = size as f64 / began.elapsed().as_secs_f64();
    eprintln!("scopes, {size} customers: measuring");
    let began = Instant::now();
    let directory = directory(&db);
    let read_anew = began.elapsed().as_secs_f64();
    let some: Vec<UnitId> = (0..20).map(|n| UnitId(FIRST_UNIT + n * 25)).collect();
    let asked: [(&str, i64, Option<Scope>); 8] = [
        ("none (administrator)", 0, None),
        ("全部", 20, Some(Scope::All)),
        ("自定义部门 (20 of 500)", 20, Some(Scope::Units(some))),
        ("本部门及以下 (all 500)", 0, Some(Scope::UnitTree)),
        ("本部门及以下 (a branch)", 2, Some(Scope::UnitTree)),
        ("本部门", 20, Some(Scope::Unit)),
        ("本人及下属", 2, Some(Scope::Team)),
        ("本人", 20, Some(Scope::Own)),
    ];
    let condition = ("按条件 (class)", 20, Some(Scope::Condition("class == \"key\"".into())));
    let words: Vec<String> = crate::run::two_characters();
    let mut rows = Vec::new();
    let mut base = [0.0; 2];
    for (title, person, scope) in asked.into_iter().chain([condition]) {
        let actor = if let Some(Scope::Condition(source)) = &scope {
            conditional(&db, source)
        } else {
            actor(&directory, person, scope)
        };
        let query = ListQuery { limit: 50, ..ListQuery::default() };
        let counted = db
            .read_blocking({
                let (actor, query) = (actor.clone(), query.clone());
                move |conn| customers::counted_by(conn, &actor, &query)
            })
            .unwrap();
        let page = cpu(seconds, |_| {
            let (actor, query) = (actor.clone(), query.clone());
            db.read_blocking(move |conn| customers::list(conn, &actor, &query).map(drop)).unwrap();
        });
        let found = cpu(seconds, |n| {
            let (actor, word) = (actor.clone(), words[n % words.len()].clone());
            db.read_blocking(move |conn| search::find_customers(conn, &actor, &word, 8).map(drop)).unwrap();
        });
        if base[0] == 0.0 {
            base = [page, found];
        }
        rows.push(vec![
            title.to_owned(),
            match counted {
                customers::Total::Exact(n) => rate(n as f64),
                customers::Total::AtLeast(n) => format!("≥ {}", rate(n as f64)),
            },
            ms(page),
            format!("{:.2}", page / base[0]),
            ms(found),
            format!("{:.2}", found / base[1]),
        ]);
    }
    let somebody = actor(&directory, 2, Some(Scope::UnitTree));
    let facts: Vec<Facts<'static>> = (0..1_000)
        .map(|n| Facts {
            id: n,
            owner_id: Some(PersonId(FIRST_PERSON + n)),
            unit_id: Some(UnitId(FIRST_UNIT + n % UNITS)),
            record: None,
        })
        .collect();
    let decided = repeat(seconds.min(1.0), |n| {
        for facts in &facts {
            std::hint::black_box(decide(&somebody, Object::Customer, Verb::Update, facts));
        }
        std::hint::black_box(n);
    });
    let rights = repeat(seconds.min(1.0), |n| {
        std::hint::black_box(directory.rights(PersonId(FIRST_PERSON + n as i64 % ROLES), DAY, 0));
    });
    report.line("");
    report.line(&format!(
        "### Data scopes, {} customers, 2,000 people, 500 units eight deep, 200 roles (SQLite, in the process)",
        rate(size as f64)
    ));
    report
        .table(&["scope", "reaches", "list page of 50, CPU ms", "× none", "search, CPU ms", "× none"], &rows);
    report.line(&format!(
        "Goal: ≤ 1.5 × without a scope. A decision from memory: {:.3} µs (goal ≤ 5). The rights of one person from the \
         directory: {:.0} µs. Reading the whole organisation anew after a change: {:.0} ms (goal ≤ 1 s). Built at {}/s.",
        decided.p50 * 1e6 / facts.len() as f64,
        rights.p50 * 1e6,
        read_anew * 1000.0,
        rate(built)
    ));
}

/// An actor whose only role reads what fulfils a condition: its role must be in the directory to be compiled.
fn conditional(db: &Db, source: &str) -> Actor {
    let mut parts: Parts = db.read_blocking(|conn| org::load_parts(conn, DAY, 0)).unwrap();
    let scope = Scope::Condition(source.to_owned());
    if let Some(role) = parts.roles.iter_mut().find(|r| r.id == RoleId(100)) {
        for object in [Object::Customer, Object::Contact, Object::Asset] {
            role.grants.insert((object, Verb::Read), scope.clone());
        }
    }
    let schema = Schema::customers(&[]);
    let with = Directory::new(parts, &|source| {
        let condition = Expr::compile(source, &schema).ok()?;
        Some(Arc::new(condition) as Arc<dyn kehu::access::Condition>)
    });
    let mut facts = (*Actor::command_line()).clone();
    facts.person_id = PersonId(FIRST_PERSON);
    facts.rights = Arc::new(with.rights(PersonId(FIRST_PERSON), DAY, 0));
    Actor::new(facts)
}
