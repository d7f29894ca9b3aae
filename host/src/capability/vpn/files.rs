//! Reads and writes the files of systemd-networkd(8), those of keys so that only root and it can read them, and the
//! unit of an interface in userspace.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use wireguard_control::Key;

use super::keys::{self, Keys};
use super::networkd::{is_showable, key_path, netdev_path, network_path, preshared_path};
use super::{Boot, Content, Identity, Name, PublicKey, Unit, userspace};
use crate::capability::ApplyError;
use crate::digest::Digest;
use crate::machine::{Machine, remove, replace, set_wanted, tidy};
use crate::secret::Secret;

/// The files of one interface.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pub(super) machine: &'a Machine,
    pub(super) name: &'a Name,
}

impl Files<'_> {
    /// What is there.
    ///
    /// # Errors
    /// The path that cannot be read, and why.
    pub(super) fn read(&self) -> Result<Boot, (String, Error)> {
        let keys = self.keys();
        let private = keys.boot().map_err(|error| (key_path(self.name), error))?;
        let preshared = keys.preshared_files();
        Ok(Boot {
            netdev: self.content(&netdev_path(self.name))?,
            network: self.content(&network_path(self.name))?,
            identity: private.as_ref().map(|key| Identity::Of(keys::public(key))),
            exposed: self.exposed(preshared.keys()),
            preshared_keys: preshared.iter().map(|(peer, key)| (*peer, keys.digest(key))).collect(),
            unit: self.unit()?,
        })
    }

    /// Puts the private key where systemd-networkd finds it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_private(&self, is: &Boot, key: &Secret<Key>) -> Result<(), ApplyError> {
        if !is.exposed && is.identity == Some(Identity::Of(keys::public(key))) {
            return Ok(());
        }
        self.write_key(&key_path(self.name), key)
    }

    /// Writes all but the private key; `is` tells what is right already.
    ///
    /// # Errors
    /// When a file cannot be written, or its content is no longer kept.
    pub(super) fn write(
        &self,
        is: &Boot,
        to: &Boot,
        preshared: &BTreeMap<Digest, Secret<Key>>,
    ) -> Result<(), ApplyError> {
        let right = |peer: &PublicKey, digest: &Digest| !is.exposed && is.preshared_keys.get(peer) == Some(digest);
        for (peer, digest) in &to.preshared_keys {
            if let Some(key) = preshared.get(digest).filter(|_| !right(peer, digest)) {
                self.write_key(&preshared_path(self.name, peer), key)?;
            }
        }
        self.write_content(&netdev_path(self.name), is.netdev.as_ref(), to.netdev.as_ref())?;
        self.write_content(&network_path(self.name), is.network.as_ref(), to.network.as_ref())?;
        self.write_unit(is.unit.as_ref(), to.unit.as_ref())?;
        let gone = is.preshared_keys.keys().filter(|peer| !to.preshared_keys.contains_key(peer));
        gone.map(|peer| preshared_path(self.name, peer)).try_for_each(|path| self.remove(&path))
    }

    fn unit(&self) -> Result<Option<Unit>, (String, Error)> {
        let content = self.content(&userspace::unit_path(self.name))?;
        let enabled = self.machine.path(userspace::enabled_link(self.name)).symlink_metadata().is_ok();
        Ok(content.map(|content| Unit { content, enabled }))
    }

    fn write_unit(&self, is: Option<&Unit>, to: Option<&Unit>) -> Result<(), ApplyError> {
        let path = userspace::unit_path(self.name);
        self.write_content(&path, is.map(|unit| &unit.content), to.map(|unit| &unit.content))?;
        let link = userspace::enabled_link(self.name);
        let wanted = set_wanted(&self.machine.path(&link), &path, to.is_some_and(|unit| unit.enabled));
        wanted.map_err(|source| file_error(&link, source))
    }

    fn keys(&self) -> Keys<'_> {
        Keys { machine: self.machine, name: self.name }
    }

    fn content(&self, path: &str) -> Result<Option<Content>, (String, Error)> {
        let bytes = match std::fs::read(self.machine.path(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err((path.to_owned(), error)),
        };
        let hidden = |bytes: &[u8]| Content::Hidden(self.machine.key().digest(bytes));
        Ok(Some(match String::from_utf8(bytes) {
            Ok(text) if is_showable(&text) => Content::Text(text),
            Ok(text) => hidden(text.as_bytes()),
            Err(error) => hidden(error.as_bytes()),
        }))
    }

    fn exposed<'k>(&self, peers: impl Iterator<Item = &'k PublicKey>) -> bool {
        let mut paths = peers.map(|peer| preshared_path(self.name, peer)).chain([key_path(self.name)]);
        paths.any(|path| self.machine.path(path).metadata().is_ok_and(|file| file.permissions().mode() & 0o007 != 0))
    }

    fn write_key(&self, path: &str, key: &Secret<Key>) -> Result<(), ApplyError> {
        let content = keys::file_content(key);
        let real = self.machine.path(path);
        let written = folder(&real).and_then(|()| replace(&real, content.reveal().as_bytes(), 0o600));
        written.and_then(|()| self.let_networkd_read(&real)).map_err(|source| file_error(path, source))
    }

    /// It runs as a user of its own; without it, root alone may read.
    fn let_networkd_read(&self, path: &Path) -> std::io::Result<()> {
        let groups = std::fs::read_to_string(self.machine.path("/etc/group")).unwrap_or_default();
        let id = groups.lines().find_map(|line| line.strip_prefix("systemd-network:")?.split(':').nth(1)?.parse().ok());
        let Some(id) = id else { return Ok(()) };
        chown(path, None, Some(id))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640))
    }

    fn write_content(&self, path: &str, is: Option<&Content>, to: Option<&Content>) -> Result<(), ApplyError> {
        if is == to {
            // A run that was killed before it had changed anything may have been about to.
            return tidy(&self.machine.path(path)).map_err(|source| file_error(path, source));
        }
        if let Some(Content::Hidden(digest)) = is {
            let real = self.machine.path(path);
            let kept = std::fs::read(real).and_then(|bytes| self.machine.blobs().keep(digest, &bytes));
            kept.map_err(|source| file_error(path, source))?;
        }
        let content = match to {
            None => return self.remove(path),
            Some(Content::Text(text)) => text.clone().into_bytes(),
            Some(Content::Hidden(digest)) => {
                let kept = self.machine.blobs().get(digest).map_err(|source| file_error(path, source))?;
                kept.ok_or_else(|| ApplyError::NoBlob { path: path.to_owned() })?
            }
        };
        // What stead writes names no secret; what it did not write may.
        let mode = if matches!(to, Some(Content::Text(_))) { 0o644 } else { 0o640 };
        let real = self.machine.path(path);
        let written = folder(&real).and_then(|()| replace(&real, &content, mode));
        written
            .and_then(|()| if mode == 0o640 { self.let_networkd_read(&real) } else { Ok(()) })
            .map_err(|source| file_error(path, source))
    }

    fn remove(&self, path: &str) -> Result<(), ApplyError> {
        remove(&self.machine.path(path)).map_err(|source| file_error(path, source))
    }
}

/// The one that a file is to be in.
fn folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().ok_or(ErrorKind::InvalidInput)?)
}

fn file_error(path: &str, source: Error) -> ApplyError {
    ApplyError::File { path: path.to_owned(), source }
}
