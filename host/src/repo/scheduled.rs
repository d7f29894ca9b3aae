//! `[job.NAME]`: a job that is submitted whenever its schedule says.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use toml::Spanned;

use super::error::{Fault, Problem};
use super::parse::{Item, config, read};
use super::{Name, Policy};
use crate::job::Schedule;
use crate::policy::duration;

/// `[job.NAME]`.
#[derive(Clone, Debug)]
pub struct ScheduledJob {
    pub name: Name,
    /// What runs.
    pub policy: Name,
    pub schedule: Schedule,
    pub input: Map<String, Value>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often it is tried at most.
    pub attempts: NonZeroU32,
    pub priority: i32,
    /// How many of this name may run at once; none: any number.
    pub at_once: Option<NonZeroU32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    policy: Option<Spanned<Name>>,
    schedule: Spanned<String>,
    #[serde(default = "utc")]
    time_zone: Spanned<String>,
    #[serde(default, rename = "input")]
    _input: Option<IgnoredAny>,
    #[serde(default = "two_hours", with = "duration")]
    timeout: Duration,
    #[serde(default = "three")]
    attempts: NonZeroU32,
    #[serde(default)]
    priority: i32,
    at_once: Option<NonZeroU32>,
}

fn utc() -> Spanned<String> {
    Spanned::new(0..0, "UTC".to_owned())
}

fn two_hours() -> Duration {
    Duration::from_secs(2 * 60 * 60)
}

fn three() -> NonZeroU32 {
    const { NonZeroU32::MIN.saturating_add(2) }
}

/// Reads one table.
pub(super) fn job(name: Name, item: &Item<'_>, policies: &BTreeMap<Name, Policy>) -> Result<ScheduledJob, Fault> {
    let table: Table = read(item)?;
    let (policy, at) = match table.policy {
        Some(policy) => (policy.get_ref().clone(), policy.span()),
        None => (name.clone(), item.span()),
    };
    if !policies.contains_key(&policy) {
        let known = policies.keys().map(ToString::to_string).collect();
        return Err(Fault::new(at, Problem::UnknownPolicy { name: policy.to_string(), known }));
    }
    let zone = table.time_zone.get_ref().parse().map_err(|_| {
        let words = format!("there is no time zone {:?}: write it like Europe/Berlin", table.time_zone.get_ref());
        Fault::new(table.time_zone.span(), Problem::Value(words))
    })?;
    let schedule = Schedule::new(table.schedule.get_ref(), zone)
        .map_err(|error| Fault::new(table.schedule.span(), Problem::Value(error.to_string())))?;
    let input = config(item.get_ref().get("input"), &format!("job.{name}.input"))?;
    let Table { timeout, attempts, priority, at_once, .. } = table;
    Ok(ScheduledJob { name, policy, schedule, input, timeout, attempts, priority, at_once })
}
