//! A connection over which a machine writes for as long as it likes.

use std::convert::Infallible;
use std::future::pending;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::ssh::{self, LIMIT};
use super::{Access, AccessError};

/// What ssh(1) gives of what the machine writes. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) stdout: ChildStdout,
    /// Open for as long as the stream is.
    stdin: Option<ChildStdin>,
    child: Child,
    complaints: JoinHandle<String>,
}

impl Access {
    /// Runs `line` for what it writes.
    pub(super) fn open(&self, line: &str) -> Result<Stream, AccessError> {
        let mut child = self.command(line).spawn().map_err(cannot)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let stdout = stdout.ok_or_else(|| cannot(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Stream { stdout, stdin, child, complaints: tokio::spawn(ssh::words(stderr)) })
    }

    /// The same once `line` has taken `input` and said `word`; what it writes then is left to be read.
    pub(super) async fn open_after(&self, word: &[u8], line: &str, input: &[u8]) -> Result<Stream, AccessError> {
        let mut stream = self.open(line)?;
        let (stdin, mut said) = (stream.stdin.take(), vec![0; word.len()]);
        // A machine that says the word wants no more of the input; one that ends says why by its exit status.
        let write = async {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(input).await;
            }
            pending::<Infallible>().await
        };
        let talk = async {
            tokio::select! {
                read = stream.stdout.read_exact(&mut said) => read,
                never = write => match never {},
            }
        };
        let machine = self.machine();
        match timeout(LIMIT, talk).await {
            Err(_) => Err(AccessError::Unreachable { machine, words: format!("no answer within {LIMIT:?}") }),
            Ok(Ok(_)) if said == word => Ok(stream),
            Ok(read) => {
                if read.is_err() {
                    self.closed(stream, "start a command").await?;
                }
                Err(AccessError::NoAnswer { machine, words: String::from_utf8_lossy(&said).into_owned() })
            }
        }
    }

    /// Waits for the end of one that says nothing more, and whether it was a good one.
    pub(super) async fn closed(&self, mut stream: Stream, what: &'static str) -> Result<(), AccessError> {
        drop(stream.stdin);
        let status = stream.child.wait().await.map_err(cannot)?;
        let words = stream.complaints.await.unwrap_or_default();
        self.check(status, what, words)
    }
}

fn cannot(source: std::io::Error) -> AccessError {
    AccessError::Program { program: "ssh", source }
}
