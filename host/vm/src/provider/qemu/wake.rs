//! What makes a resumed machine one of its own. QEMU gives it a script over a virtio port; a unit in the template waits there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
/// Under emulation, beside others.
const LIMIT: Duration = Duration::from_secs(120);
const IDENTITY: &str = include_str!("wake/identity.sh");

/// Resumes the machine that was started in `folder` for it, and gives it its identity. QEMU forgets what the guest has not
/// read when the connection ends, so it is kept until the guest says that it has.
pub(super) fn wake(folder: &Path, template: &Path, name: &VmName, told: &Told) -> io::Result<()> {
    let script = script(name, told)?;
    Qmp::connect(folder)?.resume(&File::open(template.join(template::DEVICES))?)?;
    let mut port = qmp::connect(folder, SOCKET)?;
    write!(port, "{}\n{script}", script.len())?;
    port.set_read_timeout(Some(LIMIT))?;
    match port.read(&mut [0; 16])? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the machine ended while it was woken")),
        _ => Ok(()),
    }
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
