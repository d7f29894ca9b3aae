#![doc = include_str!("../README.md")]
#![forbid(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

pub mod bindings;
pub mod config;
mod defaults;
mod error;
mod panic;

pub use bindings::stead::host::{compose, facts, file, firewall, log, package, service, sysctl, user, vpn};
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

/// Tells the operator something by the way: `info!("{} peers", peers.len())`.
#[macro_export]
macro_rules! info {
    ($($words:tt)*) => { $crate::log::log($crate::log::Level::Info, &::std::format!($($words)*)) };
}

/// Tells the operator something that may be wrong.
#[macro_export]
macro_rules! warn {
    ($($words:tt)*) => { $crate::log::log($crate::log::Level::Warn, &::std::format!($($words)*)) };
}

#[doc(hidden)]
pub fn run(configure: fn() -> Result<(), Error>) -> Result<(), bindings::stead::host::types::Error> {
    panic::report();
    configure().map_err(Error::into_inner)
}
