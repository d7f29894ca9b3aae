//! What is pushed to a registry: a component, or the contract in its binary form, with what other tools want to know of it.

use std::collections::BTreeSet;

use super::{InspectError, Inspection, World, contract, inspect};
use crate::registry::Packed;

/// It is not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error("the component is no policy: it exports {}", list(exports))]
    NotAPolicy { exports: Vec<String> },
    #[error("the contract cannot be packed: {reason}")]
    Contract { reason: String },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Packs a policy.
///
/// # Errors
/// When it is no component, or no policy.
pub fn policy(name: &str, component: &[u8]) -> Result<Packed, PackageError> {
    let inspection = is_policy(component)?;
    Ok(Packed::new(component, name, &inspection.imports, &inspection.exports))
}

/// Looks into a policy.
///
/// # Errors
/// When it is no component, or no policy.
pub fn is_policy(component: &[u8]) -> Result<Inspection, PackageError> {
    let inspection = inspect(component)?;
    let is_one = |world: World| inspection.exports.iter().any(|export| export.starts_with(world.export()));
    if !World::ALL.into_iter().any(is_one) {
        return Err(PackageError::NotAPolicy { exports: inspection.exports });
    }
    Ok(inspection)
}

/// Packs the contract as a WIT package: its binary form, and what is pushed for it. Its worlds and interfaces are told as
/// exports, as wkg does.
///
/// # Errors
/// When the contract was wrong when this binary was built, which a test excludes.
pub fn wit() -> Result<(Vec<u8>, Packed), PackageError> {
    let wrong = |reason: String| PackageError::Contract { reason };
    let (resolve, id) = contract::resolve().map_err(wrong)?;
    let wasm = wit_component::encode(&resolve, id, false).map_err(|error| wrong(format!("{error:#}")))?;
    let package = resolve.packages.get(id).ok_or_else(|| wrong("it is empty".to_owned()))?;
    let version = package.name.version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
    let name = |name: &str| format!("{}:{}/{name}{version}", package.name.namespace, package.name.name);
    let worlds = package.worlds.iter().flat_map(|(world, id)| {
        let exports = resolve.worlds.get(*id).map(|world| world.exports.keys());
        let exports = exports.into_iter().flatten().map(|key| resolve.name_world_key(key));
        exports.chain([name(world)]).collect::<Vec<_>>()
    });
    let names: BTreeSet<String> = worlds.chain(package.interfaces.keys().map(|interface| name(interface))).collect();
    let packed = Packed::new(&wasm, "host", &[], &names.into_iter().collect::<Vec<_>>());
    Ok((wasm, packed))
}

#[cfg(test)]
mod tests {
    use wit_parser::decoding::{DecodedWasm, decode};

    use super::*;

    #[test]
    fn the_contract_is_packed_as_a_package_that_is_read_again() -> anyhow::Result<()> {
        let (wasm, packed) = wit()?;
        let DecodedWasm::WitPackage(resolve, id) = decode(&wasm)? else { anyhow::bail!("it is no package") };
        let version = crate::policy::CONTRACT;
        let package = resolve.packages.get(id).map(|package| package.name.to_string());
        assert_eq!(package, Some(format!("stead:host@{version}")));
        let config = String::from_utf8(packed.config)?;
        for name in ["bootstrap", "job", "configure", "run", "firewall"] {
            assert!(config.contains(&format!("\"stead:host/{name}@{version}\"")), "{name}: {config}");
        }
        assert!(matches!(policy("wit", &wasm), Err(PackageError::Inspect(InspectError::WitPackage))));
        Ok(())
    }
}
