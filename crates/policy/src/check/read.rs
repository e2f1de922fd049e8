//! Reading the files: TOML into `source` types, with the place of everything.

use std::ops::Range;

use toml::Spanned;

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

/// What is wrong so far.
#[derive(Debug)]
pub struct Problems<'f> {
    files: &'f [SourceFile],
    all: Vec<Problem>,
}

impl<'f> Problems<'f> {
    /// Nothing yet.
    pub fn new(files: &'f [SourceFile]) -> Self {
        Self { files, all: Vec::new() }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Something is wrong here.
    pub fn add(&mut self, place: &Place, text: impl Into<String>) {
        let Some(file) = self.files.get(place.file) else { return };
        let line = line_of(&file.text, place.span.start);
        self.push(Problem { file: file.name.clone(), line, text: text.into() });
    }

    /// Something is wrong as a whole.
    pub fn whole(&mut self, file: &str, text: impl Into<String>) {
        self.push(Problem { file: file.to_owned(), line: 0, text: text.into() });
    }

    fn push(&mut self, problem: Problem) {
        if self.all.len() < MOST_PROBLEMS && !self.all.contains(&problem) {
            self.all.push(problem);
        }
    }

    /// All of it, by file and line.
    pub fn done(mut self) -> Vec<Problem> {
        self.all.sort();
        self.all
    }
}

/// The line of a byte, counted from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Reads all files but the scenarios.
pub fn read(files: &[SourceFile], problems: &mut Problems<'_>) -> Option<Parts> {
    if files.len() > MOST_FILES {
        problems.whole("policy.toml", format!("文件太多,最多 {MOST_FILES} 个"));
        return None;
    }
    let mut head = None;
    let mut parts = Lists::default();
    for (number, file) in files.iter().enumerate() {
        if file.name.starts_with("scenarios/") || !file.name.ends_with(".toml") {
            continue;
        }
        if file.text.len() > LARGEST_FILE {
            problems.whole(&file.name, format!("文件太大,最多 {} KiB,请拆成几个文件", LARGEST_FILE / 1024));
            continue;
        }
        match toml::from_str::<File>(&file.text) {
            Ok(read) => parts.take(number, read, &mut head, problems),
            Err(error) => {
                let (line, text) = told(&file.text, &error);
                problems.push(Problem { file: file.name.clone(), line, text });
            }
        }
    }
    let Some(head) = head else {
        if problems.is_empty() {
            problems.whole("policy.toml", "缺少 [policy]:制度的代号、名称和版本");
        }
        return None;
    };
    parts.with(head, problems)
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
                    problems.add(&first.place(), format!("[[{}]] 太多,最多 {MOST_PARTS} 个", stringify!($name)));
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
