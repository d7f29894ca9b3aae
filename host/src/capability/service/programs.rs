//! Which program a unit runs whose command is `stead`: the one that applies.
//!
//! It is decided when the plan is made, and written into it: the plan shows the path, a restart follows from its change, and undo
//! brings the old one back.

use serde_json::Value;

use super::Service;
use crate::capability::Capability;
use crate::installed;
use crate::machine::Machine;
use crate::plan::Specs;

/// Writes the path of this program into the unit files and drop-ins of `specs`.
pub fn name_programs(specs: &mut Specs, machine: &Machine) {
    let Some(own) = installed::own().ok().and_then(|own| installed::word(&own)) else { return };
    for declared in specs.get_mut(Service::NAME).into_iter().flatten() {
        if let Some(Value::String(content)) = declared.spec.pointer_mut("/fragment/content") {
            *content = installed::resolved(content, &machine.path("/"), &own);
        }
    }
}
