//! Takes the ELF kernel out of a `vmlinuz`, so that QEMU can enter it directly (PVH).
//!
//! Source: the x86 boot protocol of the kernel's documentation, fields `setup_sects`, `payload_offset`, `payload_length`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run::{run, words};

/// Writes the kernel in `vmlinuz` to `vmlinux`.
pub(super) fn unpack(vmlinuz: &Path, vmlinux: &Path) -> Result<()> {
    let image = fs::read(vmlinuz)?;
    let payload = payload(&image).with_context(|| format!("{} is no x86 boot image", vmlinuz.display()))?;
    let packed = vmlinux.with_extension("packed");
    fs::write(&packed, payload)?;
    let mut command = words(&format!("{} -o", unpacker(payload)?));
    command.args([vmlinux, &packed]);
    run(&mut command, Duration::from_secs(60))?.ok()?;
    Ok(fs::remove_file(packed)?)
}

/// The compressed kernel, without the four bytes of its unpacked size that the build appends.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let setup = (usize::from(*image.get(0x1f1)?) + 1) * 512;
    let start = setup + word(image, 0x248)?;
    image.get(start..start + word(image, 0x24c)? - 4)
}

fn word(image: &[u8], at: usize) -> Option<usize> {
    let bytes = image.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

fn unpacker(payload: &[u8]) -> Result<&'static str> {
    match payload {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok("zstd -d -q -f"),
        _ => {
            bail!("the kernel is packed with something other than zstd: teach `unpacker` about it")
        }
    }
}
