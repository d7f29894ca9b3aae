//! A registry that asks who is there, on loopback: Debian's docker-registry, out of its package.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{Engine, compose};
use crate::run::run;
use crate::{archives, cache, wait};

const PROGRAM: &str = "usr/bin/docker-registry";
const START_LIMIT: Duration = Duration::from_secs(30);
/// As htpasswd(1) writes it: `me`, with the password `pass:word`.
const USERS: &str = "me:$2y$05$abcdefghijklmnopqrstuuDIEddBSuRWBBEY6g5zv60IAP5bSSfki\n";

/// A running registry. It ends with this value.
#[derive(Debug)]
pub struct Registry {
    program: Child,
    folder: TempDir,
    port: u16,
}

impl Registry {
    /// What `DOCKER_AUTH_CONFIG` and Docker's `config.json` hold for it: base64 of `me:pass:word`.
    pub fn config(&self) -> String {
        format!("{{\"auths\": {{\"localhost:{}\": {{\"auth\": \"bWU6cGFzczp3b3Jk\"}}}}}}", self.port)
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Where it keeps the content of this digest.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let start = digest.get(..2).unwrap_or_default();
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(start).join(digest).join("data")
    }

    /// Where it keeps its repositories.
    pub fn repositories(&self) -> PathBuf {
        self.folder.path().join("data/docker/registry/v2/repositories")
    }

    /// A registry behind this port of the engine's network.
    ///
    /// # Errors
    /// When its package cannot be had, or it does not come up.
    pub fn start(engine: &Engine, port: u16) -> Result<Self> {
        let registry = Self::serve(|program| engine.command(program), port)?;
        let answers = || {
            let asked =
                engine.exec(&format!("curl -s -o /dev/null -w '%{{http_code}}' http://127.0.0.1:{port}/v2/"))?;
            Ok((asked.stdout.trim() == "401").then_some(()))
        };
        registry.comes_up(answers)
    }

    /// A registry on this machine's loopback, at whatever port is free.
    ///
    /// # Errors
    /// When its package cannot be had, or it does not come up.
    pub fn here() -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let registry = Self::serve(|program| Command::new(program), port)?;
        registry.comes_up(|| Ok(answers(port).unwrap_or(false).then_some(())))
    }

    fn serve(command: impl Fn(&str) -> Command, port: u16) -> Result<Self> {
        let sources = archives::sources(compose::RELEASE)?;
        let taken = cache::entry("registry", &cache::key(&[&sources]), |folder| {
            compose::take(&sources, "docker-registry", PROGRAM, &folder.join("docker-registry"))
        })?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("users"), USERS)?;
        let config = format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {0}/data }} }}\nhttp: {{ addr: 127.0.0.1:{port} }}\n\
             auth: {{ htpasswd: {{ realm: tests, path: {0}/users }} }}\n",
            folder.path().display()
        );
        fs::write(folder.path().join("config.yml"), config)?;
        let mut command = command(&taken.join("docker-registry").to_string_lossy());
        command.arg("serve").arg(folder.path().join("config.yml"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.path().join("log"))?);
        Ok(Self { program: command.spawn()?, folder, port })
    }

    fn comes_up(self, answers: impl FnMut() -> Result<Option<()>>) -> Result<Self> {
        let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        wait::until("the registry", START_LIMIT, answers).with_context(log)?;
        Ok(self)
    }

    /// Brings an image of the engine into the registry; answers with its name there.
    ///
    /// # Errors
    /// When the client cannot push it.
    pub fn push(&self, engine: &Engine, image: &str) -> Result<String> {
        let name = format!("localhost:{}/{image}", self.port);
        engine.docker(["tag", image, &name])?.ok()?;
        fs::write(self.folder.path().join("config.json"), self.config())?;
        let mut push = Command::new("docker");
        push.args(["push", &name]).envs(engine.environment()).env("DOCKER_CONFIG", self.folder.path());
        run(&mut push, Duration::from_secs(120))?.ok()?;
        engine.docker(["rmi", &name])?.ok()?;
        Ok(name)
    }
}

/// Whether a registry asks who is there.
fn answers(port: u16) -> Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /v2/ HTTP/1.0\r\nHost: registry\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer.ends_with(b" 401"))
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
