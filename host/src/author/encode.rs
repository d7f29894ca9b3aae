//! From a core module to a component.

use wasi_preview1_component_adapter_provider as adapter;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::{World, contract};

/// A module that says itself what it imports, without WASI: one in Rust.
pub(super) fn module(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.validate(true).module(module).and_then(ComponentEncoder::encode);
    encoded.map_err(|error| format!("{error:#}"))
}

/// A module of this world, for the first WASI: one in C or Go. What it does not call of the world is not imported.
pub(super) fn wasi_module(mut module: Vec<u8>, world: World) -> Result<Vec<u8>, String> {
    let (resolve, package) = contract::resolve()?;
    let world = resolve.select_world(&[package], Some(world.name())).map_err(|error| format!("{error:#}"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .map_err(|error| format!("{error:#}"))?;
    let (name, bytes) = (adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER);
    let mut encoder = ComponentEncoder::default();
    let with_module = encoder.validate(true).module(&module);
    let encoded = with_module.and_then(|encoder| encoder.adapter(name, bytes)).and_then(ComponentEncoder::encode);
    encoded.map_err(|error| format!("{error:#}"))
}
