//! Begins a repo.

use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, File, include_dir};

use super::{BuildError, FileError, sdk, write};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/author/template");

/// A repo was not begun. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("{} is there already, and is left as it is", path.display())]
    Exists { path: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Sdk(#[from] BuildError),
}

/// Writes a small repo to `folder`: `stead.toml`, a policy in Rust, a compose app. Answers the files, relative to it.
///
/// # Errors
/// When one of the files is there already, or cannot be written.
pub fn init(folder: &Path) -> Result<Vec<PathBuf>, InitError> {
    let files: Vec<(PathBuf, &[u8])> = files(&TEMPLATE).map(|file| (name(file.path()), file.contents())).collect();
    let taken = files.iter().map(|(name, _)| folder.join(name)).find(|path| path.symlink_metadata().is_ok());
    if let Some(path) = taken {
        return Err(InitError::Exists { path });
    }
    for (name, content) in &files {
        write(&folder.join(name), content)?;
    }
    // An editor finds the SDK from the start, and not only after the first build.
    sdk::write_to(folder)?;
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn files(folder: &'static Dir<'static>) -> Box<dyn Iterator<Item = &'static File<'static>>> {
    Box::new(folder.entries().iter().flat_map(|entry| match entry {
        DirEntry::Dir(folder) => files(folder),
        DirEntry::File(file) => Box::new(std::iter::once(file)),
    }))
}

/// The name of a file of the template in the repo: `_gitignore` and `_Cargo.toml` would mean something where they
/// lie here.
fn name(path: &Path) -> PathBuf {
    let plain = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match plain {
        "_gitignore" => path.with_file_name(".gitignore"),
        "_Cargo.toml" => path.with_file_name("Cargo.toml"),
        _ => path.to_owned(),
    }
}
