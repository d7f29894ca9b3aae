//! Changes that a tunnel has to survive: another key pair, and an operator who came in through it.

use anyhow::{Context, Result, ensure};

use super::hosts::{Host, Net, Repo};

fn two(net: &Net, repo: &Repo) -> Result<(Host, Host)> {
    let (web1, web2) = (net.host("web1", 1)?, net.host("web2", 2)?);
    for host in [&web1, &web2, &web1] {
        host.stead(repo, "apply --yes", 0)?;
    }
    ensure!(web1.pings("10.77.0.2")?, "{}", web1.run("wg show")?);
    Ok((web1, web2))
}

#[test]
fn a_key_pair_is_rotated_and_taken_back() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let (web1, web2) = two(&net, &repo)?;
    let old = web2.run("wg show wg0 public-key")?;
    web2.stead(&repo, "apply --yes", 0)?;
    let said = web2.stead(&repo, "vpn rotate web2", 0)?;
    let next = said.lines().find_map(|line| line.split(" in wg0 is ").nth(1)).context("no key is named")?.to_owned();
    ensure!(repo.directory()?.contains(&next) && !repo.directory()?.contains(&old) && next != old, "{said}");
    ensure!(web2.run("wg show wg0 public-key")? == old && web1.pings("10.77.0.2")?, "nothing runs on it yet");

    let applied = web2.stead(&repo, "apply --yes", 0)?;
    ensure!(applied.contains(&format!("public key: {old} → {next}")), "{applied}");
    ensure!(web2.run("wg show wg0 public-key")? == next && !web1.pings("10.77.0.2")?, "web1 has the old key");
    web1.stead(&repo, "apply --yes", 0)?;
    ensure!(web1.pings("10.77.0.2")? && web2.pings("10.77.0.1")?, "{}", web1.run("wg show")?);
    ensure!(!web1.run("wg show wg0 peers")?.contains(&old), "the old key still comes in");
    ensure!(web2.stead(&repo, "plan", 0)?.contains("Nothing to do"), "it is as declared");

    let back = web2.stead(&repo, "rollback --yes 2", 0)?;
    ensure!(web2.run("wg show wg0 public-key")? == old, "{back}");
    ensure!(repo.directory()?.contains(&old), "vpn.toml names a key that web2 does not have: {}", repo.directory()?);
    web1.stead(&repo, "apply --yes", 0)?;
    web2.stead(&repo, "apply --yes", 0)?;
    ensure!(web1.pings("10.77.0.2")?, "{}", web1.run("wg show")?);
    ensure!(web2.stead(&repo, "vpn rotate web9", 64)?.contains("wg0 has no host `web9`"));
    Ok(())
}

#[test]
fn a_rotation_that_nobody_applied_is_taken_back() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let (web1, web2) = two(&net, &repo)?;
    let before = repo.directory()?;
    web2.stead(&repo, "vpn rotate web2", 0)?;
    ensure!(repo.directory()? != before);
    // Only this machine is in reach: the hosts have no address.
    let said = web2.stead(&repo, "vpn keys", 0)?;
    ensure!(repo.directory()? == before, "{said}");
    ensure!(web1.stead(&repo, "plan", 0)?.contains("Nothing to do"));
    Ok(())
}

#[test]
fn a_host_that_lost_its_key_pair_tells_the_new_one() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let (web1, _) = two(&net, &repo)?;
    let again = net.host("web2", 22)?;
    let said = again.stead(&repo, "apply --yes", 0)?;
    ensure!(
        said.contains("does not have the key pair of") && said.contains("vpn.toml: the public key of web2"),
        "{said}"
    );
    ensure!(repo.directory()?.contains(&again.run("wg show wg0 public-key")?));
    ensure!(again.stead(&repo, "plan", 0)?.contains("Nothing to do"));
    ensure!(web1.stead(&repo, "plan", 2)?.contains("peer web2 "), "web1 is to know the new one");
    Ok(())
}

#[test]
fn an_operator_in_the_tunnel_is_not_cut_off() -> Result<()> {
    let net = Net::new()?;
    let repo = Repo::new()?;
    let web1 = net.host("web1", 1)?;
    web1.stead(&repo, "apply --yes", 0)?;
    web1.stead(&repo, "vpn add anna --public-key DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=", 0)?;
    web1.stead(&repo, "apply --yes", 0)?;
    let (peers, tunnel) = (web1.run("wg show wg0 peers")?, Some("10.77.0.4 50022 10.77.0.1 22"));
    ensure!(!peers.is_empty());
    web1.stead(&repo, "vpn remove anna", 0)?;
    let said = web1.stead_from(&repo, "apply --yes", 77, tunnel)?;
    ensure!(said.contains("10.77.0.4 through wg0") && said.contains("--force"), "{said}");
    ensure!(web1.run("wg show wg0 peers")? == peers, "a refused plan changed something");

    repo.edit("meshes = [\"wg0\"]", "meshes = []")?;
    let said = web1.stead_from(&repo, "apply --yes", 77, tunnel)?;
    ensure!(said.contains("through wg0, which goes down"), "{said}");
    ensure!(web1.run("wg show wg0 peers")? == peers, "a refused plan changed something");
    repo.edit("meshes = []", "meshes = [\"wg0\"]")?;

    web1.stead_from(&repo, "apply --yes --force", 0, tunnel)?;
    ensure!(web1.run("wg show wg0 peers")?.is_empty(), "it was forced");
    web1.stead_from(&repo, "apply --yes", 0, Some("192.0.2.9 50022 192.0.2.1 22")).map(drop)
}
