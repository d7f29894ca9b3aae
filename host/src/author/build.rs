//! From a policy's folder to its component.

use std::path::{Path, PathBuf};

use wit_component::ComponentEncoder;

use super::cargo::{self, CargoError};
use super::declared::{self, WorldError};
use super::{FileError, Sources, sdk, write};
use crate::digest::Digest;
use crate::repo::BUILD;

/// A policy that `stead.toml` gives by its source.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The repo: its folder `.stead` gets the SDK, what the compiler leaves behind, and the component.
    pub repo: &'a Path,
    /// The policy's name.
    pub name: &'a str,
    /// The folder of its package.
    pub folder: &'a Path,
}

/// A policy that was compiled.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where the component was written: `.stead/build/NAME.wasm`.
    pub path: PathBuf,
    pub component: Vec<u8>,
    pub digest: Digest,
}

/// A policy was not compiled. The component of an earlier build stays.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{} holds no policy that stead can build: it has no Cargo.toml", folder.display())]
    NoPackage { folder: PathBuf },
    #[error(transparent)]
    Cargo(#[from] CargoError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("what was compiled is no policy: {reason}")]
    NotAPolicy { reason: String },
    #[error(transparent)]
    File(#[from] FileError),
}

/// Compiles a policy, checks that it asks for no more than its `wit/world.wit` says, and writes the component.
/// `say` gets each line that the compiler says.
///
/// # Errors
/// When it does not compile or is no policy.
pub fn build(source: &Source<'_>, say: &mut dyn FnMut(&str)) -> Result<Built, BuildError> {
    let Source { repo, name, folder } = *source;
    let repo = &std::path::absolute(repo).map_err(FileError::at(repo))?;
    if !folder.join("Cargo.toml").is_file() {
        return Err(BuildError::NoPackage { folder: folder.to_owned() });
    }
    sdk::write_to(repo)?;
    // What is edited while it compiles may be in the component or not: the next plan then asks for another build.
    let sources = Sources::of(folder)?;
    let module = cargo::compile(repo, folder, say)?;
    let module = std::fs::read(&module).map_err(FileError::at(&module))?;
    let component = encode(&module)?;
    declared::check(folder, &component)?;
    let path = repo.join(BUILD).join(format!("{name}.wasm"));
    write(&path, &component)?;
    sources.locked(folder)?.keep(&path)?;
    Ok(Built { path, digest: Digest::public(&component), component })
}

fn encode(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.validate(true).module(module).and_then(ComponentEncoder::encode);
    encoded.map_err(|error| BuildError::NotAPolicy { reason: format!("{error:#}") })
}
