//! Records to choose from in the fields of a form: what the reader may know of.

use axum::extract::{Path, State as Shared};
use axum::response::Response;
use policy::engine::{Moment, read_values};
use policy::value::Value;

use super::fields::read;
use crate::access::Actor;
use crate::app::App;
use crate::assets;
use crate::cases::{Ground, ListQuery, find_named, list, load, with_world};
use crate::contacts;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, CustomerId, PersonId};
use crate::input::LONGEST_QUERY;
use crate::processes::web::Options;
use crate::search;
use crate::web::{Page, QueryData, html};

/// Offered at the most.
const MOST: usize = 12;

pub(super) async fn find(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(what): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let q: String = asked.get("q").chars().filter(|c| !c.is_control()).take(40).collect();
    let options = match what.as_str() {
        "people" => people(&app, &q).await?,
        "units" => units(&app, &q).await?,
        "customers" => {
            let mut found = customers(&app, actor.clone(), q.clone()).await?;
            if !asked.get("named").is_empty()
                && !found.iter().any(|(_, name, number)| *name == q || *number == q)
            {
                found.extend(named(&app, actor, q, page.l).await?);
            }
            found
        }
        "contacts" | "assets" => match asked.get("customer").parse() {
            Ok(customer) => hanging(&app, actor, what == "contacts", customer, &q).await?,
            Err(_) => Vec::new(),
        },
        "cases" => cases(&app, actor, asked.get("form").to_owned(), q).await?,
        _ => return Err(AppError::NotFound),
    };
    html(&Options { l: page.l, options })
}

/// Whom a regulation proposes for a person of a case, the best first, with what speaks for each. What is filled beside it
/// so far comes with the question.
pub(super) async fn candidates(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path((id, field)): Path<(String, String)>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let id: CaseId = id.parse().map_err(|_| AppError::NotFound)?;
    let ground = Ground::of(&app).await?;
    let q = asked.cut("q", LONGEST_QUERY).to_lowercase();
    let (l, of) = (page.l, ground.clone());
    let sent = asked.0.clone();
    let options = app
        .db
        .read(move |conn| {
            let loaded = load(conn, &actor, &of, id)?;
            let form = &loaded.form;
            let place = form.field(&field).ok_or(AppError::NotFound)?;
            let all: Vec<usize> = (0..form.fields.len()).filter(|other| *other != place).collect();
            let local = |text: &str| of.zone.parse(text);
            let values = read_values(form, &read(form, &all, &sent), &local).unwrap_or_default();
            let me = actor.person_id.to_string();
            let ranked = with_world(conn, &of, &loaded.policy.id, |world| {
                let moment = Moment { now: of.now, actor: Some(&me), world };
                loaded.policy.candidates(&loaded.state, &field, values, moment).unwrap_or_default()
            })?;
            let ranks = &form.fields[place].ranks;
            let mut options = Vec::new();
            for candidate in ranked {
                let name =
                    candidate.person.parse().ok().and_then(|id| Some(of.directory.member(id)?.name.clone()));
                let Some(name) = name else { continue };
                let reading =
                    [hanzi::readings::full(&name), hanzi::readings::initials(&name), name.to_lowercase()];
                if !reading.iter().any(|text| text.contains(&q)) {
                    continue;
                }
                let said = ranks.iter().zip(&candidate.values).map(|(rank, value)| {
                    let value = match value {
                        Value::Bool(value) => l.t(if *value { "是" } else { "否" }).to_owned(),
                        Value::Time(at) if *at <= of.now => l.t("现在").to_owned(),
                        Value::Time(at) => of.zone.civil(*at).strftime("%m-%d %H:%M").to_string(),
                        Value::Int(number) => number.to_string(),
                        Value::Number(number) => number.to_string(),
                        Value::Money(cents) => policy::value::yuan(*cents),
                        Value::Date(day) => day.to_string(),
                        _ => "—".to_owned(),
                    };
                    format!("{} {value}", rank.title)
                });
                options.push((candidate.person.clone(), name, said.collect::<Vec<_>>().join(" · ")));
                if options.len() == MOST {
                    break;
                }
            }
            Ok::<_, AppError>(options)
        })
        .await?;
    html(&Options { l, options })
}

async fn people(app: &App, q: &str) -> Result<Vec<(String, String, String)>, AppError> {
    let escaped = q.trim().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let found: Vec<(PersonId, String, String)> = app
        .db
        .read(move |conn| {
            conn.rows(
                "SELECT id, name, title FROM people WHERE is_active = TRUE AND left_on = ''
                   AND (name_search LIKE $1 ESCAPE '!' OR name LIKE $1 ESCAPE '!') ORDER BY id LIMIT $2",
                &[format!("%{escaped}%").into(), (MOST as i64).into()],
            )
        })
        .await?;
    let (directory, day) = (app.directory().await?, app.today().to_string());
    let option = |(id, name, title): (PersonId, String, String)| {
        let unit = directory.main_unit(id, &day).and_then(|unit| directory.unit(unit));
        let note = [unit.map_or("", |unit| unit.name.as_str()), title.as_str()];
        let note: Vec<&str> = note.into_iter().filter(|part| !part.is_empty()).collect();
        (id.to_string(), name, note.join(" · "))
    };
    Ok(found.into_iter().map(option).collect())
}

async fn units(app: &App, q: &str) -> Result<Vec<(String, String, String)>, AppError> {
    let directory = app.directory().await?;
    let q = q.trim().to_lowercase();
    let is_named = |name: &str, code: &str| {
        name.to_lowercase().contains(&q)
            || code.to_lowercase().contains(&q)
            || hanzi::readings::full(name).contains(&q)
            || hanzi::readings::initials(name).contains(&q)
    };
    let mut found: Vec<(String, String, String)> = directory
        .units()
        .filter(|unit| !unit.is_closed && is_named(&unit.name, &unit.code))
        .map(|unit| {
            let above = unit.parent_id.map_or_else(String::new, |parent| directory.path(parent));
            (unit.id.to_string(), unit.name.clone(), above)
        })
        .collect();
    found.sort_by(|a, b| (a.1.chars().count(), &a.1).cmp(&(b.1.chars().count(), &b.1)));
    found.truncate(MOST);
    Ok(found)
}

async fn customers(app: &App, actor: Actor, q: String) -> Result<Vec<(String, String, String)>, AppError> {
    if q.trim().is_empty() {
        return Ok(Vec::new());
    }
    let found = app.db.read(move |conn| search::find_customers(conn, &actor, &q, MOST)).await?;
    Ok(found
        .into_iter()
        .map(|hit| (hit.customer.id.to_string(), hit.customer.name().to_owned(), hit.customer.number.clone()))
        .collect())
}

/// The customer whose whole name was typed, though the actor may not see him: nothing but what he typed himself.
async fn named(
    app: &App,
    actor: Actor,
    q: String,
    l: Lang,
) -> Result<Option<(String, String, String)>, AppError> {
    let (said, ground) = (q.clone(), Ground::of(app).await?);
    let found = app.db.read(move |conn| find_named(conn, &actor, &ground, &said)).await?;
    let note = match found.len() {
        0 => return Ok(None),
        1 => "按全名指明",
        _ => "有同名的，请填客户编号",
    };
    Ok(Some((q.clone(), q, l.t(note).to_owned())))
}

/// Contacts or assets of a customer the actor may read.
async fn hanging(
    app: &App,
    actor: Actor,
    is_contact: bool,
    customer: CustomerId,
    q: &str,
) -> Result<Vec<(String, String, String)>, AppError> {
    let found = app
        .db
        .read(move |conn| {
            Ok::<_, AppError>(if is_contact {
                let all = contacts::of_customer(conn, &actor, customer)?;
                all.into_iter()
                    .map(|c| (c.id.to_string(), c.name.clone(), c.phone.clone()))
                    .collect::<Vec<_>>()
            } else {
                let all = assets::of_customer(conn, &actor, customer)?;
                all.into_iter().map(|a| (a.id.to_string(), a.name.clone(), a.code.clone())).collect()
            })
        })
        .await?;
    let q = q.trim().to_lowercase();
    let fits = |(_, name, note): &(String, String, String)| {
        name.to_lowercase().contains(&q) || note.to_lowercase().contains(&q)
    };
    Ok(found.into_iter().filter(fits).take(MOST).collect())
}

/// Cases of a form the actor may read.
async fn cases(
    app: &App,
    actor: Actor,
    form: String,
    q: String,
) -> Result<Vec<(String, String, String)>, AppError> {
    let ground = Ground::of(app).await?;
    let query = ListQuery { form: Some(form), text: q, ..ListQuery::default() };
    let (found, _) = app.db.read(move |conn| list(conn, &actor, &ground, &query, None, MOST)).await?;
    Ok(found.into_iter().map(|case| (case.id.to_string(), case.number, case.subject)).collect())
}
