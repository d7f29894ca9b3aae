//! The operator's own key: what opens the secrets.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use age::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{SecretsError, cipher};
use crate::machine::create_private_folder;
use crate::secret::Secret;

/// Asks the operator for the passphrase of a key; `None` when there is nobody to ask.
pub type AskPassphrase = fn(&str) -> Option<Secret<String>>;

/// The operator's own key.
pub struct Identity {
    path: PathBuf,
    key: Key,
    ask: AskPassphrase,
}

enum Key {
    Age(Vec<age::x25519::Identity>),
    Ssh(age::ssh::Identity),
}

impl Identity {
    /// Where an identity is looked for, in this order: `STEAD_IDENTITY` alone when it is set, else
    /// `~/.config/stead/identity`, else `~/.ssh/id_ed25519`.
    pub fn places() -> Vec<PathBuf> {
        if let Some(path) = std::env::var_os("STEAD_IDENTITY") {
            return vec![path.into()];
        }
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let config = std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        vec![config.join("stead/identity"), home.join(".ssh/id_ed25519")]
    }

    /// Reads the first identity that is there.
    ///
    /// # Errors
    /// When there is none, it is no key, or others can read it.
    pub fn find(places: &[PathBuf], ask: AskPassphrase) -> Result<Self, SecretsError> {
        let found = places.iter().find(|path| path.exists());
        let path = found.ok_or_else(|| SecretsError::NoIdentity { tried: places.to_vec() })?;
        let failed = |source| SecretsError::Read { path: path.clone(), source };
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SecretsError::Exposed { path: path.clone() });
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        Ok(Self { path: path.clone(), key: parse(path, &text)?, ask })
    }

    /// Makes a new identity at `path`, which only the operator can read, and answers its recipient.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(path: &Path) -> Result<String, SecretsError> {
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AlreadyExists => SecretsError::IdentityExists { path: path.to_owned() },
            _ => SecretsError::Write { path: path.to_owned(), source },
        };
        if let Some(folder) = path.parent() {
            create_private_folder(folder).map_err(failed)?;
        }
        let key = age::x25519::Identity::generate();
        let recipient = key.to_public().to_string();
        let text = Zeroizing::new(format!("# recipient: {recipient}\n{}\n", key.to_string().expose_secret()));
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(recipient)
    }

    /// The public half, as `[secrets] recipients` has it.
    ///
    /// # Errors
    /// When age does not know this kind of key.
    pub fn recipient(&self) -> Result<String, SecretsError> {
        let wrong = |reason| SecretsError::Identity { path: self.path.clone(), reason };
        match &self.key {
            Key::Age(keys) => {
                let first = keys.first().ok_or_else(|| wrong("it holds no key".to_owned()))?;
                Ok(first.to_public().to_string())
            }
            Key::Ssh(key) => {
                let recipient = age::ssh::Recipient::try_from(key.clone());
                recipient.map(|recipient| recipient.to_string()).map_err(|error| wrong(cipher::reason(&error)))
            }
        }
    }

    pub(super) fn keys(&self) -> Vec<Box<dyn age::Identity>> {
        match &self.key {
            Key::Age(keys) => keys.iter().map(|key| Box::new(key.clone()) as _).collect(),
            Key::Ssh(key) => vec![Box::new(key.clone().with_callbacks(Ask(self.ask)))],
        }
    }
}

/// Whether two recipients are the same key; an ssh key may have a comment.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().take(2).eq(other.split_whitespace().take(2))
}

fn parse(path: &Path, text: &str) -> Result<Key, SecretsError> {
    let wrong = |reason: &str| SecretsError::Identity { path: path.to_owned(), reason: reason.to_owned() };
    if text.trim_start().starts_with("-----BEGIN") {
        let name = Some(path.display().to_string());
        let key = age::ssh::Identity::from_buffer(text.as_bytes(), name);
        return match key.map_err(|error| wrong(&error.to_string()))? {
            age::ssh::Identity::Unsupported(_) => Err(wrong("age cannot use this kind of ssh key")),
            key => Ok(Key::Ssh(key)),
        };
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|line| line.parse().map_err(wrong)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(wrong("it holds no key")) } else { Ok(Key::Age(keys)) }
}

#[derive(Clone)]
struct Ask(AskPassphrase);

impl age::Callbacks for Ask {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        (self.0)(description).map(|passphrase| SecretString::from(passphrase.reveal().clone()))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("path", &self.path).finish_non_exhaustive()
    }
}
