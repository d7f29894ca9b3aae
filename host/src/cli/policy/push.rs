//! `stead policy push`: from a policy of the repo to a component in a registry.

use std::path::PathBuf;

use clap::Args;

use super::super::build::{build, policy};
use super::super::registries::{Registries, key};
use super::Context;
use crate::author;
use crate::error::Failure;
use crate::exit::Exit;
use crate::registry::{self, Reference};
use crate::repo::{Origin, Repo};

/// Push a policy's component to a registry, for other repos to name in `source`.
///
/// What stead.toml gives by its source is built first. The artifact is the one that wkg and others know for WebAssembly:
/// one layer application/wasm. Equal components have equal digests there.
#[derive(Debug, Args)]
pub(in crate::cli) struct Push {
    /// The policy.
    policy: String,
    /// Where to: HOST/REPOSITORY:TAG.
    reference: Reference,
    /// Sign it with this private key: one of `cosign generate-key-pair`, or any of ECDSA P-256 in PEM. Its passphrase is asked
    /// for, or taken from COSIGN_PASSWORD.
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
}

impl Push {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let policy = policy(&repo, &self.policy)?;
        // Before anything is built: a wrong passphrase is worth no wait.
        let key = self.sign.as_deref().map(key).transpose()?;
        let component = match &policy.origin {
            Origin::Source(folder) => build(context, &repo, policy, folder)?.component,
            Origin::Component(_) | Origin::Registry(_) => repo.read_component(policy)?,
        };
        let packed = author::package::policy(policy.name.as_str(), &component)?;
        let mut registries = Registries::default();
        let registry = registries.of(Some(&repo), &self.reference)?;
        let pushed = registry::push(registry, &self.reference, component, packed, key.as_ref()).await?;
        context.terminal.print(&format!("{}@{pushed}\n", self.reference));
        Ok(Exit::Done)
    }
}
