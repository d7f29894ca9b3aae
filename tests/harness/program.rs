//! The program under test.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::cache;
use crate::run::{run, words};

/// The `stead` that was built last, without its debug information: it travels to slow virtual machines.
///
/// # Errors
/// When it has not been built.
pub fn stead() -> Result<PathBuf> {
    let built = built()?;
    let since = fs::metadata(&built)?.modified()?.duration_since(UNIX_EPOCH)?;
    let key = cache::key(&[&built.to_string_lossy(), &since.as_nanos().to_string()]);
    let strip = |folder: &Path| {
        let mut objcopy = words("objcopy --strip-debug");
        run(objcopy.arg(&built).arg(folder.join("stead")), Duration::from_secs(120))?.ok().map(drop)
    };
    Ok(cache::entry("program", &key, strip)?.join("stead"))
}

fn built() -> Result<PathBuf> {
    let own = env::current_exe()?;
    // target/TRIPLE/debug/deps/TEST or target/TRIPLE/debug/examples/EXAMPLE
    let folder = own.ancestors().nth(2).context("this test does not lie in a target folder")?;
    let program = folder.join("stead");
    ensure!(program.is_file(), "there is no {}: run `cargo build --package stead` first", program.display());
    is_of_these_sources(&program)?;
    Ok(program)
}

/// `cargo test` builds no program of another package, so an old one may lie there.
fn is_of_these_sources(program: &Path) -> Result<()> {
    let built = fs::metadata(program)?.modified()?;
    // As make(1) reads it: what was built, a colon, and what it was built from, with blanks escaped.
    let rule = fs::read_to_string(program.with_extension("d"))?.replace("\\ ", "\0");
    let sources = rule.split_once(": ").map_or("", |(_, sources)| sources);
    for source in sources.split_whitespace().map(|source| source.replace('\0', " ")) {
        let changed = fs::metadata(&source).and_then(|facts| facts.modified());
        let is_newer = changed.is_ok_and(|changed| changed > built);
        ensure!(!is_newer, "{source} has changed since stead was built: run `cargo build --package stead` first");
    }
    Ok(())
}
