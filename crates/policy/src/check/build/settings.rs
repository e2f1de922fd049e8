//! Settings with the company's values, and roles.

use toml::Value as Toml;

use super::super::Settings;
use super::{Builder, cut};
use crate::expr::RoleNames;
use crate::model::{Role, Setting};
use crate::source;
use crate::value::{Ty, Value, cents};

impl Builder<'_, '_> {
    pub(super) fn settings(&mut self, values: &Settings) -> Vec<Setting> {
        let parts = &self.parts.setting;
        self.ids(parts, "参数", |setting| &setting.id);
        let mut all = Vec::new();
        for part in parts {
            let setting = part.get();
            let id = setting.id.get_ref();
            let Some((ty, is_within)) = self.kind(part, setting) else {
                self.problems.lose(id);
                continue;
            };
            let default = setting.default.as_ref().and_then(|default| {
                let read = read(&ty, is_within, default.get_ref());
                if read.is_none() {
                    self.problems.add(
                        &part.within(default),
                        format!("参数“{}”的默认值不是{}", setting.title, ty.title()),
                    );
                }
                read
            });
            let given = values.get(id).filter(|value| !value.is_null()).map(|json| ty.read(json, &|_| None));
            let value = match given {
                Some(Ok(value)) if value.is_known() => value,
                Some(Err(text)) => {
                    self.problems.add(&part.place(), format!("参数“{}”的值不对：{text}", setting.title));
                    self.problems.lose(id);
                    continue;
                }
                _ => default.clone().unwrap_or_default(),
            };
            let is_usable = self.bounds(part, setting, &value, is_within);
            let clause = self.clause_maybe(part, setting.clause.as_ref());
            if !is_usable || (setting.default.is_some() && default.is_none()) {
                self.problems.lose(id);
            } else {
                self.settings.insert(id.clone(), (ty.clone(), value.clone()));
            }
            all.push(Setting {
                id: id.clone(),
                title: setting.title.clone(),
                ty,
                is_within,
                value,
                default,
                min: setting.min,
                max: setting.max,
                hint: setting.hint.clone(),
                clause,
            });
        }
        all
    }

    fn kind(&mut self, part: &super::Part<source::Setting>, setting: &source::Setting) -> Option<(Ty, bool)> {
        let words = [
            ("int", (Ty::Int, false)),
            ("number", (Ty::Number, false)),
            ("money", (Ty::Money, false)),
            ("text", (Ty::Text, false)),
            ("bool", (Ty::Bool, false)),
            ("choice", (Ty::Choice(setting.options.clone().into()), false)),
            ("within", (Ty::Text, true)),
        ];
        let place = part.at(&setting.kind);
        let kind = self.word(&place, setting.kind.get_ref(), &words)?;
        if matches!(kind.0, Ty::Choice(_)) && setting.options.is_empty() {
            self.problems.add(&place, "choice 要写出 options = [\"…\"]");
            return None;
        }
        Some(kind)
    }

    /// Whether the value can be used, were it within its bounds or not.
    fn bounds(
        &mut self,
        part: &super::Part<source::Setting>,
        setting: &source::Setting,
        value: &Value,
        is_within: bool,
    ) -> bool {
        if is_within
            && let Some(text) = value.as_text()
            && let Err(error) = text.parse::<workday::Within>()
        {
            self.problems
                .add(&part.place(), format!("参数“{}”的时限“{}”：{error}", setting.title, cut(text)));
            return false;
        }
        let number = match value {
            Value::Int(value) => *value as f64,
            Value::Number(value) => *value,
            Value::Money(cents) => *cents as f64 / 100.0,
            _ => return true,
        };
        if setting.min.is_some_and(|min| number < min) || setting.max.is_some_and(|max| number > max) {
            let text = match (setting.min, setting.max) {
                (Some(min), Some(max)) => format!("应在 {min} 与 {max} 之间"),
                (Some(min), None) => format!("不能小于 {min}"),
                (None, Some(max)) => format!("不能大于 {max}"),
                (None, None) => return true,
            };
            self.problems.add(&part.place(), format!("参数“{}”是 {number}，{text}", setting.title));
        }
        true
    }

    /// The roles, each with the posts of the regulation or those the company has named for it (`role.ID` among the values).
    pub(super) fn roles(&mut self, values: &Settings) -> Vec<Role> {
        let parts = &self.parts.role;
        self.ids(parts, "角色", |role| &role.id);
        let mut all = Vec::new();
        for part in parts {
            let role = part.get();
            if role.posts.is_empty() {
                self.problems
                    .add(&part.place(), format!("角色“{}”要写明由哪些岗位担任：posts = [\"…\"]", role.title));
            }
            let own = values.get(&Role::setting(role.id.get_ref())).filter(|value| !value.is_null());
            let posts = match own.map(named) {
                None => role.posts.clone(),
                Some(Some(posts)) => posts,
                Some(None) => {
                    let most = Role::MOST_POSTS;
                    let text = format!("公司为角色“{}”指定的岗位要是 1–{most} 个名称的列表", role.title);
                    self.problems.add(&part.place(), text);
                    self.problems.lose(role.id.get_ref());
                    continue;
                }
            };
            let known = &self.vocabulary.posts;
            for post in &posts {
                if !known.is_empty() && !known.contains(post) {
                    self.problems.add(
                        &part.place(),
                        format!("没有岗位“{}”；可在参数里为角色“{}”另选岗位", cut(post), role.title),
                    );
                }
            }
            let at = role.at.as_ref().map(|at| at.get_ref().clone());
            let names = RoleNames { posts: posts.clone().into(), at: at.clone() };
            self.roles.insert(role.id.get_ref().clone(), names);
            all.push(Role {
                id: role.id.get_ref().clone(),
                title: role.title.clone(),
                posts,
                default: role.posts.clone(),
                at,
            });
        }
        all
    }
}

/// Names of posts as the company gives them: at least one.
fn named(value: &serde_json::Value) -> Option<Vec<String>> {
    let all = value.as_array().filter(|all| (1..=Role::MOST_POSTS).contains(&all.len()))?;
    all.iter().map(|post| post.as_str().filter(|post| !post.trim().is_empty()).map(str::to_owned)).collect()
}

fn read(ty: &Ty, is_within: bool, default: &Toml) -> Option<Value> {
    Some(match (ty, default) {
        (Ty::Int, Toml::Integer(value)) => Value::Int(*value),
        (Ty::Number, Toml::Integer(value)) => Value::Number(*value as f64),
        (Ty::Number, Toml::Float(value)) => Value::Number(*value),
        // Yuan, as in expressions.
        (Ty::Money, Toml::Integer(value)) => Value::Money(value.checked_mul(100)?),
        (Ty::Money, Toml::Float(value)) => Value::Money(cents(&format!("{value:.2}"))?),
        (Ty::Money, Toml::String(text)) => Value::Money(cents(text)?),
        (Ty::Bool, Toml::Boolean(value)) => Value::Bool(*value),
        (Ty::Choice(options), Toml::String(text)) if options.iter().any(|option| option == text) => {
            Value::text(text)
        }
        (Ty::Text, Toml::String(text)) => Value::text(text),
        (Ty::Text, Toml::Integer(value)) if is_within => Value::text(value.to_string()),
        _ => return None,
    })
}
