//! Why a provider did not do what it was asked, by what can be done about it.

use std::time::Duration;

/// A call to a provider failed.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct ProviderError {
    pub cause: Cause,
    /// For people; never a secret.
    pub words: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a caller decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Not here, not now: another size or region may have room.
    NoCapacity,
    /// This account may not have more of it here.
    Quota,
    /// Too many calls; the time is what the provider asked for.
    RateLimited { retry_after: Option<Duration> },
    /// The provider took the machine back while it was being made.
    Preempted,
    /// The token is wrong, or may not do this.
    Unauthorized,
    /// An image, a size or a region that the provider does not have.
    NotFound,
    /// No answer in time: unknown whether it was done.
    TimedOut,
    /// The request can never be served as it is.
    Invalid,
    /// The provider failed; the same call may succeed later.
    Unavailable,
}

impl ProviderError {
    pub fn new(cause: Cause, words: impl Into<String>) -> Self {
        Self { cause, words: words.into(), source: None }
    }

    /// With the error below it, whose words are appended.
    pub fn because(
        cause: Cause,
        what: impl std::fmt::Display,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self { cause, words: format!("{what}: {source}"), source: Some(source) }
    }
}
