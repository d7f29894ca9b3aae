//! What a policy asks for: a project by name, its variables, and how long it may take to become healthy.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::credentials;
use crate::policy::Invalid;

/// How long containers may take to become healthy when the policy does not say.
const HEALTH_TIMEOUT: u32 = 60;
/// Many times what a server can run.
const MOST_CONTAINERS: u32 = 1000;
/// No deployment is worth a longer wait than an hour.
const LONGEST_HEALTH_TIMEOUT: u32 = 3600;

/// The name of a project, as the Compose Specification allows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Project(String);

/// What a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub project: Project,
    /// Variables for interpolation.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The secret of the repo behind each variable.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// In seconds.
    #[serde(default = "health_timeout")]
    pub health_timeout: u32,
    /// How many containers services have, whatever their files say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scale: BTreeMap<String, u32>,
    #[serde(default, skip_serializing_if = "EngineName::is_own")]
    pub engine: EngineName,
}

/// What brings a project up: `engine` of its table `[app.NAME]` in `stead.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// stead itself, over the Docker API.
    #[default]
    Stead,
    /// The Compose plugin: `docker compose up`.
    Plugin,
    /// Docker Swarm, as a stack.
    Swarm,
}

/// The engine of each project that has another than stead's own.
pub type Engines = BTreeMap<Project, EngineName>;

impl EngineName {
    /// Whether it is stead's own.
    pub fn is_own(&self) -> bool {
        *self == Self::Stead
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stead => "stead",
            Self::Plugin => "docker compose",
            Self::Swarm => "Docker Swarm",
        })
    }
}

fn health_timeout() -> u32 {
    HEALTH_TIMEOUT
}

impl Spec {
    /// Parses the arguments of `compose.up`.
    ///
    /// # Errors
    /// When the name is not one of a project, a variable is given twice or is none, or the timeout is out of range.
    pub fn parse(
        name: &str,
        environment: Vec<(String, String)>,
        secrets: Vec<(String, String)>,
        health_timeout: Option<u32>,
    ) -> Result<Self, Invalid> {
        let health_timeout = health_timeout.unwrap_or(HEALTH_TIMEOUT);
        if !(1..=LONGEST_HEALTH_TIMEOUT).contains(&health_timeout) {
            return Err(Invalid::new("health-timeout", format!("must be 1 to {LONGEST_HEALTH_TIMEOUT} seconds")));
        }
        let environment = variables("environment", environment)?;
        let (credentials, secrets): (Vec<_>, Vec<_>) =
            secrets.into_iter().partition(|(name, _)| name == credentials::VARIABLE);
        let mut secrets = variables("secrets", secrets)?;
        secrets.extend(credentials);
        if let Some(twice) = secrets.keys().find(|name| environment.contains_key(*name)) {
            return Err(Invalid::new("secrets", format!("{twice} is in environment as well")));
        }
        let (project, scale) = (name.parse()?, BTreeMap::new());
        Ok(Self { project, environment, secrets, health_timeout, scale, engine: EngineName::default() })
    }

    /// The same with other numbers of containers.
    ///
    /// # Errors
    /// When a service is named twice, or would have more containers than a server can run.
    pub fn scaled(mut self, scale: Vec<(String, u32)>) -> Result<Self, Invalid> {
        for (service, containers) in scale {
            if containers > MOST_CONTAINERS {
                return Err(Invalid::new(
                    "scale",
                    format!("{service} would have more than {MOST_CONTAINERS} containers"),
                ));
            }
            if self.scale.insert(service.clone(), containers).is_some() {
                return Err(Invalid::new("scale", format!("{service} is given twice")));
            }
        }
        Ok(self)
    }

    /// How long containers may take to become healthy.
    pub fn health_timeout(&self) -> Duration {
        Duration::from_secs(self.health_timeout.into())
    }
}

fn variables(argument: &'static str, pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Invalid> {
    let mut variables = BTreeMap::new();
    for (name, value) in pairs {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(valid) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Invalid::new(argument, format!("{name:?} is not the name of a variable")));
        }
        // These would turn the plugin, not the project.
        if name.starts_with("COMPOSE_") || name.starts_with("DOCKER_") || name == "PATH" || name.starts_with("LD_") {
            return Err(Invalid::new(argument, format!("{name} is a setting of the programs that read the project")));
        }
        if value.contains('\0') {
            return Err(Invalid::new(argument, format!("the value of {name} holds a NUL byte")));
        }
        if variables.insert(name.clone(), value).is_some() {
            return Err(Invalid::new(argument, format!("{name} is given twice")));
        }
    }
    Ok(variables)
}

impl Project {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Project {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins && name.len() <= 63 && name.chars().all(valid) {
            return Ok(Self(name.to_owned()));
        }
        let reason = "is not a project's name: lower-case letters, digits, `-` and `_`, begun by a letter or digit";
        Err(Invalid::new("name", format!("{name:?} {reason}")))
    }
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Project> for String {
    fn from(project: Project) -> Self {
        project.0
    }
}

impl TryFrom<String> for Project {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), "x".to_owned())]
    }

    #[test]
    fn refuses_what_would_turn_the_plugin() {
        for name in ["COMPOSE_FILE", "DOCKER_HOST", "PATH", "LD_PRELOAD", "1A", "", "A-B"] {
            assert!(Spec::parse("web", pair(name), Vec::new(), None).is_err(), "{name}");
        }
        assert!(Spec::parse("web", pair("PORT"), pair("PORT"), None).is_err());
        assert!(Spec::parse("web", pair("PORT"), pair("TOKEN"), Some(0)).is_err());
        assert!(Spec::parse("web", pair("PORT"), pair("TOKEN"), Some(5)).is_ok());
    }

    #[test]
    fn a_service_is_scaled_once_and_within_reason() {
        let scaled = |scale: &[(&str, u32)]| {
            let scale = scale.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
            Spec::parse("web", Vec::new(), Vec::new(), None).and_then(|spec| spec.scaled(scale)).map(|spec| spec.scale)
        };
        assert!(scaled(&[("a", 0), ("b", 1000)]).is_ok_and(|scale| scale.len() == 2));
        assert!(scaled(&[("a", 1), ("a", 1)]).is_err());
        assert!(scaled(&[("a", u32::MAX)]).is_err());
    }

    #[test]
    fn knows_the_name_of_a_project() {
        for name in ["", "-a", "A", "a/b", "../a", "a b"] {
            assert!(name.parse::<Project>().is_err(), "{name}");
        }
        assert!("0a-b_c".parse::<Project>().is_ok());
    }
}
