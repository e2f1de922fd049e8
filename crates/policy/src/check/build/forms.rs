//! Forms with their fields, steps and deadlines.

use std::sync::Arc;

use toml::Spanned;
use workday::{Until, Within};

use super::super::MOST_PARTS;
use super::super::read::{Part, Unknown};
use super::{Builder, Shape, cut, of_form};
use crate::expr::{CASE_FACTS, FormNames, Wanted, hint};
use crate::model::{
    Action, Approve, Copy, Deadline, Empty, Field, FieldKind, Form, On, Open, Rank, Requester, Require,
    Stage, Step, StepKind, TimeoutThen, Way,
};
use crate::source::{self, Next, Text};
use crate::value::{Kind, Ty};

/// The action of a step that has no other.
const SUBMIT: &str = "submit";
/// What an agreed approval does.
const APPROVED: &str = "approved";

impl Builder<'_, '_> {
    pub(super) fn forms(&mut self) -> Vec<Form> {
        let parts = &self.parts.form;
        self.ids(parts, "表单", |form| &form.id);
        let mut fields = Vec::new();
        for part in parts {
            let built = self.fields(part, &part.get().field);
            self.shape(part, &built);
            fields.push(built);
        }
        self.homes();
        // Computed fields and readers name other fields, so that all types must be known before.
        parts.iter().zip(fields).map(|(part, fields)| self.form(part, fields)).collect()
    }

    /// Every step and deadline belongs to a form; one that named none would silently be left out.
    fn homes(&mut self) {
        let (steps, deadlines) = (&self.parts.step, &self.parts.deadline);
        for part in steps {
            let step = part.get();
            if self.form_of(part, step.form.as_ref()).is_none() {
                self.problems.lose(step.id.get_ref());
                step.action.iter().for_each(|action| self.problems.lose(action.get_ref().id.get_ref()));
            }
        }
        for part in deadlines {
            if self.form_of(part, part.get().form.as_ref()).is_none() {
                self.problems.lose(part.get().id.get_ref());
            }
        }
        // `deadline:ID` names no form.
        self.ids(deadlines, "时限", |deadline| &deadline.id);
    }

    /// What expressions may name: made before any expression is read.
    fn shape(&mut self, part: &Part<source::Form>, fields: &[Field]) {
        let id = part.get().id.get_ref();
        let only = self.parts.form.len() == 1;
        let steps = of_form(&self.parts.step, id, only, |step| step.form.as_ref());
        let steps = steps
            .iter()
            .map(|step| {
                let step = step.get();
                let mut actions: Vec<String> =
                    step.action.iter().map(|action| action.get_ref().id.get_ref().clone()).collect();
                if actions.is_empty() {
                    let done = if step.approve.is_some() { APPROVED } else { SUBMIT };
                    actions.push(format!("{}.{done}", step.id.get_ref()));
                }
                (step.id.get_ref().clone(), actions)
            })
            .collect();
        let fields: Vec<(String, Ty)> =
            fields.iter().map(|field| (field.id.clone(), field.ty.clone())).collect();
        self.forms.push(FormNames::new(id, &part.get().title, &fields));
        self.shapes.insert(id.clone(), Arc::new(Shape { fields, steps }));
    }

    fn fields<T>(&mut self, part: &Part<T>, fields: &[Spanned<source::Field>]) -> Vec<Field> {
        if fields.len() > MOST_PARTS {
            self.problems.add(&part.place(), format!("字段太多，最多 {MOST_PARTS} 个"));
            return Vec::new();
        }
        let mut all: Vec<Field> = Vec::new();
        for spanned in fields {
            let field = spanned.get_ref();
            let place = part.within(spanned);
            let id = field.id.get_ref();
            if !self.id(&place, id) || id.contains('-') {
                if id.contains('-') {
                    self.problems.add(&place, format!("字段代号“{}”不能含 -，请用 _", cut(id)));
                }
                self.problems.lose(id);
                continue;
            }
            if CASE_FACTS.contains(&id.as_str()) {
                self.problems.add(&place, format!("“{id}”是单据自有的名称，字段请换一个代号"));
                self.problems.lose(id);
                continue;
            }
            if all.iter().any(|known| known.id == *id) {
                self.problems.add(&place, format!("字段“{id}”写了两次"));
                continue;
            }
            let Some(kind) = self.word(&part.at(&field.kind), field.kind.get_ref(), FieldKind::ALL) else {
                self.problems.lose(id);
                continue;
            };
            let columns = self.fields(part, &field.column);
            for column in &field.column {
                if column.get_ref().seen_by.is_some() {
                    self.problems.add(&part.within(column), "明细的列不能写 seen_by");
                }
                if column.get_ref().by_name {
                    self.problems.add(&part.within(column), "明细的列不能写 by_name");
                }
                if column.get_ref().among.is_some() || !column.get_ref().rank.is_empty() {
                    self.problems.add(&part.within(column), "明细的列不能写 among 和 rank");
                }
            }
            if field.by_name && kind != FieldKind::Customer {
                self.problems.add(&place, "by_name 用于客户字段");
            }
            let Some(ty) = self.field_type(part, spanned, kind, &columns) else {
                self.problems.lose(id);
                continue;
            };
            let form = field.form.as_ref().and_then(|form| self.form_named(&part.at(form), form.get_ref()));
            all.push(Field {
                id: id.clone(),
                title: field.title.clone(),
                kind,
                ty,
                options: field.options.clone(),
                columns,
                form,
                value: None,
                among: None,
                ranks: Vec::new(),
                min: field.min,
                max: field.max,
                help: field.help.clone(),
                by_name: field.by_name,
                seen_by: None,
                not_on: field.not_on.clone(),
                clause: field.clause.as_ref().map(|clause| self.clause_at(&part.at(clause), clause)),
            });
        }
        all
    }

    fn field_type<T>(
        &mut self,
        part: &Part<T>,
        field: &Spanned<source::Field>,
        kind: FieldKind,
        columns: &[Field],
    ) -> Option<Ty> {
        let place = part.within(field);
        let field = field.get_ref();
        let chooses = matches!(kind, FieldKind::Choice | FieldKind::Choices | FieldKind::Checklist);
        let twice = (1..field.options.len()).find(|n| field.options[..*n].contains(&field.options[*n]));
        if let Some(n) = twice {
            let text = format!("“{}”的选项“{}”写了两次", field.title, cut(&field.options[n]));
            self.problems.add(&place, text);
        }
        if chooses && field.options.is_empty() {
            self.problems.add(&place, format!("“{}”要写出选项 options = [\"…\"]", field.title));
            return None;
        }
        if (kind == FieldKind::Lines) == columns.is_empty() {
            self.problems.add(
                &place,
                if columns.is_empty() {
                    "lines 要写出列 [[form.field.column]]"
                } else {
                    "只有 lines 才有列"
                },
            );
            return None;
        }
        let options = || Ty::Choice(field.options.clone().into());
        Some(match kind {
            FieldKind::Text | FieldKind::Long => Ty::Text,
            FieldKind::Number => Ty::Number,
            FieldKind::Int | FieldKind::Rating => Ty::Int,
            FieldKind::Money => Ty::Money,
            FieldKind::Bool => Ty::Bool,
            FieldKind::Date => Ty::Date,
            FieldKind::Time => Ty::Time,
            FieldKind::Choice => options(),
            FieldKind::Choices | FieldKind::Checklist => Ty::list(options()),
            FieldKind::Person => Ty::Ref(Kind::Person),
            FieldKind::People => Ty::people(),
            FieldKind::Unit => Ty::Ref(Kind::Unit),
            FieldKind::Customer => Ty::Ref(Kind::Customer),
            FieldKind::Contact => Ty::Ref(Kind::Contact),
            FieldKind::Asset => Ty::Ref(Kind::Asset),
            FieldKind::Case => Ty::Ref(Kind::Case),
            FieldKind::File | FieldKind::Signature => Ty::Ref(Kind::File),
            FieldKind::Files => Ty::list(Ty::Ref(Kind::File)),
            FieldKind::Lines => {
                let columns: Vec<(String, Ty)> =
                    columns.iter().map(|column| (column.id.clone(), column.ty.clone())).collect();
                Ty::list(Ty::Row(columns.into()))
            }
        })
    }

    fn form(&mut self, part: &Part<source::Form>, mut fields: Vec<Field>) -> Form {
        let form = part.get();
        let id = form.id.get_ref().clone();
        for spanned in &form.field {
            let written = spanned.get_ref();
            let Some(place) = fields.iter().position(|field| field.id == *written.id.get_ref()) else {
                continue;
            };
            if let Some(text) = &written.value {
                let wanted = Wanted::Value(fields[place].ty.clone());
                let value = self.expr(part, text, Some(&id), &wanted);
                if value.as_ref().is_some_and(|value| value.fields().iter().any(|read| *read >= place)) {
                    self.problems.add(&part.at(text), "算出来的字段只能用排在它前面的字段");
                }
                fields[place].value = value;
            }
            self.ranked(part, &id, spanned, &mut fields[place]);
            fields[place].seen_by = self.who_maybe(part, written.seen_by.as_ref(), Some(&id));
            self.computed_columns(part, &id, written, &mut fields[place]);
        }
        let customer = self.reference(part, &id, form.customer.as_ref(), &fields, Kind::Customer);
        let unit = self.reference(part, &id, form.unit.as_ref(), &fields, Kind::Unit);
        let copies = self.copies(part, &form.copy);
        for field in &form.field {
            for copy in &field.get_ref().not_on {
                if !copies.iter().any(|known| known.id == *copy) {
                    let unknown = Unknown::new("联次", copy);
                    self.problems.unknown(&part.within(field), unknown, format!("没有联次“{}”", cut(copy)));
                }
            }
        }
        let nobody = || self_people();
        let steps = self.steps(&id);
        if let Some(step) =
            steps.iter().find(|step| step.opens_customer && customer.is_none() && step.kind == StepKind::Task)
        {
            let text = format!("步骤“{}”写了 opens_customer，表单要写 customer", step.title);
            self.problems.add(&part.place(), text);
        }
        if steps.is_empty() && !self.problems.is_partial() {
            self.problems.add(&part.place(), format!("表单“{}”没有步骤 [[step]]", form.title));
        }
        Form {
            title: form.title.clone(),
            number: self.numbering(part, &form.number),
            by: self.who(part, &form.by, Some(&id)).unwrap_or_else(nobody),
            customer,
            unit,
            owner: self.who_maybe(part, form.owner.as_ref(), Some(&id)),
            readers: self.who_maybe(part, form.readers.as_ref(), Some(&id)),
            excluded: self.who_maybe(part, form.excluded.as_ref(), Some(&id)),
            fill: self.fields_of(part, &id, &form.fill),
            offer: self.fields_of(part, &id, &form.offer),
            set: self.set(part, &form.set, &id, Some(&id), None),
            list: self.fields_of(part, &id, &form.list),
            compared: Vec::new(),
            copies,
            subject: self.template(part, &form.subject, Some(&id)),
            clause: self.clause_maybe(part, form.clause.as_ref()),
            deadlines: self.deadlines(&id),
            steps,
            fields,
            id,
        }
    }

    /// Who is proposed for a person, and what makes one better than another.
    fn ranked(
        &mut self,
        part: &Part<source::Form>,
        form: &str,
        spanned: &Spanned<source::Field>,
        field: &mut Field,
    ) {
        let written = spanned.get_ref();
        if written.among.is_none() && written.rank.is_empty() {
            return;
        }
        if field.kind != FieldKind::Person || written.among.is_none() {
            self.problems.add(&part.within(spanned), "among 和 rank 用于人员字段，有 rank 就要写 among");
            return;
        }
        field.among = self.who_maybe(part, written.among.as_ref(), Some(form));
        self.one = Some(Ty::Ref(Kind::Person));
        for rank in &written.rank {
            let (place, rank) = (part.within(rank), rank.get_ref());
            let Some(by) = self.expr(part, &rank.by, Some(form), &Wanted::Anything) else { continue };
            if matches!(by.ty(), Ty::Bool | Ty::Date | Ty::Time) || by.ty().is_numeric() {
                let (title, most_first) = (rank.title.clone(), rank.most_first);
                field.ranks.push(Rank { title, by, most_first });
            } else {
                self.problems.add(&place, format!("不能按{}排先后", by.ty().title()));
            }
        }
        self.one = None;
    }

    /// A column computed from the others of its line, which it calls `row`: kept as one list for all lines.
    fn computed_columns(
        &mut self,
        part: &Part<source::Form>,
        form: &str,
        written: &source::Field,
        field: &mut Field,
    ) {
        for column in &written.column {
            let Some(text) = &column.get_ref().value else { continue };
            let all = Text::new(text.span(), format!("case.{}.map(row, {})", field.id, text.get_ref()));
            let id = column.get_ref().id.get_ref();
            let Some(place) = field.columns.iter().position(|known| known.id == *id) else { continue };
            let wanted = Wanted::Value(Ty::list(field.columns[place].ty.clone()));
            field.columns[place].value = self.expr(part, &all, Some(form), &wanted);
        }
    }

    /// `WX-{yyyy}{mm}-{n:4}`.
    fn numbering(&mut self, part: &Part<source::Form>, written: &Text) -> String {
        let (place, pattern) = (part.at(written), written.get_ref().as_str());
        let mut rest = pattern;
        let mut counts = 0;
        while let Some((_, after)) = rest.split_once('{') {
            let Some((word, after)) = after.split_once('}') else {
                self.problems.add(&place, format!("编号规则“{}”里的花括号没有闭合", cut(pattern)));
                return String::new();
            };
            let digits = word.strip_prefix("n:").and_then(|n| n.parse::<usize>().ok());
            match (word, digits) {
                ("yyyy" | "mm" | "dd", _) => {}
                (_, Some(1..=9)) => counts += 1,
                _ => self.problems.add(
                    &place,
                    format!("编号规则里不认识“{{{}}}”，可以写 {{yyyy}}、{{mm}}、{{dd}}、{{n:4}}", cut(word)),
                ),
            }
            rest = after;
        }
        if !pattern.is_empty() && counts != 1 {
            self.problems.add(&place, "编号规则里要有一处流水号，例如 {n:4}");
        }
        pattern.to_owned()
    }

    fn reference(
        &mut self,
        part: &Part<source::Form>,
        form: &str,
        text: Option<&Text>,
        fields: &[Field],
        kind: Kind,
    ) -> Option<usize> {
        let text = text?;
        let place = self.field_of(part, form, text)?;
        if fields.get(place).is_none_or(|field| field.ty != Ty::Ref(kind)) {
            self.problems.add(&part.at(text), format!("字段“{}”不是{}", text.get_ref(), kind.title()));
        }
        Some(place)
    }

    fn copies(&mut self, part: &Part<source::Form>, copies: &[Spanned<source::Copy>]) -> Vec<Copy> {
        let mut all: Vec<Copy> = Vec::new();
        for spanned in copies {
            let copy = spanned.get_ref();
            let place = part.within(spanned);
            self.id(&place, copy.id.get_ref());
            if all.iter().any(|known| known.id == *copy.id.get_ref()) {
                self.problems.add(&place, format!("联次“{}”写了两次", copy.id.get_ref()));
            }
            all.push(Copy {
                id: copy.id.get_ref().clone(),
                title: copy.title.clone(),
                to: copy.to.clone(),
                clause: copy.clause.as_ref().map(|clause| self.clause_at(&part.at(clause), clause)),
            });
        }
        all
    }

    fn steps(&mut self, form: &str) -> Vec<Step> {
        let only = self.parts.form.len() == 1;
        let parts = of_form(&self.parts.step, form, only, |step| step.form.as_ref());
        let mut seen: Vec<&str> = Vec::new();
        let mut actions: Vec<String> = Vec::new();
        let mut all = Vec::new();
        for part in &parts {
            let id = part.get().id.get_ref();
            self.id(&part.at(&part.get().id), id);
            let is_twice = seen.contains(&id.as_str());
            if is_twice {
                self.problems.add(&part.place(), format!("步骤“{id}”写了两次"));
            }
            seen.push(id);
            let step = self.step(form, part);
            for action in &step.actions {
                // The action of a step without buttons bears its name, which has been told.
                if actions.contains(&action.id) && !(is_twice && part.get().action.is_empty()) {
                    self.problems.add(&part.place(), format!("动作“{}”在表单里写了两次", action.id));
                }
                actions.push(action.id.clone());
            }
            all.push(step);
        }
        all
    }

    fn step(&mut self, form: &str, part: &Part<source::Step>) -> Step {
        let step = part.get();
        let words = [
            ("task", StepKind::Task),
            ("approval", StepKind::Approval),
            ("wait", StepKind::Wait),
            ("end", StepKind::End),
        ];
        let usual = if step.approve.is_some() { StepKind::Approval } else { StepKind::Task };
        let written = step.kind.as_ref().map(|kind| self.word(&part.at(kind), kind.get_ref(), &words));
        let kind = written.unwrap_or(Some(usual));
        if let Some(kind) = kind {
            self.step_fits(part, kind);
        } else {
            // It may have been meant as an end.
            self.problems.lose(if step.outcome.is_empty() { &step.title } else { &step.outcome });
        }
        let kind = kind.unwrap_or(usual);
        let clause = self.clause(part, &step.clause);
        let approve = step.approve.as_ref().map(|approve| self.approve(form, part, approve));
        let actions = match kind {
            StepKind::Task if !step.action.is_empty() => {
                step.action.iter().map(|action| self.action(form, part, action)).collect()
            }
            StepKind::Task | StepKind::Approval => vec![self.plain(form, part, kind)],
            StepKind::Wait | StepKind::End => Vec::new(),
        };
        Step {
            id: step.id.get_ref().clone(),
            title: step.title.clone(),
            kind,
            by: self.who_maybe(part, step.by.as_ref(), Some(form)),
            help: step.help.clone(),
            actions,
            approve,
            on: step.on.iter().map(|on| self.on(form, part, on)).collect(),
            outcome: if step.outcome.is_empty() { step.title.clone() } else { step.outcome.clone() },
            opens_customer: step.opens_customer,
            copy_to: self.who_maybe(part, step.copy_to.as_ref(), Some(form)),
            clause,
        }
    }

    /// What belongs to each kind of step and what does not.
    fn step_fits(&mut self, part: &Part<source::Step>, kind: StepKind) {
        let step = part.get();
        let has_next = !matches!(step.next, Next::Stay);
        let follows = !step.open.is_empty() || !step.emit.is_empty();
        let mut wrong =
            |text: &str| self.problems.add(&part.place(), format!("步骤“{}”：{text}", step.title));
        if step.opens_customer && kind != StepKind::Task {
            wrong("opens_customer 用于由人办理的步骤");
        }
        match kind {
            StepKind::Task => {
                if step.by.is_none() {
                    wrong("要写明由谁办理 by = \"…\"");
                }
                if step.approve.is_some() {
                    wrong("有审批的步骤要写 kind = \"approval\"");
                }
                if step.action.is_empty() && !has_next {
                    wrong("要写明下一步 next 或动作 [[step.action]]");
                }
                let plain = has_next || !step.fill.is_empty() || !step.set.is_empty() || follows;
                if !step.action.is_empty() && plain {
                    wrong("有动作时，fill、set、open、emit 和 next 要写在动作里");
                }
            }
            StepKind::Approval => {
                if step.approve.is_none() {
                    wrong("审批步骤要写 [step.approve]");
                }
                if !has_next {
                    wrong("要写明同意以后的下一步 next");
                }
                if !step.action.is_empty() || step.by.is_some() {
                    wrong("审批步骤的审批人写在 [step.approve] 里，不写 by 和 action");
                }
            }
            StepKind::Wait => {
                if step.on.is_empty() {
                    wrong("等待的步骤要写等什么 [[step.on]]");
                }
                if step.by.is_some() || !step.action.is_empty() || has_next || follows {
                    wrong("等待的步骤不写 by、action、open、emit 和 next");
                }
            }
            StepKind::End => {
                if step.by.is_some() || !step.action.is_empty() || has_next || !step.on.is_empty() || follows
                {
                    wrong("结束的步骤不写 by、action、on、open、emit 和 next");
                }
            }
        }
    }

    /// The one action of a step without buttons.
    fn plain(&mut self, form: &str, part: &Part<source::Step>, kind: StepKind) -> Action {
        let step = part.get();
        let (done, title) =
            if kind == StepKind::Approval { (APPROVED, "同意") } else { (SUBMIT, "提交") };
        Action {
            id: format!("{}.{done}", step.id.get_ref()),
            title: title.to_owned(),
            by: None,
            when: None,
            fill: self.fields_of(part, form, &step.fill),
            offer: self.fields_of(part, form, &step.offer),
            require: self.require(form, part, &step.require),
            set: self.set(part, &step.set, form, Some(form), None),
            next: self.ways(form, part, &step.next),
            open: step.open.iter().filter_map(|open| self.open(form, part, open)).collect(),
            emit: step.emit.clone(),
            confirm: String::new(),
            clause: None,
        }
    }

    fn action(&mut self, form: &str, part: &Part<source::Step>, spanned: &Spanned<source::Action>) -> Action {
        let action = spanned.get_ref();
        self.id(&part.within(spanned), action.id.get_ref());
        Action {
            id: action.id.get_ref().clone(),
            title: action.title.clone(),
            by: self.who_maybe(part, action.by.as_ref(), Some(form)),
            when: self.condition(part, action.when.as_ref(), Some(form)),
            fill: self.fields_of(part, form, &action.fill),
            offer: self.fields_of(part, form, &action.offer),
            require: self.require(form, part, &action.require),
            set: self.set(part, &action.set, form, Some(form), None),
            next: self.ways(form, part, &action.next),
            open: action.open.iter().filter_map(|open| self.open(form, part, open)).collect(),
            emit: action.emit.clone(),
            confirm: action.confirm.clone(),
            clause: self.clause_maybe(part, action.clause.as_ref()),
        }
    }

    fn require(
        &mut self,
        form: &str,
        part: &Part<source::Step>,
        all: &[Spanned<source::Require>],
    ) -> Vec<Require> {
        let mut built = Vec::new();
        for require in all {
            let require = require.get_ref();
            let fill = self.fields_of(part, form, &require.fill);
            let clause = self.clause_maybe(part, require.clause.as_ref());
            if let Some(when) = self.condition(part, Some(&require.when), Some(form)) {
                built.push(Require { when, fill, clause });
            }
        }
        built
    }

    fn ways(&mut self, form: &str, part: &Part<source::Step>, next: &Next) -> Vec<Way> {
        match next {
            Next::Stay => Vec::new(),
            Next::To(to) => {
                self.step_named(form, part, to).map(|to| Way { to, when: None }).into_iter().collect()
            }
            Next::Branches(branches) => {
                let mut ways = Vec::new();
                for (place, branch) in branches.iter().enumerate() {
                    if branch.when.is_none() && place + 1 < branches.len() {
                        self.problems.add(&part.at(&branch.to), "没有条件的去向要写在最后");
                    }
                    let when = self.condition(part, branch.when.as_ref(), Some(form));
                    if let Some(to) = self.step_named(form, part, &branch.to) {
                        ways.push(Way { to, when });
                    }
                }
                ways
            }
        }
    }

    fn step_named(&mut self, form: &str, part: &Part<source::Step>, to: &Text) -> Option<usize> {
        let shape = Arc::clone(self.shapes.get(form)?);
        let found = shape.steps.iter().position(|(id, _)| id == to.get_ref());
        if found.is_none() {
            let hint = hint(to.get_ref(), shape.steps.iter().map(|(id, _)| id.as_str()));
            let text = format!("没有步骤“{}”{hint}", cut(to.get_ref()));
            self.problems.unknown(&part.at(to), Unknown::new("步骤", to.get_ref()), text);
        }
        found
    }

    fn open(
        &mut self,
        form: &str,
        part: &Part<source::Step>,
        spanned: &Spanned<source::Open>,
    ) -> Option<Open> {
        let open = spanned.get_ref();
        let into = self.form_named(&part.at(&open.form), open.form.get_ref())?;
        let each = open.each.as_ref().and_then(|each| self.expr(part, each, Some(form), &Wanted::Anything));
        self.one = each.as_ref().and_then(|each| match each.ty() {
            Ty::List(of) => Some((**of).clone()),
            _ => None,
        });
        if each.is_some() && self.one.is_none() {
            self.problems.add(&part.within(spanned), "each 要写列表");
        }
        let when = self.condition(part, open.when.as_ref(), Some(form));
        let set = self.set(part, &open.set, &into, Some(form), None);
        self.one = None;
        let shape = Arc::clone(self.shapes.get(&into)?);
        self.opens(&part.within(spanned), &into, |name| open.set.contains_key(name));
        let set = set.into_iter().map(|(field, expr)| (shape.fields[field].0.clone(), expr)).collect();
        Some(Open { form: into, each, set, when })
    }

    /// Nobody sits at a screen when a case is opened by another or by an event, so that all it must know comes with it.
    pub(super) fn opens(&mut self, place: &super::Place, form: &str, is_set: impl Fn(&str) -> bool) {
        let Some(part) = self.parts.form.iter().find(|part| part.get().id.get_ref() == form) else { return };
        let form = part.get();
        for wanted in form.fill.iter().filter(|wanted| !is_set(wanted.get_ref())) {
            let field = form.field.iter().find(|field| field.get_ref().id.get_ref() == wanted.get_ref());
            let title = field.map_or(wanted.get_ref(), |field| &field.get_ref().title);
            self.problems.add(place, format!("打开的《{}》要填“{title}”，请写进 set", form.title));
        }
    }

    fn on(&mut self, form: &str, part: &Part<source::Step>, spanned: &Spanned<source::On>) -> On {
        let on = spanned.get_ref();
        let event = on.event.get_ref().clone();
        let facts = if let Some(deadline) = event.strip_prefix("deadline:") {
            let only = self.parts.form.len() == 1;
            let known = of_form(&self.parts.deadline, form, only, |d| d.form.as_ref());
            if !known.iter().any(|d| d.get().id.get_ref() == deadline) {
                let unknown = Unknown::new("时限", deadline);
                self.problems.unknown(&part.at(&on.event), unknown, format!("没有时限“{}”", cut(deadline)));
            }
            Vec::new()
        } else {
            self.event(&part.at(&on.event), &event).unwrap_or_default()
        };
        let when = on.when.as_ref().and_then(|when| {
            self.expr_with(&part.at(when), when, Some(form), Some(&facts), &Wanted::Condition)
        });
        On {
            event,
            when,
            set: self.set(part, &on.set, form, Some(form), Some(&facts)),
            next: self.ways(form, part, &on.next),
        }
    }

    fn approve(
        &mut self,
        form: &str,
        part: &Part<source::Step>,
        spanned: &Spanned<source::Approve>,
    ) -> Approve {
        let approve = spanned.get_ref();
        let place = part.within(spanned);
        if approve.stage.is_empty() == approve.authority.is_none() {
            self.problems.add(&place, "审批要写 [[step.approve.stage]] 或 authority，二者选一");
        }
        let stages =
            approve.stage.iter().filter_map(|stage| self.stage(form, part, stage.get_ref())).collect();
        if let Some(authority) = &approve.authority
            && !self.parts.authority.iter().any(|known| known.get().id.get_ref() == authority.get_ref())
        {
            let text = format!("没有核决表“{}”", cut(authority.get_ref()));
            self.problems.unknown(&part.at(authority), Unknown::new("核决表", authority.get_ref()), text);
        }
        let empty = [("refuse", Empty::Refuse), ("skip", Empty::Skip), ("escalate", Empty::Escalate)];
        let same = [("ask", false), ("skip", true)];
        let requester =
            [("superior", Requester::Superior), ("skip", Requester::Skip), ("allow", Requester::Allow)];
        for word in &approve.may {
            self.word(&place, word, &[("add", ()), ("reassign", ()), ("withdraw", ())]);
        }
        let may = |word: &str| approve.may.iter().any(|known| known == word);
        Approve {
            stages,
            authority: approve.authority.as_ref().map(|authority| authority.get_ref().clone()),
            reject: approve.reject.as_ref().and_then(|to| self.step_named(form, part, to)),
            back: approve.back.iter().filter_map(|to| self.step_named(form, part, to)).collect(),
            empty: self.choice(part, approve.empty.as_ref(), &empty, Empty::Refuse),
            skips_same: self.choice(part, approve.same_person.as_ref(), &same, false),
            requester: self.choice(part, approve.requester.as_ref(), &requester, Requester::Superior),
            may_add: may("add"),
            may_reassign: may("reassign"),
            may_withdraw: may("withdraw"),
            timeout: approve.timeout.as_ref().and_then(|timeout| {
                let timeout = timeout.get_ref();
                let words = [
                    ("remind", TimeoutThen::Remind),
                    ("approve", TimeoutThen::Approve),
                    ("reject", TimeoutThen::Reject),
                    ("escalate", TimeoutThen::Escalate),
                ];
                let then = self.word(&part.at(&timeout.then), timeout.then.get_ref(), &words)?;
                Some((self.within(&part.at(&timeout.within), &timeout.within)?, then))
            }),
        }
    }

    fn choice<T, V: Clone>(
        &mut self,
        part: &Part<T>,
        text: Option<&Text>,
        words: &[(&str, V)],
        usual: V,
    ) -> V {
        text.and_then(|text| self.word(&part.at(text), text.get_ref(), words)).unwrap_or(usual)
    }

    fn stage(&mut self, form: &str, part: &Part<source::Step>, stage: &source::Stage) -> Option<Stage> {
        let is_joint = self.choice(part, stage.mode.as_ref(), &[("any", false), ("all", true)], false);
        let when = self.condition(part, stage.when.as_ref(), Some(form));
        let by = self.who(part, &stage.by, Some(form))?;
        Some(Stage { by, is_joint, when, title: stage.title.clone() })
    }

    fn deadlines(&mut self, form: &str) -> Vec<Deadline> {
        let only = self.parts.form.len() == 1;
        let parts = of_form(&self.parts.deadline, form, only, |deadline| deadline.form.as_ref());
        parts.iter().filter_map(|part| self.deadline(form, part)).collect()
    }

    fn deadline(&mut self, form: &str, part: &Part<source::Deadline>) -> Option<Deadline> {
        let deadline = part.get();
        let form = Some(form);
        let clause = self.clause(part, &deadline.clause);
        let from = self.moment(part, &deadline.from, form);
        let until = self.moment(part, &deadline.until, form);
        let within = self.within(&part.at(&deadline.within), &deadline.within);
        let when = self.condition(part, deadline.when.as_ref(), form);
        let pause = self.condition(part, deadline.pause.as_ref(), form);
        let warn = deadline.warn.iter().filter_map(|text| self.before(&part.at(text), text)).collect();
        let tell = self.who_maybe(part, deadline.tell.as_ref(), form);
        let breach = deadline.breach.as_ref().map(Spanned::get_ref);
        let notify = breach.and_then(|breach| self.who_maybe(part, breach.notify.as_ref(), form));
        let mark = breach.filter(|breach| !breach.mark.is_empty()).map(|breach| {
            let title = if breach.title.is_empty() { &breach.mark } else { &breach.title };
            (breach.mark.clone(), title.clone())
        });
        let mut escalate = Vec::new();
        for rung in &deadline.escalate {
            let rung = rung.get_ref();
            let after = self.within(&part.at(&rung.after), &rung.after);
            if let (Some(after), Some(who)) = (after, self.who(part, &rung.notify, form)) {
                escalate.push((after, who));
            }
        }
        let from = from?;
        Some(Deadline {
            id: deadline.id.get_ref().clone(),
            title: deadline.title.clone(),
            within: if *from.ty() == Ty::Date { whole_days(within?) } else { within? },
            from,
            until: until?,
            when,
            pause,
            warn,
            tell,
            mark,
            notify,
            escalate,
            clause,
        })
    }

    /// A time or a day.
    pub(super) fn moment<T>(
        &mut self,
        part: &Part<T>,
        text: &Text,
        form: Option<&str>,
    ) -> Option<crate::expr::Expr> {
        let expr = self.expr(part, text, form, &Wanted::Anything)?;
        if !matches!(expr.ty(), Ty::Time | Ty::Date) {
            let text = format!("“{}”是{}，这里要时间或日期", cut(expr.source()), expr.ty().title());
            self.problems.add(&part.place(), text);
        }
        Some(expr)
    }

    /// The facts of an event of the application, or of one that an action of this policy gives out.
    pub(super) fn event(&mut self, place: &super::Place, event: &str) -> Option<Vec<(String, Ty)>> {
        if let Some(facts) = self.vocabulary.events.get(event) {
            return Some(facts.clone());
        }
        let emitted = self.parts.step.iter().map(Part::get).flat_map(|step| {
            step.emit.iter().chain(step.action.iter().flat_map(|action| &action.get_ref().emit))
        });
        if emitted.into_iter().any(|known| known == event) {
            return Some(vec![
                ("case".to_owned(), Ty::Ref(Kind::Case)),
                ("customer".to_owned(), Ty::Ref(Kind::Customer)),
                ("unit".to_owned(), Ty::Ref(Kind::Unit)),
                ("actor".to_owned(), Ty::Ref(Kind::Person)),
            ]);
        }
        let hint = hint(event, self.vocabulary.events.keys().map(String::as_str));
        let text = format!("没有事件“{}”{hint}", cut(event));
        self.problems.unknown(place, Unknown::new("事件", event), text);
        None
    }
}

/// What runs from a day and not from a time ends with a day.
fn whole_days(within: Within) -> Within {
    match within {
        Within::For(amount) if amount.moment() == Until::SameTime => {
            amount.until(Until::Midnight).map_or(within, Within::For)
        }
        other => other,
    }
}

/// Nobody: stands in where an expression was refused, so that the rest is checked all the same.
fn self_people() -> crate::expr::Expr {
    crate::expr::Expr::nobody()
}
