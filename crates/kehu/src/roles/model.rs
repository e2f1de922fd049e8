//! A draft of a role: read from JSON or a form, checked as a whole, every mistake named with its cell.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::access::{Condition, Directory, FieldRule, Object, Role, Scope, Verb};
use crate::catalogue::CustomField;
use crate::customers::SPECS;
use crate::error::FieldError;
use crate::expr::{Expr, Schema};
use crate::i18n::{Lang, Text, word};
use crate::ids::UnitId;
use crate::input::{Kind, clean_value, refuse_rest, shorten};
use crate::text;
use crate::web::FormData;

/// Units named in one role at the most.
pub const MOST_UNITS: usize = 200;
/// Conditions in one role at the most.
pub const MOST_CONDITIONS: usize = 10;

/// A permission as somebody wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantDraft {
    /// Code of the object.
    pub object: String,
    /// Code of the verb.
    pub verb: String,
    /// Code of the scope.
    pub scope: String,
    /// Ids of units, for `units`.
    pub units: Vec<String>,
    /// CEL, for `condition`.
    pub condition: String,
}

/// A rule for a field as somebody wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleDraft {
    /// Code of the object.
    pub object: String,
    /// Key of the field.
    pub field: String,
    /// Code of the rule.
    pub rule: String,
}

/// What somebody wants a role to be. Absent parts stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Its short name for programs; made by the program when a new role has none.
    pub code: Option<String>,
    /// The name people read.
    pub name: Option<String>,
    /// What it is for.
    pub note: Option<String>,
    /// Whether it is a bundle for single customers; only of a new role.
    pub is_bundle: Option<bool>,
    /// All its permissions.
    pub grants: Option<Vec<GrantDraft>>,
    /// All its field rules.
    pub fields: Option<Vec<RuleDraft>>,
}

/// What a draft is checked against.
#[derive(Clone)]
pub struct Known {
    /// Units and roles as they stand.
    pub directory: Arc<Directory>,
    /// The names conditions may use.
    pub schema: Arc<Schema>,
    /// The company's own fields.
    pub custom_fields: Arc<Vec<CustomField>>,
}

/// A checked draft.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The role as it would be.
    pub role: Role,
    /// Its conditions, compiled.
    pub conditions: HashMap<String, Arc<dyn Condition>>,
    /// What is allowed but makes no difference.
    pub warnings: Vec<Text>,
}

/// A field that may have a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledField {
    /// Of which object.
    pub object: Object,
    /// Its key.
    pub key: String,
    /// Its title (source text, or the company's own words).
    pub title: String,
    /// The group it stands in (source text).
    pub group: &'static str,
}

/// Every field that may have a rule, in the order of the matrix.
pub fn ruled_fields(custom_fields: &[CustomField]) -> Vec<RuledField> {
    let built_in = SPECS.iter().map(|spec| RuledField {
        object: Object::Customer,
        key: spec.key.to_owned(),
        title: spec.zh.to_owned(),
        group: spec.group.title(),
    });
    let own = custom_fields.iter().map(|field| RuledField {
        object: Object::Customer,
        key: format!("custom.{}", field.key),
        title: field.title.clone(),
        group: "公司自定义信息",
    });
    let contacts = crate::contacts::FIELDS.iter().map(|spec| RuledField {
        object: Object::Contact,
        key: spec.key.to_owned(),
        title: spec.zh.to_owned(),
        group: Object::Contact.title(),
    });
    built_in.chain(own).chain(contacts).collect()
}

/// What a bundle may permit: reading and working on one customer, never passing it on or away.
pub fn is_for_bundles(object: Object, verb: Verb) -> bool {
    let works = matches!(verb, Verb::Read | Verb::Update);
    (object.hangs_on_customer() && works) || (object == Object::Customer && (works || verb == Verb::Export))
}

const READ_ONLY: [&str; 5] = ["id", "version", "is_builtin", "created_at", "updated_at"];

impl Draft {
    /// Reads the body of an API call. Unknown and read-only names are errors.
    pub fn from_json(mut body: Map<String, Json>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut text = |key: &str, errors: &mut Vec<FieldError>| match body.remove(key) {
            None => None,
            Some(Json::String(text)) => Some(text),
            Some(Json::Null) => Some(String::new()),
            Some(_) => {
                errors.push(FieldError::new(key, text!("这里要用文字")));
                None
            }
        };
        let (code, name, note) =
            (text("code", &mut errors), text("name", &mut errors), text("note", &mut errors));
        let is_bundle = match body.remove("is_bundle") {
            None => None,
            Some(Json::Bool(is_bundle)) => Some(is_bundle),
            Some(_) => {
                errors.push(FieldError::new("is_bundle", text!("请填写 true 或 false")));
                None
            }
        };
        let grants = rows(&mut body, "grants", &mut errors, |row, errors| {
            let units = match row.remove("units") {
                None | Some(Json::Null) => Vec::new(),
                Some(Json::Array(units)) => {
                    units.iter().map(|u| u.as_str().unwrap_or_default().to_owned()).collect()
                }
                Some(_) => {
                    errors.push(FieldError::new("grants", text!("units 要用部门编号的列表")));
                    Vec::new()
                }
            };
            let mut get = |key: &str| take_text(row, key, "grants", errors);
            GrantDraft {
                object: get("object"),
                verb: get("verb"),
                scope: get("scope"),
                condition: get("condition"),
                units,
            }
        });
        let fields = rows(&mut body, "fields", &mut errors, |row, errors| {
            let mut get = |key: &str| take_text(row, key, "fields", errors);
            RuleDraft { object: get("object"), field: get("field"), rule: get("rule") }
        });
        refuse_rest(&body, &READ_ONLY, &mut errors);
        let draft = Self { code, name, note, is_bundle, grants, fields };
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }

    /// Reads the form of the role page: `scope.OBJECT.VERB`, `units.OBJECT.VERB`, `condition.OBJECT.VERB` and
    /// `rule.OBJECT.FIELD`.
    pub fn from_form(form: &FormData) -> Self {
        let some = |name: &str| form.find(name).map(str::to_owned);
        let mut grants = Vec::new();
        let mut fields = Vec::new();
        for (name, value) in form.0.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some((object, verb)) = name.strip_prefix("scope.").and_then(|n| n.split_once('.')) {
                let of = |part: &str| format!("{part}.{object}.{verb}");
                grants.push(GrantDraft {
                    object: object.to_owned(),
                    verb: verb.to_owned(),
                    scope: value.clone(),
                    units: match value.as_str() {
                        "units" => form.all(&of("units")).into_iter().map(str::to_owned).collect(),
                        _ => Vec::new(),
                    },
                    condition: match value.as_str() {
                        "condition" => form.get(&of("condition")).to_owned(),
                        _ => String::new(),
                    },
                });
            } else if let Some((object, field)) = name.strip_prefix("rule.").and_then(|n| n.split_once('.')) {
                fields.push(RuleDraft {
                    object: object.to_owned(),
                    field: field.to_owned(),
                    rule: value.clone(),
                });
            }
        }
        Self {
            code: some("code").filter(|code| !code.trim().is_empty()),
            name: some("name"),
            note: some("note"),
            is_bundle: form.find("is_bundle").map(|_| form.is_ticked("is_bundle")),
            grants: Some(grants),
            fields: Some(fields),
        }
    }

    /// `old` with what the draft says, or everything that is wrong with it. Whether the code is free is known only
    /// in the database.
    pub fn applied(&self, old: &Role, known: &Known) -> Result<Checked, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut role = old.clone();
        let is_new = old.version == 0;
        if let Some(code) = &self.code {
            match code.trim() {
                code if is_code(code) => role.code = code.to_owned(),
                _ => errors.push(FieldError::new(
                    "code",
                    text!("角色编码为 2–40 个小写字母、数字或下划线，以字母开头，例如 sales_manager"),
                )),
            }
            if old.is_builtin && role.code != old.code {
                errors.push(FieldError::new("code", text!("内置角色的编码不能修改")));
            }
        }
        if let Some(name) = &self.name {
            match clean_value(Kind::Line, 40, name) {
                Ok(name) if name.is_empty() => {
                    errors.push(FieldError::new("name", text!("请填写角色名称")));
                }
                Ok(name) => role.name = name,
                Err(text) => errors.push(FieldError::new("name", text)),
            }
        } else if is_new {
            errors.push(FieldError::new("name", text!("请填写角色名称")));
        }
        if let Some(note) = &self.note {
            match clean_value(Kind::Lines, 200, note) {
                Ok(note) => role.note = note,
                Err(text) => errors.push(FieldError::new("note", text)),
            }
        }
        match self.is_bundle {
            Some(is_bundle) if is_new => role.is_bundle = is_bundle,
            Some(is_bundle) if is_bundle != old.is_bundle => {
                let text = text!("建好的角色不能在“角色”和“共享权限”之间转换，请另建一个");
                errors.push(FieldError::new("is_bundle", text));
            }
            _ => {}
        }
        let mut conditions = HashMap::new();
        if let Some(grants) = &self.grants {
            role.grants = read_grants(grants, role.is_bundle, known, &mut conditions, &mut errors);
        }
        if let Some(rules) = &self.fields {
            role.fields = read_rules(rules, known, &mut errors);
        }
        refuse_contradictions(&role, &mut errors);
        let warnings = warnings(&role);
        if errors.is_empty() { Ok(Checked { role, conditions, warnings }) } else { Err(errors) }
    }
}

/// Takes a list of objects out of a body.
fn rows<T>(
    body: &mut Map<String, Json>,
    key: &str,
    errors: &mut Vec<FieldError>,
    read: impl Fn(&mut Map<String, Json>, &mut Vec<FieldError>) -> T,
) -> Option<Vec<T>> {
    let Json::Array(rows) = body.remove(key)? else {
        errors.push(FieldError::new(key, text!("这里要用列表")));
        return None;
    };
    let mut found = Vec::new();
    for row in rows {
        let Json::Object(mut row) = row else {
            errors.push(FieldError::new(key, text!("列表里的每一项都要是一个对象")));
            return None;
        };
        found.push(read(&mut row, errors));
        if let Some(unknown) = row.keys().next() {
            errors.push(FieldError::new(key, text!("没有名为“{}”的字段", shorten(unknown))));
        }
    }
    Some(found)
}

fn take_text(row: &mut Map<String, Json>, key: &str, of: &str, errors: &mut Vec<FieldError>) -> String {
    match row.remove(key) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text,
        Some(_) => {
            errors.push(FieldError::new(of, text!("这里要用文字")));
            String::new()
        }
    }
}

fn is_code(code: &str) -> bool {
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (2..=40).contains(&code.len())
        && code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.chars().all(rest)
}

/// The name of a cell in errors and forms.
pub fn cell(object: Object, verb: Verb) -> String {
    format!("scope.{}.{}", object.code(), verb.code())
}

fn read_grants(
    drafts: &[GrantDraft],
    is_bundle: bool,
    known: &Known,
    conditions: &mut HashMap<String, Arc<dyn Condition>>,
    errors: &mut Vec<FieldError>,
) -> BTreeMap<(Object, Verb), Scope> {
    let mut grants = BTreeMap::new();
    let (mut units_named, mut conditions_named) = (0, 0);
    for draft in drafts {
        let Some(object) = Object::named(&draft.object) else {
            errors.push(FieldError::new("grants", text!("没有对象“{}”", shorten(&draft.object))));
            continue;
        };
        let Some(verb) = Verb::named(&draft.verb).filter(|verb| object.verbs().contains(verb)) else {
            let text = text!("“{}”没有操作“{}”", word(object.title()), shorten(&draft.verb));
            errors.push(FieldError::new("grants", text));
            continue;
        };
        let name = cell(object, verb);
        if is_bundle && !is_for_bundles(object, verb) {
            errors.push(FieldError::new(
                name,
                text!(
                    "共享权限只能查看、修改或导出一个客户，不能包含“{}{}”",
                    word(verb.title()),
                    word(object.title())
                ),
            ));
            continue;
        }
        if !is_bundle && !object.is_scoped(verb) && draft.scope != "all" {
            errors.push(FieldError::new(name, text!("这项权限没有数据范围，只能填 all")));
            continue;
        }
        let mut units = Vec::new();
        for text in &draft.units {
            match text.parse::<UnitId>().ok().filter(|id| known.directory.unit(*id).is_some()) {
                Some(id) => units.push(id),
                None => errors.push(FieldError::new(&*name, text!("没有这个部门，请重新选择"))),
            }
        }
        units.sort_unstable();
        units.dedup();
        let condition = draft.condition.trim().to_owned();
        if !units.is_empty() && draft.scope != "units" || !condition.is_empty() && draft.scope != "condition"
        {
            errors.push(FieldError::new(&*name, text!("部门只用于“自定义部门”，条件只用于“按条件”")));
        }
        // The scopes of a bundle have no meaning: it counts on the customer it was given for.
        let code = if is_bundle { "all" } else { draft.scope.as_str() };
        let Some(scope) = Scope::read(code, units.clone(), condition.clone()) else {
            errors.push(FieldError::new(name, text!("没有数据范围“{}”", shorten(&draft.scope))));
            continue;
        };
        match &scope {
            Scope::Units(units) if units.is_empty() => {
                errors.push(FieldError::new(&*name, text!("请至少选择一个部门")));
            }
            Scope::Units(units) => units_named += units.len(),
            Scope::Condition(source) if source.is_empty() => {
                errors.push(FieldError::new(&*name, text!("请填写条件")));
            }
            Scope::Condition(source) => {
                conditions_named += 1;
                match Expr::compile(source, &known.schema) {
                    Ok(condition) => drop(conditions.insert(source.clone(), Arc::new(condition) as _)),
                    Err(problem) => errors.push(FieldError::new(&*name, problem.place())),
                }
            }
            _ => {}
        }
        if grants.insert((object, verb), scope).is_some() {
            errors.push(FieldError::new(name, text!("同一项权限写了两次")));
        }
    }
    if units_named > MOST_UNITS {
        let text = text!(
            "一个角色最多指定 {} 个部门，现在 {} 个；请改用“本部门及以下”或分成几个角色",
            MOST_UNITS,
            units_named
        );
        errors.push(FieldError::new("grants", text));
    }
    if conditions_named > MOST_CONDITIONS {
        let text = text!("一个角色最多 {} 个条件，现在 {} 个", MOST_CONDITIONS, conditions_named);
        errors.push(FieldError::new("grants", text));
    }
    grants
}

fn read_rules(
    drafts: &[RuleDraft],
    known: &Known,
    errors: &mut Vec<FieldError>,
) -> BTreeMap<(Object, String), FieldRule> {
    let fields = ruled_fields(&known.custom_fields);
    let mut rules = BTreeMap::new();
    for draft in drafts {
        let object = Object::named(&draft.object);
        let Some(field) = fields.iter().find(|f| Some(f.object) == object && f.key == draft.field) else {
            let text = text!("没有字段“{}”", shorten(&format!("{}.{}", draft.object, draft.field)));
            errors.push(FieldError::new("fields", text));
            continue;
        };
        let name = format!("rule.{}.{}", field.object.code(), field.key);
        let Some(rule) = FieldRule::named(&draft.rule).filter(|rule| *rule != FieldRule::Edit) else {
            errors.push(FieldError::new(name, text!("字段规则为 hidden、masked 或 read；不限制就不要写")));
            continue;
        };
        if field.key == "name" && rule == FieldRule::Hidden {
            errors.push(FieldError::new(name, text!("名称不能隐藏，可以脱敏或只读")));
            continue;
        }
        if rules.insert((field.object, field.key.clone()), rule).is_some() {
            errors.push(FieldError::new(name, text!("同一个字段写了两次")));
        }
    }
    rules
}

/// Permissions that could never be used.
fn refuse_contradictions(role: &Role, errors: &mut Vec<FieldError>) {
    let has = |object, verb| role.grants.contains_key(&(object, verb));
    let reads = has(Object::Customer, Verb::Read);
    for (object, verb) in role.grants.keys() {
        let needs = match (*object, *verb) {
            (Object::Customer, Verb::Update | Verb::Delete | Verb::Assign | Verb::Share | Verb::Export)
                if !reads =>
            {
                Object::Customer
            }
            (part, _) if part.hangs_on_customer() && !reads => Object::Customer,
            (part, Verb::Update) if part.hangs_on_customer() && !has(part, Verb::Read) => part,
            _ => continue,
        };
        let text =
            text!("要“{}{}”，必须先能查看{}", word(verb.title()), word(object.title()), word(needs.title()));
        errors.push(FieldError::new(cell(*object, *verb), text));
    }
}

/// Whether `a` reaches more than `b`, as far as their names tell.
fn is_wider(a: &Scope, b: &Scope) -> bool {
    match (a, b) {
        (Scope::All, Scope::All) => false,
        (Scope::All, _) => true,
        (Scope::UnitTree, Scope::Unit | Scope::Own | Scope::Team) => true,
        (Scope::Unit | Scope::Team, Scope::Own) => true,
        _ => false,
    }
}

fn warnings(role: &Role) -> Vec<Text> {
    let Some(read) = role.grants.get(&(Object::Customer, Verb::Read)).filter(|_| !role.is_bundle) else {
        return Vec::new();
    };
    let rests_on_read = |object: Object, verb: Verb| {
        object.hangs_on_customer()
            || (object == Object::Customer && !matches!(verb, Verb::Read | Verb::Create | Verb::Import))
    };
    let wider = role.grants.iter().filter(|((o, v), scope)| rests_on_read(*o, *v) && is_wider(scope, read));
    wider
        .map(|((object, verb), scope)| {
            let both = |l: Lang| {
                l.f(
                    "“{}·{}”的范围（{}）比“客户·查看”（{}）大，多出的部分不起作用",
                    &[&l.t(object.title()), &l.t(verb.title()), &l.t(scope.title()), &l.t(read.title())],
                )
            };
            Text::Both(both(Lang::Zh), both(Lang::En))
        })
        .collect()
}

/// A scope in words: `自定义部门：华东、华南`, `按条件：level == "A"`.
pub fn scope_words(scope: &Scope, directory: &Directory, l: Lang) -> String {
    match scope {
        Scope::Units(units) => {
            let names: Vec<&str> =
                units.iter().map(|u| directory.unit(*u).map_or("?", |u| u.name.as_str())).collect();
            l.f("自定义部门：{}", &[&names.join(l.t("、"))])
        }
        Scope::Condition(source) => l.f("按条件：{}", &[source]),
        plain => l.t(plain.title()).to_owned(),
    }
}

/// What the log keeps of a role: one line a cell, in words and names, since ids tell nobody anything.
pub fn facts(role: &Role, known: &Known) -> Json {
    let mut facts = Map::new();
    facts.insert("name".into(), role.name.as_str().into());
    facts.insert("code".into(), role.code.as_str().into());
    facts.insert("note".into(), role.note.as_str().into());
    for ((object, verb), scope) in &role.grants {
        let words = match object.is_scoped(*verb) {
            true => scope_words(scope, &known.directory, Lang::Zh),
            false => "有".to_owned(),
        };
        facts.insert(format!("{}·{}", object.title(), verb.title()), words.into());
    }
    let fields = ruled_fields(&known.custom_fields);
    for ((object, key), rule) in &role.fields {
        let title = fields.iter().find(|f| f.object == *object && f.key == *key).map_or(&**key, |f| &f.title);
        facts.insert(format!("{}字段·{title}", object.title()), rule.title().into());
    }
    Json::Object(facts)
}

/// As the API sends it.
pub fn json_of(role: &Role) -> Json {
    let grants: Vec<Json> = role
        .grants
        .iter()
        .map(|((object, verb), scope)| {
            let mut grant = json!({ "object": object.code(), "verb": verb.code(), "scope": scope.code() });
            match scope {
                Scope::Units(units) => grant["units"] = json!(units),
                Scope::Condition(source) => grant["condition"] = json!(source),
                _ => {}
            }
            grant
        })
        .collect();
    let fields: Vec<Json> = role
        .fields
        .iter()
        .map(
            |((object, field), rule)| json!({ "object": object.code(), "field": field, "rule": rule.code() }),
        )
        .collect();
    json!({
        "id": role.id, "code": role.code, "name": role.name, "note": role.note, "is_bundle": role.is_bundle,
        "is_builtin": role.is_builtin, "version": role.version, "grants": grants, "fields": fields,
    })
}
