//! The log of a job: a page of it, or all of it as it grows, by server-sent events.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::unfold;
use hyper::body::Bytes;
use hyper::header::HeaderName;
use hyper::{Response, StatusCode};
use stead_queue::{Changes, JobId, Logged};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Api;
use super::body::{Answer, json, of_type, stream, whole};
use super::call::Call;
use super::jobs::page as page_size;
use super::problem::Problem;
use super::view::{Event, LineView, Lines, Log};

/// No log has a line beyond.
const LAST: u64 = i64::MAX.unsigned_abs();
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Lines have up to 64 KiB, and a client that does not take them holds so many in memory.
const PAGE: u32 = 50;
/// How often a quiet stream says that it is still there, so that nothing between us and the client gives it up.
const QUIET: Duration = Duration::from_secs(15);
/// How often the queue is asked at most while other jobs are busy.
const PAUSE: Duration = Duration::from_millis(100);

/// Read lines of the log of a job.
#[utoipa::path(get, path = "/v1/jobs/{job}/logs", tag = "logs",
    params(("job" = u64, Path, description = "Its number"), Lines),
    responses((status = 200, description = "A page of it", body = Log), super::document::Problems),
    security(("token" = ["read"])))]
pub(super) async fn page(call: Call) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &lines(&call, &call.query()?).await?))
}

/// Those that are wanted.
pub(super) async fn lines(call: &Call, lines: &Lines) -> Result<Log, Problem> {
    let limit = page_size(lines.limit)?;
    let job = call.job().await?;
    let logged = call.api.service.store.queue.log(job.id, lines.from, limit).await?;
    let next = logged.last().map_or(lines.from, |last| last.number + 1);
    Ok(Log { lines: logged.iter().filter_map(LineView::of).collect(), next })
}

/// Follow the log of a job as server-sent events.
///
/// Each line is an event `line`, whose id is its number and whose data is that line as in a page. When the job has ended and
/// all lines were sent comes an event `end` with its state. Who reconnects with `Last-Event-ID` misses no line; when there is nothing
/// more to come the answer is 204, which ends an EventSource.
#[utoipa::path(get, path = "/v1/jobs/{job}/logs/stream", tag = "logs",
    params(("job" = u64, Path, description = "Its number"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The number of the last line that arrived.")),
    responses(
        (status = 200, description = "The lines", body = Event, content_type = "text/event-stream"),
        (status = 204, description = "The job has ended, and all lines had arrived"),
        super::document::Problems),
    security(("token" = ["read"])))]
pub(super) async fn follow(call: Call) -> Result<Answer, Problem> {
    let last = last_event(&call)?;
    follow_from(call, last, last.is_some()).await
}

/// The number of the last line that arrived, as the client says.
pub(super) fn last_event(call: &Call) -> Result<Option<u64>, Problem> {
    let Some(text) = call.head.headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let number = text.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    let number = number.filter(|number| *number <= LAST);
    number.map(Some).ok_or_else(|| Problem::invalid("Last-Event-ID is the number of a line"))
}

/// The lines after this one. Who comes back when all has arrived is told to stay away; who comes first is told the end.
pub(super) async fn follow_from(call: Call, last: Option<u64>, comes_back: bool) -> Result<Answer, Problem> {
    let job = call.job().await?;
    let from = last.map_or(0, |last| last.saturating_add(1));
    if comes_back && job.state.has_ended() && from >= job.next_line {
        let mut nothing = Response::new(whole(""));
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        return Ok(nothing);
    }
    let follower = Follower::new(call.api, job.id, from)?;
    // The default of the field is 3 s or more.
    let first = futures::stream::once(async { Ok(Bytes::from_static(b"retry: 1000\n\n")) });
    let body = stream(futures::StreamExt::chain(first, unfold(follower, Follower::step)));
    Ok(of_type(StatusCode::OK, "text/event-stream", body))
}

/// Somebody who follows a log.
struct Follower {
    api: Arc<Api>,
    job: JobId,
    from: u64,
    changes: Changes,
    stopping: watch::Receiver<bool>,
    is_over: bool,
    _room: Room,
}

/// One of the streams that there may be at once.
struct Room(Arc<Api>);

impl Room {
    fn take(api: &Arc<Api>) -> Result<Self, Problem> {
        let permit = api.streams.try_acquire().map_err(|_| Problem::unavailable("too many logs are followed"))?;
        permit.forget();
        Ok(Self(api.clone()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.streams.add_permits(1);
    }
}

impl Follower {
    fn new(api: Arc<Api>, job: JobId, from: u64) -> Result<Self, Problem> {
        let (changes, stopping) = (api.service.store.queue.changes(), api.stopping.subscribe());
        let room = Room::take(&api)?;
        Ok(Self { api, job, from, changes, stopping, is_over: false, _room: room })
    }

    /// The next events, and who waits for those after.
    async fn step(mut self) -> Option<(io::Result<Bytes>, Self)> {
        loop {
            // A client that comes back goes on where it was.
            if self.is_over || *self.stopping.borrow() {
                return None;
            }
            match self.look().await {
                Err(Problem { .. }) => return Some((Err(io::Error::other("the queue does not answer")), self.over())),
                Ok(Some(events)) => return Some((Ok(events), self)),
                Ok(None) => {}
            }
            let woken = async {
                sleep(PAUSE).await;
                self.changes.wait().await;
            };
            tokio::select! {
                woken = timeout(QUIET, woken) => if woken.is_err() {
                    return Some((Ok(Bytes::from_static(b":\n\n")), self));
                },
                _ = self.stopping.changed() => {}
            }
        }
    }

    fn over(mut self) -> Self {
        self.is_over = true;
        self
    }

    /// What is there now.
    async fn look(&mut self) -> Result<Option<Bytes>, Problem> {
        let queue = &self.api.service.store.queue;
        // Asked before the lines are read: what was written until its end is then sent.
        let job = queue.job(self.job).await?;
        let logged = queue.log(self.job, self.from, PAGE).await?;
        if let Some(last) = logged.last() {
            self.from = last.number + 1;
            return Ok(Some(logged.iter().map(event).collect::<String>().into()));
        }
        if job.state.has_ended() {
            self.is_over = true;
            return Ok(Some(format!("event: end\ndata: {{\"state\":\"{}\"}}\n\n", job.state).into()));
        }
        Ok(None)
    }
}

/// A line that cannot be shown is passed over.
fn event(logged: &Logged) -> String {
    let Some(line) = LineView::of(logged) else { return String::new() };
    // JSON has no line breaks of its own.
    let data = serde_json::to_string(&line).unwrap_or_default();
    format!("id: {}\nevent: line\ndata: {data}\n\n", logged.number)
}
