//! Decides whether machines run on KVM or under emulation (TCG).
//!
//! `/dev/kvm` proves nothing: on nested clouds it can be there and boot no stock kernel. So a throw-away kernel is booted.

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Result, bail};

use super::image::Image;
use super::qemu::{Drive, Launch, Qemu, console};
use super::{Hardware, Shape, new_folder, overlay_path};
use crate::{cache, wait};

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Kvm,
    Tcg,
}

/// Given to the throw-away kernel, whose initramfs prints it.
const VERDICT: &str = "stead-kvm-works";

impl Accel {
    /// `STEAD_VM_ACCEL` (`kvm` or `tcg`), else KVM where it works. The verdict is kept until the build machine reboots.
    ///
    /// # Errors
    /// For another value of the variable, and when the cache cannot be written.
    pub fn choose(image: &Image) -> Result<Self> {
        match env::var("STEAD_VM_ACCEL").as_deref() {
            Ok("kvm") => Ok(Self::Kvm),
            Ok("tcg") => Ok(Self::Tcg),
            Ok(other) => bail!("STEAD_VM_ACCEL={other}: it can be kvm or tcg"),
            Err(_) => kept_verdict(image),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

fn kept_verdict(image: &Image) -> Result<Accel> {
    if !Path::new("/dev/kvm").exists() {
        return Ok(Accel::Tcg);
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let entry = cache::entry("accel", &cache::key(&[&boot, &image.key]), |folder| {
        let verdict = if kvm_boots(image)? { Accel::Kvm } else { Accel::Tcg };
        Ok(fs::write(folder.join("verdict"), verdict.name())?)
    })?;
    let verdict = fs::read_to_string(entry.join("verdict"))?;
    Ok(if verdict == Accel::Kvm.name() { Accel::Kvm } else { Accel::Tcg })
}

fn kvm_boots(image: &Image) -> Result<bool> {
    let folder = new_folder("probe")?;
    let shape = Shape { cpus: 1, memory_mib: 512 };
    let hardware = Hardware { image: image.clone(), shape, accel: Accel::Kvm };
    let disk = overlay_path(folder.path());
    Drive::create(&disk, &image.disk, &image.format)?;
    let kernel_arguments = format!("verdict={VERDICT}");
    let launch = Launch { hardware: &hardware, folder: folder.path(), seed: None, state: None, kernel_arguments };
    let Ok(_qemu) = Qemu::start(&launch) else {
        return Ok(false);
    };
    // An image that boots through its own loader cannot be asked to say the word: its kernel's first line must do.
    let (word, limit) = if image.kernel.is_some() { (VERDICT, 10) } else { ("Linux version", 40) };
    let sees_word = || Ok(console(folder.path())?.contains(word).then_some(()));
    Ok(wait::until("a throw-away kernel on KVM", Duration::from_secs(limit), sees_word).is_ok())
}
