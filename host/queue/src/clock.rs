//! Where the time comes from, when it is not the database that tells it.

use std::fmt::Debug;
use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Timestamp;

/// Tells the time: injected by tests.
pub trait Clock: Debug + Send + Sync {
    fn read(&self) -> Reading;
}

/// What a machine knows of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The time of the day, which somebody may set.
    pub wall: Timestamp,
    /// The time since the machine has been up, which nobody sets.
    pub up: Duration,
    /// Names the boot that `up` counts from.
    pub boot: String,
}

/// That of this machine.
#[derive(Debug)]
pub(crate) struct MachineClock {
    boot: String,
}

impl MachineClock {
    pub(crate) fn new() -> Self {
        // proc(5). Without it, all boots are one, and the clock's jump across a boot counts as one within it.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { boot: boot.trim().to_owned() }
    }
}

impl Clock for MachineClock {
    fn read(&self) -> Reading {
        // Counts on while the machine sleeps, as the clocks of what it talks to do.
        let up = Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
        Reading { wall: Timestamp::now(), up, boot: self.boot.clone() }
    }
}
