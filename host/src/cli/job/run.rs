//! `stead job run`: a job at once, with its log.

use std::sync::Arc;

use clap::Args;
use stead_queue::{JobId, State};

use super::follow::{Follow, Place};
use super::submit::What;
use crate::cli::{Context, service};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::job::{Service, Worker};
use crate::repo::Repo;

/// Run a job now, and show its log.
///
/// Prints its result. The first interrupt (Ctrl-C) cancels it, and its machines are destroyed; what is left when the
/// program itself is killed is taken up, or destroyed, by `stead serve`, and ends by itself when nobody does.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    #[command(flatten)]
    what: What,
}

impl Run {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let service = Arc::new(service::open(context, &repo).await?);
        let job = self.what.submit(&repo, &service.store).await?.job;
        context.terminal.say(&format!("job {job}\n"));
        let worker = Worker::new(service.clone(), &format!("run-{}", std::process::id()))?;
        let working = worker.run(1);
        let following = async {
            let shown =
                Follow { store: &service.store, terminal: context.terminal, place: Place::Side }.until_end(job).await;
            worker.stop();
            shown
        };
        let (worked, ended) = tokio::join!(working, cancelling(&service, job, following));
        worked?;
        let ended = ended?;
        let result = service.store.queue.result(job).await?;
        if let Some(result) = result {
            context.terminal.print(&format!("{}\n", String::from_utf8_lossy(&result)));
        }
        match ended.state {
            State::Succeeded => Ok(Exit::Done),
            _ => Err(why(&service, job).await?),
        }
    }
}

/// Goes on, and cancels the job at the first interrupt.
async fn cancelling<T>(
    service: &Service,
    job: JobId,
    going: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut going = std::pin::pin!(going);
    tokio::select! {
        done = &mut going => return done,
        _ = tokio::signal::ctrl_c() => service.store.queue.cancel(job).await?,
    };
    going.await
}

/// Why the job came to nothing.
async fn why(service: &Service, job: JobId) -> Result<Failure, Failure> {
    let attempts = service.store.queue.attempts(job).await?;
    let last = attempts.iter().rev().find_map(|attempt| attempt.ended.as_ref());
    let words = last.map(|ended| format!("{}: {}", ended.how, ended.message)).unwrap_or_default();
    let words = words.trim_end_matches(": ").to_owned();
    Ok(Failure::new(Blame::Policy, Exit::JobFailed, &format!("job {job}: {words}")))
}
