//! Finds the process of a machine, and ends it and no other.
//!
//! A process number can belong to another process a moment later. So the process is pinned first (pidfd_open(2)), then
//! its command line is read, and the signal goes to what was pinned.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The argument by which a machine's process is known; QEMU writes its number there, and nobody reads it.
pub(super) const MARK: &str = "-pidfile";
pub(super) const PID_FILE: &str = "qemu.pid";

#[derive(Debug)]
pub(super) struct Process {
    pinned: OwnedFd,
    pub(super) arguments: Vec<String>,
}

/// The processes of all machines below `machines`, by the name of the machine's folder. While one is being started there
/// are two of it for a moment.
pub(super) fn all(machines: &Path) -> io::Result<BTreeMap<String, Vec<Process>>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
        let Some(process) = pin(pid) else { continue };
        if let Some(machine) = process.machine(machines) {
            all.entry(machine).or_default().push(process);
        }
    }
    Ok(all)
}

/// Ends whatever runs for the machine with this folder.
pub(super) fn end(machines: &Path, folder: &str, limit: Duration) -> io::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let Some(processes) = all(machines)?.remove(folder) else { return Ok(()) };
        for process in processes {
            process.kill(deadline.saturating_duration_since(Instant::now()))?;
        }
    }
}

fn pin(pid: Pid) -> Option<Process> {
    let pinned = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    let arguments = line.split(|byte| *byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned());
    Some(Process { pinned, arguments: arguments.collect() })
}

impl Process {
    fn machine(&self, machines: &Path) -> Option<String> {
        let at = self.arguments.iter().position(|argument| argument == MARK)?;
        let file = Path::new(self.arguments.get(at + 1)?);
        let folder = file.parent().filter(|_| file.ends_with(PID_FILE))?;
        (folder.parent()? == machines).then(|| folder.file_name()?.to_str().map(ToOwned::to_owned)).flatten()
    }

    fn kill(&self, limit: Duration) -> io::Result<()> {
        match pidfd_send_signal(&self.pinned, Signal::KILL) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // A pinned process becomes readable when it has ended.
        let mut wait = [PollFd::new(&self.pinned, PollFlags::IN)];
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        match poll(&mut wait, Some(&limit))? {
            0 => Err(io::Error::new(io::ErrorKind::TimedOut, "the process does not end")),
            _ => Ok(()),
        }
    }
}
