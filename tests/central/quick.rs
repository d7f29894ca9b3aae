//! What can be seen of the repo without a server: its compose files, and its grants.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stead_tests::docker::Engine;
use stead_tests::run::run;

use crate::place::{DOMAIN, Repo};

const LIMIT: Duration = Duration::from_secs(120);

/// As if they were there, so that nothing is asked of apt.
const PACKAGES: [&str; 8] = [
    "restic",
    "nftables",
    "wireguard-tools",
    "docker.io",
    "docker-cli",
    "docker-compose",
    "qemu-system-x86",
    "qemu-utils",
];

/// The exit code of a plan that asks for more than is granted.
const DENIED: i32 = 66;
/// What other distributions call it.
const ELSEWHERE: [&str; 1] = ["docker-compose-v2"];

/// The apps of `stead.toml`, in its order.
fn apps(repo: &Repo) -> Result<Vec<toml::Table>> {
    let stead: toml::Table = fs::read_to_string(repo.file("stead.toml"))?.parse()?;
    let apps = stead["policy"]["central"]["config"]["apps"].as_array().context("no apps")?;
    apps.iter().map(|app| app.as_table().cloned().context("no table")).collect()
}

fn name(app: &toml::Table) -> &str {
    app["name"].as_str().unwrap_or_default()
}

/// What the plugin makes of the compose files of an app.
fn resolved(engine: &Engine, repo: &Repo, app: &toml::Table, files: &[&str]) -> Result<Value> {
    let mut command = Command::new("docker");
    command.envs(engine.environment()).current_dir(repo.file("apps").join(name(app))).env("DOMAIN", DOMAIN);
    let secrets = app.get("secrets").and_then(toml::Value::as_table);
    command.envs(secrets.into_iter().flatten().map(|(variable, _)| (variable, "x")));
    command.arg("compose").args(files.iter().flat_map(|file| ["--file", file])).args(["config", "--format", "json"]);
    let output = run(&mut command, LIMIT)?;
    ensure!(!output.stderr.contains("is not set"), "{}: {}", name(app), output.stderr);
    Ok(serde_json::from_str(&output.ok()?)?)
}

#[test]
fn every_app_is_checked_restarted_and_short() -> Result<()> {
    let (engine, repo) = (Engine::start()?, Repo::new()?);
    let apps = apps(&repo)?;
    let folders = fs::read_dir(repo.file("apps"))?.count();
    ensure!(folders == apps.len(), "{folders} folders, and {} apps in stead.toml", apps.len());
    for app in &apps {
        let model = resolved(&engine, &repo, app, &["compose.yaml"])?;
        for (service, said) in model["services"].as_object().context("no services")? {
            let restart = said["restart"].as_str().unwrap_or_default();
            let ends = restart.starts_with("on-failure");
            let is_checked = ends || said["healthcheck"]["test"].is_array();
            ensure!(is_checked && (ends || restart == "unless-stopped"), "{} {service}: {said}", name(app));
        }
        let lines = fs::read_to_string(repo.file("apps").join(name(app)).join("compose.yaml"))?.lines().count();
        ensure!(lines <= 70, "{}: {lines} lines", name(app));
    }
    Ok(())
}

/// The repo for this machine: a tree of files whose Docker is the tests' engine.
fn on_a_tree(engine: &Engine) -> Result<Repo> {
    let repo = Repo::new()?;
    repo.make_secrets()?;
    repo.edit("stead.toml", "address = \"root@203.0.113.7\"", "#")?;
    fs::create_dir_all(repo.file("root/etc"))?;
    fs::write(repo.file("root/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(repo.file("root/etc/group"), "root:x:0:\n")?;
    fs::write(repo.file("root/etc/os-release"), "ID=debian\nVERSION_ID=13\n")?;
    fs::create_dir_all(repo.file("root/var/lib/dpkg"))?;
    let installed =
        |name: &&str| format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n");
    fs::write(repo.file("root/var/lib/dpkg/status"), PACKAGES.iter().map(installed).collect::<String>())?;
    let units = repo.file("root/usr/lib/systemd/system");
    fs::create_dir_all(&units)?;
    fs::write(
        units.join("docker.service"),
        "[Service]\nExecStart=/usr/bin/dockerd\n[Install]\nWantedBy=multi-user.target\n",
    )?;
    engine.put_in(&repo.file("root"))?;
    Ok(repo)
}

#[test]
fn grants_are_enough_and_no_more() -> Result<()> {
    let engine = Engine::start()?;
    let repo = on_a_tree(&engine)?;
    // Something is to be done, and nothing is denied.
    repo.plan()?.ended_with(2)?;
    let whole: toml::Table = fs::read_to_string(repo.file("stead.toml"))?.parse()?;
    for policy in ["central", "serve", "backup"] {
        for (path, at) in entries(&whole["policy"][policy]["grant"]) {
            let mut less = whole.clone();
            let table = &mut less["policy"][policy]["grant"][&path[0]];
            let list = table[&path[1]].as_array_mut().context("no list")?;
            // A list without entries is no grant, and an error of its own.
            let gone = std::mem::replace(&mut list[at], another(&path[1]));
            if ELSEWHERE.iter().any(|name| gone.as_str() == Some(name)) {
                continue;
            }
            fs::write(repo.file("stead.toml"), toml::to_string(&less)?)?;
            let planned = repo.plan()?;
            let denied = planned.status.code() == Some(DENIED);
            ensure!(denied, "{policy} needs no {gone} in {}: {}{}", path.join("."), planned.stdout, planned.stderr);
        }
    }
    Ok(())
}

/// What the repo does not use, in a list of this key.
fn another(key: &str) -> toml::Value {
    match key {
        "ports" | "listen-ports" => toml::Value::Integer(9),
        "networks" => "192.0.2.0/24".into(),
        "chains" => "output".into(),
        "paths" | "bind" | "repositories" => "/nowhere".into(),
        "units" | "unit-files" => "nothing.service".into(),
        _ => "nothing".into(),
    }
}

/// Each entry of each list of a policy's grants: capability and key, and its place.
fn entries(grants: &toml::Value) -> Vec<([String; 2], usize)> {
    let tables = grants.as_table().into_iter().flatten();
    let lists = tables.flat_map(|(capability, table)| {
        table
            .as_table()
            .into_iter()
            .flatten()
            .filter_map(move |(key, list)| Some(([capability.clone(), key.clone()], list.as_array()?.len())))
    });
    lists.flat_map(|(path, count)| (0..count).map(move |at| (path.clone(), at))).collect()
}

#[test]
fn the_makers_images_are_let_in_by_digest() -> Result<()> {
    let engine = Engine::start()?;
    let repo = on_a_tree(&engine)?;
    let mut pulled = Vec::new();
    for entry in fs::read_dir(repo.file("production"))? {
        let path = entry?.path();
        let app = path.file_stem().context("no name")?.to_owned();
        let to = repo.file("apps").join(&app).join("compose.override.yaml");
        let text = fs::read_to_string(&path)?;
        // As `stead app pin` writes them where the hub is in reach.
        let pinned = |line: &str| match line.trim().strip_prefix("image: ") {
            Some(image) => {
                let name = image.split(' ').next().unwrap_or_default();
                pulled.push(name.to_owned());
                line.replace(name, &format!("{name}@sha256:{}", "0".repeat(64)))
            }
            None => line.to_owned(),
        };
        fs::write(to, text.lines().map(pinned).map(|line| line + "\n").collect::<String>())?;
    }
    ensure!(pulled.len() == 12, "{pulled:?}");
    let denied = repo.plan()?.ended_with(DENIED)?;
    ensure!(denied.contains("images"), "{denied}");
    repo.edit("stead.toml", "\n# images = ", "\nimages = ")?;
    let said = repo.plan()?.ended_with(2)?;
    for image in &pulled {
        ensure!(said.contains(&format!("{image}@sha256:000")), "{image}: {said}");
    }
    // By tag they are not.
    repo.edit("apps/redis/compose.override.yaml", &format!("@sha256:{}", "0".repeat(64)), "")?;
    ensure!(repo.plan()?.ended_with(DENIED)?.contains("redis:8"));
    Ok(())
}
