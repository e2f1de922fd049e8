//! Penalties a regulation proposes: stored with those who decide on them, who are told, as is whoever is hit. What
//! becomes of them afterwards is the business of `penalties`.

use policy::engine::Effect;
use policy::model::{Measure, Policy};
use store::{Tx, Value as Sql};

use super::world::{Ground, with_world};
use crate::access::Actor;
use crate::clock::{Millis, month_of};
use crate::error::AppError;
use crate::events;
use crate::ids::{CaseId, CustomerId, PenaltyId, PersonId};
use crate::notices::{self, Tell};

/// Stands among those who decide on a penalty for the administrators, where the regulation names nobody who may.
pub const ADMINISTRATORS: PersonId = PersonId(0);

/// What is said of a penalty, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct PenaltyOf<'a> {
    /// The penalty.
    pub id: PenaltyId,
    /// The case it comes from.
    pub case_id: CaseId,
    /// The regulation.
    pub policy: &'a str,
    /// The clause.
    pub clause: &'a str,
}

impl PenaltyOf<'_> {
    /// Tells people something about it; the administrators, where they are meant.
    pub fn tell(
        &self,
        tx: &mut Tx<'_>,
        ground: &Ground,
        people: &[PersonId],
        except: PersonId,
        text: &str,
    ) -> Result<(), AppError> {
        let mut told: Vec<PersonId> = Vec::new();
        for person in people {
            if *person == ADMINISTRATORS {
                let all = with_world(tx, ground, self.policy, |world| world.administrators())?;
                told.extend(all.iter().filter_map(|person| person.parse::<PersonId>().ok()));
            } else {
                told.push(*person);
            }
        }
        told.retain(|person| *person != except);
        told.sort_unstable();
        told.dedup();
        let words = Tell {
            kind: "penalty",
            text,
            clause: self.clause,
            policy: self.policy,
            case_id: Some(self.case_id),
            penalty_id: Some(self.id),
        };
        notices::tell(tx, ground.noted_at, told.into_iter().map(|person| (person, words)))?;
        Ok(())
    }

    /// A line in the trail of its case.
    pub fn note(&self, tx: &mut Tx<'_>, actor: &Actor, now: Millis, text: &str) -> store::Result<()> {
        tx.exec(
            "INSERT INTO case_trail (id, case_id, at, actor_id, kind, text, clause)
             VALUES ($1,$2,$3,$4,'penalty',$5,$6)",
            &[
                store::new_id().into(),
                self.case_id.into(),
                now.into(),
                actor.person_id.into(),
                text.into(),
                self.clause.into(),
            ],
        )
        .map(drop)
    }
}

/// Stores the penalties among the effects of what happened to a case, and tells those who decide on them and those they
/// hit. Whoever is hit never decides: where the regulation names nobody else, the administrators do.
pub(super) fn propose(
    tx: &mut Tx<'_>,
    by: PersonId,
    ground: &Ground,
    policy: &Policy,
    (case_id, customer, about): (CaseId, Option<CustomerId>, &str),
    effects: &[Effect],
) -> Result<(), AppError> {
    for effect in effects {
        let Effect::Penalty {
            penalty,
            whom,
            amount,
            measure,
            count,
            factor,
            times,
            confirm_by,
            appeal_until,
            clause,
        } = effect
        else {
            continue;
        };
        let (Ok(person), Some(of)) =
            (whom.parse::<PersonId>(), policy.penalties.iter().find(|known| known.id == *penalty))
        else {
            continue;
        };
        let id = PenaltyId::new();
        let code = if *measure == Measure::Money { "money" } else { "points" };
        tx.exec(
            "INSERT INTO penalties (id, policy, penalty, title, clause, person_id, case_id, at, month, measure, amount,
               count, factor, times, appeal_until)
             VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)",
            &[
                id.into(),
                (&policy.id).into(),
                penalty.into(),
                (&of.title).into(),
                clause.into(),
                person.into(),
                case_id.into(),
                ground.now.into(),
                (&month_of(ground.now)).into(),
                code.into(),
                (*amount).into(),
                (*count).into(),
                (*factor).into(),
                (*times).into(),
                (*appeal_until).into(),
            ],
        )?;
        let mut deciders: Vec<PersonId> = confirm_by.iter().filter_map(|id| id.parse().ok()).collect();
        deciders.retain(|decider| *decider != person);
        deciders.sort_unstable();
        deciders.dedup();
        if deciders.is_empty() {
            deciders.push(ADMINISTRATORS);
        }
        let rows: Vec<Vec<Sql<'_>>> =
            deciders.iter().map(|decider| vec![id.into(), (*decider).into(), true.into()]).collect();
        tx.insert_rows("INSERT INTO penalty_people (penalty_id, person_id, waits)", &rows, "")?;
        let (title, amount) = (&of.title, measure.in_chinese(*amount));
        let name = ground.directory.member(person).map_or("", |member| member.name.as_str());
        let this = PenaltyOf { id, case_id, policy: &policy.id, clause };
        let text = format!("{about}：{name}“{title}” {amount}，等您确认");
        this.tell(tx, ground, &deciders, person, &text)?;
        let appeal = appeal_until.map_or_else(String::new, |until| {
            format!("。如有异议，最迟 {} 提出申诉", ground.zone.minute(until))
        });
        let text = format!("{about}：拟按“{title}”处罚您 {amount}{appeal}");
        this.tell(tx, ground, &[person], ADMINISTRATORS, &text)?;
        let customer = customer.map_or(0, |customer| customer.0);
        events::emit_by(tx, by, ground.noted_at, "penalty.proposed", "penalty", id.0, customer)?;
    }
    Ok(())
}
