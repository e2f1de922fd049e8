//! What the application tells regulations (`policies/vocabulary.rs` there), for examples and tests.

use policy::expr::{Facts, Vocabulary};
use policy::value::{Kind, Ty};

const PERSON: Ty = Ty::Ref(Kind::Person);
const UNIT: Ty = Ty::Ref(Kind::Unit);
const CUSTOMER: Ty = Ty::Ref(Kind::Customer);

fn named(all: &[(&str, Ty)]) -> Facts {
    all.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect()
}

fn facts_of(kind: Kind) -> Facts {
    named(&match kind {
        Kind::Person => vec![
            ("name", Ty::Text),
            ("unit", UNIT),
            ("superior", PERSON),
            ("posts", Ty::list(Ty::Text)),
            ("skills", Ty::list(Ty::Text)),
            ("active", Ty::Bool),
        ],
        Kind::Unit => vec![("name", Ty::Text), ("parent", UNIT), ("head", PERSON), ("kind", Ty::Text)],
        Kind::Customer => vec![
            ("name", Ty::Text),
            ("number", Ty::Text),
            ("kind", Ty::Text),
            ("class", Ty::Text),
            ("level", Ty::Text),
            ("region", Ty::Text),
            ("owner", PERSON),
            ("unit", UNIT),
            ("created_at", Ty::Time),
        ],
        Kind::Contact => vec![("name", Ty::Text), ("customer", CUSTOMER)],
        Kind::Asset => vec![("name", Ty::Text), ("kind", Ty::Text), ("customer", CUSTOMER)],
        Kind::Case => vec![
            ("number", Ty::Text),
            ("step", Ty::Text),
            ("outcome", Ty::Text),
            ("owner", PERSON),
            ("creator", PERSON),
            ("unit", UNIT),
            ("customer", CUSTOMER),
            ("opened_at", Ty::Time),
            ("closed_at", Ty::Time),
            ("is_open", Ty::Bool),
        ],
        Kind::File => vec![("name", Ty::Text)],
    })
}

fn event(name: &str) -> Facts {
    let mut facts: Vec<(&str, Ty)> = vec![("actor", PERSON), ("at", Ty::Time)];
    match name {
        "person.left" | "person.transferred" => facts.extend([("person", PERSON), ("unit", UNIT)]),
        _ => facts.extend([("customer", CUSTOMER), ("owner", PERSON), ("unit", UNIT)]),
    }
    match name {
        "customer.owner_changed" => facts.extend([("from", PERSON), ("to", PERSON)]),
        // `unit` is the one he was in, where he was in one.
        "person.transferred" => facts.extend([("from_unit", UNIT), ("to_unit", UNIT)]),
        "activity.created" => {
            facts.extend([("kind", Ty::Text), ("subject", Ty::Text), ("happened_at", Ty::Time)])
        }
        _ => {}
    }
    named(&facts)
}

pub fn vocabulary() -> Vocabulary {
    let kinds =
        [Kind::Person, Kind::Unit, Kind::Customer, Kind::Contact, Kind::Asset, Kind::Case, Kind::File];
    let events = [
        "customer.created",
        "customer.updated",
        "customer.owner_changed",
        "customer.deleted",
        "customer.restored",
        "contact.created",
        "activity.created",
        "person.left",
        "person.transferred",
    ];
    Vocabulary {
        facts: kinds.into_iter().map(|kind| (kind, facts_of(kind))).collect(),
        events: events.into_iter().map(|name| (name.to_owned(), event(name))).collect(),
        posts: Vec::new(),
    }
}
