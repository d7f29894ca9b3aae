//! `stead serve` as its clients see it: the real program, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod client;
mod hostile;
mod jobs;
mod let_in;
mod logs;
mod schemathesis;
mod service;
mod shared;
mod unit;
