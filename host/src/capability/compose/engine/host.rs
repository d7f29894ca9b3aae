//! What a container gets of the host, and how it is set apart from it.

use bollard::models::{
    HostConfig, HostConfigCgroupnsModeEnum, HostConfigIsolationEnum, HostConfigLogConfig, RestartPolicy,
    RestartPolicyNameEnum,
};

use super::Up;
use super::body::Given;
use crate::capability::ApplyError;
use crate::capability::compose::model::Service;

impl Up<'_> {
    pub(super) fn host_config(&self, service: &Service, given: &Given<'_>) -> Result<HostConfig, ApplyError> {
        let mounts = self.mounts(service, given.former);
        let network = self.attachments(service).next().map(|(name, _)| name.to_owned());
        let (security_opt, unconfined) = self.security(service)?;
        let config = HostConfig {
            binds: Some(mounts.binds),
            mounts: Some(mounts.mounts),
            tmpfs: Some(service.tmpfs.iter().map(|tmpfs| pair(tmpfs)).collect()),
            volume_driver: service.volume_driver.clone(),
            volumes_from: Some(given.shares.volumes_from.clone()),
            network_mode: given.shares.network_mode.clone().or(network).or_else(|| Some("none".to_owned())),
            port_bindings: Some(super::endpoint::port_bindings(&service.ports)),
            links: Some(given.shares.links.clone()),
            restart_policy: Some(restart(service)),
            log_config: service.logging.driver.as_ref().map(|driver| HostConfigLogConfig {
                typ: Some(driver.clone()),
                config: Some(service.logging.options.clone().into_iter().collect()),
            }),
            annotations: (!service.annotations.is_empty()).then(|| service.annotations.clone().into_iter().collect()),
            cap_add: Some(service.cap_add.clone()),
            cap_drop: Some(service.cap_drop.clone()),
            dns: Some(service.dns.clone()),
            dns_search: Some(service.dns_search.clone()),
            dns_options: Some(service.dns_opt.clone()),
            extra_hosts: Some(service.extra_hosts.iter().map(|host| host.replacen('=', ":", 1)).collect()),
            group_add: Some(service.group_add.clone()),
            init: service.init,
            ipc_mode: given.shares.ipc.clone(),
            pid_mode: given.shares.pid.clone(),
            uts_mode: service.uts.clone(),
            userns_mode: service.userns_mode.clone(),
            cgroupns_mode: service.cgroup.as_deref().map(cgroup_namespace),
            runtime: service.runtime.clone(),
            isolation: service.isolation.as_deref().and_then(isolation),
            privileged: Some(service.privileged),
            readonly_rootfs: Some(service.read_only),
            security_opt: Some(security_opt),
            masked_paths: unconfined.then(Vec::new),
            readonly_paths: unconfined.then(Vec::new),
            storage_opt: (!service.storage_opt.is_empty()).then(|| service.storage_opt.clone().into_iter().collect()),
            sysctls: Some(service.sysctls.clone().into_iter().collect()),
            shm_size: service.shm_size,
            oom_score_adj: service.oom_score_adj,
            ..HostConfig::default()
        };
        Ok(super::resources::limited(service, config))
    }

    /// Security options as the engine takes them: the profile itself in place of its file, and whether the paths of
    /// the system are to be as they are.
    fn security(&self, service: &Service) -> Result<(Vec<String>, bool), ApplyError> {
        let mut options = Vec::new();
        let mut unconfined = false;
        for option in &service.security_opt {
            let (name, value) = option.split_once('=').or_else(|| option.split_once(':')).unwrap_or((option, ""));
            match (name, value) {
                ("systempaths", "unconfined") => unconfined = true,
                ("seccomp", file) if !["unconfined", "builtin"].contains(&file) => {
                    options.push(format!("seccomp={}", self.profile(file)?));
                }
                _ => options.push(option.clone()),
            }
        }
        Ok((options, unconfined))
    }

    fn profile(&self, file: &str) -> Result<serde_json::Value, ApplyError> {
        let path = self.lasting.join(file);
        let text = std::fs::read(&path).map_err(|error| self.refused(format!("cannot read {file}: {error}")))?;
        let not_json = |error| self.refused(format!("{file} is not a seccomp profile: {error}"));
        serde_json::from_slice(&text).map_err(not_json)
    }
}

fn restart(service: &Service) -> RestartPolicy {
    let (mut name, mut count) = service.restart.as_deref().map_or(("", None), |policy| match policy.split_once(':') {
        Some((name, count)) => (name, count.parse().ok()),
        None => (policy, None),
    });
    if let Some(policy) = &service.deploy.restart_policy {
        (name, count) = (policy.condition.as_deref().unwrap_or_default(), policy.max_attempts);
    }
    let name = match name {
        "always" | "any" => RestartPolicyNameEnum::ALWAYS,
        "unless-stopped" => RestartPolicyNameEnum::UNLESS_STOPPED,
        "on-failure" => RestartPolicyNameEnum::ON_FAILURE,
        "no" | "none" => RestartPolicyNameEnum::NO,
        _ => RestartPolicyNameEnum::EMPTY,
    };
    RestartPolicy { name: Some(name), maximum_retry_count: count }
}

fn cgroup_namespace(mode: &str) -> HostConfigCgroupnsModeEnum {
    match mode {
        "host" => HostConfigCgroupnsModeEnum::HOST,
        "private" => HostConfigCgroupnsModeEnum::PRIVATE,
        _ => HostConfigCgroupnsModeEnum::EMPTY,
    }
}

fn isolation(name: &str) -> Option<HostConfigIsolationEnum> {
    match name {
        "default" => Some(HostConfigIsolationEnum::DEFAULT),
        "process" => Some(HostConfigIsolationEnum::PROCESS),
        "hyperv" => Some(HostConfigIsolationEnum::HYPERV),
        _ => None,
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    (name.to_owned(), value.to_owned())
}
