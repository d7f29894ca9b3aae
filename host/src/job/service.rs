//! What all jobs of one place share: the queue, the policies of the repo, the providers, and the files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use stead_queue::{QueueError, Server};
use stead_vm::name::NameError;
use stead_vm::provider::ProviderError;
use stead_vm::provider::qemu::ImageError;

use super::clean::Cleaned;
use super::containers;
use super::figures::Figures;
use super::files::FileError;
use super::machines::Providers;
use super::price::Prices;
use super::seen::Seen;
use super::vault::Vault;
use crate::capability::compose::OneOffError;
use crate::machine::create_private_folder;
use crate::policy::{PolicyError, Runtime};
use crate::repo::{Identity, Repo};

mod provider;
mod reap;
mod store;

pub use provider::{ProviderTables, import_image, warm_image};
pub use reap::Reaped;
pub use store::Store;

use provider::{prices, providers};
use store::installation;

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

    /// Takes away the jobs that the repo does not keep, and what they left.
    ///
    /// # Errors
    /// When the queue or a folder fails.
    pub async fn clean(&self) -> Result<Cleaned, ServiceError> {
        self.store.clean(self.repo().keep()).await
    }
}
