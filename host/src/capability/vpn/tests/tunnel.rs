//! A tunnel to another host, which is set up by wg(8) and ip(8): packets really pass.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::host::{Host, by_hand, run, serve, shown};
use super::inside::is_inside;
use crate::capability::{Declared, vpn};

const PRESHARED: &str = "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=";

/// Two hosts with a cable between them, the far one in a namespace.
fn far_host() -> Result<String> {
    run("ip netns add far")?;
    run("ip link add near0 type veth peer name far0 netns far")?;
    run("ip address add 192.0.2.1/24 dev near0")?;
    run("ip link set near0 up")?;
    run("ip -n far address add 192.0.2.2/24 dev far0")?;
    run("ip -n far link set far0 up")?;
    std::fs::write("/run/far.key", run("wg genkey")?)?;
    std::fs::write("/run/preshared", PRESHARED)?;
    by_hand("far", "wg9")?;
    run("ip netns exec far wg set wg9 listen-port 7 private-key /run/far.key")?;
    run("ip -n far address add 10.8.0.2/24 dev wg9")?;
    run("ip -n far link set wg9 up")?;
    run("ip -n far route add 10.99.0.0/24 dev wg9")?;
    run("ip netns exec far wg show wg9 public-key")
}

fn far_knows(near: &str) -> Result<()> {
    let far = "ip netns exec far wg set wg9 peer";
    run(&format!("{far} {near} preshared-key /run/preshared allowed-ips 10.8.0.1/32,10.99.0.1/32")).map(drop)
}

fn declared(far: &str) -> Vec<Value> {
    vec![
        json!({"interface": {"name": "wg0", "addresses": ["10.8.0.1/24"], "listen-port": 51820}}),
        json!({"peer": {"interface": "wg0", "public-key": far, "preshared-key": "far", "endpoint": "192.0.2.2:7",
                        "allowed-ips": ["10.8.0.2/32"]}}),
    ]
}

fn ping(arguments: &str) -> Result<Child> {
    let mut command = Command::new("busybox");
    command.arg("ping").args(arguments.split(' ')).stdout(Stdio::piped());
    command.spawn().context("package busybox-static")
}

fn received(ping: Child) -> Result<String> {
    let said = String::from_utf8(ping.wait_with_output()?.stdout)?;
    let line = said.lines().find(|line| line.contains("packets received")).context("no summary")?;
    Ok(line.to_owned())
}

#[tokio::test]
async fn packets_pass_and_none_is_lost_when_others_change() -> Result<()> {
    if !is_inside(module_path!(), "packets_pass_and_none_is_lost_when_others_change")? {
        return Ok(());
    }
    let mut host = Host::new(&[("far", PRESHARED)])?;
    let far = far_host()?;
    serve("wg0")?;
    host.apply(&declared(&far)).await?;
    far_knows(&run("wg show wg0 public-key")?)?;
    let first = received(ping("-c 3 -W 5 10.8.0.2")?)?;
    ensure!(first.contains("3 packets received"), "{first}");
    let handshakes = shown("wg0", "latest-handshakes")?;
    ensure!(handshakes[&far] != "0", "no handshake");

    let mut flood = ping("-A -q 10.8.0.2")?;
    for round in 0..10u8 {
        let mut more = declared(&far);
        let prefix = format!("10.8.1.{round}/32");
        more[1]["peer"]["allowed-ips"] = json!(["10.8.0.2/32", prefix]);
        for n in 0..=round {
            let (key, prefix) = (super::key(100 + n).to_string(), format!("10.8.2.{n}/32"));
            more.push(json!({"peer": {"interface": "wg0", "public-key": key, "allowed-ips": [prefix]}}));
        }
        more[0]["interface"]["addresses"] = json!(["10.8.0.1/24", format!("10.7.{round}.1/24")]);
        host.apply(&more).await?;
    }
    ensure!(flood.try_wait()?.is_none(), "the packets ended before the changes");
    rustix::process::kill_process(rustix::process::Pid::from_child(&flood), rustix::process::Signal::INT)?;
    let all = received(flood)?;
    let mut counts = all.split(", ").filter_map(|part| part.split(' ').next()?.parse::<u64>().ok());
    let (sent, back) = (counts.next().context("none sent")?, counts.next().context("none received")?);
    // The last one may still be on its way.
    ensure!(back > 10 && sent <= back + 1, "{all}");
    println!("{all}");
    assert_eq!(shown("wg0", "latest-handshakes")?[&far], handshakes[&far], "the session is the same");
    Ok(())
}

#[tokio::test]
async fn the_status_tells_what_passed() -> Result<()> {
    if !is_inside(module_path!(), "the_status_tells_what_passed")? {
        return Ok(());
    }
    assert_eq!(vpn::status(&[]).await?, []);
    let mut host = Host::new(&[("far", PRESHARED)])?;
    let far = far_host()?;
    serve("wg0")?;
    let mut declared = declared(&far);
    declared[1]["peer"]["name"] = json!("far");
    let stranger = super::key(7);
    declared.push(json!({"peer": {"interface": "wg0", "public-key": stranger.to_string()}}));
    host.apply(&declared).await?;
    far_knows(&run("wg show wg0 public-key")?)?;
    received(ping("-c 3 -W 5 10.8.0.2")?)?;
    let recorded: Vec<_> = declared.into_iter().map(|spec| Declared { policy: "base".to_owned(), spec }).collect();
    let tunnels = vpn::status(&recorded).await?;
    let wg0 = tunnels.iter().find(|tunnel| tunnel.name.as_str() == "wg0").context("no wg0")?;
    assert_eq!(wg0.public_key.map(|key| key.to_string()), Some(run("wg show wg0 public-key")?));
    assert_eq!(wg0.listen_port, Some(51820));
    let talk = &wg0.peers[&far.parse()?];
    assert_eq!((talk.name.as_deref(), talk.endpoint), (Some("far"), Some("192.0.2.2:7".parse()?)));
    ensure!(!talk.is_stale() && talk.received >= 3 * 84 && talk.sent >= 3 * 84, "{talk:?}");
    let transfer = &shown("wg0", "transfer")?[&far];
    assert_eq!(*transfer, format!("{}\t{}", talk.received, talk.sent));
    ensure!(wg0.peers[&stranger].is_stale() && wg0.peers[&stranger].handshake.is_none(), "it never spoke");
    let told = serde_json::to_string(&tunnels)?;
    ensure!(!told.contains(&run("wg show wg0 private-key")?) && !told.contains(PRESHARED), "a key is told");
    Ok(())
}

#[tokio::test]
async fn a_key_pair_that_keeps_the_operator_out_is_taken_back() -> Result<()> {
    if !is_inside(module_path!(), "a_key_pair_that_keeps_the_operator_out_is_taken_back")? {
        return Ok(());
    }
    let mut host = Host::new(&[("far", PRESHARED)])?;
    let far = far_host()?;
    serve("wg0")?;
    let mut declared = declared(&far);
    host.apply(&declared).await?;
    let old = run("wg show wg0 public-key")?;
    far_knows(&old)?;
    ensure!(received(ping("-c 1 -W 5 10.8.0.2")?)?.contains(" 1 packets received"), "it never worked");

    let next = host.vpn.next_key(&"wg0".parse()?)?;
    assert_eq!(run("wg show wg0 public-key")?, old, "nothing runs on it yet");
    let (interface, peer) = (declared[0]["interface"].clone(), declared[1]["peer"].clone());
    declared = vec![json!({"mesh": {"interface": interface, "public-key": next.to_string(), "peers": [peer]}})];
    let rotated = host.apply(&declared).await?;
    assert_eq!(run("wg show wg0 public-key")?, next.to_string());
    let private = host.read("etc/systemd/network/50-stead-wg0.key")?;
    ensure!(received(ping("-c 1 -W 2 10.8.0.2")?)?.contains(" 0 packets received"), "the far host knows the next key");

    host.undo(&rotated).await?;
    assert_eq!(run("wg show wg0 public-key")?, old);
    ensure!(received(ping("-c 1 -W 10 10.8.0.2")?)?.contains(" 1 packets received"), "it is not as it was");
    let told = format!("{}{rotated:?}", serde_json::to_string(&rotated)?);
    ensure!(!told.contains(private.trim()), "a private key is told");

    let unknown = json!(super::key(9).to_string());
    declared[0]["mesh"]["public-key"] = unknown;
    ensure!(host.plan(&declared).await?.steps.is_empty(), "a key pair that is nowhere is none to be set");
    Ok(())
}
