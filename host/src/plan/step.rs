//! One change, with its undo, and how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a capability answers to "what has to be done?".
#[derive(Clone, Debug, PartialEq)]
pub struct Diff<A> {
    /// In the order in which they must be done; what is leaving goes before everything else.
    pub steps: Vec<Step<A>>,
    /// What can only be planned after earlier steps.
    pub deferred: Vec<Deferred>,
}

impl<A> Default for Diff<A> {
    fn default() -> Self {
        Self { steps: Vec::new(), deferred: Vec::new() }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step<A> {
    pub resource: String,
    /// The resources that change with it, when it is one transaction over several: what a restart may depend on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<String>,
    pub change: Change,
    /// What is shown. Never holds a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<Detail>,
    pub action: A,
    pub undo: Undo<A>,
    /// What has to be done to give up each resource that this step takes, by resource. An entry for a resource
    /// that is already owned with a release is ignored: the first one leads back to before stead.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub releases: BTreeMap<String, A>,
    /// Whether it may cut the operator off: confirm-or-revert covers it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guarded: bool,
    /// Whether it gives up what may stand on another capability (an app on Docker): then it is done before all that comes
    /// or changes, and before what it stands on is given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
}

/// What kind of change a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Create,
    Update,
    Delete,
    /// A restart or reload because of another change.
    Trigger,
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo<A> {
    /// By this action.
    Action(A),
    /// By doing the step again after all others have been taken back: a restart.
    Rerun,
    /// Not at all, for this reason; the plan says so.
    Impossible(String),
}

/// A line or a block of what a step shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// `name: before → after`; an absent side does not exist.
    Field { name: String, before: Option<String>, after: Option<String> },
    /// A text, shown as a unified diff.
    Text { before: String, after: String },
    /// A remark.
    Note(String),
}

/// What can only be planned after earlier steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferred {
    pub resource: String,
    /// What is waited for: `Docker is not installed yet`.
    pub reason: String,
}

impl<A: Clone> Step<A> {
    /// A step whose undo also gives the resource up.
    pub fn new(change: Change, resource: impl Into<String>, action: A, undo: A) -> Self {
        let resource = resource.into();
        Self {
            releases: BTreeMap::from([(resource.clone(), undo.clone())]),
            resource,
            also: BTreeSet::new(),
            change,
            detail: Vec::new(),
            action,
            undo: Undo::Action(undo),
            guarded: false,
            leaving: false,
        }
    }

    /// A restart or reload: it owns nothing.
    pub fn trigger(resource: impl Into<String>, action: A) -> Self {
        Self {
            resource: resource.into(),
            also: BTreeSet::new(),
            change: Change::Trigger,
            detail: Vec::new(),
            action,
            undo: Undo::Rerun,
            releases: BTreeMap::new(),
            guarded: false,
            leaving: false,
        }
    }

    /// Shows a field.
    #[must_use]
    pub fn field(mut self, name: &str, before: Option<String>, after: Option<String>) -> Self {
        if before != after {
            self.detail.push(Detail::Field { name: name.to_owned(), before, after });
        }
        self
    }

    /// Shows a text as a unified diff.
    #[must_use]
    pub fn text(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        let (before, after) = (before.into(), after.into());
        if before != after {
            self.detail.push(Detail::Text { before, after });
        }
        self
    }

    /// Shows a remark.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.detail.push(Detail::Note(note.into()));
        self
    }

    /// Marks it as one that goes before anything comes or changes.
    #[must_use]
    pub fn leaving(mut self) -> Self {
        self.leaving = true;
        self
    }

    /// Marks it as one that may cut the operator off.
    #[must_use]
    pub fn guarded(mut self, guarded: bool) -> Self {
        self.guarded = guarded;
        self
    }
}

impl<A> Diff<A> {
    /// The same with other actions.
    ///
    /// # Errors
    /// The first error of `map`.
    pub fn map_actions<B, E>(self, map: impl Fn(A) -> Result<B, E>) -> Result<Diff<B>, E> {
        let steps = self.steps.into_iter().map(|step| step.map_actions(&map)).collect::<Result<_, E>>()?;
        Ok(Diff { steps, deferred: self.deferred })
    }
}

impl<A> Step<A> {
    fn map_actions<B, E>(self, map: &impl Fn(A) -> Result<B, E>) -> Result<Step<B>, E> {
        let undo = match self.undo {
            Undo::Action(action) => Undo::Action(map(action)?),
            Undo::Rerun => Undo::Rerun,
            Undo::Impossible(reason) => Undo::Impossible(reason),
        };
        let release = |(resource, action)| Ok((resource, map(action)?));
        Ok(Step {
            resource: self.resource,
            also: self.also,
            change: self.change,
            detail: self.detail,
            action: map(self.action)?,
            undo,
            releases: self.releases.into_iter().map(release).collect::<Result<_, E>>()?,
            guarded: self.guarded,
            leaving: self.leaving,
        })
    }
}
