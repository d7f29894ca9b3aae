//! The APIs of Amazon as `moto` (PyPI) serves them, on loopback or in a network of the test.
//!
//! It keeps what it is told in memory and starts no machines.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::netns::Netns;
use crate::run::{Background, run, words};
use crate::{cache, wait};

const VERSION: &str = "5.2.5";

/// A server of its own; dropping it ends it.
#[derive(Debug)]
pub struct Moto {
    _server: Background,
    endpoint: String,
    /// Its log.
    folder: TempDir,
}

impl Moto {
    /// On loopback, with these environment variables.
    ///
    /// # Errors
    /// When it cannot be installed, or does not answer.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_by(Command::new, "127.0.0.1", settings)
    }

    /// At an address of a namespace.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_in(network: &Netns, address: &str) -> Result<Self> {
        Self::start_by(|program| network.command(program), address, &[])
    }

    fn start_by(command: impl Fn(&'static str) -> Command, address: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let python = python()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("moto.log"))?;
        // It ends with this process, however that ends.
        let mut server = command("setpriv");
        server.args(["--pdeathsig", "KILL"]).arg(python).args(["-m", "moto.server", "-H", address, "-p", &port]);
        server.envs(settings.iter().copied());
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let server = Background::start(&mut server)?;
        let moto = Self { _server: server, endpoint: format!("http://{address}:{port}"), folder };
        let data = format!("{}/moto-api/data.json", moto.endpoint);
        wait::until("moto", Duration::from_secs(60), || {
            run(command("curl").args(["-sf", &data]), Duration::from_secs(20))?.ok().map(Some)
        })?;
        Ok(moto)
    }

    /// Where it answers, as a URL.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it was asked for so far.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("moto.log"))?)
    }
}

/// Python with moto and boto3, installed once.
///
/// # Errors
/// When they cannot be installed.
pub fn python() -> Result<PathBuf> {
    let entry = cache::entry("moto", &cache::key(&[VERSION, "s3"]), |folder| {
        let folder = folder.join("python");
        run(words("python3 -m venv").arg(&folder), Duration::from_secs(120))?.ok()?;
        let mut install = Command::new(folder.join("bin/python3"));
        install.args(["-m", "pip", "install", "--quiet", &format!("moto[ec2,s3,server]=={VERSION}")]);
        run(&mut install, Duration::from_secs(600))?.ok().map(drop)
    })?;
    Ok(entry.join("python/bin/python3"))
}
