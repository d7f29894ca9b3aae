//! From the WIT interface `vpn` to a spec.

use super::{Mesh, Spec, Vpn};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/vpn@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::vpn;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    vpn::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl vpn::Host for Guest {
    fn add_interface(&mut self, interface: vpn::Interface) -> Result<(), Error> {
        self.stage::<Vpn>(Spec::parse_interface(&interface))
    }

    fn add_peer(&mut self, interface: String, peer: vpn::Peer) -> Result<(), Error> {
        self.stage::<Vpn>(Spec::parse_peer(&interface, &peer))
    }

    fn add_mesh(&mut self, name: String) -> Result<vpn::Interface, Error> {
        let mesh = Mesh::named(&name, self.meshes());
        self.stage_for::<Vpn, _>(mesh.map(|mesh| (Spec::Mesh(mesh.clone()), mesh.interface.into())))
    }
}
