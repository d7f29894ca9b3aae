//! Which commit is released: its version, its time and who made it. All that is made says these, and no clock.

use std::path::Path;
use std::process::Command;

use crate::{ReleaseError, output};

/// A commit of stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    /// Seconds since 1970, for `SOURCE_DATE_EPOCH`.
    pub time: u64,
    /// The same as `2026-11-27T01:19:26Z`.
    pub when: String,
    /// The same as RFC 5322 has it.
    pub mail_date: String,
    /// `NAME <ADDRESS>`.
    pub by: String,
    /// That of `Cargo.toml`.
    pub version: String,
    /// Whether this commit has the tag `vVERSION`.
    pub is_tagged: bool,
}

impl Commit {
    /// The commit that `source` is at.
    ///
    /// # Errors
    /// When it is at none, or something in it has changed, unless `dirty`.
    pub fn of(source: &Path, dirty: bool) -> Result<Self, ReleaseError> {
        let git =
            |arguments: &[&str]| output(Command::new("git").env("TZ", "UTC").arg("-C").arg(source).args(arguments));
        let changed = git(&["status", "--porcelain"])?;
        if !dirty && !changed.is_empty() {
            return Err(ReleaseError::Dirty { changed });
        }
        let said =
            git(&["log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H%n%ct%n%cd%n%cD%n%cn <%ce>"])?;
        let mut lines = said.lines();
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (id, time) = (next(), next().parse().unwrap_or_default());
        let (when, mail_date, by) = (next(), next(), next());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let tags = git(&["tag", "--points-at", "HEAD"])?;
        let is_tagged = tags.lines().any(|tag| tag == format!("v{version}"));
        Ok(Self { id, time, when, mail_date, by, version, is_tagged })
    }

    /// As Debian orders them: what comes before the release of this version is older than it.
    pub fn debian_version(&self) -> String {
        let id = self.id.get(..8).unwrap_or(&self.id);
        // A version with a hyphen would end where its revision begins.
        let version = self.version.replacen('-', "~", 1);
        let day = self.when.get(..10).unwrap_or_default().replace('-', "");
        if self.is_tagged { format!("{version}-1") } else { format!("{version}~git{day}.{id}-1") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(version: &str, is_tagged: bool) -> Commit {
        let id = "0123456789abcdef".to_owned();
        let when = "2026-11-27T01:19:26Z".to_owned();
        Commit {
            id,
            time: 0,
            when,
            mail_date: String::new(),
            by: String::new(),
            version: version.to_owned(),
            is_tagged,
        }
    }

    /// dpkg(1) itself says which is newer.
    fn is_older(one: &str, other: &str) -> anyhow::Result<bool> {
        Ok(Command::new("dpkg").args(["--compare-versions", one, "lt", other]).status()?.success())
    }

    #[test]
    fn versions_are_in_order() -> anyhow::Result<()> {
        let before = commit("0.2.0", false).debian_version();
        assert_eq!(before, "0.2.0~git20261127.01234567-1");
        let order = ["0.1.0-1", &commit("0.2.0-rc.1", true).debian_version(), "0.2.0-1", "0.2.1-1"];
        for pair in order.windows(2) {
            assert!(is_older(pair[0], pair[1])?, "{pair:?}");
        }
        assert!(is_older("0.1.0-1", &before)? && is_older(&before, "0.2.0-1")?);
        Ok(())
    }
}
