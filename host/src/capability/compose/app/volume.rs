//! The volumes of apps, as folders of this host.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use bollard::models::Volume;
use bollard::query_parameters::ListVolumesOptions;

use super::{AppError, Apps, refused};
use crate::capability::compose::docker::PROJECT;

const VOLUME: &str = "com.docker.compose.volume";

/// A volume whose content is a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVolume {
    /// As Docker calls it: `files_data`.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

impl Apps<'_> {
    /// The volume that the compose file of an app calls `name`.
    ///
    /// # Errors
    /// When there is none, or its content is not simply a folder.
    pub async fn volume(&self, app: &str, name: &str) -> Result<KeptVolume, AppError> {
        let filters = Some(HashMap::from([("label".to_owned(), vec![format!("{PROJECT}={app}")])]));
        let found = self.docker.list_volumes(Some(ListVolumesOptions { filters })).await;
        let found = found.map_err(refused("list volumes"))?.volumes.unwrap_or_default();
        let key = |volume: &Volume| volume.labels.get(VOLUME).cloned();
        match found.iter().find(|volume| key(volume).as_deref() == Some(name)) {
            None => {
                let known: BTreeSet<String> = found.iter().filter_map(key).collect();
                Err(AppError::NoVolume { app: app.to_owned(), name: name.to_owned(), known })
            }
            // A driver may mount something else over the folder when a container uses it.
            Some(volume) if volume.driver != "local" || !volume.options.is_empty() => {
                Err(AppError::Elsewhere { name: volume.name.clone() })
            }
            Some(volume) => Ok(KeptVolume { name: volume.name.clone(), folder: PathBuf::from(&volume.mountpoint) }),
        }
    }
}
