//! Saves a running machine, memory and disk, and resumes it.
//!
//! A saved machine is a folder with the disk's layer and the memory as a migration stream. Resuming puts a new layer over
//! that disk, so one saved machine can be resumed any number of times, at the same time too. The guest does not notice,
//! but for its clock, which is set right on resume.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::boot::launch;
use super::qemu::Drive;
use super::{Hardware, Vm, new_folder, overlay_path};
use crate::host::Host;
use crate::wait;

const MEMORY: &str = "memory";
const SAVE_LIMIT: Duration = Duration::from_secs(120);
const RESUME_LIMIT: Duration = Duration::from_secs(120);

impl Vm {
    /// Keeps the present state of memory and disk under `name`, as long as this machine exists. The machine runs on.
    ///
    /// # Errors
    /// When QEMU cannot write it: is the disk full?
    pub fn save(&mut self, name: &str) -> Result<()> {
        let saved = self.saved(name);
        ensure!(!saved.exists(), "the machine {} already has a saved state {name}", self.name);
        fs::create_dir_all(&saved)?;
        self.freeze(&saved)?;
        self.load(name)
    }

    /// Puts memory and disk back to what `save(name)` kept; what happened since is lost.
    ///
    /// # Errors
    /// When nothing was saved under that name, or QEMU does not resume it.
    pub fn load(&mut self, name: &str) -> Result<()> {
        let saved = self.saved(name);
        ensure!(saved.exists(), "the machine {} has no saved state {name}: save it first", self.name);
        self.close_shared_connection();
        let _ = self.qemu.quit();
        self.wake(&saved)
    }

    fn saved(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("saved-{name}"))
    }

    pub(super) fn resume(name: &str, hardware: Hardware, saved: &Path, access: &Path) -> Result<Self> {
        let folder = new_folder(name)?;
        let qemu = resumed(&hardware, saved, folder.path(), access)?;
        let mut vm = Self { name: name.into(), hardware, access: access.into(), qemu, forwards: Vec::new(), folder };
        vm.write_ssh_config()?;
        vm.await_ssh(RESUME_LIMIT)?;
        Ok(vm)
    }

    /// Replaces this machine's QEMU by one that goes on from `saved`, on the same ports.
    fn wake(&mut self, saved: &Path) -> Result<()> {
        self.qemu = resumed(&self.hardware, saved, self.folder.path(), &self.access)?;
        for forward in &self.forwards {
            forward.install(&mut self.qemu.qmp)?;
        }
        self.await_ssh(RESUME_LIMIT)
    }

    /// Writes memory and disk to the folder `saved`; QEMU has ended then.
    pub(super) fn freeze(&mut self, saved: &Path) -> Result<()> {
        self.close_shared_connection();
        let qmp = &mut self.qemu.qmp;
        qmp.call("stop", json!({}))?;
        qmp.call("migrate-set-parameters", json!({ "max-bandwidth": 1_u64 << 40 }))?;
        let target = format!("exec:cat > '{}'", saved.join(MEMORY).display());
        qmp.call("migrate", json!({ "uri": target }))?;
        let state = wait::until("QEMU to write the machine's memory", SAVE_LIMIT, || {
            let state = qmp.call("query-migrate", json!({}))?;
            Ok((state["status"] == "completed" || state["status"] == "failed").then_some(state))
        })?;
        ensure!(state["status"] == "completed", "QEMU could not save the machine: is the disk full? {state}");
        self.qemu.quit()?;
        move_file(&overlay_path(self.folder.path()), &overlay_path(saved)).context("keeping the disk")
    }
}

/// The temporary folder and the cache may lie on different file systems, where a rename fails.
fn move_file(from: &Path, to: &Path) -> Result<()> {
    if fs::rename(from, to).is_err() {
        fs::copy(from, to)?;
        fs::remove_file(from)?;
    }
    Ok(())
}

/// Starts QEMU on a new layer over the saved disk, with the saved memory.
fn resumed(hardware: &Hardware, saved: &Path, folder: &Path, access: &Path) -> Result<super::Qemu> {
    let overlay = overlay_path(folder);
    if overlay.exists() {
        fs::remove_file(&overlay)?;
    }
    Drive::create(&overlay, &overlay_path(saved), "qcow2")?;
    let mut qemu = launch(hardware, folder, access, Some(&saved.join(MEMORY)))?;
    wait::until("QEMU to read the machine's memory", RESUME_LIMIT, || {
        let state = qemu.check_alive().and_then(|()| qemu.qmp.call("query-status", json!({})));
        Ok(match state {
            Ok(state) => (state["status"] != "inmigrate").then_some(Ok(())),
            Err(ended) => Some(Err(ended)),
        })
    })??;
    qemu.qmp.call("cont", json!({}))?;
    Ok(qemu)
}
