//! From the WIT interface `sysctl` to a spec.

use super::{Spec, Sysctl};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/sysctl@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::sysctl;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    sysctl::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl sysctl::Host for Guest {
    fn set(&mut self, key: String, value: String) -> Result<(), Error> {
        self.stage::<Sysctl>(Spec::parse(&key, &value))
    }
}
