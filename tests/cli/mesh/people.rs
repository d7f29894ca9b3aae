//! People's laptops come and go, and nobody else notices.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::hosts::{Host, Net, Repo};

/// What `wg-quick up` would do with the configuration, without the routes and the name server.
fn connect(laptop: &Host, config: &str) -> Result<()> {
    let settings = config.lines().filter(|line| !line.starts_with("Address"));
    fs::write(laptop.path("laptop.conf"), settings.collect::<Vec<_>>().join("\n"))?;
    laptop.sh("ip link show wg0 2>/dev/null || ip link add wg0 type wireguard")?;
    laptop.run(&format!("wg setconf wg0 {}", laptop.path("laptop.conf")))?;
    let addresses = config.lines().find_map(|line| line.strip_prefix("Address = ")).context("no address")?;
    for address in addresses.split(", ") {
        laptop.run(&format!("ip address add {address} dev wg0"))?;
    }
    laptop.sh("ip link set wg0 up && ip route add 10.77.0.1 dev wg0 && ip route add fd77::1 dev wg0").map(drop)
}

#[test]
fn a_laptop_comes_in_and_is_put_out_again() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let (web1, web2, laptop) = (net.host("web1", 1)?, net.host("web2", 2)?, net.host("laptop", 3)?);
    let early = web1.stead(&repo, "vpn add anna", 65)?;
    ensure!(early.contains("no host of wg0 can be called yet") && early.contains("web1: its public key"), "{early}");
    ensure!(!repo.path("vpn.toml").exists(), "it is written all the same");
    for host in [&web1, &web2, &web1] {
        host.stead(&repo, "apply --yes", 0)?;
    }
    ensure!(web1.pings("10.77.0.2")?);
    let (sessions, of_web2) = (web1.run("wg show wg0 latest-handshakes")?, web2.run("wg show wg0 public-key")?);
    ensure!(sessions.contains(&of_web2) && !sessions.ends_with("\t0"), "{sessions}");

    let said = web1.stead(&repo, "vpn add anna --qr always", 0)?;
    ensure!(said.contains("not in it: web3: its public key is not known yet") && said.contains("████"), "{said}");
    let config = said.split("████").next().unwrap_or_default();
    let private = config.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).context("no private key")?;
    ensure!(
        repo.directory()?.contains("[wg0.peer.anna]\naddresses = [\"10.77.0.4\", \"fd77::4\"]"),
        "{}",
        repo.directory()?
    );
    connect(&laptop, config)?;
    ensure!(!laptop.pings("10.77.0.1")?, "it is in before it was applied");
    let plan = web1.stead(&repo, "apply --yes", 0)?;
    ensure!(
        plan.contains("peer anna ") && plan.contains("nothing → 10.77.0.4/32")
            || plan.contains("10.77.0.4/32 fd77::4/128"),
        "{plan}"
    );
    ensure!(laptop.pings("10.77.0.1")? && laptop.pings("fd77::1")?, "{}", web1.run("wg show")?);
    let after = web1.run("wg show wg0 latest-handshakes")?;
    ensure!(after.lines().any(|line| line == sessions), "the session of web2 is another one: {sessions} and {after}");

    for folder in [repo.path("."), Path::new(&web1.path(".")).to_owned()] {
        ensure!(!holds(&folder, private)?, "the private key is stored in {}", folder.display());
    }
    let status = web1.stead(&repo, "vpn status", 0)?;
    ensure!(status.lines().any(|line| line.contains("anna ") && line.contains("192.0.2.3:")), "{status}");

    let shown = web1.stead(&repo, "vpn show anna", 0)?;
    let hosts = |text: &str| text.split_once("[Peer]").map(|(_, hosts)| hosts.trim_end().to_owned());
    let shown_hosts = hosts(&shown).context("no host is shown")?;
    ensure!(hosts(config).is_some_and(|all| shown_hosts.starts_with(&all)), "{shown}\nis not\n{config}");
    ensure!(!shown.contains(private) && shown.contains("Address = 10.77.0.4/32, fd77::4/128"), "{shown}");
    ensure!(web1.stead(&repo, "vpn show ana", 64)?.contains("did you mean `anna`?"));

    web1.stead(&repo, "vpn add anna", 64)?;
    ensure!(web1.stead(&repo, "vpn remove ana", 64)?.contains("did you mean `anna`?"));
    let removed = web1.stead(&repo, "vpn remove anna", 0)?;
    ensure!(removed.contains("can come in until the next `stead apply`") && !repo.directory()?.contains("anna"));
    ensure!(web1.stead(&repo, "apply --yes", 0)?.contains("peer anna "));
    ensure!(!laptop.pings("10.77.0.1")?, "it still comes in");
    let after = web1.run("wg show wg0 latest-handshakes")?;
    ensure!(after == sessions, "the session of web2 is another one: {sessions} and {after}");
    Ok(())
}

#[test]
fn who_has_a_key_pair_keeps_the_private_half() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let web1 = net.host("web1", 1)?;
    web1.stead(&repo, "apply --yes", 0)?;
    let key = "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=";
    let said = web1.stead(&repo, &format!("vpn add phone --public-key {key}"), 0)?;
    ensure!(said.contains("# PrivateKey = …") && !said.contains("████"), "{said}");
    ensure!(repo.directory()?.contains(key));
    let again = web1.stead(&repo, &format!("vpn add other --public-key {key}"), 64)?;
    ensure!(again.contains("the public key belongs to `phone`"), "{again}");
    for wrong in ["DD5yKRfz", &key[..43], "no-key"] {
        let said = web1.stead(&repo, &format!("vpn add other --public-key {wrong}"), 64)?;
        ensure!(said.contains("is not 32 bytes in base64"), "{said}");
    }
    ensure!(web1.stead(&repo, "vpn add web2", 64)?.contains("has a host `web2` already"));
    ensure!(web1.stead(&repo, "vpn add a/b", 64)?.contains("is not a name"));
    ensure!(web1.stead(&repo, "vpn add other --vpn wg1", 64)?.contains("stead.toml has no [vpn.wg1]"));
    Ok(())
}

/// Whether a file below the folder has the text in it.
fn holds(folder: &Path, text: &str) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = if entry.file_type()?.is_dir() {
            holds(&entry.path(), text)?
        } else {
            entry.file_name() != "laptop.conf"
                && fs::read(entry.path())?.windows(text.len()).any(|window| window == text.as_bytes())
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
