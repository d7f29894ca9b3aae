//! Replaces a file atomically, on disk before it returns.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The file at `path` has this content and mode: no reader sees half of it, and a power loss leaves the old or the new.
///
/// # Errors
/// When it cannot be written; the old file is then untouched.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let folder = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut file = tempfile::Builder::new().prefix(".stead-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    std::fs::File::open(folder)?.sync_all()
}
