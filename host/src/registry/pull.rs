//! From a reference to a component: manifest, signatures, content, in this order, so that nothing large is fetched that is
//! refused anyway.

use super::error::RegistryError;
use super::{Descriptor, Manifest, PublicKey, Reference, Registry, Signature, signature};
use crate::digest::Digest;
use crate::policy::ByteSize;
use crate::repo::Bytes;

/// As large as what is shipped to a host may be.
const LARGEST_COMPONENT: ByteSize = ByteSize(64 << 20);
const LARGEST_DOCUMENT: ByteSize = ByteSize(64 << 10);
/// How many signatures are looked at.
const MOST_SIGNATURES: usize = 32;
pub(super) const DOCUMENT: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The digest of the manifest.
    pub digest: Digest,
    pub manifest: Vec<u8>,
    pub component: Vec<u8>,
    /// Empty when none are asked for.
    pub signatures: Vec<Signature>,
}

/// Pulls a component. When there are keys, one of them must have signed it.
///
/// # Errors
/// When it is not there, not whole, not a component, or not signed.
pub async fn pull(registry: &Registry, reference: &Reference, keys: &[PublicKey]) -> Result<Pulled, RegistryError> {
    let found = registry.manifest(reference).await?;
    let (bytes, digest) = found.ok_or_else(|| RegistryError::NotFound(reference.clone()))?;
    let none = |reason: String| RegistryError::NotAComponent {
        reference: reference.clone(),
        reason: crate::policy::printable(&reason),
    };
    let manifest = Manifest::parse(&bytes).map_err(none)?;
    let layer = manifest.component().map_err(none)?;
    let signatures = match keys {
        [] => Vec::new(),
        keys => signed(registry, reference, &digest, keys).await?,
    };
    let component = registry.blob(reference, "the component", layer, LARGEST_COMPONENT).await?;
    Ok(Pulled { digest, manifest: bytes, component, signatures })
}

/// The signatures of a manifest, of which one is by one of the keys.
async fn signed(
    registry: &Registry,
    reference: &Reference,
    digest: &Digest,
    keys: &[PublicKey],
) -> Result<Vec<Signature>, RegistryError> {
    let signatures = signatures(registry, reference, digest).await?;
    let refused = |error| RegistryError::Signature { reference: reference.clone(), error };
    Signature::check(&signatures, keys, &reference.name(), digest).map_err(refused)?;
    Ok(signatures)
}

/// The signatures that lie beside a component; those that are not whole are left out.
pub(super) async fn signatures(
    registry: &Registry,
    reference: &Reference,
    digest: &Digest,
) -> Result<Vec<Signature>, RegistryError> {
    let Some(manifest) = signature_manifest(registry, reference, digest).await? else { return Ok(Vec::new()) };
    let beside = reference.tagged(signature::tag(digest));
    let mut signatures = Vec::new();
    for layer in manifest.layers.iter().take(MOST_SIGNATURES) {
        let Some(signature) = base64_of(layer) else { continue };
        let payload = registry.blob(&beside, "a signature", layer, LARGEST_DOCUMENT).await?;
        signatures.push(Signature { payload: Bytes(payload), signature: Bytes(signature) });
    }
    Ok(signatures)
}

/// The manifest of the signatures; `None` when there are none.
pub(super) async fn signature_manifest(
    registry: &Registry,
    reference: &Reference,
    digest: &Digest,
) -> Result<Option<Manifest>, RegistryError> {
    let beside = reference.tagged(signature::tag(digest));
    let Some((bytes, _)) = registry.manifest(&beside).await? else { return Ok(None) };
    // What lies there and is none is as good as no signature.
    Ok(Manifest::parse(&bytes).ok())
}

fn base64_of(layer: &Descriptor) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let text = layer.annotations.get(SIGNATURE).filter(|_| layer.media_type == DOCUMENT)?;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
