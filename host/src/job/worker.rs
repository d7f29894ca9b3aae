//! Works on one job after another: keeps its lease, runs its policy, cleans up, says how it ended.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use stead_queue::{Cause, Claimed, Ending, Lease, Outcome, QueueError, WorkerName};
use stead_vm::name::Owner;
use tokio::sync::Mutex;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use super::asks;
use super::commands::Commands;
use super::containers::{self, Containers};
use super::door::JobDoor;
use super::grant::{CONTAINER, HTTP, VM};
use super::halt::{Halt, Halting};
use super::input::Input;
use super::log::Log;
use super::machines::{Machines, Reached};
use super::mask::Masks;
use super::record::Record;
use super::requests::{self, Http};
use super::scope::Scope;
use super::service::Service;
use crate::capability::compose::Engines;
use crate::capability::vpn::Meshes;
use crate::error::Failure;
use crate::policy::job::{self, JobEnd, JobError};
use crate::policy::{Policy, printable_lines};
use crate::repo;

/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 3;
/// How often the machines are told that they are still wanted.
const RENEW_MACHINES: Duration = Duration::from_secs(120);
/// How often it is looked at most whether a job was cancelled: every line of a log is a change.
const LOOK: Duration = Duration::from_millis(250);
/// How long it waits for a queue that does not answer.
const AWAY: Duration = Duration::from_secs(1);
/// How long a policy may take to see that it is to stop.
const GRACE: Duration = Duration::from_secs(2);

/// A worker; several of them may share a service.
#[derive(Clone, Debug)]
pub struct Worker {
    service: Arc<Service>,
    name: WorkerName,
    stop: Halting,
}

/// What works on a job while its policy runs.
struct Shared {
    machines: Arc<Mutex<Machines>>,
    reached: Reached,
    /// `None`: the policy has no grant for containers, so there are none.
    contained: Option<Owner>,
    halting: Halting,
    trouble: Arc<std::sync::Mutex<Option<Cause>>>,
}

impl Worker {
    /// # Errors
    /// When its name is none.
    pub fn new(service: Arc<Service>, name: &str) -> Result<Self, QueueError> {
        Ok(Self { service, name: WorkerName::new(name)?, stop: Halting::new() })
    }

    /// Makes this worker and its clones hand back what they work on, and end.
    pub fn stop(&self) {
        self.stop.say(Halt::Released);
    }

    /// Works on what comes, on so many jobs at once, until it is stopped.
    ///
    /// # Errors
    /// When the queue fails.
    pub async fn run(&self, most: u32) -> Result<(), QueueError> {
        LocalSet::new().run_until(self.take(most)).await
    }

    async fn take(&self, most: u32) -> Result<(), QueueError> {
        let mut working: JoinSet<Result<(), QueueError>> = JoinSet::new();
        loop {
            let room = most.saturating_sub(u32::try_from(working.len()).unwrap_or(u32::MAX));
            tokio::select! {
                () = self.stop.wait() => break,
                claimed = self.next(room), if room > 0 => {
                    for claimed in claimed? {
                        let worker = self.clone();
                        working.spawn_local(async move { worker.work(claimed).await });
                    }
                }
                Some(_) = working.join_next() => {}
            }
        }
        working.join_all().await.into_iter().collect()
    }

    /// A database that does not answer now may be back soon, and what is at work goes on meanwhile.
    async fn next(&self, most: u32) -> Result<Vec<Claimed>, QueueError> {
        match self.service.store.queue.next(&self.name, most).await {
            Err(QueueError::Database(_) | QueueError::Lost(_) | QueueError::Connect(_)) => {
                sleep(AWAY).await;
                Ok(Vec::new())
            }
            claimed => claimed,
        }
    }

    /// Works on one job to its end.
    ///
    /// # Errors
    /// When the queue fails; another attempt goes on then.
    async fn work(&self, claimed: Claimed) -> Result<(), QueueError> {
        let (lease, name, since) = (claimed.lease, claimed.name.clone(), Instant::now());
        self.count_lost(&claimed).await?;
        let ended = self.attempt(claimed).await?;
        if let Some(outcome) = &ended {
            self.service.figures.attempt(name.as_str(), outcome, since.elapsed());
        }
        match ended {
            Some(outcome) => match self.service.store.queue.finish(lease, outcome).await {
                // Another one has it.
                Err(QueueError::Fenced(_)) => Ok(()),
                Err(error @ QueueError::TooLarge { .. }) => {
                    let outcome = Outcome::Failed { cause: Cause::PolicyError, message: error.to_string() };
                    self.service.store.queue.finish(lease, outcome).await.map(drop)
                }
                finished => finished.map(drop),
            },
            None => Ok(()),
        }
    }

    /// Whoever goes on with a job counts that the one before was lost.
    async fn count_lost(&self, claimed: &Claimed) -> Result<(), QueueError> {
        let Some(before) = claimed.lease.attempt().checked_sub(1).filter(|before| *before > 0) else { return Ok(()) };
        let attempts = self.service.store.queue.attempts(claimed.lease.job()).await?;
        let ended =
            attempts.iter().find(|attempt| attempt.lease.attempt() == before).and_then(|one| one.ended.as_ref());
        if ended.is_some_and(|ended| ended.how == Ending::Failed(Cause::WorkerLost)) {
            self.service.figures.lost(claimed.name.as_str());
        }
        Ok(())
    }

    /// How the attempt ended; `None`: it is not this worker's any more.
    async fn attempt(&self, claimed: Claimed) -> Result<Option<Outcome>, QueueError> {
        let failed = |message: String| Some(Outcome::Failed { cause: Cause::PolicyError, message });
        let Ok(input) = serde_json::from_slice::<Input>(&claimed.input) else {
            return Ok(failed("the input is none that this version of stead has submitted".to_owned()));
        };
        let repo = self.service.repo();
        let Some(policy) = repo.policies().find(|policy| policy.name.as_str() == claimed.name.as_str()) else {
            return Ok(failed(format!("stead.toml has no [policy.{}]", claimed.name.as_str())));
        };
        let component = match repo.read_component(policy) {
            Ok(component) => component,
            Err(error) => {
                let Failure { message, help, .. } = Failure::from(error);
                return Ok(failed(format!("{message}: {}", help.unwrap_or_default())));
            }
        };
        let shared = self.shared(&claimed, policy);
        let door = self.door(&claimed, policy, &input, &shared).await?;
        let config = serde_json::Value::Object(policy.config.clone());
        let runs = Policy {
            name: policy.name.as_str(),
            component: &component,
            grants: &policy.grants,
            config: &config,
            meshes: &Meshes::new(),
            engines: &Engines::new(),
            backups: &Default::default(),
            limits: policy.limits,
        };
        let (asks, asked) = asks::door();
        let running = async {
            let run = self.service.runtime.run_job(&runs, &input.input, Box::new(asks));
            // The policy's side closes the door when it has ended.
            let (ended, ()) = tokio::join!(run, door.serve(asked));
            ended
        };
        let ended = tokio::select! {
            ended = running => ended,
            () = self.keep(&claimed, &shared) => Err(JobError::Closed),
        };
        self.outcome(claimed.lease, ended, &shared).await
    }

    fn shared(&self, claimed: &Claimed, policy: &repo::Policy) -> Shared {
        let (service, owner) = (&self.service, owner(claimed));
        let (reached, keys): (_, PathBuf) = (Reached::default(), service.keys.clone());
        let contained = policy.grants.has(CONTAINER).then(|| owner.clone());
        let machines = Machines::new(service.providers.clone(), owner, keys, reached.clone());
        let (machines, halting) = (Arc::new(Mutex::new(machines)), Halting::new());
        Shared { machines, reached, contained, halting, trouble: Arc::default() }
    }

    async fn door(
        &self,
        claimed: &Claimed,
        policy: &repo::Policy,
        input: &Input,
        shared: &Shared,
    ) -> Result<JobDoor, QueueError> {
        let queue = &self.service.store.queue;
        let log = Arc::new(Mutex::new(Log::open(queue, claimed).await?));
        let mut artifacts = input.attached.clone();
        for (run, artifact) in queue.artifacts(claimed.lease.job()).await? {
            if run == claimed.run {
                let digest = crate::digest::Digest::from_hex(artifact.place);
                artifacts.insert(artifact.name.as_str().to_owned(), digest);
            }
        }
        let (halting, masks) = (shared.halting.clone(), Masks::default());
        let commands = |what| Commands::new(what, log.clone(), halting.clone(), masks.clone());
        let (commands, contained) = (commands("command"), commands("container"));
        Ok(JobDoor {
            queue: queue.clone(),
            lease: claimed.lease,
            policy: policy.name.to_string(),
            scope: scope::<Scope>(policy, VM),
            requests: scope::<requests::Scope>(policy, HTTP),
            record: Record::new(queue, claimed),
            contained: scope::<containers::Scope>(policy, CONTAINER),
            commands,
            containers: Containers::new(self.service.containers.clone(), owner(claimed), contained),
            log,
            machines: shared.machines.clone(),
            files: self.service.store.files.clone(),
            store: self.service.store.clone(),
            is_bound: false,
            vault: self.service.vault.clone(),
            prices: self.service.prices.clone(),
            http: Http,
            artifacts,
            halting: shared.halting.clone(),
            trouble: shared.trouble.clone(),
        })
    }

    /// Keeps the lease and the machines, and sees to it that the job stops when it must. Ends when it has to be stopped and
    /// its policy does not see it, for it computes.
    async fn keep(&self, claimed: &Claimed, shared: &Shared) {
        let renewing = self.renew(claimed, shared);
        let machines = async {
            loop {
                sleep(RENEW_MACHINES).await;
                for access in shared.reached.all() {
                    // One that cannot be reached now is tried again long before its lease ends.
                    let _ = access.renew().await;
                }
            }
        };
        let deadline = async {
            match claimed.time_left {
                Some(left) => sleep(left).await,
                None => std::future::pending().await,
            }
            shared.halting.say(Halt::TimedOut);
        };
        let stopping = async {
            self.stop.wait().await;
            shared.halting.say(Halt::Released);
        };
        let cancelling = self.cancelled(claimed, shared);
        let never = async { tokio::join!(renewing, machines, deadline, stopping, cancelling) };
        tokio::select! {
            _ = never => {}
            () = async { shared.halting.wait().await; sleep(GRACE).await } => {}
        }
    }

    /// Sees at once that somebody wants it cancelled; a renewal sees it later, if the word of it is lost.
    async fn cancelled(&self, claimed: &Claimed, shared: &Shared) {
        let queue = &self.service.store.queue;
        let mut changes = queue.changes();
        loop {
            changes.wait().await;
            let job = queue.job(claimed.lease.job()).await;
            if job.is_ok_and(|job| job.is_cancelled && job.attempt == claimed.lease.attempt()) {
                return shared.halting.say(Halt::Cancelled);
            }
            sleep(LOOK).await;
        }
    }

    async fn renew(&self, claimed: &Claimed, shared: &Shared) {
        let (mut lasts, mut since) = (claimed.lasts, Instant::now());
        loop {
            sleep(lasts / RENEWALS).await;
            // Counted from before it was asked for, as the queue counts.
            let asked = Instant::now();
            match self.service.store.queue.renew(claimed.lease).await {
                Ok(renewed) if renewed.is_cancelled => shared.halting.say(Halt::Cancelled),
                Ok(renewed) => (lasts, since) = (renewed.lasts, asked),
                Err(error @ QueueError::Fenced(_)) => shared.halting.say(Halt::Lost(error)),
                Err(error) if since.elapsed() >= lasts => shared.halting.say(Halt::Lost(error)),
                // The database may be back before the lease is over.
                Err(_) => {}
            }
        }
    }

    async fn outcome(
        &self,
        lease: Lease,
        ended: Result<JobEnd, JobError>,
        shared: &Shared,
    ) -> Result<Option<Outcome>, QueueError> {
        let halt = shared.halting.said();
        let outcome = match (ended, halt) {
            (Err(JobError::Closed), Some(Halt::Lost(QueueError::Fenced(_)))) => return Ok(None),
            (Err(JobError::Closed), Some(Halt::Lost(error))) => return Err(error),
            (Err(JobError::Closed), Some(Halt::Released) | None) => return Ok(Some(Outcome::Released)),
            (Err(JobError::Closed), Some(Halt::Cancelled)) => Outcome::Cancelled,
            (Err(JobError::Closed), Some(Halt::TimedOut)) => {
                Outcome::Failed { cause: Cause::TimedOut, message: "it took longer than it may".to_owned() }
            }
            (Err(JobError::Closed), Some(Halt::Diverged(message))) => {
                Outcome::Failed { cause: Cause::PolicyError, message }
            }
            (Err(JobError::Policy(error)), _) => {
                Outcome::Failed { cause: Cause::PolicyError, message: printable_lines(&error.to_string()) }
            }
            (Ok(JobEnd::Done(result)), _) => Outcome::Succeeded { result: result.into_bytes() },
            (Ok(JobEnd::Failed { message, retry, because }), _) => {
                let trouble = *shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                let cause = because.map(|because| cause(because, trouble)).or(trouble).unwrap_or(Cause::Temporary);
                Outcome::Failed { cause: if retry { cause } else { Cause::PolicyError }, message }
            }
        };
        if let Some(owner) = &shared.contained {
            // What cannot be removed now is the reaper's.
            let _ = self.service.containers.remove_all(owner).await;
        }
        // What cannot be destroyed now is the reaper's, and has cost as much as it could until it is gone.
        for gone in shared.machines.lock().await.destroy_all().await {
            let _ = self.service.store.queue.settle(lease, &gone, true).await;
        }
        Ok(Some(outcome))
    }
}

/// Who owns the machines and containers: a run is what goes on when a worker dies, so they are the run's.
fn owner(claimed: &Claimed) -> Owner {
    let attempt = u32::try_from(claimed.run.number()).unwrap_or(u32::MAX);
    Owner { job: claimed.lease.job().to_string(), attempt }
}

/// What the operator grants of one thing.
fn scope<S: Clone + 'static>(policy: &repo::Policy, name: &str) -> Option<Arc<S>> {
    policy.grants.scope(name)?.downcast_ref::<S>().cloned().map(Arc::new)
}

/// The queue's word for what a policy says. Whether a machine was lost is known here: the pauses for that are shorter than a
/// policy should get by saying so.
fn cause(because: job::Cause, trouble: Option<Cause>) -> Cause {
    let is_lost = matches!(trouble, Some(Cause::VmLost | Cause::Preempted));
    match because {
        job::Cause::VmLost if is_lost => Cause::VmLost,
        job::Cause::Preempted if is_lost => Cause::Preempted,
        job::Cause::Temporary | job::Cause::VmLost | job::Cause::Preempted => Cause::Temporary,
        job::Cause::NoCapacity => Cause::NoCapacity,
    }
}
