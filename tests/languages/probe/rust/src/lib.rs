//! Calls everything with values at the edge, and tells what the host answered: the same in every language.

use stead_guest::bindings::stead::host::types;
use stead_guest::{Error, backup, compose, config, facts, file, firewall, info, log, package, service, sysctl, user, vpn};

#[derive(serde::Deserialize)]
struct Config {
    mode: String,
}

stead_guest::policy!(configure);

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;
    match config.mode.as_str() {
        "calls" => calls(),
        "backup" => match backup::schedule() {
            Ok(names) => info!("backup.schedule: {}", names.join(",")),
            Err(error) => told("backup.schedule", Err(error)),
        },
        "denied" => package::install("not-granted", &package::Options::default())?,
        "invalid" => sysctl::set("", "1")?,
        "other" => return Err(Error::new("no ☃ today")),
        "crash" => crash(&[]),
        "wasi" => info!("files: none, environment: 0, network: none, time: none, random: none"),
        other => return Err(Error::new(format!("no mode {other}"))),
    }
    Ok(())
}

fn crash(values: &[u32]) {
    assert!(!values.is_empty(), "nothing to take from");
}

fn told(call: &str, answer: Result<(), types::Error>) {
    match answer {
        Ok(()) => info!("{call}: ok"),
        Err(error) => log::log(log::Level::Info, &format!("{call}: {}", Error::from(error))),
    }
}

fn text(words: &str) -> file::Part {
    file::Part::Text(words.to_owned())
}

fn calls() {
    let os = facts::os();
    info!("{} {} {} {}", facts::host_name(), facts::architecture(), os.id, os.version_id);
    for interface in facts::interfaces() {
        info!("{} {} {}", interface.name, interface.addresses.join(","), interface.default_route);
    }
    for level in [log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error] {
        log::log(level, "a\u{1b}[2J ☃");
    }
    packages();
    files();
    users();
    services();
    parameters();
    packets();
    tunnels();
    let options = compose::Options {
        environment: vec![("A".to_owned(), "☃".to_owned())],
        secrets: vec![("B".to_owned(), "c".to_owned())],
        health_timeout: Some(0),
        scale: Vec::new(),
    };
    told("compose.up", compose::up("none", &options));
}

fn packages() {
    told("package.install", package::install("", &package::Options::default()));
    let options = package::Options { version: Some("1.0".to_owned()), hold: Some(true), recommends: Some(false) };
    told("package.install", package::install("nginx", &options));
    told("package.install", package::install("näme☃", &options));
    told("package.remove", package::remove(&"a".repeat(300)));
    let repository = package::Repository { name: "probe".to_owned(), uris: vec!["☃".to_owned()], ..Default::default() };
    told("package.add-repository", package::add_repository(&repository));
}

fn files() {
    let attributes =
        file::Attributes { mode: Some(u32::MAX), owner: Some(String::new()), group: Some("x".to_owned()) };
    told("file.write", file::write("/etc/ü", &[text("☃")], &attributes, &[]));
    let parts = [text(""), file::Part::Bytes(vec![0, 128, 255]), text("☃")];
    told("file.write", file::write("/etc/probe", &parts, &file::Attributes::default(), &[]));
    told("file.write", file::write("/etc/secret", &[file::Part::Secret("none".to_owned())], &Default::default(), &[]));
    told("file.directory", file::directory("relative", &file::Attributes::default()));
    told("file.symlink", file::symlink("/etc/link", ""));
    told("file.absent", file::absent("/etc/../x"));
}

fn users() {
    let account = user::Account {
        name: "probe".to_owned(),
        uid: Some(u32::MAX),
        authorized_keys: Some(Vec::new()),
        sudo: Some(user::Sudo::All),
        ..Default::default()
    };
    told("user.present", user::present(&account));
    told("user.group", user::group("probe", Some(4000)));
    told("user.group", user::group("", None));
    told("user.absent", user::absent("root"));
}

fn services() {
    let state = service::State {
        enabled: Some(true),
        running: Some(false),
        depends_on: vec!["file:/etc/probe".to_owned()],
        on_change: service::OnChange::Reload,
        ..Default::default()
    };
    told("service.unit", service::unit("probe.service", &state));
    told("service.unit", service::unit("☃", &service::State::default()));
    told("service.unit-file", service::unit_file("probe.service", ""));
    told("service.drop-in", service::drop_in("probe.service", "probe", "[Service]\nNice=5\n"));
}

fn parameters() {
    told("sysctl.set", sysctl::set("vm.swappiness", "10"));
    told("sysctl.set", sysctl::set("kernel.probe", &"9".repeat(100_000)));
    told("sysctl.set", sysctl::set("net.ipv4.ip_forward", "1"));
}

fn packets() {
    use firewall::*;
    told("firewall.default-verdict", default_verdict(Chain::Output, Fallback::Accept));
    let rule = Rule {
        chain: Chain::Input,
        input_interface: Some("wg*".to_owned()),
        source: vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()],
        protocol: Some(Protocol::Tcp),
        ports: vec![PortRange { first: 1, last: 65535 }],
        ct_state: CtState::NEW | CtState::UNTRACKED,
        mark: Some(u32::MAX),
        time: Some(Time { days: Days::MONDAY | Days::SUNDAY, hours: Some(("08:00".to_owned(), "18:00".to_owned())) }),
        limit: Some(Limit { rate: 10, per: Per::Minute, burst: Some(7), over: true }),
        counter: true,
        log: Some("probe ".to_owned()),
        verdict: Verdict::Drop,
        comment: Some("☃".to_owned()),
        ..Default::default()
    };
    told("firewall.add-rule", add_rule(&rule));
    let redirect = Rule { chain: Chain::Prerouting, verdict: Verdict::Redirect(0), ..Default::default() };
    told("firewall.add-rule", add_rule(&redirect));
    let set = Set { name: "probe".to_owned(), elements: vec!["192.0.2.1".to_owned()], dynamic: true, timeout: Some(60), ..Default::default() };
    told("firewall.add-set", add_set(&set));
    let map = Map {
        name: "ports".to_owned(),
        key_type: ElementType::InetService,
        value_type: ValueType::Verdict,
        elements: vec![("22".to_owned(), "accept".to_owned())],
    };
    told("firewall.add-map", add_map(&map));
    told("firewall.raw", raw(Chain::Forward, "tcp dport 22 ct count over 10 reject"));
    told("firewall.open", open(Protocol::Udp, 65535, &["::/0".to_owned()], Some("wg0")));
    told("firewall.open", open(Protocol::Tcp, 0, &[], None));
}

fn tunnels() {
    let interface = vpn::Interface {
        name: "wg0".to_owned(),
        addresses: vec!["10.8.0.1/24".to_owned(), "fd08::1/64".to_owned()],
        listen_port: Some(65535),
        mtu: Some(1280),
        fwmark: Some(u32::MAX),
        routes: Some(true),
        table: Some(u32::MAX),
    };
    told("vpn.add-interface", vpn::add_interface(&interface));
    let peer = vpn::Peer {
        public_key: "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=".to_owned(),
        name: Some("☃".to_owned()),
        endpoint: Some("[2001:db8::1]:51820".to_owned()),
        allowed_ips: vec!["10.8.0.2".to_owned()],
        persistent_keepalive: Some(65535),
        ..Default::default()
    };
    told("vpn.add-peer", vpn::add_peer("wg0", &peer));
    told("vpn.add-mesh", vpn::add_mesh("none").map(|_| ()));
}
