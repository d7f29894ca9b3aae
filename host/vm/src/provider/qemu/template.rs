//! Warm templates: a machine that has booted, kept as a file of its memory, a small file of its devices and a layer of its
//! disk. A machine made from it resumes in the middle of a system that is up, instead of booting one.
//!
//! What must differ between two such machines (keys, name, clock, machine id, the kernel's random numbers, lease) is given
//! to each after it has woken: see `wake.rs`. Until then nobody gets in, for sshd does not run in the template.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::command::{Machine, Memory};
use super::image::Image;
use super::make::{self, Measured};
use super::qmp::{self, Qmp};
use super::{Accel, Cause, Place, ProviderError, Qemu, disk, failed, folder, process, seed, version, wake};
use crate::access::{Access, AccessError, Keys};
use crate::lease::Lease;
use crate::name::VmName;
use crate::request::{Market, Network, Request, Size};
use crate::user_data::{Identity, user_data};

pub(super) const MEMORY: &str = "memory";
pub(super) const DEVICES: &str = "devices";
const UNFINISHED: &str = ".new-";
const LOCK: &str = "lock";
const KEYS: &str = "keys";
const NAME: &str = "stead-template-1-1";
/// Under emulation a boot takes a minute on two idle cores.
const BOOT_LIMIT: Duration = Duration::from_secs(600);
/// A template whose maker died ends itself.
const LIFETIME: Duration = Duration::from_secs(1800);
const END_LIMIT: Duration = Duration::from_secs(30);
/// Counts changes of what a template holds.
const FORM: &str = "3";

/// A template that is to be made.
#[derive(Debug)]
struct Unfinished {
    folder: PathBuf,
    access: Access,
    place: PathBuf,
    _lock: File,
}

impl Qemu {
    /// Boots a machine of this image and size once and keeps it: from then on machines of the same image and size are
    /// resumed from it. Does nothing when there is one.
    ///
    /// # Errors
    /// When the machine does not boot or cannot be kept.
    pub async fn prepare(&self, image: &str, size: &Size) -> Result<(), ProviderError> {
        let request = template_request(image, size)?;
        let Some(unfinished) = self.blocking(move |place| place.begin_template(request)).await? else { return Ok(()) };
        let kept = match settle(&unfinished.access).await {
            Ok(()) => {
                let (folder, place) = (unfinished.folder.clone(), unfinished.place.clone());
                self.blocking(move |_| keep(&folder, &place).map_err(|error| failed("keeping a template", error))).await
            }
            Err(error) => Err(ProviderError::because(Cause::Unavailable, "booting a template", error)),
        };
        self.blocking(move |place| {
            let cleaned = place.clean_templates().map_err(|error| failed("removing what is left of a template", error));
            drop(unfinished);
            cleaned
        })
        .await?;
        kept
    }
}

impl Place {
    pub(super) fn template(&self, image: &Image, size: Measured, accel: Accel) -> io::Result<Option<PathBuf>> {
        let place = self.template_place(image, size, accel)?;
        Ok(place.join(DEVICES).exists().then_some(place))
    }

    /// None when there is one already, or another process has just made it.
    fn begin_template(&self, request: Request) -> Result<Option<Unfinished>, ProviderError> {
        let broken = |error| failed("making a template", error);
        let (image, size) = (self.images.get(&request.image)?, make::measured(&request)?);
        let accel = self.accel(&image)?;
        let place = self.template_place(&image, size, accel).map_err(broken)?;
        folder::make_passable(&self.templates).map_err(broken)?;
        let lock =
            File::create(self.templates.join(LOCK)).and_then(|lock| lock.lock().map(|()| lock)).map_err(broken)?;
        if place.exists() {
            return Ok(None);
        }
        self.clean_templates().map_err(broken)?;
        let folder =
            tempfile::Builder::new().prefix(UNFINISHED).permissions(folder::passable()).tempdir_in(&self.templates);
        let folder = folder.map_err(broken)?.keep();
        let address = self.start_template(&folder, &request, &image, size, accel)?;
        let access = Access::new(request.name, address, &folder.join(KEYS));
        Ok(Some(Unfinished { folder, access, place, _lock: lock }))
    }

    fn start_template(
        &self,
        folder: &Path,
        request: &Request,
        image: &Image,
        size: Measured,
        accel: Accel,
    ) -> Result<std::net::SocketAddr, ProviderError> {
        let keys = Keys::obtain(&folder.join(KEYS), &request.name)
            .map_err(|error| ProviderError::because(Cause::Unavailable, "making a template", error))?;
        let lease = Lease { renewal: LIFETIME, lifetime: LIFETIME, created: SystemTime::now() };
        let identity = Identity { client: &keys.client, host: &keys.host, host_private: keys.host_private() };
        let request = Request { user_data: user_data(&identity, &lease), ..request.clone() };
        let broken = |error| failed("making a template", error);
        disk::create(&folder.join(disk::NAME), image, None, size.disk_gib).map_err(broken)?;
        seed::write(&folder.join(seed::NAME), &request).map_err(broken)?;
        if let Some(user) = self.settings.user() {
            disk::give(&folder.join(disk::NAME), user).map_err(broken)?;
        }
        let memory = Memory::Recorded;
        let user = self.settings.user();
        make::start_on_some_port(&Machine { folder, image, size, network: Network::Closed, accel, user, memory })
    }

    fn template_place(&self, image: &Image, size: Measured, accel: Accel) -> io::Result<PathBuf> {
        let Measured { cpus, memory_mib, disk_gib } = size;
        let mut sha = Sha256::new();
        let digest = image.digest.as_str();
        sha.update(format!("{FORM} {digest} {cpus} {memory_mib} {disk_gib} {accel:?} {}", wake::SCRIPT));
        sha.update(version::said()?);
        sha.update(processor(accel)?);
        let key: String = hex::encode(sha.finalize()).chars().take(16).collect();
        Ok(self.templates.join(key))
    }

    /// Ends and deletes what a crash left; the caller has the lock.
    fn clean_templates(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.templates)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(UNFINISHED) {
                process::end(&self.templates, &name, END_LIMIT)?;
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Waits for the end of the boot, and leaves in the machine nothing of its own identity and a unit that waits for the next.
async fn settle(access: &Access) -> Result<(), AccessError> {
    access.ready::<AccessError>(BOOT_LIMIT, async || Ok(())).await?;
    access.start_ahead().await?;
    access.ask_within(BOOT_LIMIT, wake::SETTLE, wake::SCRIPT.as_bytes()).await.map(drop)
}

fn keep(folder: &Path, place: &Path) -> io::Result<()> {
    let mut qmp = Qmp::connect(folder)?;
    let devices = File::create(folder.join(DEVICES))?;
    qmp.save(&devices)?;
    devices.sync_all()?;
    qmp.quit();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    process::end(folder.parent().unwrap_or(folder), &name, END_LIMIT)?;
    fs::remove_dir_all(folder.join(KEYS))?;
    for file in [seed::NAME, qmp::SOCKET, wake::SOCKET] {
        let _ = fs::remove_file(folder.join(file));
    }
    fs::rename(folder, place)
}

fn template_request(image: &str, size: &Size) -> Result<Request, ProviderError> {
    let name: Result<VmName, _> = NAME.parse();
    Ok(Request {
        name: name.map_err(|error| ProviderError::because(Cause::Invalid, "a template", error))?,
        image: image.to_owned(),
        size: size.clone(),
        region: None,
        network: Network::Closed,
        market: Market::OnDemand,
        user_data: crate::request::UserData::new(String::new()),
        lifetime: LIFETIME,
    })
}

/// On KVM a saved machine fits only the processor that it was saved on.
fn processor(accel: Accel) -> io::Result<String> {
    match accel {
        Accel::Tcg => Ok(String::new()),
        Accel::Kvm => {
            let facts = fs::read_to_string("/proc/cpuinfo")?;
            Ok(facts
                .lines()
                .filter(|line| line.starts_with("model name") || line.starts_with("flags"))
                .take(2)
                .collect())
        }
    }
}

#[cfg(test)]
mod tests;
