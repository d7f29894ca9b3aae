//! Bytes that nobody can guess, for keys, tokens and names that must not meet.

use std::fs::File;
use std::io::Read;

/// Fills it from the kernel's generator.
///
/// # Errors
/// When the kernel's device cannot be read.
pub(crate) fn fill(bytes: &mut [u8]) -> std::io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}
