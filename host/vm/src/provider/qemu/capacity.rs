//! Whether there is room for one more machine: local memory is the one thing that does not grow on demand.

use super::folder::Seen;
use super::{Place, ProviderError, failed, process};
use crate::provider::Cause;
use crate::request::{Request, Size};

impl Place {
    /// Counts what all machines were promised, `request` included, whose folder is there already: of two that are made at
    /// the same time and do not fit both, none is let in rather than both.
    pub(super) fn check_room(&self, request: &Request) -> Result<(), ProviderError> {
        let limit = match self.settings.memory_mib {
            Some(limit) => limit,
            None => memory_of_this_machine().map_err(|error| failed("reading /proc/meminfo", error))? / 5 * 4,
        };
        let seen = self.see().map_err(|error| failed("reading the machines' folder", error))?;
        let running = process::all(&self.machines).map_err(|error| failed("reading /proc", error))?;
        let has_ended = |seen: &Seen| seen.was_started && !running.contains_key(seen.intent.request.name.as_str());
        let promised: u64 = seen.iter().filter(|seen| !has_ended(seen)).map(|seen| memory(&seen.intent.request)).sum();
        match promised <= limit {
            true => Ok(()),
            false => {
                let words = format!(
                    "no room for {} MiB: this machine's virtual machines may have {limit} MiB, and the others have {}",
                    memory(request),
                    promised - memory(request)
                );
                Err(ProviderError::new(Cause::NoCapacity, words))
            }
        }
    }
}

fn memory(request: &Request) -> u64 {
    match request.size {
        Size::Measured { memory_mib, .. } => memory_mib.into(),
        Size::Type(_) => 0,
    }
}

fn memory_of_this_machine() -> std::io::Result<u64> {
    let facts = std::fs::read_to_string("/proc/meminfo")?;
    let kib =
        facts.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.unwrap_or_default() / 1024)
}
