//! Searching within what an actor sees. Each document is tagged with its customer's owner and unit, so that whoever
//! sees a few owners' or units' customers walks only their part of the index, not every customer with the word. Where
//! there are too many for that, it is asked of each customer with the word whose it is, before it is read.
//!
//! All this only saves work: the condition on the customers stands beside it.

use hanzi::search::{Document, Plan};
use store::{Conn, Engine};

use crate::access::Actor;
use crate::counters::{self, Whose};
use crate::customers;
use crate::ids::{PersonId, UnitId};

/// A search for more owners and units than this is cheaper without their tags.
const MOST: usize = 64;
/// So is one within more than this part of all customers: most of the walk finds something then.
const PART: i64 = 8;
/// What one tag more costs on SQLite, counted in parts: each is looked up in every segment of the index, which takes
/// as long as asking some eighty customers whose they are; a search wants some forty.
const PART_PER_TAG: i64 = 2;
/// Within more than this part of all it is not asked whose a customer is before it is read.
const HALF: i64 = 2;

/// A document with the tags of whose customer it is.
pub(crate) fn tagged(document: Document, owner: Option<PersonId>, unit: Option<UnitId>) -> Document {
    let tags = owner.map(owner_tag).into_iter().chain(unit.map(unit_tag));
    tags.fold(document, |document, tag| document.tag(&tag))
}

/// What a search asks the index of words for.
pub(crate) struct Asked {
    /// The engine's own text, to be bound.
    pub text: String,
    /// How it is kept near what the actor sees.
    pub within: Within,
}

/// How a search is kept near what the actor sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// Not at all.
    Everything,
    /// By so many tags in the text itself.
    Tags(usize),
    /// To the ids this statement gathers.
    Gathered(String),
    /// By what the index of whose they are says of each: a condition on `w`. SQLite only.
    Whose(String),
}

/// The text of a query as an actor asks it; `None` when nothing in it can be searched for.
pub(crate) fn asked(conn: &mut Conn<'_>, actor: &Actor, query: &str) -> store::Result<Option<Asked>> {
    let (plan, within) = planned(conn, actor, query)?;
    let text = text_of(&plan, conn.engine(), Fit::Anywhere);
    Ok(text.map(|text| Asked { text, within }))
}

/// What is looked for, and how it is kept near what the actor sees.
pub(super) fn planned(conn: &mut Conn<'_>, actor: &Actor, query: &str) -> store::Result<(Plan, Within)> {
    let plan = hanzi::search::plan(query);
    let Some(whose @ Whose::Of { .. }) = Whose::within(actor) else { return Ok((plan, Within::Everything)) };
    let Whose::Of { owners, units } = &whose else { return Ok((plan, Within::Everything)) };
    let (within, all) = counters::share(conn, actor, &whose)?;
    let is_part = |of: i64| within.saturating_mul(of) <= all;
    let (engine, count) = (conn.engine(), owners.len() + units.len());
    let part = match engine {
        Engine::Sqlite => PART.max(PART_PER_TAG * count as i64),
        Engine::Postgres => PART,
    };
    if count <= MOST && is_part(part) {
        let tags = owners.iter().map(|o| owner_tag(*o)).chain(units.iter().map(|u| unit_tag(*u)));
        let tags: Vec<String> = tags.collect();
        return Ok((plan.tagged(&tags), Within::Tags(count)));
    }
    if let Some(ids) = customers::narrow_sql(conn, actor)? {
        return Ok((plan, Within::Gathered(ids)));
    }
    Ok(match engine {
        Engine::Sqlite if is_part(HALF) => (plan, Within::Whose(whose.is_of_sql("w"))),
        _ => (plan, Within::Everything),
    })
}

/// How a name or number has to fit what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is what was typed.
    Whole,
    /// It begins with it.
    Begins,
    /// It has it somewhere.
    Anywhere,
}

pub(super) fn text_of(plan: &Plan, engine: Engine, fit: Fit) -> Option<String> {
    match (engine, fit) {
        (Engine::Sqlite, Fit::Anywhere) => plan.fts5(),
        (Engine::Sqlite, Fit::Begins) => plan.fts5_anchored(),
        (Engine::Sqlite, Fit::Whole) => plan.fts5_whole(),
        (Engine::Postgres, Fit::Anywhere) => plan.tsquery(),
        (Engine::Postgres, Fit::Begins) => plan.tsquery_anchored(),
        (Engine::Postgres, Fit::Whole) => plan.tsquery_whole(),
    }
}

fn owner_tag(owner: PersonId) -> String {
    format!("o{}", owner.0)
}

fn unit_tag(unit: UnitId) -> String {
    format!("u{}", unit.0)
}
