//! Which QEMU is installed now. It may be upgraded while machines run, and saying so takes it longer than resuming one: what
//! it said is remembered for as long as the program is the same file.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Device, inode, and when that was changed.
type File = (u64, u64, i64, i64);

static SAID: Mutex<Option<(File, Vec<u8>)>> = Mutex::new(None);

pub(super) fn program() -> String {
    format!("qemu-system-{}", std::env::consts::ARCH)
}

/// What it says of itself.
pub(super) fn said() -> io::Result<Vec<u8>> {
    let installed = installed();
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(file), Some((of, words))) = (installed, said.as_ref())
        && file == *of
    {
        return Ok(words.clone());
    }
    let words = Command::new(program()).arg("--version").output()?.stdout;
    *said = installed.map(|file| (file, words.clone()));
    Ok(words)
}

/// Its number: `10.0.2`; empty when it does not say.
pub(super) fn number() -> String {
    let said = said().map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
    let version = said.split_once("version ").map_or("", |(_, rest)| rest);
    version.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect()
}

/// The file that would be run.
fn installed() -> Option<File> {
    let paths = std::env::var_os("PATH")?;
    let facts = std::env::split_paths(&paths).find_map(|folder| folder.join(program()).metadata().ok())?;
    Some((facts.dev(), facts.ino(), facts.ctime(), facts.ctime_nsec()))
}
