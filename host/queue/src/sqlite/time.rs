//! The time for a queue in a file: the wall clock, made safe against being set.
//!
//! Somebody may set the clock, or NTP may step it. Then all leases and deadlines are moved by as much, in the transaction
//! that first sees it, so that none ends early and none lasts longer: the machine's time since boot, which nobody sets,
//! tells by how much the clock was moved. The times at which jobs are to start stay where they are: they are times of the day.
//! After a reboot no worker of this machine lives, so all leases end at once.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::connection::database;
use crate::clock::{Clock, Reading};
use crate::time::millis;
use crate::{QueueError, Timestamp};

/// A clock that differs by less was not set, but read at another moment, or slewed.
const TOLERANCE: i64 = 1000;

pub(super) struct Time {
    clock: Arc<dyn Clock>,
    known: Option<Known>,
}

/// As the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    boot: String,
    /// By how many milliseconds the wall clock is ahead of the time since boot.
    ahead: i64,
}

impl Time {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: None }
    }

    pub(super) fn read(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// The time, in a transaction that writes.
    pub(super) fn now(&mut self, connection: &Connection) -> Result<Timestamp, QueueError> {
        let reading = self.clock.read();
        if !self.known.as_ref().is_some_and(|known| known.agrees(&reading)) {
            self.known = Some(adjust(connection, &reading).map_err(database)?);
        }
        Ok(reading.wall)
    }

    /// The transaction was rolled back, and what it adjusted with it.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }
}

impl Known {
    fn of(reading: &Reading) -> Self {
        Self { boot: reading.boot.clone(), ahead: reading.wall.as_millis() - millis(reading.up) }
    }

    fn agrees(&self, reading: &Reading) -> bool {
        let now = Self::of(reading);
        self.boot == now.boot && (self.ahead - now.ahead).abs() < TOLERANCE
    }
}

fn adjust(connection: &Connection, reading: &Reading) -> rusqlite::Result<Known> {
    let now = Known::of(reading);
    let read = |row: &rusqlite::Row<'_>| Ok(Known { boot: row.get(0)?, ahead: row.get(1)? });
    let Some(known) = connection.query_row("select boot, ahead from clock", [], read).optional()? else {
        connection.execute("insert into clock (boot, ahead) values (?, ?)", params![now.boot, now.ahead])?;
        return Ok(now);
    };
    if known.agrees(reading) {
        return Ok(known);
    }
    if known.boot == now.boot {
        let by = now.ahead - known.ahead;
        let sql = "update job set lease_until = lease_until + ?1, deadline = deadline + ?1 where state = 'running'";
        connection.execute(sql, [by])?;
    } else {
        connection.execute("update job set lease_until = ? where state = 'running'", [reading.wall.as_millis()])?;
    }
    connection.execute("update clock set boot = ?, ahead = ?", params![now.boot, now.ahead])?;
    Ok(now)
}
