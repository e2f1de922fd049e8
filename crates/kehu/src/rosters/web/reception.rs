//! 前台接待 (LC-08): can the caller name the manager he has dealt with? If not, whoever is on duty receives him as a
//! new customer.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{name, tabs};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, RosterId};
use crate::input::check_query;
use crate::org;
use crate::rosters::{self, Place, Reception};
use crate::web::{Choice, Page, QueryData, Shell, Tab, html};

#[derive(Template)]
#[template(path = "rosters/reception.html")]
struct ReceptionPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    rosters: Vec<Choice>,
    roster: String,
    knows: String,
    q: String,
    /// People the words may mean: address and name.
    meant: Vec<(String, String)>,
    is_unknown: bool,
    outcome: Option<Outcome>,
}

struct Outcome {
    person: String,
    said: String,
    /// Where a new customer of his is added; empty when there is none to add, or the reader may not.
    new: String,
    is_good: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let (l, now) = (page.l, app.now());
    let q = asked.get("q").trim().to_owned();
    check_query(&q)?;
    let all = app.db.read(rosters::list).await?;
    let active: Vec<_> = all.into_iter().filter(|r| r.is_active).collect();
    let roster: Option<RosterId> = asked.get("roster").parse().ok();
    let roster = roster.filter(|id| active.iter().any(|r| r.id == *id));
    let knows = match asked.get("knows") {
        known @ ("0" | "1") => known.to_owned(),
        _ => String::new(),
    };
    let mut manager: Option<PersonId> = None;
    let mut meant = Vec::new();
    if knows == "1" {
        let directory = app.directory().await?;
        manager = asked.get("manager").parse().ok().filter(|p| directory.member(*p).is_some());
        if manager.is_none() && !q.is_empty() {
            let people = app.db.read(org::list_people).await?;
            let found: Vec<_> = people.into_iter().filter(|p| p.is_meant_by(&q)).take(20).collect();
            match found.as_slice() {
                [only] => manager = Some(only.id),
                several => {
                    for person in several {
                        let id = person.id.to_string();
                        let href = format!("/reception?{}", asked.with(&[("manager", &id)]));
                        let state = if person.is_active { "" } else { l.t("（已停用）") };
                        meant.push((href, format!("{}{state} {}", person.name, person.title)));
                    }
                }
            }
        }
    }
    let is_unknown = knows == "1" && manager.is_none() && meant.is_empty() && !q.is_empty();
    let outcome = if knows == "0" || manager.is_some() {
        Some(outcome(&app, &actor, l, roster, manager, now).await?)
    } else {
        None
    };
    html(&ReceptionPage {
        l,
        shell: page.shell(&[("值班", "/rosters"), ("前台接待", "")]),
        tabs: tabs(l, "/reception"),
        roster: roster.map_or_else(String::new, |r| r.to_string()),
        rosters: active.into_iter().map(|r| Choice { value: r.id.to_string(), label: r.name }).collect(),
        knows,
        q,
        meant,
        is_unknown,
        outcome,
    })
}

async fn outcome(
    app: &App,
    actor: &Actor,
    l: Lang,
    roster: Option<RosterId>,
    manager: Option<PersonId>,
    now: i64,
) -> Result<Outcome, AppError> {
    let directory = app.directory().await?;
    let place = roster.map_or(Place::Everywhere, Place::Roster);
    let (known, zone) = (directory.clone(), app.zone.clone());
    let found = app.db.read(move |conn| rosters::receive(conn, &known, &place, manager, now, &zone)).await?;
    let left = manager.map_or_else(String::new, |m| name(&directory, m));
    let (person, said) = match found {
        Reception::Manager(p) => (Some(p), l.t("来客说出了已联系的经理，由他接待").to_owned()),
        Reception::Superior(p) => (Some(p), l.f("{} 已不在岗，由他的上级接待", &[&left])),
        Reception::OnDuty(p) if left.is_empty() => {
            (Some(p), l.t("来客说不出经理姓名，视为新客户，由当班人员接待").to_owned())
        }
        Reception::OnDuty(p) => (Some(p), l.f("{} 已不在岗，由当班人员接待", &[&left])),
        Reception::Next(p, at) => {
            let at = app.zone.civil(at).strftime("%m-%d %H:%M").to_string();
            (Some(p), l.f("现在没有人当班，下一位从 {} 开始值班", &[&at]))
        }
        Reception::Nobody => (None, l.t("现在没有人当班，之后 31 天也没有排班，请先排班").to_owned()),
    };
    let may_give = |p: PersonId| {
        actor.may(Object::Customer, Verb::Create)
            && (p == actor.person_id || actor.may(Object::Customer, Verb::Assign))
    };
    Ok(Outcome {
        person: person.map_or_else(String::new, |p| name(&directory, p)),
        said,
        new: person
            .filter(|p| may_give(*p))
            .map_or_else(String::new, |p| format!("/customers/new?owner_id={p}")),
        is_good: !matches!(found, Reception::Next(..) | Reception::Nobody),
    })
}
