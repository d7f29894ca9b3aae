//! A registry that asks who is there, on loopback in the network of an engine: Debian's docker-registry, out of its package.

use std::fs;
use std::process::{Child, Stdio};
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

    /// A registry behind this port of the engine's network.
    ///
    /// # Errors
    /// When its package cannot be had, or it does not come up.
    pub fn start(engine: &Engine, port: u16) -> Result<Self> {
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
        let mut command = engine.command(&taken.join("docker-registry").to_string_lossy());
        command.arg("serve").arg(folder.path().join("config.yml"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.path().join("log"))?);
        let registry = Self { program: command.spawn()?, folder, port };
        let answers = || {
            let asked =
                engine.exec(&format!("curl -s -o /dev/null -w '%{{http_code}}' http://127.0.0.1:{port}/v2/"))?;
            Ok((asked.stdout.trim() == "401").then_some(()))
        };
        let log = || fs::read_to_string(registry.folder.path().join("log")).unwrap_or_default();
        wait::until("the registry", START_LIMIT, answers).with_context(log)?;
        Ok(registry)
    }

    /// Brings an image of the engine into the registry; answers with its name there.
    ///
    /// # Errors
    /// When the client cannot push it.
    pub fn push(&self, engine: &Engine, image: &str) -> Result<String> {
        let name = format!("localhost:{}/{image}", self.port);
        engine.docker(["tag", image, &name])?.ok()?;
        fs::write(self.folder.path().join("config.json"), self.config())?;
        let mut push = std::process::Command::new("docker");
        push.args(["push", &name]).envs(engine.environment()).env("DOCKER_CONFIG", self.folder.path());
        run(&mut push, Duration::from_secs(120))?.ok()?;
        engine.docker(["rmi", &name])?.ok()?;
        Ok(name)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
