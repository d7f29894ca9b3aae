//! A system container that is its own target, with stead, a repo, and a policy that asks for something of every capability.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::root::Release;
use stead_tests::run::{Output, run};
use stead_tests::{policy, program};

pub(crate) const LIMIT: Duration = Duration::from_secs(300);
const COMPOSE: &str = "\
services:
  web:
    image: busybox:1
    command: [sleep, '1000']
    stop_grace_period: 0s
    environment: { LEVEL: LOW }
";

/// The tables of the policy, in `stead.toml`.
pub(crate) fn all(config: &str) -> String {
    format!("{}[policy.all.config]\n{config}\n", include_str!("all.toml"))
}

/// The policy that [`all`] is about.
pub(crate) fn component() -> Result<PathBuf> {
    policy::component("all", "tests/e2e/policy")
}

/// Whether two listings of a server's state are the same; else the lines in which they differ.
pub(crate) fn same(before: &str, now: &str, when: &str) -> Result<()> {
    let only = |these: &str, those: &str| {
        these.lines().filter(|line| !those.lines().any(|other| other == *line)).collect::<Vec<_>>().join("\n")
    };
    ensure!(before == now, "{when}; gone:\n{}\nnew:\n{}", only(before, now), only(now, before));
    Ok(())
}

pub(crate) struct LocalServer(Container);

impl LocalServer {
    pub(crate) fn start(name: &str) -> Result<Self> {
        Self::start_with(name, Release::Trixie)
    }

    pub(crate) fn start_with(name: &str, release: Release) -> Result<Self> {
        let container = Container::start_with(name, release)?;
        container.inside("mkdir -p /root/repo/apps/hello")?.ok()?;
        container.copy_to(&program::stead()?, "/usr/local/bin/stead")?;
        container.copy_to(&component()?, "/root/repo/all.wasm")?;
        Ok(Self(container))
    }

    pub(crate) fn container(&self) -> &Container {
        &self.0
    }

    /// What the policy asks for, and the value of a variable of its app.
    pub(crate) fn declare(&self, config: &str, level: &str) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let text = format!("[host.box]\npolicies = [\"all\"]\n{}", all(config));
        for (name, text) in [("stead.toml", &text), ("apps/hello/compose.yaml", &COMPOSE.replace("LOW", level))] {
            let file = folder.path().join("file");
            fs::write(&file, text)?;
            self.0.copy_to(&file, &format!("/root/repo/{name}"))?;
        }
        Ok(())
    }

    /// Runs stead there.
    pub(crate) fn stead(&self, arguments: &str) -> Result<Output> {
        let mut command = self.0.command("stead")?;
        run(command.args(["--repo", "/root/repo"]).args(arguments.split(' ')), LIMIT)
    }
}
