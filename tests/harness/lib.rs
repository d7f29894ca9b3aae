//! Starts and stops what the tests run against: virtual machines, system containers, a Docker Engine, PostgreSQL, Amazon's
//! APIs, network namespaces.
//!
//! Everything here is bounded in time, leaves the build machine's own firewall, network and Docker alone, and cleans up
//! even when the test process is killed. Slow things are built once into a [`cache`] that all test processes share.

mod archives;
pub mod cache;
pub mod container;
pub mod docker;
pub mod host;
mod keys;
pub mod language;
pub mod moto;
pub mod netns;
pub mod policy;
pub mod postgres;
pub mod program;
pub mod root;
pub mod run;
pub mod serve;
pub mod vm;
pub mod wait;
