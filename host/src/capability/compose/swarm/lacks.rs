//! What of a model a stack does not carry: refused by name, or said where only its order or its name is lost.

use crate::capability::compose::model::{Model, MountKind, Service};
use crate::capability::compose::state::Wanted;

/// Completes what is wanted for a swarm: what it lacks, and how it changes services.
pub(in crate::capability::compose) fn complete(model: &Model, wanted: &mut Wanted) {
    wanted.idle.clear();
    for (kind, sources) in [("config", &model.configs), ("secret", &model.secrets)] {
        let driven = sources.iter().filter(|(_, source)| source.driver.is_some());
        wanted.unsupported.extend(driven.map(|(name, _)| format!("{kind} {name}, key driver: not supported yet")));
    }
    for (name, service) in &model.services {
        let key = |(key, why): (&str, String)| format!("service {name}, key {key}: {why}");
        wanted.unsupported.extend(lacks(service).map(key));
        wanted.idle.extend(idle(service).map(key));
        if let Some(planned) = wanted.version.services.get_mut(name) {
            planned.shares.clear();
            planned.stop_first = (!super::spec::starts_first(service))
                .then(|| "a swarm does so unless `update_config.order` says `start-first`".to_owned());
        }
    }
}

fn lacks(service: &Service) -> impl Iterator<Item = (&'static str, String)> {
    let deploy = &service.deploy;
    let mode = deploy.mode.as_deref().unwrap_or("replicated");
    let none = "a swarm has nothing of the kind";
    let limits = [&deploy.resources.limits, &deploy.resources.reservations];
    let is_more = |option: &String| !option.starts_with("no-new-privileges");
    let lacks = [
        ("privileged", service.privileged),
        ("network_mode", service.network_mode.is_some()),
        ("pid", service.pid.is_some()),
        ("ipc", service.ipc.is_some()),
        ("uts", service.uts.is_some()),
        ("userns_mode", service.userns_mode.is_some()),
        ("cgroup", service.cgroup.is_some()),
        ("cgroup_parent", service.cgroup_parent.is_some()),
        ("devices", !service.devices.is_empty()),
        ("device_cgroup_rules", !service.device_cgroup_rules.is_empty()),
        ("gpus", !service.gpus.is_empty() || limits.iter().any(|limits| !limits.devices.is_empty())),
        (
            "deploy.resources.reservations.generic_resources",
            limits.iter().any(|limits| !limits.generic_resources.is_empty()),
        ),
        ("links", !service.links.is_empty()),
        ("external_links", !service.external_links.is_empty()),
        ("volumes_from", !service.volumes_from.is_empty()),
        ("volumes", service.volumes.iter().any(|mount| mount.kind == MountKind::Image)),
        ("security_opt", service.security_opt.iter().any(is_more)),
        ("storage_opt", !service.storage_opt.is_empty()),
        ("runtime", service.runtime.is_some()),
        ("isolation", service.isolation.is_some()),
        ("platform", service.platform.is_some()),
        ("mac_address", service.mac_address.is_some()),
        ("domainname", service.domainname.is_some()),
        ("annotations", !service.annotations.is_empty()),
        ("shm_size", service.shm_size.is_some()),
        ("memswap_limit", service.memswap_limit.is_some()),
        ("mem_swappiness", service.mem_swappiness.is_some()),
        ("oom_kill_disable", service.oom_kill_disable),
        ("blkio_config", service.blkio_config.is_some()),
        ("cpu_shares", service.cpu_shares.is_some()),
        ("cpu_count", service.cpu_count.is_some()),
        ("cpu_percent", service.cpu_percent.is_some()),
        ("cpu_period", service.cpu_period.is_some()),
        ("cpu_quota", service.cpu_quota.is_some()),
        ("cpu_rt_period", service.cpu_rt_period.is_some()),
        ("cpu_rt_runtime", service.cpu_rt_runtime.is_some()),
        ("cpuset", service.cpuset.is_some()),
        ("post_start", !service.post_start.is_empty()),
        ("pre_stop", !service.pre_stop.is_empty()),
    ];
    let lacks = lacks.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| (key, none.to_owned()));
    let others = [
        (mode != "replicated" && mode != "global")
            .then(|| ("deploy.mode", format!("{mode:?} is not supported yet, `replicated` and `global` are"))),
        service
            .ports
            .iter()
            .find(|port| port.host_ip.as_deref().is_some_and(|ip| !["", "0.0.0.0"].contains(&ip)))
            .map(|_| ("ports", "a swarm publishes a port at every address, not at one".to_owned())),
        service
            .ports
            .iter()
            .find(|port| port.published.as_deref().is_some_and(|published| published.contains('-')))
            .map(|_| ("ports", "a swarm publishes one port, not one of a range".to_owned())),
        service
            .networks
            .values()
            .flatten()
            .find(|attachment| attachment.ipv4_address.is_some() || attachment.ipv6_address.is_some())
            .map(|_| ("networks", "a swarm gives addresses itself".to_owned())),
    ];
    lacks.chain(others.into_iter().flatten())
}

fn idle(service: &Service) -> impl Iterator<Item = (&'static str, String)> {
    let build = "other nodes of the swarm do not get the image that is built here";
    let idle = [
        ("container_name", service.container_name.is_some(), "a swarm names containers itself"),
        ("build", service.build.is_some(), build),
        ("expose", !service.expose.is_empty(), "means nothing in a swarm"),
    ];
    idle.into_iter().filter(|(_, is_there, _)| *is_there).map(|(key, _, why)| (key, why.to_owned()))
}
