//! The Compose plugin, version 2: where the client has none, as on Debian 12, it is taken out of Debian 13's package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::{run, words};
use crate::{archives, cache};

/// Whose packages are taken.
pub(super) const RELEASE: &str = "trixie";
const PLUGIN: &str = "usr/libexec/docker/cli-plugins/docker-compose";
const LIMIT: Duration = Duration::from_secs(180);

/// A folder for `DOCKER_CONFIG` with the plugin in it; `None` when the client has the plugin already.
pub(super) fn config() -> Result<Option<PathBuf>> {
    let has_plugin =
        run(&mut words("docker compose version"), LIMIT).context("install docker.io or a Docker client")?;
    if has_plugin.status.success() {
        return Ok(None);
    }
    let sources = archives::sources(RELEASE)?;
    cache::entry("compose", &cache::key(&[&sources]), |folder| fetch(folder, &sources)).map(Some)
}

fn fetch(folder: &Path, sources: &str) -> Result<()> {
    fs::create_dir(folder.join("cli-plugins"))?;
    take(sources, "docker-compose", PLUGIN, &folder.join("cli-plugins/docker-compose"))
}

/// Takes one file out of a package of a distribution, which is not installed.
pub(super) fn take(sources: &str, package: &str, path: &str, to: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let at = work.path();
    for name in ["lists/partial", "cache/archives/partial", "package"] {
        fs::create_dir_all(at.join(name))?;
    }
    fs::write(at.join("sources.list"), sources)?;
    run(apt_get(at).arg("update"), LIMIT)?.ok()?;
    run(apt_get(at).args(["download", package]), LIMIT)?.ok()?;
    let unpack = format!("dpkg-deb -x {package}_*.deb package");
    run(Command::new("sh").current_dir(at).args(["-c", &unpack]), LIMIT)?.ok()?;
    fs::copy(at.join("package").join(path), to)?;
    Ok(())
}

/// apt with sources, lists and cache of its own: the machine's stay as they are.
fn apt_get(at: &Path) -> Command {
    let mut command = Command::new("apt-get");
    command.current_dir(at);
    let folders = [("Etc::SourceList", "sources.list"), ("State::Lists", "lists"), ("Cache", "cache")];
    for (name, path) in folders {
        command.arg("-o").arg(format!("Dir::{name}={}", at.join(path).display()));
    }
    command.args(["-o", "Dir::Etc::SourceParts=-", "-o", "Dir::Etc::PreferencesParts=-"]);
    command.args(["-o", "APT::Sandbox::User=root"]);
    command
}
