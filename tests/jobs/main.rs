//! Jobs from submission to result: on machines that are system containers, with workers that die at every call.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod cleaning;
mod command_line;
mod containers;
mod crowd;
mod dies;
mod far;
mod http;
mod limits;
mod place;
mod predict;
mod prices;
mod provider;
mod qemu;
mod secrets;
mod stops;
mod takeover;
