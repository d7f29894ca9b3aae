//! How a command that was run in a container ended.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use tokio::time::Instant;

/// How long the engine may take to know: its output ends before it does.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// The exit code; `None`: the engine does not know it.
pub(in crate::capability::compose) async fn exec_ended(docker: &Docker, id: &str) -> Result<Option<i64>, Error> {
    let begun = Instant::now();
    loop {
        let found = docker.inspect_exec(id).await?;
        let ended = found.running == Some(false);
        if ended && found.exit_code.is_some() || begun.elapsed() >= PATIENCE {
            return Ok(found.exit_code.filter(|_| ended));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
