//! Who sees a task: its giver, its receiver, the head of its unit, those above them in the line of reporting, while
//! nobody has taken it the people of its unit or post, and whoever its process informs. The rule in memory and in SQL
//! stand here together and read the same data.

use std::fmt::Write as _;

use store::Conn;

use super::model::{Assignment, State};
use crate::access::{Actor, Directory};
use crate::ids::{PersonId, UnitId};
use crate::processes;

/// What of the organisation decides which tasks a person sees.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The person.
    pub me: PersonId,
    /// Administrators see every task.
    pub everything: bool,
    /// He and everybody below him, sorted.
    people: Vec<PersonId>,
    /// Units one of them leads, sorted.
    led: Vec<UnitId>,
    /// Units he works in or leads himself, sorted.
    units: Vec<UnitId>,
    /// Units he leads himself, sorted.
    heads: Vec<UnitId>,
    /// Posts he holds.
    posts: Vec<String>,
    /// Customers whose records he must keep out of: he does not see tasks about them either, unless he is an
    /// administrator.
    excluded: Vec<i64>,
}

/// More people than these and a list walks its own order, leaving out the rest, instead of gathering by person.
const FEW: usize = 200;

impl Sight {
    /// Of a person on a day.
    pub fn of(actor: &Actor, directory: &Directory, day: &str) -> Self {
        let me = actor.person_id;
        let mut people = directory.subordinates(me, day);
        people.push(me);
        people.sort_unstable();
        let (mut led, mut heads) = (Vec::new(), Vec::new());
        for unit in directory.units() {
            let Some(head) = unit.head_id else { continue };
            if people.binary_search(&head).is_ok() {
                led.push(unit.id);
            }
            if head == me {
                heads.push(unit.id);
            }
        }
        let held = directory.positions(me, day);
        let mut units: Vec<UnitId> = held.iter().map(|p| p.unit_id).chain(heads.iter().copied()).collect();
        for list in [&mut led, &mut heads, &mut units] {
            list.sort_unstable();
            list.dedup();
        }
        let mut posts: Vec<String> = held.iter().map(|p| p.post.clone()).collect();
        posts.sort();
        posts.dedup();
        Self {
            me,
            everything: actor.is_administrator(),
            people,
            led,
            units,
            heads,
            posts,
            excluded: actor.rights.excluded.iter().copied().collect(),
        }
    }

    /// Whether there are people below him, or units he leads.
    pub fn has_people(&self) -> bool {
        self.everything || self.people.len() > 1 || !self.led.is_empty()
    }

    /// Units led by him or by somebody below him.
    pub fn led(&self) -> &[UnitId] {
        &self.led
    }

    /// Whether he sees a task. `conn` is asked only whether its process informs him.
    pub fn sees(&self, conn: &mut Conn<'_>, task: &Assignment) -> store::Result<bool> {
        if self.everything {
            return Ok(true);
        }
        if task.customer_id.is_some_and(|c| self.excluded.binary_search(&c.0).is_ok()) {
            return Ok(false);
        }
        let is_his = |id: PersonId| self.people.binary_search(&id).is_ok();
        if is_his(task.giver_id)
            || task.receiver_id.is_some_and(is_his)
            || task.unit_id.is_some_and(|u| self.led.binary_search(&u).is_ok())
            || self.could_take(task)
        {
            return Ok(true);
        }
        let (Some(process), Some(informing)) =
            (task.process_id, processes::informing(&self.units, &self.posts))
        else {
            return Ok(false);
        };
        let sql = format!("SELECT COUNT(*) FROM ({informing}) told WHERE process_id = $1");
        Ok(conn.count(&sql, &[process.into()])? > 0)
    }

    /// Whether it waits for somebody of his unit or post to take it.
    pub fn could_take(&self, task: &Assignment) -> bool {
        task.state == State::Open
            && task.receiver_id.is_none()
            && (task.unit_id.is_some_and(|u| self.units.binary_search(&u).is_ok())
                || (!task.post.is_empty() && self.posts.binary_search(&task.post).is_ok()))
    }

    /// Whether he leads the unit a task was given to.
    pub fn leads(&self, task: &Assignment) -> bool {
        task.unit_id.is_some_and(|u| self.heads.binary_search(&u).is_ok())
    }

    /// Whatever he sees, as a condition on `assignments a` without parameters.
    pub fn sql(&self) -> String {
        if self.everything {
            return "TRUE".into();
        }
        let mut any = self.waiting_parts();
        any.extend(self.people_parts());
        any.extend(self.informed_part());
        self.within(&any)
    }

    /// What he has or could take: to be joined with the states that wait.
    pub(super) fn mine(&self) -> String {
        self.within(&self.waiting_parts())
    }

    /// What he gave.
    pub(super) fn given(&self) -> String {
        format!("a.giver_id = {}", self.me.0)
    }

    /// What those below him gave or have, and what their units have.
    pub(super) fn of_people(&self) -> String {
        if self.everything {
            return "TRUE".into();
        }
        self.within(&self.people_parts())
    }

    /// What his unit or post is informed of.
    pub(super) fn informed(&self) -> String {
        self.within(&self.informed_part().into_iter().collect::<Vec<_>>())
    }

    fn within(&self, any: &[String]) -> String {
        let reach = if any.is_empty() { "FALSE".into() } else { format!("({})", any.join(" OR ")) };
        if self.everything || self.excluded.is_empty() {
            return reach;
        }
        let list = ids(self.excluded.iter().copied());
        format!("({reach} AND (a.customer_id IS NULL OR a.customer_id NOT IN ({list})))")
    }

    fn waiting_parts(&self) -> Vec<String> {
        let mut any = vec![format!("a.receiver_id = {}", self.me.0)];
        let free = "a.receiver_id IS NULL AND a.state = 'open'";
        if !self.units.is_empty() {
            any.push(format!("(a.unit_id IN ({}) AND {free})", ids(self.units.iter().map(|u| u.0))));
        }
        if !self.posts.is_empty() {
            // Codes of the dictionary.
            let codes: Vec<String> =
                self.posts.iter().map(|p| format!("'{}'", p.replace('\'', "''"))).collect();
            any.push(format!("(a.post <> '' AND a.post IN ({}) AND {free})", codes.join(", ")));
        }
        any
    }

    fn people_parts(&self) -> Vec<String> {
        let plus = if self.people.len() > FEW { "+" } else { "" };
        let people = ids(self.people.iter().map(|p| p.0));
        let mut any =
            vec![format!("{plus}a.giver_id IN ({people})"), format!("{plus}a.receiver_id IN ({people})")];
        if !self.led.is_empty() {
            any.push(format!("{plus}a.unit_id IN ({})", ids(self.led.iter().map(|u| u.0))));
        }
        any
    }

    fn informed_part(&self) -> Option<String> {
        processes::informing(&self.units, &self.posts).map(|told| format!("a.process_id IN ({told})"))
    }
}

fn ids(all: impl Iterator<Item = i64>) -> String {
    let mut list = String::new();
    for id in all {
        // Writing to a String cannot fail.
        let _ = write!(list, "{}{id}", if list.is_empty() { "" } else { ", " });
    }
    list
}
