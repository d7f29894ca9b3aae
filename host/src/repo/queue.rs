//! `queue`: where jobs wait when several servers share them. Its password is a secret, never part of the address.

use serde::Deserialize;
use stead_queue::Server;

use super::Name;

/// `queue = "postgres://…"`, or `[queue]` with `address` and `password`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Said")]
pub struct QueueServer {
    server: Server,
    /// The secret that is the password.
    pub password: Option<Name>,
}

/// Not the address of a database. Its own words would hold the password, when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the address of a PostgreSQL database: postgres://USER@HOST/DATABASE")]
pub struct NotAServer;

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"postgres://…\", or a table with `address` and `password`")]
enum Said {
    Address(String),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    address: String,
    password: Option<Name>,
}

impl TryFrom<Said> for QueueServer {
    type Error = NotAServer;

    fn try_from(said: Said) -> Result<Self, NotAServer> {
        let (address, password) = match said {
            Said::Address(address) => (address, None),
            Said::Table(Table { address, password }) => (address, password),
        };
        if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(NotAServer);
        }
        Ok(Self { server: address.parse().map_err(|_| NotAServer)?, password })
    }
}

impl QueueServer {
    /// The server, without its password.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Whether the file shows a password.
    pub(super) fn shows_password(&self) -> bool {
        self.server.has_password()
    }
}
