//! Names for contents.
//!
//! What lies on a machine is named by an HMAC under that machine's own key: the digest of a file that holds a
//! short secret can then be shown and stored without letting anybody guess the secret from it.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A digest in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The SHA-256 of something public: a component, a plan, a repo's folder.
    pub fn public(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The same, when it was made elsewhere, in 64 hexadecimal digits.
    pub(crate) fn from_hex(digits: String) -> Self {
        Self(digits)
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A machine's key for digests.
#[derive(Clone)]
pub struct Key([u8; 64]);

impl Key {
    /// A key given by its bytes, for tests and recorded machines.
    pub fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Reads the key, or makes one that only root can read.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is not a key.
    pub fn load_or_create(path: &Path) -> std::io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "digest.key is not 64 bytes long")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error),
        }
    }

    fn create(path: &Path) -> std::io::Result<Self> {
        let mut bytes = [0; 64];
        crate::random::fill(&mut bytes)?;
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        Ok(Self(bytes))
    }

    /// The digest of a content on this machine.
    pub fn digest(&self, content: &[u8]) -> Digest {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.0.into());
        mac.update(content);
        Digest(hex::encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
