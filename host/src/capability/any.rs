//! Capabilities without their types, for what treats them all alike: grants, plan, apply, journal.

use std::any::Any;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use toml::de::ValueDeserializer;
use wasmtime::component::Linker;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::{Machine, SshSession};
use crate::plan::Diff;
use crate::policy::Guest;

/// A capability whose specs, facts and actions are JSON values.
#[async_trait]
pub trait AnyCapability: Send + Sync {
    fn name(&self) -> &'static str;
    fn link(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()>;
    /// Parses a grant table; see [`Capability::Scope`]. An error's span is where it is in the text of the table.
    fn scope(&self, table: ValueDeserializer<'_>) -> Result<Arc<dyn Any + Send + Sync>, toml::de::Error>;
    fn resource(&self, spec: &Value) -> Result<String, PlanError>;
    fn secrets(&self, spec: &Value) -> Result<Vec<String>, PlanError>;
    fn check(&self, scope: &(dyn Any + Send + Sync), spec: &Value) -> Result<Result<(), Denied>, PlanError>;
    fn cuts_off(&self, specs: &[Declared<Value>], session: &SshSession) -> Result<Option<String>, PlanError>;
    fn action_cuts_off(&self, action: &Value, session: &SshSession) -> Result<Option<String>, PlanError>;
    /// See [`Capability::check_fact`].
    fn check_fact(
        &self,
        scope: &(dyn Any + Send + Sync),
        spec: &Value,
        fact: &Value,
    ) -> Result<Result<(), Denied>, PlanError>;
    async fn observe(
        &self,
        machine: Arc<Machine>,
        specs: &[Declared<Value>],
        owned: &Owned<Value>,
    ) -> Result<Value, ObserveError>;
    fn diff(
        &self,
        fact: &Value,
        specs: &[Declared<Value>],
        owned: &Owned<Value>,
        changed: &BTreeSet<String>,
    ) -> Result<Diff<Value>, PlanError>;
    async fn apply(&self, machine: Arc<Machine>, action: &Value) -> Result<(), ApplyError>;
}

/// The registration of a capability.
#[derive(Debug)]
pub struct Registered<C>(PhantomData<fn() -> C>);

impl<C> Registered<C> {
    pub const NEW: Self = Self(PhantomData);
}

#[async_trait]
impl<C: Capability> AnyCapability for Registered<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn link(&self, linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        C::link(linker)
    }

    fn scope(&self, table: ValueDeserializer<'_>) -> Result<Arc<dyn Any + Send + Sync>, toml::de::Error> {
        Ok(Arc::new(C::Scope::deserialize(table)?))
    }

    fn resource(&self, spec: &Value) -> Result<String, PlanError> {
        Ok(C::resource(&read::<C, _>(spec)?))
    }

    fn secrets(&self, spec: &Value) -> Result<Vec<String>, PlanError> {
        Ok(C::secrets(&read::<C, _>(spec)?))
    }

    fn check(&self, scope: &(dyn Any + Send + Sync), spec: &Value) -> Result<Result<(), Denied>, PlanError> {
        Ok(C::check(granted::<C>(scope)?, &read::<C, _>(spec)?))
    }

    fn check_fact(
        &self,
        scope: &(dyn Any + Send + Sync),
        spec: &Value,
        fact: &Value,
    ) -> Result<Result<(), Denied>, PlanError> {
        Ok(C::check_fact(granted::<C>(scope)?, &read::<C, _>(spec)?, &read::<C, _>(fact)?))
    }

    fn cuts_off(&self, specs: &[Declared<Value>], session: &SshSession) -> Result<Option<String>, PlanError> {
        Ok(C::cuts_off(&declared::<C>(specs)?, session))
    }

    fn action_cuts_off(&self, action: &Value, session: &SshSession) -> Result<Option<String>, PlanError> {
        Ok(C::action_cuts_off(&read::<C, _>(action)?, session))
    }

    async fn observe(
        &self,
        machine: Arc<Machine>,
        specs: &[Declared<Value>],
        owned: &Owned<Value>,
    ) -> Result<Value, ObserveError> {
        let unreadable = |reason: String| ObserveError::Unreadable { resource: C::NAME.to_owned(), reason };
        let specs = declared::<C>(specs).map_err(|error| unreadable(error.to_string()))?;
        let owned = ownership::<C>(owned).map_err(|error| unreadable(error.to_string()))?;
        let fact = C::open(machine).observe(&specs, &owned).await?;
        serde_json::to_value(fact).map_err(|error| unreadable(error.to_string()))
    }

    fn diff(
        &self,
        fact: &Value,
        specs: &[Declared<Value>],
        owned: &Owned<Value>,
        changed: &BTreeSet<String>,
    ) -> Result<Diff<Value>, PlanError> {
        let fact = read::<C, _>(fact)?;
        let specs = declared::<C>(specs)?;
        let owned = ownership::<C>(owned)?;
        let diff = C::diff(&fact, &Desired { specs: &specs, owned: &owned, changed })?;
        diff.map_actions(|action| serde_json::to_value(action).map_err(|error| record::<C>(error)))
    }

    async fn apply(&self, machine: Arc<Machine>, action: &Value) -> Result<(), ApplyError> {
        let action = serde_json::from_value(action.clone()).map_err(|error| ApplyError::Record(error.to_string()))?;
        C::open(machine).apply(&action).await
    }
}

fn granted<C: Capability>(scope: &(dyn Any + Send + Sync)) -> Result<&C::Scope, PlanError> {
    scope.downcast_ref::<C::Scope>().ok_or_else(|| record::<C>("its grant is of another capability"))
}

fn read<C: Capability, T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, PlanError> {
    serde_json::from_value(value.clone()).map_err(|error| record::<C>(error))
}

fn declared<C: Capability>(specs: &[Declared<Value>]) -> Result<Vec<Declared<C::Spec>>, PlanError> {
    let one = |declared: &Declared<Value>| {
        Ok(Declared { policy: declared.policy.clone(), spec: read::<C, _>(&declared.spec)? })
    };
    specs.iter().map(one).collect()
}

fn ownership<C: Capability>(owned: &Owned<Value>) -> Result<Owned<C::Action>, PlanError> {
    let one = |(resource, release): (&String, &Option<Value>)| {
        Ok((resource.clone(), release.as_ref().map(read::<C, _>).transpose()?))
    };
    owned.iter().map(one).collect()
}

fn record<C: Capability>(reason: impl ToString) -> PlanError {
    PlanError::Record { capability: C::NAME, reason: reason.to_string() }
}
