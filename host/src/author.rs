//! The author's side of a policy: begin a repo, compile a policy, look into a component.
//!
//! It works on files of the author's machine and never on a host. It needs nothing that is not in this binary but
//! the language's own compiler: the contract and the guest SDKs are embedded, and written to `.stead/` of the repo.

use std::path::{Path, PathBuf};

mod bindings;
mod build;
mod cargo;
mod case;
mod contract;
mod declared;
mod encode;
mod given;
mod guest;
mod init;
mod inspect;
mod language;
pub mod package;
mod planned;
mod policy_new;
mod sdk;
mod sources;
mod tool;
mod world;

#[cfg(test)]
mod tests;

pub use build::{BuildError, Built, Source, build};
pub use cargo::CargoError;
pub use case::{Case, CaseError, Outcome};
pub use given::{facts_text, read_facts};
pub use guest::MakeError;
pub use init::{InitError, init};
pub use inspect::{InspectError, Inspection, Tool, inspect};
pub use language::Language;
pub use package::PackageError;
pub use policy_new::{Begun, new};
pub use sdk::keep_out_of_git;
pub use sources::{Sources, beside};
pub use tool::ToolError;
pub use world::World;

/// A file of the author's machine could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

impl FileError {
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// Writes a file and the folders that it lies in, unless it has this content already: a compiler takes a file that
/// was written again for one that has changed.
fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    if std::fs::read(path).is_ok_and(|found| found == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(FileError::at(folder))?;
    }
    crate::machine::replace(path, content, 0o644).map_err(FileError::at(path))
}
