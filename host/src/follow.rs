//! Follows the branch of a git remote: which commit is trusted, and what each host is at.
//!
//! A commit counts only when it is signed by a key that the commit before it names, and comes after that one: whoever
//! can write to the remote, but has no key, changes nothing here, not even back to what was once signed.

use std::path::{Path, PathBuf};

mod decide;
mod mirror;
mod record;
mod watched;

pub use decide::questions;
pub use mirror::{Commit, Mirror, MirrorError, NotACommit};
pub use record::{Drift, Followee, Record, RecordError, Standing};
pub use watched::{Unseen, Watched};

/// Where all of it lies, in stead's own folder.
pub fn folder(state: &Path) -> PathBuf {
    state.join("follow")
}
