//! The command line of a machine's QEMU. It is the record of what runs: what is listed later is read back from it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::image::Image;
use super::make::Measured;
use super::{Accel, disk, process, qmp, seed, template, version, wake};
use crate::request::Network;

pub(super) const CONSOLE: &str = "console.log";

const FORWARD: &str = "hostfwd=tcp:";
/// The kinds of system calls that a guest gives QEMU no reason to make; QEMU detaches itself by those of the other kinds.
const SANDBOX: &str = "on,obsolete=deny,resourcecontrol=deny";
/// `quiet`: under emulation a serial console costs seconds of a boot.
const ARGUMENTS: &str = "root=/dev/vda rw quiet";

/// On an emulated machine beside busy neighbours, a unit that works can take longer than systemd's 90 s.
const PATIENCE: &str = "systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900";

pub(super) struct Machine<'a> {
    pub(super) folder: &'a Path,
    pub(super) image: &'a Image,
    pub(super) size: Measured,
    pub(super) network: Network,
    pub(super) accel: Accel,
    /// Whose rights QEMU keeps.
    pub(super) user: Option<&'a str>,
    pub(super) memory: Memory<'a>,
}

/// Where a machine's memory is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Memory<'a> {
    /// Nowhere else.
    Own,
    /// In a file, to become a template's.
    Recorded,
    /// As it was in the template in this folder; what changes is the machine's own.
    Resumed(&'a Path),
}

pub(super) fn command(machine: &Machine<'_>, port: SocketAddr) -> Command {
    let folder = machine.folder;
    let mut command = base(machine.accel);
    // It forks itself away from us, in a session of its own, once the machine is ready to run.
    command.args(["-daemonize", process::MARK]).arg(folder.join(process::PID_FILE));
    command.args(["-name", &folder.file_name().unwrap_or_default().to_string_lossy()]);
    command.args(["-smp", &machine.size.cpus.to_string(), "-m", &machine.size.memory_mib.to_string()]);
    command.arg("-chardev").arg(argument("file,id=console,append=on,path=", &folder.join(CONSOLE)));
    command.args(["-serial", "chardev:console"]);
    // A job's disk ends with it: no write has to survive a crash of this machine.
    let system = "if=virtio,format=qcow2,cache=unsafe,discard=unmap,file=";
    command.arg("-drive").arg(argument(system, &folder.join(disk::NAME)));
    command.arg("-drive").arg(argument("if=virtio,format=raw,readonly=on,file=", &folder.join(seed::NAME)));
    command.current_dir(folder);
    let restrict = if machine.network == Network::Closed { "restrict=on," } else { "" };
    command.args(["-netdev", &format!("user,id=net0,{restrict}{FORWARD}{}:{}-:22", port.ip(), port.port())]);
    command.args(["-device", "virtio-net-pci,netdev=net0", "-device", "virtio-rng-pci", "-sandbox", SANDBOX]);
    if let Some(user) = machine.user {
        // Everything is open by then: who breaks out of a guest is nobody.
        command.args(run_as(user, &version::number()));
    }
    memory(&mut command, machine);
    kernel(&mut command, machine);
    command
}

/// QEMU 9.1 calls it otherwise, and 10 knows the old name no more.
fn run_as(user: &str, version: &str) -> [String; 2] {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < (9, 1) => ["-runas".to_owned(), user.to_owned()],
        _ => ["-run-with".to_owned(), format!("user={user}")],
    }
}

/// The devices must be the same when a template is made and when it is resumed.
fn memory(command: &mut Command, machine: &Machine<'_>) {
    let (folder, share) = match machine.memory {
        Memory::Own => return,
        Memory::Recorded => (machine.folder, "on"),
        Memory::Resumed(template) => (template, "off"),
    };
    let size = machine.size.memory_mib;
    let prefix = format!("memory-backend-file,id=memory,size={size}M,share={share},mem-path=");
    command.arg("-object").arg(argument(&prefix, &folder.join(template::MEMORY)));
    command.args(["-machine", "memory-backend=memory", "-device", "vmgenid,guid=auto", "-device", "virtio-serial-pci"]);
    // Paths of sockets are short, so they are relative to the folder that QEMU starts in.
    let wake = format!("socket,id=wake,server=on,wait=off,path={}", wake::SOCKET);
    command.args(["-chardev", &wake, "-device", &format!("virtserialport,chardev=wake,name={}", wake::PORT)]);
    command.args(["-qmp", &format!("unix:{},server=on,wait=off", qmp::SOCKET)]);
    if let Memory::Resumed(_) = machine.memory {
        command.args(["-incoming", "defer"]);
    }
}

/// What every machine has, a throw-away one too.
pub(super) fn base(accel: Accel) -> Command {
    let mut command = Command::new(version::program());
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", board()]);
    command.args(accel.arguments());
    command
}

/// The address on this machine that leads to port 22 of the guest, from the arguments of a running QEMU.
pub(super) fn forwarded(arguments: &[String]) -> Option<SocketAddr> {
    let network = arguments.iter().find_map(|argument| argument.strip_prefix("user,id=net0,"))?;
    network.split_once(FORWARD)?.1.strip_suffix("-:22")?.parse().ok()
}

fn kernel(command: &mut Command, machine: &Machine<'_>) {
    let Some(kernel) = &machine.image.kernel else { return };
    command.arg("-kernel").arg(&kernel.kernel).arg("-initrd").arg(&kernel.initramfs);
    let console = if std::env::consts::ARCH == "aarch64" { "ttyAMA0" } else { "ttyS0" };
    let emulated = match machine.accel {
        // The emulated clock is the host's: measuring it takes a second of the boot.
        Accel::Tcg if std::env::consts::ARCH == "x86_64" => "mitigations=off tsc=reliable no_timer_check",
        Accel::Tcg | Accel::Kvm => "",
    };
    let patience = if machine.accel == Accel::Tcg { PATIENCE } else { "" };
    command.args(["-append", &format!("console={console} {ARGUMENTS} {emulated} {patience}")]);
}

fn board() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "virt" } else { "q35" }
}

/// QEMU splits such arguments at commas; a doubled one is a comma.
fn argument(prefix: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(prefix);
    argument.push(path.to_string_lossy().replace(',', ",,"));
    argument
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_qemu_becomes_is_said_in_the_words_of_its_version() {
        assert_eq!(run_as("nobody", "7.2.19"), ["-runas", "nobody"]);
        assert_eq!(run_as("nobody", "9.0.4"), ["-runas", "nobody"]);
        for version in ["9.1.0", "10.0.2", ""] {
            assert_eq!(run_as("nobody", version), ["-run-with", "user=nobody"], "{version}");
        }
    }

    #[test]
    fn the_address_is_read_back_from_the_command_line() {
        for restrict in ["", "restrict=on,"] {
            let network = format!("user,id=net0,{restrict}hostfwd=tcp:127.0.0.1:40123-:22");
            let arguments = ["qemu-system-x86_64".to_owned(), "-netdev".to_owned(), network];
            assert_eq!(forwarded(&arguments), Some("127.0.0.1:40123".parse().unwrap()));
        }
        assert_eq!(forwarded(&["qemu-system-x86_64".to_owned()]), None);
    }
}
