//! A component, and what it may do.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use stead::capability::backup::Backups;
use stead::machine::{Facts, NetworkInterface, OsRelease};
use stead::policy::job::{JobEnd, JobError};
use stead::policy::{Policy, PolicyError, Run, Runtime};
use stead::repo::{self, Repo};
use stead_tests::cache;

use crate::door::{Done, Script};

pub(crate) struct Guest {
    component: Vec<u8>,
    runtime: Runtime,
    repo: Repo,
    known: repo::Policy,
}

impl Guest {
    pub(crate) fn open(component: &Path) -> Result<Self> {
        let repo = Repo::parse(Path::new("."), STEAD.to_owned())?;
        let known = repo.policies().next().context("no policy")?.clone();
        // All test processes share what is compiled: a component with an interpreter takes seconds.
        let compiled = cache::folder()?.join("languages-compiled");
        Ok(Self { component: fs::read(component)?, runtime: Runtime::open(&compiled)?, repo, known })
    }

    pub(crate) async fn configure(&self, config: &Value) -> Result<Run, PolicyError> {
        self.configure_on("kept", config).await
    }

    /// The same on another host of the repo.
    pub(crate) async fn configure_on(&self, host: &str, config: &Value) -> Result<Run, PolicyError> {
        let interface = NetworkInterface {
            name: "eth0".to_owned(),
            addresses: vec!["192.0.2.7/24".to_owned(), "2001:db8::7/64".to_owned()],
            default_route: true,
        };
        let os = OsRelease { id: "debian".to_owned(), version_id: "13".to_owned(), ..OsRelease::default() };
        let facts = Facts {
            host_name: "wéb☃".to_owned(),
            os,
            architecture: "amd64".to_owned(),
            interfaces: vec![interface, NetworkInterface { name: "eth1".to_owned(), ..Default::default() }],
        };
        let backups = self.repo.host(host).map(|host| self.repo.backups_on(host)).unwrap_or_default();
        self.runtime.configure(&self.policy(config, &backups), &facts).await
    }

    /// How the job ended, and what it did.
    pub(crate) async fn run_job(
        &self,
        input: &Value,
        config: &Value,
        script: Script,
    ) -> Result<(JobEnd, Done), JobError> {
        let done = script.done();
        let none = Backups::default();
        let policy = self.policy(config, &none);
        let ended = self.runtime.run_job(&policy, &input.to_string(), Box::new(script)).await?;
        let done = done.lock().unwrap().clone();
        Ok((ended, done))
    }

    fn policy<'a>(&'a self, config: &'a Value, backups: &'a Backups) -> Policy<'a> {
        Policy {
            name: "policy",
            component: &self.component,
            grants: &self.known.grants,
            config,
            meshes: Box::leak(Box::default()),
            engines: Box::leak(Box::default()),
            backups,
            limits: self.known.limits,
        }
    }
}

const STEAD: &str = r#"
[host.kept]
policies = ["policy"]

[host.bare]
policies = ["policy"]

[host.apart]
policies = ["policy"]

[backup.weekly]
hosts = ["kept"]
repository = "sftp:backup@10.8.0.9:/srv/restic"
password = "restic"
at = "Sun 04:00"
paths = ["/srv/ü"]

[backup.nightly]
hosts = ["kept"]
repository = "sftp:backup@10.8.0.9:/srv/restic"
password = "restic"
at = "03:30"
paths = ["/srv/www"]

[backup.apart]
hosts = ["apart"]
repository = "/srv/elsewhere"
password = "restic"
at = "03:30"
paths = ["/srv/www"]

[policy.policy]
component = "policy.wasm"

[policy.policy.grant.backup]
repositories = ["sftp:backup@10.8.0.9:/srv/restic"]
paths = ["/srv/*"]
secrets = ["restic"]

[policy.policy.grant.package]
install = ["nginx", "unattended-upgrades", "sudo", "nftables", "wireguard-tools", "docker.io", "docker-cli", "docker-compose"]

[policy.policy.grant.user]
users = ["alice"]
sudo = ["alice"]

[policy.policy.grant.file]
paths = ["/etc/probe", "/etc/apt/apt.conf.d/52stead-periodic", "/etc/ssh/sshd_config.d/10-stead.conf"]
validate = ["/usr/sbin/sshd"]

[policy.policy.grant.sysctl]
keys = ["net.ipv4.*", "net.ipv4.conf.*", "net.ipv6.conf.*", "kernel.kptr_restrict", "vm.swappiness"]

[policy.policy.grant.firewall]
chains = ["input"]
ports = ["1-65535"]

[policy.policy.grant.vpn]
interfaces = ["wg0"]
listen-ports = [51820, 65535]
networks = ["10.8.0.0/24"]

[policy.policy.grant.service]
units = ["ssh.service", "docker.service", "probe.service"]

[policy.policy.grant.compose]
projects = ["hello"]

[policy.policy.grant.vm]
providers = ["containers"]
images = ["any"]
machines = 1
lifetime = "60 min"

[policy.policy.grant.http]
hosts = ["example.org"]

[policy.policy.grant.container]
services = ["tool"]
containers = 1
memory = "1 MiB"
cpus = 0.5
time = "1 min"
compose = { projects = ["hello"] }
"#;
