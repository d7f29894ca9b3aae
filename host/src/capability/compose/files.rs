//! The folder of a project: `apps/NAME` as shipped, brought to the one place where its containers mount it from.
//!
//! Containers may write there too, so only files that stead put there are ever replaced or removed, and no symbolic
//! link that a container left is ever followed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat2};
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Key};
use crate::machine::{Blobs, replace};

/// By path, relative to the folder. Folders are where their files are.
pub type Files = BTreeMap<String, Entry>;

/// A file or a symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    File { digest: Digest, mode: u32 },
    Link { to: String },
}

/// All files in a folder.
///
/// # Errors
/// When one cannot be read, is no file, or is a link that leads out.
pub(super) fn scan(key: &Key, folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    scan_below(key, folder, Path::new(""), &mut files)?;
    Ok(files)
}

fn scan_below(key: &Key, root: &Path, below: &Path, files: &mut Files) -> io::Result<()> {
    for found in std::fs::read_dir(root.join(below))? {
        let relative = below.join(found?.file_name());
        let path = root.join(&relative);
        if path.symlink_metadata()?.is_dir() {
            scan_below(key, root, &relative, files)?;
            continue;
        }
        let name = relative.to_str().ok_or_else(|| refused(&relative, "has a name that is not UTF-8"))?;
        let entry = read(key, &path)?.ok_or(ErrorKind::NotFound)?;
        if let Entry::Link { to } = &entry
            && !stays_inside(&relative, Path::new(to))
        {
            return Err(refused(&relative, "is a symbolic link that leads out of the project's folder"));
        }
        files.insert(name.to_owned(), entry);
    }
    Ok(())
}

/// Those of the named files that are there.
///
/// # Errors
/// When one cannot be read.
pub(super) fn at<'a>(key: &Key, root: &Path, names: impl Iterator<Item = &'a String>) -> io::Result<Files> {
    let mut files = Files::new();
    for name in names {
        let place = match Place::find(root, name) {
            Err(error) if is_elsewhere(&error) => continue,
            place => place?,
        };
        files.extend(read(key, &place.path())?.map(|entry| (name.clone(), entry)));
    }
    Ok(files)
}

/// Makes sure that the contents of `files` are kept, from `folder` if they are not yet.
///
/// # Errors
/// When a content is neither kept nor in the folder.
pub(super) fn keep(blobs: &Blobs, key: &Key, folder: &Path, files: &Files) -> io::Result<()> {
    for (name, entry) in files {
        let Entry::File { digest, .. } = entry else { continue };
        if blobs.get(digest)?.is_some() {
            continue;
        }
        let content = std::fs::read(Place::find(folder, name)?.path())?;
        if key.digest(&content) != *digest {
            return Err(refused(Path::new(name), "is no longer what the plan was made for"));
        }
        blobs.keep(digest, &content)?;
    }
    Ok(())
}

/// Puts the files in the folder, and removes those of `former` that are not among them.
///
/// # Errors
/// When one cannot be written, or something that is not stead's is in the way.
pub(super) fn put(blobs: &Blobs, root: &Path, former: &Files, files: &Files) -> io::Result<()> {
    std::fs::create_dir_all(root)?;
    for name in former.keys().filter(|name| !files.contains_key(*name)) {
        remove(root, name)?;
    }
    for (name, entry) in files {
        let place = Place::make(root, name)?;
        match entry {
            Entry::File { digest, mode } => {
                let content = blobs.get(digest)?.ok_or_else(|| refused(Path::new(name), "is no longer kept"))?;
                replace(&place.path(), &content, *mode)?;
            }
            Entry::Link { to } => {
                let path = place.path();
                if std::fs::read_link(&path).ok().as_deref() != Some(Path::new(to)) {
                    without(std::fs::remove_file(&path))?;
                    std::os::unix::fs::symlink(to, &path)?;
                }
            }
        }
    }
    Ok(())
}

/// Removes a file, and the folders that are empty then.
fn remove(root: &Path, name: &str) -> io::Result<()> {
    let place = match Place::find(root, name) {
        Err(error) if is_elsewhere(&error) => return Ok(()),
        place => place?,
    };
    crate::machine::remove(&place.path())?;
    for folder in Path::new(name).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        let Ok(place) = Place::find(root, &folder.to_string_lossy()) else { break };
        if std::fs::remove_dir(place.path()).is_err() {
            break;
        }
    }
    Ok(())
}

fn without(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read(key: &Key, path: &Path) -> io::Result<Option<Entry>> {
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    if metadata.is_symlink() {
        let to = std::fs::read_link(path)?;
        let to = to.to_str().ok_or_else(|| refused(path, "leads to a name that is not UTF-8"))?;
        return Ok(Some(Entry::Link { to: to.to_owned() }));
    }
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err(refused(path, "is neither a file nor a symbolic link"));
    }
    let mut content = Vec::new();
    File::open(path)?.read_to_end(&mut content)?;
    Ok(Some(Entry::File { digest: key.digest(&content), mode: metadata.permissions().mode() & 0o777 }))
}

fn stays_inside(link: &Path, to: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    to.components().all(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => depth.checked_sub(1).map(|less| depth = less).is_some(),
        _ => false,
    })
}

fn refused(path: &Path, reason: &str) -> io::Error {
    io::Error::other(format!("{} {reason}", path.display()))
}

fn is_elsewhere(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A name in a folder that was reached without following a link, and that stays the same one whoever renames what.
struct Place {
    folder: OwnedFd,
    name: PathBuf,
}

impl Place {
    fn find(root: &Path, relative: &str) -> io::Result<Self> {
        let (parent, name) = split(relative)?;
        let at = folder(rustix::fs::CWD, root, ResolveFlags::empty())?;
        if parent.as_os_str().is_empty() {
            return Ok(Self { folder: at, name });
        }
        Ok(Self { folder: folder(&at, &parent, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)?, name })
    }

    fn make(root: &Path, relative: &str) -> io::Result<Self> {
        let (parent, name) = split(relative)?;
        let mut at = folder(rustix::fs::CWD, root, ResolveFlags::empty())?;
        for component in parent.components() {
            let component: &Path = component.as_ref();
            let made = mkdirat(&at, component, Mode::from_raw_mode(0o755));
            at = match made {
                Err(error) if error != rustix::io::Errno::EXIST => return Err(error.into()),
                _ => folder(&at, component, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)?,
            };
            if made.is_ok() {
                // Containers that are not root read it, whatever the mask of this process.
                std::fs::set_permissions(by_descriptor(&at), std::fs::Permissions::from_mode(0o755))?;
            }
        }
        Ok(Self { folder: at, name })
    }

    fn path(&self) -> PathBuf {
        by_descriptor(&self.folder).join(&self.name)
    }
}

fn by_descriptor(folder: &OwnedFd) -> PathBuf {
    Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string())
}

fn split(relative: &str) -> io::Result<(PathBuf, PathBuf)> {
    let path = Path::new(relative);
    let inside = path.components().all(|component| matches!(component, Component::Normal(_)));
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if inside => Ok((parent.to_owned(), name.into())),
        _ => Err(refused(path, "is not a path inside of the project's folder")),
    }
}

fn folder(at: impl std::os::fd::AsFd, path: &Path, resolve: ResolveFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH;
    Ok(openat2(at, path, flags, Mode::empty(), resolve)?)
}
