//! The machines of one run of a job.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use stead_queue::QueueError;
use stead_vm::access::{Access, AccessError, Keys};
use stead_vm::machine::State;
use stead_vm::name::{Owner, VmName};
use stead_vm::provider::{Cause, Provider, ProviderError};
use tokio::time::sleep;

use crate::policy::job::Failure;

mod launch;

/// Providers by their names in `stead.toml`.
pub type Providers = BTreeMap<String, Arc<dyn Provider>>;

/// How long a machine may take to let us in.
const BOOT: Duration = Duration::from_secs(15 * 60);
/// How often a provider is asked whether a machine is still there.
const LOOK: Duration = Duration::from_secs(5);
/// How often a provider is asked whether a machine that failed is going down.
const DYING: u32 = 3;
/// How much of a console is shown.
const CONSOLE: usize = 2000;

/// All machines that the run has asked for.
#[derive(Debug)]
pub(super) struct Machines {
    pub(super) providers: Arc<Providers>,
    pub(super) owner: Owner,
    /// Where the keys of each lie.
    pub(super) keys: PathBuf,
    /// Counts the calls, so that each has a name that no other one has.
    asked: u32,
    all: BTreeMap<String, Machine>,
    reached: Reached,
}

/// Those that can be logged in to, for whoever renews their leases.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached(Arc<Mutex<BTreeMap<VmName, Access>>>);

/// A machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    name: VmName,
    provider: Arc<dyn Provider>,
    access: Option<Access>,
    is_gone: bool,
}

/// What went wrong while something was done in a machine.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The policy is told.
    Failure(Failure),
    /// The job cannot go on here.
    Queue(QueueError),
}

impl Machines {
    pub(super) fn new(providers: Arc<Providers>, owner: Owner, keys: PathBuf, reached: Reached) -> Self {
        Self { providers, owner, keys, asked: 0, all: BTreeMap::new(), reached }
    }

    /// Waits until these let us in.
    ///
    /// # Errors
    /// The first that does not.
    pub(super) async fn ready(&mut self, names: &[String]) -> Result<(), Failure> {
        let machines: Vec<_> = names.iter().map(|name| self.find(name)).collect::<Result<_, _>>()?;
        let ways = try_join_all(machines.iter().map(|machine| machine.ready(&self.keys))).await?;
        for (name, access) in names.iter().zip(ways) {
            if let Some(machine) = self.all.get_mut(name) {
                self.reached.add(&machine.name, &access);
                machine.access = Some(access);
            }
        }
        Ok(())
    }

    /// The way into a machine.
    ///
    /// # Errors
    /// When there is none, or nobody has waited for it.
    pub(super) async fn access(&mut self, name: &str) -> Result<(Machine, Access), Failure> {
        let machine = self.find(name)?;
        if machine.access.is_none() {
            // An earlier attempt has waited for it; or else this does.
            self.ready(&[name.to_owned()]).await?;
        }
        let machine = self.find(name)?.clone();
        let access = machine.access.clone().ok_or_else(|| Failure::Lost(format!("the machine {name} is gone")))?;
        Ok((machine, access))
    }

    fn find(&self, name: &str) -> Result<&Machine, Failure> {
        let machine = self.all.get(name).ok_or_else(|| Failure::invalid("machine", format!("there is no {name:?}")))?;
        if machine.is_gone { Err(Failure::invalid("machine", format!("{name} was destroyed"))) } else { Ok(machine) }
    }

    /// Destroys a machine.
    ///
    /// # Errors
    /// When something may be left.
    pub(super) async fn destroy(&mut self, name: &str) -> Result<(), Failure> {
        let machine = self.find(name)?.clone();
        machine.destroy(&self.keys, &self.reached).await.map_err(refused)?;
        self.replay_destroy(name);
        Ok(())
    }

    /// The same for a call that an earlier attempt made.
    pub(super) fn replay_destroy(&mut self, name: &str) {
        if let Some(machine) = self.all.get_mut(name) {
            machine.is_gone = true;
        }
    }

    /// Destroys all that are left, and answers the names of those that are gone; the others are the reaper's.
    pub(super) async fn destroy_all(&mut self) -> Vec<String> {
        let mut gone = Vec::new();
        for (name, machine) in self.all.iter_mut().filter(|(_, machine)| !machine.is_gone) {
            if machine.destroy(&self.keys, &self.reached).await.is_ok() {
                machine.is_gone = true;
                gone.push(name.clone());
            }
        }
        gone
    }

    /// The provider of this name.
    pub(super) fn provider(&self, name: &str) -> Option<Arc<dyn Provider>> {
        self.providers.get(name).cloned()
    }
}

impl Machine {
    async fn ready(&self, keys: &std::path::Path) -> Result<Access, Failure> {
        if let Some(access) = &self.access {
            return Ok(access.clone());
        }
        let deadline = Instant::now() + BOOT;
        let address = loop {
            if let Some(address) = self.look().await?.flatten() {
                break address;
            }
            if Instant::now() > deadline {
                return Err(Failure::Other(format!("{} has no address after {BOOT:?}", self.name)));
            }
            sleep(LOOK).await;
        };
        let access = Access::new(self.name.clone(), address, &keys.join(self.name.as_str()));
        let mut looked = Instant::now();
        let ready = access.ready::<Trouble>(BOOT, async || self.look_sometimes(&mut looked).await).await;
        match ready {
            Ok(()) => Ok(access),
            Err(trouble) => Err(self.explain(trouble).await),
        }
    }

    async fn explain(&self, trouble: Trouble) -> Failure {
        let failure = match trouble {
            Trouble::Failure(failure) => failure,
            Trouble::Queue(error) => Failure::Other(error.to_string()),
        };
        let Failure::Other(words) = failure else { return failure };
        let console = self.provider.console(&self.name).await.ok().flatten().unwrap_or_default();
        let start = console.len().saturating_sub(CONSOLE);
        let end: String = console.char_indices().filter(|(at, _)| *at >= start).map(|(_, letter)| letter).collect();
        Failure::Other(format!("{words}\n{end}"))
    }

    /// A failure in words of its own may be that of a machine which is going down: while it does, it still answers.
    pub(super) async fn why(&self, failure: Failure) -> Failure {
        if !matches!(failure, Failure::Other(_)) {
            return failure;
        }
        for _ in 0..DYING {
            if let Err(lost) = self.look().await {
                return lost;
            }
            sleep(LOOK).await;
        }
        failure
    }

    /// Whether it is still there, asked for now and then only.
    ///
    /// # Errors
    /// When it is not.
    pub(super) async fn look_sometimes(&self, looked: &mut Instant) -> Result<(), Trouble> {
        if looked.elapsed() >= LOOK {
            *looked = Instant::now();
            self.look().await.map_err(Trouble::Failure)?;
        }
        Ok(())
    }

    /// Where it is; `None`: the provider does not answer, or does not list it yet.
    async fn look(&self) -> Result<Option<Option<std::net::SocketAddr>>, Failure> {
        // A provider that fails to answer now says nothing about the machine.
        let Ok(listed) = self.provider.list().await else { return Ok(None) };
        let Some(vm) = listed.into_iter().find(|vm| vm.name == self.name) else { return Ok(None) };
        match vm.state {
            State::Starting | State::Running => Ok(Some(vm.address)),
            State::Preempted => Err(Failure::Preempted(format!("the provider took {} back", self.name))),
            State::Ended | State::Remains => Err(Failure::Lost(format!("{} has ended by itself", self.name))),
        }
    }

    async fn destroy(&self, keys: &std::path::Path, reached: &Reached) -> Result<(), ProviderError> {
        reached.remove(&self.name);
        let mut pause = Duration::from_secs(1);
        loop {
            match self.provider.destroy(&self.name).await {
                Err(_) if pause < Duration::from_secs(8) => sleep(pause).await,
                Err(error) => return Err(error),
                Ok(()) => break,
            }
            pause *= 2;
        }
        // The keys of a machine that is gone open nothing.
        let _ = Keys::forget(&keys.join(self.name.as_str()));
        Ok(())
    }
}

impl Reached {
    fn add(&self, name: &VmName, access: &Access) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), access.clone());
    }

    fn remove(&self, name: &VmName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Access> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl From<AccessError> for Trouble {
    fn from(error: AccessError) -> Self {
        Self::Failure(match error {
            AccessError::TooLarge { .. } => Failure::TooLarge(error.to_string()),
            AccessError::NoFile { .. } => Failure::invalid("path", error.to_string()),
            AccessError::Lost { .. } => Failure::Lost(error.to_string()),
            other => Failure::Other(other.to_string()),
        })
    }
}

impl From<QueueError> for Trouble {
    fn from(error: QueueError) -> Self {
        match error {
            // What one job may keep is used up: the policy's affair.
            QueueError::Full { .. } | QueueError::TooLarge { .. } => {
                Self::Failure(Failure::TooLarge(error.to_string()))
            }
            other => Self::Queue(other),
        }
    }
}

/// What a provider said, as the policy is told.
fn refused(error: ProviderError) -> Failure {
    match error.cause {
        Cause::NoCapacity | Cause::Quota => Failure::NoCapacity(error.words),
        Cause::Preempted => Failure::Preempted(error.words),
        Cause::Invalid | Cause::NotFound => Failure::invalid("request", error.words),
        _ => Failure::Other(error.words),
    }
}
