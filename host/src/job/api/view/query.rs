//! What is asked for in the query of an address.

use serde::Deserialize;
use utoipa::IntoParams;

use super::JobState;
use crate::job::api::number::{maybe_natural, natural};
use crate::repo::Name;

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::job::api) struct Wanted {
    /// Only those of this policy.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    pub(in crate::job::api) policy: Option<Name>,
    /// Only those in this state.
    pub(in crate::job::api) state: Option<JobState>,
    /// Only those submitted before this one: the `next` of the page before.
    #[serde(default, deserialize_with = "maybe_natural")]
    pub(in crate::job::api) before: Option<u64>,
    /// How many at most.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(in crate::job::api) limit: u32,
}

/// Which lines of a log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::job::api) struct Lines {
    /// The number of the first one: the `next` of the page before.
    #[serde(default, deserialize_with = "natural")]
    pub(in crate::job::api) from: u64,
    /// How many at most.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(in crate::job::api) limit: u32,
}

fn hundred() -> u32 {
    100
}
