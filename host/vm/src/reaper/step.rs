//! One round of the reaper's loop, and what it remembers between rounds: who could not be destroyed, and when to try again.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::{Doomed, LiveAttempts, Rules, decide};
use crate::machine::Vm;
use crate::name::VmName;
use crate::provider::{Cause, Provider, ProviderError};

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The reaper at one provider. Losing it loses nothing: the next one tries at once.
#[derive(Debug)]
pub struct Reaper {
    rules: Rules,
    failures: BTreeMap<VmName, Failure>,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    times: u32,
    not_before: SystemTime,
}

/// What one round did.
#[derive(Debug, Default)]
pub struct Round {
    pub destroyed: Vec<Doomed>,
    pub failed: Vec<Failed>,
    /// Doomed machines that were not tried in this round, because they failed shortly before.
    pub waiting: usize,
}

/// A machine that is still there.
#[derive(Debug)]
pub struct Failed {
    pub doomed: Doomed,
    pub error: ProviderError,
    /// How often in a row.
    pub times: u32,
}

impl Reaper {
    pub fn new(rules: Rules) -> Self {
        Self { rules, failures: BTreeMap::new() }
    }

    /// Lists, then asks `live` which attempts live, then destroys. One machine that cannot be destroyed holds up no other,
    /// except when the provider wants no more calls now.
    ///
    /// # Errors
    /// When there is no list, or `live` does not know: nothing is destroyed then.
    pub async fn round<E>(
        &mut self,
        provider: &dyn Provider,
        live: impl AsyncFnOnce() -> Result<LiveAttempts, E>,
        now: SystemTime,
    ) -> Result<Round, E>
    where
        E: From<ProviderError>,
    {
        let listed = provider.list().await?;
        let live = live().await?;
        Ok(self.destroy_all(provider, &listed, &live, now).await)
    }

    /// The rest of a round, for who has listed the machines first and then asked which attempts live.
    pub async fn destroy_all(
        &mut self,
        provider: &dyn Provider,
        listed: &[Vm],
        live: &LiveAttempts,
        now: SystemTime,
    ) -> Round {
        let doomed = decide(listed, live, now, self.rules);
        self.failures.retain(|name, _| doomed.iter().any(|doomed| doomed.name == *name));
        let mut round = Round::default();
        let mut all = doomed.into_iter();
        for doomed in all.by_ref() {
            if self.failures.get(&doomed.name).is_some_and(|failure| now < failure.not_before) {
                round.waiting += 1;
                continue;
            }
            if self.destroy(provider, doomed, now, &mut round).await.is_break() {
                break;
            }
        }
        round.waiting += all.len();
        round
    }

    async fn destroy(
        &mut self,
        provider: &dyn Provider,
        doomed: Doomed,
        now: SystemTime,
        round: &mut Round,
    ) -> std::ops::ControlFlow<()> {
        let Err(error) = provider.destroy(&doomed.name).await else {
            self.failures.remove(&doomed.name);
            round.destroyed.push(doomed);
            return std::ops::ControlFlow::Continue(());
        };
        let times = self.failures.get(&doomed.name).map_or(0, |failure| failure.times) + 1;
        let not_before = now + pause(error.cause, times);
        self.failures.insert(doomed.name.clone(), Failure { times, not_before });
        let is_limited = matches!(error.cause, Cause::RateLimited { .. });
        round.failed.push(Failed { doomed, error, times });
        if is_limited { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    }
}

fn pause(cause: Cause, times: u32) -> Duration {
    let backoff = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(times.saturating_sub(1)));
    let asked = match cause {
        Cause::RateLimited { retry_after } => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    backoff.max(asked).min(LONGEST_PAUSE)
}
