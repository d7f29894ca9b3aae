//! `[policy.NAME.grant.compose]`: which projects, and what their compose files may do to the host.

use serde::Deserialize;

use super::claim::{Ask, Claim};
use super::spec::Spec;
use crate::capability::Denied;
use crate::grant::Patterns;

/// The grant. What is absent is not granted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scope {
    /// Names of projects.
    pub projects: Patterns,
    /// Secrets that may become variables.
    #[serde(default)]
    secrets: Option<Patterns>,
    /// Images, as the compose file names them.
    #[serde(default)]
    images: Option<Patterns>,
    /// Whether images may be built.
    #[serde(default)]
    build: bool,
    /// Ports that may be published; 0 stands for one that Docker picks.
    #[serde(default)]
    ports: Vec<Ports>,
    /// Paths outside of the project's folder that may be bound into a container.
    #[serde(default)]
    bind: Option<Patterns>,
    #[serde(default)]
    privileged: bool,
    #[serde(default)]
    host_namespaces: bool,
    #[serde(default)]
    devices: Option<Patterns>,
    #[serde(default)]
    cap_add: Option<Patterns>,
    #[serde(default)]
    docker_socket: bool,
    /// Networks, volumes and containers that are not the project's own.
    #[serde(default)]
    external: Option<Patterns>,
}

/// A port, or a range of them with both ends: `8080`, `"8000-8100"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "PortsForm")]
struct Ports {
    first: u16,
    last: u16,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PortsForm {
    One(u16),
    Range(String),
}

impl TryFrom<PortsForm> for Ports {
    type Error = String;

    fn try_from(form: PortsForm) -> Result<Self, String> {
        let (first, last) = match &form {
            PortsForm::One(port) => return Ok(Self { first: *port, last: *port }),
            PortsForm::Range(range) => range.split_once('-').unwrap_or((range, range)),
        };
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(format!("{first}-{last} is not a range of ports such as \"8000-8100\"")),
        }
    }
}

impl Scope {
    /// Whether the project and the secrets are granted.
    ///
    /// # Errors
    /// [`Denied`] for the first that is not.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        let name = spec.project.as_str();
        if !self.projects.matches(name) {
            return Err(denied(format!("bring up {name}"), "projects", list(name)));
        }
        match spec.secrets.values().find(|secret| !covers(self.secrets.as_ref(), secret)) {
            Some(secret) => Err(denied(format!("use the secret {secret} in {name}"), "secrets", list(secret))),
            None => Ok(()),
        }
    }

    /// Whether what the files ask of the host is granted.
    ///
    /// # Errors
    /// [`Denied`] for the first claim that is not.
    pub fn check_claims(&self, claims: &[Claim]) -> Result<(), Denied> {
        match claims.iter().find(|claim| !self.grants(&claim.ask)) {
            Some(claim) => {
                let (key, value) = grant(&claim.ask);
                Err(denied(claim.to_string(), key, value))
            }
            None => Ok(()),
        }
    }

    fn grants(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Port(port) => self.ports.iter().any(|ports| (ports.first..=ports.last).contains(port)),
            Ask::Bind { path, real } => {
                let bound = |path: &str| covers(self.bind.as_ref(), path);
                bound(path) && real.as_deref().is_none_or(bound)
            }
            Ask::Privileged => self.privileged,
            Ask::HostNamespace(_) => self.host_namespaces,
            Ask::Device(path) => covers(self.devices.as_ref(), path),
            Ask::CapAdd(capability) => covers(self.cap_add.as_ref(), capability),
            Ask::DockerSocket => self.docker_socket,
            Ask::Image(image) => covers(self.images.as_ref(), image),
            Ask::Build => self.build,
            Ask::External(name) => covers(self.external.as_ref(), name),
        }
    }
}

fn covers(patterns: Option<&Patterns>, name: &str) -> bool {
    patterns.is_some_and(|patterns| patterns.matches(name))
}

/// The key and the value that would grant it.
fn grant(ask: &Ask) -> (&'static str, String) {
    let yes = || "true".to_owned();
    match ask {
        Ask::Port(port) => ("ports", format!("[{port}]")),
        Ask::Bind { path, real: None } => ("bind", list(path)),
        Ask::Bind { path, real: Some(real) } => {
            let of = |path: &str| list(path).trim_start_matches('[').trim_end_matches(']').to_owned();
            ("bind", format!("[{}, {}]", of(path), of(real)))
        }
        Ask::Privileged => ("privileged", yes()),
        Ask::Build => ("build", yes()),
        Ask::HostNamespace(_) => ("host-namespaces", yes()),
        Ask::Device(path) => ("devices", list(path)),
        Ask::CapAdd(capability) => ("cap-add", list(capability)),
        Ask::DockerSocket => ("docker-socket", yes()),
        Ask::Image(image) => ("images", list(image)),
        Ask::External(name) => ("external", list(name)),
    }
}

fn denied(asked: String, key: &'static str, value: String) -> Denied {
    Denied { capability: "compose", asked, key, value }
}

fn list(value: &str) -> String {
    Patterns::only(value)
}
