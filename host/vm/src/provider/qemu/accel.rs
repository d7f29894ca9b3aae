//! Whether machines run on KVM or are emulated (TCG).
//!
//! `/dev/kvm` proves nothing: in nested clouds it can be there and boot no stock kernel. So a throw-away machine is booted
//! from the image's own kernel, without a disk, until that kernel complains that it has none.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::command::base;
use super::image::Image;

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accel {
    Kvm,
    Tcg,
}

const LIMIT: Duration = Duration::from_secs(10);
/// The kernel's last words when all of it has come up and there is no root file system.
const VERDICT: &[u8] = b"Unable to mount root fs";

impl Accel {
    /// KVM where a kernel really boots on it. The verdict is kept until this machine restarts.
    pub(super) fn choose(folder: &Path, image: &Image) -> io::Result<Self> {
        if !Path::new("/dev/kvm").exists() {
            return Ok(Self::Tcg);
        }
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let verdicts = folder.join("accelerator.json");
        let kept =
            fs::read(&verdicts).ok().and_then(|kept| serde_json::from_slice::<(String, String, Self)>(&kept).ok());
        match kept {
            Some((of_boot, of_image, verdict)) if of_boot == boot && of_image == image.digest.as_str() => Ok(verdict),
            _ => {
                let verdict = if boots_on_kvm(image)? { Self::Kvm } else { Self::Tcg };
                let mut file = tempfile::NamedTempFile::new_in(folder)?;
                serde_json::to_writer(&mut file, &(boot, image.digest.as_str(), verdict))?;
                file.persist(verdicts)?;
                Ok(verdict)
            }
        }
    }

    pub(super) fn arguments(self) -> [&'static str; 4] {
        match (self, std::env::consts::ARCH) {
            (Self::Kvm, _) => ["-accel", "kvm", "-cpu", "host"],
            // Five levels of page tables cost the emulator more than the guest gains.
            (Self::Tcg, "x86_64") => ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"],
            (Self::Tcg, _) => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }
}

/// An image that boots by its own loader gives no kernel to try: it is emulated unless the settings say `kvm`.
fn boots_on_kvm(image: &Image) -> io::Result<bool> {
    let Some(kernel) = &image.kernel else { return Ok(false) };
    let console = tempfile::NamedTempFile::new()?;
    let mut command = base(Accel::Kvm);
    command.args(["-m", "512", "-no-reboot", "-kernel"]).arg(&kernel.kernel);
    command.args(["-append", "console=ttyS0 console=ttyAMA0 panic=-1", "-serial"]);
    command.arg(format!("file:{}", console.path().display()));
    let Ok(mut qemu) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return Ok(false);
    };
    let deadline = Instant::now() + LIMIT;
    let mut boots = false;
    while !boots && Instant::now() < deadline {
        let has_ended = qemu.try_wait()?.is_some();
        boots = fs::read(console.path())?.windows(VERDICT.len()).any(|words| words == VERDICT);
        if has_ended {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    let _ = qemu.kill();
    qemu.wait()?;
    Ok(boots)
}
