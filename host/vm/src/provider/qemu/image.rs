//! The store of disks that machines are made from, each under the digest of its content.
//!
//! An image is a disk (qcow2 or raw), alone or with a kernel and an initramfs that QEMU loads itself, past firmware and
//! boot loader. It is checked once, on import, and never written to afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::provider::{Cause, ProviderError};

mod copy;
mod format;

use copy::copy;
pub(super) use format::Format;

const DISK: &str = "disk";
const KERNEL: &str = "kernel";
const INITRAMFS: &str = "initramfs";

/// An image that is in no store, or cannot be put into one.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("{0:?} is no SHA-256 digest: it has 64 digits of 0-9 and a-f, after `sha256:` or alone")]
    NoDigest(String),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} has the digest {found}, and {expected} was expected")]
    OtherDigest { path: PathBuf, expected: ImageDigest, found: ImageDigest },
    #[error("{path} takes its content from another file; make it self-contained with qemu-img convert")]
    NotSelfContained { path: PathBuf },
    #[error("{path} is {what}, and an image is qcow2 or raw; {hint}")]
    Foreign { path: PathBuf, what: &'static str, hint: &'static str },
    #[error("{folder} has a kernel and no initramfs, or the other way round")]
    HalfAKernel { folder: PathBuf },
}

/// SHA-256: of the disk when it is alone, else of one line `<digest>  <file>` for each file, as sha256sum(1) prints them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageDigest(String);

/// The images below one folder.
#[derive(Clone, Debug)]
pub struct ImageStore {
    folder: PathBuf,
}

/// A disk to boot from.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) digest: ImageDigest,
    pub(super) disk: PathBuf,
    pub(super) format: Format,
    /// In bytes, as the guest sees it.
    pub(super) virtual_size: u64,
    pub(super) kernel: Option<Kernel>,
}

/// What QEMU loads itself.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    pub(super) kernel: PathBuf,
    pub(super) initramfs: PathBuf,
}

impl ImageDigest {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ImageDigest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for ImageDigest {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        match digits.len() == 64 && digits.bytes().all(is_digit) {
            true => Ok(Self(digits.to_owned())),
            false => Err(ImageError::NoDigest(text.chars().take(80).collect())),
        }
    }
}

impl ImageStore {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Copies a disk, or a folder with `disk`, `kernel` and `initramfs`, into the store; gives the digest by which machines
    /// ask for it. One that is there already is not copied again when its digest is `expected`.
    ///
    /// # Errors
    /// When it is not what was expected, reads other files, or cannot be copied.
    pub fn import(&self, source: &Path, expected: Option<&ImageDigest>) -> Result<ImageDigest, ImageError> {
        if let Some(known) = expected.filter(|digest| self.folder.join(digest.as_str()).exists()) {
            return Ok(known.clone());
        }
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| ImageError::Io { path, source }
        };
        super::folder::make_private(&self.folder).map_err(at(&self.folder))?;
        let unfinished = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.folder).map_err(at(&self.folder))?;
        let found = copy_all(source, unfinished.path())?;
        if let Some(expected) = expected.filter(|expected| **expected != found) {
            return Err(ImageError::OtherDigest { path: source.to_owned(), expected: expected.clone(), found });
        }
        let place = self.folder.join(found.as_str());
        match fs::rename(unfinished.path(), &place) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(found),
            Err(error) => Err(at(&place)(error)),
            Ok(()) => Ok(found),
        }
    }

    pub(super) fn get(&self, digest: &str) -> Result<Image, ProviderError> {
        let digest: ImageDigest =
            digest.parse().map_err(|error: ImageError| ProviderError::because(Cause::Invalid, "the image", error))?;
        let folder = self.folder.join(digest.as_str());
        let disk = folder.join(DISK);
        let facts = format::inspect(&disk);
        let (format, virtual_size) = facts
            .map_err(|error| ProviderError::because(Cause::NotFound, format!("there is no image {digest}"), error))?;
        let (kernel, initramfs) = (folder.join(KERNEL), folder.join(INITRAMFS));
        let kernel = kernel.exists().then_some(Kernel { kernel, initramfs });
        Ok(Image { digest, disk, format, virtual_size, kernel })
    }
}

fn copy_all(source: &Path, folder: &Path) -> Result<ImageDigest, ImageError> {
    if !source.is_dir() {
        return copy_disk(source, folder).map(ImageDigest);
    }
    let disk = copy_disk(&source.join(DISK), folder)?;
    let (kernel, initramfs) = (source.join(KERNEL), source.join(INITRAMFS));
    match (kernel.exists(), initramfs.exists()) {
        (false, false) => return Ok(ImageDigest(disk)),
        (true, true) => {}
        _ => return Err(ImageError::HalfAKernel { folder: source.to_owned() }),
    }
    let of = |path: &Path, name| {
        copy(path, &folder.join(name)).map_err(|source| ImageError::Io { path: path.to_owned(), source })
    };
    let (kernel, initramfs) = (of(&kernel, KERNEL)?, of(&initramfs, INITRAMFS)?);
    let lines = format!("{disk}  {DISK}\n{kernel}  {KERNEL}\n{initramfs}  {INITRAMFS}\n");
    Ok(ImageDigest(copy::digest(lines.as_bytes())))
}

fn copy_disk(source: &Path, folder: &Path) -> Result<String, ImageError> {
    let path = source.to_owned();
    if let Some((what, hint)) =
        format::foreign(source).map_err(|error| ImageError::Io { path: path.clone(), source: error })?
    {
        return Err(ImageError::Foreign { path, what, hint });
    }
    match format::is_self_contained(source) {
        Ok(true) => copy(source, &folder.join(DISK)).map_err(|source| ImageError::Io { path, source }),
        Ok(false) => Err(ImageError::NotSelfContained { path }),
        Err(source) => Err(ImageError::Io { path, source }),
    }
}
