//! A repo with one policy that asks for what its config says, and a tree of files to apply it to.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use stead_tests::run::{Output, run, run_with_input};
use stead_tests::{policy, program};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) const GRANTS: &str = "\
[policy.asks.grant.sysctl]
keys = [\"net.ipv4.*\"]
[policy.asks.grant.file]
paths = [\"/etc/*\"]
secrets = [\"tok*\"]
";

const SOURCE: &str = "source = \"policies/asks\"";

pub(crate) struct Repo {
    folder: TempDir,
    stead: PathBuf,
}

impl Repo {
    /// A repo with the policy's component, and a machine that is not touched yet.
    pub(crate) fn new() -> Result<Self> {
        let repo = Self::without_policy()?;
        fs::copy(policy::component("asks", "tests/cli/policy")?, repo.path("asks.wasm"))?;
        Ok(repo)
    }

    /// A repo with the policy's source, as `stead build` has compiled it.
    pub(crate) fn with_source() -> Result<Self> {
        let repo = Self::without_policy()?;
        let built = policy::repo("asks", "tests/cli/policy")?;
        policy::copy(&built.join("policies"), &repo.path("policies"))?;
        policy::copy(&built.join(".stead/build"), &repo.path(".stead/build"))?;
        let text = fs::read_to_string(repo.path("stead.toml"))?;
        fs::write(repo.path("stead.toml"), text.replace("component = \"asks.wasm\"", SOURCE))?;
        Ok(repo)
    }

    /// The same without the component.
    pub(crate) fn without_policy() -> Result<Self> {
        let repo = Self { folder: tempfile::tempdir()?, stead: program::stead()? };
        for folder in ["root/proc/sys/net/ipv4", "root/etc/sysctl.d", "home"] {
            fs::create_dir_all(repo.path(folder))?;
        }
        fs::write(repo.path("root/proc/sys/net/ipv4/ip_forward"), "0\n")?;
        fs::write(repo.path("root/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
        fs::write(repo.path("root/etc/group"), "root:x:0:\n")?;
        repo.declare("")?;
        Ok(repo)
    }

    /// A file of the repo; `root/` is the machine, `state/` what stead records of it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The policy's config, as TOML, with all grants.
    pub(crate) fn declare(&self, config: &str) -> Result<()> {
        self.write(config, GRANTS)
    }

    /// The policy's config and grants, as TOML.
    pub(crate) fn write(&self, config: &str, grants: &str) -> Result<()> {
        let config = if config.is_empty() { String::new() } else { format!("[policy.asks.config]\n{config}\n") };
        let policy = "[host.box]\npolicies = [\"asks\"]\n[policy.asks]\ncomponent = \"asks.wasm\"\n";
        Ok(fs::write(self.path("stead.toml"), format!("{policy}{config}{grants}"))?)
    }

    /// Runs stead in the repo, with no terminal to ask on, and answers all that it said, when it ended with `code`.
    pub(crate) fn stead(&self, line: &str, code: i32) -> Result<String> {
        said(run(&mut self.command(line), LIMIT)?, code)
    }

    /// The same with something to read.
    pub(crate) fn stead_reads(&self, line: &str, input: &str, code: i32) -> Result<String> {
        said(run_with_input(&mut self.command(line), input.as_bytes(), LIMIT)?, code)
    }

    /// What a file of the machine holds.
    pub(crate) fn there(&self, path: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path("root").join(path))?)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        // A session of its own has no controlling terminal.
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(&self.stead);
        command.args(["--root", "root", "--state", "state"]).args(line.split_whitespace());
        command.current_dir(self.folder.path()).env("HOME", self.path("home")).env_remove("STEAD_IDENTITY");
        command.env_remove("XDG_CONFIG_HOME").env_remove("SSH_CONNECTION");
        command
    }
}

fn said(output: Output, code: i32) -> Result<String> {
    output.ended_with(code)
}
