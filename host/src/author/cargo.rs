//! Runs cargo(1) on a policy, in an environment that is the same for everybody.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

const TARGET: &str = "wasm32-unknown-unknown";
const ADD_TARGET: &str = "rustup target add wasm32-unknown-unknown";
/// Variables that would send the build to another place or target, or change what is built.
const STRAY: [&str; 7] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "RUSTFLAGS",
];

/// The module was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    #[error("cargo is not installed; see https://rustup.rs")]
    Missing,
    #[error("cannot run cargo: {0}")]
    Start(std::io::Error),
    #[error("the Rust toolchain cannot compile to WebAssembly: run `{ADD_TARGET}`")]
    NoTarget,
    #[error("the policy does not compile\n{words}")]
    Failed {
        /// What the compiler said.
        words: String,
    },
    #[error("the package builds no module: its Cargo.toml needs\n[lib]\ncrate-type = [\"cdylib\"]")]
    NoModule,
}

/// Compiles the package in `folder` and answers where its module is. `say` gets each line of cargo as it comes.
pub(super) fn compile(repo: &Path, folder: &Path, say: &mut dyn FnMut(&str)) -> Result<PathBuf, CargoError> {
    let mut command = command(repo, folder);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CargoError::Missing,
        _ => CargoError::Start(error),
    })?;
    // Messages are read in a thread of their own: cargo stops when either pipe is full.
    let stdout = child.stdout.take();
    let messages = std::thread::spawn(move || read(stdout));
    let mut words = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            say(&line);
            words.push_str(&line);
            words.push('\n');
        }
    }
    let status = child.wait().map_err(CargoError::Start)?;
    let messages = messages.join().unwrap_or_default();
    if status.success() { module(&messages, folder).ok_or(CargoError::NoModule) } else { Err(failed(words)) }
}

fn command(repo: &Path, folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| STRAY.iter().any(|stray| name.starts_with(stray))) {
            command.env_remove(&name);
        }
    }
    command
        .args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", repo.join(".stead/target"))
        .env("CARGO_ENCODED_RUSTFLAGS", flags(repo))
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Places in messages of a policy are then the same on every machine, and so is its digest.
fn flags(repo: &Path) -> OsString {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(repo);
    flags.push("=.");
    if let Some(home) = home {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(home);
        flags.push("=cargo");
    }
    flags
}

fn read(stdout: Option<impl Read>) -> String {
    let mut messages = String::new();
    if let Some(mut stdout) = stdout {
        // What is cut off by an error here shows as a build without a module.
        let _ = stdout.read_to_string(&mut messages);
    }
    messages
}

fn failed(words: String) -> CargoError {
    let no_target = words.contains("target may not be installed") || words.contains("can't find crate for `core`");
    if no_target { CargoError::NoTarget } else { CargoError::Failed { words } }
}

/// A message of cargo that an artifact was built; see "external tools" in the book of cargo.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    manifest_path: PathBuf,
    filenames: Vec<PathBuf>,
}

/// The module that was built of the package in `folder` itself.
fn module(messages: &str, folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join("Cargo.toml").canonicalize().ok()?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let ours = |artifact: &Artifact| {
        artifact.reason == "compiler-artifact"
            && artifact.manifest_path.canonicalize().is_ok_and(|path| path == manifest)
    };
    let mut files = artifacts.filter(ours).flat_map(|artifact| artifact.filenames);
    files.find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}
