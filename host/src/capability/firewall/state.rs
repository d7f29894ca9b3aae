//! The firewall as it is and as it is to be: the kernel's table, and the files that bring it back at boot.

use serde::{Deserialize, Serialize};

use super::elements::Elements;
use super::render::transaction;
use crate::digest::Digest;

/// What was observed.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Fact {
    /// The version of nft(8); `None`: it is not installed.
    pub nft: Option<String>,
    /// The state as it is; its table as nft lists it.
    pub is: State,
    /// What nft makes of the table that is declared; `None` when nothing is, or without nft.
    pub wanted: Option<Wanted>,
    /// Programs that manage the packet filter as well, by the name of their package.
    pub rivals: Vec<String>,
    /// Other tables that drop by default what comes in, where a step is needed: `ip filter`.
    pub stricter: Vec<String>,
}

/// What nft(8) says of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// The kernel took it.
    Taken {
        /// How nft lists it, with its fixed sets and maps empty.
        listing: String,
        /// The file that brings it back at boot.
        boot: Digest,
    },
    /// It was refused, in these words.
    Refused(String),
}

/// The state of the firewall.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct State {
    /// The table `inet stead`; `None`: there is no such table.
    pub table: Option<Table>,
    pub boot: Boot,
}

/// The table `inet stead`.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Table {
    /// Text for nft(8) that makes it, with its fixed sets and maps empty.
    pub text: String,
    /// What they hold.
    #[serde(default, skip_serializing_if = "Elements::is_empty")]
    pub elements: Elements,
}

/// The files that bring the table back at boot.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Boot {
    /// `/etc/stead/firewall.nft`.
    pub ruleset: Option<Digest>,
    /// The same once more, in `/var/lib/stead/firewall.nft`.
    pub copy: Option<Digest>,
    /// `/etc/systemd/system/stead-firewall.service`.
    pub unit: Option<String>,
    /// Whether systemd starts it at boot.
    pub enabled: bool,
}

/// Puts the firewall into a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub to: State,
    /// The text of the table before and after, as nft lists it, when nothing but elements of its sets changes: then the
    /// rest stays, and with it what its counters counted and what packets added to its sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

pub(super) const RULESET_FILE: &str = "/etc/stead/firewall.nft";
pub(super) const COPY_FILE: &str = "/var/lib/stead/firewall.nft";
pub(super) const UNIT_FILE: &str = "/etc/systemd/system/stead-firewall.service";
pub(super) const ENABLED_LINK: &str = "/etc/systemd/system/sysinit.target.wants/stead-firewall.service";

/// Starts before there is a network, and after `nftables.service`, whose usual file flushes all tables. It stops
/// without a command: stopping a unit must not open a host. Where a file is damaged or empty, the next one counts; where
/// none is left, nothing but SSH comes in, and the unit says that it failed.
const UNIT: &str = r#"# Written by stead, which replaces it as a whole.
[Unit]
Description=Packet filter of stead (table inet stead)
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for file in /etc/stead/firewall.nft /var/lib/stead/firewall.nft; do \
    /usr/sbin/nft -f $$file && /usr/sbin/nft list table inet stead >/dev/null && exit 0; done; \
    /usr/sbin/nft "table inet stead { chain input { type filter hook input priority filter; policy drop; \
    ct state established,related accept; iif lo accept; meta l4proto { icmp, icmpv6 } accept; \
    udp dport { 68, 546 } accept; tcp dport 22 accept; }; \
    chain forward { type filter hook forward priority filter; policy drop; }; }"; exit 1'
ExecReload=/usr/sbin/nft -f /etc/stead/firewall.nft

[Install]
WantedBy=sysinit.target
"#;

/// The file that brings this table back at boot.
pub(super) fn boot_file(table: &Table) -> String {
    format!("# Written by stead, which replaces it as a whole. See nft(8).\n{}", transaction(Some(table)))
}

impl Boot {
    /// The files of a host that this one brings back at boot.
    pub fn by(ruleset: Digest) -> Self {
        Self { copy: Some(ruleset.clone()), ruleset: Some(ruleset), unit: Some(UNIT.to_owned()), enabled: true }
    }

    /// What happens at boot, in one word or two.
    pub fn summary(&self, beside: &Self) -> Option<String> {
        let same = self == beside;
        match (&self.ruleset, &self.copy, &self.unit, self.enabled) {
            (None, None, None, false) => None,
            (Some(_), Some(_), Some(_), true) if same => Some("the same".to_owned()),
            (Some(_), Some(_), Some(_), true) => Some("another ruleset or unit".to_owned()),
            _ => Some("not all of its files are there".to_owned()),
        }
    }
}
