//! What a component was built from: a digest of each file of the policy's package and of those that a `Cargo.toml`
//! names by a path, and one of its language's guest SDK. They lie beside the component.
//!
//! A plan is only worth its review when it is made by the policy that lies in the repo. Times of files would not do:
//! git sets them anew. What cargo(1) finds elsewhere (a workspace above the package, what a build script reads) is
//! not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FileError, Language, sdk, write};
use crate::digest::Digest;

/// What a build or a package manager completes.
const LOCKS: [&str; 3] = ["Cargo.lock", "package-lock.json", "go.sum"];
const SDK: &str = "(the guest SDK of this stead)";

/// The digest of each file, by its path from the policy's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<String, Digest>);

impl Sources {
    /// Those that a build of the package in `folder` would use now.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of(folder: &Path) -> Result<Self, FileError> {
        let mut sources = Self(BTreeMap::from([(SDK.to_owned(), sdk::digest(&Language::of(folder)))]));
        for package in packages(folder)? {
            sources.add(folder, &package, &package)?;
        }
        Ok(sources)
    }

    /// What the build of the component in this file used; `None` when nothing is known of that.
    pub fn built(component: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(beside(component)).ok()?).ok()
    }

    /// One that is not the same in both; `None` when they are equal.
    pub fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let names = self.0.keys().chain(other.0.keys());
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).min().map(String::as_str)
    }

    /// Writes them beside the component.
    pub(super) fn keep(&self, component: &Path) -> Result<(), FileError> {
        write(&beside(component), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }

    /// Takes the lock files as they are now: a build makes and completes them.
    pub(super) fn locked(mut self, folder: &Path) -> Result<Self, FileError> {
        for lock in LOCKS.iter().filter(|lock| folder.join(lock).is_file()) {
            self.file(folder, Path::new(lock))?;
        }
        Ok(self)
    }

    fn add(&mut self, folder: &Path, package: &Path, below: &Path) -> Result<(), FileError> {
        let path = folder.join(below);
        for entry in std::fs::read_dir(&path).map_err(FileError::at(&path))? {
            let entry = entry.map_err(FileError::at(&path))?;
            let name = below.join(entry.file_name());
            // A link to a folder is not followed: it may lead to itself.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !is_left_out(&name, package) {
                    self.add(folder, package, &name)?;
                }
            } else if entry.path().is_file() {
                self.file(folder, &name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &Path, name: &Path) -> Result<(), FileError> {
        let path = folder.join(name);
        let content = std::fs::read(&path).map_err(FileError::at(&path))?;
        self.0.insert(name.to_string_lossy().into_owned(), Digest::public(&content));
        Ok(())
    }
}

/// Where what a component was built from is kept.
pub fn beside(component: &Path) -> PathBuf {
    component.with_extension("source")
}

/// What compilers and package managers left behind, what git and editors keep, and tests; but cargo's own settings change what
/// is built.
fn is_left_out(name: &Path, package: &Path) -> bool {
    let plain = name.file_name().unwrap_or_default();
    let hidden = plain.as_encoded_bytes().starts_with(b".") && plain != ".cargo";
    let aside = ["target", "cases"].iter().any(|aside| name == package.join(aside));
    hidden || aside || plain == "node_modules" || plain == "__pycache__"
}

/// The package and those that it takes by a path, as paths from its folder. stead's own are left out.
fn packages(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let (mut seen, mut found, mut next) = (BTreeSet::new(), Vec::new(), vec![PathBuf::new()]);
    while let Some(package) = next.pop() {
        let path = folder.join(&package);
        if !seen.insert(path.canonicalize().map_err(FileError::at(&path))?) {
            continue;
        }
        let manifest = std::fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        // What is wrong with a manifest is for cargo to say.
        let manifest = manifest.parse::<toml::Table>().unwrap_or_default();
        let mut paths = Vec::new();
        manifest.values().for_each(|value| paths_in(value, &mut paths));
        let paths = paths.into_iter().map(|path| package.join(path));
        next.extend(paths.filter(|package| folder.join(package).join("Cargo.toml").is_file() && !is_steads(package)));
        found.push(package);
    }
    Ok(found)
}

fn is_steads(package: &Path) -> bool {
    package.components().any(|component| component.as_os_str() == ".stead")
}

/// The key `path`, wherever it is in a manifest.
fn paths_in(value: &toml::Value, paths: &mut Vec<String>) {
    let toml::Value::Table(table) = value else { return };
    paths.extend(table.get("path").and_then(toml::Value::as_str).map(str::to_owned));
    table.values().for_each(|value| paths_in(value, paths));
}

#[cfg(test)]
mod tests {
    use anyhow::{Result, ensure};

    use super::*;

    fn put(folder: &Path, name: &str, text: &str) -> Result<()> {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        Ok(std::fs::write(path, text)?)
    }

    #[test]
    fn a_change_of_what_is_built_is_seen_and_nothing_else() -> Result<()> {
        let root = tempfile::tempdir()?;
        let folder = root.path().join("policies/web");
        put(
            &folder,
            "Cargo.toml",
            "[dependencies]\nshared = { path = \"../shared\" }\n[lib]\npath = \"src/lib.rs\"\n",
        )?;
        put(&folder, "src/lib.rs", "")?;
        put(&folder, "src/target/names.rs", "")?;
        put(&folder, "wit/world.wit", "")?;
        put(&folder, "../shared/Cargo.toml", "[dependencies]\nweb = { path = \"../web\" }\n")?;
        let before = Sources::of(&folder)?;

        for name in [
            "target/debug/a",
            "cases/a.toml",
            "node_modules/a.js",
            "__pycache__/a.pyc",
            ".git/HEAD",
            "../other/Cargo.toml",
            "../../.stead/sdk/Cargo.toml",
        ] {
            put(&folder, name, "new")?;
            assert_eq!(before.difference(&Sources::of(&folder)?), None, "{name}");
        }
        let built =
            ["src/lib.rs", "src/new.rs", "src/target/names.rs", "wit/world.wit", "Cargo.lock", ".cargo/config.toml"];
        for name in built.into_iter().chain(["../shared/src/lib.rs"]) {
            let before = Sources::of(&folder)?;
            put(&folder, name, "new")?;
            assert_eq!(before.difference(&Sources::of(&folder)?), Some(name));
        }
        std::fs::remove_file(folder.join("src/new.rs"))?;
        ensure!(Sources::of(&folder)? != before);
        Ok(())
    }

    #[test]
    fn a_build_may_write_the_lock_file() -> Result<()> {
        let root = tempfile::tempdir()?;
        put(root.path(), "Cargo.toml", "")?;
        let before = Sources::of(root.path())?;
        put(root.path(), "Cargo.lock", "version = 4\n")?;
        assert_eq!(before.locked(root.path())?, Sources::of(root.path())?);
        Ok(())
    }
}
