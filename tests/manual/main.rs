//! The manual is true: nothing that can be written in `stead.toml` or asked for by a policy is missing in it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod words;
