//! Waits until nobody else changes packages: cloud-init on a first boot, unattended upgrades, a person.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use tokio::time::Instant;

use crate::capability::ApplyError;
use crate::machine::Machine;

/// A first boot with upgrades takes minutes.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
const PAUSE: Duration = Duration::from_millis(250);

/// In the order in which apt takes them.
const LOCKS: &[&str] =
    &["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"];

/// Waits for both, for a bounded time.
///
/// # Errors
/// When somebody is still at it, by name.
pub(super) async fn until_quiet(machine: &Machine) -> Result<(), ApplyError> {
    until(|| cloud_init(machine)).await?;
    until(|| LOCKS.iter().find_map(|lock| holder(machine, lock))).await
}

/// Waits until `busy` names nobody any more.
async fn until(busy: impl Fn() -> Option<String>) -> Result<(), ApplyError> {
    let deadline = Instant::now() + PATIENCE;
    while let Some(who) = busy() {
        if Instant::now() >= deadline {
            let minutes = PATIENCE.as_secs() / 60;
            let reason = format!("still busy after {minutes} minutes: {who}");
            return Err(ApplyError::Refused { resource: "packages".to_owned(), reason });
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// cloud-init, when it runs and has not started this very process; see `cloud-init status`.
fn cloud_init(machine: &Machine) -> Option<String> {
    let enabled = machine.path("/run/cloud-init/enabled").exists();
    let ended = machine.path("/run/cloud-init/result.json").exists();
    let within = || std::fs::read_to_string("/proc/self/cgroup").is_ok_and(|cgroup| cgroup.contains("/cloud-"));
    (enabled && !ended && !within()).then(|| "cloud-init has not ended".to_owned())
}

/// Who holds a lock of apt or dpkg.
fn holder(machine: &Machine, lock: &str) -> Option<String> {
    let file = File::options().read(true).write(true).open(machine.path(lock)).ok()?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::AGAIN | Errno::ACCESS) => Some(format!("{lock} is held by {}", name_of_holder(&file))),
        // Closing the file gives the lock back.
        _ => None,
    }
}

/// By proc(5), `/proc/locks`: `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF`.
fn name_of_holder(file: &File) -> String {
    let unknown = || "another process".to_owned();
    let Ok(inode) = file.metadata().map(|metadata| metadata.ino().to_string()) else { return unknown() };
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let holds = |line: &&str| line.split_whitespace().nth(5).and_then(|place| place.rsplit(':').next()) == Some(&inode);
    let Some(pid) = locks.lines().find(holds).and_then(|line| line.split_whitespace().nth(4)) else { return unknown() };
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("process {pid} {}", name.trim())
}
