//! Builds the image: packages by `mmdebstrap`, a file system by `mke2fs -d`, a kernel and an initramfs for a direct boot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{initramfs, kernel};
use crate::run::run;
use crate::{archives, cache};

pub(super) const DISK: &str = "disk.raw";
pub(super) const VMLINUX: &str = "vmlinux";
pub(super) const INITRAMFS: &str = "initramfs";

const RELEASE: &str = "trixie";
/// Counts changes of this program that change the image.
const BUILD: &str = "1";
const PACKAGES: &str = include_str!("packages.txt");
const ARCHIVE: &str = include_str!("archive.txt");
const FINISH: &str = include_str!("finish.sh");
/// Virtual: the file is as large as its contents.
const DISK_SIZE: &str = "8G";
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// Everything that decides what is in the image.
pub(super) struct Recipe {
    sources: String,
    settings: String,
}

impl Recipe {
    pub(super) fn read() -> Result<Self> {
        Ok(Self { sources: archives::sources(RELEASE)?, settings: archives::settings()? })
    }

    pub(super) fn key(&self) -> String {
        cache::key(&[BUILD, PACKAGES, ARCHIVE, FINISH, initramfs::INIT, DISK_SIZE, &self.sources, &self.settings])
    }

    pub(super) fn build(&self, folder: &Path) -> Result<()> {
        let work = tempfile::Builder::new().prefix("work-").tempdir_in(folder)?;
        let root = work.path().join("root");
        self.install(work.path(), &root)?;
        let boot = root.join("boot");
        kernel::unpack(&find(&boot, "vmlinuz-")?, &folder.join(VMLINUX))?;
        initramfs::pack(&find(&root.join("lib/modules"), "")?, work.path(), &folder.join(INITRAMFS))?;
        make_disk(&root, &folder.join(DISK))
    }

    fn install(&self, inputs: &Path, root: &Path) -> Result<()> {
        let sources = inputs.join("network.list");
        fs::write(&sources, &self.sources)?;
        fs::write(inputs.join("apt.conf"), &self.settings)?;
        fs::write(inputs.join("finish.sh"), FINISH)?;
        let mut command = Command::new("mmdebstrap");
        command.args(["--mode=root", "--variant=minbase", "--quiet", "--skip=cleanup/apt/lists"]);
        command.arg(format!("--include={}", joined(PACKAGES, ",")));
        command.arg("--customize-hook=sh \"$STEAD_INPUTS/finish.sh\" \"$1\"");
        command.arg(RELEASE).args([root, &sources]);
        command.env("STEAD_INPUTS", inputs).env("STEAD_ARCHIVE", joined(ARCHIVE, " "));
        run(&mut command, BUILD_LIMIT)?.ok().context("mmdebstrap must run as root, with a Debian archive in reach")?;
        Ok(())
    }
}

fn joined(list: &str, separator: &str) -> String {
    list.lines().collect::<Vec<_>>().join(separator)
}

fn make_disk(root: &Path, disk: &Path) -> Result<()> {
    let mut command = Command::new("mke2fs");
    command.args(["-q", "-t", "ext4", "-L", "root", "-d"]).args([root, disk]).arg(DISK_SIZE);
    run(&mut command, BUILD_LIMIT)?.ok()?;
    Ok(())
}

/// The one entry of `folder` whose name starts with `prefix`.
fn find(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder)?.filter_map(Result::ok);
    let found = entries.find(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    Ok(found.with_context(|| format!("no {prefix}* in {}", folder.display()))?.path())
}
