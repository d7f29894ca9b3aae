//! `stead wit`: the contract between policies and stead.

use std::path::PathBuf;

use clap::Subcommand;

use super::Context;
use super::registries::{Registries, key, repo};
use crate::author;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::policy::CONTRACT;
use crate::registry::{self, Reference};

/// Publish the contract that policies are written against.
#[derive(Debug, Subcommand)]
pub(super) enum Wit {
    /// Push the WIT package stead:host to a registry, as `wkg publish` would.
    ///
    /// Policies that `stead build` does not build find it there: `wkg get stead:host`. The tag is the version of the package.
    Push {
        /// Where to: HOST/REPOSITORY:VERSION. wkg looks for it in PREFIX/stead/host.
        reference: Reference,
        /// Sign it with this private key, as of `stead policy push`.
        #[arg(long, value_name = "KEY")]
        sign: Option<PathBuf>,
    },
}

impl Wit {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self::Push { reference, sign } = self;
        if reference.tag() != Some(CONTRACT) {
            let message = "the tag of a WIT package is its version, by which wkg finds it";
            let help = format!("this stead has {CONTRACT}: push to {}:{CONTRACT}", reference.name());
            return Err(Failure::new(Blame::Operator, Exit::Usage, &message).help(help));
        }
        let key = sign.as_deref().map(key).transpose()?;
        let (wasm, packed) = author::package::wit()?;
        let repo = repo(context)?;
        let mut registries = Registries::default();
        let registry = registries.of(repo.as_ref(), &reference)?;
        let pushed = registry::push(registry, &reference, wasm, packed, key.as_ref()).await?;
        context.terminal.print(&format!("{reference}@{pushed}\n"));
        Ok(Exit::Done)
    }
}
