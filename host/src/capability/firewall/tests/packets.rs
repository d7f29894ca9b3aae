//! What the kernel really does with packets between namespaces, and that the evaluator says the same.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use super::lab::{Lab, alive};
use super::pairs::Backend;
use super::{Host, server, specs};
use crate::capability::Declared;
use crate::capability::firewall::spec::{Chain, Spec, Transport};
use crate::capability::firewall::{Packet, Verdict, admits};

/// A server and a client on one network, both families.
pub(super) struct Network {
    pub(super) server: Lab,
    pub(super) client: Lab,
}

impl Network {
    pub(super) fn new() -> Result<Self> {
        let (server, client) = (Lab::new()?, Lab::new()?);
        server.join("eth0", &client, "eth0")?;
        for (lab, host) in [(&server, 1), (&client, 2)] {
            lab.address("eth0", &format!("192.0.2.{host}/24"))?;
            lab.address("eth0", &format!("2001:db8::{host}/64"))?;
        }
        Ok(Self { server, client })
    }

    pub(super) fn apply(&self, host: &Host, specs: &[Declared<Spec>]) -> Result<()> {
        self.server.block_on(|| async { host.apply(specs).await.map(drop) })
    }
}

/// Whether the client gets through, which must be what the evaluator says.
pub(super) fn reaches(network: &Network, specs: &[Declared<Spec>], address: &str) -> Result<bool> {
    let really = network.client.reaches(address)?;
    let to: SocketAddr = address.parse()?;
    let source = if to.is_ipv4() { "192.0.2.2" } else { "2001:db8::2" };
    let packet = Packet {
        chain: Chain::Input,
        input_interface: Some("eth0".to_owned()),
        source: source.parse()?,
        destination: Some(to.ip()),
        protocol: Transport::Tcp,
        port: to.port(),
        translated: false,
    };
    let decision = admits(specs, &packet)?;
    ensure!(really == (decision.verdict == Verdict::Accept), "{address}: really {really}, but {decision:?}");
    Ok(really)
}

#[test]
fn only_open_ports_answer_and_the_network_stays() -> Result<()> {
    let network = Network::new()?;
    for address in ["0.0.0.0:22", "0.0.0.0:23", "[2001:db8::1]:22", "[2001:db8::1]:23"] {
        network.server.listen(address)?;
    }
    network.client.listen("192.0.2.2:80")?;
    network.server.listen("127.0.0.1:9")?;
    let host = Host::new()?;
    let before = network.client.connect("192.0.2.1:22")?;
    network.apply(&host, &server()?)?;
    for address in ["192.0.2.1", "[2001:db8::1]"] {
        ensure!(reaches(&network, &server()?, &format!("{address}:22"))?, "{address} is shut");
        ensure!(!reaches(&network, &server()?, &format!("{address}:23"))?, "{address} is open");
    }
    // Neighbours are forgotten, so that IPv6 has to find them again through the firewall.
    for lab in [&network.server, &network.client] {
        lab.ip("neigh flush all")?;
    }
    for address in ["192.0.2.1", "2001:db8::1"] {
        ensure!(network.client.pings(address)?, "{address} answers no ping");
    }
    ensure!(network.server.reaches("192.0.2.2:80")?, "the server cannot get out");
    ensure!(network.server.reaches("127.0.0.1:9")?, "loopback is shut");
    alive(&mut before.context("there was no connection")?).context("from before the firewall")
}

#[test]
fn sessions_survive_a_swap_that_closes_their_port() -> Result<()> {
    let network = Network::new()?;
    network.server.listen("0.0.0.0:23")?;
    let host = Host::new()?;
    let mut open = server()?;
    open.extend(specs(r#"specs = [{ open = { protocol = "tcp", port = 23 } }]"#)?);
    network.apply(&host, &open)?;
    let mut session = network.client.connect("192.0.2.1:23")?.context("23 is shut")?;
    network.apply(&host, &server()?)?;
    alive(&mut session)?;
    ensure!(!reaches(&network, &server()?, "192.0.2.1:23")?);
    Ok(())
}

#[test]
fn rules_are_tried_in_order_and_sources_told_apart() -> Result<()> {
    let network = Network::new()?;
    for port in [22, 80, 81] {
        network.server.listen(&format!("0.0.0.0:{port}"))?;
    }
    let host = Host::new()?;
    let rules = specs(
        r#"specs = [
            { default = { chain = "input", verdict = "drop" } },
            { rule = { chain = "input", traffic = { tcp = [80] }, source = ["192.0.2.2"], verdict = "drop" } },
            { rule = { chain = "input", traffic = { tcp = ["80-81"] }, source = ["192.0.2.0/24", "2001:db8::/32"], verdict = "accept" } },
            { open = { protocol = "tcp", port = 22, input-interface = "wg*" } },
        ]"#,
    )?;
    network.apply(&host, &rules)?;
    ensure!(!reaches(&network, &rules, "192.0.2.1:80")?);
    ensure!(reaches(&network, &rules, "192.0.2.1:81")?);
    ensure!(!reaches(&network, &rules, "192.0.2.1:22")?);
    Ok(())
}

#[test]
fn reject_answers_at_once() -> Result<()> {
    let network = Network::new()?;
    network.server.listen("0.0.0.0:80")?;
    let host = Host::new()?;
    for input in ["accept", "drop"] {
        let rules = specs(&format!(
            r#"specs = [
                {{ default = {{ chain = "input", verdict = "{input}" }} }},
                {{ rule = {{ chain = "input", traffic = {{ tcp = [80] }}, verdict = "reject" }} }},
            ]"#
        ))?;
        network.apply(&host, &rules)?;
        let error = network.client.connect("192.0.2.1:80").err().context("it was not refused")?;
        ensure!(error.to_string().contains("refused"), "{error}");
    }
    Ok(())
}

/// A network whose server publishes port 8080 of a container, as Docker does it: a bridge, and a translation.
pub(super) struct Published {
    pub(super) network: Network,
    pub(super) container: Lab,
}

impl Published {
    pub(super) fn new() -> Result<Self> {
        Self::by(Backend::Nftables)
    }

    pub(super) fn by(backend: Backend) -> Result<Self> {
        let (network, container) = (Network::new()?, Lab::new()?);
        let server = &network.server;
        server.ip("link add docker0 type bridge")?;
        server.ip("link set docker0 up")?;
        server.address("docker0", "172.17.0.1/16")?;
        server.address("docker0", "fd17::1/64")?;
        server.join("veth1", &container, "eth0")?;
        server.ip("link set veth1 master docker0")?;
        container.address("eth0", "172.17.0.2/16")?;
        container.address("eth0", "fd17::2/64")?;
        container.ip("route add default via 172.17.0.1")?;
        container.ip("route add default via fd17::1")?;
        server.sysctl("ipv4/ip_forward", "1")?;
        server.sysctl("ipv6/conf/all/forwarding", "1")?;
        backend.publish(server)?;
        container.listen("0.0.0.0:80")?;
        container.listen("[fd17::2]:80")?;
        network.client.listen("[::]:7000")?;
        // A neighbour that knows the way to the containers.
        network.client.ip("route add 172.17.0.0/16 via 192.0.2.1")?;
        // A bridge without carrier does no IPv6 until the kernel's link watch, once a second, has seen its port.
        let ready = || network.client.reaches("[2001:db8::1]:8080");
        ensure!((0..10).any(|_| ready().unwrap_or(false)), "the translation does not work, so this shows nothing");
        Ok(Self { network, container })
    }

    fn is_open(&self, specs: &[Declared<Spec>]) -> Result<bool> {
        let v4 = reaches(&self.network, specs, "192.0.2.1:8080")?;
        let v6 = reaches(&self.network, specs, "[2001:db8::1]:8080")?;
        ensure!(v4 == v6, "IPv4 {v4}, IPv6 {v6}");
        Ok(v4)
    }
}

#[test]
fn a_published_port_is_closed_until_it_is_opened() -> Result<()> {
    let lab = Published::new()?;
    ensure!(lab.is_open(&[])?, "the translation does not work, so this shows nothing");
    ensure!(lab.network.client.reaches("172.17.0.2:80")?, "the neighbour has no route, so this shows nothing");

    let host = Host::new()?;
    lab.network.apply(&host, &server()?)?;
    ensure!(!lab.is_open(&server()?)?);
    ensure!(!lab.network.client.reaches("172.17.0.2:80")?, "a neighbour gets past the published ports");
    ensure!(lab.container.reaches("192.0.2.2:7000")?, "containers cannot get out");

    for opening in [
        r#"{ open = { protocol = "tcp", port = 8080 } }"#,
        r#"{ rule = { chain = "input", traffic = { tcp = [8080] }, input-interface = "eth0", verdict = "accept" } }"#,
    ] {
        let mut open = server()?;
        open.extend(specs(&format!("specs = [{opening}]"))?);
        lab.network.apply(&host, &open)?;
        ensure!(lab.is_open(&open)?, "{opening}");
        ensure!(!lab.network.client.reaches("172.17.0.2:80")?, "{opening} opens the container itself");
    }
    let mut elsewhere = server()?;
    elsewhere.extend(specs(r#"specs = [{ open = { protocol = "tcp", port = 8080, source = ["198.51.100.0/24"] } }]"#)?);
    lab.network.apply(&host, &elsewhere)?;
    ensure!(!lab.is_open(&elsewhere)?);
    Ok(())
}

#[test]
fn an_opened_published_port_passes_a_forward_that_drops() -> Result<()> {
    let lab = Published::new()?;
    let host = Host::new()?;
    for input in ["drop", "accept"] {
        let rules = specs(&format!(
            r#"specs = [
                {{ default = {{ chain = "input", verdict = "{input}" }} }},
                {{ default = {{ chain = "forward", verdict = "drop" }} }},
                {{ open = {{ protocol = "tcp", port = 8080 }} }},
            ]"#
        ))?;
        lab.network.apply(&host, &rules)?;
        ensure!(lab.is_open(&rules)?, "input {input}");
        ensure!(!lab.container.reaches("192.0.2.2:7000")?, "forward does not drop");
        lab.network.apply(&host, &rules[..2])?;
        ensure!(!lab.network.client.reaches("192.0.2.1:8080")?, "input {input}: open without being opened");
    }
    Ok(())
}

#[test]
fn a_forward_rule_opens_the_way_to_containers_themselves() -> Result<()> {
    let lab = Published::new()?;
    let host = Host::new()?;
    let mut rules = server()?;
    rules.extend(specs(
        r#"specs = [{ rule = { chain = "forward", source = ["192.0.2.0/24"], traffic = "any", verdict = "accept" } }]"#,
    )?);
    lab.network.apply(&host, &rules)?;
    ensure!(lab.network.client.reaches("172.17.0.2:80")?);
    ensure!(!lab.is_open(&rules)?);
    Ok(())
}
