//! `apps/` as a tar archive: equal folders give equal bytes, whoever checked them out and when.
//!
//! It keeps symbolic links as links, and refuses those that lead out of `apps/`: on the host they would lead
//! to something else.

use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use tar::{Builder, EntryType, Header};

/// How many bytes of files there may be.
const MOST_BYTES: u64 = 64 << 20;
/// How many files, folders and links there may be.
const MOST_ENTRIES: usize = 20_000;

/// `apps/` cannot be shipped.
#[derive(Debug, thiserror::Error)]
pub enum AppsError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is neither a file, a folder nor a symbolic link", path = path.display())]
    Kind { path: PathBuf },
    #[error("the symbolic link {path} leads out of apps/, to {to}", path = path.display(), to = to.display())]
    LeadsOut { path: PathBuf, to: PathBuf },
    #[error("apps/ is larger than {} MiB or {MOST_ENTRIES} files; {path} was the one too many", MOST_BYTES >> 20, path = path.display())]
    TooLarge { path: PathBuf },
}

/// The archive of `folder`; empty when there is no such folder.
pub(super) fn pack(folder: &Path) -> Result<Vec<u8>, AppsError> {
    let mut packing = Packing { root: folder, archive: Builder::new(Vec::new()), bytes: 0, entries: 0 };
    if folder.is_dir() {
        packing.folder(Path::new(""))?;
    }
    packing.archive.into_inner().map_err(|source| AppsError::Read { path: folder.to_owned(), source })
}

/// Unpacks an archive to `folder`, which is made.
pub(super) fn unpack(archive: &[u8], folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)?;
    let mut archive = tar::Archive::new(archive);
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(false);
    archive.unpack(folder)
}

struct Packing<'a> {
    root: &'a Path,
    archive: Builder<Vec<u8>>,
    bytes: u64,
    entries: usize,
}

impl Packing<'_> {
    fn folder(&mut self, relative: &Path) -> Result<(), AppsError> {
        let path = self.root.join(relative);
        let at = |source| AppsError::Read { path: path.clone(), source };
        let entries = std::fs::read_dir(&path).map_err(at)?;
        let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>().map_err(at)?;
        names.sort();
        names.into_iter().try_for_each(|name| self.entry(&relative.join(name)))
    }

    fn entry(&mut self, relative: &Path) -> Result<(), AppsError> {
        let path = self.root.join(relative);
        let at = |source| AppsError::Read { path: path.clone(), source };
        let metadata = path.symlink_metadata().map_err(at)?;
        self.entries += 1;
        self.bytes += if metadata.is_file() { metadata.len() } else { 0 };
        if self.entries > MOST_ENTRIES || self.bytes > MOST_BYTES {
            return Err(AppsError::TooLarge { path });
        }
        if metadata.is_dir() {
            self.append(relative, EntryType::Directory, 0o755, &[]).map_err(at)?;
            return self.folder(relative);
        }
        if metadata.is_symlink() {
            return self.link(relative);
        }
        if !metadata.is_file() {
            return Err(AppsError::Kind { path });
        }
        // git keeps no more of the mode than this.
        let mode = if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        let content = std::fs::read(&path).map_err(at)?;
        self.append(relative, EntryType::Regular, mode, &content).map_err(at)
    }

    fn link(&mut self, relative: &Path) -> Result<(), AppsError> {
        let path = self.root.join(relative);
        let at = |source| AppsError::Read { path: path.clone(), source };
        let to = std::fs::read_link(&path).map_err(at)?;
        if !stays_inside(relative, &to) {
            return Err(AppsError::LeadsOut { path, to });
        }
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.archive.append_link(&mut header, relative, to).map_err(at)
    }

    fn append(&mut self, relative: &Path, kind: EntryType, mode: u32, content: &[u8]) -> std::io::Result<()> {
        let mut header = header(kind, mode, content.len() as u64);
        self.archive.append_data(&mut header, relative, content)
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    // Not 0, which tar(1) calls implausibly old.
    header.set_mtime(1);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Whether a link at `link` to `to` ends below the root that `link` is relative to.
fn stays_inside(link: &Path, to: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for component in to.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}
