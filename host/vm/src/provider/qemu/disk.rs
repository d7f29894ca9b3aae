//! The machine's disk: a layer over an image that is never written to.

use std::io;
use std::path::Path;
use std::process::Command;

use super::image::Image;

pub(super) const NAME: &str = "disk.qcow2";

/// Makes the layer anew, over the image or over the layer of a template. It is at least as large as the image. Under a name of its own first: qemu-img of a process that
/// was killed may still be writing.
pub(super) fn create(path: &Path, image: &Image, template: Option<&Path>, gib: u32) -> io::Result<()> {
    let size = image.virtual_size.max(u64::from(gib) << 30);
    let folder = path.parent().unwrap_or(Path::new("/"));
    let unfinished = tempfile::Builder::new().prefix("disk-").tempfile_in(folder)?.into_temp_path();
    let mut command = Command::new("qemu-img");
    let (format, below) = template.map_or((image.format.name(), &*image.disk), |disk| ("qcow2", disk));
    command.args(["create", "-q", "-f", "qcow2", "-F", format, "-b"]).arg(below);
    let output = command.arg(&*unfinished).arg(size.to_string()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(unfinished.persist(path)?)
}

/// Gives it to the user whose rights QEMU keeps.
pub(super) fn give(path: &Path, user: &str) -> io::Result<()> {
    let output = Command::new("chown").args(["--", user]).arg(path).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}
