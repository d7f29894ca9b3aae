//! The states of a job, and how its attempts end.

use std::fmt;

use crate::{Phase, Stream};

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Waits for its time, for a worker, or for room under its limit.
    Queued,
    Running,
    Succeeded,
    /// Ended by a cause that is not tried again.
    Failed,
    Cancelled,
    /// Ended by a cause that is tried again, as often as it may be.
    Dead,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The policy answered with a failure, trapped, or broke a limit.
    PolicyError,
    /// The policy says that another attempt may do better.
    Temporary,
    /// A VM of the job ceased to be.
    VmLost,
    /// No provider had room for the VM.
    NoCapacity,
    /// The provider took the VM back, as it may with spot instances.
    Preempted,
    /// The worker let its lease run out.
    WorkerLost,
    /// The attempt took longer than the job may.
    TimedOut,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    Succeeded,
    Cancelled,
    /// The worker handed the job back, to be continued by another one.
    Released,
    Failed(Cause),
}

/// A type whose values the database keeps as words.
macro_rules! words {
    ($name:ident { $($value:expr => $word:literal),+ $(,)? }) => {
        impl $name {
            pub const ALL: &[Self] = &[$($value),+];

            /// The word for it in the database, in metrics and for people.
            pub fn word(self) -> &'static str {
                Self::ALL.iter().zip([$($word),+]).find(|(value, _)| **value == self).map_or("", |(_, word)| word)
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words!(State {
    State::Queued => "queued",
    State::Running => "running",
    State::Succeeded => "succeeded",
    State::Failed => "failed",
    State::Cancelled => "cancelled",
    State::Dead => "dead",
});
words!(Cause {
    Cause::PolicyError => "policy-error",
    Cause::Temporary => "temporary",
    Cause::VmLost => "vm-lost",
    Cause::NoCapacity => "no-capacity",
    Cause::Preempted => "preempted",
    Cause::WorkerLost => "worker-lost",
    Cause::TimedOut => "timed-out",
});
words!(Ending {
    Ending::Succeeded => "succeeded",
    Ending::Cancelled => "cancelled",
    Ending::Released => "released",
    Ending::Failed(Cause::PolicyError) => "policy-error",
    Ending::Failed(Cause::Temporary) => "temporary",
    Ending::Failed(Cause::VmLost) => "vm-lost",
    Ending::Failed(Cause::NoCapacity) => "no-capacity",
    Ending::Failed(Cause::Preempted) => "preempted",
    Ending::Failed(Cause::WorkerLost) => "worker-lost",
    Ending::Failed(Cause::TimedOut) => "timed-out",
});

impl State {
    /// Whether the job rests, until somebody asks to retry it.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl Ending {
    /// Whether the next attempt continues this one's run: nothing of what the run holds was lost.
    pub(crate) fn keeps_run(self) -> bool {
        matches!(self, Self::Released | Self::Failed(Cause::WorkerLost))
    }
}

words!(Phase {
    Phase::Intended => "intended",
    Phase::Answered => "answered",
});
words!(Stream {
    Stream::Log => "log",
    Stream::Stdout => "stdout",
    Stream::Stderr => "stderr",
});
