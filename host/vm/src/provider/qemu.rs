//! Local machines: one QEMU process each, on KVM where it works and emulated where not.
//!
//! No process of stead needs to live for a machine to live, and none has to remember it. A folder per machine holds what
//! was asked for; the process is found by its command line, which names the folder. So there is no state that could be
//! wrong after a crash: the intent is written before the process exists, and the process is there or it is not.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Cause, Provider, ProviderError};
use crate::machine::{Offer, Vm};
use crate::name::{Installation, VmName};
use crate::request::Request;

mod accel;
mod capacity;
mod command;
mod disk;
mod folder;
mod image;
mod list;
mod make;
mod process;
mod qmp;
mod seed;
mod settings;
mod template;
mod version;
mod wake;

pub use accel::Accel;
pub use image::{ImageDigest, ImageError, ImageStore};
pub use settings::Settings;

pub(super) const NAME: &str = "qemu";

/// The machines below one folder.
#[derive(Clone, Debug)]
pub struct Qemu {
    place: Arc<Place>,
}

/// Where everything lies.
#[derive(Debug)]
struct Place {
    installation: Installation,
    settings: Settings,
    images: ImageStore,
    machines: PathBuf,
    templates: PathBuf,
}

pub(super) fn open(
    installation: Installation,
    settings: serde_json::Value,
) -> Result<Box<dyn Provider>, ProviderError> {
    Ok(Box::new(Qemu::new(installation, super::settings::read(NAME, settings)?)?))
}

impl Qemu {
    /// # Errors
    /// When its folder cannot be made.
    pub fn new(installation: Installation, settings: Settings) -> Result<Self, ProviderError> {
        let machines = settings.folder.join("machines");
        folder::make_passable(&machines).map_err(|error| failed(&format!("making {}", machines.display()), error))?;
        let templates = settings.folder.join("templates");
        let images = ImageStore::new(settings.folder.join("images"));
        Ok(Self { place: Arc::new(Place { installation, settings, images, machines, templates }) })
    }

    /// The disks that machines can be made from.
    pub fn images(&self) -> &ImageStore {
        &self.place.images
    }

    /// What starts a process or reads a folder must not hold up other tasks.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Place) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let place = Arc::clone(&self.place);
        let done = tokio::task::spawn_blocking(move || work(&place)).await;
        done.map_err(|error| ProviderError::because(Cause::Unavailable, "the provider qemu", error))?
    }
}

#[async_trait]
impl Provider for Qemu {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn offers(&self) -> Result<Vec<Offer>, ProviderError> {
        Ok(Vec::new())
    }

    async fn create(&self, request: &Request) -> Result<Vm, ProviderError> {
        let request = request.clone();
        self.blocking(move |place| place.make(&request)).await
    }

    async fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        self.blocking(Place::list).await
    }

    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        let name = name.clone();
        self.blocking(move |place| place.destroy(&name)).await
    }

    async fn console(&self, name: &VmName) -> Result<Option<String>, ProviderError> {
        let name = name.clone();
        self.blocking(move |place| Ok(place.console(&name))).await
    }
}

/// What the machine that we run on did not do.
fn failed(what: &str, error: std::io::Error) -> ProviderError {
    let cause = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::OutOfMemory => Cause::NoCapacity,
        std::io::ErrorKind::QuotaExceeded => Cause::Quota,
        std::io::ErrorKind::PermissionDenied => Cause::Unauthorized,
        _ => Cause::Unavailable,
    };
    ProviderError::because(cause, what, error)
}
