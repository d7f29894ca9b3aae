//! Where Debian packages come from: the archives that this machine's own apt is set up for, at the release asked for.
//!
//! No archive is named here: a machine with a mirror or a proxy uses it here too.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::run::{run, words};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The lines of a `sources.list` for Debian `release`.
///
/// # Errors
/// When this machine's apt has no Debian archive.
pub(crate) fn sources(release: &str) -> Result<String> {
    let own_release = own_release()?;
    let mut command = words("apt-get indextargets");
    command.args(["--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]);
    let targets = run(&mut command, Duration::from_secs(30))?.ok()?;
    let mut lines: Vec<_> = targets.lines().filter_map(|target| line(target, &own_release, release)).collect();
    lines.sort();
    lines.dedup();
    ensure!(!lines.is_empty(), "apt has no archive of {own_release}: add one, or set STEAD_VM_IMAGE to a cloud image");
    Ok(lines.join("\n") + "\n")
}

/// The settings of this machine's apt that decide whether a download works.
pub(crate) fn settings() -> Result<String> {
    let all = run(&mut words("apt-config dump Acquire"), Duration::from_secs(30))?.ok()?;
    let decides = |line: &&str| ["Acquire::http", "Acquire::Check-"].iter().any(|start| line.starts_with(start));
    Ok(all.lines().filter(decides).map(|line| format!("{line}\n")).collect())
}

fn own_release() -> Result<String> {
    let command = &mut words("sh -c");
    command.arg(". /etc/os-release && printf %s \"$VERSION_CODENAME\"");
    run(command, Duration::from_secs(5))?.ok()
}

fn line(target: &str, own_release: &str, release: &str) -> Option<String> {
    let [uri, suite, component] = target.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let suffix = suite.strip_prefix(own_release)?;
    Some(format!("deb [signed-by={KEYRING}] {uri} {release}{suffix} {component}"))
}
