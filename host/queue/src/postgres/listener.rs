//! Hears what other processes say when they have committed.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;

use super::Server;
use super::connection::database;
use crate::QueueError;
use crate::wake::{Wake, Woke};

/// How long it takes at most until the thread sees that the queue was closed, and between tries to connect.
const PATIENCE: Duration = Duration::from_millis(500);

/// Listens until the queue is closed. `own` is the connection whose notifications are known already.
pub(crate) fn listen(server: Server, own: Arc<AtomicI32>, wake: Weak<Wake>) -> std::io::Result<()> {
    let body = move || {
        while wake.strong_count() > 0 {
            drop(hear(&server, &own, &wake));
            thread::sleep(PATIENCE);
        }
    };
    thread::Builder::new().name("queue-listener".to_owned()).spawn(body).map(drop)
}

/// Returns when the connection breaks: the queue's own connection tells its callers why.
fn hear(server: &Server, own: &AtomicI32, wake: &Weak<Wake>) -> Result<(), QueueError> {
    let mut client = server.connect()?;
    client.batch_execute("listen stead_queue").map_err(database)?;
    // What was said before is not heard.
    let mut woke = Woke { ready: true, changed: true };
    loop {
        let Some(wake) = wake.upgrade() else { return Ok(()) };
        wake.send(woke);
        drop(wake);
        let heard = client.notifications().timeout_iter(PATIENCE).next().map_err(database)?;
        woke = match heard {
            Some(note) if note.process_id() == own.load(Ordering::Relaxed) => Woke::default(),
            Some(note) => Woke { ready: note.payload() == "ready", changed: true },
            None if client.is_closed() => return Ok(()),
            None => Woke::default(),
        };
    }
}
