//! A penalty as it stands, and what may be done with it: pure rules.

use policy::model::Measure;
use serde_json::{Value as Json, json};

use crate::access::Actor;
use crate::cases::{ADMINISTRATORS, PenaltyOf};
use crate::clock::{Millis, rfc3339};
use crate::ids::{CaseId, CustomerId, PenaltyId, PersonId};

/// Where a penalty stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The regulation proposes it; nobody has confirmed it.
    Proposed,
    /// Whoever it hits appealed, and nobody has decided on that.
    Appealed,
    /// Confirmed.
    Confirmed,
    /// Cancelled, or taken back after an appeal.
    Cancelled,
}

impl State {
    /// All of them, in the order they follow each other.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Appealed, Self::Confirmed, Self::Cancelled];

    /// In addresses and in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Appealed => "appealed",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }

    /// In a word (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Proposed => "待确认",
            Self::Appealed => "申诉中",
            Self::Confirmed => "已确认",
            Self::Cancelled => "已撤销",
        }
    }

    /// The colour of its tag.
    pub fn colour(self) -> &'static str {
        match self {
            Self::Proposed => "amber",
            Self::Appealed => "plum",
            Self::Confirmed => "red",
            Self::Cancelled => "",
        }
    }

    /// The state of this code.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// What somebody may do with a penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Confirm it.
    Confirm,
    /// Cancel it.
    Cancel,
    /// Appeal against it.
    Appeal,
    /// Decide on the appeal.
    DecideAppeal,
}

impl Act {
    /// In the API: the last part of its address.
    pub fn code(self) -> &'static str {
        match self {
            Self::Confirm => "confirmation",
            Self::Cancel => "cancellation",
            Self::Appeal => "appeal",
            Self::DecideAppeal => "appeal-decision",
        }
    }
}

/// What is decided on an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The penalty stands, and is confirmed.
    Upheld,
    /// It is taken back.
    Withdrawn,
}

impl Decision {
    /// In the database and in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Upheld => "upheld",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The decision of this code.
    pub fn named(code: &str) -> Option<Self> {
        [Self::Upheld, Self::Withdrawn].into_iter().find(|decision| decision.code() == code)
    }
}

/// An appeal by whoever the penalty hits.
#[derive(Clone, Debug)]
pub struct Appeal {
    /// When.
    pub at: Millis,
    /// Why.
    pub reason: String,
    /// What was decided; `None` until then.
    pub decision: Option<Decision>,
    /// By whom.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Millis>,
    /// In his words.
    pub note: String,
}

/// A penalty.
#[derive(Clone, Debug)]
pub struct Penalty {
    /// Its id.
    pub id: PenaltyId,
    /// Its regulation's short name.
    pub policy: String,
    /// Its name in the regulation.
    pub penalty: String,
    /// What people call it.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// Whom it hits.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// The case it comes from.
    pub case_id: CaseId,
    /// Number and subject of the case, for whoever may read it.
    pub case: Option<(String, String)>,
    /// The customer of the case, for the log.
    pub customer_id: Option<CustomerId>,
    /// When it came.
    pub at: Millis,
    /// The month it counts for, `2026-09`.
    pub month: String,
    /// In what it is counted.
    pub measure: Measure,
    /// Cents, or hundredths of a point: all of it.
    pub amount: i64,
    /// For how many.
    pub count: i64,
    /// The factor of doubling.
    pub factor: f64,
    /// Which one of the person's in its month, or which repetition.
    pub times: i64,
    /// Until when, that instant included, it may be appealed; `None` when the regulation knows no appeal.
    pub appeal_until: Option<Millis>,
    /// Whether it was confirmed, cancelled, or neither, appeals apart.
    pub decided: State,
    /// Who confirmed or cancelled it.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Millis>,
    /// What he said.
    pub note: String,
    /// The appeal.
    pub appeal: Option<Appeal>,
    /// Counts what happened to it.
    pub version: i64,
    /// Who decides on it; [`ADMINISTRATORS`] among them stands for these.
    pub deciders: Vec<PersonId>,
}

impl Penalty {
    /// Where it stands.
    pub fn state(&self) -> State {
        match &self.appeal {
            Some(appeal) if appeal.decision.is_none() => State::Appealed,
            _ => self.decided,
        }
    }

    /// Whether it stands for good: confirmed, and no appeal is open or can still come.
    pub fn is_final(&self, now: Millis) -> bool {
        let is_over = match &self.appeal {
            Some(appeal) => appeal.decision.is_some(),
            None => self.appeal_until.is_none_or(|until| until < now),
        };
        self.decided == State::Confirmed && is_over
    }

    /// The amount in words: `50.00 元`, `2 分`.
    pub fn amount(&self) -> String {
        self.measure.in_chinese(self.amount)
    }

    /// The amount for one, once; `None` where rounding does not let it be told.
    pub fn base(&self) -> Option<i64> {
        let of = self.count as f64 * self.factor;
        let base = (self.amount as f64 / of).round();
        ((base * of).round() == self.amount as f64).then_some(base as i64)
    }

    /// As whom an actor decides on it: himself, or on behalf of one of those who do. Never whoever it hits, nor anybody on
    /// his behalf.
    pub fn decider(&self, actor: &Actor) -> Option<Actor> {
        if actor.person_id == self.person_id {
            return None;
        }
        if actor.is_administrator() || self.deciders.contains(&actor.person_id) {
            return Some(actor.clone());
        }
        let mut others = self.deciders.iter().filter(|person| **person != self.person_id);
        others.find(|person| actor.stands_for(**person)).map(|person| actor.on_behalf_of(*person))
    }

    /// What an actor may do with it at a time.
    pub fn acts(&self, actor: &Actor, now: Millis) -> Vec<Act> {
        let mut acts = Vec::new();
        let decides = self.decider(actor).is_some();
        match self.state() {
            State::Proposed if decides => acts.extend([Act::Confirm, Act::Cancel]),
            State::Appealed if decides => acts.push(Act::DecideAppeal),
            State::Confirmed if decides && actor.is_administrator() => acts.push(Act::Cancel),
            _ => {}
        }
        let in_time = self.appeal_until.is_some_and(|until| now <= until);
        if actor.person_id == self.person_id
            && self.appeal.is_none()
            && in_time
            && self.decided != State::Cancelled
        {
            acts.push(Act::Appeal);
        }
        acts
    }

    /// What notices and the trail need to know of it.
    pub(super) fn of(&self) -> PenaltyOf<'_> {
        PenaltyOf { id: self.id, case_id: self.case_id, policy: &self.policy, clause: &self.clause }
    }

    /// What the log tells of it.
    pub(super) fn facts(&self) -> Json {
        json!({
            "person_id": self.person_id, "title": self.title, "clause": self.clause, "month": self.month,
            "amount": self.amount(), "state": self.state().code(),
        })
    }

    /// As the API sends it to an actor.
    pub fn json(&self, actor: &Actor, now: Millis) -> Json {
        let deciders: Vec<PersonId> =
            self.deciders.iter().copied().filter(|person| *person != ADMINISTRATORS).collect();
        let case = self
            .case
            .as_ref()
            .map(|(number, subject)| json!({ "id": self.case_id, "number": number, "subject": subject }));
        let appeal = self.appeal.as_ref().map(|appeal| {
            json!({
                "at": rfc3339(appeal.at), "reason": appeal.reason,
                "decision": appeal.decision.map(Decision::code), "decided_by": appeal.decided_by,
                "decided_at": appeal.decided_at.map(rfc3339), "note": appeal.note,
            })
        });
        let acts: Vec<&str> = self.acts(actor, now).into_iter().map(Act::code).collect();
        json!({
            "id": self.id, "policy": self.policy, "penalty": self.penalty, "title": self.title,
            "clause": self.clause, "person_id": self.person_id, "person": self.person, "case": case,
            "at": rfc3339(self.at), "month": self.month,
            "measure": measure_code(self.measure), "amount": self.amount, "count": self.count,
            "factor": self.factor, "times": self.times, "state": self.state().code(),
            "is_final": self.is_final(now), "appeal_until": self.appeal_until.map(rfc3339),
            "deciders": deciders, "decided_by": self.decided_by,
            "decided_at": self.decided_at.map(rfc3339), "note": self.note, "appeal": appeal,
            "acts": acts, "version": self.version,
        })
    }
}

/// The name of a measure in the database and in the API.
pub(super) fn measure_code(measure: Measure) -> &'static str {
    match measure {
        Measure::Money => "money",
        Measure::Points => "points",
    }
}

/// The measure of a name.
pub(super) fn measure_named(code: &str) -> Measure {
    if code == "points" { Measure::Points } else { Measure::Money }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ActorFacts, Rights};

    const HIT: PersonId = PersonId(1);
    const HEAD: PersonId = PersonId(2);
    const DELEGATE: PersonId = PersonId(3);

    fn penalty(decided: State) -> Penalty {
        Penalty {
            id: PenaltyId(9),
            policy: "service".into(),
            penalty: "late".into(),
            title: "迟到".into(),
            clause: "1".into(),
            person_id: HIT,
            person: "张三".into(),
            case_id: CaseId(5),
            case: None,
            customer_id: None,
            at: 0,
            month: "2026-09".into(),
            measure: Measure::Money,
            amount: 20_000,
            count: 2,
            factor: 2.0,
            times: 2,
            appeal_until: Some(1_000),
            decided,
            decided_by: None,
            decided_at: None,
            note: String::new(),
            appeal: None,
            version: 1,
            deciders: vec![HEAD],
        }
    }

    fn actor(person_id: PersonId, acts_for: &[PersonId]) -> Actor {
        let mut rights = Rights::default();
        rights.acts_for = acts_for.iter().map(|person| (*person, i64::MAX)).collect();
        let facts = ActorFacts { person_id, rights: rights.into(), ..(*Actor::system()).clone() };
        Actor::new(facts)
    }

    #[test]
    fn the_last_instant_of_an_appeal_is_in_time_and_one_later_the_penalty_is_final() {
        let confirmed = penalty(State::Confirmed);
        let hit = actor(HIT, &[]);
        assert_eq!(confirmed.acts(&hit, 1_000), [Act::Appeal]);
        assert!(!confirmed.is_final(1_000));
        assert_eq!(confirmed.acts(&hit, 1_001), []);
        assert!(confirmed.is_final(1_001));
        assert!(!penalty(State::Proposed).is_final(1_001));
    }

    #[test]
    fn nobody_decides_on_his_own_penalty_nor_through_a_delegate() {
        let of = penalty(State::Proposed);
        assert!(of.decider(&actor(HEAD, &[])).is_some_and(|by| by.acting_for.is_none()));
        assert!(of.decider(&actor(DELEGATE, &[HEAD])).is_some_and(|by| by.acting_for == Some(HEAD)));
        assert!(of.decider(&actor(HIT, &[HEAD])).is_none());
        let own = Penalty { deciders: vec![HIT], ..of };
        assert!(own.decider(&actor(HIT, &[])).is_none() && own.decider(&actor(DELEGATE, &[HIT])).is_none());
        assert!(own.decider(&Actor::system()).is_some(), "administrators always may");
    }

    #[test]
    fn the_amount_for_one_follows_from_the_whole() {
        let of = penalty(State::Proposed);
        assert_eq!((of.base(), of.amount()), (Some(5_000), "200.00 元".to_owned()));
        let odd = Penalty { amount: 101, count: 1, factor: 1.5, ..of };
        assert_eq!(odd.base(), Some(67), "67 × 1.5 is rounded to 101");
        assert_eq!(Penalty { amount: 1, count: 3, factor: 1.0, ..odd }.base(), None);
    }
}
