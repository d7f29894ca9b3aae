//! Network interfaces, their addresses and routes, by rtnetlink(7).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures::TryStreamExt;
use futures::stream::Stream;
use ipnet::IpNet;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteScope};
use rtnetlink::{AddressMessageBuilder, Error, Handle, LinkUnspec, LinkWireguard, RouteMessageBuilder};
use tokio::task::JoinHandle;

use super::Name;
use super::spec::MAIN;

/// Linux's numbers for "there is none".
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EOPNOTSUPP: i32 = 95;
const EAFNOSUPPORT: i32 = 97;

/// What a question says that is about no table in particular.
const ALL_TABLES: u32 = 0;

/// An open netlink socket.
#[derive(Debug)]
pub(super) struct Links {
    handle: Handle,
    connection: JoinHandle<()>,
}

/// A network interface.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) mtu: u32,
    pub(super) up: bool,
    /// `wireguard`, `tun`, `dummy`, …; `physical` when the kernel names none.
    pub(super) kind: String,
}

/// The kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}: {reason}")]
pub(super) struct LinkError {
    doing: String,
    reason: String,
}

impl LinkError {
    /// An interface went away under our hands.
    pub(super) fn gone(name: &Name) -> Self {
        Self { doing: format!("set {name}"), reason: "it is gone again".to_owned() }
    }
}

impl Links {
    /// Opens the socket, in the network namespace of this thread.
    ///
    /// # Errors
    /// When the process has no file descriptor left, or no netlink.
    pub(super) fn open() -> Result<Self, LinkError> {
        // With the strict check the kernel filters what is listed, so that a table of a million routes costs nothing.
        let (connection, handle, _) = rtnetlink::new_connection_with_strict_check()
            .map_err(|error| LinkError { doing: "open a netlink socket".to_owned(), reason: error.to_string() })?;
        Ok(Self { handle, connection: tokio::spawn(connection) })
    }

    /// The interface of this name.
    pub(super) async fn find(&self, name: &Name) -> Result<Option<Link>, LinkError> {
        let mut found = std::pin::pin!(self.handle.link().get().match_name(name.to_string()).execute());
        match found.try_next().await {
            Ok(message) => Ok(message.map(|message| link(&message))),
            Err(error) if code(&error) == Some(ENODEV) => Ok(None),
            Err(error) => Err(refused(format!("look for {name}"), &error)),
        }
    }

    /// The names of the interfaces of a kind, in the kernel's order.
    pub(super) async fn of_kind(&self, kind: &str) -> Result<Vec<Name>, LinkError> {
        let messages = list(self.handle.link().get().execute(), "list interfaces").await?;
        let name = |message: &LinkMessage| {
            message.attributes.iter().find_map(|attribute| match attribute {
                LinkAttribute::IfName(name) => name.parse().ok(),
                _ => None,
            })
        };
        Ok(messages.iter().filter(|message| link(message).kind == kind).filter_map(name).collect())
    }

    /// Makes a WireGuard interface; the kernel loads its module when it has to.
    pub(super) async fn create(&self, name: &Name) -> Result<(), LinkError> {
        let made = self.handle.link().add(LinkWireguard::new(name.as_str()).build()).execute().await;
        unless(made, EEXIST, || format!("make the interface {name}"))
    }

    /// Removes an interface.
    pub(super) async fn delete(&self, index: u32) -> Result<(), LinkError> {
        unless(self.handle.link().del(index).execute().await, ENODEV, || "remove the interface".to_owned())
    }

    /// Sets what the interface has of its own.
    pub(super) async fn set(&self, index: u32, mtu: u32, up: bool) -> Result<(), LinkError> {
        let message = LinkUnspec::new_with_index(index).mtu(mtu);
        let message = if up { message.up() } else { message.down() };
        let set = self.handle.link().set(message.build()).execute().await;
        set.map_err(|error| {
            refused(format!("set MTU {mtu} and bring the interface {}", if up { "up" } else { "down" }), &error)
        })
    }

    /// The interface's addresses, each with its host bits.
    pub(super) async fn addresses(&self, index: u32) -> Result<BTreeSet<IpNet>, LinkError> {
        let mut request = self.handle.address().get().set_link_index_filter(index);
        request.message_mut().header.index = index;
        let messages = list(request.execute(), "list addresses").await?;
        Ok(messages.iter().filter_map(address).collect())
    }

    /// Adds an address.
    pub(super) async fn add_address(&self, index: u32, address: IpNet) -> Result<(), LinkError> {
        let added = self.handle.address().add(index, address.addr(), address.prefix_len()).execute().await;
        unless(added, EEXIST, || format!("add address {address}"))
    }

    /// Removes an address.
    pub(super) async fn remove_address(&self, index: u32, address: IpNet) -> Result<(), LinkError> {
        let message = match address {
            IpNet::V4(v4) => {
                AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(v4.addr(), v4.prefix_len()).build()
            }
            IpNet::V6(v6) => {
                AddressMessageBuilder::<Ipv6Addr>::new().index(index).address(v6.addr(), v6.prefix_len()).build()
            }
        };
        const EADDRNOTAVAIL: i32 = 99;
        let removed = self.handle.address().del(message).execute().await;
        unless(removed, EADDRNOTAVAIL, || format!("remove address {address}"))
    }

    /// The static routes that go out by the interface, by table; without default routes of the main one.
    pub(super) async fn routes(&self, index: u32) -> Result<BTreeMap<u32, BTreeSet<IpNet>>, LinkError> {
        let four = RouteMessageBuilder::<Ipv4Addr>::new().output_interface(index).protocol(RouteProtocol::Unspec);
        let six = RouteMessageBuilder::<Ipv6Addr>::new().output_interface(index).protocol(RouteProtocol::Unspec);
        let (four, six) = (four.table_id(ALL_TABLES), six.table_id(ALL_TABLES));
        let mut routes: BTreeMap<u32, BTreeSet<IpNet>> = BTreeMap::new();
        for asked in [four.build(), six.build()] {
            let messages = list(self.handle.route().get(asked).execute(), "list routes").await?;
            for (table, route) in messages.iter().filter_map(|message| route(message, index)) {
                routes.entry(table).or_default().insert(route);
            }
        }
        Ok(routes)
    }

    /// Adds a route out by the interface.
    pub(super) async fn add_route(&self, index: u32, table: u32, route: IpNet) -> Result<(), LinkError> {
        let added = self.handle.route().add(out_by(index, table, route)).execute().await;
        unless(added, EEXIST, || format!("add route {route}"))
    }

    /// Removes a route out by the interface.
    pub(super) async fn remove_route(&self, index: u32, table: u32, route: IpNet) -> Result<(), LinkError> {
        const ESRCH: i32 = 3;
        let mut message = out_by(index, table, route);
        // A route by hand is of protocol `boot`, one of systemd-networkd `static`: whichever it is.
        message.header.protocol = RouteProtocol::Unspec;
        unless(self.handle.route().del(message).execute().await, ESRCH, || format!("remove route {route}"))
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn out_by(index: u32, table: u32, route: IpNet) -> RouteMessage {
    match route {
        IpNet::V4(v4) => RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(v4.addr(), v4.prefix_len())
            .output_interface(index)
            .scope(RouteScope::Link)
            .table_id(table)
            .build(),
        IpNet::V6(v6) => RouteMessageBuilder::<Ipv6Addr>::new()
            .destination_prefix(v6.addr(), v6.prefix_len())
            .output_interface(index)
            .table_id(table)
            .build(),
    }
}

fn link(message: &LinkMessage) -> Link {
    let mut link = Link {
        index: message.header.index,
        mtu: 0,
        up: message.header.flags.contains(LinkFlags::Up),
        kind: "physical".to_owned(),
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::LinkInfo(infos) => {
                let mut kinds =
                    infos.iter().filter_map(|info| if let LinkInfo::Kind(kind) = info { Some(kind) } else { None });
                link.kind = kinds.next().map(InfoKind::to_string).unwrap_or(link.kind);
            }
            _ => {}
        }
    }
    link
}

fn address(message: &AddressMessage) -> Option<IpNet> {
    // On a point-to-point interface `Address` is the far end, and `Local` the own one.
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let any = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    });
    IpNet::new(local.or(any)?, message.header.prefix_len).ok()
}

fn route(message: &RouteMessage, index: u32) -> Option<(u32, IpNet)> {
    if !matches!(message.header.protocol, RouteProtocol::Boot | RouteProtocol::Static) {
        return None;
    }
    let (mut destination, mut table) = (None, u32::from(message.header.table));
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => destination = Some(IpAddr::V4(*address)),
            RouteAttribute::Destination(RouteAddress::Inet6(address)) => destination = Some(IpAddr::V6(*address)),
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) => return None,
            RouteAttribute::Oif(out) if *out != index => return None,
            RouteAttribute::Table(number) => table = *number,
            _ => {}
        }
    }
    // A default route has no destination.
    let anywhere = match message.header.address_family {
        AddressFamily::Inet => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        AddressFamily::Inet6 => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        _ => None,
    };
    let destination = destination.or(anywhere.filter(|_| table != MAIN))?;
    Some((table, IpNet::new(destination, message.header.destination_prefix_length).ok()?))
}

async fn list<T>(stream: impl Stream<Item = Result<T, Error>>, doing: &str) -> Result<Vec<T>, LinkError> {
    match stream.try_collect().await {
        Ok(messages) => Ok(messages),
        // A host without IPv6, or a namespace without a route yet.
        Err(error) if matches!(code(&error), Some(ENOENT | EOPNOTSUPP | EAFNOSUPPORT)) => Ok(Vec::new()),
        Err(error) => Err(refused(doing.to_owned(), &error)),
    }
}

fn unless(done: Result<(), Error>, harmless: i32, doing: impl FnOnce() -> String) -> Result<(), LinkError> {
    match done {
        Err(error) if code(&error) != Some(harmless) => Err(refused(doing(), &error)),
        _ => Ok(()),
    }
}

fn code(error: &Error) -> Option<i32> {
    match error {
        Error::NetlinkError(message) => Some(message.raw_code().abs()),
        _ => None,
    }
}

fn refused(doing: String, error: &Error) -> LinkError {
    let reason = match error {
        Error::NetlinkError(message) => message.to_io().to_string(),
        other => other.to_string(),
    };
    LinkError { doing, reason }
}
