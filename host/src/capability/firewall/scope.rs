//! What the operator lets a policy do with the firewall.
//!
//! Accepting opens the host, so it is granted by port, by interface, or as a whole. Dropping closes it, which
//! confirm-or-revert covers; it is granted by chain.

use serde::Deserialize;

use super::spec::{Chain, Rule, Spec};
use super::verdict::Verdict;
use super::words::{Interface, PortRange};
use crate::capability::Denied;

/// `[policy.NAME.grant.firewall]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Table")]
pub struct Scope(Table);

/// The keys of the table. At least one is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    /// Chains whose default verdict may be set, to which rules that drop, reject or translate may be added, and,
    /// other than `input`, rules that accept.
    #[serde(default)]
    chains: Option<Vec<Chain>>,
    /// Ports, tcp and udp, that may be opened or accepted: `[443, "8000-8100"]`.
    #[serde(default)]
    ports: Option<Vec<PortRange>>,
    /// Interfaces, as rules name them, by which anything may be accepted: `["wg0"]`.
    #[serde(default)]
    interfaces: Option<Vec<Interface>>,
    /// Whether anything may be accepted.
    #[serde(default)]
    accept_all: Option<bool>,
    /// Whether rules in the words of nft(8) may be added, which may do anything.
    #[serde(default)]
    raw: Option<bool>,
}

impl TryFrom<Table> for Scope {
    type Error = &'static str;

    fn try_from(table: Table) -> Result<Self, Self::Error> {
        let empty = |length: Option<usize>| length == Some(0);
        if empty(table.chains.as_ref().map(Vec::len))
            || empty(table.ports.as_ref().map(Vec::len))
            || empty(table.interfaces.as_ref().map(Vec::len))
        {
            return Err("an empty list grants nothing: remove the key, or name what is granted");
        }
        if table.chains.is_none()
            && table.ports.is_none()
            && table.interfaces.is_none()
            && table.accept_all != Some(true)
            && table.raw != Some(true)
        {
            return Err("grants nothing: give at least one of `ports`, `interfaces`, `chains`, `accept-all`, `raw`");
        }
        Ok(Self(table))
    }
}

impl Scope {
    /// Whether the grant covers the spec.
    ///
    /// # Errors
    /// [`Denied`] when it does not.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        let denied = |(key, value)| Denied { capability: "firewall", asked: spec.to_string(), key, value };
        match spec {
            Spec::Open(open) => self.accepts(&open.rule()).map_err(denied),
            Spec::Default(default) => self.shapes(default.chain).map_err(denied),
            // By itself it does nothing.
            Spec::Set(_) | Spec::Map(_) => Ok(()),
            Spec::Raw(_) if self.0.raw == Some(true) => Ok(()),
            Spec::Raw(_) => Err(denied(("raw", "true".to_owned()))),
            Spec::Rule(rule) => {
                if rule.verdict != Verdict::Accept || rule.chain != Chain::Input {
                    self.shapes(rule.chain).map_err(denied)?;
                }
                if rule.verdict == Verdict::Accept && !rule.chain.translates() {
                    self.accepts(rule).map_err(denied)?;
                }
                Ok(())
            }
        }
    }

    fn shapes(&self, chain: Chain) -> Result<(), (&'static str, String)> {
        if self.0.chains.iter().flatten().any(|granted| *granted == chain) {
            return Ok(());
        }
        Err(("chains", format!("[\"{chain}\"]")))
    }

    fn accepts(&self, rule: &Rule) -> Result<(), (&'static str, String)> {
        if self.0.accept_all == Some(true) {
            return Ok(());
        }
        // Only the very same words: `wg0` is not covered by `wg*`, which may come to mean other interfaces.
        if rule.input_interface.as_ref().is_some_and(|asked| self.0.interfaces.iter().flatten().any(|i| i == asked)) {
            return Ok(());
        }
        let asked = rule.traffic.ports();
        let covered = |range: &PortRange| self.0.ports.iter().flatten().any(|granted| granted.covers(range));
        let missing: Vec<_> = asked.iter().filter(|range| !covered(range)).map(PortRange::toml).collect();
        match (asked, &rule.input_interface) {
            ([_, ..], _) if missing.is_empty() => Ok(()),
            ([_, ..], _) => Err(("ports", format!("[{}]", missing.join(", ")))),
            ([], Some(interface)) => Err(("interfaces", format!("[\"{interface}\"]"))),
            ([], None) => Err(("accept-all", "true".to_owned())),
        }
    }
}
