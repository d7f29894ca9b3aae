//! What a policy may know of the machine before it declares anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Machine, interfaces};

/// The answers to the WIT interface `facts`; recorded with the plan that they shaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub host_name: String,
    pub os: OsRelease,
    /// As dpkg(1) names it.
    pub architecture: String,
    /// Sorted by name.
    pub interfaces: Vec<NetworkInterface>,
}

/// From os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    pub id: String,
    pub version_id: String,
    pub version_codename: String,
}

/// From rtnetlink(7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub name: String,
    pub addresses: Vec<String>,
    pub default_route: bool,
}

impl Facts {
    /// Reads them. What cannot be read is empty: a policy that needs it says so itself.
    pub fn read(machine: &Machine, host_name: &str) -> Self {
        Self {
            host_name: host_name.to_owned(),
            os: OsRelease::read(machine),
            architecture: architecture(machine),
            interfaces: if machine.is_live() { interfaces::read() } else { Vec::new() },
        }
    }
}

impl OsRelease {
    fn read(machine: &Machine) -> Self {
        let read = |path: &str| std::fs::read_to_string(machine.path(path));
        let text = read("/etc/os-release").or_else(|_| read("/usr/lib/os-release")).unwrap_or_default();
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let variables: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
        // The values that matter here hold no character that a shell would have to be asked about.
        let value =
            |name| variables.get(name).map(|value| value.trim_matches(['"', '\''])).unwrap_or_default().to_owned();
        Self { id: value("ID"), version_id: value("VERSION_ID"), version_codename: value("VERSION_CODENAME") }
    }
}

/// The architecture of dpkg itself, which is the one that packages without a suffix have.
fn architecture(machine: &Machine) -> String {
    let status = std::fs::read_to_string(machine.path("/var/lib/dpkg/status")).unwrap_or_default();
    let dpkg = status.split("\n\n").find(|stanza| stanza.starts_with("Package: dpkg\n"));
    let field = dpkg.and_then(|stanza| stanza.lines().find_map(|line| line.strip_prefix("Architecture: ")));
    field.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_os_release() {
        let read = OsRelease::parse("PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n");
        assert_eq!(
            (read.id.as_str(), read.version_id.as_str(), read.version_codename.as_str()),
            ("debian", "13", "trixie")
        );
    }

    #[test]
    fn reads_the_architecture_of_dpkg() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join("var/lib/dpkg"))?;
        let status =
            "Package: libc6\nArchitecture: i386\n\nPackage: dpkg\nStatus: install ok installed\nArchitecture: amd64\n";
        std::fs::write(folder.path().join("var/lib/dpkg/status"), status)?;
        let machine = Machine::open(folder.path(), &folder.path().join("state"))?;
        assert_eq!(architecture(&machine), "amd64");
        Ok(())
    }
}
