//! Configs and secrets that are no file of the host: written into a container before it starts, and nowhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use bollard::body_full;
use bollard::query_parameters::UploadToContainerOptions;

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::model::{FileMount, FileSource, Service};

/// Everybody in the container may read it, when the compose file does not say.
const MODE: u32 = 0o444;

impl Up<'_> {
    /// Writes them into a container that was made and does not run yet.
    pub(super) async fn write_files(&self, id: &str, name: &str, service: &Service) -> Result<(), ApplyError> {
        let Some((archive, keeps_owner)) = self.archive(service)? else { return Ok(()) };
        let options = UploadToContainerOptions {
            path: "/".to_owned(),
            copy_uidgid: keeps_owner.then(|| "true".to_owned()),
            ..UploadToContainerOptions::default()
        };
        let written = self.docker.upload_to_container(id, Some(options), body_full(archive.into())).await;
        written.map_err(self.failed(format!("write configs and secrets into {name}")))
    }

    /// The files of a service in an archive, and whether somebody is named who owns them.
    fn archive(&self, service: &Service) -> Result<Option<(Vec<u8>, bool)>, ApplyError> {
        let written: Vec<_> = self.model.files_of(service).filter(|(_, _, source)| source.is_written()).collect();
        let mut archive = tar::Builder::new(Vec::new());
        for (key, file, source) in &written {
            let content = self.content(source).ok_or_else(|| {
                let variable = source.environment.as_deref().unwrap_or_default();
                self.refused(format!("{key} {}: the variable {variable} is not set", file.source))
            })?;
            let added = append(&mut archive, &target(key, file), file, content.as_bytes());
            added.map_err(|error| self.refused(format!("{key} {}: {error}", file.source)))?;
        }
        let archive = archive.into_inner().map_err(|error| self.refused(error.to_string()))?;
        let keeps_owner = written.iter().any(|(_, file, _)| file.uid.is_some() || file.gid.is_some());
        Ok((!written.is_empty()).then_some((archive, keeps_owner)))
    }

    pub(in crate::capability::compose) fn content<'s>(&'s self, source: &'s FileSource) -> Option<&'s str> {
        match (&source.content, &source.environment) {
            (Some(content), _) => Some(content),
            (None, Some(variable)) => self.resolved.variables.get(variable).map(|value| value.reveal().as_str()),
            (None, None) => None,
        }
    }
}

/// The path in the container.
pub(super) fn target(key: &str, file: &FileMount) -> String {
    let folder = if key == "secrets" { "/run/secrets/" } else { "/" };
    let target = file.target.as_deref().unwrap_or(&file.source);
    if target.starts_with('/') { target.to_owned() } else { format!("{folder}{target}") }
}

fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, file: &FileMount, content: &[u8]) -> std::io::Result<()> {
    let id = |id: &Option<String>| match id {
        Some(id) => id.parse().map_err(|_| std::io::Error::other(format!("{id} is not the number of a user or group"))),
        None => Ok(0),
    };
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
    header.set_mode(file.mode.unwrap_or(MODE));
    header.set_uid(id(&file.uid)?);
    header.set_gid(id(&file.gid)?);
    header.set_mtime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    archive.append_data(&mut header, path.trim_start_matches('/'), content)
}
