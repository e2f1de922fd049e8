//! `kehu export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use store::Options;

use super::{Failure, Network, Place, open, say};
use crate::access::Actor;
use crate::app::App;
use crate::clock::Clock;
use crate::imports::{Format, export};
use crate::web::{FormData, QueryData};
use crate::{customers, menu};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 导出客户到 CSV 或 XLSX 文件(按扩展名)
    Customers(Arguments),
}

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// 要写的文件,以 .csv 或 .xlsx 结尾
    file: PathBuf,
    /// 条件(CEL),例如:class == "key" && region.startsWith("广东省")
    #[arg(long)]
    filter: Option<String>,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Customers(arguments) = command;
    let ending = arguments.file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let format =
        Format::named(ending).ok_or_else(|| Failure::Usage("文件名要以 .csv 或 .xlsx 结尾".into()))?;
    let config = arguments.place.config(&Network::default())?;
    let db = open(&config, &Options { readers: 2, writers: 1, ..Options::default() })?;
    let app = App::new(db, config, Clock::System, menu::HOOKS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let count = runtime.block_on(async {
        let mut query = FormData::default();
        if let Some(filter) = &arguments.filter {
            query.0.push(("filter".to_owned(), filter.clone()));
        }
        let query = QueryData(query);
        let catalogue = app.catalogue().await?;
        let read = customers::web::list_query(&query, &catalogue, &app.zone)?;
        // Written beside and renamed, so that a failure leaves no half file under the name.
        let folder = arguments.file.parent().filter(|p| !p.as_os_str().is_empty());
        let temp = tempfile::NamedTempFile::new_in(folder.unwrap_or(std::path::Path::new(".")))?;
        let count =
            export(&app, &Actor::command_line(), read, &query.with(&[]), format, temp.reopen()?).await?;
        temp.persist(&arguments.file).map_err(|e| Failure::from(e.error))?;
        Ok::<_, Failure>(count)
    })?;
    say(&format!("已导出 {count} 个客户到 {}", arguments.file.display()))
}
