//! When a job is due: cron(5), in a time zone. Pure: it is told what time it is.

use std::fmt;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::errors::CronError;
use stead_queue::Timestamp;

/// Five fields as in crontab(5), or six that begin with seconds. A time that the clock skips in spring is due when it has skipped
/// it; a time that comes twice in autumn is due the first time, unless the schedule has an hour of `*`.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
}

/// Not a schedule.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a schedule like \"30 3 * * 1-5\" (minute, hour, day, month, day of the week): {reason}")]
pub struct NotASchedule {
    text: String,
    reason: CronError,
}

impl Schedule {
    /// # Errors
    /// When it is none.
    pub fn new(text: &str, zone: Tz) -> Result<Self, NotASchedule> {
        let cron = text.parse().map_err(|reason| NotASchedule { text: text.to_owned(), reason })?;
        Ok(Self { cron, zone })
    }

    /// When it was due last, now included; `None`: never.
    pub fn last(&self, now: Timestamp) -> Option<Timestamp> {
        self.cron.find_previous_occurrence(&self.at(now)?, true).ok().map(instant)
    }

    /// When it is due next, now excluded; `None`: never.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.cron.find_next_occurrence(&self.at(now)?, false).ok().map(instant)
    }

    fn at(&self, now: Timestamp) -> Option<DateTime<Tz>> {
        // A schedule knows whole seconds.
        let at = Utc.timestamp_opt(now.as_millis() / 1000, 0).single()?;
        Some(at.with_timezone(&self.zone))
    }
}

fn instant(at: DateTime<Tz>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.cron.as_str(), self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        let at = text.parse::<jiff::Timestamp>().map(|at| at.as_millisecond());
        Timestamp::from_millis(at.unwrap_or_default())
    }

    fn said(at: Option<Timestamp>) -> String {
        at.and_then(|at| jiff::Timestamp::from_millisecond(at.as_millis()).ok())
            .map_or("never".to_owned(), |at| at.to_string())
    }

    fn around(schedule: &str, zone: &str, now: &str) -> anyhow::Result<(String, String)> {
        let schedule = Schedule::new(schedule, zone.parse::<Tz>().map_err(|error| anyhow::anyhow!("{error}"))?)?;
        Ok((said(schedule.last(instant(now))), said(schedule.next(instant(now)))))
    }

    #[test]
    fn what_is_due_is_due_at_that_second() -> anyhow::Result<()> {
        for (schedule, zone, now, last, next) in [
            ("30 3 * * *", "UTC", "2026-11-26T03:30:00Z", "2026-11-26T03:30:00Z", "2026-11-27T03:30:00Z"),
            ("30 3 * * *", "UTC", "2026-11-26T03:29:59.999Z", "2026-11-25T03:30:00Z", "2026-11-26T03:30:00Z"),
            ("30 3 * * *", "UTC", "2026-11-26T03:30:00.5Z", "2026-11-26T03:30:00Z", "2026-11-27T03:30:00Z"),
            ("0 9 * * MON", "Europe/Berlin", "2026-11-26T12:00:00Z", "2026-11-23T08:00:00Z", "2026-11-30T08:00:00Z"),
            ("*/20 * * * * *", "UTC", "2026-11-26T03:30:21Z", "2026-11-26T03:30:20Z", "2026-11-26T03:30:40Z"),
            ("0 0 29 2 *", "UTC", "2026-11-26T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 30 2 *", "UTC", "2026-11-26T00:00:00Z", "never", "never"),
        ] {
            assert_eq!(around(schedule, zone, now)?, (last.to_owned(), next.to_owned()), "{schedule} at {now}");
        }
        Ok(())
    }

    #[test]
    fn each_day_has_one_when_clocks_change() -> anyhow::Result<()> {
        // On 29 March 2026, Berlin went from 2 to 3 o'clock at 01:00 UTC; on 25 October, from 3 to 2 at 01:00 UTC.
        for (now, days) in [("2026-03-27T12:00:00Z", 4), ("2026-10-23T12:00:00Z", 4)] {
            let schedule = Schedule::new("30 2 * * *", chrono_tz::Europe::Berlin)?;
            let (mut at, mut all) = (instant(now), Vec::new());
            let until = at.after(std::time::Duration::from_secs(days * 86_400));
            while let Some(next) = schedule.next(at).filter(|next| *next < until) {
                assert_eq!(schedule.last(next), Some(next), "what is next is then the last");
                all.push(said(Some(next)));
                at = next;
            }
            assert_eq!(all.len(), usize::try_from(days)?, "{all:?}");
        }
        Ok(())
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "daily", "61 * * * *", "* * * *", "* * * * * * * *"] {
            assert!(Schedule::new(text, Tz::UTC).is_err(), "{text}");
        }
    }
}
