//! Waits until a machine lets us in.

use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Access, AccessError};

/// Short: this is the last thing between a booted machine and its first output.
const PAUSE: Duration = Duration::from_millis(50);
/// A login that takes longer may hang: what was sent before a machine had a network is repeated after 3, 6, 12 s.
const HANGS: Duration = Duration::from_secs(3);
/// Between connections that only wait for a greeting, how long each of them waits, and how many do. By default sshd turns
/// some away when ten have not logged in.
const NEXT: Duration = Duration::from_millis(500);
const GREETING: Duration = Duration::from_secs(4);
const MOST: usize = 8;

impl Access {
    /// Tries again and again until a login works. `still_there` is asked between tries: a machine that is gone is not
    /// waited for.
    ///
    /// # Errors
    /// At once when something with another host key answers, or `still_there` fails; else after `limit`.
    pub async fn ready<E: From<AccessError>>(
        &self,
        limit: Duration,
        mut still_there: impl AsyncFnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let deadline = Instant::now() + limit;
        let mut last = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, self.log_in()).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(AccessError::Unreachable { words, .. })) => last = words,
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    let machine = self.machine();
                    return Err(AccessError::NeverAnswered { machine, after: limit, words: last }.into());
                }
            }
            still_there().await?;
            sleep(PAUSE).await;
        }
    }

    /// One login, and another one beside it when it hangs while newer connections are greeted.
    async fn log_in(&self) -> Result<String, AccessError> {
        let mut first = pin!(self.ask_once("exit 0", b""));
        tokio::select! {
            done = &mut first => return done,
            () = self.greets() => {}
        }
        let mut second = pin!(self.ask_once("exit 0", b""));
        let (done, other) = tokio::select! {
            done = &mut first => (done, second),
            done = &mut second => (done, first),
        };
        match done {
            Err(AccessError::Unreachable { .. }) => other.await,
            done => done,
        }
    }

    /// Waits until sshd greets a new connection.
    async fn greets(&self) {
        if !self.options.is_empty() {
            // Then there is more between it and us.
            pending::<()>().await;
        }
        sleep(HANGS).await;
        let mut waiting = JoinSet::new();
        loop {
            if waiting.len() < MOST {
                waiting.spawn(is_greeted(self.address));
            }
            if let Ok(Some(Ok(true))) = timeout(NEXT, waiting.join_next()).await {
                return;
            }
            sleep(PAUSE).await;
        }
    }
}

async fn is_greeted(address: SocketAddr) -> bool {
    let greeted = async { TcpStream::connect(address).await?.read_u8().await };
    matches!(timeout(GREETING, greeted).await, Ok(Ok(_)))
}
