//! What a run costs beside its time: memory, and how many processes it starts, on either side.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::sample::output;
use crate::server::Server;

const PAUSE: Duration = Duration::from_millis(5);
/// The number that the kernel gave last in this namespace of processes, to a process or a thread.
const LAST: &str = "/proc/sys/kernel/ns_last_pid";

#[derive(Debug)]
pub(crate) struct Cost {
    /// Of all processes that were not there before, together, at the worst moment; what they share is counted once.
    pub(crate) memory_kib: u64,
    /// Processes and threads that were started by the operator's side, and on the server.
    pub(crate) started: [u64; 2],
}

/// Runs a command that works on a server.
pub(crate) fn of(command: &Command, server: &Server) -> Result<Cost> {
    let counted = tempfile::NamedTempFile::new()?;
    let mut apart = Command::new("unshare");
    apart.args(["--pid", "--fork", "--mount-proc", "sh", "-c"]);
    apart.arg(format!("\"$@\"; code=$?; cat {LAST} > {}; exit $code", counted.path().display())).arg("sh");
    apart.arg(command.get_program()).args(command.get_args());
    let last = || number(&server.shell(&format!("cat {LAST}"))?);
    // To ask starts processes as well.
    let (before, own) = {
        let first = last()?;
        let second = last()?;
        (second, second - first)
    };
    let is_over = AtomicBool::new(false);
    let memory_kib = thread::scope(|scope| {
        let watch = scope.spawn(|| most_memory(&is_over));
        let ran = output(&mut apart);
        is_over.store(true, Ordering::Relaxed);
        let most = watch.join().ok().context("a thread panicked")?;
        ran.map(|_| most)
    })?;
    let there = last()?.saturating_sub(before + own);
    Ok(Cost { memory_kib, started: [number(&fs::read_to_string(counted.path())?)?, there] })
}

fn number(text: &str) -> Result<u64> {
    text.trim().parse().with_context(|| format!("{text:?} is no number"))
}

fn most_memory(is_over: &AtomicBool) -> u64 {
    let known = processes();
    let mut most = 0;
    while !is_over.load(Ordering::Relaxed) {
        let sum = processes().difference(&known).filter_map(|pid| share(pid)).sum();
        most = most.max(sum);
        thread::sleep(PAUSE);
    }
    most
}

fn processes() -> BTreeSet<String> {
    let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

/// The memory of a process in KiB, with its share of what it has in common with others; none when it has ended.
fn share(pid: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pss:"))?.split_whitespace().next()?.parse().ok()
}
