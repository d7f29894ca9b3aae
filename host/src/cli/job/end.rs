//! `stead job cancel` and `stead job retry`.

use clap::Args;
use stead_queue::{Cancelled, JobId};

use super::{number, store};
use crate::cli::Context;
use crate::error::Failure;
use crate::exit::Exit;

/// Cancel a job: it stops, and its machines are destroyed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Cancel {
    /// The number of the job.
    #[arg(value_parser = number)]
    job: JobId,
}

/// Try a job again that has failed, from the beginning.
#[derive(Debug, Args)]
pub(in crate::cli) struct Retry {
    /// The number of the job.
    #[arg(value_parser = number)]
    job: JobId,
}

impl Cancel {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let said = match store(context)?.queue.cancel(self.job).await? {
            Cancelled::AtOnce => "cancelled before it began".to_owned(),
            Cancelled::Asked => "its worker stops it within seconds".to_owned(),
            Cancelled::TooLate(state) => format!("it was {state} already"),
        };
        context.terminal.say(&format!("job {}: {said}\n", self.job));
        Ok(Exit::Done)
    }
}

impl Retry {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        store(context)?.queue.retry(self.job).await?;
        context.terminal.say(&format!("job {}: it waits for a worker\n", self.job));
        Ok(Exit::Done)
    }
}
