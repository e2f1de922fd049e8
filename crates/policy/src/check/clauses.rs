//! Whether every clause has an effect: a step, deadline, refusal, duty … or a standard that cites it.

use super::read::{Parts, Problems};
use crate::model::Policy;

pub fn check(policy: &Policy, parts: &Parts, problems: &mut Problems<'_>) {
    for (clause, part) in policy.clauses.iter().zip(&parts.clause) {
        if policy.citing(&clause.id).is_empty() {
            problems.add(
                &part.place(),
                format!("条款“{}”没有落实：没有一个步骤、时限、禁止、职责、报表或规范引用它", clause.id),
            );
        }
    }
}
