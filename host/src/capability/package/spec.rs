//! The words of packages: what a policy asks for, what it may, and what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Package, Repository, RepositoryName, Version};
use crate::capability::Denied;
use crate::grant::Patterns;
use crate::policy::Invalid;

/// What one call asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spec {
    Install(Install),
    Remove(Package),
    Repository(Repository),
}

/// A package that is to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    pub name: Package,
    #[serde(default)]
    pub version: Option<Version>,
    #[serde(default)]
    pub hold: Option<bool>,
    #[serde(default)]
    pub recommends: bool,
}

/// `[policy.NAME.grant.package]`. An empty table is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ScopeTable")]
pub struct Scope {
    /// Patterns of packages to install.
    pub install: Option<Patterns>,
    /// Patterns of packages to remove.
    pub remove: Option<Patterns>,
    /// Patterns of URIs of repositories.
    pub repositories: Option<Patterns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeTable {
    install: Option<Patterns>,
    remove: Option<Patterns>,
    repositories: Option<Patterns>,
}

/// What is there of all that is declared or owned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    #[serde(default)]
    pub packages: BTreeMap<Package, State>,
    /// The content of each file; `None` when there is none.
    #[serde(default)]
    pub repositories: BTreeMap<RepositoryName, Option<String>>,
    /// What apt could fetch, for packages that are about to change.
    #[serde(default)]
    pub available: BTreeMap<Package, BTreeSet<Version>>,
}

/// A package as dpkg(1) and apt know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// `None`: it is not installed; configuration files that stayed do not count.
    pub version: Option<Version>,
    /// dpkg began to install or remove it and did not finish.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// `apt-mark hold`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// It came along as a dependency, and apt may remove it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

impl Install {
    /// Parses the arguments of `package.install`.
    ///
    /// # Errors
    /// When the name or the version is none.
    pub fn parse(
        name: &str,
        version: Option<&str>,
        hold: Option<bool>,
        recommends: Option<bool>,
    ) -> Result<Self, Invalid> {
        let version = version.map(str::parse).transpose()?;
        Ok(Self { name: name.parse()?, version, hold, recommends: recommends.unwrap_or(false) })
    }
}

impl Spec {
    /// `NAME` of a package; `repository/NAME`, which is no package's name.
    pub fn resource(&self) -> String {
        match self {
            Self::Install(Install { name, .. }) | Self::Remove(name) => name.to_string(),
            Self::Repository(repository) => format!("repository/{}", repository.name),
        }
    }

    /// The package that it speaks of.
    pub fn package(&self) -> Option<&Package> {
        match self {
            Self::Install(Install { name, .. }) | Self::Remove(name) => Some(name),
            Self::Repository(_) => None,
        }
    }
}

impl Scope {
    /// Whether one of the patterns matches the package, or every URI of the repository.
    ///
    /// # Errors
    /// [`Denied`] when none does.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        match spec {
            Spec::Install(install) => covers(self.install.as_ref(), "install", "install", install.name.as_str()),
            Spec::Remove(name) => covers(self.remove.as_ref(), "remove", "remove", name.as_str()),
            Spec::Repository(repository) => repository
                .uris
                .iter()
                .try_for_each(|uri| covers(self.repositories.as_ref(), "repositories", "add the repository", uri)),
        }
    }
}

fn covers(patterns: Option<&Patterns>, key: &'static str, verb: &str, name: &str) -> Result<(), Denied> {
    if patterns.is_some_and(|patterns| patterns.matches(name)) {
        return Ok(());
    }
    Err(Denied { capability: "package", asked: format!("{verb} {name}"), key, value: format!("[\"{name}\"]") })
}

impl TryFrom<ScopeTable> for Scope {
    type Error = &'static str;

    fn try_from(table: ScopeTable) -> Result<Self, Self::Error> {
        let ScopeTable { install, remove, repositories } = table;
        if install.is_none() && remove.is_none() && repositories.is_none() {
            return Err("an empty table grants nothing: give `install`, `remove` or `repositories`");
        }
        Ok(Self { install, remove, repositories })
    }
}
