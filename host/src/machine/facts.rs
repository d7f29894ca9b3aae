//! What a policy may know of the machine before it declares anything.
//!
//! Reading changes nothing and runs no program: it happens before every plan. What changes by itself, such as
//! temporary addresses and the interfaces of containers, is left out, because a plan is refused when a fact moved.

use std::io::ErrorKind;

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

/// The machine does not say what it is.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    #[error("cannot read {path}: {source}")]
    File { path: &'static str, source: std::io::Error },
    #[error("cannot read the network interfaces: {0}")]
    Interfaces(String),
}

impl Facts {
    /// Reads them. `host_name` is what `stead.toml` calls the machine. A tree of files has no interfaces.
    ///
    /// # Errors
    /// When a file or the kernel's list of interfaces cannot be read.
    pub async fn read(machine: &Machine, host_name: &str) -> Result<Self, FactsError> {
        let interfaces = if machine.is_live() { interfaces::read().await? } else { Vec::new() };
        Ok(Self { host_name: host_name.to_owned(), os: os(machine)?, architecture: architecture(machine)?, interfaces })
    }
}

fn os(machine: &Machine) -> Result<OsRelease, FactsError> {
    // os-release(5): the second is looked for when the first is not there.
    let text = match text(machine, "/etc/os-release")? {
        Some(text) => text,
        None => text(machine, "/usr/lib/os-release")?.unwrap_or_default(),
    };
    Ok(OsRelease::parse(&text))
}

impl OsRelease {
    fn parse(text: &str) -> Self {
        let mut os = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let value = unquoted(value.trim());
            match name {
                "ID" => os.id = value,
                "VERSION_ID" => os.version_id = value,
                "VERSION_CODENAME" => os.version_codename = value,
                _ => {}
            }
        }
        os
    }
}

/// The value of an assignment of a shell that is as simple as os-release(5) asks for.
fn unquoted(value: &str) -> String {
    let inner = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value).replace('\\', "")
}

/// What dpkg was built for; a kernel can run the programs of another architecture. Without dpkg, the kernel's word.
fn architecture(machine: &Machine) -> Result<String, FactsError> {
    let status = text(machine, "/var/lib/dpkg/status")?.unwrap_or_default();
    Ok(of_dpkg(&status).unwrap_or_else(|| of_kernel(rustix::system::uname().machine().to_string_lossy().as_ref())))
}

fn of_dpkg(status: &str) -> Option<String> {
    let after = status
        .strip_prefix("Package: dpkg\n")
        .or_else(|| status.split_once("\n\nPackage: dpkg\n").map(|(_, after)| after))?;
    let stanza = after.split("\n\n").next()?;
    stanza.lines().find_map(|line| line.strip_prefix("Architecture: ")).map(str::to_owned)
}

fn of_kernel(machine: &str) -> String {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "armv7l" => "armhf",
        "ppc64le" => "ppc64el",
        "i686" => "i386",
        other => other,
    }
    .to_owned()
}

fn text(machine: &Machine, path: &'static str) -> Result<Option<String>, FactsError> {
    match std::fs::read(machine.path(path)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FactsError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result};

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Result<(tempfile::TempDir, Machine)> {
        let folder = tempfile::tempdir()?;
        for (path, text) in files {
            let path = folder.path().join("root").join(path);
            std::fs::create_dir_all(path.parent().context("no parent")?)?;
            std::fs::write(path, text)?;
        }
        let machine = Machine::open(&folder.path().join("root"), &folder.path().join("state"))?;
        Ok((folder, machine))
    }

    #[tokio::test]
    async fn a_tree_of_files_says_what_it_is() -> Result<()> {
        let release = "PRETTY_NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"24.04\"\nVERSION_CODENAME='noble'\nX=1\n";
        let status = "Package: a\nArchitecture: i386\nDescription: x\n Package: dpkg\n\n\
                      Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\n\nPackage: z\nArchitecture: all\n";
        let (_folder, machine) = tree(&[("usr/lib/os-release", release), ("var/lib/dpkg/status", status)])?;
        let facts = Facts::read(&machine, "web1").await?;
        let os =
            OsRelease { id: "ubuntu".to_owned(), version_id: "24.04".to_owned(), version_codename: "noble".to_owned() };
        let expected =
            Facts { host_name: "web1".to_owned(), os, architecture: "arm64".to_owned(), interfaces: Vec::new() };
        assert_eq!(facts, expected);
        Ok(())
    }

    #[tokio::test]
    async fn without_dpkg_the_kernel_is_asked() -> Result<()> {
        let (_folder, machine) = tree(&[("etc/os-release", "ID=debian\n")])?;
        let facts = Facts::read(&machine, "web1").await?;
        assert_eq!((facts.os.id.as_str(), facts.os.version_id.as_str()), ("debian", ""));
        assert_eq!(facts.architecture, of_kernel(rustix::system::uname().machine().to_str()?));
        Ok(())
    }

    #[tokio::test]
    async fn this_machine_is_read_twice_the_same() -> Result<()> {
        let state = tempfile::tempdir()?;
        let machine = Machine::open(std::path::Path::new("/"), state.path())?;
        let first = Facts::read(&machine, "here").await?;
        let second = Facts::read(&machine, "here").await?;
        assert_eq!((&first.os, &first.architecture), (&second.os, &second.architecture));
        assert!(first.interfaces.iter().all(|interface| interface.name != "lo"));
        Ok(())
    }
}
