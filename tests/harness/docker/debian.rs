//! What Dockerfiles begin with, where no registry is in reach: Debian 13, with the apt, the authorities and the pip that
//! work on this machine. No Dockerfile has to know of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::compose::RELEASE;
use crate::run::run;
use crate::{archives, cache};

const LIMIT: Duration = Duration::from_secs(600);
const FINISH: &str = include_str!("debian.sh");

/// A tar for `docker import`, which is made once (about a minute).
///
/// # Errors
/// Without root, mmdebstrap, or a Debian archive in reach.
pub fn debian_tar() -> Result<PathBuf> {
    let (sources, settings) = (archives::sources(RELEASE)?, archives::settings()?);
    let key = cache::key(&[&sources, &settings, FINISH]);
    let build = |folder: &Path| build(folder, &sources, &settings);
    Ok(cache::entry("debian", &key, build)?.join("image.tar"))
}

fn build(folder: &Path, sources: &str, settings: &str) -> Result<()> {
    let inputs = tempfile::tempdir()?;
    let path = |name: &str| inputs.path().join(name);
    fs::write(path("sources.list"), sources)?;
    fs::write(path("apt.conf"), settings)?;
    fs::write(path("finish.sh"), FINISH)?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation=private", "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet"]);
    command.args(["--include=ca-certificates", "--dpkgopt=path-exclude=/usr/share/doc/*"]);
    command.args(["--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/man/*"]);
    command.arg("--customize-hook=sh \"$STEAD_INPUTS/finish.sh\" \"$1\"");
    command.arg(RELEASE).args([folder.join("image.tar"), path("sources.list")]).env("STEAD_INPUTS", inputs.path());
    run(&mut command, LIMIT)?.ok().context("mmdebstrap must run as root, with a Debian archive in reach").map(drop)
}
