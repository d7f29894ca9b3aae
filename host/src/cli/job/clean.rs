//! `stead job clean`: takes away old jobs, and files that no job names.

use clap::Args;

use super::store;
use crate::cli::Context;
use crate::error::Failure;
use crate::exit::Exit;
use crate::policy::ByteSize;
use crate::repo::Repo;

/// Delete jobs that have ended and are not kept, and files that no job names any more.
///
/// `[retention]` in stead.toml says which are kept: `age = "30 days"`, `count = 1000`; all, when it says nothing. `stead serve` does
/// the same every hour.
#[derive(Debug, Args)]
pub(in crate::cli) struct Clean {}

impl Clean {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let keep = Repo::open(&context.repo)?.keep();
        let cleaned = store(context)?.clean(keep).await?;
        let (jobs, files, size) = (cleaned.jobs, cleaned.files, ByteSize(cleaned.bytes));
        context.terminal.say(&format!("deleted {jobs} jobs and {files} files of {size}\n"));
        Ok(Exit::Done)
    }
}
