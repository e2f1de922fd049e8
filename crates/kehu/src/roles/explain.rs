//! Why somebody can or cannot see or do something with a customer, in words: which role, through which post, which
//! scope, share or exclusion decided, and which roles he does not have would let him. Nothing of the customer's own data
//! stands in it but who owns it.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use store::{Conn, Tx};

use super::effect::{as_person, rights_of};
use super::load::why_words;
use super::model::{ruled_fields, scope_words};
use super::would::{Candidate, Gain, candidates};
use crate::access::{
    self, Actor, Bar, Decision, Directory, FieldRule, Held, Object, Reason, Rights, Role, Scope, Verb,
};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone};
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId, RoleId};
use crate::org;

/// What puts reasons into words.
#[derive(Clone)]
pub struct Words {
    /// The organisation.
    pub directory: Arc<Directory>,
    /// Names of posts and fields.
    pub catalogue: Arc<Catalogue>,
    /// Where times are read.
    pub zone: Zone,
    /// Language.
    pub l: Lang,
    /// Today.
    pub day: String,
    /// Now.
    pub now: Millis,
}

/// One permission explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// On what.
    pub object: Object,
    /// To do what.
    pub verb: Verb,
    /// `permit`, `refuse` or `hide`.
    pub decision: &'static str,
    /// What speaks for or against, what decides first.
    pub reasons: Vec<(bool, String)>,
    /// Where he may not: the roles he does not have that mention the permission, those that would do first.
    pub would: Vec<Would>,
    /// How many more of them there are.
    pub more: usize,
    /// Whether it is his roles that keep him from it, not an exclusion, a bar or his leaving.
    lacks_roles: bool,
}

impl Explained {
    /// Whether roles decide against him and no other role would help.
    pub fn is_missing(&self) -> bool {
        self.lacks_roles && self.would.is_empty()
    }
}

/// A role that would give a permission, or would with another scope.
#[derive(Clone, Debug)]
pub struct Would {
    /// Which.
    pub role_id: RoleId,
    /// Its name.
    pub role: String,
    /// Whether it would be enough.
    pub is_enough: bool,
    /// Its scope, and whether that reaches this customer.
    pub text: String,
}

/// Roles named for one permission at the most.
const MOST_WOULD: usize = 8;

/// One field that is withheld.
#[derive(Clone, Debug)]
pub struct FieldExplained {
    /// Of what.
    pub object: Object,
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The rule.
    pub rule: FieldRule,
    /// Which of his roles say what.
    pub by: String,
    /// Where it is hidden or masked: roles he does not have that would show it, or that none does.
    pub shown_by: String,
}

/// Everything about one person and one customer.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Who is explained.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// Which customer.
    pub customer_id: CustomerId,
    /// Its name as the reader sees it.
    pub customer: String,
    /// Who owns it, which unit it belongs to: what scopes ask.
    pub owner: String,
    /// Name of the unit.
    pub unit: String,
    /// Each permission.
    pub verbs: Vec<Explained>,
    /// Fields that are hidden, masked or read-only.
    pub fields: Vec<FieldExplained>,
}

/// A grant on one customer as reasons tell it.
struct Living {
    role: RoleId,
    ends_at: Millis,
    by: String,
    source: String,
    reason: String,
    /// The one it was given to, for whom he acts; empty for himself.
    acting_for: String,
}

/// Explains what `person` may do with a customer that `reader` may read himself. Asking about somebody else needs the
/// right to grant roles; the caller notes it with [`note`].
pub fn explain(
    conn: &mut Conn<'_>,
    reader: &Actor,
    words: &Words,
    person: PersonId,
    customer: CustomerId,
) -> Result<Explanation, AppError> {
    let whole = customers::load_for(conn, reader, Object::Customer, Verb::Read, customer)?;
    let member = words.directory.member(person).ok_or(AppError::NotFound)?;
    if person != reader.person_id {
        access::require_may(reader, Object::Role, Verb::Update)?;
    }
    let rights = rights_of(conn, &words.directory, person, None, (&words.day, words.now))?;
    let mut living = Vec::new();
    let acts_for = words.directory.acts_for(person, words.now);
    for of in std::iter::once(person).chain(acts_for.into_iter().map(|(from, _)| from)) {
        // Of those he acts for only what their tasks let them see (`org::load_records`).
        let source = if of == person { "" } else { "AND g.source = 'assignment'" };
        let rows: Vec<(RoleId, Millis, String, String, String)> = conn.rows(
            &format!(
                "SELECT g.role_id, g.ends_at, COALESCE(p.name, ''), g.source, g.reason FROM customer_grants g
                 LEFT JOIN people p ON p.id = g.granted_by
                 WHERE g.customer_id = $1 AND g.person_id = $2 AND g.revoked_at IS NULL AND g.ends_at > $3
                   AND g.starts_at <= $3 {source} ORDER BY g.id LIMIT 50"
            ),
            &[customer.into(), of.into(), words.now.into()],
        )?;
        let acting_for = if of == person { None } else { words.directory.member(of) };
        let acting_for = acting_for.map(|m| m.name.clone()).unwrap_or_default();
        living.extend(rows.into_iter().map(|(role, ends_at, by, source, reason)| Living {
            role,
            ends_at,
            by,
            source,
            reason,
            acting_for: acting_for.clone(),
        }));
    }
    // Only administrators and those who may exclude learn why somebody is kept out.
    let excluded: Option<String> = conn.value(
        "SELECT reason FROM customer_exclusions WHERE customer_id = $1 AND person_id = $2",
        &[customer.into(), person.into()],
    )?;
    let may_know_why = reader.rights.covers(Object::Customer, Verb::Assign, &whole.facts());
    let excluded = excluded.map(|reason| if may_know_why { reason } else { String::new() });
    let names = org::person_names(conn)?;
    let name_of = |id: Option<PersonId>| id.and_then(|id| names.get(&id)).cloned().unwrap_or_default();
    let (owner, unit) = (
        name_of(whole.owner_id),
        whole.unit_id.and_then(|u| words.directory.unit(u)).map_or_else(String::new, |u| u.name.clone()),
    );
    let actor = as_person(person, rights);
    let others = candidates(&words.directory, person, &actor.rights, &words.day);
    let say = Say {
        words,
        person: &member.name,
        customer: &whole,
        owner: &owner,
        unit: &unit,
        living: &living,
        excluded,
        others: &others,
    };
    let objects = [Object::Customer, Object::Contact, Object::Asset, Object::Activity, Object::File];
    let mut verbs = Vec::new();
    for object in objects {
        for verb in object.verbs().iter().filter(|v| object.is_scoped(**v) && **v != Verb::Create) {
            verbs.push(say.verb(&actor, object, *verb, member.is_active));
        }
    }
    let fields = fields(words, &actor.rights, &whole, &others);
    Ok(Explanation {
        person_id: person,
        person: member.name.clone(),
        customer_id: customer,
        customer: customers::withhold(reader, whole.clone()).name().to_owned(),
        owner: owner.clone(),
        unit: unit.clone(),
        verbs,
        fields,
    })
}

/// Notes that somebody asked about another person's access.
pub fn note(tx: &mut Tx<'_>, actor: &Actor, of: &Explanation, now: Millis) -> store::Result<()> {
    if of.person_id == actor.person_id {
        return Ok(());
    }
    let after = json!({ "person": of.person_id });
    let entry = Entry::of("access.explained", "person", of.person_id.0).after(&after);
    audit::record(tx, actor, now, &entry.customer(of.customer_id.0))
}

struct Say<'a> {
    words: &'a Words,
    person: &'a str,
    customer: &'a Customer,
    owner: &'a str,
    unit: &'a str,
    living: &'a [Living],
    excluded: Option<String>,
    others: &'a [Candidate],
}

impl Say<'_> {
    fn verb(&self, actor: &Actor, object: Object, verb: Verb, is_active: bool) -> Explained {
        let l = self.words.l;
        let facts = self.customer.facts();
        let decision = match access::decide(actor, object, verb, &facts) {
            _ if !is_active => "hide",
            Decision::Permit => "permit",
            Decision::Hide => "hide",
            Decision::Refuse(_) => "refuse",
        };
        let mut reasons = Vec::new();
        if !is_active {
            reasons.push((false, l.t("此人已停用，不能登录").to_owned()));
        }
        let found = access::explain(&actor.rights, object, verb, &facts);
        if found.is_empty() {
            reasons.push((false, l.t("此人没有任何角色，也没有这个客户的共享").to_owned()));
        }
        if let Some(text) = self.all_lacking(&found, object, verb) {
            reasons.push((false, text));
        } else {
            for reason in &found {
                let told = (reason.permits(), self.reason(reason, object, verb));
                // Two grants of one bundle are told together.
                if !reasons.contains(&told) {
                    reasons.push(told);
                }
            }
        }
        // A permission of its own is not enough: whoever may not read the customer knows nothing of it.
        if decision != "permit"
            && found.iter().any(Reason::permits)
            && !actor.rights.excluded.contains(&facts.id)
            && is_active
        {
            let base = if actor.rights.covers(Object::Customer, Verb::Read, &facts) {
                l.f("虽有权限，但不能查看{}", &[&l.t(object.title())])
            } else {
                l.t("虽有权限，但看不到这个客户").to_owned()
            };
            reasons.insert(0, (false, base));
        }
        let is_about_roles = decision != "permit"
            && is_active
            && actor.rights.bar.is_none()
            && !actor.rights.excluded.contains(&facts.id);
        let (would, more) =
            if is_about_roles { self.would(&actor.rights, object, verb) } else { (Vec::new(), 0) };
        Explained { object, verb, decision, reasons, would, more, lacks_roles: is_about_roles }
    }

    /// One sentence where none of his roles mentions a permission.
    fn all_lacking(&self, found: &[Reason<'_>], object: Object, verb: Verb) -> Option<String> {
        let l = self.words.l;
        let mut names: Vec<&str> = Vec::new();
        for reason in found {
            let Reason::Lacking(held) = reason else { return None };
            let name = l.t(&held.role.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let what = format!("{}·{}", l.t(object.title()), l.t(verb.title()));
        (!names.is_empty()).then(|| {
            l.f(
                "{}的 {} 个角色都没有“{}”权限：{}",
                &[&self.person, &names.len(), &what, &names.join(l.t("、"))],
            )
        })
    }

    /// The roles he does not have that mention a permission, those that would be enough first, and how many more.
    fn would(&self, own: &Rights, object: Object, verb: Verb) -> (Vec<Would>, usize) {
        let (l, facts) = (self.words.l, self.customer.facts());
        let mut found: Vec<(Gain, &Held, &Scope)> = self
            .others
            .iter()
            .filter_map(|other| {
                let scope = other.held.role.grants.get(&(object, verb))?;
                Some((other.gain(own, object, verb, &facts)?, &other.held, scope))
            })
            .collect();
        found.sort_by_key(|(gain, held, _)| {
            (*gain != Gain::Enough, *gain == Gain::OutOfReach, !held.role.is_builtin, held.role.id)
        });
        let more = found.len().saturating_sub(MOST_WOULD);
        let told = found.into_iter().take(MOST_WOULD).map(|(gain, held, scope)| {
            let words = scope_words(scope, &self.words.directory, l);
            let matched = self.matched(scope, held, gain != Gain::OutOfReach);
            let text = match gain {
                Gain::Enough => l.f("范围：{}，包括这个客户（{}）", &[&words, &matched]),
                Gain::NeedsMore => l.f("范围：{}，包括这个客户（{}），但还要有查看权限", &[&words, &matched]),
                Gain::OutOfReach => l.f("范围：{}，不包括这个客户（{}）", &[&words, &matched]),
            };
            Would {
                role_id: held.role.id,
                role: l.t(&held.role.name).to_owned(),
                is_enough: gain == Gain::Enough,
                text,
            }
        });
        (told.collect(), more)
    }

    fn reason(&self, reason: &Reason<'_>, object: Object, verb: Verb) -> String {
        let Words { directory, l, .. } = self.words;
        let l = *l;
        let from = |held: &Held| self.words.from(held);
        let what = || format!("{}·{}", l.t(object.title()), l.t(verb.title()));
        match reason {
            Reason::Barred(Bar::NotRegistered) => {
                l.t("没有登记为客户信息人员，不能接触任何客户；登记并签署保密承诺后，角色才起作用").to_owned()
            }
            Reason::Barred(Bar::NotSigned) => l
                .t("已登记为客户信息人员，但没有签署现行的保密承诺，不能接触任何客户；签署后，角色才起作用")
                .to_owned(),
            Reason::Administrator => l.t("系统管理员可以使用全部功能、查看全部数据").to_owned(),
            Reason::Excluded => match self.excluded.as_deref() {
                Some(reason) if !reason.is_empty() => l.f("已对此客户回避：{}", &[&reason]),
                _ => l.t("已对此客户回避").to_owned(),
            },
            Reason::Reached(held, scope) => l.f(
                "角色“{}”（{}）允许“{}”，范围：{}；{}",
                &[
                    &l.t(&held.role.name),
                    &from(held),
                    &what(),
                    &scope_words(scope, directory, l),
                    &self.matched(scope, held, true),
                ],
            ),
            Reason::Outside(held, scope) => l.f(
                "角色“{}”（{}）允许“{}”，范围：{}；但{}",
                &[
                    &l.t(&held.role.name),
                    &from(held),
                    &what(),
                    &scope_words(scope, directory, l),
                    &self.matched(scope, held, false),
                ],
            ),
            Reason::Lacking(held) => {
                l.f("角色“{}”（{}）没有“{}”权限", &[&l.t(&held.role.name), &from(held), &what()])
            }
            Reason::Granted(bundle) => self.granted(bundle),
        }
    }

    /// Every grant of a bundle: who gave it or what it was given for, and until when.
    fn granted(&self, bundle: &Role) -> String {
        let l = self.words.l;
        let said = |g: &Living| {
            let until = if g.ends_at >= crate::shares::FOREVER {
                l.t("长期").to_owned()
            } else {
                self.words.zone.minute(g.ends_at)
            };
            if g.source == crate::shares::SHARE {
                return l.f("由 {} 共享“{}”，有效至：{}", &[&g.by, &l.t(&bundle.name), &until]);
            }
            // What it was given for: an approval, a task.
            let what = if g.reason.is_empty() { &g.by } else { &g.reason };
            let said = l.f("因待办事项临时授权（{}）“{}”，有效至：{}", &[what, &l.t(&bundle.name), &until]);
            if g.acting_for.is_empty() { said } else { l.f("{}（代 {}）", &[&said, &g.acting_for]) }
        };
        let all: Vec<String> = self.living.iter().filter(|g| g.role == bundle.id).map(said).collect();
        all.join(l.t("；"))
    }

    /// What of the record is or is not within a scope.
    fn matched(&self, scope: &Scope, held: &Held, is_within: bool) -> String {
        let l = self.words.l;
        let owner = if self.owner.is_empty() { l.t("没有负责人") } else { self.owner };
        let unit = if self.unit.is_empty() { l.t("没有所属部门") } else { self.unit };
        match (scope, is_within) {
            (Scope::All, _) => l.t("包括全部客户").to_owned(),
            (Scope::Own | Scope::Team, _) => l.f("客户负责人：{}", &[&owner]),
            (Scope::Unit | Scope::UnitTree, false) if held.units.is_empty() => {
                l.t("此人没有任职部门").to_owned()
            }
            (Scope::Unit | Scope::UnitTree, false) => {
                let own: Vec<&str> = held
                    .units
                    .iter()
                    .filter_map(|u| self.words.directory.unit(*u))
                    .map(|u| u.name.as_str())
                    .collect();
                l.f("客户所属部门：{}，不在“{}”之内", &[&unit, &own.join(l.t("、"))])
            }
            (Scope::Units(_) | Scope::Unit | Scope::UnitTree, _) => l.f("客户所属部门：{}", &[&unit]),
            (Scope::Condition(_), true) => l.t("客户符合条件").to_owned(),
            (Scope::Condition(_), false) => l.t("客户不符合条件").to_owned(),
        }
    }
}

fn fields(words: &Words, rights: &Rights, customer: &Customer, others: &[Candidate]) -> Vec<FieldExplained> {
    let l = words.l;
    let facts = customer.facts();
    let mut found = Vec::new();
    for field in ruled_fields(&words.catalogue.custom_fields) {
        let rule = rights.fields(field.object, &facts).rule(&field.key);
        if rule == FieldRule::Edit || rights.is_administrator {
            continue;
        }
        // The roles that let him see it, each with what it says of the field: the widest counts.
        let by_role = rights.reaches(field.object, Verb::Read).iter();
        let mut roles: Vec<(&Role, String)> = by_role
            .filter(|reach| reach.extent.covers(&facts))
            .filter_map(|reach| rights.held.get(reach.held))
            .map(|held| (&*held.role, words.from(held)))
            .collect();
        let bundles = rights.granted.get(&facts.id).into_iter().flatten();
        let bundles = bundles.filter(|b| b.grants.contains_key(&(field.object, Verb::Read)));
        roles.extend(bundles.map(|b| (&**b, l.t("共享").to_owned())));
        if roles.is_empty() {
            continue;
        }
        let says: Vec<String> = roles
            .iter()
            .map(|(role, from)| {
                let rule = role.field(field.object, &field.key);
                l.f("“{}”（{}）：{}", &[&l.t(&role.name), &from, &l.t(rule.title())])
            })
            .collect();
        found.push(FieldExplained {
            object: field.object,
            title: l.t(&field.title).to_owned(),
            shown_by: if rule < FieldRule::Read {
                shown_by(words, others, field.object, &field.key, &facts)
            } else {
                String::new()
            },
            key: field.key,
            rule,
            by: says.join(l.t("、")),
        });
    }
    found
}

/// The roles he does not have that would show a field of this customer.
fn shown_by(
    words: &Words,
    others: &[Candidate],
    object: Object,
    key: &str,
    facts: &access::Facts<'_>,
) -> String {
    let l = words.l;
    let shows =
        |other: &&Candidate| other.rule(object, key, facts).is_some_and(|rule| rule >= FieldRule::Read);
    let mut names: Vec<String> = others
        .iter()
        .filter(shows)
        .map(|other| {
            format!("{}（{}）", l.t(&other.held.role.name), l.t(other.held.role.field(object, key).title()))
        })
        .collect();
    if names.is_empty() {
        return l.t("公司现有的其他角色都不显示，或到不了这个客户").to_owned();
    }
    if names.len() > MOST_WOULD {
        names.truncate(MOST_WOULD);
        names.push("…".to_owned());
    }
    names.join(l.t("、"))
}

impl Words {
    /// Where a role of somebody comes from.
    fn from(&self, held: &Held) -> String {
        why_words(&held.why, &self.directory, &self.catalogue, &self.zone, self.l)
    }
}

impl Explanation {
    /// As the API sends it.
    pub fn json(&self) -> Json {
        let permissions: Vec<Json> = self
            .verbs
            .iter()
            .map(|v| {
                let reasons: Vec<Json> = v
                    .reasons
                    .iter()
                    .map(|(permits, text)| json!({ "permits": permits, "text": text }))
                    .collect();
                let would: Vec<Json> = v
                    .would
                    .iter()
                    .map(|w| json!({ "role_id": w.role_id, "role": w.role, "is_enough": w.is_enough, "text": w.text }))
                    .collect();
                json!({
                    "object": v.object.code(), "verb": v.verb.code(), "decision": v.decision, "reasons": reasons,
                    "would": would,
                })
            })
            .collect();
        let fields: Vec<Json> = self
            .fields
            .iter()
            .map(|f| {
                json!({
                    "object": f.object.code(), "field": f.key, "rule": f.rule.code(), "by": f.by,
                    "shown_by": f.shown_by,
                })
            })
            .collect();
        json!({
            "person_id": self.person_id, "customer_id": self.customer_id,
            "permissions": permissions, "fields": fields,
        })
    }
}
