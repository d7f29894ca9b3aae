//! The folder of one machine. It appears whole, with the intent in it, and disappears by a rename: a process that dies at
//! any moment leaves a machine that is asked for, or nothing.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::name::{Installation, VmName};
use crate::request::Request;

const INTENT: &str = "request.json";
/// Written when the process is ready: without it, nobody was told of the machine, and it is begun anew.
const STARTED: &str = "started";
/// Names of machines begin with a letter, so what begins so is none.
const UNFINISHED: &str = ".new-";
const REMOVED: &str = ".removed-";
const PASSABLE: u32 = 0o711;
const SWEPT_AFTER: Duration = Duration::from_secs(600);

/// What was asked for, and when.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) installation: Installation,
    pub(super) request: Request,
    pub(super) created: SystemTime,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// What a folder says. It must be read *before* the processes are: what is marked then and does not run has ended.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) intent: Intent,
    pub(super) was_started: bool,
}

/// A folder that no other process works on. The kernel releases it when its owner dies, and when a child that was being
/// started has become another program: what is running then can be seen.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) folder: Folder,
    _lock: OwnedFd,
}

impl Folder {
    pub(super) fn of(machines: &Path, name: &VmName) -> Self {
        Self { path: machines.join(name.as_str()) }
    }

    /// The folders of all machines, in the order of their names.
    pub(super) fn all(machines: &Path) -> io::Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(machines)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.parse::<VmName>().is_ok()) {
                all.push(Self { path });
            }
        }
        all.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(all)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the folder with the intent in it, unless it is there; then its own intent stands.
    pub(super) fn publish(&self, machines: &Path, intent: &Intent) -> io::Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).permissions(passable()).tempdir_in(machines)?;
        let mut file = private(&unfinished.path().join(INTENT))?;
        file.write_all(&serde_json::to_vec(intent)?)?;
        file.sync_all()?;
        match fs::rename(unfinished.path(), &self.path) {
            // Another process was faster: a folder that is not empty is never replaced.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
            renamed => renamed?,
        }
        File::open(machines)?.sync_all()
    }

    pub(super) fn see(&self) -> io::Result<Seen> {
        let intent = serde_json::from_slice(&fs::read(self.file(INTENT))?)?;
        Ok(Seen { intent, was_started: self.was_started() })
    }

    pub(super) fn was_started(&self) -> bool {
        self.file(STARTED).exists()
    }

    /// Waits for whoever works on it; none when there is no such folder.
    pub(super) fn lock(&self) -> io::Result<Option<Locked>> {
        loop {
            let folder = match rustix::fs::open(&self.path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
                Err(rustix::io::Errno::NOENT) => return Ok(None),
                opened => opened?,
            };
            rustix::fs::flock(&folder, FlockOperation::LockExclusive)?;
            // It may have been removed, and made anew, while we waited.
            let is_same = fs::metadata(&self.path).is_ok_and(|now| {
                rustix::fs::fstat(&folder).is_ok_and(|locked| (locked.st_dev, locked.st_ino) == (now.dev(), now.ino()))
            });
            if is_same {
                return Ok(Some(Locked { folder: self.clone(), _lock: folder }));
            }
        }
    }
}

impl Locked {
    pub(super) fn mark_started(&self) -> io::Result<()> {
        File::create(self.folder.file(STARTED))?.sync_all()
    }

    /// Takes the folder away; what a crash leaves of it is no machine, and is swept later.
    pub(super) fn remove(self, machines: &Path) -> io::Result<()> {
        let name = self.folder.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let removed = machines.join(format!("{REMOVED}{name}"));
        let _ = fs::remove_dir_all(&removed);
        fs::rename(&self.folder.path, &removed)?;
        fs::remove_dir_all(&removed)
    }
}

/// Deletes what crashes have left beside the machines.
pub(super) fn sweep(machines: &Path) -> io::Result<()> {
    for entry in fs::read_dir(machines)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_old = || entry.metadata().and_then(|facts| facts.modified()).is_ok_and(is_past);
        if name.starts_with(REMOVED) || (name.starts_with(UNFINISHED) && is_old()) {
            // Another process may be at it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn is_past(time: SystemTime) -> bool {
    time.elapsed().is_ok_and(|age| age > SWEPT_AFTER)
}

/// A folder that only its owner looks into. Others pass through it: QEMU, without its rights, opens the disk of a machine
/// once more when it resumes one.
pub(super) fn make_passable(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PASSABLE).create(path)
}

pub(super) fn passable() -> Permissions {
    Permissions::from_mode(PASSABLE)
}

/// A folder that only its owner enters.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A new file with a secret in it.
pub(super) fn private(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}
