//! The format of a policy's files: what may be written, word for word. `check` turns it into a `Policy`; the JSON Schema
//! in `policies/schema/` is generated from these types.
//!
//! A policy is a folder of TOML files. Any file may hold any part; by custom `policy.toml` has the head and the settings,
//! `clauses.toml` the clauses, `forms.toml` the forms, `process.toml` steps, deadlines, refusals and penalties,
//! `duties.toml`, `reports.toml` and `standards.toml` the rest, and `scenarios/*.toml` the tests.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

/// A text whose place in the file is kept, so that what is wrong with it can be shown there.
pub type Text = Spanned<String>;

/// What is not written.
fn nothing() -> Text {
    Spanned::new(0..0, String::new())
}

/// One file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The head of the policy; once.
    #[schemars(with = "Option<Head>")]
    pub policy: Option<Spanned<Head>>,
    /// The clauses (条款).
    #[schemars(with = "Vec<Clause>")]
    pub clause: Vec<Spanned<Clause>>,
    /// What the regulation leaves open (待定数值).
    #[schemars(with = "Vec<Setting>")]
    pub setting: Vec<Spanned<Setting>>,
    /// The roles of the regulation and the posts that fill them.
    #[schemars(with = "Vec<Role>")]
    pub role: Vec<Spanned<Role>>,
    /// Forms and registers (表单).
    #[schemars(with = "Vec<Form>")]
    pub form: Vec<Spanned<Form>>,
    /// Steps (步骤).
    #[schemars(with = "Vec<Step>")]
    pub step: Vec<Spanned<Step>>,
    /// Tables of authority (权限核决表).
    #[schemars(with = "Vec<Authority>")]
    pub authority: Vec<Spanned<Authority>>,
    /// Deadlines (时限).
    #[schemars(with = "Vec<Deadline>")]
    pub deadline: Vec<Spanned<Deadline>>,
    /// What is opened by an event of the application (触发).
    #[schemars(with = "Vec<Trigger>")]
    pub trigger: Vec<Spanned<Trigger>>,
    /// Recurring obligations (周期职责).
    #[schemars(with = "Vec<Duty>")]
    pub duty: Vec<Spanned<Duty>>,
    /// What is refused (禁止事项).
    #[schemars(with = "Vec<Refusal>")]
    pub refusal: Vec<Spanned<Refusal>>,
    /// Penalties (罚则).
    #[schemars(with = "Vec<Penalty>")]
    pub penalty: Vec<Spanned<Penalty>>,
    /// How long records are kept (保管).
    #[schemars(with = "Vec<Retention>")]
    pub retention: Vec<Spanned<Retention>>,
    /// Who may view, copy, print, export (查阅权限).
    #[schemars(with = "Vec<Access>")]
    pub access: Vec<Spanned<Access>>,
    /// Figures (指标).
    #[schemars(with = "Vec<Metric>")]
    pub metric: Vec<Spanned<Metric>>,
    /// Reports (报表).
    #[schemars(with = "Vec<Report>")]
    pub report: Vec<Spanned<Report>>,
    /// Texts sent to people (通知).
    #[schemars(with = "Vec<Notice>")]
    pub notice: Vec<Spanned<Notice>>,
    /// Standards of conduct (行为规范).
    #[schemars(with = "Vec<Standard>")]
    pub standard: Vec<Spanned<Standard>>,
}

/// The head of a policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Short name in lower-case letters, digits and hyphens; the name of the folder.
    #[schemars(with = "String")]
    pub id: Text,
    /// The title people know.
    pub title: String,
    /// Version, such as `1.0`.
    pub version: String,
    /// What it is for, in one or two sentences.
    #[serde(default)]
    pub purpose: String,
    /// Whom it binds and what it covers.
    #[serde(default)]
    pub scope: String,
    /// The department that answers for it.
    #[serde(default)]
    pub owner: String,
    /// Who interprets it (解释权).
    #[serde(default)]
    pub interpreter: String,
    /// Who enacts it.
    #[serde(default)]
    pub approver: String,
    /// From which day it holds, `2026-01-01`; empty means from its publication.
    #[serde(default)]
    pub in_force: String,
    /// The short word under which it has an entry of its own in the menu: 报修. Without one it has none.
    #[serde(default)]
    pub menu: String,
}

/// A clause.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its number as printed: `3.2`, `第七条`.
    #[schemars(with = "String")]
    pub id: Text,
    /// Its heading.
    #[serde(default)]
    pub title: String,
    /// What it says, in our own words.
    pub text: String,
    /// Whom it binds.
    #[serde(default)]
    pub binds: String,
}

/// A value the regulation leaves open.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name in expressions: `settings.NAME`.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// `int`, `number`, `money`, `text`, `bool`, `choice` or `within` (a length of time).
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: Text,
    /// The value until the company sets one; without it the company must.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<Spanned<toml::Value>>,
    /// The least it may be.
    #[serde(default)]
    pub min: Option<f64>,
    /// The most it may be.
    #[serde(default)]
    pub max: Option<f64>,
    /// The choices of a `choice`.
    #[serde(default)]
    pub options: Vec<String>,
    /// A unit of measure or a hint.
    #[serde(default)]
    pub hint: String,
    /// The clause that leaves it open.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// A role of the regulation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name: `role:NAME`.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// The posts (岗位) that fill it; the company may name others (`role.NAME` among its values of settings).
    pub posts: Vec<String>,
    /// The unit in which they are looked for, as an expression: `case.unit`. Without it, anywhere.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub at: Option<Text>,
}

/// A form or register.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read: 维修单.
    pub title: String,
    /// How its cases are numbered: text with `{yyyy}`, `{mm}`, `{dd}` and `{n:4}` (a running number of four digits).
    #[serde(default = "nothing")]
    #[schemars(with = "String")]
    pub number: Text,
    /// Who may open one.
    #[schemars(with = "String")]
    pub by: Text,
    /// The field with the customer.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub customer: Option<Text>,
    /// The field with the unit it belongs to; without one, the unit of whoever opens it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub unit: Option<Text>,
    /// Who answers for the case; without it, whoever opens it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub owner: Option<Text>,
    /// Who else may read its cases beside those who take part and the superiors of the owner.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub readers: Option<Text>,
    /// Who may never take part or see a case, whatever his rights (回避).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub excluded: Option<Text>,
    /// The fields, in order.
    #[serde(default)]
    #[schemars(with = "Vec<Field>")]
    pub field: Vec<Spanned<Field>>,
    /// The fields filled when it is opened.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub fill: Vec<Text>,
    /// Fields offered when it is opened.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub offer: Vec<Text>,
    /// Values set when it is opened.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub set: std::collections::BTreeMap<String, Text>,
    /// The columns of its list.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub list: Vec<Text>,
    /// The printed copies and who gets them, in order.
    #[serde(default)]
    #[schemars(with = "Vec<Copy>")]
    pub copy: Vec<Spanned<Copy>>,
    /// The title of a case in lists; text with `{case.field}`.
    #[serde(default = "nothing")]
    #[schemars(with = "String")]
    pub subject: Text,
    /// The clause.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// A field of a form.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in expressions.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// `text`, `long` (several lines), `number`, `int`, `money`, `bool`, `date`, `time`, `choice`, `choices`, `person`,
    /// `people`, `unit`, `customer`, `contact`, `asset`, `case`, `file`, `files`, `signature`, `rating` (1 to 5),
    /// `checklist`, `lines`.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: Text,
    /// The choices of `choice`, `choices` and `checklist`.
    #[serde(default)]
    pub options: Vec<String>,
    /// The columns of `lines`.
    #[serde(default)]
    #[schemars(with = "Vec<Field>")]
    pub column: Vec<Spanned<Field>>,
    /// The form a `case` points at.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub form: Option<Text>,
    /// Computed from the other fields, always. In a column, `row` is its line: `row.price * row.quantity`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub value: Option<Text>,
    /// The least number, or the fewest characters or items.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest number, or the most characters or items.
    #[serde(default)]
    pub max: Option<f64>,
    /// What a field says to whoever fills it.
    #[serde(default)]
    pub help: String,
    /// For a person: who is proposed, the best first; what is forbidden is for refusals to say.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub among: Option<Text>,
    /// What makes one better than another, the most important first.
    #[serde(default)]
    #[schemars(with = "Vec<Rank>")]
    pub rank: Vec<Spanned<Rank>>,
    /// For a customer: whoever may not see one can name it all the same, by its whole name, with the number behind it
    /// where several have that name. For requests to be shown a customer.
    #[serde(default)]
    pub by_name: bool,
    /// Who may see it; without it, whoever sees the case.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub seen_by: Option<Text>,
    /// The copies on which it is not printed.
    #[serde(default)]
    pub not_on: Vec<String>,
    /// The clause.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// A criterion by which people are ranked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// What people read: 有本项专长.
    pub title: String,
    /// The value, where `one` is the person: `case.trade in one.skills`. Yes comes before no; of numbers, days and times
    /// the smallest comes first.
    #[schemars(with = "String")]
    pub by: Text,
    /// The greatest first instead.
    #[serde(default)]
    pub most_first: bool,
}

/// A printed copy (联).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What is printed on it: 第一联 客户.
    pub title: String,
    /// The stations it is handed to, one after the other: 前台, 财务部.
    #[serde(default)]
    pub to: Vec<String>,
    /// The clause.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// Where a case goes: one step, or the first whose condition holds.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(untagged)]
pub enum Next {
    /// Nowhere: the case stays.
    #[default]
    Stay,
    /// Always there.
    To(#[schemars(with = "String")] Text),
    /// The first that holds.
    Branches(Vec<Branch>),
}

/// One way on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The step.
    #[schemars(with = "String")]
    pub to: Text,
    /// The condition; without one it is the way for everything else.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
}

/// The ways as they are written: one step, or a list.
struct Ways(Vec<Branch>);

impl<'de> Deserialize<'de> for Ways {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Ways;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a step, or a list of { to, when }")
            }
            fn visit_str<E: de::Error>(self, to: &str) -> Result<Self::Value, E> {
                Ok(Ways(vec![Branch { to: Spanned::new(0..0, to.to_owned()), when: None }]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut branches = Vec::new();
                while let Some(branch) = seq.next_element()? {
                    branches.push(branch);
                }
                Ok(Ways(branches))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Next {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Spanned::<Ways>::deserialize(deserializer)?;
        let span = written.span();
        let Ways(mut ways) = written.into_inner();
        // A single step has no place of its own: it stands where the value does.
        for branch in ways.iter_mut().filter(|branch| branch.to.span().is_empty()) {
            branch.to = Spanned::new(span.clone(), branch.to.get_ref().clone());
        }
        Ok(match ways.as_slice() {
            [] => Self::Stay,
            [Branch { when: None, .. }] => Self::To(ways.remove(0).to),
            _ => Self::Branches(ways),
        })
    }
}

/// A step of a process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// The form; may be left out when the policy has one form only.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub form: Option<Text>,
    /// What people read.
    pub title: String,
    /// `task` (somebody acts), `approval`, `wait` (for an event or a deadline) or `end`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub kind: Option<Text>,
    /// Who acts: `role:ID`, `case.creator`, `case.owner`, `superior(case.owner)` …
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub by: Option<Text>,
    /// What the step asks of whoever acts, in a sentence.
    #[serde(default)]
    pub help: String,
    /// Fields that must be filled.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub fill: Vec<Text>,
    /// Fields that may be filled.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub offer: Vec<Text>,
    /// Fields that must be filled under a condition.
    #[serde(default)]
    #[schemars(with = "Vec<Require>")]
    pub require: Vec<Spanned<Require>>,
    /// Where a plain `submit` leads.
    #[serde(default)]
    pub next: Next,
    /// Cases of other forms opened when it is left by `submit` or approved.
    #[serde(default)]
    #[schemars(with = "Vec<Open>")]
    pub open: Vec<Spanned<Open>>,
    /// Events given out when it is left by `submit` or approved.
    #[serde(default)]
    pub emit: Vec<String>,
    /// Values set when it is left by `submit` or approved, each seeing those written before it.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub set: std::collections::BTreeMap<String, Text>,
    /// The buttons, when there are others than `submit`.
    #[serde(default)]
    #[schemars(with = "Vec<Action>")]
    pub action: Vec<Spanned<Action>>,
    /// How it is approved.
    #[serde(default)]
    #[schemars(with = "Option<Approve>")]
    pub approve: Option<Spanned<Approve>>,
    /// Events that move the case on.
    #[serde(default)]
    #[schemars(with = "Vec<On>")]
    pub on: Vec<Spanned<On>>,
    /// How a case that ends here ended: 已结案, 不受理.
    #[serde(default)]
    pub outcome: String,
    /// Whether those who act here may read the case's customer meanwhile, until the case leaves the step or its
    /// running deadline passes.
    #[serde(default)]
    pub opens_customer: bool,
    /// Who gets a copy (抄送) when the case comes here.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub copy_to: Option<Text>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// Fields wanted under a condition.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Require {
    /// The condition.
    #[schemars(with = "String")]
    pub when: Text,
    /// The fields.
    #[schemars(with = "Vec<String>")]
    pub fill: Vec<Text>,
    /// The clause.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// A button of a step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Its name, once in a form.
    #[schemars(with = "String")]
    pub id: Text,
    /// What stands on the button.
    pub title: String,
    /// Who may, if not whoever the step names.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub by: Option<Text>,
    /// When it is there.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// Fields that must be filled.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub fill: Vec<Text>,
    /// Fields that may be filled.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub offer: Vec<Text>,
    /// Fields that must be filled under a condition.
    #[serde(default)]
    #[schemars(with = "Vec<Require>")]
    pub require: Vec<Spanned<Require>>,
    /// Values set, each seeing those written before it.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub set: std::collections::BTreeMap<String, Text>,
    /// Where it leads; nowhere when left out.
    #[serde(default)]
    pub next: Next,
    /// Cases of other forms opened by it.
    #[serde(default)]
    #[schemars(with = "Vec<Open>")]
    pub open: Vec<Spanned<Open>>,
    /// Events it gives out.
    #[serde(default)]
    pub emit: Vec<String>,
    /// What it asks before it is done.
    #[serde(default)]
    pub confirm: String,
    /// The clause, if not the step's.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// A case of another form, opened by this one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The form.
    #[schemars(with = "String")]
    pub form: Text,
    /// One for each item of this list, which is `one` in `set` and `when`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub each: Option<Text>,
    /// Its first values, from this case.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub set: std::collections::BTreeMap<String, Text>,
    /// Only under this condition.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
}

/// An event that moves a case on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct On {
    /// The event of the application, or `deadline:ID` when that one is breached.
    #[schemars(with = "String")]
    pub event: Text,
    /// The condition.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// Values set, from `event`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub set: std::collections::BTreeMap<String, Text>,
    /// Where it leads.
    #[serde(default)]
    pub next: Next,
}

/// A case opened by an event of the application.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The event.
    #[schemars(with = "String")]
    pub on: Text,
    /// The condition over `event`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// The form opened.
    #[schemars(with = "String")]
    pub open: Text,
    /// Its first values, from `event`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub set: std::collections::BTreeMap<String, Text>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// How a step is approved.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// One stage after the other.
    #[serde(default)]
    #[schemars(with = "Vec<Stage>")]
    pub stage: Vec<Spanned<Stage>>,
    /// The table of authority that names the approvers instead.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub authority: Option<Text>,
    /// Where a refusal (驳回) leads; the case ends as refused when left out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub reject: Option<Text>,
    /// The steps an approver may return it to (退回).
    #[serde(default, rename = "return")]
    #[schemars(with = "Vec<String>")]
    pub back: Vec<Text>,
    /// Nobody found: `refuse` (stands still and says so), `skip`, `escalate` (to the administrator of the policy).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub empty: Option<Text>,
    /// The same person in a later stage again: `ask` or `skip`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub same_person: Option<Text>,
    /// The requester as approver: `superior` (his superior decides instead), `skip` or `allow`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub requester: Option<Text>,
    /// What the approvers may do beside yes and no: `add`, `reassign`, `withdraw` (the requester).
    #[serde(default)]
    pub may: Vec<String>,
    /// What happens when nobody decides in time.
    #[serde(default)]
    #[schemars(with = "Option<Timeout>")]
    pub timeout: Option<Spanned<Timeout>>,
}

/// One stage of an approval.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Who.
    #[schemars(with = "String")]
    pub by: Text,
    /// `any` (或签: one decides) or `all` (会签: everybody must agree).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub mode: Option<Text>,
    /// Only under this condition.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// What people read.
    #[serde(default)]
    pub title: String,
}

/// When nobody decides in time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timeout {
    /// How long.
    #[schemars(with = "String")]
    pub within: Text,
    /// `remind`, `approve`, `reject` or `escalate` (to the approver's superior).
    #[schemars(with = "String")]
    pub then: Text,
}

/// A table of authority.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// The form whose fields it reads.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub form: Option<Text>,
    /// What people read.
    pub title: String,
    /// The rows; exactly one must hold for any case.
    #[schemars(with = "Vec<Row>")]
    pub row: Vec<Spanned<Row>>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// A row of a table of authority.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The condition; without one it is the row for everything else.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// The approvers, one stage after the other.
    #[schemars(with = "Vec<String>")]
    pub by: Vec<Text>,
}

/// A deadline.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// The form.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub form: Option<Text>,
    /// What people read: 七天结案.
    pub title: String,
    /// The time it runs from: `case.opened_at`, a field, `entered('step')`, `done('action')`. When that time changes,
    /// the deadline moves.
    #[schemars(with = "String")]
    pub from: Text,
    /// How long: `10min`, `24h`, `7d`, `5wd`, `8wh`, `3mo`, `eom`, `next-workday 10:00`; `{NAME}` stands for a setting.
    #[schemars(with = "String")]
    pub within: Text,
    /// The time at which it is met; when that is known and not later than due, it was met in time.
    #[schemars(with = "String")]
    pub until: Text,
    /// Only for cases that fulfil this condition.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// While this holds the clock stands still.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub pause: Option<Text>,
    /// Warnings before it is due: `-2d`, `-1wd`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub warn: Vec<Text>,
    /// Who is told by warnings, beside whoever has to act.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub tell: Option<Text>,
    /// What happens when it passes.
    #[serde(default)]
    #[schemars(with = "Option<Breach>")]
    pub breach: Option<Spanned<Breach>>,
    /// Who is told, the longer it is overdue.
    #[serde(default)]
    #[schemars(with = "Vec<Escalate>")]
    pub escalate: Vec<Spanned<Escalate>>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// What a breach does.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breach {
    /// A mark on the case: `overdue`.
    pub mark: String,
    /// What the mark is called.
    pub title: String,
    /// Who is told.
    #[schemars(with = "Option<String>")]
    pub notify: Option<Text>,
}

/// A rung of the ladder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalate {
    /// How long after it was due.
    #[schemars(with = "String")]
    pub after: Text,
    /// Who is told.
    #[schemars(with = "String")]
    pub notify: Text,
}

/// A recurring obligation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// `company`, `unit`, `person` or `customer`.
    #[schemars(with = "String")]
    pub per: Text,
    /// Which units, people or customers: a condition over `event`, whose facts are those of the record.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub of: Option<Text>,
    /// `day`, `workday`, `week`, `month`, `quarter`, `half-year` or `year`; `{NAME}` stands for a setting.
    #[schemars(with = "String")]
    pub every: Text,
    /// When it is due, from the end of the period: `0d` (the end), `10d` (by the 10th day after it), `5wd`.
    #[schemars(with = "String")]
    pub due: Text,
    /// Who has to do it.
    #[schemars(with = "String")]
    pub by: Text,
    /// What proves it: `form:ID` (a case of that form, closed) or the name of an event.
    #[schemars(with = "String")]
    pub evidence: Text,
    /// The day or time in the form that tells which period a case counts for; without it, or where it is empty, the case
    /// counts for the time at which it ended.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub evidence_on: Option<Text>,
    /// How often in a period: a number, or `{NAME}` for a setting.
    #[serde(default)]
    #[schemars(with = "Option<Times>")]
    pub times: Option<Spanned<Times>>,
    /// The share that must be reached, 0 to 1.
    #[serde(default)]
    pub target: Option<f64>,
    /// Reminders before it is due.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub warn: Vec<Text>,
    /// Who is told when it is missing.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub notify: Option<Text>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// How often.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Times {
    /// This often.
    Number(u32),
    /// As often as a setting says: `{NAME}`.
    Setting(String),
}

/// What is refused.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// On what: `FORM.ACTION` or `FORM.open`. What the application or a deadline tells has happened already.
    #[schemars(with = "String")]
    pub on: Text,
    /// When.
    #[schemars(with = "String")]
    pub when: Text,
    /// What whoever is refused reads: what is wrong and what to do.
    pub message: String,
    /// Who may exempt from it; without it nobody may.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub exempt_by: Option<Text>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// A penalty.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// What it is for: `deadline:ID` (a breach), `FORM.ACTION`, or an event.
    #[schemars(with = "String")]
    pub on: Text,
    /// Under which condition.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// Whom it hits.
    #[schemars(with = "String")]
    pub whom: Text,
    /// The amount for one, as an expression of money or points.
    #[schemars(with = "String")]
    pub amount: Text,
    /// How many there are: lines, cars, days. One when left out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub count: Option<Text>,
    /// `money` or `points`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub measure: Option<Text>,
    /// Doubling: from the n-th of a person in a calendar month on, times a factor.
    #[serde(default)]
    #[schemars(with = "Option<Multiply>")]
    pub multiply: Option<Spanned<Multiply>>,
    /// Again for each of these lengths of time in which it is not put right.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub repeat: Option<Text>,
    /// Until when it repeats: a condition over the case.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Text>,
    /// The penalty it takes the place of (not in addition to).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub replaces: Option<Text>,
    /// Who confirms it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub confirm_by: Option<Text>,
    /// How long it may be appealed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub appeal: Option<Text>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// Doubling.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Multiply {
    /// From which on.
    pub from: u32,
    /// By what.
    pub by: f64,
    /// Which penalties are counted together; the penalty alone when left out.
    #[serde(default)]
    pub together: Vec<String>,
}

/// How long records are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The form.
    #[schemars(with = "String")]
    pub form: Text,
    /// How long after it was closed.
    #[schemars(with = "String")]
    pub keep: Text,
    /// What happens then: `destroy` or `review`.
    #[schemars(with = "String")]
    pub then: Text,
    /// Who approves it.
    #[schemars(with = "String")]
    pub by: Text,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// Who may do what with the cases of a form.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The form.
    #[schemars(with = "String")]
    pub form: Text,
    /// `view`, `print` or `export`.
    #[schemars(with = "Vec<String>")]
    pub verbs: Vec<Text>,
    /// Who.
    #[schemars(with = "String")]
    pub by: Text,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// A figure.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read: 零修及时率.
    pub title: String,
    /// The form whose cases are counted.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub form: Option<Text>,
    /// `rate` (of / over), `count`, `sum` or `mean`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub kind: Option<Text>,
    /// The cases that count at all (the denominator).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub over: Option<Text>,
    /// Those of them that are good (the numerator).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub of: Option<Text>,
    /// What is summed or averaged.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub value: Option<Text>,
    /// The time that puts a case into a period; `case.opened_at` when left out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub at: Option<Text>,
    /// The fields it is broken down by.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub by: Vec<Text>,
    /// The goal.
    #[serde(default)]
    pub goal: Option<f64>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// A report.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// `month`, `quarter` or `year`.
    #[schemars(with = "String")]
    pub every: Text,
    /// The figures in it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub metrics: Vec<Text>,
    /// A list of cases: the form, its columns and which.
    #[serde(default)]
    #[schemars(with = "Option<Register>")]
    pub register: Option<Spanned<Register>>,
    /// What it is broken down by: `unit`, `owner` or a field.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub by: Vec<Text>,
    /// Who makes it.
    #[schemars(with = "String")]
    pub made_by: Text,
    /// Who reviews it, one after the other.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub reviewed_by: Vec<Text>,
    /// When it is due after the end of the period.
    #[schemars(with = "String")]
    pub due: Text,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}

/// A list of cases in a report.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The form.
    #[schemars(with = "String")]
    pub form: Text,
    /// Which cases.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// The time that puts a case into the period.
    #[schemars(with = "String")]
    pub at: Text,
    /// The columns: fields or `number`.
    #[schemars(with = "Vec<String>")]
    pub columns: Vec<Text>,
    /// The columns with a total.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub totals: Vec<Text>,
}

/// A text sent to people.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// On what: `FORM.ACTION`, `FORM.STEP` entered as `enter:STEP`, or `deadline:ID`.
    #[schemars(with = "String")]
    pub on: Text,
    /// Under which condition.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Text>,
    /// Who gets it.
    #[schemars(with = "String")]
    pub to: Text,
    /// The text, with `{case.field}`.
    #[schemars(with = "String")]
    pub text: Text,
    /// The clause.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub clause: Option<Text>,
}

/// A standard of conduct: published, acknowledged by those it binds, looked at in inspections.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Its name.
    #[schemars(with = "String")]
    pub id: Text,
    /// What people read.
    pub title: String,
    /// What is asked of them.
    pub text: String,
    /// The roles it binds; everybody when left out.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub roles: Vec<Text>,
    /// The questions of inspections and quality checks.
    #[serde(default)]
    pub checks: Vec<String>,
    /// The clause.
    #[schemars(with = "String")]
    pub clause: Text,
}
