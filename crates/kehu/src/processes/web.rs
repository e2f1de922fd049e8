//! 职责分工: the matrix everybody may read, and the form of those who keep the organisation.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Draft, Duty, Party, Process, create, list, load, parties, remove, update};
use crate::access::{Actor, Directory, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::ProcessId;
use crate::org::POSTS;
use crate::org::web::part_or_page;
use crate::text;
use crate::web::{
    Choice, FormData, FormErrors, Need, Organiser, Page, QueryData, Routes, Shell, html, saved,
};

const HOME: &str = "/admin/processes";

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Need::May(Object::Organisation, Verb::Update);
    routes
        .get(HOME, Need::SignedIn, index)
        .post(HOME, keep, add)
        .get("/admin/processes/new", keep, new)
        .get("/admin/processes/parties", Need::SignedIn, find_parties)
        .get("/admin/processes/{id}", Need::SignedIn, show)
        .post("/admin/processes/{id}", keep, change)
        .post("/admin/processes/{id}/delete", keep, delete)
}

#[derive(Template)]
#[template(path = "processes/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    /// The columns: name, and whether it is a post.
    columns: Vec<(String, bool)>,
    rows: Vec<Row>,
    may_change: bool,
    is_administrator: bool,
}

struct Row {
    id: ProcessId,
    code: String,
    title: String,
    note: String,
    /// The duties of each column.
    cells: Vec<Vec<Duty>>,
}

async fn index(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let (directory, catalogue, l) = (app.directory().await?, app.catalogue().await?, page.l);
    let all = app.db.read(list).await?;
    let parties = parties(&all);
    let row = |process: Process| Row {
        id: process.id,
        cells: parties
            .iter()
            .map(|party| process.duties.iter().filter(|(p, _)| p == party).map(|(_, d)| *d).collect())
            .collect(),
        code: process.code,
        title: process.title,
        note: process.note,
    };
    let index = IndexPage {
        l,
        shell: page.shell(&[("职责分工", "")]),
        columns: parties
            .iter()
            .map(|p| (p.title(&directory, &catalogue, l), matches!(p, Party::Post(_))))
            .collect(),
        rows: all.into_iter().map(row).collect(),
        may_change: actor.may(Object::Organisation, Verb::Update),
        is_administrator: actor.is_administrator(),
    };
    part_or_page(page.is_partial, index.as_list(), &index)
}

/// One line of the form: whose part, as sent and as shown, and which.
struct Line {
    n: usize,
    party: String,
    shown: String,
    duty: String,
}

/// Empty lines a form offers besides those filled in.
const SPARE: usize = 4;

#[derive(Template)]
#[template(path = "processes/process.html", blocks = ["card"])]
struct ProcessPage {
    l: Lang,
    shell: Shell,
    heading: String,
    action: String,
    /// Where it is taken away; empty for a new one.
    removal: String,
    /// What those who may not change it read: duty and names.
    facts: Option<Vec<(&'static str, String)>>,
    form: FormData,
    lines: Vec<Line>,
    duties: Vec<Choice>,
    errors: FormErrors,
}

impl ProcessPage {
    fn new(
        page: &Page,
        (directory, catalogue): (&Directory, &Catalogue),
        process: Option<&Process>,
        form: FormData,
    ) -> Self {
        let l = page.l;
        let heading = process.map_or_else(|| l.t("新增流程").to_owned(), |p| p.title.clone());
        let sent = (0..super::MOST_PARTIES).map(|n| {
            let party = form.get(&format!("party.{n}")).to_owned();
            (party, form.get(&format!("duty.{n}")).to_owned())
        });
        let mut lines: Vec<Line> = sent
            .filter(|(party, _)| !party.is_empty())
            .enumerate()
            .map(|(n, (party, duty))| {
                let shown =
                    Party::read(&party).map_or_else(String::new, |p| p.title(directory, catalogue, l));
                Line { n, party, shown, duty }
            })
            .collect();
        let spare = SPARE.min(super::MOST_PARTIES.saturating_sub(lines.len()));
        for _ in 0..spare {
            // A new process begins with the two that must be there.
            let duty = match (process, lines.len()) {
                (None, 0) => Duty::Responsible.code(),
                (None, 1) => Duty::Accountable.code(),
                _ => "",
            };
            let line =
                Line { n: lines.len(), party: String::new(), shown: String::new(), duty: duty.to_owned() };
            lines.push(line);
        }
        Self {
            l,
            shell: page.shell(&[("职责分工", HOME), (&heading, "")]),
            action: process.map_or_else(|| HOME.to_owned(), |p| format!("{HOME}/{}", p.id)),
            removal: process.map_or_else(String::new, |p| format!("{HOME}/{}/delete", p.id)),
            heading,
            facts: None,
            form,
            lines,
            duties: Duty::ALL
                .map(|d| Choice { value: d.code().to_owned(), label: l.t(d.title()).to_owned() })
                .into(),
            errors: FormErrors::default(),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

fn filled(process: &Process) -> FormData {
    let mut pairs = vec![
        ("code".to_owned(), process.code.clone()),
        ("title".to_owned(), process.title.clone()),
        ("note".to_owned(), process.note.clone()),
        ("version".to_owned(), process.version.to_string()),
    ];
    for (n, (party, duty)) in process.duties.iter().enumerate() {
        pairs.push((format!("party.{n}"), party.key()));
        pairs.push((format!("duty.{n}"), duty.code().to_owned()));
    }
    FormData(pairs)
}

fn draft_of(form: &FormData) -> Result<Draft, AppError> {
    let mut duties = Vec::new();
    for n in 0..super::MOST_PARTIES {
        let party = form.get(&format!("party.{n}"));
        if party.is_empty() {
            continue;
        }
        let party =
            Party::read(party).ok_or_else(|| AppError::field("duties", text!("请从列表中选择部门或岗位")))?;
        let duty = Duty::named(form.get(&format!("duty.{n}"))).ok_or_else(|| {
            AppError::field("duties", text!("请为每个部门或岗位选择一种分工：R、A、C 或 I"))
        })?;
        duties.push((party, duty));
    }
    let text = |name: &str| Some(form.get(name).to_owned());
    Ok(Draft { code: text("code"), title: text("title"), note: text("note"), duties: Some(duties) })
}

async fn new(State(app): State<App>, Organiser(_): Organiser, page: Page) -> Result<Response, AppError> {
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    ProcessPage::new(&page, (&directory, &catalogue), None, FormData::default())
        .answer(page.is_partial, StatusCode::OK)
}

async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ProcessId = path_id(&id)?;
    let (directory, catalogue, l) = (app.directory().await?, app.catalogue().await?, page.l);
    let process = app.db.read(move |conn| load(conn, id)).await?;
    let facts = (!actor.may(Object::Organisation, Verb::Update)).then(|| {
        let said = |duty: Duty| (duty.title(), process.names(duty, &directory, &catalogue, l));
        Duty::ALL.map(said).into_iter().chain([("备注", process.note.clone())]).collect()
    });
    let card = ProcessPage::new(&page, (&directory, &catalogue), Some(&process), filled(&process));
    ProcessPage { facts, ..card }.answer(page.is_partial, StatusCode::OK)
}

async fn add(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (directory, catalogue, now) = (app.directory().await?, app.catalogue().await?, app.now());
    let done = match draft_of(&form) {
        Ok(draft) => {
            let (directory, catalogue) = (directory.clone(), catalogue.clone());
            app.db.write(move |tx| create(tx, &actor, (&directory, &catalogue), &draft, now)).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(saved(&headers, HOME, page.l.t("流程已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = ProcessPage::new(&page, (&directory, &catalogue), None, form);
            ProcessPage { errors, ..again }.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn change(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let id: ProcessId = path_id(&id)?;
    let (directory, catalogue, now) = (app.directory().await?, app.catalogue().await?, app.now());
    let based_on = version(&form);
    let done = match draft_of(&form) {
        Ok(draft) => {
            let (directory, catalogue) = (directory.clone(), catalogue.clone());
            app.db
                .write(move |tx| update(tx, &actor, (&directory, &catalogue), id, based_on, &draft, now))
                .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(saved(&headers, HOME, page.l.t("流程已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let process = app.db.read(move |conn| load(conn, id)).await?;
            let again = ProcessPage::new(&page, (&directory, &catalogue), Some(&process), form);
            ProcessPage { errors, ..again }.answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn delete(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let id: ProcessId = path_id(&id)?;
    let (directory, catalogue, now) = (app.directory().await?, app.catalogue().await?, app.now());
    app.db.write(move |tx| remove(tx, &actor, (&directory, &catalogue), id, None, now)).await?;
    Ok(saved(&headers, HOME, page.l.t("流程已删除")))
}

/// What a searchable select offers: value, label, a note beside it.
#[derive(Template)]
#[template(path = "processes/options.html")]
pub(crate) struct Options {
    pub(crate) l: Lang,
    pub(crate) options: Vec<(String, String, String)>,
}

/// Offered at the most.
pub(crate) const MOST_OFFERED: usize = 12;

/// Open units whose name, code, pinyin or initials hold the words asked for: value, name, path of the unit above.
pub(crate) fn units_named(directory: &Directory, q: &str) -> Vec<(String, String, String)> {
    let q = q.trim().to_lowercase();
    let mut found: Vec<(String, String, String)> = directory
        .units()
        .filter(|u| !u.is_closed && is_named(&u.name, &u.code, &q))
        .map(|u| {
            let above = u.parent_id.map_or_else(String::new, |p| directory.path(p));
            (Party::Unit(u.id).key(), u.name.clone(), above)
        })
        .collect();
    found.sort_by(|a, b| (a.1.chars().count(), &a.1).cmp(&(b.1.chars().count(), &b.1)));
    found.truncate(MOST_OFFERED);
    found
}

fn is_named(name: &str, code: &str, q: &str) -> bool {
    name.to_lowercase().contains(q)
        || code.to_lowercase().contains(q)
        || hanzi::readings::full(name).contains(q)
        || hanzi::readings::initials(name).contains(q)
}

/// Units and posts to choose from.
async fn find_parties(
    State(app): State<App>,
    _: Actor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let (directory, catalogue, l) = (app.directory().await?, app.catalogue().await?, page.l);
    let q: String = asked.get("q").chars().filter(|c| !c.is_control()).take(40).collect();
    let mut options = units_named(&directory, &q);
    let q = q.trim().to_lowercase();
    let posts = catalogue.dictionary(POSTS);
    let found =
        posts.active().filter(|e| is_named(&e.zh, &e.code, &q) || e.title(l).to_lowercase().contains(&q));
    options.extend(
        found
            .take(MOST_OFFERED)
            .map(|e| (Party::Post(e.code.clone()).key(), e.title(l).to_owned(), l.t("岗位").to_owned())),
    );
    html(&Options { l, options })
}
