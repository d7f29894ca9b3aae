//! The bill of materials: what the program is made of, as CycloneDX 1.5 in JSON, for scanners of vulnerabilities and licences.

use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::spdx::SpdxExpression;
use cyclonedx_bom::external_models::uri::{Purl, Uri};
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::external_reference::{
    ExternalReference, ExternalReferenceType, ExternalReferences, Uri as Link,
};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::prelude::{Bom, DateTime, SpecVersion, UrnUuid, Validate};

use crate::linked::{Crate, Name};
use crate::{Commit, Linked, ReleaseError, Target};

const VERSION: SpecVersion = SpecVersion::V1_5;

/// The document about the program with this SHA-256.
///
/// # Errors
/// When a crate says something of itself that the format does not allow.
pub fn of(linked: &Linked, target: Target, commit: &Commit, sha256: &str) -> Result<String, ReleaseError> {
    let wrong = |error: &dyn std::fmt::Display| ReleaseError::Bill(error.to_string());
    let mut components = Vec::new();
    let mut root = None;
    for (name, known) in &linked.crates {
        let component = component(name, known)?;
        if *name == linked.root { root = Some(component) } else { components.push(component) }
    }
    let root = root.map(|root| Component {
        component_type: Classification::Application,
        hashes: Some(hashes(sha256)),
        properties: Some(Properties(vec![
            Property::new("stead:target", target.triple()),
            Property::new("stead:commit", &commit.id),
        ])),
        ..root
    });
    let edge = |(name, known): (&Name, &Crate)| Dependency {
        dependency_ref: reference(name),
        dependencies: known.depends_on.iter().map(reference).collect(),
    };
    let when = DateTime::try_from(commit.when.clone()).map_err(|error| wrong(&error))?;
    let bom = Bom {
        version: 1,
        // The document is about this file, and so is its name: the first half of the digest, as RFC 9562 writes version 8.
        serial_number: Some(UrnUuid::new(serial(sha256)).map_err(|error| wrong(&format!("{error:?}")))?),
        metadata: Some(Metadata { timestamp: Some(when), component: root, ..Metadata::default() }),
        components: Some(Components(components)),
        dependencies: Some(Dependencies(linked.crates.iter().map(edge).collect())),
        spec_version: VERSION,
        ..Bom::default()
    };
    let checked = bom.validate_version(VERSION);
    if checked.has_errors() {
        return Err(ReleaseError::Bill(format!("{checked:?}")));
    }
    let mut text = Vec::new();
    bom.output_as_json(&mut text, VERSION).map_err(|error| wrong(&error))?;
    text.push(b'\n');
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn component(name: &Name, known: &Crate) -> Result<Component, ReleaseError> {
    let purl = Purl::new("cargo", &name.name, &name.version).map_err(|error| ReleaseError::Bill(error.to_string()))?;
    let mut component = Component::new(Classification::Library, &name.name, &name.version, Some(reference(name)));
    component.purl = Some(purl);
    component.description = known.description.as_deref().map(NormalizedString::new);
    component.hashes = known.checksum.as_deref().map(hashes);
    component.licenses = known.licence.as_deref().map(licences).transpose()?;
    component.external_references = known.repository.as_deref().map(|repository| {
        let url = Link::Url(Uri::new(repository));
        let of =
            ExternalReference { external_reference_type: ExternalReferenceType::Vcs, url, comment: None, hashes: None };
        ExternalReferences(vec![of])
    });
    Ok(component)
}

/// `MIT/Apache-2.0` is how expressions were once written.
fn licences(text: &str) -> Result<Licenses, ReleaseError> {
    let expression =
        SpdxExpression::parse_lax(text.to_owned()).map_err(|error| ReleaseError::Bill(error.to_string()))?;
    Ok(Licenses(vec![LicenseChoice::Expression(expression)]))
}

fn hashes(sha256: &str) -> Hashes {
    Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(sha256.to_owned()) }])
}

fn reference(name: &Name) -> String {
    format!("pkg:cargo/{}@{}", name.name, name.version)
}

fn serial(sha256: &str) -> String {
    let digits = |from: usize, to: usize| sha256.get(from..to).unwrap_or_default();
    let parts = [digits(0, 8), digits(8, 12), digits(13, 16), digits(17, 20), digits(20, 32)];
    format!("urn:uuid:{}-{}-8{}-8{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4])
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_tells_what_is_in_the_program() -> Result<()> {
        let source = crate::workspace();
        let linked = Linked::read(&source, Target::here())?;
        let sum = "0123456789abcdef".repeat(4);
        let commit = Commit::of(&source, true)?;
        let text = of(&linked, Target::here(), &commit, &sum)?;
        assert_eq!(text, of(&linked, Target::here(), &commit, &sum)?);
        let bom: Value = serde_json::from_str(&text)?;
        assert_eq!((&bom["bomFormat"], &bom["specVersion"]), (&json!("CycloneDX"), &json!("1.5")));
        assert_eq!(bom["serialNumber"], "urn:uuid:01234567-89ab-8def-8123-456789abcdef");
        let root = &bom["metadata"]["component"];
        assert_eq!((&root["name"], &root["hashes"][0]["content"]), (&json!("stead"), &json!(sum)));
        let components = bom["components"].as_array().into_iter().flatten();
        let wasmtime: Vec<_> = components.filter(|component| component["name"] == "wasmtime").collect();
        let [wasmtime] = wasmtime[..] else { anyhow::bail!("{wasmtime:?}") };
        assert_eq!(wasmtime["licenses"], json!([{ "expression": "Apache-2.0 WITH LLVM-exception" }]));
        assert!(wasmtime["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/wasmtime@")));
        // Every reference leads to a component.
        let known: Vec<_> = bom["components"].as_array().into_iter().flatten().chain([root]).collect();
        let edges = bom["dependencies"].as_array().into_iter().flatten();
        for edge in edges {
            let all = edge["dependsOn"].as_array().into_iter().flatten().chain([&edge["ref"]]);
            assert!(all.into_iter().all(|name| known.iter().any(|component| component["bom-ref"] == *name)), "{edge}");
        }
        Ok(())
    }
}
