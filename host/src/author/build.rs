//! From a policy's folder to its component.

use std::path::{Path, PathBuf};

use super::cargo::{self, CargoError};
use super::declared::{self, Declared, WorldError};
use super::guest::{self, MakeError, Work};
use super::{FileError, Language, Sources, encode, sdk, write};
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
    #[error("{} holds no policy that stead can build: it has none of {}", folder.display(), markers(&Language::ALL))]
    NoPackage { folder: PathBuf },
    #[error("{} could be a policy in several languages: it has {}", folder.display(), markers(found))]
    Ambiguous { folder: PathBuf, found: Vec<Language> },
    #[error(transparent)]
    Cargo(#[from] CargoError),
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("what was compiled is no policy: {reason}")]
    NotAPolicy { reason: String },
    #[error("the SDK cannot be made: {reason}")]
    Sdk { reason: String },
    #[error(transparent)]
    File(#[from] FileError),
}

fn markers(languages: &[Language]) -> String {
    let marker = |language: &Language| format!("{} ({})", language.marker(), language.name());
    languages.iter().map(marker).collect::<Vec<_>>().join(", ")
}

/// Compiles a policy, checks that it asks for no more than its `wit/world.wit` says, and writes the component.
/// `say` gets each line that the compiler says.
///
/// # Errors
/// When it does not compile or is no policy.
pub fn build(source: &Source<'_>, say: &mut dyn FnMut(&str)) -> Result<Built, BuildError> {
    let Source { repo, name, folder } = *source;
    let repo = &std::path::absolute(repo).map_err(FileError::at(repo))?;
    let folder = &std::path::absolute(folder).map_err(FileError::at(folder))?;
    let language = match Language::of(folder)[..] {
        [language] => language,
        [] => return Err(BuildError::NoPackage { folder: folder.to_owned() }),
        ref found => return Err(BuildError::Ambiguous { folder: folder.to_owned(), found: found.to_owned() }),
    };
    sdk::write_to(repo)?;
    // What is edited while it compiles may be in the component or not: the next plan then asks for another build.
    let sources = Sources::of(folder)?;
    let declared = declared::read(folder)?;
    let component = compile(language, &Work { repo, name, folder, declared: &declared }, say)?;
    declared::check(folder, &declared, &component)?;
    let path = repo.join(BUILD).join(format!("{name}.wasm"));
    write(&path, &component)?;
    sources.locked(folder)?.keep(&path)?;
    Ok(Built { path, digest: Digest::public(&component), component })
}

fn compile(language: Language, work: &Work<'_>, say: &mut dyn FnMut(&str)) -> Result<Vec<u8>, BuildError> {
    let Declared { world, .. } = *work.declared;
    let component = match language {
        Language::Rust => {
            let module = cargo::compile(work.repo, work.folder, say)?;
            encode::module(&std::fs::read(&module).map_err(FileError::at(&module))?)
        }
        Language::Python => Ok(guest::python(work, say)?),
        Language::JavaScript => Ok(guest::javascript(work, say)?),
        Language::Go => encode::wasi_module(guest::go(work, say)?, world),
        Language::C => encode::wasi_module(guest::c(work, say)?, world),
    };
    component.map_err(|reason| BuildError::NotAPolicy { reason })
}
