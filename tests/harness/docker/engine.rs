//! Starts the tests' own `dockerd`, or joins the one that another test process started.

use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::wait;

const KEEPER: &str = include_str!("keeper.sh");
const START_LIMIT: Duration = Duration::from_secs(60);

/// An engine that runs as long as `user` is open.
pub(super) struct Shared {
    pub(super) socket: PathBuf,
    /// The process that lives in the engine's network.
    pub(super) pid: u32,
    pub(super) user: File,
}

/// Whether an engine is behind this socket.
pub(super) fn answers(socket: &Path) -> bool {
    let ping = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
        let mut answer = [0; 15];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b"200 OK"))
    };
    ping().unwrap_or(false)
}

/// The engine of this name, started if it does not run.
pub(super) fn share(name: &str) -> Result<Shared> {
    // In the temporary folder, not in the cache: the path of a Unix socket has at most 107 bytes.
    share_in(&env::temp_dir().join(name), None)
}

/// The engine in a folder, started if it does not run; `room`: how much its data may take, as mount(8) says it.
pub(super) fn share_in(folder: &Path, room: Option<&str>) -> Result<Shared> {
    fs::create_dir_all(folder)?;
    let user = lock_file(folder, "users.lock")?;
    user.lock_shared()?;
    let starting = lock_file(folder, "start.lock")?;
    starting.lock()?;
    let socket = folder.join("docker.sock");
    if !answers(&socket) {
        start(folder, &socket, room)?;
    }
    let pid = fs::read_to_string(folder.join("pid"))?.parse()?;
    Ok(Shared { socket, pid, user })
}

fn lock_file(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(name);
    File::create(&path).with_context(|| format!("creating {}", path.display()))
}

fn start(folder: &Path, socket: &Path, room: Option<&str>) -> Result<()> {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["sh", "-c", KEEPER, "keeper"]).arg(folder).args(room);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut keeper = command.spawn().context("starting dockerd's namespaces needs root and util-linux")?;
    fs::write(folder.join("pid"), keeper.id().to_string())?;
    let up = wait::until("dockerd", START_LIMIT, || match keeper.try_wait()? {
        Some(status) => Ok(Some(Err(anyhow!("dockerd ended at once ({status}): install docker.io, run as root")))),
        None => Ok(answers(socket).then_some(Ok(()))),
    });
    up.flatten().inspect_err(|_| drop(keeper.kill())).with_context(|| log_tail(folder))
}

fn log_tail(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join("dockerd.log")).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
