//! What stead last brought up, for each project: which files in its folder are stead's, and what each service was.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::spec::Project;
use super::state::Record;
use crate::machine::{Machine, create_private_folder, remove, replace};

pub(super) fn get(machine: &Machine, project: &Project) -> std::io::Result<Option<Record>> {
    match std::fs::read(path(machine, project)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => Ok(Some(serde_json::from_slice(&text?)?)),
    }
}

pub(super) fn keep(machine: &Machine, project: &Project, record: &Record) -> std::io::Result<()> {
    let path = path(machine, project);
    create_private_folder(path.parent().ok_or(ErrorKind::InvalidInput)?)?;
    replace(&path, &serde_json::to_vec(record)?, 0o600)
}

pub(super) fn forget(machine: &Machine, project: &Project) -> std::io::Result<()> {
    remove(&path(machine, project))
}

/// Those of all projects, as far as they can be read.
pub(super) fn all(machine: &Machine) -> Vec<Record> {
    let files = std::fs::read_dir(machine.state().join("compose")).into_iter().flatten().flatten();
    let records = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    records.filter_map(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok()).collect()
}

fn path(machine: &Machine, project: &Project) -> PathBuf {
    machine.state().join("compose").join(format!("{project}.json"))
}
