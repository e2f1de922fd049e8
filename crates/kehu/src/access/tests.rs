use std::collections::BTreeMap;

use super::*;
use crate::ids::{DelegationId, PositionId, RoleId};

const GROUP: UnitId = UnitId(10);
const EAST: UnitId = UnitId(11);
const SHOP: UnitId = UnitId(12);
const WEST: UnitId = UnitId(13);

const BOSS: PersonId = PersonId(1);
const HEAD: PersonId = PersonId(2);
const CLERK: PersonId = PersonId(3);
const OTHER: PersonId = PersonId(4);

const DAY: &str = "2026-09-28";

fn unit(id: UnitId, parent_id: Option<UnitId>, head_id: Option<PersonId>) -> Unit {
    Unit {
        id,
        parent_id,
        kind: "department".into(),
        name: format!("部门{}", id.0),
        code: String::new(),
        head_id,
        position: id.0,
        is_closed: false,
    }
}

fn position(n: i64, person_id: PersonId, unit_id: UnitId, post: &str) -> Position {
    Position {
        id: PositionId(n),
        person_id,
        unit_id,
        post: post.into(),
        is_main: true,
        superior_id: None,
        starts_on: "2026-01-01".into(),
        ends_on: String::new(),
    }
}

fn role(id: i64, grants: &[(Object, Verb, Scope)]) -> Role {
    Role {
        id: RoleId(id),
        code: format!("role{id}"),
        name: format!("角色{id}"),
        note: String::new(),
        is_bundle: false,
        is_builtin: false,
        grants: grants.iter().map(|(o, v, s)| ((*o, *v), s.clone())).collect(),
        fields: BTreeMap::new(),
        version: 1,
    }
}

/// A group with two branches, one of them with a shop; everybody holds a post and the posts bring `roles`.
fn parts(roles: Vec<Role>, posts: &[(&str, i64)]) -> Parts {
    Parts {
        epoch: 1,
        units: vec![
            unit(GROUP, None, Some(BOSS)),
            unit(EAST, Some(GROUP), Some(HEAD)),
            unit(SHOP, Some(EAST), None),
            unit(WEST, Some(GROUP), None),
        ],
        people: [BOSS, HEAD, CLERK, OTHER]
            .map(|id| (id, Member { name: format!("员工{}", id.0), is_active: true }))
            .into(),
        positions: vec![
            position(1, BOSS, GROUP, "boss"),
            position(2, HEAD, EAST, "head"),
            position(3, CLERK, SHOP, "clerk"),
            position(4, OTHER, WEST, "clerk"),
        ],
        delegations: Vec::new(),
        roles,
        post_roles: posts.iter().map(|(post, role)| ((*post).to_owned(), RoleId(*role))).collect(),
        person_roles: Vec::new(),
        register: Register::default(),
    }
}

fn directory(parts: Parts) -> Directory {
    Directory::new(parts, &|_| None)
}

fn actor(rights: Rights, id: PersonId) -> Actor {
    let mut facts = (*Actor::command_line()).clone();
    facts.person_id = id;
    facts.rights = Arc::new(rights);
    Actor::new(facts)
}

fn facts(owner: PersonId, unit: UnitId) -> Facts<'static> {
    Facts { id: 99, owner_id: Some(owner), unit_id: Some(unit), record: None }
}

use Object::{Contact, Customer};
use Verb::{Assign, Delete, Read, Update};

#[test]
fn whoever_owns_nothing_in_reach_does_not_know_other_peoples_customers() {
    let own = role(7, &[(Customer, Read, Scope::Own), (Customer, Update, Scope::Own)]);
    let directory = directory(parts(vec![own], &[("clerk", 7)]));
    let clerk = actor(directory.rights(CLERK, DAY, 0), CLERK);
    for verb in [Read, Update, Delete, Assign] {
        assert_eq!(decide(&clerk, Customer, verb, &facts(OTHER, SHOP)), Decision::Hide);
    }
    let mine = facts(CLERK, WEST);
    assert_eq!(decide(&clerk, Customer, Read, &mine), Decision::Permit);
    assert!(matches!(decide(&clerk, Customer, Delete, &mine), Decision::Refuse(_)));
    // Without a permission on contacts they are not there either.
    assert_eq!(decide(&clerk, Contact, Read, &mine), Decision::Hide);
    assert_eq!(decide(&clerk, Contact, Update, &mine), Decision::Hide);
    let nobody = actor(directory.rights(BOSS, DAY, 0), BOSS);
    assert_eq!(decide(&nobody, Customer, Read, &mine), Decision::Hide);
    assert_eq!(reach_sql(&nobody, Customer, Read), "FALSE");
    let administrator = actor(Rights::everything(), BOSS);
    assert_eq!(decide(&administrator, Customer, Delete, &mine), Decision::Permit);
}

#[test]
fn each_scope_reaches_what_its_name_says() {
    let scopes = [
        (Scope::All, vec![true, true, true, true]),
        (Scope::Units(vec![WEST]), vec![false, false, false, true]),
        (Scope::UnitTree, vec![false, true, true, false]),
        (Scope::Unit, vec![false, true, false, false]),
        (Scope::Team, vec![false, true, true, false]),
        (Scope::Own, vec![false, true, false, false]),
    ];
    // One customer each of the boss, the head, the clerk below him, and the one in the other branch.
    let customers = [(BOSS, GROUP), (HEAD, EAST), (CLERK, SHOP), (OTHER, WEST)];
    for (scope, expected) in scopes {
        let directory = directory(parts(vec![role(7, &[(Customer, Read, scope.clone())])], &[("head", 7)]));
        let head = actor(directory.rights(HEAD, DAY, 0), HEAD);
        let seen: Vec<bool> = customers
            .iter()
            .map(|(owner, unit)| decide(&head, Customer, Read, &facts(*owner, *unit)) == Decision::Permit)
            .collect();
        assert_eq!(seen, expected, "{scope:?}");
    }
}

#[test]
fn a_superior_is_the_named_one_or_the_nearest_head_who_is_somebody_else() {
    let mut with = parts(Vec::new(), &[]);
    assert_eq!(directory(with.clone()).superior(CLERK, DAY), Some(HEAD));
    assert_eq!(directory(with.clone()).superiors(CLERK, DAY), [HEAD, BOSS]);
    assert_eq!(directory(with.clone()).superior(HEAD, DAY), Some(BOSS), "his own unit's head is himself");
    assert_eq!(directory(with.clone()).superior(BOSS, DAY), None);
    assert_eq!(directory(with.clone()).subordinates(BOSS, DAY), [HEAD, CLERK, OTHER]);
    with.positions[2].superior_id = Some(OTHER);
    assert_eq!(directory(with.clone()).superiors(CLERK, DAY), [OTHER, BOSS]);
    assert_eq!(directory(with.clone()).subordinates(OTHER, DAY), [CLERK]);
    // A ring of superiors ends where it began.
    with.positions[3].superior_id = Some(CLERK);
    assert_eq!(directory(with.clone()).superiors(CLERK, DAY), [OTHER]);
    assert_eq!(directory(with.clone()).subordinates(CLERK, DAY), [OTHER]);
    // Who has left is nobody's superior.
    with.people[1].1.is_active = false;
    with.positions[2].superior_id = None;
    assert_eq!(directory(with).superior(CLERK, DAY), Some(BOSS));
}

#[test]
fn a_post_counts_from_its_first_to_its_last_day() {
    let mut with = parts(vec![role(7, &[(Customer, Read, Scope::Unit)])], &[("clerk", 7)]);
    with.positions[2].starts_on = "2026-09-28".into();
    with.positions[2].ends_on = "2026-09-30".into();
    let directory = directory(with);
    let sees = |day: &str| {
        let clerk = actor(directory.rights(CLERK, day, 0), CLERK);
        decide(&clerk, Customer, Read, &facts(OTHER, SHOP)) == Decision::Permit
    };
    assert_eq!(
        ["2026-09-27", "2026-09-28", "2026-09-30", "2026-10-01"].map(sees),
        [false, true, true, false]
    );
}

#[test]
fn a_delegate_has_the_rights_of_whom_he_acts_for_while_it_lasts() {
    let mut with = parts(
        vec![role(7, &[(Customer, Read, Scope::UnitTree)]), role(8, &[(Customer, Read, Scope::Own)])],
        &[("head", 7), ("clerk", 8)],
    );
    with.delegations.push(Delegation {
        id: DelegationId(1),
        from_id: HEAD,
        to_id: OTHER,
        starts_at: 1_000,
        ends_at: 2_000,
    });
    // What he was lent himself is not lent on.
    with.delegations.push(Delegation {
        id: DelegationId(2),
        from_id: OTHER,
        to_id: BOSS,
        starts_at: 0,
        ends_at: 9_000,
    });
    let directory = directory(with);
    let sees = |person: PersonId, now: i64| {
        let acting = actor(directory.rights(person, DAY, now), person);
        decide(&acting, Customer, Read, &facts(CLERK, SHOP)) == Decision::Permit
    };
    assert_eq!([999, 1_000, 1_999, 2_000].map(|now| sees(OTHER, now)), [false, true, true, false]);
    assert!(!sees(BOSS, 1_500));
    assert_eq!(directory.delegates(HEAD, 1_500), [OTHER]);
}

#[test]
fn administration_is_never_lent() {
    let mut administrator = role(1, &[]);
    administrator.is_builtin = true;
    let mut with = parts(vec![administrator], &[]);
    with.person_roles.push(DirectRole {
        person_id: BOSS,
        role_id: ADMINISTRATOR_ID,
        unit_id: None,
        ends_on: String::new(),
    });
    with.delegations.push(Delegation {
        id: DelegationId(1),
        from_id: BOSS,
        to_id: CLERK,
        starts_at: 0,
        ends_at: 10,
    });
    let directory = directory(with);
    assert!(directory.rights(BOSS, DAY, 5).is_administrator);
    assert!(!directory.rights(CLERK, DAY, 5).is_administrator);
}

#[test]
fn of_several_roles_the_widest_rule_counts_where_the_role_reaches() {
    let mut narrow = role(7, &[(Customer, Read, Scope::All)]);
    narrow.fields.insert((Customer, "phone".into()), FieldRule::Masked);
    narrow.fields.insert((Customer, "id_number".into()), FieldRule::Hidden);
    let mut own = role(8, &[(Customer, Read, Scope::Own)]);
    own.fields.insert((Customer, "id_number".into()), FieldRule::Read);
    let mut with = parts(vec![narrow, own], &[("clerk", 7)]);
    with.person_roles.push(DirectRole {
        person_id: CLERK,
        role_id: RoleId(8),
        unit_id: None,
        ends_on: DAY.into(),
    });
    let directory = directory(with);
    let rights = directory.rights(CLERK, DAY, 0);
    let (mine, other) = (facts(CLERK, SHOP), facts(OTHER, WEST));
    let rule = |facts: &Facts<'_>, field: &str| rights.fields(Customer, facts).rule(field);
    assert_eq!(rule(&mine, "phone"), FieldRule::Edit);
    assert_eq!(rule(&mine, "id_number"), FieldRule::Read);
    assert_eq!(rule(&other, "phone"), FieldRule::Masked);
    assert_eq!(rule(&other, "id_number"), FieldRule::Hidden);
    assert_eq!(rule(&other, "email"), FieldRule::Edit);
    // Filters and orders go by the narrowest: they run over everything in sight.
    assert_eq!(rights.narrowest(Customer, "phone"), FieldRule::Masked);
    assert_eq!(rights.narrowest(Customer, "email"), FieldRule::Edit);
    // The role of his own ends with that day.
    assert_eq!(
        directory.rights(CLERK, "2026-09-29", 0).fields(Customer, &mine).rule("phone"),
        FieldRule::Masked
    );
}

#[test]
fn a_grant_opens_one_customer_and_an_exclusion_closes_it() {
    let directory = directory(parts(vec![role(7, &[(Customer, Read, Scope::Own)])], &[("clerk", 7)]));
    let mut bundle = role(4, &[(Customer, Read, Scope::All), (Contact, Read, Scope::All)]);
    bundle.is_bundle = true;
    let granted = std::collections::HashMap::from([(99, vec![Arc::new(bundle)])]);
    let rights = directory.rights(CLERK, DAY, 0).with_records(granted.clone(), Default::default());
    let clerk = actor(rights, CLERK);
    let shared = facts(OTHER, WEST);
    assert_eq!(decide(&clerk, Customer, Read, &shared), Decision::Permit);
    assert_eq!(decide(&clerk, Contact, Read, &shared), Decision::Permit);
    assert!(matches!(decide(&clerk, Customer, Update, &shared), Decision::Refuse(_)));
    assert_eq!(decide(&clerk, Customer, Read, &Facts { id: 98, ..shared }), Decision::Hide);
    assert_eq!(reach_sql(&clerk, Customer, Read), "(+c.owner_id = 3 OR c.id = 99)");
    let rights = directory.rights(CLERK, DAY, 0).with_records(granted, [99].into());
    let excluded = actor(rights, CLERK);
    assert_eq!(decide(&excluded, Customer, Read, &shared), Decision::Hide);
    assert_eq!(decide(&excluded, Customer, Read, &facts(CLERK, SHOP)), Decision::Hide, "even his own");
    assert!(reach_sql(&excluded, Customer, Read).ends_with("AND NOT c.id = 99)"));
}

#[test]
fn every_role_says_why() {
    let reads = role(7, &[(Customer, Read, Scope::Own)]);
    let lacks = role(8, &[(Contact, Read, Scope::All)]);
    let wide = role(9, &[(Customer, Read, Scope::UnitTree)]);
    let directory = directory(parts(vec![reads, lacks, wide], &[("head", 7), ("head", 8), ("head", 9)]));
    let rights = directory.rights(HEAD, DAY, 0);
    let reasons = explain(&rights, Customer, Read, &facts(CLERK, SHOP));
    let told: Vec<&str> = reasons
        .iter()
        .map(|r| match r {
            Reason::Reached(held, Scope::UnitTree) if held.role.id == RoleId(9) => "reached",
            Reason::Outside(held, Scope::Own) if held.role.id == RoleId(7) => "outside",
            Reason::Lacking(held) if held.role.id == RoleId(8) => "lacking",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["reached", "outside", "lacking"]);
    assert_eq!(reasons.iter().filter(|r| r.permits()).count(), 1);
}

#[test]
fn whoever_is_barred_reaches_no_customer_and_keeps_the_rest() {
    let wide = role(7, &[(Customer, Read, Scope::All), (Object::Role, Update, Scope::All)]);
    let mut with = parts(vec![wide], &[("clerk", 7)]);
    let register = |signed: &[(PersonId, bool)]| Register {
        is_on: true,
        with_administrators: false,
        signed: signed.iter().copied().collect(),
    };
    let theirs = facts(BOSS, GROUP);
    for (register, bar) in [
        (Register::default(), None),
        (register(&[]), Some(Bar::NotRegistered)),
        (register(&[(CLERK, false)]), Some(Bar::NotSigned)),
        (register(&[(CLERK, true)]), None),
    ] {
        with.register = register;
        let rights = directory(with.clone()).rights(CLERK, DAY, 0);
        assert_eq!(rights.bar, bar);
        let mut bundle = role(4, &[(Customer, Read, Scope::All)]);
        bundle.is_bundle = true;
        let granted = std::collections::HashMap::from([(99, vec![Arc::new(bundle)])]);
        let clerk = actor(rights.with_records(granted, Default::default()), CLERK);
        let is_open = bar.is_none();
        assert_eq!(decide(&clerk, Customer, Read, &theirs) == Decision::Permit, is_open);
        assert_eq!(reach_sql(&clerk, Customer, Read) == "TRUE", is_open, "a share opens nothing either");
        assert_eq!(clerk.sees_all_customers(), is_open);
        assert!(clerk.may(Object::Role, Update), "what is no customer information stays");
        let reasons = explain(&clerk.rights, Customer, Read, &theirs);
        assert_eq!(matches!(reasons[..], [Reason::Barred(_)]), !is_open, "{reasons:?}");
    }
    // An administrator only when the company says so, and never from administration.
    let mut administrator = role(1, &[]);
    administrator.is_builtin = true;
    with.roles.push(administrator);
    with.person_roles.push(DirectRole {
        person_id: BOSS,
        role_id: ADMINISTRATOR_ID,
        unit_id: None,
        ends_on: String::new(),
    });
    for is_asked in [false, true] {
        with.register = Register { with_administrators: is_asked, ..register(&[]) };
        let boss = actor(directory(with.clone()).rights(BOSS, DAY, 0), BOSS);
        assert_eq!(decide(&boss, Customer, Read, &theirs) == Decision::Hide, is_asked);
        assert_eq!(reach_sql(&boss, Contact, Read), if is_asked { "FALSE" } else { "TRUE" });
        assert_eq!(require_unbarred(&boss).is_err(), is_asked);
        assert!(boss.is_administrator() && boss.may(Object::Organisation, Update));
    }
}

#[test]
fn only_the_roles_that_gave_a_permission_were_used() {
    let own = role(7, &[(Customer, Read, Scope::Own), (Customer, Verb::Export, Scope::Own)]);
    let wide = role(8, &[(Customer, Read, Scope::All)]);
    let mut with = parts(vec![own, wide], &[("clerk", 7), ("clerk", 8), ("head", 8)]);
    with.delegations.push(Delegation {
        id: DelegationId(1),
        from_id: HEAD,
        to_id: BOSS,
        starts_at: 0,
        ends_at: 10,
    });
    let directory = directory(with);
    let clerk = actor(directory.rights(CLERK, DAY, 0), CLERK);
    assert_eq!(decide(&clerk, Customer, Read, &facts(OTHER, WEST)), Decision::Permit);
    assert_eq!(clerk.rights.take_used(), [RoleId(8)], "his own customers' role does not reach it");
    assert_eq!(clerk.rights.take_used(), []);
    assert_eq!(decide(&clerk, Customer, Read, &facts(CLERK, SHOP)), Decision::Permit);
    assert_eq!(clerk.rights.take_used(), [RoleId(7), RoleId(8)], "either would have done");
    assert!(matches!(decide(&clerk, Customer, Delete, &facts(CLERK, SHOP)), Decision::Refuse(_)));
    let _ = reach_sql(&clerk, Customer, Read);
    assert_eq!(clerk.rights.take_used(), [], "neither what is refused nor a list");
    assert!(require_may(&clerk, Customer, Verb::Export).is_ok());
    assert_eq!(clerk.rights.take_used(), [RoleId(7)]);
    let boss = actor(directory.rights(BOSS, DAY, 5), BOSS);
    assert_eq!(decide(&boss, Customer, Read, &facts(OTHER, WEST)), Decision::Permit);
    assert_eq!(boss.rights.take_used(), [], "a role he acts with is another's");
}
