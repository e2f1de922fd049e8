//! What the application would tell, for examples.

use policy::expr::Vocabulary;
use policy::value::{Kind, Ty};

pub fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let facts = |all: &[(&str, Ty)]| {
        all.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect::<Vec<_>>()
    };
    let (person, unit, customer) = (Ty::Ref(Kind::Person), Ty::Ref(Kind::Unit), Ty::Ref(Kind::Customer));
    vocabulary.facts.insert(
        Kind::Person,
        facts(&[
            ("name", Ty::Text),
            ("unit", unit.clone()),
            ("superior", person.clone()),
            ("posts", Ty::list(Ty::Text)),
            ("skills", Ty::list(Ty::Text)),
            ("active", Ty::Bool),
        ]),
    );
    vocabulary.facts.insert(
        Kind::Unit,
        facts(&[("name", Ty::Text), ("parent", unit.clone()), ("head", person.clone()), ("kind", Ty::Text)]),
    );
    vocabulary.facts.insert(
        Kind::Customer,
        facts(&[
            ("name", Ty::Text),
            ("number", Ty::Text),
            ("kind", Ty::Text),
            ("class", Ty::Text),
            ("level", Ty::Text),
            ("region", Ty::Text),
            ("status", Ty::Text),
            ("owner", person.clone()),
            ("unit", unit.clone()),
            ("created_at", Ty::Time),
            ("archive_number", Ty::Text),
            ("filed_at", Ty::Time),
            ("marks", Ty::list(Ty::Text)),
        ]),
    );
    vocabulary.facts.insert(
        Kind::Asset,
        facts(&[("name", Ty::Text), ("kind", Ty::Text), ("customer", customer.clone())]),
    );
    vocabulary.facts.insert(Kind::Contact, facts(&[("name", Ty::Text), ("customer", customer.clone())]));
    vocabulary.facts.insert(
        Kind::Case,
        facts(&[
            ("number", Ty::Text),
            ("step", Ty::Text),
            ("outcome", Ty::Text),
            ("owner", person.clone()),
            ("creator", person.clone()),
            ("unit", unit.clone()),
            ("customer", customer.clone()),
            ("opened_at", Ty::Time),
            ("closed_at", Ty::Time),
            ("is_open", Ty::Bool),
        ]),
    );
    let mut event =
        |name: &str, all: &[(&str, Ty)]| drop(vocabulary.events.insert(name.to_owned(), facts(all)));
    let on_customer = [
        ("customer", customer.clone()),
        ("actor", person.clone()),
        ("owner", person.clone()),
        ("unit", unit.clone()),
    ];
    event("customer.created", &on_customer);
    event("customer.updated", &on_customer);
    event(
        "customer.owner_changed",
        &[
            ("customer", customer.clone()),
            ("actor", person.clone()),
            ("from", person.clone()),
            ("to", person.clone()),
            ("unit", unit.clone()),
        ],
    );
    event("contact.created", &on_customer);
    event(
        "activity.created",
        &[
            ("customer", customer.clone()),
            ("actor", person.clone()),
            ("kind", Ty::Text),
            ("owner", person.clone()),
            ("unit", unit.clone()),
            ("at", Ty::Time),
        ],
    );
    event("person.left", &[("person", person.clone()), ("unit", unit.clone())]);
    event("person.transferred", &[("person", person.clone()), ("unit", unit.clone())]);
    event(
        "customer.handed_over",
        &[("customer", customer.clone()), ("from", person.clone()), ("to", person.clone()), ("unit", unit)],
    );
    vocabulary
}
