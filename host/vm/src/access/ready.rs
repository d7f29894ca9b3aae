//! Waits until a machine lets us in.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::{Access, AccessError};

/// Short: this is the last thing between a booted machine and its first output.
const PAUSE: Duration = Duration::from_millis(100);

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
            match timeout(left, self.ask_once("exit 0", b"")).await {
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
}
