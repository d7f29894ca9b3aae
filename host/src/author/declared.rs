//! What a policy says that it asks for, in its own `wit/world.wit`, against what its component imports.
//!
//! The world is for people: it is reviewed with the policy, and a dependency that begins to ask for more shows there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Resolve, World};

use super::{FileError, contract};

/// The policy's world is missing or wrong, or narrower than its component.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("the policy does not say what it asks for: it needs a wit/world.wit ({0})")]
    Missing(FileError),
    #[error("{}: {reason}", path.display())]
    Wrong { path: PathBuf, reason: String },
    #[error("the policy imports what its {} does not declare; add\n{}", path.display(), lines(imports))]
    Undeclared { path: PathBuf, imports: Vec<String> },
}

fn lines(imports: &[String]) -> String {
    // `package` is a keyword of WIT, which needs the sign where a name is meant.
    let line = |import: &String| format!("    import {};", import.replace("/package@", "/%package@"));
    imports.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Compares the world in `folder` with the component.
pub(super) fn check(folder: &Path, component: &[u8]) -> Result<(), WorldError> {
    let path = folder.join("wit/world.wit");
    let wrong = |reason: String| WorldError::Wrong { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(FileError::at(&path)).map_err(WorldError::Missing)?;
    let declared = declared(&text).map_err(wrong)?;
    let imports = match decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => names(&resolve, resolve.worlds.get(world)),
        Ok(DecodedWasm::WitPackage(..)) => BTreeSet::new(),
        Err(error) => return Err(wrong(format!("the component cannot be read: {error:#}"))),
    };
    let undeclared: Vec<_> = imports.difference(&declared).cloned().collect();
    if undeclared.is_empty() { Ok(()) } else { Err(WorldError::Undeclared { path, imports: undeclared }) }
}

/// The imports of the one world in a text of WIT.
fn declared(text: &str) -> Result<BTreeSet<String>, String> {
    let (mut resolve, _) = contract::resolve()?;
    let pushed = resolve.push_source("world.wit", text);
    let package = pushed.map_err(|error| resolve.render_error(&error))?;
    let world = resolve.select_world(&[package], None).map_err(|error| format!("{error:#}"))?;
    Ok(names(&resolve, resolve.worlds.get(world)))
}

fn names(resolve: &Resolve, world: Option<&World>) -> BTreeSet<String> {
    world.into_iter().flat_map(|world| world.imports.keys()).map(|key| resolve.name_world_key(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn a_world_declares_its_imports_and_the_types_that_they_need() {
        let world =
            "package my:policy; world policy { import stead:host/sysctl@0.1.0; export stead:host/configure@0.1.0; }";
        let names: Vec<_> = declared(world).unwrap_or_default().into_iter().collect();
        assert_eq!(names, ["stead:host/sysctl@0.1.0", "stead:host/types@0.1.0"]);
        let wrong = declared("package my:policy; world policy { import stead:host/dns@0.1.0; }");
        assert!(wrong.is_err_and(|reason| reason.contains("dns") && reason.contains("world.wit:1:")));
    }
}
