//! The manager over D-Bus, and files under `/etc/systemd/system`.

use super::{Action, Fact, Service, Spec, UnitName};
use crate::capability::{ApplyError, Declared, ObserveError, Owned};

mod bus;
mod files;
mod job;
mod live;
mod offline;

impl Service {
    pub(super) async fn read(&self, specs: &[Declared<Spec>], owned: &Owned<Action>) -> Result<Fact, ObserveError> {
        let files = self.read_files(specs, owned)?;
        let names = names(specs, owned);
        let live = self.machine.is_booted();
        let units = if live { self.read_live(&names).await? } else { self.read_offline(&names).await? };
        Ok(Fact { live, units, files })
    }

    pub(super) async fn act(&self, action: &Action) -> Result<(), ApplyError> {
        match action {
            Action::File { path, to, content } => self.set_file(path, to, content.as_deref()),
            action if self.machine.is_booted() => self.act_live(action).await,
            action => self.act_offline(action).await,
        }
    }
}

/// The units that are declared or owned, and those whose files are.
fn names(specs: &[Declared<Spec>], owned: &Owned<Action>) -> std::collections::BTreeSet<UnitName> {
    let declared = specs.iter().map(|declared| match &declared.spec {
        Spec::Unit(unit) => Some(unit.name.clone()),
        Spec::Fragment(fragment) => Some(fragment.unit.clone()),
    });
    let owned = owned.keys().map(|resource| super::spec::unit_of(resource).or_else(|| resource.parse().ok()));
    declared.chain(owned).flatten().filter(|name| !name.is_template()).collect()
}
