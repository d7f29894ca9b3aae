//! The repo's secrets: one file, encrypted with age, that holds a TOML table of names and values.
//!
//! Values never reach the command line, a log or an error: what is wrong with the file is told by line number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Name, Repo, nearest};
use crate::machine::replace;
use crate::secret::Secret;

mod cipher;
mod identity;

pub use identity::{AskPassphrase, Identity};

/// The decrypted secrets of a repo.
#[derive(Debug)]
pub struct Secrets {
    path: PathBuf,
    recipients: Vec<String>,
    values: BTreeMap<Name, Secret<String>>,
}

/// The secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("there is no identity that could open the secrets; looked at {}", shown(.tried))]
    NoIdentity { tried: Vec<PathBuf> },
    #[error("the identity {path} cannot be used: {reason}", path = path.display())]
    Identity { path: PathBuf, reason: String },
    #[error("the identity {path} can be read by others", path = path.display())]
    Exposed { path: PathBuf },
    #[error("there is an identity at {path} already", path = path.display())]
    IdentityExists { path: PathBuf },
    #[error("`{recipient}` is not a recipient: {reason}")]
    Recipient { recipient: String, reason: String },
    #[error("your own key is not among the recipients, so you could not open the file again")]
    NotARecipient { own: String },
    #[error("cannot read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {path}: {source}", path = path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path} is in age's text armour, and stead writes and reads the binary form", path = path.display())]
    Armoured { path: PathBuf },
    #[error("{path} is not encrypted to your identity", path = path.display())]
    NotForYou { path: PathBuf },
    #[error("cannot decrypt {path}: {reason}", path = path.display())]
    Decrypt { path: PathBuf, reason: String },
    #[error("cannot encrypt the secrets: {reason}")]
    Encrypt { reason: String },
    #[error("line {line} of the decrypted {path} is not NAME = \"VALUE\"", path = path.display())]
    NotATable { path: PathBuf, line: usize },
    #[error("no secret is called `{name}`")]
    Unknown { name: String, known: Vec<String> },
}

impl Secrets {
    /// Decrypts the file of the repo; a repo without one has no secrets.
    ///
    /// # Errors
    /// When it cannot be read, or not by this identity.
    pub fn open(repo: &Repo, identity: &Identity) -> Result<Self, SecretsError> {
        let path = repo.folder().join(&repo.secrets().file);
        let values = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(SecretsError::Read { path, source }),
            Ok(encrypted) => parse(&path, &cipher::decrypt(&path, &encrypted, identity)?)?,
        };
        let recipients = match repo.secrets().recipients.as_slice() {
            [] => vec![identity.recipient()?],
            listed => listed.to_vec(),
        };
        Ok(Self { path, recipients, values })
    }

    /// Whether the repo has a file of secrets.
    pub fn exist(repo: &Repo) -> bool {
        repo.folder().join(&repo.secrets().file).exists()
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.values.keys()
    }

    /// All of them.
    pub fn values(&self) -> BTreeMap<String, Secret<String>> {
        self.values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    /// Sets one; [`Secrets::save`] writes it.
    pub fn set(&mut self, name: Name, value: Secret<String>) {
        self.values.insert(name, value);
    }

    /// Removes one; [`Secrets::save`] writes it.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn remove(&mut self, name: &str) -> Result<(), SecretsError> {
        let known = || self.values.keys().map(ToString::to_string).collect();
        let unknown = SecretsError::Unknown { name: name.to_owned(), known: known() };
        self.values.remove(name).map(drop).ok_or(unknown)
    }

    /// Encrypts the file anew for the recipients of today. The old file stays until the new one is on disk.
    ///
    /// # Errors
    /// When a recipient is wrong, `identity` is none of them, or the file cannot be written.
    pub fn save(&self, identity: &Identity) -> Result<(), SecretsError> {
        let own = identity.recipient()?;
        if !self.recipients.iter().any(|recipient| identity::same(recipient, &own)) {
            return Err(SecretsError::NotARecipient { own });
        }
        let table: BTreeMap<&str, &str> =
            self.values.iter().map(|(name, value)| (name.as_str(), value.reveal().as_str())).collect();
        let text = toml::to_string(&table).map(Zeroizing::new);
        let text = text.map_err(|error| SecretsError::Encrypt { reason: error.to_string() })?;
        let encrypted = cipher::encrypt(text.as_bytes(), &self.recipients)?;
        replace(&self.path, &encrypted, 0o644).map_err(|source| SecretsError::Write { path: self.path.clone(), source })
    }
}

impl SecretsError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoIdentity { .. } => "make one with `stead secret keygen`, or name one in STEAD_IDENTITY".to_owned(),
            Self::Identity { .. } => {
                "it must be a key of age-keygen(1) or an ed25519 or RSA key of ssh-keygen(1)".to_owned()
            }
            Self::Exposed { path } => format!("chmod 600 {}", path.display()),
            Self::IdentityExists { .. } => "it stays; remove it yourself if you are sure".to_owned(),
            Self::Recipient { .. } => {
                "write age1…, or the first two words of an ssh-ed25519 or ssh-rsa public key".to_owned()
            }
            Self::NotARecipient { own } => format!("add \"{own}\" to recipients under [secrets] in stead.toml"),
            Self::Armoured { path } => format!("age -d -i IDENTITY {0} | age -R RECIPIENTS -o {0}.new", path.display()),
            Self::NotForYou { .. } => {
                "ask somebody who can open it to add your recipient to [secrets] and run `stead secret rekey`"
                    .to_owned()
            }
            Self::Unknown { name, known } => match nearest(name, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`stead secret ls` lists them".to_owned(),
            },
            Self::NotATable { .. } => {
                "every line is NAME = \"VALUE\"; set values with `stead secret set NAME`".to_owned()
            }
            Self::Read { .. } | Self::Write { .. } | Self::Decrypt { .. } | Self::Encrypt { .. } => return None,
        })
    }
}

fn parse(path: &Path, text: &str) -> Result<BTreeMap<Name, Secret<String>>, SecretsError> {
    // The error's own words hold the line, which holds a secret.
    let table: BTreeMap<Name, String> = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        SecretsError::NotATable { path: path.to_owned(), line: before.matches('\n').count() + 1 }
    })?;
    Ok(table.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
