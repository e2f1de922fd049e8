//! What people do with cases: opening, acting, deciding.

use std::sync::Arc;

use policy::Policy;
use policy::engine::{Moment, Outcome, Refused, Verdict, read_values};
use policy::expr::Env;
use policy::model::{FieldKind, Form};
use policy::replay::{Deed, What};
use policy::value::Value;
use serde_json::{Map, Value as Json};
use store::Tx;

use super::apply::{facts, store};
use super::load::{Loaded, hold, selves};
use super::refuse::{Attempt, fields, refuse, refuse_with};
use super::tick::{Caught, catch_up};
use super::world::{Ground, with_world};
use super::{deeds, grant, hear, named, numbers, urge};
use crate::access::{self, Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::customers;
use crate::error::{AppError, FieldError};
use crate::ids::{CaseId, CustomerId, PersonId, PolicyVersionId};
use crate::input::{self, clean_value};
use crate::text;
use crate::{assets, contacts, files, policies};

/// Most cases that one event may open, one from another.
pub(super) const DEEPEST: usize = 12;

/// What was done, and where the case is now.
#[derive(Clone, Debug)]
pub struct Done {
    /// The case.
    pub id: CaseId,
}

/// Opens a case of a form in force: whoever its regulation says. `values` are the form's fields by name.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    form: &str,
    values: &Map<String, Json>,
) -> Result<Done, AppError> {
    open_as(tx, actor, ground, form, values, CaseId::new())
}

/// [`open`] under an id that the caller made: what is sent twice, because the first answer was lost, is opened once.
pub fn open_as(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    form: &str,
    values: &Map<String, Json>,
    id: CaseId,
) -> Result<Done, AppError> {
    let known: Option<(Option<PersonId>, String)> =
        tx.row("SELECT creator_id, form FROM cases WHERE id = $1", &[id.into()])?;
    match known {
        Some((Some(creator), of)) if creator == actor.person_id && of == form => return Ok(Done { id }),
        Some(_) => return Err(AppError::Conflict(text!("请重新打开表单再提交"))),
        None => {}
    }
    let (version_id, policy, form) = form_in_force(tx, ground, form)?;
    require_opener(tx, actor, ground, &policy, &form)?;
    let mut values = read(ground, &form, values)?;
    let named = named::resolve(tx, actor, &form, &mut values)?;
    require_records(tx, actor, ground, &form, (&values, &named), id)?;
    start(tx, Some(actor), ground, (&policy, version_id), &form, None, id, values, 0)?;
    Ok(Done { id })
}

/// Opens a case, for a person or for an event, with everything that follows from it.
#[expect(clippy::too_many_arguments, reason = "one place for every way in")]
pub(super) fn start(
    tx: &mut Tx<'_>,
    actor: Option<&Actor>,
    ground: &Ground,
    (policy, version_id): (&Arc<Policy>, PolicyVersionId),
    form: &Arc<Form>,
    parent: Option<CaseId>,
    id: CaseId,
    values: Vec<(usize, Value)>,
    depth: usize,
) -> Result<(), AppError> {
    if depth > DEEPEST {
        return Err(AppError::Conflict(text!("制度里的单据一张接一张地打开，已停止，请管理员检查制度")));
    }
    let number = numbers::next(tx, ground, form)?;
    let by = actor.map(|actor| actor.person_id.to_string());
    let customer = customer_in(form, &values);
    let deed =
        Deed { at: ground.now, actor: by.clone(), what: What::Open, values: Deed::named(form, &values) };
    let outcome = with_world(tx, ground, &policy.id, |world| {
        let moment = Moment { now: ground.now, actor: by.as_deref(), world };
        policy.open(&form.id, &id.to_string(), &number, values, moment)
    })?;
    let outcome = match (outcome, actor) {
        (Ok(outcome), _) => outcome,
        (Err(refused), Some(actor)) => {
            let what = format!("{}：开单", form.title);
            let attempt = Attempt { what, customer, ..Attempt::default() };
            return Err(refuse(tx, actor, ground, policy, refused, attempt));
        }
        (Err(refused), None) => return Err(refuse_with(ground, policy, refused)),
    };
    let place = Place { policy, version_id, form, parent, id };
    finish(tx, actor, ground, &place, None, &outcome, Some(&deed), depth)
}

fn customer_in(form: &Form, values: &[(usize, Value)]) -> Option<CustomerId> {
    let (_, value) = values.iter().find(|(place, _)| Some(*place) == form.customer)?;
    value.as_text()?.parse().ok()
}

/// A case and its regulation, for storing.
pub(super) struct Place<'p> {
    pub policy: &'p Arc<Policy>,
    pub version_id: PolicyVersionId,
    pub form: &'p Arc<Form>,
    pub parent: Option<CaseId>,
    pub id: CaseId,
}

/// Stores an outcome with its audit row and, unless only time has passed, the deed it came from, and lets follow what
/// follows. Without a state `before` the case is new.
#[expect(clippy::too_many_arguments, reason = "one place for every way in")]
pub(super) fn finish(
    tx: &mut Tx<'_>,
    actor: Option<&Actor>,
    ground: &Ground,
    place: &Place<'_>,
    before: Option<&policy::case::Case>,
    outcome: &Outcome,
    deed: Option<&Deed>,
    depth: usize,
) -> Result<(), AppError> {
    let Place { policy, version_id, form, parent, id } = *place;
    let is_new = before.is_none();
    let follow = store(tx, actor, ground, (policy, version_id), form, parent, outcome, is_new)?;
    if let Some(deed) = deed {
        deeds::keep(tx, id, deed)?;
    }
    let after = facts(form, &outcome.case);
    let customer =
        outcome.case.customer.as_ref().and_then(|id| id.parse::<CustomerId>().ok()).map_or(0, |id| id.0);
    let system = Actor::system();
    let by = actor.unwrap_or(&system);
    grant::follow(tx, by, ground, (id, place.form), outcome)?;
    match before {
        None => {
            audit::record(
                tx,
                by,
                ground.noted_at,
                &Entry::of("case.opened", "case", id.0).customer(customer).after(&after),
            )?;
        }
        Some(before) => {
            let (before, after) = crate::input::difference(&facts(form, before), &after);
            let entry = Entry::of("case.changed", "case", id.0).customer(customer);
            audit::record(tx, by, ground.noted_at, &entry.change(&before, &after))?;
        }
    }
    for (child, values) in follow.open {
        let Some(child) = policy.form(&child).cloned() else { continue };
        let values =
            values.into_iter().filter_map(|(field, value)| Some((child.field(&field)?, value))).collect();
        start(tx, None, ground, (policy, version_id), &child, Some(id), CaseId::new(), values, depth + 1)?;
    }
    for event in follow.emitted {
        let by = actor.map(|actor| actor.person_id.to_string());
        let told = outcome.case.facts(by.as_deref());
        hear::spread(tx, ground, &event, &told, depth + 1)?;
    }
    Ok(())
}

/// Presses a button of a case.
pub fn act(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
    action: &str,
    values: &Map<String, Json>,
) -> Result<Done, AppError> {
    let loaded = hold_caught_up(tx, actor, ground, id)?;
    let mut values = read(ground, &loaded.form, values)?;
    let named = named::resolve(tx, actor, &loaded.form, &mut values)?;
    require_records(tx, actor, ground, &loaded.form, (&values, &named), id)?;
    let button = loaded.form.steps.iter().flat_map(|step| &step.actions).find(|known| known.id == action);
    let what = format!("{}：{}", loaded.form.title, button.map_or(action, |button| button.title.as_str()));
    let deed = (What::Act(action.to_owned()), Deed::named(&loaded.form, &values));
    carry_out(tx, actor, ground, &loaded, (what, deed), |policy, case, moment| {
        policy.act(case, action, values, moment)
    })
}

/// Decides in an approval, or does something else to it. Urging the same step again takes a while (`urge::MINUTES`).
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
    verdict: &Verdict,
    comment: &str,
    values: &Map<String, Json>,
) -> Result<Done, AppError> {
    let comment =
        clean_value(input::Kind::Lines, 2_000, comment).map_err(|text| AppError::field("comment", text))?;
    let loaded = hold_caught_up(tx, actor, ground, id)?;
    if *verdict == Verdict::Urge && loaded.case.is_open {
        urge::require_pause(tx, actor, ground, &loaded)?;
    }
    let mut values = read(ground, &loaded.form, values)?;
    let named = named::resolve(tx, actor, &loaded.form, &mut values)?;
    require_records(tx, actor, ground, &loaded.form, (&values, &named), id)?;
    let what = format!("{}：{}", loaded.form.title, loaded.case.step_title);
    let deed = (What::Decide(verdict.clone(), comment.clone()), Deed::named(&loaded.form, &values));
    carry_out(tx, actor, ground, &loaded, (what, deed), |policy, case, moment| {
        policy.decide(case, verdict, &comment, values, moment)
    })
}

/// Holds a case as it is at this moment: what time does to it comes before what a person does, though the job that
/// wakes cases has not come by yet.
fn hold_caught_up(tx: &mut Tx<'_>, actor: &Actor, ground: &Ground, id: CaseId) -> Result<Loaded, AppError> {
    let loaded = hold(tx, actor, ground, id)?;
    match catch_up(tx, ground, id)? {
        Caught::Already => Ok(loaded),
        Caught::Up => hold(tx, actor, ground, id),
        Caught::Behind => Err(AppError::Conflict(text!("单据正在按制度处理到期事项，请稍后再办理"))),
    }
}

fn carry_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    loaded: &Loaded,
    (what, (did, values)): (String, (What, Map<String, Json>)),
    step: impl FnOnce(&Policy, &policy::case::Case, Moment<'_>) -> Result<Outcome, Refused>,
) -> Result<Done, AppError> {
    let by = actor.person_id.to_string();
    let outcome = with_world(tx, ground, &loaded.policy.id, |world| {
        step(&loaded.policy, &loaded.state, Moment { now: ground.now, actor: Some(&by), world })
    })?;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(refused) => {
            let attempt = Attempt::on(loaded.case.id, loaded.case.customer_id, what);
            return Err(refuse(tx, actor, ground, &loaded.policy, refused, attempt));
        }
    };
    let place = Place {
        policy: &loaded.policy,
        version_id: loaded.case.version_id,
        form: &loaded.form,
        parent: loaded.case.parent_id,
        id: loaded.case.id,
    };
    let deed = Deed { at: ground.now, actor: Some(by), what: did, values };
    finish(tx, Some(actor), ground, &place, Some(&loaded.state), &outcome, Some(&deed), 0)?;
    Ok(Done { id: loaded.case.id })
}

/// A regulation in force and the forms of it that a person may open.
pub type Openable = (PolicyVersionId, Arc<Policy>, Vec<Arc<Form>>);

/// The forms an actor may open, as far as that can be told before anything is filled.
pub fn openable(
    conn: &mut store::Conn<'_>,
    actor: &Actor,
    ground: &Ground,
) -> Result<Vec<Openable>, AppError> {
    access::require_unbarred(actor)?;
    let mut all = Vec::new();
    for (version, policy) in policies::in_force(conn, ground.now)? {
        let forms = open_to(conn, actor, ground, &policy)?;
        if !forms.is_empty() {
            all.push((version, policy, forms));
        }
    }
    Ok(all)
}

/// The forms of a regulation that an actor may open, as far as that can be told before anything is filled.
fn open_to(
    conn: &mut store::Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &Policy,
) -> Result<Vec<Arc<Form>>, AppError> {
    let me = actor.person_id.to_string();
    let selves: Vec<String> = selves(actor).iter().map(ToString::to_string).collect();
    with_world(conn, ground, &policy.id, |world| {
        let unit = world.fact(policy::value::Kind::Person, &me, "unit").as_text().map(str::to_owned);
        let may = |form: &&Arc<Form>| {
            let case = policy::case::Case {
                form: form.id.clone(),
                values: vec![Value::Null; form.fields.len()],
                opened_at: ground.now,
                creator: Some(me.clone()),
                owner: Some(me.clone()),
                unit: unit.clone(),
                ..policy::case::Case::default()
            };
            let people = form.by.value(&Env::new(ground.now, world).case(&case).actor(Some(&me))).as_texts();
            // Who may can depend on what is filled.
            people.is_empty() || people.iter().any(|person| selves.contains(person))
        };
        policy.forms.iter().filter(may).cloned().collect()
    })
}

/// Refuses whoever may not open a form that takes names of customers he cannot see: he must not learn from it which
/// there are.
fn require_opener(
    conn: &mut store::Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &Policy,
    form: &Form,
) -> Result<(), AppError> {
    if named::takes_names(form) && open_to(conn, actor, ground, policy)?.iter().all(|one| one.id != form.id) {
        return Err(AppError::Forbidden(text!("你不能填“{}”", form.title.clone())));
    }
    Ok(())
}

/// The form of this name among the regulations in force now.
pub(super) fn form_in_force(
    tx: &mut store::Conn<'_>,
    ground: &Ground,
    form: &str,
) -> Result<(PolicyVersionId, Arc<Policy>, Arc<Form>), AppError> {
    for (id, policy) in policies::in_force(tx, ground.now)? {
        if let Some(found) = policy.form(form).cloned() {
            return Ok((id, policy, found));
        }
    }
    Err(AppError::NotFound)
}

fn read(ground: &Ground, form: &Form, values: &Map<String, Json>) -> Result<Vec<(usize, Value)>, AppError> {
    let local = |text: &str| {
        ground.zone.parse(text).or_else(|| text.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond()))
    };
    read_values(form, values, &local).map_err(|refused| AppError::Invalid(fields(&refused)))
}

/// Whoever names a record must be able to: customers and what hangs on them, and cases, that he may read, people and
/// units that exist, files of this case or that he has just sent; these belong to the case from now on.
fn require_records(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    form: &Form,
    (values, named): (&[(usize, Value)], &[usize]),
    case: CaseId,
) -> Result<(), AppError> {
    use policy::value::{Kind, Ty};
    let mut errors = Vec::new();
    // What was named by number or whole name is known to be there.
    for (place, value) in values.iter().filter(|(place, _)| !named.contains(place)) {
        let Some(field) = form.fields.get(*place) else { continue };
        let kind = match &field.ty {
            Ty::Ref(kind) => *kind,
            Ty::List(of) => match &**of {
                Ty::Ref(kind) => *kind,
                _ => continue,
            },
            _ => continue,
        };
        for id in value.as_texts() {
            let wrong = match kind {
                Kind::Customer => {
                    let id: Option<CustomerId> = id.parse().ok();
                    match id {
                        Some(id) => customers::load_for(tx, actor, Object::Customer, Verb::Read, id).err(),
                        None => Some(AppError::NotFound),
                    }
                }
                Kind::Person => exists(tx, "people", &id)?,
                Kind::Unit => exists(tx, "units", &id)?,
                Kind::Contact => match id.parse() {
                    Ok(id) => contacts::load(tx, actor, Verb::Read, id).err(),
                    Err(_) => Some(AppError::NotFound),
                },
                Kind::Asset => match id.parse() {
                    Ok(id) => assets::load(tx, actor, Verb::Read, id).err(),
                    Err(_) => Some(AppError::NotFound),
                },
                Kind::Case => match id.parse() {
                    Ok(id) => super::load::load(tx, actor, ground, id).err(),
                    Err(_) => Some(AppError::NotFound),
                },
                Kind::File => match id.parse() {
                    Ok(id) if files::keep_with_case(tx, actor, id, case)? => {
                        let is_signature = field.kind == FieldKind::Signature;
                        (is_signature && !files::is_picture(tx, id)?).then(|| {
                            let text = text!("“{}”要在签名板上签，或上传 PNG、JPEG 图片", field.title);
                            AppError::field(&field.id, text)
                        })
                    }
                    _ => Some(AppError::NotFound),
                },
            };
            if let Some(error) = &wrong {
                audit::note_denial(tx, actor, ground.noted_at, error, "/cases");
            }
            match wrong {
                None => {}
                Some(
                    AppError::NotFound
                    | AppError::Hidden { .. }
                    | AppError::Forbidden(_)
                    | AppError::MustSign,
                ) => {
                    let text = text!("“{}”里选的内容不存在或您不能查看", field.title);
                    errors.push(FieldError::new(field.id.clone(), text));
                }
                Some(other) => return Err(other),
            }
        }
    }
    crate::input::refuse(errors)
}

fn exists(tx: &mut Tx<'_>, table: &'static str, id: &str) -> Result<Option<AppError>, AppError> {
    let Ok(id) = id.parse::<PersonId>() else { return Ok(Some(AppError::NotFound)) };
    let found = tx.count(&format!("SELECT COUNT(*) FROM {table} WHERE id = $1"), &[id.into()])?;
    Ok((found == 0).then_some(AppError::NotFound))
}
