//! What Docker says of two projects, side by side.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::compose::host::Host;

/// Everything of a project by its kind and name, without what is by chance.
pub(super) type Snapshot = BTreeMap<String, Value>;

/// Of what there is in the engine now.
pub(super) fn snapshot(host: &Host) -> Result<Snapshot> {
    let mut snapshot = Snapshot::new();
    let containers = host.ids()?;
    let mut names: BTreeMap<String, String> = containers
        .keys()
        .map(|name| Ok((host.inspect(name)?["Id"].as_str().unwrap_or_default().to_owned(), name.clone())))
        .collect::<Result<_>>()?;
    // Compose speaks of an external network by its id.
    let networks = host.engine.docker(["network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"])?.ok()?;
    names.extend(networks.lines().filter_map(|line| line.split_once(' ')).map(|(id, name)| (id.into(), name.into())));
    for name in containers.keys() {
        snapshot.insert(format!("container {name}"), container(host.inspect(name)?, &names));
    }
    for (kind, keep) in [("network", NETWORK), ("volume", VOLUME)] {
        for name in host.lists([kind])? {
            let text = host.engine.docker([kind, "inspect", &name])?.ok()?;
            let found: Value = serde_json::from_str(&text)?;
            let kept = keep.iter().map(|key| ((*key).to_owned(), found[0][*key].clone()));
            let mut kept: serde_json::Map<String, Value> = kept.collect();
            // Docker gives a subnet that is free, when none is asked for.
            if kind == "network" && !asks_for_subnet(host, &found[0]["Name"]) {
                kept.remove("IPAM");
            }
            snapshot.insert(format!("{kind} {name}"), tidy(kept.into(), &names));
        }
    }
    Ok(snapshot)
}

/// Lists of which the order says something.
const ORDERED: &[&str] = &["Cmd", "Entrypoint", "Args", "Test", "Dns", "DnsSearch", "DnsOptions"];
const NETWORK: &[&str] =
    &["Name", "Driver", "Scope", "Internal", "Attachable", "Ingress", "EnableIPv6", "Options", "IPAM", "Labels"];
const VOLUME: &[&str] = &["Name", "Driver", "Options", "Labels", "Scope"];

fn asks_for_subnet(host: &Host, name: &Value) -> bool {
    let model = super::case::resolved(host, &host.staged()).unwrap_or_default();
    let networks = model["networks"].as_object().into_iter().flat_map(serde_json::Map::values);
    networks.into_iter().any(|network| network["name"] == *name && network["ipam"]["config"].is_array())
}

/// Where and how two snapshots differ, a line each.
pub(super) fn differences(ours: &Snapshot, theirs: &Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        match (ours.get(name), theirs.get(name)) {
            (Some(ours), Some(theirs)) => compare(name, ours, theirs, &mut found),
            (Some(_), None) => found.push(format!("{name}: only stead makes it")),
            (None, _) => found.push(format!("{name}: only docker compose makes it")),
        }
    }
    found
}

fn compare(at: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&format!("{at}.{key}"), &of(a), &of(b), found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{at}: stead {ours}, docker compose {theirs}")),
    }
}

fn container(mut found: Value, names: &BTreeMap<String, String>) -> Value {
    let id = found["Id"].as_str().unwrap_or_default().chars().take(12).collect::<String>();
    if found["Config"]["Hostname"] == id.as_str() {
        found["Config"]["Hostname"] = Value::Null;
    }
    let mut networks = serde_json::Map::new();
    for (name, endpoint) in found["NetworkSettings"]["Networks"].as_object().into_iter().flatten() {
        let aliases = endpoint["Aliases"].as_array().cloned().unwrap_or_default();
        let aliases: Vec<_> = aliases.into_iter().filter(|alias| *alias != id.as_str()).collect();
        networks.insert(
            name.clone(),
            json!({ "aliases": aliases, "links": endpoint["Links"], "options": endpoint["DriverOpts"], "ipam": endpoint["IPAMConfig"] }),
        );
    }
    let mounts = found["Mounts"].as_array().cloned().unwrap_or_default().into_iter().map(|mut mount| {
        let is_anonymous = mount["Name"].as_str().is_some_and(|name| name.len() == 64);
        if is_anonymous {
            (mount["Name"], mount["Source"]) = (Value::Null, Value::Null);
        }
        mount
    });
    let mounts: Vec<_> = mounts.collect();
    let shares = found["HostConfig"].to_string().contains("container:")
        || !found["HostConfig"]["VolumesFrom"].as_array().is_none_or(Vec::is_empty);
    if shares {
        // It is of the other container's id.
        found["Config"]["Labels"]["com.docker.compose.config-hash"] = Value::Null;
    }
    let whole = json!({
        "Config": found["Config"], "HostConfig": found["HostConfig"], "Networks": networks, "Mounts": mounts,
        "Name": found["Name"], "Platform": found["Platform"], "Path": found["Path"], "Args": found["Args"],
        "AppArmorProfile": found["AppArmorProfile"], "MountLabel": found["MountLabel"], "Image": found["Image"],
    });
    tidy(whole, names)
}

/// Without what is by chance: the order of what comes out of a map, ids of other containers, labels of stead's own. An
/// empty list or map says the same to Docker as none.
fn tidy(value: Value, names: &BTreeMap<String, String>) -> Value {
    in_order(value, names, false)
}

fn in_order(value: Value, names: &BTreeMap<String, String>, is_ordered: bool) -> Value {
    match value {
        Value::Object(map) => {
            let tidied = map.into_iter().filter(|(key, _)| !key.starts_with("stead.")).map(|(key, value)| {
                let value = match key.as_str() {
                    "com.docker.compose.depends_on" => sorted_words(&value),
                    key => in_order(value, names, ORDERED.contains(&key)),
                };
                (key, value)
            });
            let map: serde_json::Map<_, _> = tidied.filter(|(_, value)| !value.is_null()).collect();
            if map.is_empty() { Value::Null } else { map.into() }
        }
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::Array(list) => {
            let mut list: Vec<_> = list.into_iter().map(|value| tidy(value, names)).collect();
            if !is_ordered {
                list.sort_by_key(ToString::to_string);
            }
            list.into()
        }
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) if names.keys().any(|id| id.starts_with(&text) && text.len() == 12) => Value::Null,
        Value::String(text) => names.iter().fold(text, |text, (id, name)| text.replace(id, name)).into(),
        other => other,
    }
}

fn sorted_words(value: &Value) -> Value {
    let mut words: Vec<_> = value.as_str().unwrap_or_default().split(',').collect();
    words.sort_unstable();
    words.join(",").into()
}
