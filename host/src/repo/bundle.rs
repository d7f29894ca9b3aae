//! All that a host needs of the repo, in one message: it goes to the host as JSON over the standard input of ssh(1).
//!
//! On the host the same parser reads the same `stead.toml`, so that both sides agree on every grant. Secrets are in
//! it in the clear: it is never written to a disk, never logged, and its `Debug` does not show them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ComponentError, Host, Name, Policy, Repo, RepoError};
use crate::capability::backup::Backups;
use crate::capability::compose::{Engines, Project};
use crate::capability::vpn::Meshes;
use crate::machine::create_private_folder;
use crate::secret::Secret;

mod apps;
mod bytes;
mod commit;
mod wire;

pub use apps::AppsError;
pub use bytes::Bytes;
pub use commit::CommitError;

/// All that a host needs of the repo.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The name of the host's table.
    pub host: String,
    /// The text of the file.
    pub stead_toml: String,
    /// The text of `vpn.toml`, with all that it lacked; empty when the repo has no mesh.
    pub vpn_toml: String,
    /// The component of each policy of the host.
    pub policies: BTreeMap<String, Bytes>,
    /// `apps/` as a tar archive that is equal for equal folders.
    pub apps: Bytes,
    /// The secrets that the host's policies have a grant for, and no others.
    #[serde(with = "wire")]
    pub secrets: BTreeMap<String, Secret<String>>,
    /// The git commit, with `+dirty` when the work tree has changes; none when the repo is not under git.
    pub commit: Option<String>,
}

/// A bundle on the host.
#[derive(Debug)]
pub struct Unpacked {
    pub host: String,
    /// In the order in which they run, each with its component.
    pub policies: Vec<(Policy, Vec<u8>)>,
    pub meshes: Meshes,
    /// The engine of each compose app that has one of its own.
    pub engines: Engines,
    pub backups: Backups,
    /// The folder that holds `apps/NAME` as `NAME`.
    pub apps: PathBuf,
    pub secrets: BTreeMap<String, Secret<String>>,
    pub commit: Option<String>,
}

/// A bundle cannot be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Component(#[from] ComponentError),
    #[error("stead.toml has a table [app.{name}], and there is no folder apps/{name}")]
    NoApp { name: Project },
    #[error("[backup.{backup}] of stead.toml names the app {app}, and there is no folder apps/{app}")]
    NoAppToBackUp { backup: Name, app: Project },
    #[error(transparent)]
    Apps(#[from] AppsError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error("the bundle has no host {0}")]
    NoHost(String),
    #[error("the bundle lacks the component of policy {0}")]
    NoComponent(String),
    #[error("cannot unpack the bundle to {folder}: {source}", folder = folder.display())]
    Unpack { folder: PathBuf, source: std::io::Error },
}

impl Bundle {
    /// Packs what `host` needs. Of `secrets`, which may hold all, it takes those that the host's policies may use.
    ///
    /// # Errors
    /// When a policy is not built, or has changed since, or `apps/` cannot be shipped.
    pub async fn pack(
        repo: &Repo,
        host: &Host,
        secrets: &BTreeMap<String, Secret<String>>,
    ) -> Result<Self, BundleError> {
        if let Some(name) = repo.engines().keys().find(|name| !repo.apps().join(name.as_str()).is_dir()) {
            return Err(BundleError::NoApp { name: name.clone() });
        }
        for (backup, table) in repo.backups() {
            if let Some(app) = table.contents.apps().find(|app| !repo.apps().join(app.as_str()).is_dir()) {
                return Err(BundleError::NoAppToBackUp { backup: backup.clone(), app: app.clone() });
            }
        }
        let policies = repo.policies_of(host);
        let component = |policy: &Policy| Ok((policy.name.to_string(), Bytes(repo.current_component(policy)?)));
        let wanted = secrets.iter().filter(|(name, _)| policies.iter().any(|policy| policy.may_use_secret(name)));
        Ok(Self {
            host: host.name.to_string(),
            stead_toml: repo.text().to_owned(),
            vpn_toml: repo.directory().text(),
            policies: policies.iter().map(component).collect::<Result<_, BundleError>>()?,
            apps: Bytes(apps::pack(&repo.apps())?),
            secrets: wanted.map(|(name, value)| (name.clone(), value.clone())).collect(),
            commit: commit::of(repo.folder(), repo.directory().is_saved(repo.folder())).await?,
        })
    }

    /// Puts `apps/` into `folder`, which has none yet, and reads the rest.
    ///
    /// # Errors
    /// When `folder` cannot be written, or the parts of the bundle do not fit together.
    pub fn unpack(self, folder: &Path) -> Result<Unpacked, BundleError> {
        let at = |source| BundleError::Unpack { folder: folder.to_owned(), source };
        let repo = Repo::parse(folder, self.stead_toml)?.with_directory(&self.vpn_toml)?;
        let host = repo.host(&self.host).ok_or_else(|| BundleError::NoHost(self.host.clone()))?;
        let mut components = self.policies;
        let with_component = |policy: Policy| {
            let component = components.remove(policy.name.as_str());
            let component = component.ok_or_else(|| BundleError::NoComponent(policy.name.to_string()))?;
            Ok((policy, component.0))
        };
        let policies = repo.policies_of(host).into_iter().map(with_component).collect::<Result<_, BundleError>>()?;
        create_private_folder(folder).map_err(at)?;
        apps::unpack(&self.apps.0, &repo.apps()).map_err(at)?;
        let (meshes, backups) = (repo.meshes_on(host), repo.backups_on(host));
        Ok(Unpacked {
            host: self.host,
            policies,
            meshes,
            engines: repo.engines().clone(),
            backups,
            apps: repo.apps(),
            secrets: self.secrets,
            commit: self.commit,
        })
    }
}

#[cfg(test)]
mod tests;
