//! The manual is true: every command in it is run, every link leads somewhere, every key and function is in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod links;
mod page;
mod run;
mod shell;
mod words;
