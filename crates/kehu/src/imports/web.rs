//! The import's pages: history, upload, columns, check, progress, result.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::api::{id_of, match_on, on_duplicate, read_upload, send_errors};
use super::mapping::{Target, offered};
use super::model::{Import, OnDuplicate, State as Stage, list, load};
use super::reader::Place;
use super::{errors, rows, template, undo, upload};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::customers::{Field, FieldKind, Keyed};
use crate::error::{AppError, FieldError};
use crate::i18n::{Lang, grouped};
use crate::ids::{ImportId, PersonId};
use crate::web::{Choice, FormData, Need, Page, QueryData, Routes, Shell, html, redirect, toast};
use crate::{files, jobs, org, text};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/imports", Need::SignedIn, index)
        .get("/imports/new", Need::SignedIn, new)
        .get("/imports/template.xlsx", Need::SignedIn, empty_table)
        .post_files("/imports", Need::SignedIn, take)
        .get("/imports/{id}", Need::SignedIn, show)
        .get("/imports/{id}/progress", Need::SignedIn, progress)
        .get("/imports/{id}/errors", Need::SignedIn, error_rows)
        .post("/imports/{id}/table", Need::SignedIn, turn)
        .post("/imports/{id}/check", Need::SignedIn, check)
        .post("/imports/{id}/run", Need::SignedIn, run)
        .post("/imports/{id}/cancel", Need::SignedIn, cancel)
        .post("/imports/{id}/undo", Need::SignedIn, take_back)
}

/// Imports a page of the history.
const ROWS: usize = 50;
/// Rows listed at once of those that were skipped or stay.
const LISTED: usize = 50;

#[derive(Template)]
#[template(path = "imports/index.html")]
struct Index {
    l: Lang,
    shell: Shell,
    rows: Vec<Line>,
    next: Option<String>,
}

/// A line of the history.
struct Line {
    import: Import,
    who: String,
    when: String,
}

async fn index(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let before = query.get("after").parse::<ImportId>().ok();
    let (mut found, names) = app
        .db
        .read(move |conn| {
            Ok::<_, AppError>((list(conn, &actor, before, ROWS + 1)?, org::person_names(conn)?))
        })
        .await?;
    let has_more = found.len() > ROWS;
    found.truncate(ROWS);
    let next = found.last().filter(|_| has_more).map(|i| format!("/imports?after={}", i.id));
    let l = page.l;
    let rows = found
        .into_iter()
        .map(|import| Line {
            who: who(&names, import.created_by, l),
            when: app.zone.minute(import.created_at),
            import,
        })
        .collect();
    html(&Index { l, shell: page.shell(&[("导入", "/imports")]), rows, next })
}

fn who(names: &HashMap<PersonId, String>, id: PersonId, l: Lang) -> String {
    names.get(&id).cloned().unwrap_or_else(|| l.t("命令行").to_owned())
}

#[derive(Template)]
#[template(path = "imports/new.html")]
struct New {
    l: Lang,
    shell: Shell,
    steps: Vec<String>,
    limit: u64,
    rule: String,
}

/// The steps of the wizard.
fn steps(l: Lang) -> Vec<String> {
    ["上传文件", "匹配列", "检查", "导入", "结果"].map(|s| l.t(s).to_owned()).to_vec()
}

async fn new(State(app): State<App>, _: Actor, page: Page) -> Result<Response, AppError> {
    let (l, limit) = (page.l, app.config.max_upload_bytes);
    html(&New {
        l,
        shell: page.shell(&[("导入", "/imports"), ("导入客户", "")]),
        steps: steps(l),
        limit,
        rule: l.f("支持 .xlsx、.csv、.vcf，不超过 {} MB、50 万行；.xls 请先另存为 .xlsx", &[&(limit >> 20)]),
    })
}

async fn empty_table(State(app): State<App>, actor: Actor) -> Result<Response, AppError> {
    let (catalogue, l) = (app.catalogue().await?, actor.lang);
    let bytes = tokio::task::spawn_blocking(move || template::file(&catalogue, l))
        .await
        .map_err(|e| AppError::Internal(format!("template: {e}")))??;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(super::export::XLSX));
    let name = files::percent(l.t("客户导入模板"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}.xlsx")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// What was wrong with an upload, as the plain sentence the drop zone shows.
#[derive(Template)]
#[template(ext = "html", source = r#"<p data-error>{{ text }}</p>"#)]
struct Refusal {
    text: String,
}

async fn take(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    request: Request,
) -> Result<Response, AppError> {
    let outcome = async {
        let upload = read_upload(&app, request).await?;
        let file = upload.file.ok_or_else(|| AppError::field("file", text!("请选择要导入的文件")))?;
        upload::take(&app, &actor, file, &Place::default()).await
    }
    .await;
    match outcome {
        Ok(import) => Ok(redirect(page.is_htmx, &format!("/imports/{}", import.id))),
        Err(AppError::Invalid(errors)) => {
            let text = errors.iter().map(|e| e.text.to(page.l)).collect::<Vec<_>>().join(page.l.t("；"));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&Refusal { text })?).into_response())
        }
        Err(error @ (AppError::TooLarge(_) | AppError::BadRequest(_))) if page.is_htmx => {
            let text = error.title().to(page.l);
            Ok((error.status(), html(&Refusal { text })?).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "imports/show.html", blocks = ["work"])]
struct Show {
    l: Lang,
    shell: Shell,
    import: Import,
    /// `map`, `busy`, `checked` or `result`.
    step: &'static str,
    steps: Vec<String>,
    now: usize,
    when: String,
    columns: Vec<ColumnRow>,
    policies: Vec<Choice>,
    keys: Vec<Choice>,
    chosen_keys: Vec<String>,
    owners: Vec<Choice>,
    owner: String,
    errors: Vec<String>,
    heads: Vec<String>,
    examples: Vec<ExampleRow>,
    bad: Vec<BadLine>,
    doubtful: Vec<BadLine>,
    undone: undo::Counts,
    kept_rows: Vec<rows::Row>,
    skipped_rows: Vec<rows::Row>,
    /// Where the next page of skipped rows begins.
    more_skipped: Option<i64>,
    /// Sheets to choose from.
    sheets: Vec<Choice>,
    sheet: String,
    /// The row of headings that was asked for; empty leaves it to be found.
    header_row: String,
    /// The row that was found; `None` where there is nothing to choose.
    found_row: Option<u64>,
    /// What is wrong with the choice of the table: at the sheet, at the row.
    table_errors: [String; 2],
    took: String,
    /// What changed since the template was made that the file was written in.
    notes: Vec<String>,
    /// Why it does not go on just now.
    trouble: String,
}

/// A column of the file on the mapping step.
struct ColumnRow {
    at: usize,
    heading: String,
    sample: Vec<String>,
    choices: Vec<Choice>,
    chosen: String,
    error: String,
}

/// A row as it will be stored.
struct ExampleRow {
    row: i64,
    act: String,
    act_colour: &'static str,
    cells: Vec<String>,
}

/// A row that is refused.
struct BadLine {
    row: i64,
    name: String,
    reasons: Vec<String>,
}

impl Show {
    fn guessed(&self) -> i64 {
        self.import.report.guessed.0 + self.import.report.guessed.1
    }

    /// What should be known about the file as a whole.
    fn about_file(&self) -> Vec<String> {
        let file = self.import.report.doubts.file.iter();
        file.map(|(zh, en)| self.l.pick(zh, en).to_owned()).collect()
    }

    /// Why it failed.
    fn problem(&self) -> String {
        self.import.problem.as_ref().map(|problem| problem.to(self.l)).unwrap_or_default()
    }

    /// Which row the headings were found in, where nobody said.
    fn row_hint(&self, found: &u64) -> String {
        if self.header_row.is_empty() {
            self.l.f("自动识别：第 {} 行", &[found])
        } else {
            String::new()
        }
    }

    fn is_error_file(&self) -> bool {
        self.import.header.as_ref().is_some_and(|h| h.is_error_file)
    }

    fn busy_title(&self) -> &'static str {
        self.l.t(match self.import.state {
            Stage::Checking => "正在检查文件，还没有写入任何内容",
            Stage::Undoing => "正在撤销这次导入",
            _ => "正在导入，可以离开这个页面，导入会继续",
        })
    }

    fn busy_text(&self) -> String {
        match (self.import.state, self.import.total) {
            (Stage::Undoing, _) => String::new(),
            (_, total) if total > 0 => self.l.f("{} / {} 行", &[&grouped(self.import.read), &grouped(total)]),
            _ => self.l.f("已处理 {} 行", &[&grouped(self.import.read)]),
        }
    }
}

async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let id = id_of(&id)?;
    let asked = Asked {
        is_map: query.get("step") == "map",
        skipped_after: rows::place(query.get("skipped"))?,
        refused: None,
    };
    let view = view(&app, &actor, &page, id, asked).await?;
    html(&view)
}

/// What of an import is asked for.
#[derive(Default)]
struct Asked {
    /// Its columns, though it was checked.
    is_map: bool,
    /// Skipped rows behind this one.
    skipped_after: i64,
    /// A form that was refused.
    refused: Option<Refused>,
}

/// What a refused form brings back.
struct Refused {
    form: FormData,
    errors: Vec<FieldError>,
}

async fn view(app: &App, actor: &Actor, page: &Page, id: ImportId, asked: Asked) -> Result<Show, AppError> {
    let l = page.l;
    let own = actor.clone();
    let Asked { is_map, skipped_after, refused } = asked;
    let (import, bad, undone, kept, skipped, people, trouble) = app
        .db
        .read(move |conn| {
            let import = load(conn, &own, id)?;
            let trouble = if import.state.is_busy() { jobs::trouble(conn, id.0)? } else { None };
            let over = import.state.is_over() || matches!(import.state, Stage::Undone);
            let bad = if over { errors::first_rows(conn, &import, l, 50)? } else { Vec::new() };
            let undone =
                if import.state == Stage::Undone { undo::counts(conn, id)? } else { undo::Counts::default() };
            let mut some = |is_any: bool, outcome, after| match is_any {
                true => rows::page(conn, &own, id, outcome, after, LISTED),
                false => Ok(rows::Rows::default()),
            };
            let kept = some(undone.kept > 0, rows::Outcome::Kept, 0)?;
            let skipped = some(over && import.skipped > 0, rows::Outcome::Skipped, skipped_after)?;
            let may_assign = own.may(Object::Customer, Verb::Assign);
            let people = if may_assign { org::list_people(conn)? } else { Vec::new() };
            Ok::<_, AppError>((import, bad, undone, kept, skipped, people, trouble))
        })
        .await?;
    let catalogue = app.catalogue().await?;
    let trouble = match trouble {
        Some(why) => l.f("上一次没有写成，系统会自动再试：{}", &[&why]),
        None if import.is_silent(app.now()) => l
            .t("导入它的命令已经没有动静，可能被中断了。在服务器上再运行同一条命令会接着导入；不再导入请点“停止”。")
            .to_owned(),
        None => String::new(),
    };
    let (step, now) = match import.state {
        Stage::Checked if !is_map => ("checked", 2),
        Stage::Uploaded | Stage::Checked => ("map", 1),
        Stage::Checking => ("busy", 2),
        Stage::Running => ("busy", 3),
        Stage::Undoing => ("busy", 4),
        _ => ("result", 4),
    };
    let (form, form_errors) = refused.map_or((None, Vec::new()), |r| (Some(r.form), r.errors));
    let columns = if step == "map" {
        column_rows(&import, &catalogue, l, form.as_ref(), &form_errors)
    } else {
        Vec::new()
    };
    let is_general =
        |field: &str| !field.starts_with("mapping.") && !["sheet", "header_row"].contains(&field);
    let errors = form_errors.iter().filter(|e| is_general(&e.field)).map(|e| e.text.to(l)).collect();
    let table_errors = ["sheet", "header_row"]
        .map(|field| form_errors.iter().find(|e| e.field == field).map(|e| e.text.to(l)).unwrap_or_default());
    let (heads, examples) =
        if step == "checked" { example_rows(&import, &catalogue, l) } else { Default::default() };
    let bad = match step {
        "checked" => bad_lines(&import.report.problems, l),
        _ => bad.into_iter().map(|(row, name, reasons)| BadLine { row, name, reasons }).collect(),
    };
    let header = import.header.as_ref().filter(|_| step == "map");
    let notes = header.map_or_else(Vec::new, |header| super::plan::file_notes(header, &catalogue));
    // Address books have no rows of headings, and a corrected error file is ours.
    let table = header.filter(|h| h.format != sheets::Format::Vcard && !h.is_error_file);
    let asked = |name: &str| form.as_ref().and_then(|form| form.find(name)).map(str::to_owned);
    let named = |name: &String| Choice { value: name.clone(), label: name.clone() };
    let owner = import.owner_id.map(|o| o.to_string()).unwrap_or_default();
    let took = import.started_at.zip(import.finished_at).map(|(a, b)| duration(b - a, l)).unwrap_or_default();
    Ok(Show {
        l,
        shell: page.shell(&[("导入", "/imports"), (import.file_name.as_str(), "")]),
        step,
        steps: steps(l),
        now,
        when: app.zone.minute(import.created_at),
        columns,
        policies: OnDuplicate::ALL
            .map(|p| Choice { value: p.code().to_owned(), label: l.t(p.title()).to_owned() })
            .to_vec(),
        keys: Keyed::ALL
            .map(|k| Choice { value: k.code().to_owned(), label: l.t(k.title()).to_owned() })
            .to_vec(),
        chosen_keys: import.match_on.iter().map(|k| k.code().to_owned()).collect(),
        owners: people
            .iter()
            .filter(|p| p.is_active)
            .map(|p| Choice { value: p.id.to_string(), label: p.name.clone() })
            .collect(),
        owner,
        errors,
        heads,
        examples,
        bad,
        doubtful: bad_lines(&import.report.doubts.first, l),
        undone,
        kept_rows: kept.rows.into_iter().filter(|row| row.customer.is_some()).collect(),
        skipped_rows: skipped.rows,
        more_skipped: skipped.next,
        sheets: table.map_or(&[][..], |header| &header.sheets).iter().map(named).collect(),
        sheet: asked("sheet").or(table.and_then(|t| t.sheet.clone())).unwrap_or_default(),
        header_row: asked("header_row")
            .or(table.and_then(|t| t.asked_row).map(|row| row.to_string()))
            .unwrap_or_default(),
        found_row: table.map(|t| t.row),
        took,
        notes: notes.iter().map(|text| text.to(l)).collect(),
        trouble,
        table_errors,
        import,
    })
}

fn duration(ms: Millis, l: Lang) -> String {
    let seconds = (ms / 1000).max(1);
    if seconds < 60 {
        l.f("用时 {} 秒", &[&seconds])
    } else {
        l.f("用时 {} 分 {} 秒", &[&(seconds / 60), &(seconds % 60)])
    }
}

fn column_rows(
    import: &Import,
    catalogue: &Catalogue,
    l: Lang,
    form: Option<&FormData>,
    errors: &[FieldError],
) -> Vec<ColumnRow> {
    let choices: Vec<Choice> =
        offered(catalogue).iter().map(|t| Choice { value: t.code(), label: t.title(catalogue, l) }).collect();
    import
        .columns()
        .iter()
        .enumerate()
        .map(|(at, heading)| ColumnRow {
            at,
            heading: heading.clone(),
            sample: import
                .sample
                .iter()
                .filter_map(|row| row.get(at))
                .filter(|c| !c.trim().is_empty())
                .take(3)
                .map(|c| c.chars().take(40).collect())
                .collect(),
            choices: choices.clone(),
            chosen: form
                .and_then(|f| f.find(&format!("mapping.{at}")).map(str::to_owned))
                .or_else(|| import.mapping.get(at).cloned())
                .unwrap_or_default(),
            error: errors
                .iter()
                .find(|e| e.field == format!("mapping.{at}"))
                .map(|e| e.text.to(l))
                .unwrap_or_default(),
        })
        .collect()
}

/// The examples as a table: the columns any of them has.
fn example_rows(import: &Import, catalogue: &Catalogue, l: Lang) -> (Vec<String>, Vec<ExampleRow>) {
    let order: Vec<Target> = offered(catalogue);
    let used: Vec<&Target> = order
        .iter()
        .filter(|t| {
            let code = t.code();
            !code.is_empty()
                && import.report.examples.iter().any(|e| e.values.iter().any(|(c, _)| *c == code))
        })
        .collect();
    let heads = used.iter().map(|t| t.title(catalogue, l)).collect();
    let rows = import
        .report
        .examples
        .iter()
        .map(|example| {
            let (act, act_colour) = match example.act.as_str() {
                "update" => (l.t("更新"), "blue"),
                "skip" => (l.t("跳过"), ""),
                _ => (l.t("新建"), "green"),
            };
            let cells = used
                .iter()
                .map(|target| {
                    let code = target.code();
                    let value =
                        example.values.iter().find(|(c, _)| *c == code).map_or("", |(_, v)| v.as_str());
                    shown(target, value, catalogue, l)
                })
                .collect();
            ExampleRow { row: example.row, act: act.to_owned(), act_colour, cells }
        })
        .collect();
    (heads, rows)
}

/// A stored value as people read it.
fn shown(target: &Target, value: &str, catalogue: &Catalogue, l: Lang) -> String {
    match target {
        Target::Kind => match crate::customers::Kind::named(value) {
            Some(kind) => l.t(kind.title()).to_owned(),
            None => value.to_owned(),
        },
        Target::Field(Field::Gender) => l
            .t(if value == "male" {
                "男"
            } else if value == "female" {
                "女"
            } else {
                ""
            })
            .to_owned(),
        Target::Field(field) => match field.spec().kind {
            FieldKind::Dictionary(name) => catalogue.dictionary(name).title(value, l).to_owned(),
            _ => value.to_owned(),
        },
        _ => value.to_owned(),
    }
}

fn bad_lines(rows: &[super::BadRow], l: Lang) -> Vec<BadLine> {
    rows.iter()
        .map(|bad| BadLine {
            row: bad.row,
            name: bad.name.clone(),
            reasons: bad
                .reasons
                .iter()
                .map(|(heading, zh, en)| {
                    let words = l.pick(zh, en);
                    if heading.is_empty() { words.to_owned() } else { l.f("{}：{}", &[heading, &words]) }
                })
                .collect(),
        })
        .collect()
}

/// The part that moves while work goes on; when it is over, the page itself.
async fn progress(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id = id_of(&id)?;
    let view = view(&app, &actor, &page, id, Asked::default()).await?;
    if view.import.state.is_busy() {
        html(&view.as_work())
    } else {
        Ok(redirect(page.is_htmx, &format!("/imports/{id}")))
    }
}

async fn error_rows(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    send_errors(&app, &actor, id_of(&id)?).await
}

async fn check(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id = id_of(&id)?;
    let (own, asked) = (actor.clone(), form.clone());
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let outcome = async {
        let width = app
            .db
            .read({
                let actor = actor.clone();
                move |conn| Ok::<_, AppError>(load(conn, &actor, id)?.columns().len())
            })
            .await?;
        let owner = asked.get("owner_id");
        let choices = upload::Choices {
            mapping: Some((0..width).map(|at| asked.get(&format!("mapping.{at}")).to_owned()).collect()),
            on_duplicate: on_duplicate(asked.get("on_duplicate"))?,
            match_on: match_on(asked.all("match_on"))?,
            owner_id: match owner {
                "" => None,
                id => Some(id.parse().map_err(|_| AppError::field("owner_id", text!("没有这位员工")))?),
            },
            is_dry_run: false,
        };
        app.db
            .write(move |tx| {
                upload::choose(tx, &own, id, &choices, &catalogue, now)?;
                upload::send(tx, &own, id, true, &catalogue, now)
            })
            .await
    }
    .await;
    match outcome {
        Ok(_) => {
            app.jobs_waiting.notify_one();
            Ok(redirect(page.is_htmx, &format!("/imports/{id}")))
        }
        Err(AppError::Invalid(errors)) => again(&app, &actor, &page, id, Refused { form, errors }).await,
        Err(error) => Err(error),
    }
}

/// The columns once more, with what was wrong.
async fn again(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: ImportId,
    refused: Refused,
) -> Result<Response, AppError> {
    let asked = Asked { is_map: true, refused: Some(refused), ..Asked::default() };
    let view = view(app, actor, page, id, asked).await?;
    let body = if page.is_htmx { html(&view.as_work())? } else { html(&view)? };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
}

/// Another sheet, or another row of headings.
async fn turn(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id = id_of(&id)?;
    let outcome = async {
        let mut place = Place::named(form.get("sheet"), form.get("header_row"))?;
        let own = actor.clone();
        let before = app.db.read(move |conn| load(conn, &own, id)).await?.header;
        // The row of one sheet's headings says nothing of another sheet.
        let is_other = |header: &sheets::Header| header.sheet.is_some() && header.sheet != place.sheet;
        if before.is_some_and(|header| is_other(&header) && header.asked_row == place.header_row) {
            place.header_row = None;
        }
        upload::turn_to(&app, &actor, id, place).await
    }
    .await;
    match outcome {
        Ok(_) => Ok(redirect(page.is_htmx, &format!("/imports/{id}?step=map"))),
        Err(AppError::Invalid(errors)) => again(&app, &actor, &page, id, Refused { form, errors }).await,
        Err(error) => Err(error),
    }
}

async fn run(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let (id, now, catalogue) = (id_of(&id)?, app.now(), app.catalogue().await?);
    let seen = form.find("version").map(|version| version.parse::<i64>().unwrap_or(0));
    app.db
        .write(move |tx| {
            // What is written is what was checked and shown; another page may have changed the columns meanwhile.
            let import = load(tx, &actor, id)?;
            if import.state == Stage::Uploaded
                || (import.state == Stage::Checked && seen.is_some_and(|seen| seen != import.version))
            {
                return Err(AppError::Conflict(text!("文件或列的对应已经改变，请重新检查后再导入")));
            }
            upload::send(tx, &actor, id, false, &catalogue, now)
        })
        .await?;
    app.jobs_waiting.notify_one();
    Ok(redirect(page.is_htmx, &format!("/imports/{id}")))
}

async fn cancel(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now) = (id_of(&id)?, app.now());
    app.db.write(move |tx| upload::cancel(tx, &actor, id, now)).await?;
    let response = redirect(page.is_htmx, &format!("/imports/{id}"));
    Ok(toast(response, page.l.t("已请求停止"), None))
}

async fn take_back(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now) = (id_of(&id)?, app.now());
    app.db.write(move |tx| undo::ask(tx, &actor, id, now)).await?;
    app.jobs_waiting.notify_one();
    Ok(redirect(page.is_htmx, &format!("/imports/{id}")))
}
