//! Waits until a machine lets us in.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Access, AccessError};

/// Short: this is the last thing between a booted machine and its first output.
const PAUSE: Duration = Duration::from_millis(50);
/// Between connections that only wait for a greeting, how long each of them waits, and how many do. They are few: all come
/// through at once when a machine gets its network, and by default sshd turns logins away beside ten that have not logged in.
const NEXT: Duration = Duration::from_secs(1);
const GREETING: Duration = Duration::from_secs(3);
const MOST: usize = 3;

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

    /// One login, once there is somebody to log in to: two at once would take an emulated machine twice as long.
    async fn log_in(&self) -> Result<String, AccessError> {
        // With options there is more between it and us.
        if self.options.is_empty() {
            let words =
                |error: io::Error| AccessError::Unreachable { machine: self.machine(), words: error.to_string() };
            greeted(self.address).await.map_err(words)?;
        }
        self.ask_once("exit 0", b"").await
    }
}

/// Waits until sshd greets a new connection. What was sent before a machine had a network is repeated after 3, 6, 12 s:
/// a newer connection is faster then.
async fn greeted(address: SocketAddr) -> io::Result<()> {
    let mut waiting = JoinSet::new();
    loop {
        if waiting.len() < MOST {
            waiting.spawn(greeting(address));
        }
        if let Ok(Some(ended)) = timeout(NEXT, waiting.join_next()).await {
            return ended?;
        }
    }
}

async fn greeting(address: SocketAddr) -> io::Result<()> {
    let greeted = async { TcpStream::connect(address).await?.read_u8().await };
    timeout(GREETING, greeted).await?.map(drop)
}
