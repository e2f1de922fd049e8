//! What a duty is owed by, and where it stands.

use policy::model::{Duty, Every, Evidence};

/// Who owes a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The company once.
    Company,
    /// A unit.
    Unit,
    /// A person.
    Person,
    /// Somebody, about a customer.
    Customer,
}

impl Per {
    /// The name in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Unit => "unit",
            Self::Person => "person",
            Self::Customer => "customer",
        }
    }

    pub(super) fn named(code: &str) -> Self {
        match code {
            "unit" => Self::Unit,
            "person" => Self::Person,
            "customer" => Self::Customer,
            _ => Self::Company,
        }
    }

    pub(super) fn of(duty: &Duty) -> Self {
        match duty.per {
            policy::model::Per::Company => Self::Company,
            policy::model::Per::Unit => Self::Unit,
            policy::model::Per::Person => Self::Person,
            policy::model::Per::Customer => Self::Customer,
        }
    }
}

/// Where what is owed stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is to be done.
    #[default]
    Open,
    /// It was done in time.
    Done,
    /// It was done after it was due.
    Late,
    /// It was not done when it was due, and is not yet.
    Missed,
}

impl Standing {
    /// The name in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Late => "late",
            Self::Missed => "missed",
        }
    }

    pub(super) fn named(code: &str) -> Self {
        match code {
            "done" => Self::Done,
            "late" => Self::Late,
            "missed" => Self::Missed,
            _ => Self::Open,
        }
    }

    /// What people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => "待完成",
            Self::Done => "按期完成",
            Self::Late => "逾期完成",
            Self::Missed => "已逾期",
        }
    }
}

/// What proves a duty, as it is stored: `form:visit`, or the name of an event.
pub(super) fn evidence_code(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Form(form) => format!("form:{form}"),
        Evidence::Event(event) => event.clone(),
    }
}

/// The period of this word.
pub(super) fn every_named(code: &str) -> Option<Every> {
    Every::ALL.iter().find(|(word, _)| *word == code).map(|(_, every)| *every)
}

/// The word of the format for a period.
pub(super) fn every_code(every: Every) -> &'static str {
    Every::ALL.iter().find(|(_, known)| *known == every).map_or("", |(word, _)| word)
}
