//! What a compose file would do to the host: found in the resolved model, held against the grant.

use std::fmt;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::model::{Model, MountKind, Port, Service};
use super::summary::{mounted_files, networks, volumes};

/// One thing that a service, or a volume, asks of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// `service web`, `volume data`.
    pub of: String,
    /// The key of the compose file: `ports`.
    pub key: String,
    pub ask: Ask,
}

/// What is asked of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// A published port; 0 is one that Docker picks.
    Port(u16),
    /// A path of the host outside of the project's folder, and where it really leads when that is elsewhere.
    Bind {
        path: String,
        real: Option<String>,
    },
    /// More power than a container has by default.
    Privileged,
    /// A namespace of the host: `network`, `pid`, …
    HostNamespace(String),
    Device(String),
    CapAdd(String),
    DockerSocket,
    Image(String),
    /// What a Dockerfile does while an image is built: it may start from any image, and reaches the network.
    Build,
    /// A network, volume or container that is not the project's own.
    External(String),
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, key {}: ", self.of, self.key)?;
        match &self.ask {
            Ask::Port(0) => write!(f, "publish a port that Docker picks"),
            Ask::Port(port) => write!(f, "publish port {port}"),
            Ask::Bind { path, real: None } => write!(f, "bind {path}"),
            Ask::Bind { path, real: Some(real) } => write!(f, "bind {path}, which leads to {real},"),
            Ask::Privileged => write!(f, "be privileged"),
            Ask::HostNamespace(namespace) => write!(f, "share the host's {namespace} namespace"),
            Ask::Device(path) => write!(f, "use the device {path}"),
            Ask::CapAdd(capability) => write!(f, "gain {capability}"),
            Ask::DockerSocket => write!(f, "use the Docker socket, which is root on this host,"),
            Ask::Image(image) => write!(f, "run the image {image}"),
            Ask::Build => write!(f, "build its image"),
            Ask::External(name) => write!(f, "use {name}, which is not the project's own,"),
        }
    }
}

/// All that a model asks of the host. Binds of the project's own folder are among them, for links may lead out of it.
pub(super) fn claims(lasting: &Path, model: &Model) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, service) in &model.services {
        let of = format!("service {name}");
        let mut add = |key: &str, ask| claims.push(Claim { of: of.clone(), key: key.to_owned(), ask });
        powers(service, &mut add);
        for port in service.ports.iter().flat_map(published) {
            add("ports", Ask::Port(port));
        }
        let binds = service.volumes.iter().filter(|mount| mount.kind == MountKind::Bind);
        let binds = binds.filter_map(|mount| Some(("volumes", mount.source.as_deref()?)));
        for (key, path) in binds.chain(mounted_files(model, service)) {
            add(key, bind(lasting, path));
        }
        for network in networks(model, service).filter(|network| network.external) {
            add("networks", Ask::External(network.name.clone()));
        }
        for (key, _, source) in model.files_of(service).filter(|(_, _, source)| source.external) {
            add(key, Ask::External(source.name.clone()));
        }
        for volume in volumes(model, service) {
            if volume.external {
                add("volumes", Ask::External(volume.name.clone()));
            }
            // The local driver mounts whatever it is told to: a folder, a disk, an overlay over any of them.
            let options = volume.driver_opts.get("o").into_iter().flat_map(|options| options.split(','));
            let paths = options.filter_map(|option| option.split_once('=')).flat_map(|(_, value)| value.split(':'));
            let paths = paths.filter(|path| path.starts_with('/'));
            for path in paths.chain(volume.driver_opts.get("device").map(String::as_str)) {
                add("volumes", bind(lasting, path));
            }
        }
    }
    claims
}

fn powers(service: &Service, add: &mut impl FnMut(&str, Ask)) {
    match (&service.image, &service.build) {
        (_, Some(_)) => add("build", Ask::Build),
        (Some(image), None) => add("image", Ask::Image(image.clone())),
        (None, None) => {}
    }
    for mount in service.volumes.iter().filter(|mount| mount.kind == MountKind::Image) {
        add("volumes", Ask::Image(mount.source.clone().unwrap_or_default()));
    }
    // What is mounted in a container would be mounted on the host.
    let propagation = |mount: &&super::model::Mount| {
        mount.bind.as_ref().is_some_and(|bind| bind.propagation.as_deref().is_some_and(|name| name.ends_with("shared")))
    };
    if service.volumes.iter().any(|mount| propagation(&mount)) {
        add("volumes", Ask::Privileged);
    }
    for (key, hooks) in [("post_start", &service.post_start), ("pre_stop", &service.pre_stop)] {
        if hooks.iter().any(|hook| hook.privileged) {
            add(key, Ask::Privileged);
        }
    }
    if service.use_api_socket {
        add("use_api_socket", Ask::DockerSocket);
    }
    if service.cgroup_parent.is_some() {
        add("cgroup_parent", Ask::Privileged);
    }
    if service.privileged {
        add("privileged", Ask::Privileged);
    }
    if service.security_opt.iter().any(|option| !option.starts_with("no-new-privileges")) {
        add("security_opt", Ask::Privileged);
    }
    for (key, namespace, mode) in [
        ("network_mode", "network", &service.network_mode),
        ("pid", "pid", &service.pid),
        ("ipc", "ipc", &service.ipc),
        ("uts", "uts", &service.uts),
        ("userns_mode", "user", &service.userns_mode),
        ("cgroup", "cgroup", &service.cgroup),
    ] {
        match mode.as_deref() {
            Some("host") => add(key, Ask::HostNamespace(namespace.to_owned())),
            Some(mode) if mode.starts_with("container:") => add(key, other(mode)),
            _ => {}
        }
    }
    for from in service.volumes_from.iter().filter(|from| from.starts_with("container:")) {
        add("volumes_from", other(from));
    }
    for link in &service.external_links {
        add("external_links", Ask::External(link.split(':').next().unwrap_or(link).to_owned()));
    }
    for device in &service.devices {
        add("devices", Ask::Device(device.source.clone()));
    }
    for rule in &service.device_cgroup_rules {
        add("device_cgroup_rules", Ask::Device(rule.clone()));
    }
    let reserved = service.deploy.resources.reservations.devices.iter().map(|device| ("deploy", device));
    for (key, device) in service.gpus.iter().map(|device| ("gpus", device)).chain(reserved) {
        add(key, Ask::Device(device.driver.clone().unwrap_or_else(|| "gpu".to_owned())));
    }
    for capability in &service.cap_add {
        add("cap_add", Ask::CapAdd(capability.clone()));
    }
}

/// A container that is not the project's own: `container:NAME`.
fn other(mode: &str) -> Ask {
    Ask::External(mode.split(':').nth(1).unwrap_or_default().to_owned())
}

/// The ports of the host that may be taken; what is no port is refused by Docker.
fn published(port: &Port) -> Vec<u16> {
    let published = port.published.as_deref().filter(|published| !published.is_empty()).unwrap_or("0");
    let (first, last) = published.split_once('-').unwrap_or((published, published));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).collect(),
        _ => vec![0],
    }
}

fn bind(lasting: &Path, path: &str) -> Ask {
    // Where `..` leads is seen here, not by the pattern of a grant.
    let mut plain = lasting.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            component => plain.push(component),
        }
    }
    Ask::Bind { path: plain.to_string_lossy().into_owned(), real: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::compose::model::parse;

    /// What a service that says this asks of the host, in words.
    fn asked(service: &str) -> Vec<String> {
        let model = format!(r#"{{"services": {{"web": {{"image": "i", {service}}}}}}}"#);
        let model = parse(&serde_json::from_str(&model).unwrap_or_default());
        assert_eq!(model.unsupported, [""; 0], "{service}");
        let claims = claims(Path::new("/apps/blog"), &model.model);
        claims.iter().map(ToString::to_string).filter(|words| !words.contains("run the image i")).collect()
    }

    #[test]
    fn every_power_is_a_claim() {
        for (service, claim) in [
            (r#""build": {"context": "/apps/blog"}"#, "key build: build its image"),
            (r#""gpus": [{"driver": "nvidia"}]"#, "key gpus: use the device nvidia"),
            (
                r#""deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}}"#,
                "key deploy: use the device gpu",
            ),
            (r#""device_cgroup_rules": ["c 1:3 rw"]"#, "key device_cgroup_rules: use the device c 1:3 rw"),
            (r#""cgroup_parent": "system.slice""#, "key cgroup_parent: be privileged"),
            (r#""security_opt": ["apparmor=unconfined"]"#, "key security_opt: be privileged"),
            (r#""post_start": [{"command": ["x"], "privileged": true}]"#, "key post_start: be privileged"),
            (r#""uts": "host""#, "key uts: share the host's uts namespace"),
            (r#""userns_mode": "host""#, "key userns_mode: share the host's user namespace"),
            (r#""cgroup": "host""#, "key cgroup: share the host's cgroup namespace"),
            (r#""ipc": "container:other""#, "key ipc: use other, which is not the project's own,"),
            (
                r#""volumes_from": ["container:other:ro"]"#,
                "key volumes_from: use other, which is not the project's own,",
            ),
            (r#""external_links": ["db:database"]"#, "key external_links: use db, which is not the project's own,"),
            (r#""volumes": [{"type": "image", "source": "j", "target": "/j"}]"#, "key volumes: run the image j"),
            (
                r#""volumes": [{"type": "bind", "source": "/apps/blog/x", "target": "/x", "bind": {"propagation": "rshared"}}]"#,
                "key volumes: be privileged",
            ),
        ] {
            let asked = asked(service);
            assert!(asked.iter().any(|words| words == &format!("service web, {claim}")), "{service}: {asked:?}");
        }
        assert_eq!(asked(r#""security_opt": ["no-new-privileges:true"]"#), [""; 0]);
    }
}
