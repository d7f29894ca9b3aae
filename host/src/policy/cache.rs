//! Compiled code on disk, so that a policy is compiled once and not on every run.
//!
//! What lies there is native code that this process jumps into, so the folder and every file in it must belong to
//! this user and be writable by nobody else; what does not, is never used. Nothing here is ever taken from a repo.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::digest::Digest;

/// How many compiled policies are kept.
const MOST: usize = 64;

/// The folder of compiled code.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    folder: OwnedFd,
    /// What the code is bound to besides the component: compiler, its settings, this processor and this build.
    build: String,
}

/// The place of one component's code.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    cache: &'a Cache,
    name: String,
}

impl Cache {
    /// Opens the folder, making it when there is none; or says why it is not used.
    pub(super) fn open(path: &Path, engine: &Engine) -> Result<Self, String> {
        let refused =
            |reason: &dyn std::fmt::Display| format!("{} is not used for compiled code: {reason}", path.display());
        crate::machine::create_private_folder(path).map_err(|error| refused(&error))?;
        let folder = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| refused(&error))?;
        let folder = File::from(folder);
        if !is_ours(&folder).map_err(|error| refused(&error))? {
            return Err(refused(&"it belongs to somebody else, or others may write to it"));
        }
        Ok(Self { path: path.to_owned(), folder: folder.into(), build: build(engine) })
    }

    /// The place of the code of a component.
    pub(super) fn entry(&self, component: &[u8]) -> Entry<'_> {
        Entry { cache: self, name: format!("{}-{}.cwasm", Digest::public(component), self.build) }
    }

    /// Forgets what was compiled first, down to [`MOST`] entries.
    fn trim(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            entries.push((entry.metadata()?.modified()?, entry.path()));
        }
        entries.sort();
        let surplus = entries.len().saturating_sub(MOST);
        entries.iter().take(surplus).try_for_each(|(_, path)| std::fs::remove_file(path))
    }
}

impl Entry<'_> {
    /// The compiled component, when it is there and can be trusted.
    pub(super) fn load(&self, engine: &Engine) -> Option<Component> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.cache.folder, self.name.as_str(), flags, Mode::empty()).ok()?);
        if !is_ours(&file).ok()? {
            return None;
        }
        // Through the open file, so that what is mapped is what was checked.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        load_checked(engine, &path)
    }

    /// Keeps the compiled code: whole and on disk, or not at all.
    pub(super) fn keep(&self, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.cache.path)?;
        file.write_all(code)?;
        // Before it has its name: after a power loss, a named file must never hold half of the code.
        file.as_file().sync_all()?;
        file.persist(self.cache.path.join(&self.name))?;
        self.cache.trim()
    }
}

/// Maps compiled code from a file that has been checked.
#[expect(unsafe_code, reason = "native code is loaded; see the proof")]
fn load_checked(engine: &Engine, path: &str) -> Option<Component> {
    // SAFETY: `deserialize_file` needs a file that `Component::serialize` of this wasmtime has written, and that
    // nobody changes while it is mapped. The caller has opened the file without following links and has seen by
    // fstat(2) that it belongs to this user (or root) and that nobody else may write to it, so only this program,
    // run by this user, has written it; it writes such files under this name only in `keep`, whole and synced
    // before they get the name, and never again after that. The name binds them to the digest of the component, to
    // `precompile_compatibility_hash`, and to the version of this program.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

/// Whether an open file or folder belongs to this user or root, and nobody else may write to it.
fn is_ours(file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    let owner = metadata.uid();
    Ok((owner == rustix::process::geteuid().as_raw() || owner == 0) && metadata.mode() & 0o022 == 0)
}

fn build(engine: &Engine) -> String {
    let mut hasher = Stable(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    let hash = hex::encode(hasher.0.finalize());
    hash.get(..16).unwrap_or(&hash).to_owned()
}

/// A hasher that is the same in every process, unlike the standard library's.
struct Stable(Sha256);

impl Hasher for Stable {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.clone().finalize().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}
