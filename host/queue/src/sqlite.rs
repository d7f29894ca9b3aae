//! The queue in a file, for the processes of one machine.
//!
//! SQLite lets one process write at a time and syncs its log at every commit, so what was acknowledged survives a power
//! loss. The file must not lie on a network file system.

mod connection;
mod schema;
#[cfg(test)]
mod steps;
mod time;

pub(crate) use connection::SqliteConnection;
