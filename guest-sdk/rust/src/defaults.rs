//! Empty records, for `..Default::default()`: what is left out is left to the host.

use crate::bindings::stead::host::{compose, file, firewall, package, service, user, vpn};
use crate::job_bindings::stead::host::{container, http, vm};

macro_rules! empty {
    ($($record:path { $($field:ident),* $(; $other:ident: $value:expr)* }),* $(,)?) => {
        $(impl Default for $record {
            fn default() -> Self {
                Self { $($field: Default::default(),)* $($other: $value,)* }
            }
        })*
    };
}

empty! {
    package::Options { version, hold, recommends },
    package::Repository { name, types, uris, suites, components, architectures, key },
    file::Attributes { mode, owner, group },
    user::Account { name, uid, shell, home, comment, system, groups, authorized_keys, sudo },
    service::State { enabled, running, masked, depends_on; on_change: service::OnChange::Restart },
    firewall::Rule {
        input_interface, output_interface, source, destination, protocol, ports, port_set, source_ports, icmp_types, mark,
        time, limit, counter, log, comment;
        chain: firewall::Chain::Input; ct_state: firewall::CtState::empty(); verdict: firewall::Verdict::Accept
    },
    firewall::Time { hours; days: firewall::Days::empty() },
    firewall::Set { name, elements, dynamic, timeout; element_type: firewall::ElementType::Ipv4Addr },
    vpn::Interface { name, addresses, listen_port, mtu, fwmark, routes, table },
    vpn::Peer { public_key, name, preshared_key, endpoint, allowed_ips, persistent_keepalive },
    compose::Options { environment, secrets, health_timeout, scale },
    vm::Request { provider, image, instance_type, cpus, memory, disk, region, spot, network, lifetime },
    vm::Command { script, environment, timeout },
    container::Options {
        command, entrypoint, environment, secrets, files, user, working_dir, memory, millicpus, timeout
    },
    http::Request { url, headers, body, timeout; method: http::Method::Get },
}
