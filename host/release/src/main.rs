//! `cargo run --package stead-release`: makes what is released.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use stead_release::{ALL, Release, ReleaseError, Target};

/// Build stead for each processor, and write programs, Debian packages, bills of materials and checksums into a folder.
///
/// What is made depends on the commit, the toolchain and dpkg-deb alone: whoever runs it again gets the same bytes.
#[derive(Debug, Parser)]
#[command(name = "stead-release", version)]
struct Cli {
    /// Where it is written; what an earlier run left there goes.
    #[arg(long, value_name = "DIR", default_value = "dist")]
    out: PathBuf,
    /// The processors; without it x86_64 and aarch64.
    #[arg(long = "for", value_name = "PROCESSOR")]
    processors: Vec<Target>,
    /// Take what lies in the work tree, though it is no commit: for trying this out.
    #[arg(long)]
    dirty: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(written) => {
            written.iter().for_each(|path| println!("{}", path.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<Vec<PathBuf>, ReleaseError> {
    let targets = if cli.processors.is_empty() { ALL.to_vec() } else { cli.processors.clone() };
    Release::of_this_commit(cli.dirty)?.make(&targets, &cli.out)
}
