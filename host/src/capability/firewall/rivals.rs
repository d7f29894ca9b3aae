//! Who else filters packets on this host.
//!
//! Only a drop is final in netfilter, so another program's table can always close what stead's opens.

use std::path::Path;

use nftables::schema::{Chain, NfListObject};
use nftables::types::{NfChainPolicy, NfHook};
use serde_json::Value;

use super::Firewall;

const UFW: &str = "ufw";
const FIREWALLD: &str = "firewalld";

impl Firewall {
    /// Rivals that are set to run, by the names of their packages. Reads files only.
    pub(super) fn enabled_rivals(&self) -> Vec<String> {
        let there = |path: &str| self.machine.path(path).symlink_metadata().is_ok();
        let ufw = there("/usr/sbin/ufw") && ufw_is_enabled(&self.machine.path("/etc/ufw/ufw.conf"));
        let firewalld =
            there("/usr/sbin/firewalld") && there("/etc/systemd/system/multi-user.target.wants/firewalld.service");
        [(UFW, ufw), (FIREWALLD, firewalld)]
            .into_iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

/// What `ufw enable` and `ufw disable` write.
fn ufw_is_enabled(conf: &Path) -> bool {
    let text = std::fs::read_to_string(conf).unwrap_or_default();
    text.lines().any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes"))
}

/// The other tables' chains, as `nft -j list chains` gives them.
pub(super) struct Others<'a>(Vec<Chain<'a>>);

impl Others<'_> {
    /// Reads the chains of other tables. What is no chain, or one of a form that is not known here, is passed over:
    /// nothing follows from it.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(super) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut document: Value = serde_json::from_slice(json)?;
        let objects = document.get_mut("nftables").and_then(Value::as_array_mut).map(std::mem::take);
        let chain = |object| match serde_json::from_value(object) {
            Ok(NfListObject::Chain(chain)) => Some(chain),
            _ => None,
        };
        let chains = objects.unwrap_or_default().into_iter().filter_map(chain);
        Ok(Self(chains.filter(|chain| !(chain.table == "stead" && family(chain) == "inet")).collect()))
    }

    /// Whether firewalld runs.
    pub(super) fn has_firewalld(&self) -> bool {
        self.0.iter().any(|chain| chain.table == FIREWALLD)
    }

    /// The tables that drop by default what comes in, each once: `ip filter`.
    pub(super) fn stricter(&self) -> Vec<String> {
        let drops = |chain: &&Chain<'_>| chain.hook == Some(NfHook::Input) && chain.policy == Some(NfChainPolicy::Drop);
        let mut tables: Vec<_> =
            self.0.iter().filter(drops).map(|chain| format!("{} {}", family(chain), chain.table)).collect();
        tables.sort();
        tables.dedup();
        tables
    }
}

fn family(chain: &Chain<'_>) -> String {
    serde_json::to_value(chain.family).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
