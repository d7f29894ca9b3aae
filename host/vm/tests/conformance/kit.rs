//! The cases, each true of every provider.

pub(crate) mod create;
pub(crate) mod life;
pub(crate) mod lost;
pub(crate) mod reap;
