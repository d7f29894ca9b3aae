//! How much a task gets, where it may run, and how tasks give way to new ones.

use bollard::models::{
    Limit, ResourceObject, ResourcesUlimits, ServiceSpecRollbackConfig, ServiceSpecRollbackConfigFailureActionEnum,
    ServiceSpecRollbackConfigOrderEnum, ServiceSpecUpdateConfig, ServiceSpecUpdateConfigFailureActionEnum,
    ServiceSpecUpdateConfigOrderEnum, TaskSpecPlacement, TaskSpecPlacementPreferences, TaskSpecPlacementSpread,
    TaskSpecResources, TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};

use super::spec::nanoseconds;
use crate::capability::compose::model::{Order, Service, Ulimit, UpdateConfig};

/// The pause before a task is tried again, as `docker stack deploy` has it.
const DELAY: i64 = 5_000_000_000;

pub(super) fn resources(service: &Service) -> TaskSpecResources {
    let (limits, reserved) = (&service.deploy.resources.limits, &service.deploy.resources.reservations);
    TaskSpecResources {
        limits: Some(Limit {
            nano_cpus: limits.cpus.or(service.cpus),
            memory_bytes: limits.memory.or(service.mem_limit),
            pids: limits.pids.or(service.pids_limit),
        }),
        reservations: Some(ResourceObject {
            nano_cpus: reserved.cpus,
            memory_bytes: reserved.memory.or(service.mem_reservation),
            generic_resources: None,
        }),
        ..TaskSpecResources::default()
    }
}

/// Without a policy of its own a service is restarted as `restart` says, and always where that says nothing.
pub(super) fn restart(service: &Service) -> TaskSpecRestartPolicy {
    let policy = service.deploy.restart_policy.as_ref();
    let own = service.restart.as_deref().unwrap_or("any");
    let (own, count) = own.split_once(':').unwrap_or((own, ""));
    let condition = policy.and_then(|policy| policy.condition.as_deref()).unwrap_or(own);
    TaskSpecRestartPolicy {
        condition: Some(match condition {
            "no" | "none" => TaskSpecRestartPolicyConditionEnum::NONE,
            "on-failure" => TaskSpecRestartPolicyConditionEnum::ON_FAILURE,
            _ => TaskSpecRestartPolicyConditionEnum::ANY,
        }),
        delay: Some(policy.and_then(|policy| policy.delay).map_or(DELAY, nanoseconds)),
        max_attempts: Some(policy.and_then(|policy| policy.max_attempts).or(count.parse().ok()).unwrap_or(0)),
        window: policy.and_then(|policy| policy.window).map(nanoseconds),
    }
}

pub(super) fn placement(service: &Service) -> TaskSpecPlacement {
    let placement = &service.deploy.placement;
    let spread = |preference: &serde_json::Value| {
        let spread_descriptor = preference.get("spread")?.as_str().map(str::to_owned);
        Some(TaskSpecPlacementPreferences { spread: Some(TaskSpecPlacementSpread { spread_descriptor }) })
    };
    TaskSpecPlacement {
        constraints: (!placement.constraints.is_empty()).then(|| placement.constraints.clone()),
        preferences: (!placement.preferences.is_empty())
            .then(|| placement.preferences.iter().filter_map(spread).collect()),
        max_replicas: placement.max_replicas_per_node.and_then(|most| i64::try_from(most).ok()),
        platforms: None,
    }
}

pub(super) fn ulimits(service: &Service) -> Option<Vec<ResourcesUlimits>> {
    let one = |(name, limit): (&String, &Ulimit)| {
        let (soft, hard) = match limit {
            Ulimit::Both(both) => (*both, *both),
            Ulimit::Each { soft, hard } => (*soft, *hard),
        };
        ResourcesUlimits { name: Some(name.clone()), soft: Some(soft), hard: Some(hard) }
    };
    (!service.ulimits.is_empty()).then(|| service.ulimits.iter().map(one).collect())
}

pub(super) fn update(config: &UpdateConfig) -> ServiceSpecUpdateConfig {
    ServiceSpecUpdateConfig {
        parallelism: Some(config.parallelism.unwrap_or(1).into()),
        delay: config.delay.map(nanoseconds),
        failure_action: config.failure_action.as_deref().map(|action| match action {
            "continue" => ServiceSpecUpdateConfigFailureActionEnum::CONTINUE,
            "rollback" => ServiceSpecUpdateConfigFailureActionEnum::ROLLBACK,
            _ => ServiceSpecUpdateConfigFailureActionEnum::PAUSE,
        }),
        monitor: config.monitor.map(nanoseconds),
        max_failure_ratio: config.max_failure_ratio.map(f64::from),
        order: config.order.map(|order| match order {
            Order::StartFirst => ServiceSpecUpdateConfigOrderEnum::START_FIRST,
            Order::StopFirst => ServiceSpecUpdateConfigOrderEnum::STOP_FIRST,
        }),
    }
}

pub(super) fn rollback(config: &UpdateConfig) -> ServiceSpecRollbackConfig {
    ServiceSpecRollbackConfig {
        parallelism: Some(config.parallelism.unwrap_or(1).into()),
        delay: config.delay.map(nanoseconds),
        failure_action: config.failure_action.as_deref().map(|action| match action {
            "continue" => ServiceSpecRollbackConfigFailureActionEnum::CONTINUE,
            _ => ServiceSpecRollbackConfigFailureActionEnum::PAUSE,
        }),
        monitor: config.monitor.map(nanoseconds),
        max_failure_ratio: config.max_failure_ratio.map(f64::from),
        order: config.order.map(|order| match order {
            Order::StartFirst => ServiceSpecRollbackConfigOrderEnum::START_FIRST,
            Order::StopFirst => ServiceSpecRollbackConfigOrderEnum::STOP_FIRST,
        }),
    }
}
