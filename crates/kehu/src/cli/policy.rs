//! `kehu policy`: regulations as files – checked, tried out, shown and compared before anybody publishes them – and due
//! times. No database is opened, but for a due time that is asked for on the company's own calendar.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use policy::{Policy, Problem, Settings, SourceFile};
use workday::{Calendar, Within};

use super::{Failure, Place, say};
use crate::calendar;
use crate::clock::Zone;
use crate::policies::{self, read_folder};

/// Where policies are looked for when nobody says.
const HOME: &str = "policies";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 检查制度文件：每个错误给出文件、行号和原因
    Check {
        /// 制度的文件夹，或装着多个制度的文件夹；默认 policies
        paths: Vec<PathBuf>,
    },
    /// 运行情景测试，并列出每一条款有没有情景验证
    Test {
        /// 制度的文件夹，或装着多个制度的文件夹；默认 policies
        paths: Vec<PathBuf>,
    },
    /// 把制度按条款、表单、流程、参数列出来给人看
    Show {
        /// 制度的文件夹，或装着多个制度的文件夹；默认 policies
        paths: Vec<PathBuf>,
    },
    /// 比较制度的两个版本
    Diff {
        /// 旧版本的文件夹
        old: PathBuf,
        /// 新版本的文件夹
        new: PathBuf,
    },
    /// 推算到期时间：第一行是到期时间，下面是推算过程
    Due {
        /// 起算时间，如 "2026-09-28 16:20"
        #[arg(long)]
        from: String,
        /// 时限，如 5wd（工作日）、7d（日历天）、24h、next-day 10:00
        #[arg(long)]
        within: String,
        /// 按公司的工作日历（页面上标注的放假和上班）推算；不写时只按国务院公布的安排
        #[arg(long)]
        company: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { paths } => check(&read(paths)?),
        Command::Test { paths } => test(&read(paths)?),
        Command::Show { paths } => show(&read(paths)?),
        Command::Diff { old, new } => diff(&read_one(old)?, &read_one(new)?),
        Command::Due { from, within, company, place } => due(from, within, company.then_some(place)),
    }
}

/// A policy's folder, read.
struct Folder {
    path: PathBuf,
    files: Vec<SourceFile>,
    /// What could not be read.
    problems: Vec<Problem>,
}

impl Folder {
    fn compile(&self) -> Result<Policy, Vec<Problem>> {
        let checked = policies::compile(&self.files, &Settings::new());
        if self.problems.is_empty() {
            return checked;
        }
        let mut problems = self.problems.clone();
        problems.extend(checked.err().unwrap_or_default());
        Err(problems)
    }

    /// `policies/repair/forms.toml:12`.
    fn place(&self, file: &str, line: usize) -> String {
        let path = self.path.join(file).display().to_string();
        if line == 0 { path } else { format!("{path}:{line}") }
    }

    fn tell(&self, problems: &[Problem]) -> Result<(), Failure> {
        for problem in problems {
            say(&format!("{}: {}", self.place(&problem.file, problem.line), problem.text))?;
        }
        Ok(())
    }
}

/// The policies the paths mean, at least one.
fn read(paths: &[PathBuf]) -> Result<Vec<Folder>, Failure> {
    let home = [PathBuf::from(HOME)];
    let paths = if paths.is_empty() { &home } else { paths };
    let mut folders = Vec::new();
    for path in paths {
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        if path.join("policy.toml").is_file() {
            folders.push(read_one(path)?);
            continue;
        }
        let mut below: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.join("policy.toml").is_file())
            .collect();
        below.sort();
        if below.is_empty() {
            let text = format!("{} 里没有制度：制度的文件夹里要有 policy.toml", path.display());
            return Err(Failure::Usage(text));
        }
        for path in below {
            folders.push(read_one(&path)?);
        }
    }
    Ok(folders)
}

fn read_one(path: &Path) -> Result<Folder, Failure> {
    let (files, problems) = read_folder(path).map_err(|error| unreadable(path, &error))?;
    if files.is_empty() && problems.is_empty() {
        return Err(Failure::Usage(format!("{} 里没有制度：制度的文件夹里要有 policy.toml", path.display())));
    }
    Ok(Folder { path: path.to_owned(), files, problems })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let shown = path.display();
    Failure::Usage(match error.kind() {
        ErrorKind::NotFound => format!("没有文件夹 {shown}，请检查路径"),
        ErrorKind::NotADirectory => format!("{shown} 不是文件夹，请写制度所在的文件夹"),
        ErrorKind::PermissionDenied => format!("没有权限读文件夹 {shown}"),
        _ => format!("读不了文件夹 {shown}：{error}"),
    })
}

fn check(folders: &[Folder]) -> Result<(), Failure> {
    let mut wrong = 0;
    for folder in folders {
        match folder.compile() {
            Ok(policy) => {
                say(&format!("{}: {} {} 没有错误", folder.path.display(), policy.title, policy.version))?;
            }
            Err(problems) => {
                folder.tell(&problems)?;
                wrong += problems.len();
            }
        }
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Refused(format!("发现 {wrong} 处错误"))) }
}

/// What all tests together came to.
#[derive(Default)]
struct Sum {
    scenarios: usize,
    failed: usize,
    clauses: usize,
    exercised: usize,
    standards: usize,
    bare: usize,
    wrong: usize,
}

fn test(folders: &[Folder]) -> Result<(), Failure> {
    let mut sum = Sum::default();
    for folder in folders {
        test_one(folder, &mut sum)?;
    }
    say(&format!(
        "{} 部制度，{} 个情景，{} 个失败；{} 条条款，{} 条有情景验证，{} 条只是规范，{} 条没有情景验证",
        folders.len(),
        sum.scenarios,
        sum.failed,
        sum.clauses,
        sum.exercised,
        sum.standards,
        sum.bare
    ))?;
    if sum.wrong > 0 {
        return Err(Failure::Refused(format!("发现 {} 处错误，先用 kehu policy check 检查", sum.wrong)));
    }
    if sum.failed > 0 {
        return Err(Failure::Refused(format!("{} 个情景没有通过", sum.failed)));
    }
    if sum.bare > 0 {
        return Err(Failure::Refused(format!("{} 条条款没有情景验证", sum.bare)));
    }
    Ok(())
}

fn test_one(folder: &Folder, sum: &mut Sum) -> Result<(), Failure> {
    let policy = match folder.compile() {
        Ok(policy) => policy,
        Err(problems) => {
            folder.tell(&problems)?;
            sum.wrong += problems.len();
            return Ok(());
        }
    };
    say(&format!("{} {}（{}）", policy.title, policy.version, folder.path.display()))?;
    let mut exercised = BTreeSet::new();
    for report in policies::test(&folder.files) {
        sum.scenarios += 1;
        sum.failed += usize::from(!report.is_green());
        let verdict = if report.is_green() { "ok  " } else { "FAIL" };
        say(&format!("  {verdict} {} {}", report.file, report.title))?;
        for (line, text) in &report.failures {
            say(&format!("       {}: {text}", folder.place(&report.file, *line)))?;
        }
        exercised.extend(report.clauses);
    }
    for clause in &policy.clauses {
        let by = policy.citing(&clause.id);
        sum.clauses += 1;
        let mark = if exercised.contains(&clause.id) {
            sum.exercised += 1;
            "+   "
        } else if !by.is_empty() && by.iter().all(|(what, _)| *what == "规范") {
            sum.standards += 1;
            "规范"
        } else {
            sum.bare += 1;
            "-   "
        };
        let by: Vec<String> = by.iter().map(|(what, title)| format!("{what}“{title}”")).collect();
        say(format!("  {mark} {} {}  {}", clause.id, clause.title, by.join("、")).trim_end())?;
    }
    Ok(())
}

fn show(folders: &[Folder]) -> Result<(), Failure> {
    let mut wrong = 0;
    for folder in folders {
        match folder.compile() {
            Ok(policy) => say(policy::show::show(&policy).trim_end())?,
            Err(problems) => {
                folder.tell(&problems)?;
                wrong += problems.len();
            }
        }
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Refused(format!("发现 {wrong} 处错误"))) }
}

fn diff(old: &Folder, new: &Folder) -> Result<(), Failure> {
    let mut read = Vec::new();
    for folder in [old, new] {
        match folder.compile() {
            Ok(policy) => read.push(policy),
            Err(problems) => {
                folder.tell(&problems)?;
                return Err(Failure::Refused(format!("{} 有错误，比较不了", folder.path.display())));
            }
        }
    }
    let found = policy::diff::diff(&read[0], &read[1]);
    for change in &found {
        let sign = match change.kind {
            policy::diff::Kind::Added => '+',
            policy::diff::Kind::Removed => '-',
            policy::diff::Kind::Changed => '~',
        };
        let clause = change.clause.as_ref().map_or_else(String::new, |clause| format!("（{clause}）"));
        say(&format!("{sign} {}{clause}", change.text))?;
    }
    if found.is_empty() { say("没有不同") } else { Ok(()) }
}

fn due(from: &str, within: &str, company: Option<&Place>) -> Result<(), Failure> {
    let usage = |text: String| Failure::Usage(text);
    let from = Zone::default()
        .parse(from)
        .ok_or_else(|| usage(format!("起算时间“{from}”要写成 2026-09-28 16:20")))?;
    let within: Within = within.parse().map_err(|error: workday::Error| usage(error.to_string()))?;
    let calendar = match company {
        Some(place) => place.open_unchanged()?.0.read_blocking(calendar::marks)?.calendar(),
        None => Calendar::mainland(),
    };
    let due = calendar.due(from, within, &[]).map_err(|error| usage(error.to_string()))?;
    say(&due.to_string())?;
    say(&due.explain_as("受理"))
}
