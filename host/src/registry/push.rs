//! From a component to a registry: content first, then the manifest that names it, then the signature of that.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::RegistryError;
use super::pull::{DOCUMENT, SIGNATURE, signature_manifest};
use super::{Descriptor, Manifest, Packed, PrivateKey, Reference, Registry, Signature, signature, with_algorithm};
use crate::digest::Digest;

const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What a registry has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
}

/// Pushes a component or a WIT package under the reference's tag, and its signature when there is a key.
///
/// # Errors
/// When the registry does not take it.
pub async fn push(
    registry: &Registry,
    reference: &Reference,
    wasm: Vec<u8>,
    packed: Packed,
    key: Option<&PrivateKey>,
) -> Result<Pushed, RegistryError> {
    if reference.digest().is_some() {
        return Err(RegistryError::PushToDigest(reference.clone()));
    }
    let manifest = packed.manifest.bytes();
    let digest = Digest::public(&manifest);
    registry.push_blob(reference, wasm).await?;
    registry.push_blob(reference, packed.config).await?;
    // The signature before the tag: nobody then pulls what is not signed yet. Signatures are found by a tag of their own.
    if let Some(key) = key {
        sign(registry, reference, &digest, key).await?;
    }
    registry.push_manifest(reference, manifest).await?;
    Ok(Pushed { digest })
}

/// Adds a signature to those that are there.
async fn sign(
    registry: &Registry,
    reference: &Reference,
    digest: &Digest,
    key: &PrivateKey,
) -> Result<(), RegistryError> {
    let Signature { payload, signature: bytes } = Signature::new(key, &reference.name(), digest);
    let beside = reference.tagged(signature::tag(digest));
    let mut layers =
        signature_manifest(registry, reference, digest).await?.map(|found| found.layers).unwrap_or_default();
    layers.retain(|layer| layer.media_type == DOCUMENT);
    let mut layer = Descriptor::of(DOCUMENT, &payload.0);
    layer.annotations = BTreeMap::from([(SIGNATURE.to_owned(), STANDARD.encode(&bytes.0))]);
    if !layers.contains(&layer) {
        layers.push(layer);
    }
    let config = config(&layers);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(super::artifact::MANIFEST.to_owned()),
        config: Descriptor::of(IMAGE_CONFIG, &config),
        layers,
    };
    registry.push_blob(&beside, payload.0).await?;
    registry.push_blob(&beside, config).await?;
    registry.push_manifest(&beside, manifest.bytes()).await
}

/// The config that cosign gives to an image of signatures.
fn config(layers: &[Descriptor]) -> Vec<u8> {
    let ids: Vec<&str> = layers.iter().map(|layer| layer.digest.as_str()).collect();
    let none = "0001-01-01T00:00:00Z";
    let config = serde_json::json!({
        "architecture": "", "created": none, "history": [{ "created": none }], "os": "",
        "rootfs": { "type": "layers", "diff_ids": ids }, "config": {},
    });
    serde_json::to_vec(&config).unwrap_or_default()
}

impl std::fmt::Display for Pushed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&with_algorithm(&self.digest))
    }
}
