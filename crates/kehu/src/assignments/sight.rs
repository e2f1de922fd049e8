//! Who sees a task: its giver, its receiver, the head of its unit, those above them in the line of reporting, while
//! nobody has taken it the people of its unit or post, whoever acts for one of these (but not for those above them), and
//! whoever its process informs. The rule in memory and in SQL stand here together and read the same data.

use std::fmt::Write as _;

use store::Conn;

use super::model::{Assignment, State};
use crate::access::{Actor, Directory};
use crate::ids::{PersonId, UnitId};
use crate::processes;

/// Where somebody stands among tasks.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// Who: the reader himself, or somebody he acts for.
    pub person: PersonId,
    /// Units he works in or leads, sorted.
    pub units: Vec<UnitId>,
    /// Posts he holds, sorted.
    pub posts: Vec<String>,
}

impl Seat {
    /// Of a person, who works in units with posts, and leads units.
    pub fn new(person: PersonId, held: Vec<(UnitId, String)>, heads: &[UnitId]) -> Self {
        let mut units: Vec<UnitId> =
            held.iter().map(|(unit, _)| *unit).chain(heads.iter().copied()).collect();
        units.sort_unstable();
        units.dedup();
        let mut posts: Vec<String> = held.into_iter().map(|(_, post)| post).collect();
        posts.sort();
        posts.dedup();
        Self { person, units, posts }
    }

    /// Whether a task waits for somebody of his unit or post to take it.
    fn could_take(&self, task: &Assignment) -> bool {
        task.state == State::Open
            && task.receiver_id.is_none()
            && (task.unit_id.is_some_and(|u| self.units.binary_search(&u).is_ok())
                || (!task.post.is_empty() && self.posts.binary_search(&task.post).is_ok()))
    }

    /// Whether a task is his: he gave it, has it or could take it.
    fn is_his(&self, task: &Assignment) -> bool {
        task.giver_id == self.person || task.receiver_id == Some(self.person) || self.could_take(task)
    }

    /// What he could take, as conditions on `assignments a`, each with an index of its own.
    pub fn free_parts(&self) -> Vec<String> {
        let mut any = Vec::new();
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
}

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
    /// Himself, then those he acts for.
    seats: Vec<Seat>,
    /// Units each of these leads, with him.
    heads: Vec<(PersonId, UnitId)>,
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
        let stands_for: Vec<PersonId> =
            std::iter::once(me).chain(actor.rights.acts_for.iter().map(|(from, _)| *from)).collect();
        let (mut led, mut heads) = (Vec::new(), Vec::new());
        for unit in directory.units() {
            let Some(head) = unit.head_id else { continue };
            if people.binary_search(&head).is_ok() {
                led.push(unit.id);
            }
            if stands_for.contains(&head) {
                heads.push((head, unit.id));
            }
        }
        led.sort_unstable();
        let seat = |person: PersonId| {
            let held = directory.positions(person, day);
            let held = held.iter().map(|p| (p.unit_id, p.post.clone())).collect();
            let his: Vec<UnitId> =
                heads.iter().filter(|(head, _)| *head == person).map(|(_, u)| *u).collect();
            Seat::new(person, held, &his)
        };
        let seats = stands_for.into_iter().map(seat).collect();
        Self {
            me,
            everything: actor.is_administrator(),
            people,
            led,
            seats,
            heads,
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
        let is_of_his = |id: PersonId| self.people.binary_search(&id).is_ok();
        if is_of_his(task.giver_id)
            || task.receiver_id.is_some_and(is_of_his)
            || task.unit_id.is_some_and(|u| self.led.binary_search(&u).is_ok())
            || self.whose(task).is_some()
        {
            return Ok(true);
        }
        let (Some(process), Some(informing)) = (task.process_id, self.informing()) else { return Ok(false) };
        let sql = format!("SELECT COUNT(*) FROM ({informing}) told WHERE process_id = $1");
        Ok(conn.count(&sql, &[process.into()])? > 0)
    }

    /// Whose a task is: his own, or that of somebody he acts for. `None` for what he only sees.
    pub fn whose(&self, task: &Assignment) -> Option<PersonId> {
        self.seats.iter().find(|s| s.is_his(task)).map(|s| s.person)
    }

    /// For whom he may take a task: himself, or somebody he acts for.
    pub fn taker(&self, task: &Assignment) -> Option<PersonId> {
        let is_given = |s: &&Seat| task.receiver_id == Some(s.person) && task.state == State::Open;
        self.seats.iter().find(|s| is_given(s) || s.could_take(task)).map(|s| s.person)
    }

    /// As whom he may return a task that nobody has taken: as the head of the unit it was given to.
    pub fn head(&self, task: &Assignment) -> Option<PersonId> {
        let is_free = task.state == State::Open && task.receiver_id.is_none();
        let unit = task.unit_id.filter(|_| is_free)?;
        self.heads.iter().find(|(_, led)| *led == unit).map(|(head, _)| *head)
    }

    /// Whatever he sees, as a condition on `assignments a` without parameters.
    pub fn sql(&self) -> String {
        if self.everything {
            return "TRUE".into();
        }
        let mut any = self.waiting_parts();
        any.push(self.given_part());
        any.extend(self.people_parts());
        any.extend(self.informed_part());
        self.within(&any)
    }

    /// What he, or one he acts for, has or could take: to be joined with the states that wait.
    pub(super) fn mine(&self) -> String {
        self.within(&self.waiting_parts())
    }

    /// What he gave, or one he acts for.
    pub(super) fn given(&self) -> String {
        self.within(&[self.given_part()])
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
        let mut any = vec![format!("a.receiver_id IN ({})", self.stands_for())];
        any.extend(self.seats.iter().flat_map(Seat::free_parts));
        any
    }

    fn given_part(&self) -> String {
        format!("a.giver_id IN ({})", self.stands_for())
    }

    fn stands_for(&self) -> String {
        ids(self.seats.iter().map(|s| s.person.0))
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
        self.informing().map(|told| format!("a.process_id IN ({told})"))
    }

    /// The processes that inform him; not those he acts for.
    fn informing(&self) -> Option<String> {
        self.seats.first().and_then(|own| processes::informing(&own.units, &own.posts))
    }
}

/// `1, 2, 3`.
pub(super) fn ids(all: impl Iterator<Item = i64>) -> String {
    let mut list = String::new();
    for id in all {
        // Writing to a String cannot fail.
        let _ = write!(list, "{}{id}", if list.is_empty() { "" } else { ", " });
    }
    list
}
