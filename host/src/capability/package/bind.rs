//! From the WIT interface `package` to a spec.

use super::{Install, Packages, Repository, Spec};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest, Invalid};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/%package@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::package;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    package::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl package::Host for Guest {
    fn install(&mut self, name: String, options: package::Options) -> Result<(), Error> {
        let package::Options { version, hold, recommends } = options;
        self.stage::<Packages>(Install::parse(&name, version.as_deref(), hold, recommends).map(Spec::Install))
    }

    fn remove(&mut self, name: String) -> Result<(), Error> {
        self.stage::<Packages>(name.parse().map(Spec::Remove))
    }

    fn add_repository(&mut self, repository: package::Repository) -> Result<(), Error> {
        self.stage::<Packages>(parse(repository).map(Spec::Repository))
    }
}

fn parse(repository: package::Repository) -> Result<Repository, Invalid> {
    let package::Repository { name, types, uris, suites, components, architectures, key } = repository;
    Repository { name: name.parse()?, types, uris, suites, components, architectures, key }.parse()
}
