//! Instants, as the database keeps them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The end of the year 9999, which nothing lies beyond: sums of instants and durations stop here.
const LAST: i64 = 253_402_300_799_000;

/// Milliseconds since 1970, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, LAST))
    }

    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// What the wall clock of this machine says.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(millis(since))
    }

    /// This much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(time)))
    }

    /// This much earlier.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(millis(time)))
    }

    /// How long it is until then; zero when it is past.
    pub fn until(self, then: Self) -> Duration {
        Duration::from_millis(u64::try_from(then.0.saturating_sub(self.0)).unwrap_or_default())
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(at.0.unsigned_abs())
    }
}

/// In whole milliseconds, and never more than the calendar holds.
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(LAST).min(LAST)
}
