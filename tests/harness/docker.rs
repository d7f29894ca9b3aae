//! A Docker Engine to test on: the machine's own where one answers, else one that the tests start.
//!
//! Ours runs in its own network, mount and process namespaces, with its data in a temporary folder: the machine's firewall,
//! interfaces and Docker data stay as they are, and killing one process takes every container with it. Published ports are
//! in that network too: reach them by [`Engine::exec`].
//!
//! Test processes share one engine. Each holds a shared lock while it uses it; a keeper beside `dockerd` tries for the
//! exclusive lock every few seconds, and stops the engine when it gets it. The kernel drops the lock of a killed process.

mod compose;
mod debian;
mod engine;
mod image;
mod registry;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

pub use debian::debian_tar;
pub use image::busybox_tar;
pub use registry::Registry;

use crate::run::{Output, run};
use crate::wait;

/// Where distributions put the plugin.
const PLUGINS: &[&str] =
    &["/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins", "/usr/local/lib/docker/cli-plugins"];
const COMMAND_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A running engine. It may hold what other tests made: name what you make after your test, and remove it.
#[derive(Debug)]
pub struct Engine {
    socket: PathBuf,
    /// A process in the network where published ports are; `None`: that is our own network.
    network_of: Option<u32>,
    /// A Docker configuration folder with the Compose plugin; `None`: the client has it.
    config: Option<PathBuf>,
    /// Held as long as it is used.
    user: Option<File>,
    /// Its folder, when it is not shared.
    own: Option<tempfile::TempDir>,
}

impl Engine {
    /// The machine's engine, or the tests' own, started if it is not running.
    ///
    /// # Errors
    /// When `dockerd` does not come up in time (the message carries its log), or no Compose plugin is to be had.
    pub fn start() -> Result<Self> {
        let config = compose::config()?;
        let machines_own = Path::new("/var/run/docker.sock");
        if engine::answers(machines_own) {
            return Ok(Self { socket: machines_own.into(), network_of: None, config, user: None, own: None });
        }
        let shared = engine::share("stead-test-engine")?;
        Ok(Self { socket: shared.socket, network_of: Some(shared.pid), config, user: Some(shared.user), own: None })
    }

    /// An engine that no other test uses, to be ill-treated: it can be restarted, and `room` is how much its data may
    /// take, as mount(8) says it.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn alone(room: Option<&str>) -> Result<Self> {
        let config = compose::config()?;
        let folder = tempfile::Builder::new().prefix("stead-own-").tempdir()?;
        let shared = engine::share_in(folder.path(), room)?;
        let (socket, network_of) = (shared.socket, Some(shared.pid));
        Ok(Self { socket, network_of, config, user: Some(shared.user), own: Some(folder) })
    }

    /// Kills the daemon of an engine that is not shared, as a crash would; it is back after about a second.
    ///
    /// # Errors
    /// When it is shared, or has no daemon.
    pub fn restart(&self) -> Result<()> {
        let folder = self.own.as_ref().context("a shared engine is not restarted")?;
        std::fs::write(folder.path().join("restart"), "")?;
        self.inside("kill -9 $(cat \"$DAEMON\")")?.ok().map(drop)
    }

    /// Runs a shell command where the daemon of an engine that is not shared lives; `$DATA` is its folder.
    ///
    /// # Errors
    /// When it is shared, or the command is still running after two minutes.
    pub fn inside(&self, command: &str) -> Result<Output> {
        let folder = self.own.as_ref().context("only in an engine that is not shared")?.path();
        let keeper = self.network_of.context("it has no process")?;
        let children = std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children"))?;
        let first = children.split_whitespace().next().context("the keeper has ended")?;
        let mut enter = Command::new("nsenter");
        enter.args(["--all", "--target", first, "sh", "-c", command]);
        enter.env("DATA", folder.join("data")).env("DAEMON", folder.join("dockerd.pid"));
        run(&mut enter, COMMAND_LIMIT)
    }

    /// An engine of the tests' own that manages a swarm of one node, apart from the others: a swarm has networks that
    /// they would not expect.
    ///
    /// # Errors
    /// As [`Engine::start`], or when it cannot be made a manager.
    pub fn swarm() -> Result<Self> {
        let config = compose::config()?;
        let shared = engine::share("stead-test-swarm")?;
        let (socket, network_of) = (shared.socket, Some(shared.pid));
        let engine = Self { socket, network_of, config, user: Some(shared.user), own: None };
        // Whoever comes second is told that it is one already.
        engine.docker(["swarm", "init", "--advertise-addr", "127.0.0.1"])?;
        let is_manager = || {
            let said = engine.docker(["info", "--format", "{{.Swarm.ControlAvailable}}"])?.ok()?;
            Ok((said.trim() == "true").then_some(()))
        };
        crate::wait::until("a swarm", COMMAND_LIMIT, is_manager)?;
        Ok(engine)
    }

    /// The socket of its API.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What a program's environment needs to reach this engine and its Compose plugin.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("DOCKER_HOST", format!("unix://{}", self.socket.display()))];
        variables.extend(self.config.iter().map(|folder| ("DOCKER_CONFIG", folder.display().to_string())));
        variables
    }

    /// Makes it the Docker of the tree of files at `root`: its socket and its Compose plugin are there by links.
    ///
    /// # Errors
    /// When a link cannot be made, or there is no plugin.
    pub fn put_in(&self, root: &Path) -> Result<()> {
        let plugins = root.join("usr/libexec/docker/cli-plugins");
        std::fs::create_dir_all(root.join("var/run"))?;
        std::fs::create_dir_all(&plugins)?;
        std::os::unix::fs::symlink(&self.socket, root.join("var/run/docker.sock"))?;
        let own = self.config.iter().map(|folder| folder.join("cli-plugins"));
        let found = own.chain(PLUGINS.iter().map(PathBuf::from)).map(|folder| folder.join("docker-compose"));
        let plugin = found.into_iter().find(|plugin| plugin.exists()).context("there is no Compose plugin")?;
        Ok(std::os::unix::fs::symlink(plugin, plugins.join("docker-compose"))?)
    }

    /// Runs the Docker client.
    ///
    /// # Errors
    /// When it is still running after two minutes.
    pub fn docker<const N: usize>(&self, arguments: [&str; N]) -> Result<Output> {
        run(Command::new("docker").args(arguments).envs(self.environment()), COMMAND_LIMIT)
    }

    /// Runs a shell command in the network where published ports are.
    ///
    /// # Errors
    /// When it is still running after two minutes.
    pub fn exec(&self, command: &str) -> Result<Output> {
        run(self.command("sh").args(["-c", command]).envs(self.environment()), COMMAND_LIMIT)
    }

    /// A command that will run in the network where published ports are.
    pub fn command(&self, program: &str) -> Command {
        match self.network_of {
            None => Command::new(program),
            Some(pid) => {
                let mut command = Command::new("nsenter");
                command.args(["--net", "--target", &pid.to_string(), program]);
                command
            }
        }
    }

    /// Makes sure of an image `name` that holds one static busybox with its usual links.
    ///
    /// # Errors
    /// When the client cannot import it.
    pub fn import_busybox(&self, name: &str) -> Result<()> {
        let tar = busybox_tar()?;
        self.docker(["import", &tar.to_string_lossy(), name])?.ok().map(drop)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The folder of an engine that is not shared goes when nothing of the engine is left.
        if let Some(folder) = &self.own {
            self.user = None;
            let gone = || Ok((!folder.path().join("docker.sock").exists()).then_some(()));
            let _ = wait::until("the end of dockerd", STOP_LIMIT, gone);
        }
    }
}
