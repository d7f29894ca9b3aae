//! What makes a resumed machine one of its own. QEMU gives it a script over a virtio port; a unit in the template waits there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::qmp::{self, Qmp};
use super::template;
use crate::access::quoted;
use crate::name::VmName;
use crate::user_data::Told;

/// In the machine's folder.
pub(super) const SOCKET: &str = "wake.sock";
pub(super) const PORT: &str = "stead.wake";
/// Waits in the template.
pub(super) const SCRIPT: &str = include_str!("wake/wake.sh");
/// Puts it there.
pub(super) const SETTLE: &str = include_str!("wake/settle.sh");
const IDENTITY: &str = include_str!("wake/identity.sh");

/// Resumes the machine that was started in `folder` for it, and gives it its identity. What is written is read by the guest
/// when it wakes, whatever becomes of this process.
pub(super) fn wake(folder: &Path, template: &Path, name: &VmName, told: &Told) -> io::Result<()> {
    let script = script(name, told)?;
    Qmp::connect(folder)?.resume(&File::open(template.join(template::DEVICES))?)?;
    let mut port = qmp::connect(folder, SOCKET)?;
    write!(port, "{}\n{script}", script.len())
}

fn script(name: &VmName, told: &Told) -> io::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(IDENTITY
        .replace("@NOW@", &format!("{}.{:09}", now.as_secs(), now.subsec_nanos()))
        .replace("@RANDOM@", &random::<32>()?)
        .replace("@MACHINE@", &random::<16>()?)
        .replace("@NAME@", name.as_str())
        .replace("@CLIENT@", &quoted(&told.authorized_key))
        .replace("@HOST@", &quoted(told.host_private.trim_end()))
        .replace("@PUBLIC@", &quoted(&told.host_public))
        .replace("@LEASE@", &quoted(&told.arming_script)))
}

fn random<const N: usize>() -> io::Result<String> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}
