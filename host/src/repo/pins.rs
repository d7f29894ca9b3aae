//! `stead.lock`: what each reference to a registry was when it was pulled. A tag can be moved; what is written here is what
//! runs until somebody pulls with `--update` and commits what has changed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeTable;

use super::error::{Fault, Problem};
use super::{PINS_FILE, RepoError};
use crate::digest::Digest;
use crate::machine::replace;
use crate::registry::{Reference, parse_digest, with_algorithm};

const HEADER: &str = "# Written by `stead policy pull`, which replaces it as a whole. Keep it in git.\n";
const VERSION: u32 = 1;

/// What references are pinned to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<Reference, Pin>);

/// What a reference was when it was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// That of the component itself.
    pub component: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    #[serde(default)]
    component: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    source: Spanned<Reference>,
    manifest: Spanned<Pinned>,
    digest: Pinned,
}

/// `sha256:…`
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Pinned(Digest);

impl TryFrom<String> for Pinned {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse_digest(&text).map(Self).ok_or("a digest is sha256: and 64 hexadecimal digits")
    }
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    component: Vec<WrittenTable<'a>>,
}

#[derive(Serialize)]
struct WrittenTable<'a> {
    source: &'a Reference,
    manifest: String,
    digest: String,
}

impl Pins {
    /// Reads the text of a `stead.lock`.
    ///
    /// # Errors
    /// When it is wrong; the error has the place.
    pub(super) fn parse(text: &str) -> Result<Self, RepoError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        read(text).map_err(|fault| fault.place(PINS_FILE, text.to_owned()))
    }

    /// What the reference is pinned to.
    pub fn of(&self, reference: &Reference) -> Option<&Pin> {
        self.0.get(reference)
    }

    /// Pins a reference; what it was pinned to before.
    pub fn set(&mut self, reference: Reference, pin: Pin) -> Option<Pin> {
        self.0.insert(reference, pin)
    }

    /// Forgets the others.
    pub fn keep(&mut self, references: &[&Reference]) {
        self.0.retain(|reference, _| references.contains(&reference));
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let component = self.0.iter().map(|(source, pin)| {
            let (manifest, digest) = (with_algorithm(&pin.manifest), with_algorithm(&pin.component));
            WrittenTable { source, manifest, digest }
        });
        let written = Written { version: VERSION, component: component.collect() };
        // Numbers and texts always have a TOML form.
        format!("{HEADER}{}", toml::to_string(&written).unwrap_or_default())
    }

    /// Writes the file of the repo in `folder`, unless it says this already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), RepoError> {
        let path = folder.join(PINS_FILE);
        let text = self.text();
        if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
            return Ok(());
        }
        replace(&path, text.as_bytes(), 0o644).map_err(|source| RepoError::Write { path, source })
    }
}

fn read(text: &str) -> Result<Pins, Fault> {
    DeTable::parse(text).map_err(|error| Fault::syntax(&error))?;
    let file: File = toml::from_str(text)?;
    if *file.version.get_ref() != VERSION {
        let words = format!("this stead reads version {VERSION} of {PINS_FILE}; a newer stead has written it");
        return Err(Fault::new(file.version.span(), Problem::Value(words)));
    }
    let mut pins = Pins::default();
    for Table { source, manifest, digest } in file.component {
        let (at, said) = (source.span(), manifest.span());
        let (source, manifest) = (source.into_inner(), manifest.into_inner().0);
        if source.digest().is_some_and(|digest| *digest != manifest) {
            let words = "this is not the digest that the source names".to_owned();
            return Err(Fault::new(said, Problem::Value(words)));
        }
        if pins.set(source, Pin { manifest, component: digest.0 }).is_some() {
            return Err(Fault::new(at, Problem::Value("this source is pinned twice".to_owned())));
        }
    }
    Ok(pins)
}

#[cfg(test)]
mod tests;
