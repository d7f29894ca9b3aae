//! A mesh of hosts that are real to WireGuard: each in namespaces of its own, with a machine name, and `wg0` by the
//! kernel or, where it has none, by wireguard-go. Every host applies the one repo to itself.

mod change;
mod hosts;
mod people;
mod wrong;

use std::fs;

use anyhow::{Result, ensure};

use hosts::{Net, Repo};

#[test]
fn hosts_find_each_other() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let (web1, web2) = (net.host("web1", 1)?, net.host("web2", 2)?);

    let plan = web1.stead(&repo, "plan", 2)?;
    ensure!(plan.contains("tunnels: wg0 has 10.77.0.1/24 fd77::1/64, port Some(51820)"), "{plan}");
    ensure!(!repo.path("vpn.toml").exists(), "a plan writes nothing");
    let first = web1.stead(&repo, "apply --yes", 0)?;
    ensure!(first.contains("web2 is no peer yet") && first.contains("web3 is no peer yet"), "{first}");
    ensure!(first.contains("vpn.toml: the public key of web1 in wg0 is "), "{first}");
    ensure!(repo.directory()?.contains(&web1.run("wg show wg0 public-key")?), "the key is not in vpn.toml");
    web2.stead(&repo, "apply --yes", 0)?;
    ensure!(!web1.pings("10.77.0.2")?, "web1 knows web2 before it was applied to");
    let plan = web1.stead(&repo, "plan", 2)?;
    ensure!(plan.contains("peer web2 ") && !plan.contains("addresses") && !plan.contains("+ vpn"), "{plan}");
    web1.stead(&repo, "apply --yes", 0)?;
    for (host, address) in [(&web1, "10.77.0.2"), (&web2, "10.77.0.1"), (&web1, "fd77::2"), (&web2, "fd77::1")] {
        ensure!(host.pings(address)?, "{address} is out of reach\n{}", host.run("wg show")?);
    }
    ensure!(web1.stead(&repo, "apply --yes", 0)?.contains("Nothing to do"), "it is as declared");
    ensure!(web2.stead(&repo, "plan", 0)?.contains("Nothing to do"), "it is as declared");

    let status = web1.stead(&repo, "vpn status", 0)?;
    ensure!(
        status.contains("web1: wg0, UDP port 51820") && status.contains("web2 ") && !status.contains("stale"),
        "{status}"
    );
    Ok(())
}

#[test]
fn one_host_less_changes_peers_only() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let (web1, web2) = (net.host("web1", 1)?, net.host("web2", 2)?);
    for host in [&web1, &web2, &web1] {
        host.stead(&repo, "apply --yes", 0)?;
    }
    ensure!(web1.pings("10.77.0.2")?);
    repo.edit(", \"web3\"", "")?;
    let said = web1.stead(&repo, "apply --yes", 0)?;
    ensure!(!said.contains("vpn wg0"), "web3 was no peer yet, so nothing changes: {said}");
    ensure!(!repo.directory()?.contains("web3"));
    let session = web1.run("wg show wg0 latest-handshakes")?;
    repo.edit(", \"web2\"", "")?;
    repo.edit(", web2 = \"192.0.2.2:51820\"", "")?;
    let plan = web1.stead(&repo, "plan", 2)?;
    let changes: Vec<_> = plan.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
    ensure!(changes[0].starts_with("peer web2 ") && changes[0].ends_with("→ nothing"), "{plan}");
    let fields = ["state", "public key", "listen port", "mtu", "addresses", "routes", "peer"];
    ensure!(!changes[1..].iter().any(|line| fields.iter().any(|field| line.starts_with(field))), "{plan}");
    ensure!(web1.run("wg show wg0 latest-handshakes")? == session, "a plan changes nothing");
    web1.stead(&repo, "apply --yes", 0)?;
    ensure!(!web1.pings("10.77.0.2")?, "web2 is still a peer");
    Ok(())
}

#[test]
fn a_mesh_needs_its_grants_and_its_table() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let web1 = net.host("web1", 1)?;
    let text = fs::read_to_string(repo.path("stead.toml"))?;
    repo.edit("\"10.77.0.0/24\", \"fd77::/64\"]\nlisten-ports", "\"10.77.0.0/24\"]\nlisten-ports")?;
    let said = web1.stead(&repo, "apply --yes", 66)?;
    ensure!(said.contains("networks = [\"fd77::/64\"]"), "{said}");
    fs::write(repo.path("stead.toml"), &text)?;
    repo.edit("meshes = [\"wg0\"]", "meshes = [\"wg1\"]")?;
    let said = web1.stead(&repo, "apply --yes", 67)?;
    ensure!(said.contains("stead.toml has no mesh \"wg1\""), "{said}");
    fs::write(repo.path("stead.toml"), &text)?;
    repo.edit("hosts = [\"web1\", ", "hosts = [")?;
    repo.edit("web1 = \"192.0.2.1:51820\", ", "")?;
    let said = web1.stead(&repo, "apply --yes", 67)?;
    ensure!(said.contains("this host is not among the hosts of [vpn.wg0]"), "{said}");
    ensure!(!repo.path("vpn.toml").exists() && web1.run("wg show wg0 peers")?.is_empty(), "nothing was changed");
    fs::write(repo.path("stead.toml"), &text)?;
    web1.run("ip link set wg0 name wg7")?;
    let said = web1.stead(&repo, "vpn keys", 0)?;
    ensure!(said.contains("web1 has no wg0 yet: does a policy of it call"), "{said}");
    Ok(())
}

#[test]
fn a_saved_plan_is_for_what_was_assigned_then() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let web1 = net.host("web1", 1)?;
    let file = repo.path("web1.stead").display().to_string();
    web1.stead(&repo, &format!("plan --out {file}"), 2)?;
    fs::write(repo.path("vpn.toml"), "[wg0.host.web2]\naddresses = [\"10.77.0.9\"]\n")?;
    ensure!(web1.stead(&repo, &format!("apply {file}"), 76)?.contains("vpn.toml has changed since"));
    fs::remove_file(repo.path("vpn.toml"))?;
    web1.stead(&repo, &format!("apply {file}"), 0)?;
    ensure!(repo.directory()?.contains("[wg0.host.web2]"), "what was assigned is not written");
    Ok(())
}
