//! An absolute path that says where it leads: no `.`, no `..`, no doubled slash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An absolute, normalised pathname below `/`. A parent sorts before what is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pathname(String);

/// Why a text is not a [`Pathname`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} {reason}")]
pub struct NotAPathname {
    path: String,
    reason: &'static str,
}

impl Pathname {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that it is in; `None` when that is `/`.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        (!parent.is_empty()).then(|| Self(parent.to_owned()))
    }

    /// All directories above it but `/`, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// Its last component.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// What is called `name` in it.
    pub fn child(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    /// Whether it is `folder` or below it.
    pub fn is_within(&self, folder: &str) -> bool {
        self.0.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The components of the directory that it is in, the last one first.
    pub(super) fn parent_components(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit('/').skip(1).filter(|component| !component.is_empty())
    }
}

impl FromStr for Pathname {
    type Err = NotAPathname;

    fn from_str(path: &str) -> Result<Self, NotAPathname> {
        let wrong = |reason| Err(NotAPathname { path: path.to_owned(), reason });
        let Some(relative) = path.strip_prefix('/') else { return wrong("is not absolute") };
        if path.chars().any(char::is_control) {
            return wrong("holds a control character");
        }
        if path.len() >= 4096 || path.split('/').any(|component| component.len() > 255) {
            return wrong("is longer than PATH_MAX or NAME_MAX");
        }
        if relative.split('/').any(|component| matches!(component, "" | "." | "..")) {
            return wrong("is not normalised: it has an empty component, `.` or `..`");
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for Pathname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Pathname> for String {
    fn from(path: Pathname) -> Self {
        path.0
    }
}

impl TryFrom<String> for Pathname {
    type Error = NotAPathname;

    fn try_from(path: String) -> Result<Self, NotAPathname> {
        path.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normalised_absolute_paths_are_pathnames() {
        for good in ["/a", "/etc/ssh/sshd_config", "/a/..b/.c", "/with space"] {
            assert!(good.parse::<Pathname>().is_ok(), "{good}");
        }
        for bad in ["", "/", "a", "a/b", "/a/", "//a", "/a//b", "/a/./b", "/a/../b", "/..", "/a\0b", "/a\nb"] {
            assert!(bad.parse::<Pathname>().is_err(), "{bad:?}");
        }
        assert!(format!("/{}", "a".repeat(256)).parse::<Pathname>().is_err());
    }

    #[test]
    fn knows_what_is_within() -> anyhow::Result<()> {
        let path: Pathname = "/proc/sys".parse()?;
        assert!(path.is_within("/proc") && path.is_within("/proc/sys"));
        assert!(!path.is_within("/pro") && !path.is_within("/proc/sys/vm"));
        assert_eq!(path.parent(), Some("/proc".parse()?));
        assert_eq!("/proc".parse::<Pathname>()?.parent(), None);
        Ok(())
    }
}
