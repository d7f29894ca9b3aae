//! The disk from which cloud-init takes its document: a small FAT file system labelled `CIDATA` (cloud-init's NoCloud).

use std::io::{self, Write};
use std::path::Path;

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions};

use super::folder;
use crate::request::Request;

pub(super) const NAME: &str = "seed.img";

const SIZE: u64 = 1 << 20;
const LABEL: [u8; 11] = *b"CIDATA     ";

pub(super) fn write(path: &Path, request: &Request) -> io::Result<()> {
    let disk = folder::private(path)?;
    disk.set_len(SIZE)?;
    fatfs::format_volume(&disk, FormatVolumeOptions::new().volume_label(LABEL))?;
    let system = FileSystem::new(&disk, FsOptions::new())?;
    let name = &request.name;
    let facts = serde_json::json!({ "instance-id": name.as_str(), "local-hostname": name.as_str() }).to_string();
    for (file, content) in [("user-data", request.user_data.reveal()), ("meta-data", &facts)] {
        system.root_dir().create_file(file)?.write_all(content.as_bytes())?;
    }
    system.unmount()
}
