//! A clock that the tests set.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stead_queue::{Clock, Reading, Timestamp};

#[derive(Debug)]
pub(crate) struct TestClock(Mutex<Reading>);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        let wall = Timestamp::from_millis(1_700_000_000_000);
        Arc::new(Self(Mutex::new(Reading { wall, up: Duration::from_secs(1000), boot: "first".to_owned() })))
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Time passes.
    pub(crate) fn advance(&self, by: Duration) {
        self.change(|reading| {
            reading.wall = reading.wall.after(by);
            reading.up += by;
        });
    }

    /// Somebody sets the clock, by this many seconds.
    pub(crate) fn set(&self, by: i64) {
        self.change(|reading| reading.wall = Timestamp::from_millis(reading.wall.as_millis() + by * 1000));
    }

    pub(crate) fn reboot(&self) {
        self.change(|reading| {
            reading.boot.push('+');
            reading.up = Duration::from_secs(5);
        });
    }
}

impl Clock for TestClock {
    fn read(&self) -> Reading {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
