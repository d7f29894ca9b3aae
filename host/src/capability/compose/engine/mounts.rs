//! What a container mounts: as `docker compose` says it, so that a container of either is the same.

use std::path::Path;

use bollard::models::{ContainerInspectResponse, Mount as Request, MountTmpfsOptions, MountType, MountVolumeOptions};

use super::Up;
use crate::capability::compose::model::{Mount, MountKind, Service};

/// Binds in the short form, which makes a missing folder of the host, and mounts.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    pub(super) binds: Vec<String>,
    pub(super) mounts: Vec<Request>,
}

impl Up<'_> {
    /// The mounts of a service; anonymous volumes of the container that it takes the place of go on with it.
    pub(super) fn mounts(&self, service: &Service, former: Option<&ContainerInspectResponse>) -> Mounts {
        let mut mounts = Mounts::default();
        for mount in &service.volumes {
            match short_bind(mount) {
                Some(bind) => mounts.binds.push(bind),
                None => mounts.mounts.push(self.mount(mount)),
            }
        }
        let configs = service.configs.iter().map(|config| (config, self.model.configs.get(&config.source), "/"));
        let secrets =
            service.secrets.iter().map(|secret| (secret, self.model.secrets.get(&secret.source), "/run/secrets/"));
        for (file, source, folder) in configs.chain(secrets) {
            let Some(source) = source else { continue };
            let target = file.target.as_deref().unwrap_or(&file.source);
            mounts.mounts.push(Request {
                typ: Some(MountType::BIND),
                source: Some(source.file.clone()),
                target: Some(Path::new(folder).join(target).display().to_string()),
                read_only: Some(true),
                ..Request::default()
            });
        }
        mounts.inherit(former);
        mounts
    }

    fn mount(&self, mount: &Mount) -> Request {
        let typ = match mount.kind {
            MountKind::Bind => MountType::BIND,
            MountKind::Volume => MountType::VOLUME,
            MountKind::Tmpfs => MountType::TMPFS,
        };
        let named = |source: &String| self.model.volumes.get(source).map_or(source, |volume| &volume.name).clone();
        let source = match mount.kind {
            MountKind::Volume => mount.source.as_ref().map(named),
            MountKind::Bind | MountKind::Tmpfs => mount.source.clone(),
        };
        let volume = (mount.kind == MountKind::Volume).then(|| MountVolumeOptions {
            no_copy: mount.volume.as_ref().and_then(|volume| volume.nocopy),
            ..MountVolumeOptions::default()
        });
        let tmpfs = mount.tmpfs.as_ref().map(|tmpfs| MountTmpfsOptions {
            size_bytes: tmpfs.size,
            mode: tmpfs.mode,
            ..MountTmpfsOptions::default()
        });
        Request {
            typ: Some(typ),
            source,
            target: Some(mount.target.clone()),
            read_only: Some(mount.read_only),
            volume_options: volume,
            tmpfs_options: tmpfs,
            ..Request::default()
        }
    }
}

impl Mounts {
    fn inherit(&mut self, former: Option<&ContainerInspectResponse>) {
        let points = former.and_then(|former| former.mounts.as_ref()).into_iter().flatten();
        for point in points.filter(|point| point.typ.as_deref() == Some("volume")) {
            let (Some(name), Some(target)) = (&point.name, &point.destination) else { continue };
            match self.mounts.iter_mut().find(|mount| mount.target.as_ref() == Some(target)) {
                Some(mount) if mount.typ == Some(MountType::VOLUME) && mount.source.is_none() => {
                    mount.source = Some(name.clone());
                }
                Some(_) => {}
                None if self.binds.iter().any(|bind| bind.split(':').nth(1) == Some(target)) => {}
                // A volume that was named is no longer wanted; one that the image asks for has no other name.
                None if !is_anonymous(name) => {}
                None => self.mounts.push(Request {
                    typ: Some(MountType::VOLUME),
                    source: Some(name.clone()),
                    target: Some(target.clone()),
                    ..Request::default()
                }),
            }
        }
    }
}

/// Docker names such a volume by 64 hexadecimal digits.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn short_bind(mount: &Mount) -> Option<String> {
    let options = mount.bind.clone().unwrap_or_default();
    if mount.kind != MountKind::Bind || !options.create_host_path {
        return None;
    }
    let mode = if mount.read_only { "ro" } else { "rw" };
    let mode = [Some(mode), options.selinux.as_deref(), options.propagation.as_deref()];
    let mode = mode.into_iter().flatten().collect::<Vec<_>>().join(",");
    Some(format!("{}:{}:{mode}", mount.source.as_deref()?, mount.target))
}
