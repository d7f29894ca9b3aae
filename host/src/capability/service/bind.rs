//! From the WIT interface `service` to a spec.

use super::{Fragment, OnChange, Service, Spec, Unit};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest, Invalid};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/service@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::service;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    service::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl service::Host for Guest {
    fn unit(&mut self, name: String, state: service::State) -> Result<(), Error> {
        self.stage::<Service>(unit(&name, state))
    }

    fn unit_file(&mut self, name: String, content: String) -> Result<(), Error> {
        self.stage::<Service>(fragment(&name, None, content))
    }

    fn drop_in(&mut self, unit: String, name: String, content: String) -> Result<(), Error> {
        self.stage::<Service>(fragment(&unit, Some(&name), content))
    }
}

fn unit(name: &str, state: service::State) -> Result<Spec, Invalid> {
    let service::State { enabled, running, masked, mut depends_on, on_change } = state;
    depends_on.sort();
    depends_on.dedup();
    let on_change = match on_change {
        service::OnChange::Restart => OnChange::Restart,
        service::OnChange::Reload => OnChange::Reload,
    };
    Unit { name: name.parse()?, enabled, running, masked, depends_on, on_change }.checked().map(Spec::Unit)
}

fn fragment(unit: &str, drop_in: Option<&str>, content: String) -> Result<Spec, Invalid> {
    let drop_in = drop_in.map(str::parse).transpose()?;
    Fragment::new(unit.parse()?, drop_in, content).map(Spec::Fragment)
}
