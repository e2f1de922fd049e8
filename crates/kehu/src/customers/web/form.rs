//! The forms of a new and of an existing customer: sections of the catalogue's fields, checks while one types.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;

use super::display::{Reader, gender};
use super::{dictionary_choices, reply, wants_part};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::{Catalogue, CustomField, CustomKind};
use crate::customers::{self, Customer, Draft, Field, FieldKind, Group, Kind, SPECS, Spec};
use crate::error::{AppError, FieldError};
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
use crate::web::{Choice, FormData, Page, QueryData, Shell, redirect};
use crate::{contacts, org, text};

/// One field as `customers/input.html` shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    /// `input`, `area`, `select`, `lookup`, `checks`.
    pub(super) look: &'static str,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) shown: String,
    pub(super) error: String,
    pub(super) help: String,
    pub(super) kind: &'static str,
    pub(super) attrs: String,
    pub(super) url: &'static str,
    pub(super) required: bool,
    pub(super) choices: Vec<Choice>,
    pub(super) chosen: Vec<String>,
}

struct Section {
    title: String,
    inputs: Vec<Input>,
}

#[derive(Template)]
#[template(path = "customers/form.html", blocks = ["form"])]
struct CustomerForm {
    l: Lang,
    shell: Shell,
    /// `None` for a new customer.
    customer: Option<(CustomerId, String)>,
    action: String,
    cancel: String,
    version: i64,
    kind: Kind,
    kinds: Vec<Choice>,
    sections: Vec<Section>,
    tags: Vec<String>,
    contact: Option<Vec<Input>>,
    errors: Vec<String>,
    conflict: Vec<String>,
    is_stale: bool,
    saved: Option<(CustomerId, String)>,
}

/// From where a form takes its values: what was sent, else the stored customer.
struct Source<'a> {
    form: Option<&'a FormData>,
    customer: Option<&'a Customer>,
    names: &'a std::collections::HashMap<PersonId, String>,
    errors: &'a [FieldError],
    l: Lang,
}

impl Source<'_> {
    fn value(&self, name: &str) -> String {
        if let Some(sent) = self.form.and_then(|f| f.find(name)) {
            return sent.to_owned();
        }
        let Some(customer) = self.customer else { return String::new() };
        if let Some(field) = Field::named(name) {
            return customer.get(field).to_owned();
        }
        match name {
            "number" => customer.number.clone(),
            "owner_id" => customer.owner_id.map_or_else(String::new, |id| id.to_string()),
            _ => name
                .strip_prefix("custom.")
                .and_then(|key| customer.custom.get(key))
                .map_or_else(String::new, json_text),
        }
    }

    fn all(&self, name: &str) -> Vec<String> {
        match self.form {
            Some(form) if form.find(name).is_some() => {
                form.all(name).into_iter().filter(|v| !v.is_empty()).map(str::to_owned).collect()
            }
            _ => self
                .customer
                .and_then(|c| c.custom.get(name.trim_start_matches("custom.")))
                .and_then(Json::as_array)
                .map(|all| all.iter().filter_map(Json::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
        }
    }

    fn error(&self, name: &str) -> String {
        self.errors.iter().find(|e| e.field == name).map_or_else(String::new, |e| e.text.to(self.l))
    }
}

fn json_text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        Json::Array(all) => all.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("、"),
        other => other.to_string(),
    }
}

/// How a built-in field is asked for.
pub(super) fn input_of(catalogue: &Catalogue, l: Lang, spec: &Spec, value: String) -> Input {
    let mut input = Input {
        look: "input",
        name: spec.key.to_owned(),
        label: l.t(spec.zh).to_owned(),
        kind: "text",
        attrs: format!("maxlength={}", spec.longest.max(40)),
        required: spec.field == Field::Name
            || catalogue.requirements.to_save.iter().any(|key| key == spec.key),
        value,
        ..Input::default()
    };
    match spec.kind {
        FieldKind::LongText => input.look = "area",
        FieldKind::Phone => input.kind = "tel",
        FieldKind::Email => {
            input.kind = "email";
            input.attrs.push_str(" inputmode=email");
        }
        FieldKind::Url => input.kind = "url",
        FieldKind::Date => input.kind = "date",
        FieldKind::Dictionary(_) => {
            input.look = "select";
            input.choices = dictionary_choices(catalogue, spec.field, l);
            // A retired value stays until somebody chooses another.
            if !input.value.is_empty() && !input.choices.iter().any(|c| c.value == input.value) {
                let label = spec.dictionary().map_or(input.value.clone(), |name| {
                    catalogue.dictionary(name).title(&input.value, l).to_owned()
                });
                input.choices.push(Choice { value: input.value.clone(), label });
            }
        }
        FieldKind::Gender => {
            input.look = "select";
            input.choices = ["male", "female"]
                .map(|code| Choice { value: code.into(), label: l.t(gender(code)).to_owned() })
                .into();
        }
        FieldKind::Region => {
            input.look = "lookup";
            input.url = "/regions";
            input.shown = input.value.replace('/', " ");
        }
        FieldKind::Postcode => input.attrs.push_str(" inputmode=numeric"),
        FieldKind::CreditCode => input.help = l.t("营业执照上的 18 位代码").to_owned(),
        FieldKind::Text | FieldKind::IdNumber => {}
    }
    input
}

/// How a company field is asked for. What was chosen stays a choice, also when the field offers it no more.
pub(super) fn input_of_custom(l: Lang, field: &CustomField, value: String, chosen: Vec<String>) -> Input {
    let choices = |held: &[String]| {
        let gone = held.iter().filter(|t| !t.is_empty() && !field.choices.contains(t));
        let all = field.choices.iter().chain(gone);
        all.map(|t| Choice { value: t.clone(), label: t.clone() }).collect::<Vec<_>>()
    };
    let mut input = Input {
        look: "input",
        name: format!("custom.{}", field.key),
        label: field.title.clone(),
        help: field.help.clone(),
        kind: "text",
        required: field.is_required,
        value,
        ..Input::default()
    };
    match field.kind {
        CustomKind::Text => input.attrs = "maxlength=500".into(),
        CustomKind::LongText => {
            input.look = "area";
            input.attrs = "maxlength=5000".into();
        }
        CustomKind::Number => input.attrs = "inputmode=decimal maxlength=40".into(),
        CustomKind::Date => input.kind = "date",
        CustomKind::Choice => {
            input.look = "select";
            input.choices = choices(std::slice::from_ref(&input.value));
        }
        CustomKind::Choices => {
            input.look = "checks";
            input.choices = choices(&chosen);
            input.chosen = chosen;
        }
        CustomKind::YesNo => {
            input.look = "select";
            input.choices =
                ["是", "否"].map(|text| Choice { value: text.into(), label: l.t(text).to_owned() }).into();
        }
    }
    input
}

fn sections(
    catalogue: &Catalogue,
    kind: Kind,
    source: &Source<'_>,
    actor: &Actor,
    is_new: bool,
) -> Vec<Section> {
    let l = source.l;
    let mut all = Vec::new();
    for group in Group::ALL {
        let mut inputs = Vec::new();
        for spec in SPECS.iter().filter(|s| s.group == group && s.applies_to(kind)) {
            let mut input = input_of(catalogue, l, spec, source.value(spec.key));
            if spec.field == Field::Name && kind == Kind::Person {
                input.label = l.t("姓名").to_owned();
            }
            input.error = source.error(spec.key);
            if is_new && spec.field == Field::Name {
                input.attrs.push_str(" autofocus");
            }
            inputs.push(input);
        }
        if group == Group::Basic {
            if is_new {
                inputs.push(Input {
                    look: "input",
                    name: "number".into(),
                    label: l.t("客户编号").to_owned(),
                    help: l.t("留空由系统自动编号").to_owned(),
                    kind: "text",
                    attrs: "maxlength=40".into(),
                    value: source.value("number"),
                    error: source.error("number"),
                    ..Input::default()
                });
            }
            if actor.may(Object::Customer, Verb::Assign) {
                let value = source.value("owner_id");
                let shown = value.parse().ok().and_then(|id| source.names.get(&id).cloned());
                inputs.push(Input {
                    look: "lookup",
                    name: "owner_id".into(),
                    label: l.t("负责人").to_owned(),
                    url: "/customers/owners",
                    shown: shown.unwrap_or_default(),
                    value,
                    error: source.error("owner_id"),
                    ..Input::default()
                });
            }
        }
        all.push(Section { title: l.t(group.title()).to_owned(), inputs });
    }
    let own = catalogue
        .custom_fields
        .iter()
        .filter(|f| f.is_active && (f.applies_to.is_empty() || f.applies_to == kind.code()));
    let inputs: Vec<Input> = own
        .map(|field| {
            let name = format!("custom.{}", field.key);
            let mut input = input_of_custom(l, field, source.value(&name), source.all(&name));
            input.error = source.error(&name);
            input
        })
        .collect();
    if !inputs.is_empty() {
        all.push(Section { title: l.t("公司自定义信息").to_owned(), inputs });
    }
    all
}

/// The primary contact of a new organisation, asked for with it.
const CONTACT: [(&str, &str, &str, usize); 3] = [
    ("contact.name", "联系人姓名", "text", 60),
    ("contact.title", "职务", "text", 60),
    ("contact.phone", "联系人电话", "tel", 40),
];

fn contact_inputs(source: &Source<'_>) -> Vec<Input> {
    CONTACT
        .iter()
        .map(|(name, label, kind, longest)| Input {
            look: "input",
            name: (*name).to_owned(),
            label: source.l.t(label).to_owned(),
            kind,
            attrs: format!("maxlength={longest}"),
            value: source.value(name),
            error: source.error(name),
            ..Input::default()
        })
        .collect()
}

/// The contact a form gives; `None` when it gives none.
fn contact_of(form: &FormData) -> Option<contacts::Draft> {
    let mut draft = contacts::Draft { is_primary: Some(true), ..contacts::Draft::default() };
    for key in ["name", "title", "phone"] {
        draft.values.insert(key, form.get(&format!("contact.{key}")).to_owned());
    }
    draft.values.values().any(|value| !value.trim().is_empty()).then_some(draft)
}

/// Errors of the contact at its own places of the form.
fn of_contact(error: AppError) -> AppError {
    match error {
        AppError::Invalid(errors) => AppError::Invalid(
            errors.into_iter().map(|e| FieldError { field: format!("contact.{}", e.field), ..e }).collect(),
        ),
        other => other,
    }
}

/// What a form says. Names that are not in it stay as they are.
pub(super) fn draft_of(form: &FormData, catalogue: &Catalogue, kind: Kind) -> Result<Draft, AppError> {
    let mut draft = Draft::default();
    for spec in SPECS.iter().filter(|s| s.applies_to(kind)) {
        if let Some(value) = form.find(spec.key) {
            draft.fields.insert(spec.field, value.to_owned());
        }
    }
    match form.find("owner_id").map(str::trim) {
        None => {}
        Some("") => draft.owner_id = Some(None),
        Some(id) => {
            let id = id.parse().map_err(|_| AppError::field("owner_id", text!("没有这位员工")))?;
            draft.owner_id = Some(Some(id));
        }
    }
    if form.find("has_tags").is_some() {
        draft.tags = Some(form.all("tags").into_iter().map(str::to_owned).collect());
    }
    let mut custom = serde_json::Map::new();
    for field in catalogue.custom_fields.iter().filter(|f| f.is_active) {
        let name = format!("custom.{}", field.key);
        if form.find(&name).is_none() {
            continue;
        }
        let value = if field.kind == CustomKind::Choices {
            form.all(&name).into_iter().filter(|v| !v.is_empty()).collect::<Vec<_>>().into()
        } else {
            Json::from(form.get(&name))
        };
        custom.insert(field.key.clone(), value);
    }
    if !custom.is_empty() {
        draft.custom = Some(custom);
    }
    Ok(draft)
}

/// What a form page needs besides the values.
struct Frame<'a> {
    app: &'a App,
    actor: &'a Actor,
    page: Page,
    catalogue: Arc<Catalogue>,
}

impl Frame<'_> {
    async fn form(
        self,
        kind: Kind,
        sent: Option<&FormData>,
        customer: Option<&Customer>,
        errors: &[FieldError],
    ) -> Result<CustomerForm, AppError> {
        let names = self.app.db.read(org::person_names).await?;
        let l = self.page.l;
        let source = Source { form: sent, customer, names: &names, errors, l };
        let is_new = customer.is_none();
        let sections = sections(&self.catalogue, kind, &source, self.actor, is_new);
        let tags = match sent.filter(|f| f.find("has_tags").is_some()) {
            Some(form) => form.all("tags").into_iter().map(str::to_owned).collect(),
            None => customer.map(|c| c.tags.clone()).unwrap_or_default(),
        };
        let titles: BTreeMap<&str, &str> =
            sections.iter().flat_map(|s| &s.inputs).map(|i| (i.name.as_str(), i.label.as_str())).collect();
        let said = errors
            .iter()
            .map(|e| match titles.get(e.field.as_str()) {
                Some(title) => format!("{title}：{}", e.text.to(l)),
                None => e.text.to(l),
            })
            .collect();
        let shell = match customer {
            None => self.page.shell(&[("客户", "/customers"), ("新增客户", "/customers/new")]),
            Some(_) => self.page.shell(&[("客户", "/customers"), ("编辑客户", "")]),
        };
        let path = customer.map(|c| format!("/customers/{}", c.id));
        Ok(CustomerForm {
            l,
            shell,
            customer: customer.map(|c| (c.id, c.name().to_owned())),
            action: path.as_ref().map_or_else(|| "/customers".to_owned(), |p| format!("{p}/edit")),
            cancel: path.unwrap_or_else(|| "/customers".to_owned()),
            version: customer.map_or(0, |c| c.version),
            kind,
            kinds: [Kind::Organisation, Kind::Person]
                .map(|k| Choice { value: k.code().into(), label: l.t(k.title()).to_owned() })
                .into(),
            contact: (is_new && kind == Kind::Organisation).then(|| contact_inputs(&source)),
            sections,
            tags,
            errors: said,
            conflict: Vec::new(),
            is_stale: false,
            saved: None,
        })
    }
}

fn kind_of(data: &FormData) -> Kind {
    Kind::named(data.get("kind")).unwrap_or(Kind::Organisation)
}

pub(super) async fn new(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    // A name from the command menu or a link starts the form; a new customer is one's own.
    let mut start = FormData(Vec::new());
    for name in ["name", "phone"] {
        start.0.push((name.to_owned(), query.get(name).chars().take(200).collect()));
    }
    // Whoever may give customers to others may be led here with the owner named.
    let named = query.get("owner_id").parse::<PersonId>().ok();
    if let Some(owner) = named.filter(|_| actor.may(Object::Customer, Verb::Assign)) {
        start.0.push(("owner_id".into(), owner.to_string()));
    } else if actor.person_id.0 != 0 {
        start.0.push(("owner_id".into(), actor.person_id.to_string()));
    }
    let kind = kind_of(&query);
    let frame = Frame { app: &app, actor: &actor, page, catalogue };
    let mut form = frame.form(kind, Some(&start), None, &[]).await?;
    if let Ok(id) = query.get("saved").parse::<CustomerId>() {
        let me = actor.clone();
        let saved = app.db.read(move |conn| customers::load(conn, &me, id)).await;
        form.saved = saved.ok().map(|c| (c.id, c.name().to_owned()));
    }
    reply(&form, StatusCode::OK)
}

/// The form again for the other kind, with what was typed so far.
pub(super) async fn switch(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    sent: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let frame = Frame { app: &app, actor: &actor, page, catalogue };
    reply(&frame.form(kind_of(&sent), Some(&sent), None, &[]).await?.as_form(), StatusCode::OK)
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    sent: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let kind = kind_of(&sent);
    let made = match draft_of(&sent, &catalogue, kind) {
        Ok(mut draft) => {
            draft.kind = Some(kind);
            draft.number = sent.find("number").map(str::to_owned);
            let contact = (kind == Kind::Organisation).then(|| contact_of(&sent)).flatten();
            draft.has_contact = contact.is_some();
            let (me, known, now) = (actor.clone(), catalogue.clone(), app.now());
            app.db
                .write(move |tx| {
                    let customer = customers::create(tx, &me, &known, &draft, None, now)?;
                    if let Some(contact) = &contact {
                        contacts::create(tx, &me, customer.id, contact, now).map_err(of_contact)?;
                    }
                    Ok::<_, AppError>(customer)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(customer) if sent.is_ticked("again") => {
            Ok(redirect(page.is_htmx, &format!("/customers/new?kind={}&saved={}", kind.code(), customer.id)))
        }
        Ok(customer) => Ok(redirect(page.is_htmx, &format!("/customers/{}?saved=1", customer.id))),
        Err(AppError::Invalid(errors)) => {
            let frame = Frame { app: &app, actor: &actor, page, catalogue };
            let form = frame.form(kind, Some(&sent), None, &errors).await?;
            answer(&form, &headers, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(other) => Err(other),
    }
}

pub(super) async fn edit(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<CustomerId>,
) -> Result<Response, AppError> {
    let (catalogue, me) = (app.catalogue().await?, actor.clone());
    let customer = app.db.read(move |conn| customers::load_to_edit(conn, &me, id)).await?;
    let frame = Frame { app: &app, actor: &actor, page, catalogue };
    reply(&frame.form(customer.kind, None, Some(&customer), &[]).await?, StatusCode::OK)
}

pub(super) async fn change(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<CustomerId>,
    headers: HeaderMap,
    sent: FormData,
) -> Result<Response, AppError> {
    let (catalogue, me) = (app.catalogue().await?, actor.clone());
    let customer = app.db.read(move |conn| customers::load_to_edit(conn, &me, id)).await?;
    let version = sent.get("version").parse().unwrap_or(0);
    let changed = match draft_of(&sent, &catalogue, customer.kind) {
        Ok(draft) => {
            let (me, known, now) = (actor.clone(), catalogue.clone(), app.now());
            app.db.write(move |tx| customers::update(tx, &me, &known, id, Some(version), &draft, now)).await
        }
        Err(error) => Err(error),
    };
    let (errors, is_stale) = match changed {
        Ok(_) => return Ok(redirect(page.is_htmx, &format!("/customers/{id}?saved=1"))),
        Err(AppError::Invalid(errors)) => (errors, false),
        Err(AppError::Stale) => (Vec::new(), true),
        Err(other) => return Err(other),
    };
    // What is stored now: for a stale form the values somebody else gave it.
    let me = actor.clone();
    let customer = app.db.read(move |conn| customers::load_to_edit(conn, &me, id)).await?;
    let conflict =
        if is_stale { differences(&app, &catalogue, page.l, &customer, &sent).await? } else { Vec::new() };
    let frame = Frame { app: &app, actor: &actor, page, catalogue };
    let mut form = frame.form(customer.kind, Some(&sent), Some(&customer), &errors).await?;
    (form.is_stale, form.conflict) = (is_stale, conflict);
    if is_stale {
        return answer(&form, &headers, StatusCode::PRECONDITION_FAILED);
    }
    // A refused form keeps the version it was opened with.
    form.version = version;
    answer(&form, &headers, StatusCode::UNPROCESSABLE_ENTITY)
}

fn answer(form: &CustomerForm, headers: &HeaderMap, status: StatusCode) -> Result<Response, AppError> {
    if wants_part(headers) { reply(&form.as_form(), status) } else { reply(form, status) }
}

/// Each field whose stored value is not the one sent: `联系电话：现在是“…”，您填写的是“…”`.
async fn differences(
    app: &App,
    catalogue: &Catalogue,
    l: Lang,
    customer: &Customer,
    sent: &FormData,
) -> Result<Vec<String>, AppError> {
    let names = app.db.read(org::person_names).await?;
    let reader = Reader { catalogue, l, zone: &app.zone, names: &names, today: app.today().to_string() };
    let nothing = l.t("（空）");
    let mut all = Vec::new();
    for spec in SPECS.iter().filter(|s| s.applies_to(customer.kind)) {
        let Some(typed) = sent.find(spec.key).map(|v| v.trim().replace("\r\n", "\n")) else { continue };
        let stored = customer.get(spec.field);
        if typed != stored {
            let show = |value: &str| match reader.field(spec, value).text {
                text if text.is_empty() => nothing.to_owned(),
                text => text,
            };
            all.push(l.f("{}：现在是“{}”，您填写的是“{}”", &[&l.t(spec.zh), &show(stored), &show(&typed)]));
        }
    }
    Ok(all)
}

/// What is wrong with the one field named by `field`, as plain text; empty when it is fine.
pub(super) async fn validate(
    State(app): State<App>,
    actor: Actor,
    sent: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let kind = kind_of(&sent);
    let stored = stored(&app, &actor, &sent).await?;
    let name = sent.get("field").to_owned();
    let one = FormData(sent.0.iter().filter(|(n, _)| *n == name).cloned().collect());
    let now = app.now();
    let checked = draft_of(&one, &catalogue, kind).and_then(|mut draft| {
        draft.has_contact = contact_of(&one).is_some();
        customers::clean(&catalogue, kind, &draft, stored.as_ref(), now).map_err(AppError::Invalid)
    });
    let said = match checked {
        Err(AppError::Invalid(errors)) => {
            errors.iter().find(|e| e.field == name).map(|e| e.text.to(actor.lang)).unwrap_or_default()
        }
        _ => String::new(),
    };
    Ok(said.into_response())
}

/// The customer a form changes, as the actor sees it; `None` for a new one, and for one he may not change.
async fn stored(app: &App, actor: &Actor, sent: &FormData) -> Result<Option<Customer>, AppError> {
    let Ok(id) = sent.get("except").parse::<CustomerId>() else { return Ok(None) };
    let me = actor.clone();
    match app.db.read(move |conn| customers::load_to_edit(conn, &me, id)).await {
        Ok(customer) => Ok(Some(customer)),
        Err(AppError::NotFound | AppError::Hidden { .. } | AppError::Forbidden(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
