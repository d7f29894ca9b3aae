//! Makes and destroys machines. Each may be cut off at any line and begun again by another process.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use super::command::{self, Machine, Memory};
use super::folder::{Folder, Intent, Locked};
use super::image::Image;
use super::list::describe;
use super::process;
use super::{Accel, Place, ProviderError, disk, failed, seed, wake};
use crate::machine::Vm;
use crate::name::VmName;
use crate::provider::Cause;
use crate::request::{Request, Size};
use crate::user_data::Told;

const COMPLAINTS: &str = "qemu.log";
const START_LIMIT: Duration = Duration::from_secs(60);
const END_LIMIT: Duration = Duration::from_secs(30);
/// Another process can take a free port before QEMU does.
const PORT_TRIES: u32 = 5;

impl Place {
    pub(super) fn make(&self, request: &Request) -> Result<Vm, ProviderError> {
        let image = self.images.get(&request.image)?;
        let size = measured(request)?;
        let folder = Folder::of(&self.machines, &request.name);
        let (installation, created) = (self.installation.clone(), SystemTime::now());
        let intent = Intent { installation, request: request.clone(), created };
        folder.publish(&self.machines, &intent).map_err(|error| failed("writing down the machine", error))?;
        let gone = || ProviderError::new(Cause::Unavailable, format!("{} was destroyed meanwhile", request.name));
        let locked = folder.lock().map_err(|error| failed("locking the machine's folder", error))?.ok_or_else(gone)?;
        let seen = folder.see().map_err(|error| failed("reading the machine's request", error))?;
        if seen.intent.installation != self.installation {
            let words = format!("{} is a machine of another installation", request.name);
            return Err(ProviderError::new(Cause::Invalid, words));
        }
        // Without the mark nobody was told of it: whoever began it has died meanwhile.
        if !folder.was_started()
            && let Err(error) = self.begin(request, size, &image, &locked)
        {
            // A failed create is none.
            self.take_away(&request.name, locked)?;
            return Err(error);
        }
        let seen = folder.see().map_err(|error| failed("reading the machine's request", error))?;
        let running = process::all(&self.machines).map_err(|error| failed("reading /proc", error))?;
        Ok(describe(&seen, &running))
    }

    pub(super) fn destroy(&self, name: &VmName) -> Result<(), ProviderError> {
        let folder = Folder::of(&self.machines, name);
        match folder.lock().map_err(|error| failed("locking the machine's folder", error))? {
            Some(locked) if folder.see().is_ok_and(|seen| seen.intent.installation != self.installation) => {
                drop(locked);
                Ok(())
            }
            Some(locked) => self.take_away(name, locked),
            None => Ok(()),
        }
    }

    fn take_away(&self, name: &VmName, locked: Locked) -> Result<(), ProviderError> {
        self.end(name)?;
        locked.remove(&self.machines).map_err(|error| failed(&format!("removing {name}"), error))
    }

    pub(super) fn accel(&self, image: &Image) -> Result<Accel, ProviderError> {
        match self.settings.accelerator {
            Some(accel) => Ok(accel),
            None => Accel::choose(&self.settings.folder, image).map_err(|error| failed("probing KVM", error)),
        }
    }

    fn end(&self, name: &VmName) -> Result<(), ProviderError> {
        process::end(&self.machines, name.as_str(), END_LIMIT).map_err(|error| failed(&format!("ending {name}"), error))
    }

    fn begin(&self, request: &Request, size: Measured, image: &Image, locked: &Locked) -> Result<(), ProviderError> {
        self.end(&request.name)?;
        self.check_room(request)?;
        let folder = &locked.folder;
        seed::write(&folder.file(seed::NAME), request).map_err(|error| failed("making the seed", error))?;
        let accel = self.accel(image)?;
        let told = Told::read(&request.user_data);
        let template = self.template(image, size, accel).map_err(|error| failed("looking for a template", error))?;
        // Without keys of its own a resumed machine would let nobody in.
        let template = template.zip(told);
        let folder_of = template.as_ref().map(|(folder, _)| folder.as_path());
        let memory = folder_of.map_or(Memory::Own, Memory::Resumed);
        let below = folder_of.map(|folder| folder.join(disk::NAME));
        let made = disk::create(&folder.file(disk::NAME), image, below.as_deref(), size.disk_gib);
        made.map_err(|error| failed("making the disk", error))?;
        let (network, user) = (request.network, self.settings.user());
        if let Some(user) = user {
            disk::give(&folder.file(disk::NAME), user).map_err(|error| failed("giving the disk to QEMU", error))?;
        }
        start_on_some_port(&Machine { folder: folder.path(), image, size, network, accel, user, memory })?;
        if let Some((template, told)) = &template {
            let woken = wake::wake(folder.path(), template, &request.name, told);
            woken.map_err(|error| failed("resuming the machine from its template", error))?;
        }
        locked.mark_started().map_err(|error| failed("marking the machine as started", error))
    }
}

/// What is asked for, in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) cpus: u16,
    pub(super) memory_mib: u32,
    pub(super) disk_gib: u32,
}

pub(super) fn measured(request: &Request) -> Result<Measured, ProviderError> {
    let refuse = |words: String| Err(ProviderError::new(Cause::Invalid, words));
    match &request.size {
        Size::Measured { cpus: 0, .. } | Size::Measured { memory_mib: 0, .. } => {
            refuse("a machine needs a processor and memory".to_owned())
        }
        Size::Measured { cpus, memory_mib, disk_gib } => {
            Ok(Measured { cpus: *cpus, memory_mib: *memory_mib, disk_gib: *disk_gib })
        }
        Size::Type(name) => refuse(format!("local machines have no instance type {name}: say cpus, memory and disk")),
    }
}

pub(super) fn start_on_some_port(machine: &Machine<'_>) -> Result<SocketAddr, ProviderError> {
    for _ in 1..PORT_TRIES {
        match start(machine) {
            Err(error) if error.words.contains("host forwarding rule") => {}
            done => return done,
        }
    }
    start(machine)
}

/// Runs QEMU until it has detached itself, with the machine ready to go.
fn start(machine: &Machine<'_>) -> Result<SocketAddr, ProviderError> {
    let port = free_port().map_err(|error| failed("looking for a free port", error))?;
    let log = machine.folder.join(COMPLAINTS);
    let complaints = File::create(&log).map_err(|error| failed("writing QEMU's log", error))?;
    let mut command = command::command(machine, port);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints);
    let mut child = command.spawn().map_err(|error| failed("starting QEMU", error))?;
    match wait(&mut child).map_err(|error| failed("waiting for QEMU", error))? {
        Some(status) if status.success() => Ok(port),
        Some(_) => {
            let words = fs::read_to_string(&log).unwrap_or_default();
            let cause = if words.contains("Cannot allocate memory") { Cause::NoCapacity } else { Cause::Unavailable };
            Err(ProviderError::new(cause, format!("QEMU: {}", words.trim())))
        }
        None => {
            let _ = child.kill();
            let _ = child.wait();
            Err(ProviderError::new(Cause::Unavailable, format!("QEMU did not start within {START_LIMIT:?}")))
        }
    }
}

fn wait(child: &mut std::process::Child) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        sleep(Duration::from_millis(5));
    }
    Ok(None)
}

fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
