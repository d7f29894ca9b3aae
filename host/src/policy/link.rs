//! What a policy may import: the contract's interfaces that need no grant, the capabilities that are granted, and
//! the virtual WASI. Everything else is refused by its name before the policy runs.

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::error::LoadError;
use super::guest::Guest;
use super::words::printable;
use super::{CONTRACT, job, load, reads, wasi};
use crate::capability;
use crate::grant::Grants;
use crate::job::grant::{self, JobGrant};

/// Packages of WASI 0.2 that have a virtual answer.
const WASI: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// A world of the contract.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// What a policy of it exports.
    export: &'static str,
    /// Interfaces that need no grant.
    free: &'static [&'static str],
    /// The name of the capability that an interface is of, if it is.
    capability: fn(&str) -> Option<&'static str>,
    /// What a policy that exports something else is.
    other: fn() -> LoadError,
}

/// A policy that declares a host.
pub(super) const BOOTSTRAP: World = World {
    export: "configure",
    free: &["types", "facts", "config", "log"],
    capability: |name| capability::by_name(name).map(|capability| capability.name()),
    other: || LoadError::JobPolicy,
};
/// A policy that runs one piece of work.
pub(super) const JOB: World = World {
    export: "run",
    free: &["types", "config", "log", "clock", "progress", "artifact", "retry"],
    capability: |name| grant::by_name(name).map(JobGrant::name),
    other: || LoadError::HostPolicy,
};

/// A name such as `stead:host/file@0.1.0`, in its parts.
struct Name<'a> {
    package: &'a str,
    interface: &'a str,
    version: &'a str,
}

impl<'a> Name<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let (package, interface) = path.split_once('/')?;
        Some(Self { package, interface, version })
    }

    fn is_ours(&self) -> bool {
        self.package == "stead:host"
    }
}

/// Whether a host of version `ours` has all that a guest of version `theirs` may ask for by name: the same
/// 0.MINOR. What a later patch added is then refused by its own name when the linker misses it.
fn compatible(theirs: &str, ours: &str) -> bool {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    minor(theirs).is_some() && minor(theirs) == minor(ours)
}

/// Refuses imports that the policy must not have, and components that are no policy of this world.
pub(super) fn check(
    engine: &Engine,
    component: &Component,
    world: World,
    policy: &str,
    grants: &Grants,
) -> Result<(), LoadError> {
    // First, because a policy of the other world imports other things.
    let exports = load::exports(engine, component);
    let names = || exports.iter().filter_map(|export| Name::parse(export));
    let ours = |name: &Name<'_>, interface: &str| name.is_ours() && name.interface == interface;
    match names().find(|name| ours(name, world.export)) {
        Some(name) if compatible(name.version, CONTRACT) => {}
        Some(name) => {
            return Err(LoadError::Version { name: world.export.to_owned(), version: printable(name.version) });
        }
        None if names().any(|name| [BOOTSTRAP, JOB].iter().any(|other| ours(&name, other.export))) => {
            return Err((world.other)());
        }
        None => {
            let exports = exports.iter().map(|export| printable(export)).collect();
            return Err(LoadError::NotAPolicy { wanted: world.export, exports });
        }
    }
    load::imports(engine, component).iter().try_for_each(|import| check_import(import, world, policy, grants))
}

fn check_import(import: &str, world: World, policy: &str, grants: &Grants) -> Result<(), LoadError> {
    let unknown = || LoadError::UnknownImport { name: printable(import) };
    let name = Name::parse(import).ok_or_else(unknown)?;
    if !name.is_ours() {
        let known = name.package.strip_prefix("wasi:").is_some_and(|package| WASI.contains(&package));
        return if known && name.version.starts_with("0.2.") { Ok(()) } else { Err(unknown()) };
    }
    let capability = (world.capability)(name.interface);
    if capability.is_none() && !world.free.contains(&name.interface) {
        return Err(unknown());
    }
    if !compatible(name.version, CONTRACT) {
        return Err(LoadError::Version { name: name.interface.to_owned(), version: printable(name.version) });
    }
    match capability {
        Some(capability) if !grants.has(capability) => {
            Err(LoadError::NotGranted { policy: policy.to_owned(), capability })
        }
        _ => Ok(()),
    }
}

/// A linker with what this policy may import, and nothing else.
pub(super) fn linker(engine: &Engine, component: &Component, grants: &Grants) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    linker.instance(&format!("stead:host/types@{CONTRACT}"))?;
    reads::link(&mut linker)?;
    for capability in capability::ALL.iter().filter(|capability| grants.has(capability.name())) {
        capability.link(&mut linker)?;
    }
    with_wasi(engine, component, &mut linker)?;
    Ok(linker)
}

/// The same for a job policy.
pub(super) fn job_linker(
    engine: &Engine,
    component: &Component,
    grants: &Grants,
) -> wasmtime::Result<Linker<job::JobGuest>> {
    let mut linker = Linker::new(engine);
    linker.instance(&format!("stead:host/types@{CONTRACT}"))?;
    job::link(&mut linker)?;
    for grant in grant::ALL.iter().filter(|grant| grants.has(grant.name())) {
        grant.link(&mut linker)?;
    }
    with_wasi(engine, component, &mut linker)?;
    Ok(linker)
}

/// Most policies bring no WASI along, and its two hundred functions take longer to link than such a policy to run.
fn with_wasi<T: wasmtime_wasi::WasiView + 'static>(
    engine: &Engine,
    component: &Component,
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    if load::imports(engine, component).iter().any(|import| import.starts_with("wasi:")) {
        wasi::link(linker)?;
    }
    Ok(())
}
