//! The files of a backup: what it is, what restic needs, and the units that start it.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::{Spec, Variables, environment};
use crate::machine::Machine;
use crate::machine::inode::{Mode, Pathname};
use crate::repo::Name;

/// Where definitions and secrets lie.
pub(super) const FOLDER: &str = "/etc/stead/backup";
pub(super) const HEADER: &str = "# Written by stead, which replaces it as a whole.\n";
const UNITS: &str = "/etc/systemd/system";

/// What a file is to hold, and who may read it.
pub(super) type Files = BTreeMap<Pathname, (Vec<u8>, Mode)>;

/// The paths of all files of a backup.
pub(super) fn paths(name: &Name) -> Vec<Pathname> {
    let own = ["json", "env", "password"].map(|kind| format!("{FOLDER}/{name}.{kind}"));
    let units = ["service", "timer"].map(|kind| format!("{UNITS}/stead-backup-{name}.{kind}"));
    own.into_iter().chain(units).filter_map(|path| path.parse().ok()).collect()
}

/// Where systemd looks at boot for what the timer wants.
pub(super) fn link(name: &Name) -> String {
    format!("{UNITS}/timers.target.wants/{}", timer(name))
}

/// The name of its timer.
pub(super) fn timer(name: &Name) -> String {
    format!("stead-backup-{name}.timer")
}

/// The path of its timer.
pub(super) fn timer_file(name: &Name) -> String {
    format!("{UNITS}/{}", timer(name))
}

/// All files of a backup.
///
/// # Errors
/// The name of a secret that is not there.
pub(super) fn wanted(spec: &Spec, machine: &Machine) -> Result<Files, String> {
    let secret = |name: &str| machine.secret(name).map(|secret| secret.reveal().clone());
    let password = secret(spec.password.as_str()).ok_or_else(|| spec.password.to_string())?;
    let definition = serde_json::to_vec_pretty(spec).unwrap_or_default();
    let contents = [
        (definition, Mode::PRIVATE_FILE),
        (environment::text(spec, secret)?.into_bytes(), Mode::PRIVATE_FILE),
        (password.into_bytes(), Mode::PRIVATE_FILE),
        (service(spec, machine).into_bytes(), Mode::PUBLIC_FILE),
        (timer_unit(spec).into_bytes(), Mode::PUBLIC_FILE),
    ];
    Ok(paths(&spec.name).into_iter().zip(contents).collect())
}

fn service(spec: &Spec, machine: &Machine) -> String {
    let repository = spec.repository.folder().map(|folder| format!(" -{}", escaped(folder))).unwrap_or_default();
    let state = escaped(&machine.state().to_string_lossy());
    let text = include_str!("stead-backup.service").replace("{name}", spec.name.as_str());
    format!("{HEADER}{}", text.replace("{state}", &state).replace("{repository}", &repository))
}

fn timer_unit(spec: &Spec) -> String {
    let text = include_str!("stead-backup.timer").replace("{name}", spec.name.as_str());
    format!("{HEADER}{}", text.replace("{at}", spec.at.as_str()))
}

/// As one word of a setting; systemd.syntax(7).
fn escaped(path: &str) -> String {
    let text = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    if text.contains([' ', '\'', '"', '\\', ';']) { format!("\"{text}\"") } else { text }
}

/// The definition and the environment of a backup that is set up on this machine.
///
/// # Errors
/// When it is not, or its files cannot be read.
pub fn definition(machine: &Machine, name: &str) -> std::io::Result<(Spec, Variables)> {
    let text = std::fs::read(machine.path(format!("{FOLDER}/{name}.json")))?;
    Ok((serde_json::from_slice(&text)?, environment::read(machine, name)?))
}

/// The names of the backups that are set up on this machine, sorted.
///
/// # Errors
/// When that cannot be told.
pub fn names(machine: &Machine) -> std::io::Result<Vec<Name>> {
    let entries = match std::fs::read_dir(machine.path(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(".json")?.parse().ok()));
    }
    names.sort();
    Ok(names)
}

/// All definitions on this machine, by name.
///
/// # Errors
/// When one cannot be read.
pub fn definitions(machine: &Machine) -> std::io::Result<Vec<(Spec, Variables)>> {
    names(machine)?.iter().map(|name| definition(machine, name.as_str())).collect()
}
