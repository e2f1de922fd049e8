//! The form of an activity: the quick one above a timeline, and the one to change an activity.

use askama::Template;

use super::super::model::{Activity, ActivityKind};
use crate::access::Actor;
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::contacts;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::input::FormErrors;
use crate::web::{Choice, FormData};

#[derive(Template)]
#[template(path = "activities/form.html")]
pub(super) struct FormPart {
    l: Lang,
    customer: CustomerId,
    action: String,
    title: String,
    version: String,
    /// The kinds to choose from; empty when the kind is fixed.
    kinds: Vec<ActivityKind>,
    kind: String,
    subject: String,
    body: String,
    direction: String,
    result: String,
    source: String,
    effect: String,
    happened_at: String,
    contact: String,
    next_contact_on: String,
    contacts: Vec<Choice>,
    directions: Vec<Choice>,
    results: Vec<Choice>,
    sources: Vec<Choice>,
    errors: FormErrors,
    others: Vec<String>,
    is_open: bool,
    upload: String,
    rule: String,
    limit: u64,
}

/// Fields under the fold.
const FOLDED: [&str; 5] = ["happened_at", "contact_id", "direction", "result", "next_contact_on"];

/// The quick form: empty, or as it was refused.
pub(super) async fn quick(
    app: &App,
    actor: &Actor,
    l: Lang,
    customer: CustomerId,
    form: Option<&FormData>,
    errors: FormErrors,
) -> Result<FormPart, AppError> {
    let empty = FormData::default();
    let mut part = FormPart::new(app, actor, l, customer, form.unwrap_or(&empty), errors).await?;
    if part.kind.is_empty() {
        ActivityKind::Call.code().clone_into(&mut part.kind);
    }
    Ok(part)
}

impl FormPart {
    async fn new(
        app: &App,
        actor: &Actor,
        l: Lang,
        customer: CustomerId,
        form: &FormData,
        errors: FormErrors,
    ) -> Result<Self, AppError> {
        let (reader, catalogue) = (actor.clone(), app.catalogue().await?);
        // Whoever may not read contacts writes without naming one.
        let known = app.db.read(move |conn| contacts::of_customer(conn, &reader, customer)).await;
        let known = match known {
            Err(AppError::Hidden { .. } | AppError::NotFound | AppError::Forbidden(_)) => Vec::new(),
            known => known?,
        };
        let get = |name: &str| form.get(name).to_owned();
        let keys: Vec<&str> = FOLDED.into_iter().chain(["subject", "body", "source", "effect"]).collect();
        let direction =
            |value: &str, zh: &'static str| Choice { value: value.to_owned(), label: l.t(zh).to_owned() };
        Ok(Self {
            l,
            customer,
            action: format!("/customers/{customer}/activities"),
            title: String::new(),
            version: String::new(),
            kinds: ActivityKind::ALL.to_vec(),
            kind: get("kind"),
            subject: get("subject"),
            body: get("body"),
            direction: get("direction"),
            result: get("result"),
            source: get("source"),
            effect: get("effect"),
            happened_at: get("happened_at"),
            contact: get("contact_id"),
            next_contact_on: get("next_contact_on"),
            contacts: known.into_iter().map(|c| Choice { value: c.id.to_string(), label: c.name }).collect(),
            directions: vec![direction("in", "对方来"), direction("out", "我方去")],
            results: choices(&catalogue, "activity_result", l),
            sources: choices(&catalogue, "change_source", l),
            others: errors.others(&keys, l),
            is_open: errors.0.iter().any(|e| FOLDED.contains(&e.field.as_str())),
            errors,
            upload: String::new(),
            rule: String::new(),
            limit: 0,
        })
    }

    /// The form of a stored activity: with its values, or with what was refused.
    pub(super) async fn of(
        app: &App,
        actor: &Actor,
        l: Lang,
        activity: &Activity,
        form: Option<&FormData>,
        errors: FormErrors,
    ) -> Result<Self, AppError> {
        let contact = activity.contact_id.map_or_else(String::new, |id| id.to_string());
        let stored = FormData(
            [
                ("version", activity.version.to_string()),
                ("subject", activity.subject.clone()),
                ("body", activity.body.clone()),
                ("direction", activity.direction.clone()),
                ("result", activity.result.clone()),
                ("source", activity.source.clone()),
                ("effect", activity.effect.clone()),
                ("happened_at", app.zone.minute(activity.happened_at).replace(' ', "T")),
                ("contact_id", contact),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
        );
        let values = form.unwrap_or(&stored);
        let limit = app.config.max_upload_bytes;
        let base = Self::new(app, actor, l, activity.customer_id, values, errors).await?;
        Ok(Self {
            action: format!("/activities/{}", activity.id),
            title: l.f("修改动态：{}", &[&l.t(activity.kind.title())]),
            version: values.get("version").to_owned(),
            kinds: Vec::new(),
            kind: activity.kind.code().to_owned(),
            is_open: true,
            upload: format!("/activities/{}/files", activity.id),
            rule: l.f("每个文件最大 {} MB，可一次选多个", &[&(limit >> 20)]),
            limit,
            ..base
        })
    }

    /// As html.
    pub(super) fn text(&self) -> Result<String, AppError> {
        self.render().map_err(|e| AppError::Internal(format!("template: {e}")))
    }
}

fn choices(catalogue: &Catalogue, dictionary: &str, l: Lang) -> Vec<Choice> {
    let active = catalogue.dictionary(dictionary).active();
    active.map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() }).collect()
}
