//! `stead serve` as its clients see it: the real program, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod browser;
mod client;
mod hostile;
mod hosts;
mod jobs;
mod let_in;
mod logs;
mod page;
mod schemathesis;
mod seen;
mod service;
mod shared;
mod source;
mod unit;
mod upgrade;
