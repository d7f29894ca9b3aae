//! Builds the disk of a root folder: a file system by `mke2fs -d`, a kernel and an initramfs for a direct boot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{initramfs, kernel};
use crate::cache;
use crate::root::Root;
use crate::run::run;

pub(super) const DISK: &str = "disk.raw";
pub(super) const VMLINUX: &str = "vmlinux";
pub(super) const INITRAMFS: &str = "initramfs";

/// Counts changes of this program that change the image.
const BUILD: &str = "2";
/// Virtual: the file is as large as its contents.
const DISK_SIZE: &str = "8G";
const BUILD_LIMIT: Duration = Duration::from_secs(300);

pub(super) fn key(root: &Root) -> String {
    cache::key(&[BUILD, &root.key, initramfs::INIT, DISK_SIZE])
}

pub(super) fn build(root: &Root, folder: &Path) -> Result<()> {
    let work = tempfile::Builder::new().prefix("work-").tempdir_in(folder)?;
    kernel::unpack(&find(&root.folder.join("boot"), "vmlinuz-")?, &folder.join(VMLINUX))?;
    initramfs::pack(&find(&root.folder.join("lib/modules"), "")?, work.path(), &folder.join(INITRAMFS))?;
    make_disk(&root.folder, &folder.join(DISK))
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
