//! 组织: the unit tree beside the list of its people, and the forms of a unit.

use std::collections::{HashMap, HashSet};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::pages::part_or_page;
use super::unit_customers;
use super::units_api::day_asked;
use crate::access::{Directory, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::counters::{self, Whose};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, UnitId};
use crate::input::LONGEST_QUERY;
use crate::org::{self, POSTS, UNIT_KINDS, UnitDraft, UnitRecord};
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Need, Organiser, Page, QueryData, Routes, Shell, saved};

pub(super) const HOME: &str = "/admin/units";

pub(super) fn routes(routes: Routes) -> Routes {
    let need = Need::May(Object::Organisation, Verb::Update);
    routes
        .get(HOME, need, index)
        .post(HOME, need, add)
        .get("/admin/units/new", need, new)
        .get("/admin/units/{id}", need, show)
        .post("/admin/units/{id}", need, change)
        .get("/admin/units/{id}/move", need, ask_place)
        .get("/admin/units/{id}/customers", need, unit_customers::ask)
        .post("/admin/units/{id}/customers", need, unit_customers::give)
        .post("/admin/units/{id}/close", need, close)
        .post("/admin/units/{id}/reopen", need, reopen)
}

/// Units of a company up to this many are shown unfolded.
const UNFOLDED: usize = 40;
/// People shown at once.
const MOST_ROWS: usize = 500;

#[derive(Template)]
#[template(path = "org/units.html", blocks = ["list"])]
struct UnitsPage {
    l: Lang,
    shell: Shell,
    tree: Vec<Branch>,
    /// How many people the whole company, and nobody's unit, have.
    everybody: usize,
    unplaced: usize,
    is_everybody: bool,
    is_unplaced: bool,
    /// The rest of the address of a branch: `&on=…&closed=1`.
    rest: String,
    on: String,
    is_past: bool,
    with_closed: bool,
    has_closed: bool,
    with_sub: bool,
    q: String,
    unit: Option<Chosen>,
    /// Customers of the units shown and how many of their dossiers are whole; for whoever sees them all.
    archive: Option<(i64, i64)>,
    /// Customers of the chosen unit itself: while there are any it cannot be closed.
    customers: i64,
    rows: Vec<PersonLine>,
    total: usize,
}

struct Branch {
    id: UnitId,
    name: String,
    level: usize,
    people: usize,
    is_here: bool,
    is_closed: bool,
    /// Whether units below it are shown; `None` for one without any.
    is_unfolded: Option<bool>,
    is_hidden: bool,
}

struct Chosen {
    id: UnitId,
    name: String,
    path: String,
    kind: String,
    code: String,
    head: String,
    is_closed: bool,
    opened_on: String,
    closed_on: String,
    version: i64,
}

struct PersonLine {
    id: PersonId,
    name: String,
    post: String,
    unit: String,
    is_main: bool,
    superior: String,
    phone: String,
    is_active: bool,
    /// His last day, of one who has left.
    left_on: String,
}

/// A post held on the day shown, with its person.
struct Held {
    person_id: PersonId,
    unit_id: UnitId,
    post: String,
    is_main: bool,
    superior_id: Option<PersonId>,
    id: i64,
}

impl store::FromRow for Held {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            person_id: row.get(0)?,
            unit_id: row.get(1)?,
            post: row.get(2)?,
            is_main: row.get(3)?,
            superior_id: row.get(4)?,
            id: row.get(5)?,
        })
    }
}

async fn index(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let today = app.today().to_string();
    let day = day_asked(&asked)?;
    let on = day.clone().unwrap_or_else(|| today.clone());
    let is_past = on != today;
    let shown_day = on.clone();
    let (mut units, held, people) = app
        .db
        .read(move |conn| {
            let units = if is_past { org::units_as_of(conn, &on)? } else { org::list_units(conn)? };
            let mut held: Vec<Held> = conn.rows(
                "SELECT person_id, unit_id, post, is_main, superior_id, id FROM positions
                 WHERE starts_on <= $1 AND (ends_on = '' OR ends_on >= $1)",
                &[on.into()],
            )?;
            // The main post first; where none was made it, the oldest is.
            held.sort_by_key(|h| (h.person_id, !h.is_main, h.id));
            let mut last = None;
            for one in &mut held {
                one.is_main = last != Some(one.person_id);
                last = Some(one.person_id);
            }
            Ok::<_, AppError>((units, held, org::list_people(conn)?))
        })
        .await?;
    let with_closed = asked.is_ticked("closed");
    let chosen_id = asked.get("unit").parse::<UnitId>().ok();
    let has_closed = units.iter().any(|u| !u.is_open());
    // The chosen one stays in sight, also after it was closed.
    units.retain(|u| with_closed || u.is_open() || Some(u.id) == chosen_id);
    let catalogue = app.catalogue().await?;
    let is_everybody = asked.get("unit").is_empty();
    let is_unplaced = asked.get("unit") == "none";
    let chosen = units.iter().find(|u| Some(u.id) == chosen_id);
    if chosen.is_none() && !is_everybody && !is_unplaced {
        return Err(AppError::NotFound);
    }
    // Without the box in the address (`sub_` tells that the form was sent) units below count.
    let with_sub = asked.find("sub_").is_none() || asked.is_ticked("sub");
    let names: HashMap<PersonId, &org::Person> = people.iter().map(|p| (p.id, p)).collect();
    let below = below_each(&units);
    let reach: HashSet<UnitId> = match chosen {
        Some(unit) if with_sub => below.get(&unit.id).cloned().unwrap_or_default(),
        Some(unit) => HashSet::from([unit.id]),
        None => units.iter().map(|u| u.id).collect(),
    };
    let archive = if actor.sees_all_customers() && !is_past && chosen.is_some() {
        let whose = Whose::Of { owners: Vec::new(), units: reach.iter().copied().collect() };
        let count = move |conn: &mut store::Conn<'_>| {
            let all = counters::one(conn, "customers", "", &whose)?;
            Ok::<_, AppError>((all, counters::one(conn, "customers.complete", "yes", &whose)?))
        };
        Some(app.db.read(count).await?)
    } else {
        None
    };
    let customers = match chosen.filter(|unit| !is_past && unit.is_open()).map(|unit| unit.id) {
        Some(unit) => app.db.read(move |conn| org::customers_of_unit(conn, unit)).await?,
        None => 0,
    };
    let placed: HashSet<PersonId> = held.iter().map(|h| h.person_id).collect();
    let paths: HashMap<UnitId, String> = units.iter().map(|u| (u.id, path_of(&units, u.id))).collect();
    let heads: HashMap<UnitId, &UnitRecord> = units.iter().map(|u| (u.id, u)).collect();
    let q = asked.cut("q", LONGEST_QUERY);
    let line = |person: &org::Person, held: Option<&Held>| PersonLine {
        id: person.id,
        name: person.name.clone(),
        post: held.map_or_else(String::new, |h| catalogue.dictionary(POSTS).title(&h.post, l).to_owned()),
        unit: held.and_then(|h| paths.get(&h.unit_id).cloned()).unwrap_or_default(),
        is_main: held.is_some_and(|h| h.is_main),
        superior: held
            .and_then(|h| {
                let by_line = || head_above(&heads, h.unit_id, h.person_id);
                h.superior_id.or_else(by_line)
            })
            .and_then(|id| names.get(&id))
            .map_or_else(String::new, |p| p.name.clone()),
        phone: person.phone.clone(),
        is_active: person.is_active,
        left_on: if person.is_active { String::new() } else { person.left_on.clone() },
    };
    let meant = |p: &org::Person| q.is_empty() || p.is_meant_by(q);
    let mut rows: Vec<PersonLine> = if is_unplaced {
        people
            .iter()
            .filter(|p| p.is_active && !placed.contains(&p.id) && meant(p))
            .map(|p| line(p, None))
            .collect()
    } else {
        let found = held.iter().filter(|h| reach.contains(&h.unit_id));
        found.filter_map(|h| names.get(&h.person_id).filter(|p| meant(p)).map(|p| line(p, Some(h)))).collect()
    };
    rows.sort_by(|a, b| (&a.unit, !a.is_main, a.id).cmp(&(&b.unit, !b.is_main, b.id)));
    let total = rows.len();
    rows.truncate(MOST_ROWS);
    let people_in = counts(&units, &held, &below);
    let rest = QueryData(FormData::default()).with(&[
        ("on", if is_past { &shown_day } else { "" }),
        ("closed", if with_closed { "1" } else { "" }),
    ]);
    let body = UnitsPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("组织", "")]),
        tree: branches(&units, &people_in, chosen_id),
        everybody: placed.len(),
        unplaced: people.iter().filter(|p| p.is_active && !placed.contains(&p.id)).count(),
        is_everybody,
        is_unplaced,
        rest: if rest.is_empty() { rest } else { format!("&{rest}") },
        on: if is_past { shown_day } else { String::new() },
        is_past,
        with_closed,
        has_closed,
        with_sub,
        q: q.to_owned(),
        unit: chosen.map(|unit| Chosen {
            id: unit.id,
            name: unit.name.clone(),
            path: paths.get(&unit.id).cloned().unwrap_or_default(),
            kind: catalogue.dictionary(UNIT_KINDS).title(&unit.kind, l).to_owned(),
            code: unit.code.clone(),
            head: unit.head_id.and_then(|id| names.get(&id)).map_or_else(String::new, |p| p.name.clone()),
            is_closed: !unit.is_open(),
            opened_on: unit.opened_on.clone(),
            closed_on: unit.closed_on.clone(),
            version: unit.version,
        }),
        archive,
        customers,
        rows,
        total,
    };
    part_or_page(page.is_partial, body.as_list(), &body)
}

/// Each unit with itself and everything below it.
fn below_each(units: &[UnitRecord]) -> HashMap<UnitId, HashSet<UnitId>> {
    let parents: HashMap<UnitId, Option<UnitId>> = units.iter().map(|u| (u.id, u.parent_id)).collect();
    let mut below: HashMap<UnitId, HashSet<UnitId>> = HashMap::new();
    for unit in units {
        let mut at = Some(unit.id);
        for _ in 0..=crate::access::DEEPEST {
            let Some(id) = at else { break };
            below.entry(id).or_default().insert(unit.id);
            at = parents.get(&id).copied().flatten();
        }
    }
    below
}

/// `集团 / 物业公司 / 一管理处`.
fn path_of(units: &[UnitRecord], id: UnitId) -> String {
    let known: HashMap<UnitId, &UnitRecord> = units.iter().map(|u| (u.id, u)).collect();
    let (mut names, mut at) = (Vec::new(), Some(id));
    while let Some(unit) = at.and_then(|id| known.get(&id)).filter(|_| names.len() < crate::access::DEEPEST) {
        names.push(unit.name.as_str());
        at = unit.parent_id;
    }
    names.reverse();
    names.join(" / ")
}

/// The head of the unit, or of the next one above whose head is somebody else.
fn head_above(units: &HashMap<UnitId, &UnitRecord>, from: UnitId, person: PersonId) -> Option<PersonId> {
    let mut at = Some(from);
    for _ in 0..crate::access::DEEPEST {
        let unit = units.get(&at?)?;
        if let Some(head) = unit.head_id.filter(|h| *h != person) {
            return Some(head);
        }
        at = unit.parent_id;
    }
    None
}

/// How many people work in each unit and below it; nobody twice.
fn counts(
    units: &[UnitRecord],
    held: &[Held],
    below: &HashMap<UnitId, HashSet<UnitId>>,
) -> HashMap<UnitId, usize> {
    let mut direct: HashMap<UnitId, HashSet<PersonId>> = HashMap::new();
    for one in held {
        direct.entry(one.unit_id).or_default().insert(one.person_id);
    }
    let all = units.iter().map(|unit| {
        let parts = below.get(&unit.id).into_iter().flatten().filter_map(|id| direct.get(id));
        (unit.id, parts.flatten().collect::<HashSet<_>>().len())
    });
    all.collect()
}

fn branches(units: &[UnitRecord], people: &HashMap<UnitId, usize>, here: Option<UnitId>) -> Vec<Branch> {
    let order = org::in_tree_order(units);
    let parents: HashMap<UnitId, Option<UnitId>> = units.iter().map(|u| (u.id, u.parent_id)).collect();
    let mut on_the_way = HashSet::new();
    let mut at = here.and_then(|id| parents.get(&id).copied().flatten());
    while let Some(id) = at.filter(|id| on_the_way.insert(*id)) {
        at = parents.get(&id).copied().flatten();
    }
    let mut hidden_below: Option<usize> = None;
    let mut rows = Vec::with_capacity(order.len());
    for (n, (level, unit)) in order.iter().enumerate() {
        let has_parts = order.get(n + 1).is_some_and(|(next, _)| next > level);
        if hidden_below.is_some_and(|at| *level <= at) {
            hidden_below = None;
        }
        let is_unfolded = units.len() <= UNFOLDED || *level == 0 || on_the_way.contains(&unit.id);
        let is_hidden = hidden_below.is_some();
        if has_parts && !is_unfolded && !is_hidden {
            hidden_below = Some(*level);
        }
        rows.push(Branch {
            id: unit.id,
            name: unit.name.clone(),
            level: level + 1,
            people: people.get(&unit.id).copied().unwrap_or(0),
            is_here: Some(unit.id) == here,
            is_closed: !unit.is_open(),
            is_unfolded: has_parts.then_some(is_unfolded),
            is_hidden,
        });
    }
    rows
}

/// Something as a searchable select offers it.
pub(super) struct Pick {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) search: String,
}

/// Every open unit by its path, in the order of the paths.
pub(super) fn unit_choices(directory: &Directory) -> Vec<Pick> {
    let mut all: Vec<Pick> = directory
        .units()
        .filter(|u| !u.is_closed)
        .map(|u| Pick {
            value: u.id.to_string(),
            label: directory.path(u.id),
            search: format!(
                "{} {} {}",
                u.code,
                hanzi::readings::full(&u.name),
                hanzi::readings::initials(&u.name)
            ),
        })
        .collect();
    all.sort_by(|a, b| a.label.cmp(&b.label));
    all
}

/// Every post that may be chosen.
pub(super) fn post_choices(catalogue: &Catalogue, l: Lang) -> Vec<Pick> {
    let pick = |e: &crate::catalogue::Entry| Pick {
        value: e.code.clone(),
        label: e.title(l).to_owned(),
        search: format!("{} {}", hanzi::readings::full(&e.zh), hanzi::readings::initials(&e.zh)),
    };
    catalogue.dictionary(POSTS).active().map(pick).collect()
}

/// The path of the unit of this id; empty for none.
pub(super) fn unit_shown(directory: &Directory, id: &str) -> String {
    id.parse().map_or_else(|_| String::new(), |id| directory.path(id))
}

/// The name of the person of this id; empty for none.
pub(super) fn person_shown(directory: &Directory, id: &str) -> String {
    id.parse().ok().and_then(|id| directory.member(id)).map_or_else(String::new, |m| m.name.clone())
}

#[derive(Template)]
#[template(path = "org/unit.html", blocks = ["card"])]
struct UnitPage {
    l: Lang,
    shell: Shell,
    heading: String,
    action: String,
    form: FormData,
    kinds: Vec<Choice>,
    units: Vec<Pick>,
    parent_shown: String,
    head_shown: String,
    /// Only the place is asked for.
    is_move: bool,
    path: String,
    history: Vec<Stage>,
    errors: FormErrors,
}

/// How a unit stood from a day on.
struct Stage {
    since: String,
    name: String,
    kind: String,
    parent: String,
    head: String,
    is_closed: bool,
}

impl UnitPage {
    fn new(
        page: &Page,
        catalogue: &Catalogue,
        directory: &Directory,
        unit: Option<&UnitRecord>,
        form: FormData,
    ) -> Self {
        let l = page.l;
        let heading = unit.map_or_else(|| l.t("新增部门").to_owned(), |u| u.name.clone());
        let kinds = catalogue.dictionary(UNIT_KINDS);
        let offered = kinds.entries.iter().filter(|e| e.is_active || unit.is_some_and(|u| u.kind == e.code));
        Self {
            l,
            shell: page.shell(&[("系统管理", "/admin/people"), ("组织", HOME), (&heading, "")]),
            action: unit.map_or_else(|| HOME.to_owned(), |u| format!("{HOME}/{}", u.id)),
            kinds: offered.map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() }).collect(),
            units: unit_choices(directory),
            parent_shown: unit_shown(directory, form.get("parent_id")),
            head_shown: person_shown(directory, form.get("head_id")),
            is_move: false,
            path: unit.map_or_else(String::new, |u| directory.path(u.id)),
            history: Vec::new(),
            heading,
            form,
            errors: FormErrors::default(),
        }
    }

    /// What is wrong besides the fields shown.
    fn besides(&self) -> Vec<&str> {
        self.errors.besides(&["name", "kind", "code", "parent_id", "head_id", "position"])
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

pub(super) async fn load(app: &App, id: &str) -> Result<UnitRecord, AppError> {
    let id: UnitId = path_id(id)?;
    app.db.read(move |conn| org::load_unit(conn, id)).await?.ok_or(AppError::NotFound)
}

fn filled(unit: &UnitRecord) -> FormData {
    let id = |id: Option<String>| id.unwrap_or_default();
    let pairs = [
        ("name", unit.name.clone()),
        ("kind", unit.kind.clone()),
        ("code", unit.code.clone()),
        ("parent_id", id(unit.parent_id.map(|p| p.to_string()))),
        ("head_id", id(unit.head_id.map(|h| h.to_string()))),
        ("position", unit.position.to_string()),
        ("version", unit.version.to_string()),
    ];
    FormData(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What a form says; fields it does not have stay.
fn draft(form: &FormData) -> Result<UnitDraft, AppError> {
    let given = |name: &str| form.find(name).map(|t| t.trim().to_owned());
    let position = given("position")
        .filter(|t| !t.is_empty())
        .map(|t| t.parse().map_err(|_| AppError::field("position", text!("顺序为 0–{} 的整数", 100_000))));
    let parent = given("parent_id").map(|t| match t.as_str() {
        "" => Ok(None),
        id => id
            .parse()
            .map(Some)
            .map_err(|_| AppError::field("parent_id", text!("没有这个上级部门，请重新选择"))),
    });
    let head = given("head_id").map(|t| match t.as_str() {
        "" => Ok(None),
        id => {
            id.parse().map(Some).map_err(|_| AppError::field("head_id", text!("没有这位员工，或者他已停用")))
        }
    });
    Ok(UnitDraft {
        name: form.find("name").map(str::to_owned),
        kind: given("kind"),
        code: given("code"),
        parent_id: parent.transpose()?,
        head_id: head.transpose()?,
        position: position.transpose()?,
    })
}

async fn new(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let (catalogue, directory) = (app.catalogue().await?, app.directory().await?);
    let parent = asked.get("parent").parse::<UnitId>().map_or_else(|_| String::new(), |id| id.to_string());
    let form = FormData(vec![("parent_id".into(), parent), ("kind".into(), "department".into())]);
    UnitPage::new(&page, &catalogue, &directory, None, form).answer(page.is_partial, StatusCode::OK)
}

async fn show(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let (catalogue, directory) = (app.catalogue().await?, app.directory().await?);
    type Row = (String, String, String, Option<UnitId>, Option<PersonId>, bool);
    let unit_id = unit.id;
    let rows: Vec<Row> = app
        .db
        .read(move |conn| {
            conn.rows(
                "SELECT since, name, kind, parent_id, head_id, is_closed FROM unit_history WHERE unit_id = $1
                 ORDER BY since DESC LIMIT 50",
                &[unit_id.into()],
            )
        })
        .await?;
    let l = page.l;
    let name_of = |id: Option<UnitId>| id.and_then(|id| directory.unit(id)).map_or("", |u| u.name.as_str());
    let history = rows
        .into_iter()
        .map(|(since, name, kind, parent, head, is_closed)| Stage {
            since,
            name,
            kind: catalogue.dictionary(UNIT_KINDS).title(&kind, l).to_owned(),
            parent: name_of(parent).to_owned(),
            head: head.and_then(|id| directory.member(id)).map_or_else(String::new, |m| m.name.clone()),
            is_closed,
        })
        .collect();
    let shown =
        UnitPage { history, ..UnitPage::new(&page, &catalogue, &directory, Some(&unit), filled(&unit)) };
    shown.answer(page.is_partial, StatusCode::OK)
}

/// The form that asks only where a unit goes.
async fn ask_place(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let (catalogue, directory) = (app.catalogue().await?, app.directory().await?);
    let form =
        FormData(filled(&unit).0.into_iter().filter(|(n, _)| n == "parent_id" || n == "version").collect());
    let mut shown = UnitPage::new(&page, &catalogue, &directory, Some(&unit), form);
    shown.is_move = true;
    shown.heading = page.l.f("移动“{}”", &[&unit.name]);
    // It cannot go below itself: those places are not offered.
    let below: HashSet<String> = directory.tree(unit.id).into_iter().map(|id| id.to_string()).collect();
    shown.units.retain(|choice| !below.contains(&choice.value));
    shown.answer(page.is_partial, StatusCode::OK)
}

async fn add(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (catalogue, at) = (app.catalogue().await?, app.moment());
    let known = catalogue.clone();
    let done = match draft(&form) {
        Ok(draft) => app.db.write(move |tx| org::create_unit(tx, &actor, &known, &draft, &at)).await,
        Err(error) => Err(error),
    };
    finish(&app, &page, &headers, &catalogue, None, form, done).await
}

async fn change(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let (catalogue, at, id) = (app.catalogue().await?, app.moment(), unit.id);
    let (known, based_on) = (catalogue.clone(), version(&form));
    let done = match draft(&form) {
        Ok(draft) => {
            app.db.write(move |tx| org::change_unit(tx, &actor, &known, id, based_on, &draft, &at)).await
        }
        Err(error) => Err(error),
    };
    finish(&app, &page, &headers, &catalogue, Some(&unit), form, done).await
}

async fn finish(
    app: &App,
    page: &Page,
    headers: &HeaderMap,
    catalogue: &Catalogue,
    unit: Option<&UnitRecord>,
    form: FormData,
    done: Result<UnitRecord, AppError>,
) -> Result<Response, AppError> {
    app.forget_sessions();
    match done {
        Ok(unit) => {
            let said = page.l.f("已保存“{}”", &[&unit.name]);
            Ok(saved(headers, &format!("{HOME}?unit={}", unit.id), &said))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let directory = app.directory().await?;
            let is_move = form.find("name").is_none();
            let again =
                UnitPage { errors, is_move, ..UnitPage::new(page, catalogue, &directory, unit, form) };
            again.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn close(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let (id, based_on, at) = (unit.id, version(&form), app.moment());
    app.db.write(move |tx| org::close_unit(tx, &actor, id, based_on, &at)).await?;
    app.forget_sessions();
    let above = unit.parent_id.map_or_else(|| HOME.to_owned(), |p| format!("{HOME}?unit={p}"));
    Ok(saved(&headers, &above, &page.l.f("已撤销“{}”，历史仍可按日期查看", &[&unit.name])))
}

async fn reopen(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let (id, based_on, at) = (unit.id, version(&form), app.moment());
    let done = app.db.write(move |tx| org::reopen_unit(tx, &actor, id, based_on, &at)).await;
    app.forget_sessions();
    match done {
        // What stands in the way is told as a sentence; there is no form to show it in.
        Err(AppError::Invalid(errors)) => Err(AppError::Conflict(
            errors.into_iter().next().map_or_else(|| AppError::Stale.title(), |e| e.text),
        )),
        Err(error) => Err(error),
        Ok(_) => Ok(saved(&headers, &format!("{HOME}?unit={id}"), &page.l.f("已恢复“{}”", &[&unit.name]))),
    }
}
