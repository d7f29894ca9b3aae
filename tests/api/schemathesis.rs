//! Schemathesis, which reads the OpenAPI document and sends what it allows and what it does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use stead_tests::cache;
use stead_tests::run::{run, words};

use crate::client::Client;
use crate::service::{Repo, token};

const VERSION: &str = "4.32.5";
const LIMIT: Duration = Duration::from_secs(240);

/// A job and its file to try things on, and the two answers that RFC 9110 and the draft on idempotency keys give to requests
/// that the document allows.
const CONFIG: &str = r#"
[parameters]
"path.job" = 1
"path.name" = "done"

[[operations]]
include-name = "POST /v1/jobs"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "422"]

[[operations]]
include-name = "GET /v1/jobs/{job}/artifacts/{name}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "404", "416"]
"#;

fn installed() -> Result<PathBuf> {
    let install = |folder: &Path| {
        run(words("python3 -m venv").arg(folder), LIMIT)?.ok()?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        run(pip.arg(format!("schemathesis=={VERSION}")), LIMIT)?.ok().map(drop)
    };
    Ok(cache::entry("schemathesis", &cache::key(&[VERSION]), install)?.join("bin/python"))
}

#[test]
fn it_finds_nothing() -> Result<()> {
    let python = installed()?;
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    client.post("/v1/jobs", &json!({"policy": "works"}))?.is(201)?;
    client.until(1, "succeeded")?;
    let config = repo.path().join("schemathesis.toml");
    fs::write(&config, CONFIG)?;
    let mut schemathesis = Command::new(python);
    // Its own entry point names the folder in which it was installed, which has been renamed since.
    schemathesis.args(["-m", "schemathesis.cli", "--config-file"]).arg(&config);
    schemathesis.args(["run", &format!("http://{}/openapi.json", server.at), "--checks", "all", "--seed", "1"]);
    schemathesis.args(["--phases", "coverage,fuzzing", "--max-examples", "50", "--request-timeout", "20"]);
    schemathesis.args(["-H", &format!("Authorization: Bearer {}", token("all"))]).current_dir(repo.path());
    let output = run(&mut schemathesis, LIMIT)?;
    ensure!(output.status.success(), "{}{}", output.stdout, output.stderr);
    ensure!(output.stdout.contains("Tested: 13"), "{}", output.stdout);
    let said = server.end()?;
    ensure!(!said.contains("panicked") && !said.contains("test-token"), "{said}");
    Ok(())
}
