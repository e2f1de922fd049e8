//! A checked policy: every name resolved, every expression typed, every length of time read. Made by `check` only.

use std::sync::Arc;

use workday::{Before, Within};

use crate::expr::Expr;
use crate::value::{Kind, Ty, Value};

/// A regulation in one version, with the company's settings put in.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its short name.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The head as written.
    pub head: crate::source::Head,
    /// Its clauses, in order.
    pub clauses: Vec<Clause>,
    /// What it leaves open, with the values in force.
    pub settings: Vec<Setting>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its forms.
    pub forms: Vec<Arc<Form>>,
    /// Tables of authority.
    pub authorities: Vec<Authority>,
    /// What events open.
    pub triggers: Vec<Trigger>,
    /// Recurring obligations.
    pub duties: Vec<Duty>,
    /// What is refused.
    pub refusals: Vec<Refusal>,
    /// Penalties.
    pub penalties: Vec<Penalty>,
    /// How long records are kept.
    pub retentions: Vec<Retention>,
    /// Who may view, print, export.
    pub access: Vec<Access>,
    /// Figures.
    pub metrics: Vec<Metric>,
    /// Reports.
    pub reports: Vec<Report>,
    /// Notices.
    pub notices: Vec<Notice>,
    /// Standards of conduct.
    pub standards: Vec<Standard>,
}

impl Policy {
    /// A form by its name.
    pub fn form(&self, id: &str) -> Option<&Arc<Form>> {
        self.forms.iter().find(|form| form.id == id)
    }

    /// A clause by its number.
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// Everything that cites a clause, as (part, title): what the regulation makes of it.
    pub fn citing<'a>(&'a self, clause: &'a str) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        let mut cite = |what: &'static str, title: &str, cited: Option<&str>| {
            if cited.is_some_and(|cited| cited.split([',', '，', '、']).any(|one| one.trim() == clause)) {
                all.push((what, title.to_owned()));
            }
        };
        for form in &self.forms {
            cite("表单", &form.title, form.clause.as_deref());
            for field in &form.fields {
                cite("字段", &format!("{} · {}", form.title, field.title), field.clause.as_deref());
            }
            for copy in &form.copies {
                cite("联次", &copy.title, copy.clause.as_deref());
            }
            for step in &form.steps {
                cite("步骤", &format!("{} · {}", form.title, step.title), Some(&step.clause));
                for action in &step.actions {
                    cite("动作", &format!("{} · {}", step.title, action.title), action.clause.as_deref());
                    for require in &action.require {
                        cite("必填", &action.title, require.clause.as_deref());
                    }
                }
            }
            for deadline in &form.deadlines {
                cite("时限", &deadline.title, Some(&deadline.clause));
            }
        }
        self.settings.iter().for_each(|s| cite("参数", &s.title, s.clause.as_deref()));
        self.authorities.iter().for_each(|a| cite("核决表", &a.title, Some(&a.clause)));
        self.triggers.iter().for_each(|t| cite("触发", &t.on, Some(&t.clause)));
        self.duties.iter().for_each(|d| cite("周期职责", &d.title, Some(&d.clause)));
        self.refusals.iter().for_each(|r| cite("禁止", &r.message, Some(&r.clause)));
        self.penalties.iter().for_each(|p| cite("罚则", &p.title, Some(&p.clause)));
        self.retentions.iter().for_each(|r| cite("保管", &r.form, Some(&r.clause)));
        self.access.iter().for_each(|a| cite("查阅", &a.form, Some(&a.clause)));
        self.metrics.iter().for_each(|m| cite("指标", &m.title, Some(&m.clause)));
        self.reports.iter().for_each(|r| cite("报表", &r.title, Some(&r.clause)));
        self.notices.iter().for_each(|n| cite("通知", &n.id, n.clause.as_deref()));
        self.standards.iter().for_each(|s| cite("规范", &s.title, Some(&s.clause)));
        all
    }
}

/// A clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Its number.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Whom it binds.
    pub binds: String,
}

/// What the regulation leaves open.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Its type; `within` settings are text.
    pub ty: Ty,
    /// Whether it is a length of time.
    pub is_within: bool,
    /// The value in force.
    pub value: Value,
    /// The value the policy comes with.
    pub default: Option<Value>,
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// A hint.
    pub hint: String,
    /// The clause.
    pub clause: Option<String>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// The posts that fill it: the company's, or else the regulation's.
    pub posts: Vec<String>,
    /// The posts the regulation names.
    pub default: Vec<String>,
    /// The unit it is looked for in.
    pub at: Option<String>,
}

impl Role {
    /// Posts the company may name for a role.
    pub const MOST_POSTS: usize = 30;

    /// Under which name the company's values hold the posts that fill a role here.
    pub fn setting(id: &str) -> String {
        format!("role.{id}")
    }
}

/// How a field is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word of the format")]
pub enum FieldKind {
    Text,
    Long,
    Number,
    Int,
    Money,
    Bool,
    Date,
    Time,
    Choice,
    Choices,
    Person,
    People,
    Unit,
    Customer,
    Contact,
    Asset,
    Case,
    File,
    Files,
    Signature,
    Rating,
    Checklist,
    Lines,
}

impl FieldKind {
    /// The word of the format.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    /// All words.
    pub const ALL: &[(&str, Self)] = &[
        ("text", Self::Text),
        ("long", Self::Long),
        ("number", Self::Number),
        ("int", Self::Int),
        ("money", Self::Money),
        ("bool", Self::Bool),
        ("date", Self::Date),
        ("time", Self::Time),
        ("choice", Self::Choice),
        ("choices", Self::Choices),
        ("person", Self::Person),
        ("people", Self::People),
        ("unit", Self::Unit),
        ("customer", Self::Customer),
        ("contact", Self::Contact),
        ("asset", Self::Asset),
        ("case", Self::Case),
        ("file", Self::File),
        ("files", Self::Files),
        ("signature", Self::Signature),
        ("rating", Self::Rating),
        ("checklist", Self::Checklist),
        ("lines", Self::Lines),
    ];

    /// The word of the format.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("text", |(word, _)| word)
    }

    /// The record it points at.
    pub fn reference(self) -> Option<Kind> {
        Some(match self {
            Self::Person | Self::People => Kind::Person,
            Self::Unit => Kind::Unit,
            Self::Customer => Kind::Customer,
            Self::Contact => Kind::Contact,
            Self::Asset => Kind::Asset,
            Self::Case => Kind::Case,
            Self::File | Self::Files | Self::Signature => Kind::File,
            _ => return None,
        })
    }
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// How it is filled.
    pub kind: FieldKind,
    /// The type of its value.
    pub ty: Ty,
    /// The choices.
    pub options: Vec<String>,
    /// The columns of lines.
    pub columns: Vec<Field>,
    /// The form a case points at.
    pub form: Option<String>,
    /// How it is computed.
    pub value: Option<Expr>,
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// A hint.
    pub help: String,
    /// Who is proposed for a person.
    pub among: Option<Expr>,
    /// What makes one better than another, the most important first.
    pub ranks: Vec<Rank>,
    /// Whether a customer nobody shows the person can be named by its whole name.
    pub by_name: bool,
    /// Who may see it.
    pub seen_by: Option<Expr>,
    /// The copies without it.
    pub not_on: Vec<String>,
    /// The clause.
    pub clause: Option<String>,
}

/// A criterion by which people are ranked.
#[derive(Clone, Debug)]
pub struct Rank {
    /// What people read.
    pub title: String,
    /// The value of `one`.
    pub by: Expr,
    /// The greatest first.
    pub most_first: bool,
}

/// A printed copy.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Its name.
    pub id: String,
    /// What is printed on it.
    pub title: String,
    /// The stations.
    pub to: Vec<String>,
    /// The clause.
    pub clause: Option<String>,
}

/// Text with values in it.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Text and expressions in turn.
    pub parts: Vec<Piece>,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// A value.
    Value(Expr),
}

/// A form.
#[derive(Clone, Debug)]
pub struct Form {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// How cases are numbered.
    pub number: String,
    /// Who may open one.
    pub by: Expr,
    /// The field with the customer.
    pub customer: Option<usize>,
    /// The field with the unit.
    pub unit: Option<usize>,
    /// Who answers for it.
    pub owner: Option<Expr>,
    /// Who else reads its cases.
    pub readers: Option<Expr>,
    /// Who may never take part.
    pub excluded: Option<Expr>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Filled at the opening.
    pub fill: Vec<usize>,
    /// Offered at the opening.
    pub offer: Vec<usize>,
    /// Set at the opening.
    pub set: Vec<(usize, Expr)>,
    /// Fields by which the policy asks for other cases: they are kept where they are found quickly.
    pub compared: Vec<usize>,
    /// The columns of its list.
    pub list: Vec<usize>,
    /// The printed copies.
    pub copies: Vec<Copy>,
    /// The title of a case.
    pub subject: Template,
    /// The clause.
    pub clause: Option<String>,
    /// The steps; the first is where a case begins.
    pub steps: Vec<Step>,
    /// The deadlines.
    pub deadlines: Vec<Deadline>,
}

impl Form {
    /// Whether a field's values are kept where other cases find them: those the policy asks for, and whatever is short
    /// and of a kind it may ask for in its next version.
    pub fn is_kept(&self, place: usize) -> bool {
        let is_short = |ty: &Ty| matches!(ty, Ty::Choice(_) | Ty::Ref(_) | Ty::Bool | Ty::Date);
        self.compared.contains(&place) || self.fields.get(place).is_some_and(|field| is_short(&field.ty))
    }

    /// The place of a field.
    pub fn field(&self, id: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.id == id)
    }

    /// A step by its name.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// A deadline by its name.
    pub fn deadline(&self, id: &str) -> Option<&Deadline> {
        self.deadlines.iter().find(|deadline| deadline.id == id)
    }
}

/// What kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Somebody acts.
    Task,
    /// It is approved.
    Approval,
    /// It waits for an event.
    Wait,
    /// The case ends.
    End,
}

/// A way on.
#[derive(Clone, Debug)]
pub struct Way {
    /// The step, by its place.
    pub to: usize,
    /// When.
    pub when: Option<Expr>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// What kind.
    pub kind: StepKind,
    /// Who acts.
    pub by: Option<Expr>,
    /// What it asks.
    pub help: String,
    /// The buttons; for an approval, one named `approved` with what a yes sets and leads to.
    pub actions: Vec<Action>,
    /// How it is approved.
    pub approve: Option<Approve>,
    /// Events that move the case on.
    pub on: Vec<On>,
    /// How a case ends here.
    pub outcome: String,
    /// Whether those who act here may read the case's customer meanwhile.
    pub opens_customer: bool,
    /// Who gets a copy.
    pub copy_to: Option<Expr>,
    /// The clause.
    pub clause: String,
}

/// Fields wanted under a condition.
#[derive(Clone, Debug)]
pub struct Require {
    /// The condition.
    pub when: Expr,
    /// The fields.
    pub fill: Vec<usize>,
    /// The clause.
    pub clause: Option<String>,
}

/// A button.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// Who may.
    pub by: Option<Expr>,
    /// When it is there.
    pub when: Option<Expr>,
    /// Must be filled.
    pub fill: Vec<usize>,
    /// May be filled.
    pub offer: Vec<usize>,
    /// Must be filled under a condition.
    pub require: Vec<Require>,
    /// Values set.
    pub set: Vec<(usize, Expr)>,
    /// Where it leads.
    pub next: Vec<Way>,
    /// Cases opened.
    pub open: Vec<Open>,
    /// Events given out.
    pub emit: Vec<String>,
    /// What it asks first.
    pub confirm: String,
    /// The clause.
    pub clause: Option<String>,
}

/// A case opened by another.
#[derive(Clone, Debug)]
pub struct Open {
    /// The form.
    pub form: String,
    /// One for each item of this list.
    pub each: Option<Expr>,
    /// Its first values.
    pub set: Vec<(String, Expr)>,
    /// When.
    pub when: Option<Expr>,
}

/// An event that moves a case on.
#[derive(Clone, Debug)]
pub struct On {
    /// The event.
    pub event: String,
    /// When.
    pub when: Option<Expr>,
    /// Values set.
    pub set: Vec<(usize, Expr)>,
    /// Where it leads.
    pub next: Vec<Way>,
}

/// Nobody was found to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// It stands still and says so.
    Refuse,
    /// The stage counts as agreed.
    Skip,
    /// The administrators decide.
    Escalate,
}

/// The requester is among the approvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// His superior decides instead.
    Superior,
    /// He is left out.
    Skip,
    /// He may.
    Allow,
}

/// What happens when nobody decides in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutThen {
    /// They are reminded.
    Remind,
    /// It counts as agreed.
    Approve,
    /// It counts as refused.
    Reject,
    /// The superiors of the approvers decide as well.
    Escalate,
}

/// How a step is approved.
#[derive(Clone, Debug)]
pub struct Approve {
    /// The stages.
    pub stages: Vec<Stage>,
    /// The table of authority instead.
    pub authority: Option<String>,
    /// Where a no leads; none ends the case.
    pub reject: Option<usize>,
    /// Where it may be returned to.
    pub back: Vec<usize>,
    /// Nobody found.
    pub empty: Empty,
    /// Whether somebody who has agreed already is not asked again.
    pub skips_same: bool,
    /// The requester as approver.
    pub requester: Requester,
    /// Whether approvers may be added.
    pub may_add: bool,
    /// Whether it may be reassigned.
    pub may_reassign: bool,
    /// Whether the requester may withdraw it.
    pub may_withdraw: bool,
    /// When nobody decides in time.
    pub timeout: Option<(Within, TimeoutThen)>,
}

/// A stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Who.
    pub by: Expr,
    /// Whether everybody must agree.
    pub is_joint: bool,
    /// When.
    pub when: Option<Expr>,
    /// What people read.
    pub title: String,
}

/// A table of authority.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its name.
    pub id: String,
    /// The form.
    pub form: String,
    /// What people read.
    pub title: String,
    /// Condition and approvers, one stage after the other.
    pub rows: Vec<(Option<Expr>, Vec<Expr>)>,
    /// The clause.
    pub clause: String,
}

/// A deadline.
#[derive(Clone, Debug)]
pub struct Deadline {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// What it runs from.
    pub from: Expr,
    /// How long.
    pub within: Within,
    /// What meets it.
    pub until: Expr,
    /// For which cases.
    pub when: Option<Expr>,
    /// When it stands still.
    pub pause: Option<Expr>,
    /// Warnings before, the earliest first.
    pub warn: Vec<Before>,
    /// Who is told by them.
    pub tell: Option<Expr>,
    /// The mark of a breach and what it is called.
    pub mark: Option<(String, String)>,
    /// Who is told of a breach.
    pub notify: Option<Expr>,
    /// The ladder.
    pub escalate: Vec<(Within, Expr)>,
    /// The clause.
    pub clause: String,
}

/// A case opened by an event.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The event.
    pub on: String,
    /// When.
    pub when: Option<Expr>,
    /// The form.
    pub form: String,
    /// Its first values.
    pub set: Vec<(usize, Expr)>,
    /// The clause.
    pub clause: String,
}

/// Who owes a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The company once.
    Company,
    /// Every unit.
    Unit,
    /// Every person.
    Person,
    /// Every customer.
    Customer,
}

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word of the format")]
pub enum Every {
    Day,
    Workday,
    Week,
    Month,
    Quarter,
    HalfYear,
    Year,
}

impl Every {
    /// The words of the format.
    pub const ALL: &[(&str, Self)] = &[
        ("day", Self::Day),
        ("workday", Self::Workday),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("half-year", Self::HalfYear),
        ("year", Self::Year),
    ];
}

/// What proves a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A closed case of this form.
    Form(String),
    /// An event.
    Event(String),
}

/// A recurring obligation.
#[derive(Clone, Debug)]
pub struct Duty {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Who owes it.
    pub per: Per,
    /// Which of them.
    pub of: Option<Expr>,
    /// How often.
    pub every: Every,
    /// When after the end of the period.
    pub due: Within,
    /// Who does it.
    pub by: Expr,
    /// What proves it.
    pub evidence: Evidence,
    /// The field of the form that tells which period a case counts for.
    pub evidence_on: Option<String>,
    /// How often in a period.
    pub times: u32,
    /// The share to reach.
    pub target: Option<f64>,
    /// Reminders.
    pub warn: Vec<Before>,
    /// Who is told when it is missing.
    pub notify: Option<Expr>,
    /// The clause.
    pub clause: String,
}

/// What is refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its name.
    pub id: String,
    /// On what.
    pub on: String,
    /// When.
    pub when: Expr,
    /// What whoever is refused reads.
    pub message: String,
    /// Who may exempt from it.
    pub exempt_by: Option<Expr>,
    /// The clause.
    pub clause: String,
}

/// What a penalty is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Cents.
    Money,
    /// Points.
    Points,
}

/// A penalty.
#[derive(Clone, Debug)]
pub struct Penalty {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub on: String,
    /// The form whose cases it is about; none for events.
    pub form: Option<String>,
    /// When.
    pub when: Option<Expr>,
    /// Whom.
    pub whom: Expr,
    /// For one.
    pub amount: Expr,
    /// How many.
    pub count: Option<Expr>,
    /// Money or points.
    pub measure: Measure,
    /// From which in a month on, by what, counted together with which.
    pub multiply: Option<(u32, f64, Vec<String>)>,
    /// How often it comes again.
    pub repeat: Option<Within>,
    /// Until when.
    pub until: Option<Expr>,
    /// What it takes the place of.
    pub replaces: Option<String>,
    /// Who confirms it.
    pub confirm_by: Option<Expr>,
    /// How long it may be appealed.
    pub appeal: Option<Within>,
    /// The clause.
    pub clause: String,
}

/// How long records are kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The form.
    pub form: String,
    /// How long.
    pub keep: Within,
    /// Whether they are destroyed then; else reviewed.
    pub destroys: bool,
    /// Who approves it.
    pub by: Expr,
    /// The clause.
    pub clause: String,
}

/// Who may view, print or export.
#[derive(Clone, Debug)]
pub struct Access {
    /// The form.
    pub form: String,
    /// `view`, `print`, `export`.
    pub verbs: Vec<String>,
    /// Who.
    pub by: Expr,
    /// The clause.
    pub clause: String,
}

/// How a figure is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Good ones of all.
    Rate,
    /// How many.
    Count,
    /// A sum.
    Sum,
    /// A mean.
    Mean,
}

/// A figure.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// The form.
    pub form: String,
    /// How it is made.
    pub kind: MetricKind,
    /// Which cases count.
    pub over: Option<Expr>,
    /// Which of them are good.
    pub of: Option<Expr>,
    /// What is summed.
    pub value: Option<Expr>,
    /// The time that puts a case into a period.
    pub at: Expr,
    /// Broken down by these fields.
    pub by: Vec<usize>,
    /// The goal.
    pub goal: Option<f64>,
    /// The clause.
    pub clause: String,
}

/// A report.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// How often.
    pub every: Every,
    /// Its figures.
    pub metrics: Vec<String>,
    /// Its list of cases.
    pub register: Option<Register>,
    /// Broken down by.
    pub by: Vec<String>,
    /// Who makes it.
    pub made_by: Expr,
    /// Who reviews it.
    pub reviewed_by: Vec<Expr>,
    /// When after the end of the period.
    pub due: Within,
    /// The clause.
    pub clause: String,
}

/// A list of cases in a report.
#[derive(Clone, Debug)]
pub struct Register {
    /// The form.
    pub form: String,
    /// Which.
    pub when: Option<Expr>,
    /// The time that puts a case into the period.
    pub at: Expr,
    /// Columns: fields, or none for the number.
    pub columns: Vec<Option<usize>>,
    /// Columns with a total.
    pub totals: Vec<usize>,
}

/// A notice.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its name.
    pub id: String,
    /// On what.
    pub on: String,
    /// The form.
    pub form: String,
    /// When.
    pub when: Option<Expr>,
    /// Who.
    pub to: Expr,
    /// The text.
    pub text: Template,
    /// The clause.
    pub clause: Option<String>,
}

/// A standard of conduct.
#[derive(Clone, Debug)]
pub struct Standard {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// What is asked.
    pub text: String,
    /// Whom it binds.
    pub roles: Vec<String>,
    /// The questions of inspections.
    pub checks: Vec<String>,
    /// The clause.
    pub clause: String,
}
