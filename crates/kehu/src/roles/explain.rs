//! Why somebody can or cannot see or do something with a customer, in words: which role, through which post, which
//! scope, share or exclusion decided. Nothing of the customer's own data stands in it but who owns it.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use store::{Conn, Tx};

use super::effect::{as_person, rights_of};
use super::load::why_words;
use super::model::{ruled_fields, scope_words};
use crate::access::{self, Actor, Decision, Directory, FieldRule, Object, Reason, Rights, Role, Scope, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone};
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
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
}

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
    /// Which roles say what.
    pub by: String,
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
    role: crate::ids::RoleId,
    ends_at: Millis,
    by: String,
    source: String,
    reason: String,
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
    let rows: Vec<(crate::ids::RoleId, Millis, String, String, String)> = conn.rows(
        "SELECT g.role_id, g.ends_at, COALESCE(p.name, ''), g.source, g.reason FROM customer_grants g
         LEFT JOIN people p ON p.id = g.granted_by
         WHERE g.customer_id = $1 AND g.person_id = $2 AND g.revoked_at IS NULL AND g.ends_at > $3
           AND g.starts_at <= $3 ORDER BY g.id LIMIT 50",
        &[customer.into(), person.into(), words.now.into()],
    )?;
    let living: Vec<Living> = rows
        .into_iter()
        .map(|(role, ends_at, by, source, reason)| Living { role, ends_at, by, source, reason })
        .collect();
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
    let say = Say { words, customer: &whole, owner: &owner, unit: &unit, living: &living, excluded };
    let objects = [Object::Customer, Object::Contact, Object::Asset, Object::Activity, Object::File];
    let mut verbs = Vec::new();
    for object in objects {
        for verb in object.verbs().iter().filter(|v| object.is_scoped(**v) && **v != Verb::Create) {
            verbs.push(say.verb(&actor, object, *verb, member.is_active));
        }
    }
    let fields = fields(words, &actor.rights, &whole);
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
    customer: &'a Customer,
    owner: &'a str,
    unit: &'a str,
    living: &'a [Living],
    excluded: Option<String>,
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
        for reason in &found {
            let told = (reason.permits(), self.reason(reason, object, verb));
            // Two grants of one bundle are told together.
            if !reasons.contains(&told) {
                reasons.push(told);
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
        Explained { object, verb, decision, reasons }
    }

    fn reason(&self, reason: &Reason<'_>, object: Object, verb: Verb) -> String {
        let Words { directory, catalogue, zone, l, .. } = self.words;
        let l = *l;
        let from = |held: &access::Held| why_words(&held.why, directory, catalogue, zone, l);
        let what = || format!("{}·{}", l.t(object.title()), l.t(verb.title()));
        match reason {
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
            l.f("因待办事项临时授权（{}）“{}”，有效至：{}", &[what, &l.t(&bundle.name), &until])
        };
        let all: Vec<String> = self.living.iter().filter(|g| g.role == bundle.id).map(said).collect();
        all.join(l.t("；"))
    }

    /// What of the record is or is not within a scope.
    fn matched(&self, scope: &Scope, held: &access::Held, is_within: bool) -> String {
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

fn fields(words: &Words, rights: &Rights, customer: &Customer) -> Vec<FieldExplained> {
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
        let mut roles: Vec<&Role> = by_role
            .filter(|reach| reach.extent.covers(&facts))
            .filter_map(|reach| rights.held.get(reach.held))
            .map(|held| &*held.role)
            .collect();
        roles.extend(rights.granted.get(&facts.id).into_iter().flatten().map(|b| &**b));
        if roles.is_empty() {
            continue;
        }
        let says: Vec<String> = roles
            .iter()
            .map(|role| {
                let rule = role.field(field.object, &field.key);
                l.f("“{}”：{}", &[&l.t(&role.name), &l.t(rule.title())])
            })
            .collect();
        found.push(FieldExplained {
            object: field.object,
            title: l.t(&field.title).to_owned(),
            key: field.key,
            rule,
            by: says.join(l.t("、")),
        });
    }
    found
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
                json!({
                    "object": v.object.code(), "verb": v.verb.code(), "decision": v.decision, "reasons": reasons,
                })
            })
            .collect();
        let fields: Vec<Json> = self
            .fields
            .iter()
            .map(|f| json!({ "object": f.object.code(), "field": f.key, "rule": f.rule.code(), "by": f.by }))
            .collect();
        json!({
            "person_id": self.person_id, "customer_id": self.customer_id,
            "permissions": permissions, "fields": fields,
        })
    }
}
