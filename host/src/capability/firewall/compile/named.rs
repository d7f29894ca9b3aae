//! Named sets and maps: each once, whoever asked for it, and what rules may take them for.

use std::collections::BTreeMap;

use crate::capability::firewall::RESOURCE;
use crate::capability::firewall::addresses::Addresses;
use crate::capability::firewall::ruleset::{Line, Named};
use crate::capability::firewall::set::{ElementType, Set, SetName};
use crate::capability::firewall::spec::{Rule, Spec};
use crate::capability::{Declared, PlanError};

/// The sets that rules may name.
pub(super) struct Sets<'a>(BTreeMap<&'a SetName, &'a Set>);

/// All sets and maps, in the order of their names, and the sets apart.
///
/// # Errors
/// When one name stands for different things.
pub(super) fn collect<'a>(specs: &'a [Declared<Spec>]) -> Result<(Vec<Named>, Sets<'a>), PlanError> {
    let mut all: BTreeMap<&SetName, &Declared<Spec>> = BTreeMap::new();
    for declared in specs {
        let name = match &declared.spec {
            Spec::Set(set) => &set.name,
            Spec::Map(map) => &map.name,
            _ => continue,
        };
        match all.insert(name, declared) {
            Some(earlier) if earlier.spec != declared.spec => {
                return Err(PlanError::Conflict {
                    resource: RESOURCE.to_owned(),
                    first: earlier.policy.clone(),
                    second: declared.policy.clone(),
                    reason: format!("two contents of the set or map {name}"),
                });
            }
            _ => {}
        }
    }
    let all: Vec<_> = all.into_values().map(|declared| &declared.spec).collect();
    let set = |spec: &&'a Spec| match spec {
        Spec::Set(set) => Some((&set.name, set)),
        _ => None,
    };
    let sets = Sets(all.iter().filter_map(set).collect());
    let named = |spec: &Spec| match spec {
        Spec::Set(set) => Some(Named::Set(set.clone())),
        Spec::Map(map) => Some(Named::Map(map.clone())),
        _ => None,
    };
    Ok((all.into_iter().filter_map(named).collect(), sets))
}

impl Sets<'_> {
    /// The set of this name.
    pub(super) fn get(&self, name: &SetName) -> Option<&Set> {
        self.0.get(name).copied()
    }

    /// The lines that the rule becomes.
    pub(super) fn lines(&self, policy: &str, rule: &Rule) -> Vec<Line> {
        super::line::lines(self, policy, rule)
    }

    /// Whether the rule can be made, and why not.
    pub(super) fn check(&self, policy: &str, rule: &Rule) -> Result<(), String> {
        for addresses in [&rule.source, &rule.destination] {
            let Addresses::Set(name) = addresses else { continue };
            if self.known(name)?.element_type.family().is_none() {
                return Err(format!("the set {name} holds ports, and the rule looks for addresses in it"));
            }
        }
        if let Some(name) = &rule.port_set
            && self.known(name)?.element_type != ElementType::InetService
        {
            return Err(format!("the set {name} holds addresses, and the rule looks for ports in it"));
        }
        if self.lines(policy, rule).is_empty() {
            return Err(format!("no packet is one of `{}` and in the sets that the rule names", rule.traffic));
        }
        Ok(())
    }

    fn known(&self, name: &SetName) -> Result<&Set, String> {
        self.get(name).ok_or_else(|| format!("no policy adds a set {name}: add it with `add-set`"))
    }
}
