//! Copies a file and takes its digest in one pass. Holes stay holes: a raw disk is mostly empty.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

const BLOCK: usize = 1 << 16;

/// Gives the SHA-256 in hex.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<String> {
    let (mut from, mut to) = (File::open(from)?, File::create_new(to)?);
    let (mut sha, mut block) = (Sha256::new(), vec![0; BLOCK]);
    let mut length = 0;
    loop {
        let read = read_block(&mut from, &mut block)?;
        let Some(block) = block.get(..read).filter(|block| !block.is_empty()) else { break };
        sha.update(block);
        length += read as u64;
        if block.iter().all(|byte| *byte == 0) {
            to.seek(SeekFrom::Current(i64::try_from(read).map_err(io::Error::other)?))?;
        } else {
            to.write_all(block)?;
        }
    }
    to.set_len(length)?;
    to.sync_all()?;
    Ok(hex::encode(sha.finalize()))
}

pub(super) fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

fn read_block(from: &mut File, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
