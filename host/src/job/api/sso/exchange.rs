//! One request to the provider, and its answer: within bounded time, of bounded size, from the provider itself and from nowhere
//! that it leads to, and nothing of it in an error but codes.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{SsoError, code};
use crate::policy::printable;

/// How long an answer may take.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// Ten times what large providers answer.
const MOST: usize = 256 << 10;

/// What the provider is asked by.
///
/// # Errors
/// When the certificates cannot be used.
pub(super) fn client(ca: Option<&Path>, is_secure: bool) -> Result<Client, SsoError> {
    // When there is one already it is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder().https_only(is_secure).redirect(redirect::Policy::none());
    builder = builder.timeout(TIME).connect_timeout(TIME);
    if let Some(path) = ca {
        let wrong = |reason: String| SsoError::Certificates { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&bytes).map_err(|error| wrong(error.to_string()))?;
        if certificates.is_empty() {
            return Err(wrong("it has none".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| SsoError::Tls(cause(&error)))
}

/// What the provider answers for `what`.
///
/// # Errors
/// When that is not a document of this kind.
pub(super) async fn ask<T: DeserializeOwned>(what: &'static str, request: RequestBuilder) -> Result<T, SsoError> {
    let bytes = body(what, request).await?;
    // What the parser says of a value may be the value.
    let wrong = |error: serde_json::Error| {
        let reason = if error.is_data() { "a field is missing, or is of another kind" } else { "it is no JSON" };
        SsoError::Content { what, reason: reason.to_owned() }
    };
    serde_json::from_slice(&bytes).map_err(wrong)
}

/// The bytes of an answer that is a success.
pub(super) async fn body(what: &'static str, request: RequestBuilder) -> Result<Vec<u8>, SsoError> {
    let mut answer = request.send().await.map_err(|error| unreachable(what, error))?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(what, error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST {
            return Err(SsoError::TooLarge { what, most: MOST });
        }
    }
    if answer.status().is_success() {
        return Ok(bytes);
    }
    let said: Option<Said> = serde_json::from_slice(&bytes).ok();
    let status = answer.status().as_u16();
    Err(SsoError::Answer { what, status, code: said.and_then(|said| code(&said.error)) })
}

/// An error of OAuth.
#[derive(Deserialize)]
struct Said {
    error: String,
}

fn unreachable(what: &'static str, error: reqwest::Error) -> SsoError {
    if error.is_timeout() {
        return SsoError::Silent(TIME);
    }
    let host = error.url().and_then(|url| url.host_str()).unwrap_or_default().to_owned();
    SsoError::Unreachable { what, host, reason: cause(&error.without_url()) }
}

/// The last cause says what it is: "connection refused", a certificate that nobody knows.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    printable(&last.to_string())
}
