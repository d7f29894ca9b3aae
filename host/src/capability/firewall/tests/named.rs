//! Sets, maps, rates, and rules in nft's own words.

use anyhow::{Context, Result, ensure};

use super::packets::{Network, reaches};
use super::{Host, server, specs};
use crate::capability::firewall::compile::compile;

/// `server()` and these.
fn server_and(more: &str) -> Result<Vec<crate::capability::Declared<super::Spec>>> {
    let mut all = server()?;
    all.extend(specs(&format!("specs = [{more}]"))?);
    Ok(all)
}

#[test]
fn sets_tell_addresses_and_ports_apart() -> Result<()> {
    let network = Network::new()?;
    for port in [80, 81, 90] {
        network.server.listen(&format!("0.0.0.0:{port}"))?;
        network.server.listen(&format!("[2001:db8::1]:{port}"))?;
    }
    let host = Host::new()?;
    let rules = server_and(
        r#"
        { set = { name = "office", element-type = "ipv4-addr", elements = ["192.0.2.2", "10.0.0.0/8", "198.51.100.3-198.51.100.9"] } },
        { set = { name = "doors", element-type = "inet-service", elements = ["80", "81-85"] } },
        { rule = { chain = "input", source = ["@office"], traffic = { tcp = [] }, port-set = "doors", verdict = "accept" } },
        "#,
    )?;
    network.apply(&host, &rules)?;
    ensure!(reaches(&network, &rules, "192.0.2.1:80")? && reaches(&network, &rules, "192.0.2.1:81")?);
    ensure!(!reaches(&network, &rules, "192.0.2.1:90")?);
    ensure!(!reaches(&network, &rules, "[2001:db8::1]:80")?, "the set holds addresses of IPv4 only");
    Ok(())
}

#[test]
fn what_packets_add_to_a_set_is_no_drift_and_stays() -> Result<()> {
    let network = Network::new()?;
    network.server.listen("0.0.0.0:80")?;
    let host = Host::new()?;
    let rules = server_and(
        r#"
        { set = { name = "seen", element-type = "ipv4-addr", dynamic = true, timeout = 600 } },
        { raw = { chain = "input", rule = "tcp dport 80 add @seen { ip saddr } counter accept" } },
        "#,
    )?;
    network.apply(&host, &rules)?;
    ensure!(network.client.reaches("192.0.2.1:80")?);
    let seen = || network.server.command("nft list set inet stead seen");
    ensure!(seen()?.contains("192.0.2.2"), "{}", seen()?);
    network.server.block_on(|| async { host.is_as_declared(&rules).await })?;
    ensure!(seen()?.contains("192.0.2.2"), "looking at it changed it");
    let counted = network.server.command("nft list table inet stead")?;
    ensure!(counted.contains("counter packets 1 "), "{counted}");
    Ok(())
}

#[test]
fn a_rate_holds_back_what_is_too_much() -> Result<()> {
    let network = Network::new()?;
    network.server.listen("0.0.0.0:80")?;
    let host = Host::new()?;
    let rules = server_and(
        r#"
        { rule = { chain = "input", traffic = { tcp = [80] }, ct-state = ["new"], limit = { rate = 1, per = "day", burst = 1 }, verdict = "accept" } },
        "#,
    )?;
    network.apply(&host, &rules)?;
    ensure!(reaches(&network, &rules, "192.0.2.1:80")?, "the first is within the rate");
    ensure!(!network.client.reaches("192.0.2.1:80")?, "the second is not");
    Ok(())
}

#[test]
fn words_of_nft_do_what_they_say() -> Result<()> {
    let network = Network::new()?;
    for port in [80, 81, 82] {
        network.server.listen(&format!("0.0.0.0:{port}"))?;
    }
    let host = Host::new()?;
    let rules = server_and(
        r#"
        { map = { name = "ports", key-type = "inet-service", value-type = "verdict", elements = [["80", "accept"], ["81-82", "drop"]] } },
        { raw = { chain = "input", rule = "tcp dport vmap @ports" } },
        { open = { protocol = "tcp", port = 81 } },
        "#,
    )?;
    network.apply(&host, &rules)?;
    ensure!(network.client.reaches("192.0.2.1:80")? && !network.client.reaches("192.0.2.1:81")?);
    Ok(())
}

#[test]
fn words_that_nft_does_not_know_are_refused_before_anything_changes() -> Result<()> {
    let network = Network::new()?;
    let host = Host::new()?;
    let rules = server_and(r#"{ raw = { chain = "input", rule = "tcp dport is open" } },"#)?;
    let refused = network.apply(&host, &rules).err().context("nft took it")?;
    ensure!(
        refused.to_string().contains("nft refuses the ruleset") && refused.to_string().contains("is open"),
        "{refused}"
    );
    ensure!(network.server.command("nft list ruleset")?.is_empty(), "something changed");
    Ok(())
}

#[test]
fn a_set_is_one_thing_and_holds_what_a_rule_looks_for() -> Result<()> {
    let error =
        |more: &str| -> Result<String> { Ok(compile(&server_and(more)?).err().context("it was taken")?.to_string()) };
    let office = r#"{ set = { name = "office", element-type = "ipv4-addr", elements = ["10.0.0.1"] } }"#;
    let other = office.replace("10.0.0.1", "10.0.0.2");
    ensure!(error(&format!("{office}, {other}"))?.contains("two contents of the set or map office"));
    compile(&server_and(&format!("{office}, {office}"))?)?;
    let rule = |rest: &str| format!("{office}, {{ rule = {{ chain = \"input\", verdict = \"accept\", {rest} }} }}");
    let missing = error(&rule(r#"traffic = "any", source = ["@lab"]"#))?;
    ensure!(missing.contains("no policy adds a set lab"), "{missing}");
    let ports = error(&rule(r#"traffic = { tcp = [] }, port-set = "office""#))?;
    ensure!(ports.contains("holds addresses"), "{ports}");
    let family = error(&rule(r#"traffic = "icmpv6", source = ["@office"]"#))?;
    ensure!(family.contains("no packet is one of `icmpv6`"), "{family}");
    Ok(())
}

#[test]
fn elements_are_read_with_care() -> Result<()> {
    let set = |rest: &str| {
        specs(&format!("specs = [{{ set = {{ name = \"a\", {rest} }} }}]")).err().map(|error| format!("{error:#}"))
    };
    for (rest, reason) in [
        (r#"element-type = "ipv4-addr", elements = ["10.0.0.1/8"]"#, "no element of type ipv4_addr"),
        (r#"element-type = "ipv4-addr", elements = ["2001:db8::1"]"#, "no element of type ipv4_addr"),
        (r#"element-type = "ipv4-addr", elements = ["10.0.0.9-10.0.0.1"]"#, "no element of type ipv4_addr"),
        (r#"element-type = "inet-service", elements = ["0"]"#, "no element of type inet_service"),
        (r#"element-type = "ipv4-addr", dynamic = true, elements = ["10.0.0.0/8"]"#, "an interval"),
        (r#"element-type = "ipv4-addr", timeout = 5"#, "a dynamic set only"),
        (r#"element-type = "ipv4-addr", dynamic = true, timeout = 0"#, "at least 1 second"),
    ] {
        let said = set(rest).with_context(|| rest.to_owned())?;
        ensure!(said.contains(reason), "{rest}: {said}");
    }
    let map = r#"specs = [{ map = { name = "a", key-type = "inet-service", value-type = "verdict", elements = [["1-9", "drop"], ["9", "drop"]] } }]"#;
    let overlap = specs(map).err().map(|error| format!("{error:#}")).unwrap_or_default();
    ensure!(overlap.contains("overlap"), "{overlap}");
    Ok(())
}
