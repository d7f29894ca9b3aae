//! Machines that were booted, and prepared, before the test: kept in the cache, resumed in seconds. One boot serves all tests.
//!
//! All machines that come from one template have the same host key, machine id and addresses: none sees another's network.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Accel, Hardware, Shape, Vm, new_folder, seed};
use crate::cache;
use crate::host::Host;
use crate::run::{run, words};

impl Vm {
    /// A fresh, booted machine of the default shape.
    ///
    /// # Errors
    /// As [`Vm::boot`].
    pub fn start(name: &str) -> Result<Self> {
        Self::start_shaped(name, Shape::default())
    }

    /// A fresh, booted machine of some shape.
    ///
    /// # Errors
    /// As [`Vm::boot`].
    pub fn start_shaped(name: &str, shape: Shape) -> Result<Self> {
        let hardware = Hardware::choose(shape)?;
        let template = template(&hardware)?.folder;
        Self::resume(name, hardware, &template, &template)
    }

    /// A machine of the default shape on which `script` has run, as root: what takes minutes, such as installing Docker,
    /// happens once for each text of the script.
    ///
    /// # Errors
    /// As [`Vm::boot`], and when the script fails.
    pub fn start_prepared(name: &str, script: &str) -> Result<Self> {
        let hardware = Hardware::choose(Shape::default())?;
        let Template { key, folder } = template(&hardware)?;
        let prepared = cache::entry("prepared", &cache::key(&[&key, script]), |entry| {
            let mut vm = Self::resume("prepared", hardware.clone(), &folder, &folder)?;
            vm.ssh_within(script, PREPARE_LIMIT)?.ok()?;
            vm.freeze(entry)
        })?;
        Self::resume(name, hardware, &prepared, &folder).context("resuming a prepared machine")
    }
}

const PREPARE_LIMIT: Duration = Duration::from_secs(900);

/// A saved fresh machine, with the keys to it.
struct Template {
    key: String,
    folder: PathBuf,
}

fn template(hardware: &Hardware) -> Result<Template> {
    let Hardware { image, shape, accel } = hardware;
    let qemu = run(&mut words("qemu-system-x86_64 --version"), Duration::from_secs(10))?.ok()?;
    let key = cache::key(&[&image.key, &format!("{shape:?}"), &processor(*accel)?, &qemu]);
    let folder = cache::entry("template", &key, |folder| {
        seed::write(folder)?;
        let mut vm = Vm::boot_hardware("template", hardware.clone(), new_folder("template")?, folder)?;
        vm.freeze(folder)
    })?;
    Ok(Template { key, folder })
}

/// A saved state fits only the processor that it was saved on.
fn processor(accel: Accel) -> Result<String> {
    if accel == Accel::Tcg {
        return Ok(accel.name().to_owned());
    }
    let facts = fs::read_to_string("/proc/cpuinfo")?;
    Ok(facts.lines().filter(|line| line.starts_with("model name")).take(1).collect())
}
