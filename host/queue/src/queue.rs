//! The queue as its callers have it: what they may do with it, by who they are, is in the rooms below.

mod look;
mod share;
mod submit;
mod work;

use std::future::Future;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::op::Tx;
use crate::postgres::{PostgresConnection, Server, listen};
use crate::sqlite::SqliteConnection;
use crate::wake::Wake;
use crate::writer::{Desk, Mode};
use crate::*;

/// How long those who wait do not look by themselves.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the queue is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file, for the processes of this machine.
    File(PathBuf),
    /// In PostgreSQL, for several servers.
    Server(Box<Server>),
}

impl FromStr for Place {
    type Err = QueueError;

    /// `postgres://…`, or the path of a file.
    fn from_str(text: &str) -> Result<Self, QueueError> {
        match text.starts_with("postgres://") || text.starts_with("postgresql://") {
            true => Ok(Self::Server(Box::new(text.parse()?))),
            false => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

/// A queue of jobs that several processes share. Clones are the same queue.
///
/// An answer means that what was done is durable. Calls that are made at the same time share a commit; those that one task
/// makes without waiting, as with `join!`, run in the order in which they were made.
#[derive(Clone)]
pub struct Queue {
    writer: Desk,
    reader: Desk,
    wake: Arc<Wake>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Opens the queue, making it when there is none. Blocks while it does.
    ///
    /// # Errors
    /// When the database cannot be used, or comes from a later stead.
    pub fn open(place: &Place, settings: Settings) -> Result<Self, QueueError> {
        let (settings, wake) = (Arc::new(settings), Arc::new(Wake::new()));
        let (writer, reader) = match place {
            Place::File(path) => {
                let open = |mode| start(SqliteConnection::open(path, &settings)?, mode, &settings, &wake);
                (open(Mode::Write)?, open(Mode::Read)?)
            }
            Place::Server(server) => Self::connect(server, &settings, &wake)?,
        };
        Ok(Self { writer, reader, wake })
    }

    fn connect(server: &Server, settings: &Arc<Settings>, wake: &Arc<Wake>) -> Result<(Desk, Desk), QueueError> {
        // The client has a runtime of its own, which must not begin inside of another one.
        let connect = || {
            let writer = PostgresConnection::open(server, settings)?;
            Ok((writer, PostgresConnection::open(server, settings)?))
        };
        let joined = std::thread::scope(|scope| scope.spawn(connect).join());
        let (writer, reader) = joined.unwrap_or(Err(QueueError::Closed))?;
        listen(server.clone(), writer.number(), Arc::downgrade(wake))
            .map_err(|error| QueueError::Connect(Arc::new(error)))?;
        Ok((start(writer, Mode::Write, settings, wake)?, start(reader, Mode::Read, settings, wake)?))
    }

    fn write<T: Send + 'static>(
        &self,
        body: impl FnMut(&mut Tx<'_>) -> Result<T, QueueError> + Send + 'static,
    ) -> impl Future<Output = Result<T, QueueError>> {
        self.writer.call(body, None)
    }

    fn read<T: Send + 'static>(
        &self,
        body: impl FnMut(&mut Tx<'_>) -> Result<T, QueueError> + Send + 'static,
    ) -> impl Future<Output = Result<T, QueueError>> {
        self.reader.call(body, None)
    }
}

fn start(
    connection: impl crate::sql::Connection + 'static,
    mode: Mode,
    settings: &Arc<Settings>,
    wake: &Arc<Wake>,
) -> Result<Desk, QueueError> {
    Desk::start(connection, mode, settings.clone(), wake.clone()).map_err(|error| QueueError::Database(Arc::new(error)))
}
