//! What all jobs of one place share: the queue, the policies of the repo, the providers, and the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use stead_queue::{JobId, Place, Queue, QueueError, Server, Settings, State};
use stead_vm::machine::Vm;
use stead_vm::name::{Installation, NameError, Owner};
use stead_vm::provider::qemu::{ImageError, Qemu};
use stead_vm::provider::{self, Cause, Provider, ProviderError};
use stead_vm::reaper::{LiveAttempts, Reaper, Round, Rules};
use stead_vm::request::Size;

use super::clean::Cleaned;
use super::containers;
use super::figures::Figures;
use super::files::{FileError, Files};
use super::grant::CONTAINER;
use super::machines::Providers;
use super::price::{self, Prices};
use super::seen::Seen;
use super::vault::Vault;
use crate::capability::compose::OneOffError;
use crate::machine::{create_private_folder, replace};
use crate::policy::{PolicyError, Runtime};
use crate::random;
use crate::repo::{Identity, Repo};

/// The provider that is there without a table.
const EMBEDDED: &str = "qemu";

/// What jobs leave: also there for whoever only looks.
#[derive(Clone, Debug)]
pub struct Store {
    pub queue: Queue,
    pub files: Files,
    /// Whether other servers share the queue, and files by it.
    pub(super) is_shared: bool,
}

/// Everything that a worker needs.
#[derive(Debug)]
pub struct Service {
    pub store: Store,
    repo: RwLock<Arc<Repo>>,
    pub(super) runtime: Runtime,
    pub(super) providers: Arc<Providers>,
    pub(super) prices: Arc<Prices>,
    pub(super) vault: Vault,
    /// Where the keys of machines lie.
    pub(super) keys: PathBuf,
    pub(super) containers: containers::Place,
    pub(super) figures: Figures,
    pub(super) seen: Seen,
}

/// `[provider.NAME]` of each provider, with the values of the secrets that it names.
pub type ProviderTables = BTreeMap<String, Map<String, Value>>;
/// What a round of the reaper did at one provider; the error says why it could not look.
pub type Reaped = Result<Round, ServiceError>;

/// It cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("cannot use {path}: {source}", path = path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the queue of jobs: {0}")]
    Queue(#[from] QueueError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("[provider.{name}]: {reason}")]
    Price { name: String, reason: String },
    #[error("[provider.{name}]: {source}")]
    Provider { name: String, source: ProviderError },
    #[error("one-off containers: {0}")]
    Containers(OneOffError),
    #[error(transparent)]
    Image(ImageError),
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Store {
    /// Opens what lies under stead's own folder, with the queue in a file there or on a server.
    ///
    /// # Errors
    /// When the folder or the queue cannot be used.
    pub fn open(state: &Path, server: Option<Server>) -> Result<Self, ServiceError> {
        Self::open_with(state, server, Settings::default())
    }

    /// The same with other settings of the queue.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(state: &Path, server: Option<Server>, settings: Settings) -> Result<Self, ServiceError> {
        let folder = state.join("jobs");
        create_private_folder(&folder).map_err(|source| ServiceError::Folder { path: folder.clone(), source })?;
        let is_shared = server.is_some();
        let own = is_shared.then(|| installation(&folder)).transpose()?;
        let settings = Settings { server: own.map(|own| own.as_str().to_owned()), ..settings };
        let file = || Place::File(folder.join("queue.sqlite"));
        let queue = Queue::open(&server.map_or_else(file, |server| Place::Server(Box::new(server))), settings)?;
        Ok(Self { queue, files: Files::open(&folder.join("files"))?, is_shared })
    }
}

impl Service {
    /// Opens what lies under stead's own folder, with the providers of these tables.
    ///
    /// # Errors
    /// When the folder, the queue or a provider cannot be used.
    pub async fn open(
        repo: Repo,
        state: &Path,
        server: Option<Server>,
        tables: ProviderTables,
    ) -> Result<Self, ServiceError> {
        let store = Store::open(state, server)?;
        let own = installation(&state.join("jobs"))?;
        // So that each of them sees to the machines of all, where the provider is not this server itself.
        let installation = match store.is_shared {
            true => store.queue.installation(own.as_str()).await?.parse()?,
            false => own,
        };
        let providers = providers(tables, state, &installation)?;
        Self::with(repo, state, store, providers)
    }

    /// The same with what was opened by somebody else.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn with(repo: Repo, state: &Path, store: Store, providers: Providers) -> Result<Self, ServiceError> {
        let keys = state.join("jobs/keys");
        create_private_folder(&keys).map_err(|source| ServiceError::Folder { path: keys.clone(), source })?;
        let runtime = Runtime::open(&state.join("compiled"))?;
        let vault = Vault::new(repo.clone(), Identity::places());
        let prices = Arc::new(prices(&repo)?);
        let installation = installation(&state.join("jobs"))?.as_str().to_owned();
        let containers = containers::Place::new(PathBuf::from("/"), state.to_owned(), repo.apps(), installation);
        Ok(Self {
            store,
            runtime,
            providers: Arc::new(providers),
            prices,
            vault,
            repo: RwLock::new(Arc::new(repo)),
            keys,
            containers,
            figures: Figures::default(),
            seen: Seen::default(),
        })
    }

    /// The repo as it was last read.
    pub(super) fn repo(&self) -> Arc<Repo> {
        self.repo.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on with a repo that was read anew: its policies, schedules and what is kept of jobs. What runs goes on with what it
    /// was started with; providers and the queue stay.
    pub fn reload(&self, repo: Repo) {
        *self.repo.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(repo);
    }

    /// With other places where the key lies that opens the secrets of the repo.
    #[must_use]
    pub fn with_identities(mut self, places: Vec<PathBuf>) -> Self {
        self.vault = Vault::new((*self.repo()).clone(), places);
        self
    }

    /// With another root of the file system, under which the Docker Engine's socket and the Compose plugin are.
    #[must_use]
    pub fn with_root(mut self, root: PathBuf) -> Self {
        self.containers.root = root;
        self
    }

    /// All machines at all providers that belong to this place, by provider.
    ///
    /// # Errors
    /// When a provider does not answer.
    pub async fn machines(&self) -> Result<Vec<(String, Vec<Vm>)>, ServiceError> {
        let mut all = Vec::new();
        for (name, provider) in self.providers.iter() {
            let listed = provider.list().await;
            all.push((name.clone(), listed.map_err(|source| ServiceError::Provider { name: name.clone(), source })?));
        }
        Ok(all)
    }

    /// Takes away the jobs that the repo does not keep, and what they left.
    ///
    /// # Errors
    /// When the queue or a folder fails.
    pub async fn clean(&self) -> Result<Cleaned, ServiceError> {
        self.store.clean(self.repo().keep()).await
    }

    /// Destroys the machines that no job owns any more, at all providers: one that does not answer holds up no other. The
    /// reapers remember what they could not.
    pub async fn reap(&self, reapers: &mut BTreeMap<String, Reaper>) -> Vec<Reaped> {
        let mut rounds = Vec::new();
        for (name, provider) in self.providers.iter() {
            let reaper = reapers.entry(name.clone()).or_insert_with(|| Reaper::new(Rules::default()));
            let round = self.reap_at(name, &**provider, reaper).await;
            match &round {
                Ok(round) => self.figures.reaped(name, round.destroyed.len(), round.failed.len()),
                Err(_) => self.figures.not_listed(name),
            }
            rounds.push(round);
        }
        rounds
    }

    /// Nothing is destroyed when the provider or the queue does not answer.
    async fn reap_at(&self, name: &str, provider: &dyn Provider, reaper: &mut Reaper) -> Reaped {
        let failed = |source| ServiceError::Provider { name: name.to_owned(), source };
        // Before the queue is asked, as the reaper wants it.
        let listed = provider.list().await.map_err(failed)?;
        self.seen.put(name, listed.clone());
        let live = self.live(listed.iter().map(|vm| vm.owner().clone()).collect()).await?;
        Ok(reaper.destroy_all(provider, &listed, &live, SystemTime::now()).await)
    }

    /// Removes the containers on this server that no job owns any more; answers how many.
    ///
    /// # Errors
    /// When the engine or the queue does not answer: then nothing more is removed.
    pub async fn reap_containers(&self) -> Result<usize, ServiceError> {
        if !self.repo().policies().any(|policy| policy.grants.has(CONTAINER)) {
            return Ok(0);
        }
        // Before the queue is asked: what is made afterwards is not on the list.
        let found = self.containers.owners().await.map_err(ServiceError::Containers)?;
        let live = self.live(found.iter().map(|(_, owner)| owner.clone()).collect()).await?;
        let mut removed = 0;
        for (id, _) in found.iter().filter(|(_, owner)| !live.contains(owner)) {
            self.containers.remove(id).await.map_err(ServiceError::Containers)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Those of them whose run goes on, or waits for somebody to go on with it.
    async fn live(&self, owners: LiveAttempts) -> Result<LiveAttempts, QueueError> {
        let mut live = LiveAttempts::new();
        for owner in owners {
            let Ok(number) = owner.job.parse() else { continue };
            match self.store.queue.job(JobId::from_number(number)).await {
                Ok(job) if matches!(job.state, State::Running | State::Queued) && is_run(&owner, job.run.number()) => {
                    live.insert(owner);
                }
                Ok(_) | Err(QueueError::NoSuchJob(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }
}

fn is_run(owner: &Owner, run: u64) -> bool {
    u64::from(owner.attempt) == run
}

fn providers(mut tables: ProviderTables, state: &Path, installation: &Installation) -> Result<Providers, ServiceError> {
    let embedded = embedded(tables.remove(EMBEDDED).unwrap_or_default(), state);
    tables.insert(EMBEDDED.to_owned(), embedded);
    tables.values_mut().for_each(|table| drop(table.remove(price::KEY)));
    let open =
        |(name, table): (String, Map<String, Value>)| match provider::open(&name, installation.clone(), table.into()) {
            Ok(provider) => Ok((name, Arc::from(provider))),
            Err(source) => Err(ServiceError::Provider { name, source }),
        };
    tables.into_iter().map(open).collect()
}

/// What `[provider.NAME.price]` says.
fn prices(repo: &Repo) -> Result<Prices, ServiceError> {
    let mut prices = Prices::default();
    for (name, table) in repo.providers() {
        let wrong = |reason| ServiceError::Price { name: name.to_string(), reason };
        table.get(price::KEY).map(|table| prices.add(name.as_str(), table)).transpose().map_err(wrong)?;
    }
    Ok(prices)
}

/// The settings of the embedded provider, which needs no table.
fn embedded(mut table: Map<String, Value>, state: &Path) -> Map<String, Value> {
    table.remove(price::KEY);
    table.entry("folder").or_insert_with(|| json!(state.join("jobs/machines")));
    table
}

/// The same where nothing else of the repo is needed.
fn embedded_of(repo: &Repo, state: &Path) -> Value {
    let table = repo.providers().find(|(name, _)| name.as_str() == EMBEDDED).map(|(_, table)| table.clone());
    embedded(table.unwrap_or_default(), state).into()
}

/// Keeps an image for the embedded provider, and answers what machines ask for it by.
///
/// # Errors
/// When it is none, or cannot be kept.
pub fn import_image(repo: &Repo, state: &Path, from: &Path) -> Result<String, ServiceError> {
    let failed = |source| ServiceError::Provider { name: EMBEDDED.to_owned(), source };
    let settings = serde_json::from_value(embedded_of(repo, state))
        .map_err(|error| failed(ProviderError::because(Cause::Invalid, "its settings", error)))?;
    let qemu = Qemu::new(installation(&state.join("jobs"))?, settings).map_err(failed)?;
    Ok(qemu.images().import(from, None).map_err(ServiceError::Image)?.to_string())
}

/// Boots a machine of the embedded provider once, and keeps it as a template: machines of this image and size resume it.
///
/// # Errors
/// When there is no such image, or it does not boot.
pub async fn warm_image(repo: &Repo, state: &Path, image: &str, size: &Size) -> Result<(), ServiceError> {
    let failed = |source| ServiceError::Provider { name: EMBEDDED.to_owned(), source };
    let settings = serde_json::from_value(embedded_of(repo, state))
        .map_err(|error| failed(ProviderError::because(Cause::Invalid, "its settings", error)))?;
    let qemu = Qemu::new(installation(&state.join("jobs"))?, settings).map_err(failed)?;
    qemu.prepare(image, size).await.map_err(failed)
}

/// The name by which this place knows its machines among those of others: made once.
fn installation(folder: &Path) -> Result<Installation, ServiceError> {
    let path = folder.join("installation");
    let at = |source| ServiceError::Folder { path: path.clone(), source };
    create_private_folder(folder).map_err(at)?;
    if let Ok(name) = std::fs::read_to_string(&path) {
        return Ok(name.trim().parse()?);
    }
    let mut bytes = [0; 6];
    random::fill(&mut bytes).map_err(at)?;
    let name = hex::encode(bytes);
    replace(&path, name.as_bytes(), 0o600).map_err(at)?;
    Ok(name.parse()?)
}
