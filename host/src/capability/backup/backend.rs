//! The files of backups, and their timers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Backup, Fact, Found, Set, Spec, environment, files};
use crate::capability::{ApplyError, Declared, ObserveError, Owned};
use crate::machine::inode::{Accounts, Attributes, Inode, InodeError, Mode, Pathname};
use crate::machine::{Program, set_wanted};
use crate::repo::Name;

impl Backup {
    pub(super) async fn read(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        let mut fact = Fact::new();
        for Declared { spec, .. } in specs {
            let wanted = files::wanted(spec, &self.machine).map_err(|name| ObserveError::NoSecret { name })?;
            let digest = |bytes: &[u8]| self.machine.key().digest(bytes);
            let inode = |(content, mode): &(Vec<u8>, Mode)| Inode::File {
                digest: digest(content),
                attributes: Attributes::of_root(*mode),
            };
            let found = self.found(&spec.name).await?;
            let wanted = wanted.iter().map(|(path, file)| (path.clone(), inode(file))).collect();
            let wrong_time = environment::wrong_time(&spec.at).await;
            fact.insert(spec.name.clone(), Found { wanted, wrong_time, ..found });
        }
        let owned: BTreeSet<Name> = owned.keys().filter_map(|name| name.parse().ok()).collect();
        for name in owned.into_iter().filter(|name| !fact.contains_key(name)).collect::<Vec<_>>() {
            let found = self.found(&name).await?;
            fact.insert(name, found);
        }
        Ok(fact)
    }

    async fn found(&self, name: &Name) -> Result<Found, ObserveError> {
        let accounts = Accounts::read(&self.machine)
            .map_err(|source| ObserveError::File { path: "/etc/passwd".to_owned(), source })?;
        let mut found = BTreeMap::new();
        for path in files::paths(name) {
            let look = self.machine.look(&path, &accounts, None).map_err(|error| unreadable(&path, error))?;
            found.insert(path, look.inode);
        }
        let waits = match self.machine.is_booted() {
            // It says by its exit status what is not active.
            true => {
                Some(Program::new("systemctl").args(["is-active", "--quiet", &files::timer(name)]).run().await.is_ok())
            }
            false => None,
        };
        Ok(Found {
            files: found,
            enabled: self.machine.path(files::link(name)).is_symlink(),
            waits,
            spec: files::definition(&self.machine, name.as_str()).ok().map(|(spec, _)| spec),
            ..Found::default()
        })
    }

    pub(super) async fn set(&self, set: &Set) -> Result<(), ApplyError> {
        let Set { name, on, .. } = set;
        // What is not there does not run.
        if !on && self.machine.path(files::timer_file(name)).exists() {
            self.systemctl(&["stop", "--quiet", &files::timer(name)]).await?;
        }
        self.write(set)?;
        let link = files::link(name);
        let linked = set_wanted(&self.machine.path(&link), &files::timer_file(name), *on);
        linked.map_err(|source| ApplyError::File { path: link, source })?;
        self.systemctl(&["daemon-reload"]).await?;
        if *on {
            // A timer that waits takes a new time only when it is started again.
            self.systemctl(&["restart", &files::timer(name)]).await?;
        }
        Ok(())
    }

    fn write(&self, set: &Set) -> Result<(), ApplyError> {
        let is_made = set.files.values().any(|inode| *inode != Inode::Absent);
        let folders =
            [("/etc/systemd", 0o755), ("/etc/systemd/system", 0o755), ("/etc/stead", 0o700), (files::FOLDER, 0o700)];
        let folders = folders.into_iter().filter_map(|(path, mode)| Some((path.parse().ok()?, Mode::new(mode)?)));
        let folders: Vec<(Pathname, Mode)> = folders.collect();
        if is_made {
            let make =
                |(path, mode): &(Pathname, Mode)| self.make_folder(path, *mode).map_err(|error| refused(path, error));
            folders.iter().try_for_each(make)?;
        }
        let contents = set.spec.as_ref().map(|spec| files::wanted(spec, &self.machine)).transpose();
        let contents = contents.map_err(|name| ApplyError::NoSecret { name })?.unwrap_or_default();
        for (path, to) in &set.files {
            let content = contents.get(path).map(|(content, _)| content.as_slice());
            let planned = content.is_none_or(
                |content| matches!(to, Inode::File { digest, .. } if *digest == self.machine.key().digest(content)),
            );
            if !planned {
                let reason = "a secret in it has changed since the plan was made: plan again".to_owned();
                return Err(ApplyError::Refused { resource: format!("backup {}", set.name), reason });
            }
            self.machine.set(path, to, content).map_err(|error| refused(path, error))?;
        }
        match (is_made, folders.last()) {
            (false, Some((folder, _))) => match self.machine.set(folder, &Inode::Absent, None) {
                Err(InodeError::NotEmpty(_)) => Ok(()),
                done => done.map_err(|error| refused(folder, error)),
            },
            _ => Ok(()),
        }
    }

    fn make_folder(&self, folder: &Pathname, mode: Mode) -> Result<(), InodeError> {
        match self.machine.look(folder, &Accounts::default(), None)?.inode {
            Inode::Absent => self.machine.set(folder, &Inode::Directory(Attributes::of_root(mode)), None),
            _ => Ok(()),
        }
    }

    /// Nothing where no systemd runs.
    async fn systemctl(&self, words: &[&str]) -> Result<(), ApplyError> {
        if !self.machine.is_booted() {
            return Ok(());
        }
        Ok(Program::new("systemctl").args(words).run().await.map(drop)?)
    }
}

fn unreadable(path: &Pathname, error: InodeError) -> ObserveError {
    match error {
        InodeError::System(source) => ObserveError::File { path: path.to_string(), source },
        other => ObserveError::Unreadable { resource: format!("backup {path}"), reason: other.to_string() },
    }
}

fn refused(path: &Pathname, error: InodeError) -> ApplyError {
    match error {
        InodeError::System(source) => ApplyError::File { path: path.to_string(), source },
        InodeError::NoContent => ApplyError::NoBlob { path: path.to_string() },
        other => ApplyError::Refused { resource: format!("backup {path}"), reason: other.to_string() },
    }
}
