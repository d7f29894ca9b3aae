//! The keys of one machine, in a folder of their own: a pair for whoever logs in and a pair for the machine.
//!
//! They are made before the machine is asked for, so that a create call that is repeated hands out the same ones.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::AccessError;
use crate::name::VmName;

pub(super) const CLIENT: &str = "client_key";
const HOST: &str = "host_key";
/// The last file to be written.
pub(super) const KNOWN_HOSTS: &str = "known_hosts";

/// The part of a key pair that may be shown, as in `authorized_keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicHalf(String);

/// What a new machine is to be told.
pub struct Keys {
    pub client: PublicHalf,
    pub host: PublicHalf,
    host_private: String,
}

impl PublicHalf {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keys").field("client", &self.client).field("host", &self.host).finish_non_exhaustive()
    }
}

impl Keys {
    /// Makes the keys in `folder`, or reads the ones that are there.
    ///
    /// # Errors
    /// When the folder cannot be written, or ssh-keygen(1) fails.
    pub fn obtain(folder: &Path, name: &VmName) -> Result<Self, AccessError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| AccessError::File { path, source }
        };
        make_private(folder).map_err(at(folder))?;
        let known = folder.join(KNOWN_HOSTS);
        if !known.exists() {
            for key in [CLIENT, HOST] {
                make_pair(&folder.join(key), name)?;
            }
            let line = format!("{name} {}\n", public(&folder.join(HOST)).map_err(at(folder))?);
            write_whole(&known, line.as_bytes()).map_err(at(&known))?;
        }
        let host_private = fs::read_to_string(folder.join(HOST)).map_err(at(folder))?;
        let client = PublicHalf(public(&folder.join(CLIENT)).map_err(at(folder))?);
        Ok(Self { client, host: PublicHalf(public(&folder.join(HOST)).map_err(at(folder))?), host_private })
    }

    /// For the machine itself, and nobody else.
    pub fn host_private(&self) -> &str {
        &self.host_private
    }

    /// Deletes the keys, once the machine is gone.
    ///
    /// # Errors
    /// When the folder cannot be deleted.
    pub fn forget(folder: &Path) -> Result<(), AccessError> {
        match fs::remove_dir_all(folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(AccessError::File { path: folder.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

fn make_pair(path: &Path, name: &VmName) -> Result<(), AccessError> {
    // What a crash left half made; ssh-keygen would ask before it overwrites.
    let _ = fs::remove_file(path);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", name.as_str(), "-f"]).arg(path);
    let output = command.output().map_err(|source| AccessError::Program { program: "ssh-keygen", source })?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let source = io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            Err(AccessError::File { path: path.to_owned(), source })
        }
    }
}

fn public(path: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(PathBuf::from(path).with_extension("pub"))?.trim().to_owned())
}

fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    fs::write(&unfinished, content)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(unfinished, path)
}

fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_same_folder_gives_the_same_keys_and_shows_no_private_one() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, name) = (folder.path().join("keys"), "stead-a-1-1".parse().unwrap());
        let keys = Keys::obtain(&folder, &name).unwrap();
        let again = Keys::obtain(&folder, &name).unwrap();
        assert_eq!((&keys.client, &keys.host), (&again.client, &again.host));
        assert_ne!(keys.client, keys.host);
        assert!(!format!("{keys:?}").contains("PRIVATE"));
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        Keys::forget(&folder).unwrap();
        Keys::forget(&folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn what_a_crash_left_half_made_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(HOST), "half").unwrap();
        let keys = Keys::obtain(folder.path(), &"stead-a-1-1".parse().unwrap()).unwrap();
        assert!(keys.host_private().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    }
}
