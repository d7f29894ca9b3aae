//! What machines there are.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::folder::{self, Folder, Intent, Seen};
use super::process::{self, Process};
use super::{Place, ProviderError, command, failed};
use crate::machine::{State, Vm};
use crate::name::VmName;
use crate::request::Size;

/// How much of the console is shown, from its end.
const CONSOLE: usize = 16 << 10;
const LONGEST_CONSOLE: u64 = 4 << 20;

impl Place {
    pub(super) fn list(&self) -> Result<Vec<Vm>, ProviderError> {
        let unread = |error| failed(&format!("reading {}", self.machines.display()), error);
        folder::sweep(&self.machines).map_err(unread)?;
        let ours = |seen: &Seen| seen.intent.installation == self.installation;
        let seen: Vec<_> = self.see().map_err(unread)?.into_iter().filter(ours).collect();
        let running = process::all(&self.machines).map_err(unread)?;
        for seen in &seen {
            limit_console(&self.console_of(&seen.intent.request.name));
        }
        Ok(seen.iter().map(|seen| describe(seen, &running)).collect())
    }

    /// All machines, of other installations too.
    pub(super) fn see(&self) -> std::io::Result<Vec<Seen>> {
        // A folder that cannot be read was removed just now.
        Ok(Folder::all(&self.machines)?.iter().filter_map(|folder| folder.see().ok()).collect())
    }

    fn console_of(&self, name: &VmName) -> PathBuf {
        Folder::of(&self.machines, name).file(command::CONSOLE)
    }

    pub(super) fn console(&self, name: &VmName) -> Option<String> {
        let console = std::fs::read(self.console_of(name)).ok()?;
        let tail = console.get(console.len().saturating_sub(CONSOLE)..).unwrap_or_default();
        Some(String::from_utf8_lossy(tail).into_owned())
    }
}

/// A guest can write to its console without end, and this machine's disk has one. QEMU appends, so it goes on at the start.
fn limit_console(console: &Path) {
    if std::fs::metadata(console).is_ok_and(|facts| facts.len() > LONGEST_CONSOLE) {
        let _ = OpenOptions::new().write(true).open(console).and_then(|console| console.set_len(0));
    }
}

pub(super) fn describe(seen: &Seen, running: &BTreeMap<String, Vec<Process>>) -> Vm {
    let Intent { request, created, .. } = &seen.intent;
    let processes = running.get(request.name.as_str());
    let state = match processes {
        _ if !seen.was_started => State::Starting,
        Some(_) => State::Running,
        None => State::Ended,
    };
    Vm {
        name: request.name.clone(),
        state,
        created: *created,
        address: processes.filter(|_| state == State::Running).into_iter().flatten().find_map(address),
        size: size(&request.size),
        region: None,
        price: None,
    }
}

fn address(process: &Process) -> Option<SocketAddr> {
    command::forwarded(&process.arguments)
}

fn size(size: &Size) -> String {
    match size {
        Size::Type(name) => name.clone(),
        Size::Measured { cpus, memory_mib, disk_gib } => format!("{cpus} cpus, {memory_mib} MiB, {disk_gib} GiB"),
    }
}
