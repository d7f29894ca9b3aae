//! The same machine as a job's, with nothing of stead around it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_tests::run::run;
use stead_tests::vm::Qmp;
use stead_tests::wait;
use tempfile::TempDir;

use super::service::Service;

const LIMIT: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_secs(30);
/// How long sshd may take to say what it is; then another connection is tried.
const BANNER: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// What a template needs at least to let somebody in: it has no key, and no sshd that runs.
const LET_IN: &str = "mkdir -p /root/.ssh
    echo '@CLIENT@' > /root/.ssh/authorized_keys
    printf '%s' '@HOST@' > /etc/ssh/ssh_host_ed25519_key
    systemctl start --no-block ssh.service
";

/// How to start one.
pub(super) struct Bare {
    arguments: Vec<OsString>,
    /// Seed and keys, and what each run adds.
    folder: TempDir,
    disk: Disk,
    /// What a machine that is resumed goes on from.
    template: Option<PathBuf>,
}

/// What its disk is a layer over.
struct Disk {
    below: String,
    format: String,
    size: u64,
}

/// A QEMU that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Bare {
    /// Learns it from a machine that the service has started.
    pub(super) fn learn(service: &Service) -> Result<Self> {
        service.with_machine(|machine, keys| {
            let folder = tempfile::tempdir()?;
            for (from, name) in
                [(machine, "seed.img"), (keys, "client_key"), (keys, "client_key.pub"), (keys, "host_key")]
            {
                fs::copy(from.join(name), folder.path().join(name))?;
            }
            let pid = fs::read_to_string(machine.join("qemu.pid"))?;
            let line = fs::read_to_string(format!("/proc/{}/cmdline", pid.trim()))?;
            let arguments = alone(&line, machine, folder.path());
            let template = arguments.iter().find_map(|argument| argument.to_str()?.split_once("mem-path="));
            let template = template.map(|(_, path)| Path::new(path).with_file_name("devices"));
            Ok(Self { arguments, disk: Disk::of(&machine.join("disk.qcow2"))?, folder, template })
        })
    }

    /// From the start of QEMU to the first line over ssh(1).
    pub(super) fn first_output(&self) -> Result<Duration> {
        self.disk.create(&self.path("disk.qcow2"))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let network = format!("user,id=net0,hostfwd=tcp:{port}-:22");
        let mut command = Command::new(&self.arguments[0]);
        command.args(&self.arguments[1..]).args(["-netdev", &network]).current_dir(self.folder.path());
        let (log, began) = (File::create(self.path("qemu.log"))?, Instant::now());
        let running = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let _running = Running(running);
        if let Some(devices) = &self.template {
            self.resume(devices).with_context(|| fs::read_to_string(self.path("qemu.log")).unwrap_or_default())?;
        }
        loop {
            ensure!(began.elapsed() < LIMIT, "{}", fs::read_to_string(self.path("console.log")).unwrap_or_default());
            if answers(port) && self.says_something(port)? {
                return Ok(began.elapsed());
            }
            sleep(PAUSE);
        }
    }

    fn resume(&self, devices: &Path) -> Result<()> {
        let mut qmp = wait::until("QEMU", SHORT, || Ok(Some(Qmp::connect(&self.path("qmp.sock"))?)))?;
        let ignore = json!([{ "capability": "x-ignore-shared", "state": true }]);
        qmp.call("migrate-set-capabilities", json!({ "capabilities": ignore }))?;
        qmp.call("migrate-incoming", json!({ "uri": format!("exec:cat '{}'", devices.display()) }))?;
        while qmp.call("query-migrate", json!({}))?["status"] != "completed" {
            sleep(Duration::from_millis(5));
        }
        let [client, host] = ["client_key.pub", "host_key"].map(|name| fs::read_to_string(self.path(name)));
        let script = LET_IN.replace("@CLIENT@", client?.trim()).replace("@HOST@", &host?);
        let mut port = UnixStream::connect(self.path("wake.sock"))?;
        write!(port, "{}\n{script}", script.len())?;
        ensure!(port.read(&mut [0; 16])? > 0, "nobody has woken");
        Ok(())
    }

    fn says_something(&self, port: SocketAddr) -> Result<bool> {
        let mut command = Command::new("ssh");
        command.args([
            "-F",
            "/dev/null",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "LogLevel=ERROR",
        ]);
        command.args(["-o", "UserKnownHostsFile=/dev/null", "-i"]).arg(self.path("client_key"));
        command.args(["-p", &port.port().to_string(), "-l", "root", "127.0.0.1", "echo the first output"]);
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
        let mut ssh = command.spawn()?;
        let mut line = String::new();
        BufReader::new(ssh.stdout.take().context("no output")?).read_line(&mut line)?;
        ssh.wait()?;
        Ok(!line.is_empty())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Disk {
    fn of(disk: &Path) -> Result<Self> {
        let mut info = Command::new("qemu-img");
        let facts: Value =
            serde_json::from_str(&run(info.args(["info", "-U", "--output=json"]).arg(disk), SHORT)?.ok()?)?;
        let text = |name: &str| facts[name].as_str().map(ToOwned::to_owned).context("a disk without a layer below");
        let size = facts["virtual-size"].as_u64().context("no size")?;
        Ok(Self { below: text("backing-filename")?, format: text("backing-filename-format")?, size })
    }

    fn create(&self, path: &Path) -> Result<()> {
        let mut command = Command::new("qemu-img");
        command.args(["create", "-q", "-f", "qcow2", "-F", &self.format, "-b", &self.below]);
        run(command.arg(path).arg(self.size.to_string()), SHORT)?.ok().map(drop)
    }
}

/// The arguments of a machine for one in another folder, as a child of ours, and without its network.
fn alone(line: &str, machine: &Path, folder: &Path) -> Vec<OsString> {
    let (machine, folder) = (machine.to_string_lossy(), folder.to_string_lossy());
    let mut arguments = Vec::new();
    let mut all = line.split_terminator('\0');
    while let Some(argument) = all.next() {
        match argument {
            "-daemonize" => {}
            "-netdev" | "-runas" | "-run-with" => drop(all.next()),
            other => arguments.push(other.replace(&*machine, &folder).into()),
        }
    }
    arguments
}

/// Whether sshd has said what it is.
fn answers(port: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&port, BANNER) else { return false };
    stream.set_read_timeout(Some(BANNER)).is_ok() && matches!(stream.read(&mut [0; 4]), Ok(1..))
}
