//! A system container that is its own target, with stead, a repo, and a policy that asks for something of every capability.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use stead_tests::container::Container;
use stead_tests::host::Host;
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

pub(crate) struct LocalServer(Container);

impl LocalServer {
    pub(crate) fn start(name: &str) -> Result<Self> {
        let container = Container::start(name)?;
        container.inside("mkdir -p /root/repo/apps/hello")?.ok()?;
        container.copy_to(&program::stead()?, "/usr/local/bin/stead")?;
        container.copy_to(&policy::component("all", "tests/e2e/policy")?, "/root/repo/all.wasm")?;
        Ok(Self(container))
    }

    pub(crate) fn container(&self) -> &Container {
        &self.0
    }

    /// What the policy asks for, and the value of a variable of its app.
    pub(crate) fn declare(&self, config: &str, level: &str) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let text = format!("{}[policy.all.config]\n{config}", include_str!("all.toml"));
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
