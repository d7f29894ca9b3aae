//! `stead job show`: all about one job.

use std::collections::BTreeMap;

use clap::Args;
use stead_queue::{Attempt, Job, JobId};

use super::ls::at;
use super::{number, store};
use crate::cli::Context;
use crate::error::Failure;
use crate::exit::Exit;
use crate::job::{Amount, costs};
use crate::policy::printable;

/// Show a job: its attempts, and its result.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The number of the job.
    #[arg(value_parser = number)]
    job: JobId,
}

impl Show {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let queue = store(context)?.queue;
        let job = queue.job(self.job).await?;
        let attempts = queue.attempts(self.job).await?;
        let result = queue.result(self.job).await?;
        let spent = queue.spent(self.job).await?;
        context.terminal.print(&text(&job, &attempts, &costs(&spent), result.as_deref()));
        Ok(Exit::Done)
    }
}

fn text(job: &Job, attempts: &[Attempt], costs: &BTreeMap<&str, (u64, bool)>, result: Option<&[u8]>) -> String {
    let asked = if job.is_cancelled { ", to be cancelled" } else { "" };
    let mut text = format!(
        "job        {}\npolicy     {}\nstate      {}{asked}\nsubmitted  {}\n",
        job.id,
        job.name.as_str(),
        job.state,
        at(job.submitted)
    );
    if let Some(progress) = &job.progress {
        text.push_str(&format!("progress   {} %, {}\n", progress.permille / 10, printable(&progress.message)));
    }
    for attempt in attempts {
        let how = match &attempt.ended {
            None => "at work".to_owned(),
            Some(ended) if ended.message.is_empty() => format!("{} {}", ended.how, at(ended.at)),
            Some(ended) => format!("{} {}: {}", ended.how, at(ended.at), printable(&ended.message)),
        };
        let (number, worker) = (attempt.lease.attempt(), attempt.worker.as_str());
        text.push_str(&format!("attempt {number:<2} by {worker}, {}: {how}\n", at(attempt.started)));
    }
    for (currency, (micros, grows)) in costs {
        let amount = Amount { micros: *micros, currency: (*currency).to_owned() };
        text.push_str(&format!("cost       {}{amount}\n", if *grows { "at most " } else { "" }));
    }
    if let Some(result) = result {
        text.push_str(&format!("result     {}\n", printable(&String::from_utf8_lossy(result))));
    }
    text
}
