//! From bytes to a component that is about to be a policy.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::error::LoadError;
use super::limits::ByteSize;
use super::words::printable;

/// The largest component that is looked at. A policy in Python has 18 MiB.
const LARGEST: ByteSize = ByteSize(128 << 20);

/// What a file is, by its first eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebAssembly component.
    Component,
    /// A core WebAssembly module: a component in the making.
    CoreModule,
    /// Something else.
    Other,
}

/// What the bytes are, by their preamble.
pub fn kind(bytes: &[u8]) -> Kind {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Kind::Component,
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Kind::CoreModule,
        _ => Kind::Other,
    }
}

/// Refuses what cannot be a component before anything costly is done with it.
pub(super) fn preamble(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() as u64 > LARGEST.0 {
        return Err(LoadError::TooLarge { size: ByteSize(bytes.len() as u64), limit: LARGEST });
    }
    match kind(bytes) {
        Kind::Component => Ok(()),
        Kind::CoreModule => Err(LoadError::CoreModule),
        Kind::Other => Err(LoadError::NotWasm),
    }
}

/// Compiles a component; this takes milliseconds for a small one and seconds for a large one.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
    Component::from_binary(engine, bytes)
        .map_err(|error| LoadError::Malformed { reason: printable(&format!("{error:#}")) })
}

/// The names of what it imports.
pub(super) fn imports(engine: &Engine, component: &Component) -> Vec<String> {
    component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect()
}

/// The names of the interfaces and functions that it exports.
pub(super) fn exports(engine: &Engine, component: &Component) -> Vec<String> {
    let callable =
        |item: &ComponentItem| matches!(item, ComponentItem::ComponentFunc(_) | ComponentItem::ComponentInstance(_));
    let ty = component.component_type();
    ty.exports(engine).filter(|(_, item)| callable(&item.ty)).map(|(name, _)| name.to_owned()).collect()
}
