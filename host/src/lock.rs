//! One apply at a time on a machine. The kernel gives the lock back when its holder dies.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// Nobody looks for longer, and nobody minds to wait so long.
const MOMENT: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(5);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// Who began it: `alice@laptop`.
    pub operator: String,
    /// What it does: `apply`.
    pub what: String,
}

/// The lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{} has been begun by {} and is at work (process {})", .0.what, .0.operator, .0.pid)]
    Held(Holder),
    #[error("cannot use the lock file: {0}")]
    File(#[from] std::io::Error),
}

impl Lock {
    /// Takes the lock, or says who has it. Who only looks whether it is held has it for a moment, and is waited for.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be used.
    pub fn take(state: &Path, operator: &str, what: &str) -> Result<Self, LockError> {
        let path = state.join("lock");
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let began = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if began.elapsed() < MOMENT => std::thread::sleep(PAUSE),
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(LockError::Held(holder(&mut file))),
                Err(error) => return Err(LockError::File(error.into())),
            }
        }
        let holder = Holder { pid: std::process::id(), operator: operator.to_owned(), what: what.to_owned() };
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(&holder).map_err(std::io::Error::from)?)?;
        Ok(Self(file))
    }
}

/// Who wrote the file; it may just be about to.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    read.unwrap_or_else(|| Holder { pid: 0, operator: "somebody".to_owned(), what: "a run".to_owned() })
}
