//! `vpn.toml`: the address and the public key of each host and each peer of each mesh.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Mesh, MeshError, VPN_FILE, assign};
use crate::capability::vpn::{Name as InterfaceName, PublicKey};
use crate::machine::replace;
use crate::repo::error::{Fault, Problem};
use crate::repo::{Name, RepoError};

const HEADER: &str = "# Written by stead, which replaces it as a whole. Keep it in git: there is no secret in it.\n\n";

/// What has been assigned, by mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Directory(BTreeMap<InterfaceName, Members>);

/// The members of a mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Members {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub host: BTreeMap<Name, Member>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub peer: BTreeMap<Name, Member>,
}

/// A host, or a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Member {
    /// One for each network of the mesh, in their order.
    pub addresses: Vec<IpAddr>,
    /// `None`: a host that has not told it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MembersTable {
    #[serde(default)]
    host: BTreeMap<Name, MemberTable>,
    #[serde(default)]
    peer: BTreeMap<Spanned<Name>, MemberTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MemberTable {
    addresses: Vec<Spanned<IpAddr>>,
    public_key: Option<Spanned<PublicKey>>,
}

impl Members {
    /// Hosts, then peers.
    pub fn all(&self) -> impl Iterator<Item = (&Name, &Member)> {
        self.host.iter().chain(&self.peer)
    }
}

impl Directory {
    /// Reads the text of a `vpn.toml`, and gives every host what it lacks.
    ///
    /// # Errors
    /// When the text is wrong; the error has the place. When a network has no address left.
    pub(in crate::repo) fn parse(text: &str, meshes: &BTreeMap<InterfaceName, Mesh>) -> Result<Self, RepoError> {
        let read = read(text, meshes).map_err(|fault| fault.place(VPN_FILE, text.to_owned()));
        let mut directory = Self(read?);
        for (name, mesh) in meshes {
            assign::complete(mesh, directory.0.entry(name.clone()).or_default())?;
        }
        Ok(directory)
    }

    /// The members of a mesh; all of its hosts are among them.
    pub fn of(&self, mesh: &Mesh) -> &Members {
        static NOBODY: Members = Members { host: BTreeMap::new(), peer: BTreeMap::new() };
        self.0.get(&mesh.name).unwrap_or(&NOBODY)
    }

    /// Admits a peer, and answers what it was given.
    ///
    /// # Errors
    /// When its name or key is taken, or no address is left.
    pub fn add_peer(&mut self, mesh: &Mesh, name: Name, public_key: PublicKey) -> Result<Member, MeshError> {
        let members = self.0.entry(mesh.name.clone()).or_default();
        let taken = |what, name| Err(MeshError::Taken { mesh: mesh.name.clone(), what, name });
        if members.host.contains_key(&name) {
            return taken("a host", name);
        }
        if members.peer.contains_key(&name) {
            return taken("a peer", name);
        }
        if let Some((of, _)) = members.all().find(|(_, member)| member.public_key == Some(public_key)) {
            return Err(MeshError::KeyTaken { mesh: mesh.name.clone(), of: of.clone() });
        }
        let member = Member { addresses: assign::addresses(mesh, members, None)?, public_key: Some(public_key) };
        members.peer.insert(name, member.clone());
        Ok(member)
    }

    /// Removes a peer.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn remove_peer(&mut self, mesh: &Mesh, name: &str) -> Result<(), MeshError> {
        let members = self.0.entry(mesh.name.clone()).or_default();
        let known = || members.peer.keys().map(ToString::to_string).collect();
        let none = MeshError::NoPeer { mesh: mesh.name.clone(), name: name.to_owned(), known: known() };
        members.peer.remove(name).map(drop).ok_or(none)
    }

    /// Notes the public key of a host; whether it is another one than before.
    pub fn set_key(&mut self, mesh: &InterfaceName, host: &Name, key: PublicKey) -> bool {
        let member = self.0.get_mut(mesh).and_then(|members| members.host.get_mut(host));
        member.is_some_and(|member| member.public_key.replace(key) != Some(key))
    }

    /// The text of the file; empty when there is nobody.
    pub fn text(&self) -> String {
        if self.0.values().all(|members| members.all().next().is_none()) {
            return String::new();
        }
        // Tables of strings always have a TOML form.
        format!("{HEADER}{}", toml::to_string(self).unwrap_or_default())
    }

    /// Whether the file of the repo in `folder` says this already.
    pub fn is_saved(&self, folder: &Path) -> bool {
        std::fs::read_to_string(folder.join(VPN_FILE)).unwrap_or_default() == self.text()
    }

    /// Writes the file of the repo in `folder`, unless it says this already; whether it was written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<bool, MeshError> {
        if self.is_saved(folder) {
            return Ok(false);
        }
        let path = folder.join(VPN_FILE);
        replace(&path, self.text().as_bytes(), 0o644).map_err(|source| MeshError::Write { path, source })?;
        Ok(true)
    }
}

fn read(text: &str, meshes: &BTreeMap<InterfaceName, Mesh>) -> Result<BTreeMap<InterfaceName, Members>, Fault> {
    let tables: BTreeMap<Spanned<InterfaceName>, MembersTable> = toml::from_str(text)?;
    let members = tables.into_iter().map(|(name, table)| {
        let Some(mesh) = meshes.get(name.get_ref()) else {
            let known = meshes.keys().map(ToString::to_string).collect();
            return Err(Fault::new(name.span(), Problem::UnknownMesh { name: name.get_ref().to_string(), known }));
        };
        Ok((name.into_inner(), members(mesh, table)?))
    });
    members.collect()
}

fn members(mesh: &Mesh, table: MembersTable) -> Result<Members, Fault> {
    let mut unique = Unique { mesh, addresses: BTreeSet::new(), keys: BTreeSet::new() };
    let mut members = Members::default();
    // Whoever has left the mesh takes nothing from those who are of it.
    for (name, member) in table.host.into_iter().filter(|(name, _)| mesh.hosts.contains(name)) {
        members.host.insert(name, unique.member(member)?);
    }
    for (name, member) in table.peer {
        if member.public_key.is_none() {
            return Err(Fault::new(name.span(), Problem::MissingKey("public-key".to_owned())));
        }
        members.peer.insert(name.into_inner(), unique.member(member)?);
    }
    Ok(members)
}

/// What the members of a mesh have, each of which belongs to one of them.
struct Unique<'a> {
    mesh: &'a Mesh,
    addresses: BTreeSet<IpAddr>,
    keys: BTreeSet<PublicKey>,
}

impl Unique<'_> {
    fn member(&mut self, table: MemberTable) -> Result<Member, Fault> {
        let addresses = table.addresses.iter().map(|address| self.address(address)).collect::<Result<_, _>>()?;
        if let Some(key) = table.public_key.as_ref().filter(|key| !self.keys.insert(*key.get_ref())) {
            return Err(Fault::new(key.span(), Problem::Value("another member has this key as well".to_owned())));
        }
        Ok(Member { addresses, public_key: table.public_key.map(Spanned::into_inner) })
    }

    fn address(&mut self, said: &Spanned<IpAddr>) -> Result<IpAddr, Fault> {
        let address = *said.get_ref();
        let wrong = |words: String| Err(Fault::new(said.span(), Problem::Value(words)));
        if self.mesh.network(address).is_none() {
            return wrong(format!(
                "{address} is in no network of [vpn.{}]: remove it to have another one assigned",
                self.mesh.name
            ));
        }
        if !self.addresses.insert(address) {
            return wrong(format!("another member has {address} as well"));
        }
        Ok(address)
    }
}
