//! Who will reach the ports that containers publish: what compose files say, seen through the firewall of the same plan.

use super::Plan;
use crate::capability::Capability;
use crate::capability::compose::{self, Compose, Published};
use crate::capability::firewall::{self, Firewall, Transport, who_reaches};

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

fn who(specs: &[crate::capability::Declared<firewall::Spec>], published: &Published) -> String {
    let is_own = |ip: &String| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if published.host_ip.as_ref().is_some_and(is_own) {
        return "this host only".to_owned();
    }
    let protocol = if published.protocol == "udp" { Transport::Udp } else { Transport::Tcp };
    // Of a range, what is said of its first port: rules rarely tell the ports of one service apart.
    let first = published.ports.split('-').next().and_then(|port| port.parse().ok());
    match first.map(|port| who_reaches(specs, protocol, port)) {
        Some(Ok(who)) if who.is_empty() => "nobody: published, but closed".to_owned(),
        Some(Ok(who)) => who.join("; "),
        _ => "see `stead firewall show` once Docker has picked it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use serde_json::json;

    use super::*;
    use crate::capability::Declared;

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
        assert_eq!(said("udp", "53-54", None), "10.8.0.0/24 by wg0");
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
