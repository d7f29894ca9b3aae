//! Runs every capability's `cases/*.toml`: specs, a fact and ownership in, a plan or an error out.
//!
//! A case is data, so adding one needs no code. `grant` is optional: when it is there, the first spec that it does
//! not cover is the error.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{ALL, AnyCapability, Declared, Owned};
use crate::plan::{PlannedDeferral, PlannedStep, render_steps};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    grant: Option<toml::Value>,
    #[serde(default)]
    specs: Vec<Declared<Value>>,
    fact: Option<Value>,
    #[serde(default)]
    owned: Vec<Ownership>,
    #[serde(default)]
    changed: BTreeSet<String>,
    /// The plan without its summary line; empty: nothing to do.
    plan: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ownership {
    resource: String,
    release: Option<Value>,
}

#[test]
fn every_case_gives_its_plan() -> Result<()> {
    for capability in ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/capability").join(capability.name()).join("cases");
        let mut cases = std::fs::read_dir(&folder)
            .with_context(|| format!("{} has no cases", folder.display()))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        cases.sort();
        ensure!(!cases.is_empty(), "{} has no cases", folder.display());
        for case in cases {
            run(*capability, &case).with_context(|| case.display().to_string())?;
        }
    }
    Ok(())
}

fn run(capability: &dyn AnyCapability, path: &Path) -> Result<()> {
    let case: Case = toml::from_str(&std::fs::read_to_string(path)?)?;
    let said = outcome(capability, &case);
    let expected = match (&case.plan, &case.error) {
        (Some(plan), None) => Ok(plan.clone()),
        (None, Some(error)) => Err(error.clone()),
        _ => anyhow::bail!("a case has either `plan` or `error`"),
    };
    ensure!(said == expected, "expected:\n{expected:#?}\nfound:\n{said:#?}");
    Ok(())
}

fn outcome(capability: &dyn AnyCapability, case: &Case) -> Result<String, String> {
    if let Some(grant) = &case.grant {
        let table = grant.to_string();
        let scope = toml::de::ValueDeserializer::parse(&table).and_then(|table| capability.scope(table));
        let scope = scope.map_err(|error| error.to_string())?;
        for declared in &case.specs {
            let checked = capability.check(scope.as_ref(), &declared.spec).map_err(|error| error.to_string())?;
            checked.map_err(|denied| format!("{denied}\n{}", denied.grant(&declared.policy)))?;
            let Some(fact) = &case.fact else { continue };
            let checked =
                capability.check_fact(scope.as_ref(), &declared.spec, fact).map_err(|error| error.to_string())?;
            checked.map_err(|denied| format!("{denied}\n{}", denied.grant(&declared.policy)))?;
        }
    }
    let Some(fact) = &case.fact else { return Ok(String::new()) };
    let owned: Owned<Value> = case.owned.iter().map(|o| (o.resource.clone(), o.release.clone())).collect();
    let diff = capability.diff(fact, &case.specs, &owned, &case.changed).map_err(|error| error.to_string())?;
    let name = capability.name().to_owned();
    let steps: Vec<_> = diff.steps.into_iter().map(|step| PlannedStep { capability: name.clone(), step }).collect();
    let deferred: Vec<_> =
        diff.deferred.into_iter().map(|deferred| PlannedDeferral { capability: name.clone(), deferred }).collect();
    Ok(render_steps(&steps, &deferred))
}
