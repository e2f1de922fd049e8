//! 协作 on the page of a customer: who works on it beyond his roles, and who must keep out.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::api::until;
use super::{
    NewShare, bundles, exclude, exclusions, include, may_exclude, may_share, of_customer, revoke, share,
};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::{part, refused, to_tab, told};
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, GrantId, PersonId};
use crate::input::FormErrors;
use crate::text;
use crate::web::{Choice, FormData, Need, Page, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers/{id}/shares", Need::SignedIn, show_tab)
        .post("/customers/{id}/shares", Need::SignedIn, create_share)
        .post("/customers/{id}/shares/{share_id}/end", Need::SignedIn, end_share)
        .post("/customers/{id}/exclusions", Need::SignedIn, create_exclusion)
        .post("/customers/{id}/exclusions/{person_id}/end", Need::SignedIn, end_exclusion)
}

#[derive(Template)]
#[template(path = "shares/tab.html")]
struct TabPart {
    l: Lang,
    customer: CustomerId,
    shares: Vec<ShareRow>,
    may_share: bool,
    bundles: Vec<Choice>,
    /// `None` for those who may not know.
    exclusions: Option<Vec<ExclusionRow>>,
    /// Which form was refused: `share` or `exclude`.
    of_form: &'static str,
    form: FormData,
    errors: FormErrors,
}

struct ShareRow {
    id: GrantId,
    person: String,
    role: String,
    is_share: bool,
    until: String,
    reason: String,
    by: String,
    at: String,
    may_end: bool,
}

struct ExclusionRow {
    person_id: PersonId,
    person: String,
    reason: String,
    by: String,
    at: String,
}

impl TabPart {
    fn value(&self, form: &str, name: &str) -> &str {
        if self.of_form == form { self.form.get(name) } else { "" }
    }

    fn error(&self, form: &str, name: &str) -> String {
        if self.of_form == form { self.errors.of(name, self.l) } else { String::new() }
    }

    fn others(&self, form: &str) -> Vec<String> {
        const SHOWN: [&str; 4] = ["person_id", "role", "until", "reason"];
        if self.of_form == form { self.errors.others(&SHOWN, self.l) } else { Vec::new() }
    }
}

async fn tab(
    app: &App,
    actor: &Actor,
    page: &Page,
    id: CustomerId,
    refused: Option<(&'static str, FormData, FormErrors)>,
    said: &str,
) -> Result<Response, AppError> {
    if !page.is_htmx {
        return Ok(to_tab(id, "shares"));
    }
    let (me, l, now) = (actor.clone(), page.l, app.now());
    let (whole, shares, bundles, kept_out) = app
        .db
        .read(move |conn| {
            let whole = customers::load_for(conn, &me, Object::Customer, Verb::Read, id)?;
            let shares = of_customer(conn, &me, id, now)?;
            let kept_out = if may_exclude(&me, &whole) { Some(exclusions(conn, &me, id)?) } else { None };
            Ok::<_, AppError>((whole, shares, bundles(conn)?, kept_out))
        })
        .await?;
    let zone = &app.zone;
    let may_share = may_share(actor, &whole);
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (of_form, mut form, errors) = refused.unwrap_or_default();
    // The name beside the id that was chosen.
    if let Ok(chosen) = form.get("person_id").parse::<PersonId>()
        && let Some(member) = app.directory().await?.member(chosen)
    {
        form.0.push(("shown".into(), member.name.clone()));
    }
    let template = TabPart {
        l,
        customer: id,
        may_share,
        shares: shares
            .into_iter()
            .map(|s| ShareRow {
                id: s.id,
                may_end: may_share || s.person_id == actor.person_id,
                until: if s.is_endless() {
                    l.t("长期").to_owned()
                } else {
                    // The day before the end: people name the last day.
                    zone.date(s.ends_at - 1).to_string()
                },
                person: s.person,
                role: l.t(&s.role).to_owned(),
                is_share: s.source == super::SHARE,
                reason: s.reason,
                by: s.granted_by,
                at: zone.minute(s.granted_at),
            })
            .collect(),
        bundles: bundles
            .into_iter()
            .map(|b| Choice { value: b.id.to_string(), label: l.t(&b.name).to_owned() })
            .collect(),
        exclusions: kept_out.map(|all| {
            let row = |e: super::Exclusion| ExclusionRow {
                person_id: e.person_id,
                person: e.person,
                reason: e.reason,
                by: e.created_by,
                at: zone.minute(e.created_at),
            };
            all.into_iter().map(row).collect()
        }),
        of_form,
        form,
        errors,
    };
    Ok(told(page, part(&template, status)?, said, None))
}

async fn show_tab(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    tab(&app, &actor, &page, path_id(&id)?, None, "").await
}

fn person(form: &FormData) -> Result<PersonId, AppError> {
    form.get("person_id").parse().map_err(|_| AppError::field("person_id", text!("请从列表中选择一个人")))
}

async fn create_share(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: CustomerId = path_id(&id)?;
    let new = person(&form).and_then(|person| {
        let role = form.get("role").parse();
        Ok(NewShare {
            person,
            role: role.map_err(|_| AppError::field("role", text!("请选择共享权限")))?,
            until: until(form.get("until"), &app.zone).map_err(|e| AppError::Invalid(vec![e]))?,
            reason: form.get("reason").to_owned(),
        })
    });
    let (by, now) = (actor.clone(), app.now());
    let done = match new {
        Ok(new) => app.db.write(move |tx| share(tx, &by, id, &new, now)).await.map(drop),
        Err(error) => {
            // Whoever may not know the customer learns nothing of its form.
            app.db
                .read(move |conn| customers::require(conn, &by, Object::Customer, Verb::Share, id).map(drop))
                .await?;
            Err(error)
        }
    };
    app.forget_sessions();
    match done {
        Ok(()) => tab(&app, &actor, &page, id, None, "已共享，对方立即可以看到").await,
        Err(error) => {
            let errors = refused(error)?;
            tab(&app, &actor, &page, id, Some(("share", form, errors)), "").await
        }
    }
}

async fn end_share(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path((id, share)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let (id, share): (CustomerId, GrantId) = (path_id(&id)?, path_id(&share)?);
    let (by, now) = (actor.clone(), app.now());
    let done = app.db.write(move |tx| revoke(tx, &by, id, share, now)).await;
    app.forget_sessions();
    done?;
    match tab(&app, &actor, &page, id, None, "共享已结束").await {
        // Who ended his own may not know the customer any more.
        Err(AppError::Hidden { .. }) => Ok(crate::web::redirect(page.is_htmx, "/customers")),
        other => other,
    }
}

async fn create_exclusion(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: CustomerId = path_id(&id)?;
    let (by, now) = (actor.clone(), app.now());
    let done = match person(&form) {
        Ok(person) => {
            let reason = form.get("reason").to_owned();
            app.db.write(move |tx| exclude(tx, &by, id, person, &reason, now)).await
        }
        Err(error) => {
            app.db
                .read(move |conn| customers::require(conn, &by, Object::Customer, Verb::Assign, id).map(drop))
                .await?;
            Err(error)
        }
    };
    app.forget_sessions();
    match done {
        Ok(()) => tab(&app, &actor, &page, id, None, "已设置回避，此人立即看不到这个客户").await,
        Err(error) => {
            let errors = refused(error)?;
            tab(&app, &actor, &page, id, Some(("exclude", form, errors)), "").await
        }
    }
}

async fn end_exclusion(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path((id, person)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let (id, person): (CustomerId, PersonId) = (path_id(&id)?, path_id(&person)?);
    let (by, now) = (actor.clone(), app.now());
    let done = app.db.write(move |tx| include(tx, &by, id, person, now)).await;
    app.forget_sessions();
    done?;
    tab(&app, &actor, &page, id, None, "回避已解除").await
}
