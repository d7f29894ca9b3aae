//! Makes a running interface as it is to be, in the order in which nothing that works is interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ipnet::IpNet;
use wireguard_control::{DeviceUpdate, Key};

use super::backend::There;
use super::device;
use super::keys::{self, Keys};
use super::link::{Link, LinkError, Links};
use super::spec::MAIN;
use super::{Driver, Endpoint, Identity, Live, Name, PublicKey};
use crate::capability::ApplyError;
use crate::digest::Digest;
use crate::secret::Secret;

/// One interface, and what it is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) links: &'a Links,
    pub(super) name: &'a Name,
    pub(super) to: &'a Live,
    pub(super) there: &'a There,
    pub(super) preshared: &'a BTreeMap<Digest, Secret<Key>>,
}

impl Setting<'_> {
    /// Sets all of it.
    ///
    /// # Errors
    /// When the kernel refuses, an endpoint has no address, or a key is gone.
    pub(super) async fn run(&self, keys: &Keys<'_>) -> Result<(), ApplyError> {
        let driver = match &self.there.seen.driver {
            Some(Driver::Other(kind)) => return Err(self.refused(format!("it is there already, of kind {kind}"))),
            Some(driver) => driver.clone(),
            None => Driver::Kernel,
        };
        let endpoints = self.endpoints().await?;
        let private = self.to.identity.map(|identity| keys.private(identity, &self.there.device)).transpose()?;
        let link = self.link().await.map_err(|error| self.refused(error))?;
        if let Some(update) = self.update(private.as_ref(), &endpoints) {
            device::update(self.name, &driver, update).map_err(|error| self.refused(error))?;
        }
        self.network(&link).await.map_err(|error| self.refused(error))
    }

    /// Where the peers are called that are declared to be somewhere else than before.
    async fn endpoints(&self) -> Result<BTreeMap<PublicKey, SocketAddr>, ApplyError> {
        let mut endpoints = BTreeMap::new();
        for (key, peer) in &self.to.peers {
            let is = self.is().and_then(|live| live.peers.get(key)).and_then(|peer| peer.endpoint.as_ref());
            if let Some(endpoint) = peer.endpoint.as_ref().filter(|endpoint| is != Some(*endpoint)) {
                endpoints.insert(*key, self.resolve(key, endpoint).await?);
            }
        }
        Ok(endpoints)
    }

    async fn resolve(&self, peer: &PublicKey, endpoint: &Endpoint) -> Result<SocketAddr, ApplyError> {
        let endpoint = endpoint.to_string();
        if let Ok(address) = endpoint.parse() {
            return Ok(address);
        }
        let refused = |reason: String| self.refused(format!("peer {}: {endpoint}: {reason}", peer.short()));
        let mut found = tokio::net::lookup_host(&endpoint).await.map_err(|error| refused(error.to_string()))?;
        found.next().ok_or_else(|| refused("the name has no address".to_owned()))
    }

    async fn link(&self) -> Result<Link, LinkError> {
        if let Some(link) = self.links.find(self.name).await? {
            return Ok(link);
        }
        self.links.create(self.name).await?;
        self.links.find(self.name).await?.ok_or_else(|| LinkError::gone(self.name))
    }

    /// What WireGuard itself has to change; `None`: nothing.
    fn update(
        &self,
        private: Option<&Secret<Key>>,
        endpoints: &BTreeMap<PublicKey, SocketAddr>,
    ) -> Option<DeviceUpdate> {
        let none = Live::default();
        let (is, to) = (self.is().unwrap_or(&none), self.to);
        let mut update = DeviceUpdate::new();
        if is.identity != private.map(|key| Identity::Of(keys::public(key))) {
            update = update.set_private_key(private.map_or_else(Key::zero, |key| key.reveal().clone()));
        }
        // Without a declared port the kernel picks one when the interface comes up, which then stays.
        if is.listen_port != to.listen_port && (to.listen_port.is_some() || !to.up) {
            update = update.set_listen_port(to.listen_port.unwrap_or(0));
        }
        if is.fwmark != to.fwmark {
            update = update.set_fwmark(to.fwmark.unwrap_or(0));
        }
        for key in is.peers.keys().filter(|key| !to.peers.contains_key(key)) {
            update = update.remove_peer_by_key(&Key(key.bytes()));
        }
        for (key, peer) in to.peers.iter().filter(|(key, peer)| is.peers.get(key) != Some(peer)) {
            let preshared = peer.preshared_key.as_ref().and_then(|digest| self.preshared.get(digest));
            let endpoint = endpoints.get(key).copied();
            update = update.add_peers(&device::peer_updates(key, is.peers.get(key), peer, preshared, endpoint));
        }
        (update != DeviceUpdate::new()).then_some(update)
    }

    async fn network(&self, link: &Link) -> Result<(), LinkError> {
        let (links, to, index) = (self.links, self.to, link.index);
        // An IPv6 address needs its MTU first.
        if (link.mtu, link.up) != (to.mtu, to.up) {
            links.set(index, to.mtu, to.up).await?;
        }
        self.add_addresses(index).await?;
        let is = links.addresses(index).await?;
        for address in is.difference(&to.addresses).filter(|address| !super::backend::is_link_local(address)) {
            links.remove_address(index, *address).await?;
        }
        // The kernel may remove the others of a network with its first one.
        self.add_addresses(index).await?;
        let mut is = links.routes(index).await?;
        self.routes(index, MAIN, &is.remove(&MAIN).unwrap_or_default(), &to.routes).await?;
        // Other tables are looked at only where they were filled by stead, or are to be.
        let filled = self.is().map(|live| live.tables.keys().copied()).into_iter().flatten();
        let tables: BTreeSet<u32> = filled.chain(to.tables.keys().copied()).collect();
        for table in tables {
            let to = to.tables.get(&table).cloned().unwrap_or_default();
            self.routes(index, table, &is.remove(&table).unwrap_or_default(), &to).await?;
        }
        Ok(())
    }

    async fn routes(
        &self,
        index: u32,
        table: u32,
        is: &BTreeSet<IpNet>,
        to: &BTreeSet<IpNet>,
    ) -> Result<(), LinkError> {
        for route in is.difference(to) {
            self.links.remove_route(index, table, *route).await?;
        }
        for route in to.difference(is).filter(|_| self.to.up) {
            self.links.add_route(index, table, *route).await?;
        }
        Ok(())
    }

    async fn add_addresses(&self, index: u32) -> Result<(), LinkError> {
        let is = self.links.addresses(index).await?;
        for address in self.to.addresses.difference(&is) {
            self.links.add_address(index, *address).await?;
        }
        Ok(())
    }

    fn is(&self) -> Option<&Live> {
        self.there.seen.state.live.as_ref()
    }

    fn refused(&self, reason: impl ToString) -> ApplyError {
        ApplyError::Refused { resource: format!("vpn {}", self.name), reason: reason.to_string() }
    }
}
