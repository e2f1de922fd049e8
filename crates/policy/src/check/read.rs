//! Reading the files: TOML into `source` types, with the place of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::mend;
use super::unreadable::told;
use super::{LARGEST_FILE, MOST_FILES, MOST_PARTS, MOST_PROBLEMS, Problem, SourceFile};
use crate::source::{self, File};

/// Where something stands: which file, and which bytes of it.
#[derive(Clone, Debug)]
pub struct Place {
    file: usize,
    span: Range<usize>,
}

/// A part with its file.
#[derive(Debug)]
pub struct Part<T> {
    /// Which file.
    pub file: usize,
    /// The part.
    pub part: Spanned<T>,
}

impl<T> Part<T> {
    /// Where it begins.
    pub fn place(&self) -> Place {
        Place { file: self.file, span: self.part.span() }
    }

    /// The part.
    pub fn get(&self) -> &T {
        self.part.get_ref()
    }

    /// Where a text of it stands; where the part begins when the text has no place of its own.
    pub fn at(&self, text: &source::Text) -> Place {
        let span = text.span();
        Place { file: self.file, span: if span.is_empty() { self.part.span() } else { span } }
    }

    /// Where something within it stands.
    pub fn within<U>(&self, inner: &Spanned<U>) -> Place {
        Place { file: self.file, span: inner.span() }
    }
}

/// All parts of a policy.
#[derive(Debug)]
pub struct Parts {
    pub head: Part<source::Head>,
    pub clause: Vec<Part<source::Clause>>,
    pub setting: Vec<Part<source::Setting>>,
    pub role: Vec<Part<source::Role>>,
    pub form: Vec<Part<source::Form>>,
    pub step: Vec<Part<source::Step>>,
    pub authority: Vec<Part<source::Authority>>,
    pub deadline: Vec<Part<source::Deadline>>,
    pub trigger: Vec<Part<source::Trigger>>,
    pub duty: Vec<Part<source::Duty>>,
    pub refusal: Vec<Part<source::Refusal>>,
    pub penalty: Vec<Part<source::Penalty>>,
    pub retention: Vec<Part<source::Retention>>,
    pub access: Vec<Part<source::Access>>,
    pub metric: Vec<Part<source::Metric>>,
    pub report: Vec<Part<source::Report>>,
    pub notice: Vec<Part<source::Notice>>,
    pub standard: Vec<Part<source::Standard>>,
}

/// What is wrong so far. What only follows from something else that is wrong is left out: names that are defined where
/// a file could not be read, what a table lacks of which something had to be left out, and a name that is not known
/// everywhere but in the first place.
#[derive(Debug)]
pub struct Problems<'f> {
    files: &'f [SourceFile],
    all: Vec<Problem>,
    unknown: BTreeMap<Unknown, Places>,
    /// Files and places.
    torn: BTreeSet<(usize, usize)>,
    lost: BTreeSet<String>,
    /// Texts of files that cannot be read at all.
    unread: Vec<&'f str>,
}

/// A name that is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// Of what: 步骤, 字段 …
    what: String,
    name: String,
}

impl Unknown {
    /// A step, a field … of this name.
    pub fn new(what: &str, name: &str) -> Self {
        let (what, name) = match (what, name.rsplit_once('.')) {
            // The action of a step without buttons is known by its step.
            ("动作", Some((step, "submit" | "approved"))) => ("步骤", step),
            ("设置", _) => ("参数", name),
            ("列", _) => ("字段", name),
            _ => (what, name),
        };
        Self { what: what.to_owned(), name: name.to_owned() }
    }
}

/// Where a name is not known: the first place, and the files and lines of all.
#[derive(Clone, Debug)]
struct Places {
    first: Problem,
    all: BTreeSet<(String, usize)>,
}

impl Places {
    fn new(problem: Problem) -> Self {
        Self { all: BTreeSet::from([(problem.file.clone(), problem.line)]), first: problem }
    }

    fn join(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self.first = self.first.min(other.first);
        self
    }

    fn told(mut self) -> Problem {
        let more = self.all.len().saturating_sub(1);
        if more > 0 {
            self.first.text = format!("{}（另外还有 {more} 处）", self.first.text);
        }
        self.first
    }
}

impl<'f> Problems<'f> {
    /// Nothing yet.
    pub fn new(files: &'f [SourceFile]) -> Self {
        let (all, unknown, torn) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Self { files, all, unknown, torn, lost: BTreeSet::new(), unread: Vec::new() }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.unknown.is_empty()
    }

    /// Whether some part of the policy could not be read, so that nothing can be said to be missing.
    pub fn is_partial(&self) -> bool {
        !self.lost.is_empty() || !self.unread.is_empty()
    }

    /// Something is wrong here.
    pub fn add(&mut self, place: &Place, text: impl Into<String>) {
        if let Some(problem) = self.at(place, text.into()) {
            self.push(problem);
        }
    }

    /// A name is not known here.
    pub fn unknown(&mut self, place: &Place, unknown: Unknown, text: impl Into<String>) {
        let Some(problem) = self.at(place, text.into()) else { return };
        let new = Places::new(problem);
        match self.unknown.remove(&unknown) {
            Some(known) => drop(self.unknown.insert(unknown, known.join(new))),
            None if self.unknown.len() < MOST_PROBLEMS => drop(self.unknown.insert(unknown, new)),
            None => {}
        }
    }

    /// A name was to be defined by what is wrong already: where it is used, it is not to be told as unknown.
    pub fn lose(&mut self, name: &str) {
        self.lost.insert(name.to_owned());
    }

    /// Something is wrong as a whole.
    pub fn whole(&mut self, file: &str, text: impl Into<String>) {
        self.push(Problem { file: file.to_owned(), line: 0, text: text.into() });
    }

    /// Nothing where the file is known not to say what was meant.
    fn at(&self, place: &Place, text: String) -> Option<Problem> {
        if self.torn.contains(&(place.file, place.span.start)) {
            return None;
        }
        let file = self.files.get(place.file)?;
        Some(Problem { file: file.name.clone(), line: line_of(&file.text, place.span.start), text })
    }

    fn push(&mut self, problem: Problem) {
        if !self.is_full() && !self.all.contains(&problem) {
            self.all.push(problem);
        }
    }

    fn is_full(&self) -> bool {
        self.all.len() >= MOST_PROBLEMS
    }

    fn unreadable(&mut self, file: &SourceFile, error: &toml::de::Error) {
        // Finding the words takes a look at the whole file.
        if self.is_full() {
            return;
        }
        let (line, text) = told(&file.text, error);
        self.push(Problem { file: file.name.clone(), line, text });
    }

    /// Whether a name may be defined in what could not be read.
    fn is_lost(&self, unknown: &Unknown) -> bool {
        let is_lost =
            |name: &str| self.lost.contains(name) || self.unread.iter().any(|text| has_word(text, name));
        // Of `FORM.ACTION` and `STEP.submit` the form and the step.
        let owner = unknown.name.split_once('.').map(|(owner, _)| owner);
        is_lost(&unknown.name)
            || (matches!(unknown.what.as_str(), "事件" | "动作") && owner.is_some_and(is_lost))
    }

    /// All of it, by file and line.
    pub fn done(mut self) -> Vec<Problem> {
        let mut unknown: BTreeMap<Unknown, Places> = BTreeMap::new();
        for (name, places) in self.unknown.iter().filter(|(name, _)| !self.is_lost(name)) {
            let name = self.same(name);
            let places = match unknown.remove(&name) {
                Some(known) => known.join(places.clone()),
                None => places.clone(),
            };
            unknown.insert(name, places);
        }
        // A form that is not known may be called as a step that was lost with it: something is always told.
        if self.all.is_empty() && unknown.is_empty() {
            let all = std::mem::take(&mut self.unknown).into_values().map(Places::told);
            self.all.extend(all.min());
        }
        self.all.extend(unknown.into_values().map(Places::told));
        self.all.sort();
        self.all.truncate(MOST_PROBLEMS);
        self.all
    }

    /// Under which name it is told: `FORM.ACTION` of a form that is not known with that form.
    fn same(&self, unknown: &Unknown) -> Unknown {
        let form = unknown.name.split_once('.').filter(|_| unknown.what == "事件");
        let form = form.map(|(form, _)| Unknown::new("表单", form));
        form.filter(|form| self.unknown.contains_key(form)).unwrap_or_else(|| unknown.clone())
    }
}

/// Whether a word stands in a text, not as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    !word.is_empty()
        && text
            .match_indices(word)
            .any(|(at, _)| !text[..at].ends_with(is_inner) && !text[at + word.len()..].starts_with(is_inner))
}

/// The line of a byte, counted from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Reads all files but the scenarios.
pub fn read<'f>(files: &'f [SourceFile], problems: &mut Problems<'f>) -> Option<Parts> {
    if files.len() > MOST_FILES {
        problems.whole("policy.toml", format!("文件太多，最多 {MOST_FILES} 个"));
        return None;
    }
    let mut head = None;
    let mut parts = Lists::default();
    for (number, file) in files.iter().enumerate() {
        if file.name.starts_with("scenarios/") || !file.name.ends_with(".toml") {
            continue;
        }
        if file.text.len() > LARGEST_FILE {
            problems.whole(&file.name, format!("文件太大，最多 {} KiB，请拆成几个文件", LARGEST_FILE / 1024));
            continue;
        }
        match toml::from_str::<File>(&file.text) {
            Ok(read) => parts.take(number, read, &mut head, problems),
            Err(error) => parts.mend(number, file, &error, &mut head, problems),
        }
    }
    let Some(head) = head else {
        if problems.is_empty() {
            problems.whole("policy.toml", "缺少 [policy]：制度的代号、名称和版本");
        }
        return None;
    };
    parts.with(head, problems)
}

impl Lists {
    /// Takes what can be read of a file that is not in order.
    fn mend<'f>(
        &mut self,
        number: usize,
        file: &'f SourceFile,
        error: &toml::de::Error,
        head: &mut Option<Part<source::Head>>,
        problems: &mut Problems<'f>,
    ) {
        let parts = if problems.is_full() { None } else { mend::parts(&file.text).ok() };
        let Some(all) = parts else {
            problems.unreadable(file, error);
            problems.lost.extend(mend::names(&file.text));
            problems.unread.push(&file.text);
            return;
        };
        if all.iter().all(|mended| mended.faults.is_empty()) {
            problems.unreadable(file, error);
        }
        for mended in all {
            mended.faults.iter().for_each(|fault| problems.unreadable(file, fault));
            problems.torn.extend(mended.torn.iter().map(|begin| (number, *begin)));
            problems.lost.extend(mended.lost);
            if let Some(part) = mended.part {
                self.take(number, part, head, problems);
            }
        }
    }
}

macro_rules! lists {
    ($($name:ident: $type:ident),* $(,)?) => {
        #[derive(Debug, Default)]
        struct Lists { $($name: Vec<Part<source::$type>>),* }

        impl Lists {
            fn take(
                &mut self,
                number: usize,
                file: File,
                head: &mut Option<Part<source::Head>>,
                problems: &mut Problems<'_>,
            ) {
                if let Some(part) = file.policy {
                    let part = Part { file: number, part };
                    if head.is_some() {
                        problems.add(&part.place(), "[policy] 只能写一次");
                    } else {
                        *head = Some(part);
                    }
                }
                $(self.$name.extend(file.$name.into_iter().map(|part| Part { file: number, part }));)*
            }

            fn with(self, head: Part<source::Head>, problems: &mut Problems<'_>) -> Option<Parts> {
                let mut fits = true;
                $(if let Some(first) = self.$name.get(MOST_PARTS) {
                    problems.add(&first.place(), format!("[[{}]] 太多，最多 {MOST_PARTS} 个", stringify!($name)));
                    fits = false;
                })*
                fits.then_some(Parts { head, $($name: self.$name),* })
            }
        }
    };
}

lists! {
    clause: Clause, setting: Setting, role: Role, form: Form, step: Step, authority: Authority, deadline: Deadline,
    trigger: Trigger, duty: Duty, refusal: Refusal, penalty: Penalty, retention: Retention, access: Access,
    metric: Metric, report: Report, notice: Notice, standard: Standard,
}
