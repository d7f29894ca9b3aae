//! What the operator lets a job do with machines: `[policy.NAME.grant.vm]`.

use std::time::Duration;

use serde::Deserialize;

use super::grant::VM;
use super::price::Amount;
use super::vault;
use crate::capability::Denied;
use crate::grant::Patterns;
use crate::policy::job::Request;
use crate::policy::{ByteSize, duration};

/// The table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scope {
    /// As in `[provider.NAME]`.
    providers: Vec<String>,
    /// As the providers name them.
    images: Patterns,
    /// How many machines at once.
    machines: u32,
    /// How long one may live.
    #[serde(with = "duration")]
    lifetime: Duration,
    #[serde(default)]
    instance_types: Option<Patterns>,
    #[serde(default)]
    regions: Option<Patterns>,
    /// Of a machine that is cut to measure.
    #[serde(default)]
    cpus: Option<u16>,
    #[serde(default)]
    memory: Option<ByteSize>,
    #[serde(default)]
    disk: Option<ByteSize>,
    /// That a command may be given.
    #[serde(default)]
    secrets: Option<Patterns>,
    /// What all machines of one job may cost at most.
    #[serde(default)]
    price_per_job: Option<Amount>,
    /// What all machines of this policy may cost at most that are made on one day, in UTC.
    #[serde(default)]
    price_per_day: Option<Amount>,
}

impl Scope {
    /// The provider that is meant when a request names none.
    pub(super) fn only_provider(&self) -> Option<&str> {
        match self.providers.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether the machine may be made on this provider, `others` of which are there.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    pub(super) fn check(&self, provider: &str, request: &Request, others: usize) -> Result<(), Denied> {
        let denied = |asked: String, key, value| Err(Denied { capability: VM, asked, key, value });
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        if !self.providers.iter().any(|granted| granted == provider) {
            return denied(format!("a machine at {provider}"), "providers", format!("[{}]", text(provider)));
        }
        if !self.images.matches(&request.image) {
            return denied(format!("the image {}", request.image), "images", Patterns::only(&request.image));
        }
        for (what, key, asked, granted) in [
            ("instance type", "instance-types", &request.instance_type, &self.instance_types),
            ("region", "regions", &request.region, &self.regions),
        ] {
            let Some(asked) = asked else { continue };
            if !granted.as_ref().is_some_and(|granted| granted.matches(asked)) {
                return denied(format!("the {what} {asked}"), key, Patterns::only(asked));
            }
        }
        if usize::try_from(self.machines).is_ok_and(|most| others >= most) {
            return denied(format!("{} machines at once", others + 1), "machines", (others + 1).to_string());
        }
        if Duration::from_secs(request.lifetime.into()) > self.lifetime {
            let asked = format!("{} s", request.lifetime);
            return denied(format!("a machine that lives {asked}"), "lifetime", text(&asked));
        }
        self.check_size(request)
    }

    /// Whether a command may be given a secret.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    pub(super) fn check_secret(&self, name: &str) -> Result<(), Denied> {
        vault::check(VM, self.secrets.as_ref(), name)
    }

    /// What the machines of a job, and those of a day, may cost.
    pub(super) fn ceilings(&self) -> (Option<&Amount>, Option<&Amount>) {
        (self.price_per_job.as_ref(), self.price_per_day.as_ref())
    }

    fn check_size(&self, request: &Request) -> Result<(), Denied> {
        let denied = |asked: String, key, value| Err(Denied { capability: VM, asked, key, value });
        if let Some(cpus) = request.cpus.filter(|cpus| self.cpus.is_none_or(|most| *cpus > most)) {
            return denied(format!("{cpus} processors"), "cpus", cpus.to_string());
        }
        let sizes = [
            ("memory", request.memory.map(|mib| u64::from(mib) << 20), self.memory),
            ("disk", request.disk.map(|gib| u64::from(gib) << 30), self.disk),
        ];
        for (key, asked, granted) in sizes {
            let Some(asked) = asked.filter(|asked| granted.is_none_or(|most| *asked > most.0)) else { continue };
            let asked = ByteSize(asked);
            return denied(format!("{asked} of {key}"), key, format!("\"{asked}\""));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    fn scope(more: &str) -> Result<Scope> {
        let least = "providers = [\"qemu\"]\nimages = [\"sha256:*\"]\nmachines = 2\nlifetime = \"60 min\"\n";
        Ok(toml::from_str(&format!("{least}{more}"))?)
    }

    fn request() -> Request {
        Request { image: "sha256:1234".to_owned(), lifetime: 600, ..Request::default() }
    }

    #[test]
    fn each_denial_says_what_would_allow_it() -> Result<()> {
        let scope = scope("cpus = 2")?;
        assert_eq!(scope.check("qemu", &request(), 1), Ok(()));
        let asked = [
            ("ec2", request(), 0),
            ("qemu", Request { image: "debian-13".to_owned(), ..request() }, 0),
            ("qemu", Request { instance_type: Some("c7g.large".to_owned()), ..request() }, 0),
            ("qemu", Request { region: Some("eu*".to_owned()), ..request() }, 0),
            ("qemu", request(), 2),
            ("qemu", Request { lifetime: 7200, ..request() }, 0),
            ("qemu", Request { cpus: Some(3), ..request() }, 0),
            ("qemu", Request { memory: Some(512), ..request() }, 0),
            ("qemu", Request { disk: Some(10), ..request() }, 0),
        ];
        let denials: Vec<_> = asked
            .iter()
            .filter_map(|(provider, request, others)| scope.check(provider, request, *others).err())
            .map(|denied| format!("{denied}: {} = {}", denied.key, denied.value))
            .collect();
        insta::assert_snapshot!(denials.join("\n"), @r#"
        vm: a machine at ec2 is not granted: providers = ["ec2"]
        vm: the image debian-13 is not granted: images = ["debian-13"]
        vm: the instance type c7g.large is not granted: instance-types = ["c7g.large"]
        vm: the region eu* is not granted: regions = ["eu[*]"]
        vm: 3 machines at once is not granted: machines = 3
        vm: a machine that lives 7200 s is not granted: lifetime = "7200 s"
        vm: 3 processors is not granted: cpus = 3
        vm: 512 MiB of memory is not granted: memory = "512 MiB"
        vm: 10 GiB of disk is not granted: disk = "10 GiB"
        "#);
        Ok(())
    }

    #[test]
    fn a_grant_says_how_many_and_how_long() {
        for wrong in
            ["", "providers = [\"qemu\"]", "providers = [\"qemu\"]\nimages = []\nmachines = 1\nlifetime = \"1 s\""]
        {
            assert!(toml::from_str::<Scope>(wrong).is_err(), "{wrong}");
        }
    }
}
