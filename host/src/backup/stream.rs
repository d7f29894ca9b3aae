//! Streams a dump into restic, so that half a dump never becomes a snapshot.
//!
//! restic takes the end of its input for the end of the dump. So that end must not come by itself: the input is a socket,
//! and restic holds the other end of it open as well. When stead dies, restic reads on and on (and is killed); when the dump
//! fails, it is killed. Only a dump whose command ended with success is told to be at its end, by shutdown(2).

use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use tokio::process::Child;

use super::restic::Restic;
use super::{BackupError, make};
use crate::machine::bounded;

/// How much of what restic says is kept.
const MOST: usize = 1 << 20;

impl Restic {
    /// A snapshot of what `feed` writes, if that ends well; its id.
    ///
    /// # Errors
    /// When `feed` fails or restic does. Then there is no snapshot.
    pub(super) async fn stream<F>(&self, words: &[String], feed: F) -> Result<String, BackupError>
    where
        F: AsyncFnOnce(&mut tokio::net::UnixStream) -> Result<(), BackupError>,
    {
        let broken = |source| BackupError::Files { doing: "stream a dump into restic".to_owned(), source };
        let (ours, theirs) = UnixStream::pair().map_err(broken)?;
        // Without close-on-exec: restic inherits it. It is closed here as soon as restic has it.
        let kept_open = rustix::io::dup(&ours).map_err(|error| broken(error.into()))?;
        let mut command = self.command(words);
        command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(broken)?;
        drop((kept_open, command));
        let closing = ours.try_clone().map_err(broken)?;
        ours.set_nonblocking(true).map_err(broken)?;
        let mut ours = tokio::net::UnixStream::from_std(ours).map_err(broken)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let said = async {
            let stdout = async {
                match stdout {
                    Some(stdout) => bounded::tail(stdout, MOST).await,
                    None => Ok(Vec::new()),
                }
            };
            let stderr = async {
                match stderr {
                    Some(stderr) => bounded::tail(stderr, MOST).await,
                    None => Ok(Vec::new()),
                }
            };
            tokio::try_join!(stdout, stderr)
        };
        let feeding = async {
            let fed = feed(&mut ours).await;
            match &fed {
                Ok(()) => closing.shutdown(Shutdown::Write).map_err(broken)?,
                Err(_) => kill(&mut child).await,
            }
            fed
        };
        // restic may end before it was fed: then writing fails, and what it said tells why.
        let (fed, said) = tokio::join!(feeding, said);
        let (stdout, stderr) = said.map_err(broken)?;
        let status = child.wait().await.map_err(broken)?;
        match (fed, status.code()) {
            (Ok(()), Some(0)) => make::snapshot_of(&stdout),
            (Ok(()), _) => Err(self.failed("backup", status, &String::from_utf8_lossy(&stderr))),
            // It ended by itself, before the dump did.
            (Err(_), Some(_)) => Err(self.failed("backup", status, &String::from_utf8_lossy(&stderr))),
            (Err(error), None) => Err(error),
        }
    }
}

/// It has not seen the end of its input, so it has made nothing.
async fn kill(child: &mut Child) {
    // Of one that has just ended.
    let _ = child.kill().await;
}
