//! A repo, and a `stead serve` that works on its jobs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stead_tests::serve::{Server, stead};
use stead_tests::{policy, wait};
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
        stead(self.path())
    }

    /// A server that listens at a port of its own.
    pub(crate) fn serve(&self) -> Result<Server> {
        Server::on(self.path(), &[])
    }
}

impl Client {
    /// One with the token of this name.
    pub(crate) fn of(server: &Server, name: &str) -> Self {
        Self { at: server.at, token: token(name) }
    }

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
