//! Where backups go, when they are made, and how many are kept.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::NotABackup;

/// A repository, in the words of restic(1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(String);

/// When, as systemd.time(7) writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Calendar(String);

/// A variable of restic's environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Variable(String);

/// How many snapshots are kept; nothing: all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hourly: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekly: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yearly: Option<NonZeroU32>,
}

const KINDS: [&str; 8] = ["sftp", "rest", "s3", "b2", "azure", "gs", "swift", "rclone"];
/// What stead sets, and what would make it another repository.
const OWN: [&str; 7] = [
    "RESTIC_REPOSITORY",
    "RESTIC_REPOSITORY_FILE",
    "RESTIC_PASSWORD",
    "RESTIC_PASSWORD_FILE",
    "RESTIC_PASSWORD_COMMAND",
    "RESTIC_CACHE_DIR",
    "PATH",
];

impl Repository {
    /// As restic takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder of this machine that it is.
    pub fn folder(&self) -> Option<&str> {
        self.0.starts_with('/').then_some(self.0.as_str())
    }
}

impl Calendar {
    /// As systemd takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Variable {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Keep {
    /// The options of restic-forget(1).
    pub fn options(&self) -> Vec<String> {
        let counts = self.counts().into_iter();
        counts.filter_map(|(word, count)| Some(format!("--keep-{word}={}", count?))).collect()
    }

    fn counts(&self) -> [(&'static str, Option<NonZeroU32>); 6] {
        [
            ("last", self.last),
            ("hourly", self.hourly),
            ("daily", self.daily),
            ("weekly", self.weekly),
            ("monthly", self.monthly),
            ("yearly", self.yearly),
        ]
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.counts().into_iter().filter_map(|(word, count)| Some(format!("{} {word}", count?)));
        let said: Vec<_> = said.collect();
        f.write_str(&if said.is_empty() { "all".to_owned() } else { said.join(", ") })
    }
}

impl TryFrom<String> for Repository {
    type Error = NotABackup;

    fn try_from(text: String) -> Result<Self, NotABackup> {
        let by_kind = text.split_once(':').filter(|(kind, rest)| KINDS.contains(kind) && !rest.is_empty());
        let is_path = text.parse::<crate::machine::inode::Pathname>().is_ok();
        let is_word = !text.contains(|c: char| c.is_control() || c.is_whitespace());
        let is_remote = is_word && by_kind.is_some();
        if !is_path && !is_remote {
            return Err(NotABackup::Repository(text));
        }
        // In the first part of an address, where a path may have both signs.
        let address = by_kind.map(|(_, rest)| rest.split_once("://").map_or(rest, |(_, rest)| rest));
        let user = address.and_then(|address| address.split('/').next()?.split_once('@')).map(|(user, _)| user);
        if user.is_some_and(|user| user.contains(':')) {
            return Err(NotABackup::Password);
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for Calendar {
    type Error = NotABackup;

    /// Only the characters: whether it is a time, systemd itself says when it is planned.
    fn try_from(text: String) -> Result<Self, NotABackup> {
        let good = |c: char| c.is_ascii_alphanumeric() || " :*-/,.~_+".contains(c);
        match !text.trim().is_empty() && !text.starts_with('-') && text.chars().all(good) {
            true => Ok(Self(text)),
            false => Err(NotABackup::Calendar(text)),
        }
    }
}

impl TryFrom<String> for Variable {
    type Error = NotABackup;

    fn try_from(name: String) -> Result<Self, NotABackup> {
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(NotABackup::Variable(name));
        }
        if OWN.contains(&name.as_str()) || name.starts_with("LD_") {
            return Err(NotABackup::OwnVariable(name));
        }
        Ok(Self(name))
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        repository.0
    }
}

impl From<Calendar> for String {
    fn from(calendar: Calendar) -> Self {
        calendar.0
    }
}

impl From<Variable> for String {
    fn from(variable: Variable) -> Self {
        variable.0
    }
}
