//! A file's content as a policy gives it: pieces, of which some are only names of secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// The pieces of a file's content, in order. Equal contents without secrets are equal lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content(Vec<Part>);

/// A piece of a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Text(String),
    /// What is not UTF-8; in base64 when written down.
    Bytes(#[serde(with = "encoded")] Vec<u8>),
    /// The name of a secret. Its value is never here.
    Secret(String),
}

impl Content {
    /// Joins pieces that can be one.
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.pop(), part) {
                (None, part) => joined.push(part),
                (Some(secret @ Part::Secret(_)), part) => joined.extend([secret, part]),
                (Some(before), secret @ Part::Secret(_)) => joined.extend([before, secret]),
                (Some(before), part) => joined.push(Part::Bytes([before.into_bytes(), part.into_bytes()].concat())),
            }
        }
        Self(joined.into_iter().map(Part::normalised).filter(|part| !part.is_empty()).collect())
    }

    /// The pieces.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Whether a secret is part of it.
    pub fn has_secret(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Secret(_)))
    }

    /// The whole, when it is text and no secret is part of it.
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The bytes, with the secrets of this run in place.
    ///
    /// # Errors
    /// The name of a secret that did not come with this run.
    pub fn resolve(&self, machine: &Machine) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Part::Bytes(part) => bytes.extend_from_slice(part),
                Part::Secret(name) => {
                    let secret = machine.secret(name).ok_or_else(|| name.clone())?;
                    bytes.extend_from_slice(secret.reveal().as_bytes());
                }
            }
        }
        Ok(bytes)
    }
}

impl Part {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
            Self::Secret(_) => Vec::new(),
        }
    }

    fn normalised(self) -> Self {
        match self {
            Self::Bytes(bytes) => {
                String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
            }
            other => other,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

mod encoded {
    use super::{Engine, STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_contents_are_equal_lists() {
        let text = |text: &str| Part::Text(text.to_owned());
        let split = Content::new([text("a"), Part::Bytes(b"b".to_vec()), text(""), text("c")]);
        assert_eq!(split, Content::new([text("abc")]));
        // Half of a character is not text, both halves are.
        let halves = Content::new([Part::Bytes(vec![0xc3]), Part::Bytes(vec![0xa4])]);
        assert_eq!(halves, Content::new([text("ä")]));
        let secret = Content::new([text("a"), text("b"), Part::Secret("s".to_owned()), text("c")]);
        assert_eq!(secret.parts(), [text("ab"), Part::Secret("s".to_owned()), text("c")]);
        assert_eq!(Content::new([text("")]).text(), Some(""));
    }
}
