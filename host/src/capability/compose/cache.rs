//! Remembers what the Compose plugin read, so that a run with nothing to do starts no process.
//!
//! Only the summary is kept, never the resolved model, which may hold values of secrets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::spec::Project;
use super::state::{Version, Wanted};
use crate::digest::Digest;
use crate::machine::{Machine, create_private_folder, replace};

/// Changes when a summary is made in another way.
const FORMAT: u32 = 6;

#[derive(Serialize, Deserialize)]
struct Cached {
    key: Digest,
    wanted: Wanted,
}

/// The digest of all that the plugin's answer follows from.
pub(super) fn key(machine: &Machine, project: &Project, version: &Version, plugin: &str) -> Digest {
    let Version { files, environment, secrets, scale, engine, .. } = version;
    let from = (FORMAT, project, files, environment, secrets, scale, plugin, engine);
    machine.key().digest(&serde_json::to_vec(&from).unwrap_or_default())
}

/// What was kept under this key. A damaged file is the same as none.
pub(super) fn get(machine: &Machine, project: &Project, key: &Digest) -> Option<Wanted> {
    let cached: Cached = serde_json::from_slice(&std::fs::read(path(machine, project)).ok()?).ok()?;
    (cached.key == *key).then_some(cached.wanted)
}

/// Keeps it in place of what was kept before. That it cannot be written costs time at the next run, nothing else.
pub(super) fn keep(machine: &Machine, project: &Project, key: Digest, wanted: &Wanted) {
    let path = path(machine, project);
    let cached = Cached { key, wanted: wanted.clone() };
    if let (Ok(text), Some(folder)) = (serde_json::to_vec(&cached), path.parent())
        && create_private_folder(folder).is_ok()
    {
        let _ = replace(&path, &text, 0o600);
    }
}

fn path(machine: &Machine, project: &Project) -> PathBuf {
    machine.state().join("compose").join(format!("{project}.cache"))
}
