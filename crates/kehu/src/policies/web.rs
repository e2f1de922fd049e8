//! 制度: the library, a regulation for people, drafts in the browser, publishing, and how well regulations are kept.

mod edit;
mod publication;
mod settings;
mod show;

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;

use super::{State, Version, acknowledged_by, current, shipped};
use crate::access::Actor;
use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PolicyVersionId;
use crate::web::{Need, Page, Routes, Shell, html};

/// Where the library stands.
const HOME: &str = "/policies";

pub(super) fn routes(routes: Routes) -> Routes {
    let manages = Need::Administrator;
    routes
        .get(HOME, Need::SignedIn, index)
        .post(HOME, manages, edit::create_draft)
        .get("/policies/new", manages, edit::new)
        .get("/policies/clause", Need::SignedIn, show::find_clause)
        .get("/policies/{id}", Need::SignedIn, show::show)
        .post("/policies/{id}/acknowledgement", Need::SignedIn, show::acknowledge_it)
        .get("/policies/{id}/differences", Need::SignedIn, show::differences)
        .get("/policies/{id}/edit", manages, edit::show)
        .post("/policies/{id}/edit", manages, edit::save_file)
        .post("/policies/{id}/files", manages, edit::change_files)
        .post("/policies/{id}/check", manages, edit::check)
        .post("/policies/{id}/test", manages, edit::run_scenarios)
        .post("/policies/{id}/discard", manages, edit::discard_it)
        .get("/policies/{id}/settings", manages, settings::show)
        .post("/policies/{id}/settings", manages, settings::save_values)
        .get("/policies/{id}/publication", manages, publication::show)
        .post("/policies/{id}/publication", manages, publication::publish_it)
}

fn version_id(id: &str) -> Result<PolicyVersionId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

/// Where clauses of a version are read, in the drawer or on its page.
pub(crate) fn clause_href(version: PolicyVersionId, clause: &str) -> String {
    let version = version.to_string();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("version", &version)
        .append_pair("clause", clause)
        .finish();
    format!("{HOME}/clause?{query}")
}

/// Where a version stands, in a word and a colour.
fn state_words(version: &Version, now: Millis) -> (&'static str, &'static str) {
    match version.state {
        State::Draft => ("草稿", "amber"),
        State::Discarded => ("已作废", ""),
        State::Published if version.is_in_force(now) => ("施行中", "green"),
        State::Published if version.effective_at.is_some_and(|from| from > now) => ("待施行", "blue"),
        State::Published => ("已被取代", ""),
    }
}

/// A version in a list.
struct Entry {
    id: PolicyVersionId,
    title: String,
    version: String,
    owner: String,
    purpose: String,
    since: String,
    note: String,
    is_draft: bool,
    is_coming: bool,
    has_read: bool,
}

fn entry(app: &App, version: Version, read: &[PolicyVersionId], now: Millis) -> Entry {
    let head = version.files.iter().find(|file| file.name == "policy.toml").map(policy::head);
    let (owner, purpose) = match head {
        Some(Ok(head)) => (head.owner, head.purpose),
        _ => (String::new(), String::new()),
    };
    Entry {
        owner,
        purpose,
        since: version
            .effective_at
            .map_or_else(|| app.zone.minute(version.updated_at), |at| app.zone.minute(at)),
        is_draft: version.state == State::Draft,
        is_coming: version.effective_at.is_some_and(|from| from > now),
        has_read: read.contains(&version.id),
        id: version.id,
        title: version.title,
        version: version.version,
        note: version.note,
    }
}

/// A regulation that came with the program and is not in the library.
struct Offer {
    policy: String,
    title: String,
    version: String,
    owner: String,
    purpose: String,
}

#[derive(Template)]
#[template(path = "policies/index.html")]
struct IndexPage {
    l: Lang,
    shell: Shell,
    is_manager: bool,
    in_force: Vec<Entry>,
    coming: Vec<Entry>,
    drafts: Vec<Entry>,
    offers: Vec<Offer>,
    unread: usize,
}

async fn index(Shared(app): Shared<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let (now, me) = (app.now(), actor.clone());
    let (found, read) = app
        .db
        .read(move |conn| {
            Ok::<_, store::Error>((current(conn, &me, now)?, acknowledged_by(conn, me.person_id)?))
        })
        .await?;
    let is_manager = actor.is_administrator();
    let mut offers = Vec::new();
    for shipped in shipped().into_iter().filter(|_| is_manager) {
        let head = shipped.files.iter().find(|file| file.name == "policy.toml").map(policy::head);
        let Some(Ok(head)) = head else { continue };
        if found.iter().all(|version| version.policy != shipped.policy) {
            offers.push(Offer {
                policy: shipped.policy,
                title: head.title,
                version: head.version,
                owner: head.owner,
                purpose: head.purpose,
            });
        }
    }
    let (drafts, published): (Vec<Entry>, Vec<Entry>) =
        found.into_iter().map(|version| entry(&app, version, &read, now)).partition(|entry| entry.is_draft);
    let (coming, in_force): (Vec<Entry>, Vec<Entry>) =
        published.into_iter().partition(|entry| entry.is_coming);
    html(&IndexPage {
        l: page.l,
        shell: page.shell(&[("制度", HOME)]),
        is_manager,
        unread: in_force.iter().filter(|entry| !entry.has_read).count(),
        in_force,
        coming,
        drafts,
        offers,
    })
}
