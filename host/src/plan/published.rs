//! Who will reach the ports that containers publish: what compose files say, seen through the firewall of the same plan.

use super::Plan;
use crate::capability::compose::{self, Compose, Published};
use crate::capability::firewall::{self, Firewall, Transport, who_reaches};
use crate::capability::{Capability, Declared};

/// A line for every port that a project of the plan publishes.
pub(super) fn published(plan: &Plan) -> Vec<String> {
    let Some(fact) = plan.observed.get(Compose::NAME) else { return Vec::new() };
    let Ok(fact) = serde_json::from_value::<compose::Fact>(fact.clone()) else { return Vec::new() };
    let specs = plan.specs.get(Firewall::NAME).cloned().unwrap_or_default();
    let Ok(specs) = firewall::recorded(specs) else { return Vec::new() };
    let mut lines = Vec::new();
    for (project, found) in &fact.projects {
        for port in found.wanted.iter().flat_map(|wanted| &wanted.published) {
            let ports = if port.ports.is_empty() { "a port that Docker picks" } else { &port.ports };
            let who = who(&specs, port);
            lines.push(format!("{} {ports} of {project}, service {}: {who}", port.protocol, port.service));
        }
    }
    lines
}

fn who(specs: &[Declared<firewall::Spec>], published: &Published) -> String {
    let is_own = |ip: &String| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if published.host_ip.as_ref().is_some_and(is_own) {
        return "this host only".to_owned();
    }
    let protocol = if published.protocol == "udp" { Transport::Udp } else { Transport::Tcp };
    let Some((first, last)) = range(&published.ports) else {
        return "see `stead firewall show` once Docker has picked it".to_owned();
    };
    // The ports of a range that the same are let in to, together.
    let mut parts: Vec<(u16, u16, String)> = Vec::new();
    for port in first..=last {
        let who = reached_by(specs, protocol, port);
        match parts.last_mut() {
            Some((_, end, same)) if *same == who => *end = port,
            _ => parts.push((port, port, who)),
        }
    }
    let part = |(from, to, who): &(u16, u16, String)| match parts.len() {
        1 => who.clone(),
        _ if from == to => format!("{from} {who}"),
        _ => format!("{from}-{to} {who}"),
    };
    parts.iter().map(part).collect::<Vec<_>>().join("; ")
}

fn range(ports: &str) -> Option<(u16, u16)> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn reached_by(specs: &[Declared<firewall::Spec>], protocol: Transport, port: u16) -> String {
    match who_reaches(specs, protocol, port) {
        Ok(who) if who.is_empty() => "nobody: published, but closed".to_owned(),
        Ok(who) => who.join("; "),
        // A plan whose rules contradict each other is not made.
        Err(contradiction) => contradiction.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_firewall_of_the_plan_says_who() -> Result<()> {
        let spec = |spec| Declared { policy: "base".to_owned(), spec };
        let open =
            json!({ "open": { "protocol": "udp", "port": 53, "source": ["10.8.0.0/24"], "input-interface": "wg0" } });
        let specs = [spec(json!({ "default": { "chain": "input", "verdict": "drop" } })), spec(open)];
        let specs = firewall::recorded(specs.to_vec())?;
        let said = |protocol: &str, ports: &str, host_ip: Option<&str>| {
            let (protocol, ports) = (protocol.to_owned(), ports.to_owned());
            who(&specs, &Published { service: "web".to_owned(), protocol, ports, host_ip: host_ip.map(str::to_owned) })
        };
        assert_eq!(said("udp", "53", None), "10.8.0.0/24 by wg0");
        let parts = "52 nobody: published, but closed; 53 10.8.0.0/24 by wg0; 54-60 nobody: published, but closed";
        assert_eq!(said("udp", "52-60", None), parts);
        assert_eq!(said("tcp", "52-60", None), "nobody: published, but closed");
        assert_eq!(said("tcp", "53", None), "nobody: published, but closed");
        assert_eq!(said("tcp", "53", Some("127.0.0.1")), "this host only");
        assert_eq!(said("tcp", "", None), "see `stead firewall show` once Docker has picked it");
        assert_eq!(
            who(
                &[],
                &Published {
                    service: "web".to_owned(),
                    protocol: "tcp".to_owned(),
                    ports: "80".to_owned(),
                    host_ip: None
                }
            ),
            "everybody, unless a rule says otherwise"
        );
        Ok(())
    }
}
