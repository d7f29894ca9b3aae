//! A server that a test made and reaches over the system's own ssh, whatever it runs in.
//!
//! Our own commands share one connection: a new one costs a second under emulation, and one that is open stays open when
//! a firewall closes. The configuration file that tests hand to the program under test shares none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::docker::busybox_tar;
use crate::keys::{CLIENT_KEY, HOST_KEY_ALIAS, KNOWN_HOSTS};
use crate::run::{Output, run, run_with_input};

/// Enough for `apt-get install docker.io` under emulation on a loaded machine.
const COMMAND_LIMIT: Duration = Duration::from_secs(300);
const CONNECT_LIMIT: Duration = Duration::from_secs(20);
pub(crate) const CONFIG: &str = "ssh_config";
const SHARED_CONNECTION: &str = "ssh.sock";
const TAR: &str = "/srv/stand-in.tar";
/// A running server; dropping it ends it.
pub trait Host {
    /// The name of this server in its ssh configuration.
    fn name(&self) -> &str;

    /// A file for `ssh -F`: hosts `<name>` (root) and `<name>-admin` (a user with sudo). It shares no connections, so
    /// that a test sees when a new one is refused.
    fn ssh_config(&self) -> PathBuf;

    /// Ends everything that runs on it at once, as a reset button does, and waits until ssh works again.
    ///
    /// # Errors
    /// When it does not come back in time.
    fn kill_power(&mut self) -> Result<()>;

    /// `ssh` or `scp` for the harness's own commands, over the connection that they share.
    fn own(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let socket = self.ssh_config().with_file_name(SHARED_CONNECTION);
        command.arg("-F").arg(self.ssh_config()).arg("-o").arg(format!("ControlPath={}", socket.display()));
        command
    }

    /// Opens the shared connection. Apart, for a command that starts a master by the way hands its streams to it.
    ///
    /// # Errors
    /// When the server lets nobody in.
    fn open_shared_connection(&self) -> Result<()> {
        run(self.own("ssh").args(["-M", "-N", "-f", self.name()]), CONNECT_LIMIT)?.ok().map(drop)
    }

    /// The next command must not use a connection to a server that restarts.
    fn close_shared_connection(&self) {
        let _ = run(self.own("ssh").args(["-O", "exit"]).arg(self.name()), CONNECT_LIMIT);
    }

    /// Runs a shell command as root.
    ///
    /// # Errors
    /// When it is still running after five minutes. A failed command or connection is an [`Output`] (ssh: status 255).
    fn ssh(&self, command: &str) -> Result<Output> {
        self.ssh_within(command, COMMAND_LIMIT)
    }

    /// Runs a shell command as root, with a limit of its own.
    ///
    /// # Errors
    /// When it is still running after `limit`.
    fn ssh_within(&self, command: &str, limit: Duration) -> Result<Output> {
        run(self.own("ssh").arg(self.name()).arg(command), limit)
    }

    /// Runs a shell command as root with `input` as its standard input.
    ///
    /// # Errors
    /// As [`Host::ssh`].
    fn ssh_with_input(&self, command: &str, input: &[u8]) -> Result<Output> {
        run_with_input(self.own("ssh").arg(self.name()).arg(command), input, COMMAND_LIMIT)
    }

    /// Runs a shell command over a connection of its own, as an operator would.
    ///
    /// # Errors
    /// When it is still running after a while.
    fn ssh_alone(&self, command: &str) -> Result<Output> {
        run(Command::new("ssh").arg("-F").arg(self.ssh_config()).args([self.name(), command]), CONNECT_LIMIT)
    }

    /// Whether a connection of its own is let in.
    ///
    /// # Errors
    /// When ssh cannot be started.
    fn lets_in(&self) -> Result<bool> {
        Ok(self.ssh_alone("true").is_ok_and(|output| output.status.success()))
    }

    /// Copies a file or a folder to the machine, as root.
    ///
    /// # Errors
    /// When scp fails.
    fn copy_to(&self, local: &Path, remote: &str) -> Result<()> {
        let mut copy = self.own("scp");
        copy.args(["-q", "-r", "-p"]).arg(local).arg(format!("{}:{remote}", self.name()));
        run(&mut copy, COMMAND_LIMIT)?.ok().map(drop)
    }

    /// Copies a file or a folder from the machine.
    ///
    /// # Errors
    /// When scp fails.
    fn copy_from(&self, remote: &str, local: &Path) -> Result<()> {
        let mut copy = self.own("scp");
        copy.args(["-q", "-r", "-p"]).arg(format!("{}:{remote}", self.name())).arg(local);
        run(&mut copy, COMMAND_LIMIT)?.ok().map(drop)
    }

    /// What stands in for a registry of images, where none is in reach: from its first start, Docker has an image `name`
    /// that holds a static busybox and runs `command`. It is imported before the service counts as started, as if it had
    /// been pulled.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    fn provide_image(&self, name: &str, command: &str) -> Result<()> {
        self.copy_to(&busybox_tar()?, TAR)?;
        let drop_in = format!(
            "[Service]\nExecStartPost=/bin/sh -c 'docker image inspect {name} >/dev/null 2>&1 || \
             docker import --change \"CMD {command}\" {TAR} {name}'\n"
        );
        let folder = "/etc/systemd/system/docker.service.d";
        let file = name.replace(['/', ':'], "-");
        let write = format!("mkdir -p {folder} && cat > {folder}/{file}.conf && systemctl daemon-reload");
        self.ssh_with_input(&write, drop_in.as_bytes())?.ok().map(drop)
    }

    /// Where the kernel has no WireGuard, a program for it is installed.
    ///
    /// # Errors
    /// When the machine cannot be reached, or has no packages.
    fn provide_wireguard(&self) -> Result<()> {
        let probe = "ip link add probe type wireguard && ip link del probe";
        let install = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q wireguard-go";
        self.ssh(&format!("{probe} || {install}"))?.ok().map(drop)
    }
}

/// The entries of an ssh configuration for a server `name`: root, and an administrator. `way` says how it is reached.
pub(crate) fn ssh_entries(name: &str, keys: &Path, way: &str) -> String {
    let entry = |suffix: &str, user: &str| {
        format!(
            "Host {name}{suffix}
    {way}
    User {user}
    IdentityFile {key}
    IdentitiesOnly yes
    HostKeyAlias {HOST_KEY_ALIAS}
    UserKnownHostsFile {known}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 10
    ServerAliveInterval 10
    ServerAliveCountMax 6
    LogLevel ERROR
",
            key = keys.join(CLIENT_KEY).display(),
            known = keys.join(KNOWN_HOSTS).display(),
        )
    };
    entry("", "root") + &entry("-admin", "admin")
}
