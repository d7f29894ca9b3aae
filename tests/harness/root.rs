//! The root folder of a small Debian, made on the build machine by `mmdebstrap`: what virtual machines boot from a disk,
//! and system containers from an overlay.
//!
//! It holds what a fresh cloud server holds and no more. nftables, Docker and WireGuard's tools are *not* installed:
//! installing them is the work of the program under test. Their packages lie in an archive inside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::run;
use crate::{archives, cache};

const PACKAGES: &str = include_str!("root/packages.txt");
const ARCHIVE: &str = include_str!("root/archive.txt");
const FINISH: &str = include_str!("root/finish.sh");
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// A release of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Debian 12.
    Bookworm,
    /// Debian 13.
    Trixie,
}

/// A root folder that is never written to, and a key that changes when its contents do.
#[derive(Clone, Debug)]
pub struct Root {
    pub folder: PathBuf,
    pub key: String,
}

impl Root {
    /// The one that is built, once, into the cache (about a minute).
    ///
    /// # Errors
    /// When the build fails: a missing program, or no Debian archive in the machine's apt sources.
    pub fn obtain(release: Release) -> Result<Self> {
        let (name, archive) = (release.name(), release.archive().join(" "));
        let recipe = Recipe { name, archive, sources: archives::sources(name)?, settings: archives::settings()? };
        let key = cache::key(&[name, PACKAGES, &recipe.archive, FINISH, &recipe.sources, &recipe.settings]);
        let entry = cache::entry(&format!("root-{name}"), &key, |entry| recipe.build(entry))?;
        Ok(Self { folder: entry.join("root"), key })
    }
}

/// Everything that decides what is in it.
struct Recipe {
    name: &'static str,
    archive: String,
    sources: String,
    settings: String,
}

impl Recipe {
    fn build(&self, entry: &Path) -> Result<()> {
        let inputs = entry.join("inputs");
        fs::create_dir(&inputs)?;
        let sources = inputs.join("network.list");
        fs::write(&sources, &self.sources)?;
        fs::write(inputs.join("apt.conf"), &self.settings)?;
        fs::write(inputs.join("finish.sh"), FINISH)?;
        // With mounts of its own: one that is killed leaves none behind for whoever removes its folder.
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation=private", "mmdebstrap"]);
        command.args(["--mode=root", "--variant=minbase", "--quiet", "--skip=cleanup/apt/lists"]);
        command.arg(format!("--include={}", PACKAGES.lines().collect::<Vec<_>>().join(",")));
        command.arg("--customize-hook=sh \"$STEAD_INPUTS/finish.sh\" \"$1\"");
        command.arg(self.name).args([&entry.join("root"), &sources]);
        command.env("STEAD_INPUTS", &inputs).env("STEAD_ARCHIVE", &self.archive);
        run(&mut command, BUILD_LIMIT)?.ok().context("mmdebstrap must run as root, with a Debian archive in reach")?;
        Ok(fs::remove_dir_all(inputs)?)
    }
}

impl Release {
    fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// The packages that can be installed on it without a network.
    fn archive(self) -> Vec<&'static str> {
        // Debian 12 has the client in docker.io, and no Compose plugin; no job runs on it.
        let lacking = ["docker-cli", "docker-compose", "python3-numpy", "python3-pil"];
        let lacks = |package: &str| self == Self::Bookworm && lacking.contains(&package);
        ARCHIVE.lines().filter(|package| !lacks(package)).collect()
    }
}
