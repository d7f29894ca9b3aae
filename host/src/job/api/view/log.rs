//! The lines of a log.

use serde::Serialize;
use stead_queue::Logged;
use utoipa::ToSchema;

use super::instant;
use crate::job::Said;
use crate::policy::Level;

/// A page of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct Log {
    pub(in crate::job::api) lines: Vec<LineView>,
    /// From where to go on.
    pub(in crate::job::api) next: u64,
}

/// One of the server-sent events of a log.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is there for the document alone")]
pub(in crate::job::api) struct Event {
    /// The number of the line.
    id: Option<String>,
    /// `line` or `end`.
    event: Option<String>,
    /// JSON: a line as in a page, or an object with the state of the job.
    data: Option<String>,
}

/// A line of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct LineView {
    /// From 0 over all attempts, without gaps but for lines that cannot be shown.
    pub(in crate::job::api) number: u64,
    #[schema(format = DateTime)]
    pub(in crate::job::api) at: String,
    /// `policy`, or `MACHINE/NUMBER` for a command.
    pub(in crate::job::api) source: String,
    pub(in crate::job::api) level: LineLevel,
    pub(in crate::job::api) text: String,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::job::api) enum LineLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LineView {
    /// `None`: nothing that stead has written.
    pub(in crate::job::api) fn of(logged: &Logged) -> Option<Self> {
        let said = Said::read(&logged.line)?;
        let level = match said.level {
            Level::Debug => LineLevel::Debug,
            Level::Info => LineLevel::Info,
            Level::Warn => LineLevel::Warn,
            Level::Error => LineLevel::Error,
        };
        let (number, at, source) = (logged.number, instant(logged.at), said.source.to_string());
        Some(Self { number, at, source, level, text: said.text })
    }
}
