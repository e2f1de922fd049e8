//! Refusals: what a person is answered, and the row that lasts though what he did is taken back.

use policy::Policy;
use policy::engine::{Refused, Why};
use store::Tx;

use super::world::Ground;
use crate::access::Actor;
use crate::error::{AppError, FieldError};
use crate::i18n::Text;
use crate::ids::{CaseId, CustomerId, RefusalId, UnitId};

/// What somebody was about to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempt {
    /// In words: `请假单：销假`.
    pub what: String,
    /// The case; `None` when it was about to be opened.
    pub case: Option<CaseId>,
    /// The customer it is about.
    pub customer: Option<CustomerId>,
}

impl Attempt {
    /// On a case that exists.
    pub(super) fn on(case: CaseId, customer: Option<CustomerId>, what: String) -> Self {
        Self { what, case: Some(case), customer }
    }
}

/// `refuse_with`, and where a clause forbade it to a person, the refusal is counted: in a transaction of its own, since
/// this one is taken back.
pub(super) fn refuse(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &Policy,
    refused: Refused,
    attempt: Attempt,
) -> AppError {
    if refused.why == Why::Clause {
        count(tx, actor, ground, policy, &refused, attempt);
    }
    refuse_with(ground, policy, refused)
}

fn count(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &Policy,
    refused: &Refused,
    attempt: Attempt,
) {
    let (person, at) = (actor.person_id, ground.noted_at);
    let unit: Option<UnitId> = ground.directory.main_unit(person, &ground.day);
    let policy = policy.id.clone();
    let (refusal, clause) =
        (refused.refusal.clone().unwrap_or_default(), refused.clause.clone().unwrap_or_default());
    let what: String = attempt.what.chars().take(200).collect();
    let id = RefusalId::new();
    tx.lasting(move |tx| {
        tx.exec(
            "INSERT INTO refusals (id, policy, refusal, clause, person_id, unit_id, subject_id, is_case, customer_id,
               what, at)
             VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
            &[
                id.into(),
                (&policy).into(),
                (&refusal).into(),
                (&clause).into(),
                person.into(),
                unit.into(),
                attempt.case.map_or(0, |case| case.0).into(),
                attempt.case.is_some().into(),
                attempt.customer.into(),
                (&what).into(),
                at.into(),
            ],
        )
        .map(drop)
    });
}

fn both(text: &str) -> Text {
    Text::Both(text.to_owned(), text.to_owned())
}

/// Fields and what is wrong with each.
pub(super) fn fields(refused: &Refused) -> Vec<FieldError> {
    refused.fields.iter().map(|(field, text)| FieldError::new(field.clone(), both(text))).collect()
}

/// A refusal of the engine as an answer to a person: what is wrong, which clause says so, who may exempt.
pub(super) fn refuse_with(ground: &Ground, policy: &Policy, refused: Refused) -> AppError {
    match refused.why {
        Why::Fields => AppError::Invalid(fields(&refused)),
        Why::NotYours => AppError::Forbidden(both(&refused.text)),
        Why::Closed | Why::NotNow => AppError::Conflict(both(&refused.text)),
        Why::Unknown => AppError::NotFound,
        Why::Clause => {
            let mut text = refused.text.clone();
            if let Some(clause) = &refused.clause {
                text.push_str(&format!("（《{}》{clause}）", policy.title));
            }
            let names: Vec<String> = refused
                .exempt_by
                .iter()
                .filter_map(|id| ground.directory.member(id.parse().ok()?).map(|member| member.name.clone()))
                .take(3)
                .collect();
            if !names.is_empty() {
                text.push_str(&format!("；可由{}豁免", names.join("、")));
            }
            AppError::Conflict(both(&text))
        }
    }
}
