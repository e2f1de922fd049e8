//! From the parts as written to the model: names resolved, expressions typed, lengths of time read. What is wrong is
//! noted and the rest is looked at all the same, so that one run tells everything.

mod forms;
mod rules;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workday::{Before, Within};

use super::Settings;
use super::read::{Part, Parts, Place, Problems, Unknown};
use crate::expr::{self, Expr, FormNames, Names, RoleNames, Vocabulary, Wanted, hint};
use crate::model::{Clause, Piece, Policy, Template};
use crate::source::{self, Text};
use crate::value::{Ty, Value};

/// Builds the model; `None` when something is so wrong that there is none.
pub fn build(
    parts: &Parts,
    settings: &Settings,
    vocabulary: &Vocabulary,
    problems: &mut Problems<'_>,
) -> Option<Policy> {
    let mut builder = Builder {
        parts,
        vocabulary,
        problems,
        settings: BTreeMap::new(),
        roles: BTreeMap::new(),
        shapes: BTreeMap::new(),
        outcomes: outcomes(parts),
        forms: Vec::new(),
        one: None,
        compared: BTreeSet::new(),
        clauses: parts.clause.iter().map(|clause| clause.get().id.get_ref().clone()).collect(),
    };
    let policy = builder.policy(settings);
    problems.is_empty().then_some(policy)
}

/// What expressions about a form may name.
struct Shape {
    fields: Vec<(String, Ty)>,
    steps: Vec<(String, Vec<String>)>,
}

struct Builder<'a, 'f> {
    parts: &'a Parts,
    vocabulary: &'a Vocabulary,
    problems: &'a mut Problems<'f>,
    settings: BTreeMap<String, (Ty, Value)>,
    roles: BTreeMap<String, RoleNames>,
    shapes: BTreeMap<String, Arc<Shape>>,
    outcomes: Vec<(String, Vec<String>)>,
    forms: Vec<FormNames>,
    /// The item of the list that is gone through in what is being read.
    one: Option<Ty>,
    /// Fields by which other cases are asked for, with their form.
    compared: BTreeSet<(String, String)>,
    clauses: Vec<String>,
}

impl Builder<'_, '_> {
    fn policy(&mut self, values: &Settings) -> Policy {
        let head = self.parts.head.get().clone();
        self.id(&self.parts.head.at(&head.id), head.id.get_ref());
        if !head.in_force.is_empty() && head.in_force.parse::<jiff::civil::Date>().is_err() {
            self.problems.add(&self.parts.head.place(), "施行日期 in_force 要写成 2026-01-01 这样的日期");
        }
        let clauses = self.clauses();
        let settings = self.settings(values);
        let roles = self.roles(values);
        let mut forms = self.forms();
        let mut policy = Policy {
            id: head.id.get_ref().clone(),
            title: head.title.clone(),
            version: head.version.clone(),
            clauses,
            settings,
            roles,
            authorities: self.authorities(),
            triggers: self.triggers(),
            duties: self.duties(),
            refusals: self.refusals(),
            penalties: self.penalties(),
            retentions: self.retentions(),
            access: self.access(),
            metrics: self.metrics(),
            reports: self.reports(),
            notices: self.notices(),
            standards: self.standards(),
            forms: Vec::new(),
            head,
        };
        // Only now is everything read that may ask for cases.
        for form in &mut forms {
            let is_asked =
                |field: &crate::model::Field| self.compared.contains(&(form.id.clone(), field.id.clone()));
            form.compared = (0..form.fields.len()).filter(|place| is_asked(&form.fields[*place])).collect();
        }
        policy.forms = forms.into_iter().map(Arc::new).collect();
        policy
    }

    fn clauses(&mut self) -> Vec<Clause> {
        let mut all: Vec<Clause> = Vec::new();
        for part in &self.parts.clause {
            let clause = part.get();
            let id = clause.id.get_ref().trim().to_owned();
            if id.is_empty() || id.chars().count() > 40 || id.contains([',', '，', '、']) {
                self.problems.add(&part.at(&clause.id), "条款号要填写，不超过 40 个字，不含逗号");
            }
            if all.iter().any(|known| known.id == id) {
                self.problems.add(&part.at(&clause.id), format!("条款“{id}”写了两次"));
            }
            if clause.text.trim().is_empty() {
                self.problems.add(&part.place(), format!("条款“{id}”没有内容"));
            }
            let (title, text, binds) = (clause.title.clone(), clause.text.clone(), clause.binds.clone());
            all.push(Clause { id, title, text, binds });
        }
        if all.is_empty() && !self.problems.is_partial() {
            self.problems.add(&self.parts.head.place(), "制度至少要有一个条款 [[clause]]");
        }
        all
    }

    /// Names of parts: lower-case letters, digits, hyphens and underscores.
    fn id(&mut self, place: &Place, id: &str) -> bool {
        let fits = id.len() <= 60
            && id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
        if !fits {
            self.problems.add(
                place,
                format!(
                    "代号“{}”要用小写英文字母开头，只含小写字母、数字、- 和 _，不超过 60 个字符",
                    cut(id)
                ),
            );
        }
        fits
    }

    /// Names once within their kind.
    fn ids<T>(&mut self, parts: &[Part<T>], what: &str, of: impl Fn(&T) -> &Text) {
        let mut seen: Vec<&str> = Vec::new();
        for part in parts {
            let text = of(part.get());
            let place = part.at(text);
            self.id(&place, text.get_ref());
            if seen.contains(&text.get_ref().as_str()) {
                self.problems.add(&place, format!("{what}“{}”写了两次", text.get_ref()));
            }
            seen.push(text.get_ref());
        }
    }

    /// A clause must exist; several may be named, with commas between.
    fn clause<T>(&mut self, part: &Part<T>, clause: &Text) -> String {
        self.clause_at(&part.at(clause), clause)
    }

    fn clause_at(&mut self, place: &Place, clause: &Text) -> String {
        let ids: Vec<&str> = clause.get_ref().split([',', '，', '、']).map(str::trim).collect();
        for id in &ids {
            if !self.clauses.iter().any(|known| known == id) {
                self.problems.unknown(place, Unknown::new("条款", id), format!("没有条款“{}”", cut(id)));
            }
        }
        ids.join(",")
    }

    fn clause_maybe<T>(&mut self, part: &Part<T>, clause: Option<&Text>) -> Option<String> {
        clause.map(|clause| self.clause(part, clause))
    }

    /// The names in reach of expressions about a form, an event, or neither.
    fn expr_with(
        &mut self,
        place: &Place,
        text: &Text,
        form: Option<&str>,
        event: Option<&[(String, Ty)]>,
        wanted: &Wanted,
    ) -> Option<Expr> {
        let shape = form.and_then(|form| self.shapes.get(form).cloned());
        let names = Names {
            fields: shape.as_ref().map(|shape| shape.fields.as_slice()),
            event,
            settings: &self.settings,
            roles: &self.roles,
            outcomes: &self.outcomes,
            forms: &self.forms,
            one: self.one.as_ref(),
            steps: shape.as_ref().map_or(&[], |shape| shape.steps.as_slice()),
            vocabulary: self.vocabulary,
        };
        let result = match wanted {
            Wanted::People => expr::people(text.get_ref(), &names),
            wanted => expr::compile(text.get_ref(), &names, wanted),
        };
        match result {
            Ok(expr) => {
                let own = |of: &str| if of.is_empty() { form.unwrap_or_default() } else { of }.to_owned();
                self.compared.extend(expr.compared().iter().map(|(of, field)| (own(of), field.clone())));
                Some(expr)
            }
            Err(problem) => {
                let where_in = if problem.column > 1 {
                    format!("第 {} 个字：", problem.column)
                } else {
                    String::new()
                };
                let said = format!("“{}” {where_in}{}", cut(text.get_ref()), problem.text);
                match &problem.unknown {
                    Some((what, name)) => self.problems.unknown(place, Unknown::new(what, name), said),
                    None => self.problems.add(place, said),
                }
                None
            }
        }
    }

    fn expr<T>(&mut self, part: &Part<T>, text: &Text, form: Option<&str>, wanted: &Wanted) -> Option<Expr> {
        self.expr_with(&part.at(text), text, form, None, wanted)
    }

    fn condition<T>(&mut self, part: &Part<T>, text: Option<&Text>, form: Option<&str>) -> Option<Expr> {
        text.and_then(|text| self.expr(part, text, form, &Wanted::Condition))
    }

    fn who<T>(&mut self, part: &Part<T>, text: &Text, form: Option<&str>) -> Option<Expr> {
        self.expr(part, text, form, &Wanted::People)
    }

    fn who_maybe<T>(&mut self, part: &Part<T>, text: Option<&Text>, form: Option<&str>) -> Option<Expr> {
        text.and_then(|text| self.who(part, text, form))
    }

    /// A text with the settings in braces put in.
    fn filled(&mut self, place: &Place, text: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                self.problems.add(place, format!("“{}”里的花括号没有闭合", cut(text)));
                return None;
            };
            filled.push_str(before);
            match self.settings.get(name.trim()) {
                Some((_, Value::Int(value))) => filled.push_str(&value.to_string()),
                Some((_, Value::Text(value))) => filled.push_str(value),
                Some(_) => {
                    self.problems
                        .add(place, format!("参数“{}”不能用在时间里，它要是整数或时限", name.trim()));
                    return None;
                }
                None => {
                    let text = format!("没有叫“{}”的参数 [[setting]]", cut(name.trim()));
                    self.problems.unknown(place, Unknown::new("参数", name.trim()), text);
                    return None;
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn within(&mut self, place: &Place, text: &Text) -> Option<Within> {
        let filled = self.filled(place, text.get_ref())?;
        match filled.parse::<Within>() {
            Ok(within) => Some(within),
            Err(error) => {
                self.problems.add(place, format!("时限“{}”：{error}", cut(&filled)));
                None
            }
        }
    }

    /// How long after the end of a period; `0d` is its end.
    fn after_period(&mut self, place: &Place, text: &Text) -> Option<Within> {
        let filled = self.filled(place, text.get_ref())?;
        let at_once = Text::new(text.span(), "same-day 24:00".to_owned());
        self.within(place, if filled.trim() == "0d" { &at_once } else { text })
    }

    fn before(&mut self, place: &Place, text: &Text) -> Option<Before> {
        let filled = self.filled(place, text.get_ref())?;
        match filled.parse::<Before>() {
            Ok(before) => Some(before),
            Err(error) => {
                self.problems
                    .add(place, format!("提醒“{}”：{error}；要写成 -2d、-1wd、-30min 这样", cut(&filled)));
                None
            }
        }
    }

    /// The form a part is about: the one it names, or the only one there is.
    fn form_of<T>(&mut self, part: &Part<T>, form: Option<&Text>) -> Option<String> {
        match form {
            Some(form) => self.form_named(&part.at(form), form.get_ref()),
            None => match self.parts.form.as_slice() {
                [only] => Some(only.get().id.get_ref().clone()),
                [] => {
                    if !self.problems.is_partial() {
                        self.problems.add(&part.place(), "制度里还没有表单 [[form]]");
                    }
                    None
                }
                _ => {
                    self.problems.add(&part.place(), "制度里有几个表单，请写明 form = \"…\"");
                    None
                }
            },
        }
    }

    fn form_named(&mut self, place: &Place, id: &str) -> Option<String> {
        if self.parts.form.iter().any(|form| form.get().id.get_ref() == id) {
            return Some(id.to_owned());
        }
        let hint = hint(id, self.parts.form.iter().map(|form| form.get().id.get_ref().as_str()));
        self.problems.unknown(place, Unknown::new("表单", id), format!("没有表单“{}”{hint}", cut(id)));
        None
    }

    fn field_of<T>(&mut self, part: &Part<T>, form: &str, text: &Text) -> Option<usize> {
        let place = part.at(text);
        let shape = self.shapes.get(form)?;
        let found = shape.fields.iter().position(|(name, _)| name == text.get_ref());
        if found.is_none() {
            let hint = hint(text.get_ref(), shape.fields.iter().map(|(name, _)| name.as_str()));
            let said = format!("表单“{form}”里没有字段“{}”{hint}", cut(text.get_ref()));
            self.problems.unknown(&place, Unknown::new("字段", text.get_ref()), said);
        }
        found
    }

    fn fields_of<T>(&mut self, part: &Part<T>, form: &str, texts: &[Text]) -> Vec<usize> {
        texts.iter().filter_map(|text| self.field_of(part, form, text)).collect()
    }

    /// One of the words of the format.
    fn word<V: Clone>(&mut self, place: &Place, text: &str, words: &[(&str, V)]) -> Option<V> {
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.problems.add(place, format!("“{}”不认识，可以写：{}", cut(text), known.join("、")));
        }
        found
    }

    /// Text with `{expression}` in it.
    fn template<T>(&mut self, part: &Part<T>, written: &Text, form: Option<&str>) -> Template {
        let text = written.get_ref().as_str();
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((source, after)) = after.split_once('}') else {
                self.problems.add(&part.at(written), format!("“{}”里的花括号没有闭合", cut(text)));
                break;
            };
            if !before.is_empty() {
                parts.push(Piece::Text(before.to_owned()));
            }
            let source = toml::Spanned::new(written.span(), source.trim().to_owned());
            if let Some(expr) = self.expr(part, &source, form, &Wanted::Anything) {
                parts.push(Piece::Value(expr));
            }
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Piece::Text(rest.to_owned()));
        }
        Template { parts }
    }

    /// `field = "expression"` pairs.
    fn set<T>(
        &mut self,
        part: &Part<T>,
        set: &BTreeMap<String, Text>,
        into: &str,
        from: Option<&str>,
        event: Option<&[(String, Ty)]>,
    ) -> Vec<(usize, Expr)> {
        let mut all = Vec::new();
        // In the order they are written, which is the order they see each other's values in.
        let mut written: Vec<(&String, &Text)> = set.iter().collect();
        written.sort_by_key(|(_, text)| text.span().start);
        for (name, text) in written {
            let Some(shape) = self.shapes.get(into).cloned() else { continue };
            let place = part.at(text);
            let Some(field) = shape.fields.iter().position(|(known, _)| known == name) else {
                let hint = hint(name, shape.fields.iter().map(|(name, _)| name.as_str()));
                let said = format!("表单“{into}”里没有字段“{}”{hint}", cut(name));
                self.problems.unknown(&place, Unknown::new("字段", name), said);
                continue;
            };
            let wanted = Wanted::Value(shape.fields[field].1.clone());
            if let Some(expr) = self.expr_with(&place, text, from, event, &wanted) {
                all.push((field, expr));
            }
        }
        all
    }
}

/// The forms and how their cases may end.
fn outcomes(parts: &Parts) -> Vec<(String, Vec<String>)> {
    let only = parts.form.len() == 1;
    let forms = parts.form.iter().map(|form| form.get().id.get_ref().clone());
    forms
        .map(|form| {
            let steps = of_form(&parts.step, &form, only, |step| step.form.as_ref());
            let ends = steps
                .iter()
                .map(|part| part.get())
                .filter(|step| step.kind.as_ref().is_some_and(|kind| kind.get_ref() == "end"));
            let outcomes = ends
                .map(|step| if step.outcome.is_empty() { step.title.clone() } else { step.outcome.clone() });
            (form.clone(), outcomes.collect())
        })
        .collect()
}

/// At most 60 characters of a text.
fn cut(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(59).chain(['…']).collect() }
}

/// The parts of a policy that belong to a form.
fn of_form<'a, T>(
    parts: &'a [Part<T>],
    form: &str,
    only: bool,
    named: impl Fn(&T) -> Option<&source::Text>,
) -> Vec<&'a Part<T>> {
    parts.iter().filter(|part| named(part.get()).map_or(only, |name| name.get_ref() == form)).collect()
}
