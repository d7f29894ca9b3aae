//! From the WIT interface `vpn` to a spec.

use super::{Mesh, Spec, Vpn};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest, Invalid};

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
        stage(self, Spec::parse_interface(&interface).map(|spec| (spec, ())))
    }

    fn add_peer(&mut self, interface: String, peer: vpn::Peer) -> Result<(), Error> {
        stage(self, Spec::parse_peer(&interface, &peer).map(|spec| (spec, ())))
    }

    fn add_mesh(&mut self, name: String) -> Result<vpn::Interface, Error> {
        let mesh = Mesh::named(&name, self.meshes());
        stage(self, mesh.map(|mesh| (Spec::Mesh(mesh.clone()), mesh.interface.into())))
    }
}

/// Stages what fits to what the policy has declared before.
fn stage<A>(guest: &mut Guest, parsed: Result<(Spec, A), Invalid>) -> Result<A, Error> {
    let fits = parsed.and_then(|(spec, answer)| guest.claims().check(&spec).map(|()| (spec.clone(), (spec, answer))));
    let (spec, answer) = guest.stage_for::<Vpn, _>(fits)?;
    guest.claims().add(&spec);
    Ok(answer)
}
