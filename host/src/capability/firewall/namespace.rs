//! A network namespace to throw away: the real kernel takes a ruleset there, and no packet ever meets it.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::machine::{Program, ProgramError};

const UNSHARE: &str = "unshare";
const TIMEOUT: Duration = Duration::from_secs(10);

/// A network namespace, which is gone when this is dropped, and when stead is killed.
#[derive(Debug)]
pub(super) struct Namespace {
    /// `cat` in the namespace. It ends when its input does.
    holder: Child,
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// When the kernel does not give one.
    pub(super) async fn new() -> Result<Self, ProgramError> {
        let start = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => ProgramError::Missing { program: UNSHARE.to_owned() },
            _ => ProgramError::Start { program: UNSHARE.to_owned(), source },
        };
        let mut holder = Command::new(UNSHARE)
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(start)?;
        // An echo says that `unshare` has become `cat`, so that the namespace is there.
        let echo = async {
            if let Some(stdin) = holder.stdin.as_mut() {
                stdin.write_all(b"\n").await?;
            }
            match holder.stdout.as_mut() {
                Some(stdout) => stdout.read_exact(&mut [0]).await.map(drop),
                None => Ok(()),
            }
        };
        match tokio::time::timeout(TIMEOUT, echo).await {
            Ok(echoed) => echoed.map_err(start)?,
            Err(_) => return Err(ProgramError::Timeout { program: UNSHARE.to_owned(), timeout: TIMEOUT }),
        }
        Ok(Self { holder })
    }

    /// A program that will run in the namespace.
    pub(super) fn program(&self, name: &str) -> Program {
        // The holder is not waited for, so its id cannot be another process's.
        let id = self.holder.id().unwrap_or_default();
        Program::new("nsenter").arg(format!("--net=/proc/{id}/ns/net")).arg(name)
    }
}
