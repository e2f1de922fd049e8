//! Opening a case: which form, and the form itself.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::fields::{Inputs, Maker, read};
use super::names::Names;
use super::{HOME, refusals};
use crate::access::Actor;
use crate::app::App;
use crate::cases::act::form_in_force;
use crate::cases::{Ground, open_as, openable};
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, CustomerId, PersonId, PolicyVersionId};
use crate::org::web::part_or_page;
use crate::policies::web::clause_href;
use crate::web::{FormData, FormErrors, Page, QueryData, Shell, html, saved};

/// A regulation with the forms of it that the reader may open.
struct Group {
    title: String,
    forms: Vec<Offer>,
}

struct Offer {
    href: String,
    title: String,
    clause: String,
    clause_href: String,
}

#[derive(Template)]
#[template(path = "cases/choose.html")]
struct ChoosePage {
    l: Lang,
    shell: Shell,
    groups: Vec<Group>,
}

pub(super) async fn choose(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let ground = Ground::of(&app).await?;
    let customer = asked.get("customer").parse::<CustomerId>().ok();
    let found = app.db.read(move |conn| openable(conn, &actor, &ground)).await?;
    let tail = customer.map_or_else(String::new, |id| format!("?customer={id}"));
    let groups = found
        .into_iter()
        .map(|(version, policy, forms)| Group {
            title: policy.title.clone(),
            forms: forms
                .into_iter()
                // About a customer, only what can name one.
                .filter(|form| customer.is_none() || form.customer.is_some())
                .map(|form| Offer {
                    href: format!("{HOME}/new/{}{tail}", form.id),
                    title: form.title.clone(),
                    clause: form.clause.clone().unwrap_or_default(),
                    clause_href: form
                        .clause
                        .as_ref()
                        .map_or_else(String::new, |clause| clause_href(version, clause)),
                })
                .collect(),
        })
        .filter(|group: &Group| !group.forms.is_empty())
        .collect();
    html(&ChoosePage { l: page.l, shell: page.shell(&[("单据", HOME), ("新开单据", "")]), groups })
}

#[derive(Template)]
#[template(path = "cases/form.html", blocks = ["card"])]
struct FormPage {
    l: Lang,
    shell: Shell,
    /// Whose draft is kept on the device.
    me: PersonId,
    title: String,
    action: String,
    clause: String,
    clause_href: String,
    inputs: Inputs,
    /// The id the case will have: sent twice, it is opened once.
    id: CaseId,
    besides: Vec<String>,
}

async fn form_page(
    app: &App,
    actor: &Actor,
    page: &Page,
    name: String,
    (id, data, errors): (CaseId, FormData, FormErrors),
) -> Result<FormPage, AppError> {
    let (l, ground) = (page.l, Ground::of(app).await?);
    let (me, of, sent) = (actor.clone(), ground.clone(), data.clone());
    let (version, form, names) = app
        .db
        .read(move |conn| {
            let (version, _, form) = form_in_force(conn, &of, &name)?;
            let names = Names::load(conn, &me, &of, &form, None, &sent)?;
            Ok::<_, AppError>((version, form, names))
        })
        .await?;
    let limit = app.config.max_upload_bytes;
    let (zone, case) = (&ground.zone, None);
    let maker =
        Maker { form: &form, of: "", case, data: &data, errors: &errors, names: &names, zone, l, limit };
    let inputs = maker.inputs(&form.fill, &form.offer);
    let besides = errors.besides(&inputs.names()).into_iter().map(str::to_owned).collect();
    let clause = form.clause.clone().unwrap_or_default();
    Ok(FormPage {
        l,
        me: actor.person_id,
        shell: page.shell(&[("单据", HOME), (&form.title, "")]),
        title: form.title.clone(),
        action: format!("{HOME}/new/{}", form.id),
        clause_href: link(version, &clause),
        clause,
        inputs,
        id,
        besides,
    })
}

fn link(version: PolicyVersionId, clause: &str) -> String {
    if clause.is_empty() { String::new() } else { clause_href(version, clause) }
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(form): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let mut data = Vec::new();
    if let Ok(customer) = asked.get("customer").parse::<CustomerId>() {
        let (ground, name) = (Ground::of(&app).await?, form.clone());
        let field = app
            .db
            .read(move |conn| {
                let (_, _, form) = form_in_force(conn, &ground, &name)?;
                Ok::<_, AppError>(form.customer.and_then(|place| Some(form.fields.get(place)?.id.clone())))
            })
            .await?;
        data.extend(field.map(|field| (format!("v.{field}"), customer.to_string())));
    }
    let made = (CaseId::new(), FormData(data), FormErrors::default());
    let form = form_page(&app, &actor, &page, form, made).await?;
    part_or_page(page.is_partial, form.as_card(), &form)
}

pub(super) async fn add(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(form): Path<String>,
    headers: HeaderMap,
    data: FormData,
) -> Result<Response, AppError> {
    let id: CaseId = path_id(data.get("id"))?;
    let (ground, by, name, sent) = (Ground::of(&app).await?, actor.clone(), form.clone(), data.clone());
    let done = app
        .db
        .write(move |tx| {
            let (_, _, known) = form_in_force(tx, &ground, &name)?;
            let places: Vec<usize> = known.fill.iter().chain(&known.offer).copied().collect();
            open_as(tx, &by, &ground, &name, &read(&known, &places, &sent), id)
        })
        .await;
    app.jobs_waiting.notify_one();
    match done {
        Ok(done) => Ok(saved(&headers, &format!("{HOME}/{}", done.id), page.l.t("已提交"))),
        Err(error) => {
            let errors = refusals(&app, &actor, &page, error).await?;
            let again = form_page(&app, &actor, &page, form, (id, data, errors)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, part_or_page(page.is_partial, again.as_card(), &again)?)
                .into_response())
        }
    }
}
