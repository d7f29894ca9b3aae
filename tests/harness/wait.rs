//! The one way in which the harness waits for something: with a limit, and with a word for what it waited for.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// Asks `probe` again and again until it gives a value.
///
/// # Errors
/// After `limit`: `what` did not happen, with the last error of the probe. A probe's error is no reason to stop early:
/// what is coming up refuses connections first.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(5);
    loop {
        let last = match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow!("not yet"),
            Err(error) => error,
        };
        if Instant::now() >= deadline {
            return Err(last.context(format!("waited {limit:?} for {what}")));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}
