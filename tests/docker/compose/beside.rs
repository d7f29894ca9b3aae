//! One world with docker compose: what stead starts is what it would have started.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::host::{Host, block};

const WIDE: &str = include_str!("wide.yaml");
const INCLUDED: &str = include_str!("included.yaml");

/// The engine is shared with other tests, so each takes a subnet and ports of its own, by `number`.
fn wide(project: &str, number: u8) -> Result<Host> {
    let host = Host::new(project, &WIDE.replace("{number}", &number.to_string()))?;
    host.write("inc/more.yaml", INCLUDED)?;
    host.write("inc/more.env", "X=1\n")?;
    host.write("inc/here/readme", "bound\n")?;
    host.write("web.env", "FROM_FILE=a $$ \"b\"\nDOLLAR='$x'\n")?;
    host.write(".env", "WEB_PORT=80\n")?;
    host.write("conf/c1", "c1\n")?;
    host.write("conf/s1", "s1\n")?;
    Ok(host)
}

#[test]
fn compose_recreates_nothing_after_stead() -> Result<()> {
    block(async {
        let mut host = wide("stead-beside", 0)?;
        host.up().await?;
        let before = host.ids()?;
        ensure!(before.len() == 4, "{before:?}");
        ensure!(host.plan(&[host.spec()]).await?.steps.is_empty(), "{:#?}", host.plan(&[host.spec()]).await?.steps);
        host.compose(["up", "-d"])?;
        assert_eq!(before, host.ids()?);
        let listed = host.compose(["ps", "--services"])?;
        assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["db", "extra", "web"]);
        host.compose(["logs"])?;
        host.compose(["down"])?;
        assert!(host.ids()?.is_empty() && host.lists(["network"])?.is_empty());
        Ok(())
    })
}

#[test]
fn containers_are_those_of_compose() -> Result<()> {
    block(async {
        let mut host = wide("stead-same", 1)?;
        host.up().await?;
        let names = ["stead-same-web-1", "stead-same-db-1", "stead-same-extra-2"];
        let ours = names.iter().map(|name| host.inspect(name)).collect::<Result<Vec<_>>>()?;
        let our_networks = networks(&host)?;
        host.compose(["down"])?;
        host.compose(["up", "-d"])?;
        for (name, ours) in names.iter().zip(ours) {
            assert_eq!(comparable(ours), comparable(host.inspect(name)?), "{name}");
        }
        assert_eq!(our_networks, networks(&host)?);
        Ok(())
    })
}

#[test]
fn what_compose_started_is_taken_over_untouched() -> Result<()> {
    block(async {
        let mut host = wide("stead-adopted", 2)?;
        // As somebody would have who put the folder there by hand.
        let (from, to) = (host.staged(), host.lasting());
        std::fs::create_dir_all(to.parent().unwrap())?;
        ensure!(std::process::Command::new("cp").arg("-a").args([from, to]).status()?.success());
        host.compose(["up", "-d"])?;
        let before = host.ids()?;
        assert_eq!(host.up().await?, ["docker compose started it; stead takes it over"]);
        assert_eq!(before, host.ids()?);
        assert!(host.up().await?.is_empty());
        let notes = host.apply(&[]).await?;
        assert_eq!(notes, ["its containers were there before stead, and stay"]);
        assert_eq!(before, host.ids()?);
        Ok(())
    })
}

/// What must be equal in two containers.
fn comparable(mut found: Value) -> Value {
    let labels = found["Config"]["Labels"].take();
    let mut labels: serde_json::Map<String, Value> = labels.as_object().cloned().unwrap_or_default();
    labels.retain(|name, _| !name.starts_with("stead."));
    found["Config"]["Labels"] = labels.into();
    if found["Config"]["Hostname"] == found["Id"].as_str().unwrap_or_default()[..12] {
        found["Config"]["Hostname"] = Value::Null;
    }
    // docker compose leaves the order of these to chance.
    for list in ["/Config/Env", "/HostConfig/ExtraHosts"] {
        if let Some(Value::Array(list)) = found.pointer_mut(list) {
            list.sort_by_key(ToString::to_string);
        }
    }
    if let Some(limits) = found["HostConfig"]["Ulimits"].as_array_mut() {
        limits.sort_by_key(|limit| limit["Name"].to_string());
    }
    for mounts in [found["HostConfig"]["Mounts"].as_array_mut()].into_iter().flatten() {
        mounts.sort_by_key(|mount| mount["Target"].to_string());
    }
    let id = found["Id"].as_str().unwrap_or_default()[..12].to_owned();
    let mut aliases = serde_json::Map::new();
    for (network, endpoint) in found["NetworkSettings"]["Networks"].as_object().into_iter().flatten() {
        let names = endpoint["Aliases"].as_array().cloned().unwrap_or_default();
        aliases.insert(network.clone(), names.into_iter().filter(|alias| *alias != id).collect());
    }
    nothing_is_nothing(serde_json::json!({
        "config": found["Config"], "host": found["HostConfig"], "aliases": aliases, "name": found["Name"],
    }))
}

/// An empty list or map says the same to Docker as none.
fn nothing_is_nothing(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, nothing_is_nothing(value)))
            .filter(|(_, value)| !value.is_null())
            .collect::<serde_json::Map<_, _>>()
            .pipe_nonempty(),
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::Array(list) => list.into_iter().map(nothing_is_nothing).collect(),
        Value::String(text) if text.is_empty() => Value::Null,
        other => other,
    }
}

trait Nonempty {
    fn pipe_nonempty(self) -> Value;
}

impl Nonempty for serde_json::Map<String, Value> {
    fn pipe_nonempty(self) -> Value {
        if self.is_empty() { Value::Null } else { Value::Object(self) }
    }
}

fn networks(host: &Host) -> Result<Value> {
    let mut found = Vec::new();
    for name in host.lists(["network"])? {
        let text = host.engine.docker(["network", "inspect", &name])?.ok()?;
        let network: Value = serde_json::from_str::<Value>(&text)?[0].take();
        let mut labels = network["Labels"].as_object().cloned().unwrap_or_default();
        labels.retain(|name, _| !name.starts_with("stead."));
        let pools = network["IPAM"]["Config"].as_array().map(Vec::len);
        let ipam = if name.ends_with("back") { network["IPAM"].clone() } else { serde_json::json!(pools) };
        found.push(serde_json::json!([name, network["Driver"], network["Internal"], network["Options"], ipam, labels]));
    }
    Ok(found.into())
}
