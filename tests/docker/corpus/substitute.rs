//! Makes a compose file from anywhere one that can run on a machine without a network, and that leaves the machine as it
//! is: by an override file, so that the file itself stays as its author wrote it.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::case::{below, resolved};
use crate::compose::host::Host;

/// What every image is replaced by. Files of our own corpus name it themselves, and stay as they are.
pub(super) const IMAGE: &str = "stead-corpus:1";
/// How often a file may name another one that is not there.
const MOST_FILES: usize = 20;

/// Prepares the folder: files that are named and missing, an override file, and what is external.
pub(super) fn prepare(host: &Host, folder: &Path) -> Result<()> {
    let model = readable(host, folder)?;
    mounted_files(&model, folder)?;
    let services = model["services"].as_object().cloned().unwrap_or_default();
    let is_own = |service: &Value| service["image"] == IMAGE || service["build"].is_object();
    if !services.values().all(is_own) {
        let changed: Map<String, Value> =
            services.iter().map(|(name, service)| (name.clone(), runnable(service, folder))).collect();
        let text = json!({ "services": changed }).to_string();
        // A number in place of a map, and the tag that makes it nothing, cannot be said in JSON.
        let text = text.replace("\"\\u0000reset\"", "!reset null").replace("\"!reset\"", "!reset null");
        std::fs::write(folder.join(over(folder)), text)?;
    }
    externals(host, &model)
}

/// Networks and volumes that are not the project's own.
pub(super) fn externals(host: &Host, model: &Value) -> Result<()> {
    let engine = &host.engine;
    for (section, kind) in [("networks", "network"), ("volumes", "volume")] {
        for entry in model[section].as_object().into_iter().flat_map(Map::values) {
            let (true, Some(name)) = (entry["external"] == true, entry["name"].as_str()) else { continue };
            if !engine.docker([kind, "inspect", name])?.status.success() {
                let label = format!("com.docker.compose.project={}", host.project);
                engine.docker([kind, "create", "--label", &format!("x-{label}"), name])?.ok()?;
            }
        }
    }
    Ok(())
}

/// The model, once every file is there without which it cannot be read.
fn readable(host: &Host, folder: &Path) -> Result<Value> {
    for _ in 0..MOST_FILES {
        let error = match resolved(host, folder) {
            Ok(model) => return Ok(model),
            Err(error) => format!("{error:#}"),
        };
        let missing = error.split_whitespace().map(|word| word.trim_matches([':', '"', '\'', ',']));
        let mut missing = missing.filter(|word| Path::new(word).starts_with(folder) && !Path::new(word).exists());
        let Some(path) = missing.next_back() else { bail!("docker compose cannot read it: {error}") };
        write(Path::new(path))?;
    }
    bail!("it names more than {MOST_FILES} files that are not there")
}

/// Configs and secrets of files that are not there.
fn mounted_files(model: &Value, folder: &Path) -> Result<()> {
    for section in ["configs", "secrets"] {
        let sources = model[section].as_object().into_iter().flat_map(Map::values);
        for file in sources.filter_map(|source| source["file"].as_str()) {
            if Path::new(file).starts_with(folder) && !Path::new(file).exists() {
                write(Path::new(file))?;
            }
        }
    }
    Ok(())
}

fn write(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    Ok(std::fs::write(path, "")?)
}

/// What has to be said of a service so that it runs here.
fn runnable(service: &Value, folder: &Path) -> Value {
    let mut changed = json!({ "image": IMAGE, "entrypoint": ["sleep"], "command": ["100000"] });
    if service["build"].is_object() {
        changed["build"] = "!reset".into();
    }
    if service["healthcheck"].is_object() && service["healthcheck"]["disable"] != true {
        changed["healthcheck"] = json!({ "test": ["CMD", "true"], "interval": "1s", "start_period": "0s" });
    }
    if service["runtime"].is_string() {
        changed["runtime"] = "!reset".into();
    }
    let mounts = service["volumes"].as_array().into_iter().flatten();
    let outside = mounts.filter(|mount| mount["type"] == "bind").filter_map(|mount| {
        let source = mount["source"].as_str()?;
        let is_outside = !Path::new(source).starts_with(folder);
        is_outside.then(|| {
            json!({ "type": "bind", "source": format!("./{}", below("outside", source).display()),
            "target": mount["target"], "read_only": mount["read_only"] == true,
            "bind": { "create_host_path": true } })
        })
    });
    let outside: Vec<Value> = outside.collect();
    if !outside.is_empty() {
        changed["volumes"] = outside.into();
    }
    let devices = service["devices"].as_array().into_iter().flatten();
    let mut sources = devices.filter_map(|device| device["source"].as_str().or(device.as_str()?.split(':').next()));
    if sources.any(|source| source.starts_with('/') && !Path::new(source).exists()) {
        changed["devices"] = "!reset".into();
    }
    changed
}

/// The override file that belongs to the compose file in a folder.
fn over(folder: &Path) -> &'static str {
    let has = |name: &str| folder.join(name).exists();
    match () {
        () if has("compose.yaml") => "compose.override.yaml",
        () if has("compose.yml") => "compose.override.yml",
        () if has("docker-compose.yml") => "docker-compose.override.yml",
        () => "docker-compose.override.yaml",
    }
}
