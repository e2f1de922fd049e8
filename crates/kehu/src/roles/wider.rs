//! Whether a role permits more than before. Where that cannot be told from its definition (another condition, another
//! kind of units), it counts as more: then a second person looks at it.

use crate::access::{FieldRule, Role, Scope};

/// Whether somebody who has the role might reach, do or see something with `new` that he could not with `old`.
pub fn permits_more(old: &Role, new: &Role) -> bool {
    let wider_cell = new.grants.iter().any(|(cell, scope)| match old.grants.get(cell) {
        None => true,
        Some(before) => !is_within(scope, before),
    });
    wider_cell
        || old
            .fields
            .iter()
            .any(|((object, field), rule)| *rule < FieldRule::Edit && new.field(*object, field) > *rule)
}

/// Whether everything `inner` reaches is surely within `outer`, for whomever has it wherever.
fn is_within(inner: &Scope, outer: &Scope) -> bool {
    match (inner, outer) {
        (_, Scope::All) => true,
        (Scope::Units(inner), Scope::Units(outer)) => inner.iter().all(|unit| outer.contains(unit)),
        (Scope::Unit, Scope::UnitTree) | (Scope::Own, Scope::Team) => true,
        (inner, outer) => inner == outer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Object, Verb};
    use crate::ids::UnitId;
    use crate::roles::blank;

    fn with(scope: Scope) -> Role {
        Role { grants: [((Object::Customer, Verb::Read), scope)].into(), ..blank() }
    }

    #[test]
    fn only_what_is_surely_within_the_old_scope_is_not_more() {
        let units = |ids: &[i64]| Scope::Units(ids.iter().map(|id| UnitId(*id)).collect());
        let condition = |source: &str| Scope::Condition(source.to_owned());
        for (old, new, is_more) in [
            (Scope::All, Scope::Own, false),
            (Scope::All, condition("level == \"A\""), false),
            (Scope::UnitTree, Scope::Unit, false),
            (Scope::Team, Scope::Own, false),
            (units(&[1, 2]), units(&[2]), false),
            (condition("a"), condition("a"), false),
            (Scope::Own, Scope::Own, false),
            (Scope::Own, Scope::Team, true),
            (Scope::Unit, Scope::UnitTree, true),
            // Somebody's own customers may belong to another unit.
            (Scope::UnitTree, Scope::Own, true),
            (units(&[1]), units(&[1, 2]), true),
            (condition("a"), condition("b"), true),
            (Scope::Own, Scope::All, true),
        ] {
            assert_eq!(permits_more(&with(old.clone()), &with(new.clone())), is_more, "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_new_permission_and_a_loosened_field_are_more() {
        let old = with(Scope::Own);
        let mut new = old.clone();
        new.grants.insert((Object::Customer, Verb::Export), Scope::Own);
        assert!(permits_more(&old, &new));
        assert!(!permits_more(&new, &old));
        let phone = |rule: Option<FieldRule>| {
            let mut role = old.clone();
            role.fields.extend(rule.map(|rule| ((Object::Customer, "phone".to_owned()), rule)));
            role
        };
        let (hidden, masked, open) = (Some(FieldRule::Hidden), Some(FieldRule::Masked), None);
        for (before, after, is_more) in
            [(open, hidden, false), (masked, hidden, false), (hidden, masked, true), (masked, open, true)]
        {
            assert_eq!(permits_more(&phone(before), &phone(after)), is_more, "{before:?} {after:?}");
        }
    }
}
