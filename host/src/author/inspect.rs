//! What a component asks for and where it comes from, without compiling or running it.

use std::collections::BTreeSet;

use serde::Serialize;
use wasm_metadata::{Payload, Producers};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Resolve, World, WorldKey};

use crate::capability;
use crate::digest::Digest;
use crate::policy::job::VM;
use crate::policy::{ByteSize, Kind, kind, printable};

/// What is known of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    pub digest: Digest,
    pub size: ByteSize,
    /// The name that it carries.
    pub name: Option<String>,
    /// Interfaces and functions, sorted.
    pub imports: Vec<String>,
    /// Interfaces and functions, sorted.
    pub exports: Vec<String>,
    /// The capabilities that it needs a grant for, sorted.
    pub capabilities: Vec<String>,
    /// The versions of the contract `stead:host` that it uses, sorted; one, for a policy that was built in one go.
    pub contract: Vec<String>,
    /// The language that it was written in.
    pub languages: Vec<Tool>,
    /// Compilers and other tools that made it.
    pub tools: Vec<Tool>,
}

/// A language or tool, by what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// The file is no component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    #[error("the file is not WebAssembly")]
    NotWasm,
    #[error("the file is a core WebAssembly module, not a component; `stead build` makes one")]
    CoreModule,
    #[error("the file is a WIT package, not a component")]
    WitPackage,
    #[error("the component is malformed or truncated: {reason}")]
    Malformed { reason: String },
}

/// Reads a component.
///
/// # Errors
/// When it is none.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    match kind(bytes) {
        Kind::Component => {}
        Kind::CoreModule => return Err(InspectError::CoreModule),
        Kind::Other => return Err(InspectError::NotWasm),
    }
    let malformed = |reason: String| InspectError::Malformed { reason: printable(&reason) };
    let (resolve, world) = match decode(bytes).map_err(|error| malformed(format!("{error:#}")))? {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => return Err(InspectError::WitPackage),
    };
    let world = resolve.worlds.get(world).ok_or_else(|| malformed("it has no world".to_owned()))?;
    let payload = Payload::from_binary(bytes).map_err(|error| malformed(format!("{error:#}")))?;
    Ok(describe(bytes, &resolve, world, &payload))
}

fn describe(bytes: &[u8], resolve: &Resolve, world: &World, payload: &Payload) -> Inspection {
    let names = |keys: &mut dyn Iterator<Item = &WorldKey>| -> BTreeSet<String> {
        keys.map(|key| printable(&resolve.name_world_key(key))).collect()
    };
    let imports = names(&mut world.imports.keys());
    let exports = names(&mut world.exports.keys());
    let ours = || imports.iter().chain(&exports).filter_map(|name| name.strip_prefix("stead:host/")?.split_once('@'));
    let contract: BTreeSet<_> = ours().map(|(_, version)| version.to_owned()).collect();
    let capabilities: BTreeSet<_> =
        ours().map(|(interface, _)| interface.to_owned()).filter(|name| needs_grant(name)).collect();
    Inspection {
        digest: Digest::public(bytes),
        size: ByteSize(bytes.len() as u64),
        name: payload.metadata().name.as_deref().map(printable),
        capabilities: capabilities.into_iter().collect(),
        contract: contract.into_iter().collect(),
        languages: tools(payload, &["language"]),
        tools: tools(payload, &["processed-by", "sdk"]),
        imports: imports.into_iter().collect(),
        exports: exports.into_iter().collect(),
    }
}

fn needs_grant(interface: &str) -> bool {
    interface == VM || capability::by_name(interface).is_some()
}

/// What the component and the modules in it say of their making; see the tool-conventions repo on producers.
fn tools(payload: &Payload, fields: &[&str]) -> Vec<Tool> {
    let mut tools = BTreeSet::new();
    let mut open = vec![payload];
    while let Some(payload) = open.pop() {
        if let Payload::Component { children, .. } = payload {
            open.extend(children);
        }
        let producers = payload.metadata().producers.as_ref();
        tools.extend(producers.into_iter().flat_map(|producers| named(producers, fields)));
    }
    tools.into_iter().collect()
}

fn named(producers: &Producers, fields: &[&str]) -> Vec<Tool> {
    let fields = fields.iter().filter_map(|field| producers.get(field));
    let tool = |(name, version): (&String, &String)| Tool { name: printable(name), version: printable(version) };
    fields.flat_map(|field| field.iter().map(tool).collect::<Vec<_>>()).collect()
}
