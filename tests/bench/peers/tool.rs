//! What is compared, and how each is told to do the work.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::container::ADDRESS;

use crate::sample::output;
use crate::server::Server;
use crate::site::Site;

/// A program that sets up servers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tool {
    Stead,
    Pyinfra,
    Ansible,
    /// A script that is piped to ssh(1), with its files.
    Shell,
}

/// The server, and what is to be done to it.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) site: &'a Site,
    /// The interpreter that has the peers.
    pub(crate) python: &'a Path,
    pub(crate) server: &'a Server,
    /// The value of the kernel parameter that changes.
    pub(crate) swappiness: u32,
}

impl Tool {
    pub(crate) const ALL: [Self; 4] = [Self::Stead, Self::Pyinfra, Self::Ansible, Self::Shell];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stead => "stead",
            Self::Pyinfra => "pyinfra",
            Self::Ansible => "ansible-playbook",
            Self::Shell => "shell script over ssh",
        }
    }

    pub(crate) fn apply(self, work: &Work<'_>) -> Command {
        match self {
            Self::Stead => work.stead(&["apply", "--yes"]),
            Self::Pyinfra => work.pyinfra(&["-y"]),
            Self::Ansible => work.ansible(&[]),
            Self::Shell => work.shell(),
        }
    }

    /// A run that changes nothing; a script has none.
    pub(crate) fn check(self, work: &Work<'_>) -> Option<Command> {
        match self {
            Self::Stead => Some(work.stead(&["plan"])),
            Self::Pyinfra => Some(work.pyinfra(&["--dry"])),
            Self::Ansible => Some(work.ansible(&["--check"])),
            Self::Shell => None,
        }
    }

    /// How long an apply takes that has nothing to do, and says so.
    pub(crate) fn nothing_to_do(self, work: &Work<'_>) -> Result<Duration> {
        let (took, said) = output(&mut self.apply(work))?;
        let idle = match self {
            Self::Stead => said.contains("Nothing to do"),
            Self::Ansible => said.contains(" changed=0 "),
            // The app always counts as changed: Compose finds out for itself whether there is something to do.
            Self::Pyinfra => changed_operations(&said) == Some("1"),
            // It says nothing, as scripts do.
            Self::Shell => true,
        };
        ensure!(idle, "{} found something to do:\n{said}", self.name());
        Ok(took)
    }
}

impl Work<'_> {
    fn stead(&self, arguments: &[&str]) -> Command {
        let mut command = self.server.beside("env");
        command.arg("-C").arg(self.site.path());
        command.arg(format!("STEAD_SSH_CONFIG={}", self.server.file("ssh_config_direct").display()));
        command.arg(&self.site.stead).args(arguments).arg("root@server");
        command
    }

    fn pyinfra(&self, arguments: &[&str]) -> Command {
        let mut command = self.peer("pyinfra");
        command.args(arguments).args(["--user", "root", "--key"]).arg(self.server.file("client_key"));
        let known = self.server.file("known_hosts_by_address");
        command.arg("--data").arg(format!("ssh_known_hosts_file={}", known.display()));
        command.arg(ADDRESS).arg(file("deploy.py"));
        command
    }

    /// As its documentation tunes it: pipelining, connections that stay, no facts, a known interpreter.
    fn ansible(&self, arguments: &[&str]) -> Command {
        let mut command = self.peer("ansible-playbook");
        command.args(arguments).args(["--inventory", "server,", "--user", "root"]);
        command.arg(format!("--ssh-common-args=-F {}", self.server.file("ssh_config_direct").display()));
        command.arg(format!("--extra-vars=@{}", file("vars.yaml").display()));
        command.arg(format!("--extra-vars=app={}", self.app().display()));
        command.arg(format!("--extra-vars=swappiness={}", self.swappiness));
        command.arg("--extra-vars=ansible_python_interpreter=/usr/bin/python3").arg(file("playbook.yaml"));
        command
    }

    fn shell(&self) -> Command {
        let mut command = self.server.beside("sh");
        let (peers, app) = (file(""), self.app());
        let pack = format!(
            "tar --create --directory {} server.sh files --directory {} --transform 's,^hello,app,' hello",
            peers.display(),
            app.parent().unwrap_or(&app).display()
        );
        let run = format!(
            "d=$(mktemp -d) && cd $d && tar --extract --no-same-owner && SWAPPINESS={} sh server.sh; s=$?; rm -r $d; exit $s",
            self.swappiness
        );
        let ssh = format!("ssh -F {} server '{run}'", self.server.file("ssh_config_direct").display());
        command.arg("-c").arg(format!("{pack} | {ssh}"));
        command
    }

    /// A program of the virtual environment, next to the server.
    fn peer(&self, program: &str) -> Command {
        let mut command = self.server.beside("env");
        command.args(["LC_ALL=C.UTF-8", "ANSIBLE_PIPELINING=True"]);
        command.arg(format!("ANSIBLE_HOME={}", self.server.file("ansible").display()));
        command.arg(format!("ANSIBLE_SSH_CONTROL_PATH_DIR={}", self.server.file("ansible/cp").display()));
        command.arg(format!("BENCH_APP={}", self.app().display()));
        command.arg(format!("BENCH_PEERS={}", file("").display()));
        command.arg(format!("BENCH_SWAPPINESS={}", self.swappiness));
        // By its interpreter, for the environment was moved after it had been made.
        command.arg(self.python).arg(self.python.with_file_name(program));
        command
    }

    fn app(&self) -> PathBuf {
        self.site.path().join("apps/hello")
    }
}

/// Of the last line of pyinfra's results: hosts, success, error, no change.
fn changed_operations(said: &str) -> Option<&str> {
    said.lines().find(|line| line.contains("Grand total"))?.split_whitespace().rev().nth(2)
}

/// A file of the peers.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers").join(name)
}
