//! 单据: what waits for the reader, lists, the board and the calendar, opening, the page of a case, notices.

mod calendar;
mod fields;
mod files;
mod find;
mod index;
mod names;
mod of_customer;
mod open;
mod panel;
mod paper;
mod replay;
mod show;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use policy::value::Kind;
use store::Conn;

use self::names::Names;
use super::model::Case;
use super::world::Ground;
use crate::access::Actor;
use crate::app::App;
use crate::clock::Millis;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, CustomerId};
use crate::policies;
use crate::web::{FormErrors, Need, Page, Routes, note_denial};

/// Where the list stands.
const HOME: &str = "/cases";

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = replay::routes(routes);
    routes
        .get(HOME, Need::SignedIn, index::index)
        .get("/cases/calendar", Need::SignedIn, calendar::show)
        .get("/cases/new", Need::SignedIn, open::choose)
        .get("/cases/new/{form}", Need::SignedIn, open::show)
        .post("/cases/new/{form}", Need::SignedIn, open::add)
        .get("/cases/find/{what}", Need::SignedIn, find::find)
        .post("/cases/decisions", Need::SignedIn, index::decide_many)
        .post_files("/cases/files", Need::SignedIn, files::upload)
        .get("/cases/files/{id}", Need::SignedIn, files::download)
        .get("/cases/{id}", Need::SignedIn, show::show)
        .post("/cases/{id}/actions/{action}", Need::SignedIn, show::act_on)
        .get("/cases/{id}/candidates/{field}", Need::SignedIn, find::candidates)
        .post("/cases/{id}/decision", Need::SignedIn, show::decide_on)
        .post("/cases/{id}/prints", Need::SignedIn, paper::begin)
        .get("/cases/{id}/prints/{print}", Need::SignedIn, paper::file)
        .post("/cases/{id}/exemptions", Need::SignedIn, show::exempt_it)
        .get("/customers/{id}/cases", Need::SignedIn, of_customer::show_tab)
        .get("/policies/{id}/replay", Need::Administrator, replay::show)
        .get("/policies/{id}/replay/cases", Need::Administrator, replay::go_on)
}

/// One line of a list.
struct Line {
    id: CaseId,
    number: String,
    /// What the form is called.
    form: String,
    subject: String,
    /// Where it stands, and in which colour.
    state: String,
    colour: &'static str,
    due: String,
    /// How much time is left, or by how much it is late; empty when nothing is due.
    left: String,
    left_colour: &'static str,
    customer: Option<(CustomerId, String)>,
    owner: String,
    opened: String,
    /// Further columns of its form.
    more: Vec<String>,
}

/// What lines are made from, read together with them.
struct Around {
    /// What forms are called, by version and name.
    forms: HashMap<(crate::ids::PolicyVersionId, String), String>,
    customers: HashMap<CustomerId, Customer>,
    names: Names,
}

impl Around {
    fn load<'c>(
        conn: &mut Conn<'_>,
        actor: &Actor,
        ground: &Ground,
        cases: impl Iterator<Item = &'c Case> + Clone,
    ) -> Result<Self, AppError> {
        let mut forms = HashMap::new();
        for case in cases.clone() {
            if let Entry::Vacant(place) = forms.entry((case.version_id, case.form.clone())) {
                let policy = policies::load(conn, case.version_id)?;
                let title = policy.form(&case.form).map_or_else(String::new, |form| form.title.clone());
                place.insert(title);
            }
        }
        let customers = customers::shown(conn, actor, cases.clone().filter_map(|case| case.customer_id))?;
        let people = cases.flat_map(|case| case.owner_id.into_iter().chain(case.creator_id));
        let mut people: Vec<(Kind, String)> =
            people.map(|person| (Kind::Person, person.to_string())).collect();
        people.sort_unstable();
        people.dedup();
        let names = Names::of_records(conn, actor, ground, None, people)?;
        Ok(Self { forms, customers, names })
    }

    fn line(&self, case: &Case, ground: &Ground, l: Lang) -> Line {
        let customer = case.customer_id.and_then(|id| self.customers.get(&id));
        let (left, left_colour) = match case.due_at.filter(|_| case.is_open) {
            Some(due) => left(due, ground.now, l),
            None => (String::new(), ""),
        };
        let is_late = !case.marks.is_empty();
        Line {
            id: case.id,
            number: case.number.clone(),
            form: self.forms.get(&(case.version_id, case.form.clone())).cloned().unwrap_or_default(),
            subject: case.subject.clone(),
            state: if case.is_open { case.step_title.clone() } else { case.outcome.clone() },
            colour: if !case.is_open {
                ""
            } else if is_late {
                "red"
            } else {
                "blue"
            },
            due: case.due_at.filter(|_| case.is_open).map_or_else(String::new, |due| ground.zone.minute(due)),
            left,
            left_colour,
            customer: customer.map(|customer| (customer.id, customer.name().to_owned())),
            owner: case.owner_id.map_or("", |id| self.names.of(Kind::Person, &id.to_string())).to_owned(),
            opened: ground.zone.minute(case.opened_at),
            more: Vec::new(),
        }
    }
}

/// What is wrong with a form; who may not do it at all is told there too, with the regulation's reason, and noted.
async fn refusals(app: &App, actor: &Actor, page: &Page, error: AppError) -> Result<FormErrors, AppError> {
    match error {
        AppError::Forbidden(_) => {
            note_denial(app, actor, &error, &page.shell.path).await;
            FormErrors::from_error(AppError::Conflict(error.title()), page.l)
        }
        other => FormErrors::from_error(other, page.l),
    }
}

/// How much time is left until an instant, and in which colour: the instant itself is still in time.
fn left(due: Millis, now: Millis, l: Lang) -> (String, &'static str) {
    const HOUR: i64 = 3_600_000;
    let words = |ms: i64| {
        let (days, hours, minutes) = (ms / (24 * HOUR), ms / HOUR, ms / 60_000);
        if days >= 2 {
            l.f("{} 天", &[&days])
        } else if hours >= 1 {
            l.f("{} 小时", &[&hours])
        } else {
            l.f("{} 分钟", &[&minutes])
        }
    };
    if due < now {
        return (l.f("逾期 {}", &[&words(now - due)]), "red");
    }
    let colour = if due - now <= 24 * HOUR { "amber" } else { "" };
    (l.f("剩 {}", &[&words(due - now)]), colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_instant_is_in_time() {
        assert_eq!(left(60_000, 60_000, Lang::Zh), ("剩 0 分钟".to_owned(), "amber"));
        assert_eq!(left(60_000, 60_001, Lang::Zh), ("逾期 0 分钟".to_owned(), "red"));
        assert_eq!(left(3 * 86_400_000, 0, Lang::Zh), ("剩 3 天".to_owned(), ""));
    }
}
