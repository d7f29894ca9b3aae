//! What a container mounts: as `docker compose` says it, so that a container of either is the same.

use bollard::models::{
    ContainerInspectResponse, Mount as Request, MountBindOptions, MountBindOptionsPropagationEnum, MountImageOptions,
    MountTmpfsOptions, MountType, MountVolumeOptions,
};

use super::Up;
use super::dialect::Dialect;
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
        let dialect = Dialect::of(&self.resolved.version);
        let mut mounts = Mounts::default();
        for mount in &service.volumes {
            let volume = mount.source.as_ref().and_then(|source| self.model.volumes.get(source));
            let source = match (mount.kind, volume) {
                (MountKind::Volume, Some(volume)) => Some(volume.name.clone()),
                _ => mount.source.clone(),
            };
            match source {
                Some(source) if dialect.is_bind(mount, volume) => mounts.binds.push(short(&source, mount)),
                source => mounts.mounts.push(request(mount, source, dialect)),
            }
        }
        for (key, file, source) in self.model.files_of(service) {
            let Some(path) = &source.file else { continue };
            mounts.mounts.push(Request {
                typ: Some(MountType::BIND),
                source: Some(path.clone()),
                target: Some(super::written::target(key, file)),
                read_only: Some(true),
                ..Request::default()
            });
        }
        mounts.inherit(former);
        mounts
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

fn request(mount: &Mount, source: Option<String>, dialect: Dialect) -> Request {
    Request {
        typ: Some(match mount.kind {
            MountKind::Bind => MountType::BIND,
            MountKind::Volume => MountType::VOLUME,
            MountKind::Tmpfs => MountType::TMPFS,
            MountKind::Image => MountType::IMAGE,
            MountKind::Cluster => MountType::CLUSTER,
        }),
        source,
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        consistency: mount.consistency.clone(),
        bind_options: mount.bind.as_ref().filter(|_| mount.kind == MountKind::Bind).map(|bind| MountBindOptions {
            propagation: bind.propagation.as_deref().and_then(propagation),
            create_mountpoint: dialect.makes_host_path(bind.create_host_path).then_some(true),
            non_recursive: (bind.recursive.as_deref() == Some("disabled")).then_some(true),
            read_only_non_recursive: (bind.recursive.as_deref() == Some("writable")).then_some(true),
            read_only_force_recursive: (bind.recursive.as_deref() == Some("readonly")).then_some(true),
        }),
        volume_options: mount.volume.as_ref().filter(|_| mount.kind == MountKind::Volume).map(|volume| {
            MountVolumeOptions {
                no_copy: Some(volume.nocopy),
                subpath: volume.subpath.clone(),
                labels: (!volume.labels.is_empty()).then(|| volume.labels.clone().into_iter().collect()),
                ..MountVolumeOptions::default()
            }
        }),
        tmpfs_options: mount.tmpfs.as_ref().filter(|_| mount.kind == MountKind::Tmpfs).map(|tmpfs| MountTmpfsOptions {
            size_bytes: tmpfs.size,
            mode: tmpfs.mode,
            ..MountTmpfsOptions::default()
        }),
        image_options: mount
            .image
            .as_ref()
            .filter(|_| mount.kind == MountKind::Image)
            .map(|image| MountImageOptions { subpath: image.subpath.clone() }),
    }
}

/// The mount of a task of a swarm, for which no folder of the host is made.
pub(in crate::capability::compose) fn of_a_task(mount: &Mount, source: Option<String>) -> Request {
    let request = request(mount, source, Dialect::of("2.0.0"));
    let bind_options = request.bind_options.map(|bind| MountBindOptions { create_mountpoint: None, ..bind });
    Request { bind_options, ..request }
}

fn propagation(name: &str) -> Option<MountBindOptionsPropagationEnum> {
    Some(match name {
        "private" => MountBindOptionsPropagationEnum::PRIVATE,
        "rprivate" => MountBindOptionsPropagationEnum::RPRIVATE,
        "shared" => MountBindOptionsPropagationEnum::SHARED,
        "rshared" => MountBindOptionsPropagationEnum::RSHARED,
        "slave" => MountBindOptionsPropagationEnum::SLAVE,
        "rslave" => MountBindOptionsPropagationEnum::RSLAVE,
        _ => return None,
    })
}

fn short(source: &str, mount: &Mount) -> String {
    let bind = mount.bind.as_ref();
    let mode = [
        Some(if mount.read_only { "ro" } else { "rw" }),
        bind.and_then(|bind| bind.selinux.as_deref()),
        bind.and_then(|bind| bind.propagation.as_deref()),
        mount.volume.as_ref().filter(|volume| volume.nocopy).map(|_| "nocopy"),
    ];
    format!("{source}:{}:{}", mount.target, mode.into_iter().flatten().collect::<Vec<_>>().join(","))
}
