//! The plan of a case: for a machine that has the facts of the case, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::capability;
use crate::digest::Digest;
use crate::machine::{Facts, Machine, without_packages};
use crate::observe::observe;
use crate::plan::{Inputs, Ownership, Specs, headings, make};
use crate::policy::Run;
use crate::secret::Secret;

/// Every secret: 32 bytes in base64, which is also a key as wg(8) has them.
const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A line for each step, and for what would be planned later.
///
/// # Errors
/// In words, when it cannot be planned.
pub(super) async fn plan(policy: &str, run: Run, facts: Facts) -> Result<Vec<String>, String> {
    let mut specs = Specs::new();
    run.stage.into_specs(policy, &mut specs);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let machine = bare(folder.path(), secrets(&specs)).map_err(|error| error.to_string())?;
    let observed = observe(&machine, &specs, &Ownership::new()).await.map_err(|error| error.to_string())?;
    let planned = make(Inputs {
        host: facts.host_name.clone(),
        commit: None,
        policies: BTreeMap::new(),
        apps: Digest::public(b""),
        facts,
        specs,
        calls: Vec::new(),
        observed,
        base: None,
        before: Specs::new(),
        owned: Ownership::new(),
        changed: BTreeSet::new(),
    });
    planned.map(|plan| headings(&plan)).map_err(|error| error.to_string())
}

/// A machine without a file, on which no package is installed.
fn bare(folder: &std::path::Path, secrets: BTreeMap<String, Secret<String>>) -> std::io::Result<Arc<Machine>> {
    let root = folder.join("root");
    without_packages(&root)?;
    let machine = Machine::open(&root, &folder.join("state")).map_err(std::io::Error::other)?;
    Ok(Arc::new(machine.without_kernel().with_secrets(secrets)))
}

/// A value for each secret that is declared.
fn secrets(specs: &Specs) -> BTreeMap<String, Secret<String>> {
    let mut secrets = BTreeMap::new();
    for (name, declared) in specs {
        let Some(capability) = capability::by_name(name) else { continue };
        let names = declared.iter().flat_map(|declared| capability.secrets(&declared.spec).unwrap_or_default());
        secrets.extend(names.map(|name| (name, Secret::new(SECRET.to_owned()))));
    }
    secrets
}
