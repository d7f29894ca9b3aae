#![doc = include_str!("../README.md")]
#![forbid(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

pub mod bindings;
pub mod config;
mod defaults;
mod error;
pub mod job;
pub mod job_bindings;
mod panic;

pub use bindings::stead::host::{backup, compose, facts, file, firewall, log, package, service, sysctl, user, vpn};
pub use job_bindings::stead::host::{artifact, clock, container, http, progress, retry, vm};
pub use error::{Denial, Error, InvalidArgument};

/// Makes a function of type `fn() -> Result<(), Error>` the policy.
#[macro_export]
macro_rules! policy {
    ($configure:path) => {
        struct Policy;

        impl $crate::bindings::exports::stead::host::configure::Guest for Policy {
            fn configure() -> ::core::result::Result<(), $crate::bindings::stead::host::types::Error> {
                $crate::run($configure)
            }
        }

        $crate::bindings::export!(Policy with_types_in $crate::bindings);
    };
}

/// Makes a function of type `fn(Input) -> Result<Output, Failure>` the job; input and output are whatever serde reads and
/// writes as JSON.
#[macro_export]
macro_rules! job {
    ($run:path) => {
        struct Job;

        impl $crate::job_bindings::exports::stead::host::run::Guest for Job {
            fn run(
                input: ::std::string::String,
            ) -> ::core::result::Result<::std::string::String, $crate::job_bindings::exports::stead::host::run::Failure> {
                $crate::job::work($run, &input)
            }
        }

        $crate::job_bindings::export_job!(Job with_types_in $crate::job_bindings);
    };
}

/// Tells the operator something by the way: `info!("{} peers", peers.len())`.
#[macro_export]
macro_rules! info {
    ($($words:tt)*) => { $crate::say($crate::log::Level::Info, &::std::format!($($words)*)) };
}

/// Tells the operator something that may be wrong.
#[macro_export]
macro_rules! warn {
    ($($words:tt)*) => { $crate::say($crate::log::Level::Warn, &::std::format!($($words)*)) };
}

/// A line of the log is one line, and a text may have more: a denial has the TOML that would allow it.
#[doc(hidden)]
pub fn say(level: log::Level, text: &str) {
    text.strip_suffix('\n').unwrap_or(text).split('\n').for_each(|line| log::log(level, line));
}

#[doc(hidden)]
pub fn run(configure: fn() -> Result<(), Error>) -> Result<(), bindings::stead::host::types::Error> {
    panic::report();
    configure().map_err(Error::into_inner)
}
