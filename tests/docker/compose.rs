//! The capability compose on a real engine, next to docker compose itself.

mod beside;
mod change;
mod fail;
mod guard;
mod hook;
pub(crate) mod host;
mod hostile;
mod ill;
mod plugin;
mod registry;
mod update;
