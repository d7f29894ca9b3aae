//! What is released: the files, and the Debian package on a server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod installed;
mod packed;
