//! A component as an OCI artifact, in the layout of CNCF TAG Runtime ("Wasm OCI Artifact layout"), which wkg and others
//! read and write: one layer `application/wasm`, and a config that tells what it imports and exports.
//!
//! Equal components give equal manifests: no clock, no tag and no machine is in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::with_algorithm;
use crate::digest::Digest;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
/// By which tools name the file that they write.
const TITLE: &str = "org.opencontainers.image.title";

/// A manifest of the OCI image specification; what it says beyond this is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

/// Names a content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    /// `sha256:…`.
    pub digest: String,
    pub size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What is pushed for a component or a WIT package.
#[derive(Clone, Debug)]
pub struct Packed {
    pub config: Vec<u8>,
    pub manifest: Manifest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    author: Option<&'a str>,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [String; 1],
    component: Component<'a>,
}

#[derive(Serialize)]
struct Component<'a> {
    exports: &'a [String],
    imports: &'a [String],
    target: Option<&'a str>,
}

impl Descriptor {
    /// Names this content.
    pub fn of(media_type: &str, content: &[u8]) -> Self {
        let digest = with_algorithm(&Digest::public(content));
        let size = content.len() as u64;
        Self { media_type: media_type.to_owned(), digest, size, annotations: BTreeMap::new() }
    }

    /// Whether it names this content.
    pub fn is_of(&self, content: &[u8]) -> bool {
        self.digest == with_algorithm(&Digest::public(content))
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Kind {
            #[serde(rename = "mediaType")]
            media_type: Option<String>,
        }
        let kind: Kind = serde_json::from_slice(bytes).map_err(|error| format!("its manifest is no JSON: {error}"))?;
        if kind.media_type.is_some_and(|kind| INDEXES.contains(&kind.as_str())) {
            return Err("it is an index of images for several platforms".to_owned());
        }
        serde_json::from_slice(bytes).map_err(|error| format!("its manifest cannot be read: {error}"))
    }

    /// The bytes that are pushed.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The one layer that is the component.
    ///
    /// # Errors
    /// Why there is none.
    pub fn component(&self) -> Result<&Descriptor, String> {
        if self.config.media_type != CONFIG {
            return Err(format!("its config is {}, and that of a component is {CONFIG}", self.config.media_type));
        }
        match self.layers.as_slice() {
            [layer] if layer.media_type == LAYER => Ok(layer),
            [layer] => Err(format!("its layer is {}, and that of a component is {LAYER}", layer.media_type)),
            layers => Err(format!("it has {} layers, and a component has one", layers.len())),
        }
    }
}

impl Packed {
    /// Packs a component, or a WIT package in its binary form. `title` is its name in tools that write it to a file.
    pub fn new(wasm: &[u8], title: &str, imports: &[String], exports: &[String]) -> Self {
        let mut layer = Descriptor::of(LAYER, wasm);
        let config = Config {
            created: "1970-01-01T00:00:00Z",
            author: None,
            architecture: "wasm",
            os: "wasip2",
            layer_digests: [layer.digest.clone()],
            component: Component { exports, imports, target: None },
        };
        layer.annotations.insert(TITLE.to_owned(), format!("{title}.wasm"));
        // Texts and lists of texts always have a JSON form.
        let config = serde_json::to_vec(&config).unwrap_or_default();
        let media_type = Some(MANIFEST.to_owned());
        let manifest =
            Manifest { schema_version: 2, media_type, config: Descriptor::of(CONFIG, &config), layers: vec![layer] };
        Self { config, manifest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_packed_as_others_read_it() -> Result<(), String> {
        let packed = Packed::new(b"\0asm", "web", &["a:b/c@1.0.0".to_owned()], &[]);
        let config = String::from_utf8_lossy(&packed.config);
        assert_eq!(
            config,
            "{\"created\":\"1970-01-01T00:00:00Z\",\"author\":null,\"architecture\":\"wasm\",\"os\":\"wasip2\",\"layerDigests\":[\"sha256:\
             cd5d4935a48c0672cb06407bb443bc0087aff947c6b864bac886982c73b3027f\"],\"component\":{\"exports\":[],\"imports\":[\"a:b/c@1.0.0\"],\
             \"target\":null}}"
        );
        let manifest = Manifest::parse(&packed.manifest.bytes())?;
        assert_eq!(manifest, packed.manifest);
        assert!(manifest.component()?.is_of(b"\0asm") && !manifest.component()?.is_of(b"\0as"));
        Ok(())
    }

    #[test]
    fn what_is_no_component_is_told_why() -> Result<(), String> {
        let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        let error = |bytes: &[u8]| Manifest::parse(bytes).err().unwrap_or_default();
        assert!(error(index).contains("several platforms"));
        assert!(error(b"<html>").contains("no JSON"));
        assert!(error(b"{}").contains("cannot be read"));
        let good = Packed::new(b"\0asm", "web", &[], &[]).manifest;
        let none = |manifest: &Manifest| manifest.component().err().unwrap_or_default();
        let image = Descriptor::of("application/vnd.oci.image.config.v1+json", b"{}");
        assert!(none(&Manifest { config: image.clone(), ..good.clone() }).contains("its config is"));
        assert!(none(&Manifest { layers: vec![image], ..good.clone() }).contains("its layer is"));
        assert!(none(&Manifest { layers: Vec::new(), ..good }).contains("0 layers"));
        Ok(())
    }
}
