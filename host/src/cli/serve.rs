//! `stead serve`: works on jobs, and sees to it that no machine is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::Context;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::job::{Service, Worker};
use crate::repo::Repo;

/// How often machines are looked for that no job owns.
const REAP: Duration = Duration::from_secs(60);
/// How often old jobs and files are taken away.
const CLEAN: Duration = Duration::from_secs(60 * 60);

/// Work on the jobs of the queue.
///
/// Runs until it is told to end (SIGTERM, Ctrl-C). What it works on then is handed back: the next one goes on with it, and
/// its machines and their commands run meanwhile.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// How many jobs at once.
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    workers: u32,
    /// What this one is called among others of the same queue.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let service = Arc::new(Service::open(Repo::open(&context.repo)?, &context.place.state)?);
        let name = self.name.unwrap_or_else(|| format!("serve-{}", std::process::id()));
        let worker = Worker::new(service.clone(), &name)?;
        let no_signals = |error: std::io::Error| Failure::new(Blame::Host, Exit::Internal, &error);
        let mut ends = signal(SignalKind::terminate()).map_err(no_signals)?;
        let ending = async {
            tokio::select! {
                _ = ends.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            worker.stop();
        };
        context.terminal.say(&format!("{name}: up to {} jobs at once\n", self.workers));
        let working = async { tokio::join!(worker.run(self.workers), ending).0 };
        tokio::select! {
            worked = working => worked?,
            () = reaping(context, &service) => {}
            () = cleaning(context, &service) => {}
        }
        Ok(Exit::Done)
    }
}

/// Never ends.
async fn cleaning(context: &Context, service: &Service) {
    loop {
        if let Err(error) = service.clean().await {
            context.terminal.say(&format!("{error}\n"));
        }
        sleep(CLEAN).await;
    }
}

/// Never ends.
async fn reaping(context: &Context, service: &Service) {
    let mut reapers = BTreeMap::new();
    loop {
        match service.reap(&mut reapers).await {
            Ok(rounds) => {
                for doomed in rounds.iter().flat_map(|round| &round.destroyed) {
                    context.terminal.say(&format!("destroyed {}, which no job owns\n", doomed.name));
                }
                for failed in rounds.iter().flat_map(|round| &round.failed) {
                    context.terminal.say(&format!("cannot destroy {}: {}\n", failed.doomed.name, failed.error));
                }
            }
            Err(error) => context.terminal.say(&format!("{error}\n")),
        }
        sleep(REAP).await;
    }
}
