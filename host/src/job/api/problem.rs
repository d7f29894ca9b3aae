//! What went wrong with a request: RFC 9457. It says nothing of files, databases or other people's jobs.

use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use stead_queue::QueueError;
use utoipa::ToSchema;

use super::body::{Answer, whole};

/// The body of an answer that is an error.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The words of the status.
    title: &'static str,
    status: u16,
    /// What it is, for programs.
    code: &'static str,
    /// What it is this time, for people.
    detail: String,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { title, status: status.as_u16(), code, detail: detail.into(), headers: Vec::new() }
    }

    /// The same with a header, which is left out when it cannot be one.
    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub(super) fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("here, one can {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail).with(ALLOW, allowed)
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    /// Something of the service does not answer; asking again may help.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).with(RETRY_AFTER, "1")
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The words of the status, and what it is this time.
    pub(super) fn words(&self) -> (&'static str, &str) {
        (self.title, &self.detail)
    }

    /// The answer.
    pub(super) fn answer(self) -> Answer {
        // Plain data, which has a form in JSON.
        let bytes = serde_json::to_vec(&self).unwrap_or_default();
        let mut answer = Response::new(whole(bytes));
        *answer.status_mut() = self.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        answer
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        let said = error.to_string();
        match error {
            QueueError::NoSuchJob(_) => Self::not_found(said),
            QueueError::KeyReused { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", said),
            QueueError::NotRetryable { .. } => Self::new(StatusCode::CONFLICT, "not-retryable", said),
            QueueError::TooLarge { .. } => Self::too_large(said),
            QueueError::Name { .. } => Self::invalid(said),
            // Their own words may name what is inside.
            _ => Self::unavailable("the queue does not answer"),
        }
    }
}
