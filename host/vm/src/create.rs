//! Makes one machine from a list of requests that would all do: the next size or region when one has no room, the same
//! again when the provider asks for patience, a look at the list when nobody knows whether the call succeeded.

use std::time::Duration;

use tokio::time::sleep;

use crate::machine::Vm;
use crate::provider::{Cause, Provider, ProviderError};
use crate::request::Request;

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Calls for one candidate, of which all but the last were rate limited, timed out or unavailable.
    pub calls: u32,
    /// The first pause where the provider names none; it doubles.
    pub pause: Duration,
    /// The longest pause, also where the provider asks for more.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { calls: 5, pause: Duration::from_secs(1), longest_pause: Duration::from_secs(60) }
    }
}

/// What to do after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Again(Duration),
    OtherCandidate,
    GiveUp,
}

/// Creates the first of `candidates` that can be had. They have one name and differ in size, region or market. Whoever
/// calls this has written down the name before.
///
/// # Errors
/// The last candidate's error. After [`Cause::TimedOut`] a machine may exist; the reaper finds it.
pub async fn create(provider: &dyn Provider, candidates: &[Request], patience: Patience) -> Result<Vm, ProviderError> {
    let mut last = ProviderError::new(Cause::Invalid, "no size and region was asked for");
    for request in candidates {
        match create_one(provider, request, patience).await {
            Ok(vm) => return Ok(vm),
            Err(error) if next(error.cause, patience.calls, patience) == Next::OtherCandidate => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

async fn create_one(provider: &dyn Provider, request: &Request, patience: Patience) -> Result<Vm, ProviderError> {
    let mut call = 1;
    loop {
        let error = match provider.create(request).await {
            Ok(vm) => return Ok(vm),
            Err(error) => error,
        };
        match next(error.cause, call, patience) {
            // The name makes the repeated call find the machine when there is one.
            Next::Again(pause) => sleep(pause).await,
            Next::OtherCandidate | Next::GiveUp => return Err(error),
        }
        call += 1;
    }
}

fn next(cause: Cause, call: u32, patience: Patience) -> Next {
    let backoff = patience.pause.saturating_mul(2_u32.saturating_pow(call.saturating_sub(1)));
    let again = |pause: Duration| match call < patience.calls {
        true => Next::Again(pause.min(patience.longest_pause)),
        false => Next::GiveUp,
    };
    match cause {
        Cause::NoCapacity | Cause::Quota | Cause::Preempted => Next::OtherCandidate,
        Cause::RateLimited { retry_after } => again(retry_after.unwrap_or(backoff)),
        Cause::TimedOut | Cause::Unavailable => again(backoff),
        Cause::Unauthorized | Cause::NotFound | Cause::Invalid => Next::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_answer() {
        let patience = Patience::default();
        let limited = Cause::RateLimited { retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(next(limited, 1, patience), Next::Again(Duration::from_secs(7)));
        assert_eq!(next(Cause::TimedOut, 3, patience), Next::Again(Duration::from_secs(4)));
        assert_eq!(next(Cause::TimedOut, 5, patience), Next::GiveUp);
        assert_eq!(next(Cause::NoCapacity, 1, patience), Next::OtherCandidate);
        assert_eq!(next(Cause::Unauthorized, 1, patience), Next::GiveUp);
    }

    #[test]
    fn a_provider_cannot_make_us_wait_for_ever() {
        let limited = Cause::RateLimited { retry_after: Some(Duration::from_secs(1 << 40)) };
        assert_eq!(next(limited, 1, Patience::default()), Next::Again(Duration::from_secs(60)));
    }
}
