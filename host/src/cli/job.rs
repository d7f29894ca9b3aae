//! `stead job`: work that is done in machines of its own.

use clap::Subcommand;
use stead_queue::JobId;

use super::Context;
use super::queue::store;
use crate::error::Failure;
use crate::exit::Exit;

mod artifacts;
mod clean;
mod end;
mod follow;
mod logs;
mod ls;
mod run;
mod show;
mod submit;

/// Run jobs, each in machines of its own.
#[derive(Debug, Subcommand)]
pub(super) enum Job {
    Run(run::Run),
    Submit(submit::Submit),
    Ls(ls::Ls),
    Show(show::Show),
    Logs(logs::Logs),
    Cancel(end::Cancel),
    Retry(end::Retry),
    Artifacts(artifacts::Artifacts),
    Clean(clean::Clean),
}

impl Job {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Run(run) => run.run(context).await,
            Self::Submit(submit) => submit.run(context).await,
            Self::Ls(ls) => ls.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Logs(logs) => logs.run(context).await,
            Self::Cancel(cancel) => cancel.run(context).await,
            Self::Retry(retry) => retry.run(context).await,
            Self::Artifacts(artifacts) => artifacts.run(context).await,
            Self::Clean(clean) => clean.run(context).await,
        }
    }
}

/// The number of a job, as it is printed when it is submitted.
fn number(text: &str) -> Result<JobId, String> {
    let number = text.parse().map_err(|_| format!("{text:?} is no number of a job, as `stead job ls` shows them"))?;
    Ok(JobId::from_number(number))
}
