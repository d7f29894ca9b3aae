//! What jobs leave, and the name of the place where they do.

use std::path::Path;

use stead_queue::{Place, Queue, Server, Settings};
use stead_vm::name::Installation;

use super::ServiceError;
use crate::job::files::Files;
use crate::machine::{create_private_folder, replace};
use crate::random;

/// What jobs leave: also there for whoever only looks.
#[derive(Clone, Debug)]
pub struct Store {
    pub queue: Queue,
    pub files: Files,
    /// Whether other servers share the queue, and files by it.
    pub(in crate::job) is_shared: bool,
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

/// The name by which this place knows its machines among those of others: made once.
pub(super) fn installation(folder: &Path) -> Result<Installation, ServiceError> {
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
