//! Destroys the machines that no live attempt owns. It is the last line against a leak: everything else may have
//! crashed, been cut off or been told a lie.
//!
//! It must never end a machine in use. So the provider is asked *before* the queue: whatever is on that list was made
//! for an attempt that began before, and is either still live or done with it.

mod decide;
mod step;

pub use decide::{Doomed, LiveAttempts, Reason, Rules, decide};
pub use step::{Failed, Reaper, Round};
