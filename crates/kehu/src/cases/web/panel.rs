//! What the page of a case shows beside its forms: its values, deadlines, the approval under way, and what happened.

use std::collections::HashSet;

use policy::case::{Approval, Clock, Standing};
use policy::model::{Field, FieldKind};
use policy::value::{Kind, Value, yuan};
use workday::Pause;

use super::left;
use super::names::Names;
use crate::cases::{Ground, Loaded, Trail};
use crate::i18n::Lang;
use crate::policies::web::clause_href;

/// A value of the case.
pub(super) struct Fact {
    pub title: String,
    pub text: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
    pub is_wide: bool,
    /// Id, name, and whether a browser shows it.
    pub files: Vec<(String, String, bool)>,
    /// Titles and cells of lines.
    pub columns: Vec<String>,
    pub lines: Vec<Vec<String>>,
}

/// Prints values for one reader.
pub(super) struct Printer<'a> {
    pub loaded: &'a Loaded,
    pub names: &'a Names,
    pub ground: &'a Ground,
    /// Places of the fields he may not see.
    pub hidden: &'a HashSet<usize>,
    pub l: Lang,
}

impl Printer<'_> {
    /// What is filled, in the order of the form.
    pub fn facts(&self) -> Vec<Fact> {
        let form = &self.loaded.form;
        let filled = form.fields.iter().zip(&self.loaded.state.values).enumerate();
        // The customer heads the facts, whoever may know him.
        let is_head = |place: &usize| form.customer == Some(*place) && self.loaded.case.customer_id.is_some();
        filled
            .filter(|(place, _)| !is_head(place))
            .filter(|(place, (_, value))| value.is_known() && !self.hidden.contains(place))
            .filter(|(_, (_, value))| !matches!(value, Value::List(items) if items.is_empty()))
            .map(|(_, (field, value))| self.fact(field, value))
            .collect()
    }

    fn fact(&self, field: &Field, value: &Value) -> Fact {
        let is_file = field.kind.reference() == Some(Kind::File);
        let files = if is_file {
            let ids = value.as_texts().into_iter().filter(|id| !self.names.of(Kind::File, id).is_empty());
            ids.map(|id| {
                let name = self.names.of(Kind::File, &id).to_owned();
                let lower = name.to_lowercase();
                let is_picture =
                    [".png", ".jpg", ".jpeg", ".webp", ".gif"].iter().any(|end| lower.ends_with(end));
                (id, name, is_picture)
            })
            .collect()
        } else {
            Vec::new()
        };
        let href = match (field.kind, value) {
            (FieldKind::Customer, Value::Text(id)) if !self.names.of(Kind::Customer, id).is_empty() => {
                format!("/customers/{id}")
            }
            (FieldKind::Case, Value::Text(id)) if !self.names.of(Kind::Case, id).is_empty() => {
                format!("/cases/{id}")
            }
            _ => String::new(),
        };
        let (columns, lines) = match (field.kind, value) {
            (FieldKind::Lines, Value::List(rows)) => (
                field.columns.iter().map(|column| column.title.clone()).collect(),
                rows.iter().filter_map(|row| self.cells(field, row)).collect(),
            ),
            _ => (Vec::new(), Vec::new()),
        };
        let text = if is_file || !lines.is_empty() { String::new() } else { self.text(field, value) };
        let is_wide = !files.is_empty()
            || !lines.is_empty()
            || matches!(field.kind, FieldKind::Long)
            || text.chars().count() > 40;
        Fact { title: field.title.clone(), text, href, is_wide, files, columns, lines }
    }

    fn cells(&self, field: &Field, row: &Value) -> Option<Vec<String>> {
        let Value::Row(cells) = row else { return None };
        let cell =
            |column: &Field| cells.get(&column.id).map_or_else(String::new, |value| self.text(column, value));
        Some(field.columns.iter().map(cell).collect())
    }

    /// A value as people read it.
    pub fn text(&self, field: &Field, value: &Value) -> String {
        let called = |id: &str| match field.kind.reference() {
            None => id.to_owned(),
            Some(kind) => match self.names.of(kind, id) {
                "" if kind == Kind::Customer => self.l.t("无权查看").to_owned(),
                name => name.to_owned(),
            },
        };
        match value {
            Value::Null | Value::Row(_) => String::new(),
            Value::Bool(value) => self.l.t(if *value { "是" } else { "否" }).to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Money(cents) => self.l.f("{} 元", &[&yuan(*cents)]),
            Value::Text(text) => called(text),
            Value::Date(date) => date.to_string(),
            Value::Time(at) => self.ground.zone.minute(*at),
            Value::List(_) => {
                value.as_texts().iter().map(|id| called(id)).collect::<Vec<_>>().join(self.l.t("、"))
            }
        }
    }

    /// The deadlines, those that run first.
    pub fn deadlines(&self) -> Vec<DeadlineView> {
        let mut all: Vec<(&Clock, DeadlineView)> = self
            .loaded
            .state
            .clocks
            .iter()
            .filter_map(|(id, clock)| Some((clock, self.deadline(id, clock)?)))
            .collect();
        all.sort_by_key(|(clock, _)| (clock.standing != Standing::Running, clock.due));
        all.into_iter().map(|(_, view)| view).collect()
    }

    fn deadline(&self, id: &str, clock: &Clock) -> Option<DeadlineView> {
        let deadline = self.loaded.form.deadline(id)?;
        let l = self.l;
        let (state, colour) = match (clock.standing, clock.paused_at, clock.met_at) {
            (Standing::Running, Some(_), _) => (l.t("暂停计时").to_owned(), "plum"),
            (Standing::Running, None, _) => {
                let (text, colour) = left(clock.due, self.ground.now, l);
                (text, if colour.is_empty() { "blue" } else { colour })
            }
            (Standing::Met, ..) => (l.t("按时完成").to_owned(), "green"),
            (Standing::Breached, _, Some(_)) => (l.t("逾期完成").to_owned(), "red"),
            (Standing::Breached, ..) => (l.t("逾期未完成").to_owned(), "red"),
        };
        let still = clock.paused_at.map(|start| (start, self.ground.now.max(start)));
        let pauses: Vec<Pause> =
            clock.pauses.iter().copied().chain(still).map(|(start, end)| Pause { start, end }).collect();
        let derivation = self.ground.calendar.due(clock.from, deadline.within, &pauses);
        Some(DeadlineView {
            title: deadline.title.clone(),
            due: self.ground.zone.minute(clock.due),
            state,
            colour,
            met: clock.met_at.map_or_else(String::new, |at| self.ground.zone.minute(at)),
            derivation: derivation.map_or_else(
                |_| String::new(),
                |now| {
                    // The calendar may have changed since; what stands is what was reckoned then.
                    if clock.paused_at.is_some() || now.at == clock.due {
                        return now.explain();
                    }
                    let said = l.f("这个期限是按当时的工作日历算出的；按现在的工作日历会是 {}", &[&now]);
                    format!("{said}\n{}", now.explain())
                },
            ),
            clause_href: clause_href(self.loaded.case.version_id, &deadline.clause),
            clause: deadline.clause.clone(),
        })
    }

    /// The approval under way; none when nothing is being approved.
    pub fn approval(&self) -> Option<ApprovalView> {
        let approval: &Approval = self.loaded.state.approval.as_ref()?;
        let name = |id: &str| self.names.of(Kind::Person, id).to_owned();
        let rounds = approval
            .in_order()
            .into_iter()
            .map(|round| Round {
                title: round.title.clone(),
                way: self.l.t(if round.is_joint { "会签" } else { "或签" }).to_owned(),
                is_single: round.seats.len() == 1,
                seats: round
                    .seats
                    .iter()
                    .map(|seat| {
                        let (state, colour) = match seat.verdict {
                            Some(true) => ("同意", "green"),
                            Some(false) => ("驳回", "red"),
                            None => ("待审批", ""),
                        };
                        Seat {
                            name: name(&seat.person),
                            by: seat
                                .decided_by
                                .as_deref()
                                .filter(|by| *by != seat.person)
                                .map_or_else(String::new, |by| self.l.f("{} 代办", &[&name(by)])),
                            state: self.l.t(state).to_owned(),
                            colour,
                            comment: seat.comment.clone(),
                            at: seat.at.map_or_else(String::new, |at| self.ground.zone.minute(at)),
                        }
                    })
                    .collect(),
            })
            .collect();
        Some(ApprovalView {
            requester: approval.requester.as_deref().map_or_else(String::new, name),
            rounds,
            to_come: approval.to_come.len(),
            due: approval.due.map_or_else(String::new, |due| self.ground.zone.minute(due)),
            is_stuck: approval.is_stuck,
        })
    }

    /// What happened, the newest first; what tells of hidden fields is left out.
    pub fn trail(&self, trail: Vec<Trail>) -> Vec<Happened> {
        let hidden: Vec<String> = self
            .hidden
            .iter()
            .filter_map(|place| self.loaded.form.fields.get(*place))
            .map(|field| format!("{}：", field.title))
            .collect();
        let tells =
            |line: &Trail| line.kind == "changed" && hidden.iter().any(|title| line.text.starts_with(title));
        let mut all: Vec<Trail> = Vec::new();
        for line in trail.into_iter().filter(|line| !tells(line)) {
            match all.last_mut() {
                // What was filled in at one time is one thing that happened.
                Some(last) if last.kind == "changed" && line.kind == "changed" && last.at == line.at => {
                    last.text.push('\n');
                    last.text.push_str(&line.text);
                }
                _ => all.push(line),
            }
        }
        all.into_iter().rev().map(|line| self.happened(line)).collect()
    }

    fn happened(&self, line: Trail) -> Happened {
        let (icon, colour) = match line.kind.as_str() {
            "opened" => ("file-text", "blue"),
            "did" => ("check", "green"),
            "decided" => ("rubber-stamp", "green"),
            "entered" => ("arrow-right", ""),
            "tasks" => ("user", ""),
            "nobody" => ("user-off", "red"),
            "moved" => ("transfer", ""),
            "urged" => ("bolt", "amber"),
            "due" => ("clock", ""),
            "met" => ("clipboard-check", "green"),
            "warned" => ("hourglass", "amber"),
            "breached" | "escalated" => ("alert-triangle", "red"),
            "penalty" => ("scale-outline", "red"),
            "exempted" => ("shield-check", "plum"),
            "closed" => ("archive", "green"),
            "notice" => ("bell", ""),
            "changed" => ("edit", ""),
            _ => ("note", ""),
        };
        let by = line.actor_id.map_or_else(
            || self.l.t("系统").to_owned(),
            |id| {
                let member = self.ground.directory.member(id);
                member.map_or_else(String::new, |member| member.name.clone())
            },
        );
        Happened {
            icon,
            colour,
            by,
            at: self.ground.zone.minute(line.at),
            clause_href: if line.clause.is_empty() {
                String::new()
            } else {
                clause_href(self.loaded.case.version_id, &line.clause)
            },
            values: if line.kind == "changed" { line.text.clone() } else { String::new() },
            text: if line.kind == "changed" { self.l.t("填写").to_owned() } else { line.text },
            clause: line.clause,
        }
    }
}

pub(super) struct DeadlineView {
    pub title: String,
    pub due: String,
    pub state: String,
    pub colour: &'static str,
    pub met: String,
    /// How the due time follows, in Chinese.
    pub derivation: String,
    pub clause: String,
    pub clause_href: String,
}

pub(super) struct ApprovalView {
    pub requester: String,
    pub rounds: Vec<Round>,
    pub to_come: usize,
    pub due: String,
    pub is_stuck: bool,
}

pub(super) struct Round {
    pub title: String,
    /// 会签 or 或签.
    pub way: String,
    pub is_single: bool,
    pub seats: Vec<Seat>,
}

pub(super) struct Seat {
    pub name: String,
    pub by: String,
    pub state: String,
    pub colour: &'static str,
    pub comment: String,
    pub at: String,
}

pub(super) struct Happened {
    pub icon: &'static str,
    pub colour: &'static str,
    pub text: String,
    /// What was filled in, a value a line.
    pub values: String,
    pub by: String,
    pub at: String,
    pub clause: String,
    pub clause_href: String,
}
