//! The queue in PostgreSQL, for several servers. The time is the database's.
//!
//! All processes take one lock to write, as SQLite has it, and share each commit among those of their callers who wait. What
//! is given up is writing in parallel; what is gained is that both databases behave the same.

mod connection;
mod listener;
mod schema;
mod tls;
mod value;

pub(crate) use connection::PostgresConnection;
pub(crate) use listener::listen;
pub use tls::Server;
