//! Runs a policy: a Wasm component that can only ask.

mod guest;

pub use guest::{Guest, HasGuest, Invalid, Recorded};

/// The WIT interface `types`, shared by all capabilities.
pub mod types {
    wasmtime::component::bindgen!({
        inline: "package stead:bind-types; world types { import stead:host/types@0.1.0; }",
        path: "../wit",
    });
    pub use stead::host::types::{Denial, Error, InvalidArgument};
}
