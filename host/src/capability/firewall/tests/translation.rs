//! What happens to addresses and ports on the way, seen from both ends.

use anyhow::{Result, ensure};

use super::packets::{Network, Published, reaches};
use super::{Host, server, specs};

#[test]
fn a_translated_port_is_open_when_the_port_that_clients_use_is() -> Result<()> {
    let lab = Published::new()?;
    let host = Host::new()?;
    let mut rules = server()?;
    rules.extend(specs(
        r#"specs = [
            { rule = { chain = "prerouting", traffic = { tcp = [8081] }, verdict = { dnat = "172.17.0.2:80" } } },
            { rule = { chain = "prerouting", traffic = { tcp = [8081] }, verdict = { dnat = "[fd17::2]:80" } } },
        ]"#,
    )?);
    let reaches = |address: &str| lab.network.client.reaches(address);
    lab.network.apply(&host, &rules)?;
    ensure!(!reaches("192.0.2.1:8081")? && !reaches("[2001:db8::1]:8081")?, "nobody opened it");
    rules.extend(specs(r#"specs = [{ open = { protocol = "tcp", port = 8081 } }]"#)?);
    lab.network.apply(&host, &rules)?;
    ensure!(reaches("192.0.2.1:8081")? && reaches("[2001:db8::1]:8081")?, "it was opened");
    ensure!(!reaches("172.17.0.2:80")?, "the container itself stays shut");
    Ok(())
}

#[test]
fn a_redirected_port_needs_no_second_opening() -> Result<()> {
    let network = Network::new()?;
    network.server.listen("0.0.0.0:8443")?;
    network.server.listen("[::]:8444")?;
    let host = Host::new()?;
    for input in ["drop", "accept"] {
        let rules = specs(&format!(
            r#"specs = [
                {{ default = {{ chain = "input", verdict = "{input}" }} }},
                {{ open = {{ protocol = "tcp", port = 443 }} }},
                {{ rule = {{ chain = "prerouting", source = ["192.0.2.0/24"], traffic = {{ tcp = [443] }}, verdict = {{ redirect = 8443 }} }} }},
                {{ rule = {{ chain = "prerouting", source = ["2001:db8::/64"], traffic = {{ tcp = [443] }}, verdict = {{ redirect = 8444 }} }} }},
            ]"#
        ))?;
        network.apply(&host, &rules)?;
        ensure!(reaches(&network, &rules, "192.0.2.1:443")?, "{input}");
        ensure!(reaches(&network, &rules, "[2001:db8::1]:443")?, "{input}");
        ensure!(reaches(&network, &rules, "192.0.2.1:8443")? == (input == "accept"), "{input}");
    }
    Ok(())
}

#[test]
fn a_masqueraded_network_gets_answers() -> Result<()> {
    let lab = Published::new()?;
    let host = Host::new()?;
    // Without Docker's own translation, and without a way back.
    lab.network.server.command("nft delete table ip docker-bridges")?;
    lab.network.client.ip("route del 172.17.0.0/16")?;
    ensure!(!lab.container.reaches("192.0.2.2:7000")?, "there is a way back, so this shows nothing");
    for verdict in ["\"masquerade\"", "{ snat = \"192.0.2.1\" }"] {
        let rules = specs(&format!(
            r#"specs = [{{ rule = {{ chain = "postrouting", output-interface = "eth0", source = ["172.17.0.0/16"], traffic = "any", verdict = {verdict} }} }}]"#
        ))?;
        lab.network.apply(&host, &rules)?;
        ensure!(lab.container.reaches("192.0.2.2:7000")?, "{verdict}");
    }
    Ok(())
}
