//! How reading a repo fails: what is wrong, where in `stead.toml`, and what was probably meant.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{FILE, MeshError, nearest};

/// The repo cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    #[error("there is no {FILE} in {start} or above it", start = start.display())]
    NotFound { start: PathBuf },
    #[error("cannot read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Invalid(Box<Invalid>),
    /// It has no place, for the line would be shown.
    #[error("the address of the queue has a password in it")]
    Password,
    #[error(transparent)]
    Mesh(#[from] MeshError),
    #[error("cannot write {path}: {source}", path = path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// Something in `stead.toml`, `vpn.toml` or `stead.lock` is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", .place.file)]
pub struct Invalid {
    pub place: Place,
    pub problem: Problem,
}

/// A place in a text that the operator wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The name of the file.
    pub file: String,
    /// All of its text.
    pub text: String,
    /// Offset and length in bytes.
    pub at: (usize, usize),
}

/// What is wrong with a `stead.toml` or a `vpn.toml`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("this is not TOML: {0}")]
    Syntax(String),
    #[error("there is no key `{key}` here")]
    UnknownKey { key: String, known: Vec<String> },
    #[error("the key `{0}` is missing")]
    MissingKey(String),
    #[error("the table `{table}` is empty")]
    EmptyTable { table: String },
    #[error("`{0}` must be a table")]
    NotATable(String),
    #[error("there is no capability `{name}`")]
    UnknownCapability { name: String, known: Vec<&'static str> },
    #[error("no policy is called `{name}`")]
    UnknownPolicy { name: String, known: Vec<String> },
    #[error("no host here is called `{name}`")]
    UnknownHost { name: String, known: Vec<String> },
    #[error("stead.toml has no [vpn.{name}]")]
    UnknownMesh { name: String, known: Vec<String> },
    #[error("policy `{name}` is not one of this host's policies, so this would configure nothing")]
    NotOfThisHost { name: String, known: Vec<String> },
    #[error("policy `{name}` is named twice")]
    Twice { name: String },
    #[error("a host needs at least one policy")]
    NoPolicies,
    #[error("policy `{name}` has {found}", found = if *both { "both `source` and `component`" } else { "neither `source` nor `component`" })]
    Origin { name: String, both: bool },
    #[error("{0}")]
    Value(String),
}

impl Problem {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax(_) => None,
            Self::UnknownKey { key, known } => Some(listed(key, "the keys are", known.iter().map(String::as_str))),
            Self::MissingKey(key) => Some(format!("add {key} = …")),
            Self::EmptyTable { table } if table.contains(".grant.") => {
                Some("an empty grant grants nothing: remove the line, or add what is granted".to_owned())
            }
            Self::EmptyTable { .. } => Some("an empty table says nothing: remove the line, or fill it".to_owned()),
            Self::NotATable(table) => Some(format!("write it as [{table}]")),
            Self::UnknownCapability { name, known } => {
                Some(listed(name, "the capabilities are", known.iter().copied()))
            }
            Self::UnknownPolicy { name, known } => {
                Some(listed(name, "the policies are", known.iter().map(String::as_str)))
            }
            Self::UnknownHost { name, known } => Some(listed(name, "the hosts are", known.iter().map(String::as_str))),
            Self::UnknownMesh { name, known } if known.is_empty() => {
                Some(format!("add [vpn.{name}] to stead.toml, or remove this table"))
            }
            Self::UnknownMesh { name, known } => Some(listed(name, "the meshes are", known.iter().map(String::as_str))),
            Self::NotOfThisHost { name, known } => {
                Some(listed(name, "this host's policies are", known.iter().map(String::as_str)))
            }
            Self::Twice { .. } => Some("name it once".to_owned()),
            Self::NoPolicies => Some("add policies = [\"NAME\"], or remove the host".to_owned()),
            Self::Origin { both: true, .. } => Some("keep the one that it comes from".to_owned()),
            Self::Origin { name, both: false } => Some(format!(
                "add source = \"policies/{name}\", source = \"oci://HOST/REPOSITORY:TAG\", or component = \"PATH.wasm\""
            )),
            Self::Value(_) => None,
        }
    }
}

/// `did you mean `file`?`, or all that there is.
fn listed<'a>(word: &str, all: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("{all} {}", known.map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// A problem and its place, before the text is at hand.
#[derive(Debug)]
pub(super) struct Fault {
    at: Option<Range<usize>>,
    problem: Problem,
}

impl Fault {
    pub(super) fn new(at: Range<usize>, problem: Problem) -> Self {
        Self { at: Some(at), problem }
    }

    pub(super) fn syntax(error: &toml::de::Error) -> Self {
        Self { at: error.span(), problem: Problem::Syntax(error.message().to_owned()) }
    }

    pub(super) fn place(self, file: &str, text: String) -> RepoError {
        let at = self.at.unwrap_or(0..0);
        let start = at.start.min(text.len());
        let place = Place { file: file.to_owned(), at: (start, at.end.min(text.len()).saturating_sub(start)), text };
        RepoError::Invalid(Box::new(Invalid { place, problem: self.problem }))
    }
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message();
        let problem = unknown_key(message).or_else(|| missing_key(message));
        // serde's words for what TOML calls otherwise.
        let said =
            || message.replace("expected a map", "expected a table").replace("expected a sequence", "expected a list");
        Self { at: error.span(), problem: problem.unwrap_or_else(|| Problem::Value(said())) }
    }
}

/// Reads serde's own words, which name the keys between back-ticks: "unknown field `a`, expected `b` or `c`".
fn unknown_key(message: &str) -> Option<Problem> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2).map(str::to_owned);
    Some(Problem::UnknownKey { key: quoted.next()?, known: quoted.collect() })
}

/// "missing field `a`".
fn missing_key(message: &str) -> Option<Problem> {
    let key = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(Problem::MissingKey(key.to_owned()))
}
