//! What a step of the engine did, and why it refused.

use crate::model::Measure;
use crate::value::{Millis, Value};

/// What follows from something that happened to a case. The application stores effects in the transaction of the event.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The case was opened.
    Opened,
    /// A penalty whose amount cannot be reckoned, so that none was proposed: the administrators of policies are told.
    Uncounted {
        /// What it is called.
        title: String,
        /// The clause.
        clause: String,
    },
    /// A field has another value, by its place.
    Changed {
        /// The field.
        field: usize,
        /// Before.
        from: Value,
        /// After.
        to: Value,
    },
    /// An action was done.
    Did {
        /// Which.
        action: String,
        /// For whom, if a delegate did it.
        on_behalf_of: Option<String>,
        /// The clause.
        clause: String,
    },
    /// The case came to a step.
    Entered {
        /// Which.
        step: String,
        /// The clause.
        clause: String,
    },
    /// Who has to act from now on; whoever had to before has not any more. Nobody when the case waits or ended.
    Tasks {
        /// The step.
        step: String,
        /// Who.
        people: Vec<String>,
        /// The clause.
        clause: String,
    },
    /// Nobody could be found; the administrators of policies have to act.
    Nobody {
        /// The step.
        step: String,
        /// Why, where it can be told: the unit in which they are looked for is not known.
        why: Option<String>,
        /// The clause.
        clause: String,
    },
    /// An approver decided.
    Decided {
        /// Whose seat.
        seat: String,
        /// Yes or no.
        verdict: bool,
        /// What he said.
        comment: String,
        /// Nobody decided: the time was up, or he had agreed before.
        by_rule: bool,
    },
    /// Something else happened in an approval: returned, added, reassigned, withdrawn, recused.
    Moved {
        /// What, in Chinese.
        what: &'static str,
        /// Whom it concerns.
        people: Vec<String>,
        /// What was said.
        comment: String,
    },
    /// Somebody asked for speed.
    Urged {
        /// Whom.
        people: Vec<String>,
        /// What was said.
        comment: String,
    },
    /// A deadline runs, or runs otherwise than before.
    Due {
        /// Which.
        deadline: String,
        /// From.
        from: Millis,
        /// Until, this instant included.
        due: Millis,
        /// The clause.
        clause: String,
    },
    /// A deadline does not apply any more.
    Dropped {
        /// Which.
        deadline: String,
    },
    /// A deadline was met, in time or late.
    Met {
        /// Which.
        deadline: String,
        /// When.
        at: Millis,
        /// In time.
        in_time: bool,
        /// The clause.
        clause: String,
    },
    /// A deadline stands still, or runs again.
    Paused {
        /// Which.
        deadline: String,
        /// Stands still.
        paused: bool,
    },
    /// A deadline comes near.
    Warned {
        /// Which.
        deadline: String,
        /// Who is told.
        people: Vec<String>,
        /// The clause.
        clause: String,
    },
    /// A deadline passed.
    Breached {
        /// Which.
        deadline: String,
        /// Who is told.
        people: Vec<String>,
        /// The clause.
        clause: String,
    },
    /// It is still not done: the next rung of the ladder.
    Escalated {
        /// Which.
        deadline: String,
        /// The rung, from 1.
        rung: usize,
        /// Who is told.
        people: Vec<String>,
        /// The clause.
        clause: String,
    },
    /// A mark was set.
    Marked {
        /// Which.
        mark: String,
        /// What it is called.
        title: String,
    },
    /// People get a text.
    Notice {
        /// Which notice.
        notice: String,
        /// Who.
        people: Vec<String>,
        /// The text.
        text: String,
        /// The clause.
        clause: Option<String>,
    },
    /// People get a copy.
    Copied {
        /// Who.
        people: Vec<String>,
        /// The clause.
        clause: String,
    },
    /// A penalty is proposed.
    Penalty {
        /// Which.
        penalty: String,
        /// Whom it hits.
        whom: String,
        /// Cents, or hundredths of a point.
        amount: i64,
        /// In what.
        measure: Measure,
        /// How many.
        count: i64,
        /// The factor of doubling.
        factor: f64,
        /// Which one of the person's in this month, or which repetition.
        times: i64,
        /// Who confirms it.
        confirm_by: Vec<String>,
        /// Until when it may be appealed.
        appeal_until: Option<Millis>,
        /// The clause.
        clause: String,
    },
    /// A case of another form is to be opened.
    Open {
        /// The form.
        form: String,
        /// Its first values, by field.
        values: Vec<(String, Value)>,
    },
    /// An event for others.
    Emitted {
        /// Its name.
        event: String,
    },
    /// The case ended.
    Closed {
        /// How.
        outcome: String,
    },
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The case has ended.
    Closed,
    /// The case is not at that step, or the button is not there now.
    NotNow,
    /// He is not the one who may.
    NotYours,
    /// Something is missing or wrong; the fields say what.
    Fields,
    /// A clause forbids it.
    Clause,
    /// There is no such thing.
    Unknown,
}

/// A refusal, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What kind.
    pub why: Why,
    /// What is wrong and what to do, in Chinese.
    pub text: String,
    /// The clause that refuses.
    pub clause: Option<String>,
    /// The refusal of the policy.
    pub refusal: Option<String>,
    /// Fields and what is wrong with each.
    pub fields: Vec<(String, String)>,
    /// Who may exempt.
    pub exempt_by: Box<[String]>,
}

impl Refused {
    pub(super) fn new(why: Why, text: impl Into<String>) -> Self {
        Self {
            why,
            text: text.into(),
            clause: None,
            refusal: None,
            fields: Vec::new(),
            exempt_by: Box::default(),
        }
    }
}
