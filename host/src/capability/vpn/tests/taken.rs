//! An interface that was there before stead.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::host::{Host, by_hand, run, shown};
use super::inside::is_inside;

const PHONE: &str = "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=";
const LAPTOP: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const PRIVATE: &str = "SGb+ojrRNDuMePufwtIYhXzA//k6wF3R21tEBgKlzlM=";

fn declared() -> Vec<Value> {
    vec![
        json!({"interface": {"name": "wg0", "addresses": ["10.8.0.1/24"], "listen-port": 51820}}),
        json!({"peer": {"interface": "wg0", "public-key": LAPTOP, "allowed-ips": ["10.8.0.3/32"]}}),
    ]
}

fn set_up() -> Result<()> {
    if std::fs::exists("/run/netns/self")? {
        return Ok(());
    }
    std::fs::write("/run/private", PRIVATE)?;
    std::fs::write("/run/preshared", "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=")?;
    run("ip netns attach self 1")?;
    by_hand("self", "wg0")?;
    run("wg set wg0 private-key /run/private listen-port 51999 fwmark 7")?;
    run(&format!("wg set wg0 peer {PHONE} preshared-key /run/preshared endpoint 192.0.2.9:9 allowed-ips 10.8.0.2/32"))?;
    run(&format!("wg set wg0 peer {LAPTOP} allowed-ips 10.8.0.3/32,10.77.0.0/16 persistent-keepalive 3"))?;
    run("ip address add 10.8.0.254/24 dev wg0")?;
    run("ip link set wg0 mtu 1400 up")?;
    run("ip route add 10.77.0.0/16 dev wg0").map(drop)
}

#[tokio::test]
async fn is_taken_over_with_its_key_and_given_back_whole() -> Result<()> {
    if !is_inside(module_path!(), "is_taken_over_with_its_key_and_given_back_whole")? {
        return Ok(());
    }
    set_up()?;
    let before = run("wg show wg0 dump")?;
    let mut host = Host::new(&[])?;
    let fact = host.plan(&declared()).await?.fact;
    host.apply(&declared()).await?;
    assert_eq!(run("wg show wg0 private-key")?, PRIVATE);
    assert_eq!(host.read("etc/systemd/network/50-stead-wg0.key")?.trim(), PRIVATE);
    assert_eq!(shown("wg0", "allowed-ips")?.len(), 1);

    host.apply(&[]).await?;
    assert_eq!(host.plan(&declared()).await?.fact, fact);
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&run("wg show wg0 dump")?), sorted(&before), "the preshared key too");
    ensure!(run("ip route show dev wg0")?.contains("10.77.0.0/16"), "its route is gone");
    assert_eq!(host.networkd_files()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_key_set_by_hand_goes_back_and_can_be_had_again() -> Result<()> {
    if !is_inside(module_path!(), "a_key_set_by_hand_goes_back_and_can_be_had_again")? {
        return Ok(());
    }
    set_up()?;
    let mut host = Host::new(&[])?;
    host.apply(&declared()).await?;
    let other = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
    std::fs::write("/run/private", other)?;
    run("wg set wg0 private-key /run/private")?;
    let step = host.apply(&declared()).await?;
    assert_eq!(run("wg show wg0 private-key")?, PRIVATE);
    host.undo(&step).await?;
    ensure!(run("wg show wg0 private-key")?.starts_with("yAnz5TF+"), "the undo has not brought back the other key");
    assert_eq!(host.read("etc/systemd/network/50-stead-wg0.key")?.trim(), PRIVATE);
    Ok(())
}
