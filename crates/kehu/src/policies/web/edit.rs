//! Drafts in the browser: begun from a published version, from one we ship or from nothing; a file at a time in a text
//! box, checked while it is typed, tried out with its scenarios.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use policy::{Problem, SourceFile};

use super::show::load_draft;
use super::{HOME, version_id};
use crate::access::Actor;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PolicyVersionId;
use crate::policies::{self, Draft, Version, create, discard, load_version, save, shipped};
use crate::text;
use crate::web::{Administrator, FormData, FormErrors, Page, QueryData, Shell, flash, html, redirect};

/// What a regulation written from nothing begins with.
fn skeleton(id: &str, title: &str) -> Vec<SourceFile> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let (id, title) = (quoted(id), quoted(title));
    let file = |name: &str, text: String| SourceFile { name: name.to_owned(), text };
    vec![
        file(
            "policy.toml",
            format!(
                "[policy]\nid = {id}\ntitle = {title}\nversion = \"1.0\"\npurpose = \"\"\nscope = \"\"\nowner = \"\"\n"
            ),
        ),
        file(
            "clauses.toml",
            "[[clause]]\nid = \"第一条\"\ntitle = \"\"\ntext = \"\"\nbinds = \"\"\n".to_owned(),
        ),
        file("forms.toml", String::new()),
        file("process.toml", String::new()),
        file("scenarios/cast.toml", String::new()),
    ]
}

#[derive(Template)]
#[template(path = "policies/new.html")]
struct NewPage {
    l: Lang,
    shell: Shell,
    form: FormData,
    errors: FormErrors,
}

fn new_page(page: &Page, form: FormData, errors: FormErrors) -> NewPage {
    NewPage { l: page.l, shell: page.shell(&[("制度", HOME), ("新制度", "")]), form, errors }
}

pub(super) async fn new(Administrator(_): Administrator, page: Page) -> Result<Response, AppError> {
    html(&new_page(&page, FormData::default(), FormErrors::default()))
}

/// A draft from a version (`from`), from a regulation we ship (`policy`), or from nothing (`id` and `title`).
pub(super) async fn create_draft(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let (me, now, asked) = (actor.clone(), app.now(), form.clone());
    let done = app
        .db
        .write(move |tx| {
            let draft = if !asked.get("from").is_empty() {
                let id = version_id(asked.get("from"))?;
                let version = load_version(tx, &me, id)?;
                Draft { files: version.files, settings: version.settings, note: String::new() }
            } else if !asked.get("policy").is_empty() {
                let wanted = asked.get("policy").to_owned();
                let found = shipped().into_iter().find(|shipped| shipped.policy == wanted);
                Draft { files: found.ok_or(AppError::NotFound)?.files, ..Draft::default() }
            } else {
                let (id, title) = (asked.get("id").trim(), asked.get("title").trim());
                check_names(id, title)?;
                let taken: Option<String> = tx.value(
                    "SELECT title FROM policy_versions WHERE policy = $1 AND state <> 'discarded'
                     ORDER BY id DESC LIMIT 1",
                    &[id.into()],
                )?;
                if let Some(title) = taken {
                    return Err(AppError::field(
                        "id",
                        text!(
                            "代号“{}”已由制度“{}”使用：要修订它，请打开那个制度点“修订”；否则请换一个代号",
                            id,
                            title
                        ),
                    ));
                }
                Draft { files: skeleton(id, title), ..Draft::default() }
            };
            create(tx, &me, &draft, now)
        })
        .await;
    match done {
        Ok(version) if form.get("to") == "settings" => {
            Ok(redirect(page.is_htmx, &format!("{HOME}/{}/settings", version.id)))
        }
        Ok(version) if !form.get("policy").is_empty() => {
            let said = page.l.t("已建立草稿：看一遍、填好参数后发布");
            Ok(flash(redirect(page.is_htmx, &format!("{HOME}/{}", version.id)), said))
        }
        Ok(version) => Ok(redirect(page.is_htmx, &format!("{HOME}/{}/edit", version.id))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = new_page(&page, form, errors);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

fn check_names(id: &str, title: &str) -> Result<(), AppError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty()
        || id.len() > 60
        || !id.starts_with(|c: char| c.is_ascii_lowercase())
        || !id.chars().all(fits)
    {
        return Err(AppError::field(
            "id",
            text!("代号用小写字母、数字和连字符，以字母开头，例如 key-lending"),
        ));
    }
    if title.is_empty() || title.chars().count() > 100 {
        return Err(AppError::field("title", text!("请填写制度名称，最多 100 个字")));
    }
    Ok(())
}

/// A file in the list beside the text.
struct FileEntry {
    name: String,
    href: String,
    is_here: bool,
    problems: usize,
}

#[derive(Template)]
#[template(path = "policies/edit.html")]
struct EditPage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    row_version: i64,
    title: String,
    version: String,
    files: Vec<FileEntry>,
    file: String,
    text: String,
    /// A line to begin at, asked for by a problem elsewhere.
    line: usize,
    problems: ProblemsPart,
    errors: FormErrors,
}

impl EditPage {
    fn besides(&self) -> Vec<&str> {
        self.errors.besides(&[])
    }
}

fn edit_page(
    page: &Page,
    version: &Version,
    (file, text): (&str, Option<&str>),
    line: usize,
    errors: FormErrors,
) -> EditPage {
    let file = version
        .files
        .iter()
        .find(|known| known.name == file)
        .or_else(|| version.files.iter().find(|known| known.name == "policy.toml"))
        .or(version.files.first());
    let (name, stored) = file.map_or(("", ""), |file| (file.name.as_str(), file.text.as_str()));
    let text = text.unwrap_or(stored);
    let problems = problems_part(page.l, version, name, text);
    EditPage {
        l: page.l,
        shell: page.shell(&[
            ("制度", HOME),
            (&version.title, &format!("{HOME}/{}", version.id)),
            ("修改草稿", ""),
        ]),
        id: version.id,
        row_version: version.row_version,
        title: version.title.clone(),
        version: version.version.clone(),
        files: version
            .files
            .iter()
            .map(|file| FileEntry {
                name: file.name.clone(),
                href: format!("{HOME}/{}/edit?{}", version.id, query("file", &file.name)),
                is_here: file.name == name,
                problems: problems.counts.iter().filter(|known| **known == file.name).count(),
            })
            .collect(),
        file: name.to_owned(),
        text: text.to_owned(),
        line,
        problems,
        errors,
    }
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    let line = asked.get("line").parse().unwrap_or(0);
    html(&edit_page(&page, &version, (asked.get("file"), None), line, FormErrors::default()))
}

/// The draft's files with one text replaced by what is being typed.
fn with_text(version: &Version, name: &str, text: &str) -> Vec<SourceFile> {
    let mut files = version.files.clone();
    if let Some(file) = files.iter_mut().find(|file| file.name == name) {
        file.text = text.to_owned();
    }
    files
}

/// Browsers send line ends as CR LF.
fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn seen(form: &FormData) -> i64 {
    form.get("seen").parse().unwrap_or(0)
}

pub(super) async fn save_file(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    let (name, text) = (form.get("file").to_owned(), unix(form.get("text")));
    if version.files.iter().all(|file| file.name != name) {
        return Err(AppError::Conflict(text!("草稿里已经没有这个文件，请刷新后重新修改")));
    }
    let draft = Draft {
        files: with_text(&version, &name, &text),
        settings: version.settings.clone(),
        note: version.note.clone(),
    };
    let (me, now, of, saw) = (actor.clone(), app.now(), version.id, seen(&form));
    let done = app.db.write(move |tx| save(tx, &me, of, saw, &draft, now)).await;
    match done {
        Ok(_) => {
            let to = format!("{HOME}/{}/edit?{}", version.id, query("file", &name));
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let mut again = edit_page(&page, &version, (&name, Some(&text)), 0, errors);
            // Whoever was too late stays too late until he has seen the other's change.
            again.row_version = seen(&form);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

fn query(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

/// Adds a file (`add`), or takes one away (`remove`).
pub(super) async fn change_files(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    let (add, remove) = (form.get("add").trim().to_owned(), form.get("remove").to_owned());
    let mut files = version.files.clone();
    let to = if remove.is_empty() {
        let name = if add.ends_with(".toml") { add.clone() } else { format!("{add}.toml") };
        files.push(SourceFile { name: name.clone(), text: String::new() });
        files.sort_by(|a, b| a.name.cmp(&b.name));
        name
    } else {
        files.retain(|file| file.name != remove || file.name == "policy.toml");
        "policy.toml".to_owned()
    };
    let draft = Draft { files, settings: version.settings.clone(), note: version.note.clone() };
    let (me, now, of, saw) = (actor.clone(), app.now(), version.id, seen(&form));
    let done = app.db.write(move |tx| save(tx, &me, of, saw, &draft, now)).await;
    match done {
        Ok(_) => Ok(redirect(page.is_htmx, &format!("{HOME}/{}/edit?{}", version.id, query("file", &to)))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = edit_page(&page, &version, ("", None), 0, errors);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

/// A problem, and where a click on it leads.
struct ProblemLine {
    line: usize,
    text: String,
    file: String,
    /// Empty when it is in the text being typed.
    href: String,
}

/// What is wrong, as the part under the text.
#[derive(Template)]
#[template(path = "policies/problems.html")]
struct ProblemsPart {
    l: Lang,
    here: Vec<ProblemLine>,
    elsewhere: Vec<ProblemLine>,
    /// The file of every problem.
    counts: Vec<String>,
}

impl ProblemsPart {
    /// `12,40`: the lines the script marks.
    fn lines(&self) -> String {
        let lines: BTreeSet<usize> = self.here.iter().map(|p| p.line).filter(|line| *line > 0).collect();
        lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

fn problems_part(l: Lang, version: &Version, name: &str, text: &str) -> ProblemsPart {
    let mut problems: Vec<Problem> = Vec::new();
    let files = with_text(version, name, text);
    if let Err(found) = policies::compile(&files, &version.settings) {
        problems = found;
    }
    let counts = problems.iter().map(|problem| problem.file.clone()).collect();
    let line = |problem: Problem| {
        let href = if problem.file == name {
            String::new()
        } else {
            format!("{HOME}/{}/edit?{}&line={}", version.id, query("file", &problem.file), problem.line)
        };
        ProblemLine { line: problem.line, text: problem.text, file: problem.file, href }
    };
    let (here, elsewhere): (Vec<ProblemLine>, Vec<ProblemLine>) =
        problems.into_iter().map(line).partition(|problem| problem.href.is_empty());
    ProblemsPart { l, here, elsewhere, counts }
}

/// Checks what is being typed, unsaved.
pub(super) async fn check(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    html(&problems_part(page.l, &version, form.get("file"), &unix(form.get("text"))))
}

/// A scenario's result.
struct Tried {
    file: String,
    title: String,
    is_green: bool,
    failures: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "policies/tests.html")]
struct TestsPart {
    l: Lang,
    tried: Vec<Tried>,
    failed: usize,
    /// Clauses with neither a scenario nor only a standard.
    bare: Vec<String>,
}

/// Runs the scenarios over what is being typed, unsaved.
pub(super) async fn run_scenarios(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    let files = with_text(&version, form.get("file"), &unix(form.get("text")));
    let settings = version.settings.clone();
    let (of, l) = (version.id, page.l);
    // Scenarios reckon for a while: not on the threads that answer requests.
    let part = tokio::task::spawn_blocking(move || tests_part(l, of, &files, &settings))
        .await
        .map_err(|error| AppError::Internal(error.to_string()))?;
    html(&part)
}

fn tests_part(l: Lang, id: PolicyVersionId, files: &[SourceFile], settings: &policy::Settings) -> TestsPart {
    let reports = policies::test(files);
    let exercised: BTreeSet<&String> = reports.iter().flat_map(|report| &report.clauses).collect();
    let bare = policies::compile(files, settings).map_or_else(
        |_| Vec::new(),
        |policy| {
            let is_bare = |clause: &&policy::model::Clause| {
                let by = policy.citing(&clause.id);
                !exercised.contains(&clause.id) && !by.iter().all(|(what, _)| *what == "规范")
            };
            policy.clauses.iter().filter(is_bare).map(|clause| clause.id.clone()).collect()
        },
    );
    let tried: Vec<Tried> = reports
        .iter()
        .map(|report| Tried {
            file: format!("{HOME}/{id}/edit?{}", query("file", &report.file)),
            title: if report.title.is_empty() { report.file.clone() } else { report.title.clone() },
            is_green: report.is_green(),
            failures: report
                .failures
                .iter()
                .map(|(line, text)| {
                    let place = format!("{HOME}/{id}/edit?{}&line={line}", query("file", &report.file));
                    (place, format!("{}:{line} {text}", report.file))
                })
                .collect(),
        })
        .collect();
    TestsPart { l, failed: tried.iter().filter(|tried| !tried.is_green).count(), tried, bare }
}

pub(super) async fn discard_it(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let (id, now, saw, me): (_, _, _, Actor) = (version_id(&id)?, app.now(), seen(&form), actor);
    app.db.write(move |tx| discard(tx, &me, id, saw, now)).await?;
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("草稿已作废")))
}
