//! What people go through: joining (入职), transfer (调动), leaving (离职), and handing over what they had. Customers go
//! through the customers' own action: a few hundred at once, more in the background.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Conn, Tx};

use super::Moment;
use super::directory::{load_parts, rights_changed};
use super::people::{
    NewPerson, Person, PersonChange, add_person, change_person, hold_administrators, load_person,
};
use super::positions::{
    Ended, NewPosition, PositionChange, PositionRecord, add_position, add_position_after, change_position,
    end_positions, list_positions, reopen_positions, restore_positions,
};
use super::units::{UnitDraft, change_unit};
use crate::access::{
    ADMINISTRATOR_ID, Actor, Directory, Object, Verb, Via, require_administrator, require_may,
};
use crate::app::App;
use crate::assignments;
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, parse_date};
use crate::counters::{self, Whose};
use crate::customers::{self, Draft};
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId, PositionId, UnitId};
use crate::jobs::{self, Kind, Outcome, Task, Work};
use crate::{confidentiality, events, rosters, shares, text};

/// Customers handed over in the request itself; more of them go to a background job, so many a transaction.
pub const MOST_AT_ONCE: i64 = 500;

const HAND_OVER: &str = "org.hand_over";
/// Where denials of single customers are noted.
const HANDED_OVER: &str = "/admin/people/customers";

/// The kind of job.
pub(super) const KIND: Kind = Kind { name: HAND_OVER, run: hand_over_job, on_dead: give_up };

/// A new colleague with his first post.
#[derive(Clone, Debug)]
pub struct Joining {
    /// Who.
    pub person: NewPerson,
    /// His first post.
    pub position: NewPosition,
}

/// Adds a person and gives him his first post, both or neither.
pub fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    joining: &Joining,
    at: &Moment,
) -> Result<PersonId, AppError> {
    let id = add_person(tx, actor, &joining.person, at.now)?;
    add_position(tx, actor, catalogue, id, &joining.position, at)?;
    Ok(id)
}

/// What becomes of the customers somebody owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomersTo {
    /// They stay as they are.
    Nothing,
    /// Another one owns them; they come to his unit.
    Person(PersonId),
    /// Nobody owns them for now; they stay in their unit.
    Nobody,
    /// He keeps them, and they come along to this unit.
    Unit(UnitId),
}

/// Somebody goes to another unit or post.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// His new post; it becomes the main one.
    pub position: NewPosition,
    /// Posts that end the day before.
    pub ends: Vec<PositionId>,
    /// What becomes of his customers, at once.
    pub customers: CustomersTo,
}

/// Ends posts and gives a new one, from a day on; roles that the ending ones brought are none the new one gives.
/// Regulations hear of it when it is another main post than he has today.
/// Answers it, and whether customers still go over in the background
/// (then call `app.jobs_waiting.notify_one()`).
pub fn transfer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    person: PersonId,
    transfer: &Transfer,
    at: &Moment,
) -> Result<(PositionRecord, bool), AppError> {
    let starts_on = transfer.position.starts_on.clone().unwrap_or_else(|| at.today.clone());
    let wrong = || AppError::field("starts_on", text!("请填写日期，例如 2026-09-28"));
    let first = parse_date(&starts_on).ok_or_else(wrong)?;
    let last = first.parse::<jiff::civil::Date>().ok().and_then(|d| d.yesterday().ok()).ok_or_else(wrong)?;
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let had = list_positions(tx, person)?;
    let old = had.iter().find(|p| p.is_main && p.is_on(&at.today));
    for id in &transfer.ends {
        let ending = had.iter().find(|p| p.id == *id).ok_or(AppError::NotFound)?;
        if ending.starts_on >= first {
            return Err(AppError::field(
                "starts_on",
                text!("要结束的岗位从 {} 才开始，请把调动日期改到这之后", ending.starts_on),
            ));
        }
        let change = PositionChange { ends_on: Some(last.to_string()), ..PositionChange::default() };
        change_position(tx, actor, *id, None, &change, at)?;
    }
    let new = NewPosition { is_main: true, starts_on: Some(first), ..transfer.position.clone() };
    let made = add_position_after(tx, actor, catalogue, person, &new, &had, at)?;
    let is_waiting = give_customers(tx, actor, catalogue, person, transfer.customers, at)?;
    let ended: Vec<String> = transfer.ends.iter().map(ToString::to_string).collect();
    let after =
        json!({ "unit_id": made.unit_id, "post": made.post, "starts_on": made.starts_on, "ended": ended });
    audit::record(tx, actor, at.now, &Entry::of("person.transferred", "person", person.0).after(&after))?;
    if old.is_none_or(|old| (old.unit_id, &old.post) != (made.unit_id, &made.post)) {
        // What he leaves behind is with the unit he was in.
        let from = old.map(|old| old.unit_id);
        let facts =
            json!({ "unit": from.unwrap_or(made.unit_id), "from_unit": from, "to_unit": made.unit_id })
                .to_string();
        let kind = "person.transferred";
        events::emit_with(tx, actor.person_id, at.now, kind, "person", person.0, 0, &facts)?;
    }
    Ok((made, is_waiting))
}

/// What somebody has that another must take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOver {
    /// Customers he owns.
    pub customers: i64,
    /// Their needs that are not dealt with.
    pub needs: i64,
    /// Units he leads.
    pub heads: Vec<(UnitId, String)>,
    /// People who report to him by name.
    pub reports: Vec<(PersonId, String)>,
    /// Delegations from him or to him that are not over.
    pub delegations: i64,
    /// Shifts that are still ahead, drafts too.
    pub shifts: i64,
    /// The next of them: from, until, the roster's name; at most 20.
    pub coming: Vec<(Millis, Millis, String)>,
    /// Customers of others he works on by shares.
    pub shares: i64,
    /// Tasks colleagues gave him that he has not done.
    pub tasks: i64,
    /// Tasks he gave that are not over.
    pub given_tasks: i64,
}

impl HandOver {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a person would have to hand over.
pub fn hand_over(conn: &mut Conn<'_>, person: PersonId, at: &Moment) -> store::Result<HandOver> {
    let (id, now) = (person.into(), at.now.into());
    let me = Whose::owner(person);
    let (tasks, given_tasks) = assignments::open_of(conn, person)?;
    Ok(HandOver {
        customers: counters::one(conn, "customers", "", &me)?,
        needs: counters::one(conn, "customers.open_needs", "", &me)?,
        heads: conn
            .rows("SELECT id, name FROM units WHERE head_id = $1 AND closed_on = '' ORDER BY id", &[id])?,
        reports: conn.rows(
            "SELECT DISTINCT p.id, p.name FROM positions o JOIN people p ON p.id = o.person_id
             WHERE o.superior_id = $1 AND (o.ends_on = '' OR o.ends_on >= $2) AND p.is_active = TRUE ORDER BY p.id",
            &[person.into(), at.today().into()],
        )?,
        delegations: conn.count(
            "SELECT COUNT(*) FROM delegations
             WHERE (from_id = $1 OR to_id = $1) AND revoked_at IS NULL AND ends_at > $2",
            &[person.into(), now],
        )?,
        shifts: conn.count(
            "SELECT COUNT(*) FROM shifts WHERE person_id = $1 AND ends_at > $2",
            &[person.into(), at.now.into()],
        )?,
        coming: conn.rows(
            "SELECT s.starts_at, s.ends_at, r.name FROM shifts s JOIN rosters r ON r.id = s.roster_id
             WHERE s.person_id = $1 AND s.ends_at > $2 ORDER BY s.starts_at, s.id LIMIT 20",
            &[person.into(), at.now.into()],
        )?,
        shares: conn.count(
            "SELECT COUNT(*) FROM customer_grants WHERE person_id = $1 AND revoked_at IS NULL AND ends_at > $2",
            &[person.into(), at.now.into()],
        )?,
        tasks,
        given_tasks,
    })
}

/// Somebody leaves the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// His last day.
    pub last_day: String,
    /// What becomes of his customers: `Person` or `Nobody`; `Nothing` only when he has none.
    pub customers: CustomersTo,
    /// Who leads his units and the people who report to him by name; without one the next heads above do.
    pub lead_to: Option<PersonId>,
    /// Who takes his shifts after the last day; without one they are taken off the rosters, and so is each the taker
    /// cannot have.
    pub shifts_to: Option<PersonId>,
    /// Who takes over the tasks given to him and by him; without one his open tasks go back to those who gave them.
    pub tasks_to: Option<PersonId>,
}

/// What is still to be done for somebody, kept until it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    customers: CustomersTo,
    lead_to: Option<PersonId>,
    #[serde(default)]
    shifts_to: Option<PersonId>,
    #[serde(default)]
    tasks_to: Option<PersonId>,
    by: PersonId,
    /// The last day of one who leaves later.
    leaves_on: Option<String>,
    /// The posts that end with it, and the last day each had before; `None` of an older program.
    #[serde(default)]
    ended: Option<Vec<(PositionId, String)>>,
    /// The posts that would have begun after it.
    #[serde(default)]
    never: Vec<PositionRecord>,
    /// Why it was given up.
    #[serde(default)]
    problem: String,
}

/// Who takes over what of somebody who leaves.
#[derive(Clone, Copy)]
struct Takers {
    lead_to: Option<PersonId>,
    shifts_to: Option<PersonId>,
    tasks_to: Option<PersonId>,
}

impl Takers {
    fn of(plan: &Plan) -> Self {
        Self { lead_to: plan.lead_to, shifts_to: plan.shifts_to, tasks_to: plan.tasks_to }
    }
}

/// Lets a person leave: on a day up to today at once, on a later one by a job when it is over. His posts end, his
/// delegations and shares are revoked, his units and reports go to `lead_to`, his open tasks to `tasks_to`, his
/// customers to their new owner, and he cannot sign in any more. Shifts that begin after his last day go to `shifts_to`
/// or fall open at once, so that whoever plans can fill the gaps; taking a leaving back does not bring them back. Refused
/// for oneself and for the last administrator. Of one who has left already, only the customers he still owns are handed
/// over. Answers whether something is still done in the background.
pub fn leave(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: PersonId,
    leaving: &Leaving,
    at: &Moment,
) -> Result<bool, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let person = load_person(tx, id)?.ok_or(AppError::NotFound)?;
    if id == actor.person_id {
        return Err(AppError::Conflict(text!("不能给自己办理离职，请由另一名管理员办理")));
    }
    if person.is_administrator() {
        require_administrator(actor)?;
    }
    if leaving.lead_to == Some(id) || leaving.customers == CustomersTo::Person(id) {
        return Err(AppError::field("customers_to", text!("接手的人不能是离职者本人")));
    }
    if leaving.shifts_to == Some(id) {
        return Err(AppError::field("shifts_to", text!("接手的人不能是离职者本人")));
    }
    if let Some(taker) = leaving.shifts_to {
        require_active(tx, taker, "shifts_to")?;
    }
    if leaving.tasks_to == Some(id) {
        return Err(AppError::field("tasks_to", text!("接手的人不能是离职者本人")));
    }
    if let Some(lead) = leaving.lead_to {
        require_active(tx, lead, "lead_to")?;
    }
    if let Some(taker) = leaving.tasks_to {
        require_active(tx, taker, "tasks_to")?;
    }
    let owned = counters::one(tx, "customers", "", &Whose::owner(id))?;
    if owned > 0 && !matches!(leaving.customers, CustomersTo::Person(_) | CustomersTo::Nobody) {
        return Err(AppError::field(
            "customers_to",
            text!("他还负责 {} 个客户，请选择接手的同事，或选择“暂不指定”", owned),
        ));
    }
    check_taker(tx, id, leaving.customers)?;
    if !person.is_active && !person.left_on.is_empty() {
        return give_customers(tx, actor, catalogue, id, leaving.customers, at);
    }
    if plan_of(tx, id)?.is_some_and(|p| p.leaves_on.is_some()) {
        return Err(AppError::Conflict(text!("已经登记了“{}”的离职，请先取消原来的登记", person.name)));
    }
    let last_day = parse_date(&leaving.last_day)
        .ok_or_else(|| AppError::field("last_day", text!("请填写日期，例如 2026-09-28")))?;
    let Ended { ended, never } = end_positions(tx, actor, id, &last_day, at)?;
    tx.exec(
        "UPDATE people SET left_on = $2, version = version + 1, updated_at = $3 WHERE id = $1",
        &[id.into(), (&last_day).into(), at.now.into()],
    )?;
    rights_changed(tx)?;
    let after = json!({ "name": person.name, "left_on": last_day });
    audit::record(tx, actor, at.now, &Entry::of("person.left", "person", id.0).after(&after))?;
    events::emit(tx, actor, at.now, "person.left", "person", id.0, 0)?;
    let plan = Plan {
        customers: leaving.customers,
        lead_to: leaving.lead_to,
        shifts_to: leaving.shifts_to,
        tasks_to: leaving.tasks_to,
        by: actor.person_id,
        leaves_on: Some(last_day.clone()),
        ended: Some(ended),
        never,
        problem: String::new(),
    };
    if last_day > at.today {
        keep_another_administrator(tx, &person)?;
        let from = at.end_of(&last_day);
        rosters::hand_over_shifts(tx, actor, id, leaving.shifts_to, from, at.zone(), at.now)?;
        keep_plan(tx, id, &plan, at.now)?;
        jobs::enqueue_at(tx, HAND_OVER, id.0, from, at.now)?;
        return Ok(true);
    }
    part(tx, actor, catalogue, id, Takers::of(&plan), at)?;
    give_customers(tx, actor, catalogue, id, leaving.customers, at)
}

/// Takes a registered leaving on a later day back: his posts go on as they would have.
pub fn cancel_leaving(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, at: &Moment) -> Result<(), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    hold_administrators(tx)?;
    let person = load_person(tx, id)?.ok_or(AppError::NotFound)?;
    let plan = plan_of(tx, id)?.filter(|_| person.is_active);
    let Some((day, ended, never)) = plan.and_then(|plan| Some((plan.leaves_on?, plan.ended, plan.never)))
    else {
        return Err(AppError::Conflict(text!("没有可以取消的离职登记")));
    };
    tx.exec("DELETE FROM settings WHERE name = $1", &[plan_name(id).into()])?;
    reopen_positions(tx, actor, id, &day, ended.as_deref(), at)?;
    restore_positions(tx, actor, id, &never, at)?;
    tx.exec(
        "UPDATE people SET left_on = '', version = version + 1, updated_at = $2 WHERE id = $1",
        &[id.into(), at.now.into()],
    )?;
    rights_changed(tx)?;
    let after = json!({ "name": person.name, "left_on": "" });
    audit::record(tx, actor, at.now, &Entry::of("person.leaving_cancelled", "person", id.0).after(&after))?;
    Ok(())
}

/// The day somebody will leave, when that is registered, and why a hand-over was given up, when it was.
pub fn planned_leaving(conn: &mut Conn<'_>, id: PersonId) -> store::Result<(Option<String>, String)> {
    Ok(plan_of(conn, id)?.map_or((None, String::new()), |p| (p.leaves_on, p.problem)))
}

fn plan_name(id: PersonId) -> String {
    format!("org.hand_over.{id}")
}

fn plan_of(conn: &mut Conn<'_>, id: PersonId) -> store::Result<Option<Plan>> {
    let text: Option<String> =
        conn.value("SELECT value FROM settings WHERE name = $1", &[plan_name(id).into()])?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn keep_plan(tx: &mut Tx<'_>, id: PersonId, plan: &Plan, now: Millis) -> Result<(), AppError> {
    let text = serde_json::to_string(plan).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "INSERT INTO settings (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_at = $3, updated_by = $4",
        &[plan_name(id).into(), text.into(), now.into(), plan.by.into()],
    )?;
    Ok(())
}

fn require_active(conn: &mut Conn<'_>, id: PersonId, field: &str) -> Result<Person, AppError> {
    let person = load_person(conn, id)?.filter(|p| p.is_active && p.left_on.is_empty());
    person.ok_or_else(|| AppError::field(field, text!("没有这位员工，或者他已停用、将要离职")))
}

/// Refuses a new owner who is not there, or who must keep out of some of the customers (回避).
fn check_taker(conn: &mut Conn<'_>, from: PersonId, to: CustomersTo) -> Result<(), AppError> {
    let CustomersTo::Person(to) = to else { return Ok(()) };
    let taker = require_active(conn, to, "customers_to")?;
    let excluded = conn.count(
        "SELECT COUNT(*) FROM customer_exclusions e JOIN customers c ON c.id = e.customer_id
         WHERE e.person_id = $1 AND c.owner_id = $2 AND c.deleted_at IS NULL",
        &[to.into(), from.into()],
    )?;
    if excluded > 0 {
        return Err(AppError::field(
            "customers_to",
            text!("“{}”须回避其中 {} 个客户，请换一位同事", taker.name, excluded),
        ));
    }
    Ok(())
}

fn keep_another_administrator(conn: &mut Conn<'_>, person: &Person) -> Result<(), AppError> {
    let others = conn.count(
        "SELECT COUNT(*) FROM person_roles r JOIN people p ON p.id = r.person_id
         WHERE r.role_id = $1 AND r.ends_on = '' AND p.is_active = TRUE AND p.left_on = '' AND p.id <> $2",
        &[ADMINISTRATOR_ID.into(), person.id.into()],
    )?;
    if person.is_administrator() && others == 0 {
        return Err(AppError::Conflict(text!("系统至少要有一名在用的管理员，请先指定另一名管理员")));
    }
    Ok(())
}

/// Everything of leaving but posts and customers: tasks, units, reports and shifts go over, delegations, shares and the
/// registration as one who handles customer information end, the account is closed.
fn part(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: PersonId,
    takers: Takers,
    at: &Moment,
) -> Result<(), AppError> {
    let Takers { lead_to, shifts_to, tasks_to } = takers;
    rosters::hand_over_shifts(tx, actor, id, shifts_to, at.now, at.zone(), at.now)?;
    let ground = assignments::Ground {
        directory: Arc::new(Directory::new(load_parts(tx, &at.today, at.now)?, &|_| None)),
        zone: at.zone.clone(),
        day: at.today.clone(),
        now: at.now,
    };
    assignments::hand_over(tx, actor, &ground, id, tasks_to)?;
    // Closed units forget their head too: reopened, they would be led by one who is not there.
    let led: Vec<(UnitId,)> = tx.rows("SELECT id FROM units WHERE head_id = $1", &[id.into()])?;
    for (unit,) in led {
        let draft = UnitDraft { head_id: Some(lead_to), ..UnitDraft::default() };
        change_unit(tx, actor, catalogue, unit, None, &draft, at)?;
    }
    let reports: Vec<(PositionId, PersonId)> = tx.rows(
        "SELECT id, person_id FROM positions WHERE superior_id = $1 AND (ends_on = '' OR ends_on >= $2)",
        &[id.into(), at.today().into()],
    )?;
    if !reports.is_empty() {
        let directory = Directory::new(load_parts(tx, &at.today, at.now)?, &|_| None);
        let above = lead_to.map(|lead| directory.superiors(lead, &at.today)).unwrap_or_default();
        for (position, person) in reports {
            // Whoever stands above the new superior falls back to the head of his unit: nobody reports in a ring.
            let superior = lead_to.filter(|lead| *lead != person && !above.contains(&person));
            let change = PositionChange { superior_id: Some(superior), ..PositionChange::default() };
            change_position(tx, actor, position, None, &change, at)?;
        }
    }
    rosters::end_delegations_of(tx, actor, id, at.now)?;
    shares::end_grants_of(tx, actor, id, at.now)?;
    let person = load_person(tx, id)?;
    let name = person.as_ref().map_or("", |person| person.name.as_str());
    confidentiality::end_registration_of(tx, actor, id, name, at.now)?;
    rights_changed(tx)?;
    if let Some(person) = person.filter(|p| p.is_active) {
        let change = PersonChange { is_active: Some(false), ..PersonChange::default() };
        change_person(tx, actor, id, person.version, &change, at.now)?;
    }
    Ok(())
}

/// Hands customers over: at once when they are few, else by a job. Answers whether a job does it.
fn give_customers(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    from: PersonId,
    to: CustomersTo,
    at: &Moment,
) -> Result<bool, AppError> {
    if to == CustomersTo::Nothing {
        return Ok(false);
    }
    check_taker(tx, from, to)?;
    if counters::one(tx, "customers", "", &Whose::owner(from))? > MOST_AT_ONCE {
        let plan = Plan {
            customers: to,
            lead_to: None,
            shifts_to: None,
            tasks_to: None,
            by: actor.person_id,
            leaves_on: None,
            ended: None,
            never: Vec::new(),
            problem: String::new(),
        };
        keep_plan(tx, from, &plan, at.now)?;
        jobs::enqueue(tx, HAND_OVER, from.0, at.now)?;
        return Ok(true);
    }
    give_some(tx, actor, catalogue, from, to, at.now)?;
    Ok(false)
}

/// Hands at most `MOST_AT_ONCE` customers over and answers how many; those that went over are not found again.
fn give_some(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    from: PersonId,
    to: CustomersTo,
    now: Millis,
) -> Result<usize, AppError> {
    let draft = match to {
        CustomersTo::Nothing => return Ok(0),
        CustomersTo::Person(person) => Draft { owner_id: Some(Some(person)), ..Draft::default() },
        CustomersTo::Nobody => Draft { owner_id: Some(None), ..Draft::default() },
        CustomersTo::Unit(unit) => Draft { unit_id: Some(Some(unit)), ..Draft::default() },
    };
    let stays_in = if let CustomersTo::Unit(unit) = to { unit.0 } else { 0 };
    let ids: Vec<(CustomerId, String)> = tx.rows(
        "SELECT id, name FROM customers WHERE owner_id = $1 AND deleted_at IS NULL AND COALESCE(unit_id, -1) <> $2
         ORDER BY id LIMIT $3",
        &[from.into(), stays_in.into(), MOST_AT_ONCE.into()],
    )?;
    for (id, name) in &ids {
        customers::update(tx, actor, catalogue, *id, None, &draft, now).map_err(|error| {
            audit::note_denial(tx, actor, now, &error, HANDED_OVER);
            match error {
                // Whoever may not know the customer is not told its name.
                AppError::Hidden { .. } | AppError::NotFound => {
                    AppError::Conflict(text!("他还负责您无权转移的客户，请由能转移全部客户的管理员办理"))
                }
                AppError::Forbidden(_) => {
                    AppError::Conflict(text!("您无权转移客户“{}”，请由能转移全部客户的管理员办理", name))
                }
                AppError::Invalid(errors) => {
                    let first = errors.first().map(|e| e.text.to_string()).unwrap_or_default();
                    AppError::Conflict(text!("客户“{}”不能转移：{}", name, first))
                }
                other => other,
            }
        })?;
    }
    Ok(ids.len())
}

fn hand_over_job(app: App, task: Task) -> Work {
    Box::pin(work(app, task))
}

/// Does what is planned for a person; nothing when the plan was taken back.
async fn work(app: App, task: Task) -> Result<Outcome, AppError> {
    let person = PersonId(task.subject_id);
    let Some(plan) = app.db.read(move |conn| plan_of(conn, person)).await? else { return Ok(Outcome::Done) };
    let at = Moment::new(app.now(), &app.zone);
    if plan.leaves_on.as_ref().is_some_and(|day| *day >= at.today) {
        // Registered again for a later day: that one's own job does it.
        return Ok(Outcome::Done);
    }
    let catalogue = app.catalogue().await?;
    // Decided by one who was allowed to; if he has left meanwhile, it is done all the same.
    let actor = app.actor_for(plan.by, Via::Job).await?.unwrap_or_else(Actor::command_line);
    if plan.leaves_on.is_some() {
        let (catalogue, actor, at) = (catalogue.clone(), actor.clone(), at.clone());
        let takers = Takers::of(&plan);
        app.db
            .write(move |tx| {
                hold_administrators(tx)?;
                // Whoever was to take over may have gone meanwhile: then the next heads above lead, shifts fall open,
                // and tasks go back.
                let mut there =
                    |id: Option<PersonId>, field| id.filter(|id| require_active(tx, *id, field).is_ok());
                let takers = Takers {
                    lead_to: there(takers.lead_to, "lead_to"),
                    shifts_to: there(takers.shifts_to, "shifts_to"),
                    tasks_to: there(takers.tasks_to, "tasks_to"),
                };
                part(tx, &actor, &catalogue, person, takers, &at)
            })
            .await?;
        app.forget_sessions();
    }
    loop {
        if task.is_stopping() {
            return Ok(Outcome::Interrupted);
        }
        let (catalogue, actor, to) = (catalogue.clone(), actor.clone(), plan.customers);
        let now = app.now();
        let moved = app.db.write(move |tx| give_some(tx, &actor, &catalogue, person, to, now)).await?;
        if (moved as i64) < MOST_AT_ONCE {
            break;
        }
    }
    app.db
        .write(move |tx| tx.exec("DELETE FROM settings WHERE name = $1", &[plan_name(person).into()]))
        .await?;
    Ok(Outcome::Done)
}

/// Notes why a hand-over was given up, for the page of the person.
fn give_up(tx: &mut Tx<'_>, id: i64, error: &AppError, now: Millis) -> store::Result<()> {
    let person = PersonId(id);
    if let Some(plan) = plan_of(tx, person)? {
        let plan =
            Plan { problem: error.to_string().trim().chars().take(300).collect(), leaves_on: None, ..plan };
        let text = serde_json::to_string(&plan).unwrap_or_default();
        tx.exec(
            "UPDATE settings SET value = $2, updated_at = $3 WHERE name = $1",
            &[plan_name(person).into(), text.into(), now.into()],
        )?;
    }
    Ok(())
}
