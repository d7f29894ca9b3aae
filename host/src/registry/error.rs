//! How a registry, or what lies there, cannot be used. No variant holds a credential, a token or the address of an upload.

use std::time::Duration;

use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};

use super::{CredentialsError, Descriptor, Reference, SignatureError};
use crate::policy::{ByteSize, printable};

/// How much of a registry's own words is shown.
const WORDS: usize = 300;

/// A registry, or what lies there, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("cannot reach the registry {host}: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("the registry {host} has not answered within {limit:?}")]
    Silent { host: String, limit: Duration },
    #[error("the registry {host} does not let {} in", who.as_deref().unwrap_or("those without credentials"))]
    Unauthorized {
        host: String,
        /// The user and where the credentials are from; none: there are no credentials.
        who: Option<String>,
    },
    #[error("the registry {host} does not let {} do that to {repository}", who.as_deref().unwrap_or("those without credentials"))]
    Forbidden { host: String, repository: String, who: Option<String> },
    #[error("there is no {0}")]
    NotFound(Reference),
    #[error("the registry {host} lacks {digest}, which {reference} consists of")]
    BlobMissing { host: String, digest: String, reference: Reference },
    #[error("the registry {host} answered {status}{}", after(words))]
    Answer { host: String, status: String, words: String },
    #[error("the manifest of {reference} is larger than {limit}")]
    HugeManifest { reference: Reference, limit: ByteSize },
    #[error("{reference} says that it has {size}, and no component may have more than {limit}")]
    TooLarge { reference: Reference, size: ByteSize, limit: ByteSize },
    #[error("{reference} is no component: {reason}")]
    NotAComponent { reference: Reference, reason: String },
    #[error("{what} of {reference} is not what it should be: {expected} was asked for, and {found} came")]
    Replaced { what: &'static str, reference: Reference, expected: String, found: String },
    #[error("{what} of {reference} broke off: {got} of {size} bytes came")]
    Truncated { what: &'static str, reference: Reference, got: u64, size: u64 },
    #[error("{reference} is refused: {error}")]
    Signature { reference: Reference, error: SignatureError },
    #[error("{0} names a digest, and a push gives it a tag")]
    PushToDigest(Reference),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("HTTPS cannot be used: {0}")]
    Tls(String),
}

fn after(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// What was asked, for the errors.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub reference: &'a Reference,
    /// The user and where the credentials are from.
    pub who: Option<String>,
}

impl Asked<'_> {
    pub(super) fn unauthorized(&self) -> RegistryError {
        RegistryError::Unauthorized { host: self.reference.host().to_owned(), who: self.who.clone() }
    }

    fn forbidden(&self) -> RegistryError {
        let (host, repository) = (self.reference.host().to_owned(), self.reference.repository().to_owned());
        RegistryError::Forbidden { host, repository, who: self.who.clone() }
    }

    pub(super) fn answer(&self, status: impl ToString, words: &str) -> RegistryError {
        let words = printable(words.trim()).chars().take(WORDS).collect();
        RegistryError::Answer { host: self.reference.host().to_owned(), status: status.to_string(), words }
    }

    /// What a status other than success means.
    pub(super) fn status(&self, status: u16, body: &str) -> RegistryError {
        if let Ok(envelope) = serde_json::from_str::<OciEnvelope>(body) {
            return self.envelope(&envelope);
        }
        match status {
            401 => self.unauthorized(),
            403 => self.forbidden(),
            404 => RegistryError::NotFound(self.reference.clone()),
            // An answer that is no JSON is a page of a proxy or of something else.
            _ => self.answer(status, body),
        }
    }

    fn envelope(&self, envelope: &OciEnvelope) -> RegistryError {
        match envelope.errors.first().map(|error| &error.code) {
            Some(OciErrorCode::Unauthorized) => self.unauthorized(),
            Some(OciErrorCode::Denied) => self.forbidden(),
            Some(
                OciErrorCode::ManifestUnknown
                | OciErrorCode::NameUnknown
                | OciErrorCode::BlobUnknown
                | OciErrorCode::NotFound,
            ) => RegistryError::NotFound(self.reference.clone()),
            _ => {
                let words: Vec<_> = envelope.errors.iter().map(|error| error.message.as_str()).collect();
                self.answer("with an error", &words.join("; "))
            }
        }
    }

    /// What went wrong in the library.
    pub(super) fn failed(&self, error: OciDistributionError) -> RegistryError {
        match error {
            OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
                self.unauthorized()
            }
            OciDistributionError::RegistryError { envelope, .. } => self.envelope(&envelope),
            OciDistributionError::ServerError { code, message, .. } => self.status(code, &message),
            OciDistributionError::RequestError(error) => self.unreachable(error),
            OciDistributionError::RegistryTokenDecodeError(_) => self.answer("with no token", ""),
            other => self.answer("unexpectedly", &other.to_string()),
        }
    }

    /// A request that was not answered.
    pub(super) fn unreachable(&self, error: reqwest::Error) -> RegistryError {
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        // The last cause says what it is: "connection refused", a certificate that nobody knows.
        while let Some(cause) = source {
            reason = cause.to_string();
            source = cause.source();
        }
        RegistryError::Unreachable { host: self.reference.host().to_owned(), reason: printable(&reason) }
    }

    pub(super) fn missing(&self, descriptor: &Descriptor) -> RegistryError {
        let (host, digest) = (self.reference.host().to_owned(), printable(&descriptor.digest));
        RegistryError::BlobMissing { host, digest, reference: self.reference.clone() }
    }
}
