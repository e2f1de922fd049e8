//! Which roles come with which post.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{role_choices, tabs};
use crate::access::ADMINISTRATOR_ID;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::RoleId;
use crate::input::LONGEST_QUERY;
use crate::roles::{posts, set_post_roles};
use crate::text;
use crate::web::{Choice, FormData, Granter, Page, QueryData, Shell, Tab, flash, html, redirect};

#[derive(Template)]
#[template(path = "roles/posts.html")]
struct PostsPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    q: String,
    roles: Vec<Choice>,
    rows: Vec<Row>,
}

struct Row {
    post: String,
    title: String,
    people: usize,
    roles: Vec<String>,
    chosen: Vec<String>,
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let day = app.today().to_string();
    let q = asked.cut("q", LONGEST_QUERY);
    let mut counts = std::collections::HashMap::<String, usize>::new();
    for (id, _) in directory.people().filter(|(_, m)| m.is_active) {
        let mut held: Vec<&str> = directory.positions(id, &day).iter().map(|p| p.post.as_str()).collect();
        held.sort_unstable();
        held.dedup();
        for post in held {
            *counts.entry(post.to_owned()).or_default() += 1;
        }
    }
    let rows: Vec<Row> = posts(&directory, &catalogue, &day, l)
        .into_iter()
        .filter(|(code, title)| q.is_empty() || title.contains(q) || code.contains(q))
        .map(|(post, title)| {
            let roles = directory.roles_of_post(&post);
            Row {
                people: counts.get(&post).copied().unwrap_or(0),
                roles: roles
                    .iter()
                    .filter_map(|r| directory.role(*r))
                    .map(|r| l.t(&r.name).to_owned())
                    .collect(),
                chosen: roles.iter().map(ToString::to_string).collect(),
                post,
                title,
            }
        })
        .collect();
    let administrator = ADMINISTRATOR_ID.to_string();
    let mut roles = role_choices(&directory, l);
    roles.retain(|role| role.value != administrator);
    html(&PostsPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), ("岗位与角色", "")]),
        tabs: tabs(l, "/admin/post-roles"),
        q: q.to_owned(),
        roles,
        rows,
    })
}

pub(super) async fn save(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(post): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let roles: Vec<RoleId> = form
        .all("roles")
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| AppError::field("roles", text!("没有这个角色"))))
        .collect::<Result<_, _>>()?;
    let now = app.now();
    let done = app.db.write(move |tx| set_post_roles(tx, &actor, &post, &roles, now)).await;
    app.forget_sessions();
    done?;
    Ok(flash(redirect(page.is_htmx, "/admin/post-roles"), page.l.t("岗位的角色已保存，立即生效")))
}
