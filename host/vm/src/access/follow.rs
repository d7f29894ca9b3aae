//! Reads the output of a command while it is written, from any byte on. What arrives is counted, and the file's own size
//! at the end says whether all has arrived, so a broken connection loses nothing and doubles nothing.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::sleep;

use super::run::line;
use super::{Access, AccessError, Outcome, RunId, ssh};

const FOLLOW: &str = include_str!("follow/follow.sh");
const PIECE: usize = 32 << 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Where the output goes.
#[allow(async_fn_in_trait, reason = "the caller's own type is followed in the caller's own task")]
pub trait Output {
    type Error: From<AccessError>;

    /// Takes the bytes that follow the ones before; `end` is the offset after them.
    async fn take(&mut self, bytes: &[u8], end: u64) -> Result<(), Self::Error>;
}

/// A command that has ended, with all its output taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    pub written: u64,
}

/// How much may come.
struct Position {
    reached: u64,
    most: u64,
}

impl Access {
    /// Gives the output from the offset `from` on to `output`, until the command has ended. Connections that break are made
    /// anew for as long as `still_there` says that there is a machine.
    ///
    /// # Errors
    /// Those of `output` and `still_there`; and when the output has more than `most` bytes or the command is gone.
    pub async fn follow<O: Output>(
        &self,
        run: &RunId,
        from: u64,
        most: u64,
        output: &mut O,
        mut still_there: impl AsyncFnMut() -> Result<(), O::Error>,
    ) -> Result<Ended, O::Error> {
        let mut position = Position { reached: from, most };
        loop {
            match self.read(run, &mut position, output).await {
                Ok(Some(ended)) => return Ok(ended),
                // It is ending, or the connection broke.
                Ok(None) | Err(Broken::Connection(_)) => sleep(PAUSE).await,
                Err(Broken::Other(error)) => return Err(error),
            }
            still_there().await?;
        }
    }

    /// One connection's worth; none when there is more to read.
    async fn read<O: Output>(
        &self,
        run: &RunId,
        position: &mut Position,
        output: &mut O,
    ) -> Result<Option<Ended>, Broken<O::Error>> {
        self.stream(run, position, output).await?;
        let status = self.status_once(run).await.map_err(broken)?;
        let ended = status.outcome.filter(|_| status.written <= position.reached);
        Ok(ended.map(|outcome| Ended { outcome, written: status.written }))
    }

    async fn stream<O: Output>(
        &self,
        run: &RunId,
        position: &mut Position,
        output: &mut O,
    ) -> Result<(), Broken<O::Error>> {
        let cannot = |source| broken(AccessError::Program { program: "ssh", source });
        let script = line(FOLLOW, run).replace("@NEXT@", &(position.reached + 1).to_string());
        let mut child = self.command(&script).spawn().map_err(cannot)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let complaints = tokio::spawn(ssh::words(stderr));
        if let Some(mut stdout) = stdout {
            let mut piece = vec![0; PIECE];
            loop {
                let read = stdout.read(&mut piece).await.map_err(cannot)?;
                let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
                position.reached += read as u64;
                if position.reached > position.most {
                    let (machine, what) = (self.machine(), "the output".to_owned());
                    return Err(broken(AccessError::TooLarge { machine, what, most: position.most }));
                }
                output.take(bytes, position.reached).await.map_err(Broken::Other)?;
            }
        }
        drop(stdin);
        let status = child.wait().await.map_err(cannot)?;
        let words = complaints.await.unwrap_or_default();
        self.check(status, "read a command's output", words).map_err(broken)
    }
}

enum Broken<E> {
    /// Worth another try.
    Connection(#[expect(dead_code, reason = "says what is tried again, when debugging")] AccessError),
    Other(E),
}

fn broken<E: From<AccessError>>(error: AccessError) -> Broken<E> {
    match error {
        AccessError::Unreachable { .. } => Broken::Connection(error),
        other => Broken::Other(other.into()),
    }
}
