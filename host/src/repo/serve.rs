//! `[serve]`: what `stead serve` is to the outside, and who may ask it for what.
//!
//! No token lies in the repo: only its digest, or the name of a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

use super::Name;
use crate::grant::Patterns;

mod sso;

pub use sso::{CALLBACK, Sso};

/// `[serve]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    #[serde(default)]
    pub listen: Listen,
    #[serde(default, rename = "token")]
    pub tokens: BTreeMap<Name, Token>,
    pub sso: Option<Sso>,
}

/// Where the API listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// `127.0.0.1:8383`.
    Tcp(SocketAddr),
    /// `unix:/run/stead/api.sock`.
    Unix(PathBuf),
}

/// `[serve.token.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TokenTable")]
pub struct Token {
    pub proof: Proof,
    pub access: Access,
}

/// What a token or a person may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AccessTable")]
pub struct Access {
    pub scopes: BTreeSet<Scope>,
    /// The jobs that may be touched, by the names of their policies; none: no job.
    pub jobs: Option<Patterns>,
}

/// By what a token is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The SHA-256 of it.
    Digest([u8; 32]),
    /// The secret that it is.
    Secret(Name),
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// See jobs, their logs and their artifacts.
    Read,
    Submit,
    Cancel,
    Retry,
    /// See the machines of jobs.
    Machines,
    /// Scrape the metrics, which tell of all jobs.
    Metrics,
    /// See on the page what `stead follow` saw of all hosts.
    Hosts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenTable {
    digest: Option<String>,
    secret: Option<Name>,
    scopes: BTreeSet<Scope>,
    jobs: Option<Patterns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessTable {
    scopes: BTreeSet<Scope>,
    jobs: Option<Patterns>,
}

/// Not a place to listen at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither ADDRESS:PORT nor unix:/PATH")]
pub struct NotAPlace(String);

/// The table of a token or of a person contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    #[error("a token has either digest = \"sha256:…\" or secret = \"NAME\"")]
    Proof,
    #[error("a digest is sha256: and 64 hexadecimal digits: `stead token` makes a token and its digest")]
    Digest,
    #[error("without scopes nothing may be done: take the table away instead")]
    NoScopes,
    #[error("whoever has these scopes needs jobs = [\"POLICY\"]")]
    NoJobs,
}

impl Default for Listen {
    fn default() -> Self {
        Self::Tcp(SocketAddr::from(([127, 0, 0, 1], 8383)))
    }
}

impl FromStr for Listen {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let wrong = || NotAPlace(text.to_owned());
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(PathBuf::from(path))),
            Some(_) => Err(wrong()),
            None => text.parse().map(Self::Tcp).map_err(|_| wrong()),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = NotAPlace;

    fn try_from(text: String) -> Result<Self, NotAPlace> {
        text.parse()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl TryFrom<TokenTable> for Token {
    type Error = NotAToken;

    fn try_from(table: TokenTable) -> Result<Self, NotAToken> {
        let proof = match (table.digest, table.secret) {
            (Some(digest), None) => Proof::Digest(sha256(&digest).ok_or(NotAToken::Digest)?),
            (None, Some(secret)) => Proof::Secret(secret),
            _ => return Err(NotAToken::Proof),
        };
        Ok(Self { proof, access: AccessTable { scopes: table.scopes, jobs: table.jobs }.try_into()? })
    }
}

impl TryFrom<AccessTable> for Access {
    type Error = NotAToken;

    fn try_from(AccessTable { scopes, jobs }: AccessTable) -> Result<Self, NotAToken> {
        if scopes.is_empty() {
            return Err(NotAToken::NoScopes);
        }
        if jobs.is_none() && scopes.iter().any(|scope| !matches!(scope, Scope::Metrics | Scope::Hosts)) {
            return Err(NotAToken::NoJobs);
        }
        Ok(Self { scopes, jobs })
    }
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text.strip_prefix("sha256:")?, &mut digest).ok()?;
    Some(digest)
}

impl Access {
    /// Whether this may be done with the jobs of this policy.
    pub fn covers(&self, scope: Scope, job: &str) -> bool {
        self.scopes.contains(&scope) && self.jobs.as_ref().is_some_and(|jobs| jobs.matches(job))
    }
}

impl Scope {
    /// The word for it in `stead.toml` and in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Machines => "machines",
            Self::Metrics => "metrics",
            Self::Hosts => "hosts",
        }
    }
}
