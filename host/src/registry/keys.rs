//! The keys of signatures: ECDSA on the curve P-256, as `cosign generate-key-pair` and openssl(1) make them.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::secret::Secret;

mod cosign;

/// A key that signatures are checked against.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicKey(VerifyingKey);

/// A key that signs.
pub struct PrivateKey(SigningKey);

/// A key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "this is no public key of ECDSA P-256: it is the text of a file that begins with -----BEGIN PUBLIC KEY-----, or the base64 in it"
    )]
    NotPublic,
    #[error("cannot read the key {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the key {path} can be read by others", path = path.display())]
    Exposed { path: PathBuf },
    #[error("{path} is no private key of ECDSA P-256", path = path.display())]
    NotPrivate { path: PathBuf },
    #[error("the key {path} has a passphrase, and there is nobody to ask for it", path = path.display())]
    NoPassphrase { path: PathBuf },
    #[error("that is not the passphrase of the key {path}", path = path.display())]
    Passphrase { path: PathBuf },
}

impl PublicKey {
    /// Whether this key made the signature (ASN.1 DER) of these bytes.
    pub fn made(&self, signature: &[u8], bytes: &[u8]) -> bool {
        DerSignature::from_bytes(signature).is_ok_and(|signature| self.0.verify(bytes, &signature).is_ok())
    }

    /// Its name for people: the SHA-256 of it, as `openssl pkey -pubin -outform DER | sha256sum` gives it.
    pub fn fingerprint(&self) -> Digest {
        let der = self.0.to_public_key_der();
        Digest::public(der.as_ref().map(|der| der.as_bytes()).unwrap_or_default())
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        let body: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).map_err(|_| KeyError::NotPublic)?;
        VerifyingKey::from_public_key_der(&der).map(Self).map_err(|_| KeyError::NotPublic)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint().short())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

impl PrivateKey {
    /// Reads a key of openssl(1) or cosign; `ask` is asked for the passphrase of the latter.
    ///
    /// # Errors
    /// When it is none, others can read it, or the passphrase is not had.
    pub fn read(path: &Path, ask: impl FnOnce(&str) -> Option<Secret<String>>) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned() });
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        let none = || KeyError::NotPrivate { path: path.to_owned() };
        if cosign::is_encrypted(&text) {
            let question = format!("Passphrase of {}", path.display());
            let passphrase = ask(&question).ok_or_else(|| KeyError::NoPassphrase { path: path.to_owned() })?;
            let sealed = cosign::Sealed::parse(&text).ok_or_else(none)?;
            let opened = sealed.open(&passphrase).ok_or_else(|| KeyError::Passphrase { path: path.to_owned() })?;
            return SigningKey::from_pkcs8_der(&opened).map(Self).map_err(|_| none());
        }
        let key = SecretKey::from_pkcs8_pem(&text).ok().or_else(|| SecretKey::from_sec1_pem(&last(&text)).ok());
        key.map(|key| Self(key.into())).ok_or_else(none)
    }

    #[cfg(test)]
    pub(super) fn of(key: SigningKey) -> Self {
        Self(key)
    }

    /// The signature of these bytes, in ASN.1 DER. The same each time (RFC 6979).
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.0.sign(bytes);
        signature.as_bytes().to_vec()
    }

    /// What its signatures are checked against.
    pub fn public(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }
}

/// The last block of a file: `openssl ecparam -genkey` writes the name of the curve before the key.
fn last(text: &str) -> Zeroizing<String> {
    let from = text.rfind("-----BEGIN ").unwrap_or_default();
    Zeroizing::new(text.get(from..).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
