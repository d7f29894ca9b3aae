//! From the WIT interface `user` to a spec.

use super::{Account, GroupSpec, Spec, Sudo, User};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest, Invalid};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/user@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::user;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    user::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl user::Host for Guest {
    fn present(&mut self, account: user::Account) -> Result<(), Error> {
        self.stage::<User>(parse(account).map(Spec::Present))
    }

    fn group(&mut self, name: String, gid: Option<u32>) -> Result<(), Error> {
        self.stage::<User>(GroupSpec::parse(&name, gid).map(Spec::Group))
    }

    fn absent(&mut self, name: String) -> Result<(), Error> {
        self.stage::<User>(absent(&name).map(Spec::Absent))
    }
}

fn parse(account: user::Account) -> Result<Account, Invalid> {
    let user::Account { name, uid, shell, home, comment, system, groups, authorized_keys, sudo } = account;
    let group = |group: &String| group.parse().map_err(|Invalid { reason, .. }| Invalid::new("groups", reason));
    let keys = |keys: Vec<String>| keys.iter().map(|key| key.parse()).collect::<Result<Vec<_>, Invalid>>();
    let account = Account {
        name: name.parse()?,
        uid,
        shell,
        home: home.map(|home| home.parse().map_err(|error| Invalid::new("home", format!("{error}")))).transpose()?,
        comment,
        system,
        groups: groups.iter().map(group).collect::<Result<_, Invalid>>()?,
        authorized_keys: authorized_keys.map(keys).transpose()?,
        sudo: sudo.map(|sudo| match sudo {
            user::Sudo::All => Sudo::All,
            user::Sudo::AllNopasswd => Sudo::AllNopasswd,
        }),
    };
    account.parse()
}

fn absent(name: &str) -> Result<super::Name, Invalid> {
    let name: super::Name = name.parse()?;
    if name.is_root() { Err(Invalid::new("name", "root cannot be removed")) } else { Ok(name) }
}
