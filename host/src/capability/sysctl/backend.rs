//! `/proc/sys` and stead's own file under `/etc/sysctl.d`.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::{Key, Parameter, Set, Sysctl};
use crate::capability::{ApplyError, ObserveError};
use crate::machine::{remove, replace};

/// Read after the files of distribution and packages, so that it wins.
const FILE: &str = "/etc/sysctl.d/90-stead.conf";
const HEADER: &str = "# Written by stead, which replaces it as a whole.\n";

impl Sysctl {
    pub(super) fn read(&self, key: Key) -> Result<(Key, Parameter), ObserveError> {
        let path = format!("/proc/sys/{}", key.path());
        let running = match std::fs::read_to_string(self.machine.path(&path)) {
            Ok(value) => Some(value.split_whitespace().collect::<Vec<_>>().join(" ")),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(ObserveError::File { path, source }),
        };
        let file = self.file().map_err(|source| ObserveError::File { path: FILE.to_owned(), source })?;
        let persistent = file.get(&key).cloned();
        Ok((key, Parameter { running, persistent }))
    }

    pub(super) fn write(&self, Set { key, to }: &Set) -> Result<(), ApplyError> {
        self.persist(key, to.persistent.as_deref())
            .map_err(|source| ApplyError::File { path: FILE.to_owned(), source })?;
        let Some(value) = &to.running else { return Ok(()) };
        let path = format!("/proc/sys/{}", key.path());
        std::fs::write(self.machine.path(&path), value).map_err(|source| ApplyError::File { path, source })
    }

    fn persist(&self, key: &Key, value: Option<&str>) -> std::io::Result<()> {
        let mut lines = self.file()?;
        match value {
            Some(value) => lines.insert(key.clone(), value.to_owned()),
            None => lines.remove(key),
        };
        let path = self.machine.path(FILE);
        if lines.is_empty() {
            return remove(&path);
        }
        let text: String = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        replace(&path, format!("{HEADER}{text}").as_bytes(), 0o644)
    }

    /// The lines of stead's own file that are settings.
    fn file(&self) -> std::io::Result<BTreeMap<Key, String>> {
        let text = match std::fs::read_to_string(self.machine.path(FILE)) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let setting = |line: &str| {
            let (key, value) = line.split_once('=')?;
            Some((key.trim().parse().ok()?, value.trim().to_owned()))
        };
        Ok(text.lines().filter_map(setting).collect())
    }
}
