//! Local machines, with an empty disk: the firmware finds nothing to boot, which is all that most cases need.

use std::fs;
use std::path::Path;

use anyhow::Result;
use stead_vm::name::VmName;
use stead_vm::provider::Provider;
use stead_vm::provider::qemu::{Accel, Qemu, Settings};
use stead_vm::request::{Network, Size};

mod crash;
mod image;
mod processes;
mod room;

use processes::Processes;

use crate::subject::{Subject, installation};

pub(crate) const SMALL: Size = Size::Measured { cpus: 1, memory_mib: 32, disk_gib: 0 };

pub(crate) struct Local {
    processes: Processes,
    image: String,
}

impl Local {
    pub(crate) fn new() -> Result<Self> {
        let processes = Processes::new()?;
        let disk = processes.folder().join("empty");
        fs::write(&disk, [0; 4096])?;
        let image = provider(processes.folder(), None)?.images().import(&disk, None)?.to_string();
        Ok(Self { processes, image })
    }
}

pub(crate) fn provider(folder: &Path, memory_mib: Option<u64>) -> Result<Qemu> {
    Ok(Qemu::new(installation("ours"), settings(folder, memory_mib))?)
}

fn settings(folder: &Path, memory_mib: Option<u64>) -> Settings {
    Settings { folder: folder.join("state"), accelerator: Some(Accel::Tcg), memory_mib, user: None }
}

impl Subject for Local {
    const AT_ONCE: bool = true;
    const NETWORK: Network = Network::Closed;

    fn provider(&self, installation: &str) -> Result<Box<dyn Provider>> {
        Ok(Box::new(Qemu::new(self::installation(installation), settings(self.folder(), None))?))
    }

    fn folder(&self) -> &Path {
        self.processes.folder()
    }

    fn image(&self) -> (String, Size) {
        (self.image.clone(), SMALL)
    }

    fn lose(&self, name: &VmName) -> Result<()> {
        self.processes.kill(&format!("/machines/{name}/"))
    }

    fn everything(&self) -> Result<Vec<String>> {
        let mut all = self.processes.list("/machines/")?;
        for entry in fs::read_dir(self.folder().join("state/machines"))? {
            all.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(all)
    }
}
