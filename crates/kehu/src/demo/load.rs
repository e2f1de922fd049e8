//! Writing the made-up group into an empty database, through the same actions a person's clicks go through.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, time};

use super::assign::assign;
use super::cases::open_cases;
use super::generate::organisation::LOG_INS;
use super::generate::{
    self, DemoActivity, DemoAsset, DemoCompany, DemoCustomer, DemoPerson, PEOPLE, STRATEGIES,
};
use super::organise::organise;
use super::rosters::add_rosters;
use store::Tx;

use crate::access::{Actor, ActorFacts};
use crate::activities::{self, ActivityKind};
use crate::app::App;
use crate::assets::{self, AssetKind};
use crate::auth::{self, Setup};
use crate::cases;
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone};
use crate::contacts;
use crate::customers::{self, Draft, Field, Kind};
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId, PersonId};
use crate::input::Values;
use crate::org::{self, NewPerson};
use crate::policies;
use crate::strategies;

/// Password of everybody in the demonstration. It is printed at every start, so nothing of worth may be kept in there.
pub const PASSWORD: &str = "lingyue-demo-2026";

/// Customers written in one transaction.
const CHUNK: usize = 100;
/// Customers of the demonstration.
const CUSTOMERS: usize = 2_000;
/// The same seed makes the same company.
const SEED: u64 = 1;

/// Sets up the demonstration company with 2,000 customers; `Conflict` when there is a company already.
pub async fn load(app: &App) -> Result<(), AppError> {
    fill(app, CUSTOMERS).await
}

/// Sets up the demonstration company with so many customers and the regulations we ship in force. They are dated when they were first met, so that the
/// charts have something to show; their audit rows carry the same dates.
pub async fn fill(app: &App, customers: usize) -> Result<(), AppError> {
    let today = app.today();
    let company = tokio::task::spawn_blocking(move || generate::company(SEED, customers, today))
        .await
        .map_err(|e| AppError::Internal(e.to_string()))?;
    let company = Arc::new(company);
    let people = Arc::new(add_people(app, &company).await?);
    app.forget_company();
    app.forget_catalogue();
    let catalogue = app.catalogue().await?;
    let units = {
        let (catalogue, people, zone) = (Arc::clone(&catalogue), Arc::clone(&people), app.zone.clone());
        Arc::new(app.db.write(move |tx| organise(tx, &catalogue, &people, &zone)).await?)
    };
    {
        let (catalogue, people) = (Arc::clone(&catalogue), Arc::clone(&people));
        let (company, zone, now) = (Arc::clone(&company), app.zone.clone(), app.now());
        let actors: Vec<Actor> =
            company.people.iter().zip(people.iter()).map(|(p, id)| as_person(p, *id)).collect();
        app.db.write(move |tx| add_rosters(tx, &catalogue, &actors, &zone, now)).await?;
    }
    add_strategies(app, &catalogue).await?;
    // The earliest first, as they would have come.
    let mut order: Vec<usize> = (0..company.customers.len()).collect();
    order.sort_by_key(|&n| (company.customers[n].first_contact_on, n));
    for chunk in order.chunks(CHUNK) {
        let (chunk, company, people) = (chunk.to_vec(), Arc::clone(&company), Arc::clone(&people));
        let (catalogue, zone) = (Arc::clone(&catalogue), app.zone.clone());
        app.db
            .write(move |tx| {
                for &n in &chunk {
                    let customer = &company.customers[n];
                    let met = customer.first_contact_on.to_datetime(time(9, (n % 60) as i8, 0, 0));
                    let draft = draft_of(customer, n, &people, today);
                    let (actor, at) = (Actor::command_line(), zone.at(met));
                    let made = customers::create(tx, &actor, &catalogue, &draft, None, at)?;
                    let contacts = add_contacts(tx, made.id, customer, at)?;
                    add_assets(tx, made.id, customer, at)?;
                    for activity in &customer.activities {
                        let by = as_person(&company.people[activity.by], people[activity.by]);
                        let draft = activity_of(activity, &contacts, &zone, today);
                        let happened = zone.at(activity.happened_at);
                        activities::create(tx, &by, &catalogue, made.id, &draft, happened)?;
                    }
                }
                Ok::<_, AppError>(())
            })
            .await?;
    }
    {
        let administrator = as_person(&company.people[0], people[0]);
        let shipped = policies::examine_shipped(&catalogue).await?;
        // In force for a while: its people have worked by them.
        let since = app.zone.at(today.saturating_sub(60.days()).to_datetime(time(9, 0, 0, 0)));
        app.db
            .write(move |tx| {
                policies::adopt_shipped(tx, &administrator, &shipped, since)?;
                // What its customers have been through is no news to them.
                cases::begin_now(tx).map_err(AppError::from)
            })
            .await?;
    }
    let zone = app.zone.clone();
    {
        let (people, units) = (Arc::clone(&people), Arc::clone(&units));
        app.db
            .write(move |tx| assign(tx, &catalogue, (people.as_slice(), units.as_slice()), &zone, today))
            .await?;
    }
    open_cases(app, &people, &units, today).await
}

/// Makes the company and its people; the first of them administers it.
async fn add_people(app: &App, company: &DemoCompany) -> Result<Vec<PersonId>, AppError> {
    // One hash for all: they have one password, and nobody is protected by it.
    let hash = app.passwords.hash(PASSWORD.to_owned()).await?;
    let now = app.now();
    let (name, people) = (company.name, company.people.clone());
    app.db
        .write(move |tx| {
            let mut ids = Vec::with_capacity(people.len());
            for (n, person) in people.iter().enumerate() {
                ids.push(if n == 0 {
                    let setup = Setup {
                        company: name.to_owned(),
                        name: person.name.to_owned(),
                        username: person.username.to_owned(),
                        password_hash: hash.clone(),
                        is_demo: true,
                    };
                    auth::set_up(tx, &setup, now)?
                } else {
                    org::add_person(tx, &Actor::command_line(), &new_person(person, &hash), now)?
                });
            }
            Ok::<_, AppError>(ids)
        })
        .await
}

/// Writes down how the groups of customers are served.
async fn add_strategies(app: &App, catalogue: &Arc<Catalogue>) -> Result<(), AppError> {
    let (catalogue, now) = (Arc::clone(catalogue), app.now());
    app.db
        .write(move |tx| {
            for strategy in &STRATEGIES {
                let draft = strategies::Draft(values(strategy.map(|(key, value)| (key, value.to_owned()))));
                strategies::create(tx, &Actor::command_line(), &catalogue, &draft, now)?;
            }
            Ok::<_, AppError>(())
        })
        .await
}

fn new_person(person: &DemoPerson, hash: &str) -> NewPerson {
    NewPerson {
        username: person.username.to_owned(),
        name: person.name.to_owned(),
        title: person.title.to_owned(),
        phone: String::new(),
        email: format!("{}@example.cn", person.username),
        roles: Vec::new(),
        password_hash: hash.to_owned(),
        must_change_password: false,
    }
}

fn draft_of(customer: &DemoCustomer, n: usize, people: &[PersonId], today: Date) -> Draft {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let word = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let mut draft = Draft {
        kind: Kind::named(customer.kind),
        owner_id: Some(customer.owner.and_then(|owner| people.get(owner).copied())),
        tags: Some(customer.tags.iter().map(|tag| (*tag).to_owned()).collect()),
        ..Draft::default()
    };
    for (field, value) in [
        (Field::Name, customer.name.clone()),
        (Field::ShortName, text(&customer.short_name)),
        (Field::Class, word(customer.class)),
        (Field::Level, word(customer.level)),
        (Field::Nature, word(customer.nature)),
        (Field::ParentOrganisation, text(&customer.parent_organisation)),
        (Field::Industry, word(customer.industry)),
        (Field::CreditCode, text(&customer.credit_code)),
        (Field::IdNumber, text(&customer.id_number)),
        (Field::Gender, word(customer.gender)),
        (Field::Birthday, customer.birthday.map(|d| d.to_string()).unwrap_or_default()),
        (Field::Phone, text(&customer.phone)),
        (Field::Landline, text(&customer.landline)),
        (Field::Fax, text(&customer.fax)),
        (Field::Email, text(&customer.email)),
        (Field::Website, text(&customer.website)),
        (Field::Wechat, text(&customer.wechat)),
        (Field::Region, text(&customer.region)),
        (Field::Address, text(&customer.address)),
        (Field::CreditStatus, word(customer.credit_status)),
        (Field::Source, word(customer.source)),
        (Field::BusinessTraits, word(customer.business_traits)),
        (Field::Needs, word(customer.needs)),
        (Field::Remark, word(customer.remark)),
        (Field::FirstContactOn, customer.first_contact_on.to_string()),
        (Field::NextContactOn, next_contact(customer, n, today)),
    ] {
        if !value.is_empty() {
            draft.fields.insert(field, value);
        }
    }
    draft
}

/// Some customers are to be contacted today, a few should have been, others in the coming weeks.
fn next_contact(customer: &DemoCustomer, n: usize, today: Date) -> String {
    let in_days = match (customer.owner, n % 97) {
        (None, _) => return String::new(),
        (_, 3 | 41) => 0,
        (_, 17) => -((n % 9) as i64) - 1,
        (_, 5..12) => (n % 28) as i64 + 1,
        _ => return String::new(),
    };
    today.saturating_add(in_days.days()).to_string()
}

/// Notes a customer's contacts; answers their ids in the same order.
fn add_contacts(
    tx: &mut Tx<'_>,
    id: CustomerId,
    customer: &DemoCustomer,
    at: Millis,
) -> Result<Vec<ContactId>, AppError> {
    let mut ids = Vec::with_capacity(customer.contacts.len());
    for contact in &customer.contacts {
        let draft = contacts::Draft {
            values: values([
                ("name", contact.name.clone()),
                ("title", contact.title.unwrap_or_default().to_owned()),
                ("department", contact.department.unwrap_or_default().to_owned()),
                ("phone", contact.phone.clone()),
                ("email", contact.email.clone().unwrap_or_default()),
                ("birthday", contact.birthday.map(|d| d.to_string()).unwrap_or_default()),
                ("remark", contact.remark.unwrap_or_default().to_owned()),
            ]),
            is_primary: contact.is_primary.then_some(true),
        };
        ids.push(contacts::create(tx, &Actor::command_line(), id, &draft, at)?.id);
    }
    Ok(ids)
}

fn add_assets(tx: &mut Tx<'_>, id: CustomerId, customer: &DemoCustomer, at: Millis) -> Result<(), AppError> {
    for asset in &customer.assets {
        let (kind, details) = match asset {
            DemoAsset::Vehicle { plate, vin, brand_model, bought_on } => (
                AssetKind::Vehicle,
                values([
                    ("plate", plate.clone()),
                    ("vin", vin.clone()),
                    ("brand_model", (*brand_model).to_owned()),
                    ("bought_on", bought_on.to_string()),
                ]),
            ),
            DemoAsset::Room { community, building, unit, room, area_m2 } => (
                AssetKind::Room,
                values([
                    ("community", (*community).to_owned()),
                    ("building", building.clone()),
                    ("unit", unit.clone()),
                    ("room", room.clone()),
                    ("area", format!("{area_m2:.2}")),
                ]),
            ),
            DemoAsset::Meter { number, capacity_kva } => (
                AssetKind::Meter,
                values([("number", number.clone()), ("capacity_kva", capacity_kva.to_string())]),
            ),
            DemoAsset::Product { model, serial, installed_on, warranty_until } => (
                AssetKind::Product,
                values([
                    ("model", (*model).to_owned()),
                    ("serial", serial.clone()),
                    ("installed_on", installed_on.to_string()),
                    ("warranty_until", warranty_until.to_string()),
                ]),
            ),
        };
        let draft = assets::Draft { kind, details, remark: Values::new() };
        assets::create(tx, &Actor::command_line(), id, &draft, at)?;
    }
    Ok(())
}

/// Older needs have been met long since.
const NEEDS_MET_AFTER: i64 = 30;

fn activity_of(
    activity: &DemoActivity,
    contacts: &[ContactId],
    zone: &Zone,
    today: Date,
) -> activities::Draft {
    let kind = ActivityKind::named(activity.kind);
    let is_old = activity.happened_at.date() < today.saturating_sub(NEEDS_MET_AFTER.days());
    // A change needs to say where it was heard of; the made-up ones were told by the customer.
    let source = if kind.is_some_and(ActivityKind::is_change) { "customer_notice" } else { "" };
    activities::Draft {
        kind,
        values: values([
            ("subject", activity.subject.to_owned()),
            ("body", activity.body.clone()),
            ("direction", activity.direction.unwrap_or_default().to_owned()),
            ("result", activity.result.unwrap_or_default().to_owned()),
            ("source", source.to_owned()),
        ]),
        contact_id: activity.contact.and_then(|n| contacts.get(n).copied()).map(Some),
        happened_at: Some(zone.at(activity.happened_at)),
        next_contact_on: None,
        is_done: (kind == Some(ActivityKind::Need)).then_some(is_old),
    }
}

fn values<const N: usize>(pairs: [(&'static str, String); N]) -> Values {
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// One of the group's people at the command line, so that what he did bears his name; there he may write to any
/// customer.
pub(super) fn as_person(person: &DemoPerson, id: PersonId) -> Actor {
    Actor::new(ActorFacts {
        person_id: id,
        username: person.username.to_owned(),
        name: person.name.to_owned(),
        ..(*Actor::command_line()).clone()
    })
}

/// Prints who may sign in to the demonstration, and how.
pub fn print_log_ins() {
    println!("这是演示公司，有 {} 名员工。下面的帐号各看到不同的范围，密码都是：{PASSWORD}", PEOPLE.len());
    for (n, sees) in LOG_INS {
        let person = &PEOPLE[n];
        println!("  {:12} {}（{}）：{sees}", person.username, person.name, person.title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_password_would_be_accepted_from_a_person() {
        for person in &PEOPLE {
            assert!(auth::check_new_password(PASSWORD, &[person.username, "岭岳实业集团有限公司"]).is_none());
        }
    }
}
