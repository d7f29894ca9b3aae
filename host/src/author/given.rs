//! Facts of a machine as people write them down: a file of TOML with a table `[facts]`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CaseError, FileError};
use crate::machine::{Facts, NetworkInterface, OsRelease};

/// Facts of a host; what is left out is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Given {
    host_name: String,
    architecture: String,
    os: GivenOs,
    interfaces: Vec<GivenInterface>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct GivenOs {
    id: String,
    version_id: String,
    version_codename: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct GivenInterface {
    name: String,
    addresses: Vec<String>,
    default_route: bool,
}

/// A file that has them; the other tables of a case may be in it.
#[derive(Serialize, Deserialize)]
struct Noted {
    facts: Given,
}

/// Reads the facts that a file has.
///
/// # Errors
/// When there is no such file, or no such table in it.
pub fn read_facts(path: &Path) -> Result<Facts, CaseError> {
    let text = std::fs::read_to_string(path).map_err(FileError::at(path))?;
    match toml::from_str::<Noted>(&text) {
        Ok(noted) => Ok(noted.facts.into()),
        Err(error) => Err(CaseError::Wrong { path: path.display().to_string(), reason: error.to_string() }),
    }
}

/// Facts as such a file has them.
pub fn facts_text(facts: Facts) -> String {
    // Strings, booleans and lists of them always have a form in TOML.
    toml::to_string(&Noted { facts: facts.into() }).unwrap_or_default()
}

impl From<Given> for Facts {
    fn from(given: Given) -> Self {
        let Given { host_name, architecture, os, interfaces } = given;
        let os = OsRelease { id: os.id, version_id: os.version_id, version_codename: os.version_codename };
        let interface = |given: GivenInterface| NetworkInterface {
            name: given.name,
            addresses: given.addresses,
            default_route: given.default_route,
        };
        Self { host_name, os, architecture, interfaces: interfaces.into_iter().map(interface).collect() }
    }
}

impl From<Facts> for Given {
    fn from(facts: Facts) -> Self {
        let Facts { host_name, os, architecture, interfaces } = facts;
        let os = GivenOs { id: os.id, version_id: os.version_id, version_codename: os.version_codename };
        let interface = |found: NetworkInterface| GivenInterface {
            name: found.name,
            addresses: found.addresses,
            default_route: found.default_route,
        };
        Self { host_name, architecture, os, interfaces: interfaces.into_iter().map(interface).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::{facts_text, read_facts};
    use crate::machine::{Facts, NetworkInterface, OsRelease};

    #[test]
    fn facts_are_read_as_they_were_written_also_from_a_case() -> anyhow::Result<()> {
        let os = OsRelease { id: "debian".to_owned(), version_id: "13".to_owned(), version_codename: String::new() };
        let addresses = vec!["192.0.2.7/24".to_owned(), "2001:db8::7/64".to_owned()];
        let eth0 = NetworkInterface { name: "eth0".to_owned(), addresses, default_route: true };
        let (host_name, architecture) = ("web\"1".to_owned(), "arm64".to_owned());
        let facts = Facts { host_name, os, architecture, interfaces: vec![eth0.clone(), eth0] };
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("web1.toml");
        std::fs::write(&path, facts_text(facts.clone()) + "\n[config]\nport = 22\n[expect]\ncalls = []\n")?;
        assert_eq!(read_facts(&path)?, facts);
        std::fs::write(&path, "[config]\nport = 22\n")?;
        let error = read_facts(&path).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("web1.toml") && error.contains("facts"), "{error}");
        Ok(())
    }
}
