//! What would change: ordered steps, each with its undo; the hash that names them.
//!
//! Making a plan reads nothing and changes nothing: it is a function of specs, facts and ownership.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod make;
mod moved;
mod published;
mod render;
mod step;

pub use make::{Inputs, make};
pub use moved::moved;
#[cfg(test)]
pub use render::render_steps;
pub use render::{Colour, headings, render};
pub use step::{Change, Deferred, Detail, Diff, Step, Undo};

use crate::capability::{Declared, Owned};
use crate::digest::Digest;
use crate::machine::Facts;
use crate::policy::Recorded;

/// The version of the saved form. A plan of another version is refused.
pub const FORMAT: u32 = 1;

/// By capability.
pub type Specs = BTreeMap<String, Vec<Declared<Value>>>;
/// By capability.
pub type Observed = BTreeMap<String, Value>;
/// By capability.
pub type Ownership = BTreeMap<String, Owned<Value>>;

/// What would change on one host, and from what it follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub format: u32,
    pub host: String,
    /// The git commit of the repo, with `+dirty` when the work tree has changes.
    pub commit: Option<String>,
    /// The digest of each policy's component.
    pub policies: BTreeMap<String, Digest>,
    /// Names the archive of the repo's `apps/`.
    pub apps: Digest,
    /// What the policies could read.
    pub facts: Facts,
    /// What they declared.
    pub specs: Specs,
    /// All that they called, in order, each with its policy: what a replay answers from.
    pub calls: Vec<(String, Recorded)>,
    /// What the machine was like.
    pub observed: Observed,
    /// The revision that the machine was at.
    pub base: Option<u64>,
    pub steps: Vec<PlannedStep>,
    pub deferred: Vec<PlannedDeferral>,
    /// `CAPABILITY:RESOURCE` that are no longer declared and stay, because they were there before stead.
    pub released: Vec<String>,
    /// Who owns what when the plan has been applied.
    pub ownership: Ownership,
    /// Names all of the above.
    pub hash: Digest,
}

/// A step and its capability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub capability: String,
    #[serde(flatten)]
    pub step: Step<Value>,
}

/// What can only be planned when earlier steps have been done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDeferral {
    pub capability: String,
    #[serde(flatten)]
    pub deferred: Deferred,
}

impl PlannedStep {
    /// `CAPABILITY:RESOURCE` of all that it changes.
    pub fn changed(&self) -> impl Iterator<Item = String> {
        let resources = std::iter::once(&self.step.resource).chain(&self.step.also);
        resources.map(|resource| format!("{}:{resource}", self.capability))
    }
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.deferred.is_empty()
    }

    /// Whether a step may cut the operator off.
    pub fn is_guarded(&self) -> bool {
        self.steps.iter().any(|planned| planned.step.guarded)
    }

    /// `CAPABILITY:RESOURCE` of every step.
    pub fn changed(&self) -> BTreeSet<String> {
        self.steps.iter().flat_map(PlannedStep::changed).collect()
    }

    /// The hash of what the plan says, whatever `hash` holds.
    pub fn digest(&self) -> Digest {
        let said = Self { hash: Digest::public(b""), ..self.clone() };
        // Maps are sorted and there is no float or non-string key in a plan, so this is canonical and cannot fail.
        Digest::public(&serde_json::to_vec(&said).unwrap_or_default())
    }
}
