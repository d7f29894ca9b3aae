//! From a service to the request that makes its container.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, DeviceMapping, EndpointIpamConfig, EndpointSettings, HealthConfig,
    HostConfig, HostConfigLogConfig, PortBinding, PortMap, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use super::Up;
use crate::capability::compose::model::{Attachment, HealthCheck, Port, Service, Ulimit};

impl Up<'_> {
    pub(super) fn body(
        &self,
        service: &Service,
        image: &str,
        labels: HashMap<String, String>,
        former: Option<&ContainerInspectResponse>,
    ) -> ContainerCreateBody {
        let env = service.environment.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        });
        let published = service.ports.iter().map(container_port);
        let exposed =
            service.expose.iter().map(|port| if port.contains('/') { port.clone() } else { format!("{port}/tcp") });
        ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: service.command.clone(),
            entrypoint: service.entrypoint.clone(),
            env: Some(env.collect()),
            labels: Some(labels),
            hostname: service.hostname.clone(),
            domainname: service.domainname.clone(),
            user: service.user.clone(),
            working_dir: service.working_dir.clone(),
            tty: Some(service.tty),
            open_stdin: Some(service.stdin_open),
            stdin_once: Some(false),
            attach_stdin: Some(false),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            exposed_ports: Some(published.chain(exposed).collect()),
            healthcheck: service.healthcheck.as_ref().map(health),
            stop_signal: service.stop_signal.clone(),
            stop_timeout: service.stop_grace_period.map(seconds),
            host_config: Some(self.host_config(service, former)),
            ..ContainerCreateBody::default()
        }
    }

    fn host_config(&self, service: &Service, former: Option<&ContainerInspectResponse>) -> HostConfig {
        let mounts = self.mounts(service, former);
        let limits = &service.deploy.resources.limits;
        let network = self.attachments(service).next().map(|(name, _)| name.to_owned());
        HostConfig {
            binds: Some(mounts.binds),
            mounts: Some(mounts.mounts),
            tmpfs: Some(service.tmpfs.iter().map(|tmpfs| pair(tmpfs, ':')).collect()),
            network_mode: service.network_mode.clone().or(network).or_else(|| Some("none".to_owned())),
            port_bindings: Some(port_bindings(&service.ports)),
            restart_policy: Some(restart(service.restart.as_deref())),
            log_config: service.logging.driver.as_ref().map(|driver| HostConfigLogConfig {
                typ: Some(driver.clone()),
                config: Some(service.logging.options.clone().into_iter().collect()),
            }),
            cap_add: Some(service.cap_add.clone()),
            cap_drop: Some(service.cap_drop.clone()),
            devices: Some(service.devices.iter().map(device).collect()),
            dns: Some(service.dns.clone()),
            dns_search: Some(service.dns_search.clone()),
            dns_options: Some(service.dns_opt.clone()),
            extra_hosts: Some(service.extra_hosts.iter().map(|host| host.replacen('=', ":", 1)).collect()),
            group_add: Some(service.group_add.clone()),
            init: service.init,
            ipc_mode: service.ipc.clone(),
            pid_mode: service.pid.clone(),
            privileged: Some(service.privileged),
            readonly_rootfs: Some(service.read_only),
            security_opt: Some(service.security_opt.clone()),
            sysctls: Some(service.sysctls.clone().into_iter().collect()),
            ulimits: Some(service.ulimits.iter().map(ulimit).collect()),
            shm_size: service.shm_size,
            cpu_shares: service.cpu_shares,
            cpuset_cpus: service.cpuset.clone(),
            nano_cpus: limits.cpus.or(service.cpus),
            memory: limits.memory.or(service.mem_limit),
            memory_swap: service.memswap_limit,
            memory_reservation: service.deploy.resources.reservations.memory.or(service.mem_reservation),
            pids_limit: limits.pids.or(service.pids_limit),
            ..HostConfig::default()
        }
    }

    /// The networks of a service by their names in Docker, the most important first.
    pub(super) fn attachments<'s>(
        &'s self,
        service: &'s Service,
    ) -> impl Iterator<Item = (&'s str, Option<&'s Attachment>)> {
        let own = service.networks.iter().filter(|_| service.network_mode.is_none());
        let mut attachments: Vec<_> = own.map(|(key, attachment)| (key, attachment.as_ref())).collect();
        attachments.sort_by_key(|(key, attachment)| (-attachment.map_or(0, |attachment| attachment.priority), *key));
        let named =
            |(key, attachment): (&'s String, _)| Some((self.model.networks.get(key)?.name.as_str(), attachment));
        attachments.into_iter().filter_map(named)
    }
}

/// How a container called `container` is in a network.
pub(super) fn endpoint(container: &str, service: &str, attachment: Option<&Attachment>) -> EndpointSettings {
    let none = Attachment::default();
    let attachment = attachment.unwrap_or(&none);
    let addresses = attachment.ipv4_address.is_some() || attachment.ipv6_address.is_some();
    let own = [container.to_owned(), service.to_owned()].into_iter();
    EndpointSettings {
        aliases: Some(own.chain(attachment.aliases.iter().cloned()).collect()),
        ipam_config: addresses.then(|| EndpointIpamConfig {
            ipv4_address: attachment.ipv4_address.clone(),
            ipv6_address: attachment.ipv6_address.clone(),
            ..EndpointIpamConfig::default()
        }),
        ..EndpointSettings::default()
    }
}

fn container_port(port: &Port) -> String {
    format!("{}/{}", port.target, port.protocol.as_deref().unwrap_or("tcp"))
}

fn port_bindings(ports: &[Port]) -> PortMap {
    let mut bindings: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
    for port in ports {
        bindings.entry(container_port(port)).or_default().push(PortBinding {
            host_ip: Some(port.host_ip.clone().unwrap_or_default()),
            host_port: Some(port.published.clone().unwrap_or_default()),
        });
    }
    bindings.into_iter().map(|(port, bindings)| (port, Some(bindings))).collect()
}

fn restart(policy: Option<&str>) -> RestartPolicy {
    let (name, count) = policy.map_or(("", None), |policy| match policy.split_once(':') {
        Some((name, count)) => (name, count.parse().ok()),
        None => (policy, None),
    });
    let name = match name {
        "always" => RestartPolicyNameEnum::ALWAYS,
        "unless-stopped" => RestartPolicyNameEnum::UNLESS_STOPPED,
        "on-failure" => RestartPolicyNameEnum::ON_FAILURE,
        "no" => RestartPolicyNameEnum::NO,
        _ => RestartPolicyNameEnum::EMPTY,
    };
    RestartPolicy { name: Some(name), maximum_retry_count: count }
}

fn health(check: &HealthCheck) -> HealthConfig {
    if check.disable {
        return HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() };
    }
    HealthConfig {
        test: check.test.clone(),
        interval: check.interval.map(nanoseconds),
        timeout: check.timeout.map(nanoseconds),
        retries: check.retries,
        start_period: check.start_period.map(nanoseconds),
        start_interval: check.start_interval.map(nanoseconds),
    }
}

fn device(device: &crate::capability::compose::model::Device) -> DeviceMapping {
    DeviceMapping {
        path_on_host: Some(device.source.clone()),
        path_in_container: Some(device.target.clone()),
        cgroup_permissions: Some(device.permissions.clone()),
    }
}

fn ulimit((name, limit): (&String, &Ulimit)) -> ResourcesUlimits {
    let (soft, hard) = match *limit {
        Ulimit::Both(limit) => (limit, limit),
        Ulimit::Each { soft, hard } => (soft, hard),
    };
    ResourcesUlimits { name: Some(name.clone()), soft: Some(soft), hard: Some(hard) }
}

fn pair(text: &str, at: char) -> (String, String) {
    let (name, value) = text.split_once(at).unwrap_or((text, ""));
    (name.to_owned(), value.to_owned())
}

/// Docker counts in whole numbers that no deployment exceeds.
fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
