//! Commands and files, over the system's own ssh.
//!
//! Our own commands share one connection, as a new one costs a second under emulation. The configuration file that tests
//! hand to the program under test shares none: a firewall that locks out new connections must show.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::{Protocol, Vm, seed};
use crate::run::{Output, run, run_with_input};
use crate::wait;

pub(crate) const CONFIG: &str = "ssh_config";
const SHARED_CONNECTION: &str = "ssh.sock";
/// Enough for `apt-get install docker.io` under emulation on a loaded machine.
const COMMAND_LIMIT: Duration = Duration::from_secs(300);
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

impl Vm {
    /// Runs a shell command as root.
    ///
    /// # Errors
    /// When it is still running after five minutes. A failed command or connection is an [`Output`] (ssh: status 255).
    pub fn ssh(&self, command: &str) -> Result<Output> {
        self.ssh_within(command, COMMAND_LIMIT)
    }

    /// Runs a shell command as root, with a limit of its own.
    ///
    /// # Errors
    /// When it is still running after `limit`.
    pub fn ssh_within(&self, command: &str, limit: Duration) -> Result<Output> {
        run(self.shared("ssh").arg(&self.name).arg(command), limit)
    }

    /// Runs a shell command as root with `input` as its standard input.
    ///
    /// # Errors
    /// As [`Vm::ssh`].
    pub fn ssh_with_input(&self, command: &str, input: &[u8]) -> Result<Output> {
        run_with_input(self.shared("ssh").arg(&self.name).arg(command), input, COMMAND_LIMIT)
    }

    /// Opens a connection of its own, as an operator would, and says whether it was let in.
    ///
    /// # Errors
    /// When ssh cannot be started.
    pub fn lets_in(&self) -> Result<bool> {
        Ok(self.alone("true").is_ok_and(|output| output.status.success()))
    }

    /// Copies a file or a folder to the machine, as root.
    ///
    /// # Errors
    /// When scp fails.
    pub fn copy_to(&self, local: &Path, remote: &str) -> Result<()> {
        let mut copy = self.shared("scp");
        copy.args(["-q", "-r", "-p"]).arg(local).arg(format!("{}:{remote}", self.name));
        run(&mut copy, COMMAND_LIMIT)?.ok().map(drop)
    }

    /// Copies a file or a folder from the machine.
    ///
    /// # Errors
    /// When scp fails.
    pub fn copy_from(&self, remote: &str, local: &Path) -> Result<()> {
        let mut copy = self.shared("scp");
        copy.args(["-q", "-r", "-p"]).arg(format!("{}:{remote}", self.name)).arg(local);
        run(&mut copy, COMMAND_LIMIT)?.ok().map(drop)
    }

    /// Forwards port 22 and writes the configuration that leads there.
    pub(crate) fn write_ssh_config(&mut self) -> Result<()> {
        let port = self.forward(Protocol::Tcp, 22)?;
        let entries = [(String::new(), "root"), ("-admin".into(), "admin")];
        let config: String = entries.iter().map(|(suffix, user)| self.entry(suffix, user, port)).collect();
        Ok(fs::write(self.ssh_config(), config)?)
    }

    /// Waits until a login works, then sets the guest's clock, which stood still while a saved machine slept.
    pub(crate) fn await_ssh(&mut self, limit: Duration) -> Result<()> {
        let name = self.name.clone();
        let came_up = wait::until(&format!("ssh on the machine {name}"), limit, || match self.qemu.check_alive() {
            Ok(()) => self.logs_in().map(Some),
            Err(ended) => Ok(Some(Err(ended))),
        })
        .flatten();
        if let Err(error) = came_up {
            let console = self.console().unwrap_or_default();
            let tail = console.char_indices().rev().nth(3000).map_or(0, |(at, _)| at);
            bail!("{error:#}; STEAD_VM_ACCEL=tcg rules out KVM; the end of its console:\n{}", &console[tail..]);
        }
        self.open_shared_connection()
    }

    /// The next command must not use a connection to a machine that restarts.
    pub(crate) fn close_shared_connection(&self) {
        let _ = run(self.shared("ssh").args(["-O", "exit"]).arg(&self.name), CONNECT_LIMIT);
    }

    fn logs_in(&self) -> Result<Result<()>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        self.alone(&format!("date -s @{now}"))?.ok().map(|_| Ok(()))
    }

    fn alone(&self, command: &str) -> Result<Output> {
        run(Command::new("ssh").arg("-F").arg(self.ssh_config()).args([&self.name, command]), CONNECT_LIMIT)
    }

    fn shared(&self, program: &str) -> Command {
        let socket = self.folder.path().join(SHARED_CONNECTION);
        let mut command = Command::new(program);
        command.arg("-F").arg(self.ssh_config()).arg("-o").arg(format!("ControlPath={}", socket.display()));
        command
    }

    /// Started apart, for a command that starts a master by the way hands its streams to it.
    fn open_shared_connection(&self) -> Result<()> {
        let mut master = self.shared("ssh");
        master.args(["-M", "-N", "-f", &self.name]);
        run(&mut master, CONNECT_LIMIT)?.ok().map(drop)
    }

    fn entry(&self, suffix: &str, user: &str, port: u16) -> String {
        let Self { name, access, .. } = self;
        format!(
            "Host {name}{suffix}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {key}
    IdentitiesOnly yes
    HostKeyAlias {alias}
    UserKnownHostsFile {known}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 10
    ServerAliveInterval 10
    ServerAliveCountMax 6
    LogLevel ERROR
",
            key = access.join(seed::CLIENT_KEY).display(),
            alias = seed::HOST_KEY_ALIAS,
            known = access.join(seed::KNOWN_HOSTS).display(),
        )
    }
}
