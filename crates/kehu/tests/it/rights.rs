//! The rule in memory and the rule in SQL are one rule: random organisations, roles, grants and customers, on both
//! engines; and what a role does not reach is in no byte of any answer.

use std::collections::BTreeSet;

use kehu::access::{self, Decision, Object, Verb};
use kehu::customers::{self, Customer};
use kehu::ids::{CustomerId, PersonId, UnitId};
use serde_json::json;
use store::Tx;

use crate::app::{DataScope, NOW};
use crate::{Client, TestApp, both};

/// Random numbers that are the same in every run (xorshift).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

const SCOPES: [&str; 7] = ["all", "units", "unit_tree", "unit", "team", "own", "condition"];
const CONDITIONS: [&str; 5] = [
    "class == \"key\"",
    "owner_id == me && completeness < 60",
    "level in [\"A\", \"B\"] || name.startsWith(\"甲\")",
    "\"重点\" in tags",
    "!has(email) && updated_at > \"2026-01-01\"",
];

/// Ids of the random world; the built-in roles and people have smaller and larger ones.
const FIRST_UNIT: i64 = 1_000;
const FIRST_ROLE: i64 = 2_000;
const FIRST_CUSTOMER: i64 = 10_000;

struct World {
    people: Vec<PersonId>,
    units: usize,
    roles: usize,
    customers: usize,
}

/// Units in a random tree with random heads, posts held now, before and later, and customers of anybody anywhere.
fn settle(tx: &mut Tx<'_>, world: &World, dice: &mut Dice) -> store::Result<()> {
    for n in 0..world.units as i64 {
        let parent = if n == 0 { None } else { Some(FIRST_UNIT + dice.roll(n as usize) as i64) };
        let head = if dice.roll(3) == 0 { None } else { Some(dice.one_of(&world.people)) };
        tx.exec(
            "INSERT INTO units (id, parent_id, kind, name, head_id, opened_on, created_at, updated_at)
             VALUES ($1, $2, 'department', $3, $4, '2020-01-01', 0, 0)",
            &[(FIRST_UNIT + n).into(), parent.into(), format!("部门{n}").into(), head.into()],
        )?;
    }
    let days =
        [("2020-01-01", ""), ("2020-01-01", "2026-09-27"), ("2026-09-28", "2026-09-28"), ("2026-09-29", "")];
    for (n, person) in world.people.iter().enumerate() {
        for held in 0..dice.roll(3) {
            let (from, to) = dice.one_of(&days);
            let superior = if dice.roll(4) == 0 { Some(dice.one_of(&world.people)) } else { None };
            tx.exec(
                "INSERT INTO positions (id, person_id, unit_id, post, is_main, superior_id, starts_on, ends_on,
                   created_at, created_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0)",
                &[
                    (5_000 + n as i64 * 10 + held as i64).into(),
                    (*person).into(),
                    (FIRST_UNIT + dice.roll(world.units) as i64).into(),
                    dice.one_of(&["clerk", "manager", "inspector"]).into(),
                    (held == 0).into(),
                    superior.into(),
                    from.into(),
                    to.into(),
                ],
            )?;
        }
    }
    for n in 0..world.customers as i64 {
        let owner = if dice.roll(6) == 0 { None } else { Some(dice.one_of(&world.people)) };
        let unit = if dice.roll(5) == 0 { None } else { Some(FIRST_UNIT + dice.roll(world.units) as i64) };
        let tags = dice.one_of(&["[]", "[\"重点\"]", "[\"重\",\"点\"]"]);
        tx.exec(
            "INSERT INTO customers (id, number, kind, owner_id, unit_id, name, name_sort, class, level, email, tags,
               completeness, version, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, 'organisation', $3, $4, $5, $5, $6, $7, $8, $9, $10, 1, 0, 0, $11, 0)",
            &[
                (FIRST_CUSTOMER + n).into(),
                format!("R{n}").into(),
                owner.into(),
                unit.into(),
                dice.one_of(&["甲公司", "乙公司", "甲's \\ 店"]).into(),
                dice.one_of(&["key", "general", ""]).into(),
                dice.one_of(&["A", "B", "C", ""]).into(),
                dice.one_of(&["a@example.cn", ""]).into(),
                serde_json::from_str::<serde_json::Value>(tags).unwrap_or_default().into(),
                (dice.roll(101) as i64).into(),
                (NOW - dice.roll(2) as i64 * 366 * 86_400_000).into(),
            ],
        )?;
    }
    Ok(())
}

/// Random roles, who has them through posts or himself, delegations, shares and exclusions; all of before goes.
fn grant(tx: &mut Tx<'_>, world: &World, dice: &mut Dice) -> store::Result<()> {
    for table in
        ["customer_grants", "customer_exclusions", "delegations", "post_roles", "role_fields", "role_grants"]
    {
        tx.exec(&format!("DELETE FROM {table}"), &[])?;
    }
    tx.exec("DELETE FROM person_roles WHERE role_id >= $1", &[FIRST_ROLE.into()])?;
    tx.exec("DELETE FROM roles WHERE id >= $1", &[FIRST_ROLE.into()])?;
    for n in 0..world.roles as i64 {
        let (role, is_bundle) = (FIRST_ROLE + n, n % 4 == 3);
        tx.exec(
            "INSERT INTO roles (id, code, name, is_bundle, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $2, $3, 0, 0, 0, 0)",
            &[role.into(), format!("r{n}").into(), is_bundle.into()],
        )?;
        for object in [Object::Customer, Object::Contact, Object::File] {
            for verb in object.verbs().iter().filter(|_| dice.roll(5) < 3).copied().collect::<Vec<_>>() {
                let scope = if object.is_scoped(verb) { dice.one_of(&SCOPES) } else { "all" };
                let units: Vec<String> = (0..dice.roll(4))
                    .map(|_| UnitId(FIRST_UNIT + dice.roll(world.units) as i64).to_string())
                    .collect();
                let condition = if scope == "condition" { dice.one_of(&CONDITIONS) } else { "" };
                tx.exec(
                    "INSERT INTO role_grants (role_id, object, verb, scope, units, condition)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                    &[
                        role.into(),
                        object.code().into(),
                        verb.code().into(),
                        scope.into(),
                        json!(units).into(),
                        condition.into(),
                    ],
                )?;
            }
        }
        if is_bundle {
            for _ in 0..6 {
                let (from, to) = dice.one_of(&[(NOW - 5, NOW + 5), (NOW + 1, NOW + 5), (NOW - 5, NOW)]);
                tx.exec(
                    "INSERT INTO customer_grants (id, customer_id, person_id, role_id, source, starts_at, ends_at,
                       granted_at, granted_by) VALUES ($1, $2, $3, $4, 'share', $5, $6, 0, 0)",
                    &[
                        store::new_id().into(),
                        (FIRST_CUSTOMER + dice.roll(world.customers) as i64).into(),
                        dice.one_of(&world.people).into(),
                        role.into(),
                        from.into(),
                        to.into(),
                    ],
                )?;
            }
        } else if dice.roll(2) == 0 {
            tx.exec(
                "INSERT INTO post_roles (post, role_id, granted_at, granted_by) VALUES ($1, $2, 0, 0)",
                &[dice.one_of(&["clerk", "manager", "inspector"]).into(), role.into()],
            )?;
        } else {
            let unit = if dice.roll(2) == 0 { 0 } else { FIRST_UNIT + dice.roll(world.units) as i64 };
            tx.exec(
                "INSERT INTO person_roles (person_id, role_id, unit_id, ends_on, granted_at, granted_by)
                 VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT (person_id, role_id, unit_id) DO NOTHING",
                &[
                    dice.one_of(&world.people).into(),
                    role.into(),
                    unit.into(),
                    dice.one_of(&["", "2026-09-28", "2026-09-27"]).into(),
                ],
            )?;
        }
    }
    for _ in 0..3 {
        let (from, to) = (dice.one_of(&world.people), dice.one_of(&world.people));
        if from != to {
            tx.exec(
                "INSERT INTO delegations (id, from_id, to_id, starts_at, ends_at, reason, created_at, created_by)
                 VALUES ($1, $2, $3, $4, $5, '', 0, 0)",
                &[store::new_id().into(), from.into(), to.into(), (NOW - 1).into(), (NOW + 1).into()],
            )?;
        }
    }
    for _ in 0..4 {
        tx.exec(
            "INSERT INTO customer_exclusions (customer_id, person_id, reason, created_at, created_by)
             VALUES ($1, $2, '', 0, 0) ON CONFLICT (customer_id, person_id) DO NOTHING",
            &[(FIRST_CUSTOMER + dice.roll(world.customers) as i64).into(), dice.one_of(&world.people).into()],
        )?;
    }
    kehu::org::rights_changed(tx)
}

async fn world(app: &TestApp, seed: u64) -> (World, Dice) {
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(app.staff(&format!("p{n}"), DataScope::Own).await.person_id);
    }
    // Whoever has no role of the random ones shall have none at all.
    app.app.db.write(|tx| tx.exec("DELETE FROM person_roles WHERE role_id = 2", &[])).await.unwrap();
    let world = World { people, units: 9, roles: 8, customers: 60 };
    let mut dice = Dice(seed);
    let settled = World { people: world.people.clone(), ..world };
    let own = dice.roll(usize::MAX >> 1) as u64 | 1;
    app.app.db.write(move |tx| settle(tx, &settled, &mut Dice(own))).await.unwrap();
    (world, dice)
}

// covers: CI-04, IP-02
#[tokio::test(flavor = "multi_thread")]
async fn decision_and_sql_agree_in_random_worlds() {
    both(|app| async move {
        let (world, mut dice) = world(&app, 0x9E37_79B9_7F4A_7C15).await;
        let (mut asked, mut reached) = (0, 0);
        for round in 0..24 {
            let shape = World { people: world.people.clone(), ..world };
            let seed = dice.roll(usize::MAX >> 1) as u64 | 1;
            app.app.db.write(move |tx| grant(tx, &shape, &mut Dice(seed))).await.unwrap();
            app.app.forget_sessions();
            for person in &world.people {
                let actor = app.app.actor_for(*person, access::Via::Job).await.unwrap().unwrap();
                let sql = format!("SELECT {} FROM customers c ORDER BY c.id", *customers::COLUMNS);
                let all: Vec<Customer> = app.app.db.read(move |conn| conn.rows(&sql, &[])).await.unwrap();
                for object in [Object::Customer, Object::Contact, Object::File] {
                    for verb in object.verbs().iter().copied().filter(|v| object.is_scoped(*v)) {
                        let expected: BTreeSet<CustomerId> = all
                            .iter()
                            .filter(|c| actor.rights.covers(object, verb, &c.facts()))
                            .filter(|c| !actor.rights.excluded.contains(&c.id.0))
                            .map(|c| c.id)
                            .collect();
                        let found = ids(&app, access::reach_sql(&actor, object, verb)).await;
                        let said = format!("round {round}, {person:?}: {object:?} {verb:?}");
                        assert_eq!(found, expected, "{said}");
                        if verb == Verb::Read {
                            let permitted: BTreeSet<CustomerId> = all
                                .iter()
                                .filter(|c| {
                                    access::decide(&actor, object, verb, &c.facts()) == Decision::Permit
                                })
                                .map(|c| c.id)
                                .collect();
                            let readable = ids(&app, access::readable_sql(&actor, object)).await;
                            assert_eq!(readable, permitted, "{said}, with the customer");
                        }
                        (asked, reached) = (asked + all.len(), reached + expected.len());
                    }
                }
            }
        }
        // The worlds are neither empty nor open to everybody.
        assert!(reached > asked / 20 && reached < asked * 19 / 20, "{reached} of {asked}");
    })
    .await;
}

async fn ids(app: &TestApp, condition: String) -> BTreeSet<CustomerId> {
    let sql = format!("SELECT c.id FROM customers c WHERE {condition}");
    let rows: Vec<(CustomerId,)> = app.app.db.read(move |conn| conn.rows(&sql, &[])).await.unwrap();
    rows.into_iter().map(|(id,)| id).collect()
}

/// A text that is found again in whatever shape an answer has it.
fn canary(n: usize) -> String {
    format!("KANARI{n:04}")
}

/// Whether a canary stands in the bytes of an answer; workbooks are looked into.
fn shows(answer: &crate::Answer, canary: &str) -> bool {
    let body = &answer.body;
    let has = |bytes: &[u8]| bytes.windows(canary.len()).any(|w| w.eq_ignore_ascii_case(canary.as_bytes()));
    let headers = answer.headers.iter().any(|(_, value)| has(value.as_bytes()));
    headers || has(body)
}

/// A customer whose name, phone contact, asset, visit and file each carry a canary.
async fn planted(app: &TestApp, owner: &Client<'_>, n: usize) -> String {
    let token = owner.with_token().await;
    let made = token
        .json(
            "POST",
            "/api/v1/customers",
            json!({ "kind": "organisation", "name": format!("{}公司", canary(n)) }),
        )
        .await
        .expect(201)
        .json();
    let id = made["id"].as_str().unwrap().to_owned();
    for (path, body) in [
        (
            "contacts",
            json!({ "customer_id": id, "name": format!("人{}", canary(n)), "phone": "13812345678" }),
        ),
        (
            "assets",
            json!({ "customer_id": id, "kind": "product", "details": { "model": "AC-35", "serial": canary(n) } }),
        ),
        (
            "activities",
            json!({ "customer_id": id, "kind": "visit", "subject": format!("访{}", canary(n)),
            "happened_at": "2026-09-01T08:00:00Z" }),
        ),
    ] {
        token.json("POST", &format!("/api/v1/{path}"), body).await.expect(201);
    }
    let _ = app;
    id
}

/// Whether a face is a part that htmx asks for.
fn is_tab(face: &str) -> bool {
    ["/timeline", "/contacts", "/assets", "/files", "/assignments"]
        .iter()
        .any(|tab| face == format!("/customers/{{id}}{tab}"))
}

async fn part(app: &TestApp, who: &Client<'_>, path: &str) -> crate::Answer {
    let request = who.request("GET", path).header("hx-request", "true").header("hx-request-type", "partial");
    app.send(request.body(axum::body::Body::empty()).unwrap()).await
}

/// Every face on which a customer may show: {id} stands for the customer's id, {c} for its canary.
const FACES: [&str; 34] = [
    "/customers",
    "/customers?q={c}",
    "/customers?sort=name",
    "/customers?filter=name.contains(%22{c}%22)",
    "/customers/{id}",
    "/customers/{id}?tab=history",
    "/customers/{id}?tab=timeline",
    "/customers/{id}/timeline",
    "/customers/{id}/contacts",
    "/customers/{id}/assets",
    "/customers/{id}/files",
    "/customers/{id}/assignments",
    "/customers/{id}/edit",
    "/customers/{id}/fields/name",
    "/customers/statistics",
    "/customers/export?format=csv",
    "/customers/export?format=csv&q={c}",
    "/activities",
    "/tasks",
    "/tasks?tab=dossiers",
    "/assignments",
    "/assignments/new?customer={id}",
    "/",
    "/search?q={c}",
    "/search/menu?q={c}",
    "/api/v1/customers",
    "/api/v1/customers?q={c}&limit=200",
    "/api/v1/customers/{id}",
    "/api/v1/contacts",
    "/api/v1/contacts?q={c}",
    "/api/v1/assets?q={c}",
    "/api/v1/activities",
    "/api/v1/activities?customer_id={id}",
    "/api/v1/assignments?customer_id={id}",
];

/// Changes nobody may make to what he does not know.
const CHANGES: [(&str, &str); 9] = [
    ("POST", "/customers/{id}/fields/name"),
    ("POST", "/customers/{id}/delete"),
    ("POST", "/customers/{id}/contacts"),
    ("POST", "/customers/{id}/assets"),
    ("POST", "/customers/{id}/activities"),
    ("PATCH", "/api/v1/customers/{id}"),
    ("DELETE", "/api/v1/customers/{id}"),
    ("GET", "/customers/{id}/contacts/new"),
    ("GET", "/customers/{id}/assets/new"),
];

// covers: CI-04, IP-02
#[tokio::test(flavor = "multi_thread")]
async fn what_a_scope_does_not_reach_is_in_no_byte_of_any_answer() {
    both(|app| async move {
        // A group with two branches; each person owns one customer, so that every scope has an inside and an outside.
        let names = ["boss", "head", "clerk", "mate", "other"];
        let mut people = Vec::new();
        for name in names {
            people.push(app.staff(name, DataScope::Own).await);
        }
        let ids: Vec<PersonId> = people.iter().map(|p| p.person_id).collect();
        app.app
            .db
            .write(move |tx| {
                let units = [(1, None, ids[0]), (2, Some(1), ids[1]), (3, Some(2), ids[2]), (4, Some(1), ids[4])];
                for (unit, parent, head) in units {
                    tx.exec(
                        "INSERT INTO units (id, parent_id, kind, name, head_id, opened_on, created_at, updated_at)
                         VALUES ($1, $2, 'department', $3, $4, '2020-01-01', 0, 0)",
                        &[unit.into(), parent.map(i64::from).into(), format!("部门{unit}").into(), head.into()],
                    )?;
                }
                for (n, (person, unit)) in ids.iter().zip([1_i64, 2, 3, 3, 4]).enumerate() {
                    tx.exec(
                        "INSERT INTO positions (id, person_id, unit_id, post, is_main, starts_on, created_at,
                           created_by, updated_at) VALUES ($1, $2, $3, 'staff', TRUE, '2020-01-01', 0, 0, 0)",
                        &[(n as i64 + 1).into(), (*person).into(), unit.into()],
                    )?;
                }
                kehu::org::rights_changed(tx)
            })
            .await
            .unwrap();
        app.app.forget_sessions();
        let mut customers = Vec::new();
        for (n, person) in people.iter().enumerate() {
            customers.push(planted(&app, person, n).await);
        }
        // Who sees whose customer, by scope, for the head of unit 2.
        let worlds: [(&str, &str, [bool; 5]); 7] = [
            ("all", "", [true; 5]),
            ("unit_tree", "", [false, true, true, true, false]),
            ("unit", "", [false, true, false, false, false]),
            ("team", "", [false, true, true, true, false]),
            ("own", "", [false, true, false, false, false]),
            ("units", "4", [false, false, false, false, true]),
            ("condition", "name.startsWith(\"KANARI0003\")", [false, false, false, true, false]),
        ];
        let head = &people[1];
        let (mut probes, mut leaks) = (0, Vec::new());
        for (scope, what, sees) in worlds {
            let units = if scope == "units" { json!([UnitId(4).to_string()]) } else { json!([]) };
            let condition = if scope == "condition" { what } else { "" };
            app.app
                .db
                .write(move |tx| {
                    tx.exec(
                        "UPDATE role_grants SET scope = $1, units = $2, condition = $3
                         WHERE role_id = 2 AND verb <> 'import'",
                        &[scope.into(), units.clone().into(), condition.into()],
                    )?;
                    kehu::org::rights_changed(tx)
                })
                .await
                .unwrap();
            app.app.forget_sessions();
            let program = head.with_token().await;
            for (n, id) in customers.iter().enumerate() {
                let secret = canary(n);
                for face in FACES {
                    let path = face.replace("{id}", id).replace("{c}", &secret);
                    let who = if path.starts_with("/api/") { &program } else { head };
                    let answer = if is_tab(face) { part(&app, who, &path).await } else { who.get(&path).await };
                    probes += 1;
                    assert!(answer.status.as_u16() < 500, "{scope} {path}: {}", answer.status);
                    // A page that repeats what was asked shows the canary without knowing it.
                    let echoes = face.contains("{c}") && !path.starts_with("/api/");
                    if !sees[n] && !echoes && shows(&answer, &secret) {
                        leaks.push(format!("{scope}: {path}"));
                    }
                    // Nor does it show the other things of the same customer in a list of another's.
                    for (other, _) in customers.iter().enumerate().filter(|(o, _)| *o != n && !sees[*o]) {
                        probes += 1;
                        if shows(&answer, &canary(other)) {
                            leaks.push(format!("{scope}: {path} shows {}", canary(other)));
                        }
                    }
                    if face.contains("{id}") && !face.contains('?') {
                        let status = answer.status.as_u16();
                        assert_eq!(status == 404, !sees[n], "{scope} {path}: {status}");
                    }
                    if face == "/api/v1/customers/{id}" && sees[n] {
                        assert!(shows(&answer, &secret), "{scope} {path}");
                    }
                }
                for (method, face) in CHANGES.iter().filter(|_| !sees[n]) {
                    let path = face.replace("{id}", id);
                    let answer = match (*method, path.starts_with("/api/")) {
                        ("GET", _) => head.get(&path).await,
                        (_, true) => {
                            program.json_with(method, &path, json!({ "name": "改" }), &[("if-match", "\"1\"")]).await
                        }
                        _ => {
                            let kind = if face.ends_with("/assets") { "product" } else { "visit" };
                            head.post_form(&path, &[("name", "改"), ("kind", kind), ("subject", "改")]).await
                        }
                    };
                    probes += 1;
                    assert_eq!(answer.status.as_u16(), 404, "{scope} {method} {path}");
                    if shows(&answer, &secret) {
                        leaks.push(format!("{scope}: {method} {path}"));
                    }
                }
            }
        }
        assert!(leaks.is_empty(), "{} of {probes} probes leak: {leaks:#?}", leaks.len());
        assert!(probes >= 3_000, "{probes} probes");
        assert_eq!(app.number("SELECT COUNT(*) FROM customers WHERE name LIKE '%改%'").await, 0);
        let hidden = app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.hidden'").await;
        assert!(hidden > 100, "each try is noted: {hidden}");
    })
    .await;
}

/// Further faces on which customers or what was brought in about them may show; {import} stands for an import's id.
const MORE_FACES: [&str; 11] = [
    "/imports",
    "/imports/{import}",
    "/imports/{import}/errors",
    "/customers/duplicates?for_kind=organisation&name={c}",
    "/activities/export",
    "/admin/explain/customers?q={c}",
    "/api/v1/imports",
    "/api/v1/imports/{import}",
    "/api/v1/tasks",
    "/api/v1/search?q={c}",
    "/api/v1/customers/{id}/shares",
];

/// A body of the text that is signed.
pub const PLEDGE: &str = "本人承诺只在工作需要的范围内使用客户信息，不向任何无关的人透露。";

/// Publishes a text that begins from version `from`.
pub async fn publish(admin: &Client<'_>, title: &str, from: &str) {
    let form = [("title", title), ("body", PLEDGE), ("based_on", from)];
    admin.post_form("/admin/handlers/texts", &form).await.expect(303);
}

/// Signs a version in a browser.
pub async fn sign(who: &Client<'_>, name: &str, version: &str) {
    let form = [("version", version), ("name", name), ("agrees", "1")];
    who.post_form("/confidentiality", &form).await.expect(303);
}

/// Nothing of a customer is in any answer to somebody who has its canary in mind; answers how many probes were made.
async fn nothing_shows(app: &TestApp, who: &Client<'_>, id: &str, import: &str, secret: &str) -> usize {
    let program = who.with_token().await;
    let mut probes = 0;
    for face in FACES.iter().chain(&MORE_FACES) {
        let path = face.replace("{id}", id).replace("{import}", import).replace("{c}", secret);
        for (client, door) in [(who, "browser"), (&program, "token")] {
            let answer = if is_tab(face) { part(app, client, &path).await } else { client.get(&path).await };
            probes += 1;
            let (status, said) = (answer.status.as_u16(), format!("{door} {path}: {}", answer.status));
            assert!(status < 500, "{said}");
            let echoes = face.contains("{c}") && !path.starts_with("/api/");
            assert!(echoes || !shows(&answer, secret), "{said} {}", answer.text());
            // A page leads to the text; whatever names the customer or the import is not there for programs.
            if door == "browser" && !path.starts_with("/api/") && !path.starts_with("/admin/") {
                let to = if is_tab(face) { answer.header("hx-redirect") } else { answer.header("location") };
                assert!(to == "/confidentiality" || path.starts_with("/search/menu"), "{said} {to}");
            } else if (face.contains("{id}") || face.contains("{import}")) && !face.contains("?customer_id=")
            {
                assert_eq!(status, 404, "{said}");
            }
        }
    }
    for (method, face) in CHANGES {
        let path = face.replace("{id}", id);
        let answer = match (method, path.starts_with("/api/")) {
            ("GET", _) => program.get(&path).await,
            (_, true) => {
                program.json_with(method, &path, json!({ "name": "改" }), &[("if-match", "\"1\"")]).await
            }
            _ => {
                let kind = if face.ends_with("/assets") { "product" } else { "visit" };
                program.post_form(&path, &[("name", "改"), ("kind", kind), ("subject", "改")]).await
            }
        };
        probes += 1;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path}");
        assert!(!shows(&answer, secret), "{method} {path}");
    }
    let new = json!({ "kind": "person", "name": "张三" });
    let refused = program.json("POST", "/api/v1/customers", new).await.expect(403).text();
    assert!(refused.contains("登记") || refused.contains("签署"), "{refused}");
    // What names no record is refused, and the log has it; nothing of the file is kept.
    let refusals =
        || app.number("SELECT COUNT(*) FROM audit_log WHERE action = 'access.refused' AND result = 'denied'");
    let (before, files) = (refusals().await, app.number("SELECT COUNT(*) FROM files").await);
    program.upload("/api/v1/imports", &[], "a.csv", "名称\n甲公司\n".as_bytes()).await.expect(403);
    program.get("/customers/export?format=csv").await.expect(403);
    assert_eq!(refusals().await, before + 2);
    assert_eq!(app.number("SELECT COUNT(*) FROM files").await, files);
    probes
}

// covers: CF-02, CI-04, IP-02
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_registered_or_has_not_signed_reaches_no_customer_anywhere() {
    both(|app| async move {
        let admin = app.administrator().await;
        let wang = app.staff("wang", DataScope::All).await;
        let secret = canary(7);
        let id = planted(&app, &wang, 7).await;
        let program = wang.with_token().await;
        let table = format!("名称\n{secret}甲公司\n");
        let sent = program.upload("/api/v1/imports", &[], "a.csv", table.as_bytes()).await.expect(202).json();
        let import = sent["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/customers/{id}");
        // Without a text nobody could sign, so that the switch cannot be turned on.
        let on = [("is_on", "1")];
        let refused = admin.post_form("/admin/handlers/rules", &on).await.expect(422).text();
        assert!(refused.contains("请先发布保密承诺的文本"), "{refused}");
        publish(&admin, "保密承诺书", "0").await;
        program.get(&path).await.expect(200);
        admin.post_form("/admin/handlers/rules", &on).await.expect(303);
        // Whoever would reach no customer anyhow goes on as he is.
        crate::roles::bare(&app, "keeper").await.get("/").await.expect(200);
        // Not registered: nothing on any face, and the import that waits is not done in her name.
        let mut probes = nothing_shows(&app, &wang, &id, &import, &secret).await;
        let page = wang.get("/confidentiality").await.expect(200).text();
        assert!(page.contains("没有登记为客户信息人员") && page.contains("赵管理"), "{page}");
        let early = [("version", "1"), ("name", "员工wang"), ("agrees", "1")];
        wang.post_form("/confidentiality", &early).await.expect(422);
        kehu::jobs::run_all(&app.app).await.unwrap();
        assert_eq!(app.number("SELECT COUNT(*) FROM customers").await, 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await, 1);
        // Registered, not signed: the same; the explanation says why.
        let person = wang.person_id.to_string();
        admin.post_form("/admin/handlers", &[("person_id", &person)]).await.expect(303);
        probes += nothing_shows(&app, &wang, &id, &import, &secret).await;
        let why = format!("/admin/explain?person={person}&customer={id}");
        let why = admin.get(&why).await.expect(200).text();
        assert!(why.contains("没有签署现行的保密承诺") && !why.contains("允许“客户·查看”"), "{why}");
        let own = wang.get("/admin/explain").await.expect(200).text();
        assert!(own.contains("请先签署现行的保密承诺"), "{own}");
        // Signed: everything her roles reach.
        sign(&wang, "员工wang", "1").await;
        assert!(shows(&program.get(&path).await.expect(200), &secret));
        assert!(shows(&wang.get("/customers").await.expect(200), &secret));
        // A new version asks again; taken out of the register on another server, it is felt within the second.
        publish(&admin, "保密承诺书（修订）", "1").await;
        probes += nothing_shows(&app, &wang, &id, &import, &secret).await;
        let page = wang.get("/confidentiality").await.expect(200).text();
        assert!(page.contains("您签署过第 1 版") && page.contains("保密承诺书（修订）"), "{page}");
        sign(&wang, "员工wang", "2").await;
        program.get(&path).await.expect(200);
        app.app
            .db
            .write(|tx| {
                tx.exec("UPDATE information_handlers SET ended_at = 1", &[])?;
                kehu::org::rights_changed(tx)
            })
            .await
            .unwrap();
        app.clock.advance(999);
        program.get(&path).await.expect(404);
        assert!(probes > 250, "{probes} probes");
        // The administrator is asked only when the company says so, and keeps the administration.
        admin.get(&format!("/customers/{id}")).await.expect(200);
        let all = [("is_on", "1"), ("with_administrators", "1")];
        admin.post_form("/admin/handlers/rules", &all).await.expect(303);
        probes = nothing_shows(&app, &admin, &id, &import, &secret).await;
        assert!(probes > 80);
        assert_eq!(admin.get("/admin/recycle").await.expect(303).header("location"), "/confidentiality");
        admin.with_token().await.get("/admin/recycle").await.expect(403);
        let log = admin.with_token().await.get("/api/v1/audit?action=customer.created").await.expect(200);
        assert!(!shows(&log, &secret), "the log tells of no customer");
        for page in
            ["/admin/handlers", "/admin/handlers/texts", "/admin/units", "/admin/roles", "/admin/audit"]
        {
            admin.get(page).await.expect(200);
        }
        let me = admin.person_id.to_string();
        admin.post_form("/admin/handlers", &[("person_id", &me)]).await.expect(303);
        sign(&admin, "赵管理", "2").await;
        admin.get(&format!("/customers/{id}")).await.expect(200);
        assert!(shows(&admin.with_token().await.get("/api/v1/audit?action=customer.created").await, &secret));
        let marked = "SELECT COUNT(*) FROM audit_log WHERE action = 'confidentiality.registered'
            AND after LIKE '%\"for_oneself\":true%'";
        assert_eq!(app.number(marked).await, 1, "registered by himself, and the log says so");
        // Off again, nobody is asked.
        admin.post_form("/admin/handlers/rules", &[]).await.expect(303);
        program.get(&path).await.expect(200);
    })
    .await;
}
