//! Unit files and drop-ins.

use std::collections::BTreeMap;

use crate::capability::service::spec::FOLDER;
use crate::capability::service::{Action, FoundFile, Service, Spec, UnitName};
use crate::capability::{ApplyError, Declared, ObserveError, Owned};
use crate::machine::inode::{Accounts, Attributes, Inode, InodeError, Look, Mode, Pathname};

/// The longest text that a plan shows.
const LONGEST_TEXT: usize = 64 << 10;

impl Service {
    pub(super) fn read_files(
        &self,
        specs: &[Declared<Spec>],
        owned: &Owned<Action>,
    ) -> Result<BTreeMap<Pathname, FoundFile>, ObserveError> {
        let mut files = BTreeMap::new();
        for Declared { spec, .. } in specs {
            let Spec::Fragment(fragment) = spec else { continue };
            let Ok(path) = fragment.path().parse::<Pathname>() else { continue };
            let wanted = self.machine.key().digest(fragment.content.as_bytes());
            let look = self.look(&path)?;
            let same = matches!(&look.inode, Inode::File { digest, .. } if *digest == wanted);
            let text = if same { None } else { text(&look) };
            files.insert(path, FoundFile { inode: look.inode, wanted: Some(wanted), text, restored: None });
        }
        for release in owned.values() {
            if let Some(Action::File { path, to, .. }) = release
                && !files.contains_key(path)
            {
                files.insert(path.clone(), self.find_pruned(path, to)?);
            }
        }
        Ok(files)
    }

    fn find_pruned(&self, path: &Pathname, to: &Inode) -> Result<FoundFile, ObserveError> {
        let look = self.look(path)?;
        let mut found = FoundFile { inode: look.inode.clone(), ..FoundFile::default() };
        if look.inode == *to {
            return Ok(found);
        }
        found.text = text(&look);
        if let Inode::File { digest, .. } = to {
            let kept = self.machine.blobs().get(digest).map_err(|source| unreadable(path, source.into()))?;
            found.restored = text(&Look { inode: to.clone(), content: kept.unwrap_or_default() });
        }
        Ok(found)
    }

    fn look(&self, path: &Pathname) -> Result<Look, ObserveError> {
        let accounts = Accounts::read(&self.machine).map_err(|source| unreadable(path, source.into()))?;
        let preferred = Attributes::of_root(Mode::PUBLIC_FILE);
        self.machine.look(path, &accounts, Some(&preferred)).map_err(|error| unreadable(path, error))
    }

    pub(super) fn set_file(&self, path: &Pathname, to: &Inode, content: Option<&str>) -> Result<(), ApplyError> {
        let set = || {
            if *to != Inode::Absent {
                self.make_folder(path)?;
            }
            self.machine.set(path, to, content.map(str::as_bytes))?;
            if *to == Inode::Absent { self.remove_empty_folder(path) } else { Ok(()) }
        };
        set().map_err(|error: InodeError| match error {
            InodeError::System(source) => ApplyError::File { path: path.to_string(), source },
            InodeError::NoContent => ApplyError::NoBlob { path: path.to_string() },
            other => ApplyError::Refused { resource: format!("service {path}"), reason: other.to_string() },
        })
    }

    /// A drop-in lies in a folder of its unit.
    fn make_folder(&self, path: &Pathname) -> Result<(), InodeError> {
        let Some(folder) = path.parent() else { return Ok(()) };
        let here = self.machine.look(&folder, &Accounts::default(), None)?;
        if here.inode != Inode::Absent {
            return Ok(());
        }
        self.machine.set(&folder, &Inode::Directory(Attributes::of_root(Mode::PUBLIC_DIRECTORY)), None)
    }

    fn remove_empty_folder(&self, path: &Pathname) -> Result<(), InodeError> {
        let Some(folder) = path.parent().filter(|folder| folder.as_str().ends_with(".d")) else { return Ok(()) };
        match self.machine.set(&folder, &Inode::Absent, None) {
            Err(InodeError::NotEmpty(_)) => Ok(()),
            other => other,
        }
    }

    /// Whether links under `/etc/systemd/system` start the unit at boot; what is masked hides its state otherwise.
    pub(super) fn is_linked(&self, unit: &UnitName) -> Result<bool, ObserveError> {
        let folder = self.machine.path(FOLDER);
        let failed = |source| ObserveError::File { path: FOLDER.to_owned(), source };
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let extension = path.extension().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
            if matches!(extension, "wants" | "requires" | "upholds") && path.join(unit.as_str()).is_symlink() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The content, when everybody on the machine may read it.
fn text(look: &Look) -> Option<String> {
    let shown =
        matches!(look.inode, Inode::File { .. }) && look.inode.is_public() && look.content.len() <= LONGEST_TEXT;
    std::str::from_utf8(&look.content).ok().filter(|_| shown).map(str::to_owned)
}

fn unreadable(path: &Pathname, error: InodeError) -> ObserveError {
    match error {
        InodeError::System(source) => ObserveError::File { path: path.to_string(), source },
        other => ObserveError::Unreadable { resource: format!("service {path}"), reason: other.to_string() },
    }
}
