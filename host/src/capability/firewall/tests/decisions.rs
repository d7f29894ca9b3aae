//! What the evaluator says where the kernel cannot be asked: what is not known, and the operator's own session.

use anyhow::{Context, Result, ensure};

use super::{server, specs};
use crate::capability::Capability;
use crate::capability::firewall::spec::{Chain, Transport};
use crate::capability::firewall::{Decision, Firewall, Packet, Verdict, admits};
use crate::machine::SshSession;

fn session(client: &str, port: u16) -> Result<SshSession> {
    Ok(SshSession { client: client.parse()?, server: "192.0.2.1".parse()?, server_port: port, interface: None })
}

#[test]
fn a_plan_that_closes_the_operators_port_says_by_what() -> Result<()> {
    ensure!(Firewall::cuts_off(&[], &session("192.0.2.9", 22)?).is_none());
    ensure!(Firewall::cuts_off(&server()?, &session("192.0.2.9", 22)?).is_none());
    let why = Firewall::cuts_off(&server()?, &session("192.0.2.9", 2222)?).context("2222 is open")?;
    ensure!(why.contains("port 2222") && why.contains("chain published") && why.contains("`drop`"), "{why}");
    ensure!(Firewall::cuts_off(&server()?, &session("10.9.0.4", 8443)?).is_none());
    ensure!(Firewall::cuts_off(&server()?, &session("10.9.1.4", 8443)?).is_some());
    Ok(())
}

#[test]
fn a_port_that_is_open_on_the_vpn_only_lets_its_own_operator_through() -> Result<()> {
    let rules = specs(
        r#"specs = [
            { default = { chain = "input", verdict = "drop" } },
            { open = { protocol = "tcp", port = 22, input-interface = "wg0" } },
        ]"#,
    )?;
    let by = |interface: Option<&str>| -> Result<bool> {
        let session = SshSession { interface: interface.map(str::to_owned), ..session("10.8.0.2", 22)? };
        Ok(Firewall::cuts_off(&rules, &session).is_none())
    };
    ensure!(by(Some("wg0"))? && !by(Some("eth0"))? && !by(None)?);
    Ok(())
}

#[test]
fn what_is_not_known_counts_against_the_packet() -> Result<()> {
    let rules = specs(
        r#"specs = [
            { rule = { chain = "input", input-interface = "eth1", traffic = { tcp = [80] }, verdict = "drop" } },
            { default = { chain = "input", verdict = "drop" } },
            { open = { protocol = "tcp", port = 22, input-interface = "wg0" } },
            { open = { protocol = "tcp", port = 80 } },
        ]"#,
    )?;
    let mut packet = Packet {
        chain: Chain::Input,
        input_interface: None,
        source: "192.0.2.9".parse()?,
        destination: None,
        protocol: Transport::Tcp,
        port: 22,
        translated: false,
    };
    ensure!(admits(&rules, &packet)?.verdict == Verdict::Drop);
    packet.port = 80;
    ensure!(admits(&rules, &packet)?.verdict == Verdict::Drop);
    packet.input_interface = Some("wg0".to_owned());
    ensure!(admits(&rules, &packet)?.verdict == Verdict::Accept);
    packet.port = 22;
    ensure!(admits(&rules, &packet)?.verdict == Verdict::Accept);
    packet.protocol = Transport::Udp;
    let Decision { verdict, chain, rule } = admits(&rules, &packet)?;
    ensure!(verdict == Verdict::Drop && chain == "published" && rule.as_deref() == Some("drop"));
    Ok(())
}

#[test]
fn an_empty_chain_has_its_default() -> Result<()> {
    let rules = specs(r#"specs = [{ default = { chain = "forward", verdict = "drop" } }]"#)?;
    let packet = |chain| Packet {
        chain,
        input_interface: None,
        source: std::net::Ipv4Addr::LOCALHOST.into(),
        destination: None,
        protocol: Transport::Udp,
        port: 53,
        translated: false,
    };
    ensure!(admits(&rules, &packet(Chain::Forward))?.verdict == Verdict::Drop);
    ensure!(admits(&rules, &packet(Chain::Input))?.verdict == Verdict::Accept);
    ensure!(admits(&rules, &packet(Chain::Output))?.verdict == Verdict::Accept);
    Ok(())
}
