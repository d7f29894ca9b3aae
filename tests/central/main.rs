//! The example repo `modules/central`: whole, on a fresh server; and quickly, what can be seen of it without one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod laptop;
mod place;
mod quick;
mod way_out;
mod whole;
