//! End to end on real servers: virtual machines with their own kernel, systemd, apt, Docker and sshd.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod bootstrap;
mod lock_out;
mod refused;
mod server;
