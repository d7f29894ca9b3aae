//! The dead man's switch inside a machine: two timers of its own systemd, which power it off when nobody has renewed the
//! lease, and after its longest life in any case.
//!
//! Both count the guest's monotonic clock: a wall clock jumps when it is first set, or when the machine was resumed. A
//! machine that restarts begins both anew, so a date is checked as well, with slack for a clock that is not yet set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a clock may be ahead at boot.
const SLACK: Duration = Duration::from_secs(300);
/// Restarting the timer is renewing the lease.
pub(crate) const RENEW: &str = "systemctl restart stead-lease.timer";

const SCRIPT: &str = include_str!("lease/arm.sh");

/// How long a machine may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// It ends itself when this time passes without a renewal.
    pub renewal: Duration,
    /// And after this time, renewed or not.
    pub lifetime: Duration,
    /// When it was asked for.
    pub created: SystemTime,
}

impl Lease {
    /// A script for sh(1) that arms both timers; running it again changes nothing.
    pub fn arming_script(&self) -> String {
        let end = (self.created + self.lifetime + SLACK).duration_since(UNIX_EPOCH).unwrap_or_default();
        SCRIPT
            .replace("@RENEWAL@", &self.renewal.as_secs().max(1).to_string())
            .replace("@LIFETIME@", &self.lifetime.as_secs().max(1).to_string())
            .replace("@END@", &end.as_secs().to_string())
    }
}
