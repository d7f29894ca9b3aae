//! What is done: packages are set to a state in one transaction, and the file of a repository to a content.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Package, RepositoryName, State, Version};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Packages(Batch),
    Repository {
        name: RepositoryName,
        /// The content of its file; `None`: no file.
        to: Option<String>,
        /// Whether its lists are fetched, which proves that it works. Not when a change is taken back.
        refresh: bool,
    },
}

/// Packages that change together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub to: BTreeMap<Package, Target>,
    /// `APT::Install-Recommends`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recommends: bool,
}

/// What one package is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub presence: Presence,
    /// `None`: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// `None`: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
}

/// Whether a package is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// In this version, or in any.
    Installed(Option<Version>),
    /// Its configuration files stay.
    Absent {
        /// Whether what stead's installations pulled in goes too, where apt finds that nothing needs it any more.
        sweep: bool,
    },
}

impl Batch {
    /// One package alone.
    pub fn one(name: &Package, to: Target) -> Self {
        Self { to: BTreeMap::from([(name.clone(), to)]), recommends: false }
    }
}

impl Target {
    /// The package is not there.
    pub fn absent(sweep: bool) -> Self {
        Self { presence: Presence::Absent { sweep }, held: None, automatic: None }
    }

    /// Whether the package is as it is to be.
    pub fn is_met(&self, state: &State) -> bool {
        let met = |wanted: Option<bool>, is| wanted.is_none_or(|wanted| wanted == is);
        match &self.presence {
            Presence::Absent { .. } => state.version.is_none(),
            Presence::Installed(_) => {
                self.presence.is_met(state) && met(self.held, state.held) && met(self.automatic, state.automatic)
            }
        }
    }
}

impl Presence {
    /// Whether no transaction of apt is needed.
    pub fn is_met(&self, state: &State) -> bool {
        match self {
            Self::Absent { .. } => state.version.is_none(),
            Self::Installed(None) => state.version.is_some() && !state.interrupted,
            Self::Installed(version) => state.version == *version && !state.interrupted,
        }
    }
}
