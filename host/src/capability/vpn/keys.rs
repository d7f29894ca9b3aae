//! Private and preshared keys: where they lie, where they are found again, and what is kept before one is lost.
//!
//! A key is named by its public half or by its digest and never leaves this file but to a device or a key's file.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use wireguard_control::Key;

use super::device::Device;
use super::{Identity, Name, PublicKey, Set, State, networkd};
use crate::capability::ApplyError;
use crate::digest::Digest;
use crate::machine::{Machine, create_private_folder, replace};
use crate::secret::Secret;

/// The keys of one interface.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    pub(super) machine: &'a Machine,
    pub(super) name: &'a Name,
}

/// The public half of a private key.
pub(super) fn public(private: &Secret<Key>) -> PublicKey {
    PublicKey::new(private.reveal().get_public().0)
}

/// A key pair for a machine that is not managed by stead; the private half in base64.
pub fn key_pair() -> (Secret<String>, PublicKey) {
    let private = Secret::new(Key::generate_private());
    (Secret::new(private.reveal().to_base64()), public(&private))
}

/// A key in base64, as wg(8) writes it.
pub(super) fn parse(text: &str) -> Option<Secret<Key>> {
    // wg(8) writes 44 characters; the parser of `PublicKey` is as strict.
    let key: PublicKey = text.trim().parse().ok()?;
    Some(Key(key.bytes())).filter(|key| *key != Key::zero()).map(Secret::new)
}

/// The content of a key's file.
pub(super) fn file_content(key: &Secret<Key>) -> Secret<String> {
    Secret::new(format!("{}\n", key.reveal().to_base64()))
}

impl Keys<'_> {
    /// How a preshared key is named.
    pub(super) fn digest(&self, preshared: &Secret<Key>) -> Digest {
        digest(self.machine, preshared)
    }

    /// The private key from which the interface comes back at boot.
    pub(super) fn boot(&self) -> std::io::Result<Option<Secret<Key>>> {
        read(&self.machine.path(networkd::key_path(self.name)))
    }

    /// The private key for an identity, made where there is none yet.
    ///
    /// # Errors
    /// When it is nowhere on this host.
    pub(super) fn private(&self, identity: Identity, device: &Device) -> Result<Secret<Key>, ApplyError> {
        let Identity::Of(wanted) = identity else {
            let boot = self.boot().map_err(|source| self.file_error(&networkd::key_path(self.name), source))?;
            let retired = read(&self.retired()).map_err(|source| self.retired_error(source))?;
            return Ok(boot.or(retired).unwrap_or_else(|| Secret::new(Key::generate_private())));
        };
        self.find(&wanted, device)?.ok_or_else(|| ApplyError::Refused {
            resource: format!("vpn {}", self.name),
            reason: format!("the private key of {wanted} is no longer on this host"),
        })
    }

    /// The private key with this public half, wherever on this host it is.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn find(&self, wanted: &PublicKey, device: &Device) -> Result<Option<Secret<Key>>, ApplyError> {
        let boot = self.boot().map_err(|source| self.file_error(&networkd::key_path(self.name), source))?;
        let retired = read(&self.retired()).map_err(|source| self.retired_error(source))?;
        let known = [boot, device.private.clone(), retired].into_iter().flatten();
        let kept = || self.kept(&self.private_blob(wanted));
        Ok(known.into_iter().find(|key| public(key) == *wanted).or_else(kept))
    }

    /// Makes a key pair that nothing runs on yet, and keeps it for the interface.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn make_next(&self) -> Result<PublicKey, ApplyError> {
        let private = Secret::new(Key::generate_private());
        let public = public(&private);
        self.keep_blob(&self.private_blob(&public), &private)?;
        Ok(public)
    }

    /// The preshared key of this digest.
    ///
    /// # Errors
    /// When it is neither among the secrets of this run nor anywhere on this host.
    pub(super) fn preshared(&self, wanted: &Digest, set: &Set, device: &Device) -> Result<Secret<Key>, ApplyError> {
        let named = set.secrets.iter().find(|(_, digest)| *digest == wanted).map(|(name, _)| name);
        let secret = named.and_then(|name| parse(self.machine.secret(name)?.reveal()));
        let running = || device.peers.values().filter_map(|peer| peer.preshared.clone());
        let right = |key: &Secret<Key>| self.digest(key) == *wanted;
        let found = secret.filter(right).or_else(|| running().find(right));
        let found = found.or_else(|| self.preshared_files().into_values().find(right)).or_else(|| self.kept(wanted));
        found.ok_or_else(|| match named {
            Some(name) => ApplyError::NoSecret { name: name.clone() },
            None => ApplyError::Refused {
                resource: format!("vpn {}", self.name),
                reason: format!("the preshared key {} is no longer on this host", wanted.short()),
            },
        })
    }

    /// The preshared keys from which the interface comes back at boot, without those that cannot be read.
    pub(super) fn preshared_files(&self) -> BTreeMap<PublicKey, Secret<Key>> {
        let folder = self.machine.path("/etc/systemd/network");
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let peers = entries.filter_map(|entry| networkd::preshared_peer(self.name, entry.file_name().to_str()?));
        peers.filter_map(|peer| Some((peer, self.preshared_file(&peer)?))).collect()
    }

    fn preshared_file(&self, peer: &PublicKey) -> Option<Secret<Key>> {
        read(&self.machine.path(networkd::preshared_path(self.name, peer))).ok().flatten()
    }

    /// Keeps what the change to `to` would lose.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, device: &Device, to: &State) -> Result<(), ApplyError> {
        let live = to.live.as_ref();
        let boot = self.boot().map_err(|source| self.file_error(&networkd::key_path(self.name), source))?;
        let stays = [live.and_then(|live| live.identity), to.boot.identity];
        for (private, stays) in [device.private.clone(), boot].into_iter().zip(stays) {
            let lost = private.filter(|private| stays != Some(Identity::Of(public(private))));
            if let Some(private) = lost {
                self.keep_blob(&self.private_blob(&public(&private)), &private)?;
            }
        }
        let files = self.preshared_files().into_values();
        let running = device.peers.values().filter_map(|peer| peer.preshared.clone());
        let stay: Vec<_> = live.iter().flat_map(|live| live.peers.values()).map(|peer| &peer.preshared_key).collect();
        for preshared in running.chain(files) {
            let digest = self.digest(&preshared);
            if !stay.iter().any(|kept| kept.as_ref() == Some(&digest)) {
                self.keep_blob(&digest, &preshared)?;
            }
        }
        Ok(())
    }

    /// Moves the private key out of the sight of systemd-networkd: peers know its public half, so that an interface
    /// of this name must come back with it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn retire(&self) -> Result<(), ApplyError> {
        let path = networkd::key_path(self.name);
        let boot = self.boot().map_err(|source| self.file_error(&path, source))?;
        let Some(private) = boot else { return Ok(()) };
        let retired = self.retired();
        let folder = retired.parent().unwrap_or(&retired);
        create_private_folder(folder).map_err(|source| self.retired_error(source))?;
        let content = file_content(&private);
        replace(&retired, content.reveal().as_bytes(), 0o600).map_err(|source| self.retired_error(source))?;
        std::fs::remove_file(self.machine.path(&path)).map_err(|source| self.file_error(&path, source))
    }

    fn retired(&self) -> PathBuf {
        self.machine.state().join("wireguard").join(format!("{}.key", self.name))
    }

    fn private_blob(&self, public: &PublicKey) -> Digest {
        self.machine.key().digest(format!("WireGuard private key of {public}").as_bytes())
    }

    fn keep_blob(&self, digest: &Digest, key: &Secret<Key>) -> Result<(), ApplyError> {
        let kept = self.machine.blobs().keep(digest, key.reveal().as_bytes());
        kept.map_err(|source| ApplyError::File {
            path: self.machine.state().join("blobs").display().to_string(),
            source,
        })
    }

    fn kept(&self, digest: &Digest) -> Option<Secret<Key>> {
        let bytes = self.machine.blobs().get(digest).ok().flatten()?;
        bytes.try_into().ok().map(|bytes| Secret::new(Key(bytes)))
    }

    fn retired_error(&self, source: std::io::Error) -> ApplyError {
        self.file_error(&self.retired().display().to_string(), source)
    }

    fn file_error(&self, path: &str, source: std::io::Error) -> ApplyError {
        ApplyError::File { path: path.to_owned(), source }
    }
}

/// How a preshared key is named on this machine.
pub(super) fn digest(machine: &Machine, preshared: &Secret<Key>) -> Digest {
    machine.key().digest(preshared.reveal().as_bytes())
}

/// The key in a file; `None` when there is no file, or no key in it.
fn read(path: &std::path::Path) -> std::io::Result<Option<Secret<Key>>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(error),
    }
}
