//! 从表格导入部门和人员: upload, what would happen, then all or nothing. Between the steps the page itself carries the
//! table; the server trusts nothing of it and checks every row again.

use std::io::{Cursor, Write as _};

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sheets::write::{Cell, CellError, Column, ErrorFile, Kind, TableXlsx};

use crate::access::{Object, Verb};
use crate::app::App;
use crate::audit::web::exported;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::imports::{XLSX, download, error_words, read_upload};
use crate::org::{self, Counts, Credential, Refused, Sheet, Table};
use crate::text;
use crate::web::{FormData, FormErrors, Need, Organiser, Page, Routes, Shell, html};

pub(super) fn routes(routes: Routes) -> Routes {
    let need = Need::May(Object::Organisation, Verb::Update);
    routes
        .get("/admin/organisation/import", need, new)
        .post_files("/admin/organisation/import", need, check)
        .post("/admin/organisation/import/run", need, run)
        .post("/admin/organisation/import/errors", need, error_rows)
        .post("/admin/organisation/import/passwords", need, passwords)
        .get("/admin/organisation/import/template/{sheet}", need, template)
}

#[derive(Template)]
#[template(path = "org/import.html")]
struct ImportPage {
    l: Lang,
    shell: Shell,
    steps: Vec<String>,
    step: usize,
    rule: String,
    limit: u64,
    errors: FormErrors,
    /// The table as the page carries it on; empty before a file was read.
    table: String,
    is_units: bool,
    total: usize,
    counts: Counts,
    refused: Vec<(u64, String, Vec<String>)>,
    /// Name, sign-in name and first password of those who were added, for the list and for the file.
    made: Vec<(String, String, String)>,
    made_json: String,
}

impl ImportPage {
    fn new(app: &App, page: &Page) -> Self {
        let (l, limit) = (page.l, app.config.max_upload_bytes);
        Self {
            l,
            shell: page.shell(&[("系统管理", "/admin/people"), ("组织", "/admin/units"), ("从表格导入", "")]),
            steps: ["上传文件", "检查", "结果"].map(|s| l.t(s).to_owned()).to_vec(),
            step: 0,
            rule: l.f("支持 .xlsx、.csv，一次最多 {} 行", &[&org::MOST_ROWS]),
            limit,
            errors: FormErrors::default(),
            table: String::new(),
            is_units: false,
            total: 0,
            counts: Counts::default(),
            refused: Vec::new(),
            made: Vec::new(),
            made_json: String::new(),
        }
    }
}

async fn new(State(app): State<App>, Organiser(_): Organiser, page: Page) -> Result<Response, AppError> {
    html(&ImportPage::new(&app, &page))
}

async fn check(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    request: Request,
) -> Result<Response, AppError> {
    let read = async {
        let file = read_upload(&app, request).await?.file;
        let file = file.ok_or_else(|| AppError::field("file", text!("请选择要导入的文件")))?;
        let table = tokio::task::spawn_blocking(move || org::read_table(file.path(), &file.name))
            .await
            .map_err(|e| AppError::Internal(format!("reading a table: {e}")))??;
        let (catalogue, at, tried) = (app.catalogue().await?, app.moment(), table.clone());
        let (counts, refused) =
            app.db.write(move |tx| org::rehearse(tx, &actor, &catalogue, &tried, &at)).await?;
        Ok::<_, AppError>((table, counts, refused))
    }
    .await;
    let l = page.l;
    match read {
        Ok((table, counts, refused)) => {
            let mut shown = ImportPage::new(&app, &page);
            shown.step = 1;
            shown.is_units = table.sheet == Sheet::Units;
            shown.total = table.rows.len();
            shown.counts = counts;
            shown.refused =
                refused.iter().map(|r| (r.number, name_of(&table, r), r.words(table.sheet, l))).collect();
            shown.table = serde_json::to_string(&table).map_err(|e| AppError::Internal(e.to_string()))?;
            html(&shown)
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, l)?;
            let body = html(&ImportPage { errors, ..ImportPage::new(&app, &page) })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
    }
}

/// What a refused row is about: the unit's or the person's name.
fn name_of(table: &Table, refused: &Refused) -> String {
    let at = if table.sheet == Sheet::Units { 1 } else { 0 };
    let row = table.rows.iter().find(|r| r.number == refused.number);
    row.map_or_else(String::new, |r| r.cells[at].chars().take(30).collect())
}

async fn run(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let table = Table::parse(form.get("table"))?;
    let (sheet, many) = (table.sheet, table.rows.len());
    // A first password for each, made off the runtime's threads: hashing takes its time on purpose.
    let credentials = tokio::task::spawn_blocking(move || {
        let wanted = if sheet == Sheet::People { many } else { 0 };
        (0..wanted).map(|_| Credential::random()).collect::<Result<Vec<_>, _>>()
    })
    .await
    .map_err(|e| AppError::Internal(format!("first passwords: {e}")))??;
    let (catalogue, at) = (app.catalogue().await?, app.moment());
    let (rows, given) = (table.clone(), credentials.clone());
    let done = app.db.write(move |tx| org::import(tx, &actor, &catalogue, &rows, &given, &at)).await;
    app.forget_sessions();
    let mut shown = ImportPage::new(&app, &page);
    match done {
        Ok(counts) => {
            shown.step = 2;
            shown.is_units = sheet == Sheet::Units;
            shown.total = many;
            shown.counts = counts;
            let named = table.rows.iter().zip(&credentials);
            shown.made = named
                .map(|(row, c)| (row.cells[0].clone(), org::username_key(&row.cells[1]), c.password.clone()))
                .collect();
            shown.made_json =
                serde_json::to_string(&shown.made).map_err(|e| AppError::Internal(e.to_string()))?;
            html(&shown)
        }
        Err(error) => {
            shown.errors = FormErrors::from_error(error, page.l)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)?).into_response())
        }
    }
}

/// The refused rows, the reason first, as a workbook to correct and upload again.
async fn error_rows(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let table = Table::parse(form.get("table"))?;
    let (catalogue, at, tried, l) = (app.catalogue().await?, app.moment(), table.clone(), page.l);
    let by = actor.clone();
    let (_, refused) = app.db.write(move |tx| org::rehearse(tx, &by, &catalogue, &tried, &at)).await?;
    let sheet = if table.sheet == Sheet::Units { "units" } else { "people" };
    let what = serde_json::json!({ "asked": sheet, "rows": refused.len() });
    exported(&app, &actor, ("organisation.errors_exported", "organisation", 0), what).await?;
    let failed = |e: sheets::write::WriteError| AppError::Internal(format!("error file: {e}"));
    let mut book = ErrorFile::new(&table.sheet.headings(), None, error_words(l)).map_err(failed)?;
    for one in &refused {
        let Some(row) = table.rows.iter().find(|r| r.number == one.number) else { continue };
        let wrong: Vec<CellError> = one
            .reasons
            .iter()
            .map(|(column, text)| CellError { column: *column, reason: text.to(l) })
            .collect();
        book.push(row.number, &row.cells, &wrong).map_err(failed)?;
    }
    let mut temp = crate::files::temporary(&app)?;
    book.finish(temp.as_file_mut()).map_err(failed)?;
    temp.flush().map_err(|e| AppError::Internal(format!("error file: {e}")))?;
    let file = temp.reopen().map_err(|e| AppError::Internal(format!("error file: {e}")))?;
    download(file, &format!("{}.xlsx", l.t("需修改")), XLSX)
}

/// The first passwords as a workbook: made from what the page shows, the server does not keep them.
async fn passwords(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let broken =
        |_| AppError::BadRequest(text!("内容不完整，密码只在导入完成时提供一次；可以在人员页面重置密码"));
    let made: Vec<(String, String, String)> = serde_json::from_str(form.get("made")).map_err(broken)?;
    let rows = made.len().min(org::MOST_ROWS);
    let what = serde_json::json!({ "asked": "people", "rows": rows });
    exported(&app, &actor, ("organisation.passwords_exported", "organisation", 0), what).await?;
    let failed = |e: sheets::write::WriteError| AppError::Internal(format!("passwords: {e}"));
    let l = page.l;
    let columns: Vec<Column> = ["姓名", "用户名", "临时密码"]
        .map(|title| Column { title: l.t(title).to_owned(), kind: Kind::Text })
        .into();
    let mut book = TableXlsx::new(l.t("临时密码"), &columns).map_err(failed)?;
    for (name, username, password) in made.iter().take(org::MOST_ROWS) {
        let cells = [name, username, password].map(|t| Cell::Text(t.as_str().into()));
        book.push(&cells).map_err(failed)?;
    }
    let mut bytes = Cursor::new(Vec::new());
    book.finish(&mut bytes).map_err(failed)?;
    Ok(workbook(bytes.into_inner(), l.t("临时密码")))
}

async fn template(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(sheet): Path<String>,
) -> Result<Response, AppError> {
    let (sheet, name) = match sheet.as_str() {
        "units.xlsx" => (Sheet::Units, "部门导入模板"),
        "people.xlsx" => (Sheet::People, "人员导入模板"),
        _ => return Err(AppError::NotFound),
    };
    let catalogue = app.catalogue().await?;
    let bytes = tokio::task::spawn_blocking(move || org::template(&catalogue, sheet))
        .await
        .map_err(|e| AppError::Internal(format!("template: {e}")))??;
    Ok(workbook(bytes, page.l.t(name)))
}

fn workbook(bytes: Vec<u8>, name: &str) -> Response {
    let disposition = format!("attachment; filename*=UTF-8''{}.xlsx", crate::files::percent(name));
    ([(header::CONTENT_TYPE, XLSX.to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response()
}
