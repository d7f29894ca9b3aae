//! The tests' own image in a folder of the provider `qemu`, imported once for all runs: importing it takes seconds.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::image::Image;
use crate::cache;
use crate::run::run;

const LIMIT: Duration = Duration::from_secs(300);

/// The folder, and the digest by which machines ask for the image. `import` takes a folder with a disk, a kernel and an
/// initramfs, and the provider's folder, and answers that digest.
///
/// # Errors
/// When there is no image, or it cannot be imported.
pub fn store(import: impl FnOnce(&Path, &Path) -> Result<String>) -> Result<(PathBuf, String)> {
    let image = Image::obtain()?;
    let kernel = image.kernel.context("this test boots the tests' own image")?;
    let folder = cache::entry("vm-store", &image.key, |store| {
        let source = store.join("source");
        fs::create_dir_all(&source)?;
        symlink(&kernel.vmlinux, source.join("kernel"))?;
        symlink(&kernel.initramfs, source.join("initramfs"))?;
        let mut convert = Command::new("qemu-img");
        convert.args(["convert", "-f", "raw", "-O", "qcow2"]).args([&image.disk, &source.join("disk")]);
        run(&mut convert, LIMIT)?.ok()?;
        let digest = import(&source, store)?;
        fs::remove_dir_all(source)?;
        Ok(fs::write(store.join("digest"), digest.trim())?)
    })?;
    let digest = fs::read_to_string(folder.join("digest"))?;
    Ok((folder, digest.trim().to_owned()))
}
