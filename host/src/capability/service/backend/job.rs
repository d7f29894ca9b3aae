//! Starts a job of the manager and waits for its result.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures::StreamExt;
use zbus::{Error, MatchRule, MessageStream, OwnedObjectPath};

use super::bus::{Manager, is_missing};
use crate::capability::ApplyError;
use crate::capability::service::UnitName;
use crate::machine::Program;

/// A unit's own timeouts end most jobs long before; a oneshot service has none.
const LONGEST: Duration = Duration::from_secs(600);
/// Signals of other jobs that may come in between.
const QUEUE: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(queue) => queue,
    None => NonZeroUsize::MIN,
};
/// How much of a unit's journal an error carries.
const LINES: &str = "--lines=10";
const MOST_WORDS: usize = 2048;

impl Manager {
    /// Runs `method` (`StartUnit`, …) on the unit to its end. A unit that is not there has nothing to stop or renew.
    pub(super) async fn job(&self, method: &str, unit: &UnitName) -> Result<(), ApplyError> {
        let ended = tokio::time::timeout(LONGEST, self.result(method, unit)).await;
        let reason = match ended {
            Ok(Ok(result)) if matches!(result.as_str(), "done" | "skipped") => return Ok(()),
            Ok(Ok(result)) => format!("its job ended as {result}"),
            Ok(Err(error)) if is_missing(&error) && method != "StartUnit" => return Ok(()),
            Ok(Err(error)) => return Err(refused(unit, &error)),
            Err(_) => format!("its job did not end within {LONGEST:?}"),
        };
        let status = self.status(unit).await.unwrap_or_else(|error| error.to_string());
        let reason = format!("{reason}; it is {status}{}", journal(unit).await);
        Err(ApplyError::Unhealthy { resource: format!("service {unit}"), reason })
    }

    async fn result(&self, method: &str, unit: &UnitName) -> Result<String, Error> {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface("org.freedesktop.systemd1.Manager")
            .member("JobRemoved")
            .build()?;
        // The manager tells of jobs only to those who asked.
        self.call("Subscribe", &()).await?;
        // Before the call, so that a job which ends at once is not missed.
        let mut removed = MessageStream::for_match_rule(rule, &self.connection, Some(QUEUE)).await?;
        let job: OwnedObjectPath = self.call(method, &(unit.as_str(), "replace")).await?.body().deserialize()?;
        while let Some(signal) = removed.next().await {
            let body = signal?.body();
            let (_, ended, _, result): (u32, OwnedObjectPath, String, String) = body.deserialize()?;
            if ended == job {
                return Ok(result);
            }
        }
        Err(Error::Failure("the manager closed the connection".to_owned()))
    }
}

pub(super) fn refused(unit: &UnitName, error: &Error) -> ApplyError {
    let reason = match error {
        Error::MethodError(_, Some(words), _) => words.clone(),
        other => other.to_string(),
    };
    ApplyError::Refused { resource: format!("service {unit}"), reason }
}

/// The unit's last words, on lines of their own.
async fn journal(unit: &UnitName) -> String {
    let program = Program::new("journalctl").arg(format!("--unit={unit}")).arg(LINES);
    let said = program.args(["--no-pager", "--quiet", "--output=cat"]).run().await;
    let words = said.map(|output| output.text()).unwrap_or_default();
    let start = words.len().saturating_sub(MOST_WORDS);
    let words = words.get(words.ceil_char_boundary(start)..).unwrap_or_default().trim();
    words.lines().map(|line| format!("\n  {line}")).collect()
}
