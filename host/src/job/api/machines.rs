//! The machines of jobs, as the reaper saw them last: looking costs no call to a provider.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use serde::Serialize;
use stead_queue::{JobId, QueueError, Timestamp};
use stead_vm::machine::{State, Vm};
use utoipa::ToSchema;

use super::body::{Answer, json};
use super::call::Call;
use super::problem::Problem;
use super::view::instant;

/// The machines of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Machines {
    pub(super) machines: Vec<MachineView>,
    /// When each provider last said which machines it has.
    #[schema(value_type = BTreeMap<String, String>)]
    pub(super) seen: BTreeMap<String, String>,
}

/// A machine.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MachineView {
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) state: MachineState,
    pub(super) job: String,
    pub(super) run: u32,
    pub(super) size: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[schema(format = DateTime)]
    pub(super) created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<PriceView>,
}

/// What an hour costs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PriceView {
    pub(super) currency: String,
    /// In millionths.
    pub(super) micros_per_hour: u64,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MachineState {
    Starting,
    Running,
    Ended,
    Preempted,
    Remains,
}

/// The word for a state.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Starting => "starting",
        State::Running => "running",
        State::Ended => "ended",
        State::Preempted => "preempted",
        State::Remains => "remains",
    }
}

/// List the machines of jobs that the token may touch, as they were within the last minute.
#[utoipa::path(get, path = "/v1/machines", tag = "machines",
    responses((status = 200, description = "All of them", body = Machines), super::document::Problems),
    security(("token" = ["machines"])))]
pub(super) async fn list(call: Call) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &seen(&call).await?))
}

/// Those of the jobs that the token may touch.
pub(super) async fn seen(call: &Call) -> Result<Machines, Problem> {
    let (mut machines, mut seen) = (Vec::new(), BTreeMap::new());
    for (provider, listed) in call.api.service.seen.all() {
        seen.insert(provider.clone(), at(listed.at));
        for vm in &listed.machines {
            if is_visible(call, vm).await? {
                machines.push(view(&provider, vm));
            }
        }
    }
    Ok(Machines { machines, seen })
}

/// A machine whose job is not there belongs to whoever may touch all jobs.
async fn is_visible(call: &Call, vm: &Vm) -> Result<bool, Problem> {
    let Ok(number) = vm.owner().job.parse() else { return Ok(false) };
    match call.api.service.store.queue.job(JobId::from_number(number)).await {
        Ok(job) => Ok(call.covers(job.name.as_str())),
        Err(QueueError::NoSuchJob(_)) => Ok(call.covers("")),
        Err(error) => Err(error.into()),
    }
}

fn view(provider: &str, vm: &Vm) -> MachineView {
    let state = match vm.state {
        State::Starting => MachineState::Starting,
        State::Running => MachineState::Running,
        State::Ended => MachineState::Ended,
        State::Preempted => MachineState::Preempted,
        State::Remains => MachineState::Remains,
    };
    let price = vm.price.as_ref();
    MachineView {
        name: vm.name.as_str().to_owned(),
        provider: provider.to_owned(),
        state,
        job: vm.owner().job.clone(),
        run: vm.owner().attempt,
        size: vm.size.clone(),
        region: vm.region.clone(),
        created: at(vm.created),
        price: price
            .map(|price| PriceView { currency: price.currency.clone(), micros_per_hour: price.micros_per_hour }),
    }
}

fn at(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    instant(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}
