//! A `stead serve` of the tests' own, at a port of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{program, wait};

const LIMIT: Duration = Duration::from_secs(60);

/// A server, killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where its API listens.
    pub at: SocketAddr,
    child: Child,
    said: PathBuf,
}

/// `stead` on the repo in this folder, whose record lies in `state` there.
///
/// # Errors
/// When the program was not built.
pub fn stead(repo: &Path) -> Result<Command> {
    let mut command = Command::new(program::stead()?);
    command.current_dir(repo).arg("--state").arg(repo.join("state")).arg("--repo").arg(repo);
    Ok(command)
}

impl Server {
    /// A server for the repo in this folder, with these arguments beside its address.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub fn on(repo: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = stead(repo)?;
        Self::start(command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments), &repo.join("said"))
    }

    /// What `command` starts; what it says goes to the file `said`.
    ///
    /// # Errors
    /// When it does not come to listen at an address and a port.
    pub fn start(command: &mut Command, said: &Path) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(said)?).spawn()?;
        let mut server = Self { at: SocketAddr::from(([127, 0, 0, 1], 0)), child, said: said.to_owned() };
        let address = || {
            let said = fs::read_to_string(said)?;
            let line = said.lines().find_map(|line| line.strip_prefix("listening at "));
            line.map(str::parse).transpose().with_context(|| said.clone())
        };
        server.at = wait::until("the server", LIMIT, address).with_context(|| server.said())?;
        Ok(server)
    }

    /// All that it has printed.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// SIGHUP, and waits until it says this.
    ///
    /// # Errors
    /// When it does not.
    pub fn hang_up(&self, says: &str) -> Result<()> {
        ensure!(Command::new("kill").args(["-s", "HUP", &self.child.id().to_string()]).status()?.success());
        wait::until(says, LIMIT, || Ok(self.said().contains(says).then_some(())))
    }

    /// SIGTERM, and waits.
    ///
    /// # Errors
    /// When it does not end, or not well.
    pub fn end(mut self) -> Result<String> {
        ensure!(Command::new("kill").arg(self.child.id().to_string()).status()?.success());
        let ended = wait::until("its end", LIMIT, || Ok(self.child.try_wait()?))?;
        ensure!(ended.success(), "{ended}: {}", self.said());
        Ok(self.said())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
