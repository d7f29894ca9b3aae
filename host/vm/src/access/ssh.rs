//! One ssh(1) for one request, with nothing of the user's own configuration in it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, Command};
use tokio::time::{sleep, timeout};

use super::keys::{CLIENT, KNOWN_HOSTS};
use super::{Access, AccessError};

/// What ssh(1) itself ends with when it cannot connect, or loses the connection.
const FAILED: i32 = 255;
const SHARED: &str = "ssh.sock";
/// The path of a Unix socket has at most 107 bytes, of which ssh(1) takes 17 for a temporary name.
const LONGEST_SOCKET: usize = 90;
/// How much of an answer or a complaint is read.
const LONGEST: u64 = 64 << 10;

/// Longer than anything that is asked takes beside busy neighbours; stopping a unit may take ten seconds of it.
pub(super) const LIMIT: Duration = Duration::from_secs(120);
/// Between tries.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(3)];

const OPTIONS: [&str; 15] = [
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "HostKeyAlgorithms=ssh-ed25519",
    "UpdateHostKeys=no",
    "CheckHostIP=no",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "BatchMode=yes",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "ConnectTimeout=20",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=6",
];

impl Access {
    /// A command for the machine's sh(1), as root.
    pub(super) fn command(&self, line: &str) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-F", "/dev/null", "-T", "-o", "LogLevel=ERROR"]);
        for option in OPTIONS.into_iter().chain(self.options.iter().map(String::as_str)) {
            command.args(["-o", option]);
        }
        command.arg("-o").arg(format!("HostKeyAlias={}", self.name));
        command.arg("-o").arg(format!("UserKnownHostsFile=\"{}\"", self.keys.join(KNOWN_HOSTS).display()));
        self.share(&mut command);
        command.arg("-i").arg(self.keys.join(CLIENT)).args(["-p", &self.address.port().to_string()]);
        command.args(["-l", "root", "--", &self.address.ip().to_string(), line]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Requests follow each other closely, and a connection of its own costs each of them five round trips and two
    /// signatures: they share one, which ends by itself when it is not used.
    fn share(&self, command: &mut Command) {
        let socket = self.keys.join(SHARED);
        if socket.as_os_str().len() <= LONGEST_SOCKET {
            command.args(["-o", "ControlMaster=auto", "-o", "ControlPersist=20"]);
            command.arg("-o").arg(format!("ControlPath=\"{}\"", socket.display()));
        }
    }

    /// Runs a short command to its end and gives what it printed. It may run more than once: sshd of a new machine restarts
    /// while cloud-init is at work, and connections break.
    pub(super) async fn ask(&self, line: &str, input: &[u8]) -> Result<String, AccessError> {
        again(async || self.ask_once(line, input).await).await
    }

    pub(super) async fn ask_once(&self, line: &str, input: &[u8]) -> Result<String, AccessError> {
        self.ask_within(LIMIT, line, input).await
    }

    /// Once, and not longer than `limit`: a machine that is alive may still never answer.
    pub(crate) async fn ask_within(&self, limit: Duration, line: &str, input: &[u8]) -> Result<String, AccessError> {
        let late = || {
            let words = format!("no answer within {limit:?}");
            Err(AccessError::Unreachable { machine: self.name.to_string(), words })
        };
        let (status, answer, words) = timeout(limit, self.talk(line, input)).await.unwrap_or_else(|_| late())?;
        self.check(status, "run a command of stead's own", words)?;
        Ok(answer)
    }

    async fn talk(&self, line: &str, input: &[u8]) -> Result<(ExitStatus, String, String), AccessError> {
        let cannot = |source| AccessError::Program { program: "ssh", source };
        let mut child = self.command(line).spawn().map_err(cannot)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // When the far end does not read, its exit status says why.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), answer, words) = tokio::join!(write, text(stdout), text(stderr));
        Ok((child.wait().await.map_err(cannot)?, answer, words))
    }

    /// The error that an ssh(1) which ended so means, if any.
    pub(super) fn check(&self, status: ExitStatus, what: &'static str, words: String) -> Result<(), AccessError> {
        let machine = self.name.to_string();
        match status.code() {
            Some(0) => Ok(()),
            Some(FAILED) if words.contains("Host key verification failed") => Err(AccessError::HostKey { machine }),
            Some(FAILED) => Err(AccessError::Unreachable { machine, words }),
            _ => Err(AccessError::Refused { machine, what, words }),
        }
    }

    pub(super) fn machine(&self) -> String {
        self.name.to_string()
    }
}

/// Does it again for as long as the machine cannot be reached, a few times.
pub(super) async fn again<T>(mut attempt: impl AsyncFnMut() -> Result<T, AccessError>) -> Result<T, AccessError> {
    for pause in PAUSES {
        match attempt().await {
            Err(AccessError::Unreachable { .. }) => sleep(pause).await,
            done => return done,
        }
    }
    attempt().await
}

/// What a program complained about, while it runs.
pub(super) async fn words(stderr: Option<ChildStderr>) -> String {
    text(stderr).await
}

async fn text(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut read = Vec::new();
    let _ = (&mut from).take(LONGEST).read_to_end(&mut read).await;
    // Read on, so that the far end is not held up.
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&read).trim().to_owned()
}
