//! One QEMU process: its command line, its QMP connection, its end.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

use super::qmp::Qmp;
use super::{Accel, Hardware, overlay_path};
use crate::run::run;
use crate::wait;

const CONSOLE: &str = "console.log";
const COMPLAINTS: &str = "qemu.log";
const SOCKET: &str = "qmp.sock";
pub(crate) const PID: &str = "qemu.pid";
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// Kills QEMU and deletes its folder when the pipe to our process ends, for a killed process drops nothing; a line that
/// comes through the pipe means that there is nothing to do.
const WATCH: &str = r#"read -r _ && exit; kill -9 "$0"; sleep 1; rm -rf "$1""#;

/// What to start.
pub(crate) struct Launch<'a> {
    pub(crate) hardware: &'a Hardware,
    /// Holds the disk's overlay, and gets sockets and logs.
    pub(crate) folder: &'a Path,
    pub(crate) seed: Option<PathBuf>,
    /// Saved memory to resume from.
    pub(crate) state: Option<&'a Path>,
    pub(crate) kernel_arguments: String,
}

/// A running QEMU that ends with this value.
#[derive(Debug)]
pub(crate) struct Qemu {
    child: Child,
    watch: Child,
    pub(crate) qmp: Qmp,
}

/// The guest's disk: a layer over a disk that must not change.
pub(crate) struct Drive;

impl Drive {
    pub(crate) fn create(overlay: &Path, below: &Path, format: &str) -> Result<()> {
        let mut command = Command::new("qemu-img");
        command.args(["create", "-q", "-f", "qcow2", "-F", format, "-b"]).args([below, overlay]);
        run(&mut command, Duration::from_secs(30))?.ok().context("install the package qemu-utils")?;
        Ok(())
    }
}

impl Qemu {
    pub(crate) fn start(launch: &Launch<'_>) -> Result<Self> {
        let complaints = File::create(launch.folder.join(COMPLAINTS))?;
        let mut command = command(launch);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints).process_group(0);
        let mut child = command.spawn().context("install the package qemu-system-x86")?;
        let watch = watch(&child, launch.folder)?;
        match connect(&mut child, &launch.folder.join(SOCKET)) {
            Ok(qmp) => Ok(Self { child, watch, qmp }),
            Err(error) => {
                end(&mut child, watch);
                Err(error.context(fs::read_to_string(launch.folder.join(COMPLAINTS))?))
            }
        }
    }

    /// Gives an error when the process has ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("QEMU ended by itself: {status}"),
            None => Ok(()),
        }
    }

    /// Lets QEMU finish its files and exit.
    pub(crate) fn quit(&mut self) -> Result<()> {
        self.qmp.call("quit", json!({}))?;
        wait::until("QEMU's exit", Duration::from_secs(60), || Ok(self.child.try_wait()?))?;
        Ok(())
    }

    pub(crate) fn detach(&mut self) -> Result<()> {
        let pipe = self.watch.stdin.as_mut().context("no pipe")?;
        writeln!(pipe, "detached")?;
        self.watch.wait()?;
        Ok(())
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.detach();
    }
}

fn connect(child: &mut Child, socket: &Path) -> Result<Qmp> {
    wait::until("QEMU's control socket", CONNECT_LIMIT, || match child.try_wait()? {
        Some(status) => Ok(Some(Err(anyhow!("QEMU ended at once: {status}")))),
        None => Ok(Some(Ok(Qmp::connect(socket)?))),
    })?
}

/// The serial console's log so far.
pub(crate) fn console(folder: &Path) -> Result<String> {
    let bytes = fs::read(folder.join(CONSOLE)).context("reading the console's log")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn end(child: &mut Child, mut watch: Child) {
    let _ = child.kill();
    let _ = child.wait();
    let _ = watch.kill();
    let _ = watch.wait();
}

fn watch(child: &Child, folder: &Path) -> Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, &child.id().to_string()]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    Ok(command.spawn()?)
}

fn command(launch: &Launch<'_>) -> Command {
    let (shape, folder) = (launch.hardware.shape, launch.folder);
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35"]);
    command.args(accel_arguments(launch.hardware.accel));
    command.args(["-smp", &shape.cpus.to_string(), "-m", &shape.memory_mib.to_string()]);
    command.arg("-pidfile").arg(folder.join(PID));
    command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", folder.join(SOCKET).display()));
    command.arg("-chardev").arg(format!("file,id=console,append=on,path={}", folder.join(CONSOLE).display()));
    command.args(["-serial", "chardev:console"]);
    // Nothing here outlives a crash of the build machine, so no write has to reach its disk.
    command.arg("-drive").arg(drive(&overlay_path(folder), "format=qcow2,cache=unsafe,discard=unmap"));
    if let Some(seed) = &launch.seed {
        command.arg("-drive").arg(drive(seed, "format=raw,readonly=on"));
    }
    command.args(["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0", "-device", "virtio-rng-pci"]);
    command.args(kernel_arguments(launch));
    if let Some(state) = launch.state {
        command.arg("-incoming").arg(format!("exec:cat '{}'", state.display()));
    }
    command
}

fn accel_arguments(accel: Accel) -> [&'static str; 4] {
    match accel {
        Accel::Kvm => ["-accel", "kvm", "-cpu", "host"],
        Accel::Tcg => ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"],
    }
}

fn drive(file: &Path, options: &str) -> String {
    format!("if=virtio,file={},{options}", file.display())
}

fn kernel_arguments(launch: &Launch<'_>) -> Vec<std::ffi::OsString> {
    let Some(kernel) = &launch.hardware.image.kernel else {
        return Vec::new();
    };
    let arguments = format!(
        "console=ttyS0 root=/dev/vda rw quiet mitigations=off tsc=reliable no_timer_check {}",
        launch.kernel_arguments
    );
    vec![
        "-kernel".into(),
        kernel.vmlinux.clone().into(),
        "-initrd".into(),
        kernel.initramfs.clone().into(),
        "-append".into(),
        arguments.into(),
    ]
}
