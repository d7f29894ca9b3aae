//! One registry, by its HTTP API (the OCI distribution specification).
//!
//! `oci-client` signs in, moves blobs and pushes. Manifests are read here, because it would take one of any size.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};

use super::artifact::MANIFEST;
use super::error::Asked;
use super::{Credentials, Descriptor, Reference, RegistryError, parse_digest, with_algorithm};
use crate::digest::Digest;
use crate::policy::{ByteSize, printable};

/// The specification wants no registry to take larger ones.
const LARGEST_MANIFEST: u64 = 4 << 20;
const CONNECT: Duration = Duration::from_secs(10);
/// How long a registry may say nothing in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(60);
/// How long everything but the content itself may take.
const ANSWER: Duration = Duration::from_secs(120);
/// What is taken for a manifest: also what is then refused by its kind.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// How a registry is reached.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether by HTTP without TLS; `None`: only on this machine itself.
    pub plain_http: Option<bool>,
    pub credentials: Option<Credentials>,
}

/// A registry that can be asked.
pub struct Registry {
    client: Client,
    http: reqwest::Client,
    base: String,
    credentials: Option<Credentials>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("base", &self.base).field("credentials", &self.credentials).finish()
    }
}

impl Registry {
    /// The registry at `host`. Nothing is asked yet.
    ///
    /// # Errors
    /// When this machine has no certificates to check HTTPS by.
    pub fn new(host: &str, settings: Settings) -> Result<Self, RegistryError> {
        // When there is one already it is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = |error: String| RegistryError::Tls(error);
        let plain = settings.plain_http.unwrap_or_else(|| is_this_machine(host));
        let config = ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(CONNECT),
            read_timeout: Some(SILENCE),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| tls(error.to_string()))?;
        let http = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).build();
        let http = http.map_err(|error| tls(error.to_string()))?;
        let base = format!("{}://{}/v2", if plain { "http" } else { "https" }, server(host));
        Ok(Self { client, http, base, credentials: settings.credentials })
    }

    fn asked<'a>(&self, reference: &'a Reference) -> Asked<'a> {
        Asked { reference, who: self.credentials.as_ref().map(ToString::to_string) }
    }

    /// The header that lets requests in, when the registry wants one.
    async fn sign_in(
        &self,
        reference: &Reference,
        operation: RegistryOperation,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let asked = self.asked(reference);
        let auth = self.credentials.as_ref().map_or(RegistryAuth::Anonymous, |credentials| {
            RegistryAuth::Basic(credentials.username.clone(), credentials.password.reveal().clone())
        });
        let library = library(reference);
        let token =
            within(&asked, self.client.auth(&library, &auth, operation)).await?.map_err(|error| asked.failed(error))?;
        let basic = || {
            let RegistryAuth::Basic(username, password) = &auth else { return None };
            Some(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
        };
        let Some(text) = token.map(|token| format!("Bearer {token}")).or_else(basic) else { return Ok(None) };
        // The library would take a token that is no text for a header, and not survive it.
        let mut header = HeaderValue::try_from(text).map_err(|_| asked.answer("with no token", ""))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// The manifest that the reference names, and its digest; `None` when there is none.
    ///
    /// # Errors
    /// When the registry cannot be asked, or it is not what the reference says.
    pub async fn manifest(&self, reference: &Reference) -> Result<Option<(Vec<u8>, Digest)>, RegistryError> {
        let asked = self.asked(reference);
        let header = self.sign_in(reference, RegistryOperation::Pull).await?;
        let Some(bytes) = within(&asked, self.read_manifest(&asked, header)).await?? else { return Ok(None) };
        let digest = Digest::public(&bytes);
        match reference.digest() {
            Some(expected) if *expected != digest => Err(RegistryError::Replaced {
                what: "the manifest",
                reference: reference.clone(),
                expected: with_algorithm(expected),
                found: with_algorithm(&digest),
            }),
            _ => Ok(Some((bytes, digest))),
        }
    }

    async fn read_manifest(
        &self,
        asked: &Asked<'_>,
        header: Option<HeaderValue>,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let url = format!("{}/{}/manifests/{}", self.base, asked.reference.repository(), asked.reference.wanted());
        let mut request = self.http.get(url).header(ACCEPT, ACCEPTED);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        let mut response = request.send().await.map_err(|error| asked.unreachable(error))?;
        let status = response.status();
        let huge =
            || RegistryError::HugeManifest { reference: asked.reference.clone(), limit: ByteSize(LARGEST_MANIFEST) };
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| asked.unreachable(error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > LARGEST_MANIFEST {
                return Err(huge());
            }
        }
        if status.is_success() {
            return Ok(Some(bytes));
        }
        match asked.status(status.as_u16(), &String::from_utf8_lossy(&bytes)) {
            RegistryError::NotFound(_) => Ok(None),
            error => Err(error),
        }
    }

    /// A content of at most `limit` bytes.
    ///
    /// # Errors
    /// When the registry lacks it, or it is not what the descriptor says.
    pub async fn blob(
        &self,
        reference: &Reference,
        what: &'static str,
        descriptor: &Descriptor,
        limit: ByteSize,
    ) -> Result<Vec<u8>, RegistryError> {
        let asked = self.asked(reference);
        let size = descriptor.size;
        if parse_digest(&descriptor.digest).is_none() {
            let reason = format!("it names a content by {:?}, which is no digest", descriptor.digest);
            return Err(RegistryError::NotAComponent { reference: reference.clone(), reason: printable(&reason) });
        }
        if size > limit.0 {
            return Err(RegistryError::TooLarge { reference: reference.clone(), size: ByteSize(size), limit });
        }
        self.sign_in(reference, RegistryOperation::Pull).await?;
        let library = library(reference);
        let opened = within(&asked, self.client.pull_blob_stream(&library, descriptor.digest.as_str())).await?;
        let mut stream = opened.map_err(|error| blob_failed(&asked, descriptor, error))?.stream;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            // The stream ends with an error where it ends too early, or is something else.
            let Ok(chunk) = chunk else { break };
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > size {
                break;
            }
        }
        let (reference, got) = (reference.clone(), bytes.len() as u64);
        if got < size {
            return Err(RegistryError::Truncated { what, reference, got, size });
        }
        if got > size || !descriptor.is_of(&bytes) {
            let found = with_algorithm(&Digest::public(&bytes));
            return Err(RegistryError::Replaced { what, reference, expected: descriptor.digest.clone(), found });
        }
        Ok(bytes)
    }

    /// Brings a content there, unless it is there.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn push_blob(&self, reference: &Reference, content: Vec<u8>) -> Result<(), RegistryError> {
        let asked = self.asked(reference);
        self.sign_in(reference, RegistryOperation::Push).await?;
        let (library, digest) = (library(reference), with_algorithm(&Digest::public(&content)));
        if within(&asked, self.client.blob_exists(&library, &digest)).await?.unwrap_or(false) {
            return Ok(());
        }
        self.client.push_blob(&library, content, &digest).await.map(drop).map_err(|error| asked.failed(error))
    }

    /// Gives a manifest the reference's tag; what it names has to be there.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn push_manifest(&self, reference: &Reference, manifest: Vec<u8>) -> Result<(), RegistryError> {
        let asked = self.asked(reference);
        self.sign_in(reference, RegistryOperation::Push).await?;
        let library = library(reference);
        let pushed = self.client.push_manifest_raw(&library, manifest, HeaderValue::from_static(MANIFEST));
        within(&asked, pushed).await?.map(drop).map_err(|error| asked.failed(error))
    }
}

/// The reference as the library has it.
fn library(reference: &Reference) -> oci_client::Reference {
    let (host, repository) = (reference.host().to_owned(), reference.repository().to_owned());
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => oci_client::Reference::with_digest(host, repository, with_algorithm(digest)),
        (None, tag) => oci_client::Reference::with_tag(host, repository, tag.unwrap_or_default().to_owned()),
    }
}

fn blob_failed(asked: &Asked<'_>, descriptor: &Descriptor, error: OciDistributionError) -> RegistryError {
    match asked.failed(error) {
        RegistryError::NotFound(_) => asked.missing(descriptor),
        other => other,
    }
}

async fn within<T>(asked: &Asked<'_>, answer: impl Future<Output = T>) -> Result<T, RegistryError> {
    let silent = |_| RegistryError::Silent { host: asked.reference.host().to_owned(), limit: ANSWER };
    tokio::time::timeout(ANSWER, answer).await.map_err(silent)
}

/// Docker's hub has another name than its images.
fn server(host: &str) -> &str {
    if host == "docker.io" { "index.docker.io" } else { host }
}

/// Whether the name is this machine's own loopback, as Docker and others have it.
fn is_this_machine(host: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}
