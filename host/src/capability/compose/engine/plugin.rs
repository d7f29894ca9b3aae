//! Brings a project up by the Compose plugin itself, for one whose table in `stead.toml` says `engine = "plugin"`.
//!
//! The plugin gets the model that it resolved in its room and that the grant was held against, and no file: what a
//! container has left in the folder meanwhile is not read. Images are there before, because only stead has the
//! credentials and the digests; and health is judged as for stead's own engine.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::converge::Running;
use super::{Ended, Up};
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, Image, Listed};
use crate::capability::compose::state::Status;

/// What containers may take to stop, on top of what they may take to become healthy.
const STOPPING: Duration = Duration::from_secs(900);
/// Who is to blame for a failed run of the plugin is known within this, or not at all.
const BLAME: Duration = Duration::from_secs(5);

impl Up<'_> {
    /// Brings it up as `docker compose up` does.
    ///
    /// # Errors
    /// When the plugin refuses, or a container does not become healthy.
    pub(in crate::capability::compose) async fn by_plugin(&self) -> Result<Ended, ApplyError> {
        let images = self.ready().await?;
        for paused in self.listed().await?.iter().filter(|listed| listed.container.status == Status::Paused) {
            let unpaused = self.docker.unpause_container(&paused.id).await;
            unpaused.map_err(self.failed(format!("unpause {}", paused.name)))?;
        }
        let words = ["up", "--detach", "--no-build", "--pull", "never", "--remove-orphans"];
        let host = docker::host(self.machine);
        let model = (self.lasting, Some(&self.resolved.model));
        let limit = (&words[..], self.timeout() + STOPPING);
        let up = self.plugin.act(self.project, model, self.variables, &host, limit).await;
        let (listed, since) = (self.listed().await?, Instant::now());
        let mut running: BTreeMap<&str, Vec<Running>> = BTreeMap::new();
        for Listed { id, name, container, .. } in &listed {
            let one = Running { id: id.clone(), name: name.clone(), started: Some(since), is_new: false };
            running.entry(&container.service).or_default().push(one);
        }
        if let Err(words) = up {
            let blamed = tokio::time::timeout(BLAME, self.gate(&running)).await;
            return Err(match blamed {
                Ok(Err(unhealthy)) => unhealthy,
                _ => self.refused(format!("docker compose up: {words}")),
            });
        }
        Ok(Ended { completed: self.gate(&running).await?, images })
    }

    /// Makes sure that images are there under their names.
    pub(in crate::capability::compose) async fn ready(&self) -> Result<BTreeMap<String, Image>, ApplyError> {
        let mut images = self.images().await?;
        // The plugin finds images by name, and a name may mean another one by now than was planned.
        self.name_images(&mut images, |_| true).await?;
        Ok(images.into_iter().map(|(service, chosen)| (service, chosen.image)).collect())
    }
}
