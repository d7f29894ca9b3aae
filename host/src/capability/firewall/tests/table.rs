//! The rules as a person reads them.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Result, ensure};

use super::{server, specs};
use crate::capability::firewall::spec::Transport;
use crate::capability::firewall::{Listening, Row, doors, table, ways_in, who_reaches};

fn listening() -> Result<BTreeSet<Listening>> {
    let all = [
        ("tcp", 22, "0.0.0.0", "sshd"),
        ("tcp", 22, "::", "sshd"),
        ("tcp", 5432, "10.0.0.1", "postgres"),
        ("udp", 51820, "::", "wireguard-go"),
    ];
    let one = |(protocol, port, address, program): (&str, u16, &str, &str)| {
        let protocol = if protocol == "tcp" { Transport::Tcp } else { Transport::Udp };
        Ok(Listening { protocol, port, address: address.parse()?, program: program.to_owned() })
    };
    all.into_iter().map(one).collect()
}

#[test]
fn every_rule_has_its_row_and_every_door_says_who_gets_in() -> Result<()> {
    let mut rules = server()?;
    rules.extend(specs(
        r#"specs = [
            { set = { name = "office", element-type = "ipv4-addr", elements = ["192.0.2.0/24"] } },
            { open = { protocol = "udp", port = 51820 } },
            { open = { protocol = "tcp", port = 22, source = ["10.8.0.0/24"], input-interface = "wg0" } },
            { rule = { chain = "input", source = ["@office"], traffic = { tcp = [] }, source-ports = [1024], ct-state = ["new"], limit = { rate = 3, per = "minute" }, verdict = "reject", comment = "slowly" } },
            { raw = { chain = "forward", rule = "tcp flags syn tcp option maxseg size set rt mtu" } },
            { rule = { chain = "prerouting", destination = ["192.0.2.1"], traffic = { tcp = [443] }, verdict = { redirect = 8443 } } },
        ]"#,
    )?);
    let mut text = String::new();
    for section in table(&rules)? {
        writeln!(text, "{}: {}", section.chain, section.default)?;
        for Row { from, by, to, verdict, policy } in section.rows {
            writeln!(text, "  {from} | {by} | {to} | {verdict} | {policy}")?;
        }
    }
    for door in doors(&rules, &listening()?)? {
        writeln!(text, "{} | {:?} | {}", door.port, door.program, door.who.join("; "))?;
    }
    insta::assert_snapshot!(text, @r#"
    prerouting: accept by default
      everywhere | any | 192.0.2.1 tcp 443 | redirect to :8443 | base
    input: drop by default (base)
      everywhere | any | tcp 22 | accept | base
      10.9.0.0/24 | any | tcp 8443 | accept | base
      everywhere | any | udp 51820 | accept | base
      10.8.0.0/24 | wg0 | tcp 22 | accept | base
      @office | any | tcp sport 1024 ct state new limit rate 3/minute burst 5 packets | reject | base: slowly
    forward: accept by default
       |  | tcp flags syn tcp option maxseg size set rt mtu |  | base
    tcp 22 | Some("sshd") | everywhere; 10.8.0.0/24 by wg0
    tcp 5432 | Some("postgres") | 
    udp 51820 | Some("wireguard-go") | everywhere
    tcp 8443 | None | 10.9.0.0/24
    "#);
    ensure!(ways_in(&rules) == BTreeSet::from(["wg0"]));
    Ok(())
}

#[test]
fn what_an_earlier_rule_drops_is_said() -> Result<()> {
    let mut rules = server()?;
    rules.extend(specs(
        r#"specs = [
            { rule = { chain = "input", source = ["192.0.2.0/24"], traffic = { tcp = [80] }, verdict = "drop" } },
            { rule = { chain = "input", traffic = { tcp = [81] }, counter = true, verdict = "reject" } },
            { open = { protocol = "tcp", port = 80 } },
            { open = { protocol = "tcp", port = 81 } },
        ]"#,
    )?);
    let who = |port| who_reaches(&rules, Transport::Tcp, port);
    ensure!(who(80)? == ["everywhere, unless an earlier rule drops it"] && who(81)?.is_empty());
    ensure!(who(22)? == ["everywhere"], "it was let in before");
    Ok(())
}

#[test]
fn without_rules_everybody_gets_in() -> Result<()> {
    ensure!(table(&[])?.is_empty());
    let doors = doors(&[], &listening()?)?;
    ensure!(doors.len() == 3 && doors.iter().all(|door| door.who == ["everybody, unless a rule says otherwise"]));
    Ok(())
}
