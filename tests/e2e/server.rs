//! A fresh server, and a repo with the shipped policy for it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::host::Host;
use stead_tests::run::{Output, run, run_with_input, words};
use stead_tests::{policy, program};
use tempfile::TempDir;

/// How long one run of stead may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(15 * 60);
pub(crate) const IMAGE: &str = "busybox:1";

pub(crate) struct Server {
    pub(crate) host: Box<dyn Host>,
    repo: TempDir,
    stead: PathBuf,
}

/// A key pair of WireGuard.
pub(crate) struct Keys {
    pub(crate) private: String,
    pub(crate) public: String,
}

impl Server {
    /// A repo for a fresh server, whose policy is built.
    pub(crate) fn new(host: impl Host + 'static) -> Result<Self> {
        let server = Self { host: Box::new(host), repo: tempfile::tempdir()?, stead: program::stead()? };
        policy::copy(&policy::repo("baseline", "modules/baseline")?, server.repo.path())?;
        server.declare("")?;
        Ok(server)
    }

    /// A file of the repo.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.repo.path().join(name)
    }

    /// The policy's config, as TOML under `[policy.baseline.config]`.
    pub(crate) fn declare(&self, config: &str) -> Result<()> {
        let table = if config.is_empty() { String::new() } else { format!("[policy.baseline.config]\n{config}\n") };
        let host = format!("[host.{0}]\naddress = \"root@{0}\"\npolicies = [\"baseline\"]\n", self.host.name());
        Ok(fs::write(self.path("stead.toml"), format!("{host}{}\n{table}", include_str!("grants.toml")))?)
    }

    /// Runs stead in the repo.
    pub(crate) fn stead(&self, arguments: &[&str]) -> Result<Said> {
        Self::run(&mut self.command(arguments), arguments)
    }

    /// Runs a command that [`Self::command`] gave.
    pub(crate) fn run(command: &mut Command, arguments: &[&str]) -> Result<Said> {
        Ok(Said { output: run(command, LIMIT)?, what: arguments.join(" ") })
    }

    /// The command that [`Self::stead`] runs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.stead);
        command.args(arguments).current_dir(self.repo.path()).env("STEAD_SSH_CONFIG", self.host.ssh_config());
        command.env_remove("CARGO_BUILD_TARGET");
        command
    }

    /// What a shell command on the server prints; it must succeed.
    pub(crate) fn there(&self, line: &str) -> Result<String> {
        self.host.ssh_within(line, Duration::from_secs(120))?.ok()
    }
}

/// What stead said.
pub(crate) struct Said {
    output: Output,
    what: String,
}

impl Said {
    /// What it printed, however it ended.
    pub(crate) fn stdout(&self) -> &str {
        &self.output.stdout
    }

    /// Everything that it said, when it ended with this exit code.
    pub(crate) fn expect(self, code: i32) -> Result<String> {
        let text = format!("{}{}", self.output.stdout, self.output.stderr);
        ensure!(
            self.output.status.code() == Some(code),
            "`stead {}` ended with {}, not with {code}:\n{text}",
            self.what,
            self.output.status
        );
        Ok(text)
    }
}

impl Keys {
    pub(crate) fn make() -> Result<Self> {
        let limit = Duration::from_secs(10);
        let private = run(&mut words("wg genkey"), limit)?.ok()?.trim().to_owned();
        let public = run_with_input(&mut words("wg pubkey"), private.as_bytes(), limit)?.ok()?.trim().to_owned();
        Ok(Self { private, public })
    }
}
