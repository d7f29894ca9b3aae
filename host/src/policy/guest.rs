//! The state of one running policy, and the one door that every call goes through: check, stage, record.

use serde::Serialize;
use serde_json::Value;

use crate::capability::Capability;
use crate::grant::Grants;
use crate::policy::types::{Denial, Error, InvalidArgument};
use crate::stage::Stage;

/// The state of one running policy.
#[derive(Debug)]
pub struct Guest {
    policy: String,
    grants: Grants,
    stage: Stage,
    calls: Vec<Recorded>,
}

/// A call that crossed the boundary.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct Recorded {
    pub capability: String,
    pub spec: Value,
    /// `None`: staged. Otherwise why not.
    pub refused: Option<String>,
}

/// An argument that is not what the field's manual allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{argument}: {reason}")]
pub struct Invalid {
    pub argument: &'static str,
    pub reason: String,
}

impl Invalid {
    /// An argument and what is wrong with it.
    pub fn new(argument: &'static str, reason: impl Into<String>) -> Self {
        Self { argument, reason: reason.into() }
    }
}

/// Tells the linker where the state of a policy is.
#[derive(Debug)]
pub struct HasGuest;

impl wasmtime::component::HasData for HasGuest {
    type Data<'a> = &'a mut Guest;
}

impl Guest {
    /// The state of a policy that is about to run.
    pub fn new(policy: &str, grants: Grants) -> Self {
        Self { policy: policy.to_owned(), grants, stage: Stage::default(), calls: Vec::new() }
    }

    /// The door: parses, checks against the grant, stages and records one call.
    ///
    /// # Errors
    /// What the policy gets to see: `invalid` or `denied`. Nothing is staged then.
    pub fn stage<C: Capability>(&mut self, parsed: Result<C::Spec, Invalid>) -> Result<(), Error> {
        let spec = parsed.map_err(|Invalid { argument, reason }| {
            Error::Invalid(InvalidArgument { argument: argument.to_owned(), reason })
        })?;
        let checked = self.grants.check::<C>(&spec);
        self.calls.push(Recorded {
            capability: C::NAME.to_owned(),
            spec: serde_json::to_value(&spec).unwrap_or_default(),
            refused: checked.as_ref().err().map(ToString::to_string),
        });
        checked.map_err(|denied| {
            Error::Denied(Denial {
                capability: denied.capability.to_owned(),
                grant: denied.grant(&self.policy),
                asked: denied.asked,
            })
        })?;
        self.stage.add::<C>(&spec).map_err(|full| Error::Other(full.to_string()))
    }

    /// What was staged and every call that was made.
    pub fn finish(self) -> (Stage, Vec<Recorded>) {
        (self.stage, self.calls)
    }
}
