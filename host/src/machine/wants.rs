//! What `systemctl enable` does, for units of stead's own: a link that systemd follows at the next boot.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::os::unix::fs::symlink;
use std::path::Path;

use super::remove;

/// The link under the `.wants` of a target is there and leads to the unit file, or it is gone.
///
/// # Errors
/// When it cannot be made or removed.
pub fn set_wanted(link: &Path, unit_file: &str, wanted: bool) -> Result<()> {
    if !wanted {
        return remove(link);
    }
    let folder = link.parent().ok_or(ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    match symlink(unit_file, link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(folder)?.sync_all()
}
