//! The package on a server: it starts nothing, keeps what an administrator set, and leaves the record of the machine alone.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use stead_release::Target;
use stead_release::debian::Pressed;
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::program;

use crate::packed::release;

const APT: &str = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --allow-downgrades";

/// A package of this version on the server.
fn put(container: &Container, folder: &Path, version: &str) -> Result<String> {
    let (program, out) = (program::stead()?, folder.join(version));
    std::fs::create_dir_all(&out)?;
    let files = release(version)?.pack(Target::here(), &program, &program, Pressed::Quickly, &out)?;
    let package: PathBuf = files.into_iter().filter(|file| file.extension().is_some_and(|is| is == "deb")).collect();
    let there = format!("/root/{version}.deb");
    container.copy_to(&package, &there)?;
    Ok(there)
}

#[test]
fn it_is_installed_upgraded_and_purged() -> Result<()> {
    let container = Container::start("package")?;
    let folder = tempfile::tempdir()?;
    let inside = |line: &str| -> Result<String> { container.inside(line)?.ok() };
    let (first, second) = (put(&container, folder.path(), "0.1.0-rc.1")?, put(&container, folder.path(), "0.1.0")?);

    inside(&format!("{APT} install {first}"))?;
    ensure!(inside("/usr/bin/stead --version")?.starts_with("stead "));
    ensure!(inside("gzip -dc /usr/share/man/man1/stead.1.gz")?.contains(".TH STEAD 1"));
    inside("cd / && md5sum --check --quiet /var/lib/dpkg/info/stead.md5sums")?;
    for unit in ["stead", "stead-follow"] {
        ensure!(inside(&format!("systemctl show -P LoadState {unit}"))?.trim() == "loaded");
        inside(&format!("! systemctl is-enabled {unit} && ! systemctl is-active {unit}"))?;
        ensure!(inside(&format!("systemd-analyze verify --man=no {unit}.service 2>&1"))?.trim().is_empty());
    }
    // Without a repo it does nothing, and does it quietly.
    inside("systemctl start stead && ! systemctl is-active stead")?;

    inside("mkdir /srv/stead && printf '[policy.none]\\ncomponent = \"none.wasm\"\\n' > /srv/stead/stead.toml")?;
    inside(
        "mkdir /etc/systemd/system/stead.service.d && printf '[Service]\\nNice=7\\n' > /etc/systemd/system/stead.service.d/mine.conf",
    )?;
    inside("systemctl daemon-reload && systemctl enable --now stead")?;
    let process = || inside("systemctl show -P MainPID stead");
    let before = process()?;
    inside("ls /var/lib/stead/jobs")?;

    inside(&format!("{APT} install {second}"))?;
    ensure!(inside("dpkg-query -W -f '${Version}' stead")?.trim() == "0.1.0-1");
    inside("systemctl is-enabled stead && systemctl is-active stead && ! systemctl is-active stead-follow")?;
    let after = process()?;
    ensure!(before != after, "it runs the old program");
    ensure!(inside(&format!("ps -o ni= -p {}", after.trim()))?.trim() == "7", "what an administrator set is gone");
    inside(&format!("{APT} install {first} && systemctl is-active stead"))?;

    inside(&format!("{APT} remove stead"))?;
    inside("! systemctl is-active stead && ! test -e /usr/bin/stead && ls /var/lib/stead/jobs /srv/stead/stead.toml")?;
    inside(&format!("{APT} purge stead && ! dpkg-query -W stead"))?;
    inside(
        "ls /var/lib/stead/jobs /srv/stead/stead.toml && ! test -L /etc/systemd/system/multi-user.target.wants/stead.service",
    )?;
    Ok(())
}
