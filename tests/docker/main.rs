//! What needs a Docker Engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod apps;
mod backup;
mod compose;
mod corpus;
