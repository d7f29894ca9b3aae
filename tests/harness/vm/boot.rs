//! Starts machines and restarts them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::image::Image;
use super::qemu::{Drive, Launch, Qemu};
use super::{Accel, Hardware, Shape, Vm, new_folder, overlay_path, seed};
use crate::host::Host;
use crate::wait;

/// Under emulation a boot takes about 45 s on two idle cores; tests share them.
const BOOT_LIMIT: Duration = Duration::from_secs(300);

impl Hardware {
    pub(crate) fn choose(shape: Shape) -> Result<Self> {
        let image = Image::obtain()?;
        let accel = Accel::choose(&image)?;
        Ok(Self { image, shape, accel })
    }
}

impl Vm {
    /// Boots a fresh machine from its disk, and waits until all its services are up. Slow: see [`Vm::start`].
    ///
    /// # Errors
    /// When image or QEMU fail, or the machine does not come up in time; the message carries the end of its console.
    pub fn boot(name: &str, shape: Shape) -> Result<Self> {
        let folder = new_folder(name)?;
        seed::write(folder.path())?;
        let access = folder.path().to_owned();
        Self::boot_hardware(name, Hardware::choose(shape)?, folder, &access)
    }

    pub(crate) fn boot_hardware(
        name: &str,
        hardware: Hardware,
        folder: tempfile::TempDir,
        access: &Path,
    ) -> Result<Self> {
        Drive::create(&overlay_path(folder.path()), &hardware.image.disk, &hardware.image.format)?;
        let qemu = launch(&hardware, folder.path(), access, None)?;
        let mut vm = Self { name: name.into(), hardware, access: access.into(), qemu, forwards: Vec::new(), folder };
        vm.write_ssh_config()?;
        vm.await_ssh(BOOT_LIMIT)?;
        vm.await_settled()?;
        Ok(vm)
    }

    /// Restarts the machine in an orderly way and waits until ssh works again.
    ///
    /// # Errors
    /// When it does not come back in time.
    pub fn reboot(&mut self) -> Result<()> {
        let before = self.boot_id()?;
        // systemd may end the connection before the command has answered.
        let _ = self.ssh_within("systemctl reboot", Duration::from_secs(60))?;
        self.await_other_boot(&before)
    }

    /// Waits until the boot has ended and no job is queued; a failed unit is no error here.
    ///
    /// # Errors
    /// When that takes longer than a boot may.
    pub fn await_settled(&self) -> Result<()> {
        self.ssh_within("cloud-init status --wait >&2; systemctl is-system-running --wait", BOOT_LIMIT)?;
        Ok(())
    }

    /// Turns on the archives of the build machine's apt, beside the one in the image, and reads their lists (slow).
    ///
    /// # Errors
    /// When `apt-get update` fails.
    pub fn use_network_archives(&self) -> Result<()> {
        let command = "cp /usr/share/stead-test/network.list /etc/apt/sources.list.d/ && apt-get -q update";
        self.ssh(command)?.ok().map(drop)
    }

    pub(super) fn await_other_boot(&mut self, before: &str) -> Result<()> {
        self.close_shared_connection();
        let what = format!("a new boot of the machine {}", self.name);
        wait::until(&what, BOOT_LIMIT, || {
            self.await_ssh(BOOT_LIMIT)?;
            let is_new = self.boot_id()? != before;
            if !is_new {
                self.close_shared_connection();
            }
            Ok(is_new.then_some(()))
        })
    }

    pub(super) fn boot_id(&self) -> Result<String> {
        let command = "cat /proc/sys/kernel/random/boot_id";
        self.ssh_within(command, Duration::from_secs(60))?.ok().context("asking for the boot's id")
    }
}

/// Starts QEMU on the overlay in `folder`, booting, or resuming what was saved in `state`.
pub(crate) fn launch(hardware: &Hardware, folder: &Path, access: &Path, state: Option<&Path>) -> Result<Qemu> {
    let seed = Some(access.join(seed::DISK));
    Qemu::start(&Launch { hardware, folder, seed, state, kernel_arguments: String::new() })
}
