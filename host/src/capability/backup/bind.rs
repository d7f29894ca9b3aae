//! From the WIT interface `backup` to specs, which `stead.toml` already holds.

use super::Backup;
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/backup@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::backup;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    backup::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl backup::Host for Guest {
    fn schedule(&mut self) -> Result<Vec<String>, Error> {
        let all: Vec<_> = self.backups().values().cloned().collect();
        let names = all.iter().map(|spec| spec.name.to_string()).collect();
        for spec in all {
            self.stage::<Backup>(Ok(spec))?;
        }
        Ok(names)
    }
}
