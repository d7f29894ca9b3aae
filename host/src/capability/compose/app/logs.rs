//! What containers have said, in the order in which they said it, and what they say from then on.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::{EventsOptions, LogsOptions};
use futures::stream::{SelectAll, select_all, unfold};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use super::{App, AppError, Apps, Instance, refused};

mod cutter;

use cutter::Cutter;

/// Which lines are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// All when there is none.
    pub services: Vec<String>,
    /// Go on with what is said from now on, also by containers that are started later.
    pub follow: bool,
    /// The last so many of each container; `None`: all.
    pub tail: Option<u32>,
    pub since: Option<Since>,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    Ago(Duration),
    /// Seconds since 1970.
    At(i64),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub source: Source,
    /// When it was said, as RFC 3339, which sorts by time.
    pub at: String,
    pub text: String,
    /// Whether it came from standard error.
    pub error: bool,
}

/// Who said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub service: String,
    /// As docker compose calls it: `web-1`.
    pub container: String,
    pub(super) id: String,
}

type Said<'a> = Pin<Box<dyn Stream<Item = Result<Line, AppError>> + 'a>>;

impl Apps<'_> {
    /// Tells what the containers of an app said, until all is said, or nobody listens any more.
    ///
    /// # Errors
    /// When there is no such app or service, or Docker cannot read the logs of one.
    pub async fn logs(
        &self,
        app: &str,
        lines: &Lines,
        mut told: impl AsyncFnMut(Line) -> bool,
    ) -> Result<(), AppError> {
        let begun = now();
        let app = self.find(app, &lines.services).await?;
        let since = lines.since.map_or(0, |since| since.seconds(begun));
        let tail = lines.tail.map_or_else(|| "all".to_owned(), |tail| tail.to_string());
        let options = LogsOptions { since: short(since), tail, ..options() };
        let mut past: Vec<Said<'_>> =
            app.instances.iter().filter_map(|instance| self.said(&app.name, instance, options.clone())).collect();
        let mut last = BTreeMap::new();
        let mut heads = Vec::new();
        for said in &mut past {
            heads.push(said.next().await.transpose()?);
        }
        while let Some(first) = earliest(&heads) {
            let next = match past.get_mut(first) {
                Some(said) => said.next().await.transpose()?,
                None => None,
            };
            let Some(line) = heads.get_mut(first).and_then(|head| std::mem::replace(head, next)) else { break };
            last.insert(line.source.id.clone(), line.at.clone());
            if !told(line).await {
                return Ok(());
            }
        }
        if lines.follow { self.follow(&app, lines, begun, last, told).await } else { Ok(()) }
    }

    async fn follow(
        &self,
        app: &App,
        lines: &Lines,
        begun: i64,
        mut last: BTreeMap<String, String>,
        mut told: impl AsyncFnMut(Line) -> bool,
    ) -> Result<(), AppError> {
        let mut started = Box::pin(self.docker.events(Some(starts(begun))));
        let from = |id: &str, last: &BTreeMap<String, String>| {
            let at = last.get(id).and_then(|at| at.parse::<jiff::Timestamp>().ok());
            LogsOptions { follow: true, since: short(at.map_or(begun, |at| at.as_second())), ..options() }
        };
        let running = app.instances.iter().filter(|instance| instance.state == "running");
        let all = running.filter_map(|one| self.said(&app.name, one, from(one.id()?, &last)));
        let mut said: SelectAll<Said<'_>> = select_all(all);
        loop {
            tokio::select! {
                Some(line) = said.next() => {
                    let line = line?;
                    // What was told already comes again, because Docker counts in seconds here.
                    let is_new = last.get(&line.source.id).is_none_or(|last| *last < line.at);
                    if is_new {
                        last.insert(line.source.id.clone(), line.at.clone());
                        if !told(line).await {
                            return Ok(());
                        }
                    }
                }
                event = started.next() => {
                    let Some(event) = event else { return Ok(()) };
                    let event = event.map_err(refused("wait for containers"))?;
                    let id = event.actor.and_then(|actor| actor.id).unwrap_or_default();
                    let Ok(now) = self.find(&app.name, &[]).await else { continue };
                    let asked = |one: &&Instance| lines.services.is_empty() || lines.services.contains(&one.service);
                    let one = now.instances.iter().find(|one| one.id() == Some(&*id)).filter(asked);
                    if let Some(more) = one.and_then(|one| self.said(&app.name, one, from(&id, &last))) {
                        said.push(more);
                    }
                }
            }
        }
    }

    fn said(&self, app: &str, instance: &Instance, options: LogsOptions) -> Option<Said<'_>> {
        let (name, id) = instance.container.clone()?;
        let source = Source { service: instance.service.clone(), container: instance.short(app), id: id.clone() };
        let frames = Box::pin(self.docker.logs(&id, Some(options)));
        let state = (frames, Cutter::new(source), VecDeque::new());
        Some(Box::pin(unfold(state, move |(mut frames, mut cutter, mut ready)| {
            let name = name.clone();
            async move {
                loop {
                    if let Some(line) = ready.pop_front() {
                        return Some((Ok(line), (frames, cutter, ready)));
                    }
                    match next(&mut frames).await {
                        Some(Ok(frame)) => ready.extend(cutter.cut(&frame)),
                        Some(Err(error)) => {
                            return Some((
                                Err(refused(format!("read the log of {name}"))(error)),
                                (frames, cutter, ready),
                            ));
                        }
                        None => ready.push_back(cutter.rest()?),
                    }
                }
            }
        })))
    }
}

async fn next(frames: &mut Pin<Box<impl Stream<Item = Result<LogOutput, Error>>>>) -> Option<Result<LogOutput, Error>> {
    match frames.next().await {
        // One that was removed meanwhile says nothing more.
        Some(Err(Error::DockerResponseServerError { status_code: 404 | 409, .. })) => None,
        next => next,
    }
}

fn earliest(heads: &[Option<Line>]) -> Option<usize> {
    let there = heads.iter().enumerate().filter_map(|(index, head)| Some((&head.as_ref()?.at, index)));
    there.min().map(|(_, index)| index)
}

fn options() -> LogsOptions {
    LogsOptions { stdout: true, stderr: true, timestamps: true, ..LogsOptions::default() }
}

fn starts(since: i64) -> EventsOptions {
    let filters = [("type", "container"), ("event", "start")];
    let filters = filters.into_iter().map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).collect();
    EventsOptions { since: Some(since.to_string()), filters: Some(filters), ..EventsOptions::default() }
}

impl Since {
    fn seconds(self, now: i64) -> i64 {
        match self {
            Self::Ago(ago) => now.saturating_sub(i64::try_from(ago.as_secs()).unwrap_or(i64::MAX)),
            Self::At(seconds) => seconds,
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// As the client of the engine takes it, until 2038.
fn short(seconds: i64) -> i32 {
    i32::try_from(seconds.max(0)).unwrap_or(i32::MAX)
}
