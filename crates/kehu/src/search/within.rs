//! Searching within what an actor sees. Each document is tagged with its customer's owner and unit, so that whoever
//! sees a few owners' or units' customers walks only their part of the index, not every customer with the word.
//!
//! The tags only save work: the condition on the customers stands beside them.

use hanzi::search::{Document, Plan};
use store::{Conn, Engine};

use crate::access::Actor;
use crate::counters::{self, Whose};
use crate::ids::{PersonId, UnitId};

/// A search for more owners and units than this is cheaper without their tags.
const MOST: usize = 64;
/// So is one within more than this part of all customers: most of the walk finds something then.
const PART: i64 = 8;

/// A document with the tags of whose customer it is.
pub(crate) fn tagged(document: Document, owner: Option<PersonId>, unit: Option<UnitId>) -> Document {
    let tags = owner.map(owner_tag).into_iter().chain(unit.map(unit_tag));
    tags.fold(document, |document, tag| document.tag(&tag))
}

/// What a search asks the index of words for.
pub(crate) struct Asked {
    /// The engine's own text, to be bound.
    pub text: String,
    /// Whether it is narrowed to what the actor sees already.
    pub is_narrowed: bool,
}

/// The text of a query as an actor asks it; `None` when nothing in it can be searched for.
pub(crate) fn asked(conn: &mut Conn<'_>, actor: &Actor, query: &str) -> store::Result<Option<Asked>> {
    let (plan, tags) = planned(conn, actor, query)?;
    let text = text_of(&plan, conn.engine(), Fit::Anywhere);
    Ok(text.map(|text| Asked { text, is_narrowed: tags > 0 }))
}

/// What is looked for, and by how many tags it is narrowed to what the actor sees already.
pub(super) fn planned(conn: &mut Conn<'_>, actor: &Actor, query: &str) -> store::Result<(Plan, usize)> {
    let plan = hanzi::search::plan(query);
    Ok(match tags(conn, actor)? {
        Some(tags) => (plan.tagged(&tags), tags.len()),
        None => (plan, 0),
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

/// The tags of everything an actor sees, where these are few and save work.
fn tags(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<Option<Vec<String>>> {
    let Some(whose @ Whose::Of { .. }) = Whose::within(actor) else { return Ok(None) };
    let Whose::Of { owners, units } = &whose else { return Ok(None) };
    if owners.len() + units.len() > MOST {
        return Ok(None);
    }
    let (within, all) = counters::share(conn, actor, &whose)?;
    let is_part = within.saturating_mul(PART) <= all;
    let tags = owners.iter().map(|o| owner_tag(*o)).chain(units.iter().map(|u| unit_tag(*u)));
    Ok(is_part.then(|| tags.collect()))
}

fn owner_tag(owner: PersonId) -> String {
    format!("o{}", owner.0)
}

fn unit_tag(unit: UnitId) -> String {
    format!("u{}", unit.0)
}
