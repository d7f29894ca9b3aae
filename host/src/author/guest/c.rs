//! C, by clang with wasi-libc, or by zig, which brings both along.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{MakeError, Work, read};
use crate::author::tool::{find, run};
use crate::author::{FileError, ToolError};

const TOOL: &str = "clang";
const INSTALL: &str = "on Debian and Ubuntu: apt install clang lld wasi-libc libclang-rt-dev-wasm32 \
    (libclang-rt-14-dev-wasm32 on Debian 12 and Ubuntu 22.04); \
    or from PyPI into the repo: python3 -m venv .venv && .venv/bin/pip install ziglang";

/// The module of the policy: all files `*.c` of its folder, with those of the SDK.
pub(in crate::author) fn compile(work: &Work<'_>, say: &mut dyn FnMut(&str)) -> Result<Vec<u8>, MakeError> {
    let missing = || ToolError::Missing { tool: TOOL, install: INSTALL.to_owned() };
    let mut command = compiler(work).ok_or_else(missing)?;
    let output = work.output()?;
    let sdk = work.sdk("c");
    let world = sdk.join(work.declared.world.name());
    // By `c11` the headers keep what is of POSIX, such as `clock_gettime`, to themselves.
    command
        .args(["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-mexec-model=reactor"])
        .arg(joined("-ffile-prefix-map=", work.repo, "=."))
        .arg(joined("-I", &sdk, ""))
        .arg(joined("-I", &world, ""))
        .args(sources(work.folder)?)
        .args(sources(&sdk)?)
        .args(sources(&world)?)
        .arg("-o")
        .arg(&output)
        .env("LC_ALL", "C")
        .current_dir(work.folder);
    run(TOOL, &mut command, say).map_err(incomplete)?;
    read(&output)
}

fn compiler(work: &Work<'_>) -> Option<Command> {
    if let Some(clang) = find(&["clang", "clang-19", "clang-18", "clang-16", "clang-14"], &[]) {
        let mut command = Command::new(clang);
        command.arg("--target=wasm32-wasi");
        return Some(command);
    }
    let mut command = Command::new(find(&["zig", "python-zig"], &work.programs(".venv/bin"))?);
    command.args(["cc", "-target", "wasm32-wasi"]);
    Some(command)
}

fn joined(before: &str, path: &Path, after: &str) -> OsString {
    let mut joined = OsString::from(before);
    joined.push(path);
    joined.push(after);
    joined
}

/// The files `*.c` of a folder, sorted, so that the component is the same everywhere.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = std::fs::read_dir(folder).map_err(FileError::at(folder))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(FileError::at(folder))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    paths.sort();
    Ok(paths)
}

/// A clang without the parts for WebAssembly is as good as none.
fn incomplete(error: ToolError) -> ToolError {
    const SIGNS: [&str; 4] =
        ["wasm-ld: not found", "unable to execute command", "libclang_rt.builtins-wasm32", "crt1-reactor.o"];
    const HEADERS: [&str; 2] = ["'string.h' file not found", "'stdlib.h' file not found"];
    match error {
        ToolError::Failed { words } if SIGNS.iter().chain(&HEADERS).any(|sign| words.contains(sign)) => {
            ToolError::Missing { tool: "clang's support for WebAssembly", install: INSTALL.to_owned() }
        }
        error => error,
    }
}
