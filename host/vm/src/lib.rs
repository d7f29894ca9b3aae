//! One job, one virtual machine: made by name, reached over SSH without trust on first use, never left behind.
//!
//! - [`create`] makes a machine through a [`provider`], over several sizes and regions when one has no room.
//! - [`access`] logs in with keys made for that machine alone; commands there outlive the connection and this process.
//! - [`lease`] has the machine end itself when nobody renews it.
//! - [`reaper`] destroys what no live attempt owns.
//!
//! This crate knows nothing of queues, policies or grants: what it needs to know of them is plain data.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail"))]

pub mod access;
pub mod create;
pub mod lease;
pub mod machine;
pub mod name;
pub mod provider;
pub mod reaper;
pub mod request;
pub mod user_data;
