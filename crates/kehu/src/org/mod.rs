//! The organisation: units, posts, people, their roles, and what is granted on single records.

mod directory;
mod flows;
mod gained;
mod import;
mod moving;
mod own;
mod people;
mod positions;
mod units;
mod uses;
pub mod web;

pub use directory::{
    HANDLERS, HandlerRules, MOST_GRANTS, Records, epoch, is_excluded, load_parts, load_records, load_roles,
    main_unit, rights_changed,
};
pub use flows::{
    CustomersTo, HandOver, Joining, Leaving, MOST_AT_ONCE, Transfer, cancel_leaving, hand_over, join, leave,
    planned_leaving, transfer,
};
pub use import::{
    Counts, Credential, MOST_ROWS, Refused, Row, Sheet, Table, import, read_table, rehearse, template,
};
pub use moving::{Moving, customers_of_unit, move_customers, moving_customers};
pub use people::{
    NewPerson, Person, PersonChange, add_person, change_person, check_name, check_username, list_people,
    load_person, person_names, reset_password, set_language, username_key,
};
pub use positions::{
    MOST_POSITIONS, NewPosition, POSTS, PositionChange, PositionRecord, add_position, change_position,
    list_positions, load_position,
};
pub use units::{
    MOST_UNITS, UNIT_KINDS, UnitDraft, UnitRecord, change_unit, close_unit, create_unit, in_tree_order,
    list_units, load_unit, reopen_unit, units_as_of,
};

pub use uses::RoleUses;

use crate::clock::{Millis, Zone};
use crate::jobs::Kind;

/// The kinds of jobs this feature has.
pub const JOBS: &[Kind] = &[flows::KIND, moving::KIND];

/// When something is done: the time, and the day it is then in the company's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: Millis,
    /// The day, `YYYY-MM-DD`.
    pub today: String,
    zone: Zone,
}

impl Moment {
    /// This time in this zone.
    pub fn new(now: Millis, zone: &Zone) -> Self {
        Self { now, today: zone.date(now).to_string(), zone: zone.clone() }
    }

    /// The day.
    pub fn today(&self) -> &str {
        &self.today
    }

    /// The company's zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// When the day after this one begins; now for what is no day.
    pub fn end_of(&self, day: &str) -> Millis {
        day.parse().map_or(self.now, |day| self.zone.day(day).1)
    }
}
pub(crate) use own::{administrators, mark, require_another};
pub(crate) use people::{hold_administrators, keep_an_administrator};
pub(crate) use uses::write_uses;
