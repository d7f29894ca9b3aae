//! `stead app ls`: what is there, what is missing, and what nobody declared.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::repo::Repo;

const SHOP: &str = "
services:
  web:
    image: {image}
    command: [httpd, -f, -p, '80']
    ports: ['127.0.0.1:18480:80']
    healthcheck: { test: ['CMD', 'true'], interval: 1s }
    stop_grace_period: 0s
    depends_on: { job: { condition: service_completed_successfully } }
  job: { image: '{image}', command: ['true'] }
";

#[test]
fn every_container_has_its_state_and_orphans_are_shown() -> Result<()> {
    let repo = Repo::new("stead-app-ls", SHOP)?;
    repo.declare("", "")?;
    let grant = fs::read_to_string(repo.path("stead.toml"))?.replace("projects =", "ports = [18480]\nprojects =");
    fs::write(repo.path("stead.toml"), grant)?;
    ensure!(repo.listed()?.is_null(), "there is no such app yet");
    repo.up()?;
    let app = repo.listed()?;
    ensure!(app["owned"] == true, "{app}");
    let web = instance(&app, "web")?;
    ensure!(web["state"] == "running" && web["health"] == "healthy", "{web}");
    ensure!(web["ports"] == serde_json::json!(["127.0.0.1:18480->80/tcp"]), "{web}");
    ensure!(web["container"][0] == "stead-app-ls-web-1" && web["image"] == "stead-app-ls:1", "{web}");
    ensure!(web["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{web}");
    let job = instance(&app, "job")?;
    ensure!(job["state"] == "exited" && job["exit_code"] == 0, "{job}");
    // Somebody removes one, adds one that no service knows, and starts a project of his own.
    repo.engine.docker(["rm", "-f", "stead-app-ls-web-1"])?.ok()?;
    let labels = ["com.docker.compose.project=stead-app-ls", "com.docker.compose.service=old"];
    let old = ["run", "-d", "--name", "stead-app-ls-old-1", "-l", labels[0], "-l", labels[1]];
    let [a, b, c, d, e, f, g, h] = old;
    repo.engine.docker([a, b, c, d, e, f, g, h, "stead-app-ls:1", "sleep", "1000"])?.ok()?;
    let file = repo.path("by-hand.yaml");
    fs::write(
        &file,
        "services: { one: { image: 'stead-app-ls:1', command: [sleep, '1000'], stop_grace_period: 0s } }",
    )?;
    repo.compose("stead-app-hand", &file, &["up", "-d"])?;
    let text = repo.stead("app ls", 0)?;
    let app = repo.listed()?;
    repo.compose("stead-app-hand", &file, &["down"])?;
    ensure!(instance(&app, "web")?["state"] == "missing" && instance(&app, "old")?["orphan"] == true, "{app}");
    ensure!(instance(&app, "job")?["orphan"] == false, "{app}");
    ensure!(text.contains("box: stead-app-hand, not stead's"), "{text}");
    ensure!(text.lines().any(|line| line.contains("stead-app-ls-old-1") && line.ends_with("orphan")), "{text}");
    Ok(())
}

#[test]
fn where_there_is_no_docker_it_says_so() -> Result<()> {
    let repo = Repo::new("stead-app-none", "services: {}")?;
    fs::remove_file(repo.path("root/var/run/docker.sock"))?;
    for line in ["app ls", "app logs stead-app-none", "app restart stead-app-none", "app exec stead-app-none web true"]
    {
        let said = repo.stead(line, 69)?;
        ensure!(said.contains("Docker is not installed"), "{line}: {said}");
    }
    Ok(())
}

pub(super) fn instance<'a>(app: &'a Value, service: &str) -> Result<&'a Value> {
    let instances = app["instances"].as_array().with_context(|| format!("no instances: {app}"))?;
    instances.iter().find(|one| one["service"] == service).with_context(|| format!("no {service}: {app}"))
}
