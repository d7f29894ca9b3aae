//! `[follow]`: the git remote that this server follows, who may change what it declares, and what is applied without a
//! person.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use serde::Deserialize;

use super::Name;
use crate::capability;
use crate::policy::duration;

/// `[follow]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Follow {
    pub remote: Remote,
    #[serde(default)]
    pub branch: Branch,
    /// The public keys, as in `id_ed25519.pub`, by which a commit must be signed.
    pub signed_by: SignedBy,
    /// Whom it is applied to; `None`: all hosts of the repo.
    #[serde(default)]
    pub hosts: Option<BTreeSet<Name>>,
    /// The capabilities whose steps need no person.
    #[serde(default)]
    pub apply: Unasked,
    /// How often the remote is asked.
    #[serde(default = "minute", with = "duration")]
    pub every: Duration,
    /// How often hosts are compared with what was applied.
    #[serde(default = "hour", with = "duration")]
    pub drift_every: Duration,
}

/// What git(1) fetches from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Remote(String);

/// The name of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Branch(String);

/// At least one public key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct SignedBy(Vec<String>);

/// The capabilities whose steps are done unasked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Unasked(BTreeSet<String>);

/// `[follow]` cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotToFollow {
    #[error("a remote is https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or an absolute path")]
    Remote,
    #[error("a password would be in the repo for everybody to read: use a deploy key, or a credential helper of git")]
    Password,
    #[error("{0:?} is not the name of a branch")]
    Branch(String),
    #[error("without a key anybody who can push could change the server: name at least one")]
    NoKeys,
    #[error("{0:?} is not a public key of OpenSSH, as in ~/.ssh/id_ed25519.pub")]
    Key(String),
    #[error("there is no capability {0}")]
    Capability(String),
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

fn hour() -> Duration {
    Duration::from_secs(60 * 60)
}

impl TryFrom<String> for Remote {
    type Error = NotToFollow;

    fn try_from(text: String) -> Result<Self, NotToFollow> {
        let plain = !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let by_url = text.split_once("://").filter(|(scheme, _)| ["https", "ssh"].contains(scheme));
        // `ext::` and other helpers of git run commands.
        let by_scp = text.split_once(':').is_some_and(|(host, path)| host.contains('@') && !path.starts_with(':'));
        if !plain || by_url.is_none() && !by_scp && !text.starts_with('/') {
            return Err(NotToFollow::Remote);
        }
        let user = by_url.and_then(|(_, rest)| rest.split('/').next()?.split_once('@')).map(|(user, _)| user);
        if user.is_some_and(|user| user.contains(':')) {
            return Err(NotToFollow::Password);
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for Branch {
    type Error = NotToFollow;

    /// What git-check-ref-format(1) allows, without what only looks like one.
    fn try_from(text: String) -> Result<Self, NotToFollow> {
        let part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock");
        let plain = |c: char| c.is_alphanumeric() || "._-/+".contains(c);
        match text.split('/').all(part) && text.chars().all(plain) && !text.contains("..") && !text.ends_with('.') {
            true => Ok(Self(text)),
            false => Err(NotToFollow::Branch(text)),
        }
    }
}

impl TryFrom<Vec<String>> for SignedBy {
    type Error = NotToFollow;

    fn try_from(keys: Vec<String>) -> Result<Self, NotToFollow> {
        match keys.iter().find(|key| !is_key(key)) {
            Some(wrong) => Err(NotToFollow::Key(wrong.clone())),
            None if keys.is_empty() => Err(NotToFollow::NoKeys),
            None => Ok(Self(keys)),
        }
    }
}

impl TryFrom<Vec<String>> for Unasked {
    type Error = NotToFollow;

    fn try_from(names: Vec<String>) -> Result<Self, NotToFollow> {
        match names.iter().find(|name| capability::by_name(name).is_none()) {
            Some(unknown) => Err(NotToFollow::Capability(unknown.clone())),
            None => Ok(Self(names.into_iter().collect())),
        }
    }
}

impl Default for Branch {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl Remote {
    /// As git takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Branch {
    /// As git takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SignedBy {
    /// The keys, each one line.
    pub fn keys(&self) -> &[String] {
        &self.0
    }
}

impl Unasked {
    /// Whether the steps of a capability are.
    pub fn covers(&self, capability: &str) -> bool {
        self.0.contains(capability)
    }
}

/// A line of `authorized_keys` without options: the type, which the key itself begins with, and the key.
fn is_key(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let (Some(kind), Some(key)) = (words.next(), words.next()) else { return false };
    let key = base64::prelude::BASE64_STANDARD.decode(key).unwrap_or_default();
    let named = key.split_first_chunk().map(|(length, rest)| (u32::from_be_bytes(*length), rest));
    let names = |(length, rest): (u32, &[u8])| length as usize == kind.len() && rest.starts_with(kind.as_bytes());
    !line.contains(['\n', '\r']) && named.is_some_and(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(text: &str) -> Result<Remote, NotToFollow> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_remote_runs_no_command_and_shows_no_password() {
        for good in ["https://git.example.org/team/infra.git", "ssh://git@host:22/x", "git@host:team/x", "/srv/x.git"] {
            assert!(remote(good).is_ok(), "{good}");
        }
        for wrong in ["ext::sh -c id", "git@host::x", "--upload-pack=id", "file:///x", "http://host/x", "x", "https:x"]
        {
            assert_eq!(remote(wrong), Err(NotToFollow::Remote), "{wrong}");
        }
        assert_eq!(remote("https://me:secret@host/x"), Err(NotToFollow::Password));
    }

    #[test]
    fn a_branch_is_a_name() {
        let branch = |text: &str| Branch::try_from(text.to_owned()).is_ok();
        assert!(branch("main") && branch("release/1.2"));
        assert!(["", "-x", "a..b", "a b", "a:b", "x.lock", "a//b", "^x"].iter().all(|text| !branch(text)));
    }

    #[test]
    fn nobody_is_let_in_by_an_empty_list() {
        assert_eq!(SignedBy::try_from(Vec::new()), Err(NotToFollow::NoKeys));
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl alice";
        assert!(SignedBy::try_from(vec![key.to_owned()]).is_ok());
        for wrong in ["ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA", "cert-authority ssh-ed25519 AAAA", ""] {
            assert!(matches!(SignedBy::try_from(vec![wrong.to_owned()]), Err(NotToFollow::Key(_))), "{wrong}");
        }
        assert!(matches!(Unasked::try_from(vec!["everything".to_owned()]), Err(NotToFollow::Capability(_))));
    }
}
