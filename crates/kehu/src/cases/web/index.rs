//! The lists: what waits for the reader (待办), what he did (已办), what he opened (我发起的), what he got a copy of
//! (抄送我的), and all cases he may see, as a table or as a board of the steps of one form.

use askama::Template;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use policy::engine::Verdict;
use policy::model::StepKind;
use serde_json::Map;

use super::{Around, HOME, Line};
use crate::access::Actor;
use crate::app::{App, to_the_end};
use crate::cases::{
    CaseTask, Ground, ListQuery, Place, TaskKind, TaskQuery, column_values, decide, find_tasks, list,
    waiting_count,
};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CaseId;
use crate::input::check_query;
use crate::org::web::part_or_page;
use crate::policies;
use crate::text;
use crate::web::{
    Choice, FormData, Page, QueryData, Shell, Tab, flash, note_denial, redirect, toast, trigger,
};

/// Rows of a page.
const SHOWN: usize = 50;
/// Cards of a board.
const ON_BOARD: usize = 200;
/// Cases decided with one click at the most.
const MOST_AT_ONCE: usize = 100;

/// Which list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tray {
    ToDo,
    Done,
    Mine,
    Copies,
    All,
}

impl Tray {
    const ALL: [Self; 5] = [Self::ToDo, Self::Done, Self::Mine, Self::Copies, Self::All];

    fn code(self) -> &'static str {
        match self {
            Self::ToDo => "todo",
            Self::Done => "done",
            Self::Mine => "mine",
            Self::Copies => "copies",
            Self::All => "all",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::ToDo => "待办",
            Self::Done => "已办",
            Self::Mine => "我发起的",
            Self::Copies => "抄送我的",
            Self::All => "全部",
        }
    }

    fn named(code: &str) -> Self {
        Self::ALL.into_iter().find(|tray| tray.code() == code).unwrap_or(Self::ToDo)
    }

    /// Whether it lists to-dos rather than cases.
    fn is_of_tasks(self) -> bool {
        matches!(self, Self::ToDo | Self::Done | Self::Copies)
    }
}

/// A row: a case, and what of it waits or waited.
struct Row {
    line: Line,
    /// The step it is about, and whether it is an approval; empty in lists of cases.
    task: String,
    is_approval: bool,
    /// Since when it waits, or when it was done.
    since: String,
    /// For whom it waits, when that is not the reader.
    acting_for: String,
}

/// A column of the board.
struct Column {
    title: String,
    cards: Vec<Line>,
}

#[derive(Template)]
#[template(path = "cases/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    tray: Tray,
    q: String,
    form: String,
    forms: Vec<Choice>,
    /// `open`, `closed` or empty.
    state: String,
    states: Vec<Choice>,
    is_late: bool,
    /// Address of the customer the list is about: id and name.
    customer: Option<(crate::ids::CustomerId, String)>,
    /// What the further columns are called.
    columns: Vec<String>,
    rows: Vec<Row>,
    board: Option<Vec<Column>>,
    board_href: String,
    table_href: String,
    has_approvals: bool,
    is_filtered: bool,
    first: String,
    next: String,
}

impl IndexPage {
    fn is_tasks(&self) -> bool {
        self.tray.is_of_tasks()
    }
}

pub(super) async fn index(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    check_query(asked.get("q"))?;
    let tray = Tray::named(asked.get("place"));
    let form = asked.get("form").to_owned();
    let customer = match asked.get("customer_id") {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|_| AppError::field("customer_id", text!("不是有效的编号，应为 13 个字符")))?,
        ),
    };
    let after: Option<CaseId> = asked.get("after").parse().ok();
    let ground = Ground::of(&app).await?;
    let is_board = tray == Tray::All && !form.is_empty() && asked.get("view") == "board";
    let query = ListQuery {
        form: Some(form.clone()).filter(|form| !form.is_empty()),
        is_open: match asked.get("state") {
            "open" => Some(true),
            "closed" => Some(false),
            _ => is_board.then_some(true),
        },
        is_late: asked.is_ticked("late"),
        customer,
        creator: (tray == Tray::Mine).then_some(actor.person_id),
        text: asked.get("q").to_owned(),
        ..ListQuery::default()
    };
    let wanted = TaskQuery {
        is_copy: tray == Tray::Copies,
        is_done: tray == Tray::Done,
        form: query.form.clone(),
        text: query.text.clone(),
        after: asked.get("after").parse().ok(),
    };
    let (me, of) = (actor.clone(), ground.clone());
    let found = app
        .db
        .read(move |conn| {
            let mut found = Found::default();
            if tray.is_of_tasks() {
                let (tasks, next) = find_tasks(conn, &me, &wanted, SHOWN)?;
                found.around = Some(Around::load(conn, &me, &of, tasks.iter().map(|task| &task.case))?);
                (found.tasks, found.next) = (tasks, next.map(|id| id.to_string()));
            } else {
                let limit = if is_board { ON_BOARD } else { SHOWN };
                let (cases, next) = list(conn, &me, &of, &query, after.map(Place), limit)?;
                found.around = Some(Around::load(conn, &me, &of, cases.iter())?);
                if query.form.is_some() && !is_board {
                    (found.columns, found.values) = column_values(conn, &me, &of, &cases)?;
                }
                (found.cases, found.next) = (cases, next.map(|place| place.0.to_string()));
            }
            for (_, policy) in policies::in_force(conn, of.now)? {
                for form in &policy.forms {
                    found.forms.push(Choice { value: form.id.clone(), label: form.title.clone() });
                    if is_board && query.form.as_deref() == Some(&form.id) {
                        let steps = form.steps.iter().filter(|step| step.kind != StepKind::End);
                        found.steps = steps.map(|step| (step.id.clone(), step.title.clone())).collect();
                    }
                }
            }
            found.waiting = waiting_count(conn, &me)?;
            found.customer = crate::customers::shown(conn, &me, customer)?.into_values().next();
            Ok::<_, AppError>(found)
        })
        .await?;
    let list = page_of(&page, &actor, &ground, tray, &asked, is_board, found);
    part_or_page(page.is_partial, list.as_list(), &list)
}

/// What the list is made from.
#[derive(Default)]
struct Found {
    tasks: Vec<CaseTask>,
    cases: Vec<super::Case>,
    around: Option<Around>,
    columns: Vec<String>,
    values: Vec<Vec<String>>,
    forms: Vec<Choice>,
    steps: Vec<(String, String)>,
    waiting: i64,
    customer: Option<crate::customers::Customer>,
    next: Option<String>,
}

fn page_of(
    page: &Page,
    actor: &Actor,
    ground: &Ground,
    tray: Tray,
    asked: &QueryData,
    is_board: bool,
    mut found: Found,
) -> IndexPage {
    let l = page.l;
    let around = found.around.take().unwrap_or_else(|| Around {
        forms: std::collections::HashMap::new(),
        customers: std::collections::HashMap::new(),
        names: super::Names::default(),
    });
    let mut rows: Vec<Row> = found
        .tasks
        .iter()
        .map(|task| Row {
            line: around.line(&task.case, ground, l),
            task: task.step_title.clone(),
            is_approval: task.kind == TaskKind::Decide,
            since: ground.zone.minute(task.done_at.unwrap_or(task.opened_at)),
            acting_for: if task.person_id == actor.person_id {
                String::new()
            } else {
                ground.directory.member(task.person_id).map_or_else(String::new, |member| member.name.clone())
            },
        })
        .collect();
    let mut values = std::mem::take(&mut found.values).into_iter();
    let mut board = None;
    if is_board {
        let mut columns: Vec<(String, Column)> = std::mem::take(&mut found.steps)
            .into_iter()
            .map(|(id, title)| (id, Column { title, cards: Vec::new() }))
            .collect();
        for case in &found.cases {
            if let Some((_, column)) = columns.iter_mut().find(|(id, _)| *id == case.step) {
                column.cards.push(around.line(case, ground, l));
            }
        }
        board = Some(columns.into_iter().map(|(_, column)| column).collect());
    } else {
        rows.extend(found.cases.iter().map(|case| {
            let mut line = around.line(case, ground, l);
            line.more = values.next().unwrap_or_default();
            Row {
                line,
                task: String::new(),
                is_approval: false,
                since: String::new(),
                acting_for: String::new(),
            }
        }));
    }
    let with = |changes: &[(&str, &str)]| format!("{HOME}?{}", asked.with(changes));
    let is_later = !asked.get("after").is_empty();
    let state = |value: &str, label: &str| Choice { value: value.to_owned(), label: l.t(label).to_owned() };
    IndexPage {
        l,
        shell: page.shell(&[("单据", HOME)]),
        tabs: Tray::ALL
            .into_iter()
            .map(|one| Tab {
                title: l.t(one.title()).to_owned(),
                href: format!("{HOME}?place={}", one.code()),
                active: one == tray,
                count: (one == Tray::ToDo).then_some(found.waiting),
            })
            .collect(),
        tray,
        q: asked.get("q").to_owned(),
        form: asked.get("form").to_owned(),
        forms: found.forms,
        state: asked.get("state").to_owned(),
        states: vec![state("open", "办理中"), state("closed", "已结束")],
        is_late: asked.is_ticked("late"),
        customer: found.customer.map(|customer| (customer.id, customer.name().to_owned())),
        columns: found.columns,
        has_approvals: tray == Tray::ToDo && rows.iter().any(|row| row.is_approval),
        rows,
        board,
        board_href: with(&[("place", "all"), ("view", "board"), ("after", "")]),
        table_href: with(&[("view", ""), ("after", "")]),
        is_filtered: is_later
            || asked.is_ticked("late")
            || ["q", "form", "state", "customer_id"].iter().any(|name| !asked.get(name).is_empty()),
        first: if is_later { with(&[("after", ""), ("drawer", "")]) } else { String::new() },
        next: found.next.map_or_else(String::new, |next| with(&[("after", &next), ("drawer", "")])),
    }
}

/// Agrees to many cases at once, each in a transaction of its own: what cannot be is said, the rest is done.
pub(super) async fn decide_many(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    _: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let l = page.l;
    let ids: Vec<CaseId> = form.all("id").into_iter().filter_map(|id| id.parse().ok()).collect();
    if ids.is_empty() || ids.len() > MOST_AT_ONCE {
        return Err(AppError::BadRequest(text!("请选择 1–{} 张单据", MOST_AT_ONCE)));
    }
    // Whoever closes the page has agreed all the same: to all of them.
    let (done, not) = to_the_end(agree(app, actor, ids, form.get("comment").to_owned())).await?;
    let said = match not.first() {
        None => l.f("已同意 {} 张单据", &[&done]),
        Some(first) => l.f("已同意 {} 张；{} 张没有办成：{}", &[&done, &not.len(), first]),
    };
    if !page.is_htmx {
        return Ok(flash(redirect(false, HOME), &said));
    }
    let response =
        axum::response::IntoResponse::into_response((axum::http::StatusCode::OK, [("hx-reswap", "none")]));
    let response = toast(response, &said, None);
    let response = trigger(response, "clearSelection", serde_json::json!({}));
    Ok(trigger(response, "refreshList", serde_json::json!({})))
}

/// Agrees to each and answers to how many, and why not to the others.
async fn agree(
    app: App,
    actor: Actor,
    ids: Vec<CaseId>,
    comment: String,
) -> Result<(usize, Vec<String>), AppError> {
    let (mut done, mut not) = (0, Vec::new());
    for id in ids {
        let (by, ground, said) = (actor.clone(), Ground::of(&app).await?, comment.clone());
        let outcome =
            app.db.write(move |tx| decide(tx, &by, &ground, id, &Verdict::Approve, &said, &Map::new())).await;
        match outcome {
            Ok(_) => done += 1,
            Err(error @ (AppError::Internal(_) | AppError::Unavailable | AppError::Full)) => {
                return Err(error);
            }
            Err(error) => {
                note_denial(&app, &actor, &error, "/cases/decisions").await;
                not.push(error.title().to(actor.lang));
            }
        }
    }
    app.jobs_waiting.notify_one();
    Ok((done, not))
}
