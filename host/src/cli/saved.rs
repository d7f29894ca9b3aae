//! A plan in a file: what was reviewed is what is applied, or nothing is.
//!
//! It holds no secret and no part of the repo, only digests of what the plan was made from. The repo must still be
//! the same when it is applied, and the machine, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Context;
use super::planning::{Planned, pack};
use super::targets::Machine;
use crate::digest::Digest;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::machine::replace;
use crate::plan::{FORMAT, Plan};
use crate::repo::{Address, Bundle};

const ENDING: &str = ".stead";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    plans: Vec<Saved>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    /// As the operator said it.
    target: String,
    address: Option<Address>,
    made_from: Source,
    plan: Plan,
}

/// What a plan was made from, by digest.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    stead_toml: Digest,
    vpn_toml: Digest,
    apps: Digest,
    policies: BTreeMap<String, Digest>,
}

/// Whether a word of the command line is the name of a saved plan.
pub(super) fn is_saved(word: &str) -> bool {
    word.ends_with(ENDING)
}

/// Parses the name of a file to save a plan in.
pub(super) fn file_name(name: &str) -> Result<PathBuf, String> {
    if is_saved(name) { Ok(name.into()) } else { Err(format!("the name of a saved plan ends in `{ENDING}`")) }
}

/// Writes the plans, for the operator's eyes only: they show contents of files.
pub(super) fn write(path: &Path, planned: &[Planned]) -> Result<(), Failure> {
    let saved = |one: &Planned| Saved {
        target: one.machine.label.clone(),
        address: one.machine.address.clone(),
        made_from: Source::of(&one.bundle),
        plan: one.plan.clone(),
    };
    let file = File { format: FORMAT, plans: planned.iter().map(saved).collect() };
    let failed = |error: String| {
        let message = format!("cannot save the plan as {}: {error}", path.display());
        Failure::new(Blame::Operator, Exit::Input, &message)
    };
    let text = serde_json::to_vec(&file).map_err(|error| failed(error.to_string()))?;
    // A bare name is in the current folder.
    let absolute = std::path::absolute(path).map_err(|error| failed(error.to_string()))?;
    replace(&absolute, &text, 0o600).map_err(|error| failed(error.to_string()))
}

/// Reads the plans, and packs anew what they were made from.
///
/// # Errors
/// When the file cannot be used, or the repo has changed since.
pub(super) async fn read(context: &Context, path: &str) -> Result<Vec<Planned>, Failure> {
    let mut planned = Vec::new();
    for saved in parse(Path::new(path))?.plans {
        planned.push(saved.bundle(context).await?);
    }
    Ok(planned)
}

/// Reads the plans to show them.
///
/// # Errors
/// When the file cannot be used.
pub(super) fn plans(path: &Path) -> Result<Vec<Plan>, Failure> {
    Ok(parse(path)?.plans.into_iter().map(|saved| saved.plan).collect())
}

fn parse(path: &Path) -> Result<File, Failure> {
    let failed = |error: String| {
        let message = format!("cannot read the saved plan {}: {error}", path.display());
        Failure::new(Blame::Operator, Exit::Input, &message).help("save it again with `stead plan --out`")
    };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let format = serde_json::from_slice::<Format>(&text).map_err(|error| failed(error.to_string()))?.format;
    if format != FORMAT {
        return Err(failed(format!("it is of version {format}, and this stead reads version {FORMAT}")));
    }
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Saved {
    async fn bundle(self, context: &Context) -> Result<Planned, Failure> {
        // By the name of its table: what was this machine, or an address, when it was saved is kept below.
        let host = std::slice::from_ref(&self.plan.host);
        let (_, bundle) = pack(context, host).await?.pop().ok_or_else(super::asking::unexpected)?;
        let now = Source::of(&bundle);
        if let Some(part) = self.made_from.differs(&now) {
            let message = format!("{part} has changed since the plan was saved");
            return Err(Failure::new(Blame::Operator, Exit::Stale, &message).help("make a new plan, and look at it"));
        }
        let machine = Machine::at(context, self.target, self.address);
        Ok(Planned { machine, bundle, plan: self.plan, recorded: None })
    }
}

impl Source {
    fn of(bundle: &Bundle) -> Self {
        Self {
            stead_toml: Digest::public(bundle.stead_toml.as_bytes()),
            vpn_toml: Digest::public(bundle.vpn_toml.as_bytes()),
            apps: Digest::public(&bundle.apps.0),
            policies: bundle.policies.iter().map(|(name, code)| (name.clone(), Digest::public(&code.0))).collect(),
        }
    }

    /// The first part that is not the same.
    fn differs(&self, now: &Self) -> Option<String> {
        if self.stead_toml != now.stead_toml {
            return Some("stead.toml".to_owned());
        }
        if self.vpn_toml != now.vpn_toml {
            return Some("vpn.toml".to_owned());
        }
        let changed = self.policies.iter().find(|(name, digest)| now.policies.get(*name) != Some(digest));
        let policy = changed.map(|(name, _)| format!("the component of policy {name}"));
        policy.or_else(|| (self.apps != now.apps).then(|| "apps/".to_owned()))
    }
}
