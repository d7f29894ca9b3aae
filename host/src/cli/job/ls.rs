//! `stead job ls`: what waits, runs and has ended.

use clap::Args;
use stead_queue::{Filter, Job, JobName, State, Timestamp};

use super::store;
use crate::cli::Context;
use crate::cli::table::table;
use crate::cli::when::when;
use crate::error::Failure;
use crate::exit::Exit;

/// List jobs, the newest first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Ls {
    /// Only those of this policy.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only those in this state.
    #[arg(long, value_name = "STATE", value_parser = state)]
    only: Option<State>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    most: u32,
}

impl Ls {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let filter = Filter { name: self.name.map(JobName::new).transpose()?, state: self.only };
        let jobs = store(context)?.queue.list(filter, None, self.most).await?;
        let rows: Vec<_> = jobs.iter().map(row).collect();
        context.terminal.print(&table(&rows));
        Ok(Exit::Done)
    }
}

fn row(job: &Job) -> [String; 5] {
    let progress = job.progress.as_ref().filter(|_| job.state == State::Running);
    let said = progress
        .map(|progress| format!("{} %, {}", progress.permille / 10, crate::policy::printable(&progress.message)));
    [
        job.id.to_string(),
        job.name.as_str().to_owned(),
        job.state.to_string(),
        at(job.submitted),
        said.unwrap_or_else(|| job.ended.map(|ended| format!("ended {}", at(ended))).unwrap_or_default()),
    ]
}

/// An instant, in UTC.
pub(super) fn at(at: Timestamp) -> String {
    when(at.as_millis())
}

fn state(text: &str) -> Result<State, String> {
    let known: Vec<_> = State::ALL.iter().map(|state| state.word()).collect();
    State::from_word(text).ok_or_else(|| format!("a state is {}", known.join(", ")))
}
