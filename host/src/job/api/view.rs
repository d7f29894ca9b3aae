//! What the API says of jobs and machines, and what it is told.

use stead_queue::Timestamp;

mod artifact;
mod attempt;
mod job;
mod log;
mod new;
mod query;

pub(super) use artifact::Artifacts;
pub(super) use attempt::AttemptView;
pub(super) use job::{Cancelling, JobDetails, JobState, JobView, Jobs};
pub(super) use log::{Event, LineView, Log};
pub(super) use new::{FileView, NewJob};
pub(super) use query::{Lines, Wanted};

/// An instant, in UTC: RFC 3339.
pub(super) fn instant(at: Timestamp) -> String {
    // The queue keeps no instant beyond the calendar.
    jiff::Timestamp::from_millisecond(at.as_millis()).map(|at| at.to_string()).unwrap_or_default()
}
