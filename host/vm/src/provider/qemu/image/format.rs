//! What a disk's first bytes say. Source: QEMU's docs/interop/qcow2.txt.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const MAGIC: &[u8; 4] = b"QFI\xfb";
/// Up to and including the incompatible features of version 3.
const HEADER: usize = 80;
const EXTERNAL_DATA_FILE: u64 = 1 << 2;

const CONVERT: &str = "convert it with `qemu-img convert -O qcow2`";
const DECOMPRESS: &str = "decompress it first";
/// How files begin that are no disk as it is, whatever their names say.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"KDMV", "VMDK", CONVERT),
    (b"# Disk DescriptorFile", "VMDK", CONVERT),
    (b"vhdxfile", "VHDX", CONVERT),
    (b"conectix", "VHD", CONVERT),
    (b"<<< ", "VDI", CONVERT),
    (b"\x1f\x8b", "compressed by gzip", DECOMPRESS),
    (b"\xfd7zXZ\0", "compressed by xz", DECOMPRESS),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", DECOMPRESS),
    (b"BZh", "compressed by bzip2", DECOMPRESS),
    (b"PK\x03\x04", "a ZIP archive", DECOMPRESS),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Format {
    Qcow2,
    Raw,
}

impl Format {
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }
}

/// The format, and the size of the disk that the guest sees.
pub(super) fn inspect(disk: &Path) -> io::Result<(Format, u64)> {
    let mut file = File::open(disk)?;
    let length = file.metadata()?.len();
    Ok(match header(&mut file)? {
        Some(header) => (Format::Qcow2, number(&header, 24)),
        None => (Format::Raw, length),
    })
}

/// What a file is that is neither qcow2 nor the bytes of a disk, and what makes one of it. A boot sector begins like none of these.
pub(super) fn foreign(disk: &Path) -> io::Result<Option<(&'static str, &'static str)>> {
    let mut start = Vec::new();
    File::open(disk)?.take(HEADER as u64).read_to_end(&mut start)?;
    let found = FOREIGN.iter().find(|(magic, ..)| start.starts_with(magic));
    Ok(found.map(|(_, what, hint)| (*what, *hint)))
}

/// Whether no other file of this machine becomes part of the disk: an image can name any, and the guest would read it.
pub(super) fn is_self_contained(disk: &Path) -> io::Result<bool> {
    let Some(header) = header(&mut File::open(disk)?)? else { return Ok(true) };
    let is_version_2 = header.get(4..8) == Some(&[0, 0, 0, 2]);
    let has_data_file = !is_version_2 && number(&header, 72) & EXTERNAL_DATA_FILE != 0;
    Ok(number(&header, 8) == 0 && !has_data_file)
}

fn header(disk: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut header = Vec::new();
    disk.take(HEADER as u64).read_to_end(&mut header)?;
    Ok((header.starts_with(MAGIC) && header.len() == HEADER).then_some(header))
}

fn number(header: &[u8], at: usize) -> u64 {
    let bytes = header.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_be_bytes).unwrap_or_default()
}
