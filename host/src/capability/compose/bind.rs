//! From the WIT interface `compose` to a spec.

use super::{Compose, Spec};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/compose@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::compose;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    compose::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl compose::Host for Guest {
    fn up(&mut self, name: String, options: compose::Options) -> Result<(), Error> {
        let compose::Options { environment, secrets, health_timeout, scale } = options;
        let parsed = Spec::parse(&name, environment, secrets, health_timeout).and_then(|spec| spec.scaled(scale));
        let engines = self.engines();
        let driven =
            parsed.map(|spec| Spec { engine: engines.get(&spec.project).copied().unwrap_or_default(), ..spec });
        self.stage::<Compose>(driven)
    }
}
