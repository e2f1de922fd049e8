//! 交办: the list, the form, the page of a task, how tasks go, and what the company set.

mod company;
mod form;
mod of_customer;
mod show;

use std::collections::HashMap;

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;

pub(super) use company::statistics_for;

use super::api::list_query;
use super::model::{Assignment, Ground, State};
use super::{Place, Sight, counts, list};
use crate::access::Actor;
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{AssignmentId, CustomerId};
use crate::org::POSTS;
use crate::org::web::part_or_page;
use crate::processes;
use crate::web::{Choice, Need, Page, QueryData, Routes, Shell, Tab};

/// Where the list stands.
const HOME: &str = "/assignments";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HOME, Need::SignedIn, index)
        .post(HOME, Need::SignedIn, form::add)
        .get("/assignments/new", Need::SignedIn, form::new)
        .get("/assignments/receivers", Need::SignedIn, form::find_receivers)
        .get("/assignments/statistics", Need::SignedIn, company::show_statistics)
        .get("/assignments/{id}", Need::SignedIn, show::show)
        .post("/assignments/{id}", Need::SignedIn, form::change)
        .get("/assignments/{id}/edit", Need::SignedIn, form::edit)
        .post("/assignments/{id}/claim", Need::SignedIn, show::claim)
        .post("/assignments/{id}/closure", Need::SignedIn, show::close)
        .post("/assignments/{id}/return", Need::SignedIn, show::give_back)
        .post("/assignments/{id}/withdrawal", Need::SignedIn, show::withdraw_it)
        .post("/assignments/{id}/reassignment", Need::SignedIn, show::reassign)
        .get("/customers/{id}/assignments", Need::SignedIn, of_customer::show_tab)
        .get("/admin/assignments", Need::Administrator, company::show_settings)
        .post("/admin/assignments", Need::Administrator, company::save_settings)
}

/// One line of a list.
pub(crate) struct Line {
    pub(crate) id: AssignmentId,
    pub(crate) title: String,
    /// Id and name of the customer as the reader may see it; `None` without one.
    pub(crate) customer: Option<(CustomerId, String)>,
    /// Whether there is a customer the reader may not see.
    pub(crate) has_hidden: bool,
    pub(crate) process: String,
    /// To whom it was given, and who has it.
    pub(crate) to: String,
    pub(crate) giver: String,
    /// The one it is for whom the reader acts; empty for the reader's own, and for what he only sees.
    pub(crate) acting_for: String,
    pub(crate) due: String,
    pub(crate) is_late: bool,
    pub(crate) priority: &'static str,
    pub(crate) priority_colour: &'static str,
    pub(crate) state: &'static str,
    pub(crate) state_colour: &'static str,
}

/// Who has a task, or from whom it can be taken: `销售部 · 李四`.
fn holder(task: &Assignment, catalogue: &Catalogue, l: Lang) -> String {
    let post = catalogue.dictionary(POSTS).title(&task.post, l).to_owned();
    let parts: Vec<&str> = [task.unit.as_str(), post.as_str(), task.receiver.as_str()]
        .into_iter()
        .filter(|p| !p.is_empty())
        .collect();
    parts.join(" · ")
}

/// What tasks are shown by.
pub(crate) struct Lines<'a> {
    pub(crate) app: &'a App,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) ground: &'a Ground,
    pub(crate) actor: &'a Actor,
    /// Their customers as the reader may see them.
    pub(crate) shown: &'a HashMap<CustomerId, Customer>,
    pub(crate) l: Lang,
}

impl Lines<'_> {
    /// Tasks as lists show them to their reader.
    pub(crate) fn of(&self, tasks: Vec<Assignment>) -> Vec<Line> {
        let sight = self.ground.sight(self.actor);
        tasks.into_iter().map(|task| self.line(task, &sight)).collect()
    }

    fn line(&self, task: Assignment, sight: &Sight) -> Line {
        let customer = task.customer_id.and_then(|id| self.shown.get(&id)).filter(|c| c.deleted_at.is_none());
        Line {
            id: task.id,
            customer: customer.map(|c| (c.id, c.name().to_owned())),
            has_hidden: task.customer_id.is_some() && customer.is_none(),
            to: holder(&task, self.catalogue, self.l),
            due: task.due_text(&self.app.zone),
            is_late: task.is_late(self.ground.now),
            priority: task.priority.title(),
            priority_colour: match task.priority {
                super::Priority::Normal => "",
                super::Priority::High => "amber",
                super::Priority::Urgent => "red",
            },
            state: task.state.title(),
            state_colour: task.state.colour(),
            acting_for: self.ground.acted_for(sight, &task).map_or("", |(_, name)| name).to_owned(),
            title: task.title,
            process: task.process,
            giver: task.giver,
        }
    }
}

#[derive(Template)]
#[template(path = "assignments/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    place: Place,
    q: String,
    state: String,
    states: Vec<Choice>,
    process: String,
    processes: Vec<Choice>,
    is_late: bool,
    /// Id and name of the customer the list is about.
    customer: Option<(CustomerId, String)>,
    rows: Vec<Line>,
    /// Whether something narrows the list.
    is_filtered: bool,
    first: String,
    next: String,
}

async fn index(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let query = list_query(&asked)?;
    let (ground, catalogue) = (Ground::of(&app).await?, app.catalogue().await?);
    let sight = ground.sight(&actor);
    let (me, of, wanted) = (actor.clone(), ground.clone(), query.clone());
    let ((found, next), shown, counts, all) = app
        .db
        .read(move |conn| {
            let (found, next) = list(conn, &me, &of, &wanted)?;
            let about = found.iter().filter_map(|t| t.customer_id).chain(wanted.customer);
            let shown = customers::shown(conn, &me, about)?;
            Ok::<_, AppError>(((found, next), shown, counts(conn, &me, &of.day)?, processes::list(conn)?))
        })
        .await?;
    let tabs = Place::ALL
        .into_iter()
        .filter(|place| match place {
            Place::People => sight.has_people(),
            // For tasks about a customer, whoever's they are; not a place to work through.
            Place::Seen => query.place == Place::Seen,
            Place::Mine | Place::Given | Place::Informed => true,
        })
        .map(|place| Tab {
            title: l.t(place.title()).to_owned(),
            href: format!("{HOME}?place={}", place.code()),
            active: place == query.place,
            count: match place {
                Place::Mine => Some(counts.waiting),
                Place::Given => Some(counts.returned).filter(|n| *n > 0),
                Place::People | Place::Informed | Place::Seen => None,
            },
        })
        .collect();
    let mut states: Vec<Choice> = State::ALL
        .iter()
        .map(|s| Choice { value: s.code().to_owned(), label: l.t(s.title()).to_owned() })
        .collect();
    states.push(Choice { value: "all".into(), label: l.t("全部状态").to_owned() });
    let with = |after: &str| format!("{HOME}?{}", asked.with(&[("after", after), ("drawer", "")]));
    let is_later = query.after.is_some();
    let list = IndexPage {
        l,
        shell: page.shell(&[("交办", HOME)]),
        tabs,
        place: query.place,
        q: query.q.clone(),
        state: asked.get("state").to_owned(),
        states,
        process: asked.get("process_id").to_owned(),
        processes: all.into_iter().map(|p| Choice { value: p.id.to_string(), label: p.title }).collect(),
        is_late: query.only_late,
        customer: query.customer.and_then(|id| shown.get(&id)).map(|c| (c.id, c.name().to_owned())),
        rows: Lines { app: &app, catalogue: &catalogue, ground: &ground, actor: &actor, shown: &shown, l }
            .of(found),
        is_filtered: is_later
            || query.only_late
            || ["q", "state", "process_id", "customer_id"].iter().any(|name| !asked.get(name).is_empty()),
        first: if is_later { with("") } else { String::new() },
        next: next.map_or_else(String::new, |place| with(&place)),
    };
    part_or_page(page.is_partial, list.as_list(), &list)
}
