//! A project as a stack of Docker Swarm: for one whose table in `stead.toml` says `engine = "swarm"`.
//!
//! The same file, through the Services API, with the labels of `docker stack deploy`: `docker stack ls`, `services`, `ps`
//! and `rm` know it. Unlike that command it heeds `depends_on`, waits for every service, and takes part in plan and undo.
//! What a task would lack is an error, as for containers; a volume is never removed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::Service as Found;
use bollard::query_parameters::UpdateServiceOptions;

use super::docker::{CONFIG, MOUNTED, unless_gone};
use super::engine::{self, Ended, Up};
use super::state::Service;
use crate::capability::ApplyError;
use crate::digest::Digest;

mod down;
mod files;
mod gate;
mod lacks;
mod look;
mod network;
mod resources;
mod spec;

pub(super) use down::down;
pub(super) use lacks::complete;
pub(super) use look::{is_manager, look};

/// The label of `docker stack deploy` on all that is of a stack.
pub(super) const NAMESPACE: &str = "com.docker.stack.namespace";
/// The id of the image that a task runs. Ours.
const IMAGE: &str = "stead.image";
const PAUSE: Duration = Duration::from_millis(200);

/// What is said where the host is no manager.
pub(super) const NO_MANAGER: &str =
    "`engine = \"swarm\"` needs a manager of a swarm, and this host is none: run `docker swarm init` on it";

type Images = BTreeMap<String, engine::Image>;

/// What a stack is now: the digest of the spec of each service, to see by it what is changed by hand.
pub(super) type Specs = BTreeMap<String, Digest>;

/// Brings a stack up.
///
/// # Errors
/// When the swarm refuses something, or a service does not come up.
pub(super) async fn up(up: &Up<'_>) -> Result<(Ended, Specs), ApplyError> {
    Stack { up }.run().await
}

/// A stack on its way up.
struct Stack<'a> {
    up: &'a Up<'a>,
}

impl Stack<'_> {
    async fn run(&self) -> Result<(Ended, Specs), ApplyError> {
        let images = self.up.ready().await?;
        let there = self.services().await?;
        for name in there.keys().filter(|name| !self.up.model.services.contains_key(*name)) {
            self.remove(name).await?;
        }
        self.networks().await?;
        let files = self.files().await?;
        self.up.work.in_order(self.up.model, |name, _| self.service(name, &images, &files)).await?;
        self.prune_files(&files).await?;
        self.prune_networks().await?;
        let specs =
            self.services().await?.into_iter().map(|(name, found)| (name, look::digest(self.up.machine, &found)));
        Ok((Ended { completed: BTreeSet::new(), images }, specs.collect()))
    }

    /// Makes a service or changes it, and waits until its tasks run. One that is as it should be is not touched.
    async fn service(&self, name: &str, images: &Images, files: &files::Ids) -> Result<(), ApplyError> {
        let up = self.up;
        let image = images.get(name).ok_or_else(|| up.refused(format!("service {name} has no image")))?;
        let (Some(service), Some(planned)) = (up.model.services.get(name), up.version.services.get(name)) else {
            return Err(up.refused(format!("the files no longer have the service {name} that was planned")));
        };
        let full = self.full_name(name);
        let spec = self.spec(name, service, planned, image, files)?;
        let credentials = up.variables.credentials(&planned.image).map_err(|reason| up.refused(reason))?;
        let there = match up.docker.inspect_service(&full, None).await {
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => None,
            found => Some(found.map_err(up.failed(format!("inspect service {name}")))?),
        };
        let mut before = BTreeSet::new();
        match there {
            None => {
                let made = up.docker.create_service(spec, credentials).await;
                made.map_err(up.failed(format!("make service {name}")))?;
            }
            Some(found) if self.fits(name, &found, planned, &image.id) => return Ok(()),
            Some(found) => {
                before = self.task_ids(name).await?;
                let version = found.version.and_then(|version| version.index).unwrap_or_default();
                let version = i32::try_from(version).unwrap_or(i32::MAX);
                let options = UpdateServiceOptions { version, ..UpdateServiceOptions::default() };
                let updated = up.docker.update_service(&full, spec, options, credentials).await;
                updated.map_err(up.failed(format!("update service {name}")))?;
            }
        }
        self.gate(name, service, &before).await
    }

    fn fits(&self, name: &str, found: &Found, planned: &Service, image: &str) -> bool {
        let container = look::container(self.up.machine, self.up.specs, name, found);
        let label = |label: &str| found.spec.as_ref()?.labels.as_ref()?.get(label).cloned();
        container.misfits(&Service { image_id: Some(image.to_owned()), ..planned.clone() }).is_empty()
            && look::replicas(found).is_none_or(|replicas| replicas == planned.replicas)
            && label(CONFIG).is_some()
            && label(MOUNTED) == planned.mounted.as_ref().map(ToString::to_string)
    }

    async fn remove(&self, name: &str) -> Result<(), ApplyError> {
        let removed = unless_gone(self.up.docker.delete_service(&self.full_name(name)).await);
        removed.map_err(self.up.failed(format!("remove service {name}")))
    }

    async fn services(&self) -> Result<BTreeMap<String, Found>, ApplyError> {
        look::services(self.up.docker, self.up.project).await.map_err(self.up.failed("list services"))
    }

    /// As `docker stack deploy` calls it.
    fn full_name(&self, name: &str) -> String {
        format!("{}_{name}", self.up.project)
    }
}

/// Whether there is nothing because there is no swarm.
fn no_swarm(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 503 | 406, .. })
}

/// Objects of a project, as the filters of the API say it.
fn of(project: &super::Project) -> Option<std::collections::HashMap<String, Vec<String>>> {
    Some([("label".to_owned(), vec![format!("{NAMESPACE}={project}")])].into())
}

/// Tries again as long as tasks that go still hold something.
async fn until_free<F>(mut remove: impl FnMut() -> F, limit: Duration) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let begun = tokio::time::Instant::now();
    loop {
        match unless_gone(remove().await) {
            Err(Error::DockerResponseServerError { .. }) if begun.elapsed() < limit => tokio::time::sleep(PAUSE).await,
            removed => return removed,
        }
    }
}
