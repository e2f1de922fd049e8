//! Tables of authority, triggers, duties, refusals, penalties, figures, reports, notices and standards.

use super::super::read::{Part, Place, Unknown};
use super::{Builder, cut};
use crate::expr::{Wanted, hint};
use crate::model::{
    Access, Authority, Duty, Every, Evidence, Measure, Metric, MetricKind, Notice, Penalty, Per, Refusal,
    Register, Report, Retention, Standard, Trigger,
};
use crate::source::{self, Text};
use crate::value::{Kind, Ty};

/// What something is about: a form's case, or an event's facts.
struct About {
    form: Option<String>,
    facts: Option<Vec<(String, Ty)>>,
}

impl Builder<'_, '_> {
    pub(super) fn authorities(&mut self) -> Vec<Authority> {
        let parts = &self.parts.authority;
        self.ids(parts, "核决表", |table| &table.id);
        let mut all = Vec::new();
        for part in parts {
            let table = part.get();
            let Some(form) = self.form_of(part, table.form.as_ref()) else { continue };
            let clause = self.clause(part, &table.clause);
            let mut rows = Vec::new();
            for (place, row) in table.row.iter().enumerate() {
                let row = row.get_ref();
                if row.when.is_none() && place + 1 < table.row.len() {
                    self.problems.add(&part.place(), "没有条件的一行要写在最后");
                }
                let when = self.condition(part, row.when.as_ref(), Some(&form));
                let by = row.by.iter().filter_map(|by| self.who(part, by, Some(&form))).collect();
                rows.push((when, by));
            }
            if rows.is_empty() {
                self.problems.add(&part.place(), format!("核决表“{}”没有一行", table.title));
            }
            all.push(Authority {
                id: table.id.get_ref().clone(),
                form,
                title: table.title.clone(),
                rows,
                clause,
            });
        }
        all
    }

    pub(super) fn triggers(&mut self) -> Vec<Trigger> {
        let mut all = Vec::new();
        for part in &self.parts.trigger {
            let trigger = part.get();
            let clause = self.clause(part, &trigger.clause);
            let Some(form) = self.form_named(&part.at(&trigger.open), trigger.open.get_ref()) else {
                continue;
            };
            let Some(facts) = self.event(&part.at(&trigger.on), trigger.on.get_ref()) else { continue };
            let when = trigger.when.as_ref().and_then(|when| {
                self.expr_with(&part.at(when), when, None, Some(&facts), &Wanted::Condition)
            });
            let set = self.set(part, &trigger.set, &form, None, Some(&facts));
            self.opens(&part.place(), &form, |name| trigger.set.contains_key(name));
            all.push(Trigger { on: trigger.on.get_ref().clone(), when, form, set, clause });
        }
        all
    }

    pub(super) fn duties(&mut self) -> Vec<Duty> {
        let parts = &self.parts.duty;
        self.ids(parts, "周期职责", |duty| &duty.id);
        parts.iter().filter_map(|part| self.duty(part)).collect()
    }

    fn duty(&mut self, part: &Part<source::Duty>) -> Option<Duty> {
        let duty = part.get();
        let clause = self.clause(part, &duty.clause);
        let words = [
            ("company", Per::Company),
            ("unit", Per::Unit),
            ("person", Per::Person),
            ("customer", Per::Customer),
        ];
        let per = self.word(&part.at(&duty.per), duty.per.get_ref(), &words)?;
        // The facts of whoever owes it, and itself under its own name.
        let owes = match per {
            Per::Company => None,
            Per::Unit => Some(("unit", Kind::Unit)),
            Per::Person => Some(("person", Kind::Person)),
            Per::Customer => Some(("customer", Kind::Customer)),
        };
        let mut facts: Vec<(String, Ty)> = Vec::new();
        if let Some((name, kind)) = owes {
            facts.push((name.to_owned(), Ty::Ref(kind)));
        }
        let of = duty
            .of
            .as_ref()
            .and_then(|of| self.expr_with(&part.at(of), of, None, Some(&facts), &Wanted::Condition));
        let every_text = self.filled(&part.at(&duty.every), duty.every.get_ref())?;
        let every = self.word(&part.at(&duty.every), &every_text, Every::ALL)?;
        let due = self.after_period(&part.at(&duty.due), &duty.due);
        let by = self.expr_with(&part.at(&duty.by), &duty.by, None, Some(&facts), &Wanted::People);
        let notify = duty
            .notify
            .as_ref()
            .and_then(|who| self.expr_with(&part.at(who), who, None, Some(&facts), &Wanted::People));
        let place = part.at(&duty.evidence);
        let evidence = match duty.evidence.get_ref().strip_prefix("form:") {
            Some(form) => Evidence::Form(self.form_named(&place, form)?),
            None => {
                self.event(&place, duty.evidence.get_ref())?;
                Evidence::Event(duty.evidence.get_ref().clone())
            }
        };
        let evidence_on = duty.evidence_on.as_ref().and_then(|field| {
            let Evidence::Form(form) = &evidence else {
                self.problems.add(&part.at(field), "evidence_on 只能用于登记表(evidence = \"form:代号\")");
                return None;
            };
            let found = self.field_of(part, form, field)?;
            let ty = self.shapes.get(form).map(|shape| shape.fields[found].1.clone());
            if !matches!(ty, Some(Ty::Date | Ty::Time)) {
                self.problems.add(&part.at(field), "evidence_on 要写日期或时间字段");
            }
            Some(field.get_ref().clone())
        });
        if duty.target.is_some_and(|target| !(0.0..=1.0).contains(&target)) {
            self.problems.add(&part.place(), "目标 target 要在 0 与 1 之间，例如 0.9");
        }
        let times = duty.times.as_ref().map_or(Some(1), |times| {
            let place = part.within(times);
            match times.get_ref() {
                source::Times::Number(times) => Some(*times),
                source::Times::Setting(text) => self.filled(&place, text)?.trim().parse().ok(),
            }
        });
        if !times.is_some_and(|times| (1..=1_000).contains(&times)) {
            let place = duty.times.as_ref().map_or_else(|| part.place(), |times| part.within(times));
            self.problems.add(&place, "次数 times 要在 1 与 1000 之间，或写成整数参数 {代号}");
        }
        Some(Duty {
            id: duty.id.get_ref().clone(),
            title: duty.title.clone(),
            per,
            of,
            every,
            due: due?,
            by: by?,
            evidence,
            evidence_on,
            times: times.unwrap_or(1),
            target: duty.target,
            warn: duty.warn.iter().filter_map(|text| self.before(&part.at(text), text)).collect(),
            notify,
            clause,
        })
    }

    /// `FORM.ACTION`, `FORM.open`, `FORM.enter:STEP`, `deadline:ID`, or an event.
    fn about(&mut self, place: &Place, on: &str) -> Option<About> {
        if let Some(deadline) = on.strip_prefix("deadline:") {
            let found = self.parts.deadline.iter().find(|known| known.get().id.get_ref() == deadline);
            let Some(found) = found else {
                let text = format!("没有时限“{}”", cut(deadline));
                self.problems.unknown(place, Unknown::new("时限", deadline), text);
                return None;
            };
            let form = self.form_of(found, found.get().form.as_ref())?;
            return Some(About { form: Some(form), facts: None });
        }
        let form = on.split_once('.').map(|(form, action)| (form.to_owned(), action.to_owned()));
        if let Some((form, action)) = form
            && self.parts.form.iter().any(|known| known.get().id.get_ref() == &form)
        {
            let shape = self.shapes.get(&form).cloned()?;
            let is_known = action == "open"
                || match action.strip_prefix("enter:") {
                    Some(step) => shape.steps.iter().any(|(known, _)| known == step),
                    None => shape.steps.iter().any(|(_, actions)| actions.contains(&action)),
                };
            if !is_known {
                let actions = shape.steps.iter().flat_map(|(_, actions)| actions).map(String::as_str);
                let hint = hint(&action, ["open"].into_iter().chain(actions));
                let text = format!("表单“{form}”没有动作“{}”{hint}", cut(&action));
                let unknown = match action.strip_prefix("enter:") {
                    Some(step) => Unknown::new("步骤", step),
                    None => Unknown::new("动作", &action),
                };
                self.problems.unknown(place, unknown, text);
                return None;
            }
            return Some(About { form: Some(form), facts: None });
        }
        let facts = self.event(place, on)?;
        Some(About { form: None, facts: Some(facts) })
    }

    pub(super) fn refusals(&mut self) -> Vec<Refusal> {
        let parts = &self.parts.refusal;
        self.ids(parts, "禁止事项", |refusal| &refusal.id);
        let mut all = Vec::new();
        for part in parts {
            let refusal = part.get();
            let clause = self.clause(part, &refusal.clause);
            let Some(about) = self.about(&part.at(&refusal.on), refusal.on.get_ref()) else { continue };
            if !self.is_of_a_form(refusal.on.get_ref()) {
                let text = "只能拒绝表单里的动作：写“表单.动作”或“表单.open”；事件和时限说的是已经发生的事";
                self.problems.add(&part.at(&refusal.on), text);
                continue;
            }
            let (form, facts) = (about.form.as_deref(), about.facts.as_deref());
            let when =
                self.expr_with(&part.at(&refusal.when), &refusal.when, form, facts, &Wanted::Condition);
            let exempt_by = refusal
                .exempt_by
                .as_ref()
                .and_then(|who| self.expr_with(&part.at(who), who, form, facts, &Wanted::People));
            if refusal.message.trim().is_empty() {
                self.problems.add(&part.place(), "被拒绝的人要看到理由：message");
            }
            let Some(when) = when else { continue };
            all.push(Refusal {
                id: refusal.id.get_ref().clone(),
                on: refusal.on.get_ref().clone(),
                when,
                message: refusal.message.clone(),
                exempt_by,
                clause,
            });
        }
        all
    }

    /// Whether something is done with a form of this regulation, rather than heard of.
    fn is_of_a_form(&self, on: &str) -> bool {
        let form = on.split_once('.').map(|(form, _)| form);
        form.is_some_and(|form| self.parts.form.iter().any(|part| part.get().id.get_ref() == form))
    }

    pub(super) fn penalties(&mut self) -> Vec<Penalty> {
        let parts = &self.parts.penalty;
        self.ids(parts, "罚则", |penalty| &penalty.id);
        parts.iter().filter_map(|part| self.penalty(part)).collect()
    }

    /// Whether an amount that is a plain number is one; others are known only when they are reckoned.
    fn is_amount(&mut self, at: &Place, text: &str) -> bool {
        let text = text.trim();
        let number = text.trim_end_matches(['元', '分']).trim();
        let Ok(value) = number.parse::<f64>() else { return true };
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let problem = if number.len() < text.len() {
            format!("数额只写数字，不写单位，例如 {number}；单位由 measure 决定")
        } else if value <= 0.0 || value * 100.0 > crate::engine::MOST_PENALTY || decimals > 2 {
            format!("数额要大于 0，最多两位小数，现在是 {}", cut(number))
        } else {
            return true;
        };
        self.problems.add(at, problem);
        false
    }

    fn penalty(&mut self, part: &Part<source::Penalty>) -> Option<Penalty> {
        let penalty = part.get();
        let clause = self.clause(part, &penalty.clause);
        let about = self.about(&part.at(&penalty.on), penalty.on.get_ref())?;
        let (form, facts) = (about.form.as_deref(), about.facts.as_deref());
        let measure = match &penalty.measure {
            Some(text) => self.word(
                &part.at(text),
                text.get_ref(),
                &[("money", Measure::Money), ("points", Measure::Points)],
            )?,
            None => Measure::Money,
        };
        let wanted = Wanted::Value(if measure == Measure::Money { Ty::Money } else { Ty::Number });
        let when = penalty
            .when
            .as_ref()
            .and_then(|when| self.expr_with(&part.at(when), when, form, facts, &Wanted::Condition));
        let whom = self.expr_with(&part.at(&penalty.whom), &penalty.whom, form, facts, &Wanted::People);
        let amount = if self.is_amount(&part.at(&penalty.amount), penalty.amount.get_ref()) {
            self.expr_with(&part.at(&penalty.amount), &penalty.amount, form, facts, &wanted)
        } else {
            None
        };
        let count = penalty
            .count
            .as_ref()
            .and_then(|count| self.expr_with(&part.at(count), count, form, facts, &Wanted::Value(Ty::Int)));
        let repeat = penalty.repeat.as_ref().and_then(|text| self.within(&part.at(text), text));
        let until = penalty
            .until
            .as_ref()
            .and_then(|until| self.expr_with(&part.at(until), until, form, facts, &Wanted::Condition));
        if repeat.is_some() && (until.is_none() || form.is_none()) {
            self.problems.add(&part.place(), "重复的罚则要写明改正的条件 until，并且针对单据");
        }
        let others: Vec<&str> =
            self.parts.penalty.iter().map(|known| known.get().id.get_ref().as_str()).collect();
        if let Some(replaces) = &penalty.replaces
            && !others.contains(&replaces.get_ref().as_str())
        {
            let text = format!("没有罚则“{}”", cut(replaces.get_ref()));
            self.problems.unknown(&part.at(replaces), Unknown::new("罚则", replaces.get_ref()), text);
        }
        let multiply = penalty.multiply.as_ref().map(|multiply| {
            let written = multiply.get_ref();
            for other in &written.together {
                if !others.contains(&other.as_str()) {
                    let text = format!("没有罚则“{}”", cut(other));
                    self.problems.unknown(&part.within(multiply), Unknown::new("罚则", other), text);
                }
            }
            if written.from < 2 || !(1.0..=100.0).contains(&written.by) {
                self.problems.add(&part.within(multiply), "翻倍要写 from ≥ 2、by 在 1 与 100 之间");
            }
            let mut together = written.together.clone();
            if !together.contains(penalty.id.get_ref()) {
                together.push(penalty.id.get_ref().clone());
            }
            (written.from, written.by, together)
        });
        Some(Penalty {
            id: penalty.id.get_ref().clone(),
            title: penalty.title.clone(),
            on: penalty.on.get_ref().clone(),
            when,
            whom: whom?,
            amount: amount?,
            count,
            measure,
            multiply,
            repeat,
            until,
            replaces: penalty.replaces.as_ref().map(|text| text.get_ref().clone()),
            confirm_by: penalty
                .confirm_by
                .as_ref()
                .and_then(|who| self.expr_with(&part.at(who), who, form, facts, &Wanted::People)),
            appeal: penalty.appeal.as_ref().and_then(|text| self.within(&part.at(text), text)),
            form: about.form,
            clause,
        })
    }

    pub(super) fn retentions(&mut self) -> Vec<Retention> {
        let mut all = Vec::new();
        for part in &self.parts.retention {
            let retention = part.get();
            let clause = self.clause(part, &retention.clause);
            let words = [("destroy", true), ("review", false)];
            let then = self.word(&part.at(&retention.then), retention.then.get_ref(), &words);
            let form = self.form_named(&part.at(&retention.form), retention.form.get_ref());
            let keep = self.within(&part.at(&retention.keep), &retention.keep);
            let by = self.who(part, &retention.by, form.as_deref());
            if let (Some(form), Some(keep), Some(destroys), Some(by)) = (form, keep, then, by) {
                all.push(Retention { form, keep, destroys, by, clause });
            }
        }
        all
    }

    pub(super) fn access(&mut self) -> Vec<Access> {
        let mut all = Vec::new();
        for part in &self.parts.access {
            let access = part.get();
            let clause = self.clause(part, &access.clause);
            let words = [("view", ()), ("print", ()), ("export", ())];
            for verb in &access.verbs {
                self.word(&part.at(verb), verb.get_ref(), &words);
            }
            let Some(form) = self.form_named(&part.at(&access.form), access.form.get_ref()) else { continue };
            if let Some(by) = self.who(part, &access.by, Some(&form)) {
                let verbs = access.verbs.iter().map(|verb| verb.get_ref().clone()).collect();
                all.push(Access { form, verbs, by, clause });
            }
        }
        all
    }

    pub(super) fn metrics(&mut self) -> Vec<Metric> {
        let parts = &self.parts.metric;
        self.ids(parts, "指标", |metric| &metric.id);
        parts.iter().filter_map(|part| self.metric(part)).collect()
    }

    fn metric(&mut self, part: &Part<source::Metric>) -> Option<Metric> {
        let metric = part.get();
        let clause = self.clause(part, &metric.clause);
        let form = self.form_of(part, metric.form.as_ref())?;
        let words = [
            ("rate", MetricKind::Rate),
            ("count", MetricKind::Count),
            ("sum", MetricKind::Sum),
            ("mean", MetricKind::Mean),
        ];
        let kind = match &metric.kind {
            Some(kind) => self.word(&part.at(kind), kind.get_ref(), &words)?,
            None if metric.of.is_some() => MetricKind::Rate,
            None => MetricKind::Count,
        };
        if (kind == MetricKind::Rate) != metric.of.is_some() {
            self.problems.add(&part.place(), "比率（rate）要写 of（分子的条件），其他指标不写");
        }
        if matches!(kind, MetricKind::Sum | MetricKind::Mean) != metric.value.is_some() {
            self.problems.add(&part.place(), "合计（sum）和平均（mean）要写 value，其他指标不写");
        }
        let over = self.condition(part, metric.over.as_ref(), Some(&form));
        let of = self.condition(part, metric.of.as_ref(), Some(&form));
        let value =
            metric.value.as_ref().and_then(|value| self.expr(part, value, Some(&form), &Wanted::Anything));
        if value.as_ref().is_some_and(|value| !value.ty().is_numeric()) {
            self.problems.add(&part.place(), "value 要是数字或金额");
        }
        let opened = Text::new(0..0, "case.opened_at".to_owned());
        let at = self.moment(part, metric.at.as_ref().unwrap_or(&opened), Some(&form))?;
        Some(Metric {
            id: metric.id.get_ref().clone(),
            title: metric.title.clone(),
            kind,
            over,
            of,
            value,
            at,
            by: self.fields_of(part, &form, &metric.by),
            goal: metric.goal,
            form,
            clause,
        })
    }

    pub(super) fn reports(&mut self) -> Vec<Report> {
        let parts = &self.parts.report;
        self.ids(parts, "报表", |report| &report.id);
        parts.iter().filter_map(|part| self.report(part)).collect()
    }

    fn report(&mut self, part: &Part<source::Report>) -> Option<Report> {
        let report = part.get();
        let clause = self.clause(part, &report.clause);
        let every = self.word(&part.at(&report.every), report.every.get_ref(), Every::ALL)?;
        for metric in &report.metrics {
            if !self.parts.metric.iter().any(|known| known.get().id.get_ref() == metric.get_ref()) {
                let text = format!("没有指标“{}”", cut(metric.get_ref()));
                self.problems.unknown(&part.at(metric), Unknown::new("指标", metric.get_ref()), text);
            }
        }
        if report.metrics.is_empty() && report.register.is_none() {
            self.problems.add(
                &part.place(),
                format!("报表“{}”里什么也没有：写 metrics 或 [report.register]", report.title),
            );
        }
        let register = report.register.as_ref().and_then(|spanned| {
            let register = spanned.get_ref();
            let form = self.form_named(&part.at(&register.form), register.form.get_ref())?;
            let mut columns = Vec::new();
            for column in &register.columns {
                match column.get_ref().as_str() {
                    "number" => columns.push(None),
                    _ => columns.extend(self.field_of(part, &form, column).map(Some)),
                }
            }
            Some(Register {
                when: self.condition(part, register.when.as_ref(), Some(&form)),
                at: self.moment(part, &register.at, Some(&form))?,
                totals: self.fields_of(part, &form, &register.totals),
                columns,
                form,
            })
        });
        let due = self.after_period(&part.at(&report.due), &report.due);
        let made_by = self.who(part, &report.made_by, None);
        Some(Report {
            id: report.id.get_ref().clone(),
            title: report.title.clone(),
            every,
            metrics: report.metrics.iter().map(|metric| metric.get_ref().clone()).collect(),
            register,
            by: report.by.iter().map(|by| by.get_ref().clone()).collect(),
            made_by: made_by?,
            reviewed_by: report.reviewed_by.iter().filter_map(|who| self.who(part, who, None)).collect(),
            due: due?,
            clause,
        })
    }

    pub(super) fn notices(&mut self) -> Vec<Notice> {
        let parts = &self.parts.notice;
        self.ids(parts, "通知", |notice| &notice.id);
        let mut all = Vec::new();
        for part in parts {
            let notice = part.get();
            let clause = self.clause_maybe(part, notice.clause.as_ref());
            let Some(about) = self.about(&part.at(&notice.on), notice.on.get_ref()) else { continue };
            let Some(form) = about.form else {
                self.problems
                    .add(&part.at(&notice.on), "通知要针对单据：表单.动作、表单.enter:步骤 或 deadline:时限");
                continue;
            };
            let when = self.condition(part, notice.when.as_ref(), Some(&form));
            let text = self.template(part, &notice.text, Some(&form));
            if let Some(to) = self.who(part, &notice.to, Some(&form)) {
                let (id, on) = (notice.id.get_ref().clone(), notice.on.get_ref().clone());
                all.push(Notice { id, on, form, when, to, text, clause });
            }
        }
        all
    }

    pub(super) fn standards(&mut self) -> Vec<Standard> {
        let parts = &self.parts.standard;
        self.ids(parts, "规范", |standard| &standard.id);
        let mut all = Vec::new();
        for part in parts {
            let standard = part.get();
            let clause = self.clause(part, &standard.clause);
            for role in &standard.roles {
                if !self.roles.contains_key(role.get_ref()) {
                    let text = format!("没有角色“{}”", cut(role.get_ref()));
                    self.problems.unknown(&part.at(role), Unknown::new("角色", role.get_ref()), text);
                }
            }
            all.push(Standard {
                id: standard.id.get_ref().clone(),
                title: standard.title.clone(),
                text: standard.text.clone(),
                roles: standard.roles.iter().map(|role| role.get_ref().clone()).collect(),
                checks: standard.checks.clone(),
                clause,
            });
        }
        all
    }
}
