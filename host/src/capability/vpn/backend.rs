//! The machine's side: reads interfaces, and sets them so that what is right already is not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use wireguard_control::Key;

use super::device::{self, Device};
use super::files::Files;
use super::keys::{self, Keys};
use super::link::{Link, LinkError, Links};
use super::setting::Setting;
use super::spec::MAIN;
use super::{
    Boot, Driver, Endpoint, Fact, Identity, Live, Name, PeerState, PublicKey, Seen, Set, Spec, State, Vpn, userspace,
};
use crate::capability::{ApplyError, Capability, Declared, ObserveError, Owned};
use crate::digest::Digest;
use crate::secret::Secret;

/// How long systemd-networkd may take over a new interface. It may also be stopped, which its files do not tell.
const NETWORKD_PATIENCE: Duration = Duration::from_secs(5);

/// What is there under a name, with its keys.
#[derive(Debug, Default)]
pub(super) struct There {
    pub(super) seen: Seen,
    pub(super) device: Device,
}

/// What of an interface is looked at although it may be nobody's business: what is declared.
#[derive(Debug, Default)]
struct Sought {
    addresses: BTreeSet<IpNet>,
    tables: BTreeSet<u32>,
}

impl Sought {
    fn by(specs: &[Declared<Spec>], name: &Name) -> Self {
        let mut sought = Self::default();
        let declared = specs.iter().filter_map(|declared| declared.spec.declares());
        for interface in declared.filter(|interface| interface.name == *name) {
            sought.addresses.extend(&interface.addresses);
            sought.tables.extend(interface.table);
        }
        sought
    }

    fn of(to: Option<&Live>) -> Self {
        let of =
            |live: &Live| Self { addresses: live.addresses.clone(), tables: live.tables.keys().copied().collect() };
        to.map(of).unwrap_or_default()
    }
}

impl Vpn {
    pub(super) async fn read(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        let declared = specs.iter().map(|declared| declared.spec.interface().clone());
        let names: BTreeSet<Name> = declared.chain(owned.keys().filter_map(|name| name.parse().ok())).collect();
        if names.is_empty() {
            return Ok(Fact::default());
        }
        let mut fact = Fact {
            kernel: !self.machine.has_kernel() || kernel_has_wireguard(),
            networkd: self.networkd_is_enabled(),
            userspace: userspace::is_possible(&self.machine),
            interfaces: BTreeMap::new(),
            secrets: self.secret_digests(specs)?,
        };
        let links = self.machine.has_kernel().then(Links::open).transpose();
        let links = links.map_err(|error| unreadable("vpn", error))?;
        for name in names {
            let mut there = self.there(links.as_ref(), &name, &Sought::by(specs, &name)).await?;
            there.seen.kept = self.kept(specs, &name, &there.device)?;
            fact.interfaces.insert(name, there.seen);
        }
        Ok(fact)
    }

    fn secret_digests(&self, specs: &[Declared<Spec>]) -> Result<BTreeMap<String, Digest>, ObserveError> {
        let mut digests = BTreeMap::new();
        for name in specs.iter().flat_map(|declared| Vpn::secrets(&declared.spec)) {
            let secret = self.machine.secret(&name).ok_or_else(|| ObserveError::NoSecret { name: name.clone() })?;
            let key = keys::parse(secret.reveal())
                .ok_or_else(|| unreadable(&format!("secret {name}"), "is not 32 bytes in base64, as by `wg genpsk`"))?;
            digests.insert(name, keys::digest(&self.machine, &key));
        }
        Ok(digests)
    }

    /// The declared public key of an interface, when this machine has the pair.
    fn kept(&self, specs: &[Declared<Spec>], name: &Name, device: &Device) -> Result<Option<PublicKey>, ObserveError> {
        let mut declared = specs.iter().filter(|declared| declared.spec.interface() == name);
        let Some(key) = declared.find_map(|declared| declared.spec.public_key()) else { return Ok(None) };
        let found = Keys { machine: &self.machine, name }.find(key, device);
        let found = found.map_err(|error| unreadable(&format!("vpn {name}"), error))?;
        Ok(found.map(|_| *key))
    }

    fn networkd_is_enabled(&self) -> bool {
        let wants = "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service";
        self.machine.path(wants).symlink_metadata().is_ok()
    }

    async fn there(&self, links: Option<&Links>, name: &Name, sought: &Sought) -> Result<There, ObserveError> {
        let resource = format!("vpn {name}");
        let boot = Files { machine: &self.machine, name }
            .read()
            .map_err(|(path, source)| ObserveError::File { path, source })?;
        let link = match links {
            Some(links) => links.find(name).await.map_err(|error| unreadable(&resource, error))?,
            None => None,
        };
        let driver = link.as_ref().map(|link| driver(name, link));
        let (Some(links), Some(link), Some(served @ (Driver::Kernel | Driver::Userspace))) = (links, link, &driver)
        else {
            return Ok(There {
                seen: Seen { driver, state: State { live: None, boot }, kept: None },
                device: Device::default(),
            });
        };
        let device = device::read(name, served).map_err(|error| unreadable(&resource, error))?;
        let live = self.live(links, &link, &device, &boot, sought).await;
        let live = Some(live.map_err(|error| unreadable(&resource, error))?);
        Ok(There { seen: Seen { driver, state: State { live, boot }, kept: None }, device })
    }

    async fn live(
        &self,
        links: &Links,
        link: &Link,
        device: &Device,
        boot: &Boot,
        sought: &Sought,
    ) -> Result<Live, LinkError> {
        let counts = |address: &IpNet| !is_link_local(address) || sought.addresses.contains(address);
        let mut routes = links.routes(link.index).await?;
        let tables: BTreeSet<u32> = sought.tables.union(&boot.tables()).copied().collect();
        Ok(Live {
            identity: device.private.as_ref().map(|key| Identity::Of(keys::public(key))),
            listen_port: device.listen_port,
            fwmark: device.fwmark,
            mtu: link.mtu,
            up: link.up,
            addresses: links.addresses(link.index).await?.into_iter().filter(counts).collect(),
            routes: routes.remove(&MAIN).unwrap_or_default(),
            tables: routes.into_iter().filter(|(table, _)| tables.contains(table)).collect(),
            peers: self.peers(device, boot),
        })
    }

    fn peers(&self, device: &Device, boot: &Boot) -> BTreeMap<PublicKey, PeerState> {
        let declared = boot.endpoints();
        let peer = |(key, peer): (&PublicKey, &device::DevicePeer)| {
            let heard = || peer.endpoint.map(Endpoint::from);
            let state = PeerState {
                allowed_ips: peer.allowed_ips.clone(),
                preshared_key: peer.preshared.as_ref().map(|key| keys::digest(&self.machine, key)),
                endpoint: declared.get(key).cloned().unwrap_or_else(heard),
                persistent_keepalive: peer.keepalive,
            };
            (*key, state)
        };
        device.peers.iter().map(peer).collect()
    }

    pub(super) async fn set(&self, set: &Set) -> Result<(), ApplyError> {
        let name = &set.name;
        let (keys, files) = (Keys { machine: &self.machine, name }, Files { machine: &self.machine, name });
        let links = Links::open().map_err(|error| refused(name, error))?;
        let sought = Sought::of(set.to.live.as_ref());
        let there = self.there(Some(&links), name, &sought).await.map_err(|error| refused(name, error))?;
        keys.keep(&there.device, &set.to)?;
        let preshared = preshared(set, &keys, &there.device)?;
        // The private key is on disk before any peer can learn its public half.
        if let Some(identity) = set.to.boot.identity {
            let private = keys.private(identity, &there.device)?;
            files.write_private(&there.seen.state.boot, &private)?;
        }
        let is_new = there.seen.driver.is_none();
        let served = is_new && set.to.live.is_some() && set.to.boot.unit.is_some();
        let there = if served {
            files.write(&there.seen.state.boot, &set.to.boot, &preshared)?;
            userspace::start(name).await.map_err(|error| refused(name, error))?;
            self.there(Some(&links), name, &sought).await.map_err(|error| refused(name, error))?
        } else {
            there
        };
        match &set.to.live {
            Some(to) => {
                let setting = Setting { links: &links, name, to, there: &there, preshared: &preshared };
                setting.run(&keys).await?;
                if is_new && self.networkd_settles(&links, name).await {
                    let there = &self.there(Some(&links), name, &sought).await.map_err(|error| refused(name, error))?;
                    Setting { there, ..setting }.run(&keys).await?;
                }
            }
            None => self.stop(&links, name, &there.seen).await?,
        }
        // Files come last: the endpoints in them tell which have been set.
        files.write(&there.seen.state.boot, &set.to.boot, &preshared)?;
        if there.seen.state.boot.unit != set.to.boot.unit {
            userspace::reload(&self.machine).await.map_err(|error| refused(name, error))?;
        }
        if set.to.boot.identity.is_none() { keys.retire() } else { Ok(()) }
    }
}

impl Vpn {
    async fn stop(&self, links: &Links, name: &Name, seen: &Seen) -> Result<(), ApplyError> {
        if seen.state.boot.unit.is_some() {
            userspace::stop(&self.machine, name).await.map_err(|error| refused(name, error))?;
        }
        let link = links.find(name).await.map_err(|error| refused(name, error))?;
        match (link, &seen.driver) {
            (Some(link), Some(Driver::Kernel | Driver::Userspace)) => {
                links.delete(link.index).await.map_err(|error| refused(name, error))
            }
            _ => Ok(()),
        }
    }

    /// Waits until systemd-networkd has done with a new interface; whether it may have done anything. One that it
    /// made at boot and that is made anew gets the addresses that it had at boot: it reads its files when it starts.
    async fn networkd_settles(&self, links: &Links, name: &Name) -> bool {
        let states = self.machine.path("/run/systemd/netif/links");
        let Ok(Some(link)) = links.find(name).await else { return false };
        if !states.exists() {
            return false;
        }
        let settled = || {
            let state = std::fs::read_to_string(states.join(link.index.to_string())).unwrap_or_default();
            let admin = state.lines().find_map(|line| line.strip_prefix("ADMIN_STATE="));
            matches!(admin, Some("configured" | "unmanaged" | "failed" | "linger"))
        };
        let start = Instant::now();
        while !settled() && start.elapsed() < NETWORKD_PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }
}

/// The preshared keys of the interface to be, by digest.
fn preshared(set: &Set, keys: &Keys<'_>, device: &Device) -> Result<BTreeMap<Digest, Secret<Key>>, ApplyError> {
    let live = set.to.live.iter().flat_map(|live| live.peers.values()).filter_map(|peer| peer.preshared_key.as_ref());
    let wanted: BTreeSet<_> = live.chain(set.to.boot.preshared_keys.values()).collect();
    wanted.into_iter().map(|digest| Ok((digest.clone(), keys.preshared(digest, set, device)?))).collect()
}

fn driver(name: &Name, link: &Link) -> Driver {
    match link.kind.as_str() {
        "wireguard" => Driver::Kernel,
        "tun" if device::has_program(name) => Driver::Userspace,
        kind => Driver::Other(kind.to_owned()),
    }
}

/// Whether WireGuard is in the kernel, or a module that the kernel loads by itself. The kernel is the running one,
/// wherever the files of the machine lie.
pub(super) fn kernel_has_wireguard() -> bool {
    if Path::new("/sys/module/wireguard").exists() {
        return true;
    }
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let lists = ["modules.dep", "modules.builtin"].map(|list| format!("/lib/modules/{release}/{list}"));
    let has = |list: &String| std::fs::read_to_string(list).is_ok_and(|text| text.contains("/wireguard.ko"));
    lists.iter().any(has)
}

/// The kernel gives an interface such addresses by itself.
pub(super) fn is_link_local(address: &IpNet) -> bool {
    matches!(address, IpNet::V6(v6) if v6.addr().is_unicast_link_local())
}

fn unreadable(resource: &str, reason: impl ToString) -> ObserveError {
    ObserveError::Unreadable { resource: resource.to_owned(), reason: reason.to_string() }
}

fn refused(name: &Name, reason: impl ToString) -> ApplyError {
    ApplyError::Refused { resource: format!("vpn {name}"), reason: reason.to_string() }
}
