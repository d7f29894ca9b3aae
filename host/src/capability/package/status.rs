//! What dpkg(1) and apt recorded, read from their files: a spawned program would cost a hundred times as much.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::{Package, State};
use crate::capability::ObserveError;
use crate::machine::Machine;

const STATUS: &str = "/var/lib/dpkg/status";
const EXTENDED: &str = "/var/lib/apt/extended_states";

/// Both files, as text.
#[derive(Debug)]
pub(super) struct Status {
    dpkg: String,
    apt: String,
}

/// The fields of one stanza that matter here.
#[derive(Clone, Copy, Debug, Default)]
struct Stanza<'a> {
    name: &'a str,
    architecture: &'a str,
    status: &'a str,
    version: &'a str,
    automatic: bool,
}

impl Status {
    /// Reads both files.
    ///
    /// # Errors
    /// When there is no dpkg, or a file cannot be read.
    pub(super) fn read(machine: &Machine) -> Result<Self, ObserveError> {
        let text = |path: &str| {
            let at = |source| ObserveError::File { path: path.to_owned(), source };
            std::fs::read(machine.path(path)).map(lossy).map_err(at)
        };
        let apt = match text(EXTENDED) {
            Err(ObserveError::File { source, .. }) if source.kind() == ErrorKind::NotFound => String::new(),
            other => other?,
        };
        Ok(Self { dpkg: text(STATUS)?, apt })
    }

    /// The state of each of these packages.
    pub(super) fn states(&self, wanted: &BTreeSet<Package>) -> BTreeMap<Package, State> {
        let bases: BTreeSet<&str> = wanted.iter().map(Package::base).collect();
        let native = self.native();
        let known: Vec<_> = stanzas(&self.dpkg, &bases).collect();
        let marks: Vec<_> = stanzas(&self.apt, &bases).filter(|stanza| stanza.automatic).collect();
        let state = |name: &Package| {
            let mut state = known.iter().find(|stanza| stanza.is(name, native)).map(Stanza::state).unwrap_or_default();
            // apt files packages of no architecture under the host's.
            state.automatic = state.version.is_some() && marks.iter().any(|mark| mark.is(name, native));
            (name.clone(), state)
        };
        wanted.iter().map(state).collect()
    }

    /// Whether dpkg left any package half-way.
    pub(super) fn is_interrupted(&self) -> bool {
        self.dpkg.lines().filter_map(|line| line.strip_prefix("Status: ")).any(is_interrupted)
    }

    /// The host's architecture; `None` without a package `dpkg`, which a temporary root does not have.
    fn native(&self) -> Option<&str> {
        let dpkg = BTreeSet::from(["dpkg"]);
        stanzas(&self.dpkg, &dpkg).next().map(|stanza| stanza.architecture)
    }
}

impl<'a> Stanza<'a> {
    fn parse(text: &'a str) -> Self {
        let mut stanza = Self::default();
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("Package", value)) => stanza.name = value,
                Some(("Architecture", value)) => stanza.architecture = value,
                Some(("Status", value)) => stanza.status = value,
                Some(("Version", value)) => stanza.version = value,
                Some(("Auto-Installed", value)) => stanza.automatic = value == "1",
                _ => {}
            }
        }
        stanza
    }

    fn is(&self, name: &Package, native: Option<&str>) -> bool {
        let host = |native: &str| matches!(self.architecture, "all" | "") || self.architecture == native;
        self.name == name.base()
            && name.architecture().map_or_else(|| native.is_none_or(host), |named| self.architecture == named)
    }

    fn state(&self) -> State {
        let held = self.status.starts_with("hold ");
        let interrupted = is_interrupted(self.status);
        let there = interrupted || matches!(last(self.status), "installed" | "triggers-awaited" | "triggers-pending");
        let version = if there { self.version.parse().ok() } else { None };
        State { held: held && version.is_some(), interrupted, version, automatic: false }
    }
}

/// The stanzas of these packages. Only they are looked into: there are thousands.
fn stanzas<'a, 'b>(text: &'a str, bases: &'b BTreeSet<&str>) -> impl Iterator<Item = Stanza<'a>> + use<'a, 'b> {
    let wanted = |stanza: &&str| {
        let name = stanza.trim_start_matches('\n').strip_prefix("Package: ").and_then(|rest| rest.lines().next());
        name.is_some_and(|name| bases.contains(name))
    };
    text.split("\n\n").filter(wanted).map(Stanza::parse)
}

fn is_interrupted(status: &str) -> bool {
    let broken = status.split(' ').nth(1).is_some_and(|flag| flag != "ok");
    broken || matches!(last(status), "half-installed" | "unpacked" | "half-configured")
}

fn last(status: &str) -> &str {
    status.rsplit(' ').next().unwrap_or_default()
}

/// Maintainers' names may be in any encoding; nothing that is read here is.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result};

    use super::*;

    const DPKG: &str = "\
Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n
Package: curl\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 7.88-1\nDescription: x\n Package: no\n
Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.36\n
Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2.37\n
Package: old\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n
Package: half\nStatus: install ok half-configured\nArchitecture: all\nVersion: 2\n";
    const APT: &str = "Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\n\
                       Package: curl\nArchitecture: amd64\nAuto-Installed: 0\n";

    #[test]
    fn reads_what_dpkg_and_apt_wrote() -> Result<()> {
        let status = Status { dpkg: DPKG.to_owned(), apt: APT.to_owned() };
        let wanted = ["curl", "libc6", "libc6:i386", "old", "half", "none"];
        let states = status.states(&wanted.iter().map(|name| name.parse()).collect::<Result<_, _>>()?);
        let is = |name: &str| -> Result<_> { states.get(&name.parse()?).cloned().context("not there") };
        let version = |text: &str| -> Result<_> { Ok(Some(text.parse()?)) };
        assert_eq!(is("curl")?, State { version: version("7.88-1")?, held: true, ..State::default() });
        assert_eq!(is("libc6")?, State { version: version("2.37")?, automatic: true, ..State::default() });
        assert_eq!(is("libc6:i386")?, State { version: version("2.36")?, ..State::default() });
        assert_eq!(is("old")?, State::default());
        assert_eq!(is("half")?, State { version: version("2")?, interrupted: true, ..State::default() });
        assert_eq!(is("none")?, State::default());
        assert!(status.is_interrupted());
        Ok(())
    }
}
