//! What a regulation leaves open, as a form: each value by its type, with its range and its clause.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use policy::model::{Role, Setting};
use policy::value::{Ty, Value, yuan};
use policy::{Policy, Settings};
use serde_json::Value as Json;

use super::show::load_draft;
use super::{HOME, clause_href};
use crate::app::App;
use crate::catalogue::Dictionary;
use crate::error::{AppError, FieldError};
use crate::i18n::{Lang, Text};
use crate::ids::PolicyVersionId;
use crate::input::refuse;
use crate::policies::{self, Draft, Version, save, value_words};
use crate::text;
use crate::web::{Administrator, Choice, FormData, FormErrors, Page, Shell, flash, html, redirect};

/// How a value is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Text,
    Number,
    Money,
    Choice,
}

struct Asked {
    name: String,
    title: String,
    value: String,
    input: Input,
    choices: Vec<Choice>,
    help: String,
    /// The clause, and where it is read.
    clause: String,
    href: String,
    is_required: bool,
}

#[derive(Template)]
#[template(path = "policies/settings.html")]
struct SettingsPage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    row_version: i64,
    title: String,
    version: String,
    asked: Vec<Asked>,
    problems: Vec<String>,
    errors: FormErrors,
    shown: Vec<String>,
}

impl SettingsPage {
    fn besides(&self) -> Vec<&str> {
        let shown: Vec<&str> = self.shown.iter().map(String::as_str).collect();
        self.errors.besides(&shown)
    }
}

fn name_of(setting: &Setting) -> String {
    format!("s.{}", setting.id)
}

/// The draft's settings, with stored values where they still fit and the regulation's own otherwise.
fn read(version: &Version) -> Result<Policy, Vec<policy::Problem>> {
    policies::compile(&version.files, &version.settings)
        .or_else(|problems| policies::compile(&version.files, &Settings::new()).map_err(|_| problems))
}

/// As a person types it.
fn typed(setting: &Setting, value: &Value) -> String {
    match value {
        Value::Money(cents) => yuan(*cents),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        other => {
            other.as_text().map_or_else(|| value_words(&setting.ty, setting.is_within, other), str::to_owned)
        }
    }
}

fn asked(version: &Version, setting: &Setting, form: Option<&FormData>, l: Lang) -> Asked {
    let name = name_of(setting);
    let own = version.settings.get(&setting.id).is_some_and(|value| !value.is_null());
    let value = match form.and_then(|form| form.find(&name)) {
        Some(sent) => sent.to_owned(),
        None if own => typed(setting, &setting.value),
        None => String::new(),
    };
    let choice = |value: &str, label: &str| Choice { value: value.to_owned(), label: label.to_owned() };
    let (input, choices) = match &setting.ty {
        Ty::Bool => (Input::Choice, vec![choice("true", l.t("是")), choice("false", l.t("否"))]),
        Ty::Choice(options) => (Input::Choice, options.iter().map(|option| choice(option, option)).collect()),
        Ty::Money => (Input::Money, Vec::new()),
        Ty::Int | Ty::Number => (Input::Number, Vec::new()),
        _ => (Input::Text, Vec::new()),
    };
    let mut help = Vec::new();
    match &setting.default {
        Some(default) => {
            help.push(
                l.f("制度的默认值：{}，留空即用它", &[&value_words(&setting.ty, setting.is_within, default)]),
            );
        }
        None => help.push(l.t("制度没有定，必须由公司填写").to_owned()),
    }
    match (setting.min, setting.max) {
        (Some(min), Some(max)) => help.push(l.f("{} 至 {}", &[&min, &max])),
        (Some(min), None) => help.push(l.f("不小于 {}", &[&min])),
        (None, Some(max)) => help.push(l.f("不大于 {}", &[&max])),
        (None, None) => {}
    }
    if setting.is_within {
        help.push(l.t("写法：5wd 五个工作日，7d 七天，24h，next-day 10:00").to_owned());
    }
    if !setting.hint.is_empty() {
        help.push(setting.hint.clone());
    }
    let clause = setting.clause.clone().unwrap_or_default();
    Asked {
        href: clause_href(version.id, &clause),
        name,
        title: setting.title.clone(),
        value,
        input,
        choices,
        help: help.join(if l == Lang::Zh { "；" } else { "; " }),
        clause,
        is_required: setting.default.is_none(),
    }
}

/// Names in one text, as people write them.
const BETWEEN: [char; 6] = ['、', ',', '，', ';', '；', '\n'];

/// Which posts fill a role.
fn asked_of(version: &Version, role: &Role, form: Option<&FormData>, l: Lang) -> Asked {
    let key = Role::setting(&role.id);
    let name = format!("s.{key}");
    let own = version.settings.get(&key).is_some_and(|value| !value.is_null());
    let value = match form.and_then(|form| form.find(&name)) {
        Some(sent) => sent.to_owned(),
        None if own => role.posts.join("、"),
        None => String::new(),
    };
    Asked {
        name,
        title: l.f("担任“{}”的岗位", &[&role.title]),
        value,
        input: Input::Text,
        choices: Vec::new(),
        help: l.f("岗位名称，几个用顿号分开；留空用制度写的：{}", &[&role.default.join("、")]),
        clause: String::new(),
        href: String::new(),
        is_required: false,
    }
}

fn page_of(page: &Page, version: &Version, form: Option<&FormData>, errors: FormErrors) -> SettingsPage {
    let l = page.l;
    let (asked, problems) = match read(version) {
        Ok(policy) => {
            let values = policy.settings.iter().map(|setting| asked(version, setting, form, l));
            let roles = policy.roles.iter().map(|role| asked_of(version, role, form, l));
            (values.chain(roles).collect(), Vec::new())
        }
        Err(problems) => (Vec::new(), problems.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let shown = asked.iter().map(|asked: &Asked| asked.name.clone()).collect();
    SettingsPage {
        l,
        shell: page.shell(&[
            ("制度", HOME),
            (&version.title, &format!("{HOME}/{}", version.id)),
            ("参数", ""),
        ]),
        id: version.id,
        row_version: form.map_or(version.row_version, |form| form.get("seen").parse().unwrap_or(0)),
        title: version.title.clone(),
        version: version.version.clone(),
        asked,
        problems,
        errors,
        shown,
    }
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    html(&page_of(&page, &version, None, FormErrors::default()))
}

pub(super) async fn save_values(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    let catalogue = app.catalogue().await?;
    let done = match values(&version, &form, catalogue.dictionary("post")) {
        Ok(settings) => {
            let draft = Draft { files: version.files.clone(), settings, note: version.note.clone() };
            let (of, saw, now) = (version.id, form.get("seen").parse().unwrap_or(0), app.now());
            app.db.write(move |tx| save(tx, &actor, of, saw, &draft, now)).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => {
            Ok(flash(redirect(page.is_htmx, &format!("{HOME}/{}/settings", version.id)), page.l.t("已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&page, &version, Some(&form), errors);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

/// The form's values, checked by type and range, and posts by the company's; an empty one leaves it to the regulation.
fn values(version: &Version, form: &FormData, posts: &Dictionary) -> Result<Settings, AppError> {
    let policy =
        read(version).map_err(|_| AppError::Conflict(text!("制度文件还有错误，请先改正再填参数")))?;
    let (mut settings, mut errors) = (version.settings.clone(), Vec::new());
    for setting in &policy.settings {
        let name = name_of(setting);
        let Some(sent) = form.find(&name) else { continue };
        match value(setting, sent) {
            Ok(None) => drop(settings.remove(&setting.id)),
            Ok(Some(value)) => drop(settings.insert(setting.id.clone(), value)),
            Err(text) => errors.push(FieldError::new(name, text)),
        }
    }
    for role in &policy.roles {
        let key = Role::setting(&role.id);
        let name = format!("s.{key}");
        let Some(sent) = form.find(&name) else { continue };
        match posts_in(sent, posts) {
            Ok(named) if named.is_empty() => drop(settings.remove(&key)),
            Ok(named) => drop(settings.insert(key, named.into())),
            Err(text) => errors.push(FieldError::new(name, text)),
        }
    }
    let is_known = |name: &String| {
        policy.settings.iter().any(|setting| setting.id == *name)
            || policy.roles.iter().any(|role| Role::setting(&role.id) == *name)
    };
    settings.retain(|name, _| is_known(name));
    refuse(errors)?;
    Ok(settings)
}

/// The posts a text names, each once.
fn posts_in(sent: &str, posts: &Dictionary) -> Result<Vec<String>, Text> {
    let mut named: Vec<String> = Vec::new();
    for text in sent.split(BETWEEN).map(str::trim).filter(|text| !text.is_empty()) {
        let Some(post) = posts.find(text) else {
            let text: String = text.chars().take(30).collect();
            let alike = posts.active().filter(|post| post.zh.chars().any(|c| text.contains(c)));
            let alike: Vec<&str> = alike.take(5).map(|post| post.zh.as_str()).collect();
            return Err(if alike.is_empty() {
                text!("岗位字典里没有“{}”", text)
            } else {
                text!("岗位字典里没有“{}”；是不是：{}", text, alike.join("、"))
            });
        };
        if !named.contains(&post.zh) {
            named.push(post.zh.clone());
        }
    }
    if named.len() > Role::MOST_POSTS {
        Err(text!("最多 {} 个岗位", Role::MOST_POSTS))
    } else {
        Ok(named)
    }
}

fn value(setting: &Setting, sent: &str) -> Result<Option<Json>, Text> {
    let same = |text: String| Text::Both(text.clone(), text);
    let value = setting.ty.read(&Json::from(sent), &|_| None).map_err(same)?;
    if !value.is_known() {
        return Ok(None);
    }
    if setting.is_within {
        let text = value.as_text().unwrap_or_default();
        text.parse::<workday::Within>().map_err(|error| same(error.to_string()))?;
    }
    let number = match &value {
        Value::Int(number) => *number as f64,
        Value::Number(number) => *number,
        Value::Money(cents) => *cents as f64 / 100.0,
        _ => return Ok(Some(value.to_json())),
    };
    if let Some(min) = setting.min.filter(|min| number < *min) {
        return Err(text!("不能小于 {}", min));
    }
    if let Some(max) = setting.max.filter(|max| number > *max) {
        return Err(text!("不能大于 {}", max));
    }
    Ok(Some(value.to_json()))
}
