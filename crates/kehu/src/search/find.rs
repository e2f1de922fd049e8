//! Finding customers while somebody types: ranked, with the reason of each hit.

use std::ops::Range;

use hanzi::search::Matcher;
use store::Conn;

use super::within::{Fit, Within, planned, text_of};
use super::{matching, matching_few};
use crate::access::{self, Actor, FieldRule, Object, Verb};
use crate::customers::{COLUMNS, Customer, Field, withhold};
use crate::error::AppError;

/// A customer that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The customer.
    pub customer: Customer,
    /// Byte ranges of its name that match.
    pub name_marks: Vec<Range<usize>>,
    /// What else matched when the name did not: title (source text) and value.
    pub because: Option<(&'static str, String, Vec<Range<usize>>)>,
}

/// How many of the newest candidates are ranked: those that are what was typed, those whose some name begins with it,
/// then the others.
const RANKED: [(Fit, i64); 3] = [(Fit::Whole, 60), (Fit::Begins, 60), (Fit::Anywhere, 120)];
/// Fewer within a part of the company, where there are fewer to choose from and each costs a longer walk.
const RANKED_WITHIN: [(Fit, i64); 3] = [(Fit::Whole, 12), (Fit::Begins, 12), (Fit::Anywhere, 24)];
/// More tags than these are costly to ask for.
const FEW_TAGS: usize = 4;
/// What a contact, a plate or a phone that is what was typed counts: below a name that is, above one that begins so.
const WHOLE: u32 = 950;

/// The best `limit` customers for a query: those who are called what was typed, or have such a number, come first, then
/// names that begin with it.
pub fn find_customers(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &str,
    limit: usize,
) -> Result<Vec<Hit>, AppError> {
    let is_restricted = is_restricted(actor);
    let found = candidates(conn, actor, query, (limit as i64, is_restricted))?;
    let matcher = Matcher::new(query);
    // Where something may be withheld, only what is seen decides: the order would tell the rest.
    let rank = |(fit, customer): &(Fit, Customer)| match fit {
        Fit::Whole if !is_restricted => rank(&matcher, customer).max(WHOLE),
        _ => rank(&matcher, customer),
    };
    let mut ranked: Vec<(u32, Customer)> = found.into_iter().map(|found| (rank(&found), found.1)).collect();
    ranked.sort_by(|(a, x), (b, y)| b.cmp(a).then(y.updated_at.cmp(&x.updated_at)));
    let mut hits = Vec::with_capacity(limit.min(ranked.len()));
    for (_, customer) in ranked {
        let hit = explain(conn, actor, &matcher, withhold(actor, customer))?;
        // What only a withheld value explains is not found.
        if !is_restricted || !hit.name_marks.is_empty() || hit.because.is_some() {
            hits.push(hit);
        }
        if hits.len() == limit {
            break;
        }
    }
    Ok(hits)
}

/// The newest customers the actor may read that have these words, not ranked; at most `limit`. They are whole: whoever asks
/// must `withhold`, and judge by what is left, as the words may have been found in what the actor may not see.
pub fn with_words(
    conn: &mut Conn<'_>,
    actor: &Actor,
    words: &str,
    limit: i64,
) -> Result<Vec<Customer>, AppError> {
    let (plan, within) = planned(conn, actor, words)?;
    let Some(text) = text_of(&plan, conn.engine(), Fit::Anywhere) else { return Ok(Vec::new()) };
    matched(conn, actor, Fit::Anywhere, &text, &within, limit)
}

/// Whether a search could find by something the actor may not see: then each hit must be explained by what he sees.
pub fn is_restricted(actor: &Actor) -> bool {
    let rights = &actor.rights;
    let hides = |object, fields: &[&str]| {
        fields.iter().any(|field| rights.narrowest(object, field) < FieldRule::Read)
    };
    let lacks = |object| {
        let [customers, parts] = [Object::Customer, object].map(|o| access::reach_sql(actor, o, Verb::Read));
        parts != "TRUE" && parts != customers
    };
    let own = OWN.map(|f| f.key());
    hides(Object::Customer, &own)
        || hides(Object::Contact, &["name", "phone", "landline"])
        || lacks(Object::Contact)
        || lacks(Object::Asset)
}

/// The fields of a customer that its search document holds.
const OWN: [Field; 8] = [
    Field::Name,
    Field::ShortName,
    Field::Phone,
    Field::Landline,
    Field::CreditCode,
    Field::IdNumber,
    Field::Email,
    Field::Wechat,
];

/// Whether what is shown of the customer itself explains a hit.
pub fn is_seen(matcher: &Matcher, customer: &Customer) -> bool {
    let explains = |value: &str| !matcher.highlight(value).is_empty();
    explains(&customer.number) || OWN.into_iter().any(|f| explains(customer.get(f)))
}

/// The customer as the actor sees it, if what he sees of it, its contacts or its assets explains the hit.
pub fn seen(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &str,
    customer: Customer,
) -> Result<Option<Customer>, AppError> {
    let hit = explain(conn, actor, &Matcher::new(query), withhold(actor, customer))?;
    Ok((!hit.name_marks.is_empty() || hit.because.is_some()).then_some(hit.customer))
}

/// Customers that match, each once, with how they were found first.
fn candidates(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &str,
    (least, is_restricted): (i64, bool),
) -> Result<Vec<(Fit, Customer)>, AppError> {
    let (plan, within) = planned(conn, actor, query)?;
    // Few are called just what was typed: asking for the tags of many units costs more than leaving those out.
    let many = matches!(within, Within::Tags(tags) if tags > FEW_TAGS);
    let whole = if many { hanzi::search::plan(query) } else { plan.clone() };
    let steps = if actor.sees_all_customers() { RANKED } else { RANKED_WITHIN };
    let mut found: Vec<(Fit, Customer)> = Vec::new();
    for (fit, most) in steps {
        let plan = if fit == Fit::Whole { &whole } else { &plan };
        let Some(text) = text_of(plan, conn.engine(), fit) else { continue };
        let most = most.max(least);
        let step = matched(conn, actor, fit, &text, &within, most)?;
        // Whoever begins with a name has it somewhere too: with enough of these the walk for the others is saved. Where
        // something is withheld, some of them may not be shown.
        let is_enough = fit == Fit::Begins && step.len() as i64 == most && !is_restricted;
        let new = step.into_iter().filter(|c| !found.iter().any(|(_, known)| known.id == c.id));
        let new: Vec<(Fit, Customer)> = new.map(|customer| (fit, customer)).collect();
        found.extend(new);
        if is_enough {
            break;
        }
    }
    Ok(found)
}

fn matched(
    conn: &mut Conn<'_>,
    actor: &Actor,
    fit: Fit,
    text: &str,
    within: &Within,
    limit: i64,
) -> Result<Vec<Customer>, AppError> {
    let super::Matches { from, condition, id_column } = match fit {
        Fit::Whole => matching_few(conn.engine(), "$1", within, true),
        Fit::Begins | Fit::Anywhere => matching(conn, text, "$1", within)?,
    };
    let readable = access::readable_sql(actor, Object::Customer);
    let sql = format!(
        "SELECT {} FROM {from} WHERE {condition} AND c.deleted_at IS NULL AND {readable}
         ORDER BY {id_column} DESC LIMIT $2",
        *COLUMNS
    );
    Ok(conn.rows(&sql, &[text.into(), limit.into()])?)
}

fn rank(matcher: &Matcher, customer: &Customer) -> u32 {
    let own =
        [Field::Name, Field::ShortName].into_iter().filter_map(|f| matcher.score(customer.get(f))).max();
    let number = matcher.score(&customer.number);
    // What matches elsewhere (a contact, a plate) comes after every name.
    own.max(number).unwrap_or(1)
}

fn explain(
    conn: &mut Conn<'_>,
    actor: &Actor,
    matcher: &Matcher,
    customer: Customer,
) -> Result<Hit, AppError> {
    let name_marks = matcher.highlight(customer.name());
    let because = if name_marks.is_empty() { reason(conn, actor, matcher, &customer)? } else { None };
    Ok(Hit { customer, name_marks, because })
}

type Reason = Option<(&'static str, String, Vec<Range<usize>>)>;

fn reason(
    conn: &mut Conn<'_>,
    actor: &Actor,
    matcher: &Matcher,
    customer: &Customer,
) -> Result<Reason, AppError> {
    let matched = |title: &'static str, value: &str| {
        let marks = matcher.highlight(value);
        (!marks.is_empty()).then(|| (title, value.to_owned(), marks))
    };
    if let Some(found) = matched("客户编号", &customer.number) {
        return Ok(Some(found));
    }
    for field in OWN.into_iter().skip(1) {
        if let Some(found) = matched(field.spec().zh, customer.get(field)) {
            return Ok(Some(found));
        }
    }
    let facts = customer.facts();
    let may = |object| actor.rights.covers(object, Verb::Read, &facts);
    let mut contacts: Vec<(String, String, String)> = if may(Object::Contact) {
        conn.rows(
            "SELECT name, phone, landline FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 50",
            &[customer.id.into()],
        )?
    } else {
        Vec::new()
    };
    let fields = actor.rights.fields(Object::Contact, &facts);
    if !fields.is_open() {
        for (name, phone, landline) in &mut contacts {
            for (key, value) in [("name", name), ("phone", phone), ("landline", landline)] {
                *value = crate::customers::shown_value(fields.rule(key), key, value);
            }
        }
    }
    for (name, phone, landline) in &contacts {
        for value in [name, phone, landline] {
            if let Some(found) = matched("联系人", value) {
                let shown = if value == name { found.1 } else { format!("{name} {value}") };
                let marks = matcher.highlight(&shown);
                return Ok(Some(("联系人", shown, marks)));
            }
        }
    }
    let assets: Vec<(String, String, serde_json::Value)> = if may(Object::Asset) {
        conn.rows(
            "SELECT name, code, details FROM assets WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 50",
            &[customer.id.into()],
        )?
    } else {
        Vec::new()
    };
    for (name, code, details) in &assets {
        let text = |key: &str| details.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        for value in [code.as_str(), name.as_str(), text("vin"), text("serial")] {
            if let Some(found) = matched("资产", value) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
