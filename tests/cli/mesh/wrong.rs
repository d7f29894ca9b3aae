//! What is wrong with peers is refused at the call, before anything is planned.

use anyhow::{Result, ensure};

use super::hosts::{Net, Repo};

const ANNA: &str = "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=";
const BEN: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

fn peer(key: &str, prefix: &str) -> String {
    format!("{{ interface = \"wg0\", public-key = \"{key}\", allowed-ips = [\"{prefix}\"] }}")
}

#[test]
fn peers_are_refused_at_their_call() -> Result<()> {
    let net = Net::new()?;
    let web1 = net.host("web1", 1)?;
    let mesh_peer = peer(BEN, "10.77.0.4/32");
    let wrong = [
        (vec![peer(ANNA, "10.77.0.300/32")], "in its call 4, to vpn: allowed-ips: \"10.77.0.300/32\" is not ADDRESS"),
        (vec![peer(ANNA, "10.77.0.9/33")], "in its call 4, to vpn: allowed-ips: \"10.77.0.9/33\" is not ADDRESS"),
        (vec![peer(&ANNA[..43], "10.77.0.9")], "in its call 4, to vpn: public-key: "),
        (vec![peer("DD5yKRfz", "10.77.0.9")], "in its call 4, to vpn: public-key: \"DD5yKRfz\" is not 32 bytes"),
        (vec![peer(ANNA, "10.77.0.9"), peer(ANNA, "10.77.0.8")], "in its call 5, to vpn: public-key: "),
        (
            vec![peer(ANNA, "10.77.0.9"), peer(BEN, "10.77.0.9/32")],
            "in its call 5, to vpn: allowed-ips: 10.77.0.9/32 goes to",
        ),
        (vec![mesh_peer], "in its call 4, to vpn: allowed-ips: 10.77.0.4/32 goes to the peer DD5y"),
    ];
    for (peers, said) in wrong {
        let repo = Repo::new()?;
        // Somebody who has this address already.
        std::fs::write(
            repo.path("vpn.toml"),
            format!("[wg0.peer.anna]\naddresses = [\"10.77.0.4\"]\npublic-key = \"{ANNA}\"\n"),
        )?;
        let before = repo.directory()?;
        let peers = peers.join(", ");
        let in_mesh = peers.contains("10.77.0.4");
        repo.edit("meshes = [\"wg0\"]", &format!("meshes = [\"wg0\"]\npeers = [{peers}]"))?;
        if !in_mesh {
            std::fs::remove_file(repo.path("vpn.toml"))?;
        }
        let answer = web1.stead(&repo, "apply --yes", 67)?;
        ensure!(answer.contains(said), "`{said}` is not in {answer}");
        ensure!(repo.path("vpn.toml").exists() == in_mesh && (!in_mesh || repo.directory()? == before), "{answer}");
        ensure!(web1.run("wg show wg0 peers")?.is_empty(), "something was changed");
    }
    Ok(())
}
