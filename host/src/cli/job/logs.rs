//! `stead job logs`: what a job says, and what its commands write.

use clap::Args;
use stead_queue::JobId;

use super::follow::{Follow, Place};
use super::{number, store};
use crate::cli::Context;
use crate::error::Failure;
use crate::exit::Exit;

/// Show the log of a job.
#[derive(Debug, Args)]
pub(in crate::cli) struct Logs {
    /// The number of the job.
    #[arg(value_parser = number)]
    job: JobId,
    /// Go on until the job has ended.
    #[arg(long, short)]
    follow: bool,
}

impl Logs {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let store = store(context)?;
        let follow = Follow { store: &store, terminal: context.terminal, place: Place::Answer };
        // One that is not there has no empty log.
        store.queue.job(self.job).await?;
        if self.follow {
            follow.until_end(self.job).await?;
        } else {
            follow.what_is_there(self.job, 0).await?;
        }
        Ok(Exit::Done)
    }
}
