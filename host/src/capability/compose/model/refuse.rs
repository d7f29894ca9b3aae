//! What of a model the engine does not carry: refused by name, or, where it means nothing outside of a swarm, said.

use super::build::Build;
use super::mount::{FileMount, MountKind};
use super::service::Service;
use super::{FileSource, Model, PullPolicy, UNSUPPORTED};

impl Service {
    /// Tells of values that are known and not carried.
    pub(super) fn refuse(&self, say: &mut impl FnMut(&str, String)) {
        if self.image.is_none() && self.build.is_none() {
            say("image", "is needed where there is no `build`".to_owned());
        }
        for (key, is_there) in [
            ("provider", self.provider.is_some()),
            ("models", self.models.is_some()),
            ("pre_start", !self.pre_start.is_empty()),
        ] {
            if is_there {
                say(key, UNSUPPORTED.to_owned());
            }
        }
        if self.credential_spec.is_some() {
            say("credential_spec", "is of Windows only".to_owned());
        }
        if self.volumes.iter().any(|mount| mount.kind == MountKind::Cluster) {
            say("volumes", "a volume of type `cluster` is of swarms only".to_owned());
        }
        if self.container_name.is_some() && self.replicas() > 1 {
            say("container_name", "cannot be shared by several containers".to_owned());
        }
        let policy = self.pull_policy.as_deref();
        if let Some(policy) = policy.filter(|policy| PullPolicy::of(Some(policy)).is_none()) {
            say(
                "pull_policy",
                format!("{policy:?} is none: `always`, `missing`, `never`, `build`, `daily`, `weekly`, `every_…`"),
            );
        }
        if let Some(build) = &self.build {
            build.refuse(say);
        }
    }

    /// Keys that mean nothing to the containers of one machine, in words.
    pub(super) fn idle_keys(&self) -> impl Iterator<Item = &'static str> {
        let deploy = &self.deploy;
        let (update, reserved) = (deploy.update_config.as_ref(), &deploy.resources.reservations);
        let restart = deploy.restart_policy.as_ref();
        let idle = [
            ("deploy.mode", deploy.mode.as_deref().is_some_and(|mode| mode != "replicated")),
            ("deploy.labels", !deploy.labels.is_empty()),
            ("deploy.endpoint_mode", deploy.endpoint_mode.is_some()),
            ("deploy.placement", !deploy.placement.is_empty()),
            ("deploy.rollback_config", deploy.rollback_config.is_some()),
            // What fails is always taken back.
            (
                "deploy.update_config.failure_action",
                update.and_then(|update| update.failure_action.as_deref()).is_some_and(|action| action != "rollback"),
            ),
            ("deploy.update_config.max_failure_ratio", update.is_some_and(|update| update.max_failure_ratio.is_some())),
            ("deploy.restart_policy.delay", restart.is_some_and(|policy| policy.delay.is_some())),
            ("deploy.restart_policy.window", restart.is_some_and(|policy| policy.window.is_some())),
            ("deploy.resources.reservations.cpus", reserved.cpus.is_some()),
            ("deploy.resources.reservations.pids", reserved.pids.is_some()),
            ("deploy.resources.reservations.generic_resources", !reserved.generic_resources.is_empty()),
            ("ports.mode", self.ports.iter().any(|port| port.mode.as_deref() == Some("host"))),
        ];
        idle.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key)
    }
}

impl Build {
    fn refuse(&self, say: &mut impl FnMut(&str, String)) {
        for (key, value) in &self.more {
            let is_empty =
                value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) || *value == false;
            if !is_empty && !key.starts_with("x-") {
                say(&format!("build.{key}"), UNSUPPORTED.to_owned());
            }
        }
        if self.platforms.len() > 1 {
            say("build.platforms", "one platform can be built for, not several".to_owned());
        }
    }
}

impl Model {
    /// What is wrong with configs and secrets, and what a service does with them.
    pub(super) fn refuse_files(&self, say: &mut impl FnMut(String)) {
        for (kind, sources) in [("config", &self.configs), ("secret", &self.secrets)] {
            for (name, source) in sources {
                source.refuse(&mut |key, reason| say(format!("{kind} {name}, key {key}: {reason}")));
            }
        }
        for (name, service) in &self.services {
            for (key, file, source) in self.files_of(service) {
                if source.external {
                    say(format!(
                        "service {name}, key {key}: {} is external, and there are such in a swarm only",
                        file.source
                    ));
                }
                if service.read_only && source.is_written() {
                    let hint = "only a `file` can be put into a read-only container";
                    say(format!("service {name}, key {key}: {}: {hint}", file.source));
                }
            }
        }
    }

    /// Keys that the Compose plugin carries and the engine does not, and that ask nothing of the host but what is a
    /// claim.
    pub(super) fn plugin_only(&self) -> Vec<String> {
        let sockets = self.services.iter().filter(|(_, service)| service.use_api_socket);
        sockets.map(|(name, _)| format!("service {name}, key use_api_socket")).collect()
    }

    /// Keys that mean nothing here, with their service.
    pub(super) fn idle(&self) -> Vec<String> {
        let mut idle = Vec::new();
        for (name, service) in &self.services {
            idle.extend(
                service.idle_keys().map(|key| format!("service {name}, key {key}: means nothing outside of a swarm")),
            );
            let owned = |(_, file, source): &(_, &FileMount, &FileSource)| {
                !source.is_written() && (file.uid.is_some() || file.gid.is_some() || file.mode.is_some())
            };
            let owned = self.files_of(service).filter(owned);
            idle.extend(owned.map(|(key, file, _)| {
                format!("service {name}, key {key}: {}: owner and mode are those of the file", file.source)
            }));
        }
        idle
    }
}

impl FileSource {
    fn refuse(&self, say: &mut impl FnMut(&str, &str)) {
        if self.driver.is_some() {
            say("driver", "is of swarms only");
        }
        if self.template_driver.is_some() {
            say("template_driver", "is of swarms only");
        }
    }
}
