//! A process, the parts units and posts have in it, and the pure rules about them.

use serde_json::{Value as Json, json};

use crate::access::Directory;
use crate::catalogue::Catalogue;
use crate::clock::{Millis, rfc3339};
use crate::error::FieldError;
use crate::i18n::Lang;
use crate::ids::{ProcessId, UnitId};
use crate::input::{Kind, clean_value};
use crate::org::POSTS;
use crate::text;

/// Units and posts of one process at the most.
pub const MOST_PARTIES: usize = 60;

/// What part somebody has in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// R, 负责: does it. At least one.
    Responsible,
    /// A, 批准: answers for it in the end. Exactly one.
    Accountable,
    /// C, 咨询: is asked before.
    Consulted,
    /// I, 知会: is told.
    Informed,
}

impl Duty {
    /// Every duty, in the order of its letters.
    pub const ALL: [Self; 4] = [Self::Responsible, Self::Accountable, Self::Consulted, Self::Informed];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Responsible => "responsible",
            Self::Accountable => "accountable",
            Self::Consulted => "consulted",
            Self::Informed => "informed",
        }
    }

    /// The duty of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.code() == code)
    }

    /// R, A, C or I.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Responsible => "R",
            Self::Accountable => "A",
            Self::Consulted => "C",
            Self::Informed => "I",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Responsible => "R 负责",
            Self::Accountable => "A 批准",
            Self::Consulted => "C 咨询",
            Self::Informed => "I 知会",
        }
    }
}

/// Who has a part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A unit.
    Unit(UnitId),
    /// Whoever holds a post, in whatever unit: its code.
    Post(String),
}

impl Party {
    /// As forms send it: `unit:ID` or `post:CODE`.
    pub fn key(&self) -> String {
        match self {
            Self::Unit(id) => format!("unit:{id}"),
            Self::Post(code) => format!("post:{code}"),
        }
    }

    /// Reads what [`Party::key`] wrote.
    pub fn read(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("unit", id) => id.parse().ok().map(Self::Unit),
            ("post", code) if !code.is_empty() && code.len() <= 60 => Some(Self::Post(code.to_owned())),
            _ => None,
        }
    }

    /// The name people read: of a unit its own, of a post its title.
    pub fn title(&self, directory: &Directory, catalogue: &Catalogue, l: Lang) -> String {
        match self {
            Self::Unit(id) => directory.unit(*id).map_or_else(String::new, |u| u.name.clone()),
            Self::Post(code) => catalogue.dictionary(POSTS).title(code, l).to_owned(),
        }
    }

    /// What is stored: the unit's id or 0, the post's code or nothing.
    pub(super) fn columns(&self) -> (i64, &str) {
        match self {
            Self::Unit(id) => (id.0, ""),
            Self::Post(code) => (0, code),
        }
    }
}

/// A process as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: ProcessId,
    /// Its short name, once in the company.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// Anything else.
    pub note: String,
    /// Who has which part, in order; one party may have several.
    pub duties: Vec<(Party, Duty)>,
    /// Counts changes.
    pub version: i64,
    /// Changed when.
    pub updated_at: Millis,
}

impl Process {
    /// Those who have a duty.
    pub fn having(&self, duty: Duty) -> impl Iterator<Item = &Party> {
        self.duties.iter().filter(move |(_, d)| *d == duty).map(|(party, _)| party)
    }

    /// The names of those who have a duty, joined.
    pub fn names(&self, duty: Duty, directory: &Directory, catalogue: &Catalogue, l: Lang) -> String {
        let names: Vec<String> = self.having(duty).map(|p| p.title(directory, catalogue, l)).collect();
        names.join(l.t("、"))
    }

    /// What a person writes, in words: for the audit log.
    pub(super) fn facts(&self, directory: &Directory, catalogue: &Catalogue) -> Json {
        let mut facts = json!({ "code": self.code, "title": self.title, "note": self.note });
        for duty in Duty::ALL {
            facts[duty.code()] = self.names(duty, directory, catalogue, Lang::Zh).into();
        }
        facts
    }

    /// As the API sends it.
    pub fn json(&self) -> Json {
        let duties: Vec<Json> = self
            .duties
            .iter()
            .map(|(party, duty)| match party {
                Party::Unit(id) => json!({ "unit_id": id, "post": null, "duty": duty.code() }),
                Party::Post(code) => json!({ "unit_id": null, "post": code, "duty": duty.code() }),
            })
            .collect();
        json!({
            "id": self.id, "code": self.code, "title": self.title, "note": self.note, "duties": duties,
            "version": self.version, "updated_at": rfc3339(self.updated_at),
        })
    }
}

/// What somebody wants to write. `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// 1–20 letters, digits, `-` and `_`.
    pub code: Option<String>,
    /// 1–60 characters.
    pub title: Option<String>,
    /// At most 500 characters.
    pub note: Option<String>,
    /// All of them.
    pub duties: Option<Vec<(Party, Duty)>>,
}

impl Draft {
    /// `old` with the checked values. Units must be open and posts in use, unless they had a part before; exactly one
    /// approves and at least one is responsible.
    pub(super) fn applied(
        &self,
        old: &Process,
        directory: &Directory,
        catalogue: &Catalogue,
    ) -> Result<Process, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut new = old.clone();
        let texts = [
            ("code", &self.code, 20, &mut new.code, "请填写流程编码，例如 tousu"),
            ("title", &self.title, 60, &mut new.title, "请填写流程名称，例如“客户投诉处理”"),
        ];
        for (field, sent, longest, place, missing) in texts {
            if let Some(sent) = sent {
                match clean_value(Kind::Line, longest, sent) {
                    Ok(value) => *place = value,
                    Err(text) => errors.push(FieldError::new(field, text)),
                }
            }
            if place.is_empty() && !errors.iter().any(|e| e.field == field) {
                errors.push(FieldError::new(field, missing));
            }
        }
        if !new.code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            errors.push(FieldError::new("code", text!("流程编码只用字母、数字、- 和 _，最多 20 个")));
        }
        if let Some(note) = &self.note {
            match clean_value(Kind::Lines, 500, note) {
                Ok(value) => new.note = value,
                Err(text) => errors.push(FieldError::new("note", text)),
            }
        }
        if let Some(duties) = &self.duties {
            new.duties = duties.clone();
            new.duties.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
            new.duties.dedup();
        }
        if let Some(text) = problem_of(&new.duties) {
            errors.push(FieldError::new("duties", text));
        }
        let posts = catalogue.dictionary(POSTS);
        for (party, _) in &new.duties {
            let had_part = old.duties.iter().any(|(p, _)| p == party);
            let is_known = match party {
                Party::Unit(id) => directory.unit(*id).is_some_and(|u| !u.is_closed),
                Party::Post(code) => posts.active().any(|e| e.code == *code),
            };
            if !is_known && !had_part {
                errors.push(FieldError::new(
                    "duties",
                    text!("没有这个部门或岗位，或者它已撤销、停用，请重新选择"),
                ));
                break;
            }
        }
        if errors.is_empty() { Ok(new) } else { Err(errors) }
    }
}

/// What is wrong with the parts as a whole.
fn problem_of(duties: &[(Party, Duty)]) -> Option<crate::i18n::Text> {
    let count = |duty| duties.iter().filter(|(_, d)| *d == duty).count();
    let approving = count(Duty::Accountable);
    if duties.len() > MOST_PARTIES {
        return Some(text!("一个流程最多 {} 项分工，请合并", MOST_PARTIES));
    }
    if count(Duty::Responsible) == 0 {
        return Some(text!("每个流程至少要有一个“R 负责”，请指定由哪个部门或岗位负责"));
    }
    match approving {
        1 => None,
        0 => Some(text!("每个流程要有一个“A 批准”，请指定由谁批准")),
        n => Some(text!("每个流程只能有一个“A 批准”，现在有 {} 个，请只留一个", n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_approves_and_at_least_one_is_responsible() {
        let unit = |n| Party::Unit(UnitId(n));
        let (r, a, c) = (Duty::Responsible, Duty::Accountable, Duty::Consulted);
        for (duties, said) in [
            (vec![], Some("至少要有一个“R 负责”")),
            (vec![(unit(1), a)], Some("至少要有一个“R 负责”")),
            (vec![(unit(1), r)], Some("要有一个“A 批准”")),
            (vec![(unit(1), r), (unit(2), a), (unit(3), a)], Some("现在有 2 个")),
            (vec![(unit(1), r), (unit(1), a)], None),
            (vec![(unit(1), r), (unit(2), r), (unit(3), a), (unit(3), c)], None),
        ] {
            let problem = problem_of(&duties).map(|t| t.to(Lang::Zh));
            match said {
                None => assert_eq!(problem, None, "{duties:?}"),
                Some(said) => assert!(problem.is_some_and(|p| p.contains(said)), "{duties:?}"),
            }
        }
    }

    #[test]
    fn a_party_is_read_as_it_was_written() {
        for party in [Party::Unit(UnitId(77)), Party::Post("sales_manager".into())] {
            assert_eq!(Party::read(&party.key()), Some(party));
        }
        for bad in ["", "unit:", "unit:x", "post:", "person:1", "sales_manager"] {
            assert_eq!(Party::read(bad), None, "{bad}");
        }
    }
}
