//! Signatures of components, as cosign makes them with a pair of keys: a small JSON document ("simple signing") names the
//! repository and the digest of the manifest, and lies with its signature beside the component, under the tag
//! `sha256-DIGEST.sig`.
//!
//! What is signed names the repository, and that is checked here: whoever runs a registry cannot give out one signed
//! component for another.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{PrivateKey, PublicKey, with_algorithm};
use crate::digest::Digest;
use crate::policy::printable;
use crate::repo::Bytes;

const KIND: &str = "cosign container image signature";

/// A signature and what it is of, as it lies beside a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The document.
    pub payload: Bytes,
    /// ASN.1 DER.
    pub signature: Bytes,
}

/// A component is not signed as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("it is not signed")]
    Unsigned,
    #[error("{} by none of the keys in signed-by: another key's, or damaged", counted(*.count))]
    NotByKey { count: usize },
    #[error("the signature is of something else: {found}, and this is {expected}")]
    OtherContent { found: String, expected: String },
    #[error("the signature is for the repository {found}, and this is {expected}")]
    OtherName { found: String, expected: String },
    #[error("what is signed is no document of a signature: {reason}")]
    Document { reason: String },
}

fn counted(count: usize) -> String {
    if count == 1 { "its signature is".to_owned() } else { format!("its {count} signatures are") }
}

#[derive(Serialize, Deserialize)]
struct Document {
    critical: Critical,
    #[serde(default)]
    optional: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// The tag under which the signatures of a manifest lie.
pub(super) fn tag(manifest: &Digest) -> String {
    let mut tag = "sha256-".to_owned();
    // Writing to a String does not fail.
    let _ = write!(tag, "{manifest}.sig");
    tag
}

impl Signature {
    /// Signs the manifest of a component in this repository, `HOST/REPOSITORY`.
    pub fn new(key: &PrivateKey, name: &str, manifest: &Digest) -> Self {
        let document = Document {
            critical: Critical {
                identity: Identity { docker_reference: name.to_owned() },
                image: Image { docker_manifest_digest: with_algorithm(manifest) },
                kind: KIND.to_owned(),
            },
            optional: None,
        };
        // Texts always have a JSON form.
        let payload = serde_json::to_vec(&document).unwrap_or_default();
        let signature = key.sign(&payload);
        Self { payload: Bytes(payload), signature: Bytes(signature) }
    }

    /// One of the keys has signed that the repository `name` has this manifest; which one.
    ///
    /// # Errors
    /// When none has; of the signatures by these keys, what the last one is about instead.
    pub fn check<'k>(
        signatures: &[Self],
        keys: &'k [PublicKey],
        name: &str,
        manifest: &Digest,
    ) -> Result<&'k PublicKey, SignatureError> {
        let mut error = match signatures.len() {
            0 => SignatureError::Unsigned,
            count => SignatureError::NotByKey { count },
        };
        for signature in signatures {
            let made = |key: &&PublicKey| key.made(&signature.signature.0, &signature.payload.0);
            let Some(key) = keys.iter().find(made) else { continue };
            match signature.is_about(name, manifest) {
                Ok(()) => return Ok(key),
                Err(other) => error = other,
            }
        }
        Err(error)
    }

    fn is_about(&self, name: &str, manifest: &Digest) -> Result<(), SignatureError> {
        let wrong = |reason: String| SignatureError::Document { reason: printable(&reason) };
        let document: Document = serde_json::from_slice(&self.payload.0).map_err(|error| wrong(error.to_string()))?;
        let Critical { identity, image, kind } = document.critical;
        if kind != KIND {
            return Err(wrong(format!("its type is {kind:?}")));
        }
        if image.docker_manifest_digest != with_algorithm(manifest) {
            let found = printable(&image.docker_manifest_digest);
            return Err(SignatureError::OtherContent { found, expected: with_algorithm(manifest) });
        }
        // cosign names the repository; others add the tag or digest that they were given.
        let signed = identity.docker_reference;
        let rest = signed.strip_prefix(name);
        if rest.is_none_or(|rest| !rest.is_empty() && !rest.starts_with([':', '@'])) {
            return Err(SignatureError::OtherName { found: printable(&signed), expected: name.to_owned() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
