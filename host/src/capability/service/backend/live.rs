//! Units of a running manager.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use zbus::Error;

use super::bus::{Manager, is_missing};
use super::job::refused;
use crate::capability::service::{Action, FoundUnit, OnChange, Service, State, UnitName};
use crate::capability::{ApplyError, ObserveError};

impl Service {
    pub(super) async fn read_live(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, FoundUnit>, ObserveError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let unreadable =
            |resource: String, error: Error| ObserveError::Unreadable { resource, reason: error.to_string() };
        let manager = Manager::connect().await.map_err(|error| unreadable("systemd".to_owned(), error))?;
        let one = async |name: &UnitName| {
            let found = manager.unit(name).await.map_err(|error| unreadable(format!("service {name}"), error))?;
            let enabled = found.enabled || (found.is_masked() && self.is_linked(name)?);
            Ok::<_, ObserveError>((name.clone(), FoundUnit { enabled, ..found }))
        };
        Ok(try_join_all(names.iter().map(one)).await?.into_iter().collect())
    }

    pub(super) async fn act_live(&self, action: &Action) -> Result<(), ApplyError> {
        let failed = |error: Error| ApplyError::Refused { resource: "systemd".to_owned(), reason: error.to_string() };
        let manager = Manager::connect().await.map_err(failed)?;
        match action {
            Action::Unit { unit, to } => set(&manager, unit, to).await,
            Action::Renew { unit, by } => {
                fresh(&manager, unit).await?;
                let method = match by {
                    OnChange::Restart => "TryRestartUnit",
                    OnChange::Reload => "ReloadOrTryRestartUnit",
                };
                manager.job(method, unit).await
            }
            Action::Reenable { unit } => {
                let files = [unit.as_str()];
                told(unit, manager.call("ReenableUnitFiles", &(files.as_slice(), false, true)).await)
            }
            Action::DaemonReload {} => manager.call("Reload", &()).await.map(drop).map_err(failed),
            // Files do not need the manager.
            Action::File { path, to, content } => self.set_file(path, to, content.as_deref()),
        }
    }
}

/// In an order in which no unit is started that is masked, or stays on that is not to come back.
async fn set(manager: &Manager, unit: &UnitName, to: &State) -> Result<(), ApplyError> {
    let files = [unit.as_str()];
    let files = files.as_slice();
    if to.masked == Some(false) {
        for runtime in [false, true] {
            told(unit, manager.call("UnmaskUnitFiles", &(files, runtime)).await)?;
        }
    }
    if to.enabled == Some(true) {
        told(unit, manager.call("EnableUnitFiles", &(files, false, true)).await)?;
    }
    match to.running {
        Some(true) => {
            fresh(manager, unit).await?;
            manager.job("StartUnit", unit).await?;
        }
        Some(false) => {
            manager.job("StopUnit", unit).await?;
            // A start that failed leaves a unit behind that is listed as failed even when its file is gone.
            match manager.call("ResetFailedUnit", &unit.as_str()).await {
                Err(error) if is_missing(&error) => {}
                answer => told(unit, answer)?,
            }
        }
        None => {}
    }
    if to.enabled == Some(false) {
        told(unit, manager.call("DisableUnitFiles", &(files, false)).await)?;
    }
    if to.masked == Some(true) {
        told(unit, manager.call("MaskUnitFiles", &(files, false, false)).await)?;
        // The manager does not notice a new mask by itself.
        told(unit, manager.call("Reload", &()).await)?;
    }
    Ok(())
}

/// The manager has read the files of the unit as they are now.
async fn fresh(manager: &Manager, unit: &UnitName) -> Result<(), ApplyError> {
    let found = manager.unit(unit).await.map_err(|error| refused(unit, &error))?;
    if found.needs_reload {
        told(unit, manager.call("Reload", &()).await)?;
    }
    Ok(())
}

fn told(unit: &UnitName, answer: Result<zbus::Message, Error>) -> Result<(), ApplyError> {
    answer.map(drop).map_err(|error| refused(unit, &error))
}
