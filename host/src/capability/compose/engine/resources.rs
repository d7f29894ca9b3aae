//! What a container may take of the machine: processors, memory, devices.

use bollard::models::{
    DeviceMapping, DeviceRequest as Request, HostConfig, ResourcesBlkioWeightDevice, ResourcesUlimits, ThrottleDevice,
};

use crate::capability::compose::model::{Blkio, Device, DeviceRequest, Rate, Service, Ulimit, Weight};

/// The host configuration with the limits of a service.
pub(super) fn limited(service: &Service, config: HostConfig) -> HostConfig {
    let (limits, reserved) = (&service.deploy.resources.limits, &service.deploy.resources.reservations);
    let (named, devices): (Vec<_>, Vec<_>) = service.devices.iter().partition(|device| device.is_cdi());
    let mapping = |device: &&Device| DeviceMapping {
        path_on_host: Some(device.source.clone()),
        path_in_container: Some(device.target.clone()),
        cgroup_permissions: Some(device.permissions.clone()),
    };
    let cdi = (!named.is_empty()).then(|| Request {
        driver: Some("cdi".to_owned()),
        device_ids: Some(named.iter().map(|device| device.source.clone()).collect()),
        ..Request::default()
    });
    let requests = reserved.devices.iter().map(|device| request(device, None)).chain(cdi);
    let requests = requests.chain(service.gpus.iter().map(|device| request(device, Some("gpu"))));
    let config = HostConfig {
        devices: Some(devices.iter().map(mapping).collect()),
        device_requests: Some(requests.collect()).filter(|requests: &Vec<_>| !requests.is_empty()),
        device_cgroup_rules: Some(service.device_cgroup_rules.clone()),
        cgroup_parent: service.cgroup_parent.clone(),
        cpu_count: service.cpu_count,
        cpu_percent: service.cpu_percent.map(hundredfold),
        cpu_period: service.cpu_period,
        cpu_quota: service.cpu_quota,
        cpu_realtime_period: service.cpu_rt_period,
        cpu_realtime_runtime: service.cpu_rt_runtime,
        cpu_shares: service.cpu_shares,
        cpuset_cpus: service.cpuset.clone(),
        nano_cpus: limits.cpus.or(service.cpus),
        memory: limits.memory.or(service.mem_limit),
        memory_swap: service.memswap_limit,
        memory_swappiness: service.mem_swappiness.filter(|swappiness| *swappiness != 0),
        memory_reservation: reserved.memory.or(service.mem_reservation),
        oom_kill_disable: Some(service.oom_kill_disable),
        pids_limit: limits.pids.or(service.pids_limit).filter(|limit| *limit != 0),
        ulimits: Some(service.ulimits.iter().map(ulimit).collect()),
        ..config
    };
    service.blkio_config.as_ref().map_or(config.clone(), |blkio| throttled(blkio, config))
}

fn throttled(blkio: &Blkio, config: HostConfig) -> HostConfig {
    let weight = |device: &Weight| ResourcesBlkioWeightDevice {
        path: Some(device.path.clone()),
        weight: Some(device.weight.into()),
    };
    HostConfig {
        blkio_weight: blkio.weight,
        blkio_weight_device: Some(blkio.weight_device.iter().map(weight).collect()),
        blkio_device_read_bps: Some(rates(&blkio.device_read_bps)),
        blkio_device_read_iops: Some(rates(&blkio.device_read_iops)),
        blkio_device_write_bps: Some(rates(&blkio.device_write_bps)),
        blkio_device_write_iops: Some(rates(&blkio.device_write_iops)),
        ..config
    }
}

fn rates(rates: &[Rate]) -> Vec<ThrottleDevice> {
    rates.iter().map(|rate| ThrottleDevice { path: Some(rate.path.clone()), rate: rate.rate }).collect()
}

fn request(device: &DeviceRequest, capability: Option<&str>) -> Request {
    let capabilities = device.capabilities.iter().cloned().chain(capability.map(str::to_owned));
    Request {
        driver: device.driver.clone(),
        count: device.count,
        device_ids: (!device.device_ids.is_empty()).then(|| device.device_ids.clone()),
        capabilities: Some(vec![capabilities.collect()]),
        options: (!device.options.is_empty()).then(|| device.options.clone().into_iter().collect()),
    }
}

fn ulimit((name, limit): (&String, &Ulimit)) -> ResourcesUlimits {
    let (soft, hard) = match *limit {
        Ulimit::Both(limit) => (limit, limit),
        Ulimit::Each { soft, hard } => (soft, hard),
    };
    ResourcesUlimits { name: Some(name.clone()), soft: Some(soft), hard: Some(hard) }
}

/// Docker counts in hundredths of a percent.
#[expect(clippy::cast_possible_truncation, reason = "a float saturates here")]
fn hundredfold(percent: f32) -> i64 {
    (percent * 100.0) as i64
}
