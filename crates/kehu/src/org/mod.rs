//! The organisation: units, posts, people, their roles, and what is granted on single records.

mod directory;
mod people;
pub mod web;

pub use directory::{
    MOST_GRANTS, Records, epoch, is_excluded, load_parts, load_records, load_roles, main_unit, rights_changed,
};
pub use people::{
    NewPerson, Person, PersonChange, add_person, change_person, list_people, load_person, person_names,
    reset_password, set_language, username_key,
};
pub(crate) use people::{hold_administrators, keep_an_administrator};
