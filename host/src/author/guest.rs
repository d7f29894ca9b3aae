//! From a policy's folder to its component, for each language but Rust. Each file knows one language's tools.

use std::path::{Path, PathBuf};

use super::declared::Declared;
use super::{FileError, ToolError, contract, write};

mod c;
mod go;
mod javascript;
mod python;

pub(super) use c::compile as c;
pub(super) use go::compile as go;
pub(super) use javascript::compile as javascript;
pub(super) use python::compile as python;

/// What is built, and from what.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub repo: &'a Path,
    pub name: &'a str,
    pub folder: &'a Path,
    pub declared: &'a Declared,
}

/// What a tool could not make.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Work<'_> {
    fn sdk(&self, language: &str) -> PathBuf {
        self.repo.join(".stead/sdk").join(language)
    }

    /// Where a tool writes what becomes the component, an earlier one removed.
    fn output(&self) -> Result<PathBuf, FileError> {
        let folder = self.repo.join(".stead/target").join(self.name);
        std::fs::create_dir_all(&folder).map_err(FileError::at(&folder))?;
        let path = folder.join("policy.wasm");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FileError::at(&path)(error)),
            _ => Ok(path),
        }
    }

    /// The policy's world with the contract beside it, as tools want to read it.
    fn wit(&self) -> Result<PathBuf, FileError> {
        let folder = self.repo.join(".stead/target").join(self.name).join("wit");
        write(&folder.join("world.wit"), self.declared.text.as_bytes())?;
        let contract = folder.join("deps/stead-host");
        contract::files().try_for_each(|(name, text)| write(&contract.join(name), text.as_bytes()))?;
        Ok(folder)
    }

    /// Where a project keeps programs of its own: in the policy's folder, or in the repo.
    fn programs(&self, below: &str) -> Vec<PathBuf> {
        [self.folder, self.repo].map(|folder| folder.join(below)).into()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, MakeError> {
    std::fs::read(path).map_err(FileError::at(path)).map_err(MakeError::File)
}
