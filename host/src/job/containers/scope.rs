//! What the operator lets a job do with one-off containers: `[policy.NAME.grant.container]`.

use std::time::Duration;

use serde::Deserialize;

use crate::capability::Denied;
use crate::capability::compose::{self, Claim, Project, Spec, Wish};
use crate::grant::Patterns;
use crate::job::grant::CONTAINER;
use crate::job::vault;
use crate::policy::job::Failure;
use crate::policy::job::container::Options;
use crate::policy::{ByteSize, duration};

/// Where what a compose file does to the host is granted.
const COMPOSE: &str = "container.compose";
/// Thousandths of a processor are the smallest that is said.
const NANO: u64 = 1_000_000;

/// The table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::job) struct Scope {
    /// Names of services.
    services: Patterns,
    /// How many may run at once.
    containers: u32,
    /// The most that one may have.
    memory: ByteSize,
    /// In thousandths of a processor; `1.5` in the table.
    #[serde(rename = "cpus", deserialize_with = "thousandths")]
    millicpus: u32,
    /// How long one may run.
    #[serde(with = "duration")]
    time: Duration,
    /// That a container may be given.
    #[serde(default)]
    secrets: Option<Patterns>,
    /// As `[policy.NAME.grant.compose]` of a policy that brings apps up.
    compose: compose::Scope,
}

impl Scope {
    /// Whether a container may be made, `others` of which run; answers what it is to be.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it, or what is wrong with an argument.
    pub(super) fn check(
        &self,
        project: &Project,
        service: &str,
        options: &Options,
        others: usize,
    ) -> Result<Wish, Result<Denied, Failure>> {
        let denied = |asked: String, key, value| Err(Ok(Denied { capability: CONTAINER, asked, key, value }));
        if !self.compose.projects.matches(project.as_str()) {
            let (asked, value) = (format!("the app {project}"), Patterns::only(project.as_str()));
            return Err(Ok(Denied { capability: COMPOSE, asked, key: "projects", value }));
        }
        if !self.services.matches(service) {
            return denied(format!("the service {service} of {project}"), "services", Patterns::only(service));
        }
        if usize::try_from(self.containers).is_ok_and(|most| others >= most) {
            return denied(format!("{} containers at once", others + 1), "containers", (others + 1).to_string());
        }
        for name in &options.secrets {
            vault::check(CONTAINER, self.secrets.as_ref(), name).map_err(Ok)?;
        }
        let memory = options.memory.map_or(self.memory, |mib| ByteSize(u64::from(mib) << 20));
        if memory > self.memory {
            return denied(format!("{memory} of memory"), "memory", format!("\"{memory}\""));
        }
        let millicpus = options.millicpus.unwrap_or(self.millicpus);
        if millicpus > self.millicpus {
            let cpus = f64::from(millicpus) / 1000.0;
            return denied(format!("{cpus} processors"), "cpus", format!("{cpus:?}"));
        }
        if self.timeout(options) > self.time {
            let asked = format!("{} s", options.timeout.unwrap_or_default());
            return denied(format!("a container that runs for {asked}"), "time", format!("\"{asked}\""));
        }
        if millicpus == 0 || memory.0 == 0 || options.timeout == Some(0) {
            return Err(Err(Failure::invalid("options", "memory, millicpus and timeout are more than nothing")));
        }
        let Options { command, entrypoint, environment, user, working_dir, .. } = options.clone();
        let (service, memory, nano_cpus) = (service.to_owned(), memory.0, u64::from(millicpus) * NANO);
        Ok(Wish { service, command, entrypoint, environment, user, working_dir, memory, nano_cpus })
    }

    /// Whether what its compose file asks of the host is granted.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    pub(super) fn check_file(&self, spec: &Spec, claims: &[Claim]) -> Result<(), Denied> {
        let checked = self.compose.check(spec).and_then(|()| self.compose.check_claims(claims));
        checked.map_err(|denied| Denied { capability: COMPOSE, ..denied })
    }

    /// How long a container may run.
    pub(super) fn timeout(&self, options: &Options) -> Duration {
        options.timeout.map_or(self.time, |seconds| Duration::from_secs(seconds.into()))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in between")]
fn thousandths<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let cpus = f64::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom(format!("{cpus} is not a number of processors such as 1.5"));
    (0.001..=4096.0).contains(&cpus).then_some((cpus * 1000.0).round() as u32).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    #[test]
    fn each_denial_says_what_would_allow_it() -> Result<()> {
        let scope: Scope = toml::from_str(
            "services = [\"migrate\"]\ncontainers = 1\nmemory = \"64 MiB\"\ncpus = 0.5\ntime = \"1 min\"\n\
             [compose]\nprojects = [\"shop\"]\n",
        )?;
        let plain = Options::default();
        let shop: Project = "shop".parse()?;
        let wish = scope.check(&shop, "migrate", &plain, 0).map_err(|_| anyhow::anyhow!("denied"))?;
        assert_eq!((wish.memory, wish.nano_cpus), (64 << 20, 500_000_000));
        let asked = [
            ("blog", "migrate", plain.clone(), 0),
            ("shop", "web", plain.clone(), 0),
            ("shop", "migrate", plain.clone(), 1),
            ("shop", "migrate", Options { secrets: vec!["key".to_owned()], ..plain.clone() }, 0),
            ("shop", "migrate", Options { memory: Some(65), ..plain.clone() }, 0),
            ("shop", "migrate", Options { millicpus: Some(750), ..plain.clone() }, 0),
            ("shop", "migrate", Options { timeout: Some(61), ..plain.clone() }, 0),
        ];
        let mut denials = Vec::new();
        for (project, service, options, others) in asked {
            if let Err(Ok(denied)) = scope.check(&project.parse()?, service, &options, others) {
                denials.push(format!("{denied}: {} = {}", denied.key, denied.value));
            }
        }
        insta::assert_snapshot!(denials.join("\n"), @r#"
        container.compose: the app blog is not granted: projects = ["blog"]
        container: the service web of shop is not granted: services = ["web"]
        container: 2 containers at once is not granted: containers = 2
        container: the secret key is not granted: secrets = ["key"]
        container: 65 MiB of memory is not granted: memory = "65 MiB"
        container: 0.75 processors is not granted: cpus = 0.75
        container: a container that runs for 61 s is not granted: time = "61 s"
        "#);
        Ok(())
    }

    #[test]
    fn a_grant_says_how_much_and_how_long() {
        let whole = "services = [\"a\"]\ncontainers = 1\nmemory = \"1 MiB\"\ncpus = 1\ntime = \"1 s\"\n";
        for line in whole.lines() {
            let without = whole.replace(line, "") + "[compose]\nprojects = [\"b\"]\n";
            assert!(toml::from_str::<Scope>(&without).is_err(), "{without}");
        }
    }
}
