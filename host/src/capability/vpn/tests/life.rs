//! An interface from its first apply to its last.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::host::{Host, run, serve, shown};
use super::inside::is_inside;
use crate::capability::vpn::Driver;

const ANNA: &str = "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=";
const BEN: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const PRESHARED: &str = "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=";

fn first() -> Vec<Value> {
    vec![
        json!({"interface": {"name": "wg0", "addresses": ["10.8.0.1/24", "fd08::1/64"], "listen-port": 51820}}),
        json!({"peer": {"interface": "wg0", "public-key": ANNA, "preshared-key": "anna", "persistent-keepalive": 25,
                        "allowed-ips": ["10.8.0.2/32", "fd08::2/128"]}}),
        json!({"peer": {"interface": "wg0", "public-key": BEN, "endpoint": "192.0.2.7:51820",
                        "allowed-ips": ["10.8.0.3/32", "10.9.0.0/16", "fd09::/48", "0.0.0.0/0"]}}),
    ]
}

fn second() -> Vec<Value> {
    vec![
        json!({"interface": {"name": "wg0", "addresses": ["10.8.0.9/24", "10.8.0.1/24"], "listen-port": 51821,
                             "mtu": 1380, "fwmark": 51}}),
        json!({"peer": {"interface": "wg0", "public-key": BEN, "preshared-key": "anna", "endpoint": "[2001:db8::7]:51820",
                        "allowed-ips": ["10.8.0.2/32", "10.10.0.0/16"]}}),
    ]
}

fn host() -> Result<Host> {
    Host::new(&[("anna", &format!("{PRESHARED}\n"))])
}

fn routes(family: &str) -> Result<Vec<String>> {
    let text = run(&format!("ip {family} route show dev wg0 proto static"))?;
    Ok(text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

#[tokio::test]
async fn comes_changes_and_goes() -> Result<()> {
    if !is_inside(module_path!(), "comes_changes_and_goes")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    let nothing = host.plan(&first()).await?.fact;
    let made = host.apply(&first()).await?;
    let at_first = host.plan(&first()).await?.fact;

    let own = run("wg show wg0 public-key")?;
    assert_eq!(run("wg show wg0 listen-port")?, "51820");
    let prefixes = shown("wg0", "allowed-ips")?;
    assert_eq!(prefixes.keys().map(String::as_str).collect::<Vec<_>>(), [ANNA, BEN]);
    assert_eq!(
        shown("wg0", "preshared-keys")?,
        BTreeMap::from([(ANNA.into(), PRESHARED.into()), (BEN.into(), "(none)".into())])
    );
    assert_eq!(shown("wg0", "endpoints")?[BEN], "192.0.2.7:51820");
    assert_eq!((routes("-4")?, routes("-6")?), (vec!["10.9.0.0/16".to_owned()], vec!["fd09::/48".to_owned()]));

    let changed = host.apply(&second()).await?;
    assert_eq!(run("wg show wg0 public-key")?, own, "the key stays");
    assert_eq!(run("wg show wg0 fwmark")?, "0x33");
    assert_eq!(shown("wg0", "endpoints")?, BTreeMap::from([(BEN.into(), "[2001:db8::7]:51820".into())]));
    assert_eq!((routes("-4")?, routes("-6")?), (vec!["10.10.0.0/16".to_owned()], vec![]));
    let addresses = run("ip -o -4 address show dev wg0")?;
    ensure!(addresses.contains("10.8.0.9/24") && addresses.contains("10.8.0.1/24"), "{addresses}");

    host.undo(&changed).await?;
    assert_eq!(host.plan(&first()).await?.fact, at_first);
    host.undo(&made).await?;
    assert_eq!(host.plan(&first()).await?.fact, nothing);
    assert_eq!(host.networkd_files()?, Vec::<String>::new());

    if nothing.kernel {
        ensure!(run("ip link show dev wg0").is_err(), "it is still there");
    }
    host.apply(&second()).await?;
    assert_eq!(run("wg show wg0 public-key")?, own, "the key comes back with its interface");
    host.apply(&[]).await?;
    assert_eq!(host.plan(&first()).await?.fact, nothing);
    Ok(())
}

#[tokio::test]
async fn tells_no_key() -> Result<()> {
    if !is_inside(module_path!(), "tells_no_key")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    host.write("etc/group", "root:x:0:\nsystemd-network:x:998:\n")?;
    let steps = [host.apply(&first()).await?, host.apply(&second()).await?];
    let private = host.read("etc/systemd/network/50-stead-wg0.key")?;
    assert_eq!(private.trim(), run("wg show wg0 private-key")?);
    let fact = host.plan(&second()).await?.fact;
    let told = format!("{}{steps:?}{fact:?}{:?}", serde_json::to_string(&(&steps, &fact))?, host.vpn);
    for secret in [private.trim(), PRESHARED] {
        ensure!(!told.contains(secret), "a key is in what is shown or recorded");
    }
    ensure!(told.contains(&run("wg show wg0 public-key")?), "the public key is not");
    for file in host.networkd_files()?.iter().filter(|file| !file.ends_with(".key") && !file.ends_with(".psk")) {
        let text = host.read(&format!("etc/systemd/network/{file}"))?;
        ensure!(!text.contains(private.trim()) && !text.contains(PRESHARED), "a key is in {file}");
    }
    Ok(())
}

#[tokio::test]
async fn keys_are_for_root_and_networkd() -> Result<()> {
    if !is_inside(module_path!(), "keys_are_for_root_and_networkd")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    let key = "etc/systemd/network/50-stead-wg0.key";
    host.apply(&first()).await?;
    assert_eq!(host.access(key)?, (0o600, 0), "there is no systemd-networkd here");
    host.write("etc/group", "root:x:0:\nsystemd-network:x:998:\n")?;
    host.expose(key)?;
    host.apply(&first()).await?;
    assert_eq!(host.access(key)?, (0o640, 998));
    let files = host.networkd_files()?;
    let preshared = files.iter().find(|file| file.ends_with(".psk")).context("no preshared key")?;
    assert_eq!(host.access(&format!("etc/systemd/network/{preshared}"))?, (0o640, 998));
    Ok(())
}

#[tokio::test]
async fn drift_is_found_and_mended() -> Result<()> {
    if !is_inside(module_path!(), "drift_is_found_and_mended")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    host.apply(&first()).await?;
    let right = host.plan(&first()).await?.fact;
    let stranger = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";
    let by_hand = [
        format!("wg set wg0 peer {ANNA} remove"),
        format!("wg set wg0 peer {stranger} allowed-ips 10.8.0.77/32"),
        format!("wg set wg0 peer {BEN} persistent-keepalive 7"),
        format!("wg set wg0 peer {BEN} allowed-ips 10.8.0.3/32"),
        "wg set wg0 listen-port 4000".to_owned(),
        "ip link set wg0 mtu 1300".to_owned(),
        "ip link set wg0 down".to_owned(),
        "ip address add 10.99.0.1/24 dev wg0".to_owned(),
        "ip address del 10.8.0.1/24 dev wg0".to_owned(),
        "ip -4 route flush dev wg0 proto static".to_owned(),
    ];
    for line in by_hand {
        run(&line)?;
        host.apply(&first()).await.with_context(|| line.clone())?;
        assert_eq!(host.plan(&first()).await?.fact, right, "{line}");
    }
    for file in host.networkd_files()? {
        host.write(&format!("etc/systemd/network/{file}"), "# by hand\n")?;
        host.apply(&first()).await.with_context(|| file.clone())?;
        assert_eq!(host.plan(&first()).await?.fact, right, "{file}");
    }
    Ok(())
}

#[tokio::test]
async fn what_roams_is_no_drift() -> Result<()> {
    if !is_inside(module_path!(), "what_roams_is_no_drift")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    host.apply(&first()).await?;
    run(&format!("wg set wg0 peer {BEN} endpoint 198.51.100.1:1"))?;
    run(&format!("wg set wg0 peer {ANNA} endpoint 198.51.100.2:2"))?;
    assert_eq!(host.plan(&first()).await?.steps, []);
    Ok(())
}

#[tokio::test]
async fn another_kind_of_interface_is_left_alone() -> Result<()> {
    if !is_inside(module_path!(), "another_kind_of_interface_is_left_alone")? {
        return Ok(());
    }
    let host = host()?;
    run("ip link add wg0 type veth peer name wg1")?;
    let refused = host.plan(&first()).await.err().context("it is planned")?;
    ensure!(refused.to_string().contains("of kind veth"), "{refused}");
    let seen = host.vpn.read(&super::specs(&first())?, &host.owned).await?.interfaces;
    assert_eq!(seen.into_values().next().and_then(|seen| seen.driver), Some(Driver::Other("veth".to_owned())));
    Ok(())
}

#[tokio::test]
async fn many_peers_with_many_prefixes() -> Result<()> {
    if !is_inside(module_path!(), "many_peers_with_many_prefixes")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    let mut declared = vec![json!({"interface": {"name": "wg0", "addresses": ["10.0.0.1/8"], "listen-port": 51820}})];
    let prefixes: Vec<_> = (0..1000).map(|n| format!("fd00::{n:x}/128")).collect();
    declared.push(
        json!({"peer": {"interface": "wg0", "public-key": ANNA, "preshared-key": "anna", "allowed-ips": prefixes}}),
    );
    for n in 1..200 {
        let key = super::key(n).to_string();
        declared
            .push(json!({"peer": {"interface": "wg0", "public-key": key, "allowed-ips": [format!("10.1.0.{n}/32")]}}));
    }
    declared[0]["interface"]["routes"] = json!(false);
    host.apply(&declared).await?;
    assert_eq!(shown("wg0", "allowed-ips")?.len(), 200);
    let start = std::time::Instant::now();
    host.plan(&declared).await?;
    println!("plan of 200 peers: {:?}", start.elapsed());
    Ok(())
}

#[tokio::test]
async fn routes_of_a_table_of_their_own() -> Result<()> {
    if !is_inside(module_path!(), "routes_of_a_table_of_their_own")? {
        return Ok(());
    }
    let mut host = host()?;
    serve("wg0")?;
    let nothing = host.plan(&first()).await?.fact;
    let mut apart = first();
    apart[0]["interface"]["table"] = json!(51820);
    let table = || run("ip route show table 51820");
    host.apply(&apart).await?;
    let routed = table()?;
    for prefix in ["10.8.0.2 ", "10.8.0.3 ", "10.9.0.0/16 ", "default "] {
        ensure!(routed.contains(&format!("{prefix}dev wg0")), "{prefix} is not in {routed}");
    }
    ensure!(run("ip -6 route show table 51820")?.contains("fd09::/48 dev wg0"));
    assert_eq!((routes("-4")?, routes("-6")?), (vec![], vec![]), "the main table has none");
    let network = host.read("etc/systemd/network/50-stead-wg0.network")?;
    ensure!(network.contains("Destination=0.0.0.0/0\nTable=51820\n"), "{network}");

    run("ip route del default table 51820")?;
    run("ip route add 10.66.0.0/16 dev wg0 table 51820")?;
    run("ip route add 10.67.0.0/16 dev wg0 table 7")?;
    host.apply(&apart).await?;
    assert_eq!(table()?, routed, "what a hand did there is mended");

    let back = host.apply(&first()).await?;
    ensure!(table().unwrap_or_default().is_empty(), "the table is still filled");
    assert_eq!(routes("-4")?, ["10.9.0.0/16"]);
    ensure!(run("ip route show table 7")?.contains("10.67.0.0/16"), "a table of somebody else was touched");
    host.undo(&back).await?;
    assert_eq!(table()?, routed);
    host.apply(&[]).await?;
    ensure!(table().unwrap_or_default().is_empty(), "the table is still filled");
    run("ip route flush table 7")?;
    assert_eq!(host.plan(&first()).await?.fact, nothing);
    Ok(())
}
