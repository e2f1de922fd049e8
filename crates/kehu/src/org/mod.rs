//! The organisation: units, posts, people, their roles, and what is granted on single records.

mod directory;
mod people;
pub mod web;

pub use directory::{
    MOST_GRANTS, Records, epoch, load_parts, load_records, load_roles, main_unit, rights_changed,
};
pub use people::{
    NewPerson, Person, PersonChange, add_person, change_person, check_name, check_username, list_people,
    load_person, person_names, reset_password, set_language, username_key,
};
