//! The command line of a machine's QEMU. It is the record of what runs: what is listed later is read back from it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::image::Image;
use super::make::Measured;
use super::{Accel, disk, process, seed};
use crate::request::Network;

pub(super) const CONSOLE: &str = "console.log";

const FORWARD: &str = "hostfwd=tcp:";
/// The kinds of system calls that a guest gives QEMU no reason to make; QEMU detaches itself by those of the other kinds.
const SANDBOX: &str = "on,obsolete=deny,resourcecontrol=deny";
/// `quiet`: under emulation a serial console costs seconds of a boot.
const ARGUMENTS: &str = "root=/dev/vda rw quiet";

pub(super) struct Machine<'a> {
    pub(super) folder: &'a Path,
    pub(super) image: &'a Image,
    pub(super) size: Measured,
    pub(super) network: Network,
    pub(super) accel: Accel,
    /// Whose rights QEMU keeps.
    pub(super) user: Option<&'a str>,
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
    let system = format!("if=virtio,format=qcow2,cache=unsafe,discard=unmap,file={}", disk::NAME);
    command.current_dir(folder).args(["-drive", &system]);
    command.args(["-drive", &format!("if=virtio,format=raw,readonly=on,file={}", seed::NAME)]);
    let restrict = if machine.network == Network::Closed { "restrict=on," } else { "" };
    command.args(["-netdev", &format!("user,id=net0,{restrict}{FORWARD}{}:{}-:22", port.ip(), port.port())]);
    command.args(["-device", "virtio-net-pci,netdev=net0", "-device", "virtio-rng-pci", "-sandbox", SANDBOX]);
    if let Some(user) = machine.user {
        // Everything is open by then: who breaks out of a guest is nobody.
        command.args(["-runas", user]);
    }
    kernel(&mut command, machine);
    command
}

/// What every machine has, a throw-away one too.
pub(super) fn base(accel: Accel) -> Command {
    let mut command = Command::new(format!("qemu-system-{}", std::env::consts::ARCH));
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
    let timer = match machine.accel {
        // The emulated clock is the host's: measuring it takes a second of the boot.
        Accel::Tcg if std::env::consts::ARCH == "x86_64" => "mitigations=off tsc=reliable no_timer_check",
        Accel::Tcg | Accel::Kvm => "",
    };
    command.args(["-append", &format!("console={console} {ARGUMENTS} {timer}")]);
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
    fn the_address_is_read_back_from_the_command_line() {
        for restrict in ["", "restrict=on,"] {
            let network = format!("user,id=net0,{restrict}hostfwd=tcp:127.0.0.1:40123-:22");
            let arguments = ["qemu-system-x86_64".to_owned(), "-netdev".to_owned(), network];
            assert_eq!(forwarded(&arguments), Some("127.0.0.1:40123".parse().unwrap()));
        }
        assert_eq!(forwarded(&["qemu-system-x86_64".to_owned()]), None);
    }
}
