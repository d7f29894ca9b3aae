//! What lies at one path, and the only way in which stead changes it; see inode(7), path_resolution(7).
//!
//! A path is walked component by component from the machine's root, so that neither a symbolic link which a user of
//! the machine planted, nor an absolute one inside a temporary root, leads a write out of where it belongs. Whatever
//! is replaced is kept first, so every change can be taken back exactly. It never looks at a path twice: what it
//! opened is what it reads, and what it writes appears under its name in one rename(2).
//!
//! Not kept: extended attributes, access control lists, other hard links, times.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

mod accounts;
mod pathname;
mod read;
mod walk;
mod write;

pub use accounts::Accounts;
pub use pathname::{NotAPathname, Pathname};
pub use read::{Children, Look};

/// What lies at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inode {
    /// Nothing.
    #[default]
    Absent,
    /// A regular file with the content that the machine's key gives this digest.
    File {
        digest: Digest,
        #[serde(flatten)]
        attributes: Attributes,
    },
    Directory(Attributes),
    /// A symbolic link; what it points to need not exist.
    Symlink {
        target: String,
    },
    /// What stead neither makes nor replaces, as inode(7) calls it: `block device`, `FIFO`, `socket`.
    Other(String),
}

/// Permission bits and ownership, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    pub mode: Mode,
    /// A name of passwd(5), or a number where the machine has no name for it.
    pub owner: String,
    /// A name of group(5), or a number where the machine has no name for it.
    pub group: String,
}

/// Permission bits, `0` to `0o7777`; written as chmod(1) has them: `0644`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mode(u16);

/// Why a path could not be looked at or changed. What was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum InodeError {
    #[error(transparent)]
    System(#[from] std::io::Error),
    #[error("the directory {0} is not there: declare it as well")]
    NoParent(String),
    #[error("{0} is a symbolic link in a directory that others than root can write to: stead does not follow it")]
    Untrusted(String),
    #[error("{0} is part of stead's own record")]
    OwnRecord(String),
    #[error("it is a {0}, which stead does not replace")]
    Special(String),
    #[error("it holds more than {} MiB, which stead does not manage", read::LARGEST >> 20)]
    TooLarge,
    #[error("the directory is not empty: it holds {0}")]
    NotEmpty(String),
    #[error("no user is called {0}")]
    NoUser(String),
    #[error("no group is called {0}")]
    NoGroup(String),
    #[error("its earlier content is no longer kept, so it cannot be brought back")]
    NoContent,
}

impl Inode {
    /// Its word: `file`, `directory`, …
    pub fn kind(&self) -> &str {
        match self {
            Self::Absent => "nothing",
            Self::File { .. } => "file",
            Self::Directory(_) => "directory",
            Self::Symlink { .. } => "symbolic link",
            Self::Other(kind) => kind,
        }
    }

    /// The permission bits and ownership that it has or is to have.
    pub fn attributes(&self) -> Option<&Attributes> {
        match self {
            Self::File { attributes, .. } | Self::Directory(attributes) => Some(attributes),
            _ => None,
        }
    }

    /// Whether everybody on the machine may read its content.
    pub fn is_public(&self) -> bool {
        match self {
            Self::File { attributes, .. } => attributes.mode.bits() & 0o004 != 0,
            _ => true,
        }
    }
}

impl Attributes {
    /// Of root, with this mode.
    pub fn of_root(mode: Mode) -> Self {
        Self { mode, owner: "root".to_owned(), group: "root".to_owned() }
    }
}

impl Mode {
    /// `rw-r--r--`
    pub const PUBLIC_FILE: Self = Self(0o644);
    /// `rw-------`
    pub const PRIVATE_FILE: Self = Self(0o600);
    /// `rwxr-xr-x`
    pub const PUBLIC_DIRECTORY: Self = Self(0o755);

    /// The lower twelve bits of `bits`, when there is no other.
    pub fn new(bits: u32) -> Option<Self> {
        u16::try_from(bits).ok().filter(|bits| *bits <= 0o7777).map(Self)
    }

    /// As a number.
    pub fn bits(self) -> u32 {
        u32::from(self.0)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> Self {
        mode.to_string()
    }
}

impl TryFrom<String> for Mode {
    type Error = String;

    fn try_from(mode: String) -> Result<Self, String> {
        let bits = u32::from_str_radix(&mode, 8).ok().and_then(Self::new);
        bits.ok_or_else(|| format!("{mode:?} is not an octal mode such as 0644"))
    }
}
