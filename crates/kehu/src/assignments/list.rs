//! Lists of tasks: mine to do, those I gave, my people's, those I am informed of, and all of these together.

use store::Conn;

use super::model::{Assignment, Ground, SELECT, State};
use super::sight::Sight;
use crate::access::{Actor, Directory, Object, Verb};
use crate::customers;
use crate::error::AppError;
use crate::ids::{CustomerId, ProcessId};
use crate::input::like_anywhere;
use crate::query::{Conditions, Cursor, SortKey, behind, order_by};

/// Whose tasks a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// What he has, could take, or has done or returned.
    #[default]
    Mine,
    /// What he gave.
    Given,
    /// What those below him gave or have, and what their units have.
    People,
    /// What his unit or post is informed of.
    Informed,
    /// Whatever he sees.
    Seen,
}

impl Place {
    /// Every place, in the order of the tabs.
    pub const ALL: [Self; 5] = [Self::Mine, Self::Given, Self::People, Self::Informed, Self::Seen];

    /// The name in addresses and in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Given => "given",
            Self::People => "people",
            Self::Informed => "informed",
            Self::Seen => "seen",
        }
    }

    /// The place of a name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Mine => "我要办的",
            Self::Given => "我交办的",
            Self::People => "下属的",
            Self::Informed => "知会我的",
            Self::Seen => "我看得到的",
        }
    }
}

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Whose.
    pub place: Place,
    /// Only this state; `None` for all that are not over.
    pub state: Option<State>,
    /// All states.
    pub every_state: bool,
    /// Only what waits and is overdue.
    pub only_late: bool,
    /// Only those of this process.
    pub process: Option<ProcessId>,
    /// Only those about this customer, which the actor must be able to read.
    pub customer: Option<CustomerId>,
    /// Words in the title.
    pub q: String,
    /// Behind this place.
    pub after: Option<String>,
    /// How many, 1–200.
    pub limit: usize,
}

impl ListQuery {
    /// What is not over is listed by due date, everything else the newest first.
    fn order(&self) -> &'static [SortKey] {
        const BY_DUE: [SortKey; 1] =
            [SortKey { name: "due_at", column: "a.due_at", is_integer: true, descending: false }];
        // Ids rise with time.
        const NEWEST: [SortKey; 0] = [];
        let is_open = self.only_late || (!self.every_state && self.state.is_none_or(State::is_waiting));
        if is_open { &BY_DUE } else { &NEWEST }
    }
}

/// The tasks of a place, and the place of the next page.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    query: &ListQuery,
) -> Result<(Vec<Assignment>, Option<String>), AppError> {
    let sight = ground.sight(actor);
    let order = query.order();
    let mut conditions = Conditions::default();
    conditions.and(match query.place {
        Place::Mine => sight.mine(),
        Place::Given => sight.given(),
        Place::People => sight.of_people(),
        Place::Informed => sight.informed(),
        Place::Seen => sight.sql(),
    });
    if query.only_late {
        let now = conditions.bind(ground.now);
        conditions.and(format!("a.state IN ('open', 'taken') AND a.due_at <= {now}"));
    }
    match query.state {
        Some(state) => conditions.and(format!("a.state = '{}'", state.code())),
        None if query.every_state => {}
        // What he returned does not wait for him any more.
        None if query.place == Place::Mine => conditions.and("a.state IN ('open', 'taken')"),
        None => conditions.and("a.state IN ('open', 'taken', 'returned')"),
    }
    if let Some(process) = query.process {
        conditions.equal("a.process_id", process.0);
    }
    if let Some(customer) = query.customer {
        customers::require(conn, actor, Object::Customer, Verb::Read, customer)?;
        conditions.equal("a.customer_id", customer.0);
    }
    if !query.q.trim().is_empty() {
        let pattern = conditions.bind(like_anywhere(&query.q));
        conditions.and(format!("LOWER(a.title) LIKE {pattern} ESCAPE '\\'"));
    }
    if let Some(after) = &query.after {
        behind(&mut conditions, order, "a.id", &Cursor::decode(after, order)?);
    }
    let limit = conditions.bind(query.limit as i64 + 1);
    let sql = format!(
        "{SELECT} WHERE {} ORDER BY {} LIMIT {limit}",
        conditions.sql(),
        order_by(order, "a.id", false)
    );
    let mut found: Vec<Assignment> = conn.rows(&sql, &conditions.params)?;
    let has_more = found.len() > query.limit;
    found.truncate(query.limit);
    let place = |last: &Assignment| {
        let values = if order.is_empty() { Vec::new() } else { vec![last.due.at.into()] };
        Cursor::new(values, last.id.0, false).encode()
    };
    let next = found.last().filter(|_| has_more).map(place);
    Ok((found, next))
}

/// How many tasks about a customer are not over, of those the actor sees; counted up to 1,000. For whoever may read the
/// customer.
pub fn count_about(
    conn: &mut Conn<'_>,
    actor: &Actor,
    directory: &Directory,
    day: &str,
    customer: CustomerId,
) -> store::Result<i64> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM assignments a WHERE a.customer_id = $1
           AND a.state IN ('open', 'taken', 'returned') AND {} LIMIT 1000) about",
        Sight::of(actor, directory, day).sql()
    );
    conn.count(&sql, &[customer.into()])
}
