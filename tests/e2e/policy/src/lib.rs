//! A policy that asks for something of every capability, each named by its config.

use std::collections::BTreeMap;

use serde::Deserialize;
use stead_guest::file::{Attributes, Part};
use stead_guest::{Error, compose, config, file, firewall, package, service, sysctl, user, vpn};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Config {
    packages: Vec<String>,
    users: Vec<String>,
    /// Contents by path.
    files: BTreeMap<String, String>,
    /// The program that every file has to pass, with its arguments.
    validate: Vec<String>,
    sysctl: BTreeMap<String, String>,
    /// TCP ports to open; without any there is no firewall.
    ports: Vec<u16>,
    /// Addresses from which nothing is taken.
    blocked: Vec<String>,
    /// Addresses of `wg0`.
    vpn: Vec<String>,
    /// The mesh of the repo that the host is in.
    mesh: Option<String>,
    /// Commands that run as services, by name.
    services: BTreeMap<String, String>,
    apps: Vec<String>,
}

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;
    for name in &config.packages {
        package::install(name, &package::Options::default())?;
    }
    for name in config.users {
        user::present(&user::Account { name, ..user::Account::default() })?;
    }
    for (path, text) in config.files {
        file::write(&path, &[Part::Text(text)], &Attributes::default(), &config.validate)?;
    }
    for (key, value) in &config.sysctl {
        sysctl::set(key, value)?;
    }
    if !config.ports.is_empty() {
        firewall::default_verdict(firewall::Chain::Input, firewall::Fallback::Drop)?;
    }
    if !config.blocked.is_empty() {
        block(config.blocked)?;
    }
    for port in config.ports {
        firewall::open(firewall::Protocol::Tcp, port, &[], None)?;
    }
    if !config.vpn.is_empty() {
        let interface = vpn::Interface {
            name: "wg0".to_owned(),
            addresses: config.vpn,
            listen_port: Some(51820),
            ..vpn::Interface::default()
        };
        vpn::add_interface(&interface)?;
    }
    if let Some(name) = &config.mesh {
        vpn::add_mesh(name)?;
    }
    for (name, command) in &config.services {
        unit(name, command)?;
    }
    for name in &config.apps {
        compose::up(name, &compose::Options::default())?;
    }
    Ok(())
}

/// Says everything that a rule can say, at least once.
fn block(elements: Vec<String>) -> Result<(), Error> {
    firewall::add_set(&firewall::Set { name: "blocked".to_owned(), elements, ..firewall::Set::default() })?;
    let often = firewall::Limit { rate: 10, per: firewall::Per::Minute, burst: None, over: true };
    firewall::add_rule(&firewall::Rule {
        source: vec!["@blocked".to_owned()],
        protocol: Some(firewall::Protocol::Tcp),
        ports: vec![firewall::PortRange { first: 1, last: 1023 }],
        source_ports: vec![firewall::PortRange { first: 1024, last: 65535 }],
        ct_state: firewall::CtState::NEW | firewall::CtState::UNTRACKED,
        mark: Some(7),
        time: Some(firewall::Time {
            days: firewall::Days::MONDAY | firewall::Days::SUNDAY,
            hours: Some(("08:00".to_owned(), "17:30".to_owned())),
        }),
        limit: Some(often),
        counter: true,
        log: Some("blocked ".to_owned()),
        verdict: firewall::Verdict::Reject,
        comment: Some("too often".to_owned()),
        ..firewall::Rule::default()
    })?;
    firewall::add_rule(&firewall::Rule {
        chain: firewall::Chain::Prerouting,
        protocol: Some(firewall::Protocol::Udp),
        ports: vec![firewall::PortRange { first: 5353, last: 5353 }],
        verdict: firewall::Verdict::Redirect(53),
        ..firewall::Rule::default()
    })?;
    firewall::add_map(&firewall::Map {
        name: "verdicts".to_owned(),
        key_type: firewall::ElementType::InetService,
        value_type: firewall::ValueType::Verdict,
        elements: vec![("6000-6009".to_owned(), "drop".to_owned())],
    })?;
    firewall::raw(firewall::Chain::Input, "ip saddr @blocked counter tcp dport vmap @verdicts")?;
    Ok(())
}

fn unit(name: &str, command: &str) -> Result<(), Error> {
    let unit = format!("{name}.service");
    // It may be restarted as often as a test likes.
    let content = format!(
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart={command}\n[Install]\nWantedBy=multi-user.target\n"
    );
    service::unit_file(&unit, &content)?;
    let on = service::State { enabled: Some(true), running: Some(true), ..service::State::default() };
    Ok(service::unit(&unit, &on)?)
}

stead_guest::policy!(configure);
