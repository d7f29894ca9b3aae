use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use proptest::prelude::*;

use super::*;
use crate::capability::vpn::PublicKey;
use crate::repo::{Repo, RepoError};
use crate::secret::Secret;

const HOSTS: &str = "\
[host.web1]\npolicies = [\"p\"]\n[host.web2]\npolicies = [\"p\"]\n[host.box]\npolicies = [\"p\"]\n\
[policy.p]\nsource = \"p\"\n";

const MESH: &str = "\
[vpn.wg0]\nnetworks = [\"fd08::/64\", \"10.8.0.0/24\"]\nhosts = [\"web1\", \"web2\"]\npersistent-keepalive = 25\n\
[vpn.wg0.endpoints]\nweb1 = \"203.0.113.7:51820\"\n";

fn key(byte: u8) -> PublicKey {
    PublicKey::new([byte; 32])
}

fn repo(mesh: &str, directory: &str) -> Result<Repo, RepoError> {
    Repo::parse(Path::new("/repo"), format!("{HOSTS}{mesh}"))?.with_directory(directory)
}

fn name(text: &str) -> Result<Name> {
    Ok(text.parse()?)
}

/// The addresses of all members, as `NAME ADDRESS ADDRESS`.
fn addresses(repo: &Repo) -> Result<Vec<String>> {
    let members = repo.directory().of(repo.mesh(None)?);
    let one = |(name, member): (&Name, &Member)| {
        let addresses: Vec<_> = member.addresses.iter().map(ToString::to_string).collect();
        format!("{name} {}", addresses.join(" "))
    };
    Ok(members.all().map(one).collect())
}

#[test]
fn who_has_an_address_keeps_it() -> Result<()> {
    let first = repo(MESH, "")?;
    assert_eq!(addresses(&first)?, ["web1 10.8.0.1 fd08::1", "web2 10.8.0.2 fd08::2"]);
    let text = first.directory().text();
    ensure!(text.starts_with("# Written by stead"), "{text}");
    assert_eq!(repo(MESH, &text)?.directory().text(), text, "what was written is read as it was");

    let mut directory = first.directory().clone();
    directory.add_peer(first.mesh(None)?, name("anna")?, key(1))?;
    let with_anna = directory.text();
    let more = MESH.replace("\"web1\", ", "\"box\", \"web1\", ");
    assert_eq!(
        addresses(&repo(&more, &with_anna)?)?,
        ["box 10.8.0.4 fd08::4", "web1 10.8.0.1 fd08::1", "web2 10.8.0.2 fd08::2", "anna 10.8.0.3 fd08::3"],
        "one more is given what is free, wherever it is named"
    );
    let less = MESH.replace(", \"web2\"", "");
    assert_eq!(addresses(&repo(&less, &with_anna)?)?, ["web1 10.8.0.1 fd08::1", "anna 10.8.0.3 fd08::3"]);
    Ok(())
}

#[test]
fn another_network_gives_everybody_another_address() -> Result<()> {
    let four = MESH.replace("\"fd08::/64\", ", "");
    let first = repo(&four, "")?;
    let mut directory = first.directory().clone();
    directory.add_peer(first.mesh(None)?, name("anna")?, key(1))?;
    assert_eq!(
        addresses(&repo(MESH, &directory.text())?)?,
        ["web1 10.8.0.1 fd08::2", "web2 10.8.0.2 fd08::3", "anna 10.8.0.3 fd08::1"]
    );
    Ok(())
}

#[test]
fn a_full_network_says_so() -> Result<()> {
    let small = MESH.replace("\"fd08::/64\", \"10.8.0.0/24\"", "\"10.8.0.0/30\"");
    let repo = repo(&small, "")?;
    assert_eq!(addresses(&repo)?, ["web1 10.8.0.1", "web2 10.8.0.2"]);
    let full = repo.directory().clone().add_peer(repo.mesh(None)?, name("anna")?, key(1));
    ensure!(matches!(full, Err(MeshError::Full { .. })), "{full:?}");
    Ok(())
}

#[test]
fn a_host_has_everybody_else_as_its_peers() -> Result<()> {
    let first = repo(MESH, "")?;
    let mesh = first.mesh(None)?;
    let mut directory = first.directory().clone();
    directory.add_peer(mesh, name("anna")?, key(3))?;
    assert!(directory.set_key(&mesh.name, &name("web1")?, key(1)));
    assert!(!directory.set_key(&mesh.name, &name("web1")?, key(1)), "it is known already");

    let on_web2 = mesh.on(&name("web2")?, &directory).context("web2 is of it")?;
    let shown: Vec<_> = on_web2.interface.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.8.0.2/24", "fd08::2/64"]);
    assert_eq!((on_web2.interface.listen_port, on_web2.public_key), (Some(51820), None));
    let [web1, anna] = on_web2.peers.as_slice() else { bail!("{:?}", on_web2.peers) };
    assert_eq!((web1.public_key, anna.public_key), (key(1), key(3)));
    assert_eq!(web1.endpoint.as_ref().map(ToString::to_string).as_deref(), Some("203.0.113.7:51820"));
    assert_eq!((web1.persistent_keepalive, anna.persistent_keepalive), (Some(25), None), "web2 calls web1");
    let allowed: Vec<_> = anna.allowed_ips.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["10.8.0.3/32", "fd08::3/128"]);

    let on_web1 = mesh.on(&name("web1")?, &directory).context("web1 is of it")?;
    assert_eq!(on_web1.without_key, ["web2"], "nobody knows its key yet");
    assert_eq!(on_web1.peers.iter().map(|peer| peer.name.as_deref()).collect::<Vec<_>>(), [Some("anna")]);
    assert_eq!(on_web1.public_key, Some(key(1)));
    assert_eq!(mesh.on(&name("box")?, &directory), None);
    Ok(())
}

#[test]
fn a_peer_is_let_in_once() -> Result<()> {
    let repo = repo(MESH, "")?;
    let mesh = repo.mesh(None)?;
    let mut directory = repo.directory().clone();
    directory.add_peer(mesh, name("anna")?, key(1))?;
    let again = directory.add_peer(mesh, name("anna")?, key(2));
    ensure!(matches!(again, Err(MeshError::Taken { .. })), "{again:?}");
    let host = directory.add_peer(mesh, name("web1")?, key(2));
    ensure!(matches!(host, Err(MeshError::Taken { .. })), "{host:?}");
    let key = directory.add_peer(mesh, name("ben")?, key(1));
    ensure!(matches!(key, Err(MeshError::KeyTaken { .. })), "{key:?}");
    let wrong = directory.remove_peer(mesh, "ana").err().context("there is no ana")?;
    assert_eq!(wrong.hint(), "did you mean `anna`?");
    directory.remove_peer(mesh, "anna")?;
    assert_eq!(&directory, repo.directory());
    Ok(())
}

#[test]
fn a_client_calls_the_hosts_that_can_be_called() -> Result<()> {
    let repo = repo(MESH, "")?;
    let mesh = repo.mesh(None)?;
    let mut directory = repo.directory().clone();
    directory.add_peer(mesh, name("anna")?, key(3))?;
    let nobody = mesh.client(&name("anna")?, &directory, None).err().context("nobody can be called")?;
    ensure!(nobody.to_string().contains("web1: its public key is not known yet"), "{nobody}");
    directory.set_key(&mesh.name, &name("web1")?, key(1));
    directory.set_key(&mesh.name, &name("web2")?, key(2));
    let private = Secret::new("cHJpdmF0ZQ==".to_owned());
    let client = mesh.client(&name("anna")?, &directory, Some(&private))?;
    assert_eq!(client.left_out, ["web2: it has no endpoint"]);
    ensure!(!format!("{client:?}").contains(private.reveal()), "a private key is shown");
    insta::assert_snapshot!(client.text.reveal(), @r"
    [Interface]
    # anna of wg0
    PrivateKey = cHJpdmF0ZQ==
    Address = 10.8.0.3/32, fd08::3/128

    [Peer]
    # web1
    PublicKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
    Endpoint = 203.0.113.7:51820
    AllowedIPs = 10.8.0.1/32, fd08::1/128
    PersistentKeepalive = 25
    ");
    Ok(())
}

/// A host or a peer that comes or goes.
#[derive(Clone, Copy, Debug)]
enum Move {
    Host(usize),
    Peer(u8),
}

const ALL_HOSTS: [&str; 3] = ["web1", "web2", "box"];

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![(0..ALL_HOSTS.len()).prop_map(Move::Host), (1u8..6).prop_map(Move::Peer)]
}

/// What has been assigned after the moves, each of which turns a member on or off, checked after each of them.
fn after(moves: &[Move]) -> Result<()> {
    let (mut hosts, mut text) = (vec![ALL_HOSTS[0]], String::new());
    let mut before: BTreeMap<Name, Member> = BTreeMap::new();
    for step in moves {
        if let Move::Host(index) = step {
            let host = ALL_HOSTS[*index];
            let there = hosts.iter().position(|other| *other == host);
            match there {
                Some(place) if hosts.len() > 1 => drop(hosts.remove(place)),
                Some(_) => {}
                None => hosts.insert(0, host),
            }
        }
        let listed = format!("[vpn.wg0]\nnetworks = [\"fd08::/64\", \"10.8.0.0/24\"]\nhosts = {hosts:?}\n");
        let repo = repo(&listed, &text)?;
        let mut directory = repo.directory().clone();
        if let Move::Peer(byte) = step {
            let (mesh, peer) = (repo.mesh(None)?, name(&format!("peer{byte}"))?);
            if directory.remove_peer(mesh, peer.as_str()).is_err() {
                directory.add_peer(mesh, peer, key(*byte))?;
            }
        }
        text = directory.text();
        let now: BTreeMap<Name, Member> =
            directory.of(repo.mesh(None)?).all().map(|(name, member)| (name.clone(), member.clone())).collect();
        for (name, member) in &now {
            ensure!(
                before.get(name).is_none_or(|before| before == member),
                "{name} was given another address: {now:?}"
            );
            let others = now.iter().filter(|(other, _)| *other != name).flat_map(|(_, other)| &other.addresses);
            ensure!(others.clone().all(|other| !member.addresses.contains(other)), "two have one address: {now:?}");
            ensure!(member.addresses.len() == 2, "{name} lacks an address: {now:?}");
        }
        before = now;
    }
    Ok(())
}

proptest! {
    /// Whoever comes or goes, the others keep their addresses.
    #[test]
    fn members_come_and_go_and_the_others_stay(moves in prop::collection::vec(any_move(), 1..20)) {
        let done = after(&moves);
        prop_assert!(done.is_ok(), "{done:?}");
    }
}

/// What is said of a text: the file, what is pointed at, the problem, the hint.
fn wrong(mesh: &str, directory: &str) -> Result<String> {
    match repo(mesh, directory) {
        Err(RepoError::Invalid(invalid)) => {
            let (start, length) = invalid.place.at;
            let pointed = invalid.place.text.get(start..start + length).context("the place is not in the text")?;
            let hint = invalid.problem.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            Ok(format!("{} {pointed:?}: {}{hint}", invalid.place.file, invalid.problem))
        }
        other => bail!("it is not wrong: {other:?}"),
    }
}

#[test]
fn a_wrong_mesh_is_pointed_at() -> Result<()> {
    let with = |old: &str, new: &str| wrong(&MESH.replace(old, new), "");
    insta::assert_snapshot!(
        [
            with("10.8.0.0/24", "10.8.0.0/33")?,
            with("10.8.0.0/24", "10.8.0.1/24")?,
            with("10.8.0.0/24", "10.8.0.0/31")?,
            with("10.8.0.0/24", "fd09::/64")?,
            with("\"fd08::/64\", \"10.8.0.0/24\"", "")?,
            with("\"web2\"]", "\"wbe2\"]")?,
            with("\"web2\"]", "\"web1\"]")?,
            with("\"web1\", \"web2\"", "")?,
            with("203.0.113.7:51820", "203.0.113.7")?,
            with("\nweb1 =", "\nbox =")?,
            with("persistent-keepalive = 25", "persistent-keepalive = 0")?,
            with("persistent-keepalive = 25", "keepalive = 25")?,
            with("persistent-keepalive = 25", "mtu = 1000")?,
            with("vpn.wg0", "vpn.\"w g\"")?,
            with("[vpn.wg0]", "[vpn.wg1]\nnetworks = [\"10.0.0.0/8\"]\nhosts = [\"box\"]\n[vpn.wg0]")?,
        ]
        .join("\n"),
        @r#"
        stead.toml "\"10.8.0.0/33\"": invalid IP address syntax
        stead.toml "\"10.8.0.1/24\"": 10.8.0.1/24 has host bits: write 10.8.0.0/24
        stead.toml "\"10.8.0.0/31\"": 10.8.0.0/31 is no network for a mesh
        stead.toml "\"fd09::/64\"": a mesh has one network for each of IPv4 and IPv6
        stead.toml "[]": a mesh needs a network
        stead.toml "\"wbe2\"": no host here is called `wbe2` (did you mean `web2`?)
        stead.toml "\"web1\"": host `web1` is named twice
        stead.toml "[]": a mesh needs at least one host
        stead.toml "\"203.0.113.7\"": endpoint: "203.0.113.7" is neither HOST:PORT nor [ADDRESS]:PORT
        stead.toml "box": no host here is called `box` (the hosts are `web1`, `web2`)
        stead.toml "0": invalid value: integer `0`, expected a nonzero u16
        stead.toml "keepalive": there is no key `keepalive` here (the keys are `networks`, `hosts`, `listen-port`, `endpoints`, `persistent-keepalive`, `mtu`)
        stead.toml "1000": 1000 is not 1280 to 65535 bytes
        stead.toml "\"w g\"": name: "w g" is not 1 to 15 letters, digits or `_=+.-`
        stead.toml "\"10.0.0.0/8\"": 10.0.0.0/8 overlaps with a network of another mesh
        "#
    );
    Ok(())
}

#[test]
fn a_wrong_directory_is_pointed_at() -> Result<()> {
    let (one, two) = (key(1), key(2));
    let says = |text: &str| wrong(MESH, text);
    insta::assert_snapshot!(
        [
            says("[wg1.host.web1]\naddresses = []\n")?,
            says("[wg0.hots.web1]\naddresses = []\n")?,
            says("[wg0.host.web1]\naddresses = [\"10.9.0.1\"]\n")?,
            says("[wg0.host.web1]\naddresses = [\"10.8.0.1/24\"]\n")?,
            says("[wg0.host.web1]\naddresses = [\"10.8.0.1\"]\n[wg0.host.web2]\naddresses = [\"10.8.0.1\"]\n")?,
            says("[wg0.host.web1]\naddresses = []\npublic-key = \"DD5yKRfz\"\n")?,
            says("[wg0.peer.anna]\naddresses = [\"10.8.0.7\"]\n")?,
            says(&format!("[wg0.peer.anna]\naddresses = []\npublic-key = \"{one}\"\n[wg0.peer.ben]\naddresses = []\npublic-key = \"{one}\"\n"))?,
        ]
        .join("\n"),
        @r#"
        vpn.toml "wg1": stead.toml has no [vpn.wg1] (did you mean `wg0`?)
        vpn.toml "hots": there is no key `hots` here (did you mean `host`?)
        vpn.toml "\"10.9.0.1\"": 10.9.0.1 is in no network of [vpn.wg0]: remove it to have another one assigned
        vpn.toml "\"10.8.0.1/24\"": invalid IP address syntax
        vpn.toml "\"10.8.0.1\"": another member has 10.8.0.1 as well
        vpn.toml "\"DD5yKRfz\"": public-key: "DD5yKRfz" is not 32 bytes in base64
        vpn.toml "anna": the key `public-key` is missing (add public-key = …)
        vpn.toml "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"": another member has this key as well
        "#
    );
    let left = format!("[wg0.host.gone]\naddresses = [\"10.8.0.1\"]\npublic-key = \"{two}\"\n");
    assert_eq!(addresses(&repo(MESH, &left)?)?, ["web1 10.8.0.1 fd08::1", "web2 10.8.0.2 fd08::2"]);
    Ok(())
}
