//! From a service to the request that makes its container.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HealthConfig};

use super::Up;
use super::shares::Shares;
use crate::capability::ApplyError;
use crate::capability::compose::model::{HealthCheck, Service};

/// What the request is made of, besides the service itself.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pub(super) image: &'a str,
    pub(super) labels: HashMap<String, String>,
    /// The container whose place it takes.
    pub(super) former: Option<&'a ContainerInspectResponse>,
    pub(super) shares: &'a Shares,
}

impl Up<'_> {
    pub(super) fn body(&self, service: &Service, given: Given<'_>) -> Result<ContainerCreateBody, ApplyError> {
        let host_config = Some(self.host_config(service, &given)?);
        let published = service.ports.iter().map(super::endpoint::container_port);
        let exposed = service.expose.iter().map(|port| with_protocol(port));
        Ok(ContainerCreateBody {
            image: Some(given.image.to_owned()),
            cmd: service.command.clone(),
            entrypoint: service.entrypoint.clone(),
            env: Some(environment(&service.environment)),
            labels: Some(given.labels),
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
            network_disabled: (service.network_mode.as_deref() == Some("disabled")).then_some(true),
            exposed_ports: Some(published.chain(exposed).collect()),
            healthcheck: service.healthcheck.as_ref().map(health),
            stop_signal: service.stop_signal.clone(),
            stop_timeout: service.stop_grace_period.map(seconds),
            host_config,
            ..ContainerCreateBody::default()
        })
    }
}

/// As Docker takes variables; one without a value takes that of the image away.
pub(in crate::capability::compose) fn environment(
    variables: &std::collections::BTreeMap<String, Option<String>>,
) -> Vec<String> {
    let one = |(name, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{name}={value}"),
        None => name.clone(),
    };
    variables.iter().map(one).collect()
}

fn with_protocol(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}

pub(in crate::capability::compose) fn health(check: &HealthCheck) -> HealthConfig {
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

/// Docker counts in whole numbers that no deployment exceeds.
fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
