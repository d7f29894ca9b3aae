//! Policies of the tests' own, as `stead build` compiles them: once for all test processes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::{cache, program, run};

/// A first build of a policy and what it depends on, on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(10 * 60);

/// A repo with one policy, `NAME`, that has been built: what `stead init` and `stead build` would have left. `folder` is
/// where its package lies, from the root of the workspace.
///
/// # Errors
/// When it does not compile.
pub fn repo(name: &str, folder: &str) -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    // With the manifest and the README: a component is known by all that stead takes for the guest SDK.
    for source in [folder, "wit", "guest-sdk/rust"] {
        read_all(&workspace.join(source), &mut sources)?;
    }
    let stead = program::stead()?;
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let build = |repo: &Path| {
        let policy = repo.join("policies").join(name);
        copy(&workspace.join(folder), &policy)?;
        let manifest = fs::read_to_string(policy.join("Cargo.toml"))?;
        fs::write(policy.join("Cargo.toml"), manifest.replace("../../guest-sdk/rust", "../../.stead/sdk/rust"))?;
        fs::write(repo.join("stead.toml"), format!("[policy.{name}]\nsource = \"policies/{name}\"\n"))?;
        let mut build = Command::new(&stead);
        build.args(["build", "--no-compile"]).current_dir(repo);
        with_one_target(repo, || run::run(&mut build, BUILD_LIMIT)?.ended_with(0).map(drop))
    };
    cache::entry(&format!("{name}-policy"), &cache::key(&sources), build)
}

/// Compiles a Rust policy in a folder that it shares with all others: macros, and what they are made of, are most of the work.
pub(crate) fn with_one_target(repo: &Path, build: impl FnOnce() -> Result<()>) -> Result<()> {
    let _alone = cache::lock("policy-target")?;
    let (shared, link) = (cache::folder()?.join("policy-target"), repo.join(".stead/target"));
    fs::create_dir_all(&shared)?;
    fs::create_dir_all(repo.join(".stead"))?;
    symlink(shared, &link)?;
    build()?;
    Ok(fs::remove_file(link)?)
}

/// The component of such a policy.
///
/// # Errors
/// As [`repo`].
pub fn component(name: &str, folder: &str) -> Result<PathBuf> {
    Ok(repo(name, folder)?.join(format!(".stead/build/{name}.wasm")))
}

/// Copies a folder with all that is in it, but what a compiler left there.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            fs::copy(entry.path(), target)?;
        } else if entry.file_name() != "target" {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

pub(crate) fn read_all(folder: &Path, texts: &mut Vec<String>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if !entry.file_type()?.is_dir() {
            texts.push(fs::read_to_string(entry.path())?);
        } else if entry.file_name() != "target" {
            read_all(&entry.path(), texts)?;
        }
    }
    Ok(())
}
