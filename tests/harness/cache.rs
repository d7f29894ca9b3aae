//! Keeps what is slow to build (images, templates, a Compose plugin) between test runs and shares it between processes.
//!
//! An entry is a folder named after a digest of everything that went into it: a changed recipe is a new entry, and old
//! entries can be deleted at any time. Entries appear by rename, so a killed build leaves none behind.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// `$STEAD_TEST_CACHE`, else a folder under the workspace's `target`. It is there, and its path is the one that programs
/// give back: what a tool of Python installs names itself by it, without `..` and links.
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> Result<PathBuf> {
    let folder = match env::var_os("STEAD_TEST_CACHE") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/stead-test-cache"),
    };
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    folder.canonicalize().with_context(|| format!("the path of {}", folder.display()))
}

/// The first 12 hex digits of the SHA-256 of all `parts`.
pub fn key(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The folder of the entry `kind-key`, made by `build` in a temporary folder when no process has made it before.
///
/// # Errors
/// What `build` says, and I/O errors of the cache folder.
pub fn entry(kind: &str, key: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let path = folder()?.join(format!("{kind}-{key}"));
    if path.exists() {
        return Ok(path);
    }
    let _lock = lock(kind)?;
    if !path.exists() {
        let unfinished = path.with_extension("unfinished");
        make_empty(&unfinished)?;
        build(&unfinished).with_context(|| format!("building {}", path.display()))?;
        fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}

/// Holds off the other test processes that want to build the same kind of entry; the kernel releases it with the file.
pub(crate) fn lock(kind: &str) -> Result<File> {
    let path = folder()?.join(format!("{kind}.lock"));
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    file.lock().with_context(|| format!("locking {}", path.display()))?;
    Ok(file)
}

fn make_empty(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path)
            .with_context(|| format!("removing a build that was broken off: {}", path.display()))?;
    }
    Ok(fs::create_dir_all(path)?)
}
