//! Which crates are linked into the program for one target, who depends on whom, and what each says of itself.
//!
//! `cargo tree` decides which: it resolves features for this package and this target alone, and leaves out what is used only to
//! build or to test, and what runs in the compiler. `cargo metadata`, which knows all crates of the workspace, says the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::target::cargo;
use crate::{ReleaseError, Target, at, output};

/// A crate by name and version; no two of one workspace come from different places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub name: String,
    pub version: String,
}

/// What a crate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    pub depends_on: BTreeSet<Name>,
    /// An expression of SPDX.
    pub licence: Option<String>,
    pub description: Option<String>,
    pub repository: Option<String>,
    /// SHA-256 of what the registry gave out; none of what lies in this workspace.
    pub checksum: Option<String>,
    pub folder: PathBuf,
}

/// The crates of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    pub root: Name,
    pub crates: BTreeMap<Name, Crate>,
}

impl Linked {
    /// Those of `stead`.
    ///
    /// # Errors
    /// When cargo fails.
    pub fn read(source: &Path, target: Target) -> Result<Self, ReleaseError> {
        let mut tree = Command::new(cargo());
        tree.current_dir(source).env_remove("CARGO_BUILD_TARGET");
        tree.args(["tree", "--locked", "--package", "stead", "--target", target.triple()]);
        tree.args(["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}"]);
        let edges = edges(&output(&mut tree)?);
        let mut metadata = Command::new(cargo());
        metadata.current_dir(source).args(["metadata", "--locked", "--format-version", "1"]);
        let metadata: Metadata = serde_json::from_str(&output(&mut metadata)?)?;
        let lock = source.join("Cargo.lock");
        let sums = checksums(&std::fs::read_to_string(&lock).map_err(at(&lock))?);
        let mut crates = BTreeMap::new();
        for package in metadata.packages {
            let name = Name { name: package.name, version: package.version };
            let Some(depends_on) = edges.get(&name) else { continue };
            let folder = package.manifest_path.parent().map(Path::to_owned);
            let known = Crate {
                depends_on: depends_on.clone(),
                licence: package.license,
                description: package.description,
                repository: package.repository,
                checksum: sums.get(&name).cloned(),
                folder: folder.unwrap_or_default(),
            };
            crates.insert(name, known);
        }
        let root = crates.keys().find(|name| name.name == "stead").cloned();
        let root = root.ok_or_else(|| ReleaseError::Bill("cargo does not know the package stead".to_owned()))?;
        Ok(Self { root, crates })
    }
}

/// Of `cargo metadata`, what is needed here.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    description: Option<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
}

/// From `DEPTH NAME vVERSION …`, in which a crate is spread out where it comes first.
fn edges(tree: &str) -> BTreeMap<Name, BTreeSet<Name>> {
    let mut edges: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    let mut above: Vec<Name> = Vec::new();
    for line in tree.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(depth), Some(name), Some(version)) = (words.next(), words.next(), words.next()) else { continue };
        let Ok(depth) = depth.parse::<usize>() else { continue };
        let name = Name { name: name.to_owned(), version: version.trim_start_matches('v').to_owned() };
        above.truncate(depth);
        if let Some(parent) = above.last() {
            edges.entry(parent.clone()).or_default().insert(name.clone());
        }
        edges.entry(name.clone()).or_default();
        above.push(name);
    }
    edges
}

/// Of `Cargo.lock`, whose entries are in this order whoever writes it.
fn checksums(lock: &str) -> BTreeMap<Name, String> {
    let entry = |text: &str| {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
            line.map(|line| line.trim_end_matches('"').to_owned())
        };
        Some((Name { name: value("name")?, version: value("version")? }, value("checksum")?))
    };
    lock.split("[[package]]").filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Name {
        Name { name: name.to_owned(), version: "1.0.0".to_owned() }
    }

    #[test]
    fn a_tree_becomes_edges() {
        let tree = "0 a v1.0.0 (/src/a)\n1 b v1.0.0\n2 c v1.0.0\n1 c v1.0.0\n1 d v1.0.0 (*)\n";
        let edges = edges(tree);
        assert_eq!(edges[&name("a")], BTreeSet::from([name("b"), name("c"), name("d")]));
        assert_eq!(edges[&name("b")], BTreeSet::from([name("c")]));
        assert_eq!(edges[&name("d")], BTreeSet::new());
    }

    #[test]
    fn a_crate_of_the_workspace_has_no_checksum() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \"b\",\n]\n\n\
                    [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry\"\nchecksum = \"ab\"\n";
        assert_eq!(checksums(lock), BTreeMap::from([(name("b"), "ab".to_owned())]));
    }

    #[test]
    fn what_is_only_for_builds_tests_and_the_compiler_is_left_out() -> anyhow::Result<()> {
        let linked = Linked::read(&crate::workspace(), Target::here())?;
        let has = |name: &str| linked.crates.keys().any(|known| known.name == name);
        for inside in ["stead", "stead-vm", "wasmtime", "libsqlite3-sys", "mimalloc", "ring"] {
            assert!(has(inside), "{inside}");
        }
        // For tests, for builds, in the compiler, of other members of the workspace, for other systems.
        for outside in ["insta", "proptest", "cc", "serde_derive", "scraper", "cyclonedx-bom", "windows-sys"] {
            assert!(!has(outside), "{outside}");
        }
        let registry = |known: &&Crate| known.checksum.as_ref().is_some_and(|sum| sum.len() == 64);
        assert_eq!(linked.crates.values().filter(|known| !registry(known)).count(), 3);
        assert!(linked.crates.values().all(|known| known.licence.is_some()));
        let queue = linked.crates.keys().find(|known| known.name == "stead-queue");
        assert!(queue.is_some_and(|queue| linked.crates[&linked.root].depends_on.contains(queue)));
        Ok(())
    }
}
