//! `kehu audit verify`.

use clap::Subcommand;

use super::{Failure, Place, say};
use crate::audit::{self, Problem};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 检查审计日志是否被改动过
    Verify {
        #[command(flatten)]
        place: Place,
        /// 与先前打印的链头文件比对(每行“链 序号 摘要”),可发现整库回退
        #[arg(long)]
        anchor: Option<std::path::PathBuf>,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Verify { place, anchor } = command;
    let (db, _) = place.open_unchanged()?;
    let reports = db.read_blocking(audit::verify)?;
    let mut wrong = 0;
    for report in &reports {
        let verdict = report.problem.as_ref().map_or_else(|| "完好".to_owned(), Problem::zh);
        wrong += usize::from(report.problem.is_some());
        say(&format!("{} {} {}  {verdict}", report.chain, report.rows, report.head))?;
    }
    if let Some(path) = anchor {
        for line in std::fs::read_to_string(path)?.lines() {
            let mut parts = line.split_whitespace();
            let (Some(chain), Some(seq), Some(hash)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let (Ok(chain), Ok(seq)) = (chain.parse::<i64>(), seq.parse::<i64>()) else { continue };
            let hash = hash.to_owned();
            let expected = hash.clone();
            let found: Option<String> = db.read_blocking(move |conn| {
                conn.value(
                    "SELECT hash FROM audit_log WHERE chain = $1 AND seq = $2",
                    &[chain.into(), seq.into()],
                )
            })?;
            if seq > 0 && found.as_deref() != Some(&expected) {
                wrong += 1;
                say(&format!("链 {chain} 第 {seq} 条与先前的链头不符：数据被改动或整库被回退"))?;
            }
        }
    }
    if wrong == 0 {
        say("审计日志完好")
    } else {
        Err(Failure::Refused(format!("发现 {wrong} 处问题")))
    }
}
