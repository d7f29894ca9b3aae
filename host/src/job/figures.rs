//! What this process counts for Prometheus. What the queue knows is asked when somebody looks, and is not counted here.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use stead_queue::{Cause, Outcome};

/// Names and values of labels.
pub(super) type Labels<const N: usize> = [(&'static str, String); N];

/// From a job that does next to nothing to one that takes all day, in seconds.
const ATTEMPT: [f64; 12] = [0.1, 1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0];
const REQUEST: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0];

/// Counts since this process began. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    attempts: Family<Labels<2>, Counter>,
    durations: Family<Labels<1>, Histogram>,
    destroyed: Family<Labels<1>, Counter>,
    not_destroyed: Family<Labels<1>, Counter>,
    not_listed: Family<Labels<1>, Counter>,
    requests: Family<Labels<3>, Counter>,
    answers: Family<Labels<2>, Histogram>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            attempts: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(ATTEMPT)),
            destroyed: Family::default(),
            not_destroyed: Family::default(),
            not_listed: Family::default(),
            requests: Family::default(),
            answers: Family::new_with_constructor(|| Histogram::new(REQUEST)),
        }
    }
}

impl Figures {
    /// An attempt of this process has ended.
    pub(super) fn attempt(&self, policy: &str, outcome: &Outcome, took: Duration) {
        self.outcome(policy, word(outcome));
        self.durations.get_or_create(&[("policy", policy.to_owned())]).observe(took.as_secs_f64());
    }

    /// An attempt turned out to be lost: whoever worked on it cannot say so.
    pub(super) fn lost(&self, policy: &str) {
        self.outcome(policy, Cause::WorkerLost.word());
    }

    fn outcome(&self, policy: &str, outcome: &str) {
        self.attempts.get_or_create(&[("policy", policy.to_owned()), ("outcome", outcome.to_owned())]).inc();
    }

    /// A round of the reaper has ended.
    pub(super) fn reaped(&self, provider: &str, destroyed: usize, failed: usize) {
        let count = |family: &Family<Labels<1>, Counter>, many: usize| {
            family.get_or_create(&[("provider", provider.to_owned())]).inc_by(many as u64);
        };
        count(&self.destroyed, destroyed);
        count(&self.not_destroyed, failed);
    }

    /// A provider did not say which machines it has.
    pub(super) fn not_listed(&self, provider: &str) {
        self.not_listed.get_or_create(&[("provider", provider.to_owned())]).inc();
    }

    /// A request was answered, or its answer has begun.
    pub(super) fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let [method, route] = [("method", method.to_owned()), ("route", route.to_owned())];
        self.requests.get_or_create(&[method.clone(), route.clone(), ("status", status.to_string())]).inc();
        self.answers.get_or_create(&[method, route]).observe(took.as_secs_f64());
    }

    /// Puts all of them on show.
    pub(super) fn register(&self, registry: &mut Registry) {
        let Self { attempts, durations, destroyed, not_destroyed, not_listed, requests, answers } = self.clone();
        registry.register("stead_job_attempts", "Attempts of jobs that ended, by outcome", attempts);
        registry.register("stead_job_attempt_duration_seconds", "How long attempts took", durations);
        registry.register("stead_reaper_destroyed", "Machines destroyed that no job owned", destroyed);
        registry.register("stead_reaper_failures", "Machines that no job owned and that stayed", not_destroyed);
        registry.register("stead_reaper_unanswered", "Rounds without a list of machines", not_listed);
        registry.register("stead_http_requests", "Requests to the API", requests);
        registry.register("stead_http_request_duration_seconds", "Time until an answer began", answers);
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded { .. } => "succeeded",
        Outcome::Failed { cause, .. } => cause.word(),
        Outcome::Cancelled => "cancelled",
        Outcome::Released => "released",
    }
}
