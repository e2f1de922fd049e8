//! 罚则: lists of one's own penalties, of those that wait for one's decision and of all one may see, sums by month for
//! whoever deducts them, a penalty with how its amount follows, and its forms.

mod export;
mod show;

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use policy::model::Measure;
use policy::value::yuan;

use super::{ListQuery, Penalty, Place, State, Sum, list, sums, waiting_count};
use crate::access::Actor;
use crate::app::App;
use crate::cases::Ground;
use crate::clock::Zone;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PenaltyId, PersonId};
use crate::input::check_query;
use crate::org::web::part_or_page;
use crate::web::{Choice, Need, Page, QueryData, Routes, Shell, Tab};

const HOME: &str = "/penalties";
/// Rows of a page.
const SHOWN: usize = 50;
/// Sums the page shows; the file has more.
const SUMS_SHOWN: usize = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HOME, Need::SignedIn, index)
        .get("/penalties/export", Need::SignedIn, export::export)
        .get("/penalties/{id}", Need::SignedIn, show::show)
        .post("/penalties/{id}/confirmation", Need::SignedIn, show::confirm_it)
        .post("/penalties/{id}/cancellation", Need::SignedIn, show::cancel_it)
        .post("/penalties/{id}/appeal", Need::SignedIn, show::appeal_it)
        .post("/penalties/{id}/appeal-decision", Need::SignedIn, show::decide_it)
}

/// An amount in the reader's words.
fn amount_words(measure: Measure, amount: i64, l: Lang) -> String {
    match measure {
        Measure::Money => l.f("{} 元", &[&yuan(amount)]),
        Measure::Points => l.f("{} 分", &[&(amount as f64 / 100.0)]),
    }
}

/// Where a clause of a regulation is read.
fn clause_href(policy: &str, clause: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("policy", policy)
        .append_pair("clause", clause)
        .finish();
    format!("/policies/clause?{query}")
}

/// A month `2026-09` of the address; anything else is none.
pub(super) fn month(text: &str) -> Option<String> {
    let is_one = format!("{text}-01").parse::<jiff::civil::Date>().is_ok() && text.len() == 7;
    is_one.then(|| text.to_owned())
}

/// What an address asks for.
fn query_of(place: Place, asked: &QueryData) -> Result<ListQuery, AppError> {
    check_query(asked.get("q"))?;
    Ok(ListQuery {
        place,
        state: State::named(asked.get("state")),
        month: month(asked.get("month")),
        person: asked.get("person_id").parse().ok(),
        text: asked.get("q").to_owned(),
    })
}

struct Row {
    id: PenaltyId,
    person: String,
    title: String,
    clause: String,
    clause_href: String,
    amount: String,
    at: String,
    state: State,
    is_final: bool,
    /// Until when it may be appealed, while it may.
    appeal: String,
    case: String,
    case_href: String,
}

fn row(penalty: Penalty, ground: &Ground, l: Lang) -> Row {
    let may_appeal = penalty.appeal.is_none() && penalty.decided != State::Cancelled;
    let appeal = penalty.appeal_until.filter(|until| may_appeal && ground.now <= *until);
    Row {
        id: penalty.id,
        state: penalty.state(),
        is_final: penalty.is_final(ground.now),
        amount: amount_words(penalty.measure, penalty.amount, l),
        at: ground.zone.minute(penalty.at),
        appeal: minute_or_nothing(&ground.zone, appeal),
        clause_href: clause_href(&penalty.policy, &penalty.clause),
        case_href: format!("/cases/{}", penalty.case_id),
        case: penalty.case.map_or_else(String::new, |(number, _)| number),
        person: penalty.person,
        title: penalty.title,
        clause: penalty.clause,
    }
}

fn minute_or_nothing(zone: &Zone, at: Option<i64>) -> String {
    at.map_or_else(String::new, |at| zone.minute(at))
}

struct SumRow {
    sum: Sum,
    /// What stands for good, and what is not decided yet.
    finally: String,
    open: String,
    href: String,
}

#[derive(Template)]
#[template(path = "penalties/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    place: Place,
    /// In the address: a place, or `sums`.
    view: &'static str,
    q: String,
    state: String,
    states: Vec<Choice>,
    month: String,
    /// The one whose penalties are listed.
    person: Option<(PersonId, String)>,
    /// The list for everybody.
    everybody: String,
    rows: Vec<Row>,
    sums: Option<Vec<SumRow>>,
    is_filtered: bool,
    export: String,
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
    let is_sums = asked.get("place") == "sums";
    let wanted = Place::named(asked.get("place"));
    let query = query_of(wanted.unwrap_or_default(), &asked)?;
    let after: Option<PenaltyId> = asked.get("after").parse().ok();
    let ground = Ground::of(&app).await?;
    let (me, of, sought) = (actor.clone(), ground.clone(), query.clone());
    let (waiting, place, found, next, found_sums) = app
        .db
        .read(move |conn| {
            let waiting = waiting_count(conn, &me)?;
            if is_sums {
                let found = sums(conn, &me, &of, &sought, SUMS_SHOWN)?;
                return Ok::<_, AppError>((waiting, Place::All, Vec::new(), None, Some(found)));
            }
            // Who names no list gets what waits for him, else his own.
            let first = if waiting > 0 { Place::ToDo } else { Place::Mine };
            let place = wanted.unwrap_or(first);
            let query = ListQuery { place, ..sought };
            let (found, next) = list(conn, &me, &of, &query, after, SHOWN)?;
            Ok((waiting, place, found, next, None))
        })
        .await?;
    let view = if is_sums { "sums" } else { place.code() };
    let with = |changes: &[(&str, &str)]| format!("{HOME}?{}", asked.with(changes));
    let is_later = !asked.get("after").is_empty();
    let tab = |title: &str, code: &str, count: Option<i64>| Tab {
        title: l.t(title).to_owned(),
        href: format!("{HOME}?place={code}"),
        active: code == view,
        count,
    };
    let name =
        |id: PersonId| ground.directory.member(id).map_or_else(String::new, |member| member.name.clone());
    // The name of whoever the reader may not know is not told: only of those that were found.
    let is_found =
        found.iter().map(|one| one.person_id).chain(found_sums.iter().flatten().map(|one| one.person_id));
    let person = query.person.map(|id| {
        let is_known = is_found.clone().any(|found| found == id);
        (id, if is_known { name(id) } else { String::new() })
    });
    let sum_row = |sum: Sum| SumRow {
        finally: amount_words(sum.measure, sum.final_amount, l),
        open: amount_words(sum.measure, sum.open_amount, l),
        href: format!("{HOME}?place=all&person_id={}&month={}", sum.person_id, sum.month),
        sum,
    };
    let shown = IndexPage {
        l,
        shell: page.shell(&[("罚则", HOME)]),
        tabs: vec![
            tab("我的处罚", "mine", None),
            tab("待我处理", "todo", Some(waiting)),
            tab("全部", "all", None),
            tab("按月合计", "sums", None),
        ],
        place,
        view,
        q: asked.get("q").to_owned(),
        state: query.state.map_or("", State::code).to_owned(),
        states: State::ALL
            .into_iter()
            .map(|state| Choice { value: state.code().to_owned(), label: l.t(state.title()).to_owned() })
            .collect(),
        month: query.month.clone().unwrap_or_default(),
        person,
        everybody: with(&[("person_id", ""), ("after", ""), ("drawer", "")]),
        is_filtered: is_later
            || query.state.is_some()
            || query.month.is_some()
            || query.person.is_some()
            || !query.text.is_empty(),
        rows: found.into_iter().map(|penalty| row(penalty, &ground, l)).collect(),
        sums: found_sums.map(|all| all.into_iter().map(sum_row).collect()),
        export: format!(
            "{HOME}/export?{}",
            asked.with(&[("place", view), ("after", ""), ("drawer", ""), ("format", "")])
        ),
        first: if is_later { with(&[("place", view), ("after", ""), ("drawer", "")]) } else { String::new() },
        next: next.map_or_else(String::new, |next| {
            with(&[("place", view), ("after", &next.to_string()), ("drawer", "")])
        }),
    };
    part_or_page(page.is_partial, shown.as_list(), &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_months_are_months() {
        assert_eq!(month("2026-09").as_deref(), Some("2026-09"));
        for wrong in ["", "2026-13", "2026-9", "2026-09-01", "九月"] {
            assert_eq!(month(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_are_written_as_people_say_them() {
        assert_eq!(amount_words(Measure::Money, 5_000, Lang::Zh), "50.00 元");
        assert_eq!(amount_words(Measure::Points, 250, Lang::Zh), "2.5 分");
    }
}
