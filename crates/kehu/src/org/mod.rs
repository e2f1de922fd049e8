//! People of the company: who signs in, with which role and data scope.

mod people;
pub mod web;

pub use people::{
    NewPerson, Person, PersonChange, add_person, change_person, list_people, load_person, person_names,
    reset_password, set_language, username_key,
};
