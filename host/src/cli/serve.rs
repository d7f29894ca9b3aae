//! `stead serve`: works on jobs, submits those that are due, answers its API, and sees to it that no machine is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use stead_queue::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::Context;
use super::secrets::Revealed;
use super::{service, unit};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::follow;
use crate::job::{Admitted, Api, Bound, KnownToken, Scheduler, Service, Serving, Sso, Worker};
use crate::repo::{Listen, Proof, Repo};

/// How often machines are looked for that no job owns.
const REAP: Duration = Duration::from_secs(60);
/// How often old jobs and files are taken away.
const CLEAN: Duration = Duration::from_secs(60 * 60);

/// Work on the jobs of the queue, submit those of schedules, and serve the HTTP API and the page of `[serve]`.
///
/// Runs until it is told to end (SIGTERM, Ctrl-C). What it works on then is handed back: the next one goes on with it, and
/// its machines and their commands run meanwhile. At SIGHUP it reads `stead.toml` anew: policies, grants, schedules, tokens, SSO and
/// `[retention]`. Providers, the queue and where it listens are read at the start only, and a file that is wrong changes nothing.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// How many jobs at once.
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    workers: u32,
    /// What this one is called among others of the same queue.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where the API and the page listen, instead of where [serve] says: ADDRESS:PORT, or unix:/PATH.
    #[arg(long, value_name = "PLACE")]
    listen: Option<Listen>,
    /// Print a unit of systemd that runs this, and do nothing else: `stead serve --print-unit > /etc/systemd/system/stead.service`.
    #[arg(long)]
    print_unit: bool,
}

impl Serve {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        if self.print_unit {
            context.terminal.print(&unit::serve(context, &repo)?);
            return Ok(Exit::Done);
        }
        let service = Arc::new(service::open(context, &repo).await?);
        let name = self.name.clone().unwrap_or_else(|| format!("serve-{}", std::process::id()));
        let worker = Worker::new(service.clone(), &name)?;
        let no_signals = |error: std::io::Error| Failure::new(Blame::Host, Exit::Internal, &error);
        let mut ends = signal(SignalKind::terminate()).map_err(no_signals)?;
        let serving = self.api(context, &repo, &service)?;
        let mut hangups = signal(SignalKind::hangup()).map_err(no_signals)?;
        let reloading = async {
            loop {
                hangups.recv().await;
                reload(context, &service, serving.as_ref());
            }
        };
        let ending = async {
            tokio::select! {
                _ = ends.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            worker.stop();
            serving.iter().for_each(Serving::stop);
        };
        context.terminal.say(&format!("{name}: up to {} jobs at once\n", self.workers));
        unit::ready();
        let working = async { tokio::join!(worker.run(self.workers), ending).0 };
        let worked = tokio::select! {
            worked = working => worked,
            () = reaping(context, &service) => Ok(()),
            () = cleaning(context, &service) => Ok(()),
            () = scheduling(context, &service) => Ok(()),
            () = reloading => Ok(()),
        };
        if let Some(serving) = serving {
            serving.join();
        }
        worked?;
        Ok(Exit::Done)
    }

    /// The API, when `[serve]` or the command line wants one.
    fn api(&self, context: &Context, repo: &Repo, service: &Arc<Service>) -> Result<Option<Serving>, Failure> {
        let Some(listen) = self.listen.clone().or_else(|| repo.serve().map(|serve| serve.listen.clone())) else {
            return Ok(None);
        };
        let admitted = admitted(repo)?;
        let failed = |error: std::io::Error| {
            Failure::new(Blame::Operator, Exit::Unavailable, &format!("cannot listen at {listen}: {error}"))
        };
        let bound = Bound::new(&listen).map_err(failed)?;
        context.terminal.say(&format!("listening at {}\n", bound.at()));
        let api = Api::new(service.clone(), admitted, follow::folder(&context.place.state));
        Ok(Some(api.and_then(|api| api.serve(bound)).map_err(failed)?))
    }
}

/// Reads `stead.toml` anew. One that is wrong changes nothing.
fn reload(context: &Context, service: &Service, serving: Option<&Serving>) {
    let read = Repo::open(&context.repo).map_err(Failure::from).and_then(|repo| Ok((admitted(&repo)?, repo)));
    match read {
        Ok((admitted, repo)) => {
            if let Some(serving) = serving {
                serving.admit(admitted);
            }
            service.reload(repo);
            context.terminal.say("stead.toml was read again\n");
        }
        Err(failure) => {
            context.terminal.say(&format!("{failure}\nstead.toml is wrong: the service goes on with what it had\n"));
        }
    }
}

/// Whom `[serve]` lets in.
fn admitted(repo: &Repo) -> Result<Admitted, Failure> {
    let mut secrets = Revealed::default();
    let mut admitted = Admitted::default();
    let Some(serve) = repo.serve() else { return Ok(admitted) };
    for (name, token) in &serve.tokens {
        let access = token.access.clone();
        admitted.tokens.push(match &token.proof {
            Proof::Digest(digest) => KnownToken::by_digest(name, *digest, access),
            Proof::Secret(secret) => KnownToken::by_secret(name, &secrets.value(repo, secret.as_str())?, access),
        });
    }
    if let Some(sso) = &serve.sso {
        let secret = secrets.value(repo, sso.secret.as_str())?;
        let ca = sso.ca.as_ref().map(|ca| repo.folder().join(ca));
        admitted.sso = Some(Arc::new(Sso::new(sso.clone(), secret, ca)));
    }
    Ok(admitted)
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
async fn scheduling(context: &Context, service: &Service) {
    let mut scheduler = Scheduler::default();
    loop {
        let look = scheduler.look(service, Timestamp::now()).await;
        for (name, submitted) in &look.submitted {
            context.terminal.say(&format!("job {}: {name} is due\n", submitted.job));
        }
        for (name, error) in &look.failed {
            context.terminal.say(&format!("cannot submit {name}, which is due: {error}\n"));
        }
        sleep(look.pause).await;
    }
}

/// Never ends.
async fn reaping(context: &Context, service: &Service) {
    let mut reapers = BTreeMap::new();
    loop {
        for round in service.reap(&mut reapers).await {
            match round {
                Ok(round) => {
                    for doomed in &round.destroyed {
                        context.terminal.say(&format!("destroyed {}, which no job owns\n", doomed.name));
                    }
                    for failed in &round.failed {
                        context.terminal.say(&format!("cannot destroy {}: {}\n", failed.doomed.name, failed.error));
                    }
                }
                Err(error) => context.terminal.say(&format!("{error}\n")),
            }
        }
        match service.reap_containers().await {
            Ok(0) => {}
            Ok(removed) => context.terminal.say(&format!("removed {removed} containers, which no job owns\n")),
            Err(error) => context.terminal.say(&format!("{error}\n")),
        }
        sleep(REAP).await;
    }
}
