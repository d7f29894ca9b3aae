//! `HOST/REPOSITORY:TAG@sha256:DIGEST`, as OCI tools write it, with less left unsaid: the host is always there, and so
//! is a tag or a digest. Docker's own defaults (its hub, `latest`) would be surprises where a server is declared.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What stands before a reference where it could be taken for a path, as Helm and others have it.
pub const SCHEME: &str = "oci://";
const ALGORITHM: &str = "sha256:";
/// The registry of an image that names none.
pub(crate) const HUB: &str = "docker.io";

/// A name for something in a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(Arc<Parts>);

/// What it consists of; errors carry references, which are small so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parts {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// The text is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:DIGEST: {reason}")]
pub struct NotAReference {
    text: String,
    reason: &'static str,
}

/// A digest as registries write it: `sha256:` and 64 digits.
pub fn with_algorithm(digest: &Digest) -> String {
    format!("{ALGORITHM}{digest}")
}

impl Reference {
    /// An image as compose files name it: without a registry it is in Docker's hub. `None` when it has no tag, and so means
    /// whatever is the latest.
    ///
    /// # Errors
    /// When it is no name of an image.
    pub fn of_image(text: &str) -> Result<Option<Self>, NotAReference> {
        let (host, path) = text.split_once('/').filter(|(host, _)| is_host(host)).unwrap_or((HUB, text));
        let library = if host == HUB && !path.contains('/') { "library/" } else { "" };
        if !path.contains([':', '@']) {
            return Ok(None);
        }
        format!("{host}/{library}{path}").parse().map(Some)
    }

    /// `registry.example.com:5000`.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// `team/baseline`.
    pub fn repository(&self) -> &str {
        &self.0.repository
    }

    pub fn tag(&self) -> Option<&str> {
        self.0.tag.as_deref()
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.0.digest.as_ref()
    }

    /// The host and the repository, which a signature is about.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host(), self.repository())
    }

    /// The same repository at this digest.
    #[must_use]
    pub fn at(&self, digest: &Digest) -> Self {
        Self(Arc::new(Parts { digest: Some(digest.clone()), tag: None, ..Parts::clone(&self.0) }))
    }

    /// The same repository at another tag.
    #[must_use]
    pub fn tagged(&self, tag: String) -> Self {
        Self(Arc::new(Parts { tag: Some(tag), digest: None, ..Parts::clone(&self.0) }))
    }

    /// What a registry is asked for: the digest, else the tag.
    pub fn wanted(&self) -> String {
        self.digest().map(with_algorithm).or_else(|| self.0.tag.clone()).unwrap_or_default()
    }
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let wrong = |reason| NotAReference { text: text.to_owned(), reason };
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(parse_digest(digest).ok_or_else(|| wrong("its digest is wrong"))?)),
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| wrong("it names no registry"))?;
        if !is_host(host) {
            return Err(wrong("it does not begin with the name of a registry, which has a dot or a port"));
        }
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) if is_tag(tag) => (repository, Some(tag.to_owned())),
            Some(_) => return Err(wrong("its tag is wrong")),
            None => (path, None),
        };
        if repository.len() > 255 || !repository.split('/').all(is_part) {
            return Err(wrong("a repository is lower-case letters, digits and single . _ - between them"));
        }
        if tag.is_none() && digest.is_none() {
            return Err(wrong("it has neither a tag nor a digest"));
        }
        let (host, repository) = (host.to_owned(), repository.to_owned());
        Ok(Self(Arc::new(Parts { host, repository, tag, digest })))
    }
}

/// Reads `sha256:` and 64 digits.
pub(crate) fn parse_digest(text: &str) -> Option<Digest> {
    let digits = text.strip_prefix(ALGORITHM)?;
    let good = digits.len() == 64 && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    good.then(|| Digest::from_hex(digits.to_owned()))
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let ends = |c: char| c.is_ascii_alphanumeric();
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let is_registry = name == "localhost" || name.contains('.') || port.is_some();
    good && name.starts_with(ends) && name.ends_with(ends) && port_is_good && is_registry
}

fn is_tag(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.len() <= 128 && !text.starts_with(['.', '-']) && !text.is_empty() && text.chars().all(good)
}

fn is_part(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = |c: char| ends(c) || matches!(c, '.' | '_' | '-');
    text.starts_with(ends) && text.ends_with(ends) && text.chars().all(good) && !text.contains("..")
}

impl TryFrom<String> for Reference {
    type Error = NotAReference;

    fn try_from(text: String) -> Result<Self, NotAReference> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        format!("{SCHEME}{reference}")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        self.tag().iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest().iter().try_for_each(|digest| write!(f, "@{}", with_algorithm(digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_written() -> anyhow::Result<()> {
        let digest = "0123456789abcdef".repeat(4);
        for text in [
            "registry.example.com/team/base-line:1.2.0".to_owned(),
            "localhost/x:a".to_owned(),
            format!("registry:5000/a/b/c_d@sha256:{digest}"),
            format!("ghcr.io/a/b:v1@sha256:{digest}"),
        ] {
            assert_eq!(text.parse::<Reference>()?.to_string(), text);
            assert_eq!(String::from(format!("oci://{text}").parse::<Reference>()?), format!("oci://{text}"));
        }
        let both: Reference = format!("ghcr.io/a/b:v1@sha256:{digest}").parse()?;
        assert_eq!(both.wanted(), format!("sha256:{digest}"));
        assert_eq!(both.name(), "ghcr.io/a/b");
        Ok(())
    }

    #[test]
    fn images_are_in_the_hub_where_they_name_no_registry() -> anyhow::Result<()> {
        let name = |text| Reference::of_image(text).map(|found| found.map(|reference| reference.to_string()));
        for (text, expected) in [
            ("redis:8", Some("docker.io/library/redis:8")),
            ("prom/prometheus:v3.5.0", Some("docker.io/prom/prometheus:v3.5.0")),
            ("docker.io/redis:8", Some("docker.io/library/redis:8")),
            ("localhost:5000/redis:8", Some("localhost:5000/redis:8")),
            ("registry.example.com/team/shop:1", Some("registry.example.com/team/shop:1")),
            ("redis", None),
            ("registry.example.com:5000/shop", None),
        ] {
            assert_eq!(name(text)?.as_deref(), expected, "{text}");
        }
        assert!(name("Redis:8").is_err());
        Ok(())
    }

    #[test]
    fn what_is_none_is_told_why() {
        for (text, reason) in [
            ("baseline:1", "no registry"),
            ("team/baseline:1", "does not begin with"),
            ("ghcr.io/a/b", "neither a tag nor"),
            ("ghcr.io/a/B:1", "lower-case"),
            ("ghcr.io/a//b:1", "lower-case"),
            ("ghcr.io/../b:1", "lower-case"),
            ("ghcr.io/a/b:", "tag is wrong"),
            ("ghcr.io/a/b:1@sha256:12", "digest is wrong"),
            ("ghcr.io/a/b@sha512:12", "digest is wrong"),
            ("me:secret@ghcr.io/a/b:1", "digest is wrong"),
            ("ghcr.io:port/a:1", "does not begin with"),
        ] {
            let error = text.parse::<Reference>().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
