//! Empty records, for `..Default::default()`: what is left out is left to the host.

use crate::bindings::stead::host::{compose, file, firewall, package, service, user, vpn};

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
        input_interface, output_interface, source, destination, protocol, ports, comment;
        chain: firewall::Chain::Input; verdict: firewall::Verdict::Accept
    },
    vpn::Interface { name, addresses, listen_port, mtu, fwmark, routes, table },
    vpn::Peer { public_key, name, preshared_key, endpoint, allowed_ips, persistent_keepalive },
    compose::Options { environment, secrets, health_timeout },
}
