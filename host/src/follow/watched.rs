//! What is kept of each host for whoever only watches: `stead serve` shows it, and reaches no host itself.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::RecordError;
use crate::look::Look;
use crate::machine::{create_private_folder, replace};

/// No picture of a host is larger: whoever shows it reads no more.
const MOST: u64 = 16 << 20;

/// One host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watched {
    /// How it was when it was last seen.
    pub look: Option<Look>,
    /// When that was by our clock, in milliseconds since 1970.
    pub at: i64,
    /// Why it could not be seen since.
    pub unseen: Option<Unseen>,
    /// The plan that last waited for somebody, as text.
    pub waiting: Option<String>,
    /// What would have mended its drift when that was last looked for, as text.
    pub mending: Option<String>,
}

/// A host could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// Milliseconds since 1970.
    pub at: i64,
    pub why: String,
}

impl Watched {
    /// What was kept; nothing when there is nothing yet.
    ///
    /// # Errors
    /// When it cannot be read, or is too large.
    pub fn open(folder: &Path, host: &str) -> Result<Self, RecordError> {
        let path = path(folder, host);
        let read = || {
            let mut text = Vec::new();
            std::fs::File::open(&path)?.take(MOST + 1).read_to_end(&mut text)?;
            if text.len() as u64 > MOST {
                return Err(std::io::Error::new(ErrorKind::FileTooLarge, "it is too large"));
            }
            Ok(serde_json::from_slice(&text)?)
        };
        match read() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            read => read.map_err(|source| RecordError { path, source }),
        }
    }

    /// Changes what is kept. What cannot be read any more begins anew.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn change(folder: &Path, host: &str, change: impl FnOnce(&mut Self)) -> Result<(), RecordError> {
        let mut watched = Self::open(folder, host).unwrap_or_default();
        change(&mut watched);
        let path = path(folder, host);
        let keep = || {
            create_private_folder(&within(folder))?;
            replace(&path, &serde_json::to_vec(&watched)?, 0o600)
        };
        keep().map_err(|source| RecordError { path: path.clone(), source })
    }

    /// Forgets all hosts but these.
    pub fn retain(folder: &Path, is_known: impl Fn(&str) -> bool) {
        let Ok(entries) = std::fs::read_dir(within(folder)) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let host = name.to_str().and_then(|name| name.strip_suffix(".json"));
            if !host.is_some_and(&is_known) {
                // One that stays is shown to nobody.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

fn within(folder: &Path) -> PathBuf {
    folder.join("watched")
}

/// The name of a host is one of a table, which has no slash.
fn path(folder: &Path, host: &str) -> PathBuf {
    within(folder).join(format!("{host}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_by_host_and_forgotten_with_it() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |host: &str| Watched::open(folder.path(), host).map(|watched| watched.at);
        assert_eq!(at("web1")?, 0);
        for (host, at) in [("web1", 7), ("web2.example", 8)] {
            Watched::change(folder.path(), host, |watched| watched.at = at)?;
        }
        Watched::change(folder.path(), "web1", |watched| watched.waiting = Some("+ file /etc/motd".to_owned()))?;
        assert_eq!((at("web1")?, at("web2.example")?), (7, 8));
        Watched::retain(folder.path(), |host| host == "web1");
        assert_eq!((at("web1")?, at("web2.example")?), (7, 0));
        std::fs::write(path(folder.path(), "web1"), "{")?;
        assert!(at("web1").is_err());
        Watched::change(folder.path(), "web1", |watched| watched.at = 9)?;
        assert_eq!(at("web1")?, 9);
        Ok(())
    }
}
