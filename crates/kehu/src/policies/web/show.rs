//! A regulation for people: its clauses, what carries each of them out, its forms, processes and values; one clause in
//! the drawer; taking note of it; what is different from the version before.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use policy::Policy;
use policy::diff::Change;
use policy::model::{Clause, Form};

use super::{HOME, clause_href, state_words, version_id};
use crate::access::Actor;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PolicyVersionId;
use crate::org::web::part_or_page;
use crate::policies::{
    self, State, Version, acknowledge, acknowledgements, has_acknowledged, load_version, meant, people_words,
    require_manager, setting_words, step_kind, step_people, step_ways, versions,
};
use crate::web::{Page, QueryData, Shell, flash, html, redirect};

/// What a clause is carried out by, in one chip.
pub(super) struct Chip {
    /// What kind of part (source text).
    pub(super) what: &'static str,
    pub(super) title: String,
}

/// A clause as people read it.
pub(super) struct ClauseText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) binds: String,
    pub(super) chips: Vec<Chip>,
}

pub(super) fn clause_text(policy: &Policy, clause: &Clause) -> ClauseText {
    let mut chips: Vec<Chip> = Vec::new();
    for (what, title) in policy.citing(&clause.id) {
        let title = if what == "保管" || what == "查阅" {
            policy.form(&title).map_or(title.clone(), |form| form.title.clone())
        } else {
            title
        };
        if chips.iter().all(|chip| chip.what != what || chip.title != title) {
            chips.push(Chip { what, title });
        }
    }
    ClauseText {
        id: clause.id.clone(),
        title: clause.title.clone(),
        text: clause.text.clone(),
        binds: clause.binds.clone(),
        chips,
    }
}

struct FormText {
    title: String,
    by: String,
    number: String,
    /// Title, kind and clause of each field.
    fields: Vec<(String, String)>,
    steps: Vec<StepText>,
    deadlines: Vec<DeadlineText>,
    /// The process as a picture.
    diagram: String,
}

struct StepText {
    title: String,
    kind: &'static str,
    people: String,
    help: String,
    ways: Vec<(String, String)>,
    outcome: String,
    clause: String,
}

struct DeadlineText {
    title: String,
    within: String,
    clause: String,
}

fn form_text(policy: &Policy, form: &Form, l: Lang) -> FormText {
    let steps = form
        .steps
        .iter()
        .map(|step| StepText {
            title: step.title.clone(),
            kind: step_kind(step),
            people: step_people(policy, form, step),
            help: step.help.clone(),
            ways: step_ways(form, step)
                .into_iter()
                .map(|(button, to)| {
                    let to = if to.is_empty() { l.t("留在本步").to_owned() } else { to.join(" / ") };
                    (button, to)
                })
                .collect(),
            outcome: step.outcome.clone(),
            clause: step.clause.clone(),
        })
        .collect();
    FormText {
        diagram: policy::diagram::diagram(form, None, &[]),
        title: form.title.clone(),
        by: people_words(policy, Some(form), &form.by),
        number: form.number.clone(),
        fields: form
            .fields
            .iter()
            .map(|field| {
                let options =
                    if field.options.is_empty() { String::new() } else { field.options.join(" / ") };
                (field.title.clone(), options)
            })
            .collect(),
        steps,
        deadlines: form
            .deadlines
            .iter()
            .map(|deadline| DeadlineText {
                title: deadline.title.clone(),
                within: deadline.within.in_chinese(),
                clause: deadline.clause.clone(),
            })
            .collect(),
    }
}

struct SettingText {
    title: String,
    value: String,
    hint: String,
    clause: String,
}

/// A version in the list of versions.
struct Past {
    id: PolicyVersionId,
    version: String,
    state: &'static str,
    colour: &'static str,
    since: String,
    note: String,
    is_here: bool,
    has_before: bool,
}

/// Who took note, and when.
struct Reader {
    name: String,
    at: String,
}

#[derive(Template)]
#[template(path = "policies/show.html")]
struct ShowPage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    row_version: i64,
    title: String,
    version: String,
    state: &'static str,
    colour: &'static str,
    is_draft: bool,
    is_published: bool,
    is_manager: bool,
    sees_compliance: bool,
    /// Title and value of the head.
    facts: Vec<(&'static str, String)>,
    note: String,
    clauses: Vec<ClauseText>,
    settings: Vec<SettingText>,
    forms: Vec<FormText>,
    standards: Vec<(String, String, String)>,
    roles: Vec<(String, String)>,
    problems: Vec<String>,
    /// When the reader took note; empty when he has not.
    noted: String,
    has_read: Vec<Reader>,
    has_not: Vec<String>,
    past: Vec<Past>,
}

impl ShowPage {
    fn clause_href(&self, clause: &str) -> String {
        clause_href(self.id, clause)
    }
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now, me, l) = (version_id(&id)?, app.now(), actor.clone(), page.l);
    let (version, noted, readers, past) = app
        .db
        .read(move |conn| {
            let version = load_version(conn, &me, id)?;
            let noted = has_acknowledged(conn, me.person_id, id)?;
            let readers = match (me.is_administrator(), version.state) {
                (true, State::Published) => acknowledgements(conn, id)?,
                _ => Vec::new(),
            };
            let past = versions(conn, &me, &version.policy)?;
            Ok::<_, AppError>((version, noted, readers, past))
        })
        .await?;
    let compiled = policies::compile(&version.files, &version.settings);
    let (policy, problems) = match compiled {
        Ok(policy) => (Some(policy), Vec::new()),
        Err(problems) => (None, problems.iter().map(ToString::to_string).collect()),
    };
    let policy = policy.as_ref();
    let (state, colour) = state_words(&version, now);
    let directory = app.directory().await?;
    let (read, unread): (Vec<_>, Vec<_>) = readers.into_iter().partition(|(.., at)| at.is_some());
    html(&ShowPage {
        l,
        shell: page.shell(&[("制度", HOME), (&version.title, "")]),
        id,
        row_version: version.row_version,
        state,
        colour,
        is_draft: version.state == State::Draft,
        is_published: version.state == State::Published,
        is_manager: actor.is_administrator(),
        sees_compliance: version.state == State::Published && crate::compliance::may_see(&actor, &directory),
        facts: policy.map_or_else(Vec::new, |policy| facts(&app, policy, &version)),
        note: version.note.clone(),
        clauses: policy.map_or_else(Vec::new, |p| p.clauses.iter().map(|c| clause_text(p, c)).collect()),
        settings: policy.map_or_else(Vec::new, |policy| {
            let text = |setting: &policy::model::Setting| SettingText {
                title: setting.title.clone(),
                value: setting_words(setting),
                hint: setting.hint.clone(),
                clause: setting.clause.clone().unwrap_or_default(),
            };
            policy.settings.iter().map(text).collect()
        }),
        forms: policy.map_or_else(Vec::new, |p| p.forms.iter().map(|form| form_text(p, form, l)).collect()),
        standards: policy.map_or_else(Vec::new, |policy| {
            policy.standards.iter().map(|s| (s.title.clone(), s.text.clone(), s.clause.clone())).collect()
        }),
        roles: policy.map_or_else(Vec::new, |policy| {
            policy.roles.iter().map(|role| (role.title.clone(), role.posts.join("、"))).collect()
        }),
        problems,
        noted: noted.map_or_else(String::new, |at| app.zone.minute(at)),
        has_read: read
            .into_iter()
            .map(|(_, name, at)| Reader { name, at: at.map_or_else(String::new, |at| app.zone.minute(at)) })
            .collect(),
        has_not: unread.into_iter().map(|(_, name, _)| name).collect(),
        past: past_of(&app, past, id, now),
        title: version.title,
        version: version.version,
    })
}

fn facts(app: &App, policy: &Policy, version: &Version) -> Vec<(&'static str, String)> {
    let head = &policy.head;
    let minute = |at: Option<i64>| at.map_or_else(String::new, |at| app.zone.minute(at));
    let mut facts = vec![
        ("施行时间", minute(version.effective_at)),
        ("施行至", minute(version.retired_at)),
        ("归口部门", head.owner.clone()),
        ("解释", head.interpreter.clone()),
        ("批准", head.approver.clone()),
        ("目的", head.purpose.clone()),
        ("范围", head.scope.clone()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn past_of(app: &App, past: Vec<Version>, here: PolicyVersionId, now: i64) -> Vec<Past> {
    let last = past.len().saturating_sub(1);
    past.into_iter()
        .enumerate()
        .map(|(place, version)| {
            let (state, colour) = state_words(&version, now);
            Past {
                id: version.id,
                state,
                colour,
                since: app.zone.minute(version.effective_at.unwrap_or(version.updated_at)),
                is_here: version.id == here,
                has_before: place < last,
                version: version.version,
                note: version.note,
            }
        })
        .collect()
}

#[derive(Template)]
#[template(path = "policies/clause.html", blocks = ["card"])]
struct ClausePage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    title: String,
    version: String,
    state: &'static str,
    colour: &'static str,
    clauses: Vec<ClauseText>,
}

/// A clause beside whatever cites it. `clause` may name several; without `version` the one in force is meant.
pub(super) async fn find_clause(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let (now, me) = (app.now(), actor.clone());
    let (policy, version) = (asked.get("policy").to_owned(), asked.get("version").to_owned());
    let version = app
        .db
        .read(move |conn| {
            let id = match version.parse::<PolicyVersionId>() {
                Ok(id) => id,
                Err(_) => meant(conn, &policy, now)?.ok_or(AppError::NotFound)?,
            };
            load_version(conn, &me, id)
        })
        .await?;
    if !asked.get("policy").is_empty() && asked.get("policy") != version.policy {
        return Err(AppError::NotFound);
    }
    let policy = policies::policy_of(&version)?;
    let wanted: Vec<&str> =
        asked.get("clause").split([',', '，', '、']).map(str::trim).filter(|id| !id.is_empty()).collect();
    let clauses: Vec<&Clause> =
        policy.clauses.iter().filter(|clause| wanted.contains(&clause.id.as_str())).collect();
    let Some(first) = clauses.first() else { return Err(AppError::NotFound) };
    if !page.is_partial {
        return Ok(redirect(page.is_htmx, &format!("{HOME}/{}#clause-{}", version.id, first.id)));
    }
    let (state, colour) = state_words(&version, now);
    let card = ClausePage {
        l: page.l,
        shell: page.shell(&[("制度", HOME)]),
        id: version.id,
        state,
        colour,
        clauses: clauses.into_iter().map(|clause| clause_text(&policy, clause)).collect(),
        title: version.title.clone(),
        version: version.version.clone(),
    };
    part_or_page(true, card.as_card(), &card)
}

pub(super) async fn acknowledge_it(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now) = (version_id(&id)?, app.now());
    app.db
        .write(move |tx| {
            // A draft is nothing to whoever may not see it.
            load_version(tx, &actor, id)?;
            acknowledge(tx, &actor, id, now)
        })
        .await?;
    Ok(flash(redirect(page.is_htmx, &format!("{HOME}/{id}")), page.l.t("已记下：您已阅读这一版")))
}

#[derive(Template)]
#[template(path = "policies/differences.html", blocks = ["card"])]
struct DifferencesPage {
    l: Lang,
    shell: Shell,
    title: String,
    /// The version, and the one before.
    version: String,
    before: String,
    /// Whether both could be read.
    is_readable: bool,
    changes: Vec<Change>,
}

/// What a version changed, compared with the one before it that the reader may see.
pub(super) async fn differences(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, me) = (version_id(&id)?, actor.clone());
    let (version, all) = app
        .db
        .read(move |conn| {
            let version = load_version(conn, &me, id)?;
            let all = versions(conn, &me, &version.policy)?;
            Ok::<_, AppError>((version, all))
        })
        .await?;
    let before =
        all.into_iter().find(|other| other.number < version.number && other.state == State::Published);
    let changes = match &before {
        Some(before) => policies::differences(before, &version),
        None => Some(Vec::new()),
    };
    let card = DifferencesPage {
        l: page.l,
        shell: page.shell(&[
            ("制度", HOME),
            (&version.title, &format!("{HOME}/{id}")),
            ("与前一版的不同", ""),
        ]),
        before: before.map_or_else(String::new, |before| before.version),
        is_readable: changes.is_some(),
        changes: changes.unwrap_or_default(),
        title: version.title,
        version: version.version,
    };
    part_or_page(page.is_partial, card.as_card(), &card)
}

/// A draft for those who manage regulations; anything else is refused with a sentence.
pub(super) async fn load_draft(app: &App, actor: &Actor, id: &str) -> Result<Version, AppError> {
    let (id, me) = (version_id(id)?, actor.clone());
    let version = app
        .db
        .read(move |conn| {
            require_manager(&me)?;
            load_version(conn, &me, id)
        })
        .await?;
    if version.state != State::Draft {
        return Err(AppError::Conflict(crate::text!("这个版本已经发布或作废，不能再改；请新建一个草稿")));
    }
    Ok(version)
}
