//! What the company sets about tasks: how long a right on a customer outlives the due date, and which bundle is
//! offered first.

use serde::{Deserialize, Serialize};
use store::{Conn, Tx};

use crate::access::{Actor, Directory};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::RoleId;
use crate::{settings, text};

/// Name of the setting.
const NAME: &str = "assignments";
/// Hours of grace at the most: thirty days.
pub const MOST_GRACE: i64 = 720;

/// The setting; a new company's is written by the migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Hours after its due date when the right of an open task ends, 0–720.
    pub grace_hours: i64,
    /// Code of the bundle that is offered first; empty for none.
    pub bundle: String,
}

impl Rules {
    /// When the right of a task ends that is due then.
    pub fn ends_at(&self, due_at: Millis) -> Millis {
        due_at + self.grace_hours.clamp(0, MOST_GRACE) * 3_600_000
    }

    /// The bundle offered first; `None` when there is none or it was taken away.
    pub fn usual_bundle(&self, directory: &Directory) -> Option<RoleId> {
        directory.roles().into_iter().find(|r| r.is_bundle && r.code == self.bundle).map(|r| r.id)
    }
}

/// What the company set.
pub fn rules(conn: &mut Conn<'_>) -> store::Result<Rules> {
    settings::get(conn, NAME)
}

/// Sets it; administrators only. Rights that were given already end when they were to end.
pub fn set_rules(
    tx: &mut Tx<'_>,
    actor: &Actor,
    directory: &Directory,
    rules: &Rules,
    now: Millis,
) -> Result<(), AppError> {
    if !(0..=MOST_GRACE).contains(&rules.grace_hours) {
        return Err(AppError::field("grace_hours", text!("请填写 0–{} 的整数（小时）", MOST_GRACE)));
    }
    if !rules.bundle.is_empty() && rules.usual_bundle(directory).is_none() {
        return Err(AppError::field("bundle", text!("没有这种共享权限，请从列出的中选择")));
    }
    settings::set(tx, actor, NAME, rules, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_ends_at_a_fixed_time_after_the_due_date() {
        let rules = |grace_hours| Rules { grace_hours, bundle: String::new() };
        assert_eq!(rules(0).ends_at(1_000), 1_000);
        assert_eq!(rules(72).ends_at(1_000), 1_000 + 72 * 3_600_000);
        assert_eq!(rules(-5).ends_at(1_000), 1_000);
    }
}
