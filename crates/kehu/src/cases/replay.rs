//! Trying a draft of a regulation on what was done before it: which past cases would have gone otherwise, and how.

use policy::Policy;
use policy::engine::{Verdict, Why};
use policy::model::{Form, Measure};
use policy::replay::{Change, Deed, Origin, Replayed, What, replay};
use policy::value::{Kind, Millis, yuan};
use policy::world::World;
use store::Conn;

use super::deeds;
use super::list::{ListQuery, Place, list};
use super::model::Case;
use super::world::{Ground, with_world};
use crate::access::Actor;
use crate::clock::Zone;
use crate::error::AppError;
use crate::i18n::{Text, Word, word};
use crate::policies;
use crate::text;

/// A case on which a draft was tried.
#[derive(Debug)]
pub struct Tried {
    /// The case.
    pub case: Case,
    /// What was found.
    pub found: Found,
}

/// What trying a draft on a case has shown.
#[derive(Debug)]
pub enum Found {
    /// What was done to it is not kept from the beginning: it was opened by an older program.
    NotKept,
    /// Not even its own version would do it again today, because people or records have changed: why.
    Unlike(String),
    /// What would have been otherwise, each with the clause that makes it so; nothing when nothing would.
    Alike(Vec<Otherwise>),
}

/// One thing that would have been otherwise.
#[derive(Debug)]
pub struct Otherwise {
    /// In words.
    pub text: Text,
    /// The clause; empty where none is cited.
    pub clause: String,
    /// Whether something that was done would have been refused.
    pub is_refusal: bool,
}

/// Tries a draft on the cases of its regulation that the actor may read, the newest first, and says where to go on.
/// Cases opened before `since` are left out. Nothing is written. Managers of regulations.
pub fn try_draft(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    draft: &Policy,
    since: Millis,
    after: Option<Place>,
    limit: usize,
) -> Result<(Vec<Tried>, Option<Place>), AppError> {
    policies::require_manager(actor)?;
    let query = ListQuery { policy: Some(draft.id.clone()), ..ListQuery::default() };
    let (mut cases, mut next) = list(conn, actor, ground, &query, after, limit)?;
    let found = cases.len();
    cases.retain(|case| case.opened_at >= since);
    if cases.len() < found {
        next = None;
    }
    let ids: Vec<_> = cases.iter().map(|case| case.id).collect();
    let mut kept = deeds::of_cases(conn, &ids)?;
    let mut tried = Vec::with_capacity(cases.len());
    for case in cases {
        let deeds = kept.remove(&case.id).unwrap_or_default();
        let found = try_on(conn, ground, draft, &case, &deeds)?;
        tried.push(Tried { case, found });
    }
    Ok((tried, next))
}

fn try_on(
    conn: &mut Conn<'_>,
    ground: &Ground,
    draft: &Policy,
    case: &Case,
    deeds: &[Deed],
) -> Result<Found, AppError> {
    if deeds.first().is_none_or(|first| first.what != What::Open) {
        return Ok(Found::NotKept);
    }
    let own = policies::load(conn, case.version_id)?;
    let id = case.id.to_string();
    with_world(conn, ground, &draft.id, |world| {
        let origin = Origin { form: &case.form, id: &id, number: &case.number };
        match replay((&own, draft), origin, deeds, ground.now, world) {
            Replayed::Unlike(refused) => Found::Unlike(refused.text),
            Replayed::Alike(changes) => {
                let form = own.form(&case.form);
                let words = Words { zone: &ground.zone, world, form: form.map(AsRef::as_ref), deeds };
                Found::Alike(changes.iter().map(|change| words.of(change)).collect())
            }
        }
    })
}

/// What is needed to say a change in words.
struct Words<'w> {
    zone: &'w Zone,
    world: &'w dyn World,
    form: Option<&'w Form>,
    deeds: &'w [Deed],
}

impl Words<'_> {
    fn of(&self, change: &Change) -> Otherwise {
        let (text, clause) = match change {
            Change::Refused { deed, refused } => {
                let (what, when, who) = self.deed(*deed);
                let why = match refused.why {
                    Why::Unknown => text!("草稿里没有这种单据或这个步骤了"),
                    _ => Text::Both(refused.text.clone(), refused.text.clone()),
                };
                let text = text!("“{}”（{}，{}）会被拒绝：{}", what, when, who, word(why));
                (text, refused.clause.clone().unwrap_or_default())
            }
            Change::Stands { before, after } => {
                (text!("现在会在“{}”，不是“{}”", after, before), String::new())
            }
            Change::Due { title, clause, before, after } => {
                let minute = |at: Millis| self.zone.minute(at);
                let text = match (before, after) {
                    (Some(before), Some(after)) => {
                        text!("“{}”的期限是 {}，不是 {}", title, minute(*after), minute(*before))
                    }
                    (None, Some(after)) => text!("多一个期限“{}”，到 {}", title, minute(*after)),
                    _ => text!("没有期限“{}”了", title),
                };
                (text, clause.clone())
            }
            Change::Kept { title, clause, after: true } => (text!("“{}”不会逾期", title), clause.clone()),
            Change::Kept { title, clause, after: false } => (text!("“{}”会逾期", title), clause.clone()),
            Change::Asked { step, clause, before, after } => {
                let text = text!("“{}”由 {} 办理，不是 {}", step, self.names(after), self.names(before));
                (text, clause.clone())
            }
            Change::Penalty { title, clause, whom, measure, before, after } => {
                let amount = |amount: &i64| match measure {
                    Measure::Money => text!("{} 元", yuan(*amount)),
                    Measure::Points => text!("{} 分", yuan(*amount)),
                };
                let text = text!(
                    "{} 的“{}”合计 {}，不是 {}",
                    self.world.name(Kind::Person, whom),
                    title,
                    word(amount(after)),
                    word(amount(before))
                );
                (text, clause.clone())
            }
            Change::Opens { form, before, after } => {
                (text!("会打开 {} 张“{}”，不是 {} 张", after, form, before), String::new())
            }
        };
        Otherwise { text, clause, is_refusal: matches!(change, Change::Refused { .. }) }
    }

    /// What was done, when and by whom.
    fn deed(&self, place: usize) -> (Word, String, Word) {
        let Some(deed) = self.deeds.get(place) else {
            return (word(text!("办理")), String::new(), word(text!("系统")));
        };
        let what = match &deed.what {
            What::Open => text!("开单"),
            What::Act(action) => {
                let steps = self.form.into_iter().flat_map(|form| &form.steps);
                let known = steps.flat_map(|step| &step.actions).find(|known| known.id == *action);
                let title = known.map_or_else(|| action.clone(), |known| known.title.clone());
                Text::Both(title.clone(), title)
            }
            What::Decide(verdict, _) => match verdict {
                Verdict::Approve => text!("同意"),
                Verdict::Reject => text!("驳回"),
                Verdict::Return(_) => text!("退回"),
                Verdict::AddBefore(_) | Verdict::AddAfter(_) => text!("加签"),
                Verdict::Reassign(_) => text!("转办"),
                Verdict::Withdraw => text!("撤回"),
                Verdict::Urge => text!("催办"),
                Verdict::Recuse => text!("回避"),
            },
            What::Hear(event, _) => Text::Both(event.clone(), event.clone()),
        };
        let who = match &deed.actor {
            Some(actor) => {
                let name = self.world.name(Kind::Person, actor);
                Text::Both(name.clone(), name)
            }
            None => text!("系统"),
        };
        (word(what), self.zone.minute(deed.at), word(who))
    }

    fn names(&self, people: &[String]) -> String {
        let names: Vec<String> = people.iter().map(|person| self.world.name(Kind::Person, person)).collect();
        names.join("、")
    }
}
