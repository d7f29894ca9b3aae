//! A repo, and a `stead serve` that works on its jobs.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stead_tests::{policy, program, wait};
use tempfile::TempDir;

use crate::client::Client;

const LIMIT: Duration = Duration::from_secs(60);

/// Two policies that are the same, so that there is one which a token may not touch.
pub(crate) const POLICIES: &str = r#"
[policy.works]
component = "works.wasm"

[policy.works.grant.http]
hosts = ["nobody.example"]

[policy.works.grant.vm]
providers = ["qemu"]
images = ["any"]
machines = 1
lifetime = "60 min"

[policy.other]
component = "works.wasm"

[policy.other.grant.http]
hosts = ["nobody.example"]

[policy.other.grant.vm]
providers = ["qemu"]
images = ["any"]
machines = 1
lifetime = "60 min"
"#;

/// A folder with `stead.toml`.
pub(crate) struct Repo {
    pub(crate) folder: TempDir,
}

/// A server, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    child: Child,
    said: std::path::PathBuf,
}

/// The token of the tables of [`Repo::new`].
pub(crate) fn token(name: &str) -> String {
    format!("stead_test-token-of-{name}")
}

/// A table for a token.
pub(crate) fn table(name: &str, scopes: &[&str], jobs: &[&str]) -> String {
    let digest: String = Sha256::digest(token(name)).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[serve.token.{name}]\ndigest = \"sha256:{digest}\"\nscopes = {scopes:?}\njobs = {jobs:?}\n")
}

impl Repo {
    /// One with the tokens `all`, `works`, `reader` and `scraper`.
    pub(crate) fn new() -> Result<Self> {
        let all = ["read", "submit", "cancel", "retry", "machines", "metrics"];
        Self::with(&[
            table("all", &all, &["*"]),
            table("works", &all, &["works"]),
            table("reader", &["read"], &["*"]),
            table("scraper", &["metrics"], &["nothing"]),
        ])
    }

    pub(crate) fn with(tables: &[String]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy(policy::component("works", "tests/jobs/policy")?, folder.path().join("works.wasm"))?;
        fs::write(folder.path().join("stead.toml"), format!("{POLICIES}{}", tables.concat()))?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn stead(&self) -> Result<Command> {
        let mut command = Command::new(program::stead()?);
        command.arg("--state").arg(self.path().join("state")).arg("--repo").arg(self.path());
        Ok(command)
    }

    /// A server that listens at a port of its own.
    pub(crate) fn serve(&self) -> Result<Server> {
        Server::start(self.stead()?.args(["serve", "--listen", "127.0.0.1:0"]), &self.path().join("said"))
    }
}

impl Server {
    pub(crate) fn start(command: &mut Command, said: &Path) -> Result<Self> {
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

    pub(crate) fn client(&self, name: &str) -> Client {
        Client { at: self.at, token: token(name) }
    }

    /// All that it has printed.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// SIGHUP, and waits until it says this.
    pub(crate) fn hang_up(&self, says: &str) -> Result<()> {
        ensure!(Command::new("kill").args(["-s", "HUP", &self.child.id().to_string()]).status()?.success());
        wait::until(says, LIMIT, || Ok(self.said().contains(says).then_some(())))
    }

    /// SIGTERM, and waits.
    pub(crate) fn end(mut self) -> Result<String> {
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

impl Client {
    /// Submits a job of `works`, and answers its number.
    pub(crate) fn submit(&self, input: Value) -> Result<u64> {
        let answer = self.post("/v1/jobs", &json!({"policy": "works", "input": input}))?.is(201)?;
        answer.json()?["id"].as_u64().context("no id")
    }

    /// Waits until a job is in this state.
    pub(crate) fn until(&self, job: u64, state: &str) -> Result<Value> {
        wait::until(&format!("{state} of job {job}"), LIMIT, || {
            let shown = self.get(&format!("/v1/jobs/{job}"))?.is(200)?.json()?;
            ensure!(shown["state"] == state, "{shown}");
            Ok(Some(shown))
        })
    }
}
