//! The one-off containers of one run of a job, on the server of its worker.
//!
//! Like a machine, a container belongs to the run and is found by its name, which follows from the calls alone; unlike one, it
//! can be reached from its own server only.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use stead_vm::access::Output;
use stead_vm::name::Owner;
use tokio::sync::OnceCell;

use super::commands::{Commands, Followed, Heard, MOST};
use super::machines::Trouble;
use crate::capability::compose::{OneOffError, OneOffs, Project};
use crate::machine::Machine;
use crate::policy::job::{Failure, Outcome};

mod scope;
mod start;

pub(super) use scope::Scope;
pub(super) use start::{Asked, Filling};

/// Labels by which they are found again.
const INSTALLATION: &str = "stead.installation";
const JOB: &str = "stead.job";
const RUN: &str = "stead.run";

/// Where containers are, for all jobs of a service.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) root: PathBuf,
    pub(super) state: PathBuf,
    pub(super) apps: PathBuf,
    pub(super) installation: String,
    engine: Arc<OnceCell<Arc<OneOffs>>>,
}

/// All that the run has asked for.
#[derive(Debug)]
pub(super) struct Containers {
    place: Place,
    owner: Owner,
    /// By number: what it is called, and whether it was removed.
    all: Vec<(String, bool)>,
    pub(super) commands: Commands,
}

/// One that is followed.
struct Container {
    engine: Arc<OneOffs>,
    name: String,
}

impl Place {
    pub(super) fn new(root: PathBuf, state: PathBuf, apps: PathBuf, installation: String) -> Self {
        Self { root, state, apps, installation, engine: Arc::default() }
    }

    /// The engine, once it has answered.
    async fn engine(&self) -> Result<Arc<OneOffs>, OneOffError> {
        let open = async || {
            let machine = Machine::open(&self.root, &self.state);
            let machine = machine.map_err(|error| OneOffError::Refused(error.to_string()))?;
            Ok(Arc::new(OneOffs::open(Arc::new(machine.with_apps(self.apps.clone()))).await?))
        };
        self.engine.get_or_try_init(open).await.cloned()
    }

    /// Removes those of a run, and of no other.
    ///
    /// # Errors
    /// When Docker refuses; what is left is the reaper's.
    pub(super) async fn remove_all(&self, owner: &Owner) -> Result<(), OneOffError> {
        let engine = self.engine().await?;
        for (id, of) in self.list(&engine).await? {
            if of == *owner {
                engine.remove(&id).await?;
            }
        }
        Ok(())
    }

    /// All of this place, with the runs that own them.
    async fn list(&self, engine: &OneOffs) -> Result<Vec<(String, Owner)>, OneOffError> {
        let found = engine.list(INSTALLATION, &self.installation).await?;
        let owner = |listed: crate::capability::compose::Listed| {
            let owner = Owner {
                job: listed.labels.get(JOB).cloned().unwrap_or_default(),
                attempt: listed.labels.get(RUN).and_then(|run| run.parse().ok()).unwrap_or_default(),
            };
            (listed.id, owner)
        };
        Ok(found.into_iter().map(owner).collect())
    }

    /// The runs that own containers here, before anybody asks which of them are live; and what removes them.
    ///
    /// # Errors
    /// When Docker refuses.
    pub(super) async fn owners(&self) -> Result<Vec<(String, Owner)>, OneOffError> {
        let engine = self.engine().await?;
        self.list(&engine).await
    }

    /// Removes one.
    ///
    /// # Errors
    /// When Docker refuses.
    pub(super) async fn remove(&self, id: &str) -> Result<(), OneOffError> {
        self.engine().await?.remove(id).await
    }
}

impl Containers {
    pub(super) fn new(place: Place, owner: Owner, commands: Commands) -> Self {
        Self { place, owner, all: Vec::new(), commands }
    }

    /// Follows what an earlier attempt has started, and what may still run.
    pub(super) async fn take_up(&mut self) {
        for (number, _) in self.commands.alone() {
            let way = match (self.place.engine().await, self.name(number)) {
                (Ok(engine), Ok(name)) => Ok(Box::new(Container { engine, name }) as Box<dyn Followed>),
                (Err(error), _) => Err(error.into()),
                (_, Err(failure)) => Err(failure),
            };
            self.commands.follow(number, way);
        }
    }

    fn name(&self, number: u32) -> Result<String, Failure> {
        let index = usize::try_from(number).unwrap_or(usize::MAX).wrapping_sub(1);
        match self.all.get(index) {
            Some((name, false)) => Ok(name.clone()),
            Some((_, true)) => Err(Failure::invalid("container", format!("{number} was removed"))),
            None => Err(Failure::invalid("container", format!("this job has started no container {number}"))),
        }
    }

    /// What the next one is called.
    fn next(&self, project: &Project, service: &str) -> String {
        let (Owner { job, attempt }, installation) = (&self.owner, &self.place.installation);
        format!("{project}-{service}-run-{installation}-{job}-{attempt}-{}", self.all.len() + 1)
    }
}

#[async_trait(?Send)]
impl Followed for Container {
    async fn follow(&self, heard: &mut Heard) -> Result<Outcome, Trouble> {
        let mut size = 0;
        let take = async |bytes: &[u8]| {
            size += bytes.len() as u64;
            if size > MOST {
                return Err(Failure::TooLarge(format!("it wrote more than {MOST} bytes")).into());
            }
            heard.take(bytes, size).await
        };
        let ended = self.engine.follow::<Trouble>(&self.name, take).await?;
        Ok(match ended.out_of_memory && ended.code != 0 {
            true => Outcome::OutOfMemory,
            false => Outcome::Exited(u8::try_from(ended.code).unwrap_or(u8::MAX)),
        })
    }

    async fn cancel(&self) -> Result<(), Trouble> {
        Ok(self.engine.end(&self.name, false).await?)
    }

    async fn why(&self, failure: Failure) -> Failure {
        failure
    }
}

impl From<OneOffError> for Failure {
    fn from(error: OneOffError) -> Self {
        match error {
            OneOffError::Gone => Self::Lost(error.to_string()),
            OneOffError::TooLarge { .. } => Self::TooLarge(error.to_string()),
            OneOffError::NoFile { .. } => Self::invalid("path", error.to_string()),
            OneOffError::NoApp(_) => Self::invalid("project", error.to_string()),
            OneOffError::NoService { .. } => Self::invalid("service", error.to_string()),
            OneOffError::Engine(_) | OneOffError::Refused(_) => Self::Other(error.to_string()),
        }
    }
}

impl From<OneOffError> for Trouble {
    fn from(error: OneOffError) -> Self {
        Self::Failure(error.into())
    }
}
