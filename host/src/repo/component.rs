//! The component of a policy, wherever it comes from.

use std::path::{Path, PathBuf};

use super::pulled::{self, PulledError};
use super::{BUILD, Origin, PULLED, Policy, Repo};
use crate::author::{FileError, Sources, beside};
use crate::registry::{Pulled, Reference};

/// How large one component may be.
pub(super) const LARGEST: u64 = 64 << 20;

/// There is no component of a policy that could be used.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    #[error("policy {policy} is not built: there is no {path}", path = path.display())]
    NotBuilt { policy: String, path: PathBuf },
    #[error("policy {policy} has changed since it was built: {changed} is not what it was built from")]
    Stale { policy: String, changed: String },
    #[error("cannot read the source of policy {policy}: {source}")]
    Source { policy: String, source: FileError },
    #[error("cannot read the component of policy {policy} at {path}: {source}", path = path.display())]
    Read { policy: String, path: PathBuf, source: std::io::Error },
    #[error("the component of policy {policy} is larger than {} MiB", LARGEST >> 20)]
    TooLarge { policy: String },
    #[error("policy {policy} is not pulled: stead.lock does not say what {reference} is")]
    NotPinned { policy: String, reference: Reference },
    #[error("policy {policy}, {reference}: {error}")]
    Pulled { policy: String, reference: Reference, error: Box<PulledError> },
}

impl Repo {
    /// Where the component of a policy is, or will be once it has been built or pulled.
    pub fn component(&self, policy: &Policy) -> PathBuf {
        match &policy.origin {
            Origin::Source(_) => self.folder().join(BUILD).join(format!("{}.wasm", policy.name)),
            Origin::Component(path) => self.folder().join(path),
            Origin::Registry(reference) => {
                let pin = self.pins().of(reference);
                pin.map_or_else(|| self.folder().join(PULLED), |pin| pulled::path(self.folder(), &pin.manifest))
            }
        }
    }

    /// The component of a policy. One from a registry is held against its pin and the keys of `signed-by`.
    ///
    /// # Errors
    /// When there is none, or it is not what it should be.
    pub fn read_component(&self, policy: &Policy) -> Result<Vec<u8>, ComponentError> {
        let name = || policy.name.to_string();
        if let Origin::Registry(reference) = &policy.origin {
            let unpinned = || ComponentError::NotPinned { policy: name(), reference: reference.clone() };
            let pin = self.pins().of(reference).ok_or_else(unpinned)?;
            let read = pulled::read(self.folder(), reference, pin, &policy.signed_by);
            return read.map_err(|error| {
                let (reference, error) = (reference.clone(), Box::new(error));
                ComponentError::Pulled { policy: name(), reference, error }
            });
        }
        let path = self.component(policy);
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => ComponentError::NotBuilt { policy: name(), path: path.clone() },
            _ => ComponentError::Read { policy: name(), path: path.clone(), source },
        };
        if std::fs::metadata(&path).map_err(failed)?.len() > LARGEST {
            return Err(ComponentError::TooLarge { policy: name() });
        }
        std::fs::read(&path).map_err(failed)
    }

    /// The same, when it was built from what the repo holds now.
    ///
    /// # Errors
    /// As [`Repo::read_component`], or when its source has changed since.
    pub fn current_component(&self, policy: &Policy) -> Result<Vec<u8>, ComponentError> {
        let component = self.read_component(policy)?;
        if let Origin::Source(folder) = &policy.origin {
            current(policy.name.as_str(), &self.folder().join(folder), &self.component(policy))?;
        }
        Ok(component)
    }

    /// Keeps what was pulled from a registry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_pulled(&self, pulled: &Pulled) -> Result<(), std::io::Error> {
        pulled::keep(self.folder(), pulled)
    }
}

/// A component that was built from something else than the repo holds now would apply what nobody reads there.
fn current(policy: &str, folder: &Path, component: &Path) -> Result<(), ComponentError> {
    let policy = policy.to_owned();
    let Some(built) = Sources::built(component) else {
        return Err(ComponentError::NotBuilt { policy, path: beside(component) });
    };
    let now = Sources::of(folder).map_err(|source| ComponentError::Source { policy: policy.clone(), source })?;
    match built.difference(&now) {
        Some(changed) => Err(ComponentError::Stale { policy, changed: changed.to_owned() }),
        None => Ok(()),
    }
}
