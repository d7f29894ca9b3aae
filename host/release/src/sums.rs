//! `SHA256SUMS`, for `sha256sum --check`.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{ReleaseError, at};

/// What the list is called.
pub const NAME: &str = "SHA256SUMS";

/// Writes the list of these files of `folder`, sorted by name.
///
/// # Errors
/// When a file cannot be read.
pub fn write(folder: &Path, files: &[PathBuf]) -> Result<PathBuf, ReleaseError> {
    let mut lines = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        lines.push((name, sha256(file)?));
    }
    lines.sort();
    let text: String = lines.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
    let path = folder.join(NAME);
    std::fs::write(&path, text).map_err(at(&path))?;
    Ok(path)
}

/// Of a file, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn sha256(file: &Path) -> Result<String, ReleaseError> {
    Ok(hex::encode(Sha256::digest(std::fs::read(file).map_err(at(file))?)))
}
