//! Two people side by side: what each may do and how far, which fields are withheld, and for every line the role and the
//! post or grant it comes from.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::tabs;
use crate::access::{Bar, FieldRule, Held, Object, Rights, Scope, Verb};
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::roles::explain::Words;
use crate::roles::{self, RuledField, ruled_fields, scope_words, why_words};
use crate::web::{Granter, Page, QueryData, Shell, Tab, html};

#[derive(Template)]
#[template(path = "roles/compare.html")]
struct ComparePage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    a: Side,
    b: Side,
    only_differences: bool,
    rows: Vec<Row>,
    is_ready: bool,
}

#[derive(Default)]
struct Side {
    id: String,
    name: String,
}

struct Row {
    title: String,
    a: Vec<String>,
    b: Vec<String>,
    differs: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let words = roles::words(&app, l).await?;
    let only_differences = asked.is_ticked("only");
    let person = |name: &str| {
        let id = asked.get(name).parse::<PersonId>().ok()?;
        let member = words.directory.member(id)?;
        Some((id, Side { id: id.to_string(), name: member.name.clone() }))
    };
    let (a, b) = (person("a"), person("b"));
    let mut rows = Vec::new();
    if let (Some((of_a, _)), Some((of_b, _))) = (&a, &b) {
        let (of_a, of_b) = (app.rights(*of_a).await?, app.rights(*of_b).await?);
        let mut sides =
            Sides { words: words.clone(), a: &of_a, b: &of_b, only_differences, rows: Vec::new() };
        sides.all();
        rows = sides.rows;
    }
    html(&ComparePage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("权限对比", "")]),
        tabs: tabs(l, "/admin/role-compare"),
        is_ready: a.is_some() && b.is_some(),
        a: a.map(|(_, side)| side).unwrap_or_default(),
        b: b.map(|(_, side)| side).unwrap_or_default(),
        only_differences,
        rows,
    })
}

/// One thing one of the two may do, or how he sees a field: what counts for the comparison, and the whole sentence.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    /// What it comes to, apart from where it comes from.
    what: String,
    /// With the role, and the post and unit or the grant that brings it.
    line: String,
}

struct Sides<'a> {
    words: Words,
    a: &'a Rights,
    b: &'a Rights,
    only_differences: bool,
    rows: Vec<Row>,
}

impl Sides<'_> {
    /// A row for both sides; different when they come to something different, whatever brings it about.
    fn add(&mut self, title: String, of: impl Fn(&Words, &Rights) -> Vec<Said>) {
        let side = |rights| {
            let mut said = of(&self.words, rights);
            said.sort();
            said.dedup();
            said
        };
        let (a, b) = (side(self.a), side(self.b));
        let what = |said: &[Said]| said.iter().map(|s| s.what.clone()).collect::<BTreeSet<_>>();
        let differs = what(&a) != what(&b);
        if (differs || !self.only_differences) && !(a.is_empty() && b.is_empty()) {
            let lines = |said: Vec<Said>| said.into_iter().map(|s| s.line).collect();
            self.rows.push(Row { title, a: lines(a), b: lines(b), differs });
        }
    }

    fn all(&mut self) {
        let l = self.words.l;
        self.add(l.t("角色").to_owned(), |words, rights| {
            let said = |held: &Held| {
                let what = words.l.t(&held.role.name).to_owned();
                Said { line: format!("{what} · {}", from(words, held)), what }
            };
            rights.held.iter().map(said).collect()
        });
        self.add(l.t("客户信息人员").to_owned(), bar);
        for object in Object::ALL {
            for verb in object.verbs().iter().copied() {
                let title = format!("{}·{}", l.t(object.title()), l.t(verb.title()));
                self.add(title, |words, rights| permission(words, rights, object, verb));
            }
        }
        for field in ruled_fields(&self.words.catalogue.custom_fields) {
            let withholds = |rights: &Rights| {
                !rights.permits_all(field.object)
                    && rights.whole(field.object, Verb::Read).is_some()
                    && rights.narrowest(field.object, &field.key) < FieldRule::Edit
            };
            if !withholds(self.a) && !withholds(self.b) {
                continue;
            }
            let title = l.f("字段：{}·{}", &[&l.t(field.object.title()), &l.t(&field.title)]);
            self.add(title, |words, rights| field_rules(words, rights, &field));
        }
        let shares = l.t("单个客户的共享").to_owned();
        self.add(shares, |words, rights| count(words, rights.granted.len(), "共享给他的客户：{} 个"));
        let kept_out = l.t("回避").to_owned();
        self.add(kept_out, |words, rights| count(words, rights.excluded.len(), "须回避的客户：{} 个"));
    }
}

/// The post and unit that bring a role, or who gave it.
fn from(words: &Words, held: &Held) -> String {
    why_words(&held.why, &words.directory, &words.catalogue, &words.zone, words.l)
}

fn bar(words: &Words, rights: &Rights) -> Vec<Said> {
    let l = words.l;
    let text = match rights.bar {
        _ if !words.directory.asks_registration() => return Vec::new(),
        Some(Bar::NotRegistered) => l.t("没有登记，不能接触客户"),
        Some(Bar::NotSigned) => l.t("已登记，没有签署现行的保密承诺，不能接触客户"),
        None => l.t("可以接触客户"),
    };
    vec![Said { what: text.to_owned(), line: text.to_owned() }]
}

fn count(words: &Words, n: usize, pattern: &str) -> Vec<Said> {
    if n == 0 {
        return Vec::new();
    }
    let line = words.l.f(pattern, &[&n]);
    vec![Said { what: line.clone(), line }]
}

/// A scope with what it comes to for whoever has it: two people of two units do not reach the same.
fn scope_of(words: &Words, held: &Held, scope: &Scope) -> String {
    let plain = scope_words(scope, &words.directory, words.l);
    if !matches!(scope, Scope::Unit | Scope::UnitTree) {
        return plain;
    }
    let units: Vec<&str> =
        held.units.iter().filter_map(|u| words.directory.unit(*u)).map(|u| u.name.as_str()).collect();
    let units = if units.is_empty() {
        words.l.t("没有任职部门").to_owned()
    } else {
        units.join(words.l.t("、"))
    };
    format!("{plain}（{units}）")
}

fn permission(words: &Words, rights: &Rights, object: Object, verb: Verb) -> Vec<Said> {
    let l = words.l;
    if rights.permits_all(object) {
        let line = l.t("全部（系统管理员）").to_owned();
        return vec![Said { what: line.clone(), line }];
    }
    let reaches = rights.reaches(object, verb).iter().filter_map(|reach| rights.held.get(reach.held));
    let said = |held: &Held| {
        let scope = held.role.grants.get(&(object, verb))?;
        let what = match object.is_scoped(verb) {
            true => scope_of(words, held, scope),
            false => l.t("有").to_owned(),
        };
        Some(Said { line: format!("{what} · {} · {}", l.t(&held.role.name), from(words, held)), what })
    };
    reaches.filter_map(said).collect()
}

/// What each role that lets him see records of an object says of a field.
fn field_rules(words: &Words, rights: &Rights, field: &RuledField) -> Vec<Said> {
    let l = words.l;
    if rights.permits_all(field.object) {
        let line = l.t("可编辑（系统管理员）").to_owned();
        return vec![Said { what: line.clone(), line }];
    }
    let reaches = rights.reaches(field.object, Verb::Read).iter();
    let said = |held: &Held| {
        let scope = held.role.grants.get(&(field.object, Verb::Read))?;
        let rule = l.t(held.role.field(field.object, &field.key).title());
        let what = l.f("{}：范围 {}", &[&rule, &scope_of(words, held, scope)]);
        Some(Said { line: format!("{what} · {} · {}", l.t(&held.role.name), from(words, held)), what })
    };
    reaches.filter_map(|reach| rights.held.get(reach.held)).filter_map(said).collect()
}
