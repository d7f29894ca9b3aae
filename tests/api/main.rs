//! `stead serve` as its clients see it: the real program, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod browser;
mod canaille;
mod client;
mod hostile;
mod hosts;
mod issuer;
mod jobs;
mod let_in;
mod logs;
mod page;
mod schemathesis;
mod seen;
mod service;
mod shared;
mod source;
mod sso;
mod unit;
mod upgrade;
