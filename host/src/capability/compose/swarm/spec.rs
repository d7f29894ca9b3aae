//! From a service of the model to one of a swarm: in the terms of `docker stack deploy`, so that either changes nothing
//! after the other.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    EndpointSpecModeEnum, Mount, MountVolumeOptions, MountVolumeOptionsDriverConfig, NetworkAttachmentConfig,
    ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated, TaskSpec, TaskSpecContainerSpec,
    TaskSpecContainerSpecConfigs, TaskSpecContainerSpecDnsConfig, TaskSpecContainerSpecFile,
    TaskSpecContainerSpecFile1, TaskSpecContainerSpecPrivileges, TaskSpecContainerSpecSecrets, TaskSpecLogDriver,
};

use super::files::Ids;
use super::{IMAGE, Stack, look, resources};
use crate::capability::ApplyError;
use crate::capability::compose::docker::{CONFIG, MOUNTED};
use crate::capability::compose::engine::{Image, environment, health, mount_request};
use crate::capability::compose::model::{MountKind, Order, Port, Service};
use crate::capability::compose::state;

/// Everybody in the container may read it, when the file does not say.
const MODE: u32 = 0o444;

impl Stack<'_> {
    pub(super) fn spec(
        &self,
        name: &str,
        service: &Service,
        planned: &state::Service,
        image: &Image,
        files: &Ids,
    ) -> Result<ServiceSpec, ApplyError> {
        let mut labels = look::labels(self.up.project, &service.deploy.labels);
        labels.insert("com.docker.stack.image".to_owned(), planned.image.clone());
        labels.insert(CONFIG.to_owned(), self.up.resolved.hashes.get(name).cloned().unwrap_or_default());
        labels.extend(self.moving(planned, image));
        let replicas = || ServiceSpecModeReplicated { replicas: Some(service.replicas().into()) };
        let mode = match service.deploy.mode.as_deref() {
            Some("global") => ServiceSpecMode { global: Some(HashMap::new()), ..ServiceSpecMode::default() },
            _ => ServiceSpecMode { replicated: Some(replicas()), ..ServiceSpecMode::default() },
        };
        Ok(ServiceSpec {
            name: Some(self.full_name(name)),
            labels: Some(labels),
            task_template: Some(TaskSpec {
                container_spec: Some(self.container(service, planned, image, files)?),
                resources: Some(resources::resources(service)),
                restart_policy: Some(resources::restart(service)),
                placement: Some(resources::placement(service)),
                networks: Some(self.attachments(name, service)),
                log_driver: service.logging.driver.as_ref().map(|driver| TaskSpecLogDriver {
                    name: Some(driver.clone()),
                    options: Some(service.logging.options.clone().into_iter().collect()),
                }),
                ..TaskSpec::default()
            }),
            mode: Some(mode),
            update_config: service.deploy.update_config.as_ref().map(resources::update),
            rollback_config: service.deploy.rollback_config.as_ref().map(resources::rollback),
            endpoint_spec: Some(endpoint(service)),
            ..ServiceSpec::default()
        })
    }

    /// What tasks are made anew for, though nothing of the file says so.
    fn moving(&self, planned: &state::Service, image: &Image) -> HashMap<String, String> {
        let mounted = planned.mounted.as_ref().map(|mounted| (MOUNTED.to_owned(), mounted.to_string()));
        std::iter::once((IMAGE.to_owned(), image.id.clone())).chain(mounted).collect()
    }

    fn container(
        &self,
        service: &Service,
        planned: &state::Service,
        image: &Image,
        files: &Ids,
    ) -> Result<TaskSpecContainerSpec, ApplyError> {
        let mut labels = look::labels(self.up.project, &service.labels);
        labels.extend(self.moving(planned, image));
        let no_new_privileges = service.security_opt.iter().any(|option| !option.ends_with("false"));
        let dns = TaskSpecContainerSpecDnsConfig {
            nameservers: Some(service.dns.clone()),
            search: Some(service.dns_search.clone()),
            options: Some(service.dns_opt.clone()),
        };
        Ok(TaskSpecContainerSpec {
            image: Some(pinned(&planned.image, image)),
            labels: Some(labels),
            command: service.entrypoint.clone(),
            args: service.command.clone(),
            hostname: service.hostname.clone(),
            env: Some(environment(&service.environment)),
            dir: service.working_dir.clone(),
            user: service.user.clone(),
            groups: (!service.group_add.is_empty()).then(|| service.group_add.clone()),
            privileges: no_new_privileges.then(|| TaskSpecContainerSpecPrivileges {
                no_new_privileges: Some(true),
                ..TaskSpecContainerSpecPrivileges::default()
            }),
            tty: service.tty.then_some(true),
            open_stdin: service.stdin_open.then_some(true),
            read_only: service.read_only.then_some(true),
            mounts: Some(self.mounts(service)?),
            stop_signal: service.stop_signal.clone(),
            stop_grace_period: service.stop_grace_period.map(nanoseconds),
            health_check: service.healthcheck.as_ref().map(health),
            hosts: (!service.extra_hosts.is_empty())
                .then(|| service.extra_hosts.iter().map(|host| line(host)).collect()),
            dns_config: Some(dns),
            secrets: Some(self.secrets(service, files)),
            configs: Some(self.configs(service, files)),
            oom_score_adj: service.oom_score_adj,
            init: service.init,
            sysctls: (!service.sysctls.is_empty()).then(|| service.sysctls.clone().into_iter().collect()),
            capability_add: (!service.cap_add.is_empty()).then(|| service.cap_add.clone()),
            capability_drop: (!service.cap_drop.is_empty()).then(|| service.cap_drop.clone()),
            ulimits: resources::ulimits(service),
            ..TaskSpecContainerSpec::default()
        })
    }

    fn attachments(&self, name: &str, service: &Service) -> Vec<NetworkAttachmentConfig> {
        let found = service.networks.iter().filter_map(|(key, attachment)| {
            let network = self.up.model.networks.get(key)?;
            let own = attachment.iter().flat_map(|attachment| attachment.aliases.clone());
            let options = attachment.as_ref().map(|attachment| &attachment.driver_opts);
            Some(NetworkAttachmentConfig {
                target: Some(network.name.clone()),
                aliases: Some(own.chain([name.to_owned()]).collect()),
                driver_opts: options
                    .filter(|options| !options.is_empty())
                    .map(|options| options.clone().into_iter().collect()),
            })
        });
        found.collect()
    }

    fn mounts(&self, service: &Service) -> Result<Vec<Mount>, ApplyError> {
        let mut mounts = Vec::new();
        for mount in &service.volumes {
            let volume = mount.source.as_ref().and_then(|source| self.up.model.volumes.get(source));
            let source = volume.map(|volume| volume.name.clone()).or_else(|| mount.source.clone());
            if let (MountKind::Bind, Some(path)) = (mount.kind, &source) {
                self.make_folder(path)?;
            }
            let mut request = mount_request(mount, source);
            if let Some(volume) = volume.filter(|volume| !volume.external) {
                let driver_config = volume.driver.as_ref().map(|driver| MountVolumeOptionsDriverConfig {
                    name: Some(driver.clone()),
                    options: Some(volume.driver_opts.clone().into_iter().collect()),
                });
                let labels = Some(look::labels(self.up.project, &volume.labels));
                let options = request.volume_options.take().unwrap_or_default();
                request.volume_options = Some(MountVolumeOptions { labels, driver_config, ..options });
            }
            mounts.push(request);
        }
        mounts.extend(service.tmpfs.iter().map(|tmpfs| Mount {
            typ: Some(bollard::models::MountType::TMPFS),
            target: Some(tmpfs.split(':').next().unwrap_or(tmpfs).to_owned()),
            ..Mount::default()
        }));
        Ok(mounts)
    }

    /// A swarm makes no folder of the host; in the project's own folder that is stead's to do.
    fn make_folder(&self, path: &str) -> Result<(), ApplyError> {
        let path = std::path::Path::new(path);
        if !path.starts_with(self.up.lasting) || path.exists() {
            return Ok(());
        }
        let made = std::fs::create_dir_all(path);
        made.map_err(|source| ApplyError::File { path: path.display().to_string(), source })
    }

    fn secrets(&self, service: &Service, files: &Ids) -> Vec<TaskSpecContainerSpecSecrets> {
        let found = service.secrets.iter().filter_map(|mount| {
            let (name, id) = files.get(&("secrets", mount.source.clone()))?;
            let file = TaskSpecContainerSpecFile {
                name: Some(mount.target.clone().unwrap_or_else(|| mount.source.clone())),
                uid: Some(mount.uid.clone().unwrap_or_else(|| "0".to_owned())),
                gid: Some(mount.gid.clone().unwrap_or_else(|| "0".to_owned())),
                mode: Some(mount.mode.unwrap_or(MODE)),
            };
            Some(TaskSpecContainerSpecSecrets {
                file: Some(file),
                secret_id: Some(id.clone()),
                secret_name: Some(name.clone()),
            })
        });
        found.collect()
    }

    fn configs(&self, service: &Service, files: &Ids) -> Vec<TaskSpecContainerSpecConfigs> {
        let found = service.configs.iter().filter_map(|mount| {
            let (name, id) = files.get(&("configs", mount.source.clone()))?;
            let target = mount.target.clone().unwrap_or_else(|| format!("/{}", mount.source));
            let file = TaskSpecContainerSpecFile1 {
                name: Some(target),
                uid: Some(mount.uid.clone().unwrap_or_else(|| "0".to_owned())),
                gid: Some(mount.gid.clone().unwrap_or_else(|| "0".to_owned())),
                mode: Some(mount.mode.unwrap_or(MODE)),
            };
            Some(TaskSpecContainerSpecConfigs {
                file: Some(file),
                config_id: Some(id.clone()),
                config_name: Some(name.clone()),
                ..TaskSpecContainerSpecConfigs::default()
            })
        });
        found.collect()
    }
}

/// Whether a new task runs before the former one stops.
pub(super) fn starts_first(service: &Service) -> bool {
    service.deploy.update_config.as_ref().is_some_and(|update| update.order == Some(Order::StartFirst))
}

/// The image by its digest, where it has one: every node runs the same then.
fn pinned(named: &str, image: &Image) -> String {
    let digest = image.digest.as_deref().and_then(|digest| digest.split_once('@')).map(|(_, digest)| digest);
    match digest {
        Some(digest) if !named.contains('@') => format!("{named}@{digest}"),
        _ => named.to_owned(),
    }
}

fn endpoint(service: &Service) -> EndpointSpec {
    let mode = match service.deploy.endpoint_mode.as_deref() {
        Some("dnsrr") => EndpointSpecModeEnum::DNSRR,
        _ => EndpointSpecModeEnum::VIP,
    };
    EndpointSpec { mode: Some(mode), ports: Some(service.ports.iter().map(port).collect()) }
}

fn port(port: &Port) -> EndpointPortConfig {
    EndpointPortConfig {
        name: None,
        protocol: Some(match port.protocol.as_deref() {
            Some("udp") => EndpointPortConfigProtocolEnum::UDP,
            Some("sctp") => EndpointPortConfigProtocolEnum::SCTP,
            _ => EndpointPortConfigProtocolEnum::TCP,
        }),
        target_port: Some(port.target.into()),
        published_port: port.published.as_deref().and_then(|published| published.parse().ok()),
        publish_mode: Some(match port.mode.as_deref() {
            Some("host") => EndpointPortConfigPublishModeEnum::HOST,
            _ => EndpointPortConfigPublishModeEnum::INGRESS,
        }),
    }
}

/// A line of `/etc/hosts`, from `NAME=ADDRESS` or `NAME:ADDRESS`.
fn line(host: &str) -> String {
    let (name, address) = host.split_once('=').or_else(|| host.split_once(':')).unwrap_or((host, ""));
    format!("{} {name}", address.trim_start_matches('[').trim_end_matches(']'))
}

/// Swarm counts in whole numbers that no deployment exceeds.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_images_are_said_as_a_swarm_takes_them() {
        assert_eq!(line("db=10.0.0.1"), "10.0.0.1 db");
        assert_eq!(line("db:[::1]"), "::1 db");
        let pulled = Image { digest: Some("docker.io/library/nginx@sha256:0f".to_owned()), ..Image::default() };
        assert_eq!(pinned("nginx:1", &pulled), "nginx:1@sha256:0f");
        assert_eq!(pinned("nginx:1", &Image::default()), "nginx:1");
    }
}
