//! 值班: rosters week by week, one's own duty, swaps, absences, delegations, skills and the reception desk.

mod away;
mod duty;
mod export;
mod reception;
mod shifts;
mod skills;
mod swaps;
mod weeks;

use jiff::ToSpan;
use jiff::civil::Date;

use super::read_time;
use crate::access::{Actor, Directory, Object, Verb};
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, UnitId};
use crate::text;
use crate::web::{Choice, FormData, Need, Routes, Tab};

const KEEP: Need = Need::May(Object::Organisation, Verb::Update);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/rosters", Need::SignedIn, weeks::index)
        .post("/rosters", KEEP, weeks::add)
        .get("/rosters/new", KEEP, weeks::new)
        .get("/rosters/{id}", Need::SignedIn, weeks::show)
        .get("/rosters/{id}/edit", KEEP, weeks::edit)
        .post("/rosters/{id}", KEEP, weeks::change)
        .post("/rosters/{id}/delete", KEEP, weeks::delete)
        .get("/rosters/{id}/export", Need::SignedIn, export::table)
        // Who may plan a roster is decided by the roster.
        .post("/rosters/{id}/publish", Need::SignedIn, weeks::publish)
        .get("/rosters/{id}/shifts/new", Need::SignedIn, shifts::new)
        .post("/rosters/{id}/shifts", Need::SignedIn, shifts::add)
        .get("/rosters/{id}/fill", Need::SignedIn, shifts::ask_fill)
        .post("/rosters/{id}/fill", Need::SignedIn, shifts::fill)
        .post("/rosters/{id}/copy", Need::SignedIn, shifts::copy)
        .get("/shifts/{id}", Need::SignedIn, shifts::edit)
        .post("/shifts/{id}", Need::SignedIn, shifts::change)
        .post("/shifts/{id}/delete", Need::SignedIn, shifts::delete)
        .get("/shifts/{id}/swap", Need::SignedIn, swaps::new)
        .post("/shifts/{id}/swap", Need::SignedIn, swaps::ask)
        .post("/swaps/{id}", Need::SignedIn, swaps::answer)
        .get("/duty", Need::SignedIn, duty::show)
        .post("/duty/seen", Need::SignedIn, duty::seen)
        .get("/absences", Need::SignedIn, away::absences)
        .post("/absences", Need::SignedIn, away::add_absence)
        .post("/absences/{id}/delete", Need::SignedIn, away::remove_absence)
        .get("/delegations", Need::SignedIn, away::delegations)
        .post("/delegations", Need::SignedIn, away::delegate)
        .post("/delegations/{id}/revoke", Need::SignedIn, away::revoke)
        .get("/admin/delegations", KEEP, away::all_delegations)
        .get("/admin/delegations/skills", KEEP, skills::matrix)
        .get("/admin/people/{id}/skills", KEEP, skills::of_person)
        .post("/admin/people/{id}/skills", KEEP, skills::set)
        .post("/admin/people/{id}/skills/delete", KEEP, skills::remove)
        .get("/reception", Need::SignedIn, reception::show)
}

/// The Monday of a day's week.
pub(super) fn monday_of(day: Date) -> Date {
    let after = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(after.days()).unwrap_or(day)
}

/// The pages of this feature that everybody has.
fn tabs(l: Lang, here: &str) -> Vec<Tab> {
    [
        ("我的值班", "/duty"),
        ("值班表", "/rosters"),
        ("请假外出", "/absences"),
        ("代理人", "/delegations"),
        ("前台接待", "/reception"),
    ]
    .into_iter()
    .map(|(title, href)| Tab {
        title: l.t(title).to_owned(),
        href: href.to_owned(),
        active: href == here,
        count: None,
    })
    .collect()
}

/// The pages of whoever keeps the organisation.
fn keeper_tabs(l: Lang, here: &str) -> Vec<Tab> {
    [("代理", "/admin/delegations"), ("谁会什么", "/admin/delegations/skills")]
        .into_iter()
        .map(|(title, href)| Tab {
            title: l.t(title).to_owned(),
            href: href.to_owned(),
            active: href == here,
            count: None,
        })
        .collect()
}

fn keeps(actor: &Actor) -> bool {
    actor.may(Object::Organisation, Verb::Update)
}

fn name(directory: &Directory, person: PersonId) -> String {
    directory.member(person).map_or_else(String::new, |m| m.name.clone())
}

/// Open units with their paths, to choose one.
fn unit_choices(directory: &Directory) -> Vec<Choice> {
    let open = directory.units().filter(|u| !u.is_closed);
    let mut all: Vec<Choice> =
        open.map(|u| Choice { value: u.id.to_string(), label: directory.path(u.id) }).collect();
    all.sort_by(|a, b| a.label.cmp(&b.label));
    all
}

/// The active people with a post in a unit or below it, the unit's own first.
fn people_of(directory: &Directory, unit: UnitId, day: &str) -> Vec<PersonId> {
    let mut found = Vec::new();
    for unit in directory.tree(unit) {
        for position in directory.positions_in(unit, day) {
            let is_active = directory.member(position.person_id).is_some_and(|m| m.is_active);
            if is_active && !found.contains(&position.person_id) {
                found.push(position.person_id);
            }
        }
    }
    found
}

/// A person a form names; `None` when the field is empty.
fn person_in(form: &FormData, field: &str) -> Result<Option<PersonId>, AppError> {
    match form.get(field).trim() {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| AppError::field(field, text!("没有这位员工"))),
    }
}

/// A point in time a form names; `None` when the field is empty.
fn time_in(form: &FormData, field: &str, zone: &Zone) -> Result<Option<Millis>, AppError> {
    match form.get(field).trim() {
        "" => Ok(None),
        text => read_time(field, text, zone).map(Some),
    }
}

/// The day a query or form names; `or` when the field is empty.
fn day_in(text: &str, field: &str, or: Date) -> Result<Date, AppError> {
    match text.trim() {
        "" => Ok(or),
        text => text
            .parse::<Date>()
            .ok()
            .filter(|d| (2000..2100).contains(&d.year()))
            .ok_or_else(|| AppError::field(field, text!("请填写日期，例如 2026-09-28"))),
    }
}

/// A point in time as `datetime-local` fields want it.
fn local(zone: &Zone, at: Millis) -> String {
    zone.civil(at).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The names of the days of the week, Monday first (source texts).
const WEEKDAYS: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

fn weekday(l: Lang, day: Date) -> String {
    let n = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
    l.t(WEEKDAYS[n % 7]).to_owned()
}

fn weekday_choices(l: Lang) -> Vec<Choice> {
    let of = |(n, title): (usize, &&str)| Choice { value: (n + 1).to_string(), label: l.t(title).to_owned() };
    WEEKDAYS.iter().enumerate().map(of).collect()
}
