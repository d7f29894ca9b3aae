//! Components in OCI registries: how they are pulled, pushed, and known to be from whom they should be.
//!
//! What a registry says is never believed: every content is held against the digest that named it, its size against
//! a limit, and, where the operator gives keys, its manifest against a signature. Credentials reach the registry that
//! they are for and nothing else: no error, no log and no argument of a program holds them.

mod artifact;
mod client;
mod credentials;
mod error;
mod keys;
mod pull;
mod push;
mod reference;
mod signature;

pub use artifact::{Descriptor, Manifest, Packed};
pub use client::{Registry, Settings};
pub use credentials::{Credentials, CredentialsError};
pub use error::RegistryError;
pub use keys::{KeyError, PrivateKey, PublicKey};
pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub(crate) use reference::{HUB, parse_digest};
pub use reference::{NotAReference, Reference, SCHEME, with_algorithm};
pub use signature::{Signature, SignatureError};
