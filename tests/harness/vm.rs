//! Virtual machines to test on: `Vm::start("name")?` gives a booted, fresh Debian server within seconds.
//!
//! QEMU runs as this process's child, in a temporary folder, on loopback ports that were free. The first start on a
//! build machine makes the image and a booted template (minutes); later ones resume the template.
//!
//! Two machines reach each other through ports that the build machine forwards: a guest sees the build machine's
//! loopback as 10.0.2.2, so `other.forward(Protocol::Udp, 51820)?` is a WireGuard endpoint `10.0.2.2:<port>`.

mod accel;
mod boot;
mod forward;
pub mod image;
mod qemu;
mod qmp;
mod seed;
mod snapshot;
mod ssh;
mod store;
mod template;

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;

pub use accel::Accel;
pub use forward::Protocol;
pub use qmp::Qmp;
pub use store::store;

use forward::Forward;
use image::Image;
use qemu::Qemu;

/// How large a machine is. A template is kept for every shape that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub cpus: u8,
    pub memory_mib: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self { cpus: 2, memory_mib: 2048 }
    }
}

/// Everything about a machine that must be the same when its saved state is resumed.
#[derive(Clone, Debug)]
pub(crate) struct Hardware {
    image: Image,
    shape: Shape,
    accel: Accel,
}

/// A running machine; dropping it, or the end of this process in whatever way, ends it.
#[derive(Debug)]
pub struct Vm {
    name: String,
    hardware: Hardware,
    /// Keys and seed disk; belongs to the template when the machine was resumed from one.
    access: PathBuf,
    qemu: Qemu,
    forwards: Vec<Forward>,
    /// Last, so that it is deleted when nothing writes to it any more.
    folder: TempDir,
}

impl Vm {
    /// What the machine wrote to its serial console since it was started.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn console(&self) -> Result<String> {
        qemu::console(self.folder.path())
    }

    /// Leaves the machine running when this process ends; gives the folder that holds its `qemu.pid` and `ssh_config`.
    ///
    /// # Errors
    /// When the process that watches over this one is gone.
    pub fn detach(mut self) -> Result<PathBuf> {
        self.qemu.detach()?;
        self.folder.disable_cleanup(true);
        let folder = self.folder.path().to_owned();
        std::mem::forget(self);
        Ok(folder)
    }
}

/// A folder for one machine; short, for the path of a Unix socket has at most 107 bytes.
fn new_folder(name: &str) -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix(&format!("stead-vm-{name}-")).tempdir()?)
}

fn overlay_path(folder: &Path) -> PathBuf {
    folder.join("disk.qcow2")
}
