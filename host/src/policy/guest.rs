//! The state of one running policy, and the one door that every call goes through: check, stage, record.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::{Meter, Metered, Spent};
use super::log::{Level, Log, LogLine};
use super::runtime::Policy;
use super::wasi::Wasi;
use crate::capability::Capability;
use crate::capability::backup::Backups;
use crate::capability::compose::Engines;
use crate::capability::vpn::{Claims, Meshes};
use crate::grant::Grants;
use crate::machine::Facts;
use crate::policy::types::{Denial, Error, InvalidArgument};
use crate::stage::Stage;

/// How many calls one policy may make.
const CALLS: usize = 200_000;
/// How many bytes the record of its calls may have: a policy that asks for more is one that nobody can review.
const WEIGHT: usize = 64 << 20;

/// The state of one running policy.
pub struct Guest {
    policy: String,
    grants: Grants,
    facts: Facts,
    config: Value,
    meshes: Meshes,
    engines: Engines,
    backups: Backups,
    claims: Claims,
    stage: Stage,
    calls: Vec<Recorded>,
    weight: usize,
    denials: Vec<Denial>,
    log: Log,
    wasi: Wasi,
    meter: Meter,
}

/// A call that crossed the boundary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The interface of the contract that was called: a capability, or `facts`, `config`, `log`.
    pub capability: String,
    /// What was asked for; `null` when it could not be parsed.
    pub spec: Value,
    /// `None`: staged, or answered. Otherwise why not.
    pub refused: Option<String>,
    /// What the policy got to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
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
    pub(super) fn new(policy: &Policy<'_>, facts: &Facts) -> Self {
        let log = Log::default();
        Self {
            policy: policy.name.to_owned(),
            grants: policy.grants.clone(),
            facts: facts.clone(),
            config: policy.config.clone(),
            meshes: policy.meshes.clone(),
            engines: policy.engines.clone(),
            backups: policy.backups.clone(),
            claims: Claims::default(),
            stage: Stage::default(),
            calls: Vec::new(),
            weight: 0,
            denials: Vec::new(),
            wasi: Wasi::new(&log),
            log,
            meter: Meter::new(policy.limits),
        }
    }

    /// The door: parses, checks against the grant, records and stages one call.
    ///
    /// # Errors
    /// What the policy gets to see: `invalid` or `denied`. Nothing is staged then.
    pub fn stage<C: Capability>(&mut self, parsed: Result<C::Spec, Invalid>) -> Result<(), Error> {
        self.stage_for::<C, ()>(parsed.map(|spec| (spec, ())))
    }

    /// The same for a call that answers something, which follows from what is staged.
    ///
    /// # Errors
    /// As [`Guest::stage`].
    pub fn stage_for<C: Capability, A>(&mut self, parsed: Result<(C::Spec, A), Invalid>) -> Result<A, Error> {
        let parsed = parsed.map_err(|Invalid { argument, reason }| {
            Error::Invalid(InvalidArgument { argument: argument.to_owned(), reason })
        });
        let asked = parsed.as_ref().map(|(spec, _)| serde_json::to_value(spec).unwrap_or_default()).unwrap_or_default();
        let checked = parsed.and_then(|(spec, answer)| self.check::<C>(&spec).map(|()| (spec, answer)));
        let refused = checked.as_ref().err().map(words);
        // Recorded before it is staged: what no longer fits into the record must not be staged either.
        self.record(C::NAME, asked, refused, None).map_err(|spent| self.too_much::<C>(&spent.to_string()))?;
        let (spec, answer) = checked.inspect_err(|error| self.remember(error))?;
        self.stage.add::<C>(&spec).map_err(|full| {
            if let Some(call) = self.calls.last_mut() {
                call.refused = Some(full.to_string());
            }
            Error::Other(full.to_string())
        })?;
        Ok(answer)
    }

    /// That there is no room for this call, which is not among those that are recorded.
    fn too_much<C: Capability>(&self, what: &str) -> Error {
        Error::Other(format!("call {} to {}: the policy has used up {what}", self.calls.len() + 1, C::NAME))
    }

    fn check<C: Capability>(&self, spec: &C::Spec) -> Result<(), Error> {
        self.grants.check::<C>(spec).map_err(|denied| {
            Error::Denied(Denial {
                capability: denied.capability.to_owned(),
                grant: denied.grant(&self.policy),
                asked: denied.asked,
            })
        })
    }

    fn remember(&mut self, error: &Error) {
        if let Error::Denied(denial) = error {
            self.denials.push(denial.clone());
        }
    }

    /// Records what the policy was told.
    pub(super) fn answered(&mut self, interface: &str, call: Value, answer: Value) -> wasmtime::Result<()> {
        let answer = (!answer.is_null()).then_some(answer);
        Ok(self.record(interface, call, None, answer)?)
    }

    fn record(
        &mut self,
        interface: &str,
        spec: Value,
        refused: Option<String>,
        answer: Option<Value>,
    ) -> Result<(), Spent> {
        self.weight += 64 + weight(&spec) + refused.as_ref().map_or(0, String::len) + answer.as_ref().map_or(0, weight);
        if self.calls.len() >= CALLS || self.weight > WEIGHT {
            return Err(Spent::Calls);
        }
        self.calls.push(Recorded { capability: interface.to_owned(), spec, refused, answer });
        Ok(())
    }

    /// Whether it was really this host that denied this. A guest may hand back a denial of its own making, and its
    /// TOML must not reach an operator who is told to paste it.
    pub(super) fn denied(&self, denial: &Denial) -> bool {
        let same = |ours: &Denial| {
            ours.capability == denial.capability && ours.asked == denial.asked && ours.grant == denial.grant
        };
        self.denials.iter().any(same)
    }

    pub(super) fn said(&self, level: Level, message: &str) -> Result<(), Spent> {
        self.log.add(level, message)
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The meshes of the repo.
    pub(crate) fn meshes(&self) -> &Meshes {
        &self.meshes
    }

    /// The engine of each compose app that has one of its own.
    pub(crate) fn engines(&self) -> &Engines {
        &self.engines
    }

    /// The backups of this host.
    pub(crate) fn backups(&self) -> &Backups {
        &self.backups
    }

    /// What the policy has declared of WireGuard so far.
    pub(crate) fn claims(&mut self) -> &mut Claims {
        &mut self.claims
    }

    /// The number of the call, from 1, that was refused with this error, and the interface that it was to.
    pub(super) fn refused(&self, error: &Error) -> Option<(usize, &str)> {
        let words = words(error);
        let refused = |call: &Recorded| call.refused.as_ref() == Some(&words);
        let index = self.calls.iter().position(refused)?;
        Some((index + 1, self.calls.get(index)?.capability.as_str()))
    }

    pub(super) fn config(&self) -> &Value {
        &self.config
    }

    pub(super) fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }

    /// What it said.
    pub(super) fn take_log(&self) -> Vec<LogLine> {
        self.wasi.finish();
        self.log.take()
    }

    /// What was staged and every call that was made.
    pub(super) fn finish(self) -> (Stage, Vec<Recorded>) {
        (self.stage, self.calls)
    }
}

impl Metered for Guest {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("policy", &self.policy).field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::Denied(denial) => format!("{}: {} is not granted", denial.capability, denial.asked),
        Error::Invalid(invalid) => format!("{}: {}", invalid.argument, invalid.reason),
        Error::Other(words) => words.clone(),
    }
}

/// About how many bytes of memory a value takes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 24 + text.len(),
        Value::Array(values) => 24 + values.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => 24 + fields.iter().map(|(name, value)| 24 + name.len() + weight(value)).sum::<usize>(),
        _ => 24,
    }
}
