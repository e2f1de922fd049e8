//! The list of roles.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{HOME, tabs};
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::RoleId;
use crate::input::LONGEST_QUERY;
use crate::org::web::part_or_page;
use crate::roles::{changes, holder_counts, post_title};
use crate::web::{Granter, Page, QueryData, Shell, Tab};

#[derive(Template)]
#[template(path = "roles/index.html", blocks = ["list"])]
struct IndexPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    q: String,
    rows: Vec<Row>,
    total: usize,
}

struct Row {
    id: RoleId,
    name: String,
    note: String,
    code: String,
    is_bundle: bool,
    is_builtin: bool,
    people: usize,
    posts: Vec<String>,
    changed: String,
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let changes = app.db.read(changes).await?;
    let counts = holder_counts(&directory, &app.today().to_string());
    let mut posts: BTreeMap<RoleId, Vec<String>> = BTreeMap::new();
    for (post, roles) in directory.posts_with_roles() {
        for role in roles {
            posts.entry(*role).or_default().push(post_title(&catalogue, post, l).to_owned());
        }
    }
    let q = asked.cut("q", LONGEST_QUERY).to_lowercase();
    let rows: Vec<Row> = directory
        .roles()
        .into_iter()
        .map(|role| {
            let changed = changes.get(&role.id).filter(|c| c.at > 0);
            let mut posts = posts.remove(&role.id).unwrap_or_default();
            posts.sort();
            Row {
                id: role.id,
                name: l.t(&role.name).to_owned(),
                note: l.t(&role.note).to_owned(),
                code: role.code.clone(),
                is_bundle: role.is_bundle,
                is_builtin: role.is_builtin,
                people: counts.get(&role.id).copied().unwrap_or(0),
                posts,
                changed: changed.map_or_else(String::new, |c| format!("{} {}", app.zone.minute(c.at), c.by)),
            }
        })
        .filter(|row| {
            q.is_empty() || format!("{} {} {}", row.name, row.note, row.code).to_lowercase().contains(&q)
        })
        .collect();
    let shown = IndexPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", "")]),
        tabs: tabs(l, HOME),
        q: asked.cut("q", LONGEST_QUERY).to_owned(),
        total: rows.len(),
        rows,
    };
    part_or_page(page.is_partial, shown.as_list(), &shown)
}
