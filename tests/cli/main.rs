//! The command line, by the program itself: on a tree of files instead of a machine, so that nothing here changes where
//! it runs. Only the hosts of a mesh need root, for namespaces of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod follow;
mod life;
mod manual;
mod mesh;
mod pin;
mod recorded;
mod registry;
mod repo;
mod saved;
mod secrets;
mod vpn;
mod wrong;
