//! Runs a policy: a Wasm component that can only ask.
//!
//! [`Runtime::configure`] takes a component through these steps: load it, compiled before where it can be (`cache`);
//! refuse what it must not import (`link`); run it once in an instance of its own, within its limits (`limits`,
//! `tick`), with nothing of the outside but virtual clocks and seeded randomness (`wasi`); pass every call through
//! one door (`guest`); and turn whatever ended it into words (`error`, `trap`).
//!
//! It never changes the machine, and it never shows what a guest said without making it printable first.

mod cache;
mod error;
mod guest;
pub mod job;
mod limits;
mod link;
mod load;
mod log;
mod reads;
mod runtime;
mod tick;
mod trap;
mod wasi;
mod words;

#[cfg(test)]
mod tests;

pub use error::{Blame, LoadError, PolicyError, RunError};
pub use guest::{Guest, HasGuest, Invalid, Recorded};
pub(crate) use limits::duration;
pub use limits::{ByteSize, Limits};
pub use load::{Kind, kind};
pub use log::{Level, LogLine};
pub use runtime::{Policy, Run, Runtime};
pub use trap::Trap;
pub use words::{printable, printable_lines};

/// The version of the contract that this host speaks.
pub const CONTRACT: &str = "0.1.0";

/// The WIT interface `types`, shared by all capabilities.
pub mod types {
    wasmtime::component::bindgen!({
        inline: "package stead:bind-types; world types { import stead:host/types@0.1.0; }",
        path: "../wit",
    });
    pub use stead::host::types::{Denial, Error, InvalidArgument};
}
