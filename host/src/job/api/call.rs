//! A request on its way to an endpoint, and how an endpoint reads what it was sent.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName};
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use stead_queue::{Job, JobId, QueueError};
use tokio::time::timeout;

use super::Api;
use super::caller::Caller;
use super::page::Session;
use super::problem::Problem;
use crate::repo::Scope;

/// The most that a document may have: an input of a job has 1 MiB, and something around it.
const BODY: usize = (1 << 20) + (64 << 10);
/// How long a client may take to send it.
const SENDING: Duration = Duration::from_secs(20);

/// A request that was let in.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) api: Arc<Api>,
    /// None where nobody needs to be known.
    pub(super) caller: Option<Arc<Caller>>,
    /// What the route needs.
    pub(super) scope: Option<Scope>,
    /// That of a browser; none: a token was shown.
    pub(super) session: Option<Session>,
    /// What stands for `{…}` in the path.
    pub(super) arguments: Vec<String>,
    pub(super) head: Parts,
    pub(super) body: Incoming,
}

impl Call {
    /// Whether the caller may do what is asked with jobs of this policy.
    pub(super) fn covers(&self, policy: &str) -> bool {
        self.caller.as_ref().zip(self.scope).is_some_and(|(caller, scope)| caller.covers(scope, policy))
    }

    /// The job that the path names. One that the caller may not touch is not there.
    pub(super) async fn job(&self) -> Result<Job, Problem> {
        let text = self.arguments.first().map_or("", String::as_str);
        let number = text.parse().map_err(|_| Problem::not_found("the number of a job is a number"))?;
        let id = JobId::from_number(number);
        let job = self.api.service.store.queue.job(id).await?;
        if self.covers(job.name.as_str()) { Ok(job) } else { Err(QueueError::NoSuchJob(id).into()) }
    }

    /// What the query says.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let query = self.head.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map_err(|error| Problem::invalid(format!("the query: {error}")))
    }

    /// A header, when it is there and is text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The document in the body.
    pub(super) async fn json<T: DeserializeOwned>(mut self) -> Result<T, Problem> {
        let bytes = self.bytes("application/json", BODY).await?;
        serde_json::from_slice(&bytes).map_err(|error| Problem::invalid(format!("the body: {error}")))
    }

    /// The body, which must be of this type and have at most so many bytes.
    pub(super) async fn bytes(&mut self, media: &str, most: usize) -> Result<Bytes, Problem> {
        if !self.header(&CONTENT_TYPE).is_some_and(|said| is_of(said, media)) {
            let detail = format!("the body is to be {media}");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail));
        }
        let too_large = || Problem::too_large(format!("a body has at most {most} bytes"));
        // As it says beforehand.
        if self.body.size_hint().lower() > most as u64 {
            return Err(too_large());
        }
        let read = timeout(SENDING, Limited::new(&mut self.body, most).collect()).await;
        let read = read.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not come"))?;
        let bytes = read.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => too_large(),
            None => Problem::invalid("the body broke off"),
        })?;
        Ok(bytes.to_bytes())
    }
}

fn is_of(said: &str, media: &str) -> bool {
    said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(media))
}
