//! What the operator lets a policy do with units.

use serde::Deserialize;

use super::{Spec, UnitName};
use crate::capability::Denied;
use crate::grant::Patterns;

/// `[policy.NAME.grant.service]`: at least one of the keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Table")]
pub struct Scope {
    units: Option<Patterns>,
    unit_files: Option<Patterns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Patterns of units that may be enabled, started, masked and the reverse: `nginx.service`.
    units: Option<Patterns>,
    /// Patterns of units whose unit file and drop-ins may be written. A unit runs what its file says, as root unless
    /// the file says otherwise: this grants root.
    unit_files: Option<Patterns>,
}

impl TryFrom<Table> for Scope {
    type Error = &'static str;

    fn try_from(Table { units, unit_files }: Table) -> Result<Self, &'static str> {
        if units.is_none() && unit_files.is_none() {
            return Err("an empty table grants nothing: give `units` or `unit-files`");
        }
        Ok(Self { units, unit_files })
    }
}

impl Scope {
    /// Whether the unit is granted for what is asked of it.
    ///
    /// # Errors
    /// [`Denied`] when it is not.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        match spec {
            Spec::Unit(unit) => check(self.units.as_ref(), "units", &unit.name, format!("manage {}", unit.name)),
            Spec::Fragment(fragment) => {
                let asked = format!("write {}", fragment.path());
                check(self.unit_files.as_ref(), "unit-files", &fragment.unit, asked)
            }
        }
    }
}

fn check(granted: Option<&Patterns>, key: &'static str, unit: &UnitName, asked: String) -> Result<(), Denied> {
    if granted.is_some_and(|patterns| patterns.matches(unit.as_str())) {
        return Ok(());
    }
    Err(Denied { capability: "service", asked, key, value: Patterns::only(unit.as_str()) })
}
