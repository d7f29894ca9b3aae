//! The disk that virtual machines boot from: that of the tests' own root folder, made without a loop mount; or any cloud
//! image that `STEAD_VM_IMAGE` names.

mod build;
mod initramfs;
mod kernel;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use crate::cache;
use crate::root::{Release, Root};

/// A disk to boot from; it is never written to.
#[derive(Clone, Debug)]
pub struct Image {
    pub disk: PathBuf,
    /// `qcow2` or `raw`.
    pub format: String,
    /// `None`: the disk boots by its own boot loader.
    pub kernel: Option<Kernel>,
    /// Changes when the contents change.
    pub key: String,
}

/// What QEMU loads itself, past firmware and boot loader.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// An ELF file, not compressed: unpacking takes seconds under emulation.
    pub vmlinux: PathBuf,
    pub initramfs: PathBuf,
}

impl Image {
    /// The image that `STEAD_VM_IMAGE` names, else the one that is built, once, into the cache (about a minute).
    ///
    /// # Errors
    /// As [`Root::obtain`], and when a program is missing.
    pub fn obtain() -> Result<Self> {
        match env::var_os("STEAD_VM_IMAGE") {
            Some(disk) => given(Path::new(&disk)),
            None => built(),
        }
    }
}

fn built() -> Result<Image> {
    let root = Root::obtain(Release::Trixie)?;
    let key = build::key(&root);
    let folder = cache::entry("image", &key, |folder| build::build(&root, folder))?;
    Ok(Image {
        disk: folder.join(build::DISK),
        format: "raw".into(),
        kernel: Some(Kernel { vmlinux: folder.join(build::VMLINUX), initramfs: folder.join(build::INITRAMFS) }),
        key,
    })
}

fn given(disk: &Path) -> Result<Image> {
    let disk = disk.canonicalize().with_context(|| format!("STEAD_VM_IMAGE={}", disk.display()))?;
    let facts = fs::metadata(&disk)?;
    let modified = facts.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
    let key = cache::key(&[&disk.to_string_lossy(), &facts.len().to_string(), &modified.to_string()]);
    let is_qcow2 = fs::File::open(&disk).and_then(|mut file| starts_with(&mut file, b"QFI\xfb"))?;
    let format = if is_qcow2 { "qcow2" } else { "raw" }.into();
    Ok(Image { disk, format, kernel: None, key })
}

fn starts_with(file: &mut impl std::io::Read, magic: &[u8; 4]) -> std::io::Result<bool> {
    let mut start = [0; 4];
    file.read_exact(&mut start)?;
    Ok(&start == magic)
}
