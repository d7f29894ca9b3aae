//! What the operator lets one policy do: a scope for each capability, and nothing where there is none.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capability::{self, Capability, Declared, Denied, PlanError};
use crate::plan::{Observed, Specs};

/// The grants of one policy, parsed by the capabilities themselves.
#[derive(Clone, Default)]
pub struct Grants {
    scopes: BTreeMap<&'static str, Arc<dyn Any + Send + Sync>>,
}

impl Grants {
    /// Grants a capability within a scope, which is the [`Capability::Scope`] of the capability of that name.
    pub fn add(&mut self, capability: &'static str, scope: Arc<dyn Any + Send + Sync>) {
        self.scopes.insert(capability, scope);
    }

    /// Whether any of this capability is granted.
    pub fn has(&self, capability: &str) -> bool {
        self.scopes.contains_key(capability)
    }

    /// The scope of a capability, without its type.
    pub fn scope(&self, capability: &str) -> Option<&(dyn Any + Send + Sync)> {
        self.scopes.get(capability).map(AsRef::as_ref)
    }

    /// Whether the grant of `C` covers the spec.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    pub fn check<C: Capability>(&self, spec: &C::Spec) -> Result<(), Denied> {
        match self.scope(C::NAME).and_then(|scope| scope.downcast_ref::<C::Scope>()) {
            Some(scope) => C::check(scope, spec),
            // A policy that imports an ungranted capability does not load, so a call never gets here without one.
            None => Err(Denied { capability: C::NAME, asked: C::resource(spec), key: "…", value: "…".to_owned() }),
        }
    }
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.scopes.keys()).finish()
    }
}

/// The grants of all policies of a host, by policy.
#[derive(Clone, Debug, Default)]
pub struct GrantTable(pub BTreeMap<String, Grants>);

/// A grant does not cover what is declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ungranted {
    #[error("policy {policy}: {denied}")]
    Denied { policy: String, denied: Denied },
    #[error("policy {policy}: {capability} is not granted")]
    NotGranted { policy: String, capability: String },
    #[error("this version of stead has no capability {capability}")]
    NoCapability { capability: String },
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl GrantTable {
    /// Whether the grants cover the specs, and what these turned out to mean where that has been observed.
    ///
    /// # Errors
    /// The first spec that is not covered.
    pub fn check(&self, specs: &Specs, observed: &Observed) -> Result<(), Ungranted> {
        for (name, specs) in specs {
            let unknown = || Ungranted::NoCapability { capability: name.clone() };
            let capability = capability::by_name(name).ok_or_else(unknown)?;
            for Declared { policy, spec } in specs {
                let denied = |denied| Ungranted::Denied { policy: policy.clone(), denied };
                let scope = self.0.get(policy).and_then(|grants| grants.scope(name));
                let scope =
                    scope.ok_or_else(|| Ungranted::NotGranted { policy: policy.clone(), capability: name.clone() })?;
                capability.check(scope, spec)?.map_err(denied)?;
                if let Some(fact) = observed.get(name) {
                    capability.check_fact(scope, spec, fact)?.map_err(denied)?;
                }
            }
        }
        Ok(())
    }
}

/// Patterns in a grant: `*` stands for anything but `/`, `**` for anything, `?` for one character.
#[derive(Clone, Debug)]
pub struct Patterns(globset::GlobSet);

impl Patterns {
    /// Whether one of the patterns matches all of `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }

    /// The list, in TOML, whose only pattern matches `name` and nothing else.
    pub fn only(name: &str) -> String {
        format!("[{}]", toml::Value::String(globset::escape(name)))
    }
}

impl<'de> serde::Deserialize<'de> for Patterns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let patterns = Vec::<String>::deserialize(deserializer)?;
        if patterns.is_empty() {
            return Err(D::Error::custom("an empty list grants nothing: remove the key, or name what is granted"));
        }
        let mut set = globset::GlobSetBuilder::new();
        for pattern in patterns {
            set.add(globset::GlobBuilder::new(&pattern).literal_separator(true).build().map_err(D::Error::custom)?);
        }
        set.build().map(Self).map_err(D::Error::custom)
    }
}
