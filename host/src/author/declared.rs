//! What a policy says that it asks for, in its own `wit/world.wit`, against what its component imports.
//!
//! The world is for people: it is reviewed with the policy, and a dependency that begins to ask for more shows there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Resolve, World};

use super::{FileError, contract};

const PATH: &str = "wit/world.wit";

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

/// A policy's world, as its author wrote it.
#[derive(Debug)]
pub(super) struct Declared {
    /// The name that the author gave it.
    pub name: String,
    /// The world of the contract that it is a part of.
    pub world: super::World,
    /// Its text.
    pub text: String,
    imports: BTreeSet<String>,
}

/// Reads the world in `folder`.
pub(super) fn read(folder: &Path) -> Result<Declared, WorldError> {
    let path = folder.join(PATH);
    let text = std::fs::read_to_string(&path).map_err(FileError::at(&path)).map_err(WorldError::Missing)?;
    declared(text).map_err(|reason| WorldError::Wrong { path, reason })
}

/// Compares it with the component. The virtual WASI that a language brings along is not of its author's choice.
pub(super) fn check(folder: &Path, declared: &Declared, component: &[u8]) -> Result<(), WorldError> {
    let path = folder.join(PATH);
    let imports = match decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => {
            names(resolve.worlds.get(world), &resolve, |world| &world.imports)
        }
        Ok(DecodedWasm::WitPackage(..)) => BTreeSet::new(),
        Err(error) => {
            return Err(WorldError::Wrong { path, reason: format!("the component cannot be read: {error:#}") });
        }
    };
    let undeclared = imports.difference(&declared.imports).filter(|name| !name.starts_with("wasi:"));
    let undeclared: Vec<_> = undeclared.cloned().collect();
    if undeclared.is_empty() { Ok(()) } else { Err(WorldError::Undeclared { path, imports: undeclared }) }
}

/// The one world in a text of WIT.
fn declared(text: String) -> Result<Declared, String> {
    let (mut resolve, _) = contract::resolve()?;
    let pushed = resolve.push_source("world.wit", &text);
    let package = pushed.map_err(|error| resolve.render_error(&error))?;
    let world = resolve.select_world(&[package], None).map_err(|error| format!("{error:#}"))?;
    let world = resolve.worlds.get(world).ok_or("it has no world")?;
    let exports = names(Some(world), &resolve, |world| &world.exports);
    let exported = |kind: &super::World| exports.iter().any(|name| name.starts_with(kind.export()));
    let kind = super::World::ALL.into_iter().find(exported);
    let kind =
        kind.ok_or("it exports neither stead:host/configure, which declares a host, nor stead:host/run, a job")?;
    Ok(Declared {
        name: world.name.clone(),
        world: kind,
        imports: names(Some(world), &resolve, |world| &world.imports),
        text,
    })
}

type Items = wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>;

fn names(world: Option<&World>, resolve: &Resolve, items: fn(&World) -> &Items) -> BTreeSet<String> {
    world.into_iter().flat_map(|world| items(world).keys()).map(|key| resolve.name_world_key(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn a_world_declares_its_imports_and_the_types_that_they_need() {
        let world =
            "package my:policy; world policy { import stead:host/sysctl@0.1.0; export stead:host/configure@0.1.0; }";
        let read = declared(world.to_owned());
        let names = read.as_ref().map(|read| (read.name.as_str(), read.imports.iter().map(String::as_str).collect()));
        assert_eq!(names, Ok(("policy", vec!["stead:host/sysctl@0.1.0", "stead:host/types@0.1.0"])));
        let wrong = declared("package my:policy; world policy { import stead:host/dns@0.1.0; }".to_owned());
        assert!(wrong.is_err_and(|reason| reason.contains("dns") && reason.contains("world.wit:1:")));
    }
}
