//! Units in a tree of files, by `systemctl --root`: whether they will start at boot. Nothing runs there.

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::service::{Action, FoundUnit, Service, State, UnitName};
use crate::capability::{ApplyError, ObserveError};
use crate::machine::{Output, Program, ProgramError};

impl Service {
    pub(super) async fn read_offline(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, FoundUnit>, ObserveError> {
        let mut units = BTreeMap::new();
        for name in names {
            let file_state = file_state(self.systemctl("is-enabled", name).await)?;
            let masked = file_state.starts_with("masked");
            let found = FoundUnit {
                id: (!file_state.is_empty()).then(|| name.to_string()),
                enabled: file_state == "enabled" || (masked && self.is_linked(name)?),
                file_state,
                ..FoundUnit::default()
            };
            units.insert(name.clone(), found);
        }
        Ok(units)
    }

    pub(super) async fn act_offline(&self, action: &Action) -> Result<(), ApplyError> {
        match action {
            Action::Unit { unit, to } => {
                for verb in verbs(to) {
                    self.systemctl(verb, unit).await?;
                }
                Ok(())
            }
            Action::Reenable { unit } => self.systemctl("reenable", unit).await.map(drop).map_err(Into::into),
            Action::File { path, to, content } => self.set_file(path, to, content.as_deref()),
            // What does not run has nothing to read again.
            Action::DaemonReload {} | Action::Renew { .. } => Ok(()),
        }
    }

    async fn systemctl(&self, verb: &str, unit: &UnitName) -> Result<Output, ProgramError> {
        let root = std::path::absolute(self.machine.root()).unwrap_or_else(|_| self.machine.root().to_owned());
        let mut argument = std::ffi::OsString::from("--root=");
        argument.push(root);
        Program::new("systemctl").arg(argument).args([verb, "--", unit.as_str()]).run().await
    }
}

/// Disabling and masking what is not there is no error for systemctl(1), so doing it twice is none either.
fn verbs(to: &State) -> Vec<&'static str> {
    let said = [
        (to.masked == Some(false), "unmask"),
        (to.enabled == Some(true), "enable"),
        (to.enabled == Some(false), "disable"),
        (to.masked == Some(true), "mask"),
    ];
    said.into_iter().filter(|(said, _)| *said).map(|(_, verb)| verb).collect()
}

/// systemctl(1) says the state of what is not enabled with an exit status of 1, and a whole sentence of what is not there.
fn file_state(said: Result<Output, ProgramError>) -> Result<String, ProgramError> {
    match said {
        Ok(output) => Ok(output.text().trim().to_owned()),
        Err(ProgramError::Failed { words, .. }) if !words.contains(' ') => Ok(words),
        Err(ProgramError::Failed { words, .. }) if words.contains("No such file or directory") => Ok(String::new()),
        Err(error) => Err(error),
    }
}
