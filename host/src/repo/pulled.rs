//! What was pulled from registries: under `.stead/pulled`, a folder for each manifest, named by its digest.
//!
//! It is never believed: whoever reads it holds all of it against the pin and the keys again, so that what was changed, or
//! was pulled when other keys were in `stead.toml`, is refused without asking the registry.

use std::path::{Path, PathBuf};

use super::{PULLED, Pin};
use crate::digest::Digest;
use crate::machine::replace;
use crate::registry::{Manifest, PublicKey, Pulled, Reference, Signature, SignatureError, with_algorithm};

const MANIFEST: &str = "manifest.json";
const COMPONENT: &str = "component.wasm";
const SIGNATURES: &str = "signatures.json";

/// What was pulled cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PulledError {
    #[error("it is not in {path}", path = path.display())]
    Missing { path: PathBuf },
    #[error("cannot read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not what was pulled: its digest is {found}, and stead.lock has {expected}", path = path.display())]
    Changed { path: PathBuf, expected: String, found: String },
    #[error("stead.lock contradicts itself: the component of that manifest is {found}, and not {expected}")]
    Contradiction { expected: String, found: String },
    #[error("{path} is no manifest of a component: {reason}", path = path.display())]
    Manifest { path: PathBuf, reason: String },
    #[error("{0}")]
    Signature(#[from] SignatureError),
}

/// Where the repo keeps the component that has this manifest.
pub(super) fn path(repo: &Path, manifest: &Digest) -> PathBuf {
    folder(repo, manifest).join(COMPONENT)
}

fn folder(repo: &Path, manifest: &Digest) -> PathBuf {
    repo.join(PULLED).join(manifest.as_str())
}

/// Keeps what was pulled.
///
/// # Errors
/// When it cannot be written.
pub(super) fn keep(repo: &Path, pulled: &Pulled) -> Result<(), std::io::Error> {
    let folder = folder(repo, &pulled.digest);
    std::fs::create_dir_all(&folder)?;
    // Texts always have a JSON form.
    let signatures = serde_json::to_vec(&pulled.signatures).unwrap_or_default();
    replace(&folder.join(COMPONENT), &pulled.component, 0o644)?;
    replace(&folder.join(SIGNATURES), &signatures, 0o644)?;
    replace(&folder.join(MANIFEST), &pulled.manifest, 0o644)
}

/// The component that the reference is pinned to.
///
/// # Errors
/// When it is not there, is another one, or is signed by none of the keys, if there are any.
pub(super) fn read(repo: &Path, reference: &Reference, pin: &Pin, keys: &[PublicKey]) -> Result<Vec<u8>, PulledError> {
    let folder = folder(repo, &pin.manifest);
    let path = folder.join(MANIFEST);
    let bytes = file(&path)?;
    is(&path, &bytes, &pin.manifest)?;
    let manifest = Manifest::parse(&bytes).map_err(|reason| PulledError::Manifest { path: path.clone(), reason })?;
    let layer = manifest.component().map_err(|reason| PulledError::Manifest { path: path.clone(), reason })?;
    if layer.digest != with_algorithm(&pin.component) {
        let found = crate::policy::printable(&layer.digest);
        return Err(PulledError::Contradiction { expected: with_algorithm(&pin.component), found });
    }
    if !keys.is_empty() {
        let signatures: Vec<Signature> = serde_json::from_slice(&file(&folder.join(SIGNATURES))?).unwrap_or_default();
        Signature::check(&signatures, keys, &reference.name(), &pin.manifest)?;
    }
    let path = folder.join(COMPONENT);
    let component = file(&path)?;
    is(&path, &component, &pin.component)?;
    Ok(component)
}

fn file(path: &Path) -> Result<Vec<u8>, PulledError> {
    std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => PulledError::Missing { path: path.to_owned() },
        _ => PulledError::Read { path: path.to_owned(), source },
    })
}

fn is(path: &Path, content: &[u8], expected: &Digest) -> Result<(), PulledError> {
    let found = Digest::public(content);
    if found == *expected {
        return Ok(());
    }
    let (expected, found) = (with_algorithm(expected), with_algorithm(&found));
    Err(PulledError::Changed { path: path.to_owned(), expected, found })
}
