//! The processors that stead is released for, and what has to be there to build for each.

use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use crate::{ReleaseError, output};

/// A processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    X86_64,
    Aarch64,
}

/// All of them.
pub const ALL: [Target; 2] = [Target::X86_64, Target::Aarch64];

impl Target {
    /// This machine's.
    pub fn here() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Aarch64 } else { Self::X86_64 }
    }

    /// As `uname -m` says.
    pub fn processor(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// As rustc calls it.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-musl",
            Self::Aarch64 => "aarch64-unknown-linux-musl",
        }
    }

    /// As dpkg(1) calls it.
    pub fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// `e_machine`, elf(5).
    pub(crate) fn elf(self) -> u16 {
        match self {
            Self::X86_64 => 62,
            Self::Aarch64 => 183,
        }
    }

    /// The subcommand of cargo: C code for another processor is compiled and linked by zig.
    pub(crate) fn subcommand(self) -> &'static str {
        if self == Self::here() { "build" } else { "zigbuild" }
    }

    /// Looks for all that is needed, before minutes are spent on what would fail.
    ///
    /// # Errors
    /// With everything that is missing, and how to get it.
    pub fn is_ready(self) -> Result<(), ReleaseError> {
        let mut missing = Vec::new();
        if !self.has_standard_library()? {
            missing.push(format!("- Rust's standard library for it: rustup target add {}", self.triple()));
        }
        if self == Self::here() {
            if !runs("musl-gcc", &["--version"]) {
                missing.push("- a C compiler for musl: apt-get install musl-tools".to_owned());
            }
        } else if !runs(&cargo(), &["zigbuild", "--help"]) {
            let how = "python3 -m venv zig && zig/bin/pip install cargo-zigbuild, and zig/bin in PATH";
            missing.push(format!("- cargo-zigbuild, with zig as its C compiler: {how}"));
        }
        if !runs("dpkg-deb", &["--version"]) {
            missing.push("- dpkg-deb, which writes the package: apt-get install dpkg".to_owned());
        }
        if missing.is_empty() { Ok(()) } else { Err(ReleaseError::Missing { target: self.triple(), missing }) }
    }

    fn has_standard_library(self) -> Result<bool, ReleaseError> {
        let arguments = ["--print", "target-libdir", "--target", self.triple()];
        let folder = output(Command::new("rustc").args(arguments))?;
        Ok(Path::new(folder.trim()).is_dir())
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = ALL.into_iter().find(|target| target.processor() == text);
        known.ok_or_else(|| "stead is released for x86_64 and aarch64".to_owned())
    }
}

/// The cargo that runs this.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
