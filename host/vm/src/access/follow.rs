//! Reads the output of a command while it is written, from any byte on. What arrives is counted, and the file's own size
//! at the end says whether all has arrived, so a broken connection loses nothing and doubles nothing.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::sleep;

use super::run::{Begun, line};
use super::stream::Stream;
use super::{Access, AccessError, Outcome, RunId};

pub(super) const FOLLOW: &str = include_str!("follow/follow.sh");
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
        still_there: impl AsyncFnMut() -> Result<(), O::Error>,
    ) -> Result<Ended, O::Error> {
        let mut position = Position { reached: from, most };
        let stream = self.opened(run, &position);
        self.follow_from(run, stream, &mut position, output, still_there).await
    }

    /// The same for one that was just started: its output comes over the connection that started it.
    ///
    /// # Errors
    /// As [`Access::follow`].
    pub async fn follow_begun<O: Output>(
        &self,
        begun: Begun,
        most: u64,
        output: &mut O,
        still_there: impl AsyncFnMut() -> Result<(), O::Error>,
    ) -> Result<Ended, O::Error> {
        let mut position = Position { reached: 0, most };
        self.follow_from(&begun.run, Ok(begun.stream), &mut position, output, still_there).await
    }

    async fn follow_from<O: Output>(
        &self,
        run: &RunId,
        mut stream: Result<Stream, AccessError>,
        position: &mut Position,
        output: &mut O,
        mut still_there: impl AsyncFnMut() -> Result<(), O::Error>,
    ) -> Result<Ended, O::Error> {
        loop {
            match self.read(run, stream, position, output).await {
                Ok(Some(ended)) => return Ok(ended),
                // It is ending, or the connection broke.
                Ok(None) | Err(Broken::Connection(_)) => sleep(PAUSE).await,
                Err(Broken::Other(error)) => return Err(error),
            }
            still_there().await?;
            stream = self.opened(run, position);
        }
    }

    fn opened(&self, run: &RunId, position: &Position) -> Result<Stream, AccessError> {
        self.open(&line(FOLLOW, run).replace("@NEXT@", &(position.reached + 1).to_string()))
    }

    /// One connection's worth; none when there is more to read.
    async fn read<O: Output>(
        &self,
        run: &RunId,
        stream: Result<Stream, AccessError>,
        position: &mut Position,
        output: &mut O,
    ) -> Result<Option<Ended>, Broken<O::Error>> {
        self.drain(stream.map_err(broken)?, position, output).await?;
        let status = self.status_once(run).await.map_err(broken)?;
        let ended = status.outcome.filter(|_| status.written <= position.reached);
        Ok(ended.map(|outcome| Ended { outcome, written: status.written }))
    }

    async fn drain<O: Output>(
        &self,
        mut stream: Stream,
        position: &mut Position,
        output: &mut O,
    ) -> Result<(), Broken<O::Error>> {
        let mut piece = vec![0; PIECE];
        loop {
            let read = stream.stdout.read(&mut piece).await;
            let read = read.map_err(|source| broken(AccessError::Program { program: "ssh", source }))?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            position.reached += read as u64;
            if position.reached > position.most {
                let (machine, what) = (self.machine(), "the output".to_owned());
                return Err(broken(AccessError::TooLarge { machine, what, most: position.most }));
            }
            output.take(bytes, position.reached).await.map_err(Broken::Other)?;
        }
        self.closed(stream, "read a command's output").await.map_err(broken)
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
