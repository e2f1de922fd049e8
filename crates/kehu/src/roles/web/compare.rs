//! Two people side by side: what each may do, how far, by which roles, and which fields are withheld.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::tabs;
use crate::access::{FieldRule, Object, Rights, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::roles::{ruled_fields, scope_words, why_words};
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
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let (day, now) = (app.today().to_string(), app.now());
    let only_differences = asked.is_ticked("only");
    let side = |name: &str| -> (Side, Option<Rights>) {
        let Ok(id) = asked.get(name).parse::<PersonId>() else { return Default::default() };
        let Some(member) = directory.member(id) else { return Default::default() };
        (Side { id: id.to_string(), name: member.name.clone() }, Some(directory.rights(id, &day, now)))
    };
    let ((a, of_a), (b, of_b)) = (side("a"), side("b"));
    let mut rows = Vec::new();
    if let (Some(of_a), Some(of_b)) = (&of_a, &of_b) {
        let mut add = |title: String, a: Vec<String>, b: Vec<String>, differs: bool| {
            if (differs || !only_differences) && !(a.is_empty() && b.is_empty()) {
                rows.push(Row { title, a, b, differs });
            }
        };
        let roles = |rights: &Rights| -> Vec<String> {
            rights
                .held
                .iter()
                .map(|h| {
                    let why = why_words(&h.why, &directory, &catalogue, &app.zone, l);
                    format!("{} · {why}", l.t(&h.role.name))
                })
                .collect()
        };
        let (held_a, held_b) = (roles(of_a), roles(of_b));
        let differs = held_a != held_b;
        add(l.t("角色").to_owned(), held_a, held_b, differs);
        for object in Object::ALL {
            for verb in object.verbs() {
                let cell = |rights: &Rights| -> Vec<String> {
                    if rights.is_administrator {
                        return vec![l.t("全部（系统管理员）").to_owned()];
                    }
                    let reaches =
                        rights.reaches(object, *verb).iter().filter_map(|r| rights.held.get(r.held));
                    let mut words: Vec<String> = reaches
                        .filter_map(|held| {
                            let scope = held.role.grants.get(&(object, *verb))?;
                            let scope = if object.is_scoped(*verb) {
                                scope_words(scope, &directory, l)
                            } else {
                                l.t("有").to_owned()
                            };
                            Some(format!("{scope} · {}", l.t(&held.role.name)))
                        })
                        .collect();
                    words.sort();
                    words.dedup();
                    words
                };
                let (a, b) = (cell(of_a), cell(of_b));
                let differs = a != b;
                add(format!("{}·{}", l.t(object.title()), l.t(verb.title())), a, b, differs);
            }
        }
        field_rows(&catalogue, of_a, of_b, l, &mut add);
    }
    html(&ComparePage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("权限对比", "")]),
        tabs: tabs(l, "/admin/role-compare"),
        is_ready: of_a.is_some() && of_b.is_some(),
        a,
        b,
        only_differences,
        rows,
    })
}

fn field_rows(
    catalogue: &Catalogue,
    of_a: &Rights,
    of_b: &Rights,
    l: Lang,
    add: &mut impl FnMut(String, Vec<String>, Vec<String>, bool),
) {
    for field in ruled_fields(&catalogue.custom_fields) {
        let cell = |rights: &Rights| -> Vec<String> {
            if rights.is_administrator || rights.whole(field.object, Verb::Read).is_none() {
                return Vec::new();
            }
            match rights.narrowest(field.object, &field.key) {
                FieldRule::Edit => Vec::new(),
                rule => vec![l.f("最严：{}", &[&l.t(rule.title())])],
            }
        };
        let (a, b) = (cell(of_a), cell(of_b));
        let differs = a != b;
        add(l.f("字段：{}·{}", &[&l.t(field.object.title()), &l.t(&field.title)]), a, b, differs);
    }
}
