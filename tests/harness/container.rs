//! System containers to test on: `Container::start("name")?` gives a booted, fresh Debian server within seconds.
//!
//! systemd is the first process in mount, process, network, UTS, IPC and cgroup namespaces; its root is an overlay over the
//! tests' own root folder. It has its own users, units, apt, Docker, nftables and sshd, at the speed of the build machine.
//! What it cannot show is what a kernel of its own can: WireGuard where the build machine's kernel has none, and what a
//! loss of power does to a disk.
//!
//! Next to it lies a second network, `outside`: the world from which operators, peers and strangers come.

mod cgroup;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::host::{CONFIG, Host, ssh_entries};
use crate::netns::Netns;
use crate::root::{Release, Root};
use crate::run::{Output, run, words};
use crate::{keys, wait};

use cgroup::Cgroup;

const ENTER: &str = include_str!("container/enter.sh");
/// Its address on the network that it shares with the outside.
pub const ADDRESS: &str = "203.0.113.1";
/// The address of the outside.
pub const OUTSIDE: &str = "203.0.113.2";

const CONSOLE: &str = "console.log";
const BOOT_LIMIT: Duration = Duration::from_secs(90);
const COMMAND_LIMIT: Duration = Duration::from_secs(300);

/// A running system container; dropping it ends everything in it.
#[derive(Debug)]
pub struct Container {
    name: String,
    root: Root,
    running: Running,
    /// Last, so that it is deleted when nothing writes to it any more.
    folder: TempDir,
}

/// From one boot to the next power cut.
#[derive(Debug)]
struct Running {
    /// `unshare`, which takes systemd with it.
    child: Child,
    _network: Netns,
    outside: Netns,
    _cgroup: Cgroup,
}

impl Container {
    /// A fresh, booted container with Debian 13.
    ///
    /// # Errors
    /// Without root, without cgroup v2, or when it does not come up in time.
    pub fn start(name: &str) -> Result<Self> {
        Self::start_with(name, Release::Trixie)
    }

    /// The same with another release.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(name: &str, release: Release) -> Result<Self> {
        let root = Root::obtain(release)?;
        // Short, for the path of a Unix socket has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix(&format!("stead-container-{name}-")).tempdir()?;
        keys::write(folder.path())?;
        let running = Running::boot(name, &root, folder.path())?;
        let mut container = Self { name: name.to_owned(), root, running, folder };
        container.await_boot()?;
        Ok(container)
    }

    /// Runs a shell command in the container without ssh.
    ///
    /// # Errors
    /// When it is still running after five minutes.
    pub fn inside(&self, line: &str) -> Result<Output> {
        run(self.command("sh")?.args(["-c", line]), COMMAND_LIMIT)
    }

    /// A command that will run in the container without ssh.
    ///
    /// # Errors
    /// When the container has ended.
    pub fn command(&self, program: &str) -> Result<Command> {
        let mut command = words("nsenter --all --target");
        command.arg(self.running.init()?).args(["--wd", "--", "env", "-i", "HOME=/root"]);
        command.args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", program]);
        Ok(command)
    }

    /// The network around it.
    pub fn outside(&self) -> &Netns {
        &self.running.outside
    }

    fn await_boot(&mut self) -> Result<()> {
        let way =
            format!("HostName {ADDRESS}\n    ProxyCommand ip netns exec {} busybox nc %h %p", self.outside().name());
        fs::write(self.ssh_config(), ssh_entries(&self.name, self.folder.path(), &way))?;
        let what = format!("the boot of the container {}", self.name);
        let came_up = wait::until(&what, BOOT_LIMIT, || match self.running.child.try_wait()? {
            Some(status) => Ok(Some(Err(anyhow!("it ended: {status}")))),
            None => Ok(self.is_up()?.then_some(Ok(()))),
        });
        came_up.flatten().with_context(|| self.said())?;
        self.open_shared_connection()
    }

    fn is_up(&self) -> Result<bool> {
        self.inside("systemctl is-system-running --wait")?;
        self.lets_in()
    }

    /// What there is to read when it does not come up.
    fn said(&self) -> String {
        let console = fs::read_to_string(self.folder.path().join(CONSOLE)).unwrap_or_default();
        let units = self.inside("systemctl --failed; journalctl --no-pager -n 40");
        console + &units.map(|output| output.stdout).unwrap_or_default()
    }
}

impl Host for Container {
    fn name(&self) -> &str {
        &self.name
    }

    fn ssh_config(&self) -> PathBuf {
        self.folder.path().join(CONFIG)
    }

    /// Files stay as they are, flushed or not.
    fn kill_power(&mut self) -> Result<()> {
        self.close_shared_connection();
        self.running.end();
        // A network of its own as well: what the kernel knew of the old one is gone.
        self.running = Running::boot(&self.name, &self.root, self.folder.path())?;
        self.await_boot()
    }
}

impl Running {
    fn boot(name: &str, root: &Root, folder: &Path) -> Result<Self> {
        let (network, outside) = (Netns::new()?, Netns::new()?);
        let address = |ip: &str| format!("{ip}/24");
        network.connect(("eth0", &address(ADDRESS)), &outside, ("eth0", &address(OUTSIDE)))?;
        network.exec(&format!("ip route add default via {OUTSIDE}"))?.ok()?;
        let cgroup = Cgroup::new()?;
        // A killed test process drops nothing: the kernel ends the container with it.
        let mut command = words("setpriv --pdeathsig KILL sh -c");
        command.arg("echo $$ > \"$1/cgroup.procs\" && shift && exec \"$@\"").arg("sh").arg(cgroup.path());
        command.args(["ip", "netns", "exec", network.name(), "unshare", "--mount", "--pid", "--uts", "--ipc"]);
        command.args(["--cgroup", "--fork", "--kill-child", "sh", "-c", ENTER, "enter"]);
        command.arg(folder).arg(&root.folder).arg(name);
        let log = fs::File::create(folder.join(CONSOLE))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("system containers need root, util-linux and iproute2")?;
        Ok(Self { child, _network: network, outside, _cgroup: cgroup })
    }

    /// The process number of its systemd, as the build machine sees it.
    fn init(&self) -> Result<String> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        Ok(children.split(' ').next().filter(|pid| !pid.is_empty()).context("the container has ended")?.to_owned())
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
