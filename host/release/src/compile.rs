//! Has cargo build the program, so that it is the same wherever it is built.
//!
//! Paths of this machine are replaced in what rustc and the C compiler write, the lock file is obeyed, and flags that the
//! environment has for other builds are left out. The build has a folder of its own under `target/`: with other flags, nothing
//! there could be used by the builds that developers do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::target::cargo;
use crate::{Release, ReleaseError, Target, at, output};

/// Where things lie, as far as the program knows.
const SOURCE: &str = "/usr/src/stead";
const CRATES: &str = "/usr/src/cargo";

/// Builds the program, and answers where it lies.
///
/// # Errors
/// When cargo fails, or what it made is no static program for the target.
pub fn program(release: &Release, target: Target) -> Result<PathBuf, ReleaseError> {
    let folder = release.source.join("target/released");
    let mut build = Command::new(cargo());
    build.current_dir(&release.source).arg(target.subcommand());
    build.args(["--locked", "--release", "--package", "stead", "--target", target.triple(), "--target-dir"]);
    build.arg(&folder).stdin(Stdio::null());
    for name in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS", "CFLAGS", "CXXFLAGS"] {
        build.env_remove(name);
    }
    build.env("CARGO_INCREMENTAL", "0").env("SOURCE_DATE_EPOCH", release.commit.time.to_string());
    let map = Map::of(&release.source)?;
    build.env("CARGO_ENCODED_RUSTFLAGS", map.rust().join("\x1f"));
    build.env(format!("CFLAGS_{}", target.triple().replace('-', "_")), map.c().join(" "));
    let run = |source| ReleaseError::Run { program: cargo(), source };
    // Its own words go to the terminal while it runs.
    let status = build.status().map_err(run)?;
    if !status.success() {
        let words = format!("cargo {} ended with {status}", target.subcommand());
        return Err(ReleaseError::Failed { program: cargo(), words });
    }
    let program = folder.join(target.triple()).join("release/stead");
    is_static(&program, target)?;
    Ok(program)
}

/// What stands for the paths of this machine.
#[derive(Debug)]
struct Map(Vec<(String, String)>);

impl Map {
    fn of(source: &Path) -> Result<Self, ReleaseError> {
        let home = std::env::home_dir().unwrap_or_default().join(".cargo");
        let crates = std::env::var_os("CARGO_HOME").map_or(home, PathBuf::from);
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
        let version = output(Command::new("rustc").arg("-vV"))?;
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or_default();
        // Where the sources of Rust are installed, it would name those.
        let library = format!("{}/lib/rustlib/src/rust", sysroot.trim());
        Ok(Self(vec![
            (source.display().to_string(), SOURCE.to_owned()),
            (crates.display().to_string(), CRATES.to_owned()),
            (library, format!("/rustc/{commit}")),
        ]))
    }

    fn rust(&self) -> Vec<String> {
        self.0.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect()
    }

    fn c(&self) -> Vec<String> {
        self.0.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect()
    }
}

/// That it is a program for this processor, and asks for no interpreter, elf(5).
fn is_static(program: &Path, target: Target) -> Result<(), ReleaseError> {
    let content = std::fs::read(program).map_err(at(program))?;
    let wrong = |reason: &str| ReleaseError::Program { program: program.to_owned(), reason: reason.to_owned() };
    let number = |from: usize, length: usize| -> Option<u64> {
        let bytes = content.get(from..from + length)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    if !content.starts_with(b"\x7fELF\x02\x01") || number(18, 2) != Some(target.elf().into()) {
        return Err(wrong(&format!("it is no program for {}", target.processor())));
    }
    let (Some(table), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2)) else {
        return Err(wrong("it ends too early"));
    };
    // PT_INTERP
    let is_interpreter = |entry: u64| number((table + entry * size) as usize, 4) == Some(3);
    if (0..count).any(is_interpreter) { Err(wrong("it is not static")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_refused() {
        let here = Target::here();
        let other = if here == Target::X86_64 { Target::Aarch64 } else { Target::X86_64 };
        let said = |target| is_static(Path::new("/bin/ls"), target).map_err(|error| error.to_string());
        assert_eq!(said(here), Err("/bin/ls is not what was asked for: it is not static".to_owned()));
        assert!(said(other).is_err_and(|words| words.contains("no program for")));
    }

    #[test]
    fn no_path_of_this_machine_is_left_in_flags() -> anyhow::Result<()> {
        let map = Map::of(Path::new("/home/anna/stead"))?;
        assert!(map.rust().contains(&"--remap-path-prefix=/home/anna/stead=/usr/src/stead".to_owned()));
        assert!(map.c().contains(&"-ffile-prefix-map=/home/anna/stead=/usr/src/stead".to_owned()));
        Ok(())
    }
}
